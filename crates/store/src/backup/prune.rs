//! The end of old generations: first they are none any more, then what they alone have reached goes.

use std::collections::HashSet;

use blake3::Hash;

use super::depository::Depository;
use super::error::BackupError;
use super::generation::{Generation, Segment};
use super::segment::{BLOBS, blobs_of};

pub(super) struct Pruned {
    pub(super) generations: Vec<String>,
    pub(super) objects: u64,
}

/// Keeps the `keep` newest generations, and one at least. If one of those cannot be read, nothing is removed: what it reaches is
/// not known.
pub(super) async fn prune(to: &Depository, keep: usize) -> Result<Pruned, BackupError> {
    let mut names = to.names().await?;
    let kept = names.split_off(names.len().saturating_sub(keep.max(1)));
    let mut reached = HashSet::new();
    for name in &kept {
        for (digest, _) in reached_by(to, &to.generation(name).await?).await? {
            reached.insert(digest);
        }
    }
    // Durably, before what they reach: one that came back after a power cut would be damaged.
    to.remove_generations(&names).await?;
    let mut objects = 0;
    for digest in to.objects().await?.keys().filter(|digest| !reached.contains(*digest)) {
        to.remove(digest).await?;
        objects += 1;
    }
    Ok(Pruned { generations: names, objects })
}

/// Every object that a generation needs, with its size.
pub(super) async fn reached_by(from: &Depository, generation: &Generation) -> Result<Vec<(Hash, u64)>, BackupError> {
    let mut reached = Vec::new();
    for segment in &generation.segments {
        let digest = digest_of(generation, segment)?;
        reached.push((digest, segment.size_bytes));
        if segment.table == BLOBS {
            reached.extend(blobs_in(from, generation, segment).await?);
        }
    }
    Ok(reached)
}

pub(super) fn digest_of(generation: &Generation, segment: &Segment) -> Result<Hash, BackupError> {
    Hash::from_hex(&segment.blake3).map_err(|_| unreadable(generation, segment))
}

pub(super) fn unreadable(generation: &Generation, segment: &Segment) -> BackupError {
    BackupError::Damaged(format!(
        "the generation {}: the segment {} of {} is not what this release writes",
        generation.name, segment.blake3, segment.table
    ))
}

/// The blobs that a segment names.
pub(super) async fn blobs_in(
    from: &Depository,
    generation: &Generation,
    segment: &Segment,
) -> Result<Vec<(Hash, u64)>, BackupError> {
    let bytes = from.read(&digest_of(generation, segment)?, segment.size_bytes).await?;
    let blobs = std::str::from_utf8(&bytes).ok().and_then(blobs_of);
    blobs.ok_or_else(|| unreadable(generation, segment))
}
