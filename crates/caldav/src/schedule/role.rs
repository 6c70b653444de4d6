//! Whose object it is: the organizer's own, an invitation, or neither. RFC 6638 §3.1, §3.2.4.

use nichoir_xml::caldav;

use super::document::Document;
use super::{Addresses, Refused};

/// What somebody is in an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Organizer,
    Attendee,
    /// Neither: the object is not scheduled by the server.
    None,
}

impl Role {
    pub(crate) fn of(document: &Document, me: &Addresses) -> Role {
        let mut organizers = document.mains().filter_map(|part| part.line("ORGANIZER"));
        let Some(organizer) = organizers.next() else { return Role::None };
        if me.has(&organizer.address()) {
            return Role::Organizer;
        }
        let is_servers = organizer.is_servers() && organizers.all(super::Property::is_servers);
        match is_servers && document.mains().any(|part| part.own_attendee(me).is_some()) {
            true => Role::Attendee,
            false => Role::None,
        }
    }
}

/// RFC 6638 §3.2.4.2.
pub(crate) fn check_organizers(document: &Document) -> Result<(), Refused> {
    let mut addresses = document.mains().filter_map(|part| part.line("ORGANIZER")).map(|line| line.address());
    let first = addresses.next();
    match addresses.all(|address| Some(&address) == first.as_ref()) {
        true => Ok(()),
        false => Err(Refused {
            condition: caldav::SAME_ORGANIZER_IN_ALL_COMPONENTS,
            reason: "The components of the object have different organizers.",
        }),
    }
}

pub(crate) const fn organizer_refused(reason: &'static str) -> Refused {
    Refused { condition: caldav::ALLOWED_ORGANIZER_SCHEDULING_OBJECT_CHANGE, reason }
}

pub(crate) const fn attendee_refused(reason: &'static str) -> Refused {
    Refused { condition: caldav::ALLOWED_ATTENDEE_SCHEDULING_OBJECT_CHANGE, reason }
}
