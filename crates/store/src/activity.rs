//! The stream of activities: what members did to files, kept for a while and in a bounded number. One row is written in
//! the transaction of the change itself; of many alike in a short time, the later ones become one row that counts.

use crate::collection::Area;
use crate::error::Error;
use crate::node::{AccountId, CommentId, FileId};
use crate::path::NodePath;
use crate::ports::Timestamp;
use crate::sql::{Row, Sql, Value};
use crate::tree::Tree;
use crate::tx::{Asker, Tx};

/// Bytes of the text that goes with an activity.
const DETAIL_BYTES_MAX: usize = 4_000;
/// Series of alike activities that are remembered.
const SERIES_MAX: usize = 8;
/// Rows between two looks whether there are too many.
const TRIM_ROWS: u32 = 100;
/// Seconds in which the same file written again is no news.
const AGAIN_SECONDS: i64 = 60;

/// What somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityKind {
    /// A new file or folder.
    Created,
    /// New content.
    Changed,
    /// Another name or place; the text is the path before.
    Moved,
    /// Into the trash, or for good.
    Deleted,
    /// Back from the trash.
    Restored,
    /// Shared; the text is the name of whom it is shared with.
    Shared,
    /// A comment, which is the text.
    Commented,
}

const NAMES: [(ActivityKind, &str); 7] = [
    (ActivityKind::Created, "created"),
    (ActivityKind::Changed, "changed"),
    (ActivityKind::Moved, "moved"),
    (ActivityKind::Deleted, "deleted"),
    (ActivityKind::Restored, "restored"),
    (ActivityKind::Shared, "shared"),
    (ActivityKind::Commented, "commented"),
];

impl ActivityKind {
    fn name(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    fn of_name(name: &str) -> Option<ActivityKind> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// Which activities are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityFilter {
    /// All that the account may see.
    All,
    /// What the account did.
    Own,
    /// What others did.
    OfOthers,
    /// What became of files, no shares or comments.
    Files,
    /// Shares.
    Shares,
    /// Comments.
    Comments,
    /// What became of one file or folder.
    Of(FileId),
}

/// An activity, as one account may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Its number, which is the change sequence of the change.
    pub id: i64,
    /// Who did it.
    pub actor: AccountId,
    /// What.
    pub kind: ActivityKind,
    /// To which file or folder, which may be gone.
    pub node: FileId,
    /// The path where the actor had it then; for everybody else no more than the name.
    pub path: NodePath,
    /// What goes with it; see [`ActivityKind`].
    pub detail: String,
    /// How many more in the same folder it was done to a little before.
    pub others: u64,
    /// When.
    pub happened: Timestamp,
}

/// An activity of the change under way.
#[derive(Clone, Debug)]
pub(crate) struct NewActivity {
    id: i64,
    actor: AccountId,
    kind: ActivityKind,
    node: FileId,
    folder: FileId,
    path: NodePath,
    detail: String,
    others: u64,
    comment: Option<CommentId>,
}

/// Alike activities: of one actor, of one kind, in one folder.
#[derive(Debug)]
struct Series {
    actor: AccountId,
    kind: ActivityKind,
    folder: FileId,
    /// The newest row, which file it names, and when that was.
    id: i64,
    node: FileId,
    happened: Timestamp,
    rows: u64,
}

/// What a space remembers of the newest activities, to recognise those that are alike.
#[derive(Debug, Default)]
pub(crate) struct RecentActivities {
    series: Vec<Series>,
    rows_since_trim: u32,
}

/// What is to be done about a new activity.
enum Step {
    Insert,
    /// The row counts one more.
    Count(i64),
    Nothing,
}

impl RecentActivities {
    fn step(&mut self, new: &NewActivity, now: Timestamp, gather_seconds: i64, burst_rows: u64) -> Step {
        if new.comment.is_some() {
            // Each says something of its own, and one of the apps shows comments by what the stream tells.
            return Step::Insert;
        }
        let is_alike = |it: &Series| it.actor == new.actor && it.kind == new.kind && it.folder == new.folder;
        self.series.retain(|it| now < it.happened.plus_seconds(gather_seconds));
        let Some(series) = self.series.iter_mut().find(|it| is_alike(it)) else {
            if self.series.len() >= SERIES_MAX {
                self.series.remove(0);
            }
            let NewActivity { id, actor, kind, node, folder, .. } = *new;
            self.series.push(Series { actor, kind, folder, id, node, happened: now, rows: 1 });
            return Step::Insert;
        };
        let is_again = series.node == new.node && now < series.happened.plus_seconds(AGAIN_SECONDS);
        if is_again && new.kind == ActivityKind::Changed {
            return Step::Nothing;
        }
        (series.node, series.happened) = (new.node, now);
        if series.rows < burst_rows {
            (series.id, series.rows) = (new.id, series.rows + 1);
            return Step::Insert;
        }
        Step::Count(series.id)
    }

    /// What it knows was not committed.
    pub(crate) fn forget(&mut self) {
        *self = RecentActivities::default();
    }

    /// The row that a series goes on with was not there: it goes on with another.
    fn replace(&mut self, gone: i64, id: i64) {
        for series in self.series.iter_mut().filter(|series| series.id == gone) {
            series.id = id;
        }
    }
}

impl Tree {
    /// The activities that the account may see, newest first, those older than `before` if that is told: what it did, and
    /// what was done where it sees the folder now, since it sees it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn activities(
        &self,
        filter: ActivityFilter,
        before: Option<i64>,
        count_max: u32,
    ) -> Result<Vec<Activity>, Error> {
        let me = self.account().id;
        let (name, node) = match filter {
            ActivityFilter::All => ("all", 0),
            ActivityFilter::Own => ("own", 0),
            ActivityFilter::OfOthers => ("others", 0),
            ActivityFilter::Files => ("files", 0),
            ActivityFilter::Shares => ("shares", 0),
            ActivityFilter::Comments => ("comments", 0),
            ActivityFilter::Of(node) => ("node", node.0),
        };
        let core = self.space().core();
        let now = core.ports.clock.now();
        let oldest = now.plus_seconds(-core.limits.activity_days * 86_400);
        let args: [Value; 8] = [
            me.into(),
            self.account().home.into(),
            before.unwrap_or(i64::MAX).into(),
            oldest.into(),
            name.into(),
            node.into(),
            now.into(),
            i64::from(count_max).into(),
        ];
        let rows = core.reader().await?.all(VISIBLE, &args).await?;
        rows.iter().map(|row| activity_of(row, me)).collect()
    }
}

impl Tx {
    /// Notes what the asker did to `node`, a member of `folder` that she sees at `path`. Only files have activities.
    pub(crate) fn record(
        &mut self,
        asker: &Asker,
        kind: ActivityKind,
        (node, folder): (FileId, FileId),
        path: &NodePath,
        detail: &str,
    ) {
        self.record_with(asker, kind, (node, folder), path, (detail, None));
    }

    /// Notes what the asker said of `node`; see [`Tx::record`].
    pub(crate) fn record_comment(
        &mut self,
        asker: &Asker,
        place: (FileId, FileId),
        path: &NodePath,
        (comment, message): (CommentId, &str),
    ) {
        self.record_with(asker, ActivityKind::Commented, place, path, (message, Some(comment)));
    }

    /// The comment says something else now, or nothing any more.
    pub(crate) async fn amend_comment(&mut self, comment: CommentId, message: Option<&str>) -> Result<(), Error> {
        let waiting = &mut self.news.activities;
        match message {
            Some(message) => {
                let is_meant = |it: &&mut NewActivity| it.comment == Some(comment);
                waiting.iter_mut().filter(is_meant).for_each(|it| message.clone_into(&mut it.detail));
                self.run(AMEND_COMMENT, &[comment.into(), message.into()]).await.map(drop)
            }
            None => {
                waiting.retain(|it| it.comment != Some(comment));
                self.run(FORGET_COMMENT, &[comment.into()]).await.map(drop)
            }
        }
    }

    fn record_with(
        &mut self,
        asker: &Asker,
        kind: ActivityKind,
        (node, folder): (FileId, FileId),
        path: &NodePath,
        (detail, comment): (&str, Option<CommentId>),
    ) {
        if asker.area != Area::Files {
            return;
        }
        let mut detail = detail.to_owned();
        while detail.len() > DETAIL_BYTES_MAX && detail.pop().is_some() {}
        let (id, actor) = (self.etag().0, asker.account.id);
        let path = path.clone();
        self.news.activities.push(NewActivity { id, actor, kind, node, folder, path, detail, others: 0, comment });
    }
}

/// Writes down what the group did, before its commit.
pub(crate) async fn flush(tx: &mut Tx) -> Result<(), Error> {
    let new = std::mem::take(&mut tx.news.activities);
    if new.is_empty() {
        return Ok(());
    }
    tx.news.has_activity = true;
    let core = std::sync::Arc::clone(&tx.core);
    let (now, limits) = (tx.now(), &core.limits);
    let mut counting: Vec<(i64, NewActivity)> = Vec::new();
    for activity in new {
        let step = {
            let mut recent = core.recent();
            recent.step(&activity, now, limits.activity_gather_seconds, limits.activity_burst_rows)
        };
        match step {
            Step::Insert => insert(tx, &activity).await?,
            Step::Nothing => {}
            Step::Count(id) => match counting.iter_mut().find(|(known, _)| *known == id) {
                Some((_, known)) => *known = NewActivity { others: known.others + 1, ..activity },
                None => counting.push((id, NewActivity { others: 1, ..activity })),
            },
        }
    }
    for (id, activity) in counting {
        let args: [Value; 6] = [
            id.into(),
            activity.node.into(),
            activity.path.name().unwrap_or_default().into(),
            activity.path.to_string().into(),
            activity.others.into(),
            now.into(),
        ];
        if tx.run(COUNT, &args).await? == 0 {
            insert(tx, &NewActivity { others: activity.others - 1, ..activity.clone() }).await?;
            core.recent().replace(id, activity.id);
        }
    }
    trim(tx).await
}

async fn insert(tx: &mut Tx, new: &NewActivity) -> Result<(), Error> {
    let args: [Value; 11] = [
        new.id.into(),
        new.actor.into(),
        new.kind.name().into(),
        new.node.into(),
        new.folder.into(),
        new.path.name().unwrap_or_default().into(),
        new.path.to_string().into(),
        new.detail.as_str().into(),
        new.others.into(),
        tx.now().into(),
        new.comment.map(|comment| comment.0).into(),
    ];
    tx.run(INSERT, &args).await?;
    tx.core.recent().rows_since_trim += 1;
    Ok(())
}

/// Now and then: what is too old, or beyond the number that is kept.
async fn trim(tx: &mut Tx) -> Result<(), Error> {
    {
        let mut recent = tx.core.recent();
        if recent.rows_since_trim < TRIM_ROWS {
            return Ok(());
        }
        recent.rows_since_trim = 0;
    }
    expire(tx).await
}

/// Forgets what is too old, or beyond the number that is kept.
pub(crate) async fn expire(tx: &mut Tx) -> Result<(), Error> {
    let oldest = tx.now().plus_seconds(-tx.core.limits.activity_days * 86_400);
    let kept = tx.core.limits.activities_max;
    tx.run(EXPIRE, &[oldest.into(), kept.into()]).await.map(drop)
}

fn activity_of(row: &Row, me: AccountId) -> Result<Activity, Error> {
    let id = row.int(0)?;
    let corrupt = |column| Error::Corrupt { table: "activity", column, id };
    let actor = AccountId(row.int(1)?);
    let (name, path) = (row.text(4)?, row.text(5)?);
    let path = if actor == me { path } else { format!("/{name}") };
    Ok(Activity {
        id,
        actor,
        kind: ActivityKind::of_name(&row.text(2)?).ok_or(corrupt("kind"))?,
        node: FileId(row.int(3)?),
        path: NodePath::parse(&path).map_err(|_| corrupt("path"))?,
        detail: row.text(6)?,
        others: row.count(7)?,
        happened: Timestamp(row.int(8)?),
    })
}

// Whoever sees the folder sees what was done in it since: below the own root, or below what is mounted there.
// What it held before it was shared, and who said what about that, is not for those it is shared with.
const VISIBLE: Sql = Sql("WITH RECURSIVE up (start_id, id, parent_id) AS (
         SELECT node.id, node.id, node.parent_id
           FROM (SELECT DISTINCT activity.folder_id AS id FROM activity
                  WHERE activity.space_id = $1 AND activity.actor_id <> $2) AS told CROSS JOIN node
          WHERE node.space_id = $1 AND node.id = told.id
         UNION ALL
         SELECT up.start_id, node.id, node.parent_id
           FROM up JOIN node ON node.space_id = $1 AND node.id = up.parent_id
     ), mounted (id, since_us) AS (
         SELECT mount.target_id, node.created_us
           FROM mount JOIN node ON node.space_id = $1 AND node.id = mount.node_id
          WHERE mount.space_id = $1 AND mount.account_id = $2 AND (mount.expires_us IS NULL OR mount.expires_us > $8)
     ), seen (id, since_us) AS (
         SELECT held.id, MIN(held.since_us)
           FROM (SELECT start_id AS id, 0 AS since_us FROM up WHERE id = $3
                 UNION ALL
                 SELECT up.start_id, mounted.since_us FROM up JOIN mounted ON mounted.id = up.id) AS held
          GROUP BY held.id
     )
     SELECT activity.id, actor_id, kind, node_id, name, path, detail, others, happened_us
       FROM activity
       LEFT JOIN seen ON seen.id = activity.folder_id
       LEFT JOIN mounted ON mounted.id = activity.node_id
      WHERE space_id = $1 AND activity.id < $4 AND happened_us >= $5
        AND (actor_id = $2 OR seen.since_us <= happened_us OR mounted.since_us <= happened_us)
        AND ($6 = 'all'
             OR ($6 = 'own' AND actor_id = $2)
             OR ($6 = 'others' AND actor_id <> $2)
             OR ($6 = 'files' AND kind NOT IN ('shared', 'commented'))
             OR ($6 = 'shares' AND kind = 'shared')
             OR ($6 = 'comments' AND kind = 'commented')
             OR ($6 = 'node' AND node_id = $7))
      ORDER BY activity.id DESC
      LIMIT $9");

const INSERT: Sql = Sql("INSERT INTO activity
            (space_id, id, actor_id, kind, node_id, folder_id, name, path, detail, others, happened_us, comment_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (space_id, id) DO NOTHING");

const COUNT: Sql = Sql("UPDATE activity
        SET node_id = $3, name = $4, path = $5, others = others + $6, happened_us = $7
      WHERE space_id = $1 AND id = $2");

const EXPIRE: Sql = Sql("DELETE FROM activity
      WHERE space_id = $1 AND (happened_us < $2 OR id <= COALESCE((
            SELECT id FROM activity WHERE space_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $3), 0))");

const AMEND_COMMENT: Sql = Sql("UPDATE activity SET detail = $3 WHERE space_id = $1 AND comment_id = $2");

const FORGET_COMMENT: Sql = Sql("DELETE FROM activity WHERE space_id = $1 AND comment_id = $2");

/// What was said of a node that is gone for good.
pub(crate) const FORGET_COMMENTS_OF: Sql =
    Sql("DELETE FROM activity WHERE space_id = $1 AND node_id = $2 AND comment_id IS NOT NULL");

/// What an account leaves when it goes.
pub(crate) const FORGET: Sql = Sql("DELETE FROM activity WHERE space_id = $1 AND actor_id = $2");

pub(crate) const STATEMENTS: &[Sql] =
    &[VISIBLE, INSERT, COUNT, EXPIRE, AMEND_COMMENT, FORGET_COMMENT, FORGET_COMMENTS_OF, FORGET];
