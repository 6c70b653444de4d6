//! COPY (RFC 4918 §9.8): new nodes over shared content. A folder is copied level by level, each level by a fixed
//! number of statements, through `copy_map`, which pairs old and new ids while the change runs.

use super::relocate::{Arrival, check_paths, vacate};
use super::site::{NewNode, Site, check_permission, insert_node};
use super::{Copy, Run, Written};
use crate::activity::ActivityKind;
use crate::error::Error;
use crate::node::Node;
use crate::permissions::Permissions;
use crate::share::Visibility;
use crate::sql::Sql;
use crate::tx::{Asker, Tx, signed};

impl Run for Copy {
    type Outcome = Written;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Written, Error> {
        let source = Site::find(tx, asker, &self.source).await?;
        let node = source.located.found()?.clone();
        check_paths(&self.source, &self.destination)?;
        source.check(tx, asker, &self.conditions).await?;
        check_visible(tx, &node).await?;
        let with_members = self.is_deep && node.is_folder();
        let size_bytes = if with_members || !node.is_folder() { node.size_bytes } else { 0 };

        let right = Permissions::CREATE;
        let arrival = Arrival { node: &node, is_move: false, overwrites: self.overwrites, right };
        let place = vacate(tx, asker, &self.destination, arrival, &self.conditions).await?;
        tx.charge(size_bytes).await?;
        let copy = NewNode {
            parent: place.parent,
            name: &place.name,
            kind: node.kind,
            size_bytes,
            modified: node.modified,
            created: tx.now(),
            content: node.content,
            checksums: node.checksums.as_deref(),
            media_type: node.media_type.as_deref(),
            author: Some(asker.account.id),
        };
        let copy = insert_node(tx, copy).await?;
        copy_below(tx, asker, (&node, &copy), with_members).await?;
        tx.touch(place.parent, signed(size_bytes)).await?;
        tx.log(place.parent, &place.name, copy.id, true).await?;
        tx.record(asker, ActivityKind::Created, (copy.id, place.parent), &self.destination, "");
        Ok(Written { node: copy, is_new: place.was_free })
    }
}

/// Nobody copies what they may not see: a copy would be their own.
async fn check_visible(tx: &mut Tx, node: &Node) -> Result<(), Error> {
    let Some(access) = &node.access else { return Ok(()) };
    check_permission(Some(node), Permissions::READ)?;
    if !access.allows_download() {
        return Err(Error::Forbidden("it is shared for looking at only"));
    }
    let hidden = if access.is_writable() { Visibility::Private } else { Visibility::Confidential };
    let has_hidden =
        node.is_folder() && tx.maybe(HAS_HIDDEN, &[node.id.into(), hidden.number().into()]).await?.is_some();
    match has_hidden || node.is_confidential {
        true => Err(Error::Forbidden("part of it is not for others to see")),
        false => Ok(()),
    }
}

/// Copies the members of `source` (if asked), and the properties and content references of all that is copied.
async fn copy_below(
    tx: &mut Tx,
    asker: &Asker,
    (source, copy): (&Node, &Node),
    with_members: bool,
) -> Result<(), Error> {
    tx.run(CLEAR, &[]).await?;
    tx.one(MAP_ROOT, &[source.id.into(), copy.id.into()]).await?;
    if with_members {
        let mut copied = 0;
        for depth in 0i64.. {
            let mapped = tx.run(MAP_LEVEL, &[(tx.counters.next_id - 1).into(), depth.into()]).await?;
            tx.fresh_ids(signed(mapped));
            copied += mapped;
            if copied > tx.core.limits.copy_nodes_max {
                return Err(Error::TooLarge { limit: tx.core.limits.copy_nodes_max });
            }
            if mapped == 0 {
                break;
            }
        }
        tx.run(COPY_NODES, &[tx.etag().into(), tx.now().into(), asker.account.id.into()]).await?;
    }
    tx.run(SHARE_CONTENT, &[]).await?;
    tx.run(COPY_PROPERTIES, &[]).await?;
    tx.run(COPY_KIND, &[source.id.into(), copy.id.into()]).await?;
    tx.run(COPY_INDEX, &[]).await?;
    tx.run(CLEAR, &[]).await.map(drop)
}

const HAS_HIDDEN: Sql =
    Sql("SELECT node_id FROM member WHERE space_id = $1 AND collection_id = $2 AND visibility >= $3 LIMIT 1");

const CLEAR: Sql = Sql("DELETE FROM copy_map WHERE space_id = $1");

const MAP_ROOT: Sql = Sql("INSERT INTO copy_map (space_id, old_id, new_id, depth) VALUES ($1, $2, $3, 0)");

const MAP_LEVEL: Sql = Sql("INSERT INTO copy_map (space_id, old_id, new_id, depth)
     SELECT $1, node.id, $2 + ROW_NUMBER() OVER (ORDER BY node.id), $3 + 1
       FROM copy_map CROSS JOIN node
      WHERE copy_map.space_id = $1 AND copy_map.depth = $3
        AND node.space_id = $1 AND node.parent_id = copy_map.old_id AND node.target_id IS NULL");

const COPY_NODES: Sql =
    Sql("INSERT INTO node (space_id, id, parent_id, name, is_folder, etag, size_bytes, modified_us, created_us,
                       uploaded_us, content_id, media_type, checksums, author_id)
     SELECT $1, map.new_id, above.new_id, node.name, node.is_folder, $2, node.size_bytes, node.modified_us, $3,
            $3, node.content_id, node.media_type, node.checksums, $4
       FROM copy_map AS map CROSS JOIN node CROSS JOIN copy_map AS above
      WHERE map.space_id = $1 AND map.depth > 0 AND node.space_id = $1 AND node.id = map.old_id
        AND above.space_id = $1 AND above.old_id = node.parent_id");

const SHARE_CONTENT: Sql = Sql("UPDATE content SET reference_count = reference_count + shared.times
       FROM (SELECT node.content_id AS content_id, COUNT(*) AS times
               FROM copy_map CROSS JOIN node
              WHERE copy_map.space_id = $1 AND node.space_id = $1 AND node.id = copy_map.old_id
                AND node.content_id IS NOT NULL
              GROUP BY node.content_id) AS shared
      WHERE content.space_id = $1 AND content.id = shared.content_id
        AND content.id IN (SELECT node.content_id FROM copy_map CROSS JOIN node
              WHERE copy_map.space_id = $1 AND node.space_id = $1 AND node.id = copy_map.old_id)");

const COPY_PROPERTIES: Sql = Sql("INSERT INTO dead_property (space_id, node_id, namespace, local, xml)
     SELECT $1, copy_map.new_id, dead_property.namespace, dead_property.local, dead_property.xml
       FROM copy_map CROSS JOIN dead_property
      WHERE copy_map.space_id = $1
        AND dead_property.space_id = $1 AND dead_property.node_id = copy_map.old_id");

const COPY_KIND: Sql = Sql("UPDATE node
        SET collection = (SELECT source.collection FROM node AS source WHERE source.space_id = $1 AND source.id = $2)
      WHERE space_id = $1 AND id = $3");

const COPY_INDEX: Sql = Sql(
    "INSERT INTO member (space_id, node_id, collection_id, uid, component, first_seconds, last_seconds, visibility)
     SELECT $1, copy_map.new_id, node.parent_id, member.uid, member.component, member.first_seconds,
            member.last_seconds, member.visibility
       FROM copy_map
       JOIN member ON member.space_id = $1 AND member.node_id = copy_map.old_id
       JOIN node ON node.space_id = $1 AND node.id = copy_map.new_id
      WHERE copy_map.space_id = $1",
);

pub(super) const STATEMENTS: &[Sql] =
    &[HAS_HIDDEN, CLEAR, MAP_ROOT, MAP_LEVEL, COPY_NODES, SHARE_CONTENT, COPY_PROPERTIES, COPY_KIND, COPY_INDEX];
