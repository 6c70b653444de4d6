//! WebDAV-Push: clients learn of changes in calendars and address books without asking again and again. The draft of
//! bitfire, as DAVx⁵ and KDE speak it, over Web Push: RFC 8030, 8291, 8292.
//!
//! [`Push`] is the extension of the DAV engine through which clients register; [`Sender`] tells them.

mod delivery;
mod encryption;
mod extension;
mod message;
mod names;
mod property;
mod register;
mod sender;
mod vapid;

pub use extension::{Limits, Push};
pub use register::{quiet_of, unregister};
pub use sender::{SendLimits, Sender};
