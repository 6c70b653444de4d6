//! How an account holds what is not its own: shares, mounts and publications, as they are handed out and read.
//!
//! A mount is a row of the sharee's own tree whose target is somebody else's node. It has a name, an etag and dead
//! properties of its own; everything else is the target's. Promises 3 and 9 of the design hang here.

use std::collections::HashMap;
use std::sync::Arc;

use crate::account::Account;
use crate::collection::Area;
use crate::error::Error;
use crate::group::Group;
use crate::look_up;
use crate::marks::{Mark, Marks, places};
use crate::node::{AccountId, DeadProperty, FileId, GroupId, Node, ShareId};
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::row::{NODE_COLUMNS, node_columns, node_of};
use crate::space::Space;
use crate::sql::{Connection, Row, Sql, Value};
use crate::tree::Tree;

/// The number of the group that every account of the space is in.
pub(crate) const EVERYONE: i64 = 0;
/// The type of a share with an account, as it is stored.
pub(crate) const ACCOUNT: i64 = 0;
/// The type of a share with a group.
pub(crate) const GROUP: i64 = 1;
/// The type of a share with whoever knows a link.
pub(crate) const LINK: i64 = 3;

/// How the caller holds a node of somebody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Whose it is. The number of the team folder, if it is one's.
    pub owner: AccountId,
    /// The owner's login; of a team folder, the caller's own.
    pub owner_login: String,
    /// The owner's name to show; of a team folder, the caller's own.
    pub owner_display_name: String,
    /// What the caller may do with it and with what is in it.
    pub permissions: Permissions,
    /// How the caller came to it.
    pub via: Via,
    /// What whoever shares it has to say about it; may be empty.
    pub note: String,
    /// Further agreements, as a JSON list, whether it may be downloaded among them.
    pub attributes: Option<String>,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

/// How one comes to hold what is not one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Somebody shares it.
    Share,
    /// It belongs to the space.
    TeamFolder {
        /// What the folder may hold, if that is less than the pool.
        quota_bytes: Option<u64>,
        /// The folder itself.
        root: FileId,
    },
    /// By a token that anybody may have.
    Token,
}

impl Access {
    /// Whether the caller may change it and what is in it in every way.
    pub fn is_writable(&self) -> bool {
        self.permissions.is_writable()
    }

    /// Whether it may be taken away: copied, moved or packed, not only looked at.
    pub fn allows_download(&self) -> bool {
        allows_download(self.attributes.as_deref())
    }

    /// Held by whoever knows a token that `owner` gave out.
    pub(crate) fn by_token(owner: &Account, permissions: Permissions) -> Access {
        Access {
            owner: owner.id,
            owner_login: owner.login.clone(),
            owner_display_name: owner.display_name.clone(),
            permissions,
            via: Via::Token,
            note: String::new(),
            attributes: None,
            expires: None,
        }
    }
}

/// What an agreement that something is only to be looked at is written as.
pub const NO_DOWNLOAD: &str = r#"[{"scope":"permissions","key":"download","value":false}]"#;

/// Whether these attributes leave downloads allowed. They are written by [`crate::change`] in one form.
pub(crate) fn allows_download(attributes: Option<&str>) -> bool {
    attributes.is_none_or(|text| !text.contains(&NO_DOWNLOAD[1..NO_DOWNLOAD.len() - 1]))
}

/// These attributes, or if they leave downloads allowed, those that do not.
pub(crate) fn looked_at_only(attributes: Option<String>) -> Option<String> {
    match allows_download(attributes.as_deref()) {
        true => Some(NO_DOWNLOAD.to_owned()),
        false => attributes,
    }
}

/// The sharee's own side of a mount.
#[derive(Clone, Debug)]
pub struct MountPoint {
    /// The number of the mount itself.
    pub id: FileId,
    /// Dead properties that the sharee set; those that the owner set are in [`Node::dead_properties`] too.
    pub own_properties: Vec<DeadProperty>,
}

/// With whom something is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharee {
    /// One account.
    Account(AccountId),
    /// A group of accounts, as it is at any time.
    Group(GroupId),
    /// Every account of the space, also those that come later.
    Everyone,
    /// Whoever knows a link.
    Link,
}

impl Sharee {
    pub(crate) fn number(self) -> i64 {
        match self {
            Sharee::Account(id) => id.0,
            Sharee::Group(id) => id.0,
            Sharee::Everyone | Sharee::Link => EVERYONE,
        }
    }

    /// As Nextcloud's clients number the kinds of shares.
    pub const fn share_type(self) -> i64 {
        match self {
            Sharee::Account(_) => ACCOUNT,
            Sharee::Group(_) | Sharee::Everyone => GROUP,
            Sharee::Link => LINK,
        }
    }

    pub(crate) fn of(share_type: i64, number: i64) -> Sharee {
        match (share_type, number) {
            (ACCOUNT, number) => Sharee::Account(AccountId(number)),
            (GROUP, EVERYONE) => Sharee::Everyone,
            (GROUP, number) => Sharee::Group(GroupId(number)),
            _ => Sharee::Link,
        }
    }
}

/// A share, as those who gave it and those who got it see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its number.
    pub id: ShareId,
    /// What is shared.
    pub node: FileId,
    /// With whom.
    pub sharee: Sharee,
    /// The login of the account or the name of the group; empty for a link.
    pub login: String,
    /// The name to show; empty for a link.
    pub display_name: String,
    /// The account's mail address.
    pub email: Option<String>,
    /// Who shares it: the owner, or somebody who hands on what is shared with her.
    pub initiator: AccountId,
    /// The initiator's login.
    pub initiator_login: String,
    /// The initiator's name to show.
    pub initiator_display_name: String,
    /// Whose the node is, or the number of a team folder.
    pub owner: AccountId,
    /// The owner's login; the initiator's, if it is a team folder's.
    pub owner_login: String,
    /// The owner's name to show; the initiator's, if it is a team folder's.
    pub owner_display_name: String,
    /// What the sharee may do.
    pub permissions: Permissions,
    /// Since when.
    pub created: Timestamp,
    /// Until when.
    pub expires: Option<Timestamp>,
    /// What the initiator has to say about it; may be empty.
    pub note: String,
    /// What the initiator calls it; may be empty.
    pub label: String,
    /// Further agreements, as a JSON list.
    pub attributes: Option<String>,
}

/// What [`share_of`] reads, and where from; the table goes by the name `share`.
macro_rules! share_columns {
    () => {
        "share.id, share.node_id, share.share_type, share.sharee_id, COALESCE(sharee.login, circle.name), \
         COALESCE(sharee.display_name, circle.display_name), sharee.email, share.initiator_id, initiator.login, \
         initiator.display_name, share.owner_id, COALESCE(owner.login, initiator.login), \
         COALESCE(owner.display_name, initiator.display_name), share.permissions, share.created_us, \
         share.expires_us, share.note, share.label, share.attributes"
    };
}
macro_rules! share_joins {
    () => {
        "LEFT JOIN account AS sharee ON sharee.space_id = $1 AND sharee.id = share.sharee_id
         LEFT JOIN account_group AS circle ON circle.space_id = $1 AND circle.id = share.sharee_id
         JOIN account AS initiator ON initiator.space_id = $1 AND initiator.id = share.initiator_id
         LEFT JOIN account AS owner ON owner.space_id = $1 AND owner.id = share.owner_id "
    };
}
pub(crate) use {share_columns, share_joins};

/// The share in the columns of `row` from `first` on.
pub(crate) fn share_of(row: &Row, first: usize) -> Result<Share, Error> {
    let sharee = Sharee::of(row.int(first + 2)?, row.int(first + 3)?);
    let (login, display_name) = match sharee {
        Sharee::Everyone => (Group::everyone().name, Group::everyone().display_name),
        Sharee::Link => (String::new(), String::new()),
        _ => (row.maybe_text(first + 4)?.unwrap_or_default(), row.maybe_text(first + 5)?.unwrap_or_default()),
    };
    Ok(Share {
        id: ShareId(row.int(first)?),
        node: FileId(row.int(first + 1)?),
        sharee,
        login,
        display_name,
        email: row.maybe_text(first + 6)?,
        initiator: AccountId(row.int(first + 7)?),
        initiator_login: row.text(first + 8)?,
        initiator_display_name: row.text(first + 9)?,
        owner: AccountId(row.int(first + 10)?),
        owner_login: row.text(first + 11)?,
        owner_display_name: row.text(first + 12)?,
        permissions: permissions_of(row, first + 13, "share")?,
        created: Timestamp(row.int(first + 14)?),
        expires: row.maybe_int(first + 15)?.map(Timestamp),
        note: row.text(first + 16)?,
        label: row.text(first + 17)?,
        attributes: row.maybe_text(first + 18)?,
    })
}

/// What those who do not own a member may see of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visibility {
    /// All of it.
    #[default]
    Public,
    /// When it is, unless they may write.
    Confidential,
    /// Nothing: it is not there.
    Private,
}

impl Visibility {
    pub(crate) const fn number(self) -> i64 {
        match self {
            Visibility::Public => 0,
            Visibility::Confidential => 1,
            Visibility::Private => 2,
        }
    }
}

/// Where a view of a tree begins, and how its viewer holds what is there; `None`: as its owner.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) id: FileId,
    pub(crate) access: Option<Arc<Access>>,
    /// When it is looked at: what has expired by then is not there.
    pub(crate) now: Timestamp,
}

/// What the sharee sees where the mount `mount` is; `None` if its target is gone, or held no longer.
pub(crate) async fn follow(connection: &mut Connection, mount: Node, now: Timestamp) -> Result<Option<Node>, Error> {
    match connection.maybe(TARGET, &[mount.id.into()]).await? {
        Some(row) => mounted(connection, mount, &row, now).await,
        None => Ok(None),
    }
}

/// The same for all mounts among the members of `parent` from `first` to `last`, which were read as `nodes`: puts in
/// the place of each what it shows.
pub(crate) async fn follow_among(
    connection: &mut Connection,
    (parent, first, last): (FileId, FileId, FileId),
    nodes: &mut Vec<Node>,
    now: Timestamp,
) -> Result<(), Error> {
    let mut shown = HashMap::new();
    for row in connection.all(TARGETS_AMONG, &[parent.into(), first.into(), last.into()]).await? {
        let id = FileId(row.int(NODE_COLUMNS + POINT)?);
        if let Some(place) = nodes.iter().position(|node| node.id == id) {
            shown.insert(id, mounted(connection, nodes[place].clone(), &row, now).await?);
        }
    }
    let before = std::mem::take(nodes);
    nodes.extend(before.into_iter().filter_map(|node| match shown.remove(&node.id) {
        Some(shown) => shown,
        None => Some(node),
    }));
    Ok(())
}

/// Every mount that the account has: the number of the mount, and what it shows.
pub(crate) async fn held_by(
    connection: &mut Connection,
    account: AccountId,
    now: Timestamp,
) -> Result<Vec<(FileId, Node)>, Error> {
    let mut held = Vec::new();
    for row in connection.all(HELD, &[account.into()]).await? {
        let point = FileId(row.int(NODE_COLUMNS + POINT)?);
        let place = Node { id: point, ..node_of(&row)? };
        if let Some(node) = mounted(connection, place, &row, now).await? {
            held.push((point, node));
        }
    }
    Ok(held)
}

/// What the mount shows whose columns stand behind those of its target.
async fn mounted(connection: &mut Connection, mount: Node, row: &Row, now: Timestamp) -> Result<Option<Node>, Error> {
    let target = node_of(row)?;
    let expires = row.maybe_int(NODE_COLUMNS + 1)?.map(Timestamp);
    let permissions = match expires {
        // Part of it has ended, and nobody has come by since to put that down.
        Some(at) if at <= now => held_now(connection, target.id, AccountId(row.int(NODE_COLUMNS + 4)?), now).await?,
        _ => permissions_of(row, NODE_COLUMNS, "mount")?,
    };
    if permissions.is_empty() {
        return Ok(None);
    }
    let via = match row.maybe_int(NODE_COLUMNS + 8)? {
        Some(root) => Via::TeamFolder {
            root: FileId(root),
            quota_bytes: row.maybe_int(NODE_COLUMNS + 9)?.and_then(|bytes| u64::try_from(bytes).ok()),
        },
        None => Via::Share,
    };
    let access = Access {
        permissions,
        owner: AccountId(row.int(NODE_COLUMNS + 5)?),
        owner_login: row.text(NODE_COLUMNS + 6)?,
        owner_display_name: row.text(NODE_COLUMNS + 7)?,
        via,
        note: row.maybe_text(NODE_COLUMNS + 2)?.unwrap_or_default(),
        attributes: row.maybe_text(NODE_COLUMNS + 3)?,
        expires,
    };
    Ok(Some(Node {
        name: mount.name,
        parent: mount.parent,
        // Its own, which moves with all that the sharee sees there: a mount of the owner's own inside is not for her.
        etag: mount.etag,
        access: Some(Arc::new(access)),
        mount: Some(MountPoint { id: mount.id, own_properties: Vec::new() }),
        ..target
    }))
}

/// What the shares that have not ended let the account do.
async fn held_now(
    connection: &mut Connection,
    node: FileId,
    account: AccountId,
    now: Timestamp,
) -> Result<Permissions, Error> {
    let mut held = Permissions::NONE;
    for row in connection.all(HELD_NOW, &[node.into(), account.into(), now.into()]).await? {
        held = held | permissions_of(&row, 1, "share")?;
    }
    Ok(held)
}

/// Loads the sharee's own properties of the mounts in `range` and puts them over the owners'.
pub(crate) async fn overlay_properties(
    connection: &mut Connection,
    range: &[Value; 3],
    nodes: &mut [Node],
) -> Result<(), Error> {
    for row in connection.all(OWN_PROPERTIES, range).await? {
        let id = FileId(row.int(0)?);
        let own = DeadProperty { namespace: row.text(1)?, local: row.text(2)?, xml: row.text(3)? };
        let is_meant = |node: &&mut Node| node.mount.as_ref().is_some_and(|mount| mount.id == id);
        let Some(node) = nodes.iter_mut().find(is_meant) else { continue };
        node.dead_properties.retain(|it| it.local != own.local || it.namespace != own.namespace);
        node.dead_properties.push(own.clone());
        if let Some(mount) = &mut node.mount {
            mount.own_properties.push(own);
        }
    }
    Ok(())
}

/// Takes away the members of somebody else's collection that are private, and marks those that are confidential.
pub(crate) async fn apply_visibility(
    connection: &mut Connection,
    collection: &Node,
    nodes: &mut Vec<Node>,
) -> Result<(), Error> {
    let Some(access) = &collection.access else { return Ok(()) };
    let (Some(first), Some(last)) = (nodes.iter().map(|it| it.id).min(), nodes.iter().map(|it| it.id).max()) else {
        return Ok(());
    };
    for node in nodes.iter_mut() {
        node.access = Some(Arc::clone(access));
    }
    for row in connection.all(NOT_PUBLIC, &[collection.id.into(), first.into(), last.into()]).await? {
        let id = FileId(row.int(0)?);
        if row.int(1)? == Visibility::Private.number() {
            nodes.retain(|node| node.id != id);
        } else if let Some(node) = nodes.iter_mut().find(|node| node.id == id) {
            node.is_confidential = !access.is_writable();
        }
    }
    Ok(())
}

/// The rights in a column of a row whose first column names a node.
pub(crate) fn permissions_of(row: &Row, column: usize, table: &'static str) -> Result<Permissions, Error> {
    let bits = row.int(column)?;
    match Permissions::from_bits(bits) {
        Some(permissions) => Ok(permissions),
        None => Err(Error::Corrupt { table, column: "permissions", id: row.int(0)? }),
    }
}

/// The paths below `root` under which `id` is seen through mounts, given the numbers from it upwards.
pub(crate) async fn mounts_of(connection: &mut Connection, target: FileId) -> Result<Vec<(FileId, FileId)>, Error> {
    let rows = connection.all(MOUNTS_OF, &[target.into()]).await?;
    rows.iter().map(|row| Ok((FileId(row.int(0)?), FileId(row.int(1)?)))).collect()
}

/// Loads the shares and publications of siblings as far as the account gave them or owns what is shared. Ordered here: asked
/// for an order, SQLite goes through all shares of the space, and for each through the whole folder.
pub(crate) async fn add_shares(
    connection: &mut Connection,
    marks: &Marks,
    account: AccountId,
    nodes: &mut [Node],
) -> Result<(), Error> {
    if let Some([parent, first, last]) = marks.range(Mark::Share, nodes) {
        let places = places(nodes);
        for row in connection.all(SHARES_AMONG, &[parent, first, last, account.into()]).await? {
            let share = share_of(&row, 0)?;
            if let Some(place) = places.get(&share.node) {
                nodes[*place].shares.push(share);
            }
        }
        nodes.iter_mut().for_each(|node| node.shares.sort_unstable_by_key(|share| share.id));
    }
    if let Some(range) = marks.range(Mark::Link, nodes) {
        let places = places(nodes);
        for row in connection.all(crate::link::AMONG, &range).await? {
            let link = crate::link::link_of(&row)?;
            if let Some(node) = places.get(&link.node).map(|place| &mut nodes[*place])
                && (node.access.is_none() || link.maker == account)
            {
                node.links.push(link);
            }
        }
        nodes.iter_mut().for_each(|node| node.links.sort_unstable_by_key(|link| link.id));
    }
    if let Some(range) = marks.range(Mark::Publication, nodes) {
        let places = places(nodes);
        for row in connection.all(PUBLICATIONS_AMONG, &range).await? {
            let token = row.text(1)?;
            if let Some(node) = places.get(&FileId(row.int(0)?)).map(|place| &mut nodes[*place])
                && node.access.is_none()
            {
                node.publication = Some(token);
            }
        }
    }
    Ok(())
}

impl Space {
    /// What is published under `token`, as anybody sees it: its root is the published node, and nothing can be
    /// written.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a token that was never given or was taken back, and while its owner is disabled.
    pub async fn published(&self, token: &str) -> Result<Tree, Error> {
        let (node, owner, area) = {
            let mut reader = self.core().reader().await?;
            let row = reader.maybe(PUBLISHED, &[token.into()]).await?.ok_or(Error::NotFound)?;
            (FileId(row.int(0)?), AccountId(row.int(1)?), row.text(2)?)
        };
        let account = self.account(owner).await?;
        let area = Area::of_name(&area).ok_or(Error::Corrupt { table: "publication", column: "area", id: node.0 })?;
        let home = self.tree_as(&account).in_area(area).await?;
        let is_there = look_up::path_of(&mut *home.reader().await?, home.root, node).await?.is_some();
        if !is_there || !account.is_enabled {
            return Err(Error::NotFound);
        }
        let access = Access::by_token(&account, Permissions::READ);
        Ok(Tree { root: node, access: Some(Arc::new(access)), ..home })
    }
}

/// The columns behind those of the target; the mount goes by the name `mount`.
macro_rules! mount_columns {
    () => {
        ", mount.permissions, mount.expires_us, mount.note, mount.attributes, mount.account_id, mount.owner_id, \
         COALESCE(owner.login, viewer.login), COALESCE(owner.display_name, viewer.display_name), \
         team_folder.node_id, team_folder.quota_bytes, mount.node_id
           FROM mount
           JOIN node ON node.space_id = $1 AND node.id = mount.target_id
           JOIN account AS viewer ON viewer.space_id = $1 AND viewer.id = mount.account_id
           LEFT JOIN account AS owner ON owner.space_id = $1 AND owner.id = mount.owner_id
           LEFT JOIN team_folder ON team_folder.space_id = $1 AND team_folder.id = mount.owner_id "
    };
}

/// Where among them the number of the mount is.
const POINT: usize = 10;

const TARGET: Sql =
    Sql(concat!("SELECT ", node_columns!(), mount_columns!(), "WHERE mount.space_id = $1 AND mount.node_id = $2"));

const TARGETS_AMONG: Sql = Sql(concat!(
    "SELECT ",
    node_columns!(),
    mount_columns!(),
    "JOIN node AS point ON point.space_id = $1 AND point.id = mount.node_id
     WHERE mount.space_id = $1 AND point.parent_id = $2 AND mount.node_id >= $3 AND mount.node_id <= $4"
));

const HELD: Sql = Sql(concat!(
    "SELECT ",
    node_columns!(),
    mount_columns!(),
    "WHERE mount.space_id = $1 AND mount.account_id = $2 ORDER BY +mount.node_id"
));

const HELD_NOW: Sql = Sql("SELECT share.id, share.permissions FROM share
      WHERE share.space_id = $1 AND share.node_id = $2 AND share.share_type < 2
        AND (share.sharee_id IN ($3, 0) OR EXISTS (
                SELECT 1 FROM membership WHERE membership.space_id = $1 AND membership.group_id = share.sharee_id
                                           AND membership.account_id = $3))
        AND (share.expires_us IS NULL OR share.expires_us > $4)
        AND NOT EXISTS (SELECT 1 FROM share_answer
                         WHERE share_answer.space_id = $1 AND share_answer.share_id = share.id
                           AND share_answer.account_id = $3 AND share_answer.is_accepted = 0)");

const OWN_PROPERTIES: Sql =
    Sql("SELECT dead_property.node_id, dead_property.namespace, dead_property.local, dead_property.xml
       FROM node AS place JOIN dead_property ON dead_property.space_id = $1 AND dead_property.node_id = place.id
      WHERE place.space_id = $1 AND place.parent_id = $2 AND place.id >= $3 AND place.id <= $4
        AND place.target_id IS NOT NULL");

const NOT_PUBLIC: Sql = Sql("SELECT node_id, visibility FROM member
      WHERE space_id = $1 AND collection_id = $2 AND node_id >= $3 AND node_id <= $4 AND visibility > 0");

const MOUNTS_OF: Sql = Sql("SELECT mount.node_id, mount.account_id FROM mount
      WHERE mount.space_id = $1 AND mount.target_id = $2");

const SHARES_AMONG: Sql = Sql(concat!(
    "SELECT ",
    share_columns!(),
    " FROM node AS place
      JOIN share ON share.space_id = $1 AND share.node_id = COALESCE(place.target_id, place.id) ",
    share_joins!(),
    "WHERE place.space_id = $1 AND place.parent_id = $2 AND place.id >= $3 AND place.id <= $4
       AND (share.owner_id = $5 OR share.initiator_id = $5)"
));

const PUBLICATIONS_AMONG: Sql = Sql("SELECT node.id, publication.token
       FROM node JOIN publication ON publication.space_id = $1 AND publication.node_id = node.id
      WHERE node.space_id = $1 AND node.parent_id = $2 AND node.id >= $3 AND node.id <= $4");

const PUBLISHED: Sql = Sql("SELECT node_id, owner_id, area FROM publication WHERE space_id = $1 AND token = $2");

pub(crate) const STATEMENTS: &[Sql] = &[
    TARGET,
    TARGETS_AMONG,
    HELD,
    HELD_NOW,
    OWN_PROPERTIES,
    NOT_PUBLIC,
    MOUNTS_OF,
    SHARES_AMONG,
    PUBLICATIONS_AMONG,
    PUBLISHED,
];
