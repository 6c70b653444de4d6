//! Team folders: folders that belong to the space and not to one of its members. Groups have rights over them; who is
//! in such a group finds the folder at the top of her home. A team folder has a trash of its own, and may have a quota
//! within the pool.

use crate::account::{Account, Role, make_root};
use crate::audit::Act;
use crate::error::Error;
use crate::grant;
use crate::member_quota;
use crate::mount;
use crate::node::{AccountId, FileId, GroupId};
use crate::path::check_name;
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::share::permissions_of;
use crate::space::Space;
use crate::sql::{Connection, Sql, Value, is_taken};
use crate::tree::Tree;
use crate::tx::Tx;

/// A folder of the space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamFolder {
    /// Its number, which owns what is in it; no account and no group has the same.
    pub id: i64,
    /// The name under which it is mounted.
    pub name: String,
    /// The folder itself.
    pub root: FileId,
    /// Where its trash is.
    pub trash: FileId,
    /// What it may hold; `None`: whatever the pool has.
    pub quota_bytes: Option<u64>,
    /// What it holds.
    pub size_bytes: u64,
    /// Which group may do what.
    pub rights: Vec<(GroupId, Permissions)>,
}

/// What the rights over a team folder's content come from.
pub(crate) struct Ground {
    pub(crate) root: FileId,
    pub(crate) name: String,
    pub(crate) rights: Vec<(i64, Permissions)>,
}

/// The ground of what belongs to the team folder of that number; `None` if the owner is an account.
pub(crate) async fn ground(tx: &mut Tx, owner: AccountId) -> Result<Option<Ground>, Error> {
    let Some(row) = tx.maybe(ROOT, &[owner.into()]).await? else { return Ok(None) };
    let (root, name) = (FileId(row.int(0)?), row.text(1)?);
    let mut rights = Vec::new();
    for row in tx.all(RIGHTS_OF, &[owner.into()]).await? {
        rights.push((row.int(0)?, permissions_of(&row, 1, "team_folder_right")?));
    }
    Ok(Some(Ground { root, name, rights }))
}

/// Root and trash of the team folder of that number.
pub(crate) async fn roots(tx: &mut Tx, owner: AccountId) -> Result<Option<(FileId, FileId)>, Error> {
    let row = tx.maybe(ROOTS, &[owner.into()]).await?;
    row.map(|row| Ok((FileId(row.int(0)?), FileId(row.int(1)?)))).transpose()
}

impl Space {
    /// A team folder with all that is in it, whoever else may see it: for an administrator's commands.
    pub fn tree_of_team_folder(&self, folder: &TeamFolder) -> Tree {
        self.tree_as(&Account {
            id: AccountId(folder.id),
            login: String::new(),
            display_name: folder.name.clone(),
            email: None,
            role: Role::Member,
            password_hash: None,
            is_enabled: false,
            language: None,
            locale: None,
            quota_bytes: folder.quota_bytes,
            departed: None,
            home: folder.root,
            trash: folder.trash,
            created: Timestamp(0),
            last_seen: None,
        })
    }

    /// All team folders, by number.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn team_folders(&self) -> Result<Vec<TeamFolder>, Error> {
        list(&mut *self.core().reader().await?).await
    }

    /// The team folder of that name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn team_folder_named(&self, name: &str) -> Result<TeamFolder, Error> {
        self.team_folders().await?.into_iter().find(|folder| folder.name == name).ok_or(Error::NotFound)
    }

    /// Makes an empty team folder that nobody sees yet.
    ///
    /// # Errors
    /// [`Error::Exists`] for a name in use, [`Error::BadName`], [`Error::TooLarge`] at the space's number of them.
    pub async fn create_team_folder(&self, name: &str, quota_bytes: Option<u64>) -> Result<TeamFolder, Error> {
        check_name(name)?;
        let made = name.to_owned();
        let act = Act::of(name, "made a team folder", quota_text(quota_bytes));
        let made = self.act(act, move |tx| Box::pin(create(tx, made, quota_bytes))).await;
        made.map_err(|error| if is_taken(&error) { Error::Exists } else { error })?;
        self.team_folder_named(name).await
    }

    /// Gives a group rights over a team folder; [`Permissions::NONE`] takes them away.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn grant_team_folder(&self, id: i64, group: GroupId, permissions: Permissions) -> Result<(), Error> {
        let detail = format!("{}: permissions {}", self.group(group).await?.name, permissions.bits());
        let act = Act::of(format!("team folder {id}"), "granted a team folder", detail);
        self.act(act, move |tx| Box::pin(set_right(tx, id, group, permissions))).await
    }

    /// Sets what a team folder may hold.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn set_team_folder_quota(&self, id: i64, quota_bytes: Option<u64>) -> Result<(), Error> {
        let act = Act::of(format!("team folder {id}"), "changed a team folder", quota_text(quota_bytes));
        self.act(act, move |tx| Box::pin(set_quota(tx, id, quota_bytes))).await
    }

    /// Deletes a team folder with everything in it and in its trash.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_team_folder(&self, id: i64) -> Result<(), Error> {
        let act = Act::of(format!("team folder {id}"), "deleted a team folder", "");
        self.act(act, move |tx| Box::pin(delete(tx, id))).await
    }
}

fn quota_text(quota_bytes: Option<u64>) -> String {
    quota_bytes.map_or("no quota".to_owned(), |bytes| format!("quota of {bytes} bytes"))
}

async fn list(connection: &mut Connection) -> Result<Vec<TeamFolder>, Error> {
    let mut folders = Vec::new();
    for row in connection.all(ALL, &[]).await? {
        folders.push(TeamFolder {
            id: row.int(0)?,
            name: row.text(1)?,
            root: FileId(row.int(2)?),
            trash: FileId(row.int(3)?),
            quota_bytes: row.maybe_int(4)?.and_then(|bytes| u64::try_from(bytes).ok()),
            size_bytes: row.count(5)?,
            rights: Vec::new(),
        });
    }
    for row in connection.all(RIGHTS, &[]).await? {
        let id = row.int(0)?;
        if let Some(folder) = folders.iter_mut().find(|folder| folder.id == id) {
            folder.rights.push((GroupId(row.int(1)?), permissions_of(&row, 2, "team_folder_right")?));
        }
    }
    Ok(folders)
}

async fn create(tx: &mut Tx, name: String, quota_bytes: Option<u64>) -> Result<(), Error> {
    let limit = tx.core.limits.team_folders_max;
    if tx.row(COUNT, &[]).await?.count(0)? >= limit {
        return Err(Error::TooLarge { limit });
    }
    let id = tx.fresh_id();
    let root = make_root(tx, format!("team folder {id}")).await?;
    let trash = make_root(tx, format!("team folder trash {id}")).await?;
    let args: [Value; 6] =
        [id.into(), name.into(), root.into(), trash.into(), quota_bytes.map(crate::tx::signed).into(), tx.now().into()];
    tx.one(INSERT, &args).await?;
    member_quota::recount(tx, None, quota_bytes);
    Ok(())
}

async fn set_right(tx: &mut Tx, id: i64, group: GroupId, permissions: Permissions) -> Result<(), Error> {
    tx.maybe(ROOT, &[id.into()]).await?.ok_or(Error::NotFound)?;
    tx.advance();
    tx.run(FORGET_RIGHT, &[id.into(), group.into()]).await?;
    if !permissions.is_empty() {
        tx.one(INSERT_RIGHT, &[id.into(), group.into(), (permissions | Permissions::READ).into()]).await?;
    }
    grant::settle(tx, AccountId(id)).await
}

async fn set_quota(tx: &mut Tx, id: i64, quota_bytes: Option<u64>) -> Result<(), Error> {
    let before = quota_of(tx, id).await?;
    tx.one(SET_QUOTA, &[id.into(), quota_bytes.map(crate::tx::signed).into()]).await?;
    member_quota::recount(tx, before, quota_bytes);
    Ok(())
}

async fn quota_of(tx: &mut Tx, id: i64) -> Result<Option<u64>, Error> {
    let row = tx.maybe(QUOTA, &[id.into()]).await?.ok_or(Error::NotFound)?;
    Ok(row.maybe_int(0)?.and_then(|bytes| u64::try_from(bytes).ok()))
}

async fn delete(tx: &mut Tx, id: i64) -> Result<(), Error> {
    let row = tx.maybe(ROOTS, &[id.into()]).await?.ok_or(Error::NotFound)?;
    let roots = (FileId(row.int(0)?), FileId(row.int(1)?));
    mount::forget_account(tx, AccountId(id)).await?;
    crate::purge::purge_trees(tx, AccountId(id), &[roots]).await?;
    let quota_bytes = quota_of(tx, id).await?;
    member_quota::recount(tx, quota_bytes, None);
    for forget in [FORGET_RIGHTS, FORGET] {
        tx.run(forget, &[id.into()]).await?;
    }
    Ok(())
}

const ROOT: Sql = Sql("SELECT node_id, name FROM team_folder WHERE space_id = $1 AND id = $2");

const ROOTS: Sql = Sql("SELECT node_id, trash_id FROM team_folder WHERE space_id = $1 AND id = $2");

const RIGHTS_OF: Sql =
    Sql("SELECT group_id, permissions FROM team_folder_right WHERE space_id = $1 AND folder_id = $2");

const ALL: Sql = Sql("SELECT team_folder.id, team_folder.name, team_folder.node_id, team_folder.trash_id,
            team_folder.quota_bytes, node.size_bytes
       FROM team_folder JOIN node ON node.space_id = $1 AND node.id = team_folder.node_id
      WHERE team_folder.space_id = $1 ORDER BY team_folder.id");

const RIGHTS: Sql = Sql(
    "SELECT folder_id, group_id, permissions FROM team_folder_right WHERE space_id = $1 ORDER BY folder_id, group_id",
);

const COUNT: Sql = Sql("SELECT COUNT(*) FROM team_folder WHERE space_id = $1");

const INSERT: Sql = Sql("INSERT INTO team_folder (space_id, id, name, node_id, trash_id, quota_bytes, created_us)
     VALUES ($1, $2, $3, $4, $5, $6, $7)");

const FORGET_RIGHT: Sql = Sql("DELETE FROM team_folder_right WHERE space_id = $1 AND folder_id = $2 AND group_id = $3");

const INSERT_RIGHT: Sql =
    Sql("INSERT INTO team_folder_right (space_id, folder_id, group_id, permissions) VALUES ($1, $2, $3, $4)");

const QUOTA: Sql = Sql("SELECT quota_bytes FROM team_folder WHERE space_id = $1 AND id = $2");

const SET_QUOTA: Sql = Sql("UPDATE team_folder SET quota_bytes = $3 WHERE space_id = $1 AND id = $2");

const FORGET_RIGHTS: Sql = Sql("DELETE FROM team_folder_right WHERE space_id = $1 AND folder_id = $2");

const FORGET: Sql = Sql("DELETE FROM team_folder WHERE space_id = $1 AND id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[
    ROOT,
    ROOTS,
    RIGHTS_OF,
    ALL,
    RIGHTS,
    COUNT,
    INSERT,
    FORGET_RIGHT,
    INSERT_RIGHT,
    QUOTA,
    SET_QUOTA,
    FORGET_RIGHTS,
    FORGET,
];
