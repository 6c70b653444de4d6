//! What the server itself writes into a collection that no client writes to: what is fetched from elsewhere, or made of
//! other content of the space.

use super::delete::remove_for_good;
use super::put_file::{NewContent, check_target, drop_content, put_content};
use super::site::{Site, store_content};
use super::{Run, member, patch_properties};
use crate::collection::{CollectionKind, MemberIndex};
use crate::content::Staged;
use crate::error::Error;
use crate::node::{DeadProperty, Node};
use crate::path::NodePath;
use crate::tx::{Asker, Tx};

/// Puts and removes members of a collection of a kind that only the server writes to ([`CollectionKind::is_generated`]).
#[derive(Debug)]
pub struct Generate {
    /// The collection.
    pub collection: NodePath,
    /// Members to be there; one of the same name is replaced.
    pub puts: Vec<GeneratedMember>,
    /// Members to be gone; one that is not there is gone already.
    pub removes: Vec<String>,
    /// What to remember with the collection, such as the state of what it was made of.
    pub dead_property: Option<DeadProperty>,
}

/// A member as the server made it.
#[derive(Debug)]
pub struct GeneratedMember {
    /// Its name.
    pub name: String,
    /// Its content.
    pub content: Staged,
    /// What the store has to know of it.
    pub index: MemberIndex,
    /// What it is served as.
    pub media_type: String,
}

impl Run for Generate {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let site = Site::find(tx, asker, &self.collection).await?;
        let collection = site.located.found()?;
        if !collection.collection.as_deref().is_some_and(CollectionKind::is_generated) {
            return Err(Error::Forbidden("clients write here"));
        }
        let id = collection.id;
        for name in &self.removes {
            let site = Site::find(tx, asker, &self.collection.child(name)).await?;
            if let Some(node) = site.node().filter(|node| !node.is_folder()) {
                remove_for_good(tx, asker, node, &[]).await?;
            }
        }
        for put in self.puts {
            put_member(tx, asker, &self.collection, put).await?;
        }
        match &self.dead_property {
            Some(property) => patch_properties::set(tx, id, property).await,
            None => Ok(()),
        }
    }
}

async fn put_member(tx: &mut Tx, asker: &Asker, collection: &NodePath, put: GeneratedMember) -> Result<(), Error> {
    let site = Site::find(tx, asker, &collection.child(&put.name)).await?;
    check_target(&site, false, false)?;
    if let Some(old) = site.node().filter(|node| !Node::is_folder(node)) {
        drop_content(tx, old).await?;
    }
    tx.charge(put.content.size_bytes).await?;
    let new = NewContent {
        content: store_content(tx, &put.content).await?,
        size_bytes: put.content.size_bytes,
        modified: None,
        created: None,
        checksums: None,
        media_type: Some(&put.media_type),
        author: None,
    };
    let written = put_content(tx, &site, new).await?;
    member::put_index(tx, &written.node, &put.index).await
}
