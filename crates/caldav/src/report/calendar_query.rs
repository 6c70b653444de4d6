//! calendar-query: the objects of a calendar that match a filter. RFC 4791 §7.8.
//!
//! The index narrows down what is read, the filter decides.

use nichoir_contentline::as_text;
use nichoir_dav::report::{Judge, MemberReport, ReportCall, Verdict};
use nichoir_dav::{Error, Response};
use nichoir_store::{CollectionKind, MemberFilter, Node};
use nichoir_xml::caldav;

use super::{data_of, limits_of, too_large, visible};
use crate::calendar_data::CalendarData;
use crate::calendar_zone;
use crate::filter::Filter;
use crate::object::{CalendarObject, Limits};
use crate::timezone::Zone;

pub(super) async fn answer(call: ReportCall) -> Result<Response, Error> {
    let limits = limits_of(&call);
    let data = data_of(&call, &limits)?;
    // Nextcloud's web calendar leaves the filter out and means everything.
    let filter = call.root.child(&caldav::FILTER).map(|element| Filter::of(element, &limits)).transpose()?;
    let asked_zone = calendar_zone::of_query(&call.root)?;
    let prefilter = filter.as_ref().map_or_else(MemberFilter::default, Filter::prefilter);
    let judge = Matching { filter, data, zone: Zone::Utc, asked_zone, limits };
    MemberReport::new(call, judge).await?.query(prefilter, None).await
}

/// Tells the members that match.
struct Matching {
    filter: Option<Filter>,
    data: CalendarData,
    /// What floating times mean in the collection at hand.
    zone: Zone,
    asked_zone: Option<Zone>,
    limits: Limits,
}

impl Judge for Matching {
    fn enter(&mut self, collection: &Node) -> bool {
        self.zone = self.asked_zone.clone().or_else(|| calendar_zone::of_collection(collection)).unwrap_or(Zone::Utc);
        collection.collection.as_deref().is_some_and(|kind| !matches!(kind, CollectionKind::AddressBook))
    }

    fn judge(&mut self, member: &Node) -> Verdict {
        let is_decided = self.filter.as_ref().is_none_or(Filter::is_told_by_index);
        if is_decided && self.data.is_whole() && !member.is_confidential {
            return Verdict::Tell(None);
        }
        let Some(body) = visible(member, &self.limits) else { return Verdict::Skip };
        let object = match CalendarObject::read(&body, &self.limits) {
            Ok(object) => object,
            Err(error) => {
                tracing::warn!(node.id = member.id.0, cause = %error, "a stored calendar object cannot be read");
                return Verdict::Skip;
            }
        };
        let is_match = self.filter.as_ref().is_none_or(|filter| filter.matches(&object, &self.zone, &self.limits));
        match (is_match, self.data.is_whole() && !member.is_confidential) {
            (false, _) => Verdict::Skip,
            (true, true) => Verdict::Tell(None),
            (true, false) => {
                let text = self.data.render(&object, &self.zone, &self.limits);
                if CalendarData::is_too_large(&text, &self.limits) {
                    return Verdict::Fail(too_large());
                }
                Verdict::Tell(Some(as_text(&text).into_owned()))
            }
        }
    }
}
