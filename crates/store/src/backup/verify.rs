//! Whether backups are what they claim to be: everything that generations reach is read and compared with its digest.

use std::collections::HashMap;

use blake3::Hash;
use futures_util::StreamExt as _;

use super::depository::Depository;
use super::error::BackupError;
use super::make::COPIES_AT_ONCE;
use super::prune::reached_by;

/// What was found of backups.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Generations that were looked at.
    pub generations: usize,
    /// Objects that were read.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// One line each; empty is good.
    pub problems: Vec<String>,
}

impl Depository {
    /// Reads everything that the generation reaches, or all of them.
    ///
    /// # Errors
    /// [`BackupError::Refused`] for a generation that does not exist, [`BackupError::Place`]. What is damaged is no error but a line of the answer.
    pub async fn verify(&self, name: Option<&str>) -> Result<Verified, BackupError> {
        let names = match name {
            Some(name) => vec![name.to_owned()],
            None => self.names().await?,
        };
        let mut verified = Verified { generations: names.len(), ..Verified::default() };
        let mut objects: HashMap<Hash, (u64, String)> = HashMap::new();
        for name in names {
            let reached = match self.generation(&name).await {
                Ok(generation) => {
                    let lacks = |digest: &String| format!("{name}: lacks a blob since it was made: {digest}");
                    verified.problems.extend(generation.lacking.iter().map(lacks));
                    reached_by(self, &generation).await.map(|mut reached| {
                        let is_there = |digest: &Hash| !generation.lacking.contains(&digest.to_hex().to_string());
                        reached.retain(|(digest, _)| generation.lacking.is_empty() || is_there(digest));
                        reached
                    })
                }
                Err(error) => Err(error),
            };
            match reached {
                Ok(reached) => {
                    for (digest, size_bytes) in reached {
                        objects.entry(digest).or_insert_with(|| (size_bytes, name.clone()));
                    }
                }
                Err(BackupError::Damaged(why)) => verified.problems.push(format!("{name}: {why}")),
                Err(error) => return Err(error),
            }
        }
        let mut examined =
            futures_util::stream::iter(objects)
                .map(|(digest, (size_bytes, name))| async move {
                    (size_bytes, name, self.examine(&digest, size_bytes).await)
                })
                .buffer_unordered(COPIES_AT_ONCE);
        while let Some((size_bytes, name, found)) = examined.next().await {
            verified.objects += 1;
            verified.bytes += size_bytes;
            if let Err(why) = found {
                verified.problems.push(format!("{name}: {why}"));
            }
        }
        verified.problems.sort();
        Ok(verified)
    }
}
