//! Content: immutable bytes, in the row when small, in blobs when large; staged before a change, streamed after.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::StreamExt as _;
use tokio::task::JoinHandle;

use crate::blob::BlobWriter;
use crate::checksum::{Algorithm, Checksum, Hasher, hex};
use crate::error::Error;
use crate::reach::blob_prefix;
use crate::space::{SpaceCore, UploadPart};
use crate::sql::Sql;
use crate::turn::without_turn;

/// What the caller knows of a body before it arrives.
#[derive(Clone, Debug, Default)]
pub struct StageOptions {
    /// Its announced length: refused before reading when the pool has no room; a body that turns out
    /// shorter or longer is [`Error::BodyInterrupted`].
    pub announced_bytes: Option<u64>,
    /// A checksum that it must have, or [`Error::ChecksumMismatch`].
    pub expected: Option<Checksum>,
    /// Further digests to compute in the same pass.
    pub algorithms: Vec<Algorithm>,
    /// Bytes of the file it replaces, which the pool gets back: only for the early refusal.
    pub replaces_bytes: u64,
}

/// Bytes that are durable, or small enough to travel in the row, and not yet part of anything. Dropped
/// unused, it is collected later.
#[derive(Debug)]
pub struct Staged {
    pub(crate) size_bytes: u64,
    pub(crate) pieces: Vec<StagedPiece>,
    pub(crate) checksums: Vec<Checksum>,
}

/// One run of staged bytes.
#[derive(Debug)]
pub(crate) struct StagedPiece {
    pub(crate) size_bytes: u64,
    pub(crate) digest: [u8; 32],
    pub(crate) bytes: PieceBytes,
}

/// Where a run of bytes is.
#[derive(Clone, Debug)]
pub(crate) enum PieceBytes {
    Inline(Bytes),
    Blob(String),
}

impl Staged {
    /// No bytes at all.
    pub fn empty() -> Staged {
        Staged { size_bytes: 0, pieces: Vec::new(), checksums: Vec::new() }
    }

    /// How many bytes arrived.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The digests that were asked for.
    pub fn checksums(&self) -> &[Checksum] {
        &self.checksums
    }
}

/// Bytes on their way out.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// The content of a file, fixed at the moment it was opened: a later PUT does not mix into it.
#[derive(Clone, Debug)]
pub struct Content {
    pub(crate) size_bytes: u64,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) blobs: crate::blob::Blobs,
}

/// One run of stored bytes.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) offset_bytes: u64,
    pub(crate) size_bytes: u64,
    /// The bytes themselves, or the key of the blob that has them.
    pub(crate) inline: Option<Bytes>,
    pub(crate) blob_key: Option<String>,
}

impl Content {
    /// Content whose bytes are known.
    pub(crate) fn at_hand(bytes: Bytes, blobs: crate::blob::Blobs) -> Content {
        let size_bytes = bytes.len() as u64;
        Content {
            size_bytes,
            pieces: vec![Piece { offset_bytes: 0, size_bytes, inline: Some(bytes), blob_key: None }],
            blobs,
        }
    }

    /// How many bytes it has.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The bytes of `range` (clipped to the content), in order, in runs of moderate size.
    pub fn stream(&self, range: Range<u64>) -> ByteStream {
        let range = range.start.min(self.size_bytes)..range.end.min(self.size_bytes);
        let parts: Vec<_> = self.pieces.iter().filter_map(|piece| piece.part_of(&range)).collect();
        let blobs = self.blobs.clone();
        // One piece is opened when the one before it has been read.
        Box::pin(futures_util::stream::iter(parts).flat_map(move |(source, part)| match source {
            PieceBytes::Inline(bytes) => in_memory(&bytes, part),
            PieceBytes::Blob(key) => blobs.read(&key, part),
        }))
    }

    /// The whole content, when it is small enough to be in memory already.
    pub fn in_memory(&self) -> Option<Bytes> {
        match &self.pieces[..] {
            [] => Some(Bytes::new()),
            [Piece { inline: Some(bytes), .. }] => Some(bytes.clone()),
            _ => None,
        }
    }
}

impl Piece {
    /// Where the bytes are and which of them lie in `range`; `None` if none do.
    fn part_of(&self, range: &Range<u64>) -> Option<(PieceBytes, Range<u64>)> {
        let start = range.start.max(self.offset_bytes);
        let end = range.end.min(self.offset_bytes + self.size_bytes);
        if start >= end {
            return None;
        }
        let source = match (&self.inline, &self.blob_key) {
            (Some(bytes), _) => PieceBytes::Inline(bytes.clone()),
            (None, key) => PieceBytes::Blob(key.clone().unwrap_or_default()),
        };
        Some((source, start - self.offset_bytes..end - self.offset_bytes))
    }
}

fn in_memory(bytes: &Bytes, part: Range<u64>) -> ByteStream {
    let place = |offset: u64| usize::try_from(offset).ok().filter(|offset| *offset <= bytes.len());
    let run = match (place(part.start), place(part.end)) {
        (Some(start), Some(end)) => Ok(bytes.slice(start..end)),
        _ => Err(Error::unavailable("an inline piece is shorter than its row says")),
    };
    Box::pin(futures_util::stream::once(async move { run }))
}

/// Takes in a body, in one pass: counts, hashes, and writes what is too large for a row to a blob. Its intent is durable
/// before the blob is begun, so that a crash leaves nothing unknown.
pub(crate) async fn stage<S, E>(
    core: &Arc<SpaceCore>,
    body: S,
    options: &StageOptions,
    available_bytes: u64,
) -> Result<Staged, Error>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Into<crate::error::Source> + Send,
{
    let over_quota = Error::OverQuota { available_bytes };
    if options
        .announced_bytes
        .is_some_and(|announced| announced.saturating_sub(options.replaces_bytes) > available_bytes)
    {
        return Err(over_quota);
    }
    let limit = available_bytes.saturating_add(options.replaces_bytes);
    let mut arriving = Arriving::new(options);
    let mut body = std::pin::pin!(body);
    while let Some(bytes) = body.next().await {
        let taken = match bytes {
            Err(_) => Err(Error::BodyInterrupted),
            Ok(bytes) if arriving.size_bytes + bytes.len() as u64 > limit => Err(Error::OverQuota { available_bytes }),
            Ok(bytes) => arriving.take(core, bytes).await,
        };
        if let Err(error) = taken {
            arriving.abort().await;
            return Err(error);
        }
    }
    arriving.finish(core, options).await
}

/// A body of which some has arrived: one part being filled, while the one before it is hashed and written.
struct Arriving {
    size_bytes: u64,
    /// What has arrived and was not hashed and written yet: less than a part.
    buffer: BytesMut,
    hashing: Hashing,
    blob: Option<(String, BlobWriter)>,
}

impl Arriving {
    fn new(options: &StageOptions) -> Arriving {
        let mut algorithms = options.algorithms.clone();
        algorithms.extend(options.expected.iter().map(|expected| expected.algorithm));
        algorithms.dedup();
        let checksums = algorithms.into_iter().map(Hasher::new).collect();
        let hashing = Hashing::Idle(Box::new(Hashers { digest: blake3::Hasher::new(), checksums }));
        Arriving { size_bytes: 0, buffer: BytesMut::new(), hashing, blob: None }
    }

    async fn take(&mut self, core: &Arc<SpaceCore>, mut bytes: Bytes) -> Result<(), Error> {
        let part_bytes = core.blobs.part_bytes().max(core.limits.inline_bytes + 1);
        self.size_bytes += bytes.len() as u64;
        // Grown once, when it is no small file any more: a buffer that doubles leaves memory of every size behind.
        if self.buffer.capacity() < part_bytes && self.buffer.len() + bytes.len() > core.limits.inline_bytes {
            self.buffer.reserve(part_bytes - self.buffer.len());
        }
        while !bytes.is_empty() {
            let room = part_bytes - self.buffer.len();
            self.buffer.extend_from_slice(&bytes.split_to(room.min(bytes.len())));
            if self.buffer.len() == part_bytes {
                self.flush(core).await?;
                self.buffer.reserve(part_bytes);
            }
        }
        Ok(())
    }

    /// Sends the buffer to be hashed and to the blob, which is begun if need be.
    async fn flush(&mut self, core: &Arc<SpaceCore>) -> Result<(), Error> {
        if self.blob.is_none() {
            let key = announce_blob(core).await?;
            let writer = core.blobs.write(&key);
            self.blob = Some((key, writer));
        }
        let (part, permit) = (self.buffer.split().freeze(), core.upload_part().await?);
        self.hashing.start(part.clone(), Arc::clone(&permit)).await?;
        match &mut self.blob {
            Some((_, writer)) => without_turn(writer.push(part, Some(permit))).await,
            None => Ok(()),
        }
    }

    async fn abort(self) {
        if let Some((_, writer)) = self.blob {
            writer.abort().await;
        }
    }

    async fn finish(mut self, core: &Arc<SpaceCore>, options: &StageOptions) -> Result<Staged, Error> {
        if options.announced_bytes.is_some_and(|announced| announced != self.size_bytes) {
            self.abort().await;
            return Err(Error::BodyInterrupted);
        }
        let is_large = self.blob.is_some() || self.buffer.len() > core.limits.inline_bytes;
        if is_large && let Err(error) = self.flush(core).await {
            self.abort().await;
            return Err(error);
        }
        let mut hashers = match self.hashing.finish().await {
            Ok(hashers) => hashers,
            Err(error) => {
                self.abort().await;
                return Err(error);
            }
        };
        hashers.update(&self.buffer);
        let checksums: Vec<Checksum> = hashers.checksums.drain(..).map(Hasher::finish).collect();
        if let Some(error) = mismatch(options, &checksums) {
            self.abort().await;
            return Err(error);
        }
        let digest = *hashers.digest.finalize().as_bytes();
        let bytes = match self.blob {
            None => PieceBytes::Inline(self.buffer.freeze()),
            Some((key, writer)) => {
                let _permit = core.upload_part().await?;
                without_turn(writer.finish()).await?;
                PieceBytes::Blob(key)
            }
        };
        let size_bytes = self.size_bytes;
        Ok(Staged { size_bytes, pieces: vec![StagedPiece { size_bytes, digest, bytes }], checksums })
    }
}

struct Hashers {
    digest: blake3::Hasher,
    checksums: Vec<Hasher>,
}

impl Hashers {
    fn update(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.checksums.iter_mut().for_each(|hasher| hasher.update(bytes));
    }
}

/// Hashing where blocking is allowed, one part behind what arrives.
enum Hashing {
    Idle(Box<Hashers>),
    UnderWay(JoinHandle<Box<Hashers>>),
    /// A part could not be hashed, so nothing is known of the whole.
    Failed,
}

impl Hashing {
    /// Waits for the part before, then begins with `part`.
    async fn start(&mut self, part: Bytes, permit: UploadPart) -> Result<(), Error> {
        let mut hashers = self.finish().await?;
        *self = Hashing::UnderWay(tokio::task::spawn_blocking(move || {
            let _permit = permit;
            hashers.update(&part);
            hashers
        }));
        Ok(())
    }

    /// The hashes of all parts so far.
    async fn finish(&mut self) -> Result<Box<Hashers>, Error> {
        match std::mem::replace(self, Hashing::Failed) {
            Hashing::Idle(hashers) => Ok(hashers),
            Hashing::UnderWay(part) => without_turn(part).await.map_err(|error| Error::Unavailable(Box::new(error))),
            Hashing::Failed => Err(Error::unavailable("a part of the body could not be hashed")),
        }
    }
}

fn mismatch(options: &StageOptions, checksums: &[Checksum]) -> Option<Error> {
    let expected = options.expected.as_ref()?;
    let computed = checksums.iter().find(|computed| computed.algorithm == expected.algorithm)?;
    (computed != expected)
        .then(|| Error::ChecksumMismatch { announced: expected.to_string(), computed: computed.to_string() })
}

/// A fresh key whose intent is durable: whatever happens from here on, the blob will be used or collected.
async fn announce_blob(core: &Arc<SpaceCore>) -> Result<String, Error> {
    let random: [u8; 16] = core.ports.bytes();
    let name = hex(&random);
    // Sixteen directories keep each of them of moderate size; more of them would be made, and synced, for longer.
    let key = format!("{}/{}/{}", blob_prefix(core), &name[..1], &name[1..]);
    let announced = key.clone();
    let announce = core.write(move |tx| {
        Box::pin(async move {
            let due = tx.now().plus_seconds(tx.core.limits.intent_expiry_seconds);
            tx.one(ANNOUNCE, &[announced.into(), due.into()]).await
        })
    });
    announce.await?;
    Ok(key)
}

const ANNOUNCE: Sql =
    Sql("INSERT INTO intent (space_id, blob_key, collect_after_us, is_collecting) VALUES ($1, $2, $3, 0)");

pub(crate) const STATEMENTS: &[Sql] = &[ANNOUNCE];
