//! The reports of the file tree. RFC 3253 §3.6.

pub(crate) mod expand_property;
mod member_multiget;
mod member_query;
mod member_report;
pub(crate) mod principal_match;
pub(crate) mod principal_search;
pub(crate) mod sync_collection;

use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use nichoir_auth::Caller;
use nichoir_store::{Node, NodePath, Quota};
use nichoir_xml::{Element, Name, Writer, dav};

use crate::Dav;
use crate::answer;
use crate::error::Error;
use crate::extension::{Answering, Extension};
use crate::header::depth::Depth;
use crate::href;
use crate::multistatus::Multistatus;
use crate::property::Resource;
use crate::request::Response;
use crate::target::Mount;

pub use member_report::{Judge, MemberReport, Verdict};

/// A row of a reports table.
#[derive(Clone, Debug)]
pub struct Report {
    /// The name of its request's root element.
    pub name: Name,
    /// Answers it.
    pub answer: fn(ReportCall) -> Answering,
}

/// A REPORT request, owned, so that the answer can be streamed.
#[derive(Clone, Debug)]
pub struct ReportCall {
    /// The engine.
    pub dav: Dav,
    /// Who asks.
    pub caller: Caller,
    /// The mount that the request came through.
    pub mount: Mount,
    /// What it is about.
    pub path: NodePath,
    /// The `Depth` header; absent means 0 (RFC 3253 §3.6).
    pub depth: Depth,
    /// The other headers.
    pub headers: HeaderMap,
    /// The request's root element.
    pub root: Element,
}

impl ReportCall {
    /// The element of that name among the properties that are asked for: some say more than a name.
    pub fn property(&self, name: &Name) -> Option<&Element> {
        self.root.child(&dav::PROP)?.child(name)
    }

    /// A resource of the answer.
    pub fn resource<'a>(&'a self, node: &'a Node, quota: Option<Quota>, log_floor: Option<i64>) -> Resource<'a> {
        Resource { dav: &self.dav, caller: &self.caller, mount: &self.mount, node, quota, log_floor, rendered: None }
    }
}

/// The reports of the tree: ours, then those of the extensions.
pub(crate) fn all(extensions: &[Arc<dyn Extension>]) -> Vec<Report> {
    let ours = [
        Report { name: dav::SYNC_COLLECTION, answer: |call| Box::pin(sync_collection::answer(call)) },
        Report { name: dav::EXPAND_PROPERTY, answer: |call| Box::pin(expand_property::answer(call)) },
        Report { name: dav::PRINCIPAL_MATCH, answer: |call| Box::pin(principal_match::match_in_tree(call)) },
        Report { name: dav::ACL_PRINCIPAL_PROP_SET, answer: |call| Box::pin(principal_match::principals_of_acl(call)) },
        Report { name: dav::PRINCIPAL_PROPERTY_SEARCH, answer: |call| Box::pin(search(call)) },
    ];
    let theirs = extensions.iter().flat_map(|extension| extension.reports()).cloned();
    ours.into_iter().chain(theirs).collect()
}

/// Asked of a tree, with `DAV:apply-to-principal-collection-set`, it is the same search; without, there is no principal
/// below.
async fn search(call: ReportCall) -> Result<Response, Error> {
    if call.root.child(&dav::APPLY_TO_PRINCIPAL_COLLECTION_SET).is_none() {
        return Ok(answer::xml(StatusCode::MULTI_STATUS, Multistatus::new().finish()));
    }
    let own = href::of(&call.mount.prefix, &call.path, true);
    principal_search::search(&call.dav, &call.caller, &call.mount, &own, &call.root).await
}

/// `DAV:supported-report` (RFC 3253 §3.1.5).
pub(crate) fn write_supported(name: &Name, writer: &mut Writer) {
    writer.open(&dav::SUPPORTED_REPORT);
    writer.open(&dav::REPORT);
    writer.empty(name);
    writer.close();
    writer.close();
}
