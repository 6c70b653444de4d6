//! Files by their numbers, as far as the caller sees them, many at once: what stands beside a list that only has numbers.

use std::collections::HashMap;

use crate::error::Error;
use crate::node::{FileId, Node};
use crate::permissions::Permissions;
use crate::row::{NODE_COLUMNS, node_columns, node_of};
use crate::share::{allows_download, permissions_of};
use crate::sql::{Row, Sql, Value};
use crate::tree::Tree;

/// Numbers in one statement.
const BATCH: usize = 32;

/// A file that the caller sees, under the name that its owner gave it.
#[derive(Clone, Debug)]
pub struct SeenFile {
    /// Its row. How the caller holds it is not among it.
    pub node: Node,
    /// Whether it is in the caller's trash.
    pub is_trashed: bool,
}

impl Tree {
    /// Which of these are files whose content the caller may open, each once: a statement for every 32 numbers.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn seen_files(&self, ids: &[FileId]) -> Result<HashMap<FileId, SeenFile>, Error> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut seen = HashMap::new();
        let mut reader = self.reader().await?;
        for batch in ids.chunks(BATCH) {
            let now = self.core().ports.clock.now();
            let mut args: Vec<Value> =
                vec![self.account.id.into(), self.account.home.into(), self.account.trash.into(), now.into()];
            args.extend(batch.iter().map(|id| Value::from(*id)));
            // No node has the number 0.
            args.resize(4 + BATCH, Value::Int(0));
            for row in reader.all(SEEN, &args).await? {
                if !self.opens(&row)? {
                    continue;
                }
                let mut node = node_of(&row)?;
                // In the trash it has a name of its own.
                node.name = row.maybe_text(NODE_COLUMNS + 3)?.unwrap_or(node.name);
                seen.insert(node.id, SeenFile { node, is_trashed: row.truth(NODE_COLUMNS)? });
            }
        }
        Ok(seen)
    }

    /// The same as [`Tree::check_content`] of what the row was found through.
    fn opens(&self, row: &Row) -> Result<bool, Error> {
        if row.maybe_int(NODE_COLUMNS + 1)?.is_none() {
            return Ok(true);
        }
        let permissions = permissions_of(row, NODE_COLUMNS + 1, "mount")?;
        let is_free = allows_download(row.maybe_text(NODE_COLUMNS + 2)?.as_deref());
        Ok(permissions.includes(Permissions::READ) && (is_free || self.only_shows || self.views_without_download()))
    }
}

// A file may be seen in several ways: each is a row.
const SEEN: Sql = Sql(concat!(
    "WITH RECURSIVE up (start_id, id, parent_id) AS (
         SELECT node.id, node.id, node.parent_id FROM node
          WHERE node.space_id = $1 AND node.is_folder = 0 AND node.target_id IS NULL
            AND node.id IN ($6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
                            $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37)
         UNION ALL
         SELECT up.start_id, node.id, node.parent_id
           FROM up JOIN node ON node.space_id = $1 AND node.id = up.parent_id
     ), seen (id, is_trashed, permissions, attributes) AS (
         SELECT start_id, CASE WHEN id = $4 THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END, CAST(NULL AS BIGINT),
                CAST(NULL AS TEXT)
           FROM up WHERE id = $3 OR id = $4
         UNION ALL
         SELECT up.start_id, CAST(0 AS BIGINT), mount.permissions, mount.attributes
           FROM up
           JOIN mount ON mount.space_id = $1 AND mount.target_id = up.id AND mount.account_id = $2
          WHERE mount.expires_us IS NULL OR mount.expires_us > $5
     )
     SELECT ",
    node_columns!(),
    ", seen.is_trashed, seen.permissions, seen.attributes, trash.original_name
       FROM seen CROSS JOIN node
       LEFT JOIN trash ON trash.space_id = $1 AND trash.node_id = seen.id
      WHERE node.space_id = $1 AND node.id = seen.id"
));

pub(crate) const STATEMENTS: &[Sql] = &[SEEN];
