//! Each operation of the store with each of its SQL statements and blob calls failing in turn, once and for good. What was
//! refused has left everything as it was, to the etags and the change sequence, and can be asked for again; what was
//! acknowledged is there whole.

use nichoir_store::change::{
    AbortUpload, Assemble, BeginUpload, Copy, CreateShare, Delete, EmptyTrash, EndShare, PutChunk, Relocate,
    RestoreVersion, Undelete,
};
use nichoir_store::conditions::Conditions;
use nichoir_store::fault::Damage;
use nichoir_store::{Area, Error, Limits, Needs, Node, Sharee, Tree};

use crate::blob_faults::{PART_BYTES, bytes_of};
use crate::collections::{event, put_member};
use crate::file_shares::new as new_share;
use crate::support::{
    FaultyWorld, World, make_folder, names, node, on_every_engine_with_faulty_blobs, path, put, read, stage,
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    NewSmall,
    NewLarge,
    OverwriteSmall,
    OverwriteLarge,
    Move,
    MoveOver,
    Copy,
    Delete,
    MakeFolder,
    Chunk,
    Assemble,
    RestoreFromTrash,
    RestoreVersion,
    PutEvent,
    Share,
}

pub(crate) const OPERATIONS: [Operation; 15] = [
    Operation::NewSmall,
    Operation::NewLarge,
    Operation::OverwriteSmall,
    Operation::OverwriteLarge,
    Operation::Move,
    Operation::MoveOver,
    Operation::Copy,
    Operation::Delete,
    Operation::MakeFolder,
    Operation::Chunk,
    Operation::Assemble,
    Operation::RestoreFromTrash,
    Operation::RestoreVersion,
    Operation::PutEvent,
    Operation::Share,
];

/// How something fails in one run.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Statement { number: i64, is_lasting: bool },
    Blob { number: u64, damage: Damage, is_lasting: bool },
}

/// One operation in a folder of its own, which is also the name of its upload and its event.
pub(crate) struct Try<'w> {
    pub(crate) world: &'w World,
    pub(crate) operation: Operation,
    pub(crate) at: String,
}

fn small() -> Vec<u8> {
    b"small".to_vec()
}

/// More than two parts of a blob.
fn large() -> Vec<u8> {
    bytes_of(1, 2 * PART_BYTES + 1)
}

impl Try<'_> {
    fn in_folder(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        put(&self.world.alice, &self.in_folder(name), bytes).await.map(drop)
    }

    async fn put_chunk(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let content = stage(&self.world.alice, bytes).await?;
        let change = PutChunk { upload: self.at.clone(), chunk: name.to_owned(), content, total_bytes: None };
        self.world.alice.apply(change).await.map(drop)
    }

    fn share(&self) -> CreateShare {
        new_share(&self.at, Sharee::Account(self.world.bob.account().id), 31)
    }

    async fn calendars(&self) -> Tree {
        self.world.alice.in_area(Area::Calendars).await.unwrap()
    }

    /// What it will be done to.
    pub(crate) async fn prepare(&self) {
        let alice = &self.world.alice;
        make_folder(alice, &self.at).await.unwrap();
        match self.operation {
            Operation::NewSmall | Operation::NewLarge | Operation::MakeFolder => {}
            Operation::OverwriteSmall | Operation::OverwriteLarge => {
                self.put("file", &bytes_of(7, 60_000)).await.unwrap()
            }
            Operation::Move | Operation::MoveOver | Operation::Copy | Operation::Delete | Operation::Share => {
                make_folder(alice, &self.in_folder("from")).await.unwrap();
                self.put("from/small", &small()).await.unwrap();
                self.put("from/large", &large()).await.unwrap();
                if matches!(self.operation, Operation::MoveOver) {
                    self.put("to", b"in the way").await.unwrap();
                }
            }
            Operation::Chunk | Operation::Assemble => {
                let upload = self.at.clone();
                alice.apply(BeginUpload { upload, total_bytes: None }).await.unwrap();
                self.put_chunk("1", &small()).await.unwrap();
                self.put_chunk("2", &large()).await.unwrap();
            }
            Operation::RestoreFromTrash => {
                make_folder(alice, &self.in_folder(&self.at)).await.unwrap();
                self.put(&format!("{}/file", self.at), &large()).await.unwrap();
                self.delete(&self.at).await.unwrap();
            }
            Operation::RestoreVersion => {
                self.put("file", &large()).await.unwrap();
                self.world.clock.advance_seconds(60);
                self.put("file", &small()).await.unwrap();
            }
            Operation::PutEvent => drop(self.calendars().await),
        }
        self.world.clock.advance_seconds(60);
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let path = path(&self.in_folder(name));
        self.world.alice.apply(Delete { path, skips_trash: false, conditions: Conditions::default() }).await
    }

    /// What is in the trash of this folder's doing.
    async fn trashed(&self) -> Result<Option<Node>, Error> {
        let bin = self.world.alice.bin()?;
        let root = node(&bin, "").await?;
        let page = bin.children(&path(""), &root, None, Needs::NONE).await?;
        let begin = format!("{}/", self.at);
        let is_ours = |node: &Node| node.trashed.as_ref().is_some_and(|was| was.location.starts_with(&begin));
        Ok(page.nodes.into_iter().find(is_ours))
    }

    pub(crate) async fn run(&self) -> Result<(), Error> {
        let alice = &self.world.alice;
        let [source, destination] = ["from", "to"].map(|name| path(&self.in_folder(name)));
        let conditions = Conditions::default();
        match self.operation {
            Operation::NewSmall => self.put("new", &small()).await,
            Operation::NewLarge => self.put("new", &large()).await,
            Operation::OverwriteSmall => self.put("file", &small()).await,
            Operation::OverwriteLarge => self.put("file", &large()).await,
            Operation::Move | Operation::MoveOver => {
                alice.apply(Relocate { source, destination, overwrites: true, conditions }).await.map(drop)
            }
            Operation::Copy => {
                let change = Copy { source, destination, overwrites: false, is_deep: true, conditions };
                alice.apply(change).await.map(drop)
            }
            Operation::Delete => self.delete("from").await,
            Operation::MakeFolder => make_folder(alice, &self.in_folder("made")).await.map(drop),
            Operation::Chunk => self.put_chunk("2", &bytes_of(3, 2 * PART_BYTES + 3)).await,
            Operation::Assemble => {
                let change = Assemble {
                    upload: self.at.clone(),
                    destination: path(&self.in_folder("whole")),
                    total_bytes: None,
                    overwrites: true,
                    modified: None,
                    created: None,
                    checksums: None,
                    expected: None,
                    conditions,
                };
                alice.apply(change).await.map(drop)
            }
            Operation::RestoreFromTrash => {
                let path = path(&self.trashed().await?.ok_or(Error::NotFound)?.name);
                alice.apply(Undelete { path, destination: None, conditions }).await.map(drop)
            }
            Operation::RestoreVersion => {
                let file = node(alice, &self.in_folder("file")).await?.id;
                let versions = alice.versions(file).await?.versions;
                let second = versions.iter().find(|version| !version.is_current).ok_or(Error::NotFound)?.second;
                alice.apply(RestoreVersion { file, second, conditions }).await.map(drop)
            }
            Operation::PutEvent => {
                let at = format!("personal/{}.ics", self.at);
                put_member(&alice.in_area(Area::Calendars).await?, &at, &small(), event(&self.at, 0, 1)).await.map(drop)
            }
            Operation::Share => alice.apply(self.share()).await.map(drop),
        }
    }

    /// Whether it is done, whole.
    pub(crate) async fn is_done(&self) -> bool {
        let alice = &self.world.alice;
        let holds = async |name: &str, bytes: Vec<u8>| {
            read(alice, &self.in_folder(name)).await.is_ok_and(|found| found == bytes)
        };
        let is_there = async |name: &str| node(alice, &self.in_folder(name)).await.is_ok();
        match self.operation {
            Operation::NewSmall => holds("new", small()).await,
            Operation::NewLarge => holds("new", large()).await,
            Operation::OverwriteSmall => holds("file", small()).await,
            Operation::OverwriteLarge => holds("file", large()).await,
            Operation::Move | Operation::MoveOver => {
                holds("to/small", small()).await && holds("to/large", large()).await && !is_there("from").await
            }
            Operation::Copy => {
                holds("to/small", small()).await && holds("to/large", large()).await && is_there("from/large").await
            }
            Operation::Delete => !is_there("from").await && self.trashed().await.unwrap().is_some(),
            Operation::MakeFolder => is_there("made").await,
            Operation::Chunk => {
                let chunks = alice.upload(&self.at).await.unwrap().chunks;
                chunks.iter().map(|chunk| chunk.size_bytes).eq([5, 2 * PART_BYTES as u64 + 3])
            }
            Operation::Assemble => {
                holds("whole", [small(), large()].concat()).await && alice.upload(&self.at).await.is_err()
            }
            Operation::RestoreFromTrash => {
                holds(&format!("{}/file", self.at), large()).await && self.trashed().await.unwrap().is_none()
            }
            Operation::RestoreVersion => {
                let file = node(alice, &self.in_folder("file")).await.unwrap().id;
                let versions = alice.versions(file).await.unwrap().versions;
                let is_kept = versions.iter().any(|version| !version.is_current && version.size_bytes == 5);
                holds("file", large()).await && is_kept
            }
            Operation::PutEvent => {
                let at = format!("personal/{}.ics", self.at);
                read(&self.calendars().await, &at).await.is_ok_and(|found| found == small())
            }
            Operation::Share => {
                let seen = read(&self.world.bob, &self.in_folder("from/large")).await;
                seen.is_ok_and(|found| found == large())
            }
        }
    }

    /// Leaves room for the next.
    pub(crate) async fn clear(&self) {
        let alice = &self.world.alice;
        if matches!(self.operation, Operation::Share) {
            // Shared again, it is the same share. A share costs statements for each that there is.
            let (id, _) = alice.apply(self.share()).await.unwrap();
            alice.apply(EndShare { id }).await.unwrap();
        }
        let change = Delete { path: path(&self.at), skips_trash: true, conditions: Conditions::default() };
        alice.apply(change).await.unwrap();
        if matches!(self.operation, Operation::Chunk) {
            alice.apply(AbortUpload { upload: self.at.clone() }).await.unwrap();
        }
        if matches!(self.operation, Operation::Delete | Operation::MoveOver) {
            while alice.apply(EmptyTrash { until: self.world.store.now() }).await.unwrap() {}
        }
    }

    /// All that anybody is shown and that it could have touched.
    pub(crate) async fn shown(&self) -> Vec<String> {
        let World { alice, bob, space, .. } = self.world;
        let mut shown = vec![
            format!("sequence {}", space.change_sequence().await.unwrap()),
            format!("quota {:?}", alice.quota().await.unwrap()),
            format!("trash {:?}", names(&alice.bin().unwrap(), "").await),
            format!("uploads {:?}", alice.uploads().await.unwrap()),
            format!("upload {:?}", alice.upload(&self.at).await.map(|upload| upload.chunks)),
            format!("root {:?}", node(alice, "").await.unwrap().etag),
            format!("bob {:?} {:?}", node(bob, "").await.unwrap().etag, names(bob, "").await),
        ];
        if matches!(self.operation, Operation::PutEvent) {
            let calendars = self.calendars().await;
            let personal = node(&calendars, "personal").await.unwrap();
            shown.push(format!("calendar {:?} {:?}", personal.etag, names(&calendars, "personal").await));
        }
        let mut folders = vec![self.at.clone()];
        while let Some(at) = folders.pop() {
            for name in names(alice, &at).await {
                let at = format!("{at}/{name}");
                let node = node(alice, &at).await.unwrap();
                shown.push(format!("{at} {:?} {:?} {}", node.id, node.etag, node.size_bytes));
                if node.is_folder() {
                    folders.push(at);
                } else {
                    shown.push(format!("versions {:?}", alice.versions(node.id).await.unwrap().versions));
                    shown.push(format!("bytes {:?}", blake(&read(alice, &at).await.unwrap())));
                }
            }
        }
        shown
    }
}

fn blake(bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Runs the operation with the fault; says whether it was met.
async fn runs_into(faulty: &FaultyWorld, operation: Operation, at: String, fault: Fault) -> bool {
    let FaultyWorld { world, blobs } = faulty;
    let attempt = Try { world, operation, at };
    attempt.prepare().await;
    let before = attempt.shown().await;
    let seen = world.faults.seen();
    match fault {
        Fault::Statement { number, is_lasting: false } => world.faults.arm(number),
        Fault::Statement { number, is_lasting: true } => world.faults.arm_lasting(number),
        Fault::Blob { number, damage, is_lasting } => blobs.arm(number, damage, is_lasting),
    }
    let outcome = attempt.run().await;
    let is_met = match fault {
        Fault::Statement { number, .. } => world.faults.seen() - seen >= number,
        Fault::Blob { number, .. } => blobs.seen() >= number,
    };
    world.faults.arm(0);
    blobs.disarm();
    match outcome {
        Ok(()) => assert!(attempt.is_done().await, "{operation:?} was acknowledged and is not done, {fault:?}"),
        Err(error) => {
            assert!(is_met, "{operation:?}: {error}, {fault:?}");
            assert_eq!(attempt.shown().await, before, "{operation:?} was refused and left something, {fault:?}");
            attempt.run().await.unwrap_or_else(|error| panic!("{operation:?} again: {error}, after {fault:?}"));
            assert!(attempt.is_done().await, "{operation:?} again is not done, after {fault:?}");
        }
    }
    attempt.clear().await;
    is_met
}

#[tokio::test]
async fn each_statement_that_fails_leaves_the_old_state_or_the_new_one() {
    on_every_engine_with_faulty_blobs(Limits::default(), async |faulty| {
        for operation in OPERATIONS {
            for is_lasting in [false, true] {
                let mut number = 1;
                let at = |number| format!("{operation:?}-{number}-{is_lasting}");
                while runs_into(&faulty, operation, at(number), Fault::Statement { number, is_lasting }).await {
                    number += 1;
                }
                assert!((10..100).contains(&number), "{operation:?} has {number} statements");
            }
        }
        faulty.world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn each_blob_call_that_fails_leaves_the_old_state_or_the_new_one() {
    on_every_engine_with_faulty_blobs(Limits::default(), async |faulty| {
        let mut met = 0;
        for operation in OPERATIONS {
            for damage in [Damage::Refuse, Damage::Tear, Damage::LoseAnswer] {
                for is_lasting in [false, true] {
                    let mut number = 1;
                    let at = |number| format!("{operation:?}-{damage:?}-{number}-{is_lasting}");
                    while runs_into(&faulty, operation, at(number), Fault::Blob { number, damage, is_lasting }).await {
                        number += 1;
                        met += 1;
                    }
                }
            }
        }
        // Begin, three parts and complete, of three operations.
        assert_eq!(met, 5 * 3 * 6);
        faulty.world.finish().await;
    })
    .await;
}
