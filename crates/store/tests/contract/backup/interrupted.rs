//! A backup that ends before it is done: no generation, nothing lost of the earlier ones, and the next goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use nichoir_store::backup::{BackupError, Depository, Destination, RestoreReport};
use nichoir_store::fault::Damage;
use nichoir_store::{Blobs, Limits, SpaceState, SpaceUpdate};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};
use tokio::sync::Notify;

use super::{PART_BYTES, assert_whole, delete, fill, image, over_memory, place, tree_of};
use crate::support::{World, make_account, make_space, on_every_engine, on_every_engine_with, put};

#[tokio::test]
async fn a_place_that_fails_at_any_step_keeps_what_it_had_and_the_next_backup_goes_on() {
    on_every_engine(async |world| {
        fill(&world).await;
        let (faulty, depository) = over_memory();
        world.back_up(&depository).await.unwrap();
        let mut torn = Vec::new();
        for damage in [Damage::Refuse, Damage::Tear, Damage::LoseAnswer] {
            for number in 1.. {
                assert!(number < 60, "it never ends");
                let before = depository.names().await.unwrap();
                // Something new to copy: a blob, and rows.
                put(&world.alice, "changing", &[number as u8; 40_000]).await.unwrap();
                put(&world.alice, "changing too", format!("{damage:?} {number}").repeat(9_000).as_bytes())
                    .await
                    .unwrap();
                let expected = image(&world.alice).await;
                faulty.arm(number, damage, number % 2 == 0);
                let made = world.back_up(&depository).await;
                let is_hit = faulty.seen() >= number;
                faulty.disarm();
                for name in depository.names().await.unwrap() {
                    let problems = depository.verify(Some(&name)).await.unwrap().problems;
                    // What an object store that tears has written in part is told from what is whole.
                    if !problems.is_empty() && damage == Damage::Tear && made.is_err() && !before.contains(&name) {
                        torn.push(name);
                    } else {
                        assert!(problems.is_empty() || torn.contains(&name), "{damage:?} {number}: {problems:?}");
                    }
                }
                let again = world.back_up(&depository).await.unwrap();
                let verified = depository.verify(Some(&again.generation.name)).await.unwrap();
                assert_eq!(verified.problems, Vec::<String>::new(), "{damage:?} {number}");
                if !is_hit {
                    let name = world.beside(&format!("{damage:?}").to_lowercase());
                    world.restore_as(&depository, &name).await.unwrap();
                    let space = world.store.space_named(&name).await.unwrap();
                    assert!(image(&tree_of(&space, "alice").await).await == expected);
                    break;
                }
            }
        }
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_place_that_fails_while_it_is_read_restores_nothing_or_all_of_it() {
    on_every_engine(async |world| {
        fill(&world).await;
        let expected = image(&world.alice).await;
        let (faulty, depository) = over_memory();
        world.back_up(&depository).await.unwrap();
        let spaces = world.spaces().await;
        for damage in [Damage::Refuse, Damage::Tear, Damage::LoseAnswer] {
            for number in 1.. {
                assert!(number < 100, "it never ends");
                faulty.arm(number, damage, false);
                let name = world.beside("read");
                let restored = world.restore_as(&depository, &name).await;
                let is_hit = faulty.seen() >= number;
                faulty.disarm();
                match restored {
                    Ok(_) => {
                        let space = world.store.space_named(&name).await.unwrap();
                        assert!(image(&tree_of(&space, "alice").await).await == expected);
                        world.store.delete_space(&name).await.unwrap();
                    }
                    Err(_) => assert_eq!(world.spaces().await, spaces, "{damage:?} {number}"),
                }
                if !is_hit {
                    break;
                }
            }
        }
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_statement_that_fails_ends_a_backup_and_nothing_else() {
    on_every_engine(async |world| {
        fill(&world).await;
        let place = place();
        for number in 1.. {
            assert!(number < 200, "it never ends");
            let before = world.faults.seen();
            world.faults.arm(number);
            let made = world.back_up(&place.depository).await;
            let is_hit = world.faults.seen() - before >= number;
            world.faults.arm(0);
            assert!(is_hit || made.is_ok(), "{made:?}");
            assert!(place.depository.verify(None).await.unwrap().problems.is_empty(), "{number}");
            if !is_hit {
                break;
            }
        }
        assert!(!place.depository.names().await.unwrap().is_empty());
        world.finish().await;
    })
    .await;
}

/// An object store at which somebody waits once.
#[derive(Debug)]
pub(super) struct Gate {
    inner: object_store::memory::InMemory,
    before: Before,
    is_reached: Notify,
    go_on: Notify,
    is_open: AtomicBool,
}

/// What waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Before {
    /// The first write: of a backup, after its snapshot.
    Write,
    /// The first object that is read: of a restore, when all is decided.
    ReadOfAnObject,
}

impl Gate {
    async fn wait(&self) {
        if !self.is_open.swap(true, Ordering::SeqCst) {
            self.is_reached.notify_one();
            self.go_on.notified().await;
        }
    }

    pub(super) async fn reached(&self) {
        self.is_reached.notified().await;
    }

    pub(super) fn go_on(&self) {
        self.go_on.notify_one();
    }
}

impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

#[async_trait]
impl ObjectStore for Gate {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        if self.before == Before::Write {
            self.wait().await;
        }
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(&self, at: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if self.before == Before::ReadOfAnObject && location.as_ref().starts_with("objects/") {
            self.wait().await;
        }
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

pub(super) fn gated(before: Before) -> (Arc<Gate>, Depository) {
    let gate = Arc::new(Gate {
        inner: object_store::memory::InMemory::new(),
        before,
        is_reached: Notify::new(),
        go_on: Notify::new(),
        is_open: AtomicBool::new(false),
    });
    let blobs = Blobs::from_object_store(Arc::clone(&gate) as _, PART_BYTES);
    (gate, Depository::over(blobs, "", "a slow place"))
}

/// Begins a backup, does `meanwhile` after its snapshot and before anything is copied, lets it go on, and says what became of it.
async fn meanwhile(world: &World, depository: &Depository, gate: &Gate, meanwhile: impl AsyncFnOnce()) {
    let (store, name, directory, to) = (world.store.clone(), world.name(), world.working(), depository.clone());
    let backup = tokio::spawn(async move { store.back_up(&name, &to, None, &directory).await });
    gate.reached().await;
    meanwhile().await;
    gate.go_on();
    let made = backup.await.unwrap().unwrap();
    assert!(made.lacking.is_empty(), "{made:?}");
}

#[tokio::test]
async fn the_collector_leaves_what_a_backup_still_has_to_copy() {
    let limits = Limits { collect_after_seconds: 0, ..Limits::default() };
    on_every_engine_with(limits, 1_000_000_000, async |world| {
        put(&world.alice, "file", &[1; 40_000]).await.unwrap();
        let expected = image(&world.alice).await;
        let (gate, depository) = gated(Before::Write);
        meanwhile(&world, &depository, &gate, async || {
            delete(&world.alice, "file").await;
            world.alice.apply(nichoir_store::change::EmptyTrash { until: world.store.now() }).await.unwrap();
            // Rows go, then blobs, each when its time has come.
            for _ in 0..3 {
                world.clock.advance_seconds(1);
                world.maintain().await;
            }
        })
        .await;
        let name = world.beside("held");
        world.restore_as(&depository, &name).await.unwrap();
        let space = world.store.space_named(&name).await.unwrap();
        assert!(image(&tree_of(&space, "alice").await).await == expected);

        // Afterwards the collector does its work again.
        world.clock.advance_seconds(1);
        world.maintain().await;
        let nichoir_store::BlobConfig::Local { directory } = &world.config.blobs else {
            panic!("blobs are local here")
        };
        let left = walk(&directory.join("spaces").join(world.space.info().uuid.to_string()));
        assert_eq!(left, 0, "blobs that nothing refers to are gone");
        world.finish().await;
    })
    .await;
}

fn walk(directory: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let count = |path: std::path::PathBuf| if path.is_dir() { walk(&path) } else { 1 };
    entries.map(|entry| count(entry.unwrap().path())).sum()
}

#[tokio::test]
async fn a_space_has_one_backup_at_a_time() {
    on_every_engine(async |world| {
        put(&world.alice, "file", &[1; 40_000]).await.unwrap();
        let (gate, depository) = gated(Before::Write);
        meanwhile(&world, &depository, &gate, async || {
            let second = world.back_up(&place().depository).await;
            assert!(matches!(second, Err(BackupError::Refused(_))), "{second:?}");
            // Members notice nothing.
            put(&world.alice, "file", &[2; 40_000]).await.unwrap();
        })
        .await;
        world.back_up(&place().depository).await.unwrap();
        world.finish().await;
    })
    .await;
}

/// Whoever puts a lost space back, is cut off, and tries again, wants the same thing.
#[tokio::test]
async fn what_a_killed_restore_left_is_no_original_of_which_the_next_one_makes_a_copy() {
    on_every_engine(async |world| {
        let (gate, depository) = gated(Before::ReadOfAnObject);
        let lost = world.beside("lost");
        let space = make_space(&world.store, &lost, 5_000_000).await;
        let host = format!("{lost}.example.org");
        let update = SpaceUpdate { hosts: Some(vec![host.clone()]), ..Default::default() };
        world.store.update_space(&lost, update).await.unwrap();
        let alice = make_account(&space, "alice").await;
        let hash = space.ports().bytes();
        space.create_device(alice.id, "phone", hash).await.unwrap();
        world.store.back_up(&lost, &depository, None, &world.working()).await.unwrap();
        world.store.delete_space(&lost).await.unwrap();
        let restore = spawn_restore(&world, &depository, Destination::Beside { name: lost.clone() });
        gate.reached().await;
        restore.abort();
        let _ = restore.await;
        let left = world.store.spaces().await.unwrap();
        let left = left.into_iter().find(|left| left.instance_id == space.info().instance_id).unwrap();
        assert!(left.is_being_restored() && left.state == SpaceState::Suspended, "{left:?}");
        let refused = world.store.back_up(&left.name, &place().depository, None, &world.working()).await;
        assert!(matches!(refused, Err(BackupError::Refused(_))), "{refused:?}");

        world.restore_as(&depository, &lost).await.unwrap();

        let again = world.store.space_for_host(&host).await.unwrap().expect("it has its host");
        assert_eq!(again.info().instance_id, space.info().instance_id);
        assert_eq!(again.device_by_hash(&hash).await.unwrap().1.login, "alice");
        world.store.delete_space(&left.name).await.unwrap();
        assert_whole(&world.store, &lost).await;
        world.finish().await;
    })
    .await;
}

/// SQLite would take the log of the one for the other's.
#[tokio::test]
async fn a_space_that_somebody_opens_before_its_rows_have_come_is_not_mixed_with_them() {
    on_every_engine(async |world| {
        let (gate, depository) = gated(Before::ReadOfAnObject);
        fill(&world).await;
        world.back_up(&depository).await.unwrap();
        let before: Vec<String> =
            world.store.spaces().await.unwrap().into_iter().map(|space| space.uuid.to_string()).collect();
        let restore = spawn_restore(&world, &depository, Destination::Beside { name: world.beside("copy") });
        gate.reached().await;
        let provisional = world.store.spaces().await.unwrap();
        for space in
            provisional.iter().filter(|space| space.is_being_restored() && !before.contains(&space.uuid.to_string()))
        {
            make_account(&world.store.space_named(&space.name).await.unwrap(), "eve").await;
        }
        gate.go_on();
        let restored = restore.await.unwrap();
        assert!(matches!(restored, Err(BackupError::Space(_))), "{restored:?}");
        assert_eq!(world.spaces().await.len(), 2);
        world.restore_as(&depository, &world.beside("copy")).await.unwrap();
        assert_whole(&world.store, &world.beside("copy")).await;
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_a_killed_backup_was_writing_does_not_stay_for_ever() {
    on_every_engine(async |world| {
        let place = place();
        put(&world.alice, "file", &[1; 40_000]).await.unwrap();
        world.back_up(&place.depository).await.unwrap();
        let object = place.directory.path().join("objects").join("ab");
        std::fs::create_dir_all(&object).unwrap();
        let left = [object.join("cdef#1"), place.directory.path().join("generations/20270115T080000Z.json#2")];
        left.iter().for_each(|left| std::fs::write(left, b"half of it").unwrap());
        world.back_up(&place.depository).await.unwrap();
        assert!(left.iter().all(|left| !left.exists()));
        assert_eq!(place.depository.verify(None).await.unwrap().problems, Vec::<String>::new());
        world.finish().await;
    })
    .await;
}

pub(super) fn spawn_restore(
    world: &World,
    from: &Depository,
    to: Destination,
) -> tokio::task::JoinHandle<std::result::Result<RestoreReport, BackupError>> {
    let (store, from, directory) = (world.store.clone(), from.clone(), world.working());
    tokio::spawn(async move { store.restore(&from, None, &to, false, &directory).await })
}
