//! XML as DAV speaks it: names with their namespaces, a bounded reader that gives a small tree, a writer that
//! streams with the fixed prefixes clients expect. Namespaces in XML 1.0; RFC 4918 §14, §17.
//!
//! A prefix never decides anything on the way in and is always the fixed one on the way out.

mod element;
mod error;
mod name;
mod read;
mod tag;
mod write;

pub use element::{Attribute, Child, Element};
pub use error::Error;
pub use name::{Name, apple, caldav, carddav, cs, dav, nc, ncdav, oc, ocm, ocs, push, sabre};
pub use read::{Limits, read};
pub use tag::Tag;
pub use write::Writer;
