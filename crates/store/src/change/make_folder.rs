//! MKCOL and extended MKCOL (RFC 4918 §9.3, RFC 5689).

use super::site::{self, Site};
use super::{MakeFolder, Run, Written, make_collection, patch_properties};
use crate::collection::{Area, check_place};
use crate::error::Error;
use crate::tx::{Asker, Tx};

impl Run for MakeFolder {
    type Outcome = Written;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Written, Error> {
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
