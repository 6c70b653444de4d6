//! How long the past is kept: trash, versions, unfinished uploads, the change log, and blobs nobody refers to.
//! Policy lives in the limits; what falls out of it goes in small steps, each a change of its own.

use std::sync::Arc;

use crate::change;
use crate::error::Error;
use crate::node::{ContentId, FileId};
use crate::reach;
use crate::row::PURGED;
use crate::space::SpaceCore;
use crate::sql::{Row, Sql};
use crate::tx::Tx;

/// Rows that one step removes: what the writer does between two changes of members.
const STEP_ROWS: i64 = 200;

/// Frees at least `needed` bytes of trash and versions, oldest first.
pub(crate) async fn reclaim(tx: &mut Tx, needed: i64) -> Result<(), Error> {
    let target = tx.counters.used_bytes - needed;
    while tx.counters.used_bytes > target {
        let trashed = tx.maybe(OLDEST_TRASH, &[]).await?;
        let version = tx.maybe(OLDEST_VERSION, &[]).await?;
        match (trashed, version) {
            (Some(trashed), Some(version)) if trashed.int(2)? <= version.int(3)? => purge_trashed(tx, &trashed).await?,
            (_, Some(version)) => drop_version(tx, &kept(&version)?).await?,
            (Some(trashed), None) => purge_trashed(tx, &trashed).await?,
            (None, None) => return Ok(()),
        }
    }
    Ok(())
}

/// A version that is kept: what its end has to know of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) id: i64,
    pub(crate) content: ContentId,
    pub(crate) size_bytes: u64,
    /// It does not give way, and so counts as files do.
    pub(crate) is_labelled: bool,
}

/// `row`: id, content, size, instant, whether it has a label.
fn kept(row: &Row) -> Result<Kept, Error> {
    Ok(Kept { id: row.int(0)?, content: ContentId(row.int(1)?), size_bytes: row.count(2)?, is_labelled: row.truth(4)? })
}

/// Forgets one version.
pub(crate) async fn drop_version(tx: &mut Tx, version: &Kept) -> Result<(), Error> {
    tx.one(DELETE_VERSION, &[version.id.into()]).await?;
    if version.is_labelled {
        tx.refund(version.size_bytes);
    } else {
        tx.refund_reclaimed(version.size_bytes);
    }
    tx.release(version.content).await
}

/// `row`: node, size, instant. The entry leaves the trash at once; its rows go step by step.
async fn purge_trashed(tx: &mut Tx, row: &Row) -> Result<(), Error> {
    tx.advance();
    let id = row.int(0)?;
    let trash = tx.row(PARENT_OF, &[id.into()]).await?.int(0)?;
    tx.one(PURGE, &[id.into(), PURGED.into(), id.to_string().into()]).await?;
    tx.run(FORGET_TRASH, &[id.into()]).await?;
    tx.run(FORGET_TRASH_VIEWS, &[id.into()]).await?;
    let size = row.count(1)?;
    tx.refund_reclaimed(size);
    tx.touch(FileId(trash), -crate::tx::signed(size)).await
}

/// Takes one node out of the trash for good.
pub(crate) async fn purge(tx: &mut Tx, node: FileId) -> Result<(), Error> {
    let row = tx.row(IN_TRASH, &[node.into()]).await?;
    purge_trashed(tx, &row).await
}

/// Carries out the policy on one space until nothing is due: run now and then for spaces in use.
pub(crate) async fn maintain(core: &Arc<SpaceCore>) -> Result<(), Error> {
    while core.write(|tx| Box::pin(expire(tx))).await? {}
    while core.write(|tx| Box::pin(purge_step(tx))).await? {}
    collect(core).await
}

/// One step of expiry; says whether more may be due.
async fn expire(tx: &mut Tx) -> Result<bool, Error> {
    let limits = Arc::clone(&tx.core.limits);
    let now = tx.now();
    let mut done = 0;
    for row in tx.all(EXPIRED_TRASH, &[now.plus_seconds(-limits.trash_days * DAY).into(), STEP_ROWS.into()]).await? {
        purge_trashed(tx, &row).await?;
        done += 1;
    }
    done += crate::departure::expire(tx).await?;
    let before = now.plus_seconds(-limits.version_days * DAY);
    for row in tx.all(EXPIRED_VERSIONS, &[before.into(), STEP_ROWS.into()]).await? {
        drop_version(tx, &kept(&row)?).await?;
        done += 1;
    }
    let before = now.plus_seconds(-limits.upload_expiry_seconds);
    for row in tx.all(EXPIRED_UPLOADS, &[before.into(), STEP_ROWS.into()]).await? {
        change::abort_upload(tx, row.int(0)?).await?;
        done += 1;
    }
    tx.run(FORGET_FINISHED, &[before.into()]).await?;
    crate::lock::forget_expired(tx).await?;
    tx.run(crate::push::EXPIRE, &[now.into()]).await?;
    crate::notification::expire(tx).await?;
    crate::activity::expire(tx).await?;
    crate::audit::expire(tx).await?;
    crate::grant::expire(tx).await?;
    trim_log(tx, now.plus_seconds(-limits.change_log_days * DAY).into()).await?;
    Ok(done > 0)
}

/// Forgets the log before `before` and raises the floor under which sync tokens are stale: promise 10.
async fn trim_log(tx: &mut Tx, before: crate::sql::Value) -> Result<(), Error> {
    let newest = tx.row(NEWEST_EXPIRED_LOG, std::slice::from_ref(&before)).await?.maybe_int(0)?;
    if let Some(newest) = newest {
        tx.run(TRIM_LOG, &[newest.into()]).await?;
        tx.counters.log_floor = tx.counters.log_floor.max(newest);
    }
    Ok(())
}

/// Removes some rows of what was deleted for good; says whether more is left. Leaves first: members go before
/// their folder, so that a crash never leaves rows that nothing leads to.
async fn purge_step(tx: &mut Tx) -> Result<bool, Error> {
    let tops = tx.all(MEMBERS, &[PURGED.into(), STEP_ROWS.into()]).await?;
    for top in &tops {
        let (id, is_folder) = (top.int(0)?, top.truth(1)?);
        if is_folder {
            let members = tx.all(MEMBERS, &[id.into(), STEP_ROWS.into()]).await?;
            for member in &members {
                // Each member becomes a top of its own; its turn comes.
                let member = member.int(0)?;
                tx.one(PURGE, &[member.into(), PURGED.into(), member.to_string().into()]).await?;
            }
            if members.len() as i64 == STEP_ROWS {
                continue;
            }
        }
        remove_node(tx, top).await?;
    }
    Ok(!tops.is_empty())
}

/// `row`: id, is_folder, content.
async fn remove_node(tx: &mut Tx, row: &Row) -> Result<(), Error> {
    let id = row.int(0)?;
    for version in tx.all(VERSIONS_OF, &[id.into()]).await? {
        drop_version(tx, &kept(&version)?).await?;
    }
    for forget in [
        FORGET_PROPERTIES,
        FORGET_MEMBER,
        FORGET_FAVOURITES,
        crate::tag::FORGET_NODE,
        crate::comment::FORGET_NODE_READ,
        FORGET_NODE_LOCKS,
        FORGET_ANSWERS,
        FORGET_SHARES,
        FORGET_PUBLICATION,
        FORGET_TRASH_VIEWS,
        FORGET_LINKS,
        FORGET_NODE,
    ] {
        tx.run(forget, &[id.into()]).await?;
    }
    if tx.run(crate::comment::FORGET_NODE, &[id.into()]).await? > 0 {
        // What was said of it is told nobody any more.
        for forget in [crate::activity::FORGET_COMMENTS_OF, crate::notification::FORGET_NODE] {
            tx.run(forget, &[id.into()]).await?;
        }
    }
    match row.maybe_int(2)? {
        Some(content) => tx.release(ContentId(content)).await,
        None => Ok(()),
    }
}

/// Removes blobs that nothing refers to and whose time has come; none while a backup copies what it saw. Marked first, so that no change can use one that
/// is on its way out; the row goes last, so that a crash forgets nothing.
pub(crate) async fn collect(core: &Arc<SpaceCore>) -> Result<(), Error> {
    loop {
        let due = core.write(|tx| Box::pin(mark_due(tx))).await?;
        if due.is_empty() {
            return Ok(());
        }
        for key in &due {
            core.blobs.delete(key).await?;
        }
        // Else a power cut could bring back a blob whose row is gone.
        core.blobs.settle_deleted(&due).await?;
        core.write(move |tx| {
            Box::pin(async move {
                for key in due {
                    tx.run(FORGET_INTENT, &[key.into()]).await?;
                }
                Ok(())
            })
        })
        .await?;
    }
}

async fn mark_due(tx: &mut Tx) -> Result<Vec<String>, Error> {
    let rows = tx.all(reach::COLLECTABLE, &[tx.now().into(), STEP_ROWS.into()]).await?;
    let keys = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
    for key in &keys {
        tx.one(MARK_INTENT, &[key.as_str().into()]).await?;
    }
    Ok(keys)
}

const DAY: i64 = 24 * 3600;

const OLDEST_TRASH: Sql = Sql("SELECT trash.node_id, node.size_bytes, trash.deleted_us
       FROM trash JOIN node ON node.space_id = $1 AND node.id = trash.node_id
      WHERE trash.space_id = $1 ORDER BY trash.deleted_us LIMIT 1");

const IN_TRASH: Sql = Sql("SELECT trash.node_id, node.size_bytes, trash.deleted_us
       FROM trash JOIN node ON node.space_id = $1 AND node.id = trash.node_id
      WHERE trash.space_id = $1 AND trash.node_id = $2");

const EXPIRED_TRASH: Sql = Sql("SELECT trash.node_id, node.size_bytes, trash.deleted_us
       FROM trash JOIN node ON node.space_id = $1 AND node.id = trash.node_id
      WHERE trash.space_id = $1 AND trash.deleted_us < $2 ORDER BY trash.deleted_us LIMIT $3");

const OLDEST_VERSION: Sql = Sql("SELECT id, content_id, size_bytes, created_us, CAST(0 AS BIGINT) FROM version
      WHERE space_id = $1 AND label IS NULL ORDER BY created_us LIMIT 1");

const VERSIONS_OF: Sql = Sql("SELECT id, content_id, size_bytes, created_us,
            CASE WHEN label IS NULL THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END
       FROM version WHERE space_id = $1 AND node_id = $2");

const EXPIRED_VERSIONS: Sql = Sql("SELECT id, content_id, size_bytes, created_us, CAST(0 AS BIGINT) FROM version
      WHERE space_id = $1 AND created_us < $2 AND label IS NULL ORDER BY created_us LIMIT $3");

const EXPIRED_UPLOADS: Sql = Sql("SELECT id FROM upload WHERE space_id = $1 AND touched_us < $2 LIMIT $3");

const DELETE_VERSION: Sql = Sql("DELETE FROM version WHERE space_id = $1 AND id = $2");

const PARENT_OF: Sql = Sql("SELECT parent_id FROM node WHERE space_id = $1 AND id = $2");

const PURGE: Sql = Sql("UPDATE node SET parent_id = $3, name = $4 WHERE space_id = $1 AND id = $2");

const FORGET_TRASH: Sql = Sql("DELETE FROM trash WHERE space_id = $1 AND node_id = $2");

const FORGET_FINISHED: Sql = Sql("DELETE FROM finished_upload WHERE space_id = $1 AND finished_us < $2");

const NEWEST_EXPIRED_LOG: Sql = Sql("SELECT MAX(change_seq) FROM change_log WHERE space_id = $1 AND logged_us < $2");

const TRIM_LOG: Sql = Sql("DELETE FROM change_log WHERE space_id = $1 AND change_seq <= $2");

const MEMBERS: Sql =
    Sql("SELECT id, is_folder, content_id FROM node WHERE space_id = $1 AND parent_id = $2 ORDER BY id LIMIT $3");

const FORGET_PROPERTIES: Sql = Sql("DELETE FROM dead_property WHERE space_id = $1 AND node_id = $2");

const FORGET_MEMBER: Sql = Sql("DELETE FROM member WHERE space_id = $1 AND node_id = $2");

const FORGET_FAVOURITES: Sql = Sql("DELETE FROM favourite WHERE space_id = $1 AND node_id = $2");

const FORGET_NODE_LOCKS: Sql = Sql("DELETE FROM lock WHERE space_id = $1 AND node_id = $2");

const FORGET_ANSWERS: Sql = Sql("DELETE FROM share_answer WHERE space_id = $1 AND share_id IN
     (SELECT id FROM share WHERE space_id = $1 AND node_id = $2)");

const FORGET_SHARES: Sql = Sql("DELETE FROM share WHERE space_id = $1 AND node_id = $2");

const FORGET_PUBLICATION: Sql = Sql("DELETE FROM publication WHERE space_id = $1 AND node_id = $2");

const FORGET_TRASH_VIEWS: Sql = Sql("DELETE FROM trash_view WHERE space_id = $1 AND node_id = $2");

const FORGET_LINKS: Sql = Sql("DELETE FROM link WHERE space_id = $1 AND node_id = $2");

const FORGET_NODE: Sql = Sql("DELETE FROM node WHERE space_id = $1 AND id = $2");

const MARK_INTENT: Sql = Sql("UPDATE intent SET is_collecting = 1 WHERE space_id = $1 AND blob_key = $2");

const FORGET_INTENT: Sql = Sql("DELETE FROM intent WHERE space_id = $1 AND blob_key = $2 AND is_collecting = 1");

pub(crate) const STATEMENTS: &[Sql] = &[
    OLDEST_TRASH,
    IN_TRASH,
    EXPIRED_TRASH,
    OLDEST_VERSION,
    VERSIONS_OF,
    EXPIRED_VERSIONS,
    EXPIRED_UPLOADS,
    DELETE_VERSION,
    PARENT_OF,
    PURGE,
    FORGET_TRASH,
    FORGET_FINISHED,
    NEWEST_EXPIRED_LOG,
    TRIM_LOG,
    MEMBERS,
    FORGET_PROPERTIES,
    FORGET_MEMBER,
    FORGET_FAVOURITES,
    FORGET_NODE_LOCKS,
    FORGET_ANSWERS,
    FORGET_SHARES,
    FORGET_PUBLICATION,
    FORGET_TRASH_VIEWS,
    FORGET_LINKS,
    FORGET_NODE,
    MARK_INTENT,
    FORGET_INTENT,
];
