//! What the catalogue knows of checks and scrubs: when each space is due, how far a pass has come, and which problems there are.
//! Here, not in the space: a space whose file is damaged could not keep it, and `space list` and the metrics open none.

use std::collections::HashMap;

use crate::control::Control;
use crate::error::Error;
use crate::ports::Timestamp;
use crate::sql::{Row, Sql, Value};

/// How far a pass through the blobs of a space has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    /// `None`: it is to begin.
    pub(super) begun: Option<Timestamp>,
    /// The content that was looked at last,
    pub(super) content_id: i64,
    /// and the piece of it.
    pub(super) position: i64,
}

/// A space that is due.
pub(super) struct Due {
    pub(super) id: i64,
    since: Timestamp,
    pub(super) pass: Pass,
}

/// Something wrong with a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// 0: with its rows.
    pub(super) content_id: i64,
    pub(super) position: i64,
    pub(super) text: String,
}

/// What is known of the soundness of a space.
#[derive(Clone, Debug, Default)]
pub struct SpaceHealth {
    /// When its rows were checked last.
    pub checked: Option<Timestamp>,
    /// Everything in it that is older was read and compared with its digest since then.
    pub scrubbed: Option<Timestamp>,
    /// What is wrong, one line each; empty is good.
    pub problems: Vec<String>,
}

/// What is done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Duty {
    /// The rows are checked.
    Check,
    /// Content is read.
    Scrub,
}

impl Duty {
    fn due(self) -> Sql {
        match self {
            Duty::Check => DUE_FOR_CHECK,
            Duty::Scrub => DUE_FOR_SCRUB,
        }
    }

    fn claim(self) -> Sql {
        match self {
            Duty::Check => CLAIM_CHECK,
            Duty::Scrub => CLAIM_SCRUB,
        }
    }
}

impl Control {
    /// Spaces that are due, the longest first.
    pub(super) async fn due_for(&self, duty: Duty, now: Timestamp, spaces_max: usize) -> Result<Vec<Due>, Error> {
        let limit = i64::try_from(spaces_max).unwrap_or(i64::MAX);
        let due = |row: &Row| {
            let begun = Some(Timestamp(row.int(2)?)).filter(|begun| begun.0 > 0);
            let pass = Pass { begun, content_id: row.int(3)?, position: row.int(4)? };
            Ok(Due { id: row.int(0)?, since: Timestamp(row.int(1)?), pass })
        };
        self.all_of(duty.due(), &[now.into(), limit.into()]).await?.iter().map(due).collect()
    }

    /// Puts the space off until `until`, in case that whoever claims it is cut off; false when somebody else was faster.
    pub(super) async fn claim(&self, duty: Duty, due: &Due, until: Timestamp) -> Result<bool, Error> {
        Ok(self.run(duty.claim(), &[due.id.into(), due.since.into(), until.into()]).await? == 1)
    }

    /// The space was changed: it is to be checked when that is due again, unless what was checked last is what is there.
    pub(crate) async fn ask_for_check(&self, id: i64, change_seq: i64, hours: i64) -> Result<(), Error> {
        let kept = Timestamp::from_seconds(hours.saturating_mul(3600));
        self.run(ASK_FOR_CHECK, &[id.into(), change_seq.into(), kept.into()]).await.map(drop)
    }

    /// The space is to be checked at `due`, if not before.
    pub(super) async fn check_by(&self, id: i64, due: Timestamp) -> Result<(), Error> {
        self.run(CHECK_BY, &[id.into(), due.into()]).await.map(drop)
    }

    /// The space was checked; it is due again at `due`, unless somebody has asked for it since it was claimed until `claimed`.
    pub(super) async fn has_checked(
        &self,
        id: i64,
        change_seq: i64,
        now: Timestamp,
        due: Timestamp,
        claimed: Option<Timestamp>,
    ) -> Result<(), Error> {
        self.run(CHECKED, &[id.into(), change_seq.into(), now.into()]).await?;
        match claimed {
            Some(claimed) => self.run(CLAIM_CHECK, &[id.into(), claimed.into(), due.into()]).await.map(drop),
            None => Ok(()),
        }
    }

    /// Says how far a pass has come, and when it goes on.
    pub(super) async fn save_pass(&self, id: i64, pass: Pass, due: Timestamp) -> Result<(), Error> {
        let begun = pass.begun.unwrap_or_default();
        let args: [Value; 5] = [id.into(), begun.into(), pass.content_id.into(), pass.position.into(), due.into()];
        self.run(SAVE_PASS, &args).await.map(drop)
    }

    /// All was looked at since `begun`.
    pub(super) async fn end_pass(&self, id: i64, begun: Timestamp, due: Timestamp) -> Result<(), Error> {
        self.run(END_PASS, &[id.into(), begun.into(), due.into()]).await.map(drop)
    }

    pub(super) async fn problems_of(&self, id: i64) -> Result<Vec<Problem>, Error> {
        let problem = |row: &Row| Ok(Problem { content_id: row.int(0)?, position: row.int(1)?, text: row.text(2)? });
        self.all_of(PROBLEMS_OF, &[id.into()]).await?.iter().map(problem).collect()
    }

    pub(super) async fn add_problem(&self, id: i64, problem: &Problem, now: Timestamp) -> Result<(), Error> {
        let Problem { content_id, position, text } = problem;
        let args = [id.into(), (*content_id).into(), (*position).into(), text.as_str().into(), now.into()];
        self.run(ADD_PROBLEM, &args).await.map(drop)
    }

    pub(super) async fn forget_problem(&self, id: i64, problem: &Problem) -> Result<(), Error> {
        let Problem { content_id, position, text } = problem;
        let args = [id.into(), (*content_id).into(), (*position).into(), text.as_str().into()];
        self.run(FORGET_PROBLEM, &args).await.map(drop)
    }

    /// The soundness of every space, by its number.
    pub(super) async fn health(&self) -> Result<HashMap<i64, SpaceHealth>, Error> {
        let mut found = HashMap::new();
        let instant = |us: i64| Some(Timestamp(us)).filter(|instant| instant.0 > 0);
        for row in self.all_of(LOOKED_AT, &[]).await? {
            let health =
                SpaceHealth { checked: instant(row.int(1)?), scrubbed: instant(row.int(2)?), problems: Vec::new() };
            found.insert(row.int(0)?, health);
        }
        for row in self.all_of(PROBLEMS, &[]).await? {
            if let Some(health) = found.get_mut(&row.int(0)?) {
                health.problems.push(row.text(1)?);
            }
        }
        Ok(found)
    }

    /// How many problems each space has that has some.
    pub(super) async fn problem_counts(&self) -> Result<Vec<(String, u64)>, Error> {
        let count = |row: &Row| Ok((row.text(0)?, row.count(1)?));
        self.all_of(PROBLEM_COUNTS, &[]).await?.iter().map(count).collect()
    }

    /// Since when there is no space that was not scrubbed; a space that never was counts from when it was made.
    pub(super) async fn scrubbed_longest_ago(&self) -> Result<Option<Timestamp>, Error> {
        let rows = self.all_of(SCRUBBED_LONGEST_AGO, &[]).await?;
        Ok(rows.first().map(|row| row.maybe_int(0)).transpose()?.flatten().map(Timestamp))
    }
}

const DUE_FOR_CHECK: Sql = Sql("SELECT id, check_due_us, scrub_begun_us, scrub_content_id, scrub_position FROM space
      WHERE check_due_us <= $1 ORDER BY check_due_us LIMIT $2");

const DUE_FOR_SCRUB: Sql = Sql("SELECT id, scrub_due_us, scrub_begun_us, scrub_content_id, scrub_position FROM space
      WHERE scrub_due_us <= $1 ORDER BY scrub_due_us LIMIT $2");

const CLAIM_CHECK: Sql = Sql("UPDATE space SET check_due_us = $3 WHERE id = $1 AND check_due_us = $2");

const CLAIM_SCRUB: Sql = Sql("UPDATE space SET scrub_due_us = $3 WHERE id = $1 AND scrub_due_us = $2");

const ASK_FOR_CHECK: Sql = Sql("UPDATE space SET check_due_us = checked_us + $3
      WHERE id = $1 AND checked_seq <> $2 AND check_due_us > checked_us + $3");

const CHECK_BY: Sql = Sql("UPDATE space SET check_due_us = $2 WHERE id = $1 AND check_due_us > $2");

const CHECKED: Sql = Sql("UPDATE space SET checked_us = $3, checked_seq = $2 WHERE id = $1");

const SAVE_PASS: Sql =
    Sql("UPDATE space SET scrub_begun_us = $2, scrub_content_id = $3, scrub_position = $4, scrub_due_us = $5
      WHERE id = $1");

const END_PASS: Sql = Sql(
    "UPDATE space SET scrub_begun_us = 0, scrub_content_id = 0, scrub_position = 0, scrubbed_us = $2, scrub_due_us = $3
      WHERE id = $1",
);

const PROBLEMS_OF: Sql =
    Sql("SELECT content_id, position, text FROM problem WHERE space_id = $1 ORDER BY content_id, position");

const ADD_PROBLEM: Sql = Sql("INSERT INTO problem (space_id, content_id, position, text, found_us)
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING");

const FORGET_PROBLEM: Sql =
    Sql("DELETE FROM problem WHERE space_id = $1 AND content_id = $2 AND position = $3 AND text = $4");

const LOOKED_AT: Sql = Sql("SELECT id, checked_us, scrubbed_us FROM space");

const PROBLEMS: Sql = Sql("SELECT space_id, text FROM problem ORDER BY space_id, content_id, position");

const PROBLEM_COUNTS: Sql = Sql("SELECT space.name, COUNT(*) FROM problem JOIN space ON space.id = problem.space_id
      GROUP BY space.name ORDER BY space.name");

const SCRUBBED_LONGEST_AGO: Sql =
    Sql("SELECT MIN(CASE WHEN scrubbed_us > 0 THEN scrubbed_us ELSE created_us END) FROM space");

pub(crate) const CONTROL_STATEMENTS: &[Sql] = &[
    DUE_FOR_CHECK,
    DUE_FOR_SCRUB,
    CLAIM_CHECK,
    CLAIM_SCRUB,
    ASK_FOR_CHECK,
    CHECK_BY,
    CHECKED,
    SAVE_PASS,
    END_PASS,
    PROBLEMS_OF,
    ADD_PROBLEM,
    FORGET_PROBLEM,
    LOOKED_AT,
    PROBLEMS,
    PROBLEM_COUNTS,
    SCRUBBED_LONGEST_AGO,
];
