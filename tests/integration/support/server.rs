//! The application over a store of its own: two spaces, each with alice and bob.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nichoir::app::App;
use nichoir::config::Config;
use nichoir_auth::{device_hash, hash_password, new_app_password};
use nichoir_store::{
    Blobs, Clock as _, ManualClock, NewAccount, NewSpace, Ports, Random, Role, SeededRandom, Space, SqlFaults, Store,
    Timestamp,
};

use super::Client;

/// What every account has as its password.
const PASSWORD: &str = "correct-horse-battery";
const QUOTA_BYTES: u64 = 10_000_000;

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The application, over spaces `NAME` and `NAME-other`, which answer at `NAME.test` and `NAME-other.test`.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) space: Space,
    /// Counts the statements about spaces.
    pub(crate) statements: Arc<SqlFaults>,
    config: Config,
    /// What every account of the space has as its password.
    password: &'static str,
    other: Space,
    other_sequence: i64,
    _directory: Arc<tempfile::TempDir>,
}

/// Runs `test` on every engine at hand, then looks whether the other space is untouched and everything consistent.
pub(crate) async fn on_every_engine<F: AsyncFn(&Server)>(test: F) {
    on_every_engine_with(|_| {}, test).await;
}

/// The same with a configuration that `adjust` has changed.
pub(crate) async fn on_every_engine_with<F: AsyncFn(&Server)>(adjust: impl Fn(&mut Config), test: F) {
    let postgres = std::env::var("TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    if postgres.is_none() {
        eprintln!("skipped on PostgreSQL: TEST_POSTGRES is not set");
    }
    for url in [Some(String::new()), postgres].into_iter().flatten() {
        let server = Server::start(url, &adjust).await;
        test(&server).await;
        server.finish().await;
    }
}

impl Server {
    async fn start(postgres_url: String, adjust: &impl Fn(&mut Config)) -> Server {
        let directory = Arc::new(tempfile::tempdir().expect("a directory"));
        let mut config = Config::default();
        config.storage.data_dir = directory.path().to_owned();
        config.storage.postgres_url = postgres_url;
        config.storage.postgres_connections_max = 6;
        // Weak on purpose: these tests are not about the strength of the hash.
        config.auth.argon2_memory_kib = 8;
        config.auth.argon2_passes = 1;
        adjust(&mut config);

        // PostgreSQL keeps the spaces of earlier tests, so names and random numbers are the test's own.
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let seed = u64::from_le_bytes(Ports::system().bytes());
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(seed));
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_800_000_000)));
        let ports = Ports { clock: Arc::clone(&clock) as _, random };
        let statements = Arc::new(SqlFaults::none());
        let opened = config.store();
        let blobs = Blobs::open(&opened.blobs, opened.limits.part_bytes).expect("the blobs open");
        let store = Store::open_with(opened, ports.clone(), blobs, Some(Arc::clone(&statements))).await;
        let store = store.expect("the store opens");
        let name = format!("i{}-{number}-{:08x}", std::process::id(), seed & 0xffff_ffff);
        let space = make_space(&store, &name, PASSWORD, &config).await;
        let other = make_space(&store, &format!("{name}-other"), PASSWORD, &config).await;
        let app = App::new(&config, store, ports).expect("a valid configuration");
        let other_sequence = other.change_sequence().await.expect("the other space answers");
        let password = PASSWORD;
        Server { app, clock, space, statements, config, password, other, other_sequence, _directory: directory }
    }

    /// The same server as one that speaks to another space, whose accounts have another password. What is made there in the same
    /// order has the same numbers.
    pub(crate) async fn twin(&self, password: &'static str) -> Server {
        let name = format!("{}-twin", self.space.info().name);
        let space = make_space(self.app.store(), &name, password, &self.config).await;
        Server {
            app: self.app.clone(),
            clock: Arc::clone(&self.clock),
            space,
            statements: Arc::clone(&self.statements),
            config: self.config.clone(),
            password,
            other: self.other.clone(),
            other_sequence: self.other_sequence,
            _directory: Arc::clone(&self._directory),
        }
    }

    /// What its clock says, in seconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().seconds()
    }

    /// Which engine it is on.
    pub(crate) fn is_on_postgres(&self) -> bool {
        !self.config.storage.postgres_url.is_empty()
    }

    /// The host that the space answers at.
    pub(crate) fn host(&self) -> String {
        host_of(&self.space)
    }

    /// The host of the space that is to stay untouched.
    pub(crate) fn other_host(&self) -> String {
        host_of(&self.other)
    }

    /// A member more, with the password of all.
    pub(crate) async fn new_member(&self, login: &str) -> Client {
        make_account(&self.space, login, self.password, &self.config).await;
        self.account(login)
    }

    /// The host of a space more, with the same accounts, which may be touched.
    pub(crate) async fn another_host(&self) -> String {
        let name = format!("{}-more", self.space.info().name);
        host_of(&make_space(self.app.store(), &name, self.password, &self.config).await)
    }

    /// A client of the space without credentials.
    pub(crate) fn anonymous(&self) -> Client {
        Client::anonymous(&self.app, &self.host())
    }

    /// The account's client, with its password.
    pub(crate) fn account(&self, login: &str) -> Client {
        self.anonymous().as_login(login, self.password)
    }

    /// A new device of the account: its client, and its app password.
    pub(crate) async fn device(&self, login: &str) -> (Client, String) {
        let account = self.space.account_by_login(login).await.expect("the account is there");
        let password = new_app_password(&self.space);
        let hash = device_hash(&self.space, &password);
        self.space.create_device(account.id, "test", hash).await.expect("a device more");
        (self.anonymous().as_login(login, &password), password)
    }

    /// Looks whether the test did what it did in its own space only, and left it in order.
    async fn finish(self) {
        let sequence = self.other.change_sequence().await.expect("the other space answers");
        assert_eq!(sequence, self.other_sequence, "the other space was touched");
        let name = &self.space.info().name;
        let report = self.app.store().check_space(name, true).await.expect("the space can be checked");
        assert_eq!(report.problems, Vec::<String>::new());
        self.app.store().close().await;
    }
}

fn host_of(space: &Space) -> String {
    format!("{}.test", space.info().name)
}

async fn make_space(store: &Store, name: &str, password: &str, config: &Config) -> Space {
    let hosts = vec![format!("{name}.test")];
    let new = NewSpace { name: name.to_owned(), hosts, quota_bytes: QUOTA_BYTES, max_accounts: 5 };
    let space = store.create_space(new).await.expect("a new space");
    for login in ["alice", "bob"] {
        make_account(&space, login, password, config).await;
    }
    space
}

async fn make_account(space: &Space, login: &str, password: &str, config: &Config) {
    let account = NewAccount {
        login: login.to_owned(),
        display_name: login.to_uppercase(),
        email: Some(format!("{login}@{}.test", space.info().name)),
        role: Role::Member,
        password_hash: Some(hash_password(password, config.auth_limits().password_cost(), &Ports::system())),
    };
    space.create_account(account).await.expect("a new account");
}
