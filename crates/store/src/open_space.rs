//! Space files that are open, a bounded number of them: opened by the first request, closed when idle or when
//! another space needs the room. Promise 12 of the design hangs here.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sqlx::PgPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::migrations;
use crate::ports::{Clock, Timestamp};
use crate::space::SpaceCore;
use crate::sql::{Connection, Sql};
use crate::sqlite::{SqliteConnection, aside};
use crate::writer::Writer;

/// Connections that read one space's file at once.
const READERS_MAX: usize = 4;
/// Files that an open space holds at most: two a connection and the shared index.
pub(crate) const FILES_PER_SPACE: usize = 2 * (READERS_MAX + 1) + 1;

/// Where connections to a space come from.
pub(crate) enum Engine {
    /// A file per space in this directory.
    Sqlite {
        directory: PathBuf,
        /// An empty space with the newest schema, copied to make one.
        template: PathBuf,
    },
    /// One database for all.
    Postgres(PgPool),
}

/// A space that is being used.
pub(crate) struct Opened {
    readers: Mutex<Vec<Connection>>,
    turns: Arc<Semaphore>,
    pub(crate) writer: Writer,
    finished: JoinHandle<()>,
    last_used: AtomicI64,
    _room: Room,
}

/// A connection for reading, given back when dropped.
pub(crate) struct Reader {
    connection: Option<Connection>,
    opened: Arc<Opened>,
    _turn: OwnedSemaphorePermit,
}

impl Deref for Reader {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("present until dropped")
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("present until dropped")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && connection.is_own()
        {
            self.opened.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

impl Opened {
    /// Opens the space's file, making it first if this is its first use.
    pub(crate) async fn open(core: &Arc<SpaceCore>, room: Room) -> Result<Opened, Error> {
        let mut readers = Vec::new();
        match core.engine.as_ref() {
            Engine::Sqlite { directory, template } => {
                let (path, template) = (file_of(directory, core), template.clone());
                readers.push(aside(first_reader(Arc::clone(core), path, template)).await?);
            }
            Engine::Postgres(pool) => {
                begin_space(&mut Connection::postgres(pool.acquire().await?, Some(core.id))).await?
            }
        }
        let (writer, finished) = Writer::start(Arc::clone(core));
        let last_used = AtomicI64::new(core.ports.clock.now().0);
        let turns = Arc::new(Semaphore::new(READERS_MAX));
        Ok(Opened { readers: Mutex::new(readers), turns, writer, finished, last_used, _room: room })
    }

    pub(crate) fn is_used_now(&self, clock: &dyn Clock) {
        self.last_used.store(clock.now().0, Ordering::Relaxed);
    }

    fn last_used(&self) -> Timestamp {
        Timestamp(self.last_used.load(Ordering::Relaxed))
    }

    /// A connection for reading, waiting for one if all are taken.
    pub(crate) async fn reader(self: Arc<Self>, core: &SpaceCore) -> Result<Reader, Error> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Error::Busy)?;
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => core.connect().await?,
        };
        Ok(Reader { connection: Some(connection), opened: self, _turn: turn })
    }

    /// Finishes what is queued and closes every file.
    pub(crate) async fn close(self) {
        let Opened { readers, writer, finished, .. } = self;
        for reader in readers.into_inner().unwrap_or_else(PoisonError::into_inner) {
            reader.close().await;
        }
        drop(writer);
        let _ = finished.await;
    }
}

/// A place among the open spaces, free again when dropped: also when nobody waits any more for the space to be opened.
pub(crate) struct Room(Arc<OpenSpaces>);

impl Drop for Room {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Which spaces are open.
#[derive(Default)]
pub(crate) struct OpenSpaces {
    pub(crate) max: usize,
    count: AtomicUsize,
    opened: Mutex<Vec<Weak<SpaceCore>>>,
}

impl OpenSpaces {
    pub(crate) fn new(max: usize) -> OpenSpaces {
        OpenSpaces { max: max.max(1), ..OpenSpaces::default() }
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Reserves a place for one more, closing the one unused for longest if need be.
    pub(crate) async fn make_room(self: &Arc<Self>) -> Result<Room, Error> {
        for _ in 0..1000 {
            let taken = self
                .count
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| (count < self.max).then_some(count + 1));
            if taken.is_ok() {
                return Ok(Room(Arc::clone(self)));
            }
            if !self.close_idle(None, 1).await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Err(Error::Busy)
    }

    pub(crate) fn register(&self, core: &Arc<SpaceCore>) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.retain(|other| other.strong_count() > 0);
        opened.push(Arc::downgrade(core));
    }

    /// Closes up to `limit` spaces that nobody uses, the longest unused first; only those last used before
    /// `before`, if given. Says whether it closed any.
    pub(crate) async fn close_idle(&self, before: Option<Timestamp>, limit: usize) -> bool {
        let mut candidates = self.candidates();
        candidates.retain(|(last_used, _)| before.is_none_or(|before| *last_used < before));
        candidates.sort_by_key(|(last_used, _)| *last_used);
        let mut has_closed = false;
        for (_, core) in candidates.into_iter().take(limit) {
            // A task of its own: a request that needs the room may be cancelled, and half closed is neither open nor closed.
            has_closed |= tokio::spawn(close_one(core)).await.unwrap_or(false);
        }
        has_closed
    }

    fn candidates(&self) -> Vec<(Timestamp, Arc<SpaceCore>)> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let cores = opened.iter().filter_map(Weak::upgrade);
        cores
            .filter_map(|core| {
                let last_used = match core.opened.try_lock() {
                    Ok(slot) => slot.as_ref().filter(|opened| Arc::strong_count(opened) == 1).map(|it| it.last_used()),
                    Err(_) => None,
                };
                last_used.map(|last_used| (last_used, core))
            })
            .collect()
    }

    fn forget(&self, core: &Arc<SpaceCore>) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.retain(|other| !std::ptr::eq(other.as_ptr(), Arc::as_ptr(core)));
    }
}

async fn close_one(core: Arc<SpaceCore>) -> bool {
    let Ok(mut slot) = core.opened.try_lock() else { return false };
    let Some(opened) = slot.take() else { return false };
    match Arc::try_unwrap(opened) {
        Ok(opened) => {
            opened.close().await;
            core.remember_only_roots();
            core.open_spaces.forget(&core);
            true
        }
        Err(used) => {
            *slot = Some(used);
            false
        }
    }
}

/// How many space files may be open: the setting, or less where the process may not open as many files.
pub fn affordable(wanted: usize) -> usize {
    // Half of the files are for connections, blobs and everything else.
    open_files_max().map_or(wanted, |files| wanted.min((files / 2 / FILES_PER_SPACE).max(1)))
}

/// How many files the process may open, where the system says.
pub fn open_files_max() -> Option<usize> {
    getrlimit(Resource::Nofile).current.and_then(|soft| usize::try_from(soft).ok())
}

/// Lets the process open as many files as it may allow itself; how many it has at first is made for old programs.
pub fn raise_open_files() {
    let hard = getrlimit(Resource::Nofile).maximum;
    let _ = setrlimit(Resource::Nofile, Rlimit { current: hard, maximum: hard });
}

pub(crate) fn file_of(directory: &Path, core: &SpaceCore) -> PathBuf {
    directory.join("spaces").join(format!("{}.sqlite", core.uuid))
}

/// The catalogue's file.
pub(crate) fn control_file(directory: &Path) -> PathBuf {
    directory.join("control.sqlite")
}

/// A connection to the catalogue in a file; none where that is PostgreSQL.
pub(crate) async fn connect_control(engine: &Engine) -> Result<Option<Connection>, Error> {
    match engine {
        Engine::Sqlite { directory, .. } => connect_sqlite(&control_file(directory), None).await.map(Some),
        Engine::Postgres(_) => Ok(None),
    }
}

/// Opens an SQLite file the way every one of ours is opened.
pub(crate) async fn connect_sqlite(path: &Path, space_id: Option<i64>) -> Result<Connection, Error> {
    let path = path.to_owned();
    let raw = run_blocking(move || SqliteConnection::open(&path)).await?;
    Ok(Connection::sqlite(raw, space_id))
}

/// Makes the space's file if this is its first use, and brings it up to date.
async fn first_reader(core: Arc<SpaceCore>, path: PathBuf, template: PathBuf) -> Result<Connection, Error> {
    if !path.try_exists()? {
        copy_durably(&template, &path, &core.ports.lower_alphanumeric(12))?;
    }
    let mut connection = Connection::sqlite(SqliteConnection::open_first(&path)?, None);
    migrations::migrate(&mut connection, "space", migrations::SPACE).await?;
    let mut connection = connection.of_space(core.id).with_faults(core.faults.clone());
    begin_space(&mut connection).await?;
    Ok(connection)
}

/// Makes sure that the space has its row of counters.
async fn begin_space(connection: &mut Connection) -> Result<(), Error> {
    if connection.maybe(HAS_STATE, &[]).await?.is_none() {
        connection.run(BEGIN_STATE, &[]).await?;
    }
    Ok(())
}

/// A copy that is whole or absent, whatever happens meanwhile.
fn copy_durably(template: &Path, path: &Path, random: &str) -> Result<(), Error> {
    let staged = path.with_extension(format!("{random}.new"));
    std::fs::copy(template, &staged)?;
    std::fs::File::open(&staged)?.sync_all()?;
    // hard_link, not rename: another process may have made the file meanwhile, and its is as good.
    let linked = std::fs::hard_link(&staged, path);
    std::fs::remove_file(&staged)?;
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    if let Some(parent) = path.parent() {
        std::fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// Runs `work` where blocking is allowed.
pub(crate) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Unavailable(Box::new(error)))?
}

const HAS_STATE: Sql = Sql("SELECT change_seq FROM space_state WHERE space_id = $1");

const BEGIN_STATE: Sql = Sql(
    "INSERT INTO space_state (space_id, change_seq, next_id, used_bytes, reclaimable_bytes, log_floor, upkeep_due_us)
     VALUES ($1, 1, 1, 0, 0, 1, 9223372036854775807)
     ON CONFLICT (space_id) DO NOTHING",
);

pub(crate) const STATEMENTS: &[Sql] = &[HAS_STATE, BEGIN_STATE];
