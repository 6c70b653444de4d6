//! How long a search of a large tree takes, and what memory: `cargo run --release -p nichoir-store --example search_time --
//! DIR FOLDERS`, with a thousand files in each folder: every second one a picture, one in a thousand called `budget`.

use std::cmp::Ordering;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use nichoir_store::change::{Copy, MakeFolder, PutFile};
use nichoir_store::conditions::Conditions;
use nichoir_store::{
    BlobConfig, Candidate, DatabaseConfig, Error, Limits, Needs, NewAccount, NewSpace, NodePath, Ports, Role, Search,
    Sieve, StageOptions, Store, StoreConfig, Timestamp, Tree,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What the names of the files wanted end in or hold.
#[derive(Clone)]
struct Named(&'static str);

impl Sieve for Named {
    fn lets_through(&self, candidate: &Candidate) -> bool {
        candidate.name.to_lowercase().contains(self.0)
    }

    fn compare(&self, one: &Candidate, other: &Candidate) -> Ordering {
        other.modified.cmp(&one.modified)
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("which directory?")?);
    let folders: u32 = arguments.next().ok_or("how many folders?")?.parse()?;
    let config = StoreConfig {
        database: DatabaseConfig::Sqlite { directory: directory.join("db") },
        blobs: BlobConfig::Local { directory: directory.join("blobs") },
        base_domain: None,
        default_space: None,
        limits: Limits::default(),
    };
    let store = Store::open(config, Ports::system()).await?;
    let new = NewSpace { name: "search".to_owned(), hosts: Vec::new(), quota_bytes: 1 << 40, max_accounts: 1 };
    let space = store.create_space(new).await?;
    let account = NewAccount {
        login: "alice".to_owned(),
        display_name: String::new(),
        email: None,
        role: Role::Member,
        password_hash: None,
    };
    let tree = space.tree_as(&space.create_account(account).await?);
    fill(&tree, folders).await?;

    let all = Search::below(NodePath::root());
    let newest = Search { is_newest_first: true, limit: 200, ..all.clone() };
    measure(&tree, "name, 100 results", &Search { limit: 100, ..all.clone() }, &Named("budget")).await?;
    measure(&tree, "name, nothing found", &all, &Named("nowhere")).await?;
    measure(&tree, "media, the newest 200", &newest, &Named(".jpg")).await?;
    let window = Search { modified_from: Timestamp::from_seconds(1_500_000_500), ..newest.clone() };
    measure(&tree, "media, a window of time", &window, &Named(".jpg")).await?;
    measure(&tree, "media, all", &Search { limit: 10_000, ..newest }, &Named(".jpg")).await?;
    store.close().await;
    Ok(())
}

/// The first folder file by file, the others as copies of it.
async fn fill(tree: &Tree, folders: u32) -> Outcome<()> {
    folder(tree, "0").await?;
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..1000_i64 {
        let tree = tree.clone();
        waiting.spawn(async move { file(&tree, number).await.map_err(|error| error.to_string()) });
    }
    while let Some(written) = waiting.join_next().await {
        written??;
    }
    for number in 1..folders {
        let change = Copy {
            source: NodePath::parse("0")?,
            destination: NodePath::parse(&number.to_string())?,
            overwrites: false,
            is_deep: true,
            conditions: Conditions::default(),
        };
        tree.apply(change).await?;
    }
    Ok(())
}

async fn folder(tree: &Tree, at: &str) -> Outcome<()> {
    let path = NodePath::parse(at)?;
    let change = MakeFolder { path, dead_properties: Vec::new(), kind: None, conditions: Conditions::default() };
    tree.apply(change).await?;
    Ok(())
}

async fn file(tree: &Tree, number: i64) -> Outcome<()> {
    let name = match number {
        500 => "Budget of the year.ods".to_owned(),
        number if number % 2 == 0 => format!("IMG_20260101_{number:06}.jpg"),
        number => format!("minutes of the meeting {number}.odt"),
    };
    let body = futures_util::stream::iter([Ok::<_, Error>(bytes::Bytes::from_static(b"x"))]);
    let content = tree.stage(body, StageOptions::default()).await?;
    let change = PutFile {
        path: NodePath::parse("0")?.join(&name)?,
        content,
        modified: Some(Timestamp::from_seconds(1_500_000_000 + number)),
        created: None,
        checksums: None,
        makes_parents: false,
        media_type: None,
        member: None,
        conditions: Conditions::default(),
    };
    tree.apply(change).await?;
    Ok(())
}

async fn measure(tree: &Tree, what: &str, search: &Search, sieve: &Named) -> Outcome<()> {
    for _ in 0..3 {
        let start = now();
        let found = tree.search(search, sieve.clone()).await?;
        let searched = start.elapsed();
        let mut count = 0;
        for first in (0..found.len()).step_by(500) {
            let nodes = tree.nodes_found(&found, first..(first + 500).min(found.len()), Needs::FAVOURITE).await?;
            count += nodes.len();
        }
        let (searched, handed) = (searched.as_secs_f64() * 1e3, (start.elapsed() - searched).as_secs_f64() * 1e3);
        writeln!(std::io::stdout(), "{what}: {searched:.1} ms, then {count} nodes in {handed:.1} ms")?;
    }
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "a measurement, where no behaviour hangs on the clock")]
fn now() -> Instant {
    Instant::now()
}
