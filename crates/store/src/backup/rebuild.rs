//! The rows of a generation as an SQLite file, whatever engine they go to: at the schema that they were written at first, so that
//! backups of earlier releases are brought up to date by the same steps as spaces are.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sqlx::PgPool;

use super::depository::Depository;
use super::error::BackupError;
use super::generation::{Generation, Segment};
use super::prune::{digest_of, unreadable};
use super::segment::{BLOBS, Head, read_line, values_of};
use super::today::{COUNTERS, Counters};
use crate::error::Error;
use crate::migrations::{self, migrate};
use crate::open_space::run_blocking;
use crate::ports::Timestamp;
use crate::sql::{Connection, Sql, Value};
use crate::sqlite::{SqliteConnection, aside};
use crate::store::remove_database;
use crate::tables::{TABLES, Table, insert_into, kept_text};

/// Numbers that are skipped by a restore, whatever was given out since the backup that is not known here any more:
const SKIPPED: i64 = 1_000_000;
/// and so many for each second since then.
const SKIPPED_PER_SECOND: i64 = 1_000;
/// Rows that are read at once on their way to PostgreSQL.
const POURED_ROWS: i64 = 200;

/// A space in a file that nothing knows of yet.
pub(super) struct Rebuilt {
    path: PathBuf,
    connection: Connection,
    pub(super) rows: u64,
}

/// What the rebuilt space is to be.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// Its number.
    pub(super) id: i64,
    /// What the keys of its blobs begin with.
    pub(super) blob_prefix: String,
}

/// Writes the rows of the generation to a new file at `path`.
pub(super) async fn rebuild(
    from: &Depository,
    generation: &Generation,
    path: PathBuf,
    identity: &Identity,
) -> Result<Rebuilt, BackupError> {
    let Some(steps) = migrations::SPACE.get(..generation.schema) else {
        return Err(BackupError::Refused(format!(
            "the generation {} was written by release {}, which is newer than this one: use that",
            generation.name, generation.program
        )));
    };
    remove_database(&path).await?;
    let mut connection = open_at(&path, steps).await?.of_space(identity.id);
    let mut rows = 0;
    let mut statements = HashMap::new();
    for segment in generation.segments.iter().filter(|segment| segment.table != BLOBS) {
        let bytes = from.read(&digest_of(generation, segment)?, segment.size_bytes).await?;
        let text = std::str::from_utf8(&bytes).map_err(|_| unreadable(generation, segment))?;
        let lines = parse(text, segment, &identity.blob_prefix);
        let Lines { statement, rows: found } = lines.ok_or_else(|| unreadable(generation, segment))?;
        let sql = *statements.entry(statement.clone()).or_insert_with(|| kept_text(statement));
        connection = aside(async move {
            connection.begin().await?;
            for row in &found {
                connection.one(sql, row).await?;
            }
            connection.script("COMMIT").await?;
            Ok(connection)
        })
        .await?;
        rows += segment.rows;
    }
    connection.close().await;
    let connection = open_at(&path, migrations::SPACE).await?.of_space(identity.id);
    Ok(Rebuilt { path, connection, rows })
}

async fn open_at(path: &Path, steps: &'static [&'static str]) -> Result<Connection, Error> {
    let path = path.to_owned();
    aside(async move {
        let mut connection = Connection::sqlite(SqliteConnection::open(&path)?, None);
        migrate(&mut connection, "space", steps).await?;
        Ok(connection)
    })
    .await
}

struct Lines {
    statement: String,
    rows: Vec<Vec<Value>>,
}

fn parse(text: &str, segment: &Segment, blob_prefix: &str) -> Option<Lines> {
    let mut lines = text.lines();
    let head: Head = serde_json::from_str(lines.next()?).ok()?;
    let is_name = |name: &String| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    if head.table != segment.table || !is_name(&head.table) || !head.columns.iter().all(is_name) {
        return None;
    }
    let key = head.columns.iter().position(|column| column == "blob_key");
    let mut rows = Vec::new();
    for line in lines {
        let mut row = read_line(line).filter(|row| row.len() == head.columns.len())?;
        if let Some(Value::Text(key)) = key.and_then(|key| row.get_mut(key)) {
            *key = moved_key(key, blob_prefix)?;
        }
        rows.push(row);
    }
    let columns: Vec<&str> = head.columns.iter().map(String::as_str).collect();
    (rows.len() as u64 == segment.rows).then(|| Lines { statement: insert_into(&head.table, &columns), rows })
}

/// The key of a blob in the space that it comes to: the same after the prefix, which is that space's own.
fn moved_key(key: &str, blob_prefix: &str) -> Option<String> {
    let mut parts = key.rsplit('/');
    let (name, fan) = (parts.next()?, parts.next()?);
    let is_plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    (is_plain(name) && is_plain(fan)).then(|| format!("{blob_prefix}/{fan}/{name}"))
}

impl Rebuilt {
    /// Has the space begin anew, with numbers past all that were given out.
    pub(super) async fn settle(
        mut self,
        generation: &Generation,
        given_out: Option<Counters>,
        now: Timestamp,
        upkeep_due: Timestamp,
    ) -> Result<Rebuilt, BackupError> {
        let age_seconds = now.seconds().saturating_sub(generation.begun().seconds()).max(0);
        let skipped = SKIPPED + SKIPPED_PER_SECOND.saturating_mul(age_seconds);
        let settled = aside(async move {
            let found = Counters::from(&self.connection.row(COUNTERS, &[]).await?)?;
            let Counters { change_seq, next_id } = given_out.map_or(found, |given_out| found.max(given_out));
            let args =
                [change_seq.saturating_add(skipped).into(), next_id.saturating_add(skipped).into(), upkeep_due.into()];
            self.connection.one(SET_COUNTERS, &args).await?;
            Ok(self)
        });
        Ok(settled.await?)
    }

    /// Every blob that the rows refer to: key, size, digest.
    pub(super) async fn blobs(&mut self) -> Result<Vec<(String, u64, blake3::Hash)>, Error> {
        let rows = self.connection.all(crate::reach::BLOBS, &[]).await?;
        let blob = |row: &crate::sql::Row| {
            let digest: [u8; 32] =
                row.bytes(2)?.try_into().map_err(|_| Error::unavailable("a blob without its digest"))?;
            Ok((row.text(0)?, row.count(1)?, blake3::Hash::from_bytes(digest)))
        };
        rows.iter().map(blob).collect()
    }

    /// Makes it the file of a space, durably. Not in the place of another: SQLite would take that one's log for this one's.
    pub(super) async fn place(self, file: PathBuf) -> Result<(), Error> {
        let Rebuilt { path, connection, .. } = self;
        // The last connection writes the log back into the file.
        connection.close().await;
        run_blocking(move || {
            std::fs::File::open(&path)?.sync_all()?;
            std::fs::hard_link(&path, &file)?;
            std::fs::remove_file(&path)?;
            if let Some(parent) = file.parent() {
                std::fs::File::open(parent)?.sync_all()?;
            }
            Ok(())
        })
        .await
    }

    /// Writes all rows to PostgreSQL, in one transaction.
    pub(super) async fn pour(mut self, pool: &PgPool, id: i64) -> Result<(), Error> {
        let mut to = Connection::postgres(pool.acquire().await?, Some(id));
        to.begin().await?;
        for table in TABLES.iter().filter(|table| table.is_kept) {
            pour_table(&mut self.connection, &mut to, table).await?;
        }
        to.script("COMMIT").await?;
        self.connection.close().await;
        remove_database(&self.path).await
    }
}

async fn pour_table(from: &mut Connection, to: &mut Connection, table: &'static Table) -> Result<(), Error> {
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    // SQLite numbers the rows of every table.
    let page = kept_text(format!(
        "SELECT {}, rowid FROM {} WHERE space_id = $1 AND rowid > $2 ORDER BY rowid LIMIT $3",
        columns.join(", "),
        table.name
    ));
    let mut after = 0;
    loop {
        let rows = from.all(page, &[after.into(), POURED_ROWS.into()]).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.int(columns.len())?;
        for row in &rows {
            to.one(table.insert, &values_of(table, row)?).await?;
        }
    }
}

// Every sync token from before is below the floor.
const SET_COUNTERS: Sql = Sql("UPDATE space_state
        SET change_seq = $2, next_id = $3, log_floor = $2, upkeep_due_us = $4, blobs_held_until_us = 0
      WHERE space_id = $1");

pub(super) const STATEMENTS: &[Sql] = &[SET_COUNTERS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_backup_cannot_leave_the_space_that_it_comes_to() {
        let moved = |key| moved_key(key, "spaces/new");
        assert_eq!(moved("spaces/old/ab/cdef01").as_deref(), Some("spaces/new/ab/cdef01"));
        for key in ["", "cdef", "spaces/../x", "a/..", "../a", "ab/c d", "ab/", "/cd"] {
            assert_eq!(moved(key), None, "{key}");
        }
    }
}
