//! Import of a file with many events, to-dos and journal entries: split by UID into calendar object resources (RFC 4791
//! §4.1), each with the time zones that it speaks of.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bytes::Bytes;
use nichoir_contentline::{Component, fold, parse};
use nichoir_dav::{Answering, Body, Call, Error, import, request::read_whole};
use nichoir_xml::caldav;

use crate::extension::Caldav;
use crate::object::Limits;
use crate::time::Duration;

/// The components that become objects.
const MAINS: [&str; 3] = ["VEVENT", "VTODO", "VJOURNAL"];

pub(crate) fn answer(call: &Call<'_>, body: Body, limits: &Limits) -> Answering {
    let (dav, caller, mount) = (call.dav.clone(), call.caller.clone(), call.mount.clone());
    let (path, parts, limits) = (call.path.clone(), call.parts.clone(), limits.clone());
    Box::pin(async move {
        let call = Call { dav: &dav, caller: &caller, mount: &mount, path: &path, parts: &parts };
        let bytes = read_whole(body, limits.import_bytes_max).await?;
        let objects = split(&bytes, &limits)?;
        import::import(&call, &Caldav { limits }, objects, ".ics").await
    })
}

/// The objects in a file, in its order.
///
/// # Errors
/// 403 for what is no iCalendar, or too many objects.
pub fn split(bytes: &[u8], limits: &Limits) -> Result<Vec<Bytes>, Error> {
    let reading = nichoir_contentline::Limits {
        lines_max: bytes.len(),
        components_max: limits.import_objects_max.saturating_mul(8),
        ..limits.content
    };
    let invalid = |reason: &str| {
        Error::forbidden(format!("The file is no iCalendar: {reason}.")).with_condition(caldav::VALID_CALENDAR_DATA)
    };
    let calendars = parse(bytes, &reading).map_err(|broken| invalid(&broken.to_string()))?;
    if calendars.is_empty() || calendars.iter().any(|it| it.name != "VCALENDAR") {
        return Err(invalid("not a VCALENDAR"));
    }
    let mut objects = Vec::new();
    for calendar in &calendars {
        objects.extend(groups(bytes, calendar).iter().map(|group| Bytes::from(group.to_object(bytes, calendar))));
        if objects.len() > limits.import_objects_max {
            return Err(Error::forbidden(format!("More than {} objects.", limits.import_objects_max)));
        }
    }
    Ok(objects)
}

/// The components of one type that share a UID.
struct Group<'c, 'a> {
    uid: String,
    /// Whether the UID is ours, because the file has none.
    is_named_here: bool,
    components: Vec<&'c Component<'a>>,
}

fn groups<'c, 'a>(bytes: &[u8], calendar: &'c Component<'a>) -> Vec<Group<'c, 'a>> {
    let mut groups: Vec<Group<'c, 'a>> = Vec::new();
    let mut places: std::collections::HashMap<(&str, String), usize> = std::collections::HashMap::new();
    for component in calendar.components.iter().filter(|it| MAINS.contains(&it.name.as_str())) {
        let own = component.value("UID").map(str::trim).filter(|uid| !uid.is_empty());
        let is_named_here = own.is_none();
        let uid = own.map_or_else(|| made_uid(&bytes[component.range.clone()], groups.len()), str::to_owned);
        let place = *places.entry((component.name.as_str(), uid.clone())).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.components.push(component),
            None => groups.push(Group { uid, is_named_here, components: vec![component] }),
        }
    }
    groups
}

/// A UID for a component that has none: the same one when the same file comes again.
fn made_uid(bytes: &[u8], place: usize) -> String {
    let mut hasher = DefaultHasher::new();
    (bytes, place).hash(&mut hasher);
    format!("{:016x}-{place}", hasher.finish())
}

/// How often a feed wants to be asked, in seconds (RFC 7986 §5.7, and what came before it).
pub fn refresh_seconds_of(feed: &[u8], limits: &Limits) -> Option<i64> {
    let reading = nichoir_contentline::Limits {
        lines_max: feed.len(),
        components_max: limits.import_objects_max.saturating_mul(8),
        ..limits.content
    };
    let calendar = parse(feed, &reading).ok()?.into_iter().next()?;
    let told = calendar.value("REFRESH-INTERVAL").or_else(|| calendar.value("X-PUBLISHED-TTL"))?;
    seconds_of_duration(told.trim())
}

/// The length of a DURATION (RFC 5545 §3.3.6) in seconds.
pub fn seconds_of_duration(text: &str) -> Option<i64> {
    Duration::parse(text).map(Duration::length)
}

impl Group<'_, '_> {
    fn to_object(&self, bytes: &[u8], calendar: &Component<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        fold("BEGIN:VCALENDAR", &mut out);
        fold("VERSION:2.0", &mut out);
        match calendar.line("PRODID") {
            Some(line) => append(&mut out, &bytes[line.range.clone()]),
            None => fold("PRODID:-//nichoir//nichoir//EN", &mut out),
        }
        if let Some(line) = calendar.line("CALSCALE") {
            append(&mut out, &bytes[line.range.clone()]);
        }
        let zones = self.zones();
        for zone in calendar.inner("VTIMEZONE") {
            if zone.value("TZID").is_some_and(|id| zones.contains(id.trim())) {
                append(&mut out, &bytes[zone.range.clone()]);
            }
        }
        for component in &self.components {
            if self.is_named_here {
                fold(&format!("BEGIN:{}", component.name), &mut out);
                fold(&format!("UID:{}", self.uid), &mut out);
                component
                    .lines
                    .iter()
                    .filter(|line| !line.is("UID"))
                    .for_each(|line| append(&mut out, &bytes[line.range.clone()]));
                component.components.iter().for_each(|inner| append(&mut out, &bytes[inner.range.clone()]));
                fold(&format!("END:{}", component.name), &mut out);
            } else {
                append(&mut out, &bytes[component.range.clone()]);
            }
        }
        fold("END:VCALENDAR", &mut out);
        out
    }

    /// The names of the time zones that it speaks of.
    fn zones(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut waiting: Vec<&Component<'_>> = self.components.clone();
        while let Some(component) = waiting.pop() {
            names.extend(component.lines.iter().filter_map(|line| line.parameter("TZID")));
            waiting.extend(&component.components);
        }
        names
    }
}

/// A run of the file, with a line end.
fn append(out: &mut Vec<u8>, run: &[u8]) {
    out.extend_from_slice(run);
    if !out.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&[&str]]) {
        let objects = split(text.as_bytes(), &Limits::default()).expect("it can be read");
        let found: Vec<String> = objects.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (object, needles) in found.iter().zip(expected) {
            assert!(needles.iter().all(|needle| object.contains(needle)), "{object}");
            let read = crate::object::CalendarObject::check(object.as_bytes(), &Limits::default());
            assert!(read.is_ok(), "{read:?}");
        }
    }

    #[test]
    fn a_file_is_split_by_uid_with_the_zones_that_each_object_needs() {
        let zone = |name: &str| {
            format!(
                "BEGIN:VTIMEZONE\nTZID:{name}\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\n\
                 TZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\n"
            )
        };
        let event =
            |uid: &str, rest: &str| format!("BEGIN:VEVENT\n{uid}DTSTAMP:20270101T000000Z\n{rest}\nEND:VEVENT\n");
        let text = format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:PUBLISH\n{}{}{}{}{}{}END:VCALENDAR\n",
            zone("A"),
            zone("B"),
            event("UID:1\n", "DTSTART;TZID=A:20270101T000000\nRRULE:FREQ=DAILY"),
            event("UID:2\n", "DTSTART:20270101T000000Z"),
            event("UID:1\n", "RECURRENCE-ID;TZID=A:20270102T000000\nDTSTART;TZID=A:20270102T010000"),
            event("", "DTSTART:20270101T000000Z\nSUMMARY:Nameless"),
        );
        check(&text, &[&["TZID:A", "RECURRENCE-ID"], &["UID:2"], &["SUMMARY:Nameless", "UID:"]]);
        let objects = split(text.as_bytes(), &Limits::default()).expect("it can be read");
        let text = String::from_utf8_lossy(&objects[0]).into_owned();
        assert!(!text.contains("TZID:B") && !text.contains("METHOD"), "{text}");
        assert!(!String::from_utf8_lossy(&objects[1]).contains("VTIMEZONE"));
    }

    #[test]
    fn what_is_no_calendar_or_too_much_is_refused() {
        assert!(split(b"hello", &Limits::default()).is_err());
        assert!(split(b"BEGIN:VCARD\nEND:VCARD\n", &Limits::default()).is_err());
        let one = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n";
        let limits = Limits { import_objects_max: 1, ..Limits::default() };
        assert!(split(one.as_bytes(), &limits).is_err());
    }
}
