//! Scheduling (RFC 6638) as pure logic: what a change to a calendar object means to those who are invited, and what a
//! message does to the copy of who gets it (iTIP, RFC 5546). Text in, text and messages out; who writes it all in one
//! transaction is [`writing`].

mod address;
mod answer;
mod attendee;
mod availability;
mod compare;
pub(crate) mod default_calendar;
mod delivery;
mod derive;
mod document;
mod incoming;
mod message;
mod organizer;
mod organizer_messages;
mod part;
mod plan_put;
pub(crate) mod post;
mod property;
mod recipient;
mod removal;
mod role;
#[cfg(test)]
mod tests;
pub(crate) mod writing;

pub(crate) use address::Addresses;

pub(crate) use document::Document;
pub(crate) use property::Property;

use nichoir_xml::Name;

/// Status codes of deliveries (RFC 6638 §3.2.9).
pub(crate) mod status {
    /// Queued for sending outside of the space.
    pub(crate) const SENT: &str = "1.1";
    /// Delivered.
    pub(crate) const DELIVERED: &str = "1.2";
    /// The attendee's reply was applied.
    pub(crate) const SUCCESS: &str = "2.0";
    /// Nobody has that address.
    pub(crate) const UNKNOWN: &str = "3.7";
    /// No way leads to that address.
    pub(crate) const UNDELIVERABLE: &str = "5.2";
    /// The recipient's calendar does not take it.
    pub(crate) const REFUSED: &str = "5.3";
}

/// What a message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Invitation or update, organizer to attendee.
    Request,
    /// Cancellation of all or of instances, organizer to attendee.
    Cancel,
    /// Answer, attendee to organizer.
    Reply,
}

impl Method {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Method::Request => "REQUEST",
            Method::Cancel => "CANCEL",
            Method::Reply => "REPLY",
        }
    }
}

/// A message to one recipient.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) method: Method,
    /// Address of who gets it, in the form that is compared.
    pub(crate) recipient: String,
    /// Address of who sends it.
    pub(crate) sender: String,
    /// The iTIP message, without METHOD.
    pub(crate) document: Document,
}

impl Message {
    /// As it lies in the inbox and goes out.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut document = self.document.clone().with_standard_line_ends();
        document.calendar.set("METHOD", Some(self.method.name()));
        document.to_bytes()
    }
}

/// What becomes of a client's write.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What is stored; `None` when it is deleted.
    pub(crate) document: Option<Document>,
    /// Whether that differs from what the client sent.
    pub(crate) is_changed: bool,
    /// Whether it is a scheduling object resource.
    pub(crate) is_scheduled: bool,
    pub(crate) messages: Vec<Message>,
}

/// A write that RFC 6638 §3.2.4 forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) condition: Name,
    pub(crate) reason: &'static str,
}

/// What the request says beside its body.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// `If-Schedule-Tag-Match` was used: what attendees answered meanwhile is kept (RFC 6638 §3.2.10.1).
    pub(crate) merges: bool,
    /// `Schedule-Reply: F` (RFC 6638 §8.1).
    pub(crate) is_silent: bool,
    /// Now, for DTSTAMP.
    pub(crate) now_seconds: i64,
}
