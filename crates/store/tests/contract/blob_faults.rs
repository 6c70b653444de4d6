//! Promises 1, 2, 6 and 7 over blobs that fail: each call in turn, in each way, once or for good. The old state or the
//! new one, never another; what was not acknowledged is not visible; the pool is exact; what failed is collected.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use nichoir_store::change::{Assemble, BeginUpload, PutChunk, Written};
use nichoir_store::conditions::Conditions;
use nichoir_store::fault::{Damage, FaultyBlobs};
use nichoir_store::{
    BlobConfig, Blobs, DatabaseConfig, Error, Limits, ManualClock, NewSpace, Ports, SeededRandom, Store, StoreConfig,
    Timestamp, Tree,
};
use object_store::ObjectStore as _;

use crate::support::{make_account, node, path, put, read, stage};

pub(crate) const PART_BYTES: usize = 64 * 1024;

struct Faulty {
    store: Store,
    alice: Tree,
    clock: Arc<ManualClock>,
    blobs: Arc<FaultyBlobs>,
    _directory: tempfile::TempDir,
}

impl Faulty {
    async fn start() -> Faulty {
        let directory = tempfile::tempdir().unwrap();
        let limits = Limits { part_bytes: PART_BYTES, ..Limits::default() };
        let database = DatabaseConfig::Sqlite { directory: directory.path().join("db") };
        let config =
            StoreConfig { database, blobs: BlobConfig::Memory, base_domain: None, default_space: None, limits };
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_800_000_000)));
        let ports = Ports { clock: Arc::clone(&clock) as _, random: Arc::new(SeededRandom::new(7)) };
        let blobs = Arc::new(FaultyBlobs::over(Arc::new(object_store::memory::InMemory::new())));
        let opened = Blobs::from_object_store(Arc::clone(&blobs) as _, PART_BYTES);
        let store = Store::open_with(config, ports, opened, None).await.unwrap();
        let new = NewSpace { name: "one".to_owned(), hosts: Vec::new(), quota_bytes: 1_000_000_000, max_accounts: 50 };
        let space = store.create_space(new).await.unwrap();
        let alice = space.tree_as(&make_account(&space, "alice").await);
        Faulty { store, alice, clock, blobs, _directory: directory }
    }

    /// What members see: without versions and trash, which make room when it is needed. That the full counter is
    /// exact too is part of every check.
    async fn used_bytes(&self) -> u64 {
        self.alice.quota().await.unwrap().used_bytes
    }

    /// What the object store holds, whoever knows of it.
    async fn count_blobs(&self) -> usize {
        self.blobs.list(None).try_collect::<Vec<_>>().await.unwrap().len()
    }

    /// Lets every intent expire, collects, and has everything checked.
    async fn collect_and_check(&self, because: impl std::fmt::Debug) {
        self.blobs.disarm();
        let limits = Limits::default();
        self.clock.advance_seconds(limits.intent_expiry_seconds + limits.collect_after_seconds + 1);
        self.store.upkeep(10).await.unwrap();
        let report = self.store.check_space("one", true).await.unwrap();
        assert_eq!(report.problems, Vec::<String>::new(), "{because:?}");
    }
}

/// Other bytes for every number.
pub(crate) fn bytes_of(number: u64, size: usize) -> Vec<u8> {
    (0..size as u64).map(|place| ((place + number) * 31 % 251) as u8).collect()
}

/// How the blobs fail in one run.
#[derive(Clone, Copy, Debug)]
struct Fault {
    number: u64,
    damage: Damage,
    is_lasting: bool,
}

impl Fault {
    fn arm(self, world: &Faulty) {
        world.blobs.arm(self.number, self.damage, self.is_lasting);
    }

    /// Whether it has happened; nothing fails any more.
    fn disarm(self, world: &Faulty) -> bool {
        world.blobs.disarm();
        world.blobs.seen() >= self.number
    }
}

/// Runs `each` with the fault at call 1, 2, 3… until a run has met none; there are `calls` to be met.
async fn at_every_call(calls: u64, each: impl AsyncFn(&Faulty, Fault) -> bool) {
    for damage in [Damage::Refuse, Damage::Tear, Damage::LoseAnswer] {
        for is_lasting in [false, true] {
            let world = Faulty::start().await;
            let mut fault = Fault { number: 1, damage, is_lasting };
            while each(&world, fault).await {
                fault.number += 1;
            }
            assert_eq!(fault.number, calls + 1, "the first that met no fault, {damage:?}");
        }
    }
}

#[tokio::test]
async fn a_put_over_failing_blobs_leaves_the_old_file_or_the_new_one() {
    // Begin, four parts, complete.
    at_every_call(6, async |world, fault| {
        let at = format!("file{}", fault.number);
        let old = put(&world.alice, &at, &bytes_of(0, 60_000)).await.unwrap().node;
        let (used, count) = (world.used_bytes().await, world.count_blobs().await);
        let new = bytes_of(fault.number, 4 * PART_BYTES - 1);

        fault.arm(world);
        let answer = put(&world.alice, &at, &new).await;

        let is_hit = fault.disarm(world);
        assert_eq!(answer.is_err(), is_hit, "{fault:?}");
        let now = node(&world.alice, &at).await.unwrap();
        if is_hit {
            assert_eq!((now.id, now.etag, now.size_bytes), (old.id, old.etag, old.size_bytes), "{fault:?}");
            assert!(read(&world.alice, &at).await.unwrap() == bytes_of(0, 60_000), "{fault:?}");
            assert_eq!(world.used_bytes().await, used, "{fault:?}");
        } else {
            assert!(now.id == old.id && now.etag > old.etag, "{fault:?}");
            assert!(read(&world.alice, &at).await.unwrap() == new, "{fault:?}");
            // The old content is a version now: shown as free, counted by the check below.
            assert_eq!(world.used_bytes().await, used - old.size_bytes + new.len() as u64, "{fault:?}");
        }
        world.collect_and_check(fault).await;
        assert_eq!(world.count_blobs().await, count + usize::from(!is_hit), "{fault:?}");
        is_hit
    })
    .await;
}

#[tokio::test]
async fn a_put_of_a_new_file_over_failing_blobs_leaves_none_or_all_of_it() {
    // One put: the bytes fit into one part.
    at_every_call(1, async |world, fault| {
        let before = node(&world.alice, "").await.unwrap();
        let bytes = bytes_of(fault.number, PART_BYTES - 1);

        fault.arm(world);
        let answer = put(&world.alice, "new", &bytes).await;

        let is_hit = fault.disarm(world);
        assert_eq!(answer.is_err(), is_hit, "{fault:?}");
        if is_hit {
            assert!(matches!(node(&world.alice, "new").await, Err(Error::NotFound)), "{fault:?}");
            assert_eq!(node(&world.alice, "").await.unwrap().etag, before.etag, "{fault:?}");
            assert_eq!(world.used_bytes().await, 0, "{fault:?}");
        } else {
            assert!(read(&world.alice, "new").await.unwrap() == bytes, "{fault:?}");
            assert_eq!(world.used_bytes().await, bytes.len() as u64, "{fault:?}");
        }
        world.collect_and_check(fault).await;
        assert_eq!(world.count_blobs().await, usize::from(!is_hit), "{fault:?}");
        is_hit
    })
    .await;
}

async fn put_chunk(world: &Faulty, chunk: &str, bytes: &[u8]) -> Result<(), Error> {
    let content = stage(&world.alice, bytes).await?;
    let change = PutChunk { upload: "up".to_owned(), chunk: chunk.to_owned(), content, total_bytes: None };
    world.alice.apply(change).await.map(drop)
}

async fn assemble(world: &Faulty) -> Result<Written, Error> {
    let change = Assemble {
        upload: "up".to_owned(),
        destination: path("whole"),
        total_bytes: None,
        overwrites: true,
        modified: None,
        created: None,
        checksums: None,
        expected: None,
        conditions: Conditions::default(),
    };
    world.alice.apply(change).await
}

/// The names and etags of the chunks that the server admits to having.
async fn chunks(world: &Faulty) -> Vec<(String, nichoir_store::Etag, u64)> {
    let upload = world.alice.upload("up").await.unwrap();
    upload.chunks.into_iter().map(|chunk| (chunk.name, chunk.etag, chunk.size_bytes)).collect()
}

#[tokio::test]
async fn a_chunk_over_failing_blobs_is_there_or_is_not_and_the_upload_goes_on() {
    at_every_call(6, async |world, fault| {
        world.alice.apply(BeginUpload { upload: "up".to_owned(), total_bytes: None }).await.unwrap();
        let first = bytes_of(1, PART_BYTES - 1);
        put_chunk(world, "1", &first).await.unwrap();
        put_chunk(world, "2", b"to be replaced").await.unwrap();
        let (old, used) = (chunks(world).await, world.used_bytes().await);
        let second = bytes_of(2, 4 * PART_BYTES - 1);

        fault.arm(world);
        let answer = put_chunk(world, "2", &second).await;

        let is_hit = fault.disarm(world);
        assert_eq!(answer.is_err(), is_hit, "{fault:?}");
        if is_hit {
            assert_eq!(chunks(world).await, old, "{fault:?}");
            assert_eq!(world.used_bytes().await, used, "{fault:?}");
            // The client tries again.
            put_chunk(world, "2", &second).await.unwrap();
        }
        // Nothing that a blob store does or fails to do can stop the assembly: it is not asked.
        world.blobs.arm(1, fault.damage, true);
        let written = assemble(world).await.unwrap();
        let again = assemble(world).await.unwrap();
        assert_eq!(world.blobs.seen(), 0, "assembly is metadata only");
        world.blobs.disarm();
        assert_eq!((again.node.id, again.node.etag), (written.node.id, written.node.etag), "{fault:?}");
        assert!(read(&world.alice, "whole").await.unwrap() == [first.clone(), second.clone()].concat(), "{fault:?}");
        assert_eq!(world.used_bytes().await, (first.len() + second.len()) as u64, "{fault:?}");
        world.collect_and_check(fault).await;
        is_hit
    })
    .await;
}

#[tokio::test]
async fn what_was_staged_and_never_used_is_invisible_and_collected() {
    let world = Faulty::start().await;
    let sequence = world.alice.space().change_sequence().await.unwrap();
    let staged = stage(&world.alice, &bytes_of(1, 3 * PART_BYTES)).await.unwrap();
    drop(staged);
    assert_eq!(world.count_blobs().await, 1);
    assert_eq!(world.used_bytes().await, 0);
    assert_eq!(world.alice.space().change_sequence().await.unwrap(), sequence);
    let report = world.store.check_space("one", true).await.unwrap();
    assert_eq!(report.problems, Vec::<String>::new(), "an intent knows of it");

    world.collect_and_check("unused").await;
    assert_eq!(world.count_blobs().await, 0);
}

/// The client waits for an answer that never comes, and goes away.
#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let world = Faulty::start().await;
    let runs: Vec<Result<bytes::Bytes, Error>> =
        vec![Ok(bytes_of(1, 3 * PART_BYTES).into()), Err(Error::unavailable("the client hung up"))];
    let staged = world.alice.stage(futures_util::stream::iter(runs), nichoir_store::StageOptions::default()).await;
    assert!(matches!(staged, Err(Error::BodyInterrupted)));
    assert_eq!(world.count_blobs().await, 0, "aborted, and not merely left to its intent");
    world.collect_and_check("broken off").await;
    assert_eq!(world.used_bytes().await, 0);
}

#[tokio::test]
async fn a_blob_that_cannot_be_deleted_now_is_deleted_later() {
    for damage in [Damage::Refuse, Damage::Tear, Damage::LoseAnswer] {
        let world = Faulty::start().await;
        for number in 0..3 {
            drop(stage(&world.alice, &bytes_of(number, PART_BYTES - 1)).await.unwrap());
        }
        put(&world.alice, "kept", &bytes_of(9, PART_BYTES - 1)).await.unwrap();
        world.clock.advance_seconds(Limits::default().intent_expiry_seconds + 1);

        world.blobs.arm(2, damage, true);
        world.store.upkeep(10).await.unwrap();
        assert!(world.blobs.seen() >= 2, "{damage:?}");
        world.blobs.disarm();
        let report = world.store.check_space("one", true).await.unwrap();
        assert_eq!(report.problems, Vec::<String>::new(), "what is left is known: {damage:?}");

        world.collect_and_check(damage).await;
        assert_eq!(world.count_blobs().await, 1, "{damage:?}");
        assert!(read(&world.alice, "kept").await.unwrap() == bytes_of(9, PART_BYTES - 1));
    }
}

#[tokio::test]
async fn reading_over_failing_blobs_is_an_error_and_never_other_bytes() {
    at_every_call(1, async |world, fault| {
        let bytes = bytes_of(1, 3 * PART_BYTES);
        let written = put(&world.alice, "file", &bytes).await.unwrap();
        let content = world.alice.open(&written.node).await.unwrap();
        fault.arm(world);
        let found: Result<Vec<bytes::Bytes>, Error> = content.stream(0..u64::MAX).try_collect().await;
        let is_hit = fault.disarm(world);
        match found {
            Err(_) => assert!(is_hit, "{fault:?}"),
            Ok(runs) => assert!(!is_hit && runs.concat() == bytes, "{fault:?}"),
        }
        assert!(read(&world.alice, "file").await.unwrap() == bytes, "{fault:?}");
        is_hit
    })
    .await;
}
