//! Content: immutable bytes, in the row when small, in blobs when large; staged before a change, streamed after.

use std::ops::Range;
use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;

use crate::checksum::{Algorithm, Checksum};
use crate::error::Error;

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
#[derive(Debug)]
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
    /// How many bytes it has.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The bytes of `range` (clipped to the content), in order, in runs of moderate size.
    pub fn stream(&self, range: Range<u64>) -> ByteStream {
        let _ = (range, &self.pieces, &self.blobs);
        unimplemented!()
    }
}
