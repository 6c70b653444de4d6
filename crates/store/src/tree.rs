//! The tree as one account sees it: look-ups, listings, content, changes. Every route goes through here, so
//! authorisation lives here and nowhere else.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;

use crate::bin;
use crate::change::Change;
use crate::collection::Area;
use crate::content::{self, Content, Piece, StageOptions, Staged};
use crate::error::{Error, Source};
use crate::lock::{self, Lock, StoredLock, covering};
use crate::look_up::{self, Located};
use crate::marks::{Mark, Marks, places, whole_range};
use crate::member_quota;
use crate::moved::Quiet;
use crate::node::{DeadProperty, Etag, FileId, Needs, Node, Quota};
use crate::path::NodePath;
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::row::{PURGED, is_mount, node_columns, node_of};
use crate::share::{self, Access, Root};
use crate::space::SpaceCore;
use crate::sql::{Columns, Connection, Sql};
use crate::tx::Asker;

/// Members of a page that room is made for before they are read.
const PAGE_ROOM: usize = 512;
/// What a remembered content takes beside its bytes.
const CONTENT_OVERHEAD_BYTES: usize = 128;

/// An account's tree. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(crate) space: crate::space::Space,
    pub(crate) account: Arc<crate::account::Account>,
    pub(crate) area: Area,
    pub(crate) root: FileId,
    pub(crate) trash: FileId,
    /// How the root is held; `None`: as its owner.
    pub(crate) access: Option<Arc<Access>>,
    /// The link that it was opened by.
    pub(crate) link: Option<Arc<crate::link::Link>>,
    /// Whom its changes are not told to.
    pub(crate) quiet: Option<Arc<Quiet>>,
    /// Whether it is the trash, which is read as a tree and changed by changes of its own.
    pub(crate) is_bin: bool,
    /// Whether what it opens is shown, not handed out.
    pub(crate) only_shows: bool,
}

/// A page of a listing.
#[derive(Clone, Debug)]
pub struct Page {
    /// Members, in an order of the store's own.
    pub nodes: Vec<Node>,
    /// Where the next page starts; `None` after the last.
    pub next: Option<FileId>,
}

/// One line of a change report (RFC 6578).
#[derive(Clone, Debug)]
pub struct Changed {
    /// Where, relative to the caller's root.
    pub path: NodePath,
    /// What is there now; `None`: removed.
    pub node: Option<Node>,
}

/// What has come since a sync token.
#[derive(Clone, Debug)]
pub struct Changes {
    /// Each member once.
    pub changed: Vec<Changed>,
    /// The token to ask with next.
    pub token: i64,
    /// Whether the limit cut the list: asking again with `token` goes on.
    pub is_truncated: bool,
}

/// An upload in progress.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The name that the client chose.
    pub name: String,
    /// When it was begun or last written to.
    pub touched: Timestamp,
    /// Its chunks, complete ones only, in numeric order.
    pub chunks: Vec<Chunk>,
}

/// A complete chunk.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Its name.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// Moves when it is replaced.
    pub etag: crate::node::Etag,
    /// When it arrived.
    pub modified: Timestamp,
}

impl Tree {
    /// The space it belongs to.
    pub fn space(&self) -> &crate::space::Space {
        &self.space
    }

    /// Which of the account's trees this is.
    pub fn area(&self) -> Area {
        self.area
    }

    /// Whether it was opened by a token that anybody may have, rather than by an account.
    pub fn is_published(&self) -> bool {
        self.access.is_some()
    }

    /// The account that it is opened as.
    pub fn account(&self) -> &crate::account::Account {
        &self.account
    }

    /// The same tree, whose changes are not told to these push registrations.
    #[must_use]
    pub fn quietly(mut self, quiet: Quiet) -> Tree {
        self.quiet = Some(Arc::new(quiet));
        self
    }

    /// The same tree, whose files are opened to be shown and not to be handed out: as previews, or in an editor that keeps
    /// them to itself.
    #[must_use]
    pub fn to_look_at(&self) -> Tree {
        Tree { only_shows: true, ..self.clone() }
    }

    pub(crate) fn core(&self) -> &std::sync::Arc<SpaceCore> {
        self.space.core()
    }

    pub(crate) fn asker(&self) -> Asker {
        Asker {
            account: crate::account::Account::clone(&self.account),
            area: self.area,
            root: self.root,
            trash: self.trash,
            access: self.access.clone(),
            is_bin: self.is_bin,
            link: self.link.as_ref().map(|link| link.id),
            actor: self.space.actor.clone(),
            asked: self.core().ports.clock.now(),
        }
    }

    pub(crate) fn root(&self) -> Root {
        Root { id: self.root, access: self.access.clone(), now: self.core().ports.clock.now() }
    }

    /// The node at `path`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn node(&self, path: &NodePath, needs: Needs) -> Result<Node, Error> {
        if self.is_bin {
            return Box::pin(bin::node(self, path, needs)).await;
        }
        if self.only_adds() && !path.is_root() {
            return Err(Error::NotFound);
        }
        // What a link shows depends on the link.
        let is_plain = Needs::QUOTA.includes(needs) && self.link.is_none();
        if is_plain && let Some(node) = self.core().remembered(self.root, path) {
            return if is_others(&node, needs) { Box::pin(self.with_quota(node)).await } else { Ok(node) };
        }
        // On the heap, so that who finds it remembered has no room for the way to it.
        Box::pin(self.look_up(path, needs, is_plain)).await
    }

    /// The node as the tables have it; remembered, if it is plain.
    async fn look_up(&self, path: &NodePath, needs: Needs, is_plain: bool) -> Result<Node, Error> {
        let home = self.root;
        let generation = self.core().generation();
        let mut reader = self.core().reader().await?;
        let Located { mut chain, missing } = look_up::locate(&mut reader, &self.root(), path).await?;
        if !missing.is_empty() {
            return Err(Error::NotFound);
        }
        let mut node = chain.pop().ok_or(Error::NotFound)?;
        if is_plain && node.access.as_ref().is_none_or(|access| access.expires.is_none()) {
            self.core().remember(generation, home, path, &node);
        }
        if !is_plain || is_others(&node, needs) {
            Box::pin(self.decorate(&mut reader, &chain, std::slice::from_mut(&mut node), needs)).await?;
        }
        Ok(node)
    }

    /// The node with what may be written to it.
    async fn with_quota(&self, mut node: Node) -> Result<Node, Error> {
        let quota_bytes = self.core().quota_bytes();
        let mut reader = self.core().reader().await?;
        member_quota::add_quotas(&mut reader, quota_bytes, std::slice::from_mut(&mut node)).await?;
        Ok(node)
    }

    /// The node with that number, and its path, if the account can see it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn node_by_id(&self, id: FileId, needs: Needs) -> Result<(NodePath, Node), Error> {
        let path = {
            let mut reader = self.core().reader().await?;
            look_up::path_of(&mut reader, self.root, id).await?.ok_or(Error::NotFound)?
        };
        let node = self.node(&path, needs).await?;
        if node.id == id { Ok((path, node)) } else { Err(Error::NotFound) }
    }

    /// One page of a folder's members, from `after` on. A folder that vanished answers [`Error::NotFound`],
    /// never an empty page. `node` is the folder as returned by [`Tree::node`]; its path is needed for locks.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotACollection`].
    pub async fn children(
        &self,
        path: &NodePath,
        folder: &Node,
        after: Option<FileId>,
        needs: Needs,
    ) -> Result<Page, Error> {
        if !folder.is_folder() {
            return Err(Error::NotACollection);
        }
        check_readable(folder)?;
        if self.is_bin {
            return bin::children(self, path, folder, after, needs).await;
        }
        let limit = self.core().limits.page_rows.max(1);
        let mut reader = self.core().reader().await?;
        let args = [folder.id.into(), after.map_or(0, |id| id.0).into(), limit.into()];
        // Room for a whole page: growing would move what was read, again and again.
        let (mut nodes, mut mounts) =
            (Vec::with_capacity(usize::try_from(limit).unwrap_or(0).min(PAGE_ROOM)), Vec::new());
        let mut see = |row: &dyn Columns| {
            nodes.push(node_of(row)?);
            if is_mount(row)? {
                mounts.push(FileId(row.int(0)?));
            }
            Ok(true)
        };
        reader.each(CHILDREN, &args, &mut see).await?;
        let is_last = (nodes.len() as i64) < limit;
        let mut next = if is_last { None } else { nodes.last().map(|node| node.id) };
        if is_last {
            // A folder deleted for good loses its members step by step: a short list must not pass for a whole one.
            let parent = reader.maybe(PARENT_OF, &[folder.id.into()]).await?.ok_or(Error::NotFound)?;
            if parent.int(0)? == PURGED {
                return Err(Error::NotFound);
            }
        }
        let chain = match needs.includes(Needs::LOCKS) {
            true => look_up::locate(&mut reader, &self.root(), path).await?.chain,
            false => Vec::new(),
        };
        if folder.access.is_some() {
            nodes.retain(|node| !mounts.contains(&node.id));
            share::apply_visibility(&mut reader, folder, &mut nodes).await?;
        }
        if needs.includes(Needs::BODY) {
            let fitting = crate::body::within(&nodes, self.core().limits.page_member_bytes);
            if fitting < nodes.len() {
                nodes.truncate(fitting);
                next = nodes.last().map(|node| node.id);
            }
        }
        if folder.access.is_none()
            && !mounts.is_empty()
            && let (Some(first), Some(last)) = (nodes.first(), nodes.last())
        {
            let range = (folder.id, first.id, last.id);
            Box::pin(share::follow_among(&mut reader, range, &mut nodes, self.core().ports.clock.now())).await?;
        }
        self.decorate(&mut reader, &chain, &mut nodes, needs).await?;
        Ok(Page { nodes, next })
    }

    /// Loads what `needs` asks for onto siblings; `above` leads from the root to their folder.
    pub(crate) async fn decorate(
        &self,
        connection: &mut Connection,
        above: &[Node],
        nodes: &mut [Node],
        needs: Needs,
    ) -> Result<(), Error> {
        let Some(range) = whole_range(nodes) else { return Ok(()) };
        let me = self.account.id;
        if needs.includes(Needs::QUOTA) {
            // On the heap, as all that is rare: look-ups are at the bottom of long chains of calls.
            Box::pin(member_quota::add_quotas(connection, self.core().quota_bytes(), nodes)).await?;
        }
        let marks = Marks::look(connection, nodes, me, needs).await?;
        if needs.includes(Needs::FAVOURITE)
            && let Some([parent, first, last]) = marks.range(Mark::Favourite, nodes)
        {
            let places = places(nodes);
            for row in connection.all(FAVOURITES_AMONG, &[parent, first, last, me.into()]).await? {
                if let Some(place) = places.get(&FileId(row.int(0)?)) {
                    nodes[*place].is_favourite = true;
                }
            }
        }
        if needs.includes(Needs::DEAD_PROPERTIES)
            && let Some(range) = marks.range(Mark::DeadProperty, nodes)
        {
            let places = places(nodes);
            for row in connection.all(DEAD_PROPERTIES_AMONG, &range).await? {
                if let Some(place) = places.get(&FileId(row.int(0)?)) {
                    let property = DeadProperty { namespace: row.text(1)?, local: row.text(2)?, xml: row.text(3)? };
                    nodes[*place].dead_properties.push(property);
                }
            }
        }
        if needs.includes(Needs::DEAD_PROPERTIES) && nodes.iter().any(|node| node.mount.is_some()) {
            share::overlay_properties(connection, &range, nodes).await?;
        }
        if needs.includes(Needs::SHARES) {
            share::add_shares(connection, &marks, me, nodes).await?;
        }
        if needs.includes(Needs::TAGS)
            && let Some(range) = marks.range(Mark::Tag, nodes)
        {
            crate::tag::add_tags(connection, &range, self.account.is_admin(), nodes).await?;
        }
        if needs.includes(Needs::COMMENTS) {
            crate::comment::add_counts(connection, range.clone(), self.account.id.into(), nodes).await?;
        }
        if needs.includes(Needs::MEMBER_COUNTS) {
            nodes.iter_mut().filter(|node| node.is_folder()).for_each(|node| node.member_counts = Some((0, 0)));
            let places = places(nodes);
            for row in connection.all(MEMBERS_AMONG, &range).await? {
                if let Some(place) = places.get(&FileId(row.int(0)?)) {
                    let folders = row.count(1)?;
                    nodes[*place].member_counts = Some((folders, row.count(2)?.saturating_sub(folders)));
                }
            }
        }
        if needs.includes(Needs::BODY) {
            crate::body::add_bodies(self, connection, range.clone(), nodes).await?;
        }
        if needs.includes(Needs::SCHEDULE_TAG) {
            crate::scheduling::add_tags(connection, range, nodes).await?;
        }
        if needs.includes(Needs::LOCKS) {
            let locks = lock::active(connection, self.core().ports.clock.now()).await?;
            add_locks(&locks, above, nodes);
        }
        Ok(())
    }

    /// Every node below `path` that the account marked as favourite, with its path.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn favourites(&self, path: &NodePath, needs: Needs) -> Result<Vec<(NodePath, Node)>, Error> {
        self.node(path, Needs::NONE).await?;
        let marked = self.core().reader().await?.all(FAVOURITES, &[self.account.id.into()]).await?;
        let mut found = Vec::new();
        for row in marked {
            match self.node_by_id(FileId(row.int(0)?), needs).await {
                Ok((at, node)) if path.contains(&at) => found.push((at, node)),
                Ok(_) | Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// The numbers of what the account marked as favourite, seen or not.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn favourite_ids(&self) -> Result<HashSet<FileId>, Error> {
        let marked = self.core().reader().await?.all(FAVOURITES, &[self.account.id.into()]).await?;
        marked.iter().map(|row| row.int(0).map(FileId)).collect()
    }

    /// The pool as the account sees it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn quota(&self) -> Result<Quota, Error> {
        let mut reader = self.core().reader().await?;
        let pool = member_quota::pool(&mut reader, self.core().quota_bytes()).await?;
        let (used, available_bytes) = match self.account.quota_bytes {
            None => (pool.used, pool.bytes),
            Some(quota_bytes) => {
                let held = member_quota::held(&mut reader, self.account.id).await?;
                (held, member_quota::room(quota_bytes, held, pool.bytes))
            }
        };
        Ok(Quota { used_bytes: u64::try_from(used).unwrap_or(0), available_bytes, pool_bytes: pool.bytes })
    }

    /// Bytes that may still be written at `path`: what its owner, or the team folder, may still have.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn available_at(&self, path: &NodePath) -> Result<u64, Error> {
        let pool = member_quota::pool(&mut *self.core().reader().await?, self.core().quota_bytes()).await?;
        let mut at = Some(path.clone());
        while let Some(path) = at.filter(|_| pool.has_shares) {
            match self.node(&path, Needs::QUOTA).await {
                Ok(Node { quota: Some(quota), .. }) => return Ok(quota.available_bytes),
                Ok(_) => return Ok(self.quota().await?.available_bytes),
                Err(Error::NotFound) => at = path.parent(),
                Err(error) => return Err(error),
            }
        }
        Ok(pool.bytes)
    }

    /// The content of a file node.
    ///
    /// # Errors
    /// [`Error::IsACollection`], [`Error::NotFound`] when it was collected since.
    pub async fn open(&self, node: &Node) -> Result<Content, Error> {
        if let Some(id) = node.content
            && let Some(bytes) = self.core().contents().find(&id)
        {
            self.check_content(node)?;
            return Ok(Content::at_hand(bytes.clone(), self.core().blobs.clone()));
        }
        let content = self.content_of(&mut *self.core().reader().await?, node).await?;
        if let (Some(id), Some(bytes)) = (node.content, content.in_memory()) {
            self.core().contents().add(id, bytes.clone(), bytes.len() + CONTENT_OVERHEAD_BYTES);
        }
        Ok(content)
    }

    /// The same on a connection at hand.
    pub(crate) async fn content_of(&self, connection: &mut Connection, node: &Node) -> Result<Content, Error> {
        if node.is_folder() {
            return Err(Error::IsACollection);
        }
        self.check_content(node)?;
        let mut pieces = Vec::new();
        if let Some(content) = node.content {
            let mut see = |row: &dyn Columns| {
                pieces.push(Piece {
                    offset_bytes: row.count(0)?,
                    size_bytes: row.count(1)?,
                    inline: row.maybe_bytes(2)?.map(Bytes::from),
                    blob_key: row.maybe_text(3)?,
                });
                Ok(true)
            };
            connection.each(PIECES, &[content.into()], &mut see).await?;
            if pieces.is_empty() {
                return Err(Error::NotFound);
            }
        }
        Ok(Content { size_bytes: node.size_bytes, pieces, blobs: self.core().blobs.clone() })
    }

    /// The active locks that apply to the node at `path`, on itself or inherited.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn locks(&self, path: &NodePath) -> Result<Vec<Lock>, Error> {
        Ok(self.node(path, Needs::LOCKS).await?.locks)
    }

    /// The oldest sequence that a synchronisation can start from. A folder's sync token (RFC 6578) is its etag's
    /// sequence or this, whichever is newer: see [`Node::sync_token`].
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn log_floor(&self) -> Result<i64, Error> {
        self.core().reader().await?.row(LOG_FLOOR, &[]).await?.int(0)
    }

    /// The token to start a synchronisation of the folder at `path` from (RFC 6578).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn sync_token(&self, path: &NodePath) -> Result<i64, Error> {
        let floor = self.log_floor().await?;
        Ok(self.node(path, Needs::NONE).await?.sync_token(floor))
    }

    /// What changed below `path` since `token`; direct members only unless `is_deep`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotACollection`], [`Error::StaleToken`].
    pub async fn changes_since(
        &self,
        path: &NodePath,
        token: i64,
        is_deep: bool,
        limit: usize,
        needs: Needs,
    ) -> Result<Changes, Error> {
        crate::change_log::changes_since(self, path, token, is_deep, limit, needs).await
    }

    /// A connection for reading, for the other files of this crate that answer for a tree.
    pub(crate) async fn reader(&self) -> Result<crate::open_space::Reader, Error> {
        self.core().reader().await
    }

    /// Whether GET, PUT and the like demanded by `conditions` holds now: for methods that only read.
    ///
    /// # Errors
    /// [`Error::ConditionFailed`].
    pub async fn check_conditions(
        &self,
        path: &NodePath,
        conditions: &crate::conditions::Conditions,
    ) -> Result<(), Error> {
        if self.only_adds() {
            return Ok(());
        }
        let root = self.root();
        let mut reader = self.core().reader().await?;
        let located = look_up::locate(&mut reader, &root, path).await?;
        let locks = lock::active(&mut reader, self.core().ports.clock.now()).await?;
        let is_missing = !located.missing.is_empty();
        crate::evaluate::check(&mut reader, &root, conditions, &located.chain, is_missing, &locks).await
    }

    /// The account's upload of that name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn upload(&self, name: &str) -> Result<Upload, Error> {
        let mut reader = self.core().reader().await?;
        let upload = reader.maybe(UPLOAD, &[self.account.id.into(), name.into()]).await?.ok_or(Error::NotFound)?;
        let rows = reader.all(CHUNKS, &[upload.int(0)?.into()]).await?;
        let chunks = rows.iter().map(|row| {
            Ok(Chunk {
                name: row.text(0)?,
                size_bytes: row.count(1)?,
                etag: Etag(row.int(2)?),
                modified: Timestamp(row.int(3)?),
            })
        });
        let chunks = chunks.collect::<Result<_, Error>>()?;
        Ok(Upload { name: name.to_owned(), touched: Timestamp(upload.int(1)?), chunks })
    }

    /// The names of the account's uploads.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn uploads(&self) -> Result<Vec<String>, Error> {
        let rows = self.core().reader().await?.all(UPLOADS, &[self.account.id.into()]).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// Takes in a body: durable when it returns, part of nothing yet. Counts, hashes and verifies in one pass. What the
    /// pool takes is looked at here; whether the account's own share takes it, by the change that uses it.
    ///
    /// # Errors
    /// [`Error::OverQuota`] (before reading, where the length is announced), [`Error::BodyInterrupted`],
    /// [`Error::ChecksumMismatch`], [`Error::TooLarge`].
    pub async fn stage<S, E>(&self, body: S, options: StageOptions) -> Result<Staged, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Source> + Send,
    {
        self.check_writes()?;
        let available_bytes = self.quota().await?.pool_bytes;
        content::stage(self.core(), body, &options, available_bytes).await
    }

    /// Carries out a change: when it returns, the change is durable and visible whole, or nothing happened.
    ///
    /// # Errors
    /// Whatever the change says.
    pub async fn apply<C: Change>(&self, change: C) -> Result<C::Outcome, Error> {
        let (mut asker, quiet) = (self.asker(), self.quiet.clone());
        let work = self.core().write(move |tx| {
            tx.advance();
            tx.quiet = quiet;
            Box::pin(async move {
                if let Some(link) = asker.link {
                    // Whoever took the link back meanwhile is obeyed.
                    let now = tx.now();
                    asker.access = Some(Arc::new(crate::link::access(&mut tx.connection, link, now).await?));
                }
                change.run(tx, &asker).await
            })
        });
        work.await
    }
}

/// Whether its room is to be told, and is somebody else's.
fn is_others(node: &Node, needs: Needs) -> bool {
    needs.includes(Needs::QUOTA) && node.access.is_some()
}

/// Promise 9: who may only add to a folder sees nothing of what is in it.
pub(crate) fn check_readable(node: &Node) -> Result<(), Error> {
    match node.permissions().includes(Permissions::READ) {
        true => Ok(()),
        false => Err(Error::Forbidden("it is not shared for reading")),
    }
}

/// Puts onto each node the locks that apply to it; `above` leads from the root to the folder of all of them.
fn add_locks(locks: &[StoredLock], above: &[Node], nodes: &mut [Node]) {
    if locks.is_empty() {
        return;
    }
    let mut chain = above.to_vec();
    for node in nodes {
        chain.push(node.clone());
        node.locks = covering(locks, &chain).map(|lock| lock.clone().on(&chain)).collect();
        chain.pop();
    }
}

pub(crate) const CHILDREN: Sql = Sql(concat!(
    "SELECT ",
    node_columns!(),
    " FROM node WHERE space_id = $1 AND parent_id = $2 AND id > $3 ORDER BY id LIMIT $4"
));

const PARENT_OF: Sql = Sql("SELECT parent_id FROM node WHERE space_id = $1 AND id = $2");

// A mount stands among its siblings for what it shows.
const FAVOURITES_AMONG: Sql = Sql("SELECT favourite.node_id FROM node AS place
       JOIN favourite ON favourite.space_id = $1 AND favourite.account_id = $5
                     AND favourite.node_id = COALESCE(place.target_id, place.id)
      WHERE place.space_id = $1 AND place.parent_id = $2 AND place.id >= $3 AND place.id <= $4");

const DEAD_PROPERTIES_AMONG: Sql =
    Sql("SELECT dead_property.node_id, dead_property.namespace, dead_property.local, dead_property.xml
       FROM node AS place
       JOIN dead_property ON dead_property.space_id = $1
                         AND dead_property.node_id = COALESCE(place.target_id, place.id)
      WHERE place.space_id = $1 AND place.parent_id = $2 AND place.id >= $3 AND place.id <= $4");

const MEMBERS_AMONG: Sql = Sql("SELECT member.parent_id, CAST(SUM(member.is_folder) AS BIGINT), COUNT(*)
       FROM node AS place CROSS JOIN node AS member
      WHERE place.space_id = $1 AND place.parent_id = $2 AND place.id >= $3 AND place.id <= $4
        AND member.space_id = $1 AND member.parent_id = COALESCE(place.target_id, place.id)
      GROUP BY member.parent_id");

const FAVOURITES: Sql = Sql("SELECT node_id FROM favourite WHERE space_id = $1 AND account_id = $2 ORDER BY node_id");

const LOG_FLOOR: Sql = Sql("SELECT log_floor FROM space_state WHERE space_id = $1");

const PIECES: Sql = Sql("SELECT offset_bytes, size_bytes, bytes, blob_key
       FROM piece WHERE space_id = $1 AND content_id = $2 ORDER BY position");

const UPLOAD: Sql = Sql("SELECT id, touched_us FROM upload WHERE space_id = $1 AND account_id = $2 AND name = $3");

const CHUNKS: Sql = Sql(
    "SELECT name, size_bytes, etag, modified_us FROM chunk WHERE space_id = $1 AND upload_id = $2 ORDER BY number, etag",
);

const UPLOADS: Sql = Sql("SELECT name FROM upload WHERE space_id = $1 AND account_id = $2 ORDER BY id");

pub(crate) const STATEMENTS: &[Sql] = &[
    CHILDREN,
    PARENT_OF,
    FAVOURITES_AMONG,
    DEAD_PROPERTIES_AMONG,
    MEMBERS_AMONG,
    FAVOURITES,
    LOG_FLOOR,
    PIECES,
    UPLOAD,
    CHUNKS,
    UPLOADS,
];
