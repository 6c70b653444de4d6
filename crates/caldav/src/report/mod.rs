//! The reports of calendars. RFC 4791 §7.

mod calendar_multiget;
mod calendar_query;
pub(crate) mod free_busy_query;

use bytes::Bytes;
use nichoir_dav::report::ReportCall;
use nichoir_dav::{Error, Report};
use nichoir_store::Node;
use nichoir_xml::{caldav, dav};

use crate::calendar_data::{CalendarData, ZoneWish};
use crate::confidential::reduce;
use crate::extension::Caldav;
use crate::object::{CalendarObject, DEFAULT_LIMITS, Limits};

/// The table.
pub(crate) static REPORTS: &[Report] = &[
    Report { name: caldav::CALENDAR_QUERY, answer: |call| Box::pin(calendar_query::answer(call)) },
    Report { name: caldav::CALENDAR_MULTIGET, answer: |call| Box::pin(calendar_multiget::answer(call)) },
    Report { name: caldav::FREE_BUSY_QUERY, answer: |call| Box::pin(free_busy_query::answer(call)) },
];

/// The content of a member as the caller may see it.
fn visible(member: &Node, limits: &Limits) -> Option<Bytes> {
    let body = member.body.as_ref()?;
    if !member.is_confidential {
        return Some(body.clone());
    }
    // What cannot be read cannot be reduced either, and is not shown.
    CalendarObject::read(body, limits).ok().map(|object| reduce(&object).into())
}

fn limits_of(call: &ReportCall) -> Limits {
    call.dav.extension::<Caldav>().map_or(&DEFAULT_LIMITS, |caldav| &caldav.limits).clone()
}

/// What is wanted of each object: the `CALDAV:calendar-data` among the properties that are asked for, and the wish for
/// time zones in the headers.
fn data_of(call: &ReportCall, limits: &Limits) -> Result<CalendarData, Error> {
    let asked = call.root.child(&dav::PROP).and_then(|prop| prop.child(&caldav::CALENDAR_DATA));
    let data = asked.map(|element| CalendarData::of(element, limits)).transpose()?.unwrap_or_default();
    Ok(data.with_zones(ZoneWish::of(&call.headers)))
}

/// What an object becomes when it is expanded is more than may be told of it.
fn too_large() -> Error {
    Error::new(http::StatusCode::INSUFFICIENT_STORAGE, "The expanded object is too large.")
        .with_condition(dav::NUMBER_OF_MATCHES_WITHIN_LIMITS)
}
