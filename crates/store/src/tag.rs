//! Tags of a space: words that members put on files, seen by all who see the file. An administrator may keep a tag from
//! members: from being seen, or from being put on and taken off.

use crate::error::Error;
use crate::node::{FileId, Needs, Node, TagId};
use crate::ports::Timestamp;
use crate::sql::{Connection, Row, Sql, Value};
use crate::tree::Tree;

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its number.
    pub id: TagId,
    /// Its name.
    pub name: String,
    /// Its colour as six hexadecimal digits; empty for none.
    pub color: String,
    /// Whether members see it.
    pub is_visible: bool,
    /// Whether members put it on files and take it off.
    pub is_assignable: bool,
    /// When it was last changed.
    pub changed: Timestamp,
}

impl Tree {
    /// The tags that the account sees, by number.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn tags(&self) -> Result<Vec<Tag>, Error> {
        let sees_all = self.account.is_admin();
        let rows = self.reader().await?.all(ALL, &[]).await?;
        let tags = rows.iter().map(|row| tag_of(row, 0)).collect::<Result<Vec<_>, _>>()?;
        Ok(tags.into_iter().filter(|tag| tag.is_visible || sees_all).collect())
    }

    /// The tag of that number, if the account sees it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn tag(&self, id: TagId) -> Result<Tag, Error> {
        find(&mut *self.reader().await?, id, self.account.is_admin()).await
    }

    /// The numbers of what has the tag, whether the account sees it or not: for [`crate::Search::ids`].
    ///
    /// # Errors
    /// [`Error::NotFound`] for a tag that the account does not see.
    pub async fn tagged(&self, id: TagId) -> Result<Vec<FileId>, Error> {
        let mut reader = self.reader().await?;
        find(&mut reader, id, self.account.is_admin()).await?;
        reader.all(TAGGED, &[id.into()]).await?.iter().map(|row| row.int(0).map(FileId)).collect()
    }

    /// The node of that number with its tags.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn tags_of(&self, node: FileId) -> Result<Vec<Tag>, Error> {
        Ok(self.node_by_id(node, Needs::TAGS).await?.1.tags)
    }
}

/// The tag of that number.
pub(crate) async fn find(connection: &mut Connection, id: TagId, sees_all: bool) -> Result<Tag, Error> {
    let row = connection.maybe(BY_ID, &[id.into()]).await?.ok_or(Error::NotFound)?;
    let tag = tag_of(&row, 0)?;
    if tag.is_visible || sees_all { Ok(tag) } else { Err(Error::NotFound) }
}

/// Loads the tags of siblings in `range` that the asker sees.
pub(crate) async fn add_tags(
    connection: &mut Connection,
    range: &[Value; 3],
    sees_all: bool,
    nodes: &mut [Node],
) -> Result<(), Error> {
    for row in connection.all(TAGS_AMONG, range).await? {
        let (id, tag) = (FileId(row.int(0)?), tag_of(&row, 1)?);
        if let Some(node) = nodes.iter_mut().find(|node| node.id == id)
            && (tag.is_visible || sees_all)
        {
            node.tags.push(tag);
        }
    }
    Ok(())
}

/// The tag in the columns of `row` from `first` on.
pub(crate) fn tag_of(row: &Row, first: usize) -> Result<Tag, Error> {
    Ok(Tag {
        id: TagId(row.int(first)?),
        name: row.text(first + 1)?,
        color: row.text(first + 2)?,
        is_visible: row.truth(first + 3)?,
        is_assignable: row.truth(first + 4)?,
        changed: Timestamp(row.int(first + 5)?),
    })
}

/// The columns that [`tag_of`] reads.
macro_rules! tag_columns {
    () => {
        "tag.id, tag.name, tag.color, tag.is_visible, tag.is_assignable, tag.changed_us"
    };
}

const ALL: Sql = Sql(concat!("SELECT ", tag_columns!(), " FROM tag WHERE space_id = $1 ORDER BY id"));

const BY_ID: Sql = Sql(concat!("SELECT ", tag_columns!(), " FROM tag WHERE space_id = $1 AND id = $2"));

const TAGGED: Sql = Sql("SELECT node_id FROM tagged WHERE space_id = $1 AND tag_id = $2 ORDER BY node_id");

const TAGS_AMONG: Sql = Sql(concat!(
    "SELECT node.id, ",
    tag_columns!(),
    " FROM node CROSS JOIN tagged CROSS JOIN tag
      WHERE node.space_id = $1 AND node.parent_id = $2 AND node.id >= $3 AND node.id <= $4
        AND tagged.space_id = $1 AND tagged.node_id = node.id AND tag.space_id = $1 AND tag.id = tagged.tag_id
      ORDER BY node.id, tag.id"
));

/// Of a node that is gone for good.
pub(crate) const FORGET_NODE: Sql = Sql("DELETE FROM tagged WHERE space_id = $1 AND node_id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[ALL, BY_ID, TAGGED, TAGS_AMONG, FORGET_NODE];
