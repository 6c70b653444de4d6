//! What comes back from the trash, and what leaves it for good.

use super::member::{self, move_node};
use super::{Purge, Restore, Run, Written};
use crate::activity::ActivityKind;
use crate::collection::Area;
use crate::error::Error;
use crate::look_up;
use crate::mount;
use crate::node::{FileId, Node};
use crate::path::NAME_BYTES_MAX;
use crate::retention;
use crate::row::{node_columns, node_of};
use crate::sql::{Row, Sql};
use crate::tx::{Asker, Tx, signed};

impl Run for Restore {
    type Outcome = Written;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Written, Error> {
        let row = trashed(tx, asker, self.id).await?;
        let node = node_of(&row)?;
        let folder = FileId(row.int(crate::row::NODE_COLUMNS)?);
        if !look_up::upwards(&mut tx.connection, folder).await?.contains(&asker.root) {
            return Err(Error::ParentMissing);
        }
        if asker.area != Area::Files && !node.is_folder() {
            member::check_return(tx, asker, &node, folder).await?;
        }
        let name = free_name(tx, folder, &row.text(crate::row::NODE_COLUMNS + 1)?).await?;
        move_node(tx, asker.area, &node, folder.0, &name).await?;
        tx.one(FORGET, &[node.id.into()]).await?;
        tx.counters.reclaimable_bytes -= signed(node.size_bytes);
        tx.touch(asker.trash, -signed(node.size_bytes)).await?;
        tx.touch(folder, signed(node.size_bytes)).await?;
        tx.log(folder, &name, node.id, true).await?;
        mount::remount_below(tx, node.id).await?;
        if let Some(path) = look_up::path_of(&mut tx.connection, asker.root, node.id).await? {
            tx.record(asker, ActivityKind::Restored, (node.id, folder), &path, "");
        }
        Ok(Written { node: Node { parent: Some(folder), name, ..node }, is_new: true })
    }
}

impl Run for Purge {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        trashed(tx, asker, self.id).await?;
        retention::purge(tx, self.id).await
    }
}

async fn trashed(tx: &mut Tx, asker: &Asker, id: FileId) -> Result<Row, Error> {
    tx.maybe(TRASHED, &[id.into(), asker.trash.into()]).await?.ok_or(Error::NotFound)
}

/// The name that it had, or where that was given away since, one like it.
async fn free_name(tx: &mut Tx, folder: FileId, wanted: &str) -> Result<String, Error> {
    let (stem, ending) = match wanted.rfind('.') {
        Some(dot) if dot > 0 => wanted.split_at(dot),
        _ => (wanted, ""),
    };
    let mut name = wanted.to_owned();
    let mut number = 1;
    while look_up::is_taken(&mut tx.connection, folder, &name).await?.is_some() {
        number += 1;
        let suffix = format!("-{number}{ending}");
        let mut stem = stem.to_owned();
        while stem.len() + suffix.len() > NAME_BYTES_MAX && stem.pop().is_some() {}
        name = format!("{stem}{suffix}");
    }
    Ok(name)
}

const TRASHED: Sql = Sql(concat!(
    "SELECT ",
    node_columns!(),
    ", trash.original_parent_id, trash.original_name
       FROM node JOIN trash ON trash.space_id = $1 AND trash.node_id = node.id
      WHERE node.space_id = $1 AND node.id = $2 AND node.parent_id = $3"
));

const FORGET: Sql = Sql("DELETE FROM trash WHERE space_id = $1 AND node_id = $2");

pub(super) const STATEMENTS: &[Sql] = &[TRASHED, FORGET];
