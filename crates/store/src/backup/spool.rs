//! The rows of a space, written to a file of this machine first: a snapshot is held no longer than that takes, however slow the
//! place for backups is.
//!
//! Rows of a table are cut into segments where the number of a row says so, not where a size is reached, so that the next backup
//! cuts at the same rows, and segments in which nothing has changed are there already.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use blake3::Hash;
use bytes::Bytes;

use super::generation::Segment;
use super::segment::{Head, line_of};
use crate::error::Error;
use crate::space::SpaceCore;
use crate::sql::{Columns, Connection};
use crate::tables::{TABLES, Table};

/// A segment is cut after a row whose number leaves the last remainder of this divisor,
const CUT_EVERY: u64 = 32;
/// if it has at least so many bytes,
const SEGMENT_BYTES_MIN: usize = 256 * 1024;
/// or wherever it has so many.
const SEGMENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Rows in a file without a name, which goes with the process at the latest.
pub(super) struct Spool {
    file: BufWriter<File>,
    head: Head,
    buffer: Vec<u8>,
    rows: u64,
    written: u64,
    segments: Vec<Spooled>,
    /// Where each digest stands among the blobs.
    seen: HashMap<Hash, usize>,
    pub(super) blobs: Vec<SourceBlob>,
}

/// Where a segment is in the file.
pub(super) struct Spooled {
    pub(super) segment: Segment,
    pub(super) digest: Hash,
    start: u64,
}

/// A blob of the space, or several of the same bytes.
#[derive(Clone, Debug)]
pub(super) struct SourceBlob {
    pub(super) digest: Hash,
    pub(super) size_bytes: u64,
    pub(super) keys: Vec<String>,
}

impl Spool {
    fn new(path: &Path) -> Result<Spool, Error> {
        // Hashes of passwords are in it.
        let file = File::options().create_new(true).read(true).write(true).mode(0o600).open(path)?;
        std::fs::remove_file(path)?;
        Ok(Spool {
            file: BufWriter::new(file),
            head: Head::of_blobs(),
            buffer: Vec::new(),
            rows: 0,
            written: 0,
            segments: Vec::new(),
            seen: HashMap::new(),
            blobs: Vec::new(),
        })
    }

    fn begin(&mut self, head: Head) {
        self.head = head;
    }

    /// Adds a row; `number` is the same in every backup as long as the row is.
    fn add(&mut self, line: &str, number: u64) -> Result<(), Error> {
        if self.buffer.is_empty() {
            self.buffer.extend_from_slice(self.head.line().as_bytes());
        }
        self.buffer.extend_from_slice(line.as_bytes());
        self.rows += 1;
        let is_cut = self.buffer.len() >= SEGMENT_BYTES_MIN && number % CUT_EVERY == CUT_EVERY - 1;
        if is_cut || self.buffer.len() >= SEGMENT_BYTES_MAX { self.cut() } else { Ok(()) }
    }

    fn cut(&mut self) -> Result<(), Error> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.file.write_all(&self.buffer)?;
        let digest = blake3::hash(&self.buffer);
        let size_bytes = self.buffer.len() as u64;
        let segment = Segment {
            table: self.head.table.clone(),
            rows: self.rows,
            size_bytes,
            blake3: digest.to_hex().to_string(),
        };
        self.segments.push(Spooled { segment, digest, start: self.written });
        self.written += size_bytes;
        self.buffer.clear();
        self.rows = 0;
        Ok(())
    }

    /// A row of a table that refers to a blob.
    fn note_blob(&mut self, table: &Table, row: &dyn Columns) -> Result<(), Error> {
        let place = |column| table.place_of(column).ok_or_else(|| Error::unavailable("a table without its columns"));
        let Some(key) = row.maybe_text(place("blob_key")?)? else { return Ok(()) };
        let digest = row.maybe_bytes(place("digest")?)?.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let Some(digest) = digest.map(Hash::from_bytes) else {
            return Err(Error::unavailable(format!("{} of {key} has no digest", table.name)));
        };
        match self.seen.entry(digest) {
            Entry::Occupied(known) => self.blobs[*known.get()].keys.push(key),
            Entry::Vacant(new) => {
                new.insert(self.blobs.len());
                self.blobs.push(SourceBlob { digest, size_bytes: row.count(place("size_bytes")?)?, keys: vec![key] });
            }
        }
        Ok(())
    }

    /// Closes the last table with the list of blobs, which comes first in a generation: what is pruned reads nothing else.
    fn finish(mut self) -> Result<Spool, Error> {
        self.begin(Head::of_blobs());
        for blob in std::mem::take(&mut self.blobs) {
            let line = format!("[\"{}\",{}]\n", blob.digest.to_hex(), blob.size_bytes);
            self.add(&line, u64::from(blob.digest.as_bytes()[0]))?;
            self.blobs.push(blob);
        }
        self.cut()?;
        self.file.flush()?;
        Ok(self)
    }

    pub(super) fn segments(&self) -> &[Spooled] {
        &self.segments
    }

    /// The bytes of a segment. Blocks.
    pub(super) fn read(&mut self, place: usize) -> Result<Bytes, Error> {
        let Spooled { segment, start, digest } = &self.segments[place];
        let file = self.file.get_mut();
        file.seek(SeekFrom::Start(*start))?;
        let mut bytes = Vec::new();
        file.take(segment.size_bytes).read_to_end(&mut bytes)?;
        match blake3::hash(&bytes) == *digest {
            true => Ok(bytes.into()),
            false => Err(Error::unavailable("the disk does not keep what is written to it")),
        }
    }
}

/// One moment of the space's rows, in a new file in `directory`.
pub(super) async fn spool(core: &Arc<SpaceCore>, directory: &Path) -> Result<Spool, Error> {
    let path = directory.join(format!("backup-{}.spool", core.ports.lower_alphanumeric(12)));
    let reading = Arc::clone(core);
    core.aside(async move {
        let mut spool = Spool::new(&path)?;
        let mut reader = reading.connect_aside().await?;
        reader.begin_snapshot().await?;
        let read = read_all(&mut reader, &mut spool).await;
        reader.script("ROLLBACK").await?;
        reader.close().await;
        read?;
        spool.finish()
    })
    .await
}

async fn read_all(reader: &mut Connection, spool: &mut Spool) -> Result<(), Error> {
    for table in TABLES.iter().filter(|table| table.is_kept) {
        spool.begin(Head::of(table));
        let has_blobs = table.place_of("blob_key").is_some();
        reader
            .each(table.select, &[], &mut |row| {
                if has_blobs {
                    spool.note_blob(table, row)?;
                }
                let number = row.maybe_int(0).ok().flatten().unwrap_or_default();
                spool.add(&line_of(table, row)?, number.unsigned_abs())?;
                Ok(true)
            })
            .await?;
        spool.cut()?;
    }
    Ok(())
}
