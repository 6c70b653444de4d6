//! The reports of the file tree. RFC 3253 §3.6.

mod expand_property;
pub(crate) mod sync_collection;

use std::sync::Arc;

use http::HeaderMap;
use nichoir_auth::Caller;
use nichoir_store::{Node, NodePath, Quota};
use nichoir_xml::{Element, Name, dav};

use crate::Dav;
use crate::extension::{Answering, Extension};
use crate::header::depth::Depth;
use crate::property::Resource;
use crate::target::Mount;

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
    ];
    let theirs = extensions.iter().flat_map(|extension| extension.reports()).cloned();
    ours.into_iter().chain(theirs).collect()
}
