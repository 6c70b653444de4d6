//! Each right lets one do its own thing and nothing else: whoever holds a folder with some of them.

use nichoir_store::change::{Copy, DeadPropertyPatch, Delete, Grant, PatchProperties, Relocate, ShareNode, TakeLock};
use nichoir_store::conditions::Conditions;
use nichoir_store::{DeadProperty, Error, Needs, Permissions, Scope, Sharee, Tree};

use crate::support::{World, make_folder, names, node, on_every_engine, path, put, read};

/// What a right may be needed for.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Overwrite,
    Patch,
    Lock,
    Rename,
    Add,
    AddFolder,
    CopyIn,
    MoveIn,
    Remove,
    MoveOut,
    MoveDown,
    Replace,
}

const DEEDS: [Deed; 12] = [
    Deed::Overwrite,
    Deed::Patch,
    Deed::Lock,
    Deed::Rename,
    Deed::Add,
    Deed::AddFolder,
    Deed::CopyIn,
    Deed::MoveIn,
    Deed::Remove,
    Deed::MoveOut,
    Deed::MoveDown,
    Deed::Replace,
];

impl Deed {
    /// What has to be there.
    fn needs(self) -> Permissions {
        match self {
            Deed::Overwrite | Deed::Patch | Deed::Lock | Deed::Rename => Permissions::UPDATE,
            Deed::Add | Deed::AddFolder | Deed::CopyIn | Deed::MoveIn => Permissions::CREATE,
            Deed::Remove | Deed::MoveOut => Permissions::DELETE,
            Deed::MoveDown | Deed::Replace => Permissions::CREATE | Permissions::DELETE,
        }
    }

    async fn attempt(self, bob: &Tree) -> Result<(), Error> {
        let conditions = Conditions::default;
        let relocate = |from: &str, to: &str| Relocate {
            source: path(from),
            destination: path(to),
            overwrites: true,
            conditions: conditions(),
        };
        match self {
            Deed::Overwrite => put(bob, &format!("{SEEN}/a.txt"), b"other").await.map(drop),
            Deed::Patch => {
                let property = DeadProperty {
                    namespace: "urn:x".to_owned(),
                    local: "p".to_owned(),
                    xml: "<p xmlns=\"urn:x\"/>".to_owned(),
                };
                let dead = vec![DeadPropertyPatch::Set(property)];
                let patch =
                    PatchProperties { path: path(&format!("{SEEN}/a.txt")), dead, ..PatchProperties::default() };
                bob.apply(patch).await.map(drop)
            }
            Deed::Lock => {
                let lock = TakeLock {
                    path: path(&format!("{SEEN}/a.txt")),
                    scope: Scope::Exclusive,
                    is_deep: false,
                    owner_xml: None,
                    timeout_seconds: 60,
                    conditions: conditions(),
                };
                bob.apply(lock).await.map(drop)
            }
            Deed::Rename => bob.apply(relocate(&format!("{SEEN}/a.txt"), &format!("{SEEN}/z.txt"))).await.map(drop),
            Deed::Add => put(bob, &format!("{SEEN}/new.txt"), b"new").await.map(drop),
            Deed::AddFolder => make_folder(bob, &format!("{SEEN}/new")).await.map(drop),
            Deed::CopyIn => {
                let copy = Copy {
                    source: path("own.txt"),
                    destination: path(&format!("{SEEN}/copy.txt")),
                    overwrites: true,
                    is_deep: true,
                    conditions: conditions(),
                };
                bob.apply(copy).await.map(drop)
            }
            Deed::MoveIn => bob.apply(relocate("own.txt", &format!("{SEEN}/own.txt"))).await.map(drop),
            Deed::Remove => {
                let path = path(&format!("{SEEN}/a.txt"));
                bob.apply(Delete { path, skips_trash: false, conditions: conditions() }).await
            }
            Deed::MoveOut => bob.apply(relocate(&format!("{SEEN}/a.txt"), "a.txt")).await.map(drop),
            Deed::MoveDown => {
                bob.apply(relocate(&format!("{SEEN}/a.txt"), &format!("{SEEN}/sub/a.txt"))).await.map(drop)
            }
            Deed::Replace => bob.apply(relocate("own.txt", &format!("{SEEN}/a.txt"))).await.map(drop),
        }
    }
}

const SEEN: &str = "seen";

async fn check(world: &World, deed: Deed, permissions: Permissions) {
    // What the deed before locked is free again.
    world.clock.advance_seconds(100);
    let sharee = Sharee::Account(world.bob.account().id);
    for tree in [&world.alice, &world.bob] {
        for name in names(tree, "").await.into_iter().filter(|name| name != SEEN) {
            tree.apply(Delete { path: path(&name), skips_trash: true, conditions: Conditions::default() })
                .await
                .unwrap();
        }
    }
    make_folder(&world.alice, "team").await.unwrap();
    make_folder(&world.alice, "team/sub").await.unwrap();
    put(&world.alice, "team/a.txt", b"one").await.unwrap();
    put(&world.bob, "own.txt", b"own").await.unwrap();
    let grants = vec![Grant { sharee, permissions: Some(permissions) }];
    world.alice.apply(ShareNode { path: path("team"), grants }).await.unwrap();
    let rename = |from, to| Relocate {
        source: path(from),
        destination: path(to),
        overwrites: false,
        conditions: Conditions::default(),
    };
    world.bob.apply(rename("team", SEEN)).await.unwrap();
    let before = node(&world.alice, "team").await.unwrap().etag;

    let done = deed.attempt(&world.bob).await;
    match permissions.includes(deed.needs()) {
        true => done.unwrap_or_else(|error| panic!("{deed:?} with {permissions:?}: {error}")),
        false => {
            assert!(matches!(done, Err(Error::Forbidden(_))), "{deed:?} with {permissions:?}: {done:?}");
            assert_eq!(node(&world.alice, "team").await.unwrap().etag, before, "{deed:?} with {permissions:?}");
            assert_eq!(read(&world.alice, "team/a.txt").await.unwrap(), b"one");
        }
    }
}

#[tokio::test]
async fn every_right_is_good_for_its_own_deeds_and_no_other() {
    on_every_engine(async |world| {
        for deed in DEEDS {
            // Whoever is shared with may always read.
            for bits in (1..16).step_by(2) {
                check(&world, deed, Permissions::from_bits(bits).unwrap()).await;
            }
        }
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn who_may_only_read_marks_favourites_of_her_own() {
    on_every_engine(async |world| {
        make_folder(&world.alice, "team").await.unwrap();
        put(&world.alice, "team/a.txt", b"one").await.unwrap();
        let sharee = Sharee::Account(world.bob.account().id);
        let grants = vec![Grant { sharee, permissions: Some(Permissions::READ) }];
        world.alice.apply(ShareNode { path: path("team"), grants }).await.unwrap();
        let at = path("team/a.txt");
        let mark = PatchProperties { path: at.clone(), favourite: Some(true), ..PatchProperties::default() };
        world.bob.apply(mark).await.unwrap();
        assert!(world.bob.node(&at, Needs::FAVOURITE).await.unwrap().is_favourite);
        assert!(!world.alice.node(&path("team/a.txt"), Needs::FAVOURITE).await.unwrap().is_favourite);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_shared_with_somebody_is_not_moved_into_what_another_shares() {
    on_every_engine(async |world| {
        make_folder(&world.alice, "team").await.unwrap();
        make_folder(&world.alice, "other").await.unwrap();
        let sharee = Sharee::Account(world.bob.account().id);
        for at in ["team", "other"] {
            let grants = vec![Grant { sharee, permissions: Some(Permissions::ALL) }];
            world.alice.apply(ShareNode { path: path(at), grants }).await.unwrap();
        }
        let change = Relocate {
            source: path("other"),
            destination: path("team/other"),
            overwrites: true,
            conditions: Conditions::default(),
        };
        let moved = world.bob.apply(change).await;
        assert!(matches!(moved, Err(Error::Forbidden(_))), "{moved:?}");
        assert_eq!(names(&world.bob, "").await, ["other", "team"]);
        assert!(names(&world.alice, "team").await.is_empty());
        world.finish().await;
    })
    .await;
}
