//! Makes the data of a hoster: `cargo run --release -p nichoir-auth --example many_spaces -- DIR SPACES [ACCOUNTS]`, a data
//! directory for `nichoir serve --data-dir DIR` with that many spaces of 50 accounts. One space in a hundred is active (20 devices,
//! a thousand files), one in ten is used now and then (10 devices, 100 files), the rest hardly (10 devices, 10 files).
//!
//! Prints what making them took, and writes `DIR/devices.txt`: host, login and app password of each device, a line each.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nichoir_auth::{device_hash, new_app_password};
use nichoir_store::change::{MakeFolder, PutFile};
use nichoir_store::conditions::Conditions;
use nichoir_store::{
    Account, BlobConfig, DatabaseConfig, Limits, NewAccount, NewSpace, NodePath, Ports, Role, Space, StageOptions,
    Store, StoreConfig, Tree,
};
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Spaces that are made at the same time.
const AT_ONCE: usize = 8;

/// How much a space is used.
struct Use {
    devices: u32,
    folders: u32,
    files_per_folder: u32,
}

impl Use {
    fn of(number: u32) -> Use {
        match number {
            number if number % 100 == 1 => Use { devices: 20, folders: 20, files_per_folder: 50 },
            number if number % 10 == 1 => Use { devices: 10, folders: 5, files_per_folder: 20 },
            _ => Use { devices: 10, folders: 2, files_per_folder: 5 },
        }
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("which directory?")?);
    let spaces: u32 = arguments.next().ok_or("how many spaces?")?.parse()?;
    let accounts: u32 = arguments.next().map_or(Ok(50), |text| text.parse())?;
    let store = open(&directory).await?;

    let start = now();
    for number in 1..=spaces {
        store.create_space(new_space(number)).await?;
    }
    tell(&format!("{spaces} spaces made, not used yet"), spaces, start);

    let start = now();
    let mut devices = std::io::BufWriter::new(std::fs::File::create(directory.join("devices.txt"))?);
    let mut making = JoinSet::new();
    for number in 1..=spaces {
        if making.len() >= AT_ONCE {
            write_devices(&mut devices, making.join_next().await)?;
        }
        let store = store.clone();
        making.spawn(async move { fill(&store.space_named(&name(number)).await?, number, accounts).await });
    }
    while let Some(made) = making.join_next().await {
        write_devices(&mut devices, Some(made))?;
    }
    devices.flush()?;
    store.close().await;
    tell(&format!("{spaces} spaces filled, {accounts} accounts each"), spaces, start);
    Ok(())
}

async fn open(directory: &Path) -> Outcome<Store> {
    let config = StoreConfig {
        database: DatabaseConfig::Sqlite { directory: directory.to_owned() },
        blobs: BlobConfig::Local { directory: directory.join("blobs") },
        base_domain: None,
        default_space: None,
        limits: Limits::default(),
    };
    let store = Store::open(config, Ports::system()).await?;
    // Nobody serves these files meanwhile who would have to be told of each change.
    store.hear_others();
    Ok(store)
}

fn name(number: u32) -> String {
    format!("asso-{number}")
}

fn new_space(number: u32) -> NewSpace {
    let name = name(number);
    NewSpace { hosts: vec![format!("{name}.example.org")], name, quota_bytes: 40_000_000_000, max_accounts: 50 }
}

type Made = Result<Outcome<Vec<String>>, tokio::task::JoinError>;

fn write_devices(file: &mut impl std::io::Write, made: Option<Made>) -> Outcome<()> {
    for line in made.transpose()?.transpose()?.unwrap_or_default() {
        writeln!(file, "{line}")?;
    }
    Ok(())
}

/// Accounts, devices and files of one space; the lines of its devices.
async fn fill(space: &Space, number: u32, accounts: u32) -> Outcome<Vec<String>> {
    let usage = Use::of(number);
    let mut making = JoinSet::new();
    for member in 0..accounts {
        let space = space.clone();
        let has_device = member < usage.devices;
        making.spawn(async move { member_of(&space, member, has_device).await });
    }
    let (mut lines, mut trees) = (Vec::new(), Vec::new());
    while let Some(made) = making.join_next().await {
        let (account, password) = made??;
        if let Some(password) = password {
            lines.push(format!("{} {} {password}", new_space(number).hosts[0], account.login));
        }
        trees.push(space.tree_as(&account));
    }
    let mut writing = JoinSet::new();
    for folder in 0..usage.folders {
        let tree = trees[folder as usize % trees.len()].clone();
        writing.spawn(async move { folder_of(&tree, folder, usage.files_per_folder).await });
    }
    while let Some(written) = writing.join_next().await {
        written??;
    }
    Ok(lines)
}

async fn member_of(space: &Space, number: u32, has_device: bool) -> Outcome<(Account, Option<String>)> {
    let new = NewAccount {
        login: format!("member{number}"),
        display_name: format!("Member {number}"),
        email: Some(format!("member{number}@example.org")),
        role: if number == 0 { Role::Admin } else { Role::Member },
        password_hash: None,
    };
    let account = space.create_account(new).await?;
    if !has_device {
        return Ok((account, None));
    }
    let password = new_app_password(space);
    space.create_device(account.id, "laptop", device_hash(space, &password)).await?;
    Ok((account, Some(password)))
}

async fn folder_of(tree: &Tree, number: u32, files: u32) -> Outcome<()> {
    let path = NodePath::parse(&format!("Folder {number}"))?;
    let change =
        MakeFolder { path: path.clone(), dead_properties: Vec::new(), kind: None, conditions: Conditions::default() };
    tree.apply(change).await?;
    for file in 0..files {
        let body = format!("What was said at meeting {file}. ").repeat(20 + (file % 50) as usize);
        let body = futures_util::stream::iter([Ok::<_, nichoir_store::Error>(bytes::Bytes::from(body))]);
        let change = PutFile {
            path: path.join(&format!("meeting {file}.md"))?,
            content: tree.stage(body, StageOptions::default()).await?,
            modified: None,
            created: None,
            checksums: None,
            makes_parents: false,
            media_type: None,
            member: None,
            conditions: Conditions::default(),
        };
        tree.apply(change).await?;
    }
    Ok(())
}

fn tell(what: &str, count: u32, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    let each = seconds * 1e3 / f64::from(count.max(1));
    let _ = writeln!(std::io::stdout(), "{what}: {seconds:.1} s, {each:.2} ms each");
}

#[allow(clippy::disallowed_methods, reason = "a measurement, where no behaviour hangs on the clock")]
fn now() -> Instant {
    Instant::now()
}
