//! Comments: written, changed and deleted by their authors, and read. No etag moves, as in Nextcloud. Who sees the file
//! finds them among the activities; who is mentioned and sees it is told.

use std::collections::BTreeMap;

use super::Run;
use super::site::where_it_is;
use super::tag::{seen, seen_at};
use crate::account::{self, Account};
use crate::comment::{Comment, ONE, comment_of};
use crate::error::Error;
use crate::look_up;
use crate::mention::mentions;
use crate::node::{AccountId, CommentId, FileId};
use crate::notification::{NewNotification, NotificationKind};
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::share::Root;
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
        let (path, seen) = seen_at(tx, asker, self.node).await?;
        let node = seen.id;
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
        let folder = where_it_is(tx, &seen).await?.parent.unwrap_or(node);
        tx.record_comment(asker, (node, folder), &path, (id, message));
        for (account, name) in mentioned(tx, asker, node, message).await? {
            tx.notify(mention_of(asker, (node, id), (account, name), message)).await?;
        }
        find(tx, asker, node, id).await
    }
}

impl Run for EditComment {
    type Outcome = Comment;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Comment, Error> {
        let old = own(tx, asker, self.node, self.id).await?;
        let message = checked_message(&self.message)?;
        tx.one(UPDATE, &[self.id.into(), message.into()]).await?;
        tx.amend_comment(self.id, Some(message)).await?;
        // Who has put it away is not told again for what she knows.
        let waiting = tx.withdraw(NotificationKind::Mentioned, self.id.0, None).await?;
        let before = mentioned(tx, asker, self.node, &old.message).await?;
        for (account, name) in mentioned(tx, asker, self.node, message).await? {
            if waiting.contains(&account) || !before.contains_key(&account) {
                tx.notify(mention_of(asker, (self.node, self.id), (account, name), message)).await?;
            }
        }
        find(tx, asker, self.node, self.id).await
    }
}

impl Run for DropComment {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        own(tx, asker, self.node, self.id).await?;
        tx.withdraw(NotificationKind::Mentioned, self.id.0, None).await?;
        tx.amend_comment(self.id, None).await?;
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
async fn own(tx: &mut Tx, asker: &Asker, node: FileId, id: CommentId) -> Result<Comment, Error> {
    let node = seen(tx, asker, node).await?.id;
    let row = tx.maybe(AUTHOR, &[node.into(), id.into()]).await?.ok_or(Error::NotFound)?;
    match row.maybe_int(0)? {
        Some(author) if author == asker.account.id.0 => find(tx, asker, node, id).await,
        _ => Err(Error::Forbidden("only the author may do this")),
    }
}

/// Whom the message mentions: those who see the node, by the name that they know it by, and not who says it. A bounded
/// number of them.
async fn mentioned(
    tx: &mut Tx,
    asker: &Asker,
    node: FileId,
    message: &str,
) -> Result<BTreeMap<AccountId, String>, Error> {
    let mut logins: Vec<&str> = mentions(message).into_iter().map(|mention| mention.login).collect();
    logins.sort_unstable();
    logins.dedup();
    let mut found = BTreeMap::new();
    for login in logins.into_iter().take(tx.core.limits.mentions_of_comment_max) {
        let account = account::by_login(&mut tx.connection, login).await?;
        let Some(account) = account.filter(|it| it.is_enabled && it.id != asker.account.id) else { continue };
        if let Some(name) = name_to(tx, &account, node).await? {
            found.insert(account.id, name);
        }
    }
    Ok(found)
}

/// What the account knows the node as; `None` if it does not see it.
async fn name_to(tx: &mut Tx, account: &Account, node: FileId) -> Result<Option<String>, Error> {
    let root = Root { id: account.home, access: None, now: tx.now() };
    let Some(path) = look_up::path_of(&mut tx.connection, root.id, node).await? else { return Ok(None) };
    let located = look_up::locate(&mut tx.connection, &root, &path).await?;
    let is_seen = |it: &&crate::node::Node| it.id == node && it.permissions().includes(Permissions::READ);
    Ok(located.node().filter(is_seen).map(|node| node.name.clone()))
}

fn mention_of(
    asker: &Asker,
    (node, id): (FileId, CommentId),
    (account, name): (AccountId, String),
    message: &str,
) -> NewNotification {
    NewNotification {
        account,
        kind: NotificationKind::Mentioned,
        actor: Some(asker.account.id),
        object: id.0,
        node: Some(node),
        name,
        message: message.to_owned(),
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
