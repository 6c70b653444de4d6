//! MOVE (RFC 4918 §9.9): one row gets another parent and name; everything below comes along, O(depth).

use super::delete::move_to_trash;
use super::member::{self, move_node};
use super::site::{self, Site};
use super::{Relocate, Run, Written};
use crate::activity::ActivityKind;
use crate::collection::{Area, CollectionKind};
use crate::conditions::Conditions;
use crate::error::Error;
use crate::grant;
use crate::lock::LockKind;
use crate::look_up;
use crate::mount;
use crate::node::{AccountId, FileId, Node};
use crate::path::NodePath;
use crate::permissions::Permissions;
use crate::share::Via;
use crate::tx::{Asker, Tx, signed};

impl Run for Relocate {
    type Outcome = Written;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Written, Error> {
        let source = Site::find(tx, asker, &self.source).await?;
        let node = source.located.found()?.clone();
        let node = match &node.mount {
            Some(_) if node.access.as_ref().is_some_and(|access| access.via != Via::Share) => {
                return Err(Error::Forbidden("a team folder stays where it is"));
            }
            // The mount moves, not what it shows.
            Some(mount) => Node { id: mount.id, size_bytes: 0, ..node },
            None => node,
        };
        check_paths(&self.source, &self.destination)?;
        source.check(tx, asker, &self.conditions).await?;
        // Within its folder it gets another name; elsewhere it is taken out here and added there.
        let stays = self.source.parent() == self.destination.parent();
        let locks = match stays {
            true => source.may_rename(tx, asker, &self.conditions).await?,
            false => source.may_remove(tx, asker, &self.conditions).await?,
        };

        let right = if stays { Permissions::UPDATE } else { Permissions::CREATE };
        let arrival = Arrival { node: &node, is_move: true, overwrites: self.overwrites, right };
        let place = vacate(tx, asker, &self.destination, arrival, &self.conditions).await?;
        // A lease is on the file, wherever it is; a WebDAV lock is on its URL (RFC 4918 §7.5).
        let locks: Vec<_> = locks.into_iter().filter(|lock| lock.kind == LockKind::Dav).collect();
        site::drop_locks(tx, &locks).await?;
        move_node(tx, asker.area, &node, place.parent.0, &place.name).await?;

        Box::pin(change_hands(tx, asker, (&source, &place), &node)).await?;

        let old_parent = node.parent.ok_or(Error::Forbidden("the root of a tree cannot be moved"))?;
        tx.touch(old_parent, -signed(node.size_bytes)).await?;
        tx.touch(place.parent, signed(node.size_bytes)).await?;
        tx.log(old_parent, &node.name, node.id, true).await?;
        tx.log(place.parent, &place.name, node.id, true).await?;
        let moved = (node.id, place.parent);
        tx.record(asker, ActivityKind::Moved, moved, &self.destination, &self.source.to_string());
        Ok(Written { node: Node { parent: Some(place.parent), name: place.name, ..node }, is_new: place.was_free })
    }
}

/// What comes to another owner is shared no longer as the former owner shared it; and what was handed on may have lost
/// its ground. Who may only look does not take away.
async fn change_hands(tx: &mut Tx, asker: &Asker, (from, to): (&Site, &Place), node: &Node) -> Result<(), Error> {
    if node.mount.is_some() || asker.area != Area::Files {
        return Ok(());
    }
    let folder = from.located.ancestors().last();
    let access = folder.and_then(|folder| folder.access.as_ref());
    let before = access.map_or(asker.account.id, |access| access.owner);
    let is_looked_at_only = folder.is_some_and(|folder| !folder.allows_download());
    if is_looked_at_only && (to.allows_download || before != to.owner) {
        return Err(Error::Forbidden("it is shared for looking at only"));
    }
    if before != to.owner {
        if mount::has_mounts_below(tx, node.id).await? && before == asker.account.id {
            return Err(Error::Forbidden("what is shared with you stays among what is your own"));
        }
        mount::unmount_below(tx, node.id).await?;
        grant::end_below(tx, node.id).await?;
    }
    match tx.counters.mount_count {
        0 => Ok(()),
        _ => grant::settle_handed_on(tx, before).await,
    }
}

/// RFC 4918 §9.8.5, §9.9.4: not the root, not onto itself, not into its own members, not over its own folder.
pub(super) fn check_paths(source: &NodePath, destination: &NodePath) -> Result<(), Error> {
    if source.is_root() || destination.is_root() {
        return Err(Error::Forbidden("the root of a tree stays where it is"));
    }
    if source == destination {
        return Err(Error::Forbidden("source and destination are the same"));
    }
    if source.contains(destination) || destination.contains(source) {
        return Err(Error::IntoItself);
    }
    Ok(())
}

/// The same by number: to who holds a folder twice, by itself and by the one around it, the paths do not tell.
async fn check_apart(tx: &mut Tx, node: &Node, parent: FileId, occupant: Option<&Node>) -> Result<(), Error> {
    if tx.counters.mount_count == 0 {
        return Ok(());
    }
    let is_inside = look_up::upwards(&mut tx.connection, parent).await?.contains(&node.id);
    let is_around = match occupant {
        Some(occupant) => look_up::upwards(&mut tx.connection, node.id).await?.contains(&occupant.id),
        None => false,
    };
    if is_inside || is_around { Err(Error::IntoItself) } else { Ok(()) }
}

/// A free place for a node.
pub(super) struct Place {
    pub(super) parent: FileId,
    pub(super) name: String,
    pub(super) was_free: bool,
    /// Whose it becomes.
    pub(super) owner: AccountId,
    /// Whether the asker may take away what is there.
    pub(super) allows_download: bool,
}

/// What comes to the place.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'a> {
    pub(super) node: &'a Node,
    pub(super) is_move: bool,
    pub(super) overwrites: bool,
    /// What one has to have over the folder that it comes to.
    pub(super) right: Permissions,
}

/// Makes `destination` free: what is there goes to the trash if it may be replaced.
pub(super) async fn vacate(
    tx: &mut Tx,
    asker: &Asker,
    destination: &NodePath,
    arrival: Arrival<'_>,
    conditions: &Conditions,
) -> Result<Place, Error> {
    let site = Site::find(tx, asker, destination).await?;
    let parent = site.located.parent()?.id;
    let name = destination.name().ok_or(Error::Exists)?.to_owned();
    let folder = site.located.parent()?;
    let owner = folder.access.as_ref().map_or(asker.account.id, |access| access.owner);
    let allows_download = folder.allows_download();
    check_apart(tx, arrival.node, parent, site.node()).await?;
    let Some(occupant) = site.node() else {
        site.may_take_in(asker, conditions, arrival)?;
        member::check_arrival(tx, asker, arrival.node, (&site, destination), arrival.is_move).await?;
        return Ok(Place { parent, name, was_free: true, owner, allows_download });
    };
    if !arrival.overwrites {
        return Err(Error::Exists);
    }
    if occupant.collection.as_deref().is_some_and(CollectionKind::is_fixed) {
        return Err(Error::Forbidden("this collection is part of every home"));
    }
    site.may_take_in(asker, conditions, arrival)?;
    let locks = site.may_remove(tx, asker, conditions).await?;
    member::check_arrival(tx, asker, arrival.node, (&site, destination), arrival.is_move).await?;
    move_to_trash(tx, asker, occupant, destination, &locks).await?;
    Ok(Place { parent, name, was_free: false, owner, allows_download })
}
