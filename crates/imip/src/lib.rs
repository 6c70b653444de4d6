//! Scheduling messages by mail, for people outside of the space: what scheduling queued is written as RFC 6047 asks and
//! handed to a mail server, once, or again until it takes it.

mod invitation;
mod mail;
mod mailer;
mod smtp;
mod wording;

pub use mailer::{Limits, Mailer};
pub use smtp::{Security, Smtp, SmtpConfig};
