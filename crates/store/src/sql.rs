//! The one way to the database: SQL text written once, run on SQLite and on PostgreSQL.
//!
//! The common dialect: numbered placeholders, `BIGINT`, `TEXT`, `BLOB` (spelt `BYTEA` for PostgreSQL on the way
//! out), instants in microseconds, truth as 0 or 1, no ordering by text, no `LIKE`. `$1` is the space wherever a
//! statement names one; [`Connection`] binds it, so that no statement can leave its space.

use futures_util::StreamExt as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments as _, AssertSqlSafe, Executor as _, Postgres, Row as _, SqlSafeStr as _};

use crate::error::Error;
use crate::open_space::run_blocking;
use crate::sqlite::{self, SqliteConnection, SqliteRow};

/// A statement of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sql(pub(crate) &'static str);

/// A value bound to a placeholder. Absent values carry their type, which PostgreSQL wants to know.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    NoInt,
    NoText,
    NoBytes,
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<crate::permissions::Permissions> for Value {
    fn from(permissions: crate::permissions::Permissions) -> Value {
        Value::Int(permissions.bits().into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Int(i64::from(value))
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Value {
        Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Value {
        Value::Bytes(value.to_vec())
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Value {
        value.map_or(Value::NoInt, Value::Int)
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Value {
        value.map_or(Value::NoText, Value::from)
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Value {
        value.map_or(Value::NoText, Value::Text)
    }
}

impl From<Option<&[u8]>> for Value {
    fn from(value: Option<&[u8]>) -> Value {
        value.map_or(Value::NoBytes, Value::from)
    }
}

macro_rules! value_of_id {
    ($($id:ty),*) => {$(
        impl From<$id> for Value {
            fn from(id: $id) -> Value {
                Value::Int(id.0)
            }
        }
    )*};
}

value_of_id!(
    crate::node::FileId,
    crate::node::AccountId,
    crate::node::DeviceId,
    crate::node::ShareId,
    crate::node::GroupId,
    crate::node::TagId,
    crate::node::CommentId,
    crate::node::ContentId,
    crate::node::Etag,
    crate::ports::Timestamp
);

/// The columns of a row, by position.
pub(crate) trait Columns {
    fn maybe_int(&self, column: usize) -> Result<Option<i64>, Error>;
    fn maybe_text(&self, column: usize) -> Result<Option<String>, Error>;
    fn maybe_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Error>;

    fn int(&self, column: usize) -> Result<i64, Error> {
        there(self.maybe_int(column)?, column)
    }

    fn text(&self, column: usize) -> Result<String, Error> {
        there(self.maybe_text(column)?, column)
    }

    fn truth(&self, column: usize) -> Result<bool, Error> {
        Ok(self.int(column)? != 0)
    }

    /// A number of bytes or of things, which is never negative.
    fn count(&self, column: usize) -> Result<u64, Error> {
        let value = self.int(column)?;
        u64::try_from(value).map_err(|_| Error::Corrupt { table: "(negative count)", column: "?", id: value })
    }
}

fn there<T>(value: Option<T>, column: usize) -> Result<T, Error> {
    value.ok_or_else(|| Error::unavailable(format!("column {column} is null")))
}

/// A row of either engine, to be kept.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Columns for Row {
    fn maybe_int(&self, column: usize) -> Result<Option<i64>, Error> {
        match self {
            Row::Sqlite(row) => row.int(column),
            Row::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    fn maybe_text(&self, column: usize) -> Result<Option<String>, Error> {
        match self {
            Row::Sqlite(row) => Ok(row.text(column)?.map(str::to_owned)),
            Row::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    fn maybe_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Row::Sqlite(row) => Ok(row.bytes(column)?.map(<[u8]>::to_vec)),
            Row::Postgres(row) => Ok(row.try_get(column)?),
        }
    }
}

/// The same, for those who have no use for the trait.
impl Row {
    pub(crate) fn int(&self, column: usize) -> Result<i64, Error> {
        Columns::int(self, column)
    }

    pub(crate) fn maybe_int(&self, column: usize) -> Result<Option<i64>, Error> {
        Columns::maybe_int(self, column)
    }

    pub(crate) fn text(&self, column: usize) -> Result<String, Error> {
        Columns::text(self, column)
    }

    pub(crate) fn maybe_text(&self, column: usize) -> Result<Option<String>, Error> {
        Columns::maybe_text(self, column)
    }

    pub(crate) fn bytes(&self, column: usize) -> Result<Vec<u8>, Error> {
        there(self.maybe_bytes(column)?, column)
    }

    pub(crate) fn maybe_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Error> {
        Columns::maybe_bytes(self, column)
    }

    pub(crate) fn truth(&self, column: usize) -> Result<bool, Error> {
        Columns::truth(self, column)
    }

    pub(crate) fn count(&self, column: usize) -> Result<u64, Error> {
        Columns::count(self, column)
    }
}

enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PoolConnection<Postgres>),
}

/// A database connection that can only speak of one space, or of the catalogue.
pub(crate) struct Connection {
    raw: Raw,
    /// What `$1` is bound to; `None` for the catalogue, whose statements count from `$1` themselves.
    space_id: Option<i64>,
    /// Whether a transaction has begun that is not known to have ended.
    is_in_transaction: bool,
    /// Set by tests: fails the n-th statement from now.
    fault: Option<std::sync::Arc<crate::sql_fault::SqlFaults>>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A pool does not look whether a transaction is open: whoever came next would be in it.
        if let Raw::Postgres(raw) = &mut self.raw
            && self.is_in_transaction
        {
            raw.close_on_drop();
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection(space {:?})", self.space_id)
    }
}

fn arguments(space_id: Option<i64>, args: &[Value]) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    if let Some(space_id) = space_id {
        arguments.add(space_id).map_err(sqlx::Error::Encode)?;
    }
    for value in args {
        match value {
            Value::Int(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(value.as_str()),
            Value::Bytes(value) => arguments.add(value.as_slice()),
            Value::NoInt => arguments.add(None::<i64>),
            Value::NoText => arguments.add(None::<String>),
            Value::NoBytes => arguments.add(None::<Vec<u8>>),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// Looks at a row; says whether it wants to see more.
pub(crate) type See<'s> = dyn FnMut(&dyn Columns) -> Result<bool, Error> + Send + 's;

async fn each_of(
    raw: &mut PoolConnection<Postgres>,
    sql: Sql,
    arguments: PgArguments,
    see: &mut See<'_>,
) -> Result<(), Error> {
    let mut stream = raw.as_mut().fetch(sqlx::query_with(sql.0, arguments));
    while let Some(row) = stream.next().await {
        if !see(&Row::Postgres(row?))? {
            break;
        }
    }
    Ok(())
}

impl Connection {
    pub(crate) fn sqlite(raw: SqliteConnection, space_id: Option<i64>) -> Connection {
        Connection { raw: Raw::Sqlite(raw), space_id, is_in_transaction: false, fault: None }
    }

    pub(crate) fn postgres(raw: PoolConnection<Postgres>, space_id: Option<i64>) -> Connection {
        Connection { raw: Raw::Postgres(raw), space_id, is_in_transaction: false, fault: None }
    }

    /// From here on it speaks of this space alone.
    pub(crate) fn of_space(mut self, space_id: i64) -> Connection {
        self.space_id = Some(space_id);
        self
    }

    pub(crate) fn with_faults(mut self, fault: Option<std::sync::Arc<crate::sql_fault::SqlFaults>>) -> Connection {
        self.fault = fault;
        self
    }

    /// All rows. `args` are `$2` and up, or `$1` and up in the catalogue.
    pub(crate) async fn all(&mut self, sql: Sql, args: &[Value]) -> Result<Vec<Row>, Error> {
        self.before(sql.0).await?;
        let mut rows = Vec::new();
        match &mut self.raw {
            Raw::Sqlite(raw) => {
                raw.each(sql, self.space_id, args, |row| {
                    rows.push(Row::Sqlite(SqliteRow::of(row)?));
                    Ok(true)
                })?;
            }
            Raw::Postgres(raw) => {
                let query = sqlx::query_with(sql.0, arguments(self.space_id, args)?);
                rows.extend(Box::pin(raw.as_mut().fetch_all(query)).await?.into_iter().map(Row::Postgres));
            }
        }
        Ok(rows)
    }

    /// Shows each row to `see` as it comes, until that says that it has seen enough: for answers too large to be held.
    pub(crate) async fn each(&mut self, sql: Sql, args: &[Value], see: &mut See<'_>) -> Result<(), Error> {
        self.before(sql.0).await?;
        match &mut self.raw {
            Raw::Sqlite(raw) => raw.each(sql, self.space_id, args, |row| see(row)).map(drop),
            // On the heap, so that what waits for PostgreSQL is not in the memory of every request.
            Raw::Postgres(raw) => Box::pin(each_of(raw, sql, arguments(self.space_id, args)?, see)).await,
        }
    }

    /// The row, if there is one.
    pub(crate) async fn maybe(&mut self, sql: Sql, args: &[Value]) -> Result<Option<Row>, Error> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }

    /// The row, which must be there.
    pub(crate) async fn row(&mut self, sql: Sql, args: &[Value]) -> Result<Row, Error> {
        self.maybe(sql, args).await?.ok_or_else(|| Error::unavailable(format!("no row for: {}", sql.0)))
    }

    /// Runs a statement; returns how many rows it touched.
    pub(crate) async fn run(&mut self, sql: Sql, args: &[Value]) -> Result<u64, Error> {
        self.before(sql.0).await?;
        match &mut self.raw {
            Raw::Sqlite(raw) => raw.each(sql, self.space_id, args, |_| Ok(true)),
            Raw::Postgres(raw) => {
                let query = sqlx::query_with(sql.0, arguments(self.space_id, args)?);
                Ok(Box::pin(raw.as_mut().execute(query)).await?.rows_affected())
            }
        }
    }

    /// What comes before every statement: faults of tests, and other tasks' turn. A statement on SQLite never waits, so that a
    /// request of thousands of them would keep its thread to itself.
    async fn before(&self, text: &str) -> Result<(), Error> {
        if let Some(faults) = &self.fault {
            faults.before(text)?;
        }
        tokio::task::coop::consume_budget().await;
        Ok(())
    }

    /// Runs a statement that is meant for one row.
    pub(crate) async fn one(&mut self, sql: Sql, args: &[Value]) -> Result<(), Error> {
        match self.run(sql, args).await? {
            1 => Ok(()),
            touched => Err(Error::unavailable(format!("{touched} rows touched instead of one: {}", sql.0))),
        }
    }

    /// Has the engine read a statement without running it.
    pub(crate) async fn prepare(&mut self, sql: Sql) -> Result<(), Error> {
        match &mut self.raw {
            Raw::Sqlite(raw) => raw.prepare(sql)?,
            Raw::Postgres(raw) => drop(Box::pin(raw.as_mut().prepare(AssertSqlSafe(sql.0).into_sql_str())).await?),
        }
        Ok(())
    }

    /// Runs statements without parameters, such as `BEGIN` or a migration.
    pub(crate) async fn script(&mut self, text: &str) -> Result<(), Error> {
        self.before(text).await?;
        self.is_in_transaction |= text.starts_with("BEGIN");
        match &mut self.raw {
            Raw::Sqlite(raw) => raw.script(text)?,
            Raw::Postgres(raw) => {
                let text = text.replace(" BLOB", " BYTEA");
                Box::pin(raw.as_mut().execute(AssertSqlSafe(text))).await.map(drop)?;
            }
        }
        self.is_in_transaction &= !matches!(text, "COMMIT" | "ROLLBACK");
        Ok(())
    }

    /// Begins a transaction that will write.
    pub(crate) async fn begin(&mut self) -> Result<(), Error> {
        match self.raw {
            Raw::Sqlite(_) => self.script("BEGIN IMMEDIATE").await,
            Raw::Postgres(_) => self.script("BEGIN").await,
        }
    }

    /// Begins a transaction that reads one moment of everything.
    pub(crate) async fn begin_snapshot(&mut self) -> Result<(), Error> {
        match self.raw {
            Raw::Sqlite(_) => self.script("BEGIN").await,
            Raw::Postgres(_) => self.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await,
        }
    }

    /// Whether the transaction that was begun is still under way: SQLite ends one by itself when the disk is full or fails, and what
    /// comes after would be committed statement by statement.
    pub(crate) fn is_in_transaction(&self) -> bool {
        match &self.raw {
            Raw::Sqlite(raw) => raw.is_in_transaction(),
            Raw::Postgres(_) => self.is_in_transaction,
        }
    }

    /// Whether it belongs to this space alone; else it is one of a pool and goes back after each use.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.raw, Raw::Sqlite(_))
    }

    /// Closes the connection in good order (a pooled one goes back). The last one to a file writes the log back into it.
    pub(crate) async fn close(self) {
        if self.is_own() {
            let closing = move || {
                drop(self);
                Ok(())
            };
            let _ = run_blocking(closing).await;
        }
    }
}

/// Whether the engine reported a failure of the disk below it: then nothing it says about durability can be
/// believed any more. A full disk or a busy file is not one.
pub(crate) fn is_disk_failure(error: &Error) -> bool {
    let Error::Unavailable(source) = error else { return false };
    source.downcast_ref::<rusqlite::Error>().is_some_and(sqlite::is_disk_failure)
}

/// Whether the engine says that what it keeps is not what it should be.
pub(crate) fn is_damage(error: &Error) -> bool {
    let Error::Unavailable(source) = error else { return false };
    if let Some(error) = source.downcast_ref::<rusqlite::Error>() {
        return sqlite::is_disk_failure(error) || sqlite::is_no_database(error);
    }
    // Class XX: data_corrupted, index_corrupted.
    matches!(source.downcast_ref::<sqlx::Error>(), Some(sqlx::Error::Database(error))
        if error.code().is_some_and(|code| code.starts_with("XX00")))
}

/// Whether the statement failed because a unique key is taken.
pub(crate) fn is_taken(error: &Error) -> bool {
    let Error::Unavailable(source) = error else { return false };
    source.downcast_ref::<rusqlite::Error>().is_some_and(sqlite::is_taken)
        || matches!(source.downcast_ref::<sqlx::Error>(), Some(sqlx::Error::Database(error)) if error.is_unique_violation())
}
