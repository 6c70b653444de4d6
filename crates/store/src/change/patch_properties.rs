//! PROPPATCH (RFC 4918 §9.2): properties of a node, all or nothing.

use super::keep_version;
use super::site::{self, Site};
use super::{DeadPropertyPatch, PatchProperties, Run};
use crate::error::Error;
use crate::node::{DeadProperty, FileId, Node};
use crate::sql::Sql;
use crate::tx::{Asker, Tx};

impl Run for PatchProperties {
    type Outcome = Node;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Node, Error> {
        let site = Site::find(tx, asker, &self.path).await?;
        let node = site.located.found()?;
        site.check(tx, asker, &self.conditions).await?;
        // What a sharee calls a collection and how it looks is the sharee's, even where nothing else is: macOS stops
        // to synchronise a calendar whose properties it cannot set.
        let is_own_side = node.mount.is_some() && self.modified.is_none() && self.created.is_none();
        // Nor is it anybody else's business what one marks for oneself.
        let is_own_mark = self.dead.is_empty() && self.modified.is_none() && self.created.is_none();
        if !is_own_side && !is_own_mark {
            site.may_write(asker, &self.conditions)?;
        }
        let keeper = node.mount.as_ref().map_or(node.id, |mount| mount.id);

        for patch in &self.dead {
            match patch {
                DeadPropertyPatch::Set(property) => set(tx, keeper, property).await?,
                DeadPropertyPatch::Remove { namespace, local } => {
                    tx.run(REMOVE, &[keeper.into(), namespace.as_str().into(), local.as_str().into()]).await?;
                }
            }
        }
        // Clients look at the etag of a calendar to learn of its new name or colour.
        if node.collection.is_some() && !self.dead.is_empty() {
            tx.touch_properties(keeper).await?;
            if let Some(parent) = node.parent {
                tx.log(parent, &node.name, keeper, false).await?;
            }
        }
        match self.favourite {
            Some(true) => tx.run(MARK, &[asker.account.id.into(), node.id.into()]).await?,
            Some(false) => tx.run(UNMARK, &[asker.account.id.into(), node.id.into()]).await?,
            None => 0,
        };
        if let Some(created) = self.created {
            tx.one(SET_CREATED, &[node.id.into(), created.into()]).await?;
        }
        if let Some(modified) = self.modified {
            keep_version::give_way(tx, node.id, modified.seconds()).await?;
            tx.one(SET_MODIFIED, &[node.id.into(), modified.into(), tx.etag().into()]).await?;
            let place = site::where_it_is(tx, node).await?;
            if let Some(parent) = place.parent {
                tx.touch_for(node.id, parent).await?;
                tx.log(parent, &place.name, node.id, false).await?;
            }
        }
        site::reload(tx, node.id).await
    }
}

/// Sets one dead property, within the limits.
pub(super) async fn set(tx: &mut Tx, node: FileId, property: &DeadProperty) -> Result<(), Error> {
    let limit = tx.core.limits.dead_property_bytes_max;
    if property.xml.len() as u64 > limit {
        return Err(Error::TooLarge { limit });
    }
    let DeadProperty { namespace, local, xml } = property;
    let args = [node.into(), namespace.as_str().into(), local.as_str().into(), xml.as_str().into()];
    tx.one(SET, &args).await?;
    let limit = tx.core.limits.dead_properties_max;
    match tx.row(COUNT, &[node.into()]).await?.count(0)? > limit {
        true => Err(Error::TooLarge { limit }),
        false => Ok(()),
    }
}

const SET: Sql = Sql("INSERT INTO dead_property (space_id, node_id, namespace, local, xml) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (space_id, node_id, namespace, local) DO UPDATE SET xml = excluded.xml");

const COUNT: Sql = Sql("SELECT COUNT(*) FROM dead_property WHERE space_id = $1 AND node_id = $2");

const REMOVE: Sql =
    Sql("DELETE FROM dead_property WHERE space_id = $1 AND node_id = $2 AND namespace = $3 AND local = $4");

const MARK: Sql = Sql("INSERT INTO favourite (space_id, account_id, node_id) VALUES ($1, $2, $3)
     ON CONFLICT (space_id, account_id, node_id) DO NOTHING");

const UNMARK: Sql = Sql("DELETE FROM favourite WHERE space_id = $1 AND account_id = $2 AND node_id = $3");

const SET_CREATED: Sql = Sql("UPDATE node SET created_us = $3 WHERE space_id = $1 AND id = $2");

const SET_MODIFIED: Sql = Sql("UPDATE node SET modified_us = $3, etag = $4 WHERE space_id = $1 AND id = $2");

pub(super) const STATEMENTS: &[Sql] = &[SET, COUNT, REMOVE, MARK, UNMARK, SET_CREATED, SET_MODIFIED];
