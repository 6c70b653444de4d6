//! The built binary as a child process: started on a free port over a data directory, stopped or killed.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nichoir_auth::{AuthLimits, hash_password};
use nichoir_store::{BlobConfig, DatabaseConfig, Limits, NewAccount, NewSpace, Ports, Role, Space, Store, StoreConfig};

use crate::http::Connection;

/// What every account of these tests has as its password.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// How the binary opens the store in `data_dir`.
pub(crate) fn config_of(data_dir: &Path) -> StoreConfig {
    StoreConfig {
        database: DatabaseConfig::Sqlite { directory: data_dir.to_owned() },
        blobs: BlobConfig::Local { directory: data_dir.join("blobs") },
        base_domain: None,
        default_space: None,
        limits: Limits::default(),
    }
}

/// Makes spaces with an account "alice" each, before anything serves them.
pub(crate) fn make_spaces(data_dir: &Path, names: impl IntoIterator<Item = String>) {
    // Weak on purpose: these tests are about processes.
    let cost = AuthLimits { argon2_memory_kib: 8, argon2_passes: 1, ..AuthLimits::default() }.password_cost();
    let password_hash = hash_password(PASSWORD, cost, &Ports::system());
    with_new_spaces(data_dir, names, async |space| {
        let account = NewAccount {
            login: "alice".to_owned(),
            display_name: String::new(),
            email: None,
            role: Role::Member,
            password_hash: Some(password_hash.clone()),
        };
        space.create_account(account).await.expect("a new account");
    });
}

/// Makes spaces that nobody has used yet.
pub(crate) fn make_empty_spaces(data_dir: &Path, names: impl IntoIterator<Item = String>) {
    with_new_spaces(data_dir, names, async |_| {});
}

fn with_new_spaces(data_dir: &Path, names: impl IntoIterator<Item = String>, each: impl AsyncFn(Space)) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(config_of(data_dir), Ports::system()).await.expect("an empty directory opens");
        for name in names {
            let new = NewSpace { name, hosts: Vec::new(), quota_bytes: 10_000_000_000, max_accounts: 5 };
            each(store.create_space(new).await.expect("a new space")).await;
        }
        store.close().await;
    });
}

/// Metadata and blobs agree.
pub(crate) fn check(data_dir: &Path) {
    let mut check = Command::new(env!("CARGO_BIN_EXE_nichoir"));
    let told = check.args(["check", "--deep", "--data-dir"]).arg(data_dir).output().expect("the binary starts");
    let said = [told.stdout, told.stderr].concat();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// A running `nichoir serve`.
pub(crate) struct Binary {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    admin_address: SocketAddr,
}

impl Binary {
    /// Starts it over `data_dir` and waits until it listens. Every space answers at NAME.example.org, and "demo" elsewhere.
    pub(crate) fn start(data_dir: &Path) -> Binary {
        Binary::start_with(data_dir, "exec", &[])
    }

    /// As `start`, under a shell's `prelude` and with further settings.
    pub(crate) fn start_with(data_dir: &Path, prelude: &str, settings: &[(&str, &str)]) -> Binary {
        let logged_before = log_of(data_dir).len();
        let log = std::fs::File::options().create(true).append(true).open(data_dir.join("log")).expect("a log file");
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{prelude} \"$0\" \"$@\""), env!("CARGO_BIN_EXE_nichoir"), "serve", "--data-dir"]);
        command.arg(data_dir).args(["--listen", "127.0.0.1:0"]);
        command.env("NICHOIR_SERVER__BASE_DOMAIN", "example.org").env("NICHOIR_SERVER__DEFAULT_SPACE", "demo");
        command.env("NICHOIR_SERVER__ADMIN_LISTEN", "127.0.0.1:0");
        command.envs(settings.iter().copied()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut child = command.spawn().expect("the binary starts");
        for _ in 0..1500 {
            let log = log_of(data_dir);
            let told = |what: &str| told_address(log.get(logged_before..)?, what);
            if let (Some(address), Some(admin_address)) = (told(" listening on "), told(" admin listener on ")) {
                return Binary { child, address, admin_address };
            }
            if let Some(status) = child.try_wait().expect("a child") {
                panic!("the binary ended with {status}: {}", log_of(data_dir));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        panic!("the binary does not listen: {}", log_of(data_dir));
    }

    /// What its admin listener says.
    pub(crate) fn admin(&self, path: &str) -> String {
        let mut connection = Connection::open(self.admin_address, "localhost").expect("it listens");
        let (_, body) = connection.request("GET", path, b"").expect("an answer");
        String::from_utf8_lossy(&body).into_owned()
    }

    /// How it has ended, if it has.
    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child")
    }

    /// The most memory that it has held so far.
    pub(crate) fn peak_memory_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a size");
        line.split_whitespace().next().and_then(|size| size.parse().ok()).expect("a number")
    }

    /// The processor time that it has taken so far, in hundredths of a second.
    pub(crate) fn processor_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("a process");
        let after_name = stat.rsplit(')').next().expect("a name");
        after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Ends it as a power cut would, as far as a process can.
    pub(crate) fn kill_now(&self) {
        self.signal("-KILL");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(status.success());
    }

    /// Waits for its end, at most so long.
    pub(crate) fn wait(&mut self, at_most: Duration) -> ExitStatus {
        for _ in 0..at_most.as_millis() / 10 {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it still runs after {at_most:?}");
    }

    /// Kills it and waits until it is gone.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        self.child.wait().expect("a child");
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address on the line that says `what`, once it is whole: the system chose the port, so that nobody else can have taken it.
fn told_address(log: &str, what: &str) -> Option<SocketAddr> {
    let (line, _) = log.split_once(what)?.1.split_once('\n')?;
    line.parse().ok()
}

/// What it logged so far.
pub(crate) fn log_of(data_dir: &Path) -> String {
    std::fs::read_to_string(data_dir.join("log")).unwrap_or_default()
}
