//! Sharing and publishing: who else sees a file, a folder or a collection. Its owner says so, and whoever may hand on
//! what she holds herself.

use super::site::Site;
use super::{AnswerShare, CreateShare, EndShare, Grant, Publish, Run, ShareNode, Unpublish, UpdateShare};
use crate::activity::ActivityKind;
use crate::collection::{Area, CollectionKind};
use crate::error::{Error, Sharing};
use crate::grant::{self, Stored};
use crate::node::{AccountId, Node, ShareId};
use crate::notification::{NewNotification, NotificationKind};
use crate::path::NodePath;
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::share::{ACCOUNT, Sharee, Via, looked_at_only};
use crate::share_list::is_givers;
use crate::sql::{Sql, Value};
use crate::tx::{Asker, Tx};

/// Characters of a publication's token: more than 128 random bits.
const TOKEN_CHARS: usize = 24;
/// The longest label of a share, in characters: Nextcloud's.
const LABEL_CHARS_MAX: u64 = 255;

impl Run for ShareNode {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let node = own_node(tx, asker, &self.path).await?;
        let mut has_new = false;
        for grant in &self.grants {
            // Whoever owns it holds it already.
            if grant.sharee != Sharee::Account(asker.account.id) && set(tx, asker, &node, grant).await? {
                has_new = true;
                tell_sharees(tx, asker, grant.sharee, &node).await?;
            }
        }
        grant::settle(tx, asker.account.id).await?;
        if let (true, Some(folder)) = (has_new, node.parent) {
            tx.record(asker, ActivityKind::Shared, (node.id, folder), &self.path, "");
        }
        announce_collection(tx, &node).await
    }
}

/// Gives, changes or takes away one share of the asker's own node; says whether it is a new one.
async fn set(tx: &mut Tx, asker: &Asker, node: &Node, grant: &Grant) -> Result<bool, Error> {
    let found = existing(tx, node, grant.sharee).await?;
    match (grant.permissions, found) {
        (None, None) => Ok(false),
        (None, Some(id)) => grant::remove(tx, id).await.map(|()| false),
        (Some(permissions), Some(id)) => {
            tx.one(SET_PERMISSIONS, &[id.into(), permissions.into()]).await.map(|()| false)
        }
        (Some(permissions), None) => {
            check_sharee(tx, grant.sharee).await.map_err(|_| Error::NotFound)?;
            let new = New {
                sharee: grant.sharee,
                owner: asker.account.id,
                permissions,
                expires: None,
                note: "",
                label: "",
                attributes: None,
                awaits_answer: false,
            };
            insert(tx, asker, node, &new).await.map(|_| true)
        }
    }
}

impl Run for CreateShare {
    type Outcome = (ShareId, bool);

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(ShareId, bool), Error> {
        let (node, owner) = shareable(tx, asker, &self.path).await?;
        match self.sharee {
            Sharee::Account(account) if account == asker.account.id => return Err(Sharing::WithOneself.into()),
            Sharee::Account(account) if account == owner => return Err(Sharing::WithOwner.into()),
            sharee => check_sharee(tx, sharee).await?,
        }
        if let Some(id) = existing(tx, &node, self.sharee).await? {
            let share = grant::find(tx, id).await?;
            return match is_givers(share.owner, share.initiator, asker.account.id) {
                true => Ok((id, false)),
                false => Err(Sharing::Already.into()),
            };
        }
        check_texts(tx, Some(&self.note), Some(&self.label))?;
        let held = node.permissions();
        let permissions = within(&node, self.permissions, held)?;
        let attributes = inherited(&node, self.attributes);
        let upper = node.access.as_ref().and_then(|access| access.expires);
        let expires = [self.expires, upper].into_iter().flatten().min();
        check_expiry(tx, expires)?;
        let new = New {
            sharee: self.sharee,
            owner,
            permissions,
            expires,
            note: &self.note,
            label: &self.label,
            attributes: attributes.as_deref(),
            awaits_answer: self.awaits_answer,
        };
        let id = insert(tx, asker, &node, &new).await?;
        tell_sharees(tx, asker, self.sharee, &node).await?;
        grant::settle(tx, owner).await?;
        if let Some(folder) = node.parent {
            tx.record(asker, ActivityKind::Shared, (node.id, folder), &self.path, "");
        }
        grant::announce(tx, node.id).await?;
        Ok((id, true))
    }
}

impl Run for UpdateShare {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let share = grant::find(tx, self.id).await?;
        if !is_givers(share.owner, share.initiator, asker.account.id) {
            return match grant::is_sharee(tx, &share, asker.account.id).await? {
                true => Err(Sharing::Incoming.into()),
                false => Err(Error::NotFound),
            };
        }
        check_texts(tx, self.note.as_deref(), self.label.as_deref())?;
        let node = held_node(tx, asker, &share).await?;
        let permissions = match self.permissions {
            Some(permissions) => within(&node, Some(permissions), node.permissions())?,
            None => share.permissions,
        };
        let expires = self.expires.unwrap_or(share.expires);
        if self.expires.is_some() {
            check_expiry(tx, expires)?;
        }
        let attributes = match self.attributes {
            Some(attributes) => inherited(&node, attributes),
            None => share.attributes.clone(),
        };
        let args: [Value; 6] = [
            share.id.into(),
            permissions.into(),
            expires.map(|at| at.0).into(),
            self.note.unwrap_or(share.note).into(),
            self.label.into(),
            attributes.into(),
        ];
        tx.one(UPDATE, &args).await?;
        grant::settle(tx, share.owner).await?;
        grant::announce(tx, share.node).await
    }
}

impl Run for EndShare {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let share = grant::find(tx, self.id).await?;
        if is_givers(share.owner, share.initiator, asker.account.id) {
            grant::remove(tx, share.id).await?;
        } else if grant::is_sharee(tx, &share, asker.account.id).await? {
            decline(tx, &share, asker.account.id).await?;
        } else {
            return Err(Error::NotFound);
        }
        grant::settle(tx, share.owner).await?;
        grant::announce(tx, share.node).await
    }
}

impl Run for AnswerShare {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let share = grant::find(tx, self.id).await?;
        if !grant::is_sharee(tx, &share, asker.account.id).await? {
            return Err(Error::NotFound);
        }
        match self.is_accepted {
            true => answer(tx, &share, asker.account.id, true).await?,
            false => decline(tx, &share, asker.account.id).await?,
        }
        grant::settle(tx, share.owner).await
    }
}

/// Who leaves what was shared with her alone ends the share; what was shared with a group goes on for the others.
async fn decline(tx: &mut Tx, share: &Stored, account: AccountId) -> Result<(), Error> {
    match share.share_type {
        ACCOUNT => grant::remove(tx, share.id).await,
        _ => answer(tx, share, account, false).await,
    }
}

async fn answer(tx: &mut Tx, share: &Stored, account: AccountId, is_accepted: bool) -> Result<(), Error> {
    tx.one(ANSWER, &[share.id.into(), account.into(), is_accepted.into()]).await
}

/// The asker no longer wants to see what is mounted there. What everybody sees stays everybody else's.
pub(super) async fn leave(tx: &mut Tx, asker: &Asker, node: &Node) -> Result<(), Error> {
    let Some(access) = &node.access else { return Err(Error::NotFound) };
    if access.via != Via::Share {
        return Err(Error::Forbidden("a team folder stays with its team"));
    }
    for row in tx.all(OF_NODE, &[node.id.into()]).await? {
        let share = grant::find(tx, ShareId(row.int(0)?)).await?;
        if grant::is_sharee(tx, &share, asker.account.id).await? {
            decline(tx, &share, asker.account.id).await?;
        }
    }
    grant::settle(tx, access.owner).await?;
    grant::announce(tx, node.id).await
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
        crate::audit::write_of(tx, asker, "published", &format!("collection {}", node.id.0), "").await?;
        announce_collection(tx, &node).await?;
        Ok(token)
    }
}

impl Run for Unpublish {
    type Outcome = ();

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<(), Error> {
        let node = own_node(tx, asker, &self.path).await?;
        match tx.run(UNPUBLISH, &[node.id.into()]).await? {
            0 => Ok(()),
            _ => {
                crate::audit::write_of(tx, asker, "unpublished", &format!("collection {}", node.id.0), "").await?;
                announce_collection(tx, &node).await
            }
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

/// The node at `path` that the asker may share, and whose it is.
pub(super) async fn shareable(tx: &mut Tx, asker: &Asker, path: &NodePath) -> Result<(Node, AccountId), Error> {
    if asker.access.is_some() || asker.area != Area::Files {
        return Err(Sharing::NotYours.into());
    }
    let site = Site::find(tx, asker, path).await?;
    let node = site.located.found()?.clone();
    match &node.access {
        _ if path.is_root() => Err(Sharing::Root.into()),
        None => Ok((node, asker.account.id)),
        Some(access) if access.permissions.includes(Permissions::SHARE) => {
            let owner = access.owner;
            Ok((node, owner))
        }
        Some(_) => Err(Sharing::NotYours.into()),
    }
}

/// What is shared, as the asker, who gave the share or owns the node, holds it.
async fn held_node(tx: &mut Tx, asker: &Asker, share: &Stored) -> Result<Node, Error> {
    let path = crate::look_up::path_of(&mut tx.connection, asker.root, share.node).await?.ok_or(Error::NotFound)?;
    Ok(Site::find(tx, asker, &path).await?.located.found()?.clone())
}

/// The rights to give: those asked for, or all that make sense, and never more than one has.
pub(super) fn within(node: &Node, asked: Option<Permissions>, held: Permissions) -> Result<Permissions, Error> {
    let sensible = if node.is_folder() { Permissions::ALL } else { Permissions::OF_FILE };
    match asked {
        None => Ok(sensible & held),
        Some(asked) => {
            let given = (asked | Permissions::READ) & sensible;
            if held.includes(given) { Ok(given) } else { Err(Sharing::BeyondOwn.into()) }
        }
    }
}

/// What may not be taken away cannot be handed on to be taken away.
pub(super) fn inherited(node: &Node, attributes: Option<String>) -> Option<String> {
    if node.allows_download() { attributes } else { looked_at_only(attributes) }
}

pub(super) fn check_expiry(tx: &Tx, expires: Option<Timestamp>) -> Result<(), Error> {
    match expires {
        Some(at) if at <= tx.now() => Err(Sharing::Past.into()),
        _ => Ok(()),
    }
}

pub(super) fn check_texts(tx: &Tx, note: Option<&str>, label: Option<&str>) -> Result<(), Error> {
    let limit = tx.core.limits.share_note_bytes_max;
    if note.is_some_and(|note| note.len() as u64 > limit) {
        return Err(Error::TooLarge { limit });
    }
    match label.is_some_and(|label| label.chars().count() as u64 > LABEL_CHARS_MAX) {
        true => Err(Error::TooLarge { limit: LABEL_CHARS_MAX }),
        false => Ok(()),
    }
}

async fn check_sharee(tx: &mut Tx, sharee: Sharee) -> Result<(), Error> {
    let found = match sharee {
        Sharee::Account(account) => tx.maybe(HAS_ACCOUNT, &[account.into()]).await?,
        Sharee::Group(group) => tx.maybe(HAS_GROUP, &[group.into()]).await?,
        Sharee::Everyone => return Ok(()),
        Sharee::Link => None,
    };
    found.map(drop).ok_or(Error::Sharing(Sharing::UnknownSharee))
}

async fn existing(tx: &mut Tx, node: &Node, sharee: Sharee) -> Result<Option<ShareId>, Error> {
    let args = [node.id.into(), sharee.share_type().into(), sharee.number().into()];
    tx.maybe(EXISTING, &args).await?.map(|row| row.int(0).map(ShareId)).transpose()
}

/// A share to be.
struct New<'a> {
    sharee: Sharee,
    owner: AccountId,
    permissions: Permissions,
    expires: Option<Timestamp>,
    note: &'a str,
    label: &'a str,
    attributes: Option<&'a str>,
    awaits_answer: bool,
}

async fn insert(tx: &mut Tx, asker: &Asker, node: &Node, new: &New<'_>) -> Result<ShareId, Error> {
    let limit = tx.core.limits.shares_max;
    if tx.row(COUNT, &[new.owner.into()]).await?.count(0)? >= limit {
        return Err(Error::TooLarge { limit });
    }
    let id = ShareId(tx.fresh_id());
    let args: [Value; 14] = [
        id.into(),
        node.id.into(),
        new.sharee.share_type().into(),
        new.sharee.number().into(),
        new.owner.into(),
        asker.account.id.into(),
        asker.area.name().into(),
        new.permissions.into(),
        tx.now().into(),
        new.expires.map(|at| at.0).into(),
        new.note.into(),
        new.label.into(),
        new.attributes.into(),
        new.awaits_answer.into(),
    ];
    tx.one(INSERT, &args).await?;
    Ok(id)
}

/// Tells accounts that a file or folder is shared with them. Calendars and address books have their own ways.
async fn tell_sharees(tx: &mut Tx, asker: &Asker, sharee: Sharee, node: &Node) -> Result<(), Error> {
    if asker.area != Area::Files {
        return Ok(());
    }
    let owner = node.access.as_ref().map_or(asker.account.id, |access| access.owner);
    let accounts = match sharee {
        Sharee::Account(account) => vec![account],
        Sharee::Group(group) => accounts(tx, MEMBERS, &[group.into()]).await?,
        Sharee::Everyone => accounts(tx, EVERYBODY, &[]).await?,
        Sharee::Link => Vec::new(),
    };
    for account in accounts.into_iter().filter(|account| *account != asker.account.id && *account != owner) {
        let new = NewNotification {
            account,
            kind: NotificationKind::Shared,
            actor: Some(asker.account.id),
            object: node.id.0,
            node: Some(node.id),
            name: node.name.clone(),
            message: String::new(),
        };
        tx.notify(new).await?;
    }
    Ok(())
}

async fn accounts(tx: &mut Tx, sql: Sql, args: &[Value]) -> Result<Vec<AccountId>, Error> {
    tx.all(sql, args).await?.iter().map(|row| row.int(0).map(AccountId)).collect()
}

/// With whom a collection is shared is among its properties: its etag moves.
async fn announce_collection(tx: &mut Tx, node: &Node) -> Result<(), Error> {
    if node.collection.is_none() {
        return grant::announce(tx, node.id).await;
    }
    tx.touch(node.id, 0).await?;
    match node.parent {
        Some(parent) => tx.log(parent, &node.name, node.id, false).await,
        None => Ok(()),
    }
}

const HAS_ACCOUNT: Sql = Sql("SELECT id FROM account WHERE space_id = $1 AND id = $2");

const HAS_GROUP: Sql = Sql("SELECT id FROM account_group WHERE space_id = $1 AND id = $2");

const MEMBERS: Sql = Sql("SELECT account_id FROM membership WHERE space_id = $1 AND group_id = $2");

const EVERYBODY: Sql = Sql("SELECT id FROM account WHERE space_id = $1 AND departed_us IS NULL");

const EXISTING: Sql = Sql("SELECT id FROM share
      WHERE space_id = $1 AND node_id = $2 AND share_type = $3 AND sharee_id = $4 AND share_type < 2");

const OF_NODE: Sql = Sql("SELECT id FROM share WHERE space_id = $1 AND node_id = $2 ORDER BY +id");

const COUNT: Sql = Sql("SELECT COUNT(*) FROM share WHERE space_id = $1 AND owner_id = $2");

const SET_PERMISSIONS: Sql = Sql("UPDATE share SET permissions = $3 WHERE space_id = $1 AND id = $2");

const UPDATE: Sql = Sql("UPDATE share
        SET permissions = $3, expires_us = $4, note = $5, label = COALESCE($6, label), attributes = $7
      WHERE space_id = $1 AND id = $2");

const INSERT: Sql =
    Sql("INSERT INTO share (space_id, id, node_id, share_type, sharee_id, owner_id, initiator_id, area, permissions,
                        created_us, expires_us, note, label, attributes, awaits_answer)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)");

const ANSWER: Sql =
    Sql("INSERT INTO share_answer (space_id, share_id, account_id, is_accepted) VALUES ($1, $2, $3, $4)
     ON CONFLICT (space_id, share_id, account_id) DO UPDATE SET is_accepted = excluded.is_accepted");

const TOKEN: Sql = Sql("SELECT token FROM publication WHERE space_id = $1 AND node_id = $2");

const PUBLISH: Sql = Sql("INSERT INTO publication (space_id, token, node_id, owner_id, area, created_us)
     VALUES ($1, $2, $3, $4, $5, $6)");

const UNPUBLISH: Sql = Sql("DELETE FROM publication WHERE space_id = $1 AND node_id = $2");

pub(super) const STATEMENTS: &[Sql] = &[
    HAS_ACCOUNT,
    HAS_GROUP,
    MEMBERS,
    EVERYBODY,
    EXISTING,
    OF_NODE,
    COUNT,
    SET_PERMISSIONS,
    UPDATE,
    INSERT,
    ANSWER,
    TOKEN,
    PUBLISH,
    UNPUBLISH,
];
