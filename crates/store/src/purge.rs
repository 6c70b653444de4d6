//! Whole trees that end with whom they belonged to: their bytes are free at once, their rows go step by step
//! ([`crate::retention`]).

use crate::error::Error;
use crate::node::{AccountId, FileId};
use crate::row::PURGED;
use crate::sql::Sql;
use crate::tx::Tx;

/// Removes the trees of an account or a team folder for good, each with its trash. Whoever else saw what she deleted there
/// sees it no longer.
pub(crate) async fn purge_trees(tx: &mut Tx, owner: AccountId, trees: &[(FileId, FileId)]) -> Result<(), Error> {
    for (root, trash) in trees {
        let bytes = purge(tx, *root).await?;
        tx.refund(bytes);
        let bytes = purge(tx, *trash).await?;
        tx.refund_reclaimed(bytes);
    }
    tx.run(FORGET_TRASH_VIEWS, &[owner.into()]).await?;
    tx.run(FORGET_TRASH, &[owner.into()]).await.map(drop)
}

/// Says how many bytes are in it.
async fn purge(tx: &mut Tx, root: FileId) -> Result<u64, Error> {
    let bytes = tx.row(SIZE, &[root.into()]).await?.count(0)?;
    tx.one(PURGE, &[root.into(), PURGED.into(), root.to_string().into()]).await?;
    Ok(bytes)
}

const SIZE: Sql = Sql("SELECT size_bytes FROM node WHERE space_id = $1 AND id = $2");

const PURGE: Sql = Sql("UPDATE node SET parent_id = $3, name = $4 WHERE space_id = $1 AND id = $2");

const FORGET_TRASH_VIEWS: Sql = Sql("DELETE FROM trash_view WHERE space_id = $1 AND node_id IN (
         SELECT trash.node_id FROM trash WHERE trash.space_id = $1 AND trash.account_id = $2)");

const FORGET_TRASH: Sql = Sql("DELETE FROM trash WHERE space_id = $1 AND account_id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[SIZE, PURGE, FORGET_TRASH_VIEWS, FORGET_TRASH];
