//! The tree: writing, moving, copying, deleting; ids and etags.

use nichoir_store::Error;
use nichoir_store::change::{Copy, Delete, PutFile, Relocate};
use nichoir_store::conditions::{Conditions, EtagSet};

use crate::support::{make_folder, names, node, on_every_engine, path, put, put_if, read, stage};

fn relocate(from: &str, to: &str) -> Relocate {
    Relocate { source: path(from), destination: path(to), overwrites: true, conditions: Conditions::default() }
}

fn copy(from: &str, to: &str) -> Copy {
    Copy {
        source: path(from),
        destination: path(to),
        overwrites: true,
        is_deep: true,
        conditions: Conditions::default(),
    }
}

fn delete(at: &str) -> Delete {
    Delete { path: path(at), skips_trash: false, conditions: Conditions::default() }
}

#[tokio::test]
async fn every_statement_is_understood_by_the_engine() {
    on_every_engine(async |world| {
        let prepared = world.store.check_statements(&world.space.info().name).await.unwrap();
        assert!(prepared > 100, "{prepared}");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_stored_comes_back_byte_for_byte() {
    on_every_engine(async |world| {
        let limit = world.config.limits.inline_bytes;
        for size in [0, 1, limit - 1, limit, limit + 1, 300_000, 3 * 1024 * 1024 + 7] {
            let bytes: Vec<u8> = (0..size).map(|place| (place * 31 % 251) as u8).collect();
            let written = put(&world.alice, "file", &bytes).await.unwrap();
            assert_eq!(written.node.size_bytes, size as u64);
            assert!(read(&world.alice, "file").await.unwrap() == bytes, "{size}");
        }
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn ranges_cross_the_pieces_of_a_file() {
    use futures_util::TryStreamExt as _;
    on_every_engine(async |world| {
        let bytes: Vec<u8> = (0..1_000_000u32).map(|place| (place % 253) as u8).collect();
        let written = put(&world.alice, "file", &bytes).await.unwrap();
        let content = world.alice.open(&written.node).await.unwrap();
        for range in [0..1u64, 999_999..1_000_000, 524_287..524_290, 10..700_000, 5..5, 900_000..5_000_000] {
            let runs: Vec<bytes::Bytes> = content.stream(range.clone()).try_collect().await.unwrap();
            let expected = &bytes[range.start as usize..(range.end as usize).min(bytes.len())];
            assert!(runs.concat() == expected, "{range:?}");
        }
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_change_moves_the_etags_of_all_ancestors_and_nothing_else() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        make_folder(alice, "a").await.unwrap();
        make_folder(alice, "a/b").await.unwrap();
        make_folder(alice, "beside").await.unwrap();
        put(alice, "a/b/file", b"one").await.unwrap();
        put(alice, "a/b/sibling", b"one").await.unwrap();
        let mut before = Vec::new();
        for at in ["", "a", "a/b", "a/b/file", "beside", "a/b/sibling"] {
            before.push(node(alice, at).await.unwrap());
        }

        put(alice, "a/b/file", b"two!").await.unwrap();

        for old in &before[..4] {
            let now = world.alice.node_by_id(old.id, nichoir_store::Needs::NONE).await.unwrap().1;
            assert!(now.etag > old.etag, "{}", old.name);
            assert_eq!(now.size_bytes, old.size_bytes + 1, "{}", old.name);
        }
        for old in &before[4..] {
            let now = world.alice.node_by_id(old.id, nichoir_store::Needs::NONE).await.unwrap().1;
            assert_eq!((now.etag, now.size_bytes), (old.etag, old.size_bytes), "{}", old.name);
        }
        assert_eq!(node(alice, "").await.unwrap().etag, node(alice, "a/b/file").await.unwrap().etag);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn identical_bytes_still_move_the_etag() {
    on_every_engine(async |world| {
        let first = put(&world.alice, "file", b"same").await.unwrap();
        let second = put(&world.alice, "file", b"same").await.unwrap();
        assert!(first.is_new && !second.is_new);
        assert_eq!(first.node.id, second.node.id);
        assert_ne!(first.node.etag, second.node.etag);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn moving_keeps_ids_and_etags_of_all_that_moves() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        for at in ["from", "from/deep", "to"] {
            make_folder(alice, at).await.unwrap();
        }
        put(alice, "from/deep/file", b"content").await.unwrap();
        let (folder, file) = (node(alice, "from/deep").await.unwrap(), node(alice, "from/deep/file").await.unwrap());

        let written = alice.apply(relocate("from/deep", "to/renamed")).await.unwrap();

        assert!(written.is_new);
        let (moved, inside) = (node(alice, "to/renamed").await.unwrap(), node(alice, "to/renamed/file").await.unwrap());
        assert_eq!((moved.id, moved.etag), (folder.id, folder.etag));
        assert_eq!((inside.id, inside.etag, inside.modified), (file.id, file.etag, file.modified));
        assert_eq!(node(alice, "from").await.unwrap().size_bytes, 0);
        assert_eq!(node(alice, "to").await.unwrap().size_bytes, 7);
        assert!(matches!(node(alice, "from/deep").await, Err(Error::NotFound)));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_case_only_rename_works() {
    on_every_engine(async |world| {
        let first = put(&world.alice, "readme", b"x").await.unwrap();
        world.alice.apply(relocate("readme", "README")).await.unwrap();
        assert_eq!(names(&world.alice, "").await, ["README"]);
        assert_eq!(node(&world.alice, "README").await.unwrap().id, first.node.id);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn moving_into_itself_or_over_its_own_folder_changes_nothing() {
    on_every_engine(async |world| {
        make_folder(&world.alice, "a").await.unwrap();
        make_folder(&world.alice, "a/b").await.unwrap();
        let before = world.space.change_sequence().await.unwrap();
        for (from, to) in [("a", "a/b/c"), ("a/b", "a"), ("a", "a"), ("", "x"), ("a", "")] {
            let refused = world.alice.apply(relocate(from, to)).await;
            assert!(matches!(refused, Err(Error::IntoItself | Error::Forbidden(_))), "{from} to {to}: {refused:?}");
            let refused = world.alice.apply(copy(from, to)).await;
            assert!(matches!(refused, Err(Error::IntoItself | Error::Forbidden(_))), "{from} to {to}: {refused:?}");
        }
        assert_eq!(world.space.change_sequence().await.unwrap(), before);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn copies_have_new_ids_and_outlive_their_original() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        make_folder(alice, "a").await.unwrap();
        make_folder(alice, "a/b").await.unwrap();
        put(alice, "a/one", b"1").await.unwrap();
        put(alice, "a/b/two", &[7; 50_000]).await.unwrap();

        alice.apply(copy("a", "c")).await.unwrap();

        assert_eq!(names(alice, "c").await, ["b", "one"]);
        assert_ne!(node(alice, "a/b/two").await.unwrap().id, node(alice, "c/b/two").await.unwrap().id);
        assert_eq!(node(alice, "c").await.unwrap().size_bytes, 50_001);
        assert_eq!(alice.quota().await.unwrap().used_bytes, 100_002);

        let gone = Delete { skips_trash: true, ..delete("a") };
        alice.apply(gone).await.unwrap();
        world.clock.advance_seconds(90_000);
        world.maintain().await;
        assert_eq!(read(alice, "c/b/two").await.unwrap(), vec![7; 50_000]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_copy_replaces_what_is_there_only_if_asked() {
    on_every_engine(async |world| {
        put(&world.alice, "a", b"a").await.unwrap();
        put(&world.alice, "b", b"b").await.unwrap();
        let refused = world.alice.apply(Copy { overwrites: false, ..copy("a", "b") }).await;
        assert!(matches!(refused, Err(Error::Exists)));
        assert_eq!(read(&world.alice, "b").await.unwrap(), b"b");
        let written = world.alice.apply(copy("a", "b")).await.unwrap();
        assert!(!written.is_new);
        assert_eq!(read(&world.alice, "b").await.unwrap(), b"a");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_shallow_copy_of_a_folder_has_no_members() {
    on_every_engine(async |world| {
        make_folder(&world.alice, "a").await.unwrap();
        put(&world.alice, "a/file", b"x").await.unwrap();
        world.alice.apply(Copy { is_deep: false, ..copy("a", "b") }).await.unwrap();
        assert_eq!(names(&world.alice, "b").await, Vec::<String>::new());
        assert_eq!(node(&world.alice, "b").await.unwrap().size_bytes, 0);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn deleted_files_wait_in_the_trash_and_a_new_one_gets_a_new_id() {
    on_every_engine(async |world| {
        let first = put(&world.alice, "file", b"precious").await.unwrap();
        world.alice.apply(delete("file")).await.unwrap();
        assert!(matches!(node(&world.alice, "file").await, Err(Error::NotFound)));
        let second = put(&world.alice, "file", b"precious").await.unwrap();
        assert_ne!(first.node.id, second.node.id);
        // twice in the same second
        world.alice.apply(delete("file")).await.unwrap();
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn expired_trash_is_removed_with_its_blobs() {
    on_every_engine(async |world| {
        make_folder(&world.alice, "a").await.unwrap();
        put(&world.alice, "a/large", &[1; 100_000]).await.unwrap();
        world.alice.apply(delete("a")).await.unwrap();
        world.clock.advance_seconds(31 * 24 * 3600);
        world.maintain().await;
        world.clock.advance_seconds(2 * 3600);
        world.maintain().await;
        let report = world.store.check_space(&world.space.info().name, true).await.unwrap();
        // What is left are the roots: home and trash of two accounts.
        assert_eq!((report.checked, report.problems.len()), (4, 0));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn put_with_a_stale_etag_changes_nothing() {
    on_every_engine(async |world| {
        let first = put(&world.alice, "file", b"one").await.unwrap();
        put(&world.alice, "file", b"two").await.unwrap();
        let stale = EtagSet::Of(vec![first.node.etag.to_string()]);
        let refused =
            put_if(&world.alice, "file", b"three", Conditions { if_match: Some(stale), ..Conditions::default() });
        assert!(matches!(refused.await, Err(Error::ConditionFailed("If-Match"))));
        assert_eq!(read(&world.alice, "file").await.unwrap(), b"two");
        let none = Conditions { if_none_match: Some(EtagSet::Any), ..Conditions::default() };
        assert!(matches!(put_if(&world.alice, "file", b"3", none.clone()).await, Err(Error::ConditionFailed(_))));
        assert!(put_if(&world.alice, "fresh", b"3", none).await.unwrap().is_new);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn of_two_writers_with_the_same_etag_exactly_one_wins() {
    on_every_engine(async |world| {
        let first = put(&world.alice, "file", b"one").await.unwrap();
        let conditions =
            Conditions { if_match: Some(EtagSet::Of(vec![first.node.etag.to_string()])), ..Conditions::default() };
        let (left, right) = tokio::join!(
            put_if(&world.alice, "file", b"left", conditions.clone()),
            put_if(&world.alice, "file", b"right", conditions)
        );
        assert_eq!(left.is_ok(), right.is_err());
        let winner: &[u8] = if left.is_ok() { b"left" } else { b"right" };
        assert_eq!(read(&world.alice, "file").await.unwrap(), winner);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn missing_parents_are_refused_or_made_as_asked() {
    on_every_engine(async |world| {
        assert!(matches!(put(&world.alice, "a/b/file", b"x").await, Err(Error::ParentMissing)));
        put(&world.alice, "plain", b"x").await.unwrap();
        assert!(matches!(put(&world.alice, "plain/file", b"x").await, Err(Error::ParentMissing)));
        let content = stage(&world.alice, b"x").await.unwrap();
        let change = PutFile {
            path: path("a/b/file"),
            content,
            modified: None,
            created: None,
            checksums: None,
            makes_parents: true,
            media_type: None,
            member: None,
            conditions: Conditions::default(),
        };
        world.alice.apply(change).await.unwrap();
        assert_eq!(names(&world.alice, "a/b").await, ["file"]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn pages_of_a_large_folder_show_every_member_once() {
    let limits = nichoir_store::Limits { page_rows: 7, ..nichoir_store::Limits::default() };
    crate::support::on_every_engine_with(limits, 1_000_000, async |world| {
        make_folder(&world.alice, "many").await.unwrap();
        let mut expected = Vec::new();
        for number in 0..28 {
            put(&world.alice, &format!("many/{number:03}"), b"x").await.unwrap();
            expected.push(format!("{number:03}"));
        }
        assert_eq!(names(&world.alice, "many").await, expected);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    on_every_engine(async |world| {
        make_folder(&world.alice, "a").await.unwrap();
        let file = put(&world.alice, "a/file", &[9; 40_000]).await.unwrap();
        let (store, alice) = world.reopen().await;
        let found = node(&alice, "a/file").await.unwrap();
        assert_eq!((found.id, found.etag), (file.node.id, file.node.etag));
        assert_eq!(read(&alice, "a/file").await.unwrap(), vec![9; 40_000]);
        let later = put(&alice, "a/later", b"x").await.unwrap();
        assert!(later.node.etag > file.node.etag && later.node.id > file.node.id);
        store.close().await;
        world.finish().await;
    })
    .await;
}
