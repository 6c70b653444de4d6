//! A search under way: the rows as they stream by, what is kept of them, and in which order.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::{Candidate, Found, Hit, Reach, Search, Sieve};
use crate::error::Error;
use crate::node::{FileId, Kind, Node};
use crate::path::NodePath;
use crate::ports::Timestamp;
use crate::sql::{Columns, Connection, Sql, Value};
use crate::tree::Tree;

/// A search under way: what is kept so far.
pub(super) struct Sifter<'s> {
    pub(super) search: &'s Search,
    sieve: &'s dyn Sieve,
    favourites: HashSet<FileId>,
    /// Of the scope under way.
    pub(super) reach: Reach,
    /// In no order while it grows, never more than twice as many as there is room for.
    kept: Vec<Hit>,
    /// How many are wanted, and one more, which tells that there are more.
    room: usize,
    /// The last of those that there is room for, once there are as many.
    threshold: Option<Candidate>,
    /// Of the scan under way: how many were kept, and when the last of them was modified.
    scanned: (usize, Timestamp),
    seen: u64,
    seen_max: u64,
}

impl<'s> Sifter<'s> {
    pub(super) async fn new(
        tree: &Tree,
        reader: &mut Connection,
        search: &'s Search,
        sieve: &'s dyn Sieve,
    ) -> Result<Sifter<'s>, Error> {
        let mut favourites = HashSet::new();
        if search.knows_favourites || search.is_of_favourites {
            for row in reader.all(FAVOURITES, &[tree.account.id.into()]).await? {
                favourites.insert(FileId(row.int(0)?));
            }
        }
        Ok(Sifter {
            search,
            sieve,
            favourites,
            reach: Reach::Itself,
            kept: Vec::new(),
            room: search.offset.saturating_add(search.limit).saturating_add(1),
            threshold: None,
            scanned: (0, Timestamp(i64::MAX)),
            seen: 0,
            seen_max: tree.core().limits.search_candidates_max,
        })
    }

    /// The nodes that alone come into question, where they are known beforehand.
    pub(super) fn known_ids(&self) -> Option<Vec<FileId>> {
        match (&self.search.ids, self.search.is_of_favourites) {
            (Some(ids), false) => Some(ids.clone()),
            (Some(ids), true) => Some(ids.iter().copied().filter(|id| self.favourites.contains(id)).collect()),
            (None, true) => Some(self.favourites.iter().copied().collect()),
            (None, false) => None,
        }
    }

    /// What is in the folder, and below it if the search goes deep.
    pub(super) async fn scan(&mut self, reader: &mut Connection, folder: FileId, path: &NodePath) -> Result<(), Error> {
        let is_by_time = self.reach == Reach::All && self.search.is_newest_first;
        let sql = match (self.reach, is_by_time) {
            (Reach::All, true) => BELOW_BY_TIME,
            (Reach::All, false) => BELOW,
            _ => MEMBERS,
        };
        // One more than may be looked at: to tell that it was too much.
        let left = self.seen_max.saturating_sub(self.seen).saturating_add(1);
        let (from, to) = (self.search.modified_from, self.search.modified_to);
        let args: [Value; 4] = [folder.into(), from.into(), to.into(), left.into()];
        self.scanned = (0, Timestamp(i64::MAX));
        let mut see = |row: &dyn Columns| {
            let candidate = candidate_of(row)?;
            if is_by_time && self.is_past(&candidate) {
                return Ok(false);
            }
            let below = row.text(1)?;
            self.see(candidate, || {
                below.split('/').filter(|name| !name.is_empty()).fold(path.clone(), |path, name| path.child(name))
            })?;
            Ok(true)
        };
        reader.each(sql, &args, &mut see).await?;
        self.compact();
        Ok(())
    }

    /// Whether everything from here on was modified before the last that there is room for.
    fn is_past(&self, candidate: &Candidate) -> bool {
        let (kept, last) = self.scanned;
        kept >= self.room && candidate.modified < last
            || self.threshold.as_ref().is_some_and(|threshold| candidate.modified < threshold.modified)
    }

    /// Whether what is at `at` is within reach of a scope that is a folder, or is the scope that is asked for itself.
    pub(super) fn reaches(&self, scope: &NodePath, at: &NodePath) -> bool {
        let depth = at.names().len().saturating_sub(scope.names().len());
        scope.contains(at)
            && match self.reach {
                Reach::Itself => depth == 0,
                Reach::Members => depth == 1,
                Reach::All => depth > 0,
            }
    }

    /// Looks at a node at hand.
    pub(super) fn see_node(&mut self, at: &NodePath, node: &Node) -> Result<(), Error> {
        let Some(name) = at.name() else { return Ok(()) };
        if node.modified < self.search.modified_from || node.modified > self.search.modified_to {
            return Ok(());
        }
        let candidate = Candidate {
            id: node.id,
            name: name.to_owned(),
            kind: node.kind,
            size_bytes: node.size_bytes,
            modified: node.modified,
            created: node.created,
            uploaded: node.uploaded,
            media_type: node.media_type.clone(),
            is_favourite: false,
        };
        self.see(candidate, || at.parent().unwrap_or_default())
    }

    fn see(&mut self, mut candidate: Candidate, folder: impl FnOnce() -> NodePath) -> Result<(), Error> {
        self.seen += 1;
        if self.seen > self.seen_max {
            return Err(Error::TooLarge { limit: self.seen_max });
        }
        candidate.is_favourite = self.favourites.contains(&candidate.id);
        let is_beyond =
            || self.threshold.as_ref().is_some_and(|threshold| order(self.sieve, threshold, &candidate).is_lt());
        if !self.sieve.lets_through(&candidate) || is_beyond() {
            return Ok(());
        }
        self.scanned = (self.scanned.0 + 1, candidate.modified);
        self.kept.push(Hit { candidate, folder: folder() });
        if self.kept.len() / 2 >= self.room {
            self.compact();
        }
        Ok(())
    }

    /// Puts what is kept in order, and forgets what there is no room for.
    fn compact(&mut self) {
        let sieve = self.sieve;
        self.kept.sort_by(|one, other| {
            order(sieve, &one.candidate, &other.candidate).then_with(|| one.folder.cmp(&other.folder))
        });
        // Scopes that overlap find the same twice.
        self.kept.dedup_by(|one, other| one.candidate.id == other.candidate.id && one.folder == other.folder);
        self.kept.truncate(self.room);
        if self.kept.len() == self.room {
            self.threshold = self.kept.last().map(|hit| hit.candidate.clone());
        }
    }

    pub(super) fn finish(mut self) -> Found {
        self.compact();
        let has_more = self.kept.len() == self.room;
        let hits = self.kept.into_iter().skip(self.search.offset).take(self.search.limit).collect();
        Found { hits, has_more }
    }
}

/// Never "the same": so that pages of one search neither overlap nor leave anything out.
fn order(sieve: &dyn Sieve, one: &Candidate, other: &Candidate) -> Ordering {
    sieve.compare(one, other).then_with(|| one.id.cmp(&other.id))
}

fn candidate_of(row: &dyn Columns) -> Result<Candidate, Error> {
    Ok(Candidate {
        id: FileId(row.int(0)?),
        name: row.text(2)?,
        kind: if row.truth(3)? { Kind::Folder } else { Kind::File },
        size_bytes: row.count(4)?,
        modified: Timestamp(row.int(5)?),
        created: Timestamp(row.int(6)?),
        uploaded: Timestamp(row.int(7)?),
        media_type: row.maybe_text(8)?,
        is_favourite: false,
    })
}

/// The columns of a candidate, below `folder`, a table of numbers and paths.
macro_rules! candidates {
    () => {
        "SELECT node.id, folder.path, node.name, node.is_folder, node.size_bytes, node.modified_us, node.created_us, \
                node.uploaded_us, node.media_type \
           FROM folder CROSS JOIN node \
          WHERE node.space_id = $1 AND node.parent_id = folder.id AND node.target_id IS NULL \
            AND node.modified_us >= $3 AND node.modified_us <= $4 "
    };
}

/// The folders from `$2` on downwards, each with its path.
macro_rules! folders {
    () => {
        "WITH RECURSIVE folder (id, path) AS ( \
             SELECT CAST($2 AS BIGINT), CAST('' AS TEXT) \
             UNION ALL \
             SELECT node.id, folder.path || '/' || node.name \
               FROM folder CROSS JOIN node \
              WHERE node.space_id = $1 AND node.parent_id = folder.id AND node.is_folder = 1 AND node.target_id IS NULL) "
    };
}

pub(super) const BELOW: Sql = Sql(concat!(folders!(), candidates!(), "LIMIT $5"));

pub(super) const BELOW_BY_TIME: Sql =
    Sql(concat!(folders!(), candidates!(), "ORDER BY node.modified_us DESC, node.id DESC LIMIT $5"));

pub(super) const MEMBERS: Sql =
    Sql(concat!("WITH folder (id, path) AS (SELECT CAST($2 AS BIGINT), CAST('' AS TEXT)) ", candidates!(), "LIMIT $5"));

pub(super) const FAVOURITES: Sql =
    Sql("SELECT node_id FROM favourite WHERE space_id = $1 AND account_id = $2 ORDER BY node_id");
