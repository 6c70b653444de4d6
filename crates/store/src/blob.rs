//! Blobs: immutable bytes under keys that are used once. Local files, synced with their directory before a write is
//! called done, or an S3 bucket. No correctness ever hangs on S3's conditions, listings or clocks.

use std::fmt;
use std::fs::File;
use std::io::IoSliceMut;
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    ClientOptions, GetOptions, GetRange, GetResultPayload, MultipartUpload, ObjectStore, ObjectStoreExt as _,
    PutPayload,
};
use rustix::fs::{Advice, fadvise};
use rustix::io::{ReadWriteFlags, preadv2};
use tokio::task::JoinHandle;

use crate::content::ByteStream;
use crate::error::Error;
use crate::folder::Folders;
use crate::open_space::run_blocking;
use crate::scrub::Budget;
use crate::space::UploadPart;
use crate::store::{BlobConfig, S3Config};
use crate::turn::without_turn;

/// One run of bytes read from a local file: it is sent while the processor's cache still has it.
const READ_BYTES: usize = 256 * 1024;
/// What the disk begins with when a run has to be waited for.
const READ_AHEAD_BYTES: u64 = 4 * 1024 * 1024;
/// One part written to a local file: S3 wants no less than 5 MiB, a file system has no such wish, and what is still in
/// the processor's cache is hashed and written faster.
const LOCAL_PART_BYTES: usize = 256 * 1024;
/// Each time so much was written to a local file, the disk is told to begin with it: otherwise it would begin with the sync at the end.
const WRITE_BEHIND_BYTES: u64 = 1024 * 1024;

/// Where blobs are. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    part_bytes: usize,
    /// The directories of a local store.
    folders: Option<Arc<Folders>>,
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blobs({})", self.store)
    }
}

impl Blobs {
    /// Opens the store that `config` names; `part_bytes` is the size of a part on its way to S3.
    ///
    /// # Errors
    /// [`Error::Unavailable`] for a directory that cannot be made or settings that make no sense.
    pub fn open(config: &BlobConfig, part_bytes: usize) -> Result<Blobs, Error> {
        match config {
            BlobConfig::Memory => Ok(Blobs::from_object_store(Arc::new(InMemory::new()), part_bytes)),
            BlobConfig::Local { directory } => {
                let folders = Some(Arc::new(Folders::below(directory)?));
                let store = LocalFileSystem::new_with_prefix(directory)?.with_fsync(true);
                Ok(Blobs { store: Arc::new(store), part_bytes: LOCAL_PART_BYTES, folders })
            }
            BlobConfig::S3(config) => Ok(Blobs::from_object_store(open_s3(config)?, part_bytes)),
        }
    }

    /// Blobs over any object store: for tests that make it fail.
    pub fn from_object_store(store: Arc<dyn ObjectStore>, part_bytes: usize) -> Blobs {
        Blobs { store, part_bytes, folders: None }
    }

    /// The size of a part: what is pushed in runs of it is not copied.
    pub(crate) fn part_bytes(&self) -> usize {
        self.part_bytes
    }

    /// Begins a blob; it exists once [`BlobWriter::finish`] has returned.
    pub(crate) fn write(&self, key: &str) -> BlobWriter {
        BlobWriter {
            blobs: self.clone(),
            path: Path::from(key),
            buffer: BytesMut::new(),
            upload: None,
            under_way: None,
            written_bytes: 0,
            begun_bytes: 0,
        }
    }

    /// Where a local store keeps what is being written: object_store stages `KEY` as `KEY#1`.
    fn staged(&self, key: &str) -> Option<PathBuf> {
        self.folders.as_ref().map(|folders| folders.path_of(&format!("{key}#1")))
    }

    /// The bytes of `range`, in order, in runs of moderate size.
    pub(crate) fn read(&self, key: &str, range: Range<u64>) -> ByteStream {
        let store = Arc::clone(&self.store);
        let path = Path::from(key);
        if range.is_empty() {
            return Box::pin(futures_util::stream::empty());
        }
        // A local disk is read in turn, so that downloads of one space are few at once; what comes over the network is waited for.
        let is_local = self.folders.is_some();
        let opened = async move {
            let wanted = range.end - range.start;
            let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
            let found = store.get_opts(&path, options);
            let found = if is_local { found.await? } else { without_turn(found).await? };
            if found.range.end - found.range.start != wanted {
                return Err(Error::unavailable(format!("blob {path} is shorter than its row says")));
            }
            Ok::<ByteStream, Error>(match found.payload {
                GetResultPayload::File(file, _) => read_file(file, found.range),
                GetResultPayload::Stream(stream) => {
                    Box::pin(futures_util::stream::unfold(stream, |mut stream| async {
                        let run = without_turn(stream.next()).await?;
                        Some((run.map_err(Error::from), stream))
                    }))
                }
            })
        };
        Box::pin(futures_util::stream::once(opened).try_flatten())
    }

    /// Removes a blob; one that is not there is removed already. A power cut may bring it back until [`Blobs::settle_deleted`].
    pub(crate) async fn delete(&self, key: &str) -> Result<(), Error> {
        if let Some(staged) = self.staged(key) {
            // What a crash left of a write under way.
            let _ = tokio::fs::remove_file(staged).await;
        }
        match self.store.delete(&Path::from(key)).await {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// After blobs were deleted: from here on they stay so.
    pub(crate) async fn settle_deleted(&self, keys: &[String]) -> Result<(), Error> {
        match &self.folders {
            Some(folders) => folders.settle_removals(keys).await,
            None => Ok(()),
        }
    }

    /// Keys of blobs below `prefix` that are being written to a local store, or were when a process was killed.
    pub(crate) async fn staged_below(&self, prefix: &str) -> Result<Vec<String>, Error> {
        match &self.folders {
            Some(folders) => folders.staged_below(prefix).await,
            None => Ok(Vec::new()),
        }
    }

    /// The names of the folders right below `prefix`.
    pub(crate) async fn folders_below(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let listed = self.store.list_with_delimiter(Some(&Path::from(prefix))).await?;
        let name = |folder: &Path| folder.filename().map(str::to_owned);
        Ok(listed.common_prefixes.iter().filter_map(name).collect())
    }

    /// Of a local store, removes a folder whose blobs are removed, for good.
    pub(crate) async fn remove_folder(&self, prefix: &str) -> Result<(), Error> {
        match &self.folders {
            Some(folders) => folders.remove(prefix).await,
            None => Ok(()),
        }
    }

    /// Removes what was being written below `prefix`: for whoever knows that nobody writes there.
    pub(crate) async fn remove_staged(&self, prefix: &str) -> Result<(), Error> {
        match &self.folders {
            Some(folders) => folders.remove_staged(prefix).await,
            None => Ok(()),
        }
    }

    /// Before a blob is begun: what it will stand in is durable.
    async fn make_folder(&self, key: &str) -> Result<(), Error> {
        match &self.folders {
            Some(folders) => folders.make_for(key).await,
            None => Ok(()),
        }
    }

    /// How many bytes the blob has; `None` if there is none.
    pub(crate) async fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        match self.store.head(&Path::from(key)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The BLAKE3 of the blob as it is now, read as fast as the budget allows, if there is one.
    pub(crate) async fn digest(&self, key: &str, budget: Option<&Budget>) -> Result<[u8; 32], Error> {
        let size = self.size(key).await?.ok_or(Error::NotFound)?;
        let mut stream = self.read(key, 0..size);
        let mut hasher = blake3::Hasher::new();
        while let Some(bytes) = stream.next().await {
            let bytes = bytes?;
            if let Some(budget) = budget {
                budget.pay(bytes.len() as u64).await;
            }
            hasher = run_blocking(move || {
                hasher.update(&bytes);
                Ok(hasher)
            })
            .await?;
        }
        Ok(*hasher.finalize().as_bytes())
    }

    /// Every blob under `prefix` with its size: for the check, never for correctness.
    pub(crate) fn list(&self, prefix: &str) -> futures_util::stream::BoxStream<'static, Result<(String, u64), Error>> {
        let listed = self.store.list(Some(&Path::from(prefix)));
        Box::pin(listed.map_ok(|it| (it.location.to_string(), it.size)).map_err(Error::from))
    }

    /// Whether the store takes, gives back and removes a blob.
    pub(crate) async fn probe(&self, key: &str) -> Result<(), Error> {
        let mut writer = self.write(key);
        writer.push(Bytes::from_static(b"probe"), None).await?;
        writer.finish().await?;
        let found: Vec<Bytes> = self.read(key, 0..5).try_collect().await?;
        self.delete(key).await?;
        if found.concat() == b"probe" {
            Ok(())
        } else {
            Err(Error::unavailable("the blob store gave back other bytes"))
        }
    }
}

fn open_s3(config: &S3Config) -> Result<Arc<dyn ObjectStore>, Error> {
    // Fails only when a provider is installed already, which is then the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let store = AmazonS3Builder::new()
        .with_endpoint(config.endpoint.trim_end_matches('/'))
        .with_bucket_name(&config.bucket)
        .with_region(&config.region)
        .with_access_key_id(&config.access_key_id)
        .with_secret_access_key(&config.secret_access_key)
        .with_virtual_hosted_style_request(!config.has_path_style)
        .with_client_options(ClientOptions::new().with_allow_http(config.endpoint.starts_with("http://")))
        .build()?;
    Ok(Arc::new(store))
}

/// A file on its way out, in runs.
struct Reading {
    file: Arc<File>,
    rest: Range<u64>,
    /// Runs that were handed out: once they are sent, their memory is used again.
    sent: Vec<Bytes>,
}

fn read_file(file: File, range: Range<u64>) -> ByteStream {
    let reading = Reading { file: Arc::new(file), rest: range, sent: Vec::new() };
    Box::pin(futures_util::stream::try_unfold(reading, |mut reading| async move {
        let run = reading.next().await?;
        Ok(run.map(|run| (run, reading)))
    }))
}

impl Reading {
    /// The next run: read in place what the system has in memory, elsewhere what the disk has to be waited for.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let offset = self.rest.start;
        let wanted = usize::try_from(self.rest.end - offset).unwrap_or(READ_BYTES).min(READ_BYTES);
        let mut room = self.room(wanted);
        match at_hand(&self.file, &mut room, offset) {
            Some(found) => room.truncate(found),
            None => {
                let file = Arc::clone(&self.file);
                room = run_blocking(move || {
                    from_disk(&file, &mut room, offset)?;
                    Ok(room)
                })
                .await?;
            }
        }
        self.rest.start += room.len() as u64;
        let run = room.freeze();
        self.sent.push(run.clone());
        Ok(Some(run))
    }

    /// Memory for a run of so many bytes.
    fn room(&mut self, bytes: usize) -> BytesMut {
        let is_sent = self.sent.iter().position(Bytes::is_unique);
        match is_sent.map(|place| self.sent.swap_remove(place).try_into_mut()) {
            Some(Ok(mut room)) => {
                room.resize(bytes, 0);
                room
            }
            _ => BytesMut::zeroed(bytes),
        }
    }
}

/// How much of the file from `offset` on could be read without waiting for the disk; `None`: nothing.
fn at_hand(file: &File, room: &mut [u8], offset: u64) -> Option<usize> {
    let found = preadv2(file, &mut [IoSliceMut::new(room)], offset, ReadWriteFlags::NOWAIT);
    found.ok().filter(|found| *found > 0)
}

/// Fills `room` from `offset` on, and has the disk begin with what comes after. Blocks.
fn from_disk(file: &File, room: &mut [u8], offset: u64) -> Result<(), Error> {
    let _ = fadvise(file, offset, NonZeroU64::new(READ_AHEAD_BYTES), Advice::WillNeed);
    Ok(file.read_exact_at(room, offset)?)
}

/// A blob on its way in: one part being filled, one being written.
pub(crate) struct BlobWriter {
    blobs: Blobs,
    path: Path,
    buffer: BytesMut,
    upload: Option<Box<dyn MultipartUpload>>,
    under_way: Option<JoinHandle<Result<(), object_store::Error>>>,
    /// Handed to the store so far, without the part under way.
    written_bytes: u64,
    /// Of a local file: as far as the disk was told to begin.
    begun_bytes: u64,
}

impl BlobWriter {
    /// Adds bytes; waits while the part before is still being written. The permit is kept until what is written of them is.
    pub(crate) async fn push(&mut self, mut bytes: Bytes, permit: Option<UploadPart>) -> Result<(), Error> {
        let part_bytes = self.blobs.part_bytes;
        while !bytes.is_empty() {
            if self.buffer.is_empty() && bytes.len() >= part_bytes {
                self.write_part(bytes.split_to(part_bytes), permit.clone()).await?;
                continue;
            }
            let room = part_bytes - self.buffer.len();
            self.buffer.extend_from_slice(&bytes.split_to(room.min(bytes.len())));
            if self.buffer.len() == part_bytes {
                let part = self.buffer.split().freeze();
                self.write_part(part, permit.clone()).await?;
            }
        }
        Ok(())
    }

    async fn write_part(&mut self, part: Bytes, permit: Option<UploadPart>) -> Result<(), Error> {
        self.settle().await?;
        if self.upload.is_none() {
            self.blobs.make_folder(self.path.as_ref()).await?;
            self.upload = Some(self.blobs.store.put_multipart(&self.path).await?);
        }
        self.write_behind();
        self.written_bytes += part.len() as u64;
        if let Some(upload) = &mut self.upload {
            let written = upload.put_part(PutPayload::from_bytes(part));
            self.under_way = Some(tokio::spawn(async move {
                let _permit = permit;
                written.await
            }));
        }
        Ok(())
    }

    /// Has the disk begin with what was written of a local file. A hint that nobody waits for: whatever becomes of it, the sync at
    /// the end waits for all of the file, and hears of every write that failed.
    fn write_behind(&mut self) {
        let range = self.begun_bytes..self.written_bytes;
        if range.end - range.start < WRITE_BEHIND_BYTES {
            return;
        }
        let Some(staged) = self.blobs.staged(self.path.as_ref()) else { return };
        self.begun_bytes = range.end;
        tokio::task::spawn_blocking(move || {
            let length = NonZeroU64::new(range.end - range.start);
            // Of pages that were written to, this begins the writing and lets none go (posix_fadvise(2), mm/fadvise.c).
            let _ = File::open(staged).map(|file| fadvise(file, range.start, length, Advice::DontNeed));
        });
    }

    /// Waits for the part under way.
    async fn settle(&mut self) -> Result<(), Error> {
        match self.under_way.take() {
            Some(part) => part.await.map_err(|error| Error::Unavailable(Box::new(error)))?.map_err(Error::from),
            None => Ok(()),
        }
    }

    /// Makes the blob durable. After an error the key must not be used: nothing is known of what is there.
    pub(crate) async fn finish(mut self) -> Result<(), Error> {
        let rest = std::mem::take(&mut self.buffer).freeze();
        if self.upload.is_none() {
            self.blobs.make_folder(self.path.as_ref()).await?;
            self.blobs.store.put(&self.path, PutPayload::from_bytes(rest)).await?;
            return Ok(());
        }
        if !rest.is_empty() {
            self.write_part(rest, None).await?;
        }
        self.settle().await?;
        if let Some(upload) = &mut self.upload {
            upload.complete().await?;
        }
        self.upload = None;
        Ok(())
    }

    /// Gives the blob up; what cannot be removed now is collected by its intent.
    pub(crate) async fn abort(mut self) {
        let _ = self.settle().await;
        if let Some(mut upload) = self.upload.take() {
            let _ = upload.abort().await;
        }
    }
}

/// A client that hangs up, a write that failed: the parts that arrived go, as far as that can be done now. What is left
/// is found by its intent.
impl Drop for BlobWriter {
    fn drop(&mut self) {
        let (Some(mut upload), Ok(runtime)) = (self.upload.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let under_way = self.under_way.take();
        runtime.spawn(async move {
            if let Some(part) = under_way {
                let _ = part.await;
            }
            let _ = upload.abort().await;
        });
    }
}

#[cfg(test)]
mod tests;
