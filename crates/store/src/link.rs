//! Public links: what anybody who knows a token may do with a file or folder, and for how long. Promise 9 of the design
//! hangs here: whether a link is alive, and what it allows, is found out anew for every request and in every change.
//!
//! A link never allows more than whoever made it may do at that moment: it dies with what it leads to, with its maker's
//! right to hand it on, while either account is disabled, while the node is in the trash, and when it has run out.

use std::sync::Arc;

use crate::account::{Account, Role};
use crate::collection::Area;
use crate::error::Error;
use crate::look_up;
use crate::node::{AccountId, FileId, Needs};
use crate::path::NodePath;
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::row::NO_TRASH;
use crate::share::{Access, NO_DOWNLOAD, Root, Via, allows_download, permissions_of};
use crate::space::Space;
use crate::sql::{Connection, Row, Sql, Value};
use crate::tree::Tree;

/// A link's number, from the same counter as those of shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkId(pub i64);

/// A link as whoever made it sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub id: LinkId,
    /// What one has to know.
    pub token: String,
    /// What it leads to.
    pub node: FileId,
    /// Who made it.
    pub maker: AccountId,
    /// What it was made for; what it allows at the moment may be less.
    pub permissions: Permissions,
    /// Hash of the password in PHC string format; `None`: the token is enough.
    pub password_hash: Option<String>,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// Its maker's name for it.
    pub label: String,
    /// What its maker tells those who follow it.
    pub note: String,
    /// Whether pages offer no download.
    pub hides_download: bool,
    /// What a client noted about it.
    pub attributes: Option<String>,
    /// How many downloads there may be.
    pub download_limit: Option<u64>,
    /// How many there were, since there is a limit.
    pub download_count: u64,
    /// When it was made.
    pub created: Timestamp,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is a credential.
        f.debug_struct("Link").field("id", &self.id).field("node", &self.node).finish_non_exhaustive()
    }
}

/// A link that is alive, and the tree behind it, for somebody who knows its token.
#[derive(Clone, Debug)]
pub struct OpenLink {
    /// The link.
    pub link: Link,
    /// Its root is the file or folder that is linked to. Whoever hands it out has checked the password.
    pub tree: Tree,
}

impl Space {
    /// What the link with that token leads to.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a token that was never given, and while the link is dead.
    pub async fn open_link(&self, token: &str) -> Result<OpenLink, Error> {
        let core = self.core();
        let mut reader = core.reader().await?;
        let row = reader.maybe(BY_TOKEN, &[token.into()]).await?.ok_or(Error::NotFound)?;
        let link = link_of(&row)?;
        let access = access(&mut reader, link.id, core.ports.clock.now()).await?;
        let account = Account {
            // A number of its own: what a guest locks and uploads is the guest's.
            id: AccountId(-link.id.0),
            login: String::new(),
            display_name: String::new(),
            email: None,
            role: Role::Member,
            password_hash: None,
            is_enabled: true,
            language: None,
            locale: None,
            quota_bytes: None,
            departed: None,
            home: link.node,
            trash: FileId(NO_TRASH),
            created: link.created,
            last_seen: None,
        };
        let tree = Tree {
            space: self.clone(),
            account: std::sync::Arc::new(account),
            area: Area::Files,
            root: link.node,
            trash: FileId(NO_TRASH),
            access: Some(Arc::new(access)),
            link: Some(Arc::new(link.clone())),
            quiet: None,
            is_bin: false,
            only_shows: false,
        };
        Ok(OpenLink { link, tree })
    }

    /// Counts a download that is about to begin, where there is a limit: of many at once, as many as the limit allows.
    ///
    /// # Errors
    /// [`Error::NotFound`]: there have been as many as there may be, or the link is gone.
    pub async fn count_download(&self, link: LinkId) -> Result<(), Error> {
        let counted =
            self.core().write(move |tx| Box::pin(async move { tx.run(COUNT, &[link.0.into()]).await })).await?;
        if counted == 1 { Ok(()) } else { Err(Error::NotFound) }
    }

    /// Takes back what [`Space::count_download`] counted: nothing was sent.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn uncount_download(&self, link: LinkId) -> Result<(), Error> {
        self.core().write(move |tx| Box::pin(async move { tx.run(UNCOUNT, &[link.0.into()]).await.map(drop) })).await
    }
}

impl Tree {
    /// Whether whoever has it sees nothing and may only add: a link for handing files in.
    pub fn only_adds(&self) -> bool {
        only_adds(self.access.as_deref())
    }

    /// Whether what it was opened by lets things be taken away, not only looked at.
    pub fn allows_download(&self) -> bool {
        self.access.as_ref().is_none_or(|access| access.allows_download())
    }

    /// The link that the tree was opened by.
    pub fn opened_by(&self) -> Option<&Link> {
        self.link.as_deref()
    }

    /// Whoever may write nothing brings no bytes either.
    pub(crate) fn check_writes(&self) -> Result<(), Error> {
        let writes = Permissions::UPDATE | Permissions::CREATE;
        match &self.access {
            Some(access) if (access.permissions & writes).is_empty() => Err(Error::Forbidden("it is for reading only")),
            _ => Ok(()),
        }
    }

    /// The links that the account has made, oldest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a guest, [`Error::Unavailable`].
    pub async fn links(&self) -> Result<Vec<Link>, Error> {
        self.links_where(OF_ACCOUNT, &[self.account.id.into()]).await
    }

    /// The links to the node at `path` that the account has made, and with `by_others` those that others have made to
    /// what is the account's own.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] for a guest.
    pub async fn links_to(&self, path: &NodePath, by_others: bool) -> Result<Vec<Link>, Error> {
        let node = self.node(path, Needs::NONE).await?;
        let mut links = self.links_where(TO_NODE, &[node.id.into()]).await?;
        links.retain(|link| link.maker == self.account.id || by_others && node.access.is_none());
        Ok(links)
    }

    /// The links that the account has made to members of the folder at `path`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotACollection`], [`Error::Forbidden`] for a guest.
    pub async fn links_to_members(&self, path: &NodePath) -> Result<Vec<Link>, Error> {
        let folder = self.node(path, Needs::NONE).await?;
        if !folder.is_folder() {
            return Err(Error::NotACollection);
        }
        self.links_where(TO_MEMBERS, &[folder.id.into(), self.account.id.into()]).await
    }

    /// The link of that number, if the account has made it or owns what it leads to.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] for a guest.
    pub async fn link(&self, id: LinkId) -> Result<Link, Error> {
        let link = self.links_where(BY_ID, &[id.0.into()]).await?.pop().ok_or(Error::NotFound)?;
        let root = self.root();
        match may_manage(&mut *self.reader().await?, &root, self.account.id, &link).await? {
            true => Ok(link),
            false => Err(Error::NotFound),
        }
    }

    async fn links_where(&self, sql: Sql, args: &[Value]) -> Result<Vec<Link>, Error> {
        if self.access.is_some() {
            return Err(Error::Forbidden("links are not for guests to see"));
        }
        self.reader().await?.all(sql, args).await?.iter().map(link_of).collect()
    }
}

/// Whether this is the access of somebody who sees nothing and may only add.
pub(crate) fn only_adds(access: Option<&Access>) -> bool {
    access.is_some_and(|access| {
        !access.permissions.includes(Permissions::READ) && access.permissions.includes(Permissions::CREATE)
    })
}

/// How the link's holder holds its node now.
///
/// # Errors
/// [`Error::NotFound`] while the link is dead.
pub(crate) async fn access(connection: &mut Connection, id: LinkId, now: Timestamp) -> Result<Access, Error> {
    let row = connection.maybe(ALIVE, &[id.0.into()]).await?.ok_or(Error::NotFound)?;
    let link = link_of(&row)?;
    let is_exhausted = link.download_limit.is_some_and(|limit| link.download_count >= limit);
    if is_exhausted || link.expires.is_some_and(|end| end <= now) {
        return Err(Error::NotFound);
    }
    let home = FileId(row.int(LINK_COLUMNS)?);
    let root = Root { id: home, access: None, now };
    // In the trash, or no longer shared with the maker: there is no path to it.
    let path = look_up::path_of(connection, home, link.node).await?.ok_or(Error::NotFound)?;
    let located = look_up::locate(connection, &root, &path).await?;
    let node = located.node().filter(|node| node.id == link.node).ok_or(Error::NotFound)?;
    let held = node.permissions();
    let permissions = link.permissions & held;
    let is_open = permissions.includes(Permissions::READ) || permissions.includes(Permissions::CREATE);
    if !held.includes(Permissions::SHARE) || !is_open {
        return Err(Error::NotFound);
    }
    // What is only to be looked at stays so; nothing else of the attributes is about what may be done.
    let attributes = (!allows_download(link.attributes.as_deref())).then(|| NO_DOWNLOAD.to_owned());
    match node.access.as_deref() {
        None => Ok(Access {
            owner: link.maker,
            owner_login: row.text(LINK_COLUMNS + 1)?,
            owner_display_name: row.text(LINK_COLUMNS + 2)?,
            permissions,
            via: Via::Token,
            note: String::new(),
            attributes,
            expires: None,
        }),
        Some(access) => {
            // A team folder is never away.
            if access.via == Via::Share {
                connection.maybe(IS_ENABLED, &[access.owner.into()]).await?.ok_or(Error::NotFound)?;
            }
            let attributes = attributes.or_else(|| access.attributes.clone());
            Ok(Access { permissions, via: Via::Token, attributes, ..access.clone() })
        }
    }
}

/// Whether the account, whose home begins at `root`, has made the link or owns what it leads to.
pub(crate) async fn may_manage(
    connection: &mut Connection,
    root: &Root,
    account: AccountId,
    link: &Link,
) -> Result<bool, Error> {
    if link.maker == account {
        return Ok(true);
    }
    let Some(path) = look_up::path_of(connection, root.id, link.node).await? else { return Ok(false) };
    let located = look_up::locate(connection, root, &path).await?;
    Ok(located.node().is_some_and(|node| node.id == link.node && node.access.is_none()))
}

/// The link in the first columns of a row.
pub(crate) fn link_of(row: &Row) -> Result<Link, Error> {
    Ok(Link {
        id: LinkId(row.int(0)?),
        token: row.text(1)?,
        node: FileId(row.int(2)?),
        maker: AccountId(row.int(3)?),
        permissions: permissions_of(row, 4, "link")?,
        password_hash: row.maybe_text(5)?,
        expires: row.maybe_int(6)?.map(Timestamp),
        label: row.text(7)?,
        note: row.text(8)?,
        hides_download: row.truth(9)?,
        attributes: row.maybe_text(10)?,
        download_limit: row.maybe_int(11)?.map(i64::unsigned_abs),
        download_count: row.count(12)?,
        created: Timestamp(row.int(13)?),
    })
}

/// How many columns [`link_of`] reads.
const LINK_COLUMNS: usize = 14;

macro_rules! links {
    ($more:literal) => {
        concat!(
            "SELECT link.id, link.token, link.node_id, link.account_id, link.permissions, link.password_hash,
                    link.expires_us, link.label, link.note, link.hides_download, link.attributes,
                    link.download_limit, link.download_count, link.created_us ",
            $more
        )
    };
}

const BY_TOKEN: Sql = Sql(links!("FROM link WHERE space_id = $1 AND token = $2"));

pub(crate) const BY_ID: Sql = Sql(links!("FROM link WHERE space_id = $1 AND id = $2"));

const ALIVE: Sql = Sql(links!(
    ", account.home_id, account.login, account.display_name
       FROM link JOIN account ON account.space_id = $1 AND account.id = link.account_id  AND account.is_enabled = 1
                            AND account.departed_us IS NULL
      WHERE link.space_id = $1 AND link.id = $2"
));

const OF_ACCOUNT: Sql = Sql(links!("FROM link WHERE space_id = $1 AND account_id = $2 ORDER BY +id"));

const TO_NODE: Sql = Sql(links!("FROM link WHERE space_id = $1 AND node_id = $2 ORDER BY +id"));

const TO_MEMBERS: Sql = Sql(links!(
    "FROM link JOIN node ON node.space_id = $1 AND node.id = link.node_id
      WHERE link.space_id = $1 AND node.parent_id = $2 AND link.account_id = $3 ORDER BY link.id"
));

/// To siblings, between two numbers in one folder; to what they show, if they are mounts.
pub(crate) const AMONG: Sql = Sql(links!(
    "FROM node AS place JOIN link ON link.space_id = $1 AND link.node_id = COALESCE(place.target_id, place.id)
      WHERE place.space_id = $1 AND place.parent_id = $2 AND place.id >= $3 AND place.id <= $4"
));

const IS_ENABLED: Sql = Sql("SELECT id FROM account
      WHERE space_id = $1 AND id = $2 AND is_enabled = 1 AND departed_us IS NULL");

const COUNT: Sql = Sql("UPDATE link SET download_count = download_count + 1
      WHERE space_id = $1 AND id = $2 AND (download_limit IS NULL OR download_count < download_limit)");

const UNCOUNT: Sql = Sql("UPDATE link SET download_count = download_count - 1
      WHERE space_id = $1 AND id = $2 AND download_count > 0");

pub(crate) const STATEMENTS: &[Sql] =
    &[BY_TOKEN, BY_ID, ALIVE, OF_ACCOUNT, TO_NODE, TO_MEMBERS, AMONG, IS_ENABLED, COUNT, UNCOUNT];
