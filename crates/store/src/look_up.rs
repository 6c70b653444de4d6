//! Finding nodes: by path, by number, up to the root. Used by readers and by changes alike.

use crate::error::Error;
use crate::node::{FileId, Node};
use crate::path::NodePath;
use crate::ports::Timestamp;
use crate::row::{is_mount, node_columns, node_of};
use crate::share::{Root, apply_visibility, follow, mounts_of};
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
pub(crate) async fn locate(connection: &mut Connection, root: &Root, path: &NodePath) -> Result<Located, Error> {
    let row = connection.maybe(BY_ID, &[root.id.into()]).await?.ok_or(Error::NotFound)?;
    let mut chain = vec![Node { access: root.access.clone(), ..node_of(&row)? }];
    for (depth, name) in path.names().iter().enumerate() {
        let parent = chain.last().ok_or(Error::NotFound)?;
        match child(connection, parent, name, root.now).await? {
            Some(node) => chain.push(node),
            None => return Ok(Located { chain, missing: path.names()[depth..].to_vec() }),
        }
    }
    Ok(Located { chain, missing: Vec::new() })
}

/// The member `name` of `parent`, as whoever holds `parent` sees it.
pub(crate) async fn child(
    connection: &mut Connection,
    parent: &Node,
    name: &str,
    now: Timestamp,
) -> Result<Option<Node>, Error> {
    let Some(row) = connection.maybe(BY_NAME, &[parent.id.into(), name.into()]).await? else { return Ok(None) };
    let node = node_of(&row)?;
    match (is_mount(&row)?, parent.access.is_some()) {
        (false, false) => Ok(Some(node)),
        // On the heap: what is rare does not weigh on the stack of every look-up.
        (true, false) => Box::pin(follow(connection, node, now)).await,
        // What is shared with the one who shares stays theirs.
        (true, true) => Ok(None),
        (false, true) => {
            let mut visible = vec![node];
            apply_visibility(connection, parent, &mut visible).await?;
            Ok(visible.pop())
        }
    }
}

/// The number of whatever has the name in the folder, seen or not.
pub(crate) async fn is_taken(connection: &mut Connection, parent: FileId, name: &str) -> Result<Option<FileId>, Error> {
    let row = connection.maybe(BY_NAME, &[parent.into(), name.into()]).await?;
    row.map(|row| row.int(0).map(FileId)).transpose()
}

/// The node of that number, wherever it is.
pub(crate) async fn node(connection: &mut Connection, id: FileId) -> Result<Node, Error> {
    node_of(&connection.row(BY_ID, &[id.into()]).await?)
}

/// The path of `id` below `root`; `None` if it is not there (in the trash, in a tree that is not shared, or gone).
pub(crate) async fn path_of(connection: &mut Connection, root: FileId, id: FileId) -> Result<Option<NodePath>, Error> {
    // A target that is a mount's, and the names that lead from it to `id`, innermost first.
    let mut waiting = vec![(id, Vec::new())];
    let mut looked_at = Vec::new();
    while let Some((start, mut names)) = waiting.pop() {
        looked_at.push(start);
        for row in &connection.all(UPWARDS, &[start.into()]).await? {
            let at = FileId(row.int(0)?);
            if at == root {
                names.reverse();
                return NodePath::of(&names).map(Some);
            }
            if row.int(3)? > 0 {
                for (mount, _) in mounts_of(connection, at).await? {
                    if !looked_at.contains(&mount) {
                        waiting.push((mount, names.clone()));
                    }
                }
            }
            names.push(row.text(2)?);
        }
    }
    Ok(None)
}

/// The numbers of `id` and of everything above it, innermost first.
pub(crate) async fn upwards(connection: &mut Connection, id: FileId) -> Result<Vec<FileId>, Error> {
    let rows = connection.all(UPWARDS, &[id.into()]).await?;
    rows.iter().map(|row| row.int(0).map(FileId)).collect()
}

pub(crate) const BY_ID: Sql = Sql(concat!("SELECT ", node_columns!(), " FROM node WHERE space_id = $1 AND id = $2"));

pub(crate) const BY_NAME: Sql =
    Sql(concat!("SELECT ", node_columns!(), " FROM node WHERE space_id = $1 AND parent_id = $2 AND name = $3"));

const UPWARDS: Sql = Sql("WITH RECURSIVE up (id, parent_id, name, depth) AS (
         SELECT id, parent_id, name, CAST(0 AS BIGINT) FROM node WHERE space_id = $1 AND id = $2
         UNION ALL
         SELECT node.id, node.parent_id, node.name, up.depth + 1
           FROM node JOIN up ON node.id = up.parent_id WHERE node.space_id = $1
     ) SELECT up.id, up.parent_id, up.name,
              (SELECT COUNT(*) FROM mount WHERE mount.space_id = $1 AND mount.target_id = up.id)
         FROM up ORDER BY up.depth");

pub(crate) const STATEMENTS: &[Sql] = &[BY_ID, BY_NAME, UPWARDS];
