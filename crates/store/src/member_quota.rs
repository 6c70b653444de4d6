//! A member's own share of the pool: what her files, calendars, address books and unfinished uploads may hold together.
//! Trash and versions do not count here; they give way in the pool.
//!
//! Nothing is counted twice: a home's size stands on its root, kept in the transaction of each change (promise 7).
//! What a change added where is noted while it runs, and looked at when it has run, whatever kind of change it was.

use crate::account::Account;
use crate::error::Error;
use crate::node::{AccountId, FileId};
use crate::space::Space;
use crate::sql::{Connection, Sql};
use crate::tx::{Tx, signed};

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

/// Refuses a change by which a member holds more than her share, and more than before.
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
            let available_bytes = u64::try_from(quota_bytes - (held_bytes - bytes)).unwrap_or(0);
            return Err(Error::OverQuota { available_bytes });
        }
    }
    Ok(())
}

/// Whose home the folder is in; nobody's in a trash.
async fn owner_of(tx: &mut Tx, folder: FileId) -> Result<Option<AccountId>, Error> {
    let row = tx.maybe(OWNER, &[folder.into()]).await?;
    row.map(|row| row.int(0).map(AccountId)).transpose()
}

/// Bytes that the member holds.
pub(crate) async fn held(connection: &mut Connection, member: AccountId) -> Result<i64, Error> {
    connection.row(HELD, &[member.into()]).await?.int(0)
}

/// Keeps count of the accounts that have a quota: without any, nobody looks.
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

const QUOTA: Sql = Sql("SELECT MAX(quota_bytes) FROM account WHERE space_id = $1 AND id = $2");

const OWNER: Sql = Sql("WITH RECURSIVE up (id, parent_id) AS (
         SELECT id, parent_id FROM node WHERE space_id = $1 AND id = $2
         UNION ALL
         SELECT node.id, node.parent_id FROM node JOIN up ON node.id = up.parent_id WHERE node.space_id = $1
     )
     SELECT account.id FROM up JOIN account ON account.space_id = $1 AND account.home_id = up.id
     UNION ALL
     SELECT root.account_id FROM up JOIN root ON root.space_id = $1 AND root.node_id = up.id");

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
                 WHERE upload.space_id = $1 AND upload.account_id = $2), 0) AS BIGINT)");

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

pub(crate) const STATEMENTS: &[Sql] = &[QUOTA, OWNER, HELD, HELD_BY_ALL];
