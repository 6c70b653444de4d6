//! calendar-multiget: the objects that a client names. RFC 4791 §7.9.

use nichoir_contentline::as_text;
use nichoir_dav::report::{Judge, MemberReport, ReportCall, Verdict};
use nichoir_dav::{Error, Response};
use nichoir_store::Node;

use super::{data_of, limits_of, too_large, visible};
use crate::calendar_data::CalendarData;
use crate::calendar_zone;
use crate::object::{CalendarObject, Limits};
use crate::timezone::Zone;

pub(super) async fn answer(call: ReportCall) -> Result<Response, Error> {
    let limits = limits_of(&call);
    let data = data_of(&call, &limits)?;
    let hrefs_max = limits.multiget_hrefs_max;
    let judge = Named { data, zone: Zone::Utc, limits };
    MemberReport::new(call, judge).await?.multiget(hrefs_max).await
}

/// Tells every member, in the form that was asked for.
struct Named {
    data: CalendarData,
    zone: Zone,
    limits: Limits,
}

impl Judge for Named {
    fn enter(&mut self, collection: &Node) -> bool {
        self.zone = calendar_zone::of_collection(collection).unwrap_or(Zone::Utc);
        true
    }

    fn judge(&mut self, member: &Node) -> Verdict {
        if self.data.is_whole() && !member.is_confidential {
            return Verdict::Tell(None);
        }
        let Some(body) = visible(member, &self.limits) else { return Verdict::Skip };
        let body = &body;
        match CalendarObject::read(body, &self.limits) {
            Ok(object) => {
                let text = self.data.render(&object, &self.zone, &self.limits);
                if CalendarData::is_too_large(&text, &self.limits) {
                    return Verdict::Fail(too_large());
                }
                Verdict::Tell(Some(as_text(&text).into_owned()))
            }
            // Never 200 without the data: DAVx⁵ gives the whole calendar up.
            Err(error) => Verdict::Fail(Error::internal("The object cannot be read.").caused_by(error)),
        }
    }
}
