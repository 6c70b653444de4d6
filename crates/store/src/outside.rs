//! What other processes change in an SQLite store: commands, while a server serves it. A process that does not serve says in the
//! catalogue which space it changed; the server looks there once a second, and forgets what it remembers of that space.
//!
//! On PostgreSQL, servers and commands tell each other by NOTIFY (`wake.rs`).

use std::fs::{File, TryLockError};
use std::time::Duration;

use tracing::warn;

use crate::error::Error;
use crate::open_space::{Engine, connect_control, control_file};
use crate::sql::{Columns as _, Connection, Sql};
use crate::sqlite::SqliteConnection;

/// How long a change by a command may go unnoticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Says that this process, which serves nobody, has changed the space.
pub(crate) async fn note(engine: &Engine, space_id: i64) -> Result<(), Error> {
    let Some(mut connection) = connect_control(engine).await? else { return Ok(()) };
    connection.begin().await?;
    let seq = connection.row(NEXT_SEQ, &[]).await?.int(0)?;
    connection.run(SET_SEQ, &[space_id.into(), seq.into()]).await?;
    connection.script("COMMIT").await?;
    connection.close().await;
    Ok(())
}

/// Where the news begins for a server that remembers nothing yet.
pub(crate) fn newest(engine: &Engine) -> Result<i64, Error> {
    let Engine::Sqlite { directory, .. } = engine else { return Ok(0) };
    let mut newest = 0;
    SqliteConnection::open(&control_file(directory))?.each(SEQ, None, &[], |row| {
        newest = row.maybe_int(0)?.unwrap_or(0);
        Ok(true)
    })?;
    Ok(newest)
}

/// Keeps every other server off an SQLite store: two would not hear of each other, and each would show what it remembers of a
/// space that the other has changed. Until the file is dropped, or the process ends, however it does.
pub(crate) fn serve_alone(engine: &Engine) -> Result<Option<File>, Error> {
    let Engine::Sqlite { directory, .. } = engine else { return Ok(None) };
    let file = File::create(directory.join("serving.lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(Error::Exists),
        Err(TryLockError::Error(error)) => {
            warn!(%error, "whether another server serves the same files cannot be told here");
            Ok(None)
        }
    }
}

/// Hands the numbers of spaces that were changed from outside after `seen` to `hear`, until that says that nobody listens
/// any more.
pub(crate) async fn listen(engine: std::sync::Arc<Engine>, mut seen: i64, hear: impl Fn(i64) -> bool) {
    let mut connection = None;
    loop {
        match look(&engine, &mut connection, &mut seen).await {
            Ok(changed) => {
                if !changed.into_iter().all(&hear) {
                    return;
                }
            }
            Err(error) => {
                warn!(%error, "whether commands changed anything cannot be read; it is tried again");
                connection = None;
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn look(engine: &Engine, connection: &mut Option<Connection>, seen: &mut i64) -> Result<Vec<i64>, Error> {
    if connection.is_none() {
        *connection = connect_control(engine).await?;
    }
    let Some(connection) = connection else { return Ok(Vec::new()) };
    let newest = connection.row(SEQ, &[]).await?.int(0)?;
    if newest == *seen {
        return Ok(Vec::new());
    }
    let changed = connection.all(CHANGED, &[(*seen).into()]).await?;
    let changed = changed.iter().map(|row| row.int(0)).collect::<Result<Vec<i64>, Error>>()?;
    *seen = newest;
    Ok(changed)
}

const SEQ: Sql = Sql("SELECT outside_seq FROM control_state WHERE id = 1");

const NEXT_SEQ: Sql = Sql("UPDATE control_state SET outside_seq = outside_seq + 1 WHERE id = 1 RETURNING outside_seq");

const SET_SEQ: Sql = Sql("UPDATE space SET outside_seq = $2 WHERE id = $1");

const CHANGED: Sql = Sql("SELECT id FROM space WHERE outside_seq > $1");

pub(crate) const STATEMENTS: &[Sql] = &[SEQ, NEXT_SEQ, SET_SEQ, CHANGED];
