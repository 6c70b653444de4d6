//! One change at a time: what a change sees and does while it has the space's turn.
//!
//! A [`Tx`] exists only in the space's writer. The counters of `space_state` are held here while a group of
//! changes runs and go back to the row before the commit.

use crate::account::Account;
use crate::activity::{self, NewActivity};
use crate::audit::Actor;
use crate::collection::Area;
use crate::error::Error;
use crate::link::{self, LinkId};
use crate::member_quota::Growth;
use crate::moved::{Move, Moved, Quiet, Replaced};
use crate::node::{AccountId, ContentId, Etag, FileId};
use crate::open_space::Engine;
use crate::ports::Timestamp;
use crate::share::{Access, Root};
use crate::space::SpaceCore;
use crate::sql::{Connection, Row, Sql, Value};
use crate::upkeep;
use std::sync::Arc;

/// The counters of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) change_seq: i64,
    pub(crate) next_id: i64,
    /// All that counts: files, trash, versions, unfinished uploads.
    pub(crate) used_bytes: i64,
    /// The part of it that gives way to new files: trash and versions.
    pub(crate) reclaimable_bytes: i64,
    pub(crate) log_floor: i64,
    /// Mounts in the space: without any, nobody looks for one.
    pub(crate) mount_count: i64,
    /// Accounts with a share of the pool of their own: without any, nobody looks at what a change adds where.
    pub(crate) member_quota_count: i64,
    /// When the space is next looked at for what has expired.
    pub(crate) upkeep_due: Timestamp,
}

/// A change's view of its space.
pub struct Tx {
    pub(crate) connection: Connection,
    pub(crate) core: Arc<SpaceCore>,
    pub(crate) counters: Counters,
    pub(crate) quota_bytes: u64,
    now: Timestamp,
    /// What the group moved so far: told to who listens when it is committed.
    pub(crate) moved: Vec<(FileId, Move)>,
    /// What the change under way added to homes and uploads.
    pub(crate) grown: Vec<Growth>,
    /// Whether the group queued messages for people outside.
    pub(crate) has_outgoing: bool,
    /// Whether the group changed accounts, devices or groups.
    pub(crate) has_accounts: bool,
    /// Whom the change under way does not want told.
    pub(crate) quiet: Option<Arc<Quiet>>,
    /// The file whose content is being replaced: what the next touch is because of.
    pub(crate) replacing: Option<FileId>,
    /// What else is told of the group when it is committed.
    pub(crate) news: News,
    /// Changes of the group that leave everything as it is that anybody is shown of the tree.
    pub(crate) beside_the_tree: usize,
}

/// What is told of a group beside the folders that moved.
#[derive(Debug, Default)]
pub(crate) struct News {
    replaced: Vec<Replaced>,
    pub(crate) notified: Vec<AccountId>,
    pub(crate) activities: Vec<NewActivity>,
    /// Whether some were written down.
    pub(crate) has_activity: bool,
}

impl News {
    /// Where it stands, for [`News::go_back`].
    pub(crate) fn mark(&self) -> (usize, usize, usize) {
        (self.replaced.len(), self.notified.len(), self.activities.len())
    }

    /// Forgets what a change added that is not kept.
    pub(crate) fn go_back(&mut self, (replaced, notified, activities): (usize, usize, usize)) {
        self.activities.truncate(activities);
        self.replaced.truncate(replaced);
        self.notified.truncate(notified);
    }
}

impl Tx {
    /// Takes the space's turn: from here to [`Tx::commit`] nobody else writes to it.
    pub(crate) async fn begin(
        mut connection: Connection,
        core: Arc<SpaceCore>,
        quota_bytes: u64,
    ) -> Result<Tx, (Connection, Error)> {
        let taken = async {
            connection.begin().await?;
            let row = connection.row(TAKE_TURN, &[]).await?;
            Ok(Counters {
                change_seq: row.int(0)?,
                next_id: row.int(1)?,
                used_bytes: row.int(2)?,
                reclaimable_bytes: row.int(3)?,
                log_floor: row.int(4)?,
                mount_count: row.int(5)?,
                member_quota_count: row.int(6)?,
                upkeep_due: Timestamp(row.int(7)?),
            })
        }
        .await;
        let now = core.ports.clock.now();
        match taken {
            Ok(counters) => Ok(Tx {
                connection,
                core,
                counters,
                quota_bytes,
                now,
                moved: Vec::new(),
                grown: Vec::new(),
                has_outgoing: false,
                has_accounts: false,
                quiet: None,
                replacing: None,
                news: News::default(),
                beside_the_tree: 0,
            }),
            Err(error) => {
                let _ = connection.script("ROLLBACK").await;
                Err((connection, error))
            }
        }
    }

    /// Runs a statement about the space in the catalogue, `$1` being its number: at once and for good on SQLite, where the catalogue
    /// is a file of its own; in this transaction on PostgreSQL.
    pub(crate) async fn in_catalogue(&mut self, sql: Sql, args: &[Value]) -> Result<(), Error> {
        let core = Arc::clone(&self.core);
        match core.engine.as_ref() {
            Engine::Sqlite { .. } => core.control.run(sql, &[&[core.id.into()], args].concat()).await.map(drop),
            Engine::Postgres(_) => self.connection.run(sql, args).await.map(drop),
        }
    }

    /// Writes the counters of so many changes back and commits; when it returns `Ok`, everything since `begin` is durable.
    pub(crate) async fn commit(&mut self, changes: usize) -> Result<(), Error> {
        if !self.connection.is_in_transaction() {
            return Err(Error::unavailable("the database ended the transaction by itself"));
        }
        activity::flush(self).await?;
        if self.beside_the_tree < changes {
            upkeep::expect(self).await?;
        }
        let Counters {
            change_seq,
            next_id,
            used_bytes,
            reclaimable_bytes,
            log_floor,
            mount_count,
            member_quota_count,
            upkeep_due,
        } = self.counters;
        let counters = [
            change_seq.into(),
            next_id.into(),
            used_bytes.into(),
            reclaimable_bytes.into(),
            log_floor.into(),
            mount_count.into(),
            member_quota_count.into(),
            upkeep_due.into(),
        ];
        self.connection.one(PUT_COUNTERS, &counters).await?;
        self.connection.script("COMMIT").await
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The sequence number of the change under way.
    pub(crate) fn etag(&self) -> Etag {
        Etag(self.counters.change_seq)
    }

    /// Starts the next change: every change has a sequence number of its own.
    pub(crate) fn advance(&mut self) {
        self.counters.change_seq += 1;
    }

    /// A number never used before in this space.
    pub(crate) fn fresh_id(&mut self) -> i64 {
        self.fresh_ids(1)
    }

    /// The first of `count` numbers never used before.
    pub(crate) fn fresh_ids(&mut self, count: i64) -> i64 {
        let first = self.counters.next_id;
        self.counters.next_id += count;
        first
    }

    /// Bytes that may still be written: the pool less files and uploads. Trash and versions give way.
    pub(crate) fn available_bytes(&self) -> u64 {
        available_bytes(self.quota_bytes, self.counters.used_bytes, self.counters.reclaimable_bytes)
    }

    /// Counts `bytes` more as used. Promise 7: exact, and old trash and versions go before a write is refused.
    pub(crate) async fn charge(&mut self, bytes: u64) -> Result<(), Error> {
        let available_bytes = self.available_bytes();
        if bytes > available_bytes {
            return Err(Error::OverQuota { available_bytes });
        }
        self.counters.used_bytes += signed(bytes);
        let excess = self.counters.used_bytes - signed(self.quota_bytes);
        if excess > 0 { crate::retention::reclaim(self, excess).await } else { Ok(()) }
    }

    /// Counts `bytes` as free again.
    pub(crate) fn refund(&mut self, bytes: u64) {
        self.counters.used_bytes -= signed(bytes);
    }

    /// Counts `bytes` that are used already as ready to give way.
    pub(crate) fn make_reclaimable(&mut self, bytes: u64) {
        self.counters.reclaimable_bytes += signed(bytes);
    }

    /// Counts `bytes` of trash or versions as free again.
    pub(crate) fn refund_reclaimed(&mut self, bytes: u64) {
        self.counters.reclaimable_bytes -= signed(bytes);
        self.refund(bytes);
    }

    pub(crate) async fn all(&mut self, sql: Sql, args: &[Value]) -> Result<Vec<Row>, Error> {
        self.connection.all(sql, args).await
    }

    pub(crate) async fn maybe(&mut self, sql: Sql, args: &[Value]) -> Result<Option<Row>, Error> {
        self.connection.maybe(sql, args).await
    }

    pub(crate) async fn row(&mut self, sql: Sql, args: &[Value]) -> Result<Row, Error> {
        self.connection.row(sql, args).await
    }

    pub(crate) async fn run(&mut self, sql: Sql, args: &[Value]) -> Result<u64, Error> {
        self.connection.run(sql, args).await
    }

    pub(crate) async fn one(&mut self, sql: Sql, args: &[Value]) -> Result<(), Error> {
        self.connection.one(sql, args).await
    }

    /// Moves the etag, size and modification time of `folder` and every ancestor up to the root, and the etags of
    /// the mounts of any of them up to the roots of those who see it: promise 3.
    pub(crate) async fn touch(&mut self, folder: FileId, size_delta: i64) -> Result<(), Error> {
        let shown = self.replacing.unwrap_or(folder);
        self.touch_as((folder, shown), size_delta, true, self.now).await
    }

    /// The same for the folder of a file that changed and that may be mounted by itself.
    pub(crate) async fn touch_for(&mut self, file: FileId, folder: FileId) -> Result<(), Error> {
        self.touch_as((folder, file), 0, true, self.now).await
    }

    /// Moves the etags alone: what stands beside the folder has changed, nothing in it.
    pub(crate) async fn touch_quietly(&mut self, folder: FileId) -> Result<(), Error> {
        self.touch_as((folder, folder), 0, false, Timestamp(i64::MIN)).await
    }

    /// The same, because of properties of the folder itself.
    pub(crate) async fn touch_properties(&mut self, folder: FileId) -> Result<(), Error> {
        self.touch_as((folder, folder), 0, false, self.now).await
    }

    async fn touch_as(
        &mut self,
        (folder, shown): (FileId, FileId),
        size_delta: i64,
        has_members: bool,
        modified: Timestamp,
    ) -> Result<(), Error> {
        let args = [folder.into(), self.etag().into(), size_delta.into(), modified.into()];
        let mut touched = self.all(TOUCH, &args).await?;
        if touched.is_empty() {
            return Err(Error::Corrupt { table: "node", column: "parent_id", id: folder.0 });
        }
        let own = touched.len();
        if self.counters.mount_count > 0 {
            touched.extend(self.all(TOUCH_MOUNTS, &[shown.into(), self.etag().into()]).await?);
        }
        if size_delta != 0 && self.counters.member_quota_count > 0 {
            self.grown.push(Growth::of_home(folder, size_delta));
        }
        let ids = touched.iter().map(|row| row.int(0).map(FileId)).collect::<Result<Vec<FileId>, Error>>()?;
        let replaced = self.replacing.take();
        for (row, id) in touched.iter().zip(&ids) {
            let id = *id;
            // A mount of the folder shows what the folder shows.
            let is_direct = id == folder || row.maybe_int(1)? == Some(folder.0);
            let etag = self.etag();
            let (has_members, has_properties) = (is_direct && has_members, is_direct && !has_members);
            let (quiet, is_replacement) = (self.quiet.clone(), replaced.is_some());
            self.moved.push((id, Move { etag, has_members, has_properties, quiet, is_replacement }));
        }
        if let Some(node) = replaced {
            let (above, elsewhere) = (ids[..own].into(), ids[own..].into());
            self.news.replaced.push(Replaced { node, above, elsewhere });
        }
        Ok(())
    }

    /// What the group moved, put together.
    pub(crate) fn take_moved(&mut self) -> Moved {
        let mut moved = Moved { has_outgoing: self.has_outgoing, has_accounts: self.has_accounts, ..Moved::default() };
        for (folder, step) in std::mem::take(&mut self.moved) {
            moved.add(folder, step);
        }
        let News { replaced, notified, has_activity, .. } = std::mem::take(&mut self.news);
        moved.has_activity = has_activity;
        moved.notified.extend(notified);
        replaced.into_iter().for_each(|replaced| moved.add_replaced(replaced));
        moved
    }

    /// Notes in the change log that the member `name` of `parent` is new, changed or gone; `is_deep`: with
    /// everything below it.
    pub(crate) async fn log(&mut self, parent: FileId, name: &str, node: FileId, is_deep: bool) -> Result<(), Error> {
        let args = [self.etag().into(), parent.into(), name.into(), node.into(), is_deep.into(), self.now.into()];
        self.run(LOG, &args).await.map(drop)
    }

    /// One reference fewer to `content`; the last one leaves its blobs to the collector.
    pub(crate) async fn release(&mut self, content: ContentId) -> Result<(), Error> {
        let row = self.row(RELEASE, &[content.into()]).await?;
        if row.int(0)? > 0 {
            return Ok(());
        }
        let due = self.now.plus_seconds(self.core.limits.collect_after_seconds);
        self.run(DISCARD_BLOBS, &[content.into(), due.into()]).await?;
        self.run(DELETE_PIECES, &[content.into()]).await?;
        self.one(DELETE_CONTENT, &[content.into()]).await
    }

    /// Leaves one blob to the collector.
    pub(crate) async fn discard_blob(&mut self, key: &str) -> Result<(), Error> {
        let due = self.now.plus_seconds(self.core.limits.collect_after_seconds);
        self.run(DISCARD_BLOB, &[key.into(), due.into()]).await.map(drop)
    }

    /// Makes the intent's blob part of the space: fails if the collector was faster.
    pub(crate) async fn consume_intent(&mut self, key: &str) -> Result<(), Error> {
        match self.run(CONSUME_INTENT, &[key.into()]).await? {
            1 => Ok(()),
            _ => Err(Error::unavailable("the staged bytes expired before they were used")),
        }
    }
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx").field("counters", &self.counters).finish_non_exhaustive()
    }
}

/// What a pool of `quota_bytes` still takes.
pub(crate) fn available_bytes(quota_bytes: u64, used_bytes: i64, reclaimable_bytes: i64) -> u64 {
    quota_bytes.saturating_sub(u64::try_from(used_bytes - reclaimable_bytes).unwrap_or(0))
}

/// As the database stores it; sizes beyond 8 EiB do not occur.
pub(crate) fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// What a change needs to know of who asks.
#[derive(Clone, Debug)]
pub struct Asker {
    pub(crate) account: Account,
    /// Which of the account's trees the change is about, its root, and where what it deletes goes.
    pub(crate) area: Area,
    pub(crate) root: FileId,
    pub(crate) trash: FileId,
    /// How the asker holds the root; `None`: as its owner.
    pub(crate) access: Option<Arc<Access>>,
    /// Whether the root is that of the trash, where nothing is written to.
    pub(crate) is_bin: bool,
    /// The link that the asker came by.
    pub(crate) link: Option<LinkId>,
    /// Who acts, where more is known of them than the account.
    pub(crate) actor: Option<Arc<Actor>>,
    /// When.
    pub(crate) asked: Timestamp,
}

impl Asker {
    pub(crate) fn root(&self) -> Root {
        Root { id: self.root, access: self.access.clone(), now: self.asked }
    }

    /// Whether the asker sees nothing and may only add.
    pub(crate) fn only_adds(&self) -> bool {
        link::only_adds(self.access.as_deref())
    }
}

// Taking the row's lock orders the writers of several nodes on PostgreSQL; on SQLite the transaction itself does.
const TAKE_TURN: Sql = Sql("UPDATE space_state SET change_seq = change_seq WHERE space_id = $1
     RETURNING change_seq, next_id, used_bytes, reclaimable_bytes, log_floor, mount_count, member_quota_count,
               upkeep_due_us");

const PUT_COUNTERS: Sql = Sql("UPDATE space_state
        SET change_seq = $2, next_id = $3, used_bytes = $4, reclaimable_bytes = $5, log_floor = $6,
            mount_count = $7, member_quota_count = $8, upkeep_due_us = $9
      WHERE space_id = $1");

const TOUCH: Sql = Sql("UPDATE node
        SET etag = $3, size_bytes = size_bytes + $4,
            modified_us = CASE WHEN modified_us < $5 THEN $5 ELSE modified_us END
      WHERE space_id = $1 AND id IN (
            WITH RECURSIVE up (id, parent_id) AS (
                SELECT id, parent_id FROM node WHERE space_id = $1 AND id = $2
                UNION ALL
                SELECT node.id, node.parent_id FROM node JOIN up ON node.id = up.parent_id WHERE node.space_id = $1
            ) SELECT id FROM up)
     RETURNING id, CAST(NULL AS BIGINT)");

const TOUCH_MOUNTS: Sql = Sql("UPDATE node SET etag = $3
      WHERE space_id = $1 AND id IN (
            WITH RECURSIVE up (id, parent_id, is_mounted) AS (
                SELECT id, parent_id, CAST(0 AS BIGINT) FROM node WHERE space_id = $1 AND id = $2
                UNION
                SELECT node.id, node.parent_id,
                       CASE WHEN node.target_id = up.id THEN CAST(1 AS BIGINT) ELSE up.is_mounted END
                  FROM up
                  LEFT JOIN mount ON mount.space_id = $1 AND mount.target_id = up.id AND up.is_mounted = 0
                  JOIN node ON node.space_id = $1 AND (node.id = up.parent_id OR node.id = mount.node_id)
            ) SELECT id FROM up WHERE is_mounted = 1)
     RETURNING id, target_id");

const LOG: Sql = Sql("INSERT INTO change_log (space_id, change_seq, parent_id, name, node_id, is_deep, logged_us)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (space_id, change_seq, parent_id, name) DO UPDATE
        SET node_id = excluded.node_id, is_deep = excluded.is_deep");

const RELEASE: Sql = Sql("UPDATE content SET reference_count = reference_count - 1 WHERE space_id = $1 AND id = $2
     RETURNING reference_count");

const DISCARD_BLOBS: Sql = Sql("INSERT INTO intent (space_id, blob_key, collect_after_us, is_collecting)
     SELECT space_id, blob_key, $3, 0 FROM piece WHERE space_id = $1 AND content_id = $2 AND blob_key IS NOT NULL");

const DISCARD_BLOB: Sql =
    Sql("INSERT INTO intent (space_id, blob_key, collect_after_us, is_collecting) VALUES ($1, $2, $3, 0)");

const DELETE_PIECES: Sql = Sql("DELETE FROM piece WHERE space_id = $1 AND content_id = $2");

const DELETE_CONTENT: Sql = Sql("DELETE FROM content WHERE space_id = $1 AND id = $2");

const CONSUME_INTENT: Sql = Sql("DELETE FROM intent WHERE space_id = $1 AND blob_key = $2 AND is_collecting = 0");

/// Every statement of this file, for the test that prepares them on both engines.
pub(crate) const STATEMENTS: &[Sql] = &[
    TAKE_TURN,
    PUT_COUNTERS,
    TOUCH,
    TOUCH_MOUNTS,
    LOG,
    RELEASE,
    DISCARD_BLOBS,
    DISCARD_BLOB,
    DELETE_PIECES,
    DELETE_CONTENT,
    CONSUME_INTENT,
];
