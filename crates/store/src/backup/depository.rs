//! Where the backups of one space are: `objects/ab/cdef…`, each named by the BLAKE3 of its bytes, and `generations/NAME.json`.

use std::collections::HashMap;

use blake3::Hash;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::error::BackupError;
use super::generation::Generation;
use crate::blob::{BlobWriter, Blobs};
use crate::content::ByteStream;
use crate::error::Error;
use crate::store::BlobConfig;

const OBJECTS: &str = "objects";
const GENERATIONS: &str = "generations";
const SUFFIX: &str = ".json";

/// A place for the backups of one space: a directory, or a part of a bucket. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Depository {
    blobs: Blobs,
    /// What all keys begin with: empty, or ends with a slash.
    prefix: String,
    place: String,
}

impl Depository {
    /// What a place in a directory has in it.
    pub const DIRECTORIES: [&str; 2] = [OBJECTS, GENERATIONS];

    /// Opens the place, which is called `place` in messages; a directory is made if it is missing.
    ///
    /// # Errors
    /// [`BackupError::Place`].
    pub fn open(config: &BlobConfig, prefix: &str, part_bytes: usize, place: &str) -> Result<Depository, BackupError> {
        let blobs = Blobs::open(config, part_bytes);
        let blobs = blobs.map_err(|cause| BackupError::Place { place: place.to_owned(), cause })?;
        Ok(Depository::over(blobs, prefix, place))
    }

    /// A place over any blobs: for tests that make them fail.
    pub fn over(blobs: Blobs, prefix: &str, place: &str) -> Depository {
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Depository { blobs, prefix, place: place.to_owned() }
    }

    /// Names the place in an error.
    pub(super) fn at(&self, cause: Error) -> BackupError {
        BackupError::Place { place: self.place.clone(), cause }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    fn object_key(&self, digest: &Hash) -> String {
        let hex = digest.to_hex();
        format!("{}{OBJECTS}/{}/{}", self.prefix, &hex[..2], &hex[2..])
    }

    fn generation_key(&self, name: &str) -> String {
        format!("{}{GENERATIONS}/{name}{SUFFIX}", self.prefix)
    }

    /// Every object there, with its size.
    pub(super) async fn objects(&self) -> Result<HashMap<Hash, u64>, BackupError> {
        let mut found = HashMap::new();
        let prefix = format!("{}{OBJECTS}", self.prefix);
        let mut listing = self.blobs.list(&prefix);
        while let Some(object) = listing.next().await {
            let (key, size_bytes) = object.map_err(|error| self.at(error))?;
            let hex: String = key[prefix.len()..].chars().filter(|c| *c != '/').collect();
            if let Ok(digest) = Hash::from_hex(&hex) {
                found.insert(digest, size_bytes);
            }
        }
        Ok(found)
    }

    /// Puts small bytes there; durable when it returns.
    pub(super) async fn put(&self, digest: &Hash, bytes: Bytes) -> Result<(), BackupError> {
        self.write(&self.object_key(digest), bytes).await
    }

    /// Puts a blob there, durably, if it is what it is said to be; says what is wrong with it otherwise.
    pub(super) async fn copy(
        &self,
        digest: &Hash,
        size_bytes: u64,
        blob: ByteStream,
    ) -> Result<Result<(), String>, BackupError> {
        let writer = self.blobs.write(&self.object_key(digest));
        copy(writer, digest, size_bytes, blob).await.map_err(|error| self.at(error))
    }

    /// The bytes of an object, not yet compared with its digest.
    pub(super) fn stream(&self, digest: &Hash, size_bytes: u64) -> ByteStream {
        self.blobs.read(&self.object_key(digest), 0..size_bytes)
    }

    /// The whole of a small object, which is what its name says.
    pub(super) async fn read(&self, digest: &Hash, size_bytes: u64) -> Result<Bytes, BackupError> {
        let damaged = |why: String| {
            BackupError::Damaged(format!(
                "{}: {} is missing or damaged ({why}); remove it, and the next backup writes it anew if the space still has it",
                self.place,
                self.object_key(digest)
            ))
        };
        let runs: Vec<Bytes> =
            self.stream(digest, size_bytes).try_collect().await.map_err(|error| damaged(cause(&error)))?;
        let mut bytes = BytesMut::new();
        runs.iter().for_each(|run| bytes.extend_from_slice(run));
        match blake3::hash(&bytes) == *digest {
            true => Ok(bytes.freeze()),
            false => Err(damaged("its digest is another".to_owned())),
        }
    }

    /// Whether the object is whole; what is wrong with it otherwise.
    pub(super) async fn examine(&self, digest: &Hash, size_bytes: u64) -> Result<(), String> {
        let mut stream = self.stream(digest, size_bytes);
        let (mut hasher, mut found) = (blake3::Hasher::new(), 0);
        let about = |why: &str| format!("{} {why}", self.object_key(digest));
        while let Some(run) = stream.next().await {
            let run = run.map_err(|error| about(&format!("is missing or unreadable ({})", cause(&error))))?;
            found += run.len() as u64;
            hasher.update(&run);
        }
        match found == size_bytes && hasher.finalize() == *digest {
            true => Ok(()),
            false => Err(about("does not have the digest that is its name")),
        }
    }

    pub(super) async fn remove(&self, digest: &Hash) -> Result<(), BackupError> {
        self.blobs.delete(&self.object_key(digest)).await.map_err(|error| self.at(error))
    }

    async fn write(&self, key: &str, bytes: Bytes) -> Result<(), BackupError> {
        let written = async {
            let mut writer = self.blobs.write(key);
            writer.push(bytes, None).await?;
            writer.finish().await
        };
        written.await.map_err(|error| self.at(error))
    }

    /// Puts the generation there: from then on, and not before, it is one.
    pub(super) async fn publish(&self, generation: &Generation) -> Result<(), BackupError> {
        self.write(&self.generation_key(&generation.name), generation.to_text()?.into()).await
    }

    /// Removes generations; from then on they are none, also after a power cut.
    pub(super) async fn remove_generations(&self, names: &[String]) -> Result<(), BackupError> {
        let keys: Vec<String> = names.iter().map(|name| self.generation_key(name)).collect();
        for key in &keys {
            self.blobs.delete(key).await.map_err(|error| self.at(error))?;
        }
        self.blobs.settle_deleted(&keys).await.map_err(|error| self.at(error))
    }

    /// Removes what backups left that were killed while they wrote to a directory; for who writes there alone.
    pub(super) async fn forget_unfinished(&self) -> Result<(), BackupError> {
        for part in Depository::DIRECTORIES {
            let removed = self.blobs.remove_staged(&format!("{}{part}", self.prefix)).await;
            removed.map_err(|error| self.at(error))?;
        }
        Ok(())
    }

    /// The names of the generations there, the oldest first.
    ///
    /// # Errors
    /// [`BackupError::Place`].
    pub async fn names(&self) -> Result<Vec<String>, BackupError> {
        let prefix = format!("{}{GENERATIONS}", self.prefix);
        let listed: Vec<(String, u64)> =
            self.blobs.list(&prefix).try_collect().await.map_err(|error| self.at(error))?;
        let name = |key: &str| Some(key.strip_prefix(&prefix)?.strip_prefix('/')?.strip_suffix(SUFFIX)?.to_owned());
        let mut names: Vec<String> = listed.iter().filter_map(|(key, _)| name(key)).collect();
        names.sort();
        Ok(names)
    }

    /// The generation of that name.
    ///
    /// # Errors
    /// [`BackupError::Refused`] for one that does not exist, [`BackupError::Damaged`], [`BackupError::Place`].
    pub async fn generation(&self, name: &str) -> Result<Generation, BackupError> {
        let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let key = self.generation_key(name);
        let size = if is_plain { self.blobs.size(&key).await.map_err(|error| self.at(error))? } else { None };
        let Some(size) = size else {
            let known = self.names().await?.join(", ");
            return Err(BackupError::Refused(format!("{}: no generation {name}; there are: {known}", self.place)));
        };
        let runs: Vec<Bytes> = self.blobs.read(&key, 0..size).try_collect().await.map_err(|error| self.at(error))?;
        Generation::parse(name, &runs.concat())
    }

    /// The generation of that name, or the newest.
    ///
    /// # Errors
    /// As [`Depository::generation`].
    pub async fn generation_or_newest(&self, name: Option<&str>) -> Result<Generation, BackupError> {
        let newest = match name {
            Some(_) => None,
            None => self.names().await?.pop(),
        };
        match name.or(newest.as_deref()) {
            Some(name) => self.generation(name).await,
            None => Err(BackupError::Refused(format!("{}: there is no backup here", self.place))),
        }
    }
}

/// Writes what comes from `blob`, if it has that digest. The outer error is the writer's, the inner one what is wrong with the blob.
pub(super) async fn copy(
    mut writer: BlobWriter,
    digest: &Hash,
    size_bytes: u64,
    mut blob: ByteStream,
) -> Result<Result<(), String>, Error> {
    let (mut hasher, mut found) = (blake3::Hasher::new(), 0);
    while let Some(run) = blob.next().await {
        let run = match run {
            Ok(run) => run,
            Err(error) => {
                writer.abort().await;
                return Ok(Err(cause(&error)));
            }
        };
        found += run.len() as u64;
        hasher.update(&run);
        writer.push(run, None).await?;
    }
    if found != size_bytes || hasher.finalize() != *digest {
        writer.abort().await;
        return Ok(Err("its digest is another".to_owned()));
    }
    writer.finish().await.map(Ok)
}

/// What an error says, with what the store below said.
pub(crate) fn cause(error: &Error) -> String {
    match error {
        Error::Unavailable(cause) => cause.to_string(),
        error => error.to_string(),
    }
}
