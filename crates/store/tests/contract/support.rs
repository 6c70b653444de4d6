//! A store for a test: two spaces with the same accounts, a clock that the test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nichoir_store::change::{MakeFolder, PutFile, Written};
use nichoir_store::conditions::Conditions;
use nichoir_store::fault::FaultyBlobs;
use nichoir_store::{
    Account, BlobConfig, Blobs, DatabaseConfig, Error, Limits, ManualClock, Needs, NewAccount, NewSpace, Node,
    NodePath, Ports, Role, SeededRandom, Space, SqlFaults, StageOptions, Staged, Store, StoreConfig, Timestamp, Tree,
};
use sqlx::{Connection as _, Executor as _};

use crate::blob_faults::PART_BYTES;

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) config: StoreConfig,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) faults: Arc<SqlFaults>,
    pub(crate) space: Space,
    pub(crate) alice: Tree,
    pub(crate) bob: Tree,
    other: Space,
    other_sequence: i64,
    _directory: tempfile::TempDir,
}

/// Which engine a test runs on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Runs `test` on every engine at hand.
pub(crate) async fn on_every_engine<F: AsyncFn(World)>(test: F) {
    on_every_engine_with(Limits::default(), 1_000_000_000, test).await;
}

pub(crate) async fn on_every_engine_with<F: AsyncFn(World)>(limits: Limits, quota_bytes: u64, test: F) {
    for on in [On::Sqlite, On::Postgres] {
        match World::start(on, limits.clone(), quota_bytes).await {
            Some(world) => test(world).await,
            None => eprintln!("skipped on {on:?}: TEST_POSTGRES is not set"),
        }
    }
}

/// A store whose blobs fail on demand too; they are in memory, in small parts.
pub(crate) struct FaultyWorld {
    pub(crate) world: World,
    pub(crate) blobs: Arc<FaultyBlobs>,
}

/// Runs `test` over blobs that fail on demand, on every engine at hand.
pub(crate) async fn on_every_engine_with_faulty_blobs<F: AsyncFn(FaultyWorld)>(limits: Limits, test: F) {
    for url in std::iter::once(None).chain(postgres_url().map(Some)) {
        let blobs = Arc::new(FaultyBlobs::over(Arc::new(object_store::memory::InMemory::new())));
        let opened = Blobs::from_object_store(Arc::clone(&blobs) as _, PART_BYTES);
        let world = World::start_over(url, limits.clone(), 1_000_000_000, Some(opened)).await;
        test(FaultyWorld { world, blobs }).await;
    }
}

/// The database of tests, if there is one.
pub(crate) fn postgres_url() -> Option<String> {
    std::env::var("TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

/// A database beside that of the other tests.
async fn own_database(url: &str) -> String {
    let name = format!("nichoir_apart_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    format!("{}/{name}", url.rsplit_once('/').unwrap().0)
}

impl World {
    pub(crate) async fn start(on: On, limits: Limits, quota_bytes: u64) -> Option<World> {
        let url = if on == On::Postgres { Some(postgres_url()?) } else { None };
        Some(World::start_at(url, limits, quota_bytes).await)
    }

    /// With no other spaces beside its two.
    pub(crate) async fn start_apart(on: On, limits: Limits) -> Option<World> {
        let url = if on == On::Postgres { Some(own_database(&postgres_url()?).await) } else { None };
        Some(World::start_at(url, limits, 1_000_000_000).await)
    }

    async fn start_at(postgres_url: Option<String>, limits: Limits, quota_bytes: u64) -> World {
        World::start_over(postgres_url, limits, quota_bytes, None).await
    }

    pub(crate) async fn start_over(
        postgres_url: Option<String>,
        limits: Limits,
        quota_bytes: u64,
        blobs_of_test: Option<Blobs>,
    ) -> World {
        let directory = tempfile::tempdir().unwrap();
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let database = match postgres_url {
            None => DatabaseConfig::Sqlite { directory: directory.path().join("db") },
            Some(url) => DatabaseConfig::Postgres { url, connections_max: 6 },
        };
        let blobs = BlobConfig::Local { directory: directory.path().join("blobs") };
        let config = StoreConfig { database, blobs, base_domain: None, default_space: None, limits };
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_800_000_000)));
        let faults = Arc::new(SqlFaults::none());
        let opened = blobs_of_test.unwrap_or_else(|| Blobs::open(&config.blobs, config.limits.part_bytes).unwrap());
        let store = open_over(&config, &clock, &faults, number, opened).await;
        // PostgreSQL keeps the spaces of earlier tests, so names are the test's own.
        let name = format!("s{}-{number}", std::process::id());
        let space = make_space(&store, &name, quota_bytes).await;
        let other = make_space(&store, &format!("{name}-other"), quota_bytes).await;
        let alice = space.tree_as(&make_account(&space, "alice").await);
        let bob = space.tree_as(&make_account(&space, "bob").await);
        make_account(&other, "alice").await;
        let other_sequence = other.change_sequence().await.unwrap();
        World { store, config, clock, faults, space, alice, bob, other, other_sequence, _directory: directory }
    }

    /// Opens the same data again, as after a restart, and gives alice's tree there.
    pub(crate) async fn reopen(&self) -> (Store, Tree) {
        let store = reopened(&self.config, &self.clock).await;
        let space = store.space_named(&self.space.info().name).await.unwrap();
        let alice = space.account_by_login("alice").await.unwrap();
        let tree = space.tree_as(&alice);
        (store, tree)
    }

    /// Upkeep of the test's own space: on PostgreSQL, other tests have theirs in the same database, at times of their own.
    pub(crate) async fn maintain(&self) {
        self.store.maintain_space(&self.space.info().name).await.unwrap();
    }

    /// Everything consistent, and the other space as it was.
    pub(crate) async fn finish(self) {
        assert_eq!(self.other.change_sequence().await.unwrap(), self.other_sequence, "the other space was touched");
        let report = self.store.check_space(&self.space.info().name, true).await.unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
        self.store.close().await;
    }
}

/// The store of that configuration, opened again.
pub(crate) async fn reopened(config: &StoreConfig, clock: &Arc<ManualClock>) -> Store {
    let blobs = Blobs::open(&config.blobs, config.limits.part_bytes).unwrap();
    open_over(config, clock, &Arc::new(SqlFaults::none()), 77_000, blobs).await
}

async fn open_over(
    config: &StoreConfig,
    clock: &Arc<ManualClock>,
    faults: &Arc<SqlFaults>,
    number: u64,
    blobs: Blobs,
) -> Store {
    let clock: Arc<dyn nichoir_store::Clock> = Arc::clone(clock) as _;
    // Every store of every test process draws its own numbers: PostgreSQL is shared by all.
    let seed = u64::from(std::process::id()) << 32 | number << 8 | rand_byte();
    let ports = Ports { clock, random: Arc::new(SeededRandom::new(seed)) };
    Store::open_with(config.clone(), ports, blobs, Some(Arc::clone(faults))).await.unwrap()
}

fn rand_byte() -> u64 {
    let byte: [u8; 1] = Ports::system().bytes();
    u64::from(byte[0])
}

pub(crate) async fn make_space(store: &Store, name: &str, quota_bytes: u64) -> Space {
    let new = NewSpace { name: name.to_owned(), hosts: Vec::new(), quota_bytes, max_accounts: 50 };
    store.create_space(new).await.unwrap()
}

pub(crate) async fn make_account(space: &Space, login: &str) -> Account {
    space
        .create_account(NewAccount {
            login: login.to_owned(),
            display_name: String::new(),
            email: None,
            role: Role::Member,
            password_hash: None,
        })
        .await
        .unwrap()
}

pub(crate) fn path(text: &str) -> NodePath {
    NodePath::parse(text).unwrap()
}

pub(crate) async fn stage(tree: &Tree, bytes: &[u8]) -> Result<Staged, Error> {
    let body = futures_util::stream::iter(
        bytes.chunks(64 * 1024).map(|run| Ok::<_, Error>(bytes::Bytes::copy_from_slice(run))),
    );
    tree.stage(body, StageOptions { announced_bytes: Some(bytes.len() as u64), ..StageOptions::default() }).await
}

pub(crate) async fn put(tree: &Tree, at: &str, bytes: &[u8]) -> Result<Written, Error> {
    put_if(tree, at, bytes, Conditions::default()).await
}

pub(crate) async fn put_if(tree: &Tree, at: &str, bytes: &[u8], conditions: Conditions) -> Result<Written, Error> {
    let content = stage(tree, bytes).await?;
    let change = PutFile {
        path: path(at),
        content,
        modified: None,
        created: None,
        checksums: None,
        makes_parents: false,
        media_type: None,
        member: None,
        conditions,
    };
    tree.apply(change).await
}

pub(crate) async fn make_folder(tree: &Tree, at: &str) -> Result<Written, Error> {
    tree.apply(MakeFolder {
        path: path(at),
        dead_properties: Vec::new(),
        kind: None,
        conditions: Conditions::default(),
    })
    .await
}

pub(crate) async fn node(tree: &Tree, at: &str) -> Result<Node, Error> {
    tree.node(&path(at), Needs::NONE).await
}

pub(crate) async fn read(tree: &Tree, at: &str) -> Result<Vec<u8>, Error> {
    use futures_util::TryStreamExt as _;
    let node = node(tree, at).await?;
    let content = tree.open(&node).await?;
    let runs: Vec<bytes::Bytes> = content.stream(0..u64::MAX).try_collect().await?;
    Ok(runs.concat())
}

/// The names in a folder, sorted.
pub(crate) async fn names(tree: &Tree, at: &str) -> Vec<String> {
    let folder = node(tree, at).await.unwrap();
    let mut names = Vec::new();
    let mut after = None;
    loop {
        let page = tree.children(&path(at), &folder, after, Needs::NONE).await.unwrap();
        names.extend(page.nodes.into_iter().map(|node| node.name));
        after = page.next;
        if after.is_none() {
            names.sort();
            return names;
        }
    }
}
