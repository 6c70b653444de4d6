//! How fast a body becomes a durable blob and comes back, and what memory that takes:
//! `cargo run -p nichoir-store --example stage_throughput -- DIR MEGABYTES [sha1]`, to be compared with
//! `dd if=/dev/zero of=DIR/dd bs=1M count=MEGABYTES conv=fsync`.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt as _;
use nichoir_store::change::PutFile;
use nichoir_store::checksum::Algorithm;
use nichoir_store::conditions::Conditions;
use nichoir_store::{
    BlobConfig, DatabaseConfig, Error, Limits, NewAccount, NewSpace, NodePath, Ports, Role, StageOptions, Store,
    StoreConfig,
};

const RUN_BYTES: usize = 64 * 1024;
const QUOTA_BYTES: u64 = 1 << 40;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("which directory?")?);
    let megabytes: u64 = arguments.next().ok_or("how many megabytes?")?.parse()?;
    let algorithms = if arguments.next().as_deref() == Some("sha1") { vec![Algorithm::Sha1] } else { Vec::new() };
    let config = StoreConfig {
        database: DatabaseConfig::Sqlite { directory: directory.join("db") },
        blobs: BlobConfig::Local { directory: directory.join("blobs") },
        base_domain: None,
        default_space: None,
        limits: Limits::default(),
    };
    let store = Store::open(config, Ports::system()).await?;
    let name = "throughput".to_owned();
    let space =
        store.create_space(NewSpace { name, hosts: Vec::new(), quota_bytes: QUOTA_BYTES, max_accounts: 1 }).await?;
    let account = NewAccount {
        login: "alice".to_owned(),
        display_name: String::new(),
        email: None,
        role: Role::Member,
        password_hash: None,
    };
    let tree = space.tree_as(&space.create_account(account).await?);

    let run = Bytes::from((0..RUN_BYTES).map(|place| (place * 31 % 251) as u8).collect::<Vec<_>>());
    let size_bytes = megabytes << 20;
    let runs = size_bytes / RUN_BYTES as u64;
    let body = futures_util::stream::iter(0..runs).map(move |_| Ok::<_, Error>(run.clone()));
    let before = resident_peak_kib();
    let start = now();
    let options = StageOptions { announced_bytes: Some(size_bytes), algorithms, ..StageOptions::default() };
    let content = tree.stage(body, options).await?;
    let change = PutFile {
        path: NodePath::parse("file")?,
        content,
        modified: None,
        created: None,
        checksums: None,
        makes_parents: false,
        media_type: None,
        member: None,
        conditions: Conditions::default(),
    };
    let written = tree.apply(change).await?;
    report("write", megabytes, start, before)?;

    let before = resident_peak_kib();
    let start = now();
    let mut stream = tree.open(&written.node).await?.stream(0..size_bytes);
    let mut found = 0;
    while let Some(run) = stream.next().await {
        found += run?.len() as u64;
    }
    assert_eq!(found, size_bytes);
    report("read", megabytes, start, before)?;
    store.close().await;
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "a measurement, where no behaviour hangs on the clock")]
fn now() -> Instant {
    Instant::now()
}

fn report(what: &str, megabytes: u64, start: Instant, before: u64) -> std::io::Result<()> {
    let seconds = start.elapsed().as_secs_f64();
    let rate = megabytes as f64 / seconds;
    let more = resident_peak_kib().saturating_sub(before);
    writeln!(std::io::stdout(), "{what}: {megabytes} MiB in {seconds:.2} s, {rate:.0} MiB/s, {more} KiB more memory")
}

/// The most memory that this process has had, as the kernel counts it; 0 where it does not.
fn resident_peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
