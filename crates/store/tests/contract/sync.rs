//! Change reports (RFC 6578): promise 10.

use std::collections::BTreeMap;

use nichoir_store::change::{Delete, Relocate};
use nichoir_store::conditions::Conditions;
use nichoir_store::{Changes, Error, Needs, Tree};

use crate::support::{make_folder, on_every_engine, on_every_engine_with, path, put};

async fn since(tree: &Tree, at: &str, token: i64, is_deep: bool, limit: usize) -> Result<Changes, Error> {
    tree.changes_since(&path(at), token, is_deep, limit, Needs::NONE).await
}

/// Path → whether something is there.
fn seen(changes: &Changes) -> BTreeMap<String, bool> {
    changes.changed.iter().map(|it| (it.path.to_string(), it.node.is_some())).collect()
}

fn expected(list: &[(&str, bool)]) -> BTreeMap<String, bool> {
    list.iter().map(|(path, is_there)| ((*path).to_owned(), *is_there)).collect()
}

#[tokio::test]
async fn each_change_is_reported_once() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        make_folder(alice, "a").await.unwrap();
        put(alice, "a/stays", b"1").await.unwrap();
        put(alice, "a/goes", b"1").await.unwrap();
        put(alice, "a/moves", b"1").await.unwrap();
        let token = alice.sync_token(&path("")).await.unwrap();
        assert_eq!(seen(&since(alice, "a", token, false, 0).await.unwrap()), expected(&[]));

        put(alice, "a/new", b"1").await.unwrap();
        put(alice, "a/new", b"2").await.unwrap();
        alice
            .apply(Delete { path: path("a/goes"), skips_trash: false, conditions: Conditions::default() })
            .await
            .unwrap();
        let moved = Relocate {
            source: path("a/moves"),
            destination: path("a/moved"),
            overwrites: false,
            conditions: Conditions::default(),
        };
        alice.apply(moved).await.unwrap();

        let list = [("/a/new", true), ("/a/goes", false), ("/a/moves", false), ("/a/moved", true)];
        let changes = since(alice, "a", token, false, 0).await.unwrap();
        assert_eq!(seen(&changes), expected(&list));
        assert_eq!(seen(&since(alice, "a", token, true, 0).await.unwrap()), expected(&list));
        assert_eq!(seen(&since(alice, "a", changes.token, false, 0).await.unwrap()), expected(&[]));
        world.finish().await;
    })
    .await;
}

/// The place that it left was looked at, and the one that it came to was not.
#[tokio::test]
async fn what_is_in_a_folder_that_moves_is_reported_whichever_place_was_logged_first() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        for (from, to) in [("a", "b"), ("z", "c")] {
            make_folder(alice, from).await.unwrap();
            make_folder(alice, to).await.unwrap();
            put(alice, &format!("{from}/file"), b"1").await.unwrap();
            let token = alice.sync_token(&path("")).await.unwrap();
            let (source, destination) = (path(from), path(&format!("{to}/in")));
            let moved = Relocate { source, destination, overwrites: false, conditions: Conditions::default() };
            alice.apply(moved).await.unwrap();
            let changes = since(alice, "", token, true, 0).await.unwrap();
            let [gone, new, file] = [format!("/{from}"), format!("/{to}/in"), format!("/{to}/in/file")];
            assert_eq!(seen(&changes), expected(&[(&gone, false), (&new, true), (&file, true)]));
        }
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_moves_in_as_a_whole_is_new_with_everything_below() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        for at in ["out", "out/dir", "in"] {
            make_folder(alice, at).await.unwrap();
        }
        put(alice, "out/dir/file", b"1").await.unwrap();
        let token = alice.sync_token(&path("")).await.unwrap();
        let moved = Relocate {
            source: path("out/dir"),
            destination: path("in/dir"),
            overwrites: false,
            conditions: Conditions::default(),
        };
        alice.apply(moved).await.unwrap();
        let list = [("/in/dir", true), ("/in/dir/file", true)];
        assert_eq!(seen(&since(alice, "in", token, true, 0).await.unwrap()), expected(&list));
        assert_eq!(seen(&since(alice, "in", token, false, 0).await.unwrap()), expected(&list[..1]));
        assert_eq!(seen(&since(alice, "out", token, true, 0).await.unwrap()), expected(&[("/out/dir", false)]));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn pages_of_changes_lose_nothing() {
    on_every_engine(async |world| {
        let mut token = world.alice.sync_token(&path("")).await.unwrap();
        for number in 0..10 {
            put(&world.alice, &format!("file{number}"), b"1").await.unwrap();
        }
        let mut found = BTreeMap::new();
        for page in 0.. {
            assert!(page < 10, "paging does not end");
            let changes = since(&world.alice, "", token, false, 3).await.unwrap();
            found.extend(seen(&changes));
            token = changes.token;
            if !changes.is_truncated {
                break;
            }
        }
        assert_eq!(found.len(), 10);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_token_older_than_the_log_or_from_the_future_is_stale() {
    let limits = nichoir_store::Limits { change_log_days: 1, ..nichoir_store::Limits::default() };
    on_every_engine_with(limits, 1_000_000, async |world| {
        let alice = &world.alice;
        let old = alice.sync_token(&path("")).await.unwrap();
        put(alice, "one", b"1").await.unwrap();
        let newer = alice.sync_token(&path("")).await.unwrap();
        world.clock.advance_seconds(2 * 24 * 3600);
        world.maintain().await;
        assert!(matches!(since(alice, "", old, false, 0).await, Err(Error::StaleToken)));
        assert!(since(alice, "", newer, false, 0).await.is_ok());
        assert!(matches!(since(alice, "", newer + 1000, false, 0).await, Err(Error::StaleToken)));
        world.finish().await;
    })
    .await;
}
