//! DELETE (RFC 4918 §9.6): one row moves to the trash with everything below it, O(depth).

use super::member::move_node;
use super::share;
use super::site::{self, Site};
use super::{Delete, Run, make_collection};
use crate::activity::ActivityKind;
use crate::area;
use crate::collection::{Area, CollectionKind};
use crate::error::Error;
use crate::lock::StoredLock;
use crate::look_up;
use crate::mount;
use crate::node::{AccountId, FileId, Node};
use crate::path::{NAME_BYTES_MAX, NodePath};
use crate::row::PURGED;
use crate::share::Via;
use crate::sql::{Sql, Value};
use crate::tx::{Asker, Tx, signed};

impl Run for Delete {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let site = Site::find(tx, asker, &self.path).await?;
        let node = site.located.found()?;
        if node.is_root() || self.path.is_root() {
            return Err(Error::Forbidden("the root of a tree cannot be deleted"));
        }
        site.check(tx, asker, &self.conditions).await?;
        if node.mount.is_some() {
            return share::leave(tx, asker, node).await;
        }
        let locks = site.may_remove(tx, asker, &self.conditions).await?;
        if node.collection.as_deref().is_some_and(CollectionKind::is_fixed) {
            return Err(Error::Forbidden("this collection is part of every home"));
        }
        // What the server makes it can make again.
        let is_generated = node.collection.as_deref().is_some_and(CollectionKind::is_generated);
        if let Some(folder) = node.parent {
            tx.record(asker, ActivityKind::Deleted, (node.id, folder), &self.path, "");
        }
        // Who does not own it does not say that it is gone for good.
        let skips_trash = self.skips_trash && node.access.is_none();
        match skips_trash || is_generated || !asker.area.has_trash() {
            true => remove_for_good(tx, asker, node, &locks).await?,
            false => move_to_trash(tx, asker, node, &self.path, &locks).await?,
        }
        match node.collection.as_deref() {
            Some(CollectionKind::AddressBook) => keep_one_book(tx, asker).await,
            _ => Ok(()),
        }
    }
}

/// A home is never without an address book: Apple's and other programs make none, and would have nowhere to write.
async fn keep_one_book(tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
    let kind = CollectionKind::AddressBook;
    let left = tx.row(COUNT_OF_KIND, &[asker.root.into(), kind.to_text().into()]).await?.count(0)?;
    if left == 0 {
        for (name, kind) in asker.area.first_collections() {
            tx.advance();
            make_collection(tx, asker.root, name, &kind).await?;
        }
    }
    Ok(())
}

/// Takes `node` out of its folder and puts it into the asker's trash.
pub(super) async fn move_to_trash(
    tx: &mut Tx,
    asker: &Asker,
    node: &Node,
    path: &NodePath,
    locks: &[StoredLock],
) -> Result<(), Error> {
    let parent = node.parent.ok_or(Error::Forbidden("the root of a tree cannot be deleted"))?;
    if node.mount.is_some() {
        return Err(Error::Forbidden("somebody else's collection is not replaced"));
    }
    let (owner, trash, owner_path) = owner_trash(tx, asker, node, path).await?;
    site::drop_locks(tx, locks).await?;
    unmount_below(tx, node).await?;
    let trash_name = trash_name(tx, asker, node, (owner, trash)).await?;
    move_node(tx, asker.area, node, trash.0, &trash_name).await?;
    let team_path = owner_path.clone();
    let args: [Value; 7] = [
        node.id.into(),
        owner.into(),
        parent.into(),
        owner_path.into(),
        node.name.as_str().into(),
        tx.now().into(),
        asker.account.id.into(),
    ];
    tx.one(INSERT_TRASH, &args).await?;
    if owner != asker.account.id && asker.area == Area::Files {
        let args = [node.id.into(), asker.account.id.into(), trash_name.as_str().into(), path.to_string().into()];
        tx.one(INSERT_VIEW, &args).await?;
    }
    if let Some(Via::TeamFolder { root, .. }) = node.access.as_ref().map(|access| access.via) {
        // What belongs to a team is in the trash of all of it.
        let [name, inside] = [trash_name.as_str(), team_path.as_str()].map(Value::from);
        tx.run(INSERT_TEAM_VIEWS, &[node.id.into(), root.into(), asker.account.id.into(), name, inside]).await?;
    }
    tx.make_reclaimable(node.size_bytes);
    tx.touch(parent, -signed(node.size_bytes)).await?;
    tx.touch(trash, signed(node.size_bytes)).await?;
    tx.log(parent, &node.name, node.id, true).await
}

/// What it is called there: a member of a calendar by its number, as Nextcloud's clients expect; a file by its name and
/// the second, which its clients take apart.
async fn trash_name(
    tx: &mut Tx,
    asker: &Asker,
    node: &Node,
    (owner, trash): (AccountId, FileId),
) -> Result<String, Error> {
    match asker.area {
        Area::Files => {}
        _ if node.is_folder() => return Ok(node.id.to_string()),
        _ => return Ok(format!("{}.ics", node.id)),
    }
    for second in tx.now().seconds().. {
        let name = name_with_second(&node.name, second);
        // It is seen beside what else the owner and the asker see in theirs.
        let args: [Value; 5] =
            [trash.into(), asker.trash.into(), name.as_str().into(), owner.into(), asker.account.id.into()];
        if tx.maybe(IS_TAKEN, &args).await?.is_none() {
            return Ok(name);
        }
    }
    Err(Error::Exists)
}

/// `NAME.dSECOND`, no longer than a name may be.
fn name_with_second(name: &str, second: i64) -> String {
    let mark = format!(".d{second}");
    let mut name = name.to_owned();
    while name.len() + mark.len() > NAME_BYTES_MAX && name.pop().is_some() {}
    name.push_str(&mark);
    name
}

/// Whose trash it goes to, which is its owner's whoever deletes it, and where it was there.
async fn owner_trash(
    tx: &mut Tx,
    asker: &Asker,
    node: &Node,
    path: &NodePath,
) -> Result<(AccountId, FileId, String), Error> {
    let Some(access) = &node.access else { return Ok((asker.account.id, asker.trash, path.to_string())) };
    let roots = match area::roots(&mut tx.connection, access.owner, asker.area).await? {
        Some(roots) => Some(roots),
        None => crate::team_folder::roots(tx, access.owner).await?,
    };
    let (root, trash) = roots.ok_or(Error::NotFound)?;
    let path = look_up::path_of(&mut tx.connection, root, node.id).await?.unwrap_or_default();
    Ok((access.owner, trash, path.to_string()))
}

/// What leaves its owner's tree leaves those of all others.
async fn unmount_below(tx: &mut Tx, node: &Node) -> Result<(), Error> {
    mount::unmount_below(tx, node.id).await
}

/// Takes `node` out of its folder; the rows below go later, in small steps. Its bytes are free at once.
pub(super) async fn remove_for_good(
    tx: &mut Tx,
    asker: &Asker,
    node: &Node,
    locks: &[StoredLock],
) -> Result<(), Error> {
    let parent = node.parent.ok_or(Error::Forbidden("the root of a tree cannot be deleted"))?;
    site::drop_locks(tx, locks).await?;
    unmount_below(tx, node).await?;
    move_node(tx, asker.area, node, PURGED, &node.id.to_string()).await?;
    tx.refund(node.size_bytes);
    tx.touch(parent, -signed(node.size_bytes)).await?;
    tx.log(parent, &node.name, node.id, true).await
}

const IS_TAKEN: Sql = Sql("SELECT id FROM node WHERE space_id = $1 AND parent_id IN ($2, $3) AND name = $4
     UNION ALL
     SELECT node_id FROM trash_view WHERE space_id = $1 AND account_id IN ($5, $6) AND name = $4
     LIMIT 1");

const COUNT_OF_KIND: Sql = Sql("SELECT COUNT(*) FROM node WHERE space_id = $1 AND parent_id = $2 AND collection = $3");

pub(super) const MOVE: Sql = Sql("UPDATE node SET parent_id = $3, name = $4 WHERE space_id = $1 AND id = $2");

const INSERT_TRASH: Sql = Sql(
    "INSERT INTO trash (space_id, node_id, account_id, original_parent_id, original_path, original_name, deleted_us,
                        deleted_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
);

const INSERT_VIEW: Sql =
    Sql("INSERT INTO trash_view (space_id, node_id, account_id, name, seen_path) VALUES ($1, $2, $3, $4, $5)");

const INSERT_TEAM_VIEWS: Sql = Sql("INSERT INTO trash_view (space_id, node_id, account_id, name, seen_path)
     SELECT $1, $2, mount.account_id, $5, '/' || point.name || $6
       FROM mount
       JOIN node AS point ON point.space_id = $1 AND point.id = mount.node_id
       JOIN account ON account.space_id = $1 AND account.id = mount.account_id
      WHERE mount.space_id = $1 AND mount.target_id = $3 AND mount.account_id <> $4
        AND NOT EXISTS (SELECT 1 FROM node WHERE node.space_id = $1 AND node.parent_id = account.trash_id
                                             AND node.name = $5)
     ON CONFLICT DO NOTHING");

pub(super) const STATEMENTS: &[Sql] = &[COUNT_OF_KIND, IS_TAKEN, MOVE, INSERT_TRASH, INSERT_VIEW, INSERT_TEAM_VIEWS];
