//! Making a backup: hold, snapshot, objects, and at last the generation.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use blake3::Hash;
use futures_util::StreamExt as _;
use tracing::warn;

use super::depository::{Depository, cause};
use super::error::BackupError;
use super::generation::{Catalogued, Generation, Segment, name_of};
use super::hold::{Alone, Hold};
use super::prune::prune;
use super::spool::{SourceBlob, Spool, spool};
use crate::blob::Blobs;
use crate::checksum::hex;
use crate::error::Error;
use crate::open_space::run_blocking;
use crate::space::{Space, SpaceCore};
use crate::store::Store;

/// Blobs that are copied at once.
pub(super) const COPIES_AT_ONCE: usize = 4;

/// What a backup did.
#[derive(Clone, Debug)]
pub struct BackupReport {
    /// What it made.
    pub generation: Generation,
    /// Objects that were not there before.
    pub objects_written: u64,
    /// Their bytes.
    pub bytes_written: u64,
    /// Blobs that the space lacks, or that are damaged in it, with what is wrong: they are not in the backup.
    pub lacking: Vec<String>,
    /// Generations that were removed because newer ones are enough.
    pub generations_removed: Vec<String>,
    /// Objects that no generation reaches any more, and that were removed.
    pub objects_removed: u64,
}

impl Store {
    /// Backs up a space as it is at one moment. Rows are gathered in a file in `directory` first. With `keep`, so many
    /// generations are kept, the newest; what the others alone have reached is removed.
    ///
    /// # Errors
    /// [`BackupError::Refused`] for another space's place or while another backup is under way, [`BackupError::Place`], [`BackupError::Space`].
    /// Earlier generations are as they were then, and the next backup goes on where this one ended.
    pub async fn back_up(
        &self,
        name: &str,
        to: &Depository,
        keep: Option<usize>,
        directory: &Path,
    ) -> Result<BackupReport, BackupError> {
        let space = self.space_named(name).await?;
        if space.info().is_being_restored() {
            return Err(BackupError::Refused(format!(
                "{name} is being restored, or its restore was cut off: there is nothing in it to back up; delete it if nothing restores it"
            )));
        }
        let core = space.core();
        let alone = Alone::with(core).await?;
        let made = alone_and_held(&space, to, keep, directory).await;
        alone.end().await;
        made
    }
}

async fn alone_and_held(
    space: &Space,
    to: &Depository,
    keep: Option<usize>,
    directory: &Path,
) -> Result<BackupReport, BackupError> {
    let newest = check_owner(to, space).await?;
    to.forget_unfinished().await?;
    let mut hold = Hold::begin(space.core()).await?;
    let made = make(space, to, newest, &mut hold, directory).await;
    if let Err(error) = hold.end().await {
        warn!(space.name = %space.info().name, %error, "blobs of the space are kept from the collector for some hours more");
    }
    let mut report = made?;
    if let Some(keep) = keep {
        let pruned = prune(to, keep).await?;
        report.generations_removed = pruned.generations;
        report.objects_removed = pruned.objects;
    }
    Ok(report)
}

/// A place has the backups of one space. Returns the name of the newest generation there.
async fn check_owner(to: &Depository, space: &Space) -> Result<Option<String>, BackupError> {
    let names = to.names().await?;
    for name in names.iter().rev() {
        // One that is damaged says nothing; it is told of when somebody wants to have it.
        let Ok(generation) = to.generation(name).await else { continue };
        if generation.space.instance_id != space.info().instance_id {
            return Err(BackupError::Refused(format!(
                "{} has the backups of another space ({}, {}); name a place of its own for each space",
                to.place(),
                generation.space.name,
                generation.space.instance_id
            )));
        }
        return Ok(names.last().cloned());
    }
    match names.last() {
        None => Ok(None),
        Some(_) => Err(BackupError::Damaged(format!(
            "{}: no generation there can be read, so it is not known whose backups these are; name another place",
            to.place()
        ))),
    }
}

async fn make(
    space: &Space,
    to: &Depository,
    newest: Option<String>,
    hold: &mut Hold,
    directory: &Path,
) -> Result<BackupReport, BackupError> {
    let core = space.core();
    let begun = core.ports.clock.now();
    let spool = spool(core, directory).await?;
    let there = to.objects().await?;
    let mut copying = Copying { to, there, hold, objects: 0, bytes: 0, lacking: HashMap::new() };
    let mut blobs = spool.blobs.clone();
    let segments = copying.segments(spool).await?;
    blobs.retain(|blob| copying.there.get(&blob.digest) != Some(&blob.size_bytes));
    copying.blobs(core, blobs).await?;

    let (objects_written, bytes_written, lacking) = (copying.objects, copying.bytes, copying.lacking);
    let mut generation = Generation::new(begun, catalogued(space), segments.described);
    generation.name = name_after(newest.as_deref(), name_of(begun));
    generation.blobs = segments.blobs;
    generation.blob_bytes = segments.blob_bytes;
    generation.lacking = lacking.keys().map(|digest| digest.to_hex().to_string()).collect();
    generation.lacking.sort();
    to.publish(&generation).await?;
    Ok(BackupReport {
        generation,
        objects_written,
        bytes_written,
        lacking: lacking.into_values().collect(),
        generations_removed: Vec::new(),
        objects_removed: 0,
    })
}

/// What names a generation sorts behind the newest, also when the clock was set back.
fn name_after(newest: Option<&str>, name: String) -> String {
    match newest {
        Some(newest) if newest >= name.as_str() => {
            let (base, number) = newest.split_once('-').unwrap_or((newest, "1"));
            format!("{base}-{:04}", number.parse::<u32>().unwrap_or(1) + 1)
        }
        _ => name,
    }
}

fn catalogued(space: &Space) -> Catalogued {
    let info = space.info();
    let theme = &info.theme;
    Catalogued {
        name: info.name.clone(),
        uuid: info.uuid.to_string(),
        instance_id: info.instance_id.clone(),
        secret: hex(&space.core().secret),
        hosts: info.hosts.clone(),
        quota_bytes: info.quota_bytes,
        max_accounts: info.max_accounts,
        title: theme.title.clone(),
        slogan: theme.slogan.clone(),
        colour: theme.colour.map(|[red, green, blue]| format!("#{red:02x}{green:02x}{blue:02x}")).unwrap_or_default(),
        logo: theme.logo.clone().unwrap_or_default(),
    }
}

struct Copying<'a> {
    to: &'a Depository,
    there: HashMap<Hash, u64>,
    hold: &'a mut Hold,
    objects: u64,
    bytes: u64,
    lacking: HashMap<Hash, String>,
}

/// What is told of segments in the generation.
struct Described {
    described: Vec<Segment>,
    blobs: u64,
    blob_bytes: u64,
}

impl Copying<'_> {
    async fn segments(&mut self, mut spool: Spool) -> Result<Described, BackupError> {
        let (blobs, blob_bytes) =
            (spool.blobs.len() as u64, spool.blobs.iter().map(|blob| blob.size_bytes).sum::<u64>());
        let mut described = Vec::new();
        for place in 0..spool.segments().len() {
            let (segment, digest) = (spool.segments()[place].segment.clone(), spool.segments()[place].digest);
            if self.there.get(&digest) != Some(&segment.size_bytes) {
                let (back, bytes) = run_blocking(move || {
                    let bytes = spool.read(place)?;
                    Ok((spool, bytes))
                })
                .await?;
                spool = back;
                self.to.put(&digest, bytes).await?;
                self.there.insert(digest, segment.size_bytes);
                self.written(segment.size_bytes).await?;
            }
            described.push(segment);
        }
        Ok(Described { described, blobs, blob_bytes })
    }

    async fn blobs(&mut self, core: &Arc<SpaceCore>, blobs: Vec<SourceBlob>) -> Result<(), BackupError> {
        let (source, to) = (core.blobs.clone(), self.to);
        let mut copies = futures_util::stream::iter(blobs)
            .map(|blob| copy_blob(source.clone(), to, blob))
            .buffer_unordered(COPIES_AT_ONCE);
        while let Some(copied) = copies.next().await {
            match copied? {
                (blob, Ok(())) => self.written(blob.size_bytes).await?,
                (blob, Err(why)) => {
                    self.lacking.insert(blob.digest, why);
                }
            }
        }
        Ok(())
    }

    async fn written(&mut self, bytes: u64) -> Result<(), Error> {
        self.objects += 1;
        self.bytes += bytes;
        self.hold.renew().await
    }
}

/// Copies a blob from the first place that has it whole; says otherwise how each is damaged.
async fn copy_blob(
    source: Blobs,
    to: &Depository,
    blob: SourceBlob,
) -> Result<(SourceBlob, Result<(), String>), BackupError> {
    let mut damages = Vec::new();
    for key in &blob.keys {
        match copy_from(&source, key, to, &blob).await? {
            Ok(()) => return Ok((blob, Ok(()))),
            Err(why) => damages.push(format!("blob {key} is missing or damaged: {why}")),
        }
    }
    Ok((blob, Err(damages.join("; "))))
}

async fn copy_from(
    source: &Blobs,
    key: &str,
    to: &Depository,
    blob: &SourceBlob,
) -> Result<Result<(), String>, BackupError> {
    match source.size(key).await {
        Ok(Some(size)) if size == blob.size_bytes => {
            to.copy(&blob.digest, blob.size_bytes, source.read(key, 0..blob.size_bytes)).await
        }
        Ok(Some(size)) => Ok(Err(format!("it has {size} bytes, should have {}", blob.size_bytes))),
        Ok(None) => Ok(Err("it is missing".to_owned())),
        Err(error) => Ok(Err(cause(&error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_generation_has_a_later_name_whatever_the_clock_says() {
        let after = |newest: Option<&str>| name_after(newest, "20270115T080000Z".to_owned());
        assert_eq!(after(None), "20270115T080000Z");
        assert_eq!(after(Some("20270115T075959Z")), "20270115T080000Z");
        let mut newest = "20270115T080000Z".to_owned();
        for expected in ["20270115T080000Z-0002", "20270115T080000Z-0003"] {
            let next = after(Some(&newest));
            assert!(next == expected && next > newest);
            newest = next;
        }
        assert_eq!(after(Some("20280101T000000Z")), "20280101T000000Z-0002", "a clock that was set back");
    }
}
