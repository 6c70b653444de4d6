//! MKCOL and extended MKCOL (RFC 4918 §9.3, RFC 5689).

use super::site::{self, Site};
use super::{MakeFolder, Run, Written, make_collection, patch_properties};
use crate::collection::{Area, check_place};
use crate::conditions::Conditions;
use crate::error::Error;
use crate::path::NodePath;
use crate::tx::{Asker, Tx};

impl Run for MakeFolder {
    type Outcome = Written;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Written, Error> {
        if asker.only_adds() {
            return make_unseen(tx, asker, self.path).await;
        }
        let site = Site::find(tx, asker, &self.path).await?;
        if site.node().is_some() {
            return Err(Error::Exists);
        }
        let parent = site.located.parent()?.id;
        let name = self.path.name().ok_or(Error::Exists)?;
        site.check(tx, asker, &self.conditions).await?;
        site.may_add(asker, &self.conditions)?;

        check_place(asker.area, site.located.ancestors(), true)?;
        let node = match &self.kind {
            None => site::make_folder(tx, parent, name).await?,
            Some(_) if asker.area == Area::Files => return Err(Error::WrongPlace),
            Some(kind) => make_collection(tx, parent, name, kind).await?,
        };
        for property in self.dead_properties {
            patch_properties::set(tx, node.id, &property).await?;
        }
        let written = Written { node, is_new: true };
        written.record(tx, asker, &self.path);
        Ok(written)
    }
}

/// A folder for whoever may only add: with those on the way to it, and whether or not it is there already, which is not
/// told.
async fn make_unseen(tx: &mut Tx, asker: &Asker, path: NodePath) -> Result<Written, Error> {
    let site = Site::find(tx, asker, &path).await?;
    site.may_add(asker, &Conditions::default())?;
    let mut folder = site.located.chain.last().ok_or(Error::NotFound)?.clone();
    if !folder.is_folder() {
        return Err(Error::ParentMissing);
    }
    for name in &site.located.missing {
        folder = site::make_folder(tx, folder.id, name).await?;
    }
    let written = Written { node: folder, is_new: true };
    if !site.located.missing.is_empty() {
        written.record(tx, asker, &path);
    }
    Ok(written)
}
