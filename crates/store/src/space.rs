//! A space: the only door to its rows and blobs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

use crate::account::Account;
use crate::activity::RecentActivities;
use crate::audit::Actor;
use crate::blob::Blobs;
use crate::collection::Area;
use crate::control::{Control, restored};
use crate::error::Error;
use crate::events::{Origin, Teller};
use crate::moved::Moved;
use crate::node::{AccountId, ContentId, FileId, Node};
use crate::open_space::{Engine, OpenSpaces, Opened, Reader, connect_sqlite, file_of};
use crate::outside;
use crate::path::NodePath;
use crate::ports::Ports;
use crate::recent::Recent;
use crate::sql::{Connection, Sql};
use crate::sql_fault::SqlFaults;
use crate::sqlite::{self, SqliteConnection};
use crate::store::Limits;
use crate::theme::Theme;
use crate::tree::Tree;
use crate::turn::{Turns, without_turn};
use crate::tx::Tx;
use crate::writer::Running;

/// What is kept until a part of an upload is hashed and written.
pub(crate) type UploadPart = Arc<OwnedSemaphorePermit>;

/// Nodes that a space remembers between two changes.
const REMEMBERED_NODES_MAX: usize = 256;

/// Whether a space serves requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpaceState {
    /// It does.
    Active,
    /// Its clients are told to come back later (503); nothing is lost.
    Suspended,
}

/// What the catalogue of spaces knows of one.
#[derive(Clone, Debug)]
pub struct SpaceInfo {
    /// Its number in the catalogue.
    pub id: i64,
    /// Its UUID: the prefix of its blob keys and the name of its file.
    pub uuid: uuid::Uuid,
    /// Its name, of `a-z 0-9 -`; also the first label of its host under the base domain.
    pub name: String,
    /// Its own host names, lower-case.
    pub hosts: Vec<String>,
    /// The pool, in bytes.
    pub quota_bytes: u64,
    /// How many accounts it may have.
    pub max_accounts: u32,
    /// Active or suspended.
    pub state: SpaceState,
    /// `oc` and ten characters, forever: part of every `oc:id`.
    pub instance_id: String,
    /// What `oc:data-fingerprint` shows; empty until the space is restored from a backup.
    pub data_fingerprint: String,
    /// What it looks like.
    pub theme: Arc<Theme>,
}

impl SpaceInfo {
    /// Whether its restore is under way, or was cut off: then there is nothing in it that counts.
    pub fn is_being_restored(&self) -> bool {
        restored::is_provisional(&self.name)
    }
}

/// An association's nest: accounts, one tree each, one pool. Cheap to clone. What is not in it cannot be
/// reached through it.
#[derive(Clone, Debug)]
pub struct Space {
    pub(crate) inner: Arc<SpaceInner>,
    /// Who acts through this handle, for the trail.
    pub(crate) actor: Option<Arc<Actor>>,
}

#[derive(Debug)]
pub(crate) struct SpaceInner {
    pub(crate) info: SpaceInfo,
    pub(crate) core: Arc<SpaceCore>,
}

/// What all handles of one space share.
pub(crate) struct SpaceCore {
    pub(crate) id: i64,
    pub(crate) uuid: uuid::Uuid,
    pub(crate) secret: [u8; 32],
    pub(crate) ports: Ports,
    pub(crate) limits: Arc<Limits>,
    pub(crate) blobs: Blobs,
    pub(crate) engine: Arc<Engine>,
    pub(crate) open_spaces: Arc<OpenSpaces>,
    pub(crate) faults: Option<Arc<SqlFaults>>,
    pub(crate) teller: Arc<Teller>,
    pub(crate) control: Arc<Control>,
    pub(crate) quota_bytes: AtomicU64,
    pub(crate) max_accounts: AtomicU64,
    pub(crate) is_read_only: AtomicBool,
    pub(crate) account_epoch: AtomicU64,
    recent: Mutex<RecentActivities>,
    /// Moves with every commit; what was read under an older one is not remembered.
    generation: AtomicU64,
    remembered: Mutex<HashMap<(FileId, NodePath), Node>>,
    /// Small contents, which never change, by their number.
    contents: Mutex<Recent<ContentId, Bytes>>,
    /// Root and trash of the areas that were asked for; they never change.
    pub(crate) roots: Mutex<HashMap<(AccountId, Area), (FileId, FileId)>>,
    pub(crate) opened: tokio::sync::Mutex<Option<Arc<Opened>>>,
    /// Who may compute.
    pub(crate) turns: Arc<Turns>,
    /// A permit for each search that may run: they take long, and polls must not wait for them.
    searches: Arc<Semaphore>,
    /// A permit for each part of an upload that may be hashed and written.
    upload_parts: Arc<Semaphore>,
}

impl std::fmt::Debug for SpaceCore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpaceCore").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a core is made of, beside what the catalogue says.
pub(crate) struct CoreParts {
    pub(crate) ports: Ports,
    pub(crate) limits: Arc<Limits>,
    pub(crate) blobs: Blobs,
    pub(crate) engine: Arc<Engine>,
    pub(crate) open_spaces: Arc<OpenSpaces>,
    pub(crate) faults: Option<Arc<SqlFaults>>,
    pub(crate) teller: Arc<Teller>,
    pub(crate) control: Arc<Control>,
}

impl SpaceCore {
    pub(crate) fn new(info: &SpaceInfo, secret: [u8; 32], parts: CoreParts) -> SpaceCore {
        let CoreParts { ports, limits, blobs, engine, open_spaces, faults, teller, control } = parts;
        let permits = |number: usize| Arc::new(Semaphore::new(number.max(1)));
        let (searches, upload_parts) = (permits(limits.searches_at_once_max), permits(limits.upload_parts_at_once_max));
        let contents = Mutex::new(Recent::new(limits.remembered_content_bytes));
        let turns = Arc::new(Turns::new(limits.space_turns, limits.space_waiting_max));
        SpaceCore {
            id: info.id,
            uuid: info.uuid,
            secret,
            ports,
            limits,
            blobs,
            engine,
            open_spaces,
            faults,
            teller,
            control,
            quota_bytes: AtomicU64::new(info.quota_bytes),
            max_accounts: AtomicU64::new(u64::from(info.max_accounts)),
            is_read_only: AtomicBool::new(false),
            account_epoch: AtomicU64::new(1),
            recent: Mutex::default(),
            generation: AtomicU64::new(1),
            remembered: Mutex::new(HashMap::new()),
            contents,
            roots: Mutex::new(HashMap::new()),
            opened: tokio::sync::Mutex::new(None),
            turns,
            searches,
            upload_parts,
        }
    }

    pub(crate) fn quota_bytes(&self) -> u64 {
        self.quota_bytes.load(Ordering::Relaxed)
    }

    /// The opened space; opens it if need be.
    async fn opened(self: &Arc<Self>) -> Result<Arc<Opened>, Error> {
        let mut slot = self.opened.lock().await;
        if let Some(opened) = slot.as_ref() {
            opened.is_used_now(self.ports.clock.as_ref());
            return Ok(Arc::clone(opened));
        }
        // On the heap, as all that is rare: every look at the space has room for this call.
        let opened = Box::pin(self.open()).await?;
        *slot = Some(Arc::clone(&opened));
        Ok(opened)
    }

    async fn open(self: &Arc<Self>) -> Result<Arc<Opened>, Error> {
        let room = self.open_spaces.make_room().await?;
        let opened = Arc::new(Opened::open(self, room).await?);
        self.open_spaces.register(self);
        Ok(opened)
    }

    /// Runs what syncs, or reads very many rows: on SQLite, which is called in place, on a thread where blocking is allowed.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        match self.engine.as_ref() {
            Engine::Sqlite { .. } => sqlite::aside(work).await,
            Engine::Postgres(_) => work.await,
        }
    }

    /// A connection for reading.
    pub(crate) async fn reader(self: &Arc<Self>) -> Result<Reader, Error> {
        self.opened().await?.reader(self).await
    }

    /// Waits for a search's turn among the searches of the space.
    pub(crate) async fn search_turn(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.searches).acquire_owned().await.map_err(|_| Error::Busy)
    }

    /// Waits until one more part of an upload may be hashed and written.
    pub(crate) async fn upload_part(&self) -> Result<UploadPart, Error> {
        let permit = without_turn(Arc::clone(&self.upload_parts).acquire_owned()).await;
        permit.map(Arc::new).map_err(|_| Error::Busy)
    }

    /// A new connection to the space.
    pub(crate) async fn connect(&self) -> Result<Connection, Error> {
        let connection = match self.engine.as_ref() {
            Engine::Sqlite { directory, .. } => connect_sqlite(&file_of(directory, self), Some(self.id)).await?,
            Engine::Postgres(pool) => Connection::postgres(pool.acquire().await?, Some(self.id)),
        };
        Ok(connection.with_faults(self.faults.clone()))
    }

    /// The same for whoever runs [`aside`](Self::aside) already: a thread that blocks must not wait for another, as there may be none.
    pub(crate) async fn connect_aside(&self) -> Result<Connection, Error> {
        match self.engine.as_ref() {
            Engine::Sqlite { directory, .. } => {
                let raw = SqliteConnection::open(&file_of(directory, self))?;
                Ok(Connection::sqlite(raw, Some(self.id)).with_faults(self.faults.clone()))
            }
            Engine::Postgres(_) => self.connect().await,
        }
    }

    /// Runs `work` in the space's writer; when it returns, it is committed.
    pub(crate) async fn write<F, T>(self: &Arc<Self>, work: F) -> Result<T, Error>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> Running<'t, Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        if self.is_read_only.load(Ordering::SeqCst) {
            return Err(Error::ReadOnly);
        }
        self.opened().await?.writer.submit(work).await
    }

    /// Forgets what was read before the commit.
    pub(crate) fn after_commit(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Says to a server that may be serving this file that a command has changed it.
    pub(crate) async fn note_outside(&self) {
        if self.teller.is_serving.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = outside::note(&self.engine, self.id).await {
            warn!(space.id = self.id, %error, "a server that serves this space is not told of the change");
        }
    }

    /// Forgets everything that was read before another process changed the space.
    pub(crate) fn changed_outside(&self) {
        self.after_commit();
        self.contents().clear();
        self.forget_log_ins();
        self.teller.hub.publish(self.id, &Moved { has_accounts: true, ..Moved::all() }, Origin::Elsewhere);
    }

    /// Says to every server that nothing in the space is as it was: whoever listens looks who may still be in it.
    pub(crate) async fn tell_all(&self) {
        self.note_outside().await;
        self.tell(&Moved { has_accounts: true, ..Moved::all() });
    }

    /// Keeps the roots alone of what it remembers: what polls ask for, and little, while nobody uses the space otherwise.
    pub(crate) fn remember_only_roots(&self) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.retain(|(_, path), _| path.is_root());
        remembered.shrink_to_fit();
        self.contents().clear();
    }

    /// Small contents that were read lately.
    pub(crate) fn contents(&self) -> std::sync::MutexGuard<'_, Recent<ContentId, Bytes>> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells who listens what moved.
    pub(crate) fn tell(&self, moved: &Moved) {
        self.teller.tell(self.id, moved);
    }

    /// The newest activities, for whoever has the writer's turn.
    pub(crate) fn recent(&self) -> std::sync::MutexGuard<'_, RecentActivities> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes every remembered log-in of this space invalid.
    pub(crate) fn forget_log_ins(&self) {
        self.account_epoch.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// The node, if it was read since the last commit. Only one process writes to an SQLite space's tree, so this
    /// is exact there; on PostgreSQL other nodes write too, and nothing is remembered.
    pub(crate) fn remembered(&self, root: FileId, path: &NodePath) -> Option<Node> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.is_empty() {
            return None;
        }
        remembered.get(&(root, path.clone())).cloned()
    }

    /// Remembers a node that was read while `generation` held.
    pub(crate) fn remember(&self, generation: u64, root: FileId, path: &NodePath, node: &Node) {
        if !matches!(self.engine.as_ref(), Engine::Sqlite { .. }) {
            return;
        }
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() < REMEMBERED_NODES_MAX && self.generation() == generation {
            remembered.insert((root, path.clone()), node.clone());
        }
    }
}

impl Space {
    /// What the catalogue knows of it.
    pub fn info(&self) -> &SpaceInfo {
        &self.inner.info
    }

    /// The clock and the random source.
    pub fn ports(&self) -> &Ports {
        &self.core().ports
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.core().limits
    }

    pub(crate) fn core(&self) -> &Arc<SpaceCore> {
        &self.inner.core
    }

    /// A URN that names the node for life (RFC 5842 §3.1): a UUID of version 8, made of what the space is called for life and the
    /// number. A space that is restored in place keeps both.
    pub fn urn_of(&self, id: FileId) -> String {
        let digest = blake3::hash(self.info().instance_id.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_bytes()[..16]);
        for (byte, digit) in bytes[8..].iter_mut().zip(id.0.to_be_bytes()) {
            *byte ^= digit;
        }
        uuid::Builder::from_custom_bytes(bytes).into_uuid().urn().to_string()
    }

    /// A key for `purpose` that belongs to this space alone: for keyed hashes and seals.
    pub fn key(&self, purpose: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.core().secret);
        hasher.update(purpose.as_bytes());
        *hasher.finalize().as_bytes()
    }

    /// The tree as `account` sees it: the only door to reading and writing nodes.
    pub fn tree_as(&self, account: &Account) -> Tree {
        self.tree_of(Arc::new(account.clone()))
    }

    /// The same, for whoever shares the account with others.
    pub fn tree_of(&self, account: Arc<Account>) -> Tree {
        Tree {
            space: self.clone(),
            area: Area::Files,
            root: account.home,
            trash: account.trash,
            account,
            access: None,
            link: None,
            quiet: None,
            is_bin: false,
            only_shows: false,
        }
    }

    /// The change sequence of the last committed change.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn change_sequence(&self) -> Result<i64, Error> {
        self.core().reader().await?.row(CHANGE_SEQUENCE, &[]).await?.int(0)
    }

    /// A number that moves whenever an account or device of this space changes through this process:
    /// what remembered log-ins are checked against.
    pub fn account_epoch(&self) -> u64 {
        self.core().account_epoch.load(Ordering::SeqCst)
    }

    /// Whether a failed sync has made the space read-only.
    pub fn is_read_only(&self) -> bool {
        self.core().is_read_only.load(Ordering::SeqCst)
    }
}

const CHANGE_SEQUENCE: Sql = Sql("SELECT change_seq FROM space_state WHERE space_id = $1");

pub(crate) const STATEMENTS: &[Sql] = &[CHANGE_SEQUENCE];
