//! Mounts come and go with the shares behind them: in the homes of those who may see a node, and in no other.

use crate::area;
use crate::collection::Area;
use crate::error::Error;
use crate::look_up;
use crate::node::{AccountId, FileId, GroupId};
use crate::path::NAME_BYTES_MAX;
use crate::permissions::Permissions;
use crate::share::{EVERYONE, mounts_of, permissions_of};
use crate::sql::Sql;
use crate::tx::Tx;

/// A node that is shared, and by whom.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) node: FileId,
    pub(crate) name: String,
    pub(crate) owner: AccountId,
    pub(crate) owner_login: String,
    pub(crate) area: Area,
}

/// Makes the account's mount of the node what its shares say: gone, or with these rights. It is made only where
/// `may_appear`: who has left a share stays away when somebody else's part of it changes.
pub(crate) async fn refresh(tx: &mut Tx, shared: &Shared, account: AccountId, may_appear: bool) -> Result<(), Error> {
    let granted = granted(tx, shared.node, account).await?;
    let mount = tx.maybe(MOUNT, &[shared.node.into(), account.into()]).await?;
    let mount = mount.map(|row| Ok::<_, Error>((FileId(row.int(0)?), row.int(1)?))).transpose()?;
    match (granted, mount) {
        (None, Some((mount, _))) => unmount(tx, mount).await,
        (Some(granted), Some((mount, held))) if i64::from(granted.bits()) != held => {
            tx.one(SET_PERMISSIONS, &[mount.into(), granted.into()]).await?;
            let row = tx.row(PLACE, &[mount.into()]).await?;
            tx.touch(mount, 0).await?;
            tx.log(FileId(row.int(0)?), &row.text(1)?, mount, false).await
        }
        (Some(granted), None) if may_appear && account != shared.owner => {
            match area::roots(&mut tx.connection, account, shared.area).await? {
                Some((home, _)) => insert(tx, shared, account, home, granted).await,
                // The home does not exist yet; `mount_all` runs when it is made.
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// All that the shares of the node let the account do; `None` without any.
async fn granted(tx: &mut Tx, node: FileId, account: AccountId) -> Result<Option<Permissions>, Error> {
    let mut granted = None;
    for row in tx.all(GRANTED, &[node.into(), account.into()]).await? {
        granted = Some(granted.unwrap_or(Permissions::NONE) | permissions_of(&row, 1, "share")?);
    }
    Ok(granted)
}

/// Mounts everything that is shared with the account in a home that was just made.
pub(crate) async fn mount_all(tx: &mut Tx, account: AccountId, area: Area) -> Result<(), Error> {
    for row in tx.all(SHARED_WITH, &[account.into(), area.name().into()]).await? {
        if let Some(shared) = shared(tx, FileId(row.int(0)?)).await? {
            tx.advance();
            refresh(tx, &shared, account, true).await?;
        }
    }
    Ok(())
}

/// Mounts or takes away what is shared with the group, for accounts that came to it (`may_appear`) or left it.
pub(crate) async fn refresh_group(
    tx: &mut Tx,
    group: GroupId,
    accounts: &[AccountId],
    may_appear: bool,
) -> Result<(), Error> {
    for row in tx.all(SHARED_WITH_GROUP, &[group.into()]).await? {
        if let Some(shared) = shared(tx, FileId(row.int(0)?)).await? {
            for account in accounts {
                tx.advance();
                refresh(tx, &shared, *account, may_appear).await?;
            }
        }
    }
    Ok(())
}

/// The node as what is shared; `None` if it is not, or not in its owner's tree.
pub(crate) async fn shared(tx: &mut Tx, node: FileId) -> Result<Option<Shared>, Error> {
    let Some(row) = tx.maybe(SHARED, &[node.into()]).await? else { return Ok(None) };
    let area = row.text(2)?;
    let area = Area::of_name(&area).ok_or(Error::Corrupt { table: "share", column: "area", id: node.0 })?;
    let owner = AccountId(row.int(0)?);
    let Some((root, _)) = area::roots(&mut tx.connection, owner, area).await? else { return Ok(None) };
    let is_there = look_up::upwards(&mut tx.connection, node).await?.contains(&root);
    Ok(match is_there {
        true => Some(Shared { node, name: row.text(3)?, owner, owner_login: row.text(1)?, area }),
        false => None,
    })
}

/// Takes away every mount of `top` and of what lies below it, which leaves its owner's tree; the shares stay.
pub(crate) async fn unmount_below(tx: &mut Tx, top: FileId) -> Result<(), Error> {
    if tx.counters.mount_count == 0 {
        return Ok(());
    }
    for row in tx.all(TARGETS, &[]).await? {
        let target = FileId(row.int(0)?);
        if look_up::upwards(&mut tx.connection, target).await?.contains(&top) {
            for (mount, _) in mounts_of(&mut tx.connection, target).await? {
                unmount(tx, mount).await?;
            }
        }
    }
    Ok(())
}

/// Mounts again what [`unmount_below`] took away.
pub(crate) async fn remount_below(tx: &mut Tx, top: FileId) -> Result<(), Error> {
    for row in tx.all(SHARES, &[]).await? {
        let node = FileId(row.int(0)?);
        if !look_up::upwards(&mut tx.connection, node).await?.contains(&top) {
            continue;
        }
        if let Some(shared) = shared(tx, node).await? {
            for account in sharees(tx, row.int(1)?).await? {
                refresh(tx, &shared, account, true).await?;
            }
        }
    }
    Ok(())
}

/// The accounts that a share's number means.
pub(crate) async fn sharees(tx: &mut Tx, number: i64) -> Result<Vec<AccountId>, Error> {
    match number {
        EVERYONE => tx.all(ACCOUNTS, &[]).await?.iter().map(|row| row.int(0).map(AccountId)).collect(),
        number => Ok(vec![AccountId(number)]),
    }
}

/// Takes the mount out of its tree.
pub(crate) async fn unmount(tx: &mut Tx, mount: FileId) -> Result<(), Error> {
    let row = tx.row(PLACE, &[mount.into()]).await?;
    let (home, name) = (FileId(row.int(0)?), row.text(1)?);
    for forget in [FORGET_PROPERTIES, FORGET_MOUNT, FORGET_NODE] {
        tx.run(forget, &[mount.into()]).await?;
    }
    tx.counters.mount_count -= 1;
    tx.touch(home, 0).await?;
    tx.log(home, &name, mount, true).await
}

/// What the account holds of others, and what others hold of it, ends with it.
pub(crate) async fn forget_account(tx: &mut Tx, account: AccountId) -> Result<(), Error> {
    tx.advance();
    for row in tx.all(MOUNTS_WITH, &[account.into()]).await? {
        unmount(tx, FileId(row.int(0)?)).await?;
    }
    tx.run(FORGET_SHARES, &[account.into()]).await?;
    tx.run(FORGET_LINKS, &[account.into()]).await?;
    tx.run(FORGET_PUBLICATIONS, &[account.into()]).await.map(drop)
}

/// What the account held of others ends; what others hold of it they hold of the heir, who holds it whole.
pub(crate) async fn hand_over(tx: &mut Tx, account: AccountId, heir: AccountId) -> Result<(), Error> {
    for row in tx.all(MOUNTS_OF_ACCOUNT, &[account.into(), heir.into()]).await? {
        unmount(tx, FileId(row.int(0)?)).await?;
    }
    tx.run(FORGET_SHARES_WITH, &[account.into(), heir.into()]).await?;
    for give in [GIVE_SHARES, GIVE_MOUNTS, GIVE_LINKS, GIVE_PUBLICATIONS] {
        tx.run(give, &[account.into(), heir.into()]).await?;
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    shared: &Shared,
    account: AccountId,
    home: FileId,
    permissions: Permissions,
) -> Result<(), Error> {
    let name = free_name(tx, shared, home).await?;
    let id = FileId(tx.fresh_id());
    let args = [id.into(), home.into(), name.as_str().into(), tx.etag().into(), tx.now().into(), shared.node.into()];
    tx.one(INSERT_NODE, &args).await?;
    let args = [id.into(), shared.node.into(), account.into(), shared.owner.into(), permissions.into()];
    tx.one(INSERT_MOUNT, &args).await?;
    tx.counters.mount_count += 1;
    tx.touch(home, 0).await?;
    tx.log(home, &name, id, true).await
}

/// The name under which Nextcloud's clients know a share, made different where it is taken.
async fn free_name(tx: &mut Tx, shared: &Shared, home: FileId) -> Result<String, Error> {
    for number in 1.. {
        let suffix = match number {
            1 => format!("_shared_by_{}", shared.owner_login),
            number => format!("_shared_by_{}-{number}", shared.owner_login),
        };
        let mut name = shared.name.clone();
        while name.len() + suffix.len() > NAME_BYTES_MAX {
            name.pop();
        }
        name.push_str(&suffix);
        if look_up::is_taken(&mut tx.connection, home, &name).await?.is_none() {
            return Ok(name);
        }
    }
    Err(Error::Exists)
}

const GRANTED: Sql = Sql("SELECT node_id, permissions FROM share
      WHERE space_id = $1 AND node_id = $2 AND account_id IN ($3, 0)");

const MOUNT: Sql =
    Sql("SELECT node_id, permissions FROM mount WHERE space_id = $1 AND target_id = $2 AND account_id = $3");

const SET_PERMISSIONS: Sql = Sql("UPDATE mount SET permissions = $3 WHERE space_id = $1 AND node_id = $2");

const PLACE: Sql = Sql("SELECT parent_id, name FROM node WHERE space_id = $1 AND id = $2");

const SHARED_WITH: Sql = Sql("SELECT DISTINCT node_id FROM share
      WHERE space_id = $1 AND account_id IN ($2, 0) AND owner_id <> $2 AND area = $3 ORDER BY node_id");

const SHARED_WITH_GROUP: Sql =
    Sql("SELECT DISTINCT node_id FROM share WHERE space_id = $1 AND account_id = $2 ORDER BY node_id");

const SHARED: Sql = Sql("SELECT share.owner_id, account.login, share.area, node.name
       FROM share
       JOIN node ON node.space_id = $1 AND node.id = share.node_id
       JOIN account ON account.space_id = $1 AND account.id = share.owner_id
      WHERE share.space_id = $1 AND share.node_id = $2 LIMIT 1");

const TARGETS: Sql = Sql("SELECT DISTINCT target_id FROM mount WHERE space_id = $1");

const SHARES: Sql = Sql("SELECT node_id, account_id FROM share WHERE space_id = $1 ORDER BY node_id, account_id");

const ACCOUNTS: Sql = Sql("SELECT id FROM account WHERE space_id = $1 ORDER BY id");

const MOUNTS_WITH: Sql =
    Sql("SELECT node_id FROM mount WHERE space_id = $1 AND (account_id = $2 OR owner_id = $2) ORDER BY node_id");

const MOUNTS_OF_ACCOUNT: Sql = Sql("SELECT node_id FROM mount
      WHERE space_id = $1 AND (account_id = $2 OR (owner_id = $2 AND account_id = $3)) ORDER BY node_id");

const FORGET_SHARES_WITH: Sql =
    Sql("DELETE FROM share WHERE space_id = $1 AND (account_id = $2 OR (owner_id = $2 AND account_id = $3))");

const GIVE_SHARES: Sql = Sql("UPDATE share SET owner_id = $3 WHERE space_id = $1 AND owner_id = $2");

const GIVE_MOUNTS: Sql = Sql("UPDATE mount SET owner_id = $3 WHERE space_id = $1 AND owner_id = $2");

const GIVE_LINKS: Sql = Sql("UPDATE link SET account_id = $3 WHERE space_id = $1 AND account_id = $2");

const GIVE_PUBLICATIONS: Sql = Sql("UPDATE publication SET owner_id = $3 WHERE space_id = $1 AND owner_id = $2");

const INSERT_NODE: Sql =
    Sql("INSERT INTO node (space_id, id, parent_id, name, is_folder, etag, size_bytes, modified_us,
                       created_us, uploaded_us, target_id)
     VALUES ($1, $2, $3, $4, 1, $5, 0, $6, $6, $6, $7)");

const INSERT_MOUNT: Sql = Sql("INSERT INTO mount (space_id, node_id, target_id, account_id, owner_id, permissions)
     VALUES ($1, $2, $3, $4, $5, $6)");

const FORGET_PROPERTIES: Sql = Sql("DELETE FROM dead_property WHERE space_id = $1 AND node_id = $2");

const FORGET_MOUNT: Sql = Sql("DELETE FROM mount WHERE space_id = $1 AND node_id = $2");

const FORGET_NODE: Sql = Sql("DELETE FROM node WHERE space_id = $1 AND id = $2");

const FORGET_SHARES: Sql = Sql("DELETE FROM share WHERE space_id = $1 AND (account_id = $2 OR owner_id = $2)");

const FORGET_PUBLICATIONS: Sql = Sql("DELETE FROM publication WHERE space_id = $1 AND owner_id = $2");

const FORGET_LINKS: Sql = Sql("DELETE FROM link WHERE space_id = $1 AND account_id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[
    GRANTED,
    MOUNT,
    SET_PERMISSIONS,
    PLACE,
    SHARED_WITH,
    SHARED_WITH_GROUP,
    SHARED,
    TARGETS,
    SHARES,
    ACCOUNTS,
    MOUNTS_WITH,
    MOUNTS_OF_ACCOUNT,
    FORGET_SHARES_WITH,
    GIVE_SHARES,
    GIVE_MOUNTS,
    GIVE_LINKS,
    GIVE_PUBLICATIONS,
    INSERT_NODE,
    INSERT_MOUNT,
    FORGET_PROPERTIES,
    FORGET_MOUNT,
    FORGET_NODE,
    FORGET_SHARES,
    FORGET_LINKS,
    FORGET_PUBLICATIONS,
];
