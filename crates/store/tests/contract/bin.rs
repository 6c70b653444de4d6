//! The trash of files: what was deleted is seen, read, comes back with its number, or goes for good.

use nichoir_store::change::{Delete, DropTrashed, EmptyTrash, Relocate, Undelete, Written};
use nichoir_store::conditions::Conditions;
use nichoir_store::{Error, FileId, Limits, Needs, Node, NodePath, Sharee, Tree};

use crate::sharing::share;

use crate::support::{World, make_folder, names, node, on_every_engine, on_every_engine_with, path, put, read, stage};

pub(crate) async fn delete(tree: &Tree, at: &str) -> FileId {
    let id = node(tree, at).await.unwrap().id;
    tree.apply(Delete { path: path(at), skips_trash: false, conditions: Conditions::default() }).await.unwrap();
    id
}

pub(crate) async fn undelete(tree: &Tree, at: &str) -> Result<Written, Error> {
    tree.apply(Undelete { path: path(at), destination: None, conditions: Conditions::default() }).await
}

pub(crate) async fn share_for_writing(owner: &Tree, at: &str, with: &Tree) {
    share(owner, at, Sharee::Account(with.account().id), Some(true)).await.unwrap();
}

async fn relocate(tree: &Tree, from: &str, to: &str) {
    let (source, destination) = (path(from), path(to));
    let change = Relocate { source, destination, overwrites: false, conditions: Conditions::default() };
    tree.apply(change).await.unwrap();
}

async fn trashed(tree: &Tree, at: &str) -> Node {
    tree.bin().unwrap().node(&path(at), Needs::NONE).await.unwrap()
}

const FIRST: &str = "d1800000000";
const SECOND: &str = "d1800000001";

#[tokio::test]
async fn a_deleted_file_is_seen_read_and_restored_under_its_number() {
    on_every_engine(async |world| {
        let World { alice, bob, .. } = &world;
        make_folder(alice, "Docs").await.unwrap();
        let written = put(alice, "Docs/a.txt", b"one").await.unwrap().node;
        let before = alice.quota().await.unwrap();
        delete(alice, "Docs/a.txt").await;

        let bin = alice.bin().unwrap();
        let at = format!("a.txt.{FIRST}");
        assert_eq!(names(&bin, "").await, std::slice::from_ref(&at));
        let seen = trashed(alice, &at).await;
        assert_eq!((seen.id, seen.size_bytes), (written.id, 3));
        let was = seen.trashed.unwrap();
        assert_eq!(
            (was.name.as_str(), was.location.as_str(), was.deleted.seconds()),
            ("a.txt", "Docs/a.txt", 1_800_000_000)
        );
        assert_eq!(was.deleted_by.unwrap().login, "alice");
        assert_eq!(read(&bin, &at).await.unwrap(), b"one");
        assert!(matches!(bob.bin().unwrap().node(&path(&at), Needs::NONE).await, Err(Error::NotFound)));
        assert!(matches!(undelete(bob, &at).await, Err(Error::NotFound)));
        assert!(matches!(put(&bin, "new", b"x").await, Err(Error::Forbidden(_))));
        assert!(matches!(put(&bin, &at, b"x").await, Err(Error::Forbidden(_))));
        assert_eq!(alice.quota().await.unwrap().used_bytes, 0);

        let back = undelete(alice, &at).await.unwrap();
        assert_eq!((back.node.id, back.node.name.as_str()), (written.id, "a.txt"));
        let node = node(alice, "Docs/a.txt").await.unwrap();
        assert_eq!((node.id, node.etag), (written.id, written.etag));
        assert_eq!(alice.quota().await.unwrap(), before);
        assert_eq!(names(&bin, "").await, Vec::<String>::new());
        assert!(matches!(undelete(alice, &at).await, Err(Error::NotFound)));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_taken_name_and_a_folder_that_is_gone_do_not_stand_in_the_way() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        make_folder(alice, "Docs").await.unwrap();
        for text in ["one", "two", "three"] {
            put(alice, "Docs/a.txt", text.as_bytes()).await.unwrap();
            delete(alice, "Docs/a.txt").await;
        }
        put(alice, "Docs/a.txt", b"now").await.unwrap();
        for second in ["d1800000000", "d1800000001"] {
            undelete(alice, &format!("a.txt.{second}")).await.unwrap();
        }
        assert_eq!(names(alice, "Docs").await, ["a (restored 2).txt", "a (restored).txt", "a.txt"]);
        assert_eq!(read(alice, "Docs/a (restored).txt").await.unwrap(), b"one");

        // The folder goes, then the file that was in it comes back: to the root.
        delete(alice, "Docs").await;
        undelete(alice, "a.txt.d1800000002").await.unwrap();
        assert_eq!(read(alice, "a.txt").await.unwrap(), b"three");
        // Another folder stands where that was.
        delete(alice, "a.txt").await;
        make_folder(alice, "Docs").await.unwrap();
        put(alice, "Docs/b.txt", b"b").await.unwrap();
        let id = delete(alice, "Docs/b.txt").await;
        delete(alice, "Docs").await;
        make_folder(alice, "Docs").await.unwrap();
        undelete(alice, &format!("b.txt.{FIRST}")).await.unwrap();
        assert_eq!(node(alice, "Docs/b.txt").await.unwrap().id, id);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_moved_folder_gets_back_what_was_deleted_from_it() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        make_folder(alice, "Docs").await.unwrap();
        put(alice, "Docs/a.txt", b"one").await.unwrap();
        delete(alice, "Docs/a.txt").await;
        alice
            .apply(nichoir_store::change::Relocate {
                source: path("Docs"),
                destination: path("Papers"),
                overwrites: false,
                conditions: Conditions::default(),
            })
            .await
            .unwrap();
        undelete(alice, &format!("a.txt.{FIRST}")).await.unwrap();
        assert_eq!(names(alice, "Papers").await, ["a.txt"]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_lies_in_a_deleted_folder_is_seen_and_comes_back_alone() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        make_folder(alice, "a").await.unwrap();
        make_folder(alice, "a/b").await.unwrap();
        put(alice, "a/b/c.txt", b"deep").await.unwrap();
        put(alice, "a/d.txt", b"flat").await.unwrap();
        delete(alice, "a").await;
        let bin = alice.bin().unwrap();
        let top = format!("a.{FIRST}");
        assert_eq!(names(&bin, &top).await, ["b", "d.txt"]);
        assert_eq!(names(&bin, &format!("{top}/b")).await, ["c.txt"]);
        let deep = trashed(alice, &format!("{top}/b/c.txt")).await.trashed.unwrap();
        assert_eq!((deep.name.as_str(), deep.location.as_str()), ("c.txt", "a/b/c.txt"));
        assert_eq!(trashed(alice, &top).await.size_bytes, 8);

        undelete(alice, &format!("{top}/b/c.txt")).await.unwrap();
        assert_eq!(read(alice, "c.txt").await.unwrap(), b"deep");
        assert_eq!(trashed(alice, &top).await.size_bytes, 4);
        make_folder(alice, "a").await.unwrap();
        undelete(alice, &format!("{top}/b")).await.unwrap();
        assert_eq!(names(alice, "a").await, ["b"]);
        alice.apply(DropTrashed { path: path(&format!("{top}/d.txt")) }).await.unwrap();
        assert_eq!(trashed(alice, &top).await.size_bytes, 0);
        undelete(alice, &top).await.unwrap();
        assert_eq!(names(alice, "").await, ["a", "a (restored)", "c.txt"]);
        world.maintain().await;
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_place_of_ones_own_choice_keeps_the_number_too() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        put(alice, "a.txt", b"one").await.unwrap();
        let id = delete(alice, "a.txt").await;
        put(alice, "b.txt", b"in the way").await.unwrap();
        let at = path(&format!("a.txt.{FIRST}"));
        let to = |overwrites| Undelete {
            path: at.clone(),
            destination: Some((path("b.txt"), overwrites)),
            conditions: Conditions::default(),
        };
        assert!(matches!(alice.apply(to(false)).await, Err(Error::Exists)));
        assert!(!alice.apply(to(true)).await.unwrap().is_new);
        assert_eq!(node(alice, "b.txt").await.unwrap().id, id);
        assert_eq!(names(&alice.bin().unwrap(), "").await, [format!("b.txt.{FIRST}")]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn the_trash_is_emptied_of_all_that_was_in_it_step_by_step() {
    on_every_engine_with(Limits { page_rows: 7, ..Limits::default() }, 1_000_000_000, async |world| {
        let alice = &world.alice;
        for number in 0..503 {
            put(alice, &format!("{number:04}"), b"12345").await.unwrap();
            delete(alice, &format!("{number:04}")).await;
        }
        let until = world.space.ports().clock.now();
        world.clock.advance_seconds(10);
        put(alice, "later", b"1").await.unwrap();
        delete(alice, "later").await;
        assert_eq!(names(&alice.bin().unwrap(), "").await.len(), 504);
        let mut steps = 1;
        while alice.apply(EmptyTrash { until }).await.unwrap() {
            steps += 1;
        }
        assert_eq!(steps, 2);
        assert_eq!(names(&alice.bin().unwrap(), "").await, ["later.d1800000010"]);
        assert!(matches!(alice.apply(DropTrashed { path: NodePath::root() }).await, Err(Error::Forbidden(_))));
        alice.apply(DropTrashed { path: path("later.d1800000010") }).await.unwrap();
        world.maintain().await;
        world.finish().await;
    })
    .await;
}

/// Names of 255 bytes are allowed, and so must those in the trash be: a client names them in paths.
#[tokio::test]
async fn the_longest_name_can_be_restored() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        let longest = "é".repeat(127) + "x";
        put(alice, &longest, b"one").await.unwrap();
        delete(alice, &longest).await;
        let [at] = &names(&alice.bin().unwrap(), "").await[..] else { panic!() };
        assert!(at.len() <= nichoir_store::NAME_BYTES_MAX && at.ends_with(FIRST), "{at}");
        put(alice, &longest, b"two").await.unwrap();
        let back = undelete(alice, at).await.unwrap();
        assert!(back.node.name.ends_with("é (restored)") && back.node.name.len() <= 255);
        delete(alice, &longest).await;
        let [at] = &names(&alice.bin().unwrap(), "").await[..] else { panic!() };
        assert!(undelete(alice, at).await.unwrap().node.name == longest);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn two_of_a_name_deleted_in_one_second_are_two() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        for _ in 0..2 {
            put(alice, "a", b"1").await.unwrap();
            delete(alice, "a").await;
        }
        assert_eq!(names(&alice.bin().unwrap(), "").await, [format!("a.{FIRST}"), format!("a.{SECOND}")]);
        world.finish().await;
    })
    .await;
}

/// Restoring is a change of one row, whatever lies below it.
#[tokio::test]
async fn restoring_a_folder_takes_as_many_statements_for_many_descendants_as_for_one() {
    on_every_engine(async |world| {
        let alice = &world.alice;
        let mut counts = Vec::new();
        for members in [1, 400] {
            make_folder(alice, "folder").await.unwrap();
            for number in 0..members {
                put(alice, &format!("folder/{number}"), b"x").await.unwrap();
            }
            delete(alice, "folder").await;
            let [at] = &names(&alice.bin().unwrap(), "").await[..] else { panic!() };
            let before = world.faults.seen();
            undelete(alice, at).await.unwrap();
            counts.push(world.faults.seen() - before);
            assert_eq!(names(alice, "folder").await.len(), members);
            alice
                .apply(Delete { path: path("folder"), skips_trash: true, conditions: Conditions::default() })
                .await
                .unwrap();
        }
        assert_eq!(counts[0], counts[1]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_restored_counts_and_what_is_thrown_away_is_free() {
    on_every_engine_with(Limits::default(), 1_000, async |world| {
        let alice = &world.alice;
        put(alice, "a", &[1; 600]).await.unwrap();
        delete(alice, "a").await;
        assert_eq!(alice.quota().await.unwrap().available_bytes, 1_000);
        undelete(alice, &format!("a.{FIRST}")).await.unwrap();
        assert_eq!(alice.quota().await.unwrap().available_bytes, 400);
        assert!(matches!(stage(alice, &[1; 600]).await, Err(Error::OverQuota { .. })));
        delete(alice, "a").await;
        // Makes room by itself: the trash gives way.
        put(alice, "b", &[1; 600]).await.unwrap();
        assert_eq!(names(&alice.bin().unwrap(), "").await, Vec::<String>::new());
        world.finish().await;
    })
    .await;
}

/// What a sharee deletes is its owner's: one row in the owner's trash, which both see.
#[tokio::test]
async fn what_a_sharee_deletes_can_be_restored_by_both() {
    on_every_engine(async |world| {
        let World { alice, bob, .. } = &world;
        make_folder(alice, "Docs").await.unwrap();
        share_for_writing(alice, "Docs", bob).await;
        let [theirs] = &names(bob, "").await[..] else { panic!() };
        let mut ids = Vec::new();
        for name in ["a", "b", "c", "d"] {
            put(alice, &format!("Docs/{name}"), name.as_bytes()).await.unwrap();
            let change = Delete {
                path: path(&format!("{theirs}/{name}")),
                skips_trash: name == "b",
                conditions: Conditions::default(),
            };
            ids.push(node(alice, &format!("Docs/{name}")).await.unwrap().id);
            bob.apply(change).await.unwrap();
        }
        let at = |name: &str| format!("{name}.{FIRST}");
        let all = [at("a"), at("b"), at("c"), at("d")];
        assert_eq!(names(&alice.bin().unwrap(), "").await, all, "not even then it is gone for good");
        assert_eq!(names(&bob.bin().unwrap(), "").await, all);
        let seen = trashed(alice, &at("a")).await.trashed.unwrap();
        assert_eq!((seen.location.as_str(), seen.deleted_by.unwrap().login.as_str()), ("Docs/a", "bob"));
        assert_eq!(trashed(bob, &at("a")).await.trashed.unwrap().location, format!("{theirs}/a"));
        assert_eq!(read(&bob.bin().unwrap(), &at("a")).await.unwrap(), b"a");
        // One second, one name, another file: it is called otherwise.
        put(bob, "a", b"own").await.unwrap();
        delete(bob, "a").await;
        assert_eq!(names(&bob.bin().unwrap(), "").await.len(), 5);

        assert_eq!(undelete(bob, &at("a")).await.unwrap().node.id, ids[0]);
        assert_eq!(read(alice, "Docs/a").await.unwrap(), b"a");
        undelete(alice, &at("b")).await.unwrap();
        assert_eq!(names(bob, theirs).await, ["a", "b"]);
        // What the sharee throws away is out of the sharee's sight only.
        bob.apply(DropTrashed { path: path(&at("c")) }).await.unwrap();
        let to = Undelete {
            path: path(&at("d")),
            destination: Some((path("mine"), true)),
            conditions: Conditions::default(),
        };
        assert!(matches!(bob.apply(to).await, Err(Error::Forbidden(_))), "it does not change its owner");
        bob.apply(EmptyTrash { until: world.space.ports().clock.now() }).await.unwrap();
        assert_eq!(names(&bob.bin().unwrap(), "").await, Vec::<String>::new());
        assert_eq!(names(&alice.bin().unwrap(), "").await, [at("c"), at("d")]);
        world.maintain().await;
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_sharee_who_is_one_no_longer_restores_nothing() {
    on_every_engine(async |world| {
        let World { alice, bob, .. } = &world;
        make_folder(alice, "Docs").await.unwrap();
        put(alice, "Docs/a", b"a").await.unwrap();
        share_for_writing(alice, "Docs", bob).await;
        let [theirs] = &names(bob, "").await[..] else { panic!() };
        bob.apply(Delete { path: path(&format!("{theirs}/a")), skips_trash: false, conditions: Conditions::default() })
            .await
            .unwrap();
        let at = format!("a.{FIRST}");
        share(alice, "Docs", Sharee::Account(bob.account().id), Some(false)).await.unwrap();
        assert!(matches!(undelete(bob, &at).await, Err(Error::Forbidden(_))));
        assert_eq!(names(&bob.bin().unwrap(), "").await, std::slice::from_ref(&at));
        share(alice, "Docs", Sharee::Account(bob.account().id), None).await.unwrap();
        assert!(matches!(undelete(bob, &at).await, Err(Error::NotFound)));
        assert_eq!(names(&bob.bin().unwrap(), "").await, Vec::<String>::new(), "nor sees it any more");
        make_folder(bob, theirs).await.unwrap();
        assert!(matches!(undelete(bob, &at).await, Err(Error::NotFound)), "a folder of that name is another");
        undelete(alice, &at).await.unwrap();
        assert_eq!(names(&bob.bin().unwrap(), "").await, Vec::<String>::new());
        world.finish().await;
    })
    .await;
}

/// What was shared with a member and put into a folder was lost with the folder, and its rows stayed behind.
#[tokio::test]
async fn what_others_share_is_not_deleted_with_the_folder_that_it_was_put_into() {
    on_every_engine(async |world| {
        let World { alice, bob, .. } = &world;
        make_folder(alice, "Docs").await.unwrap();
        put(alice, "Docs/a", b"alice's").await.unwrap();
        share_for_writing(alice, "Docs", bob).await;
        let [theirs] = &names(bob, "").await[..] else { panic!() };
        for skips_trash in [false, true] {
            make_folder(bob, "mine").await.unwrap();
            make_folder(bob, "mine/deep").await.unwrap();
            let destination = path(&format!("mine/deep/{theirs}"));
            let (source, conditions) = (path(theirs), Conditions::default());
            let change = nichoir_store::change::Relocate { source, destination, overwrites: false, conditions };
            bob.apply(change).await.unwrap();
            bob.apply(Delete { path: path("mine"), skips_trash, conditions: Conditions::default() }).await.unwrap();
            assert_eq!(names(bob, "").await, std::slice::from_ref(theirs));
            assert_eq!(read(bob, &format!("{theirs}/a")).await.unwrap(), b"alice's");
        }
        bob.apply(EmptyTrash { until: world.space.ports().clock.now() }).await.unwrap();
        world.maintain().await;
        assert_eq!(read(alice, "Docs/a").await.unwrap(), b"alice's");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_comes_back_to_a_folder_that_is_anothers_now_is_theirs_or_stays() {
    on_every_engine(async |world| {
        let World { alice, bob, .. } = &world;
        // alice's file, shared with bob, comes back to a folder that has become bob's: it is no longer alice's to share.
        for folder in ["Docs", "Team"] {
            make_folder(alice, folder).await.unwrap();
        }
        make_folder(bob, "Bobs").await.unwrap();
        share_for_writing(bob, "Bobs", alice).await;
        let file = put(alice, "Docs/a.txt", b"one").await.unwrap().node.id;
        share_for_writing(alice, "Docs/a.txt", bob).await;
        delete(alice, "Docs/a.txt").await;
        relocate(alice, "Docs", "Bobs/Docs").await;
        undelete(alice, &format!("a.txt.{FIRST}")).await.unwrap();
        assert_eq!(node(bob, "Bobs/Docs/a.txt").await.unwrap().id, file);
        assert_eq!(names(bob, "").await, ["Bobs"]);
        assert!(alice.shares_of(&[file], true).await.unwrap().is_empty());

        // What bob deleted of alice's does not become bob's because the folder did.
        share_for_writing(alice, "Team", bob).await;
        make_folder(bob, "Team/sub").await.unwrap();
        put(bob, "Team/sub/b.txt", b"two").await.unwrap();
        delete(bob, "Team/sub/b.txt").await;
        relocate(bob, "Team/sub", "sub").await;
        let back = undelete(bob, &format!("b.txt.{FIRST}")).await;
        assert!(matches!(back, Err(Error::Forbidden(_))), "{back:?}");
        assert_eq!(trashed(alice, &format!("b.txt.{FIRST}")).await.size_bytes, 3);
        assert!(names(bob, "sub").await.is_empty());
        world.finish().await;
    })
    .await;
}
