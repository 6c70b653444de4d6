//! iTIP messages (RFC 5546 §3.2): what of the organizer's object an attendee gets to see, cancellations, replies.

use super::document::{Document, InstanceId};
use super::part::{Part, Piece};
use super::property::Property;
use super::{Message, Method};
use crate::time::utc_text;

/// Parameters that are between a client and its server (RFC 6638 §7).
const PRIVATE_PARAMETERS: [&str; 3] = ["SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND"];

/// A component fit to be sent: alarms and private properties stay at home.
pub(crate) fn public(part: &Part, now_seconds: i64) -> Part {
    let mut part = part.clone();
    part.pieces.retain(|piece| match piece {
        Piece::Line(line) => !line.name().to_ascii_uppercase().starts_with("X-"),
        Piece::Part(inner) => inner.name != "VALARM" && !inner.name.starts_with("X-"),
    });
    for line in part.lines_mut().filter(|line| line.is("ATTENDEE") || line.is("ORGANIZER")) {
        for name in PRIVATE_PARAMETERS {
            line.set_parameter(name, None);
        }
    }
    part.set("DTSTAMP", Some(&utc_text(now_seconds)));
    part
}

/// The calendar of a message without components: properties of the sender's client, time zones.
fn frame(document: &Document) -> Document {
    let mut frame = document.clone();
    frame.retain_mains(|_| false);
    frame.calendar.retain_lines(|line| ["VERSION", "PRODID", "CALSCALE"].iter().any(|name| line.is(name)));
    frame
}

/// What `attendee` is told of the organizer's object: everything, or the changed instances. `None` if nothing is left.
pub(crate) fn request(
    document: &Document,
    attendee: &str,
    only: Option<&[InstanceId]>,
    now_seconds: i64,
) -> Option<Document> {
    let mut view = frame(document);
    let is_of_all = document.master().is_some_and(|master| master.attendee(attendee).is_some());
    for part in document.mains() {
        let id = document.id_of(part);
        if part.attendee(attendee).is_none() || only.is_some_and(|only| !only.contains(&id)) {
            continue;
        }
        view.calendar.pieces.push(Piece::Part(public(part, now_seconds)));
    }
    if is_of_all && only.is_none() {
        for part in document.mains().filter(|part| part.attendee(attendee).is_none()) {
            hide_instance(&mut view, document, part);
        }
    }
    view.mains().next()?;
    Some(view)
}

/// An EXDATE for an instance that the attendee is not invited to.
fn hide_instance(view: &mut Document, document: &Document, part: &Part) {
    let Some(line) = part.line("RECURRENCE-ID") else { return };
    let Some(moment) = document.moment(line) else { return };
    let value = moment.to_value();
    let name = if moment.is_date { "EXDATE;VALUE=DATE" } else { "EXDATE" };
    if let Some(master) = view.master_mut() {
        master.add(Property::new(format!("{name}:{value}")));
    }
}

/// Tells `attendee` that the instances `parts` do not happen for them.
pub(crate) fn cancel(
    document: &Document,
    attendee: &str,
    parts: &[Part],
    sequence: i64,
    now_seconds: i64,
) -> Option<Document> {
    let mut message = frame(document);
    for part in parts {
        let mut part = public(part, now_seconds);
        part.retain_lines(|line| !line.is("ATTENDEE") || line.address() == attendee);
        part.set("STATUS", Some("CANCELLED"));
        part.set("SEQUENCE", Some(&sequence.to_string()));
        message.calendar.pieces.push(Piece::Part(part));
    }
    message.mains().next()?;
    Some(message)
}

/// What the attendee `me` answers, about the instances `parts`, in which their ATTENDEE says it.
pub(crate) fn reply(document: &Document, me: &str, organizer: &str, parts: &[Part], now_seconds: i64) -> Message {
    let mut message = frame(document);
    for part in parts {
        let mut part = public(part, now_seconds);
        part.retain_lines(|line| !line.is("ATTENDEE") || line.address() == me);
        message.calendar.pieces.push(Piece::Part(part));
    }
    Message { method: Method::Reply, recipient: organizer.to_owned(), sender: me.to_owned(), document: message }
}
