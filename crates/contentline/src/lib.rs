//! Content lines: what iCalendar (RFC 5545 §3.1) and vCard (RFC 6350 §3.3) have in common. Bytes in, lines and
//! components out, each with the place that it came from, so that what is not touched can be given back as it was.
//!
//! Limits are in bytes, lines and components; a document beyond them, or one that is no sequence of content lines, is
//! [`Broken`].

mod collation;
mod component;
mod line;
mod text;

pub use collation::{Collation, MatchType, NotUnderstood, TextMatch};
pub use component::{Broken, Component, Limits, parse};
pub use line::{Line, Parameter};
pub use text::{as_text, escape, fold, split_list, split_structured, texts, unescape};
