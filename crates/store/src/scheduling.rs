//! What scheduling (RFC 6638) reads: an account's copies of an object in its calendars, whoever asks; schedule tags.

use bytes::Bytes;

use crate::account::Account;
use crate::collection::{Area, CollectionKind};
use crate::error::Error;
use crate::node::{AccountId, Etag, FileId, Node};
use crate::row::{NODE_COLUMNS, node_columns, node_of};
use crate::space::Space;
use crate::sql::{Connection, Sql, Value};

/// A copy of an object in a calendar.
#[derive(Clone, Debug)]
pub struct SchedulingCopy {
    /// The member; its content is loaded by [`Space::scheduling_copies`].
    pub node: Node,
    /// The name of the calendar, in the account's home.
    pub calendar: String,
    /// Its schedule tag, if it is a scheduling object resource.
    pub tag: Option<Etag>,
}

impl Space {
    /// The copies of the object `uid` in the account's calendars, by number, with their content. For delivery alone:
    /// what a client may see goes through its own tree.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn scheduling_copies(&self, account: &Account, uid: &str) -> Result<Vec<SchedulingCopy>, Error> {
        let mut found = copies(&mut *self.core().reader().await?, account.id, uid).await?;
        for copy in found.iter_mut().filter(|copy| copy.node.body.is_none()) {
            copy.node.body = Some(self.tree_as(account).whole(&copy.node).await?);
        }
        Ok(found)
    }
}

/// The copies, with the content of those that lie in a row.
pub(crate) async fn copies(
    connection: &mut Connection,
    account: AccountId,
    uid: &str,
) -> Result<Vec<SchedulingCopy>, Error> {
    let rows = connection.all(COPIES, &[uid.into(), account.into(), Area::Calendars.name().into()]).await?;
    let mut found = Vec::new();
    for row in &rows {
        let kind = row.maybe_text(NODE_COLUMNS + 2)?.and_then(|text| CollectionKind::of_text(&text));
        if !matches!(kind, Some(CollectionKind::Calendar(_))) {
            continue;
        }
        let mut node = node_of(row)?;
        let bytes = row.maybe_bytes(NODE_COLUMNS + 3)?.map(Bytes::from);
        node.body = bytes.filter(|bytes| bytes.len() as u64 == node.size_bytes);
        found.push(SchedulingCopy {
            node,
            calendar: row.text(NODE_COLUMNS + 1)?,
            tag: row.maybe_int(NODE_COLUMNS)?.map(Etag),
        });
    }
    Ok(found)
}

/// The schedule tag of a member.
pub(crate) async fn tag_of(connection: &mut Connection, member: FileId) -> Result<Option<Etag>, Error> {
    let row = connection.maybe(TAG, &[member.into()]).await?;
    Ok(row.map(|row| row.maybe_int(0)).transpose()?.flatten().map(Etag))
}

/// Puts the schedule tags onto the members among `nodes`, which are siblings in `range`.
pub(crate) async fn add_tags(connection: &mut Connection, range: [Value; 3], nodes: &mut [Node]) -> Result<(), Error> {
    for row in connection.all(TAGS_AMONG, &range).await? {
        let (id, tag) = (row.int(0)?, row.int(1)?);
        if let Some(node) = nodes.iter_mut().find(|node| node.id.0 == id) {
            node.schedule_tag = Some(Etag(tag));
        }
    }
    Ok(())
}

const COPIES: Sql = Sql(concat!(
    "SELECT ",
    node_columns!(),
    ", member.schedule_tag, calendar.name, calendar.collection, piece.bytes
       FROM member CROSS JOIN node CROSS JOIN node AS calendar
       JOIN root ON root.space_id = $1 AND root.account_id = $3 AND root.area = $4
                AND root.node_id = calendar.parent_id
       LEFT JOIN piece ON piece.space_id = $1 AND piece.content_id = node.content_id AND piece.position = 0
      WHERE member.space_id = $1 AND member.uid = $2 AND node.space_id = $1 AND node.id = member.node_id
        AND calendar.space_id = $1 AND calendar.id = node.parent_id
      ORDER BY +node.id"
));

const TAG: Sql = Sql("SELECT schedule_tag FROM member WHERE space_id = $1 AND node_id = $2");

const TAGS_AMONG: Sql = Sql("SELECT node.id, member.schedule_tag
       FROM node JOIN member ON member.space_id = $1 AND member.node_id = node.id
      WHERE node.space_id = $1 AND node.parent_id = $2 AND node.id >= $3 AND node.id <= $4
        AND member.schedule_tag IS NOT NULL");

pub(crate) const STATEMENTS: &[Sql] = &[COPIES, TAG, TAGS_AMONG];
