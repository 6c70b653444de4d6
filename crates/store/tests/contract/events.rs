//! What moved is told after each commit: to who listens on the same server, and on the others over one database.

use std::time::Duration;

use nichoir_store::change::{DeadPropertyPatch, Delete, PatchProperties};
use nichoir_store::{Area, DatabaseConfig, DeadProperty, Error, Events, Moved, Ports, Quiet, Store};

use crate::support::*;

/// What moved in the space of `world` since the last time.
fn moved(world: &World, events: &Events) -> Moved {
    events.take().spaces.remove(&world.space.info().id).unwrap_or_default()
}

/// The same once something did, on another server as well.
async fn awaited(world: &World, events: &Events) -> Moved {
    for _ in 0..100 {
        let found = moved(world, events);
        if !found.is_empty() {
            return found;
        }
        let _ = tokio::time::timeout(Duration::from_millis(100), events.changed()).await;
    }
    panic!("nothing moved");
}

#[tokio::test]
async fn a_commit_tells_which_folders_moved_up_to_the_root() {
    on_every_engine(async |world| {
        let events = world.store.local_events();
        make_folder(&world.alice, "/a").await.unwrap();
        make_folder(&world.alice, "/a/b").await.unwrap();
        moved(&world, &events);
        put(&world.alice, "/a/b/x.txt", b"one").await.unwrap();

        let found = moved(&world, &events);
        let alice = &world.alice;
        let (root, a, b) =
            (node(alice, "/").await.unwrap(), node(alice, "/a").await.unwrap(), node(alice, "/a/b").await.unwrap());
        assert_eq!(found.folders.len(), 3, "{found:?}");
        for (folder, has_members) in [(&root, false), (&a, false), (&b, true)] {
            let step = &found.folders[&folder.id];
            assert_eq!((step.etag, step.has_members, step.has_properties), (folder.etag, has_members, false));
        }
        assert!(!found.is_cut && !found.has_accounts);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_change_that_failed_moved_nothing() {
    on_every_engine(async |world| {
        let events = world.store.local_events();
        let failed = put(&world.alice, "/missing/x.txt", b"one").await;
        assert!(matches!(failed, Err(Error::ParentMissing)));
        assert!(moved(&world, &events).is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn properties_of_a_calendar_are_told_apart_from_its_members() {
    on_every_engine(async |world| {
        let calendars = world.alice.in_area(Area::Calendars).await.unwrap();
        let events = world.store.local_events();
        let name = DeadProperty { namespace: "DAV:".into(), local: "displayname".into(), xml: "<x/>".into() };
        let patch = PatchProperties {
            path: path("/personal"),
            dead: vec![DeadPropertyPatch::Set(name)],
            ..PatchProperties::default()
        };
        let calendar = calendars.apply(patch).await.unwrap();
        let step = moved(&world, &events).folders[&calendar.id].clone();
        assert_eq!((step.has_members, step.has_properties), (false, true));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn whom_a_change_does_not_want_told_travels_with_it() {
    on_every_engine(async |world| {
        let quiet = Quiet { account: world.alice.account().id, registrations: Some(vec!["phone".to_owned()]) };
        let events = world.store.local_events();
        let quietly = world.alice.clone().quietly(quiet.clone());
        put(&quietly, "/x.txt", b"one").await.unwrap();
        let root = node(&world.alice, "/").await.unwrap();
        assert_eq!(moved(&world, &events).folders[&root.id].quiet.as_deref(), Some(&quiet));

        // Nobody else's change is quiet because of it.
        put(&world.alice, "/x.txt", b"two").await.unwrap();
        assert_eq!(moved(&world, &events).folders[&root.id].quiet, None);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn accounts_that_change_are_told() {
    on_every_engine(async |world| {
        let events = world.store.local_events();
        make_account(&world.space, "carol").await;
        assert!(moved(&world, &events).has_accounts);
        world.finish().await;
    })
    .await;
}

/// SQLite has one server; there is nobody else to be told.
#[tokio::test]
async fn a_commit_by_one_server_wakes_the_other() {
    let Some(world) = World::start(On::Postgres, nichoir_store::Limits::default(), 1_000_000).await else {
        eprintln!("skipped: TEST_POSTGRES is not set");
        return;
    };
    let (other, other_alice) = world.reopen().await;
    let (here, there, local) = (world.store.events(), other.events(), other.local_events());
    // Both are told to look again once they hear each other.
    for events in [&here, &there] {
        while !events.take().is_cut {
            tokio::time::timeout(Duration::from_secs(10), events.changed()).await.expect("they hear each other");
        }
    }
    put(&world.alice, "/x.txt", b"one").await.unwrap();
    let root = node(&world.alice, "/").await.unwrap();
    let found = awaited(&world, &there).await;
    assert_eq!(found.folders[&root.id].etag, root.etag);
    assert!(found.folders[&root.id].has_members);
    assert!(local.take().spaces.is_empty(), "what others commit is not this server's to tell of");

    // And the other way round.
    moved(&world, &here);
    let delete = Delete { path: path("/x.txt"), skips_trash: true, conditions: Default::default() };
    other_alice.apply(delete).await.unwrap();
    let etag = node(&world.alice, "/").await.unwrap().etag;
    assert_eq!(awaited(&world, &here).await.folders[&root.id].etag, etag);
    assert_eq!(awaited(&world, &there).await.folders[&root.id].etag, etag, "the server itself is told as well");
    other.close().await;
    world.finish().await;
}

#[tokio::test]
async fn an_account_changed_by_one_server_is_forgotten_by_the_other() {
    let Some(world) = World::start(On::Postgres, nichoir_store::Limits::default(), 1_000_000).await else {
        eprintln!("skipped: TEST_POSTGRES is not set");
        return;
    };
    let (other, other_alice) = world.reopen().await;
    let there = other.events();
    while !there.take().is_cut {
        tokio::time::timeout(Duration::from_secs(10), there.changed()).await.expect("it hears others");
    }
    let before = other_alice.space().account_epoch();
    make_account(&world.space, "carol").await;
    assert!(awaited(&world, &there).await.has_accounts);
    assert_ne!(other_alice.space().account_epoch(), before);
    other.close().await;
    world.finish().await;
}

/// A firewall that forgets a connection says so to neither end.
#[tokio::test]
async fn a_connection_for_notices_that_died_without_a_word_is_noticed() {
    let Some(world) = World::start(On::Postgres, nichoir_store::Limits::default(), 1_000_000).await else {
        eprintln!("skipped: TEST_POSTGRES is not set");
        return;
    };
    let mut config = world.config.clone();
    let DatabaseConfig::Postgres { url, .. } = &mut config.database else { panic!("not PostgreSQL") };
    let (user, rest) = url.split_once('@').unwrap();
    let (address, name) = rest.split_once('/').unwrap();
    let (freeze, frozen) = tokio::sync::watch::channel(false);
    *url = format!("{user}@{}/{name}", proxy(address.to_owned(), frozen).await);
    let other = Store::open(config, Ports::system()).await.unwrap();
    let there = other.events();
    while !there.take().is_cut {
        tokio::time::timeout(Duration::from_secs(10), there.changed()).await.expect("it hears others");
    }
    let space = other.space_named(&world.space.info().name).await.unwrap();
    let before = space.account_epoch();
    freeze.send_replace(true);
    while !there.take().is_cut {
        tokio::time::timeout(Duration::from_secs(20), there.changed()).await.expect("it asks now and then");
    }
    assert_ne!(space.account_epoch(), before);
    world.finish().await;
}

/// Passes everything on to `address` until it is `frozen`: then nothing, and no connection ends.
async fn proxy(address: String, frozen: tokio::sync::watch::Receiver<bool>) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = tokio::net::TcpStream::connect(&address).await.unwrap();
            let mut frozen = frozen.clone();
            tokio::spawn(async move {
                let is_frozen = tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => false,
                    _ = frozen.changed() => true,
                };
                if is_frozen {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    here
}
