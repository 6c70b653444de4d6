//! Finding nodes: by path, by number, up to the root. Used by readers and by changes alike.

use crate::error::Error;
use crate::node::{FileId, Node};
use crate::path::NodePath;
use crate::row::{node_columns, node_of};
use crate::sql::{Connection, Sql};

/// How far a path leads.
#[derive(Debug)]
pub(crate) struct Located {
    /// The nodes along the path that exist, from the root on; never empty.
    pub(crate) chain: Vec<Node>,
    /// The names that do not.
    pub(crate) missing: Vec<String>,
}

impl Located {
    /// The node at the path, if there is one.
    pub(crate) fn node(&self) -> Option<&Node> {
        if self.missing.is_empty() { self.chain.last() } else { None }
    }

    /// The node at the path.
    pub(crate) fn found(&self) -> Result<&Node, Error> {
        self.node().ok_or(Error::NotFound)
    }

    /// The folder that holds the path's last name, if all but that name exists; not for the root.
    pub(crate) fn parent(&self) -> Result<&Node, Error> {
        let parent = match self.missing.len() {
            0 => self.chain.iter().rev().nth(1),
            1 => self.chain.last(),
            _ => None,
        };
        parent.filter(|parent| parent.is_folder()).ok_or(Error::ParentMissing)
    }

    /// The nodes above the path's last name, from the root on.
    pub(crate) fn ancestors(&self) -> &[Node] {
        match self.missing.len() {
            0 => &self.chain[..self.chain.len() - 1],
            _ => &self.chain,
        }
    }
}

/// Follows `path` from `root` as far as it leads.
pub(crate) async fn locate(connection: &mut Connection, root: FileId, path: &NodePath) -> Result<Located, Error> {
    let root = connection.maybe(BY_ID, &[root.into()]).await?.ok_or(Error::NotFound)?;
    let mut chain = vec![node_of(&root)?];
    for (depth, name) in path.names().iter().enumerate() {
        let parent = chain.last().map(|node| node.id).ok_or(Error::NotFound)?;
        match child(connection, parent, name).await? {
            Some(node) => chain.push(node),
            None => return Ok(Located { chain, missing: path.names()[depth..].to_vec() }),
        }
    }
    Ok(Located { chain, missing: Vec::new() })
}

/// The member `name` of `parent`.
pub(crate) async fn child(connection: &mut Connection, parent: FileId, name: &str) -> Result<Option<Node>, Error> {
    connection.maybe(BY_NAME, &[parent.into(), name.into()]).await?.as_ref().map(node_of).transpose()
}

/// The path of `id` below `root`; `None` if it is not there (in the trash, in another account's tree, or gone).
pub(crate) async fn path_of(connection: &mut Connection, root: FileId, id: FileId) -> Result<Option<NodePath>, Error> {
    let mut names = Vec::new();
    let rows = connection.all(UPWARDS, &[id.into()]).await?;
    for row in &rows {
        if row.int(0)? == root.0 {
            names.reverse();
            return NodePath::of(&names).map(Some);
        }
        names.push(row.text(2)?);
    }
    Ok(None)
}

/// The numbers of `id` and of everything above it, innermost first.
pub(crate) async fn upwards(connection: &mut Connection, id: FileId) -> Result<Vec<FileId>, Error> {
    let rows = connection.all(UPWARDS, &[id.into()]).await?;
    rows.iter().map(|row| row.int(0).map(FileId)).collect()
}

const BY_ID: Sql = Sql(concat!("SELECT ", node_columns!(), " FROM node WHERE space_id = $1 AND id = $2"));

const BY_NAME: Sql =
    Sql(concat!("SELECT ", node_columns!(), " FROM node WHERE space_id = $1 AND parent_id = $2 AND name = $3"));

const UPWARDS: Sql = Sql("WITH RECURSIVE up (id, parent_id, name, depth) AS (
         SELECT id, parent_id, name, CAST(0 AS BIGINT) FROM node WHERE space_id = $1 AND id = $2
         UNION ALL
         SELECT node.id, node.parent_id, node.name, up.depth + 1
           FROM node JOIN up ON node.id = up.parent_id WHERE node.space_id = $1
     ) SELECT id, parent_id, name FROM up ORDER BY depth");

pub(crate) const STATEMENTS: &[Sql] = &[BY_ID, BY_NAME, UPWARDS];
