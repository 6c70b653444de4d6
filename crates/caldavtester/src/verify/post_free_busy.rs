//! `postFreeBusy`: what an outbox says of when someone is busy. RFC 6638 §5.

use super::free_busy::compare;
use super::{Judged, Verdict};
use crate::calendar::{Component, parse};
use crate::markup::{child_text, children, name};

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    if judged.answer.status != 200 {
        return Err(format!("status {}, expected 200", super::shown_status(judged.answer)));
    }
    let root = judged.xml()?;
    if name(&root) != "{urn:ietf:params:xml:ns:caldav}schedule-response" {
        return Err(format!("the root is {}", name(&root)));
    }
    let mut attendees = Vec::new();
    for response in children(&root, "{urn:ietf:params:xml:ns:caldav}response") {
        let Some(data) = child_text(response, "{urn:ietf:params:xml:ns:caldav}calendar-data") else { continue };
        for calendar in parse(data.trim().as_bytes()).map_err(|error| format!("calendar-data: {error}"))? {
            for time in calendar.inner("VFREEBUSY") {
                let attendee = time.property("ATTENDEE").map(|property| property.text.clone()).unwrap_or_default();
                attendees.push(attendee.clone());
                if judged.values("attendee").contains(&attendee) {
                    return check_attendees(judged, &attendee).and_then(|()| check_time(judged, &calendar, time));
                }
            }
        }
    }
    Err(format!("nobody of {:?} is among {attendees:?}", judged.values("attendee")))
}

/// The first that is found decides, so that none may be listed beside it.
fn check_attendees(judged: &Judged<'_>, found: &str) -> Verdict {
    match judged.values("attendee").iter().find(|attendee| *attendee != found) {
        None => Ok(()),
        Some(other) => Err(format!("{other} is not found before {found}")),
    }
}

fn check_time(judged: &Judged<'_>, calendar: &Component, time: &Component) -> Verdict {
    if let [wanted, ..] = judged.values("events") {
        let events = calendar.inner("VEVENT").count().to_string();
        if events != *wanted {
            return Err(format!("{events} events, expected {wanted}"));
        }
    }
    compare(judged, time)
}

#[cfg(test)]
mod tests {
    use crate::verify::testing::{answer, judge};

    #[test]
    fn the_attendees_own_times_are_compared() {
        let response = |who: &str, hour: &str| {
            format!(
                "<C:response><C:calendar-data>BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\nATTENDEE:mailto:{who}\n\
                 FREEBUSY:20250101T{hour}0000Z/PT1H\nEND:VFREEBUSY\nEND:VCALENDAR\n</C:calendar-data></C:response>"
            )
        };
        let body = format!(
            "<C:schedule-response xmlns:C='urn:ietf:params:xml:ns:caldav'>{}{}</C:schedule-response>",
            response("a", "10"),
            response("b", "12")
        );
        let check = |arguments: &[(&str, &str)], expected| {
            assert_eq!(judge("postFreeBusy", &answer(200, &body), arguments).is_ok(), expected, "{arguments:?}");
        };
        check(&[("attendee", "mailto:a"), ("busy", "20250101T100000Z/20250101T110000Z")], true);
        check(&[("attendee", "mailto:b"), ("busy", "20250101T100000Z/20250101T110000Z")], false);
        check(&[("attendee", "mailto:b"), ("busy", "20250101T120000Z/PT1H"), ("events", "0")], true);
        check(&[("attendee", "mailto:b"), ("busy", "20250101T120000Z/PT1H"), ("events", "1")], false);
        check(&[("attendee", "mailto:c")], false);
    }
}
