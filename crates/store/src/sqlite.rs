//! SQLite, called where the caller runs: a warm statement takes microseconds, less than handing it to another thread and back.
//!
//! What may take longer stands aside ([`aside`]): opening a file, committing, and reads that look at very many rows. See
//! "SQLite is called in place" in docs/architecture.md.

use std::future::Future;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{OpenFlags, Statement, ToSql};

use crate::error::Error;
use crate::open_space::run_blocking;
use crate::sql::{Columns, Sql, Value};

/// How long a statement waits for another process that writes to the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Statements that a connection keeps prepared.
const STATEMENTS_PREPARED: usize = 128;

/// How every file of ours is opened. `FULL`: a commit has returned when the log is synced.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL;
     PRAGMA synchronous = FULL;
     PRAGMA foreign_keys = OFF;
     PRAGMA cache_size = -1024;
     PRAGMA temp_store = MEMORY;
     PRAGMA wal_autocheckpoint = 1000;";

/// A connection to one file. The mutex is never waited for: a connection is used by whoever has it for himself, and may be sent to
/// other threads while somebody only looks at what it is in.
pub(crate) struct SqliteConnection(Box<Mutex<rusqlite::Connection>>);

impl SqliteConnection {
    /// Opens the file, making it if it is missing. Blocks.
    pub(crate) fn open(path: &Path) -> Result<SqliteConnection, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = rusqlite::Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_PREPARED);
        connection.execute_batch(PRAGMAS)?;
        // Where SQLite was built with STAT4, a statement would be planned anew for each value that is bound to it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(SqliteConnection(Box::new(Mutex::new(connection))))
    }

    /// Opens the file as the first of its process. What an earlier one left in the log is taken over into the file and synced there:
    /// had a sync of the log failed before, some of it may be in memory only, and what is written behind it would be lost with it.
    /// Blocks.
    pub(crate) fn open_first(path: &Path) -> Result<SqliteConnection, Error> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let has_log = Path::new(&log).try_exists()?;
        let mut connection = SqliteConnection::open(path)?;
        if has_log {
            // Passive: it waits for nobody. What another process has open has been taken over by that.
            connection.script("PRAGMA wal_checkpoint(PASSIVE)")?;
        }
        Ok(connection)
    }

    fn raw(&mut self) -> &mut rusqlite::Connection {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the statement and shows each row to `see`, until that says that it has seen enough. Returns how many rows were
    /// touched.
    pub(crate) fn each(
        &mut self,
        sql: Sql,
        space_id: Option<i64>,
        args: &[Value],
        mut see: impl FnMut(&rusqlite::Row<'_>) -> Result<bool, Error>,
    ) -> Result<u64, Error> {
        let raw = self.raw();
        let mut statement = raw.prepare_cached(sql.0)?;
        bind(&mut statement, space_id, args)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if !see(row)? {
                break;
            }
        }
        drop(rows);
        drop(statement);
        Ok(raw.changes())
    }

    /// Whether a transaction is under way.
    pub(crate) fn is_in_transaction(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_autocommit()
    }

    /// Reads the statement without running it.
    pub(crate) fn prepare(&mut self, sql: Sql) -> Result<(), Error> {
        self.raw().prepare(sql.0)?;
        Ok(())
    }

    /// Runs statements without parameters.
    pub(crate) fn script(&mut self, text: &str) -> Result<(), Error> {
        Ok(self.raw().execute_batch(text)?)
    }
}

/// Binds `$1` to the space, if there is one, and what follows to `args`. SQLite counts its parameters by their first
/// appearance, whatever number stands in their names.
fn bind(statement: &mut Statement<'_>, space_id: Option<i64>, args: &[Value]) -> Result<(), Error> {
    let space = space_id.map(Value::Int);
    for position in 1..=statement.parameter_count() {
        let number = statement.parameter_name(position).and_then(|name| name.get(1..)?.parse::<usize>().ok());
        let value = match (number, &space) {
            (Some(1), Some(space)) => Some(space),
            (Some(number), Some(_)) => number.checked_sub(2).and_then(|index| args.get(index)),
            (Some(number), None) => number.checked_sub(1).and_then(|index| args.get(index)),
            (None, _) => None,
        };
        let value = value.ok_or_else(|| Error::unavailable(format!("placeholder {position} has no value")))?;
        statement.raw_bind_parameter(position, value)?;
    }
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Bytes(value) => ValueRef::Blob(value),
            Value::NoInt | Value::NoText | Value::NoBytes => ValueRef::Null,
        }))
    }
}

/// The row that SQLite is at, where it is.
impl Columns for rusqlite::Row<'_> {
    fn maybe_int(&self, column: usize) -> Result<Option<i64>, Error> {
        match self.get_ref(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            _ => Err(wrong(column)),
        }
    }

    fn maybe_text(&self, column: usize) -> Result<Option<String>, Error> {
        match self.get_ref(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(value) => Ok(Some(as_text(value, column)?.to_owned())),
            _ => Err(wrong(column)),
        }
    }

    fn maybe_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Error> {
        match self.get_ref(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(value) | ValueRef::Blob(value) => Ok(Some(value.to_vec())),
            _ => Err(wrong(column)),
        }
    }
}

fn as_text(value: &[u8], column: usize) -> Result<&str, Error> {
    std::str::from_utf8(value).map_err(|_| wrong(column))
}

/// A row, copied out of SQLite's memory: its numbers, and its texts and bytes behind each other.
pub(crate) struct SqliteRow {
    cells: Box<[Cell]>,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Cell {
    Null,
    Int(i64),
    Text(usize, usize),
    Bytes(usize, usize),
}

impl SqliteRow {
    pub(crate) fn of(row: &rusqlite::Row<'_>) -> Result<SqliteRow, Error> {
        let mut bytes = Vec::new();
        let cell = |column| {
            let mut keep = |value: &[u8]| {
                let start = bytes.len();
                bytes.extend_from_slice(value);
                (start, bytes.len())
            };
            Ok(match row.get_ref(column)? {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(value) => Cell::Int(value),
                ValueRef::Text(value) => {
                    let (start, end) = keep(value);
                    Cell::Text(start, end)
                }
                ValueRef::Blob(value) => {
                    let (start, end) = keep(value);
                    Cell::Bytes(start, end)
                }
                ValueRef::Real(_) => return Err(wrong(column)),
            })
        };
        let cells = (0..row.as_ref().column_count()).map(cell).collect::<Result<_, Error>>()?;
        Ok(SqliteRow { cells, bytes })
    }

    fn cell(&self, column: usize) -> Result<Cell, Error> {
        self.cells.get(column).copied().ok_or_else(|| wrong(column))
    }

    pub(crate) fn int(&self, column: usize) -> Result<Option<i64>, Error> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Int(value) => Ok(Some(value)),
            Cell::Text(..) | Cell::Bytes(..) => Err(wrong(column)),
        }
    }

    pub(crate) fn text(&self, column: usize) -> Result<Option<&str>, Error> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Text(start, end) => as_text(&self.bytes[start..end], column).map(Some),
            Cell::Int(_) | Cell::Bytes(..) => Err(wrong(column)),
        }
    }

    pub(crate) fn bytes(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Text(start, end) | Cell::Bytes(start, end) => Ok(Some(&self.bytes[start..end])),
            Cell::Int(_) => Err(wrong(column)),
        }
    }
}

fn wrong(column: usize) -> Error {
    Error::unavailable(format!("column {column} is not of the type that is asked for"))
}

/// Runs `work` on a thread where blocking is allowed: for what syncs, or reads very many rows.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let runtime = tokio::runtime::Handle::current();
    run_blocking(move || runtime.block_on(work)).await
}

/// SQLITE_IOERR and SQLITE_CORRUPT with their extended codes: the disk below failed.
pub(crate) fn is_disk_failure(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, SystemIoFailure};
    use rusqlite::ffi::{SQLITE_IOERR_NOMEM, SQLITE_IOERR_SHMSIZE};
    // No memory, or a disk too full for the index that is shared with other processes: nothing of it is kept on disk.
    let is_passing = error
        .sqlite_error()
        .is_some_and(|error| matches!(error.extended_code, SQLITE_IOERR_NOMEM | SQLITE_IOERR_SHMSIZE));
    matches!(error.sqlite_error_code(), Some(SystemIoFailure | DatabaseCorrupt)) && !is_passing
}

/// What is in the file is none of SQLite's.
pub(crate) fn is_no_database(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase)
}

/// There was no room for what was to be written.
pub(crate) fn is_disk_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}

/// A unique key, a primary key or a row number is taken.
pub(crate) fn is_taken(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE};
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_ROWID))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> SqliteConnection {
        SqliteConnection::open(Path::new(":memory:")).unwrap()
    }

    fn rows(
        connection: &mut SqliteConnection,
        sql: &'static str,
        space: Option<i64>,
        args: &[Value],
    ) -> Vec<SqliteRow> {
        let mut rows = Vec::new();
        let see = |row: &rusqlite::Row<'_>| {
            rows.push(SqliteRow::of(row)?);
            Ok(true)
        };
        connection.each(Sql(sql), space, args, see).unwrap();
        rows
    }

    #[test]
    fn placeholders_are_bound_by_their_numbers_not_by_their_order() {
        let mut connection = memory();
        let found = rows(&mut connection, "SELECT $3, $1, $2, $3", Some(7), &["two".into(), 3_i64.into()]);
        assert_eq!(found[0].int(0).unwrap(), Some(3));
        assert_eq!(found[0].int(1).unwrap(), Some(7));
        assert_eq!(found[0].text(2).unwrap(), Some("two"));
        assert_eq!(found[0].int(3).unwrap(), Some(3));
        let found = rows(&mut connection, "SELECT $2, $1", None, &["one".into(), "two".into()]);
        assert_eq!(found[0].text(0).unwrap(), Some("two"));
    }

    #[test]
    fn a_placeholder_without_a_value_is_an_error_not_a_null() {
        let refused = memory().each(Sql("SELECT $1, $2"), Some(1), &[], |_| Ok(true));
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    }

    #[test]
    fn columns_keep_their_types() {
        let mut connection = memory();
        let args = [Value::NoText, vec![0_u8, 255].as_slice().into(), "é".into()];
        let row = &rows(&mut connection, "SELECT $1, $2, $3, $4, ''", Some(-1), &args)[0];
        assert_eq!(row.int(0).unwrap(), Some(-1));
        assert_eq!((row.int(1).unwrap(), row.text(1).unwrap(), row.bytes(1).unwrap()), (None, None, None));
        assert_eq!(row.bytes(2).unwrap(), Some(&[0_u8, 255][..]));
        assert_eq!(row.text(3).unwrap(), Some("é"));
        assert_eq!(row.text(4).unwrap(), Some(""));
        assert!(row.int(3).is_err() && row.text(0).is_err() && row.text(2).is_err() && row.int(5).is_err());
    }

    #[test]
    fn a_statement_that_returns_what_it_touched_touches_all_of_it() {
        let mut connection = memory();
        connection.script("CREATE TABLE t (a BIGINT PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)").unwrap();
        let mut seen = 0;
        let touched = connection.each(Sql("UPDATE t SET a = a + 10 RETURNING a"), None, &[], |_| {
            seen += 1;
            Ok(true)
        });
        assert_eq!((seen, touched.unwrap()), (3, 3));
        let taken = connection.each(Sql("INSERT INTO t VALUES (11)"), None, &[], |_| Ok(true)).unwrap_err();
        assert!(crate::sql::is_taken(&taken) && !crate::sql::is_disk_failure(&taken), "{taken:?}");
    }

    #[test]
    fn a_full_disk_is_no_disk_that_fails() {
        use rusqlite::ffi::{
            SQLITE_BUSY, SQLITE_CORRUPT, SQLITE_FULL, SQLITE_IOERR_FSYNC, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_WRITE,
        };
        let check = |code, expected| {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            assert_eq!(is_disk_failure(&error), expected, "{code}");
        };
        [SQLITE_IOERR_FSYNC, SQLITE_IOERR_WRITE, SQLITE_CORRUPT].into_iter().for_each(|code| check(code, true));
        // The second is what a full disk says to whoever opens a file of which nothing is open.
        [SQLITE_FULL, SQLITE_IOERR_SHMSIZE, SQLITE_BUSY].into_iter().for_each(|code| check(code, false));
    }

    #[test]
    fn a_transaction_that_a_full_disk_ended_is_known_to_be_over() {
        let mut connection = memory();
        connection.script("CREATE TABLE t (a BLOB); PRAGMA max_page_count = 4; BEGIN IMMEDIATE").unwrap();
        assert!(connection.is_in_transaction());
        let full = connection.script("INSERT INTO t VALUES (zeroblob(1000000))").unwrap_err();
        assert!(!crate::sql::is_disk_failure(&full) && full.is_disk_full(), "{full:?}");
        assert!(!connection.is_in_transaction(), "SQLite rolled it back by itself");
    }

    #[test]
    fn whoever_has_seen_enough_is_shown_no_more_and_the_connection_goes_on() {
        let mut connection = memory();
        let sql = Sql("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i FROM n");
        let mut seen = 0;
        for _ in 0..2 {
            connection
                .each(sql, None, &[], |_| {
                    seen += 1;
                    Ok(seen % 10 != 0)
                })
                .unwrap();
        }
        assert_eq!(seen, 20);
    }
}
