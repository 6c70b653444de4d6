//! Groups of accounts: what a space's members are put together in, to share with all of them at once. The group of
//! everyone is always there, has every account in it and is not changed.

use std::collections::HashMap;

use crate::account::{Account, account_columns, account_of};
use crate::audit::Act;
use crate::error::Error;
use crate::mount;
use crate::node::{AccountId, GroupId};
use crate::share::EVERYONE;
use crate::space::Space;
use crate::sql::{Connection, Row, Sql, Value, is_taken};
use crate::tx::Tx;

/// The longest name of a group, in characters: Nextcloud's.
const NAME_CHARS_MAX: usize = 64;
/// The longest name to show, in characters: Nextcloud's.
const DISPLAY_NAME_CHARS_MAX: usize = 255;
/// Names that stand for something else: whoever manages the space is in `admin` for Nextcloud's clients.
const RESERVED: [&str; 2] = [Group::EVERYONE_NAME, "admin"];

/// Accounts of a space, put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its number; no account of the space has the same.
    pub id: GroupId,
    /// The name that stands in URLs and never changes; unique whatever its case.
    pub name: String,
    /// The name to show.
    pub display_name: String,
}

impl Group {
    /// The number of the group that every account is in.
    pub const EVERYONE: GroupId = GroupId(EVERYONE);
    /// Its name.
    pub const EVERYONE_NAME: &'static str = "everyone";

    /// The group that every account is in, also those that come later.
    pub fn everyone() -> Group {
        let name = Group::EVERYONE_NAME.to_owned();
        Group { id: Group::EVERYONE, name, display_name: "Everyone".to_owned() }
    }

    /// Whether every account is in it.
    pub fn is_everyone(&self) -> bool {
        self.id == Group::EVERYONE
    }
}

impl Space {
    /// All groups by number, everyone's first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn groups(&self) -> Result<Vec<Group>, Error> {
        with_everyone(&self.core().reader().await?.all(ALL, &[]).await?)
    }

    /// The group of that number.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn group(&self, id: GroupId) -> Result<Group, Error> {
        find(&mut *self.core().reader().await?, id).await
    }

    /// The group of that name, whatever its case.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn group_by_name(&self, name: &str) -> Result<Group, Error> {
        let key = name.to_lowercase();
        if key == Group::EVERYONE_NAME {
            return Ok(Group::everyone());
        }
        group_of(&self.core().reader().await?.maybe(BY_NAME, &[key.into()]).await?.ok_or(Error::NotFound)?)
    }

    /// The groups that the account is in, everyone's first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn groups_of(&self, account: AccountId) -> Result<Vec<Group>, Error> {
        with_everyone(&self.core().reader().await?.all(OF_ACCOUNT, &[account.into()]).await?)
    }

    /// The groups that each account is in, everyone's left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn memberships(&self) -> Result<HashMap<AccountId, Vec<GroupId>>, Error> {
        let mut memberships: HashMap<AccountId, Vec<GroupId>> = HashMap::new();
        for row in self.core().reader().await?.all(MEMBERSHIPS, &[]).await? {
            memberships.entry(AccountId(row.int(0)?)).or_default().push(GroupId(row.int(1)?));
        }
        Ok(memberships)
    }

    /// The accounts in the group, by number.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn members_of(&self, group: GroupId) -> Result<Vec<Account>, Error> {
        if group == Group::EVERYONE {
            return self.accounts().await;
        }
        let mut reader = self.core().reader().await?;
        find(&mut reader, group).await?;
        reader.all(MEMBERS, &[group.into()]).await?.iter().map(account_of).collect()
    }

    /// Makes a group with nobody in it. `display_name` empty: the name.
    ///
    /// # Errors
    /// [`Error::Exists`] for a name in use, [`Error::BadName`], [`Error::TooLarge`] at the space's number of groups.
    pub async fn create_group(&self, name: &str, display_name: &str) -> Result<Group, Error> {
        let display_name = if display_name.is_empty() { name } else { display_name };
        check_name(name)?;
        check_display_name(display_name)?;
        let (name, display_name) = (name.to_owned(), display_name.to_owned());
        let act = Act::of(name.as_str(), "made a group", "");
        let made = self.act(act, move |tx| Box::pin(create(tx, name, display_name))).await;
        made.map_err(|error| if is_taken(&error) { Error::Exists } else { error })
    }

    /// Gives a group another name to show.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::BadName`], [`Error::Forbidden`] for everyone's.
    pub async fn rename_group(&self, id: GroupId, display_name: &str) -> Result<Group, Error> {
        check_is_own(id)?;
        check_display_name(display_name)?;
        let display_name = display_name.to_owned();
        let act = Act::of(format!("group {id}"), "renamed a group", display_name.as_str());
        self.act_on_accounts(act, move |tx| Box::pin(rename(tx, id, display_name))).await
    }

    /// Deletes a group. What was shared with it is taken from those who saw it by nothing else.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] for everyone's.
    pub async fn delete_group(&self, id: GroupId) -> Result<(), Error> {
        check_is_own(id)?;
        let act = Act::of(self.group(id).await?.name, "deleted a group", "");
        self.act_on_accounts(act, move |tx| Box::pin(delete(tx, id))).await
    }

    /// Puts the account in the group; says whether it was not in it before.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] for everyone's.
    pub async fn add_to_group(&self, group: GroupId, account: AccountId) -> Result<bool, Error> {
        check_is_own(group)?;
        let act = Act::on(account, "added to a group", self.group(group).await?.name);
        self.act_on_accounts(act, move |tx| Box::pin(add(tx, group, account))).await
    }

    /// Takes the account out of the group; says whether it was in it.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a group, [`Error::Forbidden`] for everyone's.
    pub async fn remove_from_group(&self, group: GroupId, account: AccountId) -> Result<bool, Error> {
        check_is_own(group)?;
        let act = Act::on(account, "removed from a group", self.group(group).await?.name);
        self.act_on_accounts(act, move |tx| Box::pin(remove(tx, group, account))).await
    }
}

fn check_is_own(group: GroupId) -> Result<(), Error> {
    if group == Group::EVERYONE { Err(Error::Forbidden("the group of everyone does not change")) } else { Ok(()) }
}

/// A name stands in paths and headers, whole.
fn check_name(name: &str) -> Result<(), Error> {
    let is_plain = !name.contains('/') && !name.contains('\\') && name.trim() == name && !name.starts_with('.');
    if !is_plain || !(1..=NAME_CHARS_MAX).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        let rule = format!("a group's name has 1 to {NAME_CHARS_MAX} characters, no slash, and no dot in front");
        return Err(Error::BadName(rule));
    }
    if RESERVED.contains(&name.to_lowercase().as_str()) { Err(Error::Exists) } else { Ok(()) }
}

fn check_display_name(name: &str) -> Result<(), Error> {
    if name.is_empty() || name.chars().count() > DISPLAY_NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(Error::BadName(format!("a name to show has 1 to {DISPLAY_NAME_CHARS_MAX} characters")));
    }
    Ok(())
}

async fn create(tx: &mut Tx, name: String, display_name: String) -> Result<Group, Error> {
    let limit = tx.core.limits.groups_max;
    if tx.row(COUNT, &[]).await?.count(0)? >= limit {
        return Err(Error::TooLarge { limit });
    }
    let id = GroupId(tx.fresh_id());
    let key = name.to_lowercase();
    let args = [id.into(), name.as_str().into(), key.into(), display_name.as_str().into(), tx.now().into()];
    tx.one(INSERT, &args).await?;
    Ok(Group { id, name, display_name })
}

async fn rename(tx: &mut Tx, id: GroupId, display_name: String) -> Result<Group, Error> {
    let group = find(&mut tx.connection, id).await?;
    tx.one(RENAME, &[id.into(), display_name.as_str().into()]).await?;
    Ok(Group { display_name, ..group })
}

async fn delete(tx: &mut Tx, id: GroupId) -> Result<(), Error> {
    find(&mut tx.connection, id).await?;
    tx.run(FORGET_MEMBERS, &[id.into()]).await?;
    mount::refresh_group(tx, id).await?;
    tx.run(FORGET_ANSWERS, &[id.into()]).await?;
    tx.run(FORGET_SHARES, &[id.into()]).await?;
    tx.run(FORGET_RIGHTS, &[id.into()]).await?;
    tx.one(DELETE, &[id.into()]).await
}

async fn add(tx: &mut Tx, group: GroupId, account: AccountId) -> Result<bool, Error> {
    find(&mut tx.connection, group).await?;
    tx.maybe(HAS_ACCOUNT, &[account.into()]).await?.ok_or(Error::NotFound)?;
    if tx.run(ADD, &[group.into(), account.into()]).await? == 0 {
        return Ok(false);
    }
    mount::refresh_group(tx, group).await?;
    Ok(true)
}

async fn remove(tx: &mut Tx, group: GroupId, account: AccountId) -> Result<bool, Error> {
    find(&mut tx.connection, group).await?;
    if tx.run(REMOVE, &[group.into(), account.into()]).await? == 0 {
        return Ok(false);
    }
    mount::refresh_group(tx, group).await?;
    Ok(true)
}

async fn find(connection: &mut Connection, id: GroupId) -> Result<Group, Error> {
    if id == Group::EVERYONE {
        return Ok(Group::everyone());
    }
    let id: Value = id.into();
    group_of(&connection.maybe(BY_ID, &[id]).await?.ok_or(Error::NotFound)?)
}

fn group_of(row: &Row) -> Result<Group, Error> {
    Ok(Group { id: GroupId(row.int(0)?), name: row.text(1)?, display_name: row.text(2)? })
}

fn with_everyone(rows: &[Row]) -> Result<Vec<Group>, Error> {
    std::iter::once(Ok(Group::everyone())).chain(rows.iter().map(group_of)).collect()
}

const ALL: Sql = Sql("SELECT id, name, display_name FROM account_group WHERE space_id = $1 ORDER BY id");

const BY_ID: Sql = Sql("SELECT id, name, display_name FROM account_group WHERE space_id = $1 AND id = $2");

const BY_NAME: Sql = Sql("SELECT id, name, display_name FROM account_group WHERE space_id = $1 AND name_key = $2");

const OF_ACCOUNT: Sql = Sql("SELECT account_group.id, account_group.name, account_group.display_name
       FROM membership
       JOIN account_group ON account_group.space_id = $1 AND account_group.id = membership.group_id
      WHERE membership.space_id = $1 AND membership.account_id = $2
      ORDER BY account_group.id");

const MEMBERSHIPS: Sql =
    Sql("SELECT account_id, group_id FROM membership WHERE space_id = $1 ORDER BY account_id, group_id");

const MEMBERS: Sql = Sql(concat!(
    "SELECT ",
    account_columns!(),
    " FROM membership
       JOIN account ON account.space_id = $1 AND account.id = membership.account_id
      WHERE membership.space_id = $1 AND membership.group_id = $2 AND account.departed_us IS NULL
      ORDER BY account.id"
));

const COUNT: Sql = Sql("SELECT COUNT(*) FROM account_group WHERE space_id = $1");

const INSERT: Sql = Sql("INSERT INTO account_group (space_id, id, name, name_key, display_name, created_us)
     VALUES ($1, $2, $3, $4, $5, $6)");

const RENAME: Sql = Sql("UPDATE account_group SET display_name = $3 WHERE space_id = $1 AND id = $2");

const HAS_ACCOUNT: Sql = Sql("SELECT id FROM account WHERE space_id = $1 AND id = $2");

const ADD: Sql = Sql("INSERT INTO membership (space_id, group_id, account_id) VALUES ($1, $2, $3)
     ON CONFLICT (space_id, group_id, account_id) DO NOTHING");

const REMOVE: Sql = Sql("DELETE FROM membership WHERE space_id = $1 AND group_id = $2 AND account_id = $3");

const FORGET_MEMBERS: Sql = Sql("DELETE FROM membership WHERE space_id = $1 AND group_id = $2");

const FORGET_ANSWERS: Sql = Sql("DELETE FROM share_answer WHERE space_id = $1 AND share_id IN
     (SELECT id FROM share WHERE space_id = $1 AND share_type = 1 AND sharee_id = $2)");

const FORGET_SHARES: Sql = Sql("DELETE FROM share WHERE space_id = $1 AND share_type = 1 AND sharee_id = $2");

const FORGET_RIGHTS: Sql = Sql("DELETE FROM team_folder_right WHERE space_id = $1 AND group_id = $2");

const DELETE: Sql = Sql("DELETE FROM account_group WHERE space_id = $1 AND id = $2");

/// Takes an account out of all its groups.
pub(crate) const FORGET: Sql = Sql("DELETE FROM membership WHERE space_id = $1 AND account_id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[
    ALL,
    BY_ID,
    BY_NAME,
    OF_ACCOUNT,
    MEMBERSHIPS,
    MEMBERS,
    COUNT,
    INSERT,
    RENAME,
    HAS_ACCOUNT,
    ADD,
    REMOVE,
    FORGET_MEMBERS,
    FORGET_ANSWERS,
    FORGET_SHARES,
    FORGET_RIGHTS,
    DELETE,
    FORGET,
];
