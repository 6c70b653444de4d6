//! The members that a filter lets through, collection by collection, page by page. RFC 4791 §7.8, RFC 6352 §8.6.

use bytes::Bytes;
use nichoir_store::{FileId, MemberFilter, Needs, Node, NodePath};

use super::member_report::{MEMBERS_IN_ONE_GO, MemberReport, Verdict};
use crate::error::Error;
use crate::header::depth::Depth;
use crate::multistatus::Multistatus;
use crate::paged::Paged;

/// A query under way.
#[derive(Debug)]
pub(super) struct MemberQuery {
    report: MemberReport,
    filter: MemberFilter,
    /// Members that may still be told of.
    room: usize,
    is_of_folder: bool,
    /// What is still to be looked at, the next step last.
    pending: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    /// The collections of a home.
    Collections { home: Box<Node>, after: Option<FileId> },
    /// The members of a collection.
    Members { path: NodePath, collection: Box<Node>, after: Option<FileId> },
    /// The member that the request itself is about.
    Itself { path: NodePath, collection: Box<Node>, name: String },
}

impl MemberQuery {
    pub(super) async fn open(
        report: MemberReport,
        filter: MemberFilter,
        limit: Option<usize>,
    ) -> Result<MemberQuery, Error> {
        let tree = &report.call.caller.tree;
        let path = report.call.path.clone();
        let node = Box::new(tree.node(&path, Needs::DEAD_PROPERTIES).await?);
        let is_of_folder = node.is_folder();
        let step = if is_of_folder && node.is_root() {
            (report.call.depth != Depth::Zero).then_some(Step::Collections { home: node, after: None })
        } else if is_of_folder {
            Some(Step::Members { path, collection: node, after: None })
        } else {
            let above = path.parent().ok_or_else(Error::not_found)?;
            let collection = Box::new(tree.node(&above, Needs::DEAD_PROPERTIES).await?);
            let itself = Step::Itself { path: above, collection, name: node.name };
            Some(itself)
        };
        let room = limit.unwrap_or(usize::MAX);
        Ok(MemberQuery { report, filter, room, is_of_folder, pending: step.into_iter().collect() })
    }

    /// The next collections of a home; those of interest are looked into before the ones after them.
    async fn collections(&mut self, home: Box<Node>, after: Option<FileId>) -> Result<(), Error> {
        let path = self.report.call.path.clone();
        let page = self.report.call.caller.tree.children(&path, &home, after, Needs::DEAD_PROPERTIES).await?;
        if page.next.is_some() {
            self.pending.push(Step::Collections { home, after: page.next });
        }
        for node in page.nodes.into_iter().rev().filter(|node| node.is_folder()) {
            let (path, collection) = (path.child(&node.name), Box::new(node));
            self.pending.push(Step::Members { path, collection, after: None });
        }
        Ok(())
    }

    async fn members(&mut self, path: NodePath, collection: Box<Node>, after: Option<FileId>) -> Result<(), Error> {
        // One collection is read to its end before the next one is entered.
        if after.is_none() && !self.report.enter(&collection) {
            return Ok(());
        }
        let tree = self.report.call.caller.tree.clone();
        let page = tree.members(&path, &collection, &self.filter, after, self.report.needs()).await?;
        if page.next.is_some() {
            self.pending.push(Step::Members { path: path.clone(), collection, after: page.next });
        }
        self.tell(&path, &page.nodes).await;
        Ok(())
    }

    async fn itself(&mut self, path: NodePath, collection: Box<Node>, name: String) -> Result<(), Error> {
        if self.report.enter(&collection) {
            let tree = self.report.call.caller.tree.clone();
            let nodes = tree.members_named(&path, &collection, &[name], self.report.needs()).await?;
            self.tell(&path, &nodes).await;
        }
        Ok(())
    }

    async fn tell(&mut self, path: &NodePath, members: &[Node]) {
        for (number, member) in members.iter().enumerate() {
            // One member may take the computation of a hundred thousand recurrences.
            if number % MEMBERS_IN_ONE_GO == MEMBERS_IN_ONE_GO - 1 {
                tokio::task::yield_now().await;
            }
            let verdict = self.report.judge(member);
            if matches!(verdict, Verdict::Skip) {
                continue;
            }
            if self.room == 0 {
                self.report.tell_cut(self.is_of_folder);
                self.pending.clear();
                return;
            }
            self.room -= 1;
            let href = self.report.href(path, member);
            match verdict {
                Verdict::Skip => {}
                Verdict::Tell(rendered) => self.report.tell(&href, member, rendered.as_deref()),
                Verdict::Fail(error) => self.report.tell_failure(&href, &error),
            }
        }
    }
}

impl Paged for MemberQuery {
    fn body(&mut self) -> &mut Multistatus {
        &mut self.report.body
    }

    async fn advance(&mut self) -> Result<bool, Error> {
        let Some(step) = self.pending.pop() else { return Ok(false) };
        match step {
            Step::Collections { home, after } => self.collections(home, after).await?,
            Step::Members { path, collection, after } => self.members(path, collection, after).await?,
            Step::Itself { path, collection, name } => self.itself(path, collection, name).await?,
        }
        // Filters are computation: others have their turn between two pages.
        tokio::task::yield_now().await;
        Ok(true)
    }

    fn finish(self) -> Bytes {
        self.report.body.finish()
    }
}
