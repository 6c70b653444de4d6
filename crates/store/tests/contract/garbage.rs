//! What is reachable from nothing is found and removed, and nothing else, also while members write.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nichoir_store::{BlobConfig, DatabaseConfig, Limits};
use sqlx::{Connection as _, Executor as _};

use crate::collector::write_on;
use crate::support::{On, World, on_every_engine, on_every_engine_with, put, read, stage};

/// Rounds beside the writers.
const ROUNDS: usize = 60;

fn folder_of(world: &World) -> PathBuf {
    let BlobConfig::Local { directory } = &world.config.blobs else { panic!("blobs are local here") };
    directory.join("spaces").join(world.space.info().uuid.to_string())
}

#[tokio::test]
async fn a_blob_that_nothing_refers_to_is_listed_then_removed_and_no_other() {
    on_every_engine(async |world| {
        let name = world.space.info().name.clone();
        put(&world.alice, "file", &[1; 40_000]).await.unwrap();
        // On its way in.
        let staged = stage(&world.alice, &[2; 40_000]).await.unwrap();
        let folder = folder_of(&world).join("ab");
        std::fs::create_dir_all(&folder).unwrap();
        let left = [folder.join("cdef"), folder.join("killed#1")];
        left.iter().for_each(|left| std::fs::write(left, [3; 1_000]).unwrap());

        let prefix = format!("spaces/{}/ab", world.space.info().uuid);
        let expected = [(format!("{prefix}/cdef"), 1_000), (format!("{prefix}/killed"), 0)];
        for is_removed in [false, true] {
            let found = world.store.collect_garbage(&name, is_removed).await.unwrap();
            let found: Vec<_> = found.into_iter().map(|left| (left.key, left.size_bytes)).collect();
            assert_eq!(found, expected);
            assert!(left.iter().all(|left| left.exists() != is_removed), "{is_removed}");
        }
        assert!(world.store.collect_garbage(&name, false).await.unwrap().is_empty());
        assert!(read(&world.alice, "file").await.unwrap() == [1; 40_000]);
        drop(staged);
        world.finish().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_eight_writers_have_or_are_about_to_have_is_taken_for_garbage() {
    let limits = Limits { collect_after_seconds: 0, versions_max: 1, ..Limits::default() };
    on_every_engine_with(limits, 1_000_000_000, async |world| {
        let is_over = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let tree = if writer % 2 == 0 { &world.alice } else { &world.bob };
                tokio::spawn(write_on(tree.clone(), writer, Arc::clone(&is_over)))
            })
            .collect();
        let mut found = Vec::new();
        for round in 0..ROUNDS {
            world.clock.advance_seconds(1);
            let left = folder_of(&world).join("ab").join(format!("left{round}"));
            std::fs::create_dir_all(left.parent().unwrap()).unwrap();
            std::fs::write(&left, b"left").unwrap();
            let garbage = world.store.collect_garbage(&world.space.info().name, true).await.unwrap();
            assert!(!left.exists(), "{round}");
            found.extend(garbage.into_iter().filter(|garbage| !garbage.key.contains("/ab/left")));
        }
        is_over.store(true, Ordering::SeqCst);
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(found, []);
        world.finish().await;
    })
    .await;
}

/// `space delete` that was killed after the catalogue had forgotten the space, and before all of it was gone.
#[tokio::test]
async fn what_is_left_of_a_space_whose_deletion_was_cut_off_goes_and_the_others_stay() {
    for on in [On::Sqlite, On::Postgres] {
        let Some(world) = World::start_apart(on, Limits::default()).await else {
            eprintln!("skipped on {on:?}: TEST_POSTGRES is not set");
            continue;
        };
        put(&world.alice, "file", &[1; 40_000]).await.unwrap();
        let gone = "6f1c0f8e-8a0e-4a53-9f5e-0d4a4a1f7a11";
        let folder = folder_of(&world).parent().unwrap().join(gone).join("ab");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("cdef"), [3; 1_000]).unwrap();
        std::fs::write(folder.join("killed#1"), [3; 1_000]).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let mut files = vec![directory.path().join(format!("restore-{gone}.sqlite"))];
        let mut expected = vec![gone.to_owned()];
        match &world.config.database {
            DatabaseConfig::Sqlite { directory } => {
                files = ["sqlite", "sqlite-wal", "restoring", "backup"]
                    .map(|suffix| directory.join("spaces").join(format!("{gone}.{suffix}")))
                    .to_vec();
            }
            DatabaseConfig::Postgres { url, .. } => {
                let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
                let row =
                    "INSERT INTO space_state (space_id, change_seq, next_id, used_bytes, reclaimable_bytes, log_floor)
                           VALUES (999999, 1, 1, 0, 0, 1)";
                connection.execute(row).await.unwrap();
                expected.push("rows of space 999999".to_owned());
            }
        }
        files.iter().for_each(|file| std::fs::write(file, b"left").unwrap());
        for is_removed in [false, true] {
            let found = world.store.forgotten_spaces(directory.path(), is_removed).await.unwrap();
            assert_eq!(found.iter().map(|left| left.name.clone()).collect::<Vec<_>>(), expected);
            assert_eq!((found[0].blobs, found[0].blob_bytes), (1, 1_000));
            assert!(files.iter().all(|file| file.exists() != is_removed) && folder.exists() != is_removed);
        }
        assert!(world.store.forgotten_spaces(directory.path(), true).await.unwrap().is_empty());
        assert!(read(&world.alice, "file").await.unwrap() == [1; 40_000]);
        world.finish().await;
    }
}

#[tokio::test]
async fn a_deleted_space_leaves_no_folder_and_nothing_half_written() {
    on_every_engine(async |world| {
        let folder = folder_of(&world);
        let name = format!("{}-gone", world.space.info().name);
        let space = crate::support::make_space(&world.store, &name, 1_000_000).await;
        let alice = space.tree_as(&crate::support::make_account(&space, "alice").await);
        put(&alice, "file", &[1; 40_000]).await.unwrap();
        let gone = folder.parent().unwrap().join(space.info().uuid.to_string());
        std::fs::create_dir_all(gone.join("ab")).unwrap();
        std::fs::write(gone.join("ab/cdef#1"), b"half").unwrap();
        world.store.delete_space(&name).await.unwrap();
        assert!(!gone.exists());
        world.finish().await;
    })
    .await;
}
