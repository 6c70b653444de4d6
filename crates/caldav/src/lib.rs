//! CalDAV (RFC 4791, 5545, 7809): calendar objects and what can be asked of them.

mod birthday;
mod calendar_data;
mod calendar_zone;
mod confidential;
mod export;
mod extension;
mod filter;
mod free_busy;
mod import;
mod mkcalendar;
mod object;
mod overlap;
mod property;
mod recurrence;
mod report;
mod schedule;
mod time;
mod timezone;
mod vtimezone;

pub use birthday::{YearlyDay, yearly_object};
pub use calendar_data::CalendarData;
pub use export::whole as whole_calendar;
pub use extension::Caldav;
pub use filter::Filter;
pub use free_busy::FreeBusy;
pub use import::{refresh_seconds_of, seconds_of_duration, split as split_file};
pub use object::{CalendarObject, Limits};
pub use recurrence::{Instance, Instances};
pub use time::TimeRange;
pub use timezone::{Zone, Zones};
