//! Files and folders that are shared: with accounts, groups and everyone, handed on, renamed, left, ended.

use nichoir_store::change::{AnswerShare, Copy, CreateShare, Delete, EndShare, Relocate, Restore, UpdateShare};
use nichoir_store::conditions::Conditions;
use nichoir_store::{
    Error, Limits, MemberFilter, NO_DOWNLOAD, Needs, NodePath, Permissions, Received, ShareId, Sharee, Sharing, Tree,
    Via,
};

use crate::support::{
    World, make_account, make_folder, names, node, on_every_engine, on_every_engine_with, path, put, read,
};

fn with(tree: &Tree) -> Sharee {
    Sharee::Account(tree.account().id)
}

pub(crate) fn new(at: &str, sharee: Sharee, bits: i64) -> CreateShare {
    CreateShare {
        path: path(at),
        sharee,
        permissions: Permissions::from_bits(bits),
        expires: None,
        note: String::new(),
        label: String::new(),
        attributes: None,
        awaits_answer: false,
    }
}

async fn share(tree: &Tree, at: &str, sharee: Sharee, bits: i64) -> ShareId {
    tree.apply(new(at, sharee, bits)).await.unwrap().0
}

fn update(id: ShareId) -> UpdateShare {
    UpdateShare { id, permissions: None, expires: None, note: None, label: None, attributes: None }
}

async fn set_bits(tree: &Tree, id: ShareId, bits: i64) -> Result<(), Error> {
    tree.apply(UpdateShare { permissions: Permissions::from_bits(bits), ..update(id) }).await
}

async fn end(tree: &Tree, id: ShareId) -> Result<(), Error> {
    tree.apply(EndShare { id }).await
}

async fn relocate(tree: &Tree, from: &str, to: &str) -> Result<(), Error> {
    let change =
        Relocate { source: path(from), destination: path(to), overwrites: false, conditions: Conditions::default() };
    tree.apply(change).await.map(drop)
}

async fn delete(tree: &Tree, at: &str) -> Result<(), Error> {
    tree.apply(Delete { path: path(at), skips_trash: false, conditions: Conditions::default() }).await
}

async fn bits(tree: &Tree, at: &str) -> u8 {
    match node(tree, at).await {
        Ok(node) => node.permissions().bits(),
        Err(Error::NotFound | Error::ParentMissing) => 0,
        Err(error) => panic!("{error}"),
    }
}

async fn another(world: &World, login: &str) -> Tree {
    world.space.tree_as(&make_account(&world.space, login).await)
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>, why: Sharing) {
    assert!(matches!(&outcome, Err(Error::Sharing(it)) if *it == why), "{outcome:?} is not {why:?}");
}

fn forbidden<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    assert!(matches!(outcome, Err(Error::Forbidden(_))), "{outcome:?}");
}

fn missing<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
}

/// alice has `team/sub/a.txt`.
async fn team(world: &World) {
    make_folder(&world.alice, "team").await.unwrap();
    make_folder(&world.alice, "team/sub").await.unwrap();
    put(&world.alice, "team/sub/a.txt", b"one").await.unwrap();
}

#[tokio::test]
async fn a_share_appears_under_its_name_or_the_next_free_one() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        make_folder(bob, "team").await.unwrap();
        put(bob, "a.txt", b"bob's").await.unwrap();
        team(&world).await;
        put(alice, "a.txt", b"alice's").await.unwrap();
        share(alice, "team", with(bob), 31).await;
        share(alice, "a.txt", with(bob), 31).await;
        assert_eq!(names(bob, "").await, ["a (2).txt", "a.txt", "team", "team (2)"]);
        assert_eq!(read(bob, "a (2).txt").await.unwrap(), b"alice's");
        assert_eq!(bits(bob, "a (2).txt").await, 19, "a file is neither added to nor taken from");
        put(bob, "a (2).txt", b"written").await.unwrap();
        assert_eq!(read(alice, "a.txt").await.unwrap(), b"written");
        assert_eq!(read(bob, "team (2)/sub/a.txt").await.unwrap(), b"one");
        let (own, seen) = (node(alice, "team").await.unwrap(), node(bob, "team (2)").await.unwrap());
        assert_eq!((own.id, own.size_bytes), (seen.id, seen.size_bytes));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn sharing_says_why_it_is_refused() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        let carol = another(&world, "carol").await;
        team(&world).await;
        refused(alice.apply(new("", with(bob), 31)).await, Sharing::Root);
        refused(alice.apply(new("team", with(alice), 31)).await, Sharing::WithOneself);
        refused(
            alice.apply(new("team", Sharee::Account(nichoir_store::AccountId(99_999)), 31)).await,
            Sharing::UnknownSharee,
        );
        refused(
            alice.apply(new("team", Sharee::Group(nichoir_store::GroupId(99_999)), 31)).await,
            Sharing::UnknownSharee,
        );
        missing(alice.apply(new("nothing", with(bob), 31)).await);
        let first = share(alice, "team", with(bob), 15).await;
        assert_eq!(alice.apply(new("team", with(bob), 1)).await.unwrap(), (first, false));
        assert_eq!(bits(bob, "team").await, 15, "what was there stays as it was");
        refused(bob.apply(new("team", with(&carol), 1)).await, Sharing::NotYours);
        set_bits(alice, first, 17).await.unwrap();
        refused(bob.apply(new("team", with(&carol), 3)).await, Sharing::BeyondOwn);
        refused(bob.apply(new("team", with(alice), 1)).await, Sharing::WithOwner);
        let second = share(bob, "team", with(&carol), 1).await;
        refused(set_bits(bob, second, 3).await, Sharing::BeyondOwn);
        refused(set_bits(bob, first, 31).await, Sharing::Incoming);
        missing(set_bits(&carol, first, 31).await);
        missing(end(&carol, first).await);
        let past =
            CreateShare { expires: Some(nichoir_store::Timestamp::from_seconds(1)), ..new("team/sub", with(bob), 1) };
        refused(alice.apply(past).await, Sharing::Past);
        let long = CreateShare { note: "x".repeat(4_097), ..new("team/sub", with(bob), 1) };
        assert!(matches!(alice.apply(long).await, Err(Error::TooLarge { limit: 4_096 })));
        let fits = CreateShare { note: "x".repeat(4_096), ..new("team/sub", with(bob), 1) };
        alice.apply(fits).await.unwrap();
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn rights_only_shrink_along_a_chain_and_end_with_what_they_stand_on() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        let (carol, dora) = (another(&world, "carol").await, another(&world, "dora").await);
        team(&world).await;
        let first = share(alice, "team", with(bob), 31).await;
        let second = share(bob, "team/sub", with(&carol), 31).await;
        share(&carol, "sub", with(&dora), 31).await;
        assert_eq!((bits(bob, "team").await, bits(&carol, "sub").await, bits(&dora, "sub").await), (31, 31, 31));
        put(&dora, "sub/d.txt", b"dora's").await.unwrap();
        assert_eq!(read(alice, "team/sub/d.txt").await.unwrap(), b"dora's");

        set_bits(alice, first, 17).await.unwrap();
        assert_eq!((bits(bob, "team").await, bits(&carol, "sub").await, bits(&dora, "sub").await), (17, 17, 17));
        forbidden(put(&dora, "sub/e.txt", b"").await);
        // What has shrunk does not grow again by itself.
        set_bits(alice, first, 31).await.unwrap();
        assert_eq!((bits(bob, "team").await, bits(&carol, "sub").await), (31, 17));
        set_bits(bob, second, 1).await.unwrap();
        assert_eq!((bits(&carol, "sub").await, bits(&dora, "sub").await), (1, 0), "without the right to hand on");
        set_bits(bob, second, 31).await.unwrap();
        share(&carol, "sub", with(&dora), 1).await;
        assert_eq!(bits(&dora, "sub").await, 1);
        end(alice, first).await.unwrap();
        for tree in [bob, &carol, &dora] {
            assert!(names(tree, "").await.is_empty());
        }
        assert!(alice.node(&path("team/sub"), Needs::SHARES).await.unwrap().shares.is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn two_who_share_with_each_other_do_not_keep_each_others_rights_alive() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        let (carol, dora) = (another(&world, "carol").await, another(&world, "dora").await);
        team(&world).await;
        let first = share(alice, "team", with(bob), 31).await;
        share(bob, "team", with(&carol), 31).await;
        share(&carol, "team", with(&dora), 31).await;
        share(&dora, "team/sub", with(bob), 31).await;
        assert_eq!(names(bob, "").await, ["sub", "team"]);
        end(alice, first).await.unwrap();
        for tree in [bob, &carol, &dora] {
            assert!(names(tree, "").await.is_empty());
        }
        assert_eq!(alice.shares_of(&[node(alice, "team").await.unwrap().id], true).await.unwrap().len(), 0);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_held_twice_is_held_until_both_end() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        let group = world.space.create_group("board", "").await.unwrap();
        world.space.add_to_group(group.id, bob.account().id).await.unwrap();
        team(&world).await;
        let by_group = share(alice, "team", group.sharee(), 17).await;
        let own = share(alice, "team", with(bob), 3).await;
        assert_ne!(by_group, own);
        assert_eq!((names(bob, "").await, bits(bob, "team").await), (vec!["team".to_owned()], 19));
        end(alice, own).await.unwrap();
        assert_eq!(bits(bob, "team").await, 17);
        world.space.remove_from_group(group.id, bob.account().id).await.unwrap();
        assert!(names(bob, "").await.is_empty());
        world.space.add_to_group(group.id, bob.account().id).await.unwrap();
        assert_eq!(bits(bob, "team").await, 17);
        // Who leaves a group's share leaves it alone, and may come back.
        let carol = another(&world, "carol").await;
        world.space.add_to_group(group.id, carol.account().id).await.unwrap();
        delete(bob, "team").await.unwrap();
        assert!(names(bob, "").await.is_empty());
        assert_eq!(names(&carol, "").await, ["team"]);
        assert_eq!(bob.shares_received(Received::Declined).await.unwrap()[0].share.id, by_group);
        assert!(bob.shares_received(Received::Accepted).await.unwrap().is_empty());
        set_bits(alice, by_group, 31).await.unwrap();
        assert!(names(bob, "").await.is_empty(), "who left stays away");
        bob.apply(AnswerShare { id: by_group, is_accepted: true }).await.unwrap();
        assert_eq!(bits(bob, "team").await, 31);
        world.space.delete_group(group.id).await.unwrap();
        assert!(names(bob, "").await.is_empty() && names(&carol, "").await.is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_share_that_awaits_an_answer_is_seen_once_it_is_accepted() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        team(&world).await;
        let before = node(bob, "").await.unwrap().etag;
        let waiting = CreateShare { awaits_answer: true, ..new("team", with(bob), 31) };
        let (id, _) = alice.apply(waiting).await.unwrap();
        assert!(names(bob, "").await.is_empty());
        assert_eq!(node(bob, "").await.unwrap().etag, before);
        missing(bob.node_by_id(node(alice, "team").await.unwrap().id, Needs::NONE).await);
        let pending = bob.shares_received(Received::Pending).await.unwrap();
        assert_eq!((pending[0].share.id, pending[0].path.to_string()), (id, "/team".to_owned()));
        missing(alice.apply(AnswerShare { id, is_accepted: true }).await);
        bob.apply(AnswerShare { id, is_accepted: true }).await.unwrap();
        assert_eq!(names(bob, "").await, ["team"]);
        bob.apply(AnswerShare { id, is_accepted: false }).await.unwrap();
        missing(alice.share(id).await);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_received_share_is_renamed_and_moved_at_home_and_its_owner_sees_nothing_of_it() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        let carol = another(&world, "carol").await;
        team(&world).await;
        let id = share(alice, "team", with(bob), 17).await;
        make_folder(bob, "own").await.unwrap();
        share(bob, "own", with(&carol), 31).await;
        let before = (node(alice, "team").await.unwrap().etag, node(alice, "").await.unwrap().etag);
        let file = node(alice, "team/sub/a.txt").await.unwrap().id;
        relocate(bob, "team", "own/renamed").await.unwrap();
        assert_eq!(before, (node(alice, "team").await.unwrap().etag, node(alice, "").await.unwrap().etag));
        assert_eq!(bob.node_by_id(file, Needs::NONE).await.unwrap().0, path("own/renamed/sub/a.txt"));
        let listed = bob.shares_received(Received::Accepted).await.unwrap();
        assert_eq!(listed[0].path, path("own/renamed"));
        // A mount inside of what somebody else sees is not seen there, and moves nothing there.
        assert!(names(&carol, "own").await.is_empty());
        let seen = (node(&carol, "own").await.unwrap().etag, node(bob, "").await.unwrap().etag);
        put(alice, "team/b.txt", b"new").await.unwrap();
        assert_eq!(node(&carol, "own").await.unwrap().etag, seen.0);
        assert_ne!(node(bob, "").await.unwrap().etag, seen.1);
        forbidden(put(&carol, "own/renamed", b"x").await);
        // The folder around it goes, the share stays.
        delete(bob, "own").await.unwrap();
        assert_eq!(names(bob, "").await, ["renamed"]);
        assert_eq!(read(bob, "renamed/sub/a.txt").await.unwrap(), b"one");
        relocate(alice, "team", "elsewhere").await.unwrap();
        assert_eq!(names(bob, "").await, ["renamed"], "what the owner calls it is the owner's");
        end(alice, id).await.unwrap();
        assert!(names(bob, "").await.is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_moves_into_a_share_or_out_of_it_keeps_its_number_and_changes_hands() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        let carol = another(&world, "carol").await;
        team(&world).await;
        share(alice, "team", with(bob), 31).await;
        share(bob, "team/sub", with(&carol), 31).await;
        let (folder, file) =
            (node(alice, "team/sub").await.unwrap().id, node(alice, "team/sub/a.txt").await.unwrap().id);
        relocate(bob, "team/sub", "mine").await.unwrap();
        assert_eq!((node(bob, "mine").await.unwrap().id, node(bob, "mine/a.txt").await.unwrap().id), (folder, file));
        assert!(names(alice, "team").await.is_empty());
        missing(alice.node_by_id(file, Needs::NONE).await);
        assert!(names(&carol, "").await.is_empty(), "alice's shares do not go with it");
        relocate(bob, "mine", "team/back").await.unwrap();
        assert_eq!(alice.node_by_id(file, Needs::NONE).await.unwrap().0, path("team/back/a.txt"));
        assert_eq!(alice.quota().await.unwrap().used_bytes, 3);
        // Out of reach of the share that it was handed on by.
        share(bob, "team/back", with(&carol), 1).await;
        relocate(alice, "team/back", "private").await.unwrap();
        assert!(names(&carol, "").await.is_empty());
        assert!(alice.node(&path("private"), Needs::SHARES).await.unwrap().shares.is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_for_looking_at_only_is_not_taken_away_nor_handed_on_otherwise() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        let carol = another(&world, "carol").await;
        team(&world).await;
        let look = CreateShare {
            attributes: Some(NO_DOWNLOAD.to_owned()),
            note: "look".to_owned(),
            ..new("team", with(bob), 31)
        };
        let (id, _) = alice.apply(look).await.unwrap();
        let access = node(bob, "team").await.unwrap().access.unwrap();
        assert!(!access.allows_download() && access.note == "look" && access.via == Via::Share);
        assert_eq!(read(bob, "team/sub/a.txt").await.unwrap(), b"one");
        let copy = Copy {
            source: path("team/sub/a.txt"),
            destination: path("a.txt"),
            overwrites: false,
            is_deep: true,
            conditions: Conditions::default(),
        };
        forbidden(bob.apply(copy).await);
        forbidden(relocate(bob, "team/sub/a.txt", "a.txt").await);
        relocate(bob, "team/sub/a.txt", "team/a.txt").await.unwrap();
        make_folder(alice, "open").await.unwrap();
        let open = share(alice, "open", with(bob), 31).await;
        forbidden(relocate(bob, "team/a.txt", "open/a.txt").await);
        end(alice, open).await.unwrap();
        let handed_on = share(bob, "team/a.txt", with(&carol), 1).await;
        assert!(!node(&carol, "a.txt").await.unwrap().access.unwrap().allows_download());
        assert_eq!(bob.share(handed_on).await.unwrap().share.attributes.as_deref(), Some(NO_DOWNLOAD));
        alice.apply(UpdateShare { attributes: Some(None), ..update(id) }).await.unwrap();
        assert!(node(bob, "team").await.unwrap().access.unwrap().allows_download());

        // What was handed on before follows.
        share(bob, "team/sub", with(&carol), 31).await;
        assert!(node(&carol, "sub").await.unwrap().allows_download());
        let only_look = Some(Some(NO_DOWNLOAD.to_owned()));
        alice.apply(UpdateShare { attributes: only_look, ..update(id) }).await.unwrap();
        assert!(!node(&carol, "sub").await.unwrap().allows_download());
        put(&carol, "sub/b.txt", b"two").await.unwrap();
        forbidden(relocate(&carol, "sub/b.txt", "b.txt").await);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_share_is_gone_the_moment_it_ends_and_its_home_is_told_soon() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        let carol = another(&world, "carol").await;
        team(&world).await;
        let at = nichoir_store::Timestamp::from_seconds(1_800_000_100);
        alice.apply(CreateShare { expires: Some(at), ..new("team", with(bob), 31) }).await.unwrap();
        share(bob, "team", with(&carol), 17).await;
        assert_eq!((bits(bob, "team").await, bits(&carol, "team").await), (31, 17));
        let group = share(alice, "team", Sharee::Everyone, 1).await;
        assert_eq!(bits(bob, "team").await, 31);
        world.clock.advance_seconds(200);
        assert_eq!((bits(bob, "team").await, bits(&carol, "team").await), (1, 1), "what is left is what everybody has");
        forbidden(put(bob, "team/x", b"").await);
        assert!(bob.shares_received(Received::Accepted).await.unwrap().iter().all(|it| it.share.id == group));
        let before = node(bob, "").await.unwrap().etag;
        world.maintain().await;
        assert_ne!(node(bob, "").await.unwrap().etag, before);
        end(alice, group).await.unwrap();
        assert!(names(bob, "").await.is_empty() && names(&carol, "").await.is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_is_gone_for_all_and_comes_back_to_all() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        team(&world).await;
        put(alice, "a.txt", b"shared by itself").await.unwrap();
        share(alice, "team/sub", with(bob), 31).await;
        share(alice, "a.txt", with(bob), 1).await;
        delete(alice, "team").await.unwrap();
        delete(alice, "a.txt").await.unwrap();
        assert!(names(bob, "").await.is_empty());
        assert!(alice.shares_given().await.unwrap().is_empty(), "what is in the trash is not told of");
        for node in alice.trashed(&MemberFilter::default(), None, Needs::NONE).await.unwrap().nodes {
            alice.apply(Restore { id: node.id }).await.unwrap();
        }
        assert_eq!(names(bob, "").await, ["a.txt", "sub"]);
        assert_eq!(alice.shares_given().await.unwrap().len(), 2);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn an_account_that_ends_takes_along_what_it_shared_and_what_it_handed_on() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        let carol = another(&world, "carol").await;
        team(&world).await;
        put(bob, "bobs.txt", b"bob").await.unwrap();
        share(alice, "team", with(bob), 31).await;
        share(bob, "team/sub", with(&carol), 31).await;
        share(bob, "bobs.txt", with(&carol), 1).await;
        assert_eq!(names(&carol, "").await, ["bobs.txt", "sub"]);
        let token = node(&carol, "").await.unwrap().etag.0;
        world.space.delete_account(bob.account().id).await.unwrap();
        assert!(names(&carol, "").await.is_empty());
        let told = carol.changes_since(&NodePath::root(), token, false, 0, Needs::NONE).await.unwrap().changed;
        assert!(told.len() == 2 && told.iter().all(|it| it.node.is_none()));
        assert_eq!(read(alice, "team/sub/a.txt").await.unwrap(), b"one");
        // Who comes later sees what everyone sees.
        share(alice, "team", Sharee::Everyone, 1).await;
        let dora = another(&world, "dora").await;
        assert_eq!(names(&dora, "").await, ["team"]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn an_owner_shares_so_often_and_no_more() {
    let limits = Limits { shares_max: 2, ..Limits::default() };
    on_every_engine_with(limits, 1_000_000, async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        let carol = another(&world, "carol").await;
        team(&world).await;
        share(alice, "team", with(bob), 31).await;
        share(bob, "team", with(&carol), 31).await;
        let third = alice.apply(new("team/sub", with(bob), 31)).await;
        assert!(matches!(third, Err(Error::TooLarge { limit: 2 })), "{third:?}");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_folder_held_twice_is_not_moved_or_copied_into_itself_by_its_other_path() {
    on_every_engine(async |world| {
        let (alice, bob) = (&world.alice, &world.bob);
        team(&world).await;
        share(alice, "team", with(bob), 31).await;
        share(alice, "team/sub", with(bob), 31).await;
        assert_eq!(names(bob, "").await, ["sub", "team"]);
        let into = relocate(bob, "team/sub", "sub/inner").await;
        assert!(matches!(into, Err(Error::IntoItself)), "{into:?}");
        let onto = Relocate {
            source: path("sub/a.txt"),
            destination: path("team/sub"),
            overwrites: true,
            conditions: Conditions::default(),
        };
        let onto = bob.apply(onto).await;
        assert!(matches!(onto, Err(Error::IntoItself)), "{onto:?}");
        for (from, to, overwrites) in [("team/sub", "sub/inner", false), ("sub/a.txt", "team/sub", true)] {
            let (source, destination) = (path(from), path(to));
            let copied = Copy { source, destination, overwrites, is_deep: true, conditions: Conditions::default() };
            let copied = bob.apply(copied).await;
            assert!(matches!(copied, Err(Error::IntoItself)), "{copied:?}");
        }
        assert_eq!(names(alice, "team/sub").await, ["a.txt"]);
        relocate(bob, "team/sub", "team/other").await.unwrap();
        assert_eq!(names(alice, "team").await, ["other"]);
        world.finish().await;
    })
    .await;
}
