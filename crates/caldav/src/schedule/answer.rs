//! An attendee's answer: merged into the organizer's object, shown to the other attendees. RFC 5546 §3.2.3, RFC 6638
//! §3.2.2.4, §4.2.

use super::document::{Document, InstanceId};
use super::incoming::Delivered;
use super::message::request;
use super::part::Part;
use super::{Addresses, Message, status};
use crate::object::Limits;

/// RFC 5546 §3.2.3: the sender's answer, into the organizer's object.
pub(super) fn receive_reply(message: &Message, copy: Option<&Document>, me: &Addresses, limits: &Limits) -> Delivered {
    let copy = copy.filter(|copy| copy.organizer().is_some_and(|organizer| me.has(&organizer)));
    let Some(copy) = copy else { return Delivered::nothing(status::REFUSED) };
    let mut document = copy.clone();
    let mut is_applied = false;
    for answer in message.document.mains() {
        let Some(said) = answer.attendee(&message.sender) else { continue };
        let id = message.document.id_of(answer);
        let part = match id {
            None => document.master().cloned(),
            Some(instant) => document.instance(instant, limits),
        };
        let Some(mut part) = part.filter(|part| part.attendee(&message.sender).is_some()) else { continue };
        is_applied = true;
        for line in part.lines_mut().filter(|line| line.is("ATTENDEE") && line.address() == message.sender) {
            let partstat = said.partstat();
            if line.partstat() != partstat {
                line.set_parameter("PARTSTAT", Some(&partstat));
            }
            if partstat != "NEEDS-ACTION" {
                line.set_parameter("RSVP", None);
            }
        }
        document.put_main(part);
        // An answer about everything acknowledges everything.
        let ids: Vec<InstanceId> = if id.is_none() { document.ids() } else { vec![id] };
        for id in ids {
            let Some(part) = document.main_mut(id) else { continue };
            for line in part.lines_mut().filter(|line| line.is("ATTENDEE") && line.address() == message.sender) {
                line.set_parameter("SCHEDULE-STATUS", Some(status::SUCCESS));
            }
        }
    }
    match is_applied {
        true => Delivered::changed(document),
        false => Delivered::nothing(status::REFUSED),
    }
}

/// What another attendee's copy becomes after a reply was merged into the organizer's object; `None`: as it was.
pub(crate) fn refresh(
    organizers: &Document,
    attendee: &str,
    copy: &Document,
    me: &Addresses,
    now_seconds: i64,
    limits: &Limits,
) -> Option<Document> {
    if copy.organizer() != organizers.organizer() || copy.mains().all(Part::is_cancelled) {
        return None;
    }
    let view = request(organizers, attendee, None, now_seconds)?;
    // What the organizer changed was told by its own message; here only the answers move.
    let mut document = copy.clone();
    for part in view.mains() {
        let id = view.id_of(part);
        let hidden = copy.master().map(|master| copy.dates(master, "EXDATE")).unwrap_or_default();
        if id.is_some_and(|instant| hidden.contains(&instant)) {
            continue;
        }
        let Some(mut own) = own_part_exactly(copy, id, limits) else { continue };
        let mut is_changed = false;
        for line in own.lines_mut().filter(|line| line.is("ATTENDEE") && !me.has(&line.address())) {
            let Some(said) = part.attendee(&line.address()) else { continue };
            if said.partstat() != line.partstat() {
                line.set_parameter("PARTSTAT", Some(&said.partstat()));
                line.set_parameter("RSVP", said.parameter("RSVP").as_deref());
                is_changed = true;
            }
        }
        if is_changed {
            document.put_main(own);
        }
    }
    (document.to_bytes() != copy.to_bytes()).then_some(document)
}

fn own_part_exactly(copy: &Document, id: InstanceId, limits: &Limits) -> Option<Part> {
    match id {
        None => copy.master().cloned(),
        Some(instant) => copy.instance(instant, limits),
    }
}
