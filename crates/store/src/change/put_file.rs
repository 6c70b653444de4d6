//! PUT: creates a file or replaces its content. Promises 1, 2, 3 and 7 of the design hang here.

use super::keep_version::keep_version;
use super::member;
use super::site::{self, NewNode, Site, insert_node, make_folder, store_content, where_it_is};
use super::{PutFile, Run, Written, unseen};
use crate::activity::ActivityKind;
use crate::error::Error;
use crate::node::{AccountId, ContentId, Kind, Node};
use crate::path::NodePath;
use crate::ports::Timestamp;
use crate::sql::{Sql, Value};
use crate::tx::{Asker, Tx, signed};

impl Run for PutFile {
    type Outcome = Written;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Written, Error> {
        let path = unseen::place(tx, asker, self.path).await?;
        let site = Site::find(tx, asker, &path).await?;
        check_target(&site, path.is_root(), self.makes_parents || asker.only_adds())?;
        site.check(tx, asker, &self.conditions).await?;
        match site.node() {
            Some(_) => site.may_write(asker, &self.conditions)?,
            None => site.may_add(asker, &self.conditions)?,
        }

        member::check_member(tx, asker, &site, &path, self.member.as_ref()).await?;

        if let Some(old) = site.node() {
            match self.member {
                None => keep_version(tx, old, self.modified.unwrap_or(tx.now())).await?,
                Some(_) => drop_content(tx, old).await?,
            }
        }
        tx.charge(self.content.size_bytes).await?;
        let content = store_content(tx, &self.content).await?;
        let new = NewContent {
            content,
            size_bytes: self.content.size_bytes,
            modified: self.modified,
            created: self.created,
            checksums: self.checksums.as_deref(),
            media_type: self.media_type.as_deref(),
            author: Some(asker.account.id),
        };
        let written = put_content(tx, &site, new).await?;
        written.record(tx, asker, &path);
        if let Some(index) = &self.member {
            member::put_index(tx, &written.node, index).await?;
        }
        Ok(written)
    }
}

impl Written {
    /// Notes the activity.
    pub(super) fn record(&self, tx: &mut Tx, asker: &Asker, path: &NodePath) {
        let kind = if self.is_new { ActivityKind::Created } else { ActivityKind::Changed };
        if let Some(folder) = self.node.parent {
            tx.record(asker, kind, (self.node.id, folder), path, "");
        }
    }
}

/// The path may hold a file: it is not the root, not a folder, and its parent exists or may be made.
pub(super) fn check_target(site: &Site, is_root: bool, makes_parents: bool) -> Result<(), Error> {
    // The root of a link may be a file.
    if is_root && site.node().is_none() || site.node().is_some_and(Node::is_folder) {
        return Err(Error::IsACollection);
    }
    if site.node().is_none() && !makes_parents {
        site.located.parent()?;
    }
    if site.node().is_none() && !site.located.chain.last().is_some_and(Node::is_folder) {
        return Err(Error::ParentMissing);
    }
    Ok(())
}

/// Content that is in the space already, and what goes with it.
pub(super) struct NewContent<'a> {
    pub(super) content: Option<ContentId>,
    pub(super) size_bytes: u64,
    pub(super) modified: Option<Timestamp>,
    pub(super) created: Option<Timestamp>,
    pub(super) checksums: Option<&'a str>,
    pub(super) media_type: Option<&'a str>,
    /// Who wrote it, where versions are kept.
    pub(super) author: Option<AccountId>,
}

/// Gives the file at `site` its new content: the row, the ancestors, the log. What it held before was kept as a
/// version by [`keep_version`].
pub(super) async fn put_content(tx: &mut Tx, site: &Site, new: NewContent<'_>) -> Result<Written, Error> {
    match site.node() {
        Some(old) => replace(tx, old, new).await.map(|node| Written { node, is_new: false }),
        None => create(tx, site, new).await.map(|node| Written { node, is_new: true }),
    }
}

async fn create(tx: &mut Tx, site: &Site, new: NewContent<'_>) -> Result<Node, Error> {
    let (name, folders) = site.located.missing.split_last().ok_or(Error::Exists)?;
    let mut parent = site.located.chain.last().map(|node| node.id).ok_or(Error::ParentMissing)?;
    for folder in folders {
        parent = make_folder(tx, parent, folder).await?.id;
    }
    let node = NewNode {
        parent,
        name,
        kind: Kind::File,
        size_bytes: new.size_bytes,
        modified: new.modified.unwrap_or(tx.now()),
        created: new.created.unwrap_or(tx.now()),
        content: new.content,
        checksums: new.checksums,
        media_type: new.media_type,
        author: new.author,
    };
    let node = insert_node(tx, node).await?;
    tx.touch(parent, signed(new.size_bytes)).await?;
    tx.log(parent, name, node.id, false).await?;
    Ok(node)
}

pub(super) async fn replace(tx: &mut Tx, old: &Node, new: NewContent<'_>) -> Result<Node, Error> {
    let old = &where_it_is(tx, old).await?;
    let args: [Value; 10] = [
        old.id.into(),
        tx.etag().into(),
        new.size_bytes.into(),
        new.modified.unwrap_or(tx.now()).into(),
        new.created.unwrap_or(old.created).into(),
        tx.now().into(),
        new.content.map(|content| content.0).into(),
        new.checksums.into(),
        new.media_type.into(),
        new.author.map(|author| author.0).into(),
    ];
    tx.one(REPLACE, &args).await?;
    let parent = old.parent.ok_or(Error::IsACollection)?;
    tx.replacing = Some(old.id);
    tx.touch(parent, signed(new.size_bytes) - signed(old.size_bytes)).await?;
    tx.log(parent, &old.name, old.id, false).await?;
    site::reload(tx, old.id).await
}

/// Gives up what `node` holds: members of calendars and address books have no versions.
pub(super) async fn drop_content(tx: &mut Tx, node: &Node) -> Result<(), Error> {
    tx.refund(node.size_bytes);
    match node.content {
        Some(content) => tx.release(content).await,
        None => Ok(()),
    }
}

const REPLACE: Sql = Sql("UPDATE node
        SET etag = $3, size_bytes = $4, modified_us = $5, created_us = $6, uploaded_us = $7, content_id = $8,
            checksums = $9, media_type = $10, author_id = $11, version_label = NULL
      WHERE space_id = $1 AND id = $2");

pub(super) const STATEMENTS: &[Sql] = &[REPLACE];
