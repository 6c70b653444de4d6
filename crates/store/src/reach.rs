//! What is reachable: metadata against blobs and back (fsck), and the end of a space.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::PgPool;

use crate::backup::{cause, lock_file, restoring_file};
use crate::blob::Blobs;
use crate::checksum::hex;
use crate::error::Error;
use crate::garbage::LeftOver;
use crate::open_space::{Engine, file_of};
use crate::scrub::Budget;
use crate::space::SpaceCore;
use crate::sql::{Connection, Sql};
use crate::store::{CheckReport, remove_database};
use crate::tables::TABLES;

/// Whether the space was ever used, without using it.
pub(crate) async fn was_used(core: &SpaceCore) -> bool {
    match core.engine.as_ref() {
        Engine::Sqlite { directory, .. } => tokio::fs::try_exists(file_of(directory, core)).await.unwrap_or(false),
        Engine::Postgres(pool) => match pool.acquire().await {
            Ok(raw) => matches!(Connection::postgres(raw, Some(core.id)).maybe(HAS_STATE, &[]).await, Ok(Some(_))),
            Err(_) => false,
        },
    }
}

/// What the keys of all blobs of all spaces begin with.
pub(crate) const SPACES: &str = "spaces";

/// The key prefix of the space's blobs.
pub(crate) fn blob_prefix(core: &SpaceCore) -> String {
    format!("{SPACES}/{}", core.uuid)
}

/// Removes every row and every blob of a space that the catalogue has forgotten.
pub(crate) async fn delete_everything(core: &Arc<SpaceCore>) -> Result<(), Error> {
    if let Some(opened) = core.opened.lock().await.take() {
        match Arc::try_unwrap(opened) {
            Ok(opened) => opened.close().await,
            Err(used) => drop(used), // requests under way keep their files until they end
        }
    }
    match core.engine.as_ref() {
        Engine::Sqlite { directory, .. } => {
            // Beside its file, what a restore or a backup that were cut off may have left.
            for file in [file_of(directory, core), restoring_file(directory, core), lock_file(directory, core)] {
                remove_database(&file).await?;
            }
        }
        Engine::Postgres(pool) => delete_rows(pool, core.id).await?,
    }
    delete_blobs_below(&core.blobs, &blob_prefix(core)).await
}

/// Removes every row of a space that the catalogue does not know.
pub(crate) async fn delete_rows(pool: &PgPool, id: i64) -> Result<(), Error> {
    let mut connection = Connection::postgres(pool.acquire().await?, Some(id));
    connection.begin().await?;
    for table in TABLES.iter() {
        connection.run(table.delete, &[]).await?;
    }
    connection.script("COMMIT").await
}

/// Removes every blob of a space that the catalogue does not know, and what was being written of them.
pub(crate) async fn delete_blobs_below(blobs: &Blobs, prefix: &str) -> Result<(), Error> {
    let mut listing = blobs.list(prefix);
    while let Some(blob) = listing.next().await {
        blobs.delete(&blob?.0).await?;
    }
    blobs.remove_folder(prefix).await
}

/// Looks for anything that contradicts itself. Works on a snapshot of the metadata; blobs newer than it are no concern.
pub(crate) async fn check(core: &Arc<SpaceCore>, is_deep: bool) -> Result<CheckReport, Error> {
    if !was_used(core).await {
        return Ok(CheckReport::default());
    }
    // A crash may have come between its file and its first row: what anybody's use of it would mend is no finding.
    drop(core.reader().await?);
    let on_disk = listed(core).await?;
    let reading = Arc::clone(core);
    core.aside(async move { check_snapshot(&reading, &on_disk, is_deep).await }).await
}

/// Every blob of the space, with its size.
async fn listed(core: &SpaceCore) -> Result<HashMap<String, u64>, Error> {
    core.blobs.list(&blob_prefix(core)).try_collect().await
}

/// Blobs of the space that no row names, and what was left of their writing.
pub(crate) async fn left_over(core: &Arc<SpaceCore>) -> Result<Vec<LeftOver>, Error> {
    drop(core.reader().await?);
    let mut found = listed(core).await?;
    let staged = core.blobs.staged_below(&blob_prefix(core)).await?;
    for key in &staged {
        found.entry(key.clone()).or_insert(0);
    }
    // Later than the listing: whatever is to be a blob is named before it is one.
    let reading = Arc::clone(core);
    let named = core.aside(async move {
        let mut reader = reading.connect_aside().await?;
        reader.begin_snapshot().await?;
        let reached = Reached::read(&mut reader).await;
        reader.script("ROLLBACK").await?;
        reader.close().await;
        reached
    });
    let named = named.await?;
    let mut left = Vec::new();
    for (key, size_bytes) in found.into_iter().filter(|(key, _)| !named.names(key)) {
        // The collector removes a blob first and forgets it then.
        if staged.contains(&key) || core.blobs.size(&key).await?.is_some() {
            left.push(LeftOver { key, size_bytes });
        }
    }
    left.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(left)
}

async fn check_snapshot(
    core: &Arc<SpaceCore>,
    on_disk: &HashMap<String, u64>,
    is_deep: bool,
) -> Result<CheckReport, Error> {
    let mut report = CheckReport::default();
    let mut reader = core.connect_aside().await?;
    reader.begin_snapshot().await?;
    let checked = async {
        rules(&mut reader, &mut report).await?;
        pool(&mut reader, &mut report).await?;
        Reached::read(&mut reader).await
    }
    .await;
    reader.script("ROLLBACK").await?;
    let reached = checked?;
    for key in reached.used.keys().filter(|key| reached.intended.contains(*key)) {
        report.problems.push(format!("blob {key} is in use and noted as to be removed"));
    }
    // Reading all blobs may take hours: as long as a snapshot is held, SQLite's log only grows.
    report.checked += reached.used.len() as u64;
    let suspects = suspects(core, &reached, on_disk, is_deep).await?;
    if !suspects.is_empty() {
        // In that time, some may have gone as they should.
        reader.begin_snapshot().await?;
        let reached = Reached::read(&mut reader).await;
        reader.script("ROLLBACK").await?;
        let reached = reached?;
        for suspect in suspects {
            if suspect.is_problem(core, &reached).await? {
                report.problems.push(suspect.problem);
            }
        }
    }
    reader.close().await;
    Ok(report)
}

/// What contradicts itself in the rows alone, at one moment, and after which change that was. `looks_at_structure`: also whether an
/// SQLite file is built as it should, for which all of it is read.
pub(crate) async fn metadata(core: &Arc<SpaceCore>, looks_at_structure: bool) -> Result<(i64, Vec<String>), Error> {
    // Brings it up to date first.
    drop(core.reader().await?);
    let reading = Arc::clone(core);
    core.aside(async move {
        let mut report = CheckReport::default();
        let mut reader = reading.connect_aside().await?;
        reader.begin_snapshot().await?;
        let checked = async {
            rules(&mut reader, &mut report).await?;
            pool(&mut reader, &mut report).await?;
            if looks_at_structure && reader.is_own() {
                structure(&mut reader, &mut report).await?;
            }
            reader.row(HAS_STATE, &[]).await?.int(0)
        }
        .await;
        reader.script("ROLLBACK").await?;
        reader.close().await;
        Ok((checked?, report.problems))
    })
    .await
}

async fn structure(reader: &mut Connection, report: &mut CheckReport) -> Result<(), Error> {
    for row in reader.all(Sql("PRAGMA quick_check(20)"), &[]).await? {
        let found = row.text(0)?;
        if found != "ok" {
            report.problems.push(format!("the database's file: {}", found.replace('\n', " ")));
        }
    }
    Ok(())
}

/// The blobs that rows name, at one moment.
struct Reached {
    /// Size and digest of what is in use.
    used: HashMap<String, (u64, Vec<u8>)>,
    /// What is on its way in or out.
    intended: HashSet<String>,
}

impl Reached {
    async fn read(reader: &mut Connection) -> Result<Reached, Error> {
        let mut used = HashMap::new();
        for row in reader.all(BLOBS, &[]).await? {
            used.insert(row.text(0)?, (row.count(1)?, row.bytes(2)?));
        }
        let intended = reader.all(INTENTS, &[]).await?;
        let intended = intended.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
        Ok(Reached { used, intended })
    }

    fn names(&self, key: &str) -> bool {
        self.used.contains_key(key) || self.intended.contains(key)
    }
}

/// A blob that looked wrong at one moment.
struct Suspect {
    key: String,
    problem: String,
    /// It is there and nothing refers to it; otherwise something refers to it, and it is not there as it should.
    is_left_over: bool,
}

impl Suspect {
    /// Whether it is wrong at a later moment too.
    async fn is_problem(&self, core: &SpaceCore, reached: &Reached) -> Result<bool, Error> {
        if !self.is_left_over {
            return Ok(reached.used.contains_key(&self.key));
        }
        // The collector removes a blob first and forgets it then.
        Ok(!reached.names(&self.key) && core.blobs.size(&self.key).await?.is_some())
    }
}

/// Each statement lists what breaks a rule: ids, and two numbers that should agree.
async fn rules(reader: &mut Connection, report: &mut CheckReport) -> Result<(), Error> {
    for (rule, sql) in RULES {
        for row in reader.all(*sql, &[]).await? {
            report.problems.push(format!("{rule}: {} has {}, should have {}", row.int(0)?, row.int(1)?, row.int(2)?));
        }
    }
    report.checked += reader.row(COUNT_NODES, &[]).await?.count(0)?;
    Ok(())
}

/// Promise 7: the counters are what a count finds.
async fn pool(reader: &mut Connection, report: &mut CheckReport) -> Result<(), Error> {
    let row = reader.row(POOL, &[]).await?;
    let (used, reclaimable, home, trash, versions, chunks, labelled) =
        (row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?, row.int(4)?, row.int(5)?, row.int(6)?);
    let counted = home + trash + versions + chunks;
    // What has a label does not give way.
    let gives_way = trash + versions - labelled;
    if used != counted {
        report.problems.push(format!("pool: used_bytes is {used}, a count finds {counted}"));
    }
    if reclaimable != gives_way {
        report.problems.push(format!("pool: reclaimable_bytes is {reclaimable}, a count finds {gives_way}"));
    }
    let (quotas, counted) = (row.int(7)?, row.int(8)?);
    if quotas != counted {
        report.problems.push(format!("quotas: member_quota_count is {quotas}, a count finds {counted}"));
    }
    Ok(())
}

async fn suspects(
    core: &SpaceCore,
    reached: &Reached,
    on_disk: &HashMap<String, u64>,
    is_deep: bool,
) -> Result<Vec<Suspect>, Error> {
    let mut suspects = Vec::new();
    for (key, (size_bytes, digest)) in &reached.used {
        // A blob written after the listing is not missing: look again.
        let found = match on_disk.get(key) {
            Some(found) => Some(*found),
            None => core.blobs.size(key).await?,
        };
        let problem = match is_deep {
            true => wrong_with_blob(core, key, found, *size_bytes, digest, None).await?,
            false => wrong_size(key, found, *size_bytes),
        };
        suspects.extend(problem.map(|problem| Suspect { key: key.clone(), problem, is_left_over: false }));
    }
    for key in on_disk.keys().filter(|key| !reached.names(key)) {
        let problem = format!("blob {key} is referred to by nothing");
        suspects.push(Suspect { key: key.clone(), problem, is_left_over: true });
    }
    Ok(suspects)
}

fn wrong_size(key: &str, found: Option<u64>, size_bytes: u64) -> Option<String> {
    match found {
        None => Some(format!("blob {key} is missing")),
        Some(found) if found != size_bytes => Some(format!("blob {key} has {found} bytes, should have {size_bytes}")),
        Some(_) => None,
    }
}

/// What is wrong with a blob that was found to have so many bytes; it is read for that.
pub(crate) async fn wrong_with_blob(
    core: &SpaceCore,
    key: &str,
    found: Option<u64>,
    size_bytes: u64,
    digest: &[u8],
    budget: Option<&Budget>,
) -> Result<Option<String>, Error> {
    if let Some(problem) = wrong_size(key, found, size_bytes) {
        return Ok(Some(problem));
    }
    match core.blobs.digest(key, budget).await {
        Ok(found) if found.as_slice() == digest => Ok(None),
        Ok(_) => Ok(Some(format!("blob {key} does not have its digest {}", hex(digest)))),
        Err(error) => match core.blobs.size(key).await? {
            None => Ok(Some(format!("blob {key} is missing"))),
            // It is there, and cannot be read, twice.
            Some(_) => match core.blobs.digest(key, budget).await {
                Ok(found) if found.as_slice() == digest => Ok(None),
                _ => Ok(Some(format!("blob {key} cannot be read: {}", cause(&error)))),
            },
        },
    }
}

const HAS_STATE: Sql = Sql("SELECT change_seq FROM space_state WHERE space_id = $1");

const COUNT_NODES: Sql = Sql("SELECT COUNT(*) FROM node WHERE space_id = $1");

const RULES: &[(&str, Sql)] = &[
    ("a node whose folder does not exist", Sql(
        "SELECT node.id, node.parent_id, CAST(0 AS BIGINT) FROM node
           LEFT JOIN node AS folder ON folder.space_id = $1 AND folder.id = node.parent_id AND folder.is_folder = 1
          WHERE node.space_id = $1 AND node.parent_id > 0 AND folder.id IS NULL",
    )),
    ("a folder whose size is not the sum of its members'", Sql(
        "SELECT folder.id, folder.size_bytes, CAST(COALESCE(SUM(node.size_bytes), 0) AS BIGINT)
           FROM node AS folder
           LEFT JOIN node ON node.space_id = $1 AND node.parent_id = folder.id
          WHERE folder.space_id = $1 AND folder.is_folder = 1 AND folder.parent_id >= 0
          GROUP BY folder.id, folder.size_bytes
         HAVING folder.size_bytes <> COALESCE(SUM(node.size_bytes), 0)",
    )),
    ("a folder older than its newest member", Sql(
        "SELECT folder.id, folder.etag, MAX(node.etag) FROM node AS folder
           JOIN node ON node.space_id = $1 AND node.parent_id = folder.id
          WHERE folder.space_id = $1 AND folder.parent_id >= 0
          GROUP BY folder.id, folder.etag HAVING folder.etag < MAX(node.etag)",
    )),
    ("a file whose size is not its content's", Sql(
        "SELECT node.id, node.size_bytes, COALESCE(content.size_bytes, 0) FROM node
           LEFT JOIN content ON content.space_id = $1 AND content.id = node.content_id
          WHERE node.space_id = $1 AND node.is_folder = 0 AND node.size_bytes <> COALESCE(content.size_bytes, 0)",
    )),
    ("a content whose references are not counted right", Sql(
        "SELECT content.id, content.reference_count, COALESCE(nodes.times, 0) + COALESCE(versions.times, 0)
           FROM content
           LEFT JOIN (SELECT content_id, COUNT(*) AS times FROM node WHERE space_id = $1 GROUP BY content_id) AS nodes
             ON nodes.content_id = content.id
           LEFT JOIN (SELECT content_id, COUNT(*) AS times FROM version WHERE space_id = $1 GROUP BY content_id) AS versions
             ON versions.content_id = content.id
          WHERE content.space_id = $1
            AND content.reference_count <> COALESCE(nodes.times, 0) + COALESCE(versions.times, 0)",
    )),
    ("a content whose pieces do not add up", Sql(
        "SELECT content.id, content.size_bytes, CAST(COALESCE(SUM(piece.size_bytes), 0) AS BIGINT) FROM content
           LEFT JOIN piece ON piece.space_id = $1 AND piece.content_id = content.id
          WHERE content.space_id = $1
          GROUP BY content.id, content.size_bytes
         HAVING content.size_bytes <> COALESCE(SUM(piece.size_bytes), 0)",
    )),
    ("a trash entry that is not in the trash", Sql(
        "SELECT trash.node_id, node.parent_id, COALESCE(account.trash_id, 0) FROM trash
           LEFT JOIN account ON account.space_id = $1 AND account.id = trash.account_id
           JOIN node ON node.space_id = $1 AND node.id = trash.node_id
          WHERE trash.space_id = $1 AND node.parent_id <> COALESCE(account.trash_id, 0)
            AND node.parent_id NOT IN (SELECT team_folder.trash_id FROM team_folder
                                        WHERE team_folder.space_id = $1 AND team_folder.id = trash.account_id)
            AND node.parent_id NOT IN (SELECT root.trash_id FROM root
                                        WHERE root.space_id = $1 AND root.account_id = trash.account_id)",
    )),
    ("a mount that is older than what it shows, or shows nothing", Sql(
        "SELECT node.id, node.etag, COALESCE(target.etag, 0) FROM node
           LEFT JOIN mount ON mount.space_id = $1 AND mount.node_id = node.id AND mount.target_id = node.target_id
           LEFT JOIN node AS target ON target.space_id = $1 AND target.id = mount.target_id
          WHERE node.space_id = $1 AND node.target_id IS NOT NULL
            AND (target.id IS NULL OR target.etag > node.etag AND NOT EXISTS (
                    SELECT 1 FROM mount AS inner_mount
                     WHERE inner_mount.space_id = $1 AND inner_mount.account_id = mount.owner_id))",
    )),
    ("a mount that nothing is shared through, or that allows other than what is shared", Sql(
        "SELECT mount.node_id, mount.permissions,
                COALESCE(MAX(share.permissions & 1) + MAX(share.permissions & 2) + MAX(share.permissions & 4)
                       + MAX(share.permissions & 8) + MAX(share.permissions & 16), -1) FROM mount
           LEFT JOIN share ON share.space_id = $1 AND share.node_id = mount.target_id AND share.share_type < 2
                          AND share.owner_id <> mount.account_id AND share.initiator_id <> mount.account_id
                          AND (share.sharee_id IN (mount.account_id, 0) OR EXISTS (
                                  SELECT 1 FROM membership
                                   WHERE membership.space_id = $1 AND membership.group_id = share.sharee_id
                                     AND membership.account_id = mount.account_id))
                          AND NOT EXISTS (SELECT 1 FROM share_answer
                                           WHERE share_answer.space_id = $1 AND share_answer.share_id = share.id
                                             AND share_answer.account_id = mount.account_id
                                             AND share_answer.is_accepted = 0)
          WHERE mount.space_id = $1
            AND NOT EXISTS (SELECT 1 FROM team_folder
                             WHERE team_folder.space_id = $1 AND team_folder.node_id = mount.target_id)
          GROUP BY mount.node_id, mount.permissions
         HAVING mount.permissions <>
                COALESCE(MAX(share.permissions & 1) + MAX(share.permissions & 2) + MAX(share.permissions & 4)
                       + MAX(share.permissions & 8) + MAX(share.permissions & 16), -1)",
    )),
    ("mounts that are not counted right", Sql(
        "SELECT space_id, mount_count, (SELECT COUNT(*) FROM mount WHERE mount.space_id = $1) FROM space_state
          WHERE space_id = $1 AND mount_count <> (SELECT COUNT(*) FROM mount WHERE mount.space_id = $1)",
    )),
    ("a member that is indexed in another collection than the one it is in", Sql(
        "SELECT member.node_id, member.collection_id, node.parent_id FROM member
           JOIN node ON node.space_id = $1 AND node.id = member.node_id
          WHERE member.space_id = $1 AND node.parent_id > 0 AND member.collection_id <> node.parent_id",
    )),
    ("a member without its index", Sql(
        "SELECT node.id, CAST(0 AS BIGINT), CAST(1 AS BIGINT) FROM node
           JOIN node AS folder ON folder.space_id = $1 AND folder.id = node.parent_id
                              AND folder.collection IS NOT NULL
           LEFT JOIN member ON member.space_id = $1 AND member.node_id = node.id
          WHERE node.space_id = $1 AND node.is_folder = 0 AND member.node_id IS NULL",
    )),
];

const POOL: Sql = Sql("SELECT used_bytes, reclaimable_bytes,
            (SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM node WHERE space_id = $1 AND id IN (
                 SELECT home_id FROM account WHERE space_id = $1
                 UNION ALL SELECT node_id FROM root WHERE space_id = $1
                 UNION ALL SELECT node_id FROM team_folder WHERE space_id = $1)),
            (SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM node WHERE space_id = $1 AND id IN (
                 SELECT trash_id FROM account WHERE space_id = $1
                 UNION ALL SELECT trash_id FROM root WHERE space_id = $1
                 UNION ALL SELECT trash_id FROM team_folder WHERE space_id = $1)),
            (SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM version WHERE space_id = $1),
            (SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM chunk WHERE space_id = $1),
            (SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM version
              WHERE space_id = $1 AND label IS NOT NULL),
            member_quota_count,
            (SELECT COUNT(*) FROM account WHERE space_id = $1 AND quota_bytes IS NOT NULL)
            + (SELECT COUNT(*) FROM team_folder WHERE space_id = $1 AND quota_bytes IS NOT NULL)
       FROM space_state WHERE space_id = $1");

/// Every blob that the space reaches: key, size, digest. What the check, backups and restores go by, as the collector goes by the next.
pub(crate) const BLOBS: Sql =
    Sql("SELECT blob_key, size_bytes, digest FROM piece WHERE space_id = $1 AND blob_key IS NOT NULL
     UNION ALL
     SELECT blob_key, size_bytes, digest FROM chunk WHERE space_id = $1 AND blob_key IS NOT NULL");

/// Blobs to be removed whose time has come. An intent says that nothing reaches them, and the rows are asked once more: a mistake
/// about that must not cost a file. None while a backup holds them.
pub(crate) const COLLECTABLE: Sql = Sql("SELECT blob_key FROM intent
      WHERE space_id = $1 AND collect_after_us < $2
        AND NOT EXISTS (SELECT 1 FROM space_state WHERE space_id = $1 AND blobs_held_until_us >= $2)
        AND NOT EXISTS (SELECT 1 FROM piece WHERE piece.space_id = $1 AND piece.blob_key = intent.blob_key)
        AND NOT EXISTS (SELECT 1 FROM chunk WHERE chunk.space_id = $1 AND chunk.blob_key = intent.blob_key)
      LIMIT $3");

const INTENTS: Sql = Sql("SELECT blob_key FROM intent WHERE space_id = $1");

/// The statements of this file, for the test that prepares them on both engines.
pub(crate) fn statements() -> impl Iterator<Item = Sql> {
    let plain = [HAS_STATE, COUNT_NODES, POOL, BLOBS, INTENTS, COLLECTABLE];
    RULES.iter().map(|(_, sql)| *sql).chain(plain)
}
