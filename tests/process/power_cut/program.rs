//! The programs that are cut off: a few operations by one client, what each is to leave behind, and what a server finds afterwards.

use std::collections::BTreeMap;
use std::path::Path;

use futures_util::TryStreamExt as _;
use nichoir_store::change::PutFile;
use nichoir_store::conditions::Conditions;
use nichoir_store::{Error, Needs, Node, NodePath, Ports, StageOptions, Store, Tree};

use super::journal::mark_begin;
use crate::binary::config_of;
use crate::content;
use crate::http::{Connection, path, trashed_href};

/// How much is written at once: what lives in its row, and what is a blob of more than one part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Size {
    Small,
    Large,
}

impl Size {
    pub(crate) fn bytes(self, seed: usize) -> Vec<u8> {
        content(seed, if self == Size::Small { 3_000 } else { 270_000 })
    }
}

/// One request of a client.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    /// PUT of a file that is not there.
    New(Size),
    /// PUT of the main file, which becomes its version.
    Overwrite(Size),
    /// MOVE of the main file.
    Move,
    /// DELETE of the main file.
    Delete,
    /// PUT of a chunk of the upload.
    Chunk(Size),
    /// MOVE that makes a file of the upload; again where that was done.
    Assemble,
    /// MOVE out of the trash of what came there last.
    Restore,
}

const OPERATIONS: [Operation; 10] = [
    Operation::New(Size::Small),
    Operation::New(Size::Large),
    Operation::Overwrite(Size::Small),
    Operation::Overwrite(Size::Large),
    Operation::Move,
    Operation::Delete,
    Operation::Chunk(Size::Small),
    Operation::Chunk(Size::Large),
    Operation::Assemble,
    Operation::Restore,
];

/// What is to be found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    files: BTreeMap<String, Vec<u8>>,
    /// The file that is overwritten, moved and deleted, while it is there.
    main: Option<String>,
    /// By the names that they had; the last one came last.
    trash: Vec<(String, Vec<u8>)>,
    /// The chunks of the upload while it is open, by name.
    chunks: Option<BTreeMap<String, Vec<u8>>>,
}

/// Every program of so many operations at most that makes sense, the short ones first.
pub(crate) fn programs(operations_max: usize) -> Vec<Vec<Operation>> {
    let mut all: Vec<Vec<Operation>> = vec![Vec::new()];
    let mut longest = 0;
    for _ in 0..operations_max {
        let from = longest..all.len();
        longest = all.len();
        for program in from {
            for operation in OPERATIONS {
                let longer = [&all[program][..], &[operation]].concat();
                if states(&longer).is_some() {
                    all.push(longer);
                }
            }
        }
    }
    all
}

/// What each operation leaves, from the beginning on; `None` if one of them makes no sense.
pub(crate) fn states(program: &[Operation]) -> Option<Vec<State>> {
    let mut states = vec![State::first()];
    for (number, operation) in program.iter().enumerate() {
        states.push(states.last()?.after(*operation, number)?);
    }
    Some(states)
}

impl State {
    fn first() -> State {
        State {
            files: BTreeMap::from([("main".to_owned(), Size::Large.bytes(91))]),
            main: Some("main".to_owned()),
            trash: vec![("trashed".to_owned(), Size::Large.bytes(92))],
            chunks: Some(BTreeMap::from([("1".to_owned(), Size::Large.bytes(93))])),
        }
    }

    fn after(&self, operation: Operation, number: usize) -> Option<State> {
        let mut state = self.clone();
        match operation {
            Operation::New(size) => drop(state.files.insert(format!("new{number}"), size.bytes(number))),
            Operation::Overwrite(size) => drop(state.files.insert(self.main.clone()?, size.bytes(number))),
            Operation::Move => {
                let bytes = state.files.remove(self.main.as_ref()?)?;
                state.main = Some(format!("moved{number}"));
                state.files.insert(format!("moved{number}"), bytes);
            }
            Operation::Delete => {
                let name = state.main.take()?;
                let bytes = state.files.remove(&name)?;
                state.trash.push((name, bytes));
            }
            Operation::Chunk(size) => {
                state.chunks.as_mut()?.insert((number + 2).to_string(), size.bytes(number));
            }
            Operation::Assemble => {
                if let Some(chunks) = state.chunks.take() {
                    state.files.insert("whole".to_owned(), chunks.into_values().flatten().collect());
                }
            }
            Operation::Restore => {
                let (name, bytes) = state.trash.pop()?;
                if state.main.is_none() {
                    state.main = Some(name.clone());
                }
                state.files.insert(name, bytes);
            }
        }
        Some(state)
    }

    /// Makes the first state, in an empty space.
    pub(crate) fn prepare(connection: &mut Connection) {
        let first = State::first();
        let mut done = |method: &str, at: &str, body: &[u8]| {
            let (status, _) = connection.request(method, at, body).unwrap();
            assert!((200..300).contains(&status), "{method} {at} answered {status}");
        };
        let (name, bytes) = &first.trash[0];
        done("PUT", &path(name), bytes);
        done("DELETE", &path(name), b"");
        done("MKCOL", UPLOAD, b"");
        done("PUT", &format!("{UPLOAD}/1"), &first.chunks.unwrap()["1"]);
        done("PUT", &path("main"), &first.files["main"]);
    }

    /// Has the server carry out the operation on this state, and tells the journal before.
    pub(crate) fn perform(&self, operation: Operation, number: usize, connection: &mut Connection, journal: &Path) {
        let main = path(self.main.as_deref().unwrap_or_default());
        let put = |at: String, size: Size| ("PUT", at, String::new(), size.bytes(number));
        let to = |at: String| format!("Destination: {at}\r\n");
        let (method, at, headers, body) = match operation {
            Operation::New(size) => put(path(&format!("new{number}")), size),
            Operation::Overwrite(size) => put(main, size),
            Operation::Chunk(size) => put(format!("{UPLOAD}/{}", number + 2), size),
            Operation::Move => ("MOVE", main, to(path(&format!("moved{number}"))), Vec::new()),
            Operation::Delete => ("DELETE", main, String::new(), Vec::new()),
            Operation::Assemble => ("MOVE", format!("{UPLOAD}/.file"), to(path("whole")), Vec::new()),
            Operation::Restore => {
                let name = &self.trash.last().unwrap().0;
                let at = trashed_href(connection, name).expect("it is in the trash");
                ("MOVE", at, to(format!("/remote.php/dav/trashbin/alice/restore/{name}")), Vec::new())
            }
        };
        mark_begin(journal, connection.port(), number);
        let (status, answer) = connection.request_with(method, &at, &headers, &body).unwrap();
        let said = String::from_utf8_lossy(&answer);
        assert!((200..300).contains(&status), "{operation:?} answered {status}: {said}");
    }
}

const UPLOAD: &str = "/remote.php/dav/uploads/alice/up";

/// Opens what a cut left as a server would, has the space checked if there is one, and hands it to `judge`.
pub(crate) async fn opened(
    data_dir: &Path,
    judge: impl AsyncFnOnce(&Store) -> Result<(), String>,
) -> Result<(), String> {
    let store = Store::open(config_of(data_dir), Ports::system()).await.map_err(|error| format!("open: {error:?}"))?;
    let judged = async {
        match store.check_space("demo", true).await {
            Ok(report) if report.problems.is_empty() => {}
            Ok(report) => return Err(format!("check: {:?}", report.problems)),
            Err(Error::NotFound) => {}
            Err(error) => return Err(format!("check: {error:?}")),
        }
        judge(&store).await
    };
    let judged = judged.await;
    store.close().await;
    judged
}

/// The tree of alice in the space.
pub(crate) async fn alice(store: &Store) -> Result<Tree, Error> {
    let space = store.space_named("demo").await?;
    let account = space.account_by_login("alice").await?;
    Ok(space.tree_as(&account))
}

/// Compares what a cut left with what may be there. Then it must take new files.
pub(crate) async fn verify(data_dir: &Path, expected: &[&State]) -> Result<(), String> {
    opened(data_dir, async |store| {
        let alice = alice(store).await.map_err(|error| format!("account: {error}"))?;
        let found = found(&alice).await.map_err(|error| format!("reading: {error}"))?;
        if !expected.iter().any(|state| found == Found::of(state)) {
            let may: Vec<Found> = expected.iter().map(|state| Found::of(state)).collect();
            return Err(format!("found {found:?}, may be one of {may:?}"));
        }
        for size in [Size::Small, Size::Large] {
            put_and_read(&alice, &size.bytes(77)).await.map_err(|error| format!("{size:?} after it: {error}"))?;
        }
        Ok(())
    })
    .await
}

/// A file as after a restart: it is taken and given back.
async fn put_and_read(tree: &Tree, bytes: &[u8]) -> Result<(), Error> {
    let at = NodePath::parse("after the cut")?;
    let body = futures_util::stream::iter([Ok::<_, Error>(bytes::Bytes::copy_from_slice(bytes))]);
    let content = tree.stage(body, StageOptions::default()).await?;
    let change = PutFile {
        path: at.clone(),
        content,
        modified: None,
        created: None,
        checksums: None,
        makes_parents: false,
        media_type: None,
        member: None,
        conditions: Conditions::default(),
    };
    tree.apply(change).await?;
    let node = tree.node(&at, Needs::NONE).await?;
    assert!(read(tree, &node).await? == bytes, "other bytes come back");
    Ok(())
}

/// What is there, with lengths and a short digest in place of bytes.
#[derive(Debug, PartialEq)]
struct Found {
    files: BTreeMap<String, (usize, u64)>,
    trash: BTreeMap<String, (usize, u64)>,
    /// Names and lengths; what they hold is a matter of the check.
    chunks: Option<BTreeMap<String, usize>>,
}

fn told(bytes: &[u8]) -> (usize, u64) {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    (bytes.len(), hasher.finish())
}

impl Found {
    fn of(state: &State) -> Found {
        let names = |chunks: &BTreeMap<String, Vec<u8>>| {
            chunks.iter().map(|(name, bytes)| (name.clone(), bytes.len())).collect::<BTreeMap<_, _>>()
        };
        Found {
            files: state.files.iter().map(|(name, bytes)| (name.clone(), told(bytes))).collect(),
            trash: state.trash.iter().map(|(name, bytes)| (name.clone(), told(bytes))).collect(),
            chunks: state.chunks.as_ref().map(names),
        }
    }
}

async fn found(alice: &Tree) -> Result<Found, Error> {
    let mut files = BTreeMap::new();
    for node in members(alice).await? {
        files.insert(node.name.clone(), told(&read(alice, &node).await?));
    }
    let mut trash = BTreeMap::new();
    for node in members(&alice.bin()?).await? {
        let name = node.trashed.as_ref().map_or_else(|| node.name.clone(), |trashed| trashed.name.clone());
        trash.insert(name, told(&read(alice, &node).await?));
    }
    let chunks = match alice.upload("up").await {
        Ok(upload) => Some(upload.chunks.into_iter().map(|chunk| (chunk.name, chunk.size_bytes as usize)).collect()),
        Err(Error::NotFound) => None,
        Err(error) => return Err(error),
    };
    Ok(Found { files, trash, chunks })
}

/// All files of a small tree.
pub(crate) async fn members(tree: &Tree) -> Result<Vec<Node>, Error> {
    let root = NodePath::root();
    let folder = tree.node(&root, Needs::NONE).await?;
    Ok(tree.children(&root, &folder, None, Needs::NONE).await?.nodes)
}

/// The bytes of a file.
pub(crate) async fn read(tree: &Tree, node: &Node) -> Result<Vec<u8>, Error> {
    let runs: Vec<bytes::Bytes> = tree.open(node).await?.stream(0..u64::MAX).try_collect().await?;
    Ok(runs.concat())
}
