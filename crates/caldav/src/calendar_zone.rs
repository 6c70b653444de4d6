//! The zone of a calendar: what floating times and dates in it mean. RFC 4791 §5.2.2, §7.3; RFC 7809 §5.2, §9.
//!
//! A query's own zone goes first, then the calendar's, then UTC.

use nichoir_contentline::parse;
use nichoir_dav::Error;
use nichoir_store::Node;
use nichoir_xml::{Element, caldav};

use crate::timezone::Zone;
use crate::vtimezone::vtimezone;

/// Checks the text of a `CALDAV:calendar-timezone` or `CALDAV:timezone` element.
///
/// # Errors
/// 403 with `CALDAV:valid-calendar-data` unless it is a VCALENDAR with exactly one VTIMEZONE.
pub(crate) fn check(text: &str) -> Result<Zone, Error> {
    zone_of_calendar(text).ok_or_else(|| {
        Error::forbidden("A time zone is a VCALENDAR with exactly one VTIMEZONE.")
            .with_condition(caldav::VALID_CALENDAR_DATA)
    })
}

/// Checks the text of a `CALDAV:calendar-timezone-id` or `CALDAV:timezone-id` element.
///
/// # Errors
/// 403 with `CALDAV:valid-timezone` for a name that is not known.
pub(crate) fn check_id(text: &str) -> Result<Zone, Error> {
    Zone::of_name(text)
        .ok_or_else(|| Error::forbidden("This time zone is not known.").with_condition(caldav::VALID_TIMEZONE))
}

fn zone_of_calendar(text: &str) -> Option<Zone> {
    let found = parse(text.trim().as_bytes(), &nichoir_contentline::Limits::default()).ok()?;
    let [calendar] = &found[..] else { return None };
    let is_one = calendar.name == "VCALENDAR" && calendar.inner("VTIMEZONE").count() == 1;
    (is_one && calendar.components.len() == 1).then(|| Zone::of_calendar(calendar))?
}

/// The zone that a query brings, if any.
///
/// # Errors
/// As [`check`] and [`check_id`].
pub(crate) fn of_query(root: &Element) -> Result<Option<Zone>, Error> {
    match (root.child(&caldav::TIMEZONE), root.child(&caldav::TIMEZONE_ID)) {
        (Some(element), _) => check(&element.text()).map(Some),
        (None, Some(element)) => check_id(&element.text()).map(Some),
        (None, None) => Ok(None),
    }
}

/// The zone of a calendar that was loaded with its dead properties.
pub(crate) fn of_collection(node: &Node) -> Option<Zone> {
    let by_id = stored_text(node, &caldav::CALENDAR_TIMEZONE_ID).and_then(|id| Zone::of_name(&id));
    by_id.or_else(|| stored_text(node, &caldav::CALENDAR_TIMEZONE).and_then(|text| zone_of_calendar(&text)))
}

pub(crate) use nichoir_dav::property::stored_text;

/// The VCALENDAR of a zone that is known by name.
pub(crate) fn calendar_of_id(id: &str) -> Option<String> {
    let zone = vtimezone(id)?;
    Some(format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//nichoir//nichoir//EN\r\n{zone}END:VCALENDAR\r\n"))
}

/// The IANA name of the zone that a VCALENDAR describes, if it has one.
pub(crate) fn id_of_calendar(text: &str) -> Option<String> {
    match zone_of_calendar(text)? {
        Zone::Named(zone) => Some(zone.name().to_owned()),
        Zone::Utc => Some("Etc/UTC".to_owned()),
        Zone::Floating | Zone::Own(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_has_a_name_and_a_description() {
        let calendar = calendar_of_id("Europe/Paris").expect("a known zone");
        assert_eq!(id_of_calendar(&calendar).as_deref(), Some("Europe/Paris"));
        assert!(check(&calendar).is_ok());
        assert!(check_id("Mars/Olympus").is_err());
        assert!(calendar_of_id("Mars/Olympus").is_none());
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        let zone = "BEGIN:VTIMEZONE\nTZID:X\nEND:VTIMEZONE\n";
        assert!(check(&format!("BEGIN:VCALENDAR\n{zone}END:VCALENDAR")).is_ok());
        assert!(check(&format!("BEGIN:VCALENDAR\n{zone}{zone}END:VCALENDAR")).is_err());
        assert!(check("BEGIN:VCALENDAR\nEND:VCALENDAR").is_err());
        assert!(check(zone).is_err());
        assert!(check("").is_err());
    }
}
