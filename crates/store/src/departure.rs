//! A member who leaves: what she held is handed over to another member, or kept for a while, or gone for good.
//!
//! Handing over moves trees as they are: every file keeps its number, its versions and what is shared of it. It is one
//! change, so that there is no half of it.

use std::sync::atomic::Ordering;

use crate::account::{self, Account, account_columns, account_of, make_root, taken_as_exists};
use crate::area;
use crate::audit::Act;
use crate::collection::{Area, CollectionKind};
use crate::error::Error;
use crate::look_up;
use crate::mount;
use crate::node::{AccountId, FileId, Node};
use crate::path::NAME_BYTES_MAX;
use crate::row::{node_columns, node_of};
use crate::space::Space;
use crate::sql::Sql;
use crate::tx::{Tx, signed};

/// What becomes of what an account held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It is kept for [`crate::Limits::departed_days`], and comes back with [`Space::restore_account`].
    Kept,
    /// It is another account's from now on: files in a folder of their own, calendars and address books beside the
    /// other's, what was shared still shared.
    HandedOver(AccountId),
    /// It is gone at once.
    Gone,
}

const DELETED: &str = "deleted an account";

impl Space {
    /// Ends an account: nothing of it works any more, on any route.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the account or who is to have what it held, [`Error::Invalid`] if both are one.
    pub async fn end_account(&self, id: AccountId, departure: Departure) -> Result<(), Error> {
        match departure {
            Departure::Kept => {
                let act = Act::on(id, DELETED, "kept for a while");
                self.act_on_accounts(act, move |tx| Box::pin(keep(tx, id))).await
            }
            Departure::HandedOver(heir) => {
                let act = Act::on(id, DELETED, format!("handed over to account {heir}"));
                self.act_on_accounts(act, move |tx| Box::pin(hand_over(tx, id, heir))).await
            }
            Departure::Gone => {
                let act = Act::on(id, DELETED, "for good");
                self.act_on_accounts(act, move |tx| Box::pin(account::delete(tx, id))).await
            }
        }
    }

    /// Accounts that were deleted and whose things are still kept, by number.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn departed_accounts(&self) -> Result<Vec<Account>, Error> {
        self.core().reader().await?.all(DEPARTED, &[]).await?.iter().map(account_of).collect()
    }

    /// Takes a deletion back. The account logs in by its password; its devices have to be connected again.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account that was not deleted, [`Error::Exists`] when its login or mail address was
    /// given to another since, [`Error::TooLarge`] at the space's number of accounts.
    pub async fn restore_account(&self, id: AccountId) -> Result<Account, Error> {
        let act = Act::on(id, "restored an account", "");
        let restored = self.act_on_accounts(act, move |tx| Box::pin(restore(tx, id))).await;
        restored.map_err(taken_as_exists)
    }
}

/// Its login and mail address are free at once; its rows stay.
async fn keep(tx: &mut Tx, id: AccountId) -> Result<(), Error> {
    let account = account::by_id(tx, id).await?;
    if account.departed.is_some() {
        return Err(Error::NotFound);
    }
    account::forget_access(tx, id).await?;
    // No login has a space in it.
    let key = format!("departed {id}");
    tx.one(DEPART, &[id.into(), key.into(), tx.now().into()]).await
}

async fn restore(tx: &mut Tx, id: AccountId) -> Result<Account, Error> {
    let account = account::by_id(tx, id).await?;
    account.departed.ok_or(Error::NotFound)?;
    let limit = tx.core.max_accounts.load(Ordering::Relaxed);
    if account::count(tx).await? >= limit {
        return Err(Error::TooLarge { limit });
    }
    let email_key = account.email.as_deref().map(str::to_lowercase);
    tx.one(RETURN, &[id.into(), account.login.to_lowercase().into(), email_key.into()]).await?;
    account::by_id(tx, id).await
}

/// The accounts whose time is over end for good; says how many.
pub(crate) async fn expire(tx: &mut Tx) -> Result<usize, Error> {
    let before = tx.now().plus_seconds(-tx.core.limits.departed_days * 24 * 3600);
    let over = tx.all(OVER, &[before.into()]).await?;
    for row in &over {
        account::delete(tx, AccountId(row.int(0)?)).await?;
    }
    Ok(over.len())
}

async fn hand_over(tx: &mut Tx, id: AccountId, heir: AccountId) -> Result<(), Error> {
    let (from, to) = (account::by_id(tx, id).await?, account::by_id(tx, heir).await?);
    if to.departed.is_some() {
        return Err(Error::NotFound);
    }
    if id == heir {
        return Err(Error::Invalid("nobody hands over to herself".to_owned()));
    }
    tx.advance();
    mount::hand_over(tx, id, heir).await?;
    hand_over_files(tx, &from, &to).await?;
    for area in [Area::Calendars, Area::AddressBooks] {
        tx.advance();
        hand_over_collections(tx, &from, &to, area).await?;
    }
    account::delete(tx, id).await?;
    // What comes to the heir is not refused because it is much: it would be lost.
    tx.grown.clear();
    Ok(())
}

/// The whole home becomes a folder in the heir's; the account gets an empty one in its place, to end with.
async fn hand_over_files(tx: &mut Tx, from: &Account, to: &Account) -> Result<(), Error> {
    if tx.row(COUNT_MEMBERS, &[from.home.into(), from.trash.into()]).await?.count(0)? == 0 {
        return Ok(());
    }
    let name = free_name(tx, to.home, &folder_name(from)).await?;
    let home = look_up::node(&mut tx.connection, from.home).await?;
    move_to(tx, &home, to.home, &name).await?;
    let empty = make_root(tx, format!("home {}", from.id)).await?;
    tx.one(SET_HOME, &[from.id.into(), empty.into()]).await?;
    tx.run(SET_TRASH_PATHS, &[from.trash.into(), format!("{name}/").into()]).await?;
    hand_over_trash(tx, from.trash, to, to.trash).await
}

/// What its owner is called, as a name of a folder.
fn folder_name(account: &Account) -> String {
    let plain = |c: char| if c == '/' || c == '\\' || c.is_control() { ' ' } else { c };
    let mut name: String = account.display_name.chars().map(plain).collect::<String>().trim().to_owned();
    while name.len() > NAME_BYTES_MAX - account.login.len() - 3 {
        name.pop();
    }
    match name.trim_start_matches('.').trim() {
        "" => account.login.clone(),
        name if name.eq_ignore_ascii_case(&account.login) => name.to_owned(),
        name => format!("{name} ({})", account.login),
    }
}

/// Calendars and address books go beside the heir's own; inbox, outbox and what the server makes do not.
async fn hand_over_collections(tx: &mut Tx, from: &Account, to: &Account, area: Area) -> Result<(), Error> {
    let Some((root, trash)) = area::roots(&mut tx.connection, from.id, area).await? else { return Ok(()) };
    let (heirs_root, heirs_trash) = area::make_home(tx, to.id, area).await?;
    for row in tx.all(COLLECTIONS, &[root.into()]).await? {
        let collection = node_of(&row)?;
        let is_bound = |kind: &CollectionKind| {
            kind.is_fixed() || matches!(kind, CollectionKind::Birthdays | CollectionKind::MemberDirectory)
        };
        if collection.collection.as_deref().is_some_and(is_bound) {
            continue;
        }
        tx.advance();
        let name = free_name(tx, heirs_root, &format!("{}_{}", collection.name, from.login)).await?;
        tx.touch(root, -signed(collection.size_bytes)).await?;
        move_to(tx, &collection, heirs_root, &name).await?;
    }
    tx.run(SET_TRASH_PARENTS, &[root.into(), heirs_root.into()]).await?;
    hand_over_trash(tx, trash, to, heirs_trash).await
}

/// Deleted things stay deleted, and can be had back by the heir.
async fn hand_over_trash(tx: &mut Tx, trash: FileId, to: &Account, heirs_trash: FileId) -> Result<(), Error> {
    let size = signed(look_up::node(&mut tx.connection, trash).await?.size_bytes);
    tx.run(SET_TRASH_OWNER, &[trash.into(), to.id.into()]).await?;
    tx.run(MOVE_TRASH, &[trash.into(), heirs_trash.into()]).await?;
    // What is left has a name that the heir's trash has too.
    for row in tx.all(MEMBERS, &[trash.into()]).await? {
        let node = node_of(&row)?;
        let name = free_name(tx, heirs_trash, &node.name).await?;
        tx.one(MOVE, &[node.id.into(), heirs_trash.into(), name.into()]).await?;
        tx.run(FORGET_TRASH_VIEWS, &[node.id.into()]).await?;
    }
    tx.run(FORGET_HEIRS_VIEWS, &[heirs_trash.into(), to.id.into()]).await?;
    tx.touch(trash, -size).await?;
    tx.touch(heirs_trash, size).await
}

async fn move_to(tx: &mut Tx, node: &Node, parent: FileId, name: &str) -> Result<(), Error> {
    tx.one(MOVE, &[node.id.into(), parent.into(), name.into()]).await?;
    tx.touch(parent, signed(node.size_bytes)).await?;
    tx.log(parent, name, node.id, true).await
}

/// The name, or where that is taken one like it.
async fn free_name(tx: &mut Tx, folder: FileId, wanted: &str) -> Result<String, Error> {
    let mut name = wanted.to_owned();
    let mut number = 1;
    while look_up::is_taken(&mut tx.connection, folder, &name).await?.is_some() {
        number += 1;
        let suffix = format!("-{number}");
        let mut stem = wanted.to_owned();
        while stem.len() + suffix.len() > NAME_BYTES_MAX && stem.pop().is_some() {}
        name = format!("{stem}{suffix}");
    }
    Ok(name)
}

const DEPARTED: Sql = Sql(concat!(
    "SELECT ",
    account_columns!(),
    " FROM account WHERE space_id = $1 AND departed_us IS NOT NULL ORDER BY id"
));

const DEPART: Sql = Sql("UPDATE account
        SET login_key = $3, email_key = NULL, is_enabled = 0, departed_us = $4
      WHERE space_id = $1 AND id = $2");

const RETURN: Sql = Sql("UPDATE account
        SET login_key = $3, email_key = $4, is_enabled = 1, departed_us = NULL
      WHERE space_id = $1 AND id = $2");

const OVER: Sql = Sql("SELECT id FROM account WHERE space_id = $1 AND departed_us IS NOT NULL AND departed_us < $2");

const COUNT_MEMBERS: Sql = Sql("SELECT COUNT(*) FROM node WHERE space_id = $1 AND parent_id IN ($2, $3)");

const SET_HOME: Sql = Sql("UPDATE account SET home_id = $3 WHERE space_id = $1 AND id = $2");

const COLLECTIONS: Sql = Sql(concat!(
    "SELECT ",
    node_columns!(),
    " FROM node WHERE space_id = $1 AND parent_id = $2 AND collection IS NOT NULL ORDER BY id"
));

const MEMBERS: Sql =
    Sql(concat!("SELECT ", node_columns!(), " FROM node WHERE space_id = $1 AND parent_id = $2 ORDER BY id"));

const SET_TRASH_PATHS: Sql = Sql("UPDATE trash SET original_path = $3 || original_path
      WHERE space_id = $1 AND node_id IN (SELECT node.id FROM node WHERE node.space_id = $1 AND node.parent_id = $2)");

const SET_TRASH_PARENTS: Sql =
    Sql("UPDATE trash SET original_parent_id = $3 WHERE space_id = $1 AND original_parent_id = $2");

const SET_TRASH_OWNER: Sql = Sql("UPDATE trash SET account_id = $3
      WHERE space_id = $1 AND node_id IN (SELECT node.id FROM node WHERE node.space_id = $1 AND node.parent_id = $2)");

const MOVE_TRASH: Sql = Sql("UPDATE node SET parent_id = $3
      WHERE space_id = $1 AND parent_id = $2
        AND NOT EXISTS (SELECT 1 FROM node AS taken
                         WHERE taken.space_id = $1 AND taken.parent_id = $3 AND taken.name = node.name)");

const FORGET_TRASH_VIEWS: Sql = Sql("DELETE FROM trash_view WHERE space_id = $1 AND node_id = $2");

const FORGET_HEIRS_VIEWS: Sql = Sql("DELETE FROM trash_view WHERE space_id = $1 AND account_id = $3
        AND node_id IN (SELECT node.id FROM node WHERE node.space_id = $1 AND node.parent_id = $2)");

const MOVE: Sql = Sql("UPDATE node SET parent_id = $3, name = $4 WHERE space_id = $1 AND id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[
    DEPARTED,
    DEPART,
    RETURN,
    OVER,
    COUNT_MEMBERS,
    SET_HOME,
    COLLECTIONS,
    MEMBERS,
    SET_TRASH_PATHS,
    SET_TRASH_PARENTS,
    SET_TRASH_OWNER,
    MOVE_TRASH,
    FORGET_TRASH_VIEWS,
    FORGET_HEIRS_VIEWS,
    MOVE,
];
