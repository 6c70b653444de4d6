//! Requests that the server itself makes to addresses that its users name: push services, subscribed calendars.
//!
//! Whoever names an address must not reach through it what only the server can reach. So [`Outbound`] speaks to public
//! addresses alone, looks at the address that it connects to rather than at the name, follows no redirects, and takes
//! in a bounded answer in bounded time.

mod address;
mod error;
mod outbound;
mod resolve;

pub use address::is_public;
pub use error::Error;
pub use outbound::{Answer, Limits, Outbound, Request};
pub use url::Url;
