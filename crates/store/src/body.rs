//! The content of members of calendars and address books, and of small files, read with their rows.
//!
//! It is read on the connection at hand: readers of a space are few, and who holds one while waiting for another may wait
//! for ever.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use crate::collection::Area;
use crate::content::Content;
use crate::error::Error;
use crate::node::Node;
use crate::row::{NO_PARENT, NODE_COLUMNS, node_columns, node_of};
use crate::sql::{Connection, Row, Sql, Value};
use crate::tree::Tree;

/// How often a member that is replaced meanwhile is read anew.
const ATTEMPTS: usize = 4;

impl Tree {
    /// The whole content of a member; its size was limited when it was written.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it was replaced since.
    pub async fn whole(&self, node: &Node) -> Result<Bytes, Error> {
        read(self.open(node).await?).await
    }

    /// Loads [`Node::body`] of files that this tree handed out, a few statements for all of them. One that is gone meanwhile has
    /// none.
    ///
    /// # Errors
    /// As [`Tree::load_body`].
    pub async fn load_bodies(&self, nodes: &mut [Node]) -> Result<(), Error> {
        let mut reader = self.core().reader().await?;
        for some in nodes.chunks_mut(BODIES_AT_ONCE) {
            let mut args: Vec<Value> = some.iter().map(|node| node.id.into()).collect();
            args.resize(BODIES_AT_ONCE, Value::from(0_i64));
            let mut bodies: HashMap<i64, (Option<i64>, Bytes)> = HashMap::new();
            for row in reader.all(BODIES_OF, &args).await? {
                bodies.insert(row.int(0)?, (row.maybe_int(1)?, Bytes::from(row.bytes(2)?)));
            }
            for node in some.iter_mut().filter(|node| !node.is_folder()) {
                let known = bodies.remove(&node.id.0).filter(|(content, bytes)| {
                    *content == node.content.map(|content| content.0) && bytes.len() as u64 == node.size_bytes
                });
                match known {
                    Some((_, bytes)) => node.body = Some(bytes),
                    None => drop(load(self, &mut reader, node).await?),
                }
            }
        }
        Ok(())
    }

    /// Loads [`Node::body`] of a member: its present content, even where that is newer than `node` was. `false`: it is
    /// gone.
    ///
    /// # Errors
    /// [`Error::Busy`] when it changes faster than it can be read.
    pub async fn load_body(&self, node: &mut Node) -> Result<bool, Error> {
        load(self, &mut *self.core().reader().await?, node).await
    }
}

/// How many of `nodes` can be held at once with their content; one always can.
pub(crate) fn within(nodes: &[Node], room_bytes: u64) -> usize {
    let mut sum = 0_u64;
    let fitting = nodes.iter().take_while(|node| {
        sum = sum.saturating_add(if node.is_folder() { 0 } else { node.size_bytes });
        sum <= room_bytes
    });
    fitting.count().max(1).min(nodes.len())
}

/// As [`Tree::load_body`].
pub(crate) async fn load(tree: &Tree, connection: &mut Connection, node: &mut Node) -> Result<bool, Error> {
    for _ in 0..ATTEMPTS {
        match tree.content_of(connection, node).await {
            Ok(content) => {
                node.body = Some(read(content).await?);
                return Ok(true);
            }
            Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
        // It was replaced since its row was read.
        let args: [Value; 2] = [node.id.into(), node.parent.map_or(NO_PARENT, |id| id.0).into()];
        let Some(row) = connection.maybe(ROW, &args).await? else { return Ok(false) };
        let fresh = node_of(&row)?;
        node.etag = fresh.etag;
        node.size_bytes = fresh.size_bytes;
        node.modified = fresh.modified;
        node.content = fresh.content;
        node.media_type = fresh.media_type;
    }
    Err(Error::Busy)
}

async fn read(content: Content) -> Result<Bytes, Error> {
    if let Some(bytes) = content.in_memory() {
        return Ok(bytes);
    }
    let mut bytes = BytesMut::new();
    let size_bytes = content.size_bytes();
    let mut stream = content.stream(0..size_bytes);
    while let Some(run) = stream.next().await {
        bytes.extend_from_slice(&run?);
    }
    Ok(bytes.freeze())
}

/// Loads the content of the members among `nodes`, which are siblings in `range`. One that is gone meanwhile has none.
pub(crate) async fn add_bodies(
    tree: &Tree,
    connection: &mut Connection,
    range: [Value; 3],
    nodes: &mut [Node],
) -> Result<(), Error> {
    if tree.area == Area::Files {
        return Ok(());
    }
    let mut bodies: HashMap<i64, Bytes> = HashMap::new();
    for row in connection.all(BODIES_AMONG, &range).await? {
        bodies.insert(row.int(0)?, Bytes::from(row.bytes(1)?));
    }
    for node in nodes.iter_mut().filter(|node| !node.is_folder()) {
        match bodies.remove(&node.id.0).filter(|bytes| bytes.len() as u64 == node.size_bytes) {
            Some(bytes) => node.body = Some(bytes),
            None => drop(load(tree, connection, node).await?),
        }
    }
    Ok(())
}

/// The content in a row of a node and its first piece, if that is all of it.
pub(crate) fn inline_body(node: &Node, row: &Row) -> Result<Option<Bytes>, Error> {
    let bytes = row.maybe_bytes(NODE_COLUMNS)?.map(Bytes::from);
    Ok(match bytes {
        Some(bytes) if bytes.len() as u64 == node.size_bytes => Some(bytes),
        _ if node.size_bytes == 0 => Some(Bytes::new()),
        _ => None,
    })
}

const ROW: Sql = Sql(concat!(
    "SELECT ",
    node_columns!(),
    " FROM node WHERE node.space_id = $1 AND node.id = $2 AND node.parent_id = $3 AND node.is_folder = 0"
));

const BODIES_AMONG: Sql = Sql("SELECT node.id, piece.bytes
       FROM node
       JOIN piece ON piece.space_id = $1 AND piece.content_id = node.content_id AND piece.position = 0
      WHERE node.space_id = $1 AND node.parent_id = $2 AND node.id >= $3 AND node.id <= $4
        AND piece.bytes IS NOT NULL");

/// Files whose content one statement reads.
const BODIES_AT_ONCE: usize = 16;

const BODIES_OF: Sql = Sql("SELECT node.id, node.content_id, piece.bytes
       FROM node
       JOIN piece ON piece.space_id = $1 AND piece.content_id = node.content_id AND piece.position = 0
      WHERE node.space_id = $1 AND piece.bytes IS NOT NULL
        AND node.id IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)");

pub(crate) const STATEMENTS: &[Sql] = &[ROW, BODIES_AMONG, BODIES_OF];
