//! Leases of apps, the desktop client and office servers: whom they let write, how they end, and that everybody learns of it.

use nichoir_store::change::{Delete, LockForClient, Relocate, TakeLock, UnlockForClient};
use nichoir_store::conditions::{Conditions, EtagSet};
use nichoir_store::{Error, LockKind, Needs, Node, Scope, Tree};

use crate::support::{make_folder, node, on_every_engine, path, put, put_if};

async fn lock(tree: &Tree, at: &str, kind: LockKind) -> Result<Node, Error> {
    let change = LockForClient { path: path(at), kind, timeout_seconds: 600, conditions: Conditions::default() };
    tree.apply(change).await
}

async fn unlock(tree: &Tree, at: &str, kind: LockKind) -> Result<Node, Error> {
    tree.apply(UnlockForClient { path: path(at), kind }).await
}

fn editor(session: &str) -> LockKind {
    LockKind::Editor { name: "Office".to_owned(), session: session.to_owned() }
}

fn with(token: &str) -> Conditions {
    Conditions { lock_tokens: vec![token.to_owned()], ..Conditions::default() }
}

#[tokio::test]
async fn a_lock_of_an_account_lets_its_owner_write_without_a_token_and_moves_etags() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        make_folder(alice, "folder").await.unwrap();
        let before = put(alice, "folder/file", b"1").await.unwrap().node;
        let root_before = node(alice, "").await.unwrap().etag;
        let locked = lock(alice, "folder/file", LockKind::Account).await.unwrap();
        assert!(locked.etag > before.etag && node(alice, "").await.unwrap().etag > root_before);
        assert_eq!(node(alice, "folder/file").await.unwrap().etag, locked.etag);
        assert_eq!(node(alice, "folder/file").await.unwrap().modified, before.modified, "the content did not change");
        assert_eq!(locked.locks.len(), 1);
        put(alice, "folder/file", b"2").await.unwrap();

        // Again, and it lasts longer; the same lock.
        world.clock.advance_seconds(500);
        let again = lock(alice, "folder/file", LockKind::Account).await.unwrap();
        assert_eq!(again.locks[0].token, locked.locks[0].token);
        assert!(again.locks[0].expires > locked.locks[0].expires);
        let ended = unlock(alice, "folder/file", LockKind::Account).await.unwrap();
        assert!(ended.locks.is_empty() && ended.etag > again.etag);
        assert!(matches!(unlock(alice, "folder/file", LockKind::Account).await, Err(Error::LockTokenMismatch)));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_programs_lease_needs_its_token_and_an_editors_is_nobodys_else() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        put(alice, "file", b"1").await.unwrap();
        let token = lock(alice, "file", LockKind::Device).await.unwrap().locks[0].token.clone();
        assert!(matches!(put(alice, "file", b"2").await, Err(Error::Locked { .. })));
        put_if(alice, "file", b"2", with(&token)).await.unwrap();
        assert!(matches!(lock(alice, "file", editor("s")).await, Err(Error::LockConflict { .. })));
        // The person may end what the program took, the program not what the person took.
        unlock(alice, "file", LockKind::Account).await.unwrap();
        lock(alice, "file", LockKind::Account).await.unwrap();
        assert!(matches!(unlock(alice, "file", LockKind::Device).await, Err(Error::Locked { .. })));
        unlock(alice, "file", LockKind::Account).await.unwrap();

        let token = lock(alice, "file", editor("s")).await.unwrap().locks[0].token.clone();
        assert_eq!(lock(alice, "file", editor("s")).await.unwrap().locks.len(), 1, "the same session");
        assert!(matches!(lock(alice, "file", editor("t")).await, Err(Error::LockConflict { .. })));
        assert!(matches!(put(alice, "file", b"3").await, Err(Error::Locked { .. })));
        assert!(matches!(unlock(alice, "file", LockKind::Account).await, Err(Error::Locked { .. })));
        assert!(matches!(unlock(alice, "file", editor("t")).await, Err(Error::Locked { .. })));
        put_if(alice, "file", b"3", with(&token)).await.unwrap();
        unlock(alice, "file", editor("s")).await.unwrap();
        put(alice, "file", b"4").await.unwrap();
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_lease_ends_by_itself_and_clients_learn_of_it() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        put(alice, "file", b"1").await.unwrap();
        lock(alice, "file", LockKind::Device).await.unwrap();
        world.clock.advance_seconds(599);
        assert!(put(alice, "file", b"2").await.is_err());
        world.clock.advance_seconds(2);
        let locked = alice.node(&path("file"), Needs::LOCKS).await.unwrap();
        assert!(locked.locks.is_empty());
        world.maintain().await;
        let forgotten = alice.node(&path("file"), Needs::LOCKS).await.unwrap();
        assert!(forgotten.etag > locked.etag, "whoever saw the lock looks again");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_lease_stays_with_the_file_when_it_moves_and_goes_with_it_when_it_is_deleted() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        put(alice, "file", b"1").await.unwrap();
        lock(alice, "file", LockKind::Account).await.unwrap();
        let moved = Relocate {
            source: path("file"),
            destination: path("renamed"),
            overwrites: false,
            conditions: Conditions::default(),
        };
        alice.apply(moved).await.unwrap();
        assert_eq!(alice.locks(&path("renamed")).await.unwrap().len(), 1);
        let delete = Delete { path: path("renamed"), skips_trash: false, conditions: Conditions::default() };
        alice.apply(delete).await.unwrap();
        put(alice, "renamed", b"new").await.unwrap();
        assert!(alice.locks(&path("renamed")).await.unwrap().is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_program_may_open_what_its_own_account_locked_and_conditions_hold_for_locks_too() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        let old = put(alice, "file", b"1").await.unwrap().node.etag;
        make_folder(alice, "folder").await.unwrap();
        lock(alice, "file", LockKind::Account).await.unwrap();
        let take = TakeLock {
            path: path("file"),
            scope: Scope::Exclusive,
            is_deep: false,
            owner_xml: None,
            timeout_seconds: 60,
            conditions: Conditions::default(),
        };
        assert_eq!(alice.apply(take).await.unwrap().node.locks.len(), 2);
        lock(alice, "file", LockKind::Account).await.unwrap();
        let stale = LockForClient {
            path: path("file"),
            kind: LockKind::Account,
            timeout_seconds: 600,
            conditions: Conditions { if_match: Some(EtagSet::Of(vec![old.to_string()])), ..Conditions::default() },
        };
        assert!(matches!(alice.apply(stale).await, Err(Error::ConditionFailed("If-Match"))));
        assert!(matches!(lock(alice, "folder", LockKind::Account).await, Err(Error::IsACollection)));
        assert!(matches!(lock(alice, "nothing", LockKind::Account).await, Err(Error::NotFound)));
        world.finish().await;
    })
    .await;
}
