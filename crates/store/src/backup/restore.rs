//! Putting a generation back: as a space of its own, or in the place of the one that it was taken of.
//!
//! The space is built under a name of its own, suspended, with its own number, file and blob prefix, and gets its real name in
//! one transaction of the catalogue at the very end. Whatever ends a restore before that leaves every other space as it was,
//! and at most a space `restoring-…` that can be deleted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;
use tracing::warn;

use super::depository::{Depository, copy};
use super::error::BackupError;
use super::generation::{Generation, name_of};
use super::make::COPIES_AT_ONCE;
use super::rebuild::{Identity, rebuild};
use super::today::{Counters, LogIns};
use crate::control::restored::{Outgoing, Restored};
use crate::open_space::{Engine, file_of};
use crate::reach::{self, blob_prefix};
use crate::space::{SpaceCore, SpaceInfo, SpaceState};
use crate::store::Store;

/// Where a generation is put.
#[derive(Clone, Debug)]
pub enum Destination {
    /// A space that does not exist yet. If the one that the backup was taken of exists, it is a copy beside it: its hosts and
    /// devices stay with that one. If not, it is that space again.
    Beside {
        /// Its name.
        name: String,
    },
    /// The place of the space that the backup was taken of, which is kept, suspended, under another name.
    InPlace {
        /// Its name.
        name: String,
        /// Also if it is not suspended: what members write meanwhile is in the other space then.
        while_active: bool,
    },
}

impl Destination {
    fn name(&self) -> &str {
        let (Destination::Beside { name } | Destination::InPlace { name, .. }) = self;
        name
    }
}

/// What a restore did.
#[derive(Clone, Debug)]
pub struct RestoreReport {
    /// The generation that was put back.
    pub generation: String,
    /// The space.
    pub space: SpaceInfo,
    /// What the space is called now in whose place it was put.
    pub kept_as: Option<String>,
    /// Rows that it has.
    pub rows: u64,
    /// Blobs that it has.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
    /// Hosts that it had and that another space has now.
    pub hosts_taken: Vec<String>,
    /// What a check finds wrong with it; empty is good.
    pub problems: Vec<String>,
}

/// What is decided before anything is written.
struct Plan {
    restored: Restored,
    hosts: Vec<String>,
    hosts_taken: Vec<String>,
    /// The space that the backup was taken of, if it is there: its log-ins of today count.
    original: Option<i64>,
    /// Whether its devices come along.
    has_devices: bool,
    outgoing: Option<Outgoing>,
}

struct Filled {
    rows: u64,
    blobs: u64,
    blob_bytes: u64,
}

/// Where the file of a space is built.
pub(crate) fn restoring_file(directory: &Path, core: &SpaceCore) -> PathBuf {
    file_of(directory, core).with_extension("restoring")
}

impl Store {
    /// Puts a generation back, the newest if `at` names none. `lacks_blobs`: also one that lacked blobs when it was made.
    /// `directory` is for files of the moment.
    ///
    /// # Errors
    /// [`BackupError::Refused`], [`BackupError::Damaged`], [`BackupError::Place`], [`BackupError::Space`]; no space has changed then.
    pub async fn restore(
        &self,
        from: &Depository,
        at: Option<&str>,
        to: &Destination,
        lacks_blobs: bool,
        directory: &Path,
    ) -> Result<RestoreReport, BackupError> {
        let generation = from.generation_or_newest(at).await?;
        if !generation.lacking.is_empty() && !lacks_blobs {
            return Err(BackupError::Refused(format!(
                "the generation {} lacks {} blobs, which were missing or damaged when it was made; restore an earlier one, or say \
                 that it may lack them: their files cannot be read then",
                generation.name,
                generation.lacking.len()
            )));
        }
        let plan = self.plan(from, &generation, to).await?;
        let (id, provisional) = self.control().announce(&plan.restored).await?;
        let Plan { original, has_devices, outgoing, hosts, hosts_taken, .. } = plan;
        let done = async {
            let core = Arc::clone(self.space_numbered(id).await?.core());
            let original = match original {
                Some(original) => Some(Arc::clone(self.space_numbered(original).await?.core())),
                None => None,
            };
            let filled = fill(&core, from, &generation, original.as_ref(), directory).await?;
            let problems = reach::check(&core, false).await?.problems;
            if let Some(original) = original {
                // As late as can be: to copy blobs takes hours, and somebody may be shut out meanwhile.
                LogIns::of(&original).await?.impose(&core, has_devices).await?;
            }
            let due = self.now().plus_seconds(self.limits().upkeep_after_seconds);
            self.control().install(id, to.name(), &hosts, outgoing.as_ref(), due).await?;
            Ok((filled, problems))
        }
        .await;
        match done {
            Ok((Filled { rows, blobs, blob_bytes }, problems)) => {
                if let Some(outgoing) = &outgoing {
                    // Sockets of its clients end, and they come to the other one.
                    self.space_numbered(outgoing.id).await?.core().tell_all().await;
                }
                Ok(RestoreReport {
                    generation: generation.name,
                    space: self.space_numbered(id).await?.info().clone(),
                    kept_as: outgoing.map(|outgoing| outgoing.kept_as),
                    rows,
                    blobs,
                    blob_bytes,
                    hosts_taken,
                    problems,
                })
            }
            Err(error) => {
                if let Err(left) = self.delete_space(&provisional).await {
                    warn!(space.name = %provisional, error = %left, "what a failed restore has left cannot be removed");
                }
                Err(error)
            }
        }
    }

    async fn plan(&self, from: &Depository, generation: &Generation, to: &Destination) -> Result<Plan, BackupError> {
        let spaces = self.spaces().await?;
        let catalogued = &generation.space;
        // What a restore that was killed has left is no original.
        let is_original =
            |space: &&SpaceInfo| space.instance_id == catalogued.instance_id && !space.is_being_restored();
        let original = spaces.iter().find(is_original);
        let secret = secret_of(generation)?;
        let mut restored = Restored {
            instance_id: catalogued.instance_id.clone(),
            secret,
            data_fingerprint: self.ports().lower_alphanumeric(32),
            quota_bytes: catalogued.quota_bytes,
            max_accounts: catalogued.max_accounts,
            theme: [&catalogued.title, &catalogued.slogan, &catalogued.colour, &catalogued.logo].map(Clone::clone),
            scrub_due: self.next_scrub(self.now()),
        };
        match to {
            Destination::Beside { name } => {
                self.control().check_new_name(name).await?;
                let (mut hosts, mut hosts_taken) = (Vec::new(), Vec::new());
                if original.is_some() {
                    restored.instance_id = format!("oc{}", self.ports().lower_alphanumeric(10));
                    restored.secret = self.ports().bytes();
                } else {
                    let is_taken = |host: &String| spaces.iter().any(|space| space.hosts.contains(host));
                    (hosts_taken, hosts) = catalogued.hosts.iter().cloned().partition(is_taken);
                }
                let original = original.map(|space| space.id);
                Ok(Plan { restored, hosts, hosts_taken, original, has_devices: false, outgoing: None })
            }
            Destination::InPlace { name, while_active } => {
                let space = self.space_named(name).await?;
                let info = space.info();
                if info.instance_id != catalogued.instance_id {
                    return Err(BackupError::Refused(format!(
                        "{} has backups of another space ({}) than {name}; restore it under a new name",
                        from.place(),
                        catalogued.name
                    )));
                }
                if info.state != SpaceState::Suspended && !while_active {
                    return Err(BackupError::Refused(format!(
                        "space {name} is in use: suspend it first, and give its clients a minute"
                    )));
                }
                (restored.quota_bytes, restored.max_accounts) = (info.quota_bytes, info.max_accounts);
                restored.secret = space.core().secret;
                let stamp = name_of(self.now()).to_lowercase();
                let short: String = name.chars().take(63 - "-before-".len() - stamp.len()).collect();
                let kept_as = format!("{}-before-{stamp}", short.trim_end_matches('-'));
                self.control().check_new_name(&kept_as).await?;
                Ok(Plan {
                    restored,
                    hosts: Vec::new(),
                    hosts_taken: Vec::new(),
                    original: Some(info.id),
                    has_devices: true,
                    outgoing: Some(Outgoing { id: info.id, kept_as }),
                })
            }
        }
    }
}

fn secret_of(generation: &Generation) -> Result<[u8; 32], BackupError> {
    // 32 bytes in hexadecimal digits, as a digest is.
    let secret = blake3::Hash::from_hex(&generation.space.secret);
    secret.map(|secret| *secret.as_bytes()).map_err(|_| {
        BackupError::Damaged(format!("the generation {} does not have the secret of its space", generation.name))
    })
}

/// Builds rows and blobs, with numbers past those of the original.
async fn fill(
    core: &Arc<SpaceCore>,
    from: &Depository,
    generation: &Generation,
    original: Option<&Arc<SpaceCore>>,
    directory: &Path,
) -> Result<Filled, BackupError> {
    let path = match core.engine.as_ref() {
        Engine::Sqlite { directory, .. } => restoring_file(directory, core),
        Engine::Postgres(_) => directory.join(format!("restore-{}.sqlite", core.uuid)),
    };
    let filled = fill_at(core, from, generation, original, path.clone()).await;
    if filled.is_err() {
        let _ = crate::store::remove_database(&path).await;
    }
    filled
}

async fn fill_at(
    core: &Arc<SpaceCore>,
    from: &Depository,
    generation: &Generation,
    original: Option<&Arc<SpaceCore>>,
    path: PathBuf,
) -> Result<Filled, BackupError> {
    let identity = Identity { id: core.id, blob_prefix: blob_prefix(core) };
    let now = core.ports.clock.now();
    let due = now.plus_seconds(core.limits.upkeep_after_seconds);
    let rebuilt = rebuild(from, generation, path, &identity).await?;
    let given_out = match original {
        Some(original) => Some(Counters::of(original).await?),
        None => None,
    };
    let mut rebuilt = rebuilt.settle(generation, given_out, now, due).await?;
    let mut blobs = rebuilt.blobs().await?;
    blobs.retain(|(_, _, digest)| !generation.lacking.iter().any(|lacks| *lacks == digest.to_hex().as_str()));
    let filled = Filled {
        rows: rebuilt.rows,
        blobs: blobs.len() as u64,
        blob_bytes: blobs.iter().map(|(_, size_bytes, _)| size_bytes).sum(),
    };
    copy_blobs(core, from, blobs).await?;
    match core.engine.as_ref() {
        Engine::Sqlite { directory, .. } => rebuilt.place(file_of(directory, core)).await?,
        Engine::Postgres(pool) => rebuilt.pour(pool, core.id).await?,
    }
    Ok(filled)
}

async fn copy_blobs(
    core: &SpaceCore,
    from: &Depository,
    blobs: Vec<(String, u64, blake3::Hash)>,
) -> Result<(), BackupError> {
    let mut copies = futures_util::stream::iter(blobs)
        .map(|(key, size_bytes, digest)| async move {
            let copied = copy(core.blobs.write(&key), &digest, size_bytes, from.stream(&digest, size_bytes)).await?;
            copied.map_err(|why| {
                BackupError::Damaged(format!(
                    "{}: the blob {digest} is missing or damaged ({why}); restore another generation, or fetch it from a copy",
                    from.place()
                ))
            })
        })
        .buffer_unordered(COPIES_AT_ONCE);
    while let Some(copied) = copies.next().await {
        copied?;
    }
    Ok(())
}
