//! Public links: alive as long as they should be, allowing what they were made for, and counted exactly.

use nichoir_store::change::{Copy, Delete, DropLink, Grant, LinkUpdate, MakeLink, Relocate, ShareNode, UpdateLink};
use nichoir_store::conditions::Conditions;
use nichoir_store::{
    AccountUpdate, Departure, Error, Limits, Link, Needs, Permissions, Sharee, Sharing, StageOptions, Timestamp, Tree,
};

use crate::support::{World, make_folder, names, node, on_every_engine, on_every_engine_with, path, put, read};

async fn link(tree: &Tree, at: &str, permissions: Permissions) -> Link {
    tree.apply(make(at, permissions, LinkUpdate::default())).await.unwrap()
}

fn make(at: &str, permissions: Permissions, update: LinkUpdate) -> MakeLink {
    MakeLink { path: path(at), permissions, update }
}

async fn guest(world: &World, link: &Link) -> Tree {
    world.space.open_link(&link.token).await.unwrap().tree
}

#[track_caller]
fn assert_gone<T: std::fmt::Debug>(found: Result<T, Error>) {
    assert!(matches!(found, Err(Error::NotFound)), "{found:?}");
}

async fn assert_dead(world: &World, link: &Link) {
    assert_gone(world.space.open_link(&link.token).await);
}

async fn assert_alive(world: &World, link: &Link) {
    world.space.open_link(&link.token).await.unwrap();
}

/// `docs/a.txt` and `docs/sub` of alice's.
async fn docs(world: &World) {
    make_folder(&world.alice, "docs").await.unwrap();
    make_folder(&world.alice, "docs/sub").await.unwrap();
    put(&world.alice, "docs/a.txt", b"one").await.unwrap();
    put(&world.alice, "secret.txt", b"secret").await.unwrap();
}

fn delete(at: &str) -> Delete {
    Delete { path: path(at), skips_trash: false, conditions: Conditions::default() }
}

#[tokio::test]
async fn a_link_to_read_lets_one_read_that_folder_and_nothing_else() {
    on_every_engine(async |world| {
        docs(&world).await;
        let link = link(&world.alice, "docs", Permissions::READ).await;
        let guest = guest(&world, &link).await;
        assert_eq!(names(&guest, "").await, ["a.txt", "sub"]);
        assert_eq!(read(&guest, "a.txt").await.unwrap(), b"one");
        assert_gone(node(&guest, "secret.txt").await);
        assert_gone(guest.node_by_id(node(&world.alice, "secret.txt").await.unwrap().id, Needs::NONE).await);

        assert!(matches!(put(&guest, "a.txt", b"two").await, Err(Error::Forbidden(_))));
        assert!(matches!(put(&guest, "new.txt", b"two").await, Err(Error::Forbidden(_))));
        assert!(matches!(make_folder(&guest, "new").await, Err(Error::Forbidden(_))));
        for at in ["a.txt", "sub", ""] {
            assert!(matches!(guest.apply(delete(at)).await, Err(Error::Forbidden(_))), "{at}");
        }
        let begin = nichoir_store::change::BeginUpload { upload: "u".to_owned(), total_bytes: None };
        assert!(matches!(guest.apply(begin).await, Err(Error::Forbidden(_))));
        let body = futures_util::stream::iter([Ok::<_, Error>(bytes::Bytes::from_static(b"x"))]);
        assert!(matches!(guest.stage(body, StageOptions::default()).await, Err(Error::Forbidden(_))));
        assert!(matches!(
            guest.apply(make("a.txt", Permissions::READ, LinkUpdate::default())).await,
            Err(Error::Forbidden(_))
        ));
        assert!(guest.in_area(nichoir_store::Area::Calendars).await.is_err());
        assert!(
            guest.trashed(&nichoir_store::MemberFilter::default(), None, Needs::NONE).await.unwrap().nodes.is_empty()
        );
        assert!(matches!(guest.links().await, Err(Error::Forbidden(_))));
        assert_eq!(read(&world.alice, "docs/a.txt").await.unwrap(), b"one");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_link_to_edit_writes_into_its_owners_folder_and_never_takes_it_away() {
    on_every_engine(async |world| {
        docs(&world).await;
        let link = link(&world.alice, "docs", Permissions::READ_WRITE).await;
        let guest = guest(&world, &link).await;
        let before = node(&world.alice, "").await.unwrap().etag;
        put(&guest, "a.txt", b"two").await.unwrap();
        put(&guest, "sub/new.txt", b"new").await.unwrap();
        assert_ne!(node(&world.alice, "").await.unwrap().etag, before, "etags move on the owner's side");
        let rename = |from: &str, to: &str| Relocate {
            source: path(from),
            destination: path(to),
            overwrites: false,
            conditions: Conditions::default(),
        };
        guest.apply(rename("sub/new.txt", "new.txt")).await.unwrap();
        assert_eq!(read(&world.alice, "docs/new.txt").await.unwrap(), b"new");
        guest.apply(delete("a.txt")).await.unwrap();
        let trashed = world.alice.trashed(&nichoir_store::MemberFilter::default(), None, Needs::NONE).await.unwrap();
        assert_eq!(trashed.nodes.len(), 1, "what a guest deletes is in the owner's trash");
        for at in [delete("")] {
            assert!(matches!(guest.apply(at).await, Err(Error::Forbidden(_))));
        }
        assert!(guest.apply(rename("", "x")).await.is_err());
        assert_eq!(names(&world.alice, "docs").await, ["new.txt", "sub"]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn several_links_to_one_folder_allow_each_its_own() {
    on_every_engine(async |world| {
        docs(&world).await;
        let reading = link(&world.alice, "docs", Permissions::READ).await;
        let editing = link(&world.alice, "docs", Permissions::READ_WRITE).await;
        assert_ne!(reading.token, editing.token);
        assert_eq!(reading.token.len(), 15);
        // Asked in turns: what one is shown is not remembered for the other.
        for _ in 0..2 {
            for (link, writes) in [(&editing, true), (&reading, false)] {
                let guest = guest(&world, link).await;
                assert_eq!(node(&guest, "a.txt").await.unwrap().permissions().includes(Permissions::UPDATE), writes);
                assert_eq!(node(&guest, "").await.unwrap().permissions().includes(Permissions::CREATE), writes);
                assert_eq!(put(&guest, "a.txt", b"x").await.is_ok(), writes);
            }
        }
        assert_eq!(world.alice.links_to(&path("docs"), false).await.unwrap(), [reading.clone(), editing.clone()]);
        assert_eq!(world.alice.links_to_members(&path("")).await.unwrap(), [reading.clone(), editing.clone()]);
        world.alice.apply(DropLink { id: reading.id }).await.unwrap();
        assert_dead(&world, &reading).await;
        assert_alive(&world, &editing).await;
        assert_eq!(world.alice.links().await.unwrap(), [editing]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn who_hands_in_sees_nothing_and_replaces_nothing() {
    on_every_engine(async |world| {
        docs(&world).await;
        let link = link(&world.alice, "docs", Permissions::CREATE).await;
        let guest = guest(&world, &link).await;
        let root = node(&guest, "").await.unwrap();
        assert!(matches!(guest.children(&path(""), &root, None, Needs::NONE).await, Err(Error::Forbidden(_))));
        assert!(matches!(guest.changes_since(&path(""), 0, true, 10, Needs::NONE).await, Err(Error::Forbidden(_))));
        for at in ["a.txt", "sub", "nothing"] {
            assert_gone(node(&guest, at).await);
        }
        let file = node(&world.alice, "docs/a.txt").await.unwrap();
        assert_gone(guest.node_by_id(file.id, Needs::NONE).await);
        for (source, destination) in [("a.txt", "copy.txt"), ("", "copy")] {
            let copy = Copy {
                source: path(source),
                destination: path(destination),
                overwrites: true,
                is_deep: true,
                conditions: Conditions::default(),
            };
            assert!(guest.apply(copy).await.is_err(), "{source}");
        }

        // A condition tells nothing either.
        let conditions =
            Conditions { if_none_match: Some(nichoir_store::conditions::EtagSet::Any), ..Conditions::default() };
        crate::support::put_if(&guest, "a.txt", b"mine", conditions).await.unwrap();
        put(&guest, "a.txt", b"mine too").await.unwrap();
        put(&guest, "sub", b"not a folder").await.unwrap();
        put(&guest, "sub/a.txt", b"below").await.unwrap();
        put(&guest, "Joe/deep/a.txt", b"below").await.unwrap();
        put(&guest, "a.txt/x.txt", b"a file is in the way").await.unwrap();
        make_folder(&guest, "sub").await.unwrap();
        make_folder(&guest, "Ann/pictures").await.unwrap();
        assert_eq!(
            names(&world.alice, "docs").await,
            ["Ann", "Joe", "a (2).txt", "a (3).txt", "a (4).txt", "a.txt", "sub", "sub (2)"]
        );
        assert_eq!(read(&world.alice, "docs/a.txt").await.unwrap(), b"one");
        assert_eq!(read(&world.alice, "docs/a (2).txt").await.unwrap(), b"mine");
        assert_eq!(read(&world.alice, "docs/a (4).txt/x.txt").await.unwrap(), b"a file is in the way");
        assert_eq!(names(&world.alice, "docs/Ann").await, ["pictures"]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn many_namesakes_handed_in_each_get_a_name() {
    on_every_engine(async |world| {
        make_folder(&world.alice, "drop").await.unwrap();
        let link = link(&world.alice, "drop", Permissions::CREATE).await;
        let guest = guest(&world, &link).await;
        for _ in 0..55 {
            put(&guest, "a.txt", b"x").await.unwrap();
        }
        let names = names(&world.alice, "drop").await;
        assert_eq!(names.len(), 55);
        assert!(names.contains(&"a (50).txt".to_owned()) && !names.contains(&"a (51).txt".to_owned()));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_link_to_a_file_is_that_file() {
    on_every_engine(async |world| {
        docs(&world).await;
        // What makes no sense for a file is left out.
        let link = link(&world.alice, "docs/a.txt", Permissions::READ_WRITE).await;
        assert_eq!(link.permissions, Permissions::READ | Permissions::UPDATE);
        let guest = guest(&world, &link).await;
        assert_eq!(read(&guest, "").await.unwrap(), b"one");
        put(&guest, "", b"two").await.unwrap();
        assert_eq!(read(&world.alice, "docs/a.txt").await.unwrap(), b"two");
        assert!(put(&guest, "x", b"two").await.is_err());
        assert!(guest.apply(delete("")).await.is_err());
        let drop = make("docs/a.txt", Permissions::CREATE, LinkUpdate::default());
        assert!(matches!(world.alice.apply(drop).await, Err(Error::Invalid(_))));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_link_is_dead_while_its_node_is_in_the_trash_and_for_good_with_it() {
    on_every_engine(async |world| {
        docs(&world).await;
        let to_folder = link(&world.alice, "docs", Permissions::READ).await;
        let to_file = link(&world.alice, "docs/a.txt", Permissions::READ).await;
        let held = guest(&world, &to_folder).await;
        let id = node(&world.alice, "docs").await.unwrap().id;
        world.alice.apply(delete("docs")).await.unwrap();
        assert_dead(&world, &to_folder).await;
        assert_dead(&world, &to_file).await;
        assert!(put(&held, "late.txt", b"x").await.is_err());
        world.alice.apply(nichoir_store::change::Restore { id }).await.unwrap();
        assert_alive(&world, &to_folder).await;
        assert_alive(&world, &to_file).await;
        let for_good = Delete { skips_trash: true, ..delete("docs") };
        world.alice.apply(for_good).await.unwrap();
        assert_dead(&world, &to_folder).await;
        world.clock.advance_seconds(10);
        world.maintain().await;
        assert_eq!(world.alice.links().await.unwrap(), []);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_link_ends_when_it_says_and_when_its_maker_may_do_nothing() {
    on_every_engine(async |world| {
        docs(&world).await;
        let link = link(&world.alice, "docs", Permissions::READ_WRITE).await;
        let held = guest(&world, &link).await;
        let end = Timestamp::from_seconds(1_800_000_100);
        let update = LinkUpdate { expires: Some(Some(end)), ..LinkUpdate::default() };
        world.alice.apply(UpdateLink { id: link.id, update }).await.unwrap();
        world.clock.advance_seconds(99);
        assert_alive(&world, &link).await;
        world.clock.advance_seconds(1);
        assert_dead(&world, &link).await;
        assert_gone(put(&held, "late.txt", b"x").await);
        let update = LinkUpdate { expires: Some(None), ..LinkUpdate::default() };
        world.alice.apply(UpdateLink { id: link.id, update }).await.unwrap();
        assert_alive(&world, &link).await;

        let alice = world.alice.account().id;
        let enabled = |is_enabled| AccountUpdate { is_enabled: Some(is_enabled), ..AccountUpdate::default() };
        world.space.update_account(alice, enabled(false)).await.unwrap();
        assert_dead(&world, &link).await;
        assert_gone(put(&held, "late.txt", b"x").await);
        world.space.update_account(alice, enabled(true)).await.unwrap();
        assert_alive(&world, &link).await;
        world.space.end_account(alice, Departure::Gone).await.unwrap();
        assert_dead(&world, &link).await;
        assert_gone(world.bob.link(link.id).await);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_link_on_what_is_shared_shrinks_with_the_share() {
    on_every_engine(async |world| {
        docs(&world).await;
        let share = |permissions| ShareNode {
            path: path("docs"),
            grants: vec![Grant { sharee: Sharee::Account(world.bob.account().id), permissions }],
        };
        world.alice.apply(share(Some(Permissions::READ_WRITE))).await.unwrap();
        let seen = names(&world.bob, "").await.pop().unwrap();
        let refused = world.bob.apply(make(&seen, Permissions::READ, LinkUpdate::default())).await;
        assert!(matches!(refused, Err(Error::Sharing(Sharing::NotYours))), "shared without the right to hand it on");

        world.alice.apply(share(Some(Permissions::ALL.without(Permissions::DELETE)))).await.unwrap();
        let more = make(&seen, Permissions::READ_WRITE, LinkUpdate::default());
        assert!(matches!(world.bob.apply(more).await, Err(Error::Sharing(Sharing::BeyondOwn))), "more than bob holds");
        let rights = Permissions::READ | Permissions::UPDATE | Permissions::CREATE;
        let link = link(&world.bob, &seen, rights).await;
        let held = guest(&world, &link).await;
        put(&held, "from-outside.txt", b"x").await.unwrap();
        assert_eq!(read(&world.alice, "docs/from-outside.txt").await.unwrap(), b"x");
        assert_eq!(world.alice.links_to(&path("docs"), false).await.unwrap(), []);
        assert_eq!(world.alice.links_to(&path("docs"), true).await.unwrap(), std::slice::from_ref(&link));
        assert_eq!(world.alice.link(link.id).await.unwrap().maker, world.bob.account().id);

        world.alice.apply(share(Some(Permissions::READ | Permissions::SHARE))).await.unwrap();
        assert!(matches!(put(&held, "again.txt", b"x").await, Err(Error::Forbidden(_))), "found out in the change");
        assert_eq!(node(&guest(&world, &link).await, "").await.unwrap().permissions(), Permissions::READ);
        world.alice.apply(share(Some(Permissions::READ_WRITE))).await.unwrap();
        assert_dead(&world, &link).await;
        world.alice.apply(share(Some(Permissions::ALL))).await.unwrap();
        assert_alive(&world, &link).await;
        let alice = world.alice.account().id;
        let off = AccountUpdate { is_enabled: Some(false), ..AccountUpdate::default() };
        world.space.update_account(alice, off).await.unwrap();
        assert_dead(&world, &link).await;
        let on = AccountUpdate { is_enabled: Some(true), ..AccountUpdate::default() };
        world.space.update_account(alice, on).await.unwrap();
        world.alice.apply(share(None)).await.unwrap();
        assert_dead(&world, &link).await;
        world.alice.apply(DropLink { id: link.id }).await.unwrap();
        assert_eq!(world.bob.links().await.unwrap(), []);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_link_follows_what_is_handed_over_and_rests_while_it_is_kept() {
    on_every_engine(async |world| {
        docs(&world).await;
        let link = link(&world.alice, "docs", Permissions::READ).await;
        let (alice, bob) = (world.alice.account().id, world.bob.account().id);
        world.space.end_account(alice, Departure::Kept).await.unwrap();
        assert_dead(&world, &link).await;
        world.space.restore_account(alice).await.unwrap();
        assert_alive(&world, &link).await;
        world.space.end_account(alice, Departure::HandedOver(bob)).await.unwrap();
        assert_eq!(read(&guest(&world, &link).await, "a.txt").await.unwrap(), b"one");
        assert_eq!(world.bob.link(link.id).await.unwrap().maker, bob);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn another_accounts_link_does_not_exist() {
    on_every_engine(async |world| {
        docs(&world).await;
        let link = link(&world.alice, "docs", Permissions::READ).await;
        assert_gone(world.bob.link(link.id).await);
        assert_gone(world.bob.apply(DropLink { id: link.id }).await);
        let update = LinkUpdate { label: Some("mine".to_owned()), ..LinkUpdate::default() };
        assert_gone(world.bob.apply(UpdateLink { id: link.id, update: update.clone() }).await);
        assert_gone(guest(&world, &link).await.apply(UpdateLink { id: link.id, update }).await);
        assert_eq!(world.alice.link(link.id).await.unwrap(), link);
        assert_gone(world.space.open_link("").await);
        assert_gone(world.space.open_link(&link.token.to_lowercase()).await);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn downloads_are_counted_exactly_whoever_is_first() {
    on_every_engine(async |world| {
        docs(&world).await;
        let update = LinkUpdate { download_limit: Some(Some(3)), ..LinkUpdate::default() };
        let link = world.alice.apply(make("docs/a.txt", Permissions::READ, update)).await.unwrap();
        let tries = (0..10).map(|_| world.space.count_download(link.id));
        let outcomes = futures_util::future::join_all(tries).await;
        assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 3);
        assert_dead(&world, &link).await;
        assert_eq!(world.alice.link(link.id).await.unwrap().download_count, 3);
        world.space.uncount_download(link.id).await.unwrap();
        assert_alive(&world, &link).await;
        let update = LinkUpdate { download_limit: Some(Some(1)), ..LinkUpdate::default() };
        let link = world.alice.apply(UpdateLink { id: link.id, update }).await.unwrap();
        assert_eq!(link.download_count, 0, "a new limit counts from now on");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn links_and_their_texts_have_limits() {
    let limits = Limits { links_max: 2, link_text_bytes_max: 10, ..Limits::default() };
    on_every_engine_with(limits, 1_000_000, async |world| {
        docs(&world).await;
        let note = |length| LinkUpdate { note: Some("x".repeat(length)), ..LinkUpdate::default() };
        let label = |length| LinkUpdate { label: Some("é".repeat(length)), ..LinkUpdate::default() };
        let first = world.alice.apply(make("docs", Permissions::READ, note(10))).await.unwrap();
        for (update, is_good) in [(note(11), false), (label(255), true), (label(256), false), (note(0), true)] {
            let changed = world.alice.apply(UpdateLink { id: first.id, update }).await;
            assert_eq!(changed.is_ok(), is_good, "{changed:?}");
        }
        link(&world.alice, "docs", Permissions::READ).await;
        let third = world.alice.apply(make("docs", Permissions::READ, LinkUpdate::default())).await;
        assert!(matches!(third, Err(Error::TooLarge { limit: 2 })), "{third:?}");
        for (at, permissions) in [
            ("", Permissions::READ),
            ("docs", Permissions::NONE),
            ("docs", Permissions::UPDATE),
            ("docs", Permissions::CREATE | Permissions::DELETE),
            ("nothing", Permissions::READ),
        ] {
            let refused = world.alice.apply(make(at, permissions, LinkUpdate::default())).await;
            assert!(refused.is_err(), "{at} {permissions:?}");
        }
        world.finish().await;
    })
    .await;
}
