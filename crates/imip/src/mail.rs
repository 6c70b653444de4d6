//! A scheduling message as a mail: text for people and the object for their calendars, as alternatives. RFC 6047 §2.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use nichoir_store::{Account, Outgoing, Space};

use crate::invitation::{Invitation, one_line};
use crate::wording;

/// Why a message cannot be a mail. It never will be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("the recipient has no mail address")]
    Recipient,
    #[error("the sender has no mail address")]
    Sender,
    #[error("it is no iTIP message")]
    Content,
}

/// The mail that `outgoing` becomes, from the server's address `from` on behalf of `account`.
pub(crate) fn mail(space: &Space, account: &Account, outgoing: &Outgoing, from: &Address) -> Result<Message, Unfit> {
    let message = &outgoing.message;
    let to = message.recipient.strip_prefix("mailto:").and_then(|to| to.parse::<Address>().ok());
    let to = to.ok_or(Unfit::Recipient)?;
    let reply_to = account.email.as_deref().and_then(|email| email.parse::<Address>().ok()).ok_or(Unfit::Sender)?;
    let invitation = Invitation::of(&message.body).ok_or(Unfit::Content)?;
    let body = String::from_utf8(message.body.clone()).map_err(|_| Unfit::Content)?;
    let name = one_line(&account.display_name);
    let kind = format!(
        "text/calendar; charset=utf-8; method={}; component={}",
        message.method,
        invitation.component.to_ascii_lowercase()
    );
    let kind = ContentType::parse(&kind).map_err(|_| Unfit::Content)?;
    let calendar = SinglePart::builder().header(kind).body(body);
    let text = SinglePart::plain(wording::text(&message.method, &invitation, &name));
    let boundary: [u8; 16] = space.ports().bytes();
    let boundary: String = boundary.iter().map(|byte| format!("{byte:02x}")).collect();
    let seconds = space.ports().clock.now().seconds().max(0).unsigned_abs();
    Message::builder()
        // The server's own address, since it may send for no other domain; the answer goes to who asks (RFC 6047 §2.3).
        .from(Mailbox::new(Some(name.clone()), from.clone()))
        .reply_to(Mailbox::new(Some(name), reply_to))
        .to(Mailbox::new(None, to))
        .subject(wording::subject(&message.method, &invitation))
        .date(UNIX_EPOCH + Duration::from_secs(seconds))
        .message_id(Some(message_id(space, outgoing, from)))
        // No holiday notices in return (RFC 3834 §5).
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .multipart(MultiPart::alternative().boundary(boundary).singlepart(text).singlepart(calendar))
        .map_err(|_| Unfit::Content)
}

/// The same for each try, so that a mail that arrives twice can be told for one.
fn message_id(space: &Space, outgoing: &Outgoing, from: &Address) -> String {
    format!("<{}.{}@{}>", outgoing.id, space.info().uuid.simple(), from.domain())
}
