//! A member's own share of the pool: what her files, calendars, address books and unfinished uploads may hold together; and
//! what a team folder may hold. Trash and versions do not count here; they give way in the pool.
//!
//! Nothing is counted twice: a home's size stands on its root, kept in the transaction of each change (promise 7).
//! What a change added where is noted while it runs, and looked at when it has run, whatever kind of change it was.

use std::collections::HashMap;

use crate::account::Account;
use crate::error::Error;
use crate::node::{AccountId, FileId, Node, Quota};
use crate::space::Space;
use crate::sql::{Connection, Sql};
use crate::tx::{Tx, available_bytes, signed};

/// Bytes that a change added to a place, or took from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    place: Place,
    bytes: i64,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// The home that the folder is in.
    HomeOf(FileId),
    /// The account's unfinished uploads.
    UploadsOf(AccountId),
}

impl Growth {
    pub(crate) fn of_home(folder: FileId, bytes: i64) -> Growth {
        Growth { place: Place::HomeOf(folder), bytes }
    }

    pub(crate) fn of_uploads(account: AccountId, bytes: i64) -> Growth {
        Growth { place: Place::UploadsOf(account), bytes }
    }
}

/// Refuses a change by which a member or a team folder holds more than its share, and more than before.
pub(crate) async fn check(tx: &mut Tx) -> Result<(), Error> {
    let grown = std::mem::take(&mut tx.grown);
    if tx.counters.member_quota_count == 0 {
        return Ok(());
    }
    let mut members: Vec<(AccountId, i64)> = Vec::new();
    for growth in grown {
        let owner = match growth.place {
            Place::UploadsOf(account) => Some(account),
            Place::HomeOf(folder) => owner_of(tx, folder).await?,
        };
        let Some(owner) = owner else { continue };
        match members.iter_mut().find(|(known, _)| *known == owner) {
            Some((_, bytes)) => *bytes += growth.bytes,
            None => members.push((owner, growth.bytes)),
        }
    }
    for (member, bytes) in members.into_iter().filter(|(_, bytes)| *bytes > 0) {
        let row = tx.row(QUOTA, &[member.into()]).await?;
        let Some(quota_bytes) = row.maybe_int(0)? else { continue };
        let held_bytes = held(&mut tx.connection, member).await?;
        if held_bytes > quota_bytes {
            let room = u64::try_from(quota_bytes - (held_bytes - bytes)).unwrap_or(0);
            return Err(Error::OverQuota { available_bytes: room });
        }
    }
    Ok(())
}

/// Whose home or which team folder the folder is in; nobody's in a trash.
async fn owner_of(tx: &mut Tx, folder: FileId) -> Result<Option<AccountId>, Error> {
    let row = tx.maybe(OWNER, &[folder.into()]).await?;
    row.map(|row| row.int(0).map(AccountId)).transpose()
}

/// Bytes that the member, or the team folder of that number, holds.
pub(crate) async fn held(connection: &mut Connection, member: AccountId) -> Result<i64, Error> {
    connection.row(HELD, &[member.into()]).await?.int(0)
}

/// Keeps count of the accounts and team folders that have a quota: without any, nobody looks.
pub(crate) fn recount(tx: &mut Tx, before: Option<u64>, after: Option<u64>) {
    tx.counters.member_quota_count += i64::from(after.is_some()) - i64::from(before.is_some());
}

impl Space {
    /// Bytes that the account's files, calendars, address books and unfinished uploads hold.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn held_bytes(&self, account: &Account) -> Result<u64, Error> {
        let held = held(&mut *self.core().reader().await?, account.id).await?;
        Ok(u64::try_from(held).unwrap_or(0))
    }

    /// The same of every account, and the pool's own: by account, as far as they hold anything.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn held_bytes_of_all(&self) -> Result<Vec<(AccountId, u64)>, Error> {
        let rows = self.core().reader().await?.all(HELD_BY_ALL, &[]).await?;
        rows.iter().map(|row| Ok((AccountId(row.int(0)?), row.count(1)?))).collect()
    }
}

/// What a member with a share of `quota_bytes` may still write, given what the pool still takes.
pub(crate) fn room(quota_bytes: u64, held_bytes: i64, pool_bytes: u64) -> u64 {
    let own = u64::try_from(signed(quota_bytes) - held_bytes).unwrap_or(0);
    own.min(pool_bytes)
}

/// Loads onto nodes that are somebody else's, or a team folder's, what may be written there.
pub(crate) async fn add_quotas(connection: &mut Connection, quota_bytes: u64, nodes: &mut [Node]) -> Result<(), Error> {
    if nodes.iter().all(|node| node.access.is_none()) {
        return Ok(());
    }
    let pool = pool(connection, quota_bytes).await?;
    let rows = if pool.has_shares { connection.all(LIMITED, &[]).await? } else { Vec::new() };
    let rooms = rows.iter().map(|row| Ok((AccountId(row.int(0)?), room(row.count(1)?, row.int(2)?, pool.bytes))));
    let rooms = rooms.collect::<Result<HashMap<AccountId, u64>, Error>>()?;
    for node in nodes {
        let Some(access) = &node.access else { continue };
        node.quota = Some(Quota {
            // What else the owner has is the owner's business.
            used_bytes: node.size_bytes,
            available_bytes: rooms.get(&access.owner).copied().unwrap_or(pool.bytes),
            pool_bytes: pool.bytes,
        });
    }
    Ok(())
}

/// The pool of a space.
pub(crate) struct Pool {
    /// Files and unfinished uploads of all.
    pub(crate) used: i64,
    /// What it still takes.
    pub(crate) bytes: u64,
    /// Whether anybody has a share of it.
    pub(crate) has_shares: bool,
}

pub(crate) async fn pool(connection: &mut Connection, quota_bytes: u64) -> Result<Pool, Error> {
    let row = connection.row(POOL, &[]).await?;
    let (used, reclaimable) = (row.int(0)?, row.int(1)?);
    let bytes = available_bytes(quota_bytes, used, reclaimable);
    Ok(Pool { used: used - reclaimable, bytes, has_shares: row.int(2)? > 0 })
}

const POOL: Sql = Sql("SELECT used_bytes, reclaimable_bytes, member_quota_count FROM space_state WHERE space_id = $1");

// The numbers of accounts and of team folders are of one kind.
const QUOTA: Sql = Sql("SELECT MAX(quota_bytes) FROM (
         SELECT quota_bytes FROM account WHERE space_id = $1 AND id = $2
         UNION ALL SELECT quota_bytes FROM team_folder WHERE space_id = $1 AND id = $2) AS holder");

const OWNER: Sql = Sql("WITH RECURSIVE up (id, parent_id) AS (
         SELECT id, parent_id FROM node WHERE space_id = $1 AND id = $2
         UNION ALL
         SELECT node.id, node.parent_id FROM node JOIN up ON node.id = up.parent_id WHERE node.space_id = $1
     )
     SELECT account.id FROM up JOIN account ON account.space_id = $1 AND account.home_id = up.id
     UNION ALL
     SELECT root.account_id FROM up JOIN root ON root.space_id = $1 AND root.node_id = up.id
     UNION ALL
     SELECT team_folder.id FROM up JOIN team_folder ON team_folder.space_id = $1 AND team_folder.node_id = up.id");

const HELD: Sql = Sql("SELECT CAST(COALESCE((
                SELECT SUM(node.size_bytes) FROM account
                  JOIN node ON node.space_id = $1 AND node.id = account.home_id
                 WHERE account.space_id = $1 AND account.id = $2), 0)
          + COALESCE((
                SELECT SUM(node.size_bytes) FROM root
                  JOIN node ON node.space_id = $1 AND node.id = root.node_id
                 WHERE root.space_id = $1 AND root.account_id = $2), 0)
          + COALESCE((
                SELECT SUM(chunk.size_bytes) FROM upload
                  JOIN chunk ON chunk.space_id = $1 AND chunk.upload_id = upload.id
                 WHERE upload.space_id = $1 AND upload.account_id = $2), 0)
          + COALESCE((
                SELECT SUM(node.size_bytes) FROM team_folder
                  JOIN node ON node.space_id = $1 AND node.id = team_folder.node_id
                 WHERE team_folder.space_id = $1 AND team_folder.id = $2), 0) AS BIGINT)");

const LIMITED: Sql = Sql("SELECT account.id, account.quota_bytes, CAST(COALESCE((
                SELECT node.size_bytes FROM node WHERE node.space_id = $1 AND node.id = account.home_id), 0)
          + COALESCE((
                SELECT SUM(node.size_bytes) FROM root
                  JOIN node ON node.space_id = $1 AND node.id = root.node_id
                 WHERE root.space_id = $1 AND root.account_id = account.id), 0)
          + COALESCE((
                SELECT SUM(chunk.size_bytes) FROM upload
                  JOIN chunk ON chunk.space_id = $1 AND chunk.upload_id = upload.id
                 WHERE upload.space_id = $1 AND upload.account_id = account.id), 0) AS BIGINT)
       FROM account WHERE account.space_id = $1 AND account.quota_bytes IS NOT NULL
     UNION ALL
     SELECT team_folder.id, team_folder.quota_bytes, node.size_bytes
       FROM team_folder JOIN node ON node.space_id = $1 AND node.id = team_folder.node_id
      WHERE team_folder.space_id = $1 AND team_folder.quota_bytes IS NOT NULL");

const HELD_BY_ALL: Sql = Sql("SELECT held.account_id, CAST(SUM(held.size_bytes) AS BIGINT) FROM (
         SELECT account.id AS account_id, node.size_bytes AS size_bytes FROM account
           JOIN node ON node.space_id = $1 AND node.id = account.home_id WHERE account.space_id = $1
         UNION ALL
         SELECT root.account_id, node.size_bytes FROM root
           JOIN node ON node.space_id = $1 AND node.id = root.node_id WHERE root.space_id = $1
         UNION ALL
         SELECT upload.account_id, chunk.size_bytes FROM upload
           JOIN chunk ON chunk.space_id = $1 AND chunk.upload_id = upload.id WHERE upload.space_id = $1) AS held
      GROUP BY held.account_id ORDER BY held.account_id");

pub(crate) const STATEMENTS: &[Sql] = &[POOL, QUOTA, OWNER, HELD, LIMITED, HELD_BY_ALL];
