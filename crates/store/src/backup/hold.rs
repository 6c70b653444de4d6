//! What keeps a space as a backup needs it: only one backup at a time, and no blob removed that it may still have to copy.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::BackupError;
use crate::error::Error;
use crate::open_space::{Engine, file_of};
use crate::ports::Timestamp;
use crate::space::SpaceCore;
use crate::sql::{Connection, Sql};

/// How long blobs are kept from the collector by one word of it; a backup that is killed delays it by that at most.
const HOLD_SECONDS: i64 = 6 * 3600;
/// How often a backup says it again. Between two blobs: the hold must outlast the copying of one.
const RENEW_SECONDS: i64 = 600;

/// The right to back up a space, until it is dropped or the process ends.
pub(super) struct Alone {
    _file: Option<File>,
    /// A transaction that holds an advisory lock; its connection is closed when dropped.
    connection: Option<Connection>,
}

/// The file that is locked while a space in a file is backed up.
pub(crate) fn lock_file(directory: &Path, core: &SpaceCore) -> PathBuf {
    file_of(directory, core).with_extension("backup")
}

impl Alone {
    pub(super) async fn with(core: &Arc<SpaceCore>) -> Result<Alone, BackupError> {
        let refused =
            || BackupError::Refused("another backup of this space is under way; let it end, then try again".to_owned());
        match core.engine.as_ref() {
            Engine::Sqlite { directory, .. } => {
                let file = File::create(lock_file(directory, core)).map_err(Error::from)?;
                match file.try_lock() {
                    Ok(()) => Ok(Alone { _file: Some(file), connection: None }),
                    Err(TryLockError::WouldBlock) => Err(refused()),
                    Err(TryLockError::Error(error)) => Err(BackupError::Space(error.into())),
                }
            }
            Engine::Postgres(pool) => {
                let mut connection = Connection::postgres(pool.acquire().await.map_err(Error::from)?, Some(core.id));
                connection.script("BEGIN").await?;
                match connection.row(LOCK, &[]).await?.truth(0)? {
                    true => Ok(Alone { _file: None, connection: Some(connection) }),
                    false => Err(refused()),
                }
            }
        }
    }

    /// Lets the next backup begin, at once: a connection that is closed tells its server a moment later.
    pub(super) async fn end(self) {
        if let Some(mut connection) = self.connection {
            let _ = connection.script("ROLLBACK").await;
        }
    }
}

/// Keeps the collector from removing blobs of the space.
pub(super) struct Hold {
    core: Arc<SpaceCore>,
    renewed: Timestamp,
}

impl Hold {
    /// What is read of the space after it has begun stays there until it ends.
    pub(super) async fn begin(core: &Arc<SpaceCore>) -> Result<Hold, Error> {
        let renewed = core.ports.clock.now();
        set(core, renewed.plus_seconds(HOLD_SECONDS)).await?;
        Ok(Hold { core: Arc::clone(core), renewed })
    }

    pub(super) async fn renew(&mut self) -> Result<(), Error> {
        let now = self.core.ports.clock.now();
        if now >= self.renewed.plus_seconds(RENEW_SECONDS) {
            set(&self.core, now.plus_seconds(HOLD_SECONDS)).await?;
            self.renewed = now;
        }
        Ok(())
    }

    pub(super) async fn end(self) -> Result<(), Error> {
        set(&self.core, Timestamp(0)).await
    }
}

async fn set(core: &Arc<SpaceCore>, until: Timestamp) -> Result<(), Error> {
    core.write(move |tx| {
        Box::pin(async move {
            tx.beside_the_tree += 1;
            tx.one(HOLD, &[until.into()]).await
        })
    })
    .await
}

// PostgreSQL's alone: the number says that it is a backup's, then comes the space's.
const LOCK: Sql =
    Sql("SELECT CAST(CASE WHEN pg_try_advisory_xact_lock(730580441, CAST($1 AS INT)) THEN 1 ELSE 0 END AS BIGINT)");

const HOLD: Sql = Sql("UPDATE space_state SET blobs_held_until_us = $2 WHERE space_id = $1");

pub(super) const STATEMENTS: &[Sql] = &[HOLD];
