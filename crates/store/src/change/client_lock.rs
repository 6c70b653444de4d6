//! The locks that Nextcloud's clients and office servers take: a lease on a file, held by an account, a device or a session of
//! an editor, on top of the WebDAV locks and in the same table. Sheet `nextcloud-files-dav`, section 14.

use super::lock::{check_conflicts, insert, with_locks};
use super::site::{self, Site};
use super::{LockForClient, Run, UnlockForClient};
use crate::error::Error;
use crate::lock::{self, LockKind, Scope, StoredLock, covering};
use crate::node::{FileId, Node};
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::sql::Sql;
use crate::tx::{Asker, Tx};

impl Run for LockForClient {
    type Outcome = Node;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Node, Error> {
        lock::forget_expired(tx).await?;
        let mut site = Site::find(tx, asker, &self.path).await?;
        let node = site.located.found()?.clone();
        site.check(tx, asker, &self.conditions).await?;
        if node.is_folder() {
            return Err(Error::IsACollection);
        }
        site::check_permission(Some(&node), Permissions::UPDATE)?;
        let expires = tx.now().plus_seconds(i64::try_from(self.timeout_seconds).unwrap_or(i64::MAX));
        let is_same = |lock: &&mut StoredLock| {
            lock.root_id == node.id && is_held_as(lock, &self.kind, asker) && !matches!(lock.kind, LockKind::Dav)
        };
        match site.locks.iter_mut().find(is_same) {
            Some(held) => {
                held.expires = held.expires.max(expires);
                tx.one(super::lock::REFRESH, &[held.token.as_str().into(), held.expires.into()]).await?;
            }
            None => take(tx, asker, &mut site, &node, self.kind, expires).await?,
        }
        let node = touched(tx, node).await?;
        Ok(with_locks(node, &site))
    }
}

async fn take(
    tx: &mut Tx,
    asker: &Asker,
    site: &mut Site,
    node: &Node,
    kind: LockKind,
    expires: Timestamp,
) -> Result<(), Error> {
    check_conflicts(tx, asker, site, Scope::Exclusive, false).await?;
    let limit = tx.core.limits.locks_max;
    if site.locks.len() as u64 >= limit {
        return Err(Error::TooLarge { limit });
    }
    let taken = StoredLock {
        token: super::lock::new_token(tx),
        root_id: node.id,
        account: asker.account.id,
        account_login: asker.account.login.clone(),
        account_display_name: asker.account.display_name.clone(),
        kind,
        scope: Scope::Exclusive,
        is_deep: false,
        owner_xml: None,
        created: tx.now(),
        expires,
    };
    insert(tx, &taken).await?;
    site.locks.push(taken);
    Ok(())
}

/// Whether the lock is the asker's of this kind: an editor's session has many accounts.
fn is_held_as(lock: &StoredLock, kind: &LockKind, asker: &Asker) -> bool {
    match (&lock.kind, kind) {
        (LockKind::Editor { session: held, .. }, LockKind::Editor { session, .. }) => held == session,
        (LockKind::Editor { .. }, _) | (_, LockKind::Editor { .. }) => false,
        // A person's own request for a lock that the person's program has already.
        _ => lock.account == asker.account.id,
    }
}

impl Run for UnlockForClient {
    type Outcome = Node;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Node, Error> {
        let mut site = Site::find(tx, asker, &self.path).await?;
        let node = site.located.found()?.clone();
        let may_release = |lock: &StoredLock| match (&self.kind, &lock.kind) {
            // What a program took without being asked it may give back, and nothing else.
            (LockKind::Device, kind) => lock.account == asker.account.id && *kind == LockKind::Device,
            (kind, _) => is_held_as(lock, kind, asker),
        };
        let covering: Vec<StoredLock> = covering(&site.locks, &site.located.chain).cloned().collect();
        let own: Vec<StoredLock> =
            covering.iter().filter(|lock| lock.root_id == node.id && may_release(lock)).cloned().collect();
        if own.is_empty() {
            return Err(match covering.into_iter().next() {
                Some(other) => Error::Locked { root: other.on(&site.located.chain).root },
                None => Error::LockTokenMismatch,
            });
        }
        site::drop_locks(tx, &own).await?;
        site.locks.retain(|lock| own.iter().all(|dropped| dropped.token != lock.token));
        let node = touched(tx, node).await?;
        Ok(with_locks(node, &site))
    }
}

/// Locks show in listings: the etags move, the owner's and those of everybody who sees the file through a share, so that
/// every client looks again.
async fn touched(tx: &mut Tx, node: Node) -> Result<Node, Error> {
    touch(tx, node.id).await?;
    Ok(Node { etag: tx.etag(), ..node })
}

/// Moves the etag of a file whose locks changed, and those of what is above it.
pub(crate) async fn touch(tx: &mut Tx, node: FileId) -> Result<(), Error> {
    let etag = tx.etag();
    let Some(row) = tx.maybe(TOUCH, &[node.into(), etag.into()]).await? else { return Ok(()) };
    let (parent, name) = (FileId(row.int(0)?), row.text(1)?);
    if parent.0 <= 0 {
        return Ok(());
    }
    tx.touch(parent, 0).await?;
    tx.log(parent, &name, node, false).await?;
    if tx.counters.mount_count == 0 {
        return Ok(());
    }
    for row in tx.all(TOUCH_MOUNTS, &[node.into(), etag.into()]).await? {
        tx.touch(FileId(row.int(0)?), 0).await?;
    }
    Ok(())
}

const TOUCH: Sql = Sql("UPDATE node SET etag = $3 WHERE space_id = $1 AND id = $2 RETURNING parent_id, name");

const TOUCH_MOUNTS: Sql = Sql("UPDATE node SET etag = $3
      WHERE space_id = $1 AND id IN (SELECT node_id FROM mount WHERE space_id = $1 AND target_id = $2)
     RETURNING parent_id");

pub(super) const STATEMENTS: &[Sql] = &[TOUCH, TOUCH_MOUNTS];
