//! Spaces: found by host, apart from each other, few of them open at once. Promises 8 and 12.

use std::sync::Arc;

use nichoir_store::{
    BlobConfig, DatabaseConfig, Error, Limits, NewSpace, Ports, SpaceState, SpaceUpdate, Store, StoreConfig,
};

use crate::support::{On, World, make_account, node, on_every_engine, put, read};

fn new(name: &str, hosts: &[&str]) -> NewSpace {
    NewSpace {
        name: name.to_owned(),
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        quota_bytes: 1_000_000,
        max_accounts: 50,
    }
}

async fn store(directory: &std::path::Path, limits: Limits) -> Store {
    let config = StoreConfig {
        database: DatabaseConfig::Sqlite { directory: directory.join("db") },
        blobs: BlobConfig::Local { directory: directory.join("blobs") },
        base_domain: Some("Example.org".to_owned()),
        default_space: Some("fallback".to_owned()),
        limits,
    };
    Store::open(config, Ports::system()).await.unwrap()
}

#[tokio::test]
async fn a_host_finds_its_space() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path(), Limits::default()).await;
    store.create_space(new("one", &["One.Asso.org"])).await.unwrap();
    let found = async |host: &str| store.space_for_host(host).await.unwrap().map(|space| space.info().name.clone());
    assert_eq!(found("one.asso.org").await.as_deref(), Some("one"));
    assert_eq!(found("ONE.asso.org.").await.as_deref(), Some("one"));
    assert_eq!(found("one.example.org").await.as_deref(), Some("one"));
    assert_eq!(found("two.example.org").await, None);
    store.create_space(new("fallback", &[])).await.unwrap();
    assert_eq!(found("two.example.org").await.as_deref(), Some("fallback"));
    assert!(matches!(store.create_space(new("one", &[])).await, Err(Error::Exists)));
    assert!(matches!(store.create_space(new("two", &["one.asso.org"])).await, Err(Error::Exists)));
    for bad in ["", "A", "a_b", "-a", "a-", "é"] {
        assert!(matches!(store.create_space(new(bad, &[])).await, Err(Error::BadName(_))), "{bad:?}");
    }
}

#[tokio::test]
async fn another_process_changes_the_catalogue_and_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let served = store(directory.path(), Limits::default()).await;
    let command = store(directory.path(), Limits::default()).await;
    command.create_space(new("one", &["one.org"])).await.unwrap();
    assert!(served.space_for_host("one.org").await.unwrap().is_some());
    let update = SpaceUpdate { state: Some(SpaceState::Suspended), ..SpaceUpdate::default() };
    command.update_space("one", update).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let space = served.space_for_host("one.org").await.unwrap().unwrap();
    assert_eq!(space.info().state, SpaceState::Suspended);
}

/// On PostgreSQL they tell each other: see `events.rs`.
#[tokio::test]
async fn a_server_notices_what_a_command_does_to_a_space_in_its_file() {
    let world = World::start(On::Sqlite, Limits::default(), 1_000_000).await.unwrap();
    let events = world.store.events();
    let served = world.space.clone();
    let (root, epoch) = (node(&world.alice, "/").await.unwrap(), served.account_epoch());
    let (command, alice) = world.reopen().await;
    put(&alice, "by a command", b"x").await.unwrap();
    make_account(alice.space(), "carol").await;
    command.close().await;
    let noticed = async {
        while served.account_epoch() == epoch {
            events.changed().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), noticed).await.expect("it looks every second");
    assert!(node(&world.alice, "/").await.unwrap().etag > root.etag, "nothing older is remembered");
    assert!(events.take().spaces[&served.info().id].has_accounts, "who listens is told to look again");
    // What the server does itself is no news to it. The command's last change may have come to be noticed apart.
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    put(&world.alice, "by the server", b"x").await.unwrap();
    let epoch = served.account_epoch();
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    assert_eq!(served.account_epoch(), epoch);
    world.finish().await;
}

#[tokio::test]
async fn the_same_names_in_two_spaces_are_two_things() {
    on_every_engine(async |world| {
        let name = format!("{}-twin", world.space.info().name);
        let twin = world.store.create_space(new(&name, &[])).await.unwrap();
        let stranger = twin.tree_as(&make_account(&twin, "alice").await);
        put(&world.alice, "file", b"ours").await.unwrap();
        put(&stranger, "file", b"theirs, longer").await.unwrap();
        assert_eq!(read(&world.alice, "file").await.unwrap(), b"ours");
        assert_eq!(read(&stranger, "file").await.unwrap(), b"theirs, longer");
        // A number means something in its own space alone.
        let theirs = node(&stranger, "file").await.unwrap().id;
        assert!(world.alice.node_by_id(theirs, nichoir_store::Needs::NONE).await.is_err());
        assert_eq!(stranger.quota().await.unwrap().used_bytes, 14);
        assert_ne!(twin.key("x"), world.space.key("x"));
        world.store.delete_space(&name).await.unwrap();
        assert!(matches!(world.store.space_named(&name).await, Err(Error::NotFound)));
        assert_eq!(read(&world.alice, "file").await.unwrap(), b"ours");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn few_spaces_are_open_however_many_are_used() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { open_spaces_max: 3, ..Limits::default() };
    let store = Arc::new(store(directory.path(), limits).await);
    for number in 0..12 {
        store.create_space(new(&format!("s{number}"), &[])).await.unwrap();
    }
    assert_eq!(std::fs::read_dir(directory.path().join("db/spaces")).unwrap().count(), 0, "made when first used");
    let users = (0..12).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let space = store.space_named(&format!("s{number}")).await.unwrap();
            let tree = space.tree_as(&make_account(&space, "alice").await);
            for round in 0..3 {
                put(&tree, "file", format!("{number} {round}").as_bytes()).await.unwrap();
                tokio::task::yield_now().await;
            }
            assert!(store.open_spaces() <= 3);
            assert_eq!(read(&tree, "file").await.unwrap(), format!("{number} 2").as_bytes());
        })
    });
    for user in users.collect::<Vec<_>>() {
        user.await.unwrap();
    }
    assert!(store.open_spaces() <= 3);
    store.close().await;
    assert_eq!(store.open_spaces(), 0);
}

#[tokio::test]
async fn parallel_changes_share_their_syncs() {
    on_every_engine(async |world| {
        let before = world.faults.seen();
        let one = put(&world.alice, "warm", b"x").await.unwrap();
        let alone = world.faults.seen() - before;
        let before = world.faults.seen();
        let writers = (0..16).map(|number| {
            let tree = world.alice.clone();
            async move { put(&tree, &format!("file{number}"), b"x").await.unwrap().node.etag }
        });
        let mut etags = futures_util::future::join_all(writers).await;
        let together = world.faults.seen() - before;
        // Each group begins, takes its turn, writes its counters and commits once: fewer statements than sixteen times one.
        assert!(together < 16 * alone - 16, "{together} statements for sixteen, {alone} for one");
        etags.sort();
        etags.dedup();
        assert_eq!(etags.len(), 16, "each change has a number of its own");
        assert!(etags[0] > one.node.etag);
        world.finish().await;
    })
    .await;
}
