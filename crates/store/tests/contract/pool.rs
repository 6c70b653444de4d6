//! The pool is exact: promise 7. One commit per change: promise 2.

use nichoir_store::Error;
use nichoir_store::change::{Copy, Delete};
use nichoir_store::conditions::Conditions;

use crate::support::{make_folder, names, node, on_every_engine, on_every_engine_with, path, put, read, stage};

fn delete(at: &str) -> Delete {
    Delete { path: path(at), skips_trash: false, conditions: Conditions::default() }
}

#[tokio::test]
async fn concurrent_writers_cannot_overshoot() {
    on_every_engine_with(nichoir_store::Limits::default(), 10_000, async |world| {
        let writers = (0..8).map(|number| {
            let tree = if number % 2 == 0 { world.alice.clone() } else { world.bob.clone() };
            async move { put(&tree, &format!("file{number}"), &[7; 3_000]).await.is_ok() }
        });
        let written = futures_util::future::join_all(writers).await.into_iter().filter(|is_ok| *is_ok).count();
        assert_eq!(written, 3);
        let quota = world.alice.quota().await.unwrap();
        assert_eq!((quota.used_bytes, quota.available_bytes), (9_000, 1_000));
        assert_eq!(quota, world.bob.quota().await.unwrap(), "one pool for all");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn an_announced_length_is_refused_before_the_body_is_read() {
    on_every_engine_with(nichoir_store::Limits::default(), 100, async |world| {
        let body = futures_util::stream::poll_fn(|_| -> std::task::Poll<Option<Result<bytes::Bytes, Error>>> {
            panic!("the body was asked for")
        });
        let options = nichoir_store::StageOptions { announced_bytes: Some(101), ..Default::default() };
        assert!(matches!(world.alice.stage(body, options).await, Err(Error::OverQuota { available_bytes: 100 })));
        assert!(put(&world.alice, "fits", &[0; 100]).await.is_ok());
        assert!(matches!(put(&world.alice, "one more", &[0; 1]).await, Err(Error::OverQuota { available_bytes: 0 })));
        assert!(put(&world.alice, "empty", &[]).await.is_ok());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn the_trash_and_old_versions_give_way_oldest_first() {
    on_every_engine_with(nichoir_store::Limits::default(), 10_000, async |world| {
        put(&world.alice, "old", &[1; 4_000]).await.unwrap();
        world.alice.apply(delete("old")).await.unwrap();
        world.clock.advance_seconds(10);
        put(&world.alice, "file", &[2; 3_000]).await.unwrap();
        put(&world.alice, "file", &[3; 3_000]).await.unwrap();
        // Used in full, yet files alone count for the member.
        let quota = world.alice.quota().await.unwrap();
        assert_eq!((quota.used_bytes, quota.available_bytes), (3_000, 7_000));
        put(&world.alice, "new", &[4; 7_000]).await.unwrap();
        assert_eq!(world.alice.quota().await.unwrap().available_bytes, 0);
        assert_eq!(read(&world.alice, "file").await.unwrap(), [3; 3_000]);
        world.maintain().await;
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn replacing_a_file_needs_room_for_the_new_content_alone() {
    on_every_engine_with(nichoir_store::Limits::default(), 10_000, async |world| {
        put(&world.alice, "file", &[1; 8_000]).await.unwrap();
        let body = futures_util::stream::iter([Ok::<_, Error>(bytes::Bytes::from(vec![2; 9_000]))]);
        let options =
            nichoir_store::StageOptions { announced_bytes: Some(9_000), replaces_bytes: 8_000, ..Default::default() };
        let change = nichoir_store::change::PutFile {
            path: path("file"),
            content: world.alice.stage(body, options).await.unwrap(),
            modified: None,
            created: None,
            checksums: None,
            makes_parents: false,
            media_type: None,
            member: None,
            conditions: Conditions::default(),
        };
        world.alice.apply(change).await.unwrap();
        assert_eq!(read(&world.alice, "file").await.unwrap(), vec![2; 9_000]);
        assert_eq!(world.alice.quota().await.unwrap().available_bytes, 1_000);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_copy_that_does_not_fit_changes_nothing() {
    on_every_engine_with(nichoir_store::Limits::default(), 10_000, async |world| {
        make_folder(&world.alice, "a").await.unwrap();
        put(&world.alice, "a/file", &[1; 6_000]).await.unwrap();
        let before = node(&world.alice, "").await.unwrap().etag;
        let copy = Copy {
            source: path("a"),
            destination: path("b"),
            overwrites: true,
            is_deep: true,
            conditions: Conditions::default(),
        };
        assert!(matches!(world.alice.apply(copy).await, Err(Error::OverQuota { .. })));
        assert_eq!(names(&world.alice, "").await, ["a"]);
        assert_eq!(node(&world.alice, "").await.unwrap().etag, before);
        world.finish().await;
    })
    .await;
}

/// Makes statement 1, 2, 3… of a change fail: old state or new state, never another, and never an acknowledgement of what
/// failed.
#[tokio::test]
async fn whatever_statement_fails_a_change_happens_whole_or_not_at_all() {
    on_every_engine(async |world| {
        put(&world.alice, "file", b"old").await.unwrap();
        let mut failures = 0;
        for number in 1.. {
            let staged = stage(&world.alice, format!("new {number}").as_bytes()).await.unwrap();
            let before = read(&world.alice, "file").await.unwrap();
            let change = nichoir_store::change::PutFile {
                path: path("file"),
                content: staged,
                modified: None,
                created: None,
                checksums: None,
                makes_parents: false,
                media_type: None,
                member: None,
                conditions: Conditions::default(),
            };
            world.faults.arm(number);
            let written = world.alice.apply(change).await;
            world.faults.arm(0);
            let after = read(&world.alice, "file").await.unwrap();
            if written.is_ok() {
                assert_eq!(after, format!("new {number}").as_bytes());
                break;
            }
            failures += 1;
            assert_eq!(after, before, "statement {number} failed, but something changed");
            let report = world.store.check_space(&world.space.info().name, false).await.unwrap();
            assert_eq!(report.problems, Vec::<String>::new(), "statement {number}");
        }
        assert!(failures > 8, "only {failures} statements were seen to fail");
        world.finish().await;
    })
    .await;
}
