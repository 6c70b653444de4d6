//! What else belongs to siblings: shares, links, favourites, tags and the like. Most have none of it: one look at which of them have
//! something saves a look-up for each sibling and each kind.

use std::collections::HashMap;

use crate::error::Error;
use crate::node::{AccountId, FileId, Needs, Node};
use crate::sql::{Connection, Sql, Value};

/// Siblings with a mark of one kind that are told apart; where there may be more, all siblings are looked at.
const TOLD_APART: usize = 32;

/// A kind of what belongs to nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    DeadProperty = 1,
    Favourite,
    Link,
    Publication,
    Share,
    Tag,
}

/// What needs a look.
const LOOKED_FOR: [Needs; 4] = [Needs::DEAD_PROPERTIES, Needs::FAVOURITE, Needs::SHARES, Needs::TAGS];

/// Which of some siblings have what.
#[derive(Debug)]
pub(crate) struct Marks {
    /// Kind and bearer, in the order of bearers.
    seen: Vec<(i64, FileId)>,
}

impl Marks {
    /// Looks at siblings, or at nothing if none of what is looked for is among the needs.
    pub(crate) async fn look(
        connection: &mut Connection,
        nodes: &[Node],
        account: AccountId,
        needs: Needs,
    ) -> Result<Marks, Error> {
        let ids = || nodes.iter().map(|node| node.id);
        let (Some(first), Some(last)) = (ids().min(), ids().max()) else { return Ok(Marks { seen: Vec::new() }) };
        if !LOOKED_FOR.iter().any(|need| needs.includes(*need)) {
            return Ok(Marks { seen: Vec::new() });
        }
        let args = [first.into(), last.into(), account.into(), (TOLD_APART as i64).into()];
        let rows = connection.all(MARKS, &args).await?;
        let seen = rows.iter().map(|row| Ok((row.int(0)?, FileId(row.int(1)?)))).collect::<Result<_, Error>>()?;
        Ok(Marks { seen })
    }

    /// The siblings that may have such a mark: their folder, the first and the last of them. `None` if none has.
    pub(crate) fn range(&self, mark: Mark, nodes: &[Node]) -> Option<[Value; 3]> {
        let bearers: Vec<FileId> =
            self.seen.iter().filter(|(kind, _)| *kind == mark as i64).map(|(_, id)| *id).collect();
        let is_told_apart = bearers.len() < TOLD_APART;
        let may_bear = |node: &&Node| !is_told_apart || bearers.contains(&node.id);
        if bearers.is_empty() {
            return None;
        }
        let places = || nodes.iter().filter(may_bear).map(place_of);
        Some([parent_of(nodes), places().min()?.into(), places().max()?.into()])
    }
}

/// All siblings: their folder, the first and the last of them.
pub(crate) fn whole_range(nodes: &[Node]) -> Option<[Value; 3]> {
    let (first, last) = (nodes.first()?, nodes.last()?);
    Some([parent_of(nodes), place_of(first).into(), place_of(last).into()])
}

/// Where each of them stands in the slice.
pub(crate) fn places(nodes: &[Node]) -> HashMap<FileId, usize> {
    nodes.iter().enumerate().map(|(place, node)| (node.id, place)).collect()
}

fn parent_of(nodes: &[Node]) -> Value {
    nodes.first().and_then(|node| node.parent).map_or(crate::row::NO_PARENT, |parent| parent.0).into()
}

/// The number of the row that stands among its siblings: a mount's own, where one shows the node.
fn place_of(node: &Node) -> FileId {
    node.mount.as_ref().map_or(node.id, |mount| mount.id)
}

// The numbers are those of `Mark`. Each part ends at its own limit, so that the look costs the same whatever the folder.
const MARKS: Sql = Sql("SELECT CAST(1 AS BIGINT), node_id FROM
           (SELECT node_id FROM dead_property WHERE space_id = $1 AND node_id >= $2 AND node_id <= $3
             ORDER BY node_id LIMIT $5) AS a
     UNION ALL SELECT 2, node_id FROM
           (SELECT node_id FROM favourite
             WHERE space_id = $1 AND account_id = $4 AND node_id >= $2 AND node_id <= $3 ORDER BY node_id LIMIT $5) AS b
     UNION ALL SELECT 3, node_id FROM
           (SELECT node_id FROM link WHERE space_id = $1 AND node_id >= $2 AND node_id <= $3
             ORDER BY node_id LIMIT $5) AS c
     UNION ALL SELECT 4, node_id FROM
           (SELECT node_id FROM publication WHERE space_id = $1 AND node_id >= $2 AND node_id <= $3
             ORDER BY node_id LIMIT $5) AS d
     UNION ALL SELECT 5, node_id FROM
           (SELECT node_id FROM share WHERE space_id = $1 AND node_id >= $2 AND node_id <= $3
             ORDER BY node_id LIMIT $5) AS e
     UNION ALL SELECT 6, node_id FROM
           (SELECT node_id FROM tagged WHERE space_id = $1 AND node_id >= $2 AND node_id <= $3
             ORDER BY node_id LIMIT $5) AS f");

pub(crate) const STATEMENTS: &[Sql] = &[MARKS];
