//! Comments on files and folders: whoever sees the file sees and writes them, and changes or deletes their own.

use crate::error::Error;
use crate::node::{CommentId, FileId, Needs, Node};
use crate::ports::Timestamp;
use crate::sql::{Connection, Row, Sql, Value};
use crate::tree::Tree;

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its number.
    pub id: CommentId,
    /// What it is about.
    pub node: FileId,
    /// Whose it is: login and name to show; `None` once the account is gone.
    pub author: Option<(String, String)>,
    /// What it says.
    pub message: String,
    /// When it was written.
    pub created: Timestamp,
    /// Whether it came after the account last looked.
    pub is_unread: bool,
}

/// How many comments a node has; loaded with [`Needs::COMMENTS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommentCounts {
    /// All.
    pub all: u64,
    /// Those that came after the account last looked.
    pub unread: u64,
}

impl Tree {
    /// The comments on the node, the newest first: at most `limit` of them after the first `offset`, and none older than
    /// `since`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a node that the account does not see.
    pub async fn comments(
        &self,
        node: FileId,
        since: Option<Timestamp>,
        offset: u32,
        limit: u32,
    ) -> Result<Vec<Comment>, Error> {
        self.node_by_id(node, Needs::NONE).await?;
        let since = since.map_or(i64::MIN, |since| since.0);
        let (offset, limit) = (i64::from(offset), i64::from(limit));
        let args = [node.into(), self.account.id.into(), since.into(), limit.into(), offset.into()];
        self.reader().await?.all(NEWEST, &args).await?.iter().map(comment_of).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::NotFound`], also if it is about another node.
    pub async fn comment(&self, node: FileId, id: CommentId) -> Result<Comment, Error> {
        self.node_by_id(node, Needs::NONE).await?;
        let args = [node.into(), self.account.id.into(), id.into()];
        comment_of(&self.reader().await?.maybe(ONE, &args).await?.ok_or(Error::NotFound)?)
    }

    /// Up to when the account has read the comments on the node; `None` if it never looked.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a node that the account does not see.
    pub async fn comments_read(&self, node: FileId) -> Result<Option<Timestamp>, Error> {
        self.node_by_id(node, Needs::NONE).await?;
        let row = self.reader().await?.maybe(MARKER, &[self.account.id.into(), node.into()]).await?;
        row.map(|row| row.int(0).map(Timestamp)).transpose()
    }
}

/// Counts the comments of siblings in `range`.
pub(crate) async fn add_counts(
    connection: &mut Connection,
    range: [Value; 3],
    account: Value,
    nodes: &mut [Node],
) -> Result<(), Error> {
    nodes.iter_mut().for_each(|node| node.comments = Some(CommentCounts::default()));
    let [parent, first, last] = range;
    for row in connection.all(COUNTS_AMONG, &[parent, first, last, account]).await? {
        let id = FileId(row.int(0)?);
        if let Some(node) = nodes.iter_mut().find(|node| node.id == id) {
            node.comments = Some(CommentCounts { all: row.count(1)?, unread: row.count(2)? });
        }
    }
    Ok(())
}

pub(crate) fn comment_of(row: &Row) -> Result<Comment, Error> {
    Ok(Comment {
        id: CommentId(row.int(0)?),
        node: FileId(row.int(1)?),
        author: row.maybe_text(2)?.zip(row.maybe_text(3)?),
        message: row.text(4)?,
        created: Timestamp(row.int(5)?),
        is_unread: row.maybe_int(6)?.is_none_or(|read| row.int(5).is_ok_and(|created| created > read)),
    })
}

/// The beginning of a statement about the comments on `$2` as the account `$3` sees them.
macro_rules! comments {
    () => {
        "SELECT comment.id, comment.node_id, account.login, account.display_name, comment.message, comment.created_us,
                comment_read.read_us
           FROM comment
           LEFT JOIN account ON account.space_id = $1 AND account.id = comment.account_id
                            AND account.departed_us IS NULL
           LEFT JOIN comment_read ON comment_read.space_id = $1 AND comment_read.account_id = $3
                                 AND comment_read.node_id = comment.node_id
          WHERE comment.space_id = $1 AND comment.node_id = $2 AND "
    };
}

const NEWEST: Sql = Sql(concat!(comments!(), "comment.created_us >= $4 ORDER BY comment.id DESC LIMIT $5 OFFSET $6"));

pub(crate) const ONE: Sql = Sql(concat!(comments!(), "comment.id = $4"));

const MARKER: Sql = Sql("SELECT read_us FROM comment_read WHERE space_id = $1 AND account_id = $2 AND node_id = $3");

const COUNTS_AMONG: Sql = Sql("SELECT node.id, COUNT(*),
            CAST(SUM(CASE WHEN comment_read.read_us IS NULL OR comment.created_us > comment_read.read_us THEN 1 ELSE 0 END)
                 AS BIGINT)
       FROM node
       JOIN comment ON comment.space_id = $1 AND comment.node_id = node.id
       LEFT JOIN comment_read ON comment_read.space_id = $1 AND comment_read.account_id = $5
                             AND comment_read.node_id = node.id
      WHERE node.space_id = $1 AND node.parent_id = $2 AND node.id >= $3 AND node.id <= $4
      GROUP BY node.id");

/// Of a node that is gone for good.
pub(crate) const FORGET_NODE: Sql = Sql("DELETE FROM comment WHERE space_id = $1 AND node_id = $2");

/// The same: who has read what.
pub(crate) const FORGET_NODE_READ: Sql = Sql("DELETE FROM comment_read WHERE space_id = $1 AND node_id = $2");

/// What an account wrote stays, without its name.
pub(crate) const FORGET_AUTHOR: Sql =
    Sql("UPDATE comment SET account_id = NULL WHERE space_id = $1 AND account_id = $2");

/// What it has read.
pub(crate) const FORGET_READ: Sql = Sql("DELETE FROM comment_read WHERE space_id = $1 AND account_id = $2");

pub(crate) const STATEMENTS: &[Sql] =
    &[NEWEST, ONE, MARKER, COUNTS_AMONG, FORGET_NODE, FORGET_NODE_READ, FORGET_AUTHOR, FORGET_READ];
