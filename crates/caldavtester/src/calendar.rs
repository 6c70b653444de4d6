//! Calendars and address cards as trees of typed values, for comparison. RFC 5545, RFC 6350.

mod compare;
mod jcal;
mod normalise;
mod overrides;
mod tree;
mod value;

pub(crate) use compare::{differences, is_equal};
pub(crate) use jcal::lines_of_json;
pub(crate) use normalise::{Filters, normalise, remove_filtered, without_timezones};
pub(crate) use overrides::add_missing_overrides;
pub(crate) use tree::{Component, Property, parse};
pub(crate) use value::{Value, period};
