//! CalDAV (RFC 4791, 5545, 7809): calendar objects and what can be asked of them.

mod object;
mod recurrence;
mod time;
mod timezone;

pub use object::{CalendarObject, Limits};
pub use recurrence::{Instance, Instances};
pub use time::TimeRange;
pub use timezone::{Zone, Zones};
