//! Rows of the `node` table and how they become [`Node`]s.

use crate::collection::CollectionKind;
use crate::error::Error;
use crate::node::{ContentId, Etag, FileId, Kind, Node};
use crate::ports::Timestamp;
use crate::sql::Columns;

/// The `parent_id` of a root: of an account's home or trash.
pub(crate) const NO_PARENT: i64 = 0;
/// The `parent_id` of what was deleted for good and waits for its rows to be removed.
pub(crate) const PURGED: i64 = -1;

/// The trash of whoever has none.
pub(crate) const NO_TRASH: i64 = -2;

/// `SELECT` list of a node, in the order that [`node_of`] reads; the table goes by the name `node`.
macro_rules! node_columns {
    () => {
        "node.id, node.parent_id, node.name, node.is_folder, node.etag, node.size_bytes, node.modified_us, \
         node.created_us, node.uploaded_us, node.content_id, node.media_type, node.checksums, node.collection, \
         node.target_id"
    };
}
pub(crate) use node_columns;

/// How many columns [`node_columns`] has.
pub(crate) const NODE_COLUMNS: usize = 14;

/// Whether the node in the first columns of `row` is a mount: what it shows is another node.
pub(crate) fn is_mount(row: &dyn Columns) -> Result<bool, Error> {
    Ok(row.maybe_int(NODE_COLUMNS - 1)?.is_some())
}

/// The node in the first columns of `row`.
pub(crate) fn node_of(row: &dyn Columns) -> Result<Node, Error> {
    let id = FileId(row.int(0)?);
    let parent = row.int(1)?;
    let is_root = parent == NO_PARENT;
    let size_bytes = row.int(5)?;
    Ok(Node {
        id,
        parent: (!is_root).then_some(FileId(parent)),
        name: if is_root { String::new() } else { row.text(2)? },
        kind: if row.truth(3)? { Kind::Folder } else { Kind::File },
        etag: Etag(row.int(4)?),
        size_bytes: u64::try_from(size_bytes).map_err(|_| Error::Corrupt {
            table: "node",
            column: "size_bytes",
            id: id.0,
        })?,
        modified: Timestamp(row.int(6)?),
        created: Timestamp(row.int(7)?),
        uploaded: Timestamp(row.int(8)?),
        content: row.maybe_int(9)?.map(ContentId),
        media_type: row.maybe_text(10)?,
        checksums: row.maybe_text(11)?,
        collection: match row.maybe_text(12)? {
            None => None,
            Some(text) => {
                let corrupt = Error::Corrupt { table: "node", column: "collection", id: id.0 };
                Some(std::sync::Arc::new(CollectionKind::of_text(&text).ok_or(corrupt)?))
            }
        },
        body: None,
        is_favourite: false,
        dead_properties: Vec::new(),
        schedule_tag: None,
        locks: Vec::new(),
        member_counts: None,
        access: None,
        mount: None,
        is_confidential: false,
        shares: Vec::new(),
        links: Vec::new(),
        publication: None,
        tags: Vec::new(),
        comments: None,
        trashed: None,
        quota: None,
    })
}
