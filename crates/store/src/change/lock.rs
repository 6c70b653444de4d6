//! LOCK, its refresh, and UNLOCK (RFC 4918 §9.10, §9.11).

use super::site::{self, NewNode, Site, insert_node};
use super::{Locked, RefreshLock, Run, TakeLock, Unlock};
use crate::collection::Area;
use crate::error::Error;
use crate::lock::{self, Lock, LockKind, Scope, StoredLock, covering};
use crate::node::{Kind, Node};
use crate::permissions::Permissions;
use crate::sql::{Sql, Value};
use crate::tx::{Asker, Tx};

impl Run for TakeLock {
    type Outcome = Locked;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Locked, Error> {
        lock::forget_expired(tx).await?;
        let mut site = Site::find(tx, asker, &self.path).await?;
        site.check(tx, asker, &self.conditions).await?;
        let is_new = site.node().is_none();
        site::check_permission(site.node(), Permissions::UPDATE)?;
        if is_new && asker.area != Area::Files {
            return Err(Error::WrongPlace);
        }
        if is_new {
            site.located.parent()?;
            site.may_add(asker, &self.conditions)?;
            make_empty(tx, &mut site).await?;
        }
        check_conflicts(tx, asker, &site, self.scope, self.is_deep).await?;
        let limit = tx.core.limits.locks_max;
        if site.locks.len() as u64 >= limit {
            return Err(Error::TooLarge { limit });
        }
        let node = site.located.found()?.clone();
        let seconds = self.timeout_seconds.min(tx.core.limits.lock_timeout_seconds_max);
        let taken = StoredLock {
            token: new_token(tx),
            root_id: node.id,
            account: asker.account.id,
            account_login: asker.account.login.clone(),
            account_display_name: asker.account.display_name.clone(),
            kind: LockKind::Dav,
            scope: self.scope,
            is_deep: self.is_deep && node.is_folder(),
            owner_xml: self.owner_xml,
            created: tx.now(),
            expires: tx.now().plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX)),
        };
        insert(tx, &taken).await?;
        site.locks.push(taken.clone());
        Ok(Locked { lock: taken.on(&site.located.chain), node: with_locks(node, &site), is_new })
    }
}

/// An unmapped path becomes an empty file (RFC 4918 §7.3).
async fn make_empty(tx: &mut Tx, site: &mut Site) -> Result<(), Error> {
    let parent = site.located.parent()?.id;
    let name = site.located.missing.pop().ok_or(Error::Exists)?;
    let now = tx.now();
    let empty = NewNode {
        parent,
        name: &name,
        kind: Kind::File,
        size_bytes: 0,
        modified: now,
        created: now,
        content: None,
        checksums: None,
        media_type: None,
        author: None,
    };
    let node = insert_node(tx, empty).await?;
    tx.touch(parent, 0).await?;
    tx.log(parent, &name, node.id, false).await?;
    site.located.chain.push(node);
    Ok(())
}

/// RFC 4918 §7: an exclusive lock stands alone; shared locks stand beside shared locks; a deep lock meets those inside.
pub(super) async fn check_conflicts(
    tx: &mut Tx,
    asker: &Asker,
    site: &Site,
    scope: Scope,
    is_deep: bool,
) -> Result<(), Error> {
    let chain = &site.located.chain;
    // Whoever keeps a file from others may still open it in a program that locks it, too.
    let is_own_wish = |other: &StoredLock| other.kind == LockKind::Account && other.account == asker.account.id;
    let conflicts =
        |other: &StoredLock| !is_own_wish(other) && (scope == Scope::Exclusive || other.scope == Scope::Exclusive);
    if let Some(other) = covering(&site.locks, chain).find(|other| conflicts(other)) {
        return Err(Error::LockConflict { root: other.clone().on(chain).root });
    }
    if is_deep {
        let inside = lock::rooted_inside(&mut tx.connection, &site.locks, chain).await?;
        if let Some((_, root)) = inside.into_iter().find(|(other, _)| conflicts(other)) {
            return Err(Error::LockConflict { root });
        }
    }
    Ok(())
}

/// A token never used before.
pub(super) fn new_token(tx: &Tx) -> String {
    format!("opaquelocktoken:{}", uuid::Builder::from_random_bytes(tx.core.ports.bytes()).into_uuid())
}

pub(super) async fn insert(tx: &mut Tx, lock: &StoredLock) -> Result<(), Error> {
    let (editor_name, editor_session) = match &lock.kind {
        LockKind::Editor { name, session } => (Some(name.as_str()), Some(session.as_str())),
        _ => (None, None),
    };
    let args: [Value; 11] = [
        lock.token.as_str().into(),
        lock.root_id.into(),
        lock.account.into(),
        (lock.scope == Scope::Exclusive).into(),
        lock.is_deep.into(),
        lock.owner_xml.as_deref().into(),
        lock.created.into(),
        lock.expires.into(),
        lock.kind.number().into(),
        editor_name.into(),
        editor_session.into(),
    ];
    tx.one(INSERT, &args).await
}

/// The node with every lock that applies to it.
pub(super) fn with_locks(node: Node, site: &Site) -> Node {
    let chain = &site.located.chain;
    let locks: Vec<Lock> = covering(&site.locks, chain).map(|lock| lock.clone().on(chain)).collect();
    Node { locks, ..node }
}

impl Run for RefreshLock {
    type Outcome = Locked;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Locked, Error> {
        let mut site = Site::find(tx, asker, &self.path).await?;
        let node = site.located.found()?.clone();
        site.check(tx, asker, &self.conditions).await?;
        let tokens = &self.conditions.lock_tokens;
        let mine = covering(&site.locks, &site.located.chain)
            .find(|lock| lock.account == asker.account.id && tokens.contains(&lock.token));
        let Some(mine) = mine.cloned() else { return Err(Error::ConditionFailed("If")) };
        let limit = tx.core.limits.lock_timeout_seconds_max;
        let seconds = self.timeout_seconds.unwrap_or(limit).min(limit);
        let expires = tx.now().plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
        tx.one(REFRESH, &[mine.token.as_str().into(), expires.into()]).await?;
        for lock in site.locks.iter_mut().filter(|lock| lock.token == mine.token) {
            lock.expires = expires;
        }
        let lock = StoredLock { expires, ..mine }.on(&site.located.chain);
        Ok(Locked { lock, node: with_locks(node, &site), is_new: false })
    }
}

impl Run for Unlock {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let site = Site::find(tx, asker, &self.path).await?;
        site.located.found()?;
        let lock = covering(&site.locks, &site.located.chain).find(|lock| lock.token == self.token);
        let lock = lock.ok_or(Error::LockTokenMismatch)?.clone();
        if lock.account != asker.account.id {
            return Err(Error::Forbidden("the lock is somebody else's"));
        }
        site::drop_locks(tx, &[lock]).await
    }
}

const INSERT: Sql = Sql(
    "INSERT INTO lock (space_id, token, node_id, account_id, is_exclusive, is_deep, owner_xml, created_us, expires_us, kind,
                       editor_name, editor_session)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
);

pub(super) const REFRESH: Sql = Sql("UPDATE lock SET expires_us = $3 WHERE space_id = $1 AND token = $2");

pub(super) const STATEMENTS: &[Sql] = &[INSERT, REFRESH];
