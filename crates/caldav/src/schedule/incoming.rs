//! What a message does to the copy of who gets it: RFC 6638 §4, RFC 5546 §3.2.

use super::document::{Document, InstanceId};
use super::part::{Part, Piece};
use super::property::Property;
use super::role::Role;
use super::{Addresses, Message, Method, status};
use crate::object::Limits;

/// The outcome of a delivery.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// What the copy is now; `None`: as it was.
    pub(crate) document: Option<Document>,
    /// Whether the message lies in the recipient's inbox.
    pub(crate) is_announced: bool,
    /// What the sender is told (RFC 6638 §3.2.9).
    pub(crate) status: &'static str,
}

impl Delivered {
    pub(super) const fn nothing(status: &'static str) -> Delivered {
        Delivered { document: None, is_announced: false, status }
    }

    pub(super) fn changed(document: Document) -> Delivered {
        Delivered { document: Some(document), is_announced: true, status: status::DELIVERED }
    }
}

/// Delivers `message` to its recipient, whose addresses are `me` and whose copy is `copy`.
pub(crate) fn deliver(message: &Message, copy: Option<&Document>, me: &Addresses, limits: &Limits) -> Delivered {
    if let Some(copy) = copy
        && message.method != Method::Reply
        && copy.organizer().as_ref() != Some(&message.sender)
    {
        return Delivered::nothing(status::REFUSED);
    }
    match message.method {
        Method::Request => receive_request(&message.document, copy, me, limits),
        Method::Cancel => receive_cancel(&message.document, copy, limits),
        Method::Reply => super::answer::receive_reply(message, copy, me, limits),
    }
}

/// RFC 5546 §3.2.2: a new object, an update of it, or of instances of it.
fn receive_request(message: &Document, copy: Option<&Document>, me: &Addresses, limits: &Limits) -> Delivered {
    let is_declined = |part: &Part| part.own_attendee(me).is_some_and(|own| own.partstat() == "DECLINED");
    let copy = copy.filter(|copy| Role::of(copy, me) == Role::Attendee);
    let Some(copy) = copy else {
        // What somebody declined and took off their calendar does not come back by itself.
        let mut document = message.clone();
        if document.mains().all(is_declined) {
            return Delivered::nothing(status::DELIVERED);
        }
        if document.master().is_none() {
            document.retain_mains(|part| !is_declined(part));
        }
        document.mains_mut().for_each(|part| settle(part, None, None, me));
        return Delivered::changed(document);
    };
    let mut document = match message.master() {
        Some(_) => replace_all(message, copy, me, limits),
        None => replace_some(message, copy, me, limits),
    };
    document.adopt_zones(copy);
    Delivered::changed(document)
}

/// The whole object anew, with what is the recipient's own.
fn replace_all(message: &Document, copy: &Document, me: &Addresses, limits: &Limits) -> Document {
    let mut document = message.clone();
    document.calendar.retain_lines(|line| !line.is("METHOD"));
    let told = told_status(copy);
    let ids = document.ids();
    for (id, part) in ids.into_iter().zip(document.mains_mut()) {
        settle(part, own_part(copy, id, limits).as_ref(), told.as_deref(), me);
    }
    keep_own_instances(&mut document, copy, me, limits);
    // Cancelled instances stay to be seen until their owner takes them away.
    let excluded = document.master().map(|master| document.dates(master, "EXDATE")).unwrap_or_default();
    for part in copy.mains().filter(|part| part.is_cancelled()) {
        if let Some(instant) = copy.id_of(part).filter(|instant| excluded.contains(instant)) {
            document.remove_exdate(instant);
            document.calendar.pieces.push(Piece::Part(part.clone()));
        }
    }
    // Instances that the recipient declined and took away stay away until they have to answer anew.
    let hidden = copy.master().map(|master| copy.dates(master, "EXDATE")).unwrap_or_default();
    for instant in hidden {
        let is_declined = document
            .main(Some(instant))
            .is_some_and(|part| part.own_attendee(me).is_some_and(|own| own.partstat() == "DECLINED"));
        if is_declined {
            document.remove_main(Some(instant));
            exclude(&mut document, copy, instant);
        }
    }
    document
}

/// Instances anew, the rest as it is.
fn replace_some(message: &Document, copy: &Document, me: &Addresses, limits: &Limits) -> Document {
    let mut document = copy.clone();
    let hidden = copy.master().map(|master| copy.dates(master, "EXDATE")).unwrap_or_default();
    for part in message.mains() {
        let id = message.id_of(part);
        let Some(instant) = id else { continue };
        // In a copy of single instances, one that was declined and is not there was taken away.
        let was_removed = copy.master().is_none() && copy.main(id).is_none();
        if hidden.contains(&instant) || was_removed {
            if part.own_attendee(me).is_some_and(|own| own.partstat() == "DECLINED") {
                continue;
            }
            document.remove_exdate(instant);
        }
        let mut part = part.clone();
        let own = own_part(copy, id, limits).or_else(|| copy.master().cloned()).filter(|_| copy.master().is_some());
        settle(&mut part, own.or_else(|| copy.main(id).cloned()).as_ref(), told_status(copy).as_deref(), me);
        document.put_main(part);
    }
    document.adopt_zones(message);
    document
}

/// What became of the recipient's last answer (RFC 6638 §3.2.9).
fn told_status(copy: &Document) -> Option<String> {
    let mut told = copy.mains().filter_map(|part| part.line("ORGANIZER")?.parameter("SCHEDULE-STATUS"));
    told.next()
}

/// Instances that only the recipient tells apart, by alarms and the like, go on being told apart.
fn keep_own_instances(document: &mut Document, copy: &Document, me: &Addresses, limits: &Limits) {
    let Some(master) = copy.master() else { return };
    let usual = own_pieces(master);
    for part in copy.mains().filter(|part| !part.is_cancelled()) {
        let id = copy.id_of(part);
        let Some(instant) = id else { continue };
        let is_own = document.main(id).is_none() && own_pieces(part) != usual;
        if !is_own || !document.has_instance(instant, limits) {
            continue;
        }
        let Some(mut derived) = document.derive(instant) else { continue };
        derived.pieces.retain(|piece| !is_own_piece(piece));
        settle(&mut derived, Some(part), told_status(copy).as_deref(), me);
        document.calendar.pieces.push(Piece::Part(derived));
    }
}

fn is_own_piece(piece: &Piece) -> bool {
    match piece {
        Piece::Line(line) => line.name().to_ascii_uppercase().starts_with("X-"),
        Piece::Part(inner) => inner.name == "VALARM" || inner.name.starts_with("X-"),
    }
}

/// What of a component is the recipient's own, as text.
fn own_pieces(part: &Part) -> Vec<String> {
    let own = part.pieces.iter().filter(|piece| is_own_piece(piece));
    own.map(|piece| format!("{piece:?}")).collect()
}

fn own_part(copy: &Document, id: InstanceId, limits: &Limits) -> Option<Part> {
    match id {
        None => copy.master().cloned(),
        Some(instant) => copy.instance(instant, limits).or_else(|| copy.master().cloned()),
    }
}

/// Copies the EXDATE of `instant` from `copy` into the master of `document`.
fn exclude(document: &mut Document, copy: &Document, instant: i64) {
    let Some(master) = copy.master() else { return };
    let has_it = |line: &&Property| {
        let mut only = Part { name: master.name.clone(), pieces: Vec::new() };
        only.add((*line).clone());
        copy.dates(&only, "EXDATE").contains(&instant)
    };
    let Some(line) = master.all("EXDATE").find(has_it).cloned() else { return };
    if let Some(master) = document.master_mut()
        && !master.all("EXDATE").any(|known| known.text() == line.text())
    {
        master.add(line);
    }
}

/// Makes a component of a message the recipient's own: alarms, progress and private properties stay, what is
/// unanswered does not block time.
fn settle(part: &mut Part, own: Option<&Part>, told: Option<&str>, me: &Addresses) {
    const KEPT: [&str; 2] = ["PERCENT-COMPLETE", "COMPLETED"];
    if let Some(own) = own {
        let is_private = |line: &&Property| line.name().to_ascii_uppercase().starts_with("X-");
        let private: Vec<Property> = own.lines().filter(is_private).cloned().collect();
        private.into_iter().for_each(|line| part.add(line));
        for name in KEPT {
            if let Some(line) = own.line(name) {
                part.replace_lines(name, vec![line.clone()]);
            }
        }
        let inner = own.parts().filter(|inner| inner.name == "VALARM" || inner.name.starts_with("X-"));
        part.pieces.extend(inner.cloned().map(Piece::Part));
    }
    if let Some(line) = part.lines_mut().find(|line| line.is("ORGANIZER")) {
        line.set_parameter("SCHEDULE-STATUS", told);
    }
    if part.name != "VEVENT" {
        return;
    }
    let is_open = part.own_attendee(me).is_some_and(|own| own.partstat() == "NEEDS-ACTION");
    match (is_open, own) {
        (true, _) => part.set("TRANSP", Some("TRANSPARENT")),
        (false, Some(own)) => {
            let transparency = own.value("TRANSP").map(str::to_owned);
            part.set("TRANSP", transparency.as_deref());
        }
        (false, None) => {}
    }
}

/// RFC 5546 §3.2.5: all of it, or instances.
fn receive_cancel(message: &Document, copy: Option<&Document>, limits: &Limits) -> Delivered {
    let Some(copy) = copy else { return Delivered::nothing(status::DELIVERED) };
    let mut document = copy.clone();
    let cancel_part = |part: &mut Part, by: &Part| {
        part.set("STATUS", Some("CANCELLED"));
        if by.sequence() > part.sequence() {
            part.set("SEQUENCE", Some(&by.sequence().to_string()));
        }
    };
    for by in message.mains() {
        match message.id_of(by) {
            None => document.mains_mut().for_each(|part| cancel_part(part, by)),
            Some(instant) => {
                let Some(mut part) = copy.instance(instant, limits) else { continue };
                cancel_part(&mut part, by);
                document.put_main(part);
            }
        }
    }
    Delivered::changed(document)
}
