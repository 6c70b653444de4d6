//! Scrub: spaces are looked at in the background, so that what has gone bad is found before it is wanted.
//!
//! - *The rows* of a space that was changed are checked once in `check_hours`: the same rules as `nichoir check`. Upkeep, which looks
//!   at whatever was changed, asks for it; a space in which nothing changes is left alone.
//! - *Every piece* of content, in blobs and in rows, is read and compared with its digest once in `scrub_days`, in the order of their
//!   numbers, a page at a time. A pass begins with a check, and on SQLite with a look at the structure of the file, so that an idle
//!   space is looked at that often too. How far it has come stands in the catalogue: after a crash it goes on from there.
//!
//! What is found wrong is told in the log once, and kept in the catalogue until it is found right again: while a space has problems,
//! it is checked once in `check_hours`, and each piece that was wrong is looked at again.

mod budget;
mod catalogue;

use std::collections::HashMap;
use std::sync::Arc;

use tracing::{error, info, warn};

pub(crate) use self::budget::Budget;
pub(crate) use self::catalogue::CONTROL_STATEMENTS;
pub use self::catalogue::SpaceHealth;
use self::catalogue::{Due, Duty, Pass, Problem};
use crate::backup::cause;
use crate::error::Error;
use crate::ports::Timestamp;
use crate::reach::{self, was_used};
use crate::space::{Space, SpaceCore};
use crate::sql::{self, Row, Sql};
use crate::store::Store;
use crate::upkeep::NEVER;

/// Pieces that are looked at before it is noted how far that was.
const PAGE_PIECES: i64 = 256;
/// So long after it was begun, a look that was cut off is begun anew.
const CLAIM_SECONDS: i64 = 3600;
const DAY: i64 = 24 * 3600;

/// What the metrics tell of it.
#[derive(Clone, Debug, Default)]
pub struct ScrubFigures {
    /// Spaces that have problems, with how many.
    pub problems: Vec<(String, u64)>,
    /// Everything older was read and compared with its digest since then; `None` where there is no space.
    pub scrubbed: Option<Timestamp>,
    /// Bytes that were read since the start.
    pub read_bytes: u64,
}

impl Store {
    /// Checks the rows of the spaces that are due for it, `spaces_max` at most, the longest due first. Returns the numbers of those
    /// that it opened.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the catalogue does not answer. What fails in one space is told in the log, and tried again later.
    pub async fn check_due_spaces(&self, spaces_max: usize) -> Result<Vec<i64>, Error> {
        if self.limits().check_hours <= 0 {
            return Ok(Vec::new());
        }
        self.look_at_due(Duty::Check, spaces_max).await
    }

    /// Reads a page of what is in each of the spaces that are due for it, and compares it with its digests; otherwise the same.
    ///
    /// # Errors
    /// As [`Store::check_due_spaces`].
    pub async fn scrub_due_spaces(&self, spaces_max: usize) -> Result<Vec<i64>, Error> {
        if self.limits().scrub_days <= 0 {
            return Ok(Vec::new());
        }
        self.look_at_due(Duty::Scrub, spaces_max).await
    }

    async fn look_at_due(&self, duty: Duty, spaces_max: usize) -> Result<Vec<i64>, Error> {
        let mut opened = Vec::new();
        for due in self.control().due_for(duty, self.now(), spaces_max).await? {
            // Other servers do the same.
            let claimed = self.now().plus_seconds(CLAIM_SECONDS);
            if !self.control().claim(duty, &due, claimed).await? {
                continue;
            }
            let space = match self.space_numbered(due.id).await {
                // What is being restored is nothing yet.
                Ok(space) if space.info().is_being_restored() => continue,
                Err(Error::NotFound) => continue,
                space => space?,
            };
            let is_used = was_used(space.core()).await;
            if is_used {
                opened.push(due.id);
            }
            let looked = match duty {
                Duty::Check => self.check_due(&space, is_used, claimed).await,
                Duty::Scrub => self.scrub_page(&space, is_used, &due).await,
            };
            if let Err(error) = looked {
                warn!(space.name = %space.info().name, %error, "a space cannot be looked at; it is tried again later");
            }
        }
        Ok(opened)
    }

    async fn check_due(&self, space: &Space, is_used: bool, claimed: Timestamp) -> Result<(), Error> {
        if !is_used {
            return self.control().has_checked(space.info().id, 0, self.now(), NEVER, Some(claimed)).await;
        }
        self.check(space, false, Some(claimed)).await
    }

    /// Checks the rows, and looks again at what was wrong. The catalogue hears of it.
    async fn check(&self, space: &Space, looks_at_structure: bool, claimed: Option<Timestamp>) -> Result<(), Error> {
        let core = space.core();
        let mut known = Known::of(self, space).await?;
        let (change_seq, found) = match reach::metadata(core, looks_at_structure).await {
            Err(error) if sql::is_damage(&error) => (0, vec![format!("the database is damaged: {}", cause(&error))]),
            metadata => metadata?,
        };
        known.rows_have(found).await?;
        for (content_id, position) in known.pieces() {
            let row = core.reader().await?.maybe(PIECE, &[content_id.into(), position.into()]).await?;
            match row {
                Some(row) => known.look_at(&Piece::of(&row)?).await?,
                None => known.piece_has(content_id, position, None).await?,
            }
        }
        let due = if known.problems.is_empty() { NEVER } else { self.next_check() };
        self.control().has_checked(core.id, change_seq, self.now(), due, claimed).await
    }

    fn next_check(&self) -> Timestamp {
        self.now().plus_seconds(self.limits().check_hours.saturating_mul(3600))
    }

    /// When the next pass begins after one that was begun then. It takes time itself: so that no piece waits for longer than all
    /// the days, after three quarters of them.
    pub(crate) fn next_scrub(&self, begun: Timestamp) -> Timestamp {
        begun.plus_seconds(self.limits().scrub_days.saturating_mul(DAY / 4 * 3))
    }

    async fn scrub_page(&self, space: &Space, is_used: bool, due: &Due) -> Result<(), Error> {
        let (control, now) = (self.control(), self.now());
        if !is_used {
            return control.end_pass(due.id, now, self.next_scrub(now)).await;
        }
        let (begun, mut pass) = match due.pass.begun {
            Some(begun) => (begun, due.pass),
            None => {
                self.check(space, true, None).await?;
                (now, Pass { begun: Some(now), content_id: 0, position: -1 })
            }
        };
        let mut known = Known::of(self, space).await?;
        let page = [pass.content_id.into(), pass.position.into(), PAGE_PIECES.into()];
        // The connection goes back before blobs are read: they may be slow, and the space may want to be closed.
        let rows = space.core().reader().await?.all(PAGE, &page).await?;
        for row in &rows {
            let piece = Piece::of(row)?;
            known.look_at(&piece).await?;
            (pass.content_id, pass.position) = (piece.content_id, piece.position);
        }
        match i64::try_from(rows.len()).is_ok_and(|rows| rows < PAGE_PIECES) {
            true => control.end_pass(due.id, begun, self.next_scrub(begun)).await,
            false => control.save_pass(due.id, pass, self.now()).await,
        }
    }

    /// What is known of the soundness of each space, by its number. Opens none.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn health(&self) -> Result<HashMap<i64, SpaceHealth>, Error> {
        self.control().health().await
    }

    /// What the metrics tell of checks and scrubs. Opens no space.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn scrub_figures(&self) -> Result<ScrubFigures, Error> {
        Ok(ScrubFigures {
            problems: self.control().problem_counts().await?,
            scrubbed: self.control().scrubbed_longest_ago().await?,
            read_bytes: self.scrub_budget().read_bytes(),
        })
    }
}

/// A piece of content as its row describes it.
struct Piece {
    content_id: i64,
    position: i64,
    size_bytes: u64,
    digest: Vec<u8>,
    /// Small content is in the row.
    bytes: Option<Vec<u8>>,
    blob_key: Option<String>,
}

impl Piece {
    fn of(row: &Row) -> Result<Piece, Error> {
        Ok(Piece {
            content_id: row.int(0)?,
            position: row.int(1)?,
            size_bytes: row.count(2)?,
            digest: row.bytes(3)?,
            bytes: row.maybe_bytes(4)?,
            blob_key: row.maybe_text(5)?,
        })
    }

    /// What is wrong with it, if anything is.
    async fn problem(&self, core: &SpaceCore, budget: &Budget) -> Result<Option<String>, Error> {
        if let Some(key) = &self.blob_key {
            let found = core.blobs.size(key).await?;
            return reach::wrong_with_blob(core, key, found, self.size_bytes, &self.digest, Some(budget)).await;
        }
        let bytes = self.bytes.as_deref().unwrap_or_default();
        budget.pay(bytes.len() as u64).await;
        let is_whole = *blake3::hash(bytes).as_bytes() == *self.digest.as_slice();
        let Piece { content_id, position, .. } = self;
        Ok((!is_whole)
            .then(|| format!("piece {position} of content {content_id}, in its row, does not have its digest")))
    }
}

/// The problems of a space that are known.
struct Known<'a> {
    store: &'a Store,
    core: &'a Arc<SpaceCore>,
    name: &'a str,
    problems: Vec<Problem>,
}

impl Known<'_> {
    async fn of<'a>(store: &'a Store, space: &'a Space) -> Result<Known<'a>, Error> {
        let problems = store.control().problems_of(space.info().id).await?;
        Ok(Known { store, core: space.core(), name: &space.info().name, problems })
    }

    /// The pieces that were wrong.
    fn pieces(&self) -> Vec<(i64, i64)> {
        let pieces = self.problems.iter().filter(|problem| problem.content_id > 0);
        pieces.map(|problem| (problem.content_id, problem.position)).collect()
    }

    async fn look_at(&mut self, piece: &Piece) -> Result<(), Error> {
        let mut problem = piece.problem(self.core, self.store.scrub_budget()).await?;
        if problem.is_some() {
            // It may have gone meanwhile, as it should: the row goes first.
            let key = [piece.content_id.into(), piece.position.into()];
            if self.core.reader().await?.maybe(PIECE, &key).await?.is_none() {
                problem = None;
            }
        }
        self.piece_has(piece.content_id, piece.position, problem).await
    }

    async fn piece_has(&mut self, content_id: i64, position: i64, problem: Option<String>) -> Result<(), Error> {
        let is_here = |known: &Problem| (known.content_id, known.position) == (content_id, position);
        self.becomes(is_here, problem.into_iter().map(|text| Problem { content_id, position, text }).collect()).await
    }

    async fn rows_have(&mut self, problems: Vec<String>) -> Result<(), Error> {
        let problems = problems.into_iter().map(|text| Problem { content_id: 0, position: 0, text });
        self.becomes(|known| known.content_id == 0, problems.collect()).await
    }

    /// Of the known problems that are meant, those that were found stay; what is new is added and told.
    async fn becomes(&mut self, is_meant: impl Fn(&Problem) -> bool, found: Vec<Problem>) -> Result<(), Error> {
        let control = self.store.control();
        for gone in self.problems.extract_if(.., |known| is_meant(known) && !found.contains(known)) {
            control.forget_problem(self.core.id, &gone).await?;
            info!(space.name = %self.name, "no longer: {}", gone.text);
        }
        for new in found {
            if self.problems.contains(&new) || self.problems.len() >= self.store.limits().problems_max {
                continue;
            }
            control.add_problem(self.core.id, &new, self.store.now()).await?;
            control.check_by(self.core.id, self.store.next_check()).await?;
            error!(space.name = %self.name, "a space is damaged: {}; see \"When something is damaged\" in docs/admin.md", new.text);
            self.problems.push(new);
        }
        Ok(())
    }
}

const PAGE: Sql = Sql("SELECT content_id, position, size_bytes, digest, bytes, blob_key FROM piece
      WHERE space_id = $1 AND (content_id, position) > ($2, $3)
      ORDER BY content_id, position LIMIT $4");

const PIECE: Sql = Sql("SELECT content_id, position, size_bytes, digest, bytes, blob_key FROM piece
      WHERE space_id = $1 AND content_id = $2 AND position = $3");

pub(crate) const STATEMENTS: &[Sql] = &[PAGE, PIECE];
