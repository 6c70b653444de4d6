//! What a file held before it is written to: kept as a version, under the second of its modification time, which is how
//! clients name it.

use crate::error::Error;
use crate::node::{ContentId, FileId, Node};
use crate::ports::Timestamp;
use crate::retention::{self, Kept};
use crate::sql::{Sql, Value};
use crate::thinning::{Aged, surplus};
use crate::tx::Tx;

/// Keeps what `node` holds as a version, which goes on counting against the pool; `next` is the modification time of what
/// comes instead. An empty state leaves none. Beyond what the age of each allows, and beyond the limit, others go.
pub(super) async fn keep_version(tx: &mut Tx, node: &Node, next: Timestamp) -> Result<(), Error> {
    let mut names = give_way(tx, node.id, next.seconds()).await?;
    if node.content.is_none() {
        return Ok(());
    }
    names.push(next.seconds());
    let args: [Value; 4] =
        [node.id.into(), tx.fresh_id().into(), tx.now().into(), free_second(&names, node.modified.seconds()).into()];
    if tx.row(INSERT_VERSION, &args).await?.maybe_text(0)?.is_none() {
        tx.make_reclaimable(node.size_bytes);
    }
    thin(tx, node.id).await
}

/// Gives another name to the version that has the name that the present state is about to get; all the names there are.
pub(super) async fn give_way(tx: &mut Tx, node: FileId, second: i64) -> Result<Vec<i64>, Error> {
    let rows = tx.all(NAMES, &[node.into()]).await?;
    let mut names = rows.iter().map(|row| row.int(1)).collect::<Result<Vec<_>, _>>()?;
    for (place, row) in rows.iter().enumerate() {
        if names[place] == second {
            let free = free_second(&names, second);
            tx.one(RENAME, &[row.int(0)?.into(), free.into()]).await?;
            names[place] = free;
        }
    }
    Ok(names)
}

/// The first second from `wanted` on that names nothing yet.
fn free_second(names: &[i64], wanted: i64) -> i64 {
    let mut second = wanted;
    while names.contains(&second) {
        second += 1;
    }
    second
}

/// Drops the versions of the file that are more than their age allows, and those beyond the limit, oldest first.
async fn thin(tx: &mut Tx, node: FileId) -> Result<(), Error> {
    let rows = tx.all(VERSIONS, &[node.into()]).await?;
    let mut versions = Vec::with_capacity(rows.len());
    for row in &rows {
        let version = Kept {
            id: row.int(0)?,
            content: ContentId(row.int(1)?),
            size_bytes: row.count(2)?,
            is_labelled: row.truth(3)?,
        };
        let aged = Aged {
            id: version.id,
            saved: Timestamp(row.int(4)?),
            author: row.maybe_int(5)?,
            is_labelled: version.is_labelled,
        };
        versions.push((version, aged));
    }
    let limits = std::sync::Arc::clone(&tx.core.limits);
    if limits.thins_versions {
        let ages: Vec<Aged> = versions.iter().map(|(_, aged)| *aged).collect();
        let goes = surplus(tx.now(), &ages);
        for (version, _) in versions.iter().filter(|(version, _)| goes.contains(&version.id)) {
            retention::drop_version(tx, version).await?;
        }
        versions.retain(|(version, _)| !goes.contains(&version.id));
    }
    let excess = versions.len().saturating_sub(usize::try_from(limits.versions_max).unwrap_or(usize::MAX));
    for (version, _) in versions.iter().filter(|(version, _)| !version.is_labelled).take(excess) {
        retention::drop_version(tx, version).await?;
    }
    Ok(())
}

const INSERT_VERSION: Sql =
    Sql("INSERT INTO version (space_id, id, node_id, content_id, size_bytes, modified_us, checksums, author_id, label,
                          created_us, named_seconds, saved_us)
     SELECT $1, $3, id, content_id, size_bytes, modified_us, checksums, author_id, version_label, $4, $5, uploaded_us
       FROM node WHERE space_id = $1 AND id = $2
     RETURNING label");

const NAMES: Sql = Sql("SELECT id, named_seconds FROM version WHERE space_id = $1 AND node_id = $2");

const RENAME: Sql = Sql("UPDATE version SET named_seconds = $3 WHERE space_id = $1 AND id = $2");

const VERSIONS: Sql = Sql("SELECT id, content_id, size_bytes,
            CASE WHEN label IS NULL THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END, saved_us, author_id
       FROM version WHERE space_id = $1 AND node_id = $2 ORDER BY id");

pub(super) const STATEMENTS: &[Sql] = &[INSERT_VERSION, NAMES, RENAME, VERSIONS];
