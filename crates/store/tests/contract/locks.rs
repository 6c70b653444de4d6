//! WebDAV locks: who may write past them, and what becomes of them. Promise 5.

use nichoir_store::change::{Delete, Locked, RefreshLock, Relocate, TakeLock, Unlock};
use nichoir_store::conditions::{Conditions, IfCondition, IfList, IfResource, IfState};
use nichoir_store::{Error, Scope, Tree};

use crate::support::{make_folder, names, node, on_every_engine, path, put, put_if};

async fn lock(tree: &Tree, at: &str, scope: Scope, is_deep: bool) -> Result<Locked, Error> {
    let change = TakeLock {
        path: path(at),
        scope,
        is_deep,
        owner_xml: Some("<owner/>".to_owned()),
        timeout_seconds: 600,
        conditions: Conditions::default(),
    };
    tree.apply(change).await
}

fn with(token: &str) -> Conditions {
    Conditions { lock_tokens: vec![token.to_owned()], ..Conditions::default() }
}

#[tokio::test]
async fn a_locked_file_is_written_only_with_its_token() {
    on_every_engine(async |world| {
        put(&world.alice, "file", b"1").await.unwrap();
        let locked = lock(&world.alice, "file", Scope::Exclusive, false).await.unwrap();
        let refused = put(&world.alice, "file", b"2").await;
        assert!(matches!(refused, Err(Error::Locked { root }) if root == path("file")));
        put_if(&world.alice, "file", b"3", with(&locked.lock.token)).await.unwrap();
        assert!(matches!(
            lock(&world.alice, "file", Scope::Shared, false).await,
            Err(Error::LockConflict { root }) if root == path("file")
        ));
        world.alice.apply(Unlock { path: path("file"), token: locked.lock.token }).await.unwrap();
        put(&world.alice, "file", b"4").await.unwrap();
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn an_expired_lock_is_no_lock() {
    on_every_engine(async |world| {
        put(&world.alice, "file", b"1").await.unwrap();
        let locked = lock(&world.alice, "file", Scope::Exclusive, false).await.unwrap();
        world.clock.advance_seconds(599);
        let renewed =
            RefreshLock { path: path("file"), timeout_seconds: Some(100), conditions: with(&locked.lock.token) };
        world.alice.apply(renewed).await.unwrap();
        world.clock.advance_seconds(99);
        assert!(put(&world.alice, "file", b"2").await.is_err());
        world.clock.advance_seconds(2);
        put(&world.alice, "file", b"2").await.unwrap();
        lock(&world.alice, "file", Scope::Exclusive, false).await.unwrap();
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_deep_lock_covers_what_is_inside_and_a_shallow_one_the_membership() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        make_folder(alice, "deep").await.unwrap();
        put(alice, "deep/file", b"1").await.unwrap();
        let deep = lock(alice, "deep", Scope::Exclusive, true).await.unwrap().lock.token;
        assert!(put(alice, "deep/file", b"2").await.is_err());
        assert!(put(alice, "deep/new", b"2").await.is_err());
        put_if(alice, "deep/new", b"2", with(&deep)).await.unwrap();
        assert!(matches!(lock(alice, "deep/file", Scope::Shared, false).await, Err(Error::LockConflict { .. })));

        make_folder(alice, "flat").await.unwrap();
        put(alice, "flat/file", b"1").await.unwrap();
        let flat = lock(alice, "flat", Scope::Exclusive, false).await.unwrap().lock.token;
        put(alice, "flat/file", b"2").await.unwrap();
        assert!(put(alice, "flat/new", b"2").await.is_err());
        let delete = |conditions| Delete { path: path("flat/file"), skips_trash: false, conditions };
        assert!(alice.apply(delete(Conditions::default())).await.is_err());
        alice.apply(delete(with(&flat))).await.unwrap();
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_folder_with_a_lock_inside_goes_nowhere_without_its_token() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        make_folder(alice, "a").await.unwrap();
        put(alice, "a/file", b"1").await.unwrap();
        let token = lock(alice, "a/file", Scope::Exclusive, false).await.unwrap().lock.token;
        let moved = |conditions| Relocate { source: path("a"), destination: path("b"), overwrites: true, conditions };
        assert!(matches!(
            alice.apply(moved(Conditions::default())).await,
            Err(Error::Locked { root }) if root == path("a/file")
        ));
        alice.apply(moved(with(&token))).await.unwrap();
        // Locks do not move.
        assert_eq!(alice.locks(&path("b/file")).await.unwrap(), []);
        put(alice, "b/file", b"2").await.unwrap();
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn shared_locks_stand_side_by_side_and_each_admits_its_holder() {
    on_every_engine(async |world| {
        put(&world.alice, "file", b"1").await.unwrap();
        let first = lock(&world.alice, "file", Scope::Shared, false).await.unwrap().lock.token;
        let second = lock(&world.alice, "file", Scope::Shared, false).await.unwrap().lock.token;
        assert_ne!(first, second);
        assert!(matches!(lock(&world.alice, "file", Scope::Exclusive, false).await, Err(Error::LockConflict { .. })));
        assert!(put(&world.alice, "file", b"2").await.is_err());
        put_if(&world.alice, "file", b"2", with(&second)).await.unwrap();
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_lock_on_nothing_makes_an_empty_file() {
    on_every_engine(async |world| {
        let locked = lock(&world.alice, "new", Scope::Exclusive, false).await.unwrap();
        assert!(locked.is_new && locked.node.size_bytes == 0);
        assert_eq!(names(&world.alice, "").await, ["new"]);
        assert!(matches!(lock(&world.alice, "no/parent", Scope::Exclusive, false).await, Err(Error::ParentMissing)));
        let mismatch = Unlock { path: path("new"), token: "opaquelocktoken:other".to_owned() };
        assert!(matches!(world.alice.apply(mismatch).await, Err(Error::LockTokenMismatch)));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn the_if_header_is_checked_against_the_state_of_what_it_names() {
    on_every_engine(async |world| {
        put(&world.alice, "file", b"1").await.unwrap();
        put(&world.alice, "other", b"1").await.unwrap();
        let token = lock(&world.alice, "file", Scope::Exclusive, false).await.unwrap().lock.token;
        let etag = node(&world.alice, "other").await.unwrap().etag.to_string();
        let list =
            |resource, state, is_negated| IfList { resource, conditions: vec![IfCondition { is_negated, state }] };
        let conditions = |lists: Vec<IfList>| Conditions { if_lists: lists, ..with(&token) };
        let held = IfState::Token(token.clone());
        for (lists, holds) in [
            (vec![list(IfResource::Request, held.clone(), false)], true),
            (vec![list(IfResource::Request, held.clone(), true)], false),
            (vec![list(IfResource::Path(path("other")), held.clone(), false)], false),
            (vec![list(IfResource::Path(path("other")), IfState::Etag(etag.clone()), false)], true),
            (vec![list(IfResource::Path(path("missing")), IfState::Etag(etag.clone()), false)], false),
            (vec![list(IfResource::Path(path("missing")), IfState::Etag(etag.clone()), true)], true),
            (vec![list(IfResource::Elsewhere, held.clone(), false)], false),
            (
                vec![
                    list(IfResource::Request, IfState::WeakEtag, false),
                    list(IfResource::Request, held.clone(), false),
                ],
                true,
            ),
        ] {
            let shown = format!("{lists:?}");
            let written = put_if(&world.alice, "file", b"2", conditions(lists)).await;
            assert_eq!(written.is_ok(), holds, "{shown}");
        }
        world.finish().await;
    })
    .await;
}
