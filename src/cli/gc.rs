//! `nichoir gc`: what is reachable from nothing.

use clap::Args;
use serde_json::json;

use super::{Failure, Session, about, names_of, storage};

/// List what is reachable from nothing, or remove it.
#[derive(Debug, Args)]
pub(super) struct Gc {
    /// Only this space.
    #[arg(long)]
    space: Option<String>,
    /// Remove it; without this, it is only listed.
    #[arg(long)]
    remove: bool,
    /// Also what is left of spaces that the catalogue does not know. Not where another server keeps its blobs in the same place.
    #[arg(long, conflicts_with = "space")]
    forgotten_spaces: bool,
}

impl Gc {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let store = session.store().await?;
        let names = names_of(&store, self.space).await?;
        let (mut text, mut left_over, mut size_bytes) = (String::new(), Vec::new(), 0);
        for name in &names {
            let left = store.collect_garbage(name, self.remove).await;
            for left in left.map_err(|error| about(&format!("space {name}"), &error))? {
                text.push_str(&format!("{name}: blob {}, {} bytes\n", left.key, left.size_bytes));
                size_bytes += left.size_bytes;
                left_over.push(json!({ "space": name, "blob": left.key, "size_bytes": left.size_bytes }));
            }
        }
        let mut forgotten = Vec::new();
        if self.forgotten_spaces {
            let found = store.forgotten_spaces(&session.config.storage.data_dir, self.remove).await;
            for space in found.map_err(|error| storage(&error))? {
                text.push_str(&format!(
                    "forgotten: {}, {} blobs, {} bytes\n",
                    space.name, space.blobs, space.blob_bytes
                ));
                forgotten.push(json!({ "name": space.name, "blobs": space.blobs, "blob_bytes": space.blob_bytes }));
            }
        }
        store.close().await;
        let fate = if self.remove { "removed" } else { "left; --remove removes them" };
        let (blobs, spaces) = (left_over.len(), forgotten.len());
        text.push_str(&format!("{blobs} blobs of {size_bytes} bytes and {spaces} forgotten spaces {fate}\n"));
        session.say(&text, &json!({ "is_removed": self.remove, "left_over": left_over, "forgotten": forgotten }));
        Ok(())
    }
}
