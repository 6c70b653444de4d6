//! `nichoir restore`: a backup becomes a space again.

use clap::Args;
use nichoir_store::SpaceState;
use nichoir_store::backup::{Destination, RestoreReport};
use serde_json::json;

use super::backup::{open, told};
use super::{Failure, Session};

/// Put a backup back, as a new space or in the place of the one that it was taken of.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// Where the backups are: a directory, or s3://BUCKET/PREFIX.
    #[arg(long)]
    from: String,
    /// The generation; without it, the newest.
    #[arg(long)]
    at: Option<String>,
    /// The name of a new space.
    #[arg(long = "as", value_name = "NAME", required_unless_present = "replace", conflicts_with = "replace")]
    name: Option<String>,
    /// The space in whose place it is put, which is suspended; it is kept under another name.
    #[arg(long, value_name = "NAME")]
    replace: Option<String>,
    /// Replace a space that is in use; what members write meanwhile is in the one that is kept.
    #[arg(long, requires = "replace")]
    while_active: bool,
    /// Restore a generation that lacked blobs when it was made.
    #[arg(long)]
    lacking_blobs: bool,
}

impl Restore {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let from = open(session, &self.from, false)?;
        let (name, to) = match (self.name, self.replace) {
            (_, Some(name)) => (name.clone(), Destination::InPlace { name, while_active: self.while_active }),
            (Some(name), None) => (name.clone(), Destination::Beside { name }),
            (None, None) => return Err("say --as NAME or --replace NAME".to_owned()),
        };
        let store = session.store().await?;
        let directory = &session.config.storage.data_dir;
        let restored = store.restore(&from, self.at.as_deref(), &to, self.lacking_blobs, directory).await;
        store.close().await;
        let report = restored.map_err(|error| told(&format!("space {name}"), &error))?;
        session.say(&text(&report), &shown(&report));
        match report.problems.is_empty() {
            true => Ok(()),
            false => Err(format!("the space is there, but a check finds: {}", report.problems.join("\nnichoir: "))),
        }
    }
}

fn text(report: &RestoreReport) -> String {
    let name = &report.space.name;
    let mut text = format!(
        "space {name} is as it was at {}: {} rows, {} blobs, {} bytes\n",
        report.generation, report.rows, report.blobs, report.blob_bytes
    );
    if let Some(kept_as) = &report.kept_as {
        text.push_str(&format!(
            "what was there before is space {kept_as}, suspended; delete it when nobody misses anything\n"
        ));
    }
    if report.space.state == SpaceState::Suspended {
        text.push_str(&format!("it is suspended: nichoir space resume {name}\n"));
    }
    if !report.hosts_taken.is_empty() {
        text.push_str(&format!("another space has its hosts now: {}\n", report.hosts_taken.join(", ")));
    }
    text
}

fn shown(report: &RestoreReport) -> serde_json::Value {
    json!({
        "space": report.space.name,
        "generation": report.generation,
        "kept_as": report.kept_as,
        "is_suspended": report.space.state == SpaceState::Suspended,
        "hosts": report.space.hosts,
        "hosts_taken": report.hosts_taken,
        "rows": report.rows,
        "blobs": report.blobs,
        "blob_bytes": report.blob_bytes,
        "problems": report.problems,
    })
}
