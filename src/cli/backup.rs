//! `nichoir backup` and `nichoir generations`: backups of spaces, and what there is of them.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use nichoir_store::backup::{BackupError, BackupReport, Depository, Generation, Verified};
use nichoir_store::{BlobConfig, Store};
use serde_json::{Value, json};

use super::{Failure, Session, about, storage};

/// Back up a space, or all of them, while they are in use.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The space.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    space: Option<String>,
    /// Every space, each to a place of its name below the one named.
    #[arg(long)]
    all: bool,
    /// Where its backups are: a directory, or s3://BUCKET/PREFIX.
    #[arg(long)]
    to: String,
    /// Keep so many generations, the newest, and remove the others; without it, all are kept.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Read the whole generation back afterwards.
    #[arg(long)]
    verify: bool,
}

/// List the backups in a place.
#[derive(Debug, Args)]
pub(super) struct Generations {
    /// Where they are: a directory, or s3://BUCKET/PREFIX.
    #[arg(long)]
    from: String,
    /// Read everything that they need and compare it with its digest.
    #[arg(long)]
    verify: bool,
    /// Only this one.
    #[arg(long)]
    at: Option<String>,
}

impl Backup {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let store = session.store().await?;
        let spaces = match &self.space {
            Some(name) => vec![(name.clone(), self.to.clone())],
            None => {
                let mut spaces = store.spaces().await.map_err(|error| storage(&error))?;
                spaces.retain(|space| !space.is_being_restored());
                let below = |name: &str| format!("{}/{name}", self.to.trim_end_matches('/'));
                spaces.into_iter().map(|space| (space.name.clone(), below(&space.name))).collect()
            }
        };
        let (mut text, mut values, mut failures) = (String::new(), Vec::new(), Vec::new());
        for (name, place) in spaces {
            match self.back_up(session, &store, &name, &place).await {
                Ok((report, verified)) => {
                    text.push_str(&format!("{name}: {}\n", line(&report)));
                    let problems = verified.into_iter().flat_map(|verified| verified.problems);
                    let problems: Vec<String> = report.lacking.iter().cloned().chain(problems).collect();
                    values.push(shown_report(&name, &report, &problems));
                    failures.extend(problems.into_iter().map(|problem| format!("space {name}: {problem}")));
                }
                Err(failure) => {
                    values.push(json!({ "space": name, "failure": failure }));
                    failures.push(failure);
                }
            }
        }
        store.close().await;
        let value = if self.all { Value::Array(values) } else { values.pop().unwrap_or_default() };
        session.say(&text, &value);
        if failures.is_empty() { Ok(()) } else { Err(failures.join("\nnichoir: ")) }
    }

    async fn back_up(
        &self,
        session: &Session,
        store: &Store,
        name: &str,
        place: &str,
    ) -> Result<(BackupReport, Option<Verified>), Failure> {
        let what = format!("space {name}");
        let to = open(session, place, true)?;
        let keep = self.keep.map(|keep| usize::try_from(keep).unwrap_or(usize::MAX));
        let report = store.back_up(name, &to, keep, &session.config.storage.data_dir).await;
        let report = report.map_err(|error| match error {
            BackupError::Place { .. } => format!(
                "{what}: {}; what was there before is whole; make room or mend it, and run it again: it goes on where it was",
                told(&what, &error)
            ),
            error => told(&what, &error),
        })?;
        let verified = match self.verify {
            true => Some(to.verify(Some(&report.generation.name)).await.map_err(|error| told(&what, &error))?),
            false => None,
        };
        Ok((report, verified))
    }
}

impl Generations {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let from = open(session, &self.from, false)?;
        let failed = |error: BackupError| told(&self.from, &error);
        let names = match &self.at {
            Some(name) => vec![name.clone()],
            None => from.names().await.map_err(failed)?,
        };
        let (mut text, mut values, mut problems) = (String::new(), Vec::new(), Vec::new());
        for name in &names {
            match from.generation(name).await {
                Ok(generation) => {
                    text.push_str(&format!("{}\n", line_of(&generation)));
                    values.push(shown(&generation));
                }
                Err(BackupError::Damaged(why)) => problems.push(why),
                Err(error) => return Err(failed(error)),
            }
        }
        if self.verify {
            let verified = from.verify(self.at.as_deref()).await.map_err(failed)?;
            text.push_str(&format!("{} objects, {} bytes read\n", verified.objects, verified.bytes));
            problems = verified.problems;
        }
        session.say(&text, &json!({ "generations": values, "verified": self.verify, "problems": problems }));
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\nnichoir: ")) }
    }
}

/// The place for backups that `place` names; a directory is made only to write to it.
pub(super) fn open(session: &Session, place: &str, is_made: bool) -> Result<Depository, Failure> {
    let (config, prefix) = match place.strip_prefix("s3://") {
        Some(rest) => {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(format!("{place}: name a bucket, as in s3://BUCKET/PREFIX"));
            }
            (BlobConfig::S3(session.config.backup_s3(bucket)?), prefix)
        }
        None => {
            let directory = PathBuf::from(place);
            make_directory(&directory, is_made).map_err(|error| format!("{place}: {error}"))?;
            (BlobConfig::Local { directory }, "")
        }
    };
    let part_bytes = session.config.store().limits.part_bytes;
    Depository::open(&config, prefix, part_bytes, place).map_err(|error| told(place, &error))
}

/// The secrets of a space are in its backups: what is in there is its owner's alone, whoever made the directory itself.
fn make_directory(directory: &Path, is_made: bool) -> std::io::Result<()> {
    if !is_made {
        return std::fs::read_dir(directory).map(drop);
    }
    let mut owners_own = std::fs::DirBuilder::new();
    owners_own.recursive(true).mode(0o700);
    Depository::DIRECTORIES.iter().try_for_each(|inside| owners_own.create(directory.join(inside)))
}

/// What happened to a backup, in words.
pub(super) fn told(what: &str, error: &BackupError) -> Failure {
    match error {
        BackupError::Space(error) => about(what, error),
        BackupError::Place { place, cause } => format!("{place}: {}", storage(cause)),
        BackupError::Damaged(why) | BackupError::Refused(why) => why.clone(),
    }
}

fn line(report: &BackupReport) -> String {
    format!(
        "{}, {} objects written ({} bytes), {} generations and {} objects removed",
        line_of(&report.generation),
        report.objects_written,
        report.bytes_written,
        report.generations_removed.len(),
        report.objects_removed
    )
}

fn line_of(generation: &Generation) -> String {
    format!(
        "{}\t{}\t{} rows\t{} blobs\t{} bytes{}",
        generation.name,
        generation.space_name(),
        generation.rows.values().sum::<u64>(),
        generation.blobs,
        generation.blob_bytes,
        if generation.lacking.is_empty() { "" } else { "\tlacks blobs" }
    )
}

fn shown(generation: &Generation) -> Value {
    json!({
        "generation": generation.name,
        "space": generation.space_name(),
        "program": generation.program,
        "begun": generation.begun().seconds(),
        "rows": generation.rows,
        "blobs": generation.blobs,
        "blob_bytes": generation.blob_bytes,
        "lacking": generation.lacking,
    })
}

fn shown_report(name: &str, report: &BackupReport, problems: &[String]) -> Value {
    let mut value = shown(&report.generation);
    value["space"] = name.into();
    value["objects_written"] = report.objects_written.into();
    value["bytes_written"] = report.bytes_written.into();
    value["generations_removed"] = json!(report.generations_removed);
    value["objects_removed"] = report.objects_removed.into();
    value["problems"] = json!(problems);
    value
}
