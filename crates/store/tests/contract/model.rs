//! Random programs against a model of a space that is simple enough to be seen through: a tree of names, a trash, versions, an
//! upload, a lock, a pool, and a client that keeps a copy by change reports alone. After each operation everything that is shown
//! must be what the model says, on every engine, over blobs in files and in an object store.
//!
//! `MODEL_PROGRAMS=20000 cargo nextest run --workspace random_programs` runs more of them. A program that fails is printed in its
//! shortest form.

mod program;

use std::collections::{BTreeMap, BTreeSet};

use nichoir_store::change::{
    Assemble, BeginUpload, Copy, Delete, PutChunk, Relocate, RestoreVersion, TakeLock, Undelete, Unlock,
};
use nichoir_store::conditions::Conditions;
use nichoir_store::{Changed, Error, Etag, FileId, Limits, ManualClock, Needs, NodePath, Scope, Tree};
use proptest::test_runner::{Config, TestRunner};

use crate::support::{
    World, make_account, make_folder, make_space, names, node, on_every_engine_with, on_every_engine_with_faulty_blobs,
    path, put_if, read, stage,
};

use program::{Operation, operation};

/// Programs on each engine and blob store, unless `MODEL_PROGRAMS` says otherwise.
const PROGRAMS: u32 = 60;
const POOL_BYTES: u64 = 100_000_000;

fn at(place: &[u8]) -> String {
    place.iter().map(|letter| char::from(b'a' + letter).to_string()).collect::<Vec<_>>().join("/")
}

fn parent_of(at: &str) -> &str {
    at.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn name_of(at: &str) -> &str {
    at.rsplit_once('/').map_or(at, |(_, name)| name)
}

fn child(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}

/// Whether `at` is `top` or below it.
fn is_within(at: &str, top: &str) -> bool {
    at == top || top.is_empty() || at.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'))
}

/// A file or folder as the model knows it.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    id: FileId,
    etag: Etag,
    /// None for a folder.
    bytes: Option<Vec<u8>>,
    /// What a file held before, the newest first.
    versions: Vec<Vec<u8>>,
}

type Nodes = BTreeMap<String, Known>;

/// What was deleted: where from, and it with everything below, by the path inside of it.
#[derive(Clone, Debug)]
struct Gone {
    folder: FileId,
    name: String,
    nodes: Nodes,
}

#[derive(Clone, Debug, Default)]
struct Model {
    /// Without the root, which stands at "".
    nodes: Nodes,
    trash: Vec<Gone>,
    chunks: Option<BTreeMap<u8, Vec<u8>>>,
    lock: Option<Held>,
    has_token: bool,
    seconds: i64,
}

#[derive(Clone, Debug)]
struct Held {
    at: String,
    token: String,
    until: i64,
}

/// What an operation that succeeded did to the tree: paths whose own etag moves, beside their ancestors'.
type Touched = Vec<String>;

/// The store, the model of it, and the client with its copy.
struct Run<'w> {
    tree: Tree,
    clock: &'w ManualClock,
    model: Model,
    /// The highest etag so far.
    newest: Etag,
    token: i64,
    copy: BTreeMap<String, (FileId, Etag)>,
    /// Makes bytes that were never written before.
    written: u64,
}

impl Run<'_> {
    fn bytes(&mut self, size: usize) -> Vec<u8> {
        self.written += 1;
        let seed = self.written.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (0..size as u64).map(|place| (seed.rotate_left((place % 61) as u32) ^ place.wrapping_mul(seed)) as u8).collect()
    }

    fn conditions(&self) -> Conditions {
        let held = self.model.lock.iter().filter(|_| self.model.has_token);
        Conditions { lock_tokens: held.map(|held| held.token.clone()).collect(), ..Conditions::default() }
    }

    /// Whether somebody else's lock keeps us from changing `at` and all below it.
    fn is_locked(&self, at: &str) -> bool {
        let held = self.model.lock.as_ref().filter(|held| held.until > self.model.seconds);
        held.is_some_and(|held| !self.model.has_token && is_within(&held.at, at))
    }

    fn is_folder(&self, at: &str) -> bool {
        at.is_empty() || self.model.nodes.get(at).is_some_and(|known| known.bytes.is_none())
    }

    /// Whether something may come to stand at `to`.
    fn may_arrive(&self, to: &str, overwrites: bool) -> bool {
        self.is_folder(parent_of(to)) && !self.is_locked(to) && (overwrites || !self.model.nodes.contains_key(to))
    }

    fn take_out(&mut self, top: &str) -> Nodes {
        let paths: Vec<String> = self.model.nodes.keys().filter(|at| is_within(at, top)).cloned().collect();
        let inside = |at: &str| at[top.len()..].to_owned();
        paths.iter().map(|at| (inside(at), self.model.nodes.remove(at).unwrap())).collect()
    }

    fn put_in(&mut self, top: &str, nodes: Nodes) {
        self.model.nodes.extend(nodes.into_iter().map(|(inside, known)| (format!("{top}{inside}"), known)));
    }

    /// Into the trash, with the locks below it gone.
    async fn bury(&mut self, at: &str) {
        if self.model.nodes.contains_key(at) {
            let folder = self.id_of(parent_of(at)).await;
            let nodes = self.take_out(at);
            self.model.trash.push(Gone { folder, name: name_of(at).to_owned(), nodes });
            self.unlock_below(at);
        }
    }

    fn unlock_below(&mut self, at: &str) {
        self.model.lock = self.model.lock.take().filter(|held| !is_within(&held.at, at));
    }

    async fn id_of(&self, at: &str) -> FileId {
        match self.model.nodes.get(at) {
            Some(known) => known.id,
            None => node(&self.tree, at).await.unwrap().id,
        }
    }

    /// New content of the file at `at`, which may be new itself.
    async fn write(&mut self, at: &str, bytes: Vec<u8>) {
        match self.model.nodes.get_mut(at) {
            Some(known) => {
                let before = known.bytes.replace(bytes).unwrap();
                known.versions.insert(0, before);
            }
            None => {
                let found = node(&self.tree, at).await.unwrap();
                let known = Known { id: found.id, etag: found.etag, bytes: Some(bytes), versions: Vec::new() };
                self.model.nodes.insert(at.to_owned(), known);
            }
        }
    }

    /// Carries it out in both worlds; what is to be done is decided by the model alone, before.
    async fn operate(&mut self, operation: &Operation) {
        let before = self.tree.space().change_sequence().await.unwrap();
        match self.attempt(operation).await {
            Ok(touched) => self.assert_etags_moved(touched).await,
            Err(()) => assert_eq!(self.tree.space().change_sequence().await.unwrap(), before, "it was refused"),
        }
        self.assert_shown().await;
    }

    /// Whether the outcome is as it should be; what was touched, if it was carried out.
    fn judge<T>(should: bool, outcome: Result<T, Error>) -> Result<T, ()> {
        assert_eq!(outcome.is_ok(), should, "{:?}", outcome.as_ref().err());
        outcome.map_err(drop)
    }

    async fn attempt(&mut self, operation: &Operation) -> Result<Touched, ()> {
        let conditions = self.conditions();
        match operation {
            Operation::Put { at: place, size } => {
                let (at, bytes) = (at(place), self.bytes(*size));
                let is_folder = self.is_folder(&at);
                let may = self.may_arrive(&at, true) && !is_folder;
                Self::judge(may, put_if(&self.tree, &at, &bytes, conditions).await)?;
                self.write(&at, bytes).await;
                Ok(vec![at])
            }
            Operation::MakeFolder { at: place } => {
                let at = at(place);
                let made = Self::judge(self.may_arrive(&at, false), make_folder(&self.tree, &at).await)?.node;
                let known = Known { id: made.id, etag: made.etag, bytes: None, versions: Vec::new() };
                self.model.nodes.insert(at.clone(), known);
                Ok(vec![at])
            }
            Operation::Move { from, to, overwrites } => {
                let (from, to, overwrites) = (at(from), at(to), *overwrites);
                let is_apart = !is_within(&from, &to) && !is_within(&to, &from);
                let is_there = self.model.nodes.contains_key(&from);
                let may = is_apart && is_there && !self.is_locked(&from) && self.may_arrive(&to, overwrites);
                let (source, destination) = (path(&from), path(&to));
                let change = Relocate { source, destination, overwrites, conditions };
                Self::judge(may, self.tree.apply(change).await)?;
                self.bury(&to).await;
                let nodes = self.take_out(&from);
                self.put_in(&to, nodes);
                self.unlock_below(&from);
                Ok(vec![parent_of(&from).to_owned(), parent_of(&to).to_owned()])
            }
            Operation::Copy { from, to, overwrites } => {
                let (from, to, overwrites) = (at(from), at(to), *overwrites);
                let is_apart = !is_within(&from, &to) && !is_within(&to, &from);
                let may = is_apart && self.model.nodes.contains_key(&from) && self.may_arrive(&to, overwrites);
                let (source, destination) = (path(&from), path(&to));
                let change = Copy { source, destination, overwrites, is_deep: true, conditions };
                Self::judge(may, self.tree.apply(change).await)?;
                self.bury(&to).await;
                let below = self.model.nodes.clone().into_iter().filter(|(at, _)| is_within(at, &from));
                for (at, known) in below {
                    let at = format!("{to}{}", &at[from.len()..]);
                    let made = node(&self.tree, &at).await.unwrap();
                    let versions = Vec::new();
                    self.model.nodes.insert(at, Known { id: made.id, etag: made.etag, bytes: known.bytes, versions });
                }
                Ok(vec![parent_of(&to).to_owned()])
            }
            Operation::Delete { at: place } => {
                let at = at(place);
                let may = self.model.nodes.contains_key(&at) && !self.is_locked(&at);
                let change = Delete { path: path(&at), skips_trash: false, conditions };
                Self::judge(may, self.tree.apply(change).await)?;
                self.bury(&at).await;
                Ok(vec![parent_of(&at).to_owned()])
            }
            Operation::Undelete { back } => self.undelete(*back, conditions).await,
            Operation::RestoreVersion { at: place, back } => {
                let at = at(place);
                let Some(known) = self.model.nodes.get(&at).filter(|known| known.bytes.is_some()) else {
                    return Err(());
                };
                let (file, count) = (known.id, known.versions.len());
                let versions = self.tree.versions(file).await.unwrap().versions;
                let Some(version) = versions.get(back + 1) else {
                    assert!(count <= *back, "version {back} of {at} is missing");
                    return Err(());
                };
                let change = RestoreVersion { file, second: version.second, conditions };
                Self::judge(!self.is_locked(&at), self.tree.apply(change).await)?;
                let known = self.model.nodes.get_mut(&at).unwrap();
                let restored = known.versions.remove(*back);
                known.versions.insert(0, known.bytes.replace(restored).unwrap());
                Ok(vec![at])
            }
            Operation::Chunk { number, size } => {
                if self.model.chunks.is_none() {
                    let upload = "up".to_owned();
                    self.tree.apply(BeginUpload { upload, total_bytes: None }).await.unwrap();
                    self.model.chunks = Some(BTreeMap::new());
                }
                let bytes = self.bytes(*size);
                let content = stage(&self.tree, &bytes).await.unwrap();
                let (upload, chunk) = ("up".to_owned(), number.to_string());
                self.tree.apply(PutChunk { upload, chunk, content, total_bytes: None }).await.unwrap();
                self.model.chunks.as_mut().unwrap().insert(*number, bytes);
                Ok(Vec::new())
            }
            Operation::Assemble { at: place } => {
                let at = at(place);
                let Some(chunks) = self.model.chunks.clone() else { return Err(()) };
                let may = self.may_arrive(&at, true) && !self.is_folder(&at);
                let change = Assemble {
                    upload: "up".to_owned(),
                    destination: path(&at),
                    total_bytes: None,
                    overwrites: true,
                    modified: None,
                    created: None,
                    checksums: None,
                    expected: None,
                    conditions,
                };
                Self::judge(may, self.tree.apply(change).await)?;
                self.model.chunks = None;
                self.write(&at, chunks.into_values().flatten().collect()).await;
                Ok(vec![at])
            }
            Operation::Lock { at: place } => {
                let at = at(place);
                let is_file = self.model.nodes.get(&at).is_some_and(|known| known.bytes.is_some());
                if !is_file || self.model.lock.as_ref().is_some_and(|held| held.until > self.model.seconds) {
                    return Err(());
                }
                let change = TakeLock {
                    path: path(&at),
                    scope: Scope::Exclusive,
                    is_deep: false,
                    owner_xml: None,
                    timeout_seconds: 600,
                    conditions: Conditions::default(),
                };
                let token = self.tree.apply(change).await.unwrap().lock.token;
                self.model.lock = Some(Held { at, token, until: self.model.seconds + 600 });
                Ok(Vec::new())
            }
            Operation::Unlock => {
                let Some(held) = self.model.lock.take().filter(|held| held.until > self.model.seconds) else {
                    return Err(());
                };
                self.tree.apply(Unlock { path: path(&held.at), token: held.token }).await.unwrap();
                Ok(Vec::new())
            }
            Operation::HoldToken(has_token) => {
                self.model.has_token = *has_token;
                Err(())
            }
            Operation::Wait { seconds } => {
                self.clock.advance_seconds(*seconds);
                self.model.seconds += seconds;
                Err(())
            }
            Operation::Report => {
                self.report().await;
                Err(())
            }
        }
    }

    async fn undelete(&mut self, back: usize, conditions: Conditions) -> Result<Touched, ()> {
        let Some(place) = self.model.trash.len().checked_sub(back + 1) else { return Err(()) };
        let gone = self.model.trash[place].clone();
        let id = gone.nodes[""].id;
        let bin = self.tree.bin().unwrap();
        let mut at = None;
        for name in names(&bin, "").await {
            if node(&bin, &name).await.unwrap().id == id {
                at = Some(name);
            }
        }
        let path = path(&at.expect("it is in the trash"));
        let restored = self.tree.apply(Undelete { path, destination: None, conditions }).await.unwrap().node;
        self.model.trash.remove(place);
        let folder = self.model.nodes.iter().find(|(_, known)| known.id == gone.folder).map(|(at, _)| at.clone());
        let folder = folder.unwrap_or_default();
        let is_taken = self.model.nodes.contains_key(&child(&folder, &gone.name));
        assert_eq!(restored.name == gone.name, !is_taken, "{} is called {}", gone.name, restored.name);
        let at = child(&folder, &restored.name);
        self.put_in(&at, gone.nodes);
        Ok(vec![folder])
    }

    /// Promise 3: the etags of what was touched and of what is above it are new and never were before; all others are as before.
    async fn assert_etags_moved(&mut self, touched: Touched) {
        let moved: BTreeSet<String> = touched
            .iter()
            .flat_map(|at| std::iter::successors(Some(at.as_str()), |at| (!at.is_empty()).then(|| parent_of(at))))
            .map(str::to_owned)
            .collect();
        let mut newest = self.newest;
        for at in &moved {
            let etag = node(&self.tree, at).await.unwrap().etag;
            assert!(etag > self.newest, "the etag of /{at} did not move, or moved back");
            newest = newest.max(etag);
            if let Some(known) = self.model.nodes.get_mut(at) {
                known.etag = etag;
            }
        }
        // What a copy made has new ones too.
        self.newest = self.model.nodes.values().map(|known| known.etag).max().map_or(newest, |etag| etag.max(newest));
    }

    /// All that is shown is what the model says.
    async fn assert_shown(&self) {
        let (model, tree) = (&self.model, &self.tree);
        let (mut folders, mut found) = (vec![String::new()], Nodes::new());
        while let Some(folder) = folders.pop() {
            for name in names(tree, &folder).await {
                let at = child(&folder, &name);
                let node = node(tree, &at).await.unwrap();
                let (bytes, mut versions) =
                    (if node.is_folder() { None } else { Some(read(tree, &at).await.unwrap()) }, Vec::new());
                if node.is_folder() {
                    folders.push(at.clone());
                } else {
                    let states = tree.versions(node.id).await.unwrap();
                    for version in states.versions.iter().filter(|version| !version.is_current) {
                        versions.push(read_node(tree, &states.file_at(version)).await);
                    }
                }
                found.insert(at, Known { id: node.id, etag: node.etag, bytes, versions });
            }
        }
        for at in model.nodes.keys().chain(found.keys()) {
            let (expected, found) = (model.nodes.get(at), found.get(at));
            assert!(expected == found, "/{at} is {:?}, should be {:?}", brief(found), brief(expected));
        }
        let bin = tree.bin().unwrap();
        let mut trashed = BTreeSet::new();
        for name in names(&bin, "").await {
            trashed.insert(node(&bin, &name).await.unwrap().id);
        }
        assert_eq!(trashed, model.trash.iter().map(|gone| gone.nodes[""].id).collect::<BTreeSet<_>>(), "the trash");
        let chunks = tree.upload("up").await.ok().map(|upload| {
            upload.chunks.into_iter().map(|chunk| (chunk.name, chunk.size_bytes)).collect::<BTreeMap<_, _>>()
        });
        let expected = model.chunks.as_ref().map(|chunks| {
            chunks.iter().map(|(name, bytes)| (name.to_string(), bytes.len() as u64)).collect::<BTreeMap<_, _>>()
        });
        assert_eq!(chunks, expected, "the upload");
        let files = model.nodes.values().filter_map(|known| known.bytes.as_ref()).map(Vec::len).sum::<usize>();
        let staged = model.chunks.iter().flatten().map(|(_, bytes)| bytes.len()).sum::<usize>();
        assert_eq!(tree.quota().await.unwrap().used_bytes, (files + staged) as u64, "the pool");
        for (at, known) in model.nodes.iter().filter(|(_, known)| known.bytes.is_some()) {
            let held = model.lock.iter().filter(|held| held.at == *at && held.until > model.seconds);
            assert_eq!(tree.locks(&path(at)).await.unwrap().len(), held.count(), "locks of /{at}, {:?}", known.id);
        }
    }

    /// Promise 10: whoever takes over what is reported has what is there.
    async fn report(&mut self) {
        let changes = self.tree.changes_since(&NodePath::root(), self.token, true, 0, Needs::NONE).await.unwrap();
        let at = |changed: &Changed| changed.path.to_string().trim_start_matches('/').to_owned();
        // What is gone, or is another now, takes what was below it along.
        for changed in &changes.changed {
            let (at, is) = (at(changed), changed.node.as_ref().map(|node| node.id));
            if is != self.copy.get(&at).map(|known| known.0) {
                self.copy.retain(|other, _| !is_within(other, &at));
            }
        }
        for changed in &changes.changed {
            if let Some(node) = &changed.node {
                self.copy.insert(at(changed), (node.id, node.etag));
            }
        }
        self.token = changes.token;
        let is_file = |at: &str| self.model.nodes.get(at).is_some_and(|known| known.bytes.is_some());
        // The etag of a folder whose members changed is not reported for itself: clients ask for it when they list.
        let copy: Vec<_> = self.copy.iter().map(|(at, (id, etag))| (at, *id, is_file(at).then_some(*etag))).collect();
        let nodes = self.model.nodes.iter();
        let nodes: Vec<_> = nodes.map(|(at, known)| (at, known.id, is_file(at).then_some(known.etag))).collect();
        assert_eq!(copy, nodes, "what the change reports add up to");
    }
}

fn brief(known: Option<&Known>) -> Option<(FileId, Etag, Option<usize>, Vec<usize>)> {
    known.map(|it| (it.id, it.etag, it.bytes.as_ref().map(Vec::len), it.versions.iter().map(Vec::len).collect()))
}

async fn read_node(tree: &Tree, node: &nichoir_store::Node) -> Vec<u8> {
    use futures_util::TryStreamExt as _;
    let runs: Vec<bytes::Bytes> = tree.open(node).await.unwrap().stream(0..u64::MAX).try_collect().await.unwrap();
    runs.concat()
}

/// Runs a program in a space of its own.
async fn run(world: &World, number: usize, program: &[Operation]) {
    let name = format!("{}-m{number}", world.space.info().name);
    let space = make_space(&world.store, &name, POOL_BYTES).await;
    let tree = space.tree_as(&make_account(&space, "alice").await);
    let root = node(&tree, "").await.unwrap();
    let token = tree.sync_token(&NodePath::root()).await.unwrap();
    let (model, copy) = (Model::default(), BTreeMap::new());
    let mut run = Run { tree, clock: &world.clock, model, newest: root.etag, token, copy, written: 0 };
    for operation in program {
        // States of a file are told apart by the second.
        world.clock.advance_seconds(2);
        run.model.seconds += 2;
        run.operate(operation).await;
    }
    run.report().await;
    let report = world.store.check_space(&name, true).await.unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    world.store.delete_space(&name).await.unwrap();
}

/// Draws programs and runs them; what fails is made as short as it can be.
fn run_programs(world: &World) {
    let cases = std::env::var("MODEL_PROGRAMS").ok().and_then(|count| count.parse().ok()).unwrap_or(PROGRAMS);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let number = std::cell::Cell::new(0);
    let programs = proptest::collection::vec(operation(), 1..40);
    let runtime = tokio::runtime::Handle::current();
    let outcome = runner.run(&programs, |program| {
        number.set(number.get() + 1);
        tokio::task::block_in_place(|| runtime.block_on(run(world, number.get(), &program)));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    eprintln!("model: {} programs", number.get());
}

fn limits() -> Limits {
    Limits { thins_versions: false, ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_programs_do_what_the_model_does_over_files() {
    on_every_engine_with(limits(), POOL_BYTES, async |world| {
        run_programs(&world);
        world.finish().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_programs_do_what_the_model_does_over_an_object_store() {
    on_every_engine_with_faulty_blobs(limits(), async |faulty| {
        run_programs(&faulty.world);
        faulty.world.finish().await;
    })
    .await;
}
