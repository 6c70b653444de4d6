//! WebDAV: methods, properties, conditions, multistatus. RFC 4918, 9110, 5689, 4331, 6578, 5397, a subset of 3744.
//!
//! [`Dav::handle`] serves a mounted file tree; [`virtual_resource`] serves the fixed collections above it. What a
//! protocol adds comes in as an [`Extension`].

pub mod answer;
pub mod conditions;
pub mod error;
pub mod extension;
#[doc(hidden)]
pub mod fuzzing;
pub mod header;
#[cfg(test)]
mod hostile;
pub mod href;
pub mod import;
mod listing;
mod live;
mod method;
pub mod multistatus;
mod paged;
pub mod principal;
pub mod privilege;
pub mod property;
pub mod report;
pub mod request;
pub mod request_target;
mod selection;
mod target;
pub mod virtual_resource;

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use nichoir_auth::Caller;
use nichoir_xml::Name;

pub use error::{Error, Hint};
pub use extension::{
    Answered, Answering, CheckedMember, Checking, Extension, MemberPut, MemberWrite, MemberWritten, PutOptions, Writing,
};
pub use live::{media_type, media_type_of};
pub use method::make as make_collection;
pub use method::read_xml;
pub use method::{Step, get_state, member_change, put_refused, steps_of, transfer_refused, write_outcome};
pub use property::{Property, Resource, Value};
pub use report::sync_collection::sync_token;
pub use report::{Judge, MemberReport, Report, ReportCall, Verdict};
pub use request::{Body, BoxError, Request, Response};
pub use selection::{PropertyRequest, Selection};
pub use target::{Call, Mount};

use header::depth::Depth;

/// The limits and choices of DAV, each a setting of the same name.
#[derive(Clone, Debug)]
pub struct Limits {
    /// What the XML reader accepts.
    pub xml: nichoir_xml::Limits,
    /// What PROPFIND makes of an absent `Depth` header: infinity by RFC 4918 §9.1, 1 as Nextcloud does.
    pub absent_depth: Depth,
    /// Whether PROPFIND `Depth: infinity` walks the tree instead of answering `propfind-finite-depth`.
    pub has_infinite_propfind: bool,
    /// Answers up to this many bytes are sent whole, with a length; larger ones are streamed.
    pub whole_answer_bytes: usize,
    /// Ranges in one GET; a request for more is answered with the whole content.
    pub ranges_max: usize,
    /// Members in one sync-collection answer; a client gets the rest by asking again.
    pub sync_results_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            xml: nichoir_xml::Limits::default(),
            absent_depth: Depth::Infinity,
            has_infinite_propfind: false,
            whole_answer_bytes: 64 * 1024,
            ranges_max: 32,
            sync_results_max: 10_000,
        }
    }
}

/// The engine: tables made once, shared by every request. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Dav(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    extensions: Vec<Arc<dyn Extension>>,
    siblings: Vec<Arc<dyn Extension>>,
    properties: HashMap<Name, &'static Property>,
    allprop: Vec<&'static Property>,
    live: Vec<&'static Property>,
    reports: Vec<Report>,
    dav_header: http::HeaderValue,
    allow: http::HeaderValue,
}

impl Dav {
    /// An engine with these extensions. `siblings` are those of the engines that serve other trees of the same server:
    /// their features are told everywhere, because clients look at whatever resource they meet first, and they too add
    /// to principals.
    pub fn new(extensions: Vec<Arc<dyn Extension>>, siblings: Vec<Arc<dyn Extension>>, limits: Limits) -> Dav {
        let mut live: Vec<&'static Property> = Vec::new();
        let mut properties: HashMap<Name, &'static Property> = HashMap::new();
        let tables = extensions.iter().map(|extension| extension.properties()).chain([live::PROPERTIES]);
        for row in tables.flatten() {
            if !properties.contains_key(row.name()) {
                properties.insert(row.name().clone(), row);
                live.push(row);
            }
        }
        let is_listed = |row: &&'static Property| {
            let said = extensions.iter().find_map(|extension| extension.lists_in_allprop(row.name()));
            said.unwrap_or(row.is_in_allprop)
        };
        let allprop = live.iter().copied().filter(is_listed).collect();
        let reports = report::all(&extensions);
        let dav_header = answer::dav_header(&extensions, &siblings);
        let allow = answer::allow_header(&extensions);
        Dav(Arc::new(Inner { limits, extensions, siblings, properties, allprop, live, reports, dav_header, allow }))
    }

    /// Answers a request to the tree mounted at `mount`: what stands behind the prefix in the path is the resource.
    pub async fn handle(&self, caller: &Caller, mount: &Mount, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        // On the heap: it is large, and whoever awaits it has it in its own future, level by level.
        let answer = Box::pin(method::answer(self, caller, mount, &parts, body)).await;
        self.finish(&parts.method, answer, Some(mount))
    }

    /// The answer to a request that failed outside of a mount.
    pub fn refuse(&self, error: Error) -> Response {
        self.finish(&http::Method::GET, Err(error), None)
    }

    /// The limits and choices.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The extension of that type, for its rows and reports to find its limits.
    pub fn extension<E: Extension>(&self) -> Option<&E> {
        self.extensions().find_map(|extension| (extension as &dyn Any).downcast_ref())
    }

    fn extensions(&self) -> impl Iterator<Item = &dyn Extension> {
        self.0.extensions.iter().map(|extension| &**extension)
    }

    /// Also those of the sibling engines.
    fn all_extensions(&self) -> impl Iterator<Item = &dyn Extension> {
        self.0.extensions.iter().chain(&self.0.siblings).map(|extension| &**extension)
    }
}

impl Dav {
    /// The reports that the tree's resources answer.
    pub fn reports(&self) -> &[Report] {
        &self.0.reports
    }
}
