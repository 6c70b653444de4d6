//! Comments: written, changed and deleted by their authors, and read. No etag moves, as in Nextcloud.

use super::Run;
use super::tag::seen;
use crate::comment::{Comment, ONE, comment_of};
use crate::error::Error;
use crate::node::{CommentId, FileId};
use crate::ports::Timestamp;
use crate::sql::Sql;
use crate::tx::{Asker, Tx};

/// The longest message, in characters: Nextcloud's.
const MESSAGE_CHARS_MAX: usize = 1000;

/// Comments on a node; whoever does has read what was written before.
#[derive(Clone, Debug)]
pub struct AddComment {
    /// On what.
    pub node: FileId,
    /// What to say.
    pub message: String,
}

/// Says something else in a comment of one's own.
#[derive(Clone, Debug)]
pub struct EditComment {
    /// On what it is.
    pub node: FileId,
    /// Which.
    pub id: CommentId,
    /// What to say.
    pub message: String,
}

/// Deletes a comment of one's own.
#[derive(Clone, Copy, Debug)]
pub struct DropComment {
    /// On what it is.
    pub node: FileId,
    /// Which.
    pub id: CommentId,
}

/// Notes that the account has read the comments on a node.
#[derive(Clone, Copy, Debug)]
pub struct ReadComments {
    /// On what.
    pub node: FileId,
    /// Those that were written until then; `None`: until now.
    pub until: Option<Timestamp>,
}

impl Run for AddComment {
    type Outcome = Comment;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Comment, Error> {
        let node = seen(tx, asker, self.node).await?.id;
        let message = checked_message(&self.message)?;
        let limit = tx.core.limits.comments_of_node_max;
        if tx.row(COUNT, &[node.into()]).await?.count(0)? >= limit {
            return Err(Error::TooLarge { limit });
        }
        let id = CommentId(tx.fresh_id());
        let args = [id.into(), node.into(), asker.account.id.into(), message.into(), tx.now().into()];
        tx.one(INSERT, &args).await?;
        // Who writes has seen what was written before.
        read(tx, asker, node, tx.now()).await?;
        find(tx, asker, node, id).await
    }
}

impl Run for EditComment {
    type Outcome = Comment;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Comment, Error> {
        own(tx, asker, self.node, self.id).await?;
        let message = checked_message(&self.message)?;
        tx.one(UPDATE, &[self.id.into(), message.into()]).await?;
        find(tx, asker, self.node, self.id).await
    }
}

impl Run for DropComment {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        own(tx, asker, self.node, self.id).await?;
        tx.one(DELETE, &[self.id.into()]).await
    }
}

impl Run for ReadComments {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let node = seen(tx, asker, self.node).await?.id;
        read(tx, asker, node, self.until.unwrap_or(tx.now())).await
    }
}

async fn read(tx: &mut Tx, asker: &Asker, node: FileId, until: Timestamp) -> Result<(), Error> {
    tx.one(READ, &[asker.account.id.into(), node.into(), until.into()]).await
}

async fn find(tx: &mut Tx, asker: &Asker, node: FileId, id: CommentId) -> Result<Comment, Error> {
    let args = [node.into(), asker.account.id.into(), id.into()];
    comment_of(&tx.maybe(ONE, &args).await?.ok_or(Error::NotFound)?)
}

/// Only who wrote a comment changes or deletes it.
async fn own(tx: &mut Tx, asker: &Asker, node: FileId, id: CommentId) -> Result<(), Error> {
    let node = seen(tx, asker, node).await?.id;
    let row = tx.maybe(AUTHOR, &[node.into(), id.into()]).await?.ok_or(Error::NotFound)?;
    match row.maybe_int(0)? {
        Some(author) if author == asker.account.id.0 => Ok(()),
        _ => Err(Error::Forbidden("only the author may do this")),
    }
}

fn checked_message(message: &str) -> Result<&str, Error> {
    let message = message.trim();
    match message.chars().count() {
        0 => Err(Error::Invalid("A comment says something.".to_owned())),
        length if length > MESSAGE_CHARS_MAX => {
            Err(Error::Invalid(format!("A comment has at most {MESSAGE_CHARS_MAX} characters.")))
        }
        _ => Ok(message),
    }
}

const COUNT: Sql = Sql("SELECT COUNT(*) FROM comment WHERE space_id = $1 AND node_id = $2");

const AUTHOR: Sql = Sql("SELECT account_id FROM comment WHERE space_id = $1 AND node_id = $2 AND id = $3");

const INSERT: Sql = Sql("INSERT INTO comment (space_id, id, node_id, account_id, message, created_us)
     VALUES ($1, $2, $3, $4, $5, $6)");

const UPDATE: Sql = Sql("UPDATE comment SET message = $3 WHERE space_id = $1 AND id = $2");

const DELETE: Sql = Sql("DELETE FROM comment WHERE space_id = $1 AND id = $2");

const READ: Sql = Sql("INSERT INTO comment_read (space_id, account_id, node_id, read_us) VALUES ($1, $2, $3, $4)
     ON CONFLICT (space_id, account_id, node_id) DO UPDATE SET read_us = excluded.read_us");

pub(super) const STATEMENTS: &[Sql] = &[COUNT, AUTHOR, INSERT, UPDATE, DELETE, READ];
