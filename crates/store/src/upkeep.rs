//! When each space is looked at for what has expired, so that a space in which nothing expires is left alone.
//!
//! `upkeep_due_us` is that instant. It stands beside the counters of the space, and in the catalogue, where it may be earlier than
//! need be and never later:
//!
//! - A change that finds it later than `upkeep_after_seconds` from now lowers it to that: first in the catalogue, which syncs,
//!   then in its own transaction. Most changes find it lowered already.
//! - Upkeep alone raises it, to when the first of what is left expires: first in the space, then, in another turn of the
//!   space's writer, in the catalogue, if nobody has lowered it since.
//!
//! A crash between the two leaves the catalogue's too early.

use std::sync::Arc;

use tracing::warn;

use crate::control::Control;
use crate::error::Error;
use crate::ports::Timestamp;
use crate::reach::was_used;
use crate::retention;
use crate::space::SpaceCore;
use crate::sql::{Sql, Value};
use crate::store::{Limits, Store};
use crate::tx::Tx;

/// When a space is due in which nothing expires.
pub(crate) const NEVER: Timestamp = Timestamp(i64::MAX);

impl Store {
    /// Expires and collects in the spaces that are due for it, `spaces_max` at most, the longest due first. Returns the numbers of
    /// those that it opened.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the catalogue does not say which are due. What fails in one space is told in the log, and
    /// tried again after `upkeep_after_seconds`.
    pub async fn upkeep(&self, spaces_max: usize) -> Result<Vec<i64>, Error> {
        let mut opened = Vec::new();
        while opened.len() < spaces_max {
            let due = self.control().due(self.now(), spaces_max - opened.len()).await?;
            if due.is_empty() {
                break;
            }
            for (id, due) in due {
                // Other servers do the same.
                let next = self.now().plus_seconds(self.limits().upkeep_after_seconds);
                if !self.control().postpone(id, due, next).await? {
                    continue;
                }
                match self.space_numbered(id).await {
                    Ok(space) if was_used(space.core()).await => {
                        opened.push(id);
                        if let Err(error) = keep_up(space.core()).await {
                            let name = &space.info().name;
                            warn!(space.name = %name, %error, "upkeep of a space failed; it is tried again later");
                        }
                    }
                    Ok(_) | Err(Error::NotFound) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(opened)
    }

    /// Before the first upkeep of a process: has every space looked at in which something expires, if things are kept for another
    /// time than when they were looked at last.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn begin_upkeep(&self) -> Result<(), Error> {
        self.control().heed_retention(&retention_of(self.limits())).await
    }
}

/// How long everything is kept, as one text.
fn retention_of(limits: &Limits) -> String {
    format!("{:?}", kept_seconds(limits))
}

/// Seconds that things are kept which say when they came, in the order of the placeholders of [`NEXT`].
fn kept_seconds(limits: &Limits) -> [i64; 8] {
    const DAY: i64 = 24 * 3600;
    [
        limits.trash_days * DAY,
        limits.departed_days * DAY,
        limits.version_days * DAY,
        limits.upload_expiry_seconds,
        limits.notification_days * DAY,
        limits.activity_days * DAY,
        limits.change_log_days * DAY,
        limits.audit_days * DAY,
    ]
}

/// Before a change is committed: what it leaves may have to be looked at.
pub(crate) async fn expect(tx: &mut Tx) -> Result<(), Error> {
    let latest = tx.now().plus_seconds(tx.core.limits.upkeep_after_seconds);
    if tx.counters.upkeep_due > latest {
        tx.in_catalogue(LOWER, &[latest.into()]).await?;
        tx.counters.upkeep_due = latest;
    }
    Ok(())
}

async fn keep_up(core: &Arc<SpaceCore>) -> Result<(), Error> {
    retention::maintain(core).await?;
    let (due, change_seq) = core.write(|tx| Box::pin(look_ahead(tx))).await?;
    core.write(move |tx| Box::pin(publish(tx, due))).await?;
    core.control.ask_for_check(core.id, change_seq, core.limits.check_hours).await
}

/// Says in the space when the first of what is left expires; not too soon, so that what expires one after the other goes
/// together. Also which change was the last.
async fn look_ahead(tx: &mut Tx) -> Result<(Timestamp, i64), Error> {
    tx.beside_the_tree += 1;
    let kept: Vec<Value> = kept_seconds(&tx.core.limits).iter().map(|kept| (kept * 1_000_000).into()).collect();
    // Some things go only when their time is over, not in the very microsecond.
    let next = tx.row(NEXT, &kept).await?.maybe_int(0)?.map_or(NEVER, |due| Timestamp(due.saturating_add(1)));
    let soonest = tx.now().plus_seconds(tx.core.limits.upkeep_after_seconds);
    tx.counters.upkeep_due = next.max(soonest);
    Ok((tx.counters.upkeep_due, tx.counters.change_seq))
}

/// Says the same in the catalogue, unless a change was committed meanwhile that counts on less.
async fn publish(tx: &mut Tx, due: Timestamp) -> Result<(), Error> {
    tx.beside_the_tree += 1;
    if tx.counters.upkeep_due == due { tx.in_catalogue(RAISE, &[due.into()]).await } else { Ok(()) }
}

impl Control {
    /// Spaces that are due, and since when.
    async fn due(&self, now: Timestamp, spaces_max: usize) -> Result<Vec<(i64, Timestamp)>, Error> {
        let limit = i64::try_from(spaces_max).unwrap_or(i64::MAX);
        let rows = self.all_of(DUE, &[now.into(), limit.into()]).await?;
        rows.iter().map(|row| Ok((row.int(0)?, Timestamp(row.int(1)?)))).collect()
    }

    /// Puts off a space that was due at `due`; false when somebody else was faster.
    async fn postpone(&self, id: i64, due: Timestamp, next: Timestamp) -> Result<bool, Error> {
        Ok(self.run(POSTPONE, &[id.into(), due.into(), next.into()]).await? == 1)
    }

    async fn heed_retention(&self, kept: &str) -> Result<(), Error> {
        if self.run(SET_RETENTION, &[kept.into()]).await? == 1 {
            self.run(ALL_DUE, &[NEVER.into()]).await?;
        }
        Ok(())
    }
}

const DUE: Sql = Sql("SELECT id, upkeep_due_us FROM space WHERE upkeep_due_us <= $1 ORDER BY upkeep_due_us LIMIT $2");

const POSTPONE: Sql = Sql("UPDATE space SET upkeep_due_us = $3 WHERE id = $1 AND upkeep_due_us = $2");

const LOWER: Sql = Sql("UPDATE space SET upkeep_due_us = $2 WHERE id = $1 AND upkeep_due_us > $2");

const RAISE: Sql = Sql("UPDATE space SET upkeep_due_us = $2 WHERE id = $1");

const SET_RETENTION: Sql = Sql("UPDATE control_state SET retention = $1 WHERE id = 1 AND retention <> $1");

// Where nothing expires, it does not matter when.
const ALL_DUE: Sql = Sql("UPDATE space SET upkeep_due_us = 0 WHERE upkeep_due_us < $1");

// Where instants lie in the order of the key, the first row is the oldest.
const NEXT: Sql = Sql("SELECT MIN(due_us) FROM (
         SELECT MIN(deleted_us) + $2 AS due_us FROM trash WHERE space_id = $1
         UNION ALL SELECT MIN(departed_us) + $3 FROM account WHERE space_id = $1
         UNION ALL SELECT MIN(created_us) + $4 FROM version WHERE space_id = $1 AND label IS NULL
         UNION ALL SELECT MIN(touched_us) + $5 FROM upload WHERE space_id = $1
         UNION ALL SELECT MIN(finished_us) + $5 FROM finished_upload WHERE space_id = $1
         UNION ALL SELECT MIN(created_us) + $6 FROM notification WHERE space_id = $1
         UNION ALL SELECT (SELECT happened_us FROM activity WHERE space_id = $1 ORDER BY id LIMIT 1) + $7
         UNION ALL SELECT (SELECT logged_us FROM change_log WHERE space_id = $1 ORDER BY change_seq LIMIT 1) + $8
         UNION ALL SELECT (SELECT happened_us FROM audit WHERE space_id = $1 ORDER BY id LIMIT 1) + $9
         UNION ALL SELECT MIN(collect_after_us) FROM intent WHERE space_id = $1
         UNION ALL SELECT MIN(expires_us) FROM lock WHERE space_id = $1
         UNION ALL SELECT MIN(expires_us) FROM share WHERE space_id = $1
         UNION ALL SELECT MIN(expires_us) FROM push_registration WHERE space_id = $1
     ) AS expiring");

/// The statements about the catalogue.
pub(crate) const CONTROL_STATEMENTS: &[Sql] = &[DUE, POSTPONE, LOWER, RAISE, SET_RETENTION, ALL_DUE];

pub(crate) const STATEMENTS: &[Sql] = &[NEXT];
