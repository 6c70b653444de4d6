//! Tags: made, changed, deleted; put on files and taken off. No etag moves, as in Nextcloud.

use super::Run;
use super::site::check_permission;
use crate::error::Error;
use crate::look_up;
use crate::node::{FileId, Node, TagId};
use crate::path::NodePath;
use crate::permissions::Permissions;
use crate::sql::{Sql, is_taken};
use crate::tag::{Tag, find};
use crate::tx::{Asker, Tx};

/// The longest name, in characters: Nextcloud's.
const NAME_CHARS_MAX: usize = 64;

/// Makes a tag. Everybody may make one that everybody may use; two of the same name and use are [`Exists`].
///
/// [`Exists`]: crate::Error::Exists
#[derive(Clone, Debug)]
pub struct MakeTag {
    /// Its name.
    pub name: String,
    /// Its colour as six hexadecimal digits; empty for none.
    pub color: String,
    /// Whether members see it.
    pub is_visible: bool,
    /// Whether members put it on files.
    pub is_assignable: bool,
}

/// Changes a tag; `None` leaves as it is.
#[derive(Clone, Debug)]
pub struct ChangeTag {
    /// Which.
    pub id: TagId,
    /// Its name.
    pub name: Option<String>,
    /// Its colour as six hexadecimal digits; empty for none.
    pub color: Option<String>,
    /// Whether members see it.
    pub is_visible: Option<bool>,
    /// Whether members put it on files.
    pub is_assignable: Option<bool>,
}

/// Deletes a tag, and takes it off everything.
#[derive(Clone, Copy, Debug)]
pub struct DropTag {
    /// Which.
    pub id: TagId,
}

/// Puts a tag on a node, or takes it off.
#[derive(Clone, Copy, Debug)]
pub struct AssignTag {
    /// The node.
    pub node: FileId,
    /// The tag.
    pub tag: TagId,
    /// On, or off.
    pub is_assigned: bool,
}

impl Run for MakeTag {
    type Outcome = Tag;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Tag, Error> {
        let is_for_all = self.is_visible && self.is_assignable;
        if !is_for_all && !asker.account.is_admin() {
            return Err(Error::Forbidden("only administrators make such tags"));
        }
        let tag = Tag {
            id: TagId(tx.fresh_id()),
            name: checked_name(&self.name)?,
            color: checked_color(&self.color)?,
            is_visible: self.is_visible,
            is_assignable: self.is_assignable,
            changed: tx.now(),
        };
        let limit = tx.core.limits.tags_max;
        if tx.row(COUNT, &[]).await?.count(0)? >= limit {
            return Err(Error::TooLarge { limit });
        }
        write(tx, INSERT, &tag).await?;
        Ok(tag)
    }
}

impl Run for ChangeTag {
    type Outcome = Tag;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Tag, Error> {
        let old = find(&mut tx.connection, self.id, asker.account.is_admin()).await?;
        may_assign(&old, asker)?;
        if (self.is_visible.is_some() || self.is_assignable.is_some()) && !asker.account.is_admin() {
            return Err(Error::Forbidden("only administrators say who uses a tag"));
        }
        let tag = Tag {
            id: old.id,
            name: self.name.map_or(Ok(old.name), |name| checked_name(&name))?,
            color: self.color.map_or(Ok(old.color), |color| checked_color(&color))?,
            is_visible: self.is_visible.unwrap_or(old.is_visible),
            is_assignable: self.is_assignable.unwrap_or(old.is_assignable),
            changed: tx.now(),
        };
        write(tx, UPDATE, &tag).await?;
        Ok(tag)
    }
}

impl Run for DropTag {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let tag = find(&mut tx.connection, self.id, asker.account.is_admin()).await?;
        if !asker.account.is_admin() {
            return Err(Error::Forbidden("only administrators delete tags"));
        }
        tx.run(UNASSIGN_ALL, &[tag.id.into()]).await?;
        tx.one(DELETE, &[tag.id.into()]).await
    }
}

impl Run for AssignTag {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let node = seen(tx, asker, self.node).await?;
        let tag = find(&mut tx.connection, self.tag, asker.account.is_admin()).await?;
        may_assign(&tag, asker)?;
        check_permission(Some(&node), Permissions::UPDATE)?;
        let args = [node.id.into(), tag.id.into()];
        let changed = match self.is_assigned {
            true => {
                let limit = tx.core.limits.tags_of_node_max;
                if tx.row(COUNT_OF, &[node.id.into()]).await?.count(0)? >= limit {
                    return Err(Error::TooLarge { limit });
                }
                tx.run(ASSIGN, &args).await?
            }
            false => tx.run(UNASSIGN, &args).await?,
        };
        match (changed, self.is_assigned) {
            (0, true) => Err(Error::Exists),
            (0, false) => Err(Error::NotFound),
            _ => Ok(()),
        }
    }
}

/// The node of that number as the asker sees it.
pub(super) async fn seen(tx: &mut Tx, asker: &Asker, id: FileId) -> Result<Node, Error> {
    seen_at(tx, asker, id).await.map(|(_, node)| node)
}

/// The same, and where.
pub(super) async fn seen_at(tx: &mut Tx, asker: &Asker, id: FileId) -> Result<(NodePath, Node), Error> {
    let path = look_up::path_of(&mut tx.connection, asker.root, id).await?.ok_or(Error::NotFound)?;
    let located = look_up::locate(&mut tx.connection, &asker.root(), &path).await?;
    let node = located.node().filter(|node| node.id == id).cloned().ok_or(Error::NotFound)?;
    Ok((path, node))
}

/// Whether the asker may put the tag on something.
fn may_assign(tag: &Tag, asker: &Asker) -> Result<(), Error> {
    match tag.is_assignable || asker.account.is_admin() {
        true => Ok(()),
        false => Err(Error::Forbidden("only administrators use this tag")),
    }
}

fn checked_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    let is_good = !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(char::is_control);
    if is_good {
        Ok(name.to_owned())
    } else {
        Err(Error::Invalid("A tag has a name of 1 to 64 characters.".to_owned()))
    }
}

fn checked_color(color: &str) -> Result<String, Error> {
    let color = color.trim().trim_start_matches('#');
    let is_good = color.is_empty() || color.len() == 6 && color.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_good { Ok(color.to_owned()) } else { Err(Error::Invalid("A colour is six hexadecimal digits.".to_owned())) }
}

async fn write(tx: &mut Tx, sql: Sql, tag: &Tag) -> Result<(), Error> {
    let args = [
        tag.id.into(),
        tag.name.as_str().into(),
        tag.name.to_lowercase().into(),
        tag.color.as_str().into(),
        tag.is_visible.into(),
        tag.is_assignable.into(),
        tag.changed.into(),
    ];
    match tx.run(sql, &args).await {
        Ok(1) => Ok(()),
        Ok(_) => Err(Error::NotFound),
        Err(error) if is_taken(&error) => Err(Error::Exists),
        Err(error) => Err(error),
    }
}

const COUNT: Sql = Sql("SELECT COUNT(*) FROM tag WHERE space_id = $1");

const COUNT_OF: Sql = Sql("SELECT COUNT(*) FROM tagged WHERE space_id = $1 AND node_id = $2");

const INSERT: Sql = Sql("INSERT INTO tag (space_id, id, name, name_key, color, is_visible, is_assignable, changed_us)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");

const UPDATE: Sql = Sql("UPDATE tag
        SET name = $3, name_key = $4, color = $5, is_visible = $6, is_assignable = $7, changed_us = $8
      WHERE space_id = $1 AND id = $2");

const DELETE: Sql = Sql("DELETE FROM tag WHERE space_id = $1 AND id = $2");

const ASSIGN: Sql = Sql("INSERT INTO tagged (space_id, node_id, tag_id) VALUES ($1, $2, $3)
     ON CONFLICT (space_id, node_id, tag_id) DO NOTHING");

const UNASSIGN: Sql = Sql("DELETE FROM tagged WHERE space_id = $1 AND node_id = $2 AND tag_id = $3");

const UNASSIGN_ALL: Sql = Sql("DELETE FROM tagged WHERE space_id = $1 AND tag_id = $2");

pub(super) const STATEMENTS: &[Sql] = &[COUNT, COUNT_OF, INSERT, UPDATE, DELETE, ASSIGN, UNASSIGN, UNASSIGN_ALL];
