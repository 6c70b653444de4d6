//! The trash of files: what comes back from it, and what leaves it for good. One row moves, with everything below it.

use super::member::move_node;
use super::relocate::{Arrival, Place, vacate};
use super::site::Site;
use super::{DropTrashed, EmptyTrash, Run, Undelete, Written};
use crate::activity::ActivityKind;
use crate::bin::{self, Bin};
use crate::collection::Area;
use crate::conditions::Conditions;
use crate::error::Error;
use crate::grant;
use crate::look_up;
use crate::mount;
use crate::node::{AccountId, FileId, Node};
use crate::path::{NAME_BYTES_MAX, NodePath};
use crate::permissions::Permissions;
use crate::row::PURGED;
use crate::sql::Sql;
use crate::trash::Trashed;
use crate::tx::{Asker, Tx, signed};

/// What one step of emptying removes: what the writer does between two changes of members.
const STEP_ROWS: i64 = 500;

/// Something in the trash, as a change finds it.
struct Found {
    node: Node,
    /// What was deleted with it inside, if not itself.
    trashed: Trashed,
    /// The names from that to it.
    below: Vec<String>,
    /// Whose trash it is in, if not the asker's.
    owner: Option<AccountId>,
}

impl Run for Undelete {
    type Outcome = Written;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Written, Error> {
        let found = find(tx, asker, &self.path).await?;
        let place = match &self.destination {
            None => former_place(tx, asker, &found, &self.conditions).await?,
            Some(_) if found.owner.is_some() => return Err(Error::Forbidden("it is somebody else's")),
            Some((destination, overwrites)) => {
                let arrival =
                    Arrival { node: &found.node, is_move: true, overwrites: *overwrites, right: Permissions::CREATE };
                vacate(tx, asker, destination, arrival, &self.conditions).await?
            }
        };
        let is_anothers = place.owner != found.owner.unwrap_or(asker.account.id);
        let node = found.node;
        if is_anothers {
            grant::end_below(tx, node.id).await?;
        }
        leave(tx, &node, place.parent.0, &place.name).await?;
        tx.counters.reclaimable_bytes -= signed(node.size_bytes);
        tx.touch(place.parent, signed(node.size_bytes)).await?;
        tx.log(place.parent, &place.name, node.id, true).await?;
        mount::remount_below(tx, node.id).await?;
        if let Some(path) = look_up::path_of(&mut tx.connection, asker.root, node.id).await? {
            tx.record(asker, ActivityKind::Restored, (node.id, place.parent), &path, "");
        }
        Ok(Written { node: Node { parent: Some(place.parent), name: place.name, ..node }, is_new: place.was_free })
    }
}

impl Run for DropTrashed {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let Found { node, below, owner, .. } = find(tx, asker, &self.path).await?;
        if owner.is_some() {
            // Who does not own it takes it out of their own sight only.
            return match below.is_empty() {
                true => tx.one(FORGET_VIEW, &[node.id.into(), asker.account.id.into()]).await,
                false => Err(Error::Forbidden("it is somebody else's")),
            };
        }
        leave(tx, &node, PURGED, &node.id.to_string()).await?;
        tx.refund_reclaimed(node.size_bytes);
        Ok(())
    }
}

impl Run for EmptyTrash {
    type Outcome = bool;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<bool, Error> {
        if asker.area != Area::Files || asker.access.is_some() {
            return Err(Error::NotFound);
        }
        tx.run(FORGET_OWN_VIEWS, &[asker.account.id.into(), self.until.into()]).await?;
        let rows = tx.all(DUE, &[asker.trash.into(), self.until.into(), STEP_ROWS.into()]).await?;
        let mut bytes = 0;
        for row in &rows {
            let id = row.int(0)?;
            tx.one(super::delete::MOVE, &[id.into(), PURGED.into(), id.to_string().into()]).await?;
            tx.run(FORGET, &[id.into()]).await?;
            tx.run(FORGET_VIEWS, &[id.into()]).await?;
            bytes += row.count(1)?;
        }
        if !rows.is_empty() {
            tx.refund_reclaimed(bytes);
            tx.touch(asker.trash, -signed(bytes)).await?;
        }
        Ok(rows.len() as i64 == STEP_ROWS)
    }
}

async fn find(tx: &mut Tx, asker: &Asker, path: &NodePath) -> Result<Found, Error> {
    if asker.area != Area::Files || asker.access.is_some() {
        return Err(Error::NotFound);
    }
    let bin = Bin { root: asker.trash, account: asker.account.id };
    let located = bin::locate(&mut tx.connection, bin, path).await?;
    let node = located.found()?.clone();
    let Some((top, below)) = path.names().split_first().and_then(|(_, below)| Some((located.chain.get(1)?, below)))
    else {
        return Err(Error::Forbidden("the trash itself stays"));
    };
    let trashed = bin::tops(&mut tx.connection, bin, top.id, top.id).await?.pop();
    let (_, trashed) = trashed.ok_or(Error::NotFound)?;
    let is_own = top.parent == Some(asker.trash);
    let owner = if is_own { None } else { Some(AccountId(tx.row(OWNER, &[top.id.into()]).await?.int(0)?)) };
    Ok(Found { node, trashed, below: below.to_vec(), owner })
}

/// Takes it out of its place in the trash.
async fn leave(tx: &mut Tx, node: &Node, parent: i64, name: &str) -> Result<(), Error> {
    let former = node.parent.ok_or(Error::NotFound)?;
    move_node(tx, Area::Files, node, parent, name).await?;
    tx.run(FORGET, &[node.id.into()]).await?;
    tx.run(FORGET_VIEWS, &[node.id.into()]).await?;
    tx.touch(former, -signed(node.size_bytes)).await
}

/// The place that it had, or one like it.
async fn former_place(tx: &mut Tx, asker: &Asker, found: &Found, conditions: &Conditions) -> Result<Place, Error> {
    let folder = former_folder(tx, asker, found).await?;
    let located = look_up::locate(&mut tx.connection, &asker.root(), &folder).await?;
    let found_folder = located.found()?;
    // The folder may have become another's since.
    let owner = found_folder.access.as_ref().map_or(asker.account.id, |access| access.owner);
    let (parent, allows_download) = (found_folder.id, found_folder.allows_download());
    if found.owner.is_some_and(|former| former != owner) {
        return Err(Error::Forbidden("the folder that it was in is not shared any more"));
    }
    let wanted = found.below.last().unwrap_or(&found.trashed.name);
    let name = free_name(tx, parent, wanted, found.node.is_folder()).await?;
    let site = Site::find(tx, asker, &folder.child(&name)).await?;
    site.may_add(asker, conditions)?;
    Ok(Place { parent, name, was_free: true, owner, allows_download })
}

/// The folder that it was in, wherever that is now; else what stands where that was; else the root.
async fn former_folder(tx: &mut Tx, asker: &Asker, found: &Found) -> Result<NodePath, Error> {
    if found.below.is_empty()
        && let Some(path) = look_up::path_of(&mut tx.connection, asker.root, found.trashed.folder).await?
    {
        return Ok(path);
    }
    let names = found.trashed.location.split('/').filter(|name| !name.is_empty());
    let names: Vec<&str> = names.chain(found.below.iter().map(String::as_str)).collect();
    let path = NodePath::of(&names).ok().and_then(|path| path.parent()).unwrap_or_default();
    let located = look_up::locate(&mut tx.connection, &asker.root(), &path).await?;
    let is_owners = |node: &&Node| match found.owner {
        // Nothing of somebody else's comes into another tree than theirs.
        Some(owner) => node.access.as_ref().is_some_and(|access| access.owner == owner),
        None => true,
    };
    match (located.node().filter(|node| node.is_folder()).filter(is_owners), found.owner) {
        (Some(_), _) => Ok(path),
        (None, None) => Ok(NodePath::root()),
        (None, Some(_)) => Err(Error::Forbidden("the folder that it was in is not shared any more")),
    }
}

/// The name that it had, or where that was given away since: `name (restored).ext`, `name (restored 2).ext`.
async fn free_name(tx: &mut Tx, folder: FileId, wanted: &str, is_folder: bool) -> Result<String, Error> {
    let mut name = wanted.to_owned();
    let mut number = 0;
    while look_up::is_taken(&mut tx.connection, folder, &name).await?.is_some() {
        number += 1;
        name = restored_name(wanted, number, is_folder);
    }
    Ok(name)
}

/// The `number`th other name, no longer than a name may be.
fn restored_name(wanted: &str, number: u64, is_folder: bool) -> String {
    let (stem, ending) = match wanted.rfind('.') {
        Some(dot) if dot > 0 && !is_folder => wanted.split_at(dot),
        _ => (wanted, ""),
    };
    let mark = if number == 1 { " (restored)".to_owned() } else { format!(" (restored {number})") };
    let mut stem = stem.to_owned();
    while stem.len() + mark.len() + ending.len() > NAME_BYTES_MAX && stem.pop().is_some() {}
    format!("{stem}{mark}{ending}")
}

const OWNER: Sql = Sql("SELECT account_id FROM trash WHERE space_id = $1 AND node_id = $2");

const DUE: Sql = Sql("SELECT node.id, node.size_bytes FROM node
       JOIN trash ON trash.space_id = $1 AND trash.node_id = node.id
      WHERE node.space_id = $1 AND node.parent_id = $2 AND trash.deleted_us <= $3 ORDER BY node.id LIMIT $4");

const FORGET: Sql = Sql("DELETE FROM trash WHERE space_id = $1 AND node_id = $2");

const FORGET_VIEW: Sql = Sql("DELETE FROM trash_view WHERE space_id = $1 AND node_id = $2 AND account_id = $3");

const FORGET_VIEWS: Sql = Sql("DELETE FROM trash_view WHERE space_id = $1 AND node_id = $2");

const FORGET_OWN_VIEWS: Sql = Sql("DELETE FROM trash_view WHERE space_id = $1 AND account_id = $2 AND node_id IN (
         SELECT trash.node_id FROM trash
           JOIN trash_view AS seen ON seen.space_id = $1 AND seen.account_id = $2 AND seen.node_id = trash.node_id
          WHERE trash.space_id = $1 AND trash.deleted_us <= $3)");

pub(super) const STATEMENTS: &[Sql] = &[OWNER, DUE, FORGET, FORGET_VIEW, FORGET_VIEWS, FORGET_OWN_VIEWS];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wanted: &str, number: u64, is_folder: bool, expected: &str) {
        assert_eq!(restored_name(wanted, number, is_folder), expected);
    }

    #[test]
    fn what_comes_back_to_a_taken_name_says_so() {
        check("a.txt", 1, false, "a (restored).txt");
        check("a.txt", 2, false, "a (restored 2).txt");
        check("archive.tar.gz", 1, false, "archive.tar (restored).gz");
        check(".profile", 1, false, ".profile (restored)");
        check("Makefile", 3, false, "Makefile (restored 3)");
        check("v1.2", 1, true, "v1.2 (restored)");
        let long = format!("{}.txt", "é".repeat(125));
        assert_eq!(long.len(), 254);
        let other = restored_name(&long, 1, false);
        assert!(other.len() <= NAME_BYTES_MAX && other.ends_with("é (restored).txt"), "{other}");
    }
}
