//! The store: all spaces of one server.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::PgPoolOptions;
use tokio::task::AbortHandle;

use crate::blob::Blobs;
use crate::control::{Control, Entry};
use crate::error::Error;
use crate::events::{Events, Origin, Teller};
use crate::folder;
use crate::migrations;
use crate::open_space::{Engine, OpenSpaces, affordable, connect_sqlite, control_file, run_blocking};
use crate::outside;
use crate::ports::{Ports, Timestamp};
use crate::scrub::Budget;
use crate::space::{CoreParts, Space, SpaceCore, SpaceInfo, SpaceInner, SpaceState};
use crate::sql::Connection;
use crate::sql_fault::SqlFaults;
use crate::sqlite::SqliteConnection;
use crate::theme::ThemeUpdate;
use crate::wake::{Wake, Wakes};

/// How long a connection to PostgreSQL may have been unused without a look whether it is still alive.
const PING_AFTER: Duration = Duration::from_secs(5);

/// Where metadata lives.
#[derive(Clone, Debug)]
pub enum DatabaseConfig {
    /// `control.sqlite` and a file per space, below this directory.
    Sqlite {
        /// The directory; made if missing.
        directory: PathBuf,
    },
    /// One PostgreSQL database.
    Postgres {
        /// `postgres://user:password@host/database`.
        url: String,
        /// Connections at most.
        connections_max: u32,
    },
}

/// Where blobs live.
#[derive(Clone, Debug)]
pub enum BlobConfig {
    /// Files below this directory, synced.
    Local {
        /// The directory; made if missing.
        directory: PathBuf,
    },
    /// An S3 bucket.
    S3(S3Config),
    /// Memory, for tests.
    Memory,
}

/// How to reach an S3 bucket.
#[derive(Clone, Debug)]
pub struct S3Config {
    /// `https://s3.example.org`.
    pub endpoint: String,
    /// The bucket, which exists.
    pub bucket: String,
    /// The region; `garage`, `us-east-1` or whatever the store wants.
    pub region: String,
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Address the bucket as `endpoint/bucket` rather than `bucket.endpoint`.
    pub has_path_style: bool,
}

/// The store's limits, each a setting of the same name.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Content up to this many bytes lives in the row.
    pub inline_bytes: usize,
    /// Bytes of one part of a blob on its way in: the memory that an upload takes.
    pub part_bytes: usize,
    /// Space files open at once.
    pub open_spaces_max: usize,
    /// Seconds after which an unused space file is closed.
    pub idle_close_seconds: u64,
    /// Bytes of small files that an open space remembers after they were read.
    pub remembered_content_bytes: usize,
    /// Rows a page of a listing.
    pub page_rows: i64,
    /// Members of a calendar or address book that are read at once, with their content.
    pub page_members: i64,
    /// Bytes of their content that are held at once; one member may be larger.
    pub page_member_bytes: u64,
    /// Changes waiting for one space's writer; more answer [`Error::Busy`].
    pub queued_changes_max: usize,
    /// Changes in one commit.
    pub group_changes_max: usize,
    /// The longest lock.
    pub lock_timeout_seconds_max: u64,
    /// Locks in a space.
    pub locks_max: u64,
    /// Seconds that a lease lasts which a client took with `X-User-Lock` or an office server, unless it is renewed.
    pub client_lock_seconds: u64,
    /// Dead properties on one node.
    pub dead_properties_max: u64,
    /// Bytes of one dead property.
    pub dead_property_bytes_max: u64,
    /// Chunks in one upload.
    pub upload_chunks_max: u64,
    /// Uploads of one account at once.
    pub uploads_max: u64,
    /// Public links that one account has made.
    pub links_max: u64,
    /// Bytes of a link's note, and of the attributes that clients keep with it.
    pub link_text_bytes_max: u64,
    /// Seconds after its last chunk that an unfinished upload is kept.
    pub upload_expiry_seconds: i64,
    /// Days in the trash.
    pub trash_days: i64,
    /// Days that the things of a deleted account are kept.
    pub departed_days: i64,
    /// Versions of one file.
    pub versions_max: u64,
    /// Days that versions are kept, from when they were replaced; those with a label are kept for good.
    pub version_days: i64,
    /// Whether fewer versions are kept the older they get.
    pub thins_versions: bool,
    /// Days of changes kept in the log for sync tokens.
    pub change_log_days: i64,
    /// Nodes copied by one COPY.
    pub copy_nodes_max: u64,
    /// Groups of a space, everyone's not counted.
    pub groups_max: u64,
    /// Nodes that one search looks at.
    pub search_candidates_max: u64,
    /// Searches of one space at once; more wait for their turn.
    pub searches_at_once_max: usize,
    /// Parts of uploads of one space that are hashed and written at once; more wait.
    pub upload_parts_at_once_max: usize,
    /// Requests of one space that compute at once.
    pub space_turns: usize,
    /// Requests of one space that wait for a turn; more answer [`Error::Busy`].
    pub space_waiting_max: usize,
    /// Tags of a space.
    pub tags_max: u64,
    /// Tags on one file or folder.
    pub tags_of_node_max: u64,
    /// Whether what is shared for looking at only may be opened all the same, as long as nobody makes a copy of it.
    pub has_view_without_download: bool,
    /// Comments on one file or folder.
    pub comments_of_node_max: u64,
    /// Members that one comment tells of itself.
    pub mentions_of_comment_max: usize,
    /// Team folders of a space.
    pub team_folders_max: u64,
    /// Shares of what one account or team folder has.
    pub shares_max: u64,
    /// Bytes of a share's note.
    pub share_note_bytes_max: u64,
    /// Devices of an account.
    pub devices_max: u64,
    /// Login flows waiting in a space.
    pub login_flows_max: u64,
    /// Days that activities are kept.
    pub activity_days: i64,
    /// Activities of a space.
    pub activities_max: u64,
    /// Days that the trail of a space is kept.
    pub audit_days: i64,
    /// Rows of each class in the trail of a space: failed sign-ins, sign-ins, acts.
    pub audit_rows_max: u64,
    /// Seconds in which activities of one member in one folder are alike.
    pub activity_gather_seconds: i64,
    /// Alike activities that are told one by one; further ones are counted.
    pub activity_burst_rows: u64,
    /// Days that notifications are kept.
    pub notification_days: i64,
    /// Notifications of an account.
    pub notifications_max: u64,
    /// Seconds before unreferenced blobs are removed: longer than any download takes.
    pub collect_after_seconds: i64,
    /// Seconds before blobs are removed that were staged and never used: longer than any upload takes.
    pub intent_expiry_seconds: i64,
    /// Seconds after a change that its space is looked at for what has expired; also between two looks at one space.
    pub upkeep_after_seconds: i64,
    /// Hours between two checks of the rows of a space that is changed, or has problems; 0: none.
    pub check_hours: i64,
    /// Days in which every piece of content is read and compared with its digest; 0: none is.
    pub scrub_days: i64,
    /// Bytes that are read for it in a second; 0: as many as there are.
    pub scrub_bytes_per_second: u64,
    /// Problems of a space that are kept.
    pub problems_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            inline_bytes: 16 * 1024,
            part_bytes: 5 * 1024 * 1024,
            open_spaces_max: 512,
            idle_close_seconds: 60,
            remembered_content_bytes: 128 * 1024,
            page_rows: 500,
            page_members: 200,
            page_member_bytes: 1024 * 1024,
            queued_changes_max: 1024,
            group_changes_max: 64,
            lock_timeout_seconds_max: 3600,
            locks_max: 10_000,
            client_lock_seconds: 1_800,
            dead_properties_max: 200,
            dead_property_bytes_max: 65_536,
            upload_chunks_max: 10_000,
            uploads_max: 1_000,
            links_max: 1_000,
            link_text_bytes_max: 4_000,
            upload_expiry_seconds: 2 * 24 * 3600,
            trash_days: 30,
            departed_days: 30,
            versions_max: 200,
            version_days: 365,
            thins_versions: true,
            change_log_days: 30,
            copy_nodes_max: 200_000,
            groups_max: 500,
            search_candidates_max: 500_000,
            searches_at_once_max: 2,
            upload_parts_at_once_max: 4,
            space_turns: 16,
            space_waiting_max: 1_000,
            tags_max: 1_000,
            tags_of_node_max: 100,
            has_view_without_download: true,
            comments_of_node_max: 10_000,
            mentions_of_comment_max: 50,
            team_folders_max: 200,
            shares_max: 2_000,
            share_note_bytes_max: 4_096,
            devices_max: 100,
            login_flows_max: 1_000,
            activity_days: 30,
            activities_max: 2_000,
            audit_days: 180,
            audit_rows_max: 10_000,
            activity_gather_seconds: 300,
            activity_burst_rows: 20,
            notification_days: 30,
            notifications_max: 100,
            collect_after_seconds: 3600,
            intent_expiry_seconds: 3 * 24 * 3600,
            upkeep_after_seconds: 6 * 3600,
            check_hours: 24,
            scrub_days: 30,
            scrub_bytes_per_second: 20_000_000,
            problems_max: 1_000,
        }
    }
}

/// How to open a store.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Where metadata lives.
    pub database: DatabaseConfig,
    /// Where blobs live.
    pub blobs: BlobConfig,
    /// Spaces answer at `NAME.base_domain`, if set.
    pub base_domain: Option<String>,
    /// The space that answers on every other host, if set.
    pub default_space: Option<String>,
    /// The limits.
    pub limits: Limits,
}

/// What a new space starts with.
#[derive(Clone, Debug)]
pub struct NewSpace {
    /// Its name, of `a-z 0-9 -`.
    pub name: String,
    /// Its own host names.
    pub hosts: Vec<String>,
    /// The pool, in bytes.
    pub quota_bytes: u64,
    /// How many accounts it may have.
    pub max_accounts: u32,
}

/// What to change of a space; `None` leaves as is.
#[derive(Clone, Debug, Default)]
pub struct SpaceUpdate {
    /// Its own host names, all of them.
    pub hosts: Option<Vec<String>>,
    /// The pool, in bytes.
    pub quota_bytes: Option<u64>,
    /// How many accounts it may have.
    pub max_accounts: Option<u32>,
    /// Active or suspended.
    pub state: Option<SpaceState>,
    /// What it looks like.
    pub theme: ThemeUpdate,
}

/// What `check` found wrong, in words for a person.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    /// Nodes, contents and blobs looked at.
    pub checked: u64,
    /// One line each; empty is good.
    pub problems: Vec<String>,
}

/// All spaces of one server. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<StoreInner>);

struct StoreInner {
    control: Arc<Control>,
    ports: Ports,
    limits: Arc<Limits>,
    blobs: Blobs,
    engine: Arc<Engine>,
    open_spaces: Arc<OpenSpaces>,
    faults: Option<Arc<SqlFaults>>,
    teller: Arc<Teller>,
    scrub_budget: Budget,
    /// Hears the other servers, once somebody here wants to know.
    listening: Mutex<Option<AbortHandle>>,
    /// What the handles of one space share; one for each space that was used since the start.
    cores: Mutex<HashMap<i64, Arc<SpaceCore>>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store, making what is missing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with what could not be opened.
    pub async fn open(config: StoreConfig, ports: Ports) -> Result<Store, Error> {
        let blobs = Blobs::open(&config.blobs, config.limits.part_bytes)?;
        Store::open_with(config, ports, blobs, None).await
    }

    /// Opens the store over blobs and statements that fail on demand: for tests.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(
        config: StoreConfig,
        ports: Ports,
        blobs: Blobs,
        faults: Option<Arc<SqlFaults>>,
    ) -> Result<Store, Error> {
        let StoreConfig { database, base_domain, default_space, limits, .. } = config;
        let (engine, open_max) = match database {
            DatabaseConfig::Sqlite { directory } => (open_sqlite(directory).await?, affordable(limits.open_spaces_max)),
            // An open space holds no file there, only its place in memory.
            DatabaseConfig::Postgres { url, connections_max } => {
                (open_postgres(&url, connections_max).await?, limits.open_spaces_max.max(10_000))
            }
        };
        let engine = Arc::new(engine);
        let control = Arc::new(Control::new(Arc::clone(&engine), ports.clone(), base_domain, default_space));
        let open_spaces = Arc::new(OpenSpaces::new(open_max));
        close_when_idle(&open_spaces, &ports, limits.idle_close_seconds);
        let cores = Mutex::new(HashMap::new());
        let limits = Arc::new(limits);
        let wakes = match engine.as_ref() {
            Engine::Postgres(pool) => Some(Arc::new(Wakes::new(pool.clone(), ports.alphanumeric(12)))),
            Engine::Sqlite { .. } => None,
        };
        let teller = Arc::new(Teller::new(wakes));
        let scrub_budget = Budget::of(limits.scrub_bytes_per_second);
        let listening = Mutex::new(None);
        Ok(Store(Arc::new(StoreInner {
            control,
            ports,
            limits,
            blobs,
            engine,
            open_spaces,
            faults,
            teller,
            scrub_budget,
            listening,
            cores,
        })))
    }

    /// The space that answers on `host` (without port, any case): its own hosts, else `NAME.base_domain`,
    /// else the default space, else `None`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn space_for_host(&self, host: &str) -> Result<Option<Space>, Error> {
        Ok(self.0.control.by_host(host).await?.map(|entry| self.handle(&entry)))
    }

    /// The space of that name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn space_named(&self, name: &str) -> Result<Space, Error> {
        Ok(self.handle(&*self.0.control.by_name(name).await?))
    }

    /// The space of that number.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn space_numbered(&self, id: i64) -> Result<Space, Error> {
        Ok(self.handle(&*self.0.control.by_id(id).await?))
    }

    /// What moves from now on in any space, committed by whichever server.
    pub fn events(&self) -> Events {
        self.hear_others();
        self.0.teller.hub.listen(false)
    }

    /// Makes sure that this is the only server of a store in files, for as long as what it returns is kept. Several servers may
    /// share a PostgreSQL database.
    ///
    /// # Errors
    /// [`Error::Exists`] when there is one, [`Error::Unavailable`].
    pub fn serve_alone(&self) -> Result<Option<std::fs::File>, Error> {
        outside::serve_alone(&self.0.engine)
    }

    /// Begins to serve: hears the other servers on the same database, or the commands that change the same files. What they do
    /// counts here at once from then on, or within a second.
    pub fn hear_others(&self) {
        self.0.teller.is_serving.store(true, Ordering::Relaxed);
        let mut listening = self.0.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if listening.is_some() {
            return;
        }
        let store = Arc::downgrade(&self.0);
        *listening = Some(match &self.0.teller.wakes {
            Some(wakes) => {
                let hearing = wakes.listen(move |wake| store.upgrade().is_some_and(|store| store.hear(wake)));
                // What this server committed before it last ended may never have been told.
                wakes.queue_loss();
                tokio::spawn(hearing).abort_handle()
            }
            None => {
                let engine = Arc::clone(&self.0.engine);
                let hear = move |space| store.upgrade().is_some_and(|store| store.hear_outside(space));
                // Not knowing where the news begins, it hears all of it.
                let seen = outside::newest(&engine).unwrap_or(0);
                tokio::spawn(outside::listen(engine, seen, hear)).abort_handle()
            }
        });
    }

    /// What moves from now on in any space, committed by this server.
    pub fn local_events(&self) -> Events {
        self.0.teller.hub.listen(true)
    }

    /// A handle on the space; every handle of one space shares one core.
    fn handle(&self, entry: &Entry) -> Space {
        let mut cores = self.0.cores.lock().unwrap_or_else(PoisonError::into_inner);
        let core = cores.entry(entry.info.id).or_insert_with(|| {
            let parts = CoreParts {
                ports: self.0.ports.clone(),
                limits: Arc::clone(&self.0.limits),
                blobs: self.0.blobs.clone(),
                engine: Arc::clone(&self.0.engine),
                open_spaces: Arc::clone(&self.0.open_spaces),
                faults: self.0.faults.clone(),
                teller: Arc::clone(&self.0.teller),
                control: Arc::clone(&self.0.control),
            };
            Arc::new(SpaceCore::new(&entry.info, entry.secret, parts))
        });
        core.quota_bytes.store(entry.info.quota_bytes, Ordering::Relaxed);
        core.max_accounts.store(u64::from(entry.info.max_accounts), Ordering::Relaxed);
        let inner = SpaceInner { info: entry.info.clone(), core: Arc::clone(core) };
        Space { inner: Arc::new(inner), actor: None }
    }

    pub(crate) fn control(&self) -> &Control {
        &self.0.control
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn blobs(&self) -> &Blobs {
        &self.0.blobs
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn scrub_budget(&self) -> &Budget {
        &self.0.scrub_budget
    }

    pub(crate) fn ports(&self) -> &Ports {
        &self.0.ports
    }

    /// The present instant, by the store's clock.
    pub fn now(&self) -> Timestamp {
        self.0.ports.clock.now()
    }

    /// Every space, by number.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn spaces(&self) -> Result<Vec<SpaceInfo>, Error> {
        self.0.control.all().await
    }

    /// Makes a space: one row; its file is made when it is first used.
    ///
    /// # Errors
    /// [`Error::Exists`] for a name or host in use, [`Error::BadName`].
    pub async fn create_space(&self, new: NewSpace) -> Result<Space, Error> {
        let name = new.name.clone();
        self.0.control.create(new, self.next_scrub(self.now())).await?;
        self.space_named(&name).await
    }

    /// Changes a space.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Exists`] for a host in use.
    pub async fn update_space(&self, name: &str, update: SpaceUpdate) -> Result<SpaceInfo, Error> {
        self.0.control.update(name, update).await?;
        Ok(self.space_named(name).await?.info().clone())
    }

    /// Deletes a space with everything in it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_space(&self, name: &str) -> Result<(), Error> {
        let space = self.space_named(name).await?;
        self.0.control.delete(space.info().id).await?;
        self.0.cores.lock().unwrap_or_else(PoisonError::into_inner).remove(&space.info().id);
        crate::reach::delete_everything(space.core()).await
    }

    /// Metadata against blobs and back (fsck); `is_deep` reads every blob and compares its hash.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn check_space(&self, name: &str, is_deep: bool) -> Result<CheckReport, Error> {
        crate::reach::check(self.space_named(name).await?.core(), is_deep).await
    }

    /// Expires and collects in one space, due or not, if there is one of that name and it was used. For tests.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn maintain_space(&self, name: &str) -> Result<(), Error> {
        match self.space_named(name).await {
            Ok(space) if crate::reach::was_used(space.core()).await => crate::retention::maintain(space.core()).await,
            _ => Ok(()),
        }
    }

    /// Whether the database and the blob store answer: for `/readyz` and `doctor`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with what does not answer.
    pub async fn probe(&self) -> Result<(), Error> {
        self.0.control.all().await?;
        self.0.blobs.probe(&format!("probe/{}", self.0.ports.lower_alphanumeric(16))).await
    }

    /// Has the engine read every statement that the store may ever run; says how many. For tests and `doctor`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with the statement that the engine does not understand.
    pub async fn check_statements(&self, name: &str) -> Result<usize, Error> {
        let space = self.space_named(name).await?;
        let mut reader = space.core().reader().await?;
        Ok(crate::statements::prepare_all(&mut reader, false).await? + self.0.control.prepare_all().await?)
    }

    /// How the embedded engine would carry out each statement about a space; empty on the shared one. For tests.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with the statement that the engine does not understand.
    #[doc(hidden)]
    pub async fn statement_plans(&self, name: &str) -> Result<Vec<(&'static str, Vec<String>)>, Error> {
        let space = self.space_named(name).await?;
        let mut reader = space.core().reader().await?;
        crate::statements::plans(&mut reader).await
    }

    /// Space files open now: for the metrics.
    pub fn open_spaces(&self) -> usize {
        self.0.open_spaces.count()
    }

    /// Spaces that take no changes any more because a sync failed: for the metrics.
    pub fn read_only_spaces(&self) -> usize {
        let cores = self.0.cores.lock().unwrap_or_else(PoisonError::into_inner);
        cores.values().filter(|core| core.is_read_only.load(Ordering::SeqCst)).count()
    }

    /// Finishes the changes under way and closes every file.
    pub async fn close(&self) {
        if let Some(listening) = self.0.listening.lock().unwrap_or_else(PoisonError::into_inner).take() {
            listening.abort();
        }
        while self.0.open_spaces.close_idle(None, usize::MAX).await {}
        if let Some(wakes) = &self.0.teller.wakes {
            wakes.flush().await;
        }
        self.0.control.close().await;
    }
}

impl StoreInner {
    /// A command has changed the space.
    fn hear_outside(&self, space: i64) -> bool {
        if let Some(core) = self.cores.lock().unwrap_or_else(PoisonError::into_inner).get(&space) {
            core.changed_outside();
        }
        true
    }

    /// Takes in what another server says.
    fn hear(&self, wake: Wake) -> bool {
        let cores = self.cores.lock().unwrap_or_else(PoisonError::into_inner);
        match wake {
            Wake::Moved(space, moved) => {
                if let Some(core) = cores.get(&space).filter(|_| moved.has_accounts) {
                    core.forget_log_ins();
                }
                self.teller.hub.publish(space, &moved, Origin::Elsewhere);
            }
            Wake::Loss => {
                cores.values().for_each(|core| core.forget_log_ins());
                self.teller.hub.publish_loss();
            }
        }
        true
    }
}

async fn open_sqlite(directory: PathBuf) -> Result<Engine, Error> {
    let spaces = directory.join("spaces");
    run_blocking(move || folder::make(&spaces)).await?;
    let file = control_file(&directory);
    let mut control = Connection::sqlite(run_blocking(move || SqliteConnection::open_first(&file)).await?, None);
    migrations::migrate(&mut control, "control", migrations::CONTROL).await?;
    control.close().await;

    // Written anew at each start, so that it always has the newest schema.
    let template = directory.join("template.sqlite");
    let fresh = directory.join(format!("template.{}.new", std::process::id()));
    remove_database(&fresh).await?;
    let mut connection = connect_sqlite(&fresh, None).await?;
    // Each copy of it is synced.
    connection.script("PRAGMA synchronous = OFF").await?;
    migrations::migrate(&mut connection, "space", migrations::SPACE).await?;
    connection.close().await;
    tokio::fs::rename(&fresh, &template).await?;
    Ok(Engine::Sqlite { directory, template })
}

/// Removes an SQLite file with what SQLite keeps beside it.
pub(crate) async fn remove_database(path: &std::path::Path) -> Result<(), Error> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match tokio::fs::remove_file(PathBuf::from(name)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

async fn open_postgres(url: &str, connections_max: u32) -> Result<Engine, Error> {
    let pool = PgPoolOptions::new()
        .max_connections(connections_max.max(2))
        .acquire_timeout(Duration::from_secs(10))
        // The pool looks at each connection when it comes back. To look before each use too would be one more round trip for
        // what is often a single statement.
        .test_before_acquire(false)
        .before_acquire(|connection, seen| {
            Box::pin(async move {
                if seen.idle_for >= PING_AFTER {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect(url)
        .await?;
    let mut connection = Connection::postgres(pool.acquire().await?, None);
    // One node migrates, the others wait for it.
    connection.script("SELECT pg_advisory_lock(7305804402)").await?;
    let migrated = async {
        migrations::migrate(&mut connection, "control", migrations::CONTROL).await?;
        migrations::migrate(&mut connection, "space", migrations::SPACE).await
    }
    .await;
    connection.script("SELECT pg_advisory_unlock(7305804402)").await?;
    migrated?;
    Ok(Engine::Postgres(pool))
}

/// One timer for the whole store: closes space files that nobody has used for a while.
fn close_when_idle(open_spaces: &Arc<OpenSpaces>, ports: &Ports, idle_close_seconds: u64) {
    let open_spaces = Arc::downgrade(open_spaces);
    let clock = Arc::clone(&ports.clock);
    let idle = i64::try_from(idle_close_seconds.max(1)).unwrap_or(i64::MAX);
    let pause = Duration::from_millis(500).max(Duration::from_secs(idle_close_seconds) / 4);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            let Some(open_spaces) = open_spaces.upgrade() else { return };
            open_spaces.close_idle(Some(clock.now().plus_seconds(-idle)), usize::MAX).await;
        }
    });
}
