//! What is reachable from nothing: blobs that no row names, what was left of their writing, and what is left of spaces whose end was
//! cut off. In good order there is none: every blob is noted before it is written, and forgotten after it was removed.
//!
//! A blob that is left over is not removed here: it is noted as to be collected, so that the collector removes it in its own way,
//! which asks the rows once more, and waits for backups.

use std::collections::BTreeSet;
use std::path::Path;

use futures_util::StreamExt as _;
use uuid::Uuid;

use crate::error::Error;
use crate::open_space::{Engine, run_blocking};
use crate::reach::{self, was_used};
use crate::retention;
use crate::sql::{Connection, Sql};
use crate::store::Store;

/// Blobs that are noted in one change.
const NOTED_AT_ONCE: usize = 200;

/// A blob that nothing refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOver {
    /// Its key.
    pub key: String,
    /// What it takes; 0 for one whose writing was never finished.
    pub size_bytes: u64,
}

/// What is left of a space that the catalogue does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// Its UUID, or `rows of space N` where that is not known.
    pub name: String,
    /// Blobs,
    pub blobs: u64,
    /// and their bytes.
    pub blob_bytes: u64,
}

impl Store {
    /// Blobs of a space that nothing refers to. With `is_removed`, they are given to the collector, which removes them and whatever
    /// else is due; a backup that is under way makes it wait.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn collect_garbage(&self, name: &str, is_removed: bool) -> Result<Vec<LeftOver>, Error> {
        let space = self.space_named(name).await?;
        let core = space.core();
        // What is being restored has its blobs before its rows.
        if space.info().is_being_restored() || !was_used(core).await {
            return Ok(Vec::new());
        }
        let left = reach::left_over(core).await?;
        if is_removed && !left.is_empty() {
            for some in left.chunks(NOTED_AT_ONCE) {
                let keys: Vec<String> = some.iter().map(|left| left.key.clone()).collect();
                core.write(move |tx| {
                    Box::pin(async move {
                        for key in keys {
                            tx.run(NOTE, &[key.into()]).await?;
                        }
                        Ok(())
                    })
                })
                .await?;
            }
            retention::collect(core).await?;
        }
        Ok(left)
    }

    /// What is left of spaces that the catalogue does not know; removes it with `is_removed`. `directory` is for files of the moment.
    /// Another server that has its own catalogue must not keep its blobs in the same place.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forgotten_spaces(&self, directory: &Path, is_removed: bool) -> Result<Vec<Forgotten>, Error> {
        let mut found = self.blobs().folders_below(reach::SPACES).await?;
        found.extend(self.files_of_spaces(directory).await?);
        let rows = self.rows_of_nobody().await?;
        // Later than all of these: a space is in the catalogue before anything of it is anywhere.
        let known: BTreeSet<Uuid> = self.spaces().await?.into_iter().map(|space| space.uuid).collect();
        let unknown: BTreeSet<Uuid> = found.iter().filter_map(|name| name.parse().ok()).collect();
        let mut forgotten = Vec::new();
        for uuid in unknown.difference(&known) {
            let prefix = format!("{}/{uuid}", reach::SPACES);
            let (mut blobs, mut blob_bytes) = (0, 0);
            let mut listing = self.blobs().list(&prefix);
            while let Some(blob) = listing.next().await {
                blobs += 1;
                blob_bytes += blob?.1;
            }
            forgotten.push(Forgotten { name: uuid.to_string(), blobs, blob_bytes });
            if is_removed {
                reach::delete_blobs_below(self.blobs(), &prefix).await?;
                remove_files(self.directories(directory), *uuid).await?;
            }
        }
        for id in rows {
            forgotten.push(Forgotten { name: format!("rows of space {id}"), blobs: 0, blob_bytes: 0 });
            if is_removed && let Engine::Postgres(pool) = self.engine() {
                reach::delete_rows(pool, id).await?;
            }
        }
        Ok(forgotten)
    }

    /// Where files of spaces are, and of restores.
    fn directories(&self, directory: &Path) -> Vec<std::path::PathBuf> {
        match self.engine() {
            Engine::Sqlite { directory, .. } => vec![directory.join("spaces")],
            Engine::Postgres(_) => vec![directory.to_owned()],
        }
    }

    async fn files_of_spaces(&self, directory: &Path) -> Result<Vec<String>, Error> {
        let directories = self.directories(directory);
        run_blocking(move || {
            let mut found = Vec::new();
            for directory in directories {
                for file in std::fs::read_dir(directory)? {
                    found.extend(uuid_of(&file?.file_name().to_string_lossy()).map(|uuid| uuid.to_string()));
                }
            }
            Ok(found)
        })
        .await
    }

    async fn rows_of_nobody(&self) -> Result<Vec<i64>, Error> {
        let Engine::Postgres(pool) = self.engine() else { return Ok(Vec::new()) };
        let rows = Connection::postgres(pool.acquire().await?, None).all(ROWS_OF_NOBODY, &[]).await?;
        rows.iter().map(|row| row.int(0)).collect()
    }
}

/// `UUID.sqlite` and what stands beside it, `restore-UUID.sqlite`.
fn uuid_of(file_name: &str) -> Option<Uuid> {
    let (stem, _) = file_name.split_once('.')?;
    stem.strip_prefix("restore-").unwrap_or(stem).parse().ok()
}

async fn remove_files(directories: Vec<std::path::PathBuf>, uuid: Uuid) -> Result<(), Error> {
    run_blocking(move || {
        for directory in directories {
            for file in std::fs::read_dir(&directory)? {
                let file = file?;
                if uuid_of(&file.file_name().to_string_lossy()) == Some(uuid) {
                    match std::fs::remove_file(file.path()) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    })
    .await
}

// An upload under way has its intent, and is left alone.
const NOTE: Sql = Sql("INSERT INTO intent (space_id, blob_key, collect_after_us, is_collecting)
     SELECT space_id, CAST($2 AS TEXT), 0, 0 FROM space_state
      WHERE space_id = $1
        AND NOT EXISTS (SELECT 1 FROM piece WHERE piece.space_id = $1 AND piece.blob_key = $2)
        AND NOT EXISTS (SELECT 1 FROM chunk WHERE chunk.space_id = $1 AND chunk.blob_key = $2)
     ON CONFLICT DO NOTHING");

// PostgreSQL's alone, where the catalogue stands beside the spaces.
const ROWS_OF_NOBODY: Sql = Sql("SELECT space_id FROM space_state
      WHERE NOT EXISTS (SELECT 1 FROM space WHERE space.id = space_state.space_id)");

pub(crate) const STATEMENTS: &[Sql] = &[NOTE];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_spaces_are_told_from_others() {
        let uuid = "6f1c0f8e-8a0e-4a53-9f5e-0d4a4a1f7a11";
        for suffix in ["sqlite", "sqlite-wal", "backup", "restoring", "abc.new"] {
            assert_eq!(uuid_of(&format!("{uuid}.{suffix}")).map(|uuid| uuid.to_string()).as_deref(), Some(uuid));
        }
        assert!(uuid_of(&format!("restore-{uuid}.sqlite-shm")).is_some());
        for other in ["control.sqlite", "template.sqlite", "blobs", uuid, "nichoir.toml", "restore-x.sqlite"] {
            assert_eq!(uuid_of(other), None, "{other}");
        }
    }
}
