//! Reports on the members of calendars and address books: what every protocol's reports have in common.
//! RFC 4791 §7.8 and §7.9, RFC 6352 §8.6 and §8.7.
//!
//! The protocol says of each member whether it is told of and with which data; here is how members are found, paged,
//! counted and written. However many there are, a page at a time is held.

use std::fmt;

use http::StatusCode;
use nichoir_store::{MemberFilter, Needs, Node, NodePath, Quota};

use super::member_multiget::MemberMultiget;
use super::member_query::MemberQuery;
use super::{ReportCall, sync_collection};
use crate::error::Error;
use crate::header::prefer;
use crate::href;
use crate::multistatus::Multistatus;
use crate::paged;
use crate::property::Resource;
use crate::request::Response;
use crate::selection::{PropertyRequest, Selection};

/// Members that are judged before others go on: one may be dear, and a pause takes microseconds.
pub(super) const MEMBERS_IN_ONE_GO: usize = 2;

/// What a protocol says of a member.
#[derive(Debug)]
pub enum Verdict {
    /// Not part of the answer.
    Skip,
    /// Part of it; with what was made of its content ([`Resource::rendered`]), where that differs from what is stored.
    Tell(Option<String>),
    /// Told with this status instead of properties: the member is broken, the report goes on.
    Fail(Error),
}

/// Decides member by member, in plain computation: nothing is awaited.
pub trait Judge: Send + Sync + 'static {
    /// The members judged next are of this collection, which comes with its dead properties. `false`: they are not to be
    /// looked at.
    fn enter(&mut self, collection: &Node) -> bool {
        let _ = collection;
        true
    }

    /// What becomes of a member, which comes with its content.
    fn judge(&mut self, member: &Node) -> Verdict;
}

impl<F: FnMut(&Node) -> Verdict + Send + Sync + 'static> Judge for F {
    fn judge(&mut self, member: &Node) -> Verdict {
        self(member)
    }
}

/// A report on members, to be answered by [`MemberReport::query`] or [`MemberReport::multiget`].
pub struct MemberReport {
    pub(super) call: ReportCall,
    pub(super) body: Multistatus,
    judge: Box<dyn Judge>,
    selection: Selection,
    quota: Option<Quota>,
    log_floor: Option<i64>,
}

impl fmt::Debug for MemberReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberReport").field("path", &self.call.path).finish_non_exhaustive()
    }
}

impl MemberReport {
    /// The report that the call asks for; which properties is among the children of its root.
    ///
    /// # Errors
    /// 400 when they contradict each other, 503.
    pub async fn new(call: ReportCall, judge: impl Judge) -> Result<MemberReport, Error> {
        let asked = PropertyRequest::child_of(&call.root)?.unwrap_or(PropertyRequest::Prop(Vec::new()));
        let selection = Selection::new(&call.dav, &asked, prefer::is_minimal(&call.headers));
        let tree = &call.caller.tree;
        let quota = if selection.needs().includes(Needs::QUOTA) { Some(tree.quota().await?) } else { None };
        let log_floor = if selection.needs_log_floor() { Some(tree.log_floor().await?) } else { None };
        Ok(MemberReport { body: Multistatus::new(), judge: Box::new(judge), selection, quota, log_floor, call })
    }

    /// Everything that `filter` lets through and the judge wants told: of a collection whatever the `Depth`, as
    /// clients send 0 and mean 1; of all collections of a home unless `Depth` is 0; of a single member. No more than
    /// `limit` members are told, and that there are more is said with 507 (RFC 6352 §8.6.2).
    ///
    /// # Errors
    /// 404, 503.
    pub async fn query(self, filter: MemberFilter, limit: Option<usize>) -> Result<Response, Error> {
        let whole_answer_bytes = self.call.dav.limits().whole_answer_bytes;
        paged::respond(MemberQuery::open(self, filter, limit).await?, whole_answer_bytes).await
    }

    /// The members of the `DAV:href` children of the request's root, each once; 404 for those that are not there or
    /// not below the resource that was asked. `Depth` does not matter.
    ///
    /// # Errors
    /// 404, 503; 403 for more than `hrefs_max` hrefs.
    pub async fn multiget(self, hrefs_max: usize) -> Result<Response, Error> {
        let whole_answer_bytes = self.call.dav.limits().whole_answer_bytes;
        paged::respond(MemberMultiget::open(self, hrefs_max).await?, whole_answer_bytes).await
    }

    /// What has to be loaded with each member.
    pub(super) fn needs(&self) -> Needs {
        self.selection.needs()
    }

    pub(super) fn enter(&mut self, collection: &Node) -> bool {
        self.judge.enter(collection)
    }

    pub(super) fn judge(&mut self, member: &Node) -> Verdict {
        self.judge.judge(member)
    }

    /// The href of a member, in the one spelling that listings have too.
    pub(super) fn href(&self, collection: &NodePath, member: &Node) -> String {
        href::of(&self.call.mount.prefix, &collection.child(&member.name), false)
    }

    pub(super) fn tell(&mut self, href: &str, member: &Node, rendered: Option<&str>) {
        let resource = Resource { rendered, ..self.call.resource(member, self.quota, self.log_floor) };
        self.body.resource(href, &resource, &self.selection);
    }

    pub(super) fn tell_missing(&mut self, href: &str) {
        self.body.status(href, StatusCode::NOT_FOUND);
    }

    pub(super) fn tell_failure(&mut self, href: &str, error: &Error) {
        tracing::warn!(cause = %error, "a stored member cannot be read");
        self.body.failure(&self.call.dav, &self.call.mount, href, error);
    }

    /// 507 for the resource that was asked: there is more.
    pub(super) fn tell_cut(&mut self, is_folder: bool) {
        let href = href::of(&self.call.mount.prefix, &self.call.path, is_folder);
        self.body.failure(&self.call.dav, &self.call.mount, &href, &sync_collection::too_many());
    }
}
