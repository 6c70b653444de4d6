//! `nichoir check`: metadata against blobs, both ways.

use clap::Args;
use serde_json::json;

use super::{Failure, Session, about, names_of};

/// Compare metadata and blobs.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Only this space.
    #[arg(long)]
    space: Option<String>,
    /// Read every blob and compare its hash.
    #[arg(long)]
    deep: bool,
}

impl Check {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let store = session.store().await?;
        let names = names_of(&store, self.space).await?;
        let (mut checked, mut problems, mut text) = (0, Vec::new(), String::new());
        for name in &names {
            let report =
                store.check_space(name, self.deep).await.map_err(|error| about(&format!("space {name}"), &error))?;
            checked += report.checked;
            for problem in report.problems {
                text.push_str(&format!("{name}: {problem}\n"));
                problems.push(json!({ "space": name, "problem": problem }));
            }
        }
        store.close().await;
        text.push_str(&format!("{} spaces, {checked} nodes and blobs, {} problems\n", names.len(), problems.len()));
        session.say(&text, &json!({ "spaces": names.len(), "checked": checked, "problems": problems }));
        if problems.is_empty() { Ok(()) } else { Err("what is above needs a person's attention".to_owned()) }
    }
}
