//! How an account holds what is not its own: shares, mounts and publications, as they are handed out and read.
//!
//! A mount is a row of the sharee's own tree whose target is somebody else's node. It has a name, an etag and dead
//! properties of its own; everything else is the target's. Promises 3 and 9 of the design hang here.

use std::sync::Arc;

use crate::collection::Area;
use crate::error::Error;
use crate::look_up;
use crate::node::{AccountId, DeadProperty, FileId, Node};
use crate::permissions::Permissions;
use crate::row::{NODE_COLUMNS, node_columns, node_of};
use crate::space::Space;
use crate::sql::{Connection, Row, Sql, Value};
use crate::tree::Tree;

/// The account number of a share with every account of the space.
pub(crate) const EVERYONE: i64 = 0;

/// How the caller holds a node of somebody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Whose it is.
    pub owner: AccountId,
    /// The owner's login.
    pub owner_login: String,
    /// The owner's name to show.
    pub owner_display_name: String,
    /// What the caller may do with it and with what is in it.
    pub permissions: Permissions,
}

impl Access {
    /// Whether the caller may change it and what is in it in every way.
    pub fn is_writable(&self) -> bool {
        self.permissions.is_writable()
    }
}

/// The sharee's own side of a mount.
#[derive(Clone, Debug)]
pub struct MountPoint {
    /// The number of the mount itself.
    pub id: FileId,
    /// The folder that holds the target, in its owner's tree.
    pub(crate) target_parent: Option<FileId>,
    /// Dead properties that the sharee set; those that the owner set are in [`Node::dead_properties`] too.
    pub own_properties: Vec<DeadProperty>,
}

/// With whom something is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharee {
    /// One account.
    Account(AccountId),
    /// Every account of the space, also those that come later.
    Everyone,
}

impl Sharee {
    pub(crate) fn number(self) -> i64 {
        match self {
            Sharee::Account(id) => id.0,
            Sharee::Everyone => EVERYONE,
        }
    }
}

/// A share, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// With whom.
    pub sharee: Sharee,
    /// The login; empty for everyone.
    pub login: String,
    /// The name to show; empty for everyone.
    pub display_name: String,
    /// What the sharee may do.
    pub permissions: Permissions,
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
}

/// What the sharee sees where the mount `mount` is; `None` if its target is gone.
pub(crate) async fn follow(connection: &mut Connection, mount: Node) -> Result<Option<Node>, Error> {
    let Some(row) = connection.maybe(TARGET, &[mount.id.into()]).await? else { return Ok(None) };
    let target = node_of(&row)?;
    let access = Access {
        permissions: permissions_of(&row, NODE_COLUMNS, "mount")?,
        owner: AccountId(row.int(NODE_COLUMNS + 1)?),
        owner_login: row.text(NODE_COLUMNS + 2)?,
        owner_display_name: row.text(NODE_COLUMNS + 3)?,
    };
    Ok(Some(Node {
        name: mount.name,
        parent: mount.parent,
        etag: mount.etag.max(target.etag),
        access: Some(Arc::new(access)),
        mount: Some(MountPoint { id: mount.id, target_parent: target.parent, own_properties: Vec::new() }),
        ..target
    }))
}

/// Loads the sharee's own properties and puts them over the owner's.
pub(crate) async fn overlay_properties(connection: &mut Connection, node: &mut Node) -> Result<(), Error> {
    let Some(mount) = &mut node.mount else { return Ok(()) };
    for row in connection.all(OWN_PROPERTIES, &[mount.id.into()]).await? {
        let own = DeadProperty { namespace: row.text(0)?, local: row.text(1)?, xml: row.text(2)? };
        node.dead_properties.retain(|it| it.local != own.local || it.namespace != own.namespace);
        node.dead_properties.push(own.clone());
        mount.own_properties.push(own);
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

/// Loads the shares and publications of siblings in `range`.
pub(crate) async fn add_shares(
    connection: &mut Connection,
    range: &[Value; 3],
    nodes: &mut [Node],
) -> Result<(), Error> {
    for row in connection.all(SHARES_AMONG, range).await? {
        let id = FileId(row.int(0)?);
        let sharee = match row.int(1)? {
            EVERYONE => Sharee::Everyone,
            number => Sharee::Account(AccountId(number)),
        };
        let share = Share {
            sharee,
            permissions: permissions_of(&row, 2, "share")?,
            login: row.maybe_text(3)?.unwrap_or_default(),
            display_name: row.maybe_text(4)?.unwrap_or_default(),
        };
        if let Some(node) = nodes.iter_mut().find(|node| node.id == id && node.access.is_none()) {
            node.shares.push(share);
        }
    }
    for row in connection.all(PUBLICATIONS_AMONG, range).await? {
        let id = FileId(row.int(0)?);
        if let Some(node) = nodes.iter_mut().find(|node| node.id == id && node.access.is_none()) {
            node.publication = Some(row.text(1)?);
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
        let access = Access {
            owner,
            owner_login: account.login.clone(),
            owner_display_name: account.display_name.clone(),
            permissions: Permissions::READ,
        };
        Ok(Tree { root: node, access: Some(Arc::new(access)), ..home })
    }
}

const TARGET: Sql = Sql(concat!(
    "SELECT ",
    node_columns!(),
    ", mount.permissions, mount.owner_id, account.login, account.display_name
       FROM mount
       JOIN node ON node.space_id = $1 AND node.id = mount.target_id
       JOIN account ON account.space_id = $1 AND account.id = mount.owner_id
      WHERE mount.space_id = $1 AND mount.node_id = $2"
));

const OWN_PROPERTIES: Sql = Sql("SELECT namespace, local, xml FROM dead_property WHERE space_id = $1 AND node_id = $2");

const NOT_PUBLIC: Sql = Sql("SELECT node_id, visibility FROM member
      WHERE space_id = $1 AND collection_id = $2 AND node_id >= $3 AND node_id <= $4 AND visibility > 0");

const MOUNTS_OF: Sql = Sql("SELECT mount.node_id, mount.account_id FROM mount
      WHERE mount.space_id = $1 AND mount.target_id = $2");

const SHARES_AMONG: Sql =
    Sql("SELECT node.id, share.account_id, share.permissions, account.login, account.display_name
       FROM node
       JOIN share ON share.space_id = $1 AND share.node_id = node.id
       LEFT JOIN account ON account.space_id = $1 AND account.id = share.account_id
      WHERE node.space_id = $1 AND node.parent_id = $2 AND node.id >= $3 AND node.id <= $4
      ORDER BY share.created_us, share.account_id");

const PUBLICATIONS_AMONG: Sql = Sql("SELECT node.id, publication.token
       FROM node JOIN publication ON publication.space_id = $1 AND publication.node_id = node.id
      WHERE node.space_id = $1 AND node.parent_id = $2 AND node.id >= $3 AND node.id <= $4");

const PUBLISHED: Sql = Sql("SELECT node_id, owner_id, area FROM publication WHERE space_id = $1 AND token = $2");

pub(crate) const STATEMENTS: &[Sql] =
    &[TARGET, OWN_PROPERTIES, NOT_PUBLIC, MOUNTS_OF, SHARES_AMONG, PUBLICATIONS_AMONG, PUBLISHED];
