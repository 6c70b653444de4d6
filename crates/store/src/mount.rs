//! Mounts come and go with the shares behind them: in the homes of those who may see a node, and in no other.

use std::collections::hash_map::Entry::Vacant;
use std::collections::{BTreeMap, HashMap};

use crate::collection::Area;
use crate::error::Error;
use crate::grant;
use crate::lock;
use crate::look_up;
use crate::node::{AccountId, FileId, GroupId};
use crate::notification::NotificationKind;
use crate::path::NAME_BYTES_MAX;
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::share::EVERYONE;
use crate::sql::{Sql, Value};
use crate::tx::Tx;

/// How an account is to hold a node of somebody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) area: Area,
    pub(crate) permissions: Permissions,
    /// When it has to be looked at again.
    pub(crate) expires: Option<Timestamp>,
    pub(crate) note: String,
    pub(crate) attributes: Option<String>,
}

/// The trees of a space by whose they are.
struct Roots(HashMap<(AccountId, Area), FileId>);

/// A node that is to be mounted.
struct Target {
    name: String,
    is_folder: bool,
    owner_login: String,
}

/// Makes the mounts of what `owner` has exactly those that are wanted. `team`: the root and name of a team folder that
/// is its own owner.
pub(crate) async fn make(
    tx: &mut Tx,
    owner: AccountId,
    team: Option<(FileId, String)>,
    mut wanted: BTreeMap<(FileId, AccountId), Wanted>,
) -> Result<(), Error> {
    let mut has_shrunk = false;
    for row in tx.all(OF_OWNER, &[owner.into()]).await? {
        let (mount, key) = (FileId(row.int(0)?), (FileId(row.int(1)?), AccountId(row.int(2)?)));
        let Some(wanted) = wanted.remove(&key) else {
            unmount(tx, mount).await?;
            has_shrunk = true;
            continue;
        };
        let held = (row.int(3)?, row.maybe_int(4)?, row.maybe_text(5)?.unwrap_or_default(), row.maybe_text(6)?);
        let Wanted { permissions, expires, note, attributes, .. } = wanted;
        if held != (permissions.bits().into(), expires.map(|at| at.0), note.clone(), attributes.clone()) {
            has_shrunk |= !permissions.includes(Permissions::UPDATE);
            let expires = expires.map(|at| at.0);
            let args = [mount.into(), permissions.into(), expires.into(), note.into(), attributes.into()];
            tx.one(UPDATE, &args).await?;
            let row = tx.row(PLACE, &[mount.into()]).await?;
            tx.touch_quietly(mount).await?;
            tx.log(FileId(row.int(0)?), &row.text(1)?, mount, false).await?;
        }
    }
    if has_shrunk {
        lock::forget_groundless(tx).await?;
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let roots = Roots::load(tx).await?;
    let mut targets: HashMap<FileId, Option<Target>> = HashMap::new();
    for ((node, account), wanted) in wanted {
        // A home that does not exist yet gets its mounts when it is made.
        let Some(home) = roots.0.get(&(account, wanted.area)).copied() else { continue };
        if let Vacant(place) = targets.entry(node) {
            let root = team.as_ref().map(|(root, _)| *root).or_else(|| roots.0.get(&(owner, wanted.area)).copied());
            let mut target = target(tx, node, owner, root).await?;
            if let (Some(target), Some((_, name))) = (&mut target, team.as_ref().filter(|(root, _)| *root == node)) {
                target.name.clone_from(name);
            }
            place.insert(target);
        }
        if let Some(Some(target)) = targets.get(&node) {
            insert(tx, (node, target), (account, owner), home, &wanted).await?;
        }
    }
    Ok(())
}

impl Roots {
    async fn load(tx: &mut Tx) -> Result<Roots, Error> {
        let mut roots = HashMap::new();
        for row in tx.all(HOMES, &[]).await? {
            roots.insert((AccountId(row.int(0)?), Area::Files), FileId(row.int(1)?));
        }
        for row in tx.all(ROOTS, &[]).await? {
            if let Some(area) = Area::of_name(&row.text(1)?) {
                roots.insert((AccountId(row.int(0)?), area), FileId(row.int(2)?));
            }
        }
        Ok(Roots(roots))
    }
}

/// The node as what is mounted; `None` if it is not in its owner's tree, but in the trash or gone.
async fn target(tx: &mut Tx, node: FileId, owner: AccountId, root: Option<FileId>) -> Result<Option<Target>, Error> {
    let is_there = match root {
        Some(root) => look_up::upwards(&mut tx.connection, node).await?.contains(&root),
        None => false,
    };
    if !is_there {
        return Ok(None);
    }
    let row = tx.row(TARGET, &[node.into(), owner.into()]).await?;
    let owner_login = row.maybe_text(2)?.unwrap_or_default();
    Ok(Some(Target { name: row.text(0)?, is_folder: row.truth(1)?, owner_login }))
}

/// Mounts what is shared with the account in a home that was just made.
pub(crate) async fn mount_all(tx: &mut Tx, account: AccountId) -> Result<(), Error> {
    let mut sharees = vec![account.0, EVERYONE];
    for row in tx.all(GROUPS_OF, &[account.into()]).await? {
        sharees.push(row.int(0)?);
    }
    grant::settle_with(tx, &sharees).await
}

/// Mounts or takes away what is shared with the group, whose members are others than before.
pub(crate) async fn refresh_group(tx: &mut Tx, group: GroupId) -> Result<(), Error> {
    grant::settle_with(tx, &[group.0]).await
}

/// Takes away every mount of `top` and of what lies below it, which leaves its owner's tree; the shares stay. What its
/// owner had mounted in there goes back to the top of her home.
pub(crate) async fn unmount_below(tx: &mut Tx, top: FileId) -> Result<(), Error> {
    match tx.counters.mount_count {
        0 => Ok(()),
        _ => Box::pin(unmount_all_below(tx, top)).await,
    }
}

async fn unmount_all_below(tx: &mut Tx, top: FileId) -> Result<(), Error> {
    for row in tx.all(SHOWING_BELOW, &[top.into()]).await? {
        unmount(tx, FileId(row.int(0)?)).await?;
    }
    for row in tx.all(STANDING_BELOW, &[top.into()]).await? {
        bring_home(tx, FileId(row.int(0)?)).await?;
    }
    Ok(())
}

/// Whether anything is mounted below `top`.
pub(crate) async fn has_mounts_below(tx: &mut Tx, top: FileId) -> Result<bool, Error> {
    Ok(tx.counters.mount_count > 0 && !tx.all(STANDING_BELOW, &[top.into()]).await?.is_empty())
}

/// Mounts again what [`unmount_below`] took away.
pub(crate) async fn remount_below(tx: &mut Tx, top: FileId) -> Result<(), Error> {
    match owner_of(tx, top).await? {
        Some(owner) => grant::settle(tx, owner).await,
        None => Ok(()),
    }
}

/// In whose tree, or in which team folder, the node is.
pub(crate) async fn owner_of(tx: &mut Tx, node: FileId) -> Result<Option<AccountId>, Error> {
    let Some(root) = look_up::upwards(&mut tx.connection, node).await?.pop() else { return Ok(None) };
    tx.maybe(OWNER_OF_ROOT, &[root.into()]).await?.map(|row| row.int(0).map(AccountId)).transpose()
}

/// Moves a mount to the top of its account's home.
async fn bring_home(tx: &mut Tx, mount: FileId) -> Result<(), Error> {
    let row = tx.row(HOME_OF, &[mount.into()]).await?;
    let (home, parent, name, is_folder) = (FileId(row.int(0)?), FileId(row.int(1)?), row.text(2)?, row.truth(3)?);
    let free = free_name(tx, &numbered_stem(&name, is_folder), home).await?;
    tx.one(RELOCATE, &[mount.into(), home.into(), free.as_str().into()]).await?;
    tx.touch(parent, 0).await?;
    tx.log(parent, &name, mount, true).await?;
    tx.touch(home, 0).await?;
    tx.log(home, &free, mount, true).await
}

/// Takes the mount out of its tree, and what its account was told of it.
pub(crate) async fn unmount(tx: &mut Tx, mount: FileId) -> Result<(), Error> {
    let row = tx.row(SHOWN, &[mount.into()]).await?;
    let (target, account, owner) = (row.int(0)?, AccountId(row.int(1)?), AccountId(row.int(2)?));
    tx.withdraw(NotificationKind::Shared, target, Some(account)).await?;
    let row = tx.row(PLACE, &[mount.into()]).await?;
    let (home, name) = (FileId(row.int(0)?), row.text(1)?);
    for forget in [FORGET_PROPERTIES, FORGET_MOUNT, FORGET_NODE] {
        tx.run(forget, &[mount.into()]).await?;
    }
    tx.run(FORGET_TRASH, &[account.into(), owner.into()]).await?;
    tx.counters.mount_count -= 1;
    tx.touch(home, 0).await?;
    tx.log(home, &name, mount, true).await
}

/// What the account holds of others, and what others hold of it, ends with it; so does what it handed on.
pub(crate) async fn forget_account(tx: &mut Tx, account: AccountId) -> Result<(), Error> {
    tx.advance();
    for row in tx.all(MOUNTS_WITH, &[account.into()]).await? {
        unmount(tx, FileId(row.int(0)?)).await?;
    }
    let handed_on = tx.all(HANDED_ON, &[account.into()]).await?;
    for row in tx.all(SHARES_WITH, &[account.into()]).await? {
        grant::remove(tx, crate::node::ShareId(row.int(0)?)).await?;
    }
    tx.run(FORGET_ANSWERS, &[account.into()]).await?;
    tx.run(FORGET_LINKS, &[account.into()]).await?;
    tx.run(FORGET_PUBLICATIONS, &[account.into()]).await?;
    for row in handed_on {
        grant::settle(tx, AccountId(row.int(0)?)).await?;
    }
    Ok(())
}

/// What the account held of others ends; what others hold of it they hold of the heir, who holds it whole.
pub(crate) async fn hand_over(tx: &mut Tx, account: AccountId, heir: AccountId) -> Result<(), Error> {
    for row in tx.all(MOUNTS_OF_ACCOUNT, &[account.into(), heir.into()]).await? {
        unmount(tx, FileId(row.int(0)?)).await?;
    }
    for row in tx.all(SHARES_WITH_EITHER, &[account.into(), heir.into()]).await? {
        grant::remove(tx, crate::node::ShareId(row.int(0)?)).await?;
    }
    for give in [GIVE_SHARES, GIVE_MOUNTS, GIVE_LINKS, GIVE_PUBLICATIONS] {
        tx.run(give, &[account.into(), heir.into()]).await?;
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    (node, target): (FileId, &Target),
    (account, owner): (AccountId, AccountId),
    home: FileId,
    wanted: &Wanted,
) -> Result<(), Error> {
    let names = match wanted.area {
        Area::Files => numbered_stem(&target.name, target.is_folder),
        // The name under which Nextcloud's clients know a calendar or address book that is shared.
        _ => Stem {
            first: format!("{}_shared_by_{}", target.name, target.owner_login),
            stem: target.name.clone(),
            before: format!("_shared_by_{}-", target.owner_login),
            after: String::new(),
        },
    };
    let name = free_name(tx, &names, home).await?;
    let id = FileId(tx.fresh_id());
    let args: [Value; 7] = [
        id.into(),
        home.into(),
        name.as_str().into(),
        tx.etag().into(),
        tx.now().into(),
        node.into(),
        target.is_folder.into(),
    ];
    tx.one(INSERT_NODE, &args).await?;
    let args: [Value; 8] = [
        id.into(),
        node.into(),
        account.into(),
        owner.into(),
        wanted.permissions.into(),
        wanted.expires.map(|at| at.0).into(),
        wanted.note.as_str().into(),
        wanted.attributes.as_deref().into(),
    ];
    tx.one(INSERT_MOUNT, &args).await?;
    tx.counters.mount_count += 1;
    tx.touch(home, 0).await?;
    tx.log(home, &name, id, true).await
}

/// A name, and how the next ones are made where it is taken: `stem`, `before`, a number, `after`.
struct Stem {
    first: String,
    stem: String,
    before: String,
    after: String,
}

/// `a.txt`, `a (2).txt`, `a (3).txt`.
fn numbered_stem(name: &str, is_folder: bool) -> Stem {
    let (stem, ending) = match name.rfind('.') {
        Some(dot) if dot > 0 && !is_folder => name.split_at(dot),
        _ => (name, ""),
    };
    Stem { first: name.to_owned(), stem: stem.to_owned(), before: " (".to_owned(), after: format!("){ending}") }
}

async fn free_name(tx: &mut Tx, names: &Stem, home: FileId) -> Result<String, Error> {
    for number in 1.. {
        let name = match number {
            1 if names.first.len() <= NAME_BYTES_MAX => names.first.clone(),
            _ => {
                let ending = format!("{}{number}{}", names.before, names.after);
                let mut name = names.stem.clone();
                while name.len() + ending.len() > NAME_BYTES_MAX && name.pop().is_some() {}
                name + &ending
            }
        };
        if look_up::is_taken(&mut tx.connection, home, &name).await?.is_none() {
            return Ok(name);
        }
    }
    Err(Error::Exists)
}

const OF_OWNER: Sql = Sql("SELECT node_id, target_id, account_id, permissions, expires_us, note, attributes
       FROM mount WHERE space_id = $1 AND owner_id = $2 ORDER BY +node_id");

const UPDATE: Sql = Sql("UPDATE mount SET permissions = $3, expires_us = $4, note = $5, attributes = $6
      WHERE space_id = $1 AND node_id = $2");

const PLACE: Sql = Sql("SELECT parent_id, name FROM node WHERE space_id = $1 AND id = $2");

const SHOWN: Sql = Sql("SELECT target_id, account_id, owner_id FROM mount WHERE space_id = $1 AND node_id = $2");

const HOMES: Sql = Sql("SELECT id, home_id FROM account WHERE space_id = $1");

const ROOTS: Sql = Sql("SELECT account_id, area, node_id FROM root WHERE space_id = $1");

const TARGET: Sql = Sql("SELECT node.name, node.is_folder, account.login
       FROM node LEFT JOIN account ON account.space_id = $1 AND account.id = $3
      WHERE node.space_id = $1 AND node.id = $2");

const GROUPS_OF: Sql = Sql("SELECT group_id FROM membership WHERE space_id = $1 AND account_id = $2");

const SHOWING_BELOW: Sql = Sql("WITH RECURSIVE up (mount_id, id) AS (
         SELECT node_id, target_id FROM mount WHERE space_id = $1
         UNION
         SELECT up.mount_id, node.parent_id FROM up JOIN node ON node.space_id = $1 AND node.id = up.id
     ) SELECT mount_id FROM up WHERE id = $2 ORDER BY mount_id");

const STANDING_BELOW: Sql = Sql("WITH RECURSIVE up (mount_id, id) AS (
         SELECT mount.node_id, node.parent_id
           FROM mount CROSS JOIN node
          WHERE mount.space_id = $1 AND node.space_id = $1 AND node.id = mount.node_id
         UNION
         SELECT up.mount_id, node.parent_id FROM up JOIN node ON node.space_id = $1 AND node.id = up.id
     ) SELECT mount_id FROM up WHERE id = $2 ORDER BY mount_id");

const OWNER_OF_ROOT: Sql = Sql("SELECT id FROM account WHERE space_id = $1 AND home_id = $2
     UNION ALL SELECT account_id FROM root WHERE space_id = $1 AND node_id = $2
     UNION ALL SELECT id FROM team_folder WHERE space_id = $1 AND node_id = $2");

const HOME_OF: Sql = Sql("SELECT account.home_id, node.parent_id, node.name, node.is_folder
       FROM mount
       JOIN node ON node.space_id = $1 AND node.id = mount.node_id
       JOIN account ON account.space_id = $1 AND account.id = mount.account_id
      WHERE mount.space_id = $1 AND mount.node_id = $2");

const RELOCATE: Sql = Sql("UPDATE node SET parent_id = $3, name = $4 WHERE space_id = $1 AND id = $2");

const MOUNTS_WITH: Sql =
    Sql("SELECT node_id FROM mount WHERE space_id = $1 AND (account_id = $2 OR owner_id = $2) ORDER BY +node_id");

const MOUNTS_OF_ACCOUNT: Sql = Sql("SELECT node_id FROM mount
      WHERE space_id = $1 AND (account_id = $2 OR (owner_id = $2 AND account_id = $3)) ORDER BY +node_id");

const SHARES_WITH_EITHER: Sql = Sql("SELECT id FROM share
      WHERE space_id = $1 AND share_type = 0 AND (sharee_id = $2 OR (owner_id = $2 AND sharee_id = $3))");

const GIVE_SHARES: Sql = Sql("UPDATE share
        SET owner_id = $3, initiator_id = CASE WHEN initiator_id = $2 THEN $3 ELSE initiator_id END
      WHERE space_id = $1 AND owner_id = $2");

const GIVE_MOUNTS: Sql = Sql("UPDATE mount SET owner_id = $3 WHERE space_id = $1 AND owner_id = $2");

const GIVE_LINKS: Sql = Sql("UPDATE link SET account_id = $3 WHERE space_id = $1 AND account_id = $2");

const GIVE_PUBLICATIONS: Sql = Sql("UPDATE publication SET owner_id = $3 WHERE space_id = $1 AND owner_id = $2");

const SHARES_WITH: Sql = Sql("SELECT id FROM share
      WHERE space_id = $1 AND (share_type = 0 AND sharee_id = $2 OR owner_id = $2 OR initiator_id = $2)");

const HANDED_ON: Sql = Sql("SELECT DISTINCT owner_id FROM share
      WHERE space_id = $1 AND owner_id <> $2 AND (initiator_id = $2 OR share_type = 0 AND sharee_id = $2)");

const INSERT_NODE: Sql =
    Sql("INSERT INTO node (space_id, id, parent_id, name, is_folder, etag, size_bytes, modified_us,
                       created_us, uploaded_us, target_id)
     VALUES ($1, $2, $3, $4, $8, $5, 0, $6, $6, $6, $7)");

const INSERT_MOUNT: Sql = Sql(
    "INSERT INTO mount (space_id, node_id, target_id, account_id, owner_id, permissions, expires_us, note, attributes)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
);

const FORGET_PROPERTIES: Sql = Sql("DELETE FROM dead_property WHERE space_id = $1 AND node_id = $2");

// What somebody deleted from others is seen in one's own trash as long as one holds the folder that it was in; who is in a
// team no longer does not see its trash.
const FORGET_TRASH: Sql = Sql("DELETE FROM trash_view
      WHERE space_id = $1 AND account_id = $2
        AND node_id IN (SELECT trash.node_id FROM trash WHERE trash.space_id = $1 AND trash.account_id = $3)
        AND node_id NOT IN (
            WITH RECURSIVE up (node_id, id) AS (
                SELECT trash.node_id, trash.original_parent_id
                  FROM trash_view AS seen JOIN trash ON trash.space_id = $1 AND trash.node_id = seen.node_id
                 WHERE seen.space_id = $1 AND seen.account_id = $2 AND trash.account_id = $3
                UNION ALL
                SELECT up.node_id, node.parent_id FROM up JOIN node ON node.space_id = $1 AND node.id = up.id
            ) SELECT up.node_id FROM up
                JOIN mount ON mount.space_id = $1 AND mount.target_id = up.id AND mount.account_id = $2)");

const FORGET_MOUNT: Sql = Sql("DELETE FROM mount WHERE space_id = $1 AND node_id = $2");

const FORGET_NODE: Sql = Sql("DELETE FROM node WHERE space_id = $1 AND id = $2");

const FORGET_ANSWERS: Sql = Sql("DELETE FROM share_answer WHERE space_id = $1 AND account_id = $2");

const FORGET_PUBLICATIONS: Sql = Sql("DELETE FROM publication WHERE space_id = $1 AND owner_id = $2");

const FORGET_LINKS: Sql = Sql("DELETE FROM link WHERE space_id = $1 AND account_id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[
    OF_OWNER,
    UPDATE,
    PLACE,
    SHOWN,
    HOMES,
    ROOTS,
    TARGET,
    GROUPS_OF,
    SHOWING_BELOW,
    STANDING_BELOW,
    OWNER_OF_ROOT,
    HOME_OF,
    RELOCATE,
    MOUNTS_WITH,
    MOUNTS_OF_ACCOUNT,
    SHARES_WITH_EITHER,
    GIVE_SHARES,
    GIVE_MOUNTS,
    GIVE_LINKS,
    GIVE_PUBLICATIONS,
    SHARES_WITH,
    HANDED_ON,
    INSERT_NODE,
    INSERT_MOUNT,
    FORGET_PROPERTIES,
    FORGET_TRASH,
    FORGET_MOUNT,
    FORGET_NODE,
    FORGET_LINKS,
    FORGET_ANSWERS,
    FORGET_PUBLICATIONS,
];
