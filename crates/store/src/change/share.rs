//! Sharing and publishing: who else sees a folder or a collection. Only its owner says so.

use super::site::Site;
use super::{Publish, Run, ShareNode, Unpublish};
use crate::activity::ActivityKind;
use crate::collection::{Area, CollectionKind};
use crate::error::Error;
use crate::look_up;
use crate::mount::{self, Shared};
use crate::node::{AccountId, Node};
use crate::notification::{NewNotification, NotificationKind};
use crate::path::NodePath;
use crate::permissions::Permissions;
use crate::share::Sharee;
use crate::sql::Sql;
use crate::tx::{Asker, Tx};

/// Characters of a publication's token: more than 128 random bits.
const TOKEN_CHARS: usize = 24;

impl Run for ShareNode {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let node = own_node(tx, asker, &self.path).await?;
        let shared = Shared {
            node: node.id,
            name: node.name.clone(),
            owner: asker.account.id,
            owner_login: asker.account.login.clone(),
            area: asker.area,
        };
        let mut has_new = false;
        for grant in &self.grants {
            // Whoever owns it holds it already.
            if grant.sharee == Sharee::Account(asker.account.id) {
                continue;
            }
            let number = grant.sharee.number();
            let is_new = match grant.permissions {
                Some(permissions) => {
                    let is_new = put_share(tx, &shared, grant.sharee, permissions).await?;
                    has_new |= is_new;
                    is_new
                }
                None => {
                    tx.run(REMOVE, &[node.id.into(), number.into()]).await?;
                    false
                }
            };
            for account in mount::sharees(tx, number).await? {
                mount::refresh(tx, &shared, account, is_new).await?;
                tell_sharee(tx, &shared, account, grant.permissions.map(|_| is_new)).await?;
            }
        }
        if let (true, Some(folder)) = (has_new, node.parent) {
            tx.record(asker, ActivityKind::Shared, (node.id, folder), &self.path, "");
        }
        announce(tx, &node).await
    }
}

impl Run for Publish {
    type Outcome = String;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<String, Error> {
        let node = own_node(tx, asker, &self.path).await?;
        if let Some(row) = tx.maybe(TOKEN, &[node.id.into()]).await? {
            return row.text(0);
        }
        let token = tx.core.ports.alphanumeric(TOKEN_CHARS);
        let args =
            [token.as_str().into(), node.id.into(), asker.account.id.into(), asker.area.name().into(), tx.now().into()];
        tx.one(PUBLISH, &args).await?;
        announce(tx, &node).await?;
        Ok(token)
    }
}

impl Run for Unpublish {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let node = own_node(tx, asker, &self.path).await?;
        match tx.run(UNPUBLISH, &[node.id.into()]).await? {
            0 => Ok(()),
            _ => announce(tx, &node).await,
        }
    }
}

/// Tells an account that a file or folder is shared with it (`Some(true)`), or forgets that it was told (`None`).
/// Calendars and address books have their own ways.
async fn tell_sharee(tx: &mut Tx, shared: &Shared, account: AccountId, is_new: Option<bool>) -> Result<(), Error> {
    if shared.area != Area::Files || account == shared.owner {
        return Ok(());
    }
    let (kind, object) = (NotificationKind::Shared, shared.node.0);
    match is_new {
        None => tx.withdraw(kind, object, Some(account)).await,
        Some(false) => Ok(()),
        Some(true) => {
            let (actor, node, name) = (Some(shared.owner), Some(shared.node), shared.name.clone());
            tx.notify(NewNotification { account, kind, actor, object, node, name, message: String::new() }).await
        }
    }
}

/// The asker's own node at `path`, of a kind that can be shared.
async fn own_node(tx: &mut Tx, asker: &Asker, path: &NodePath) -> Result<Node, Error> {
    let site = Site::find(tx, asker, path).await?;
    let node = site.located.found()?;
    if node.access.is_some() {
        return Err(Error::Forbidden("only the owner shares"));
    }
    let is_shareable = match (asker.area, node.collection.as_deref()) {
        (Area::Files, _) => !node.is_root(),
        (_, Some(kind)) => matches!(kind, CollectionKind::Calendar(_) | CollectionKind::AddressBook),
        (_, None) => false,
    };
    if is_shareable { Ok(node.clone()) } else { Err(Error::Forbidden("this cannot be shared")) }
}

/// Sets a share; says whether it is new.
async fn put_share(tx: &mut Tx, shared: &Shared, sharee: Sharee, permissions: Permissions) -> Result<bool, Error> {
    if let Sharee::Account(account) = sharee {
        tx.maybe(HAS_ACCOUNT, &[account.into()]).await?.ok_or(Error::NotFound)?;
    }
    let args = [shared.node.into(), sharee.number().into(), permissions.into()];
    if tx.run(UPDATE, &args).await? > 0 {
        return Ok(false);
    }
    let [node, number, permissions] = args;
    let args = [node, number, shared.owner.into(), shared.area.name().into(), permissions, tx.now().into()];
    tx.one(INSERT, &args).await?;
    Ok(true)
}

/// With whom a collection is shared is among its properties: its etag moves.
async fn announce(tx: &mut Tx, node: &Node) -> Result<(), Error> {
    tx.touch(node.id, 0).await?;
    match node.parent {
        Some(parent) => tx.log(parent, &node.name, node.id, false).await,
        None => Ok(()),
    }
}

/// The asker no longer wants to see what is mounted there. What everybody sees stays everybody else's.
pub(super) async fn leave(tx: &mut Tx, asker: &Asker, node: &Node) -> Result<(), Error> {
    let Some(mount) = &node.mount else { return Err(Error::NotFound) };
    mount::unmount(tx, mount.id).await?;
    let removed = tx.run(REMOVE, &[node.id.into(), asker.account.id.into()]).await?;
    if removed == 0 {
        return Ok(());
    }
    let name = look_up::name_of(&mut tx.connection, node.id).await?;
    announce(tx, &Node { parent: mount.target_parent, name, ..node.clone() }).await
}

const HAS_ACCOUNT: Sql = Sql("SELECT id FROM account WHERE space_id = $1 AND id = $2");

const UPDATE: Sql = Sql("UPDATE share SET permissions = $4 WHERE space_id = $1 AND node_id = $2 AND account_id = $3");

const INSERT: Sql = Sql("INSERT INTO share (space_id, node_id, account_id, owner_id, area, permissions, created_us)
     VALUES ($1, $2, $3, $4, $5, $6, $7)");

const REMOVE: Sql = Sql("DELETE FROM share WHERE space_id = $1 AND node_id = $2 AND account_id = $3");

const TOKEN: Sql = Sql("SELECT token FROM publication WHERE space_id = $1 AND node_id = $2");

const PUBLISH: Sql = Sql("INSERT INTO publication (space_id, token, node_id, owner_id, area, created_us)
     VALUES ($1, $2, $3, $4, $5, $6)");

const UNPUBLISH: Sql = Sql("DELETE FROM publication WHERE space_id = $1 AND node_id = $2");

pub(super) const STATEMENTS: &[Sql] = &[HAS_ACCOUNT, UPDATE, INSERT, REMOVE, TOKEN, PUBLISH, UNPUBLISH];
