//! The trash of an account's files, read as a tree: what was deleted from it, and what the account deleted from others'.
//!
//! What a sharee deletes goes to its owner's trash, as one row; the sharee sees it there through a `trash_view` until one of
//! both restores it or throws it away, or the share ends. A copy for each, as other servers make it, would cost what a COPY costs and have
//! another number.

use crate::error::Error;
use crate::look_up::{BY_ID, BY_NAME, Located};
use crate::node::{AccountId, FileId, Needs, Node};
use crate::path::NodePath;
use crate::ports::Timestamp;
use crate::row::{is_mount, node_columns, node_of};
use crate::sql::{Connection, Row, Sql, Value};
use crate::trash::{Trashed, deleter_of, location_of};
use crate::tree::{CHILDREN, Page, Tree};

/// Whose trash, and where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bin {
    pub(crate) root: FileId,
    pub(crate) account: AccountId,
}

impl Tree {
    /// The trash of these files as a tree that can be listed and read, with [`Node::trashed`] on all that is in it. It is
    /// changed by [`Undelete`](crate::change::Undelete) and others on the tree that it belongs to.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what is published, and for other trees than files.
    pub fn bin(&self) -> Result<Tree, Error> {
        if self.access.is_some() || self.area != crate::collection::Area::Files {
            return Err(Error::NotFound);
        }
        Ok(Tree { root: self.trash, is_bin: true, ..self.clone() })
    }

    fn as_bin(&self) -> Bin {
        Bin { root: self.trash, account: self.account.id }
    }
}

/// The node at `path` in the trash.
pub(crate) async fn node(tree: &Tree, path: &NodePath, needs: Needs) -> Result<Node, Error> {
    let mut reader = tree.reader().await?;
    let Located { mut chain, missing } = locate(&mut reader, tree.as_bin(), path).await?;
    if !missing.is_empty() {
        return Err(Error::NotFound);
    }
    let mut node = chain.pop().ok_or(Error::NotFound)?;
    tree.decorate(&mut reader, &[], std::slice::from_mut(&mut node), needs.without(Needs::LOCKS)).await?;
    if let Some(folder) = path.parent() {
        add_trashed(&mut reader, tree.as_bin(), &folder, std::slice::from_mut(&mut node)).await?;
    }
    Ok(node)
}

/// One page of the trash, or of a deleted folder.
pub(crate) async fn children(
    tree: &Tree,
    path: &NodePath,
    folder: &Node,
    after: Option<FileId>,
    needs: Needs,
) -> Result<Page, Error> {
    let limit = tree.core().limits.page_rows.max(1);
    let needs = needs.without(Needs::LOCKS);
    let after = after.map_or(0, |id| id.0);
    let mut reader = tree.reader().await?;
    let rows = reader.all(CHILDREN, &[folder.id.into(), after.into(), limit.into()]).await?;
    let mut nodes = nodes_of(&rows)?;
    let mut last = full_page_end(&rows, limit)?;
    tree.decorate(&mut reader, &[], &mut nodes, needs).await?;
    if path.is_root() {
        let args = [tree.account.id.into(), after.into(), limit.into()];
        let rows = reader.all(VIEWED, &args).await?;
        for row in &rows {
            let mut node = node_of(row)?;
            tree.decorate(&mut reader, &[], std::slice::from_mut(&mut node), needs).await?;
            nodes.push(node);
        }
        last = match (last, full_page_end(&rows, limit)?) {
            (Some(own), Some(viewed)) => Some(own.min(viewed)),
            (own, viewed) => own.or(viewed),
        };
        nodes.sort_by_key(|node| node.id);
        nodes.retain(|node| last.is_none_or(|last| node.id <= last));
    } else if last.is_none() && !locate(&mut reader, tree.as_bin(), path).await?.missing.is_empty() {
        // What is removed for good meanwhile loses its members step by step: a short list must not pass for a whole one.
        return Err(Error::NotFound);
    }
    add_trashed(&mut reader, tree.as_bin(), path, &mut nodes).await?;
    Ok(Page { nodes, next: last })
}

/// What others share with the account is not deleted with the folder that it was seen in.
fn nodes_of(rows: &[Row]) -> Result<Vec<Node>, Error> {
    let mut nodes = Vec::with_capacity(rows.len());
    for row in rows {
        if !is_mount(row)? {
            nodes.push(node_of(row)?);
        }
    }
    Ok(nodes)
}

/// The last number of a page that more may follow.
fn full_page_end(rows: &[Row], limit: i64) -> Result<Option<FileId>, Error> {
    match rows.last() {
        Some(row) if rows.len() as i64 >= limit => row.int(0).map(|id| Some(FileId(id))),
        _ => Ok(None),
    }
}

/// Follows `path` in the trash as far as it leads.
pub(crate) async fn locate(connection: &mut Connection, bin: Bin, path: &NodePath) -> Result<Located, Error> {
    let root = connection.maybe(BY_ID, &[bin.root.into()]).await?.ok_or(Error::NotFound)?;
    let mut chain = vec![node_of(&root)?];
    for (depth, name) in path.names().iter().enumerate() {
        let parent = chain.last().map_or(bin.root, |parent| parent.id);
        let mut row = connection.maybe(BY_NAME, &[parent.into(), name.as_str().into()]).await?;
        if row.is_none() && depth == 0 {
            row = connection.maybe(VIEWED_NAMED, &[bin.account.into(), name.as_str().into()]).await?;
        }
        match row {
            Some(row) if !is_mount(&row)? => chain.push(node_of(&row)?),
            _ => return Ok(Located { chain, missing: path.names()[depth..].to_vec() }),
        }
    }
    Ok(Located { chain, missing: Vec::new() })
}

/// Says of each of the nodes in `folder` where it was, and who deleted it when.
async fn add_trashed(
    connection: &mut Connection,
    bin: Bin,
    folder: &NodePath,
    nodes: &mut [Node],
) -> Result<(), Error> {
    let (Some(first), Some(last)) = (nodes.first().map(|it| it.id), nodes.last().map(|it| it.id)) else {
        return Ok(());
    };
    let Some((top, below)) = folder.names().split_first() else {
        for (id, trashed) in tops(connection, bin, first, last).await? {
            if let Ok(place) = nodes.binary_search_by_key(&id, |node| node.id) {
                nodes[place].trashed = Some(trashed);
            }
        }
        return Ok(());
    };
    let located = locate(connection, bin, &NodePath::root().child(top)).await?;
    let top = located.found()?.id;
    let Some((_, trashed)) = tops(connection, bin, top, top).await?.pop() else { return Ok(()) };
    for node in nodes {
        let names = below.iter().map(String::as_str).chain([node.name.as_str()]);
        let location = names.fold(trashed.location.clone(), |path, name| format!("{path}/{name}"));
        let folder = node.parent.unwrap_or(top);
        node.trashed = Some(Trashed { folder, name: node.name.clone(), location, ..trashed.clone() });
    }
    Ok(())
}

/// What the trash knows of what was deleted itself, of these numbers.
pub(crate) async fn tops(
    connection: &mut Connection,
    bin: Bin,
    first: FileId,
    last: FileId,
) -> Result<Vec<(FileId, Trashed)>, Error> {
    let range = |of: Value| [of, first.into(), last.into()];
    let mut rows = connection.all(TRASHED, &range(bin.root.into())).await?;
    rows.extend(connection.all(TRASHED_VIEWED, &range(bin.account.into())).await?);
    let trashed = rows.iter().map(|row| {
        let trashed = Trashed {
            folder: FileId(row.int(1)?),
            folder_name: None,
            name: row.text(2)?,
            deleted: Timestamp(row.int(3)?),
            location: location_of(&row.text(4)?),
            deleted_by: deleter_of(row, 5)?,
        };
        Ok((FileId(row.int(0)?), trashed))
    });
    trashed.collect()
}

const VIEWED: Sql = Sql(concat!(
    "SELECT ",
    node_columns!(),
    " FROM trash_view JOIN node ON node.space_id = $1 AND node.id = trash_view.node_id
      WHERE trash_view.space_id = $1 AND trash_view.account_id = $2 AND trash_view.node_id > $3
      ORDER BY trash_view.node_id LIMIT $4"
));

const VIEWED_NAMED: Sql = Sql(concat!(
    "SELECT ",
    node_columns!(),
    " FROM trash_view JOIN node ON node.space_id = $1 AND node.id = trash_view.node_id
      WHERE trash_view.space_id = $1 AND trash_view.account_id = $2 AND trash_view.name = $3"
));

const TRASHED: Sql = Sql("SELECT trash.node_id, trash.original_parent_id, trash.original_name, trash.deleted_us,
            trash.original_path, account.login, account.display_name
       FROM node
       JOIN trash ON trash.space_id = $1 AND trash.node_id = node.id
       LEFT JOIN account ON account.space_id = $1 AND account.id = trash.deleted_by
      WHERE node.space_id = $1 AND node.parent_id = $2 AND node.id >= $3 AND node.id <= $4");

const TRASHED_VIEWED: Sql =
    Sql("SELECT trash.node_id, trash.original_parent_id, trash.original_name, trash.deleted_us,
            trash_view.seen_path, account.login, account.display_name
       FROM trash_view
       JOIN trash ON trash.space_id = $1 AND trash.node_id = trash_view.node_id
       LEFT JOIN account ON account.space_id = $1 AND account.id = trash.deleted_by
      WHERE trash_view.space_id = $1 AND trash_view.account_id = $2
        AND trash_view.node_id >= $3 AND trash_view.node_id <= $4");

pub(crate) const STATEMENTS: &[Sql] = &[VIEWED, VIEWED_NAMED, TRASHED, TRASHED_VIEWED];
