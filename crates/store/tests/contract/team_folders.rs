//! Team folders: of the space, seen by groups, with a trash and a quota of their own.

use nichoir_store::change::{CreateShare, Delete, LinkUpdate, MakeLink, Relocate, RestoreVersion, Undelete};
use nichoir_store::conditions::Conditions;
use nichoir_store::{Error, Group, Limits, Needs, Permissions, Quota, Sharee, Tree, Via};

use crate::support::{make_account, make_folder, names, node, on_every_engine, on_every_engine_with, path, put, read};

const READ_WRITE: Permissions = Permissions::READ_WRITE;

async fn delete(tree: &Tree, at: &str) -> Result<(), Error> {
    tree.apply(Delete { path: path(at), skips_trash: false, conditions: Conditions::default() }).await
}

async fn relocate(tree: &Tree, from: &str, to: &str) -> Result<(), Error> {
    let change =
        Relocate { source: path(from), destination: path(to), overwrites: false, conditions: Conditions::default() };
    tree.apply(change).await.map(drop)
}

fn forbidden<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    assert!(matches!(outcome, Err(Error::Forbidden(_))), "{outcome:?}");
}

#[tokio::test]
async fn who_is_in_the_group_has_the_folder_with_the_rights_of_the_group() {
    on_every_engine(async |world| {
        let (alice, bob, space) = (&world.alice, &world.bob, &world.space);
        let carol = space.tree_as(&make_account(space, "carol").await);
        let board = space.create_group("board", "").await.unwrap();
        space.add_to_group(board.id, alice.account().id).await.unwrap();
        let folder = space.create_team_folder("Team", None).await.unwrap();
        assert!(matches!(space.create_team_folder("Team", None).await, Err(Error::Exists)));
        assert!(matches!(space.create_team_folder("a/b", None).await, Err(Error::BadName(_))));
        assert!(names(alice, "").await.is_empty());
        space.grant_team_folder(folder.id, board.id, READ_WRITE).await.unwrap();
        space.grant_team_folder(folder.id, Group::EVERYONE, Permissions::READ).await.unwrap();
        put(alice, "Team/a.txt", b"ours").await.unwrap();
        assert_eq!(read(bob, "Team/a.txt").await.unwrap(), b"ours");
        forbidden(put(bob, "Team/b.txt", b"").await);
        let seen = node(bob, "Team").await.unwrap();
        let access = seen.access.unwrap();
        assert!(matches!(access.via, Via::TeamFolder { quota_bytes: None, root } if root == folder.root));
        assert_eq!((access.owner_login.as_str(), access.permissions.bits()), ("bob", 1));

        // It stays where it is, and is nobody's to leave.
        forbidden(relocate(bob, "Team", "Mine").await);
        forbidden(delete(alice, "Team").await);
        // Two groups of one account: what either may.
        space.add_to_group(board.id, bob.account().id).await.unwrap();
        put(bob, "Team/b.txt", b"too").await.unwrap();
        space.remove_from_group(board.id, bob.account().id).await.unwrap();
        forbidden(delete(bob, "Team/b.txt").await);
        space.grant_team_folder(folder.id, Group::EVERYONE, Permissions::NONE).await.unwrap();
        assert!(names(bob, "").await.is_empty() && names(&carol, "").await.is_empty());
        assert_eq!(names(alice, "Team").await, ["a.txt", "b.txt"]);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_there_goes_to_the_folders_own_trash() {
    on_every_engine(async |world| {
        let (alice, space) = (&world.alice, &world.space);
        let folder = space.create_team_folder("Team", None).await.unwrap();
        space.grant_team_folder(folder.id, Group::EVERYONE, READ_WRITE).await.unwrap();
        put(alice, "Team/a.txt", b"ours").await.unwrap();
        delete(alice, "Team/a.txt").await.unwrap();
        assert!(names(alice, "Team").await.is_empty());
        // The whole team sees it there, and whoever may write brings it back.
        let board = space.create_group("board", "").await.unwrap();
        space.add_to_group(board.id, world.bob.account().id).await.unwrap();
        let trashed = names(&world.bob.bin().unwrap(), "").await;
        assert_eq!((trashed.len(), names(&alice.bin().unwrap(), "").await.len()), (1, 1));
        let undelete = || Undelete { path: path(&trashed[0]), destination: None, conditions: Conditions::default() };
        world.bob.apply(undelete()).await.unwrap();
        assert_eq!(read(alice, "Team/a.txt").await.unwrap(), b"ours");
        assert!(names(&alice.bin().unwrap(), "").await.is_empty());
        delete(alice, "Team/a.txt").await.unwrap();
        // Who is in it no longer does not.
        space.grant_team_folder(folder.id, board.id, READ_WRITE).await.unwrap();
        space.grant_team_folder(folder.id, Group::EVERYONE, Permissions::NONE).await.unwrap();
        assert_eq!(names(&world.bob.bin().unwrap(), "").await.len(), 1);
        assert!(names(&alice.bin().unwrap(), "").await.is_empty());
        space.delete_account(alice.account().id).await.unwrap();
        assert_eq!(world.bob.quota().await.unwrap().used_bytes, 0, "trash gives way");
        let report = world.store.check_space(&space.info().name, true).await.unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
        space.delete_team_folder(folder.id).await.unwrap();
        assert!(names(&world.bob, "").await.is_empty());
        world.maintain().await;
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_quota_of_a_folder_is_kept_to_the_byte() {
    on_every_engine(async |world| {
        let (alice, space) = (&world.alice, &world.space);
        let folder = space.create_team_folder("Team", Some(10)).await.unwrap();
        space.grant_team_folder(folder.id, Group::EVERYONE, READ_WRITE).await.unwrap();
        put(alice, "Team/a.txt", b"12345678").await.unwrap();
        let full = put(alice, "Team/b.txt", b"123").await;
        assert!(matches!(full, Err(Error::OverQuota { available_bytes: 2 })), "{full:?}");
        put(alice, "Team/b.txt", b"12").await.unwrap();
        put(alice, "Team/a.txt", b"87654321").await.unwrap();
        delete(alice, "Team/b.txt").await.unwrap();
        put(alice, "Team/c.txt", b"1").await.unwrap();
        let trashed = names(&alice.bin().unwrap(), "").await;
        let back = Undelete { path: path(&trashed[0]), destination: None, conditions: Conditions::default() };
        let full = alice.apply(back).await;
        assert!(matches!(full, Err(Error::OverQuota { available_bytes: 1 })), "what comes back counts: {full:?}");
        put(alice, "Team/c.txt", b"12").await.unwrap();
        put(alice, "Team/a.txt", b"1").await.unwrap();
        put(alice, "Team/d.txt", b"1234567").await.unwrap();
        let earlier = alice.versions(node(alice, "Team/a.txt").await.unwrap().id).await.unwrap();
        let long = earlier.versions.iter().find(|version| version.size_bytes == 8).unwrap().second;
        let back = RestoreVersion { file: earlier.file.id, second: long, conditions: Conditions::default() };
        let full = alice.apply(back).await;
        assert!(matches!(full, Err(Error::OverQuota { available_bytes: 0 })), "an earlier version counts: {full:?}");
        delete(alice, "Team/d.txt").await.unwrap();
        put(alice, "Team/a.txt", b"87654321").await.unwrap();
        put(alice, "own.txt", b"1").await.unwrap();
        assert!(matches!(relocate(alice, "own.txt", "Team/own.txt").await, Err(Error::OverQuota { .. })));
        space.set_team_folder_quota(folder.id, None).await.unwrap();
        relocate(alice, "own.txt", "Team/own.txt").await.unwrap();
        assert_eq!(space.team_folder_named("Team").await.unwrap().size_bytes, 11);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_in_it_is_shared_as_far_as_the_group_may() {
    on_every_engine(async |world| {
        let (alice, space) = (&world.alice, &world.space);
        let board = space.create_group("board", "").await.unwrap();
        space.add_to_group(board.id, alice.account().id).await.unwrap();
        let folder = space.create_team_folder("Team", None).await.unwrap();
        space.grant_team_folder(folder.id, board.id, Permissions::ALL).await.unwrap();
        make_folder(alice, "Team/sub").await.unwrap();
        let new = CreateShare {
            path: path("Team/sub"),
            sharee: Sharee::Account(world.bob.account().id),
            permissions: None,
            expires: None,
            note: String::new(),
            label: String::new(),
            attributes: None,
            awaits_answer: false,
        };
        alice.apply(new).await.unwrap();
        assert_eq!(node(&world.bob, "sub").await.unwrap().permissions().bits(), 31);
        space.grant_team_folder(folder.id, board.id, READ_WRITE).await.unwrap();
        assert!(names(&world.bob, "").await.is_empty(), "who may not hand on has handed on nothing");
        space.delete_team_folder(folder.id).await.unwrap();
        assert!(names(alice, "").await.is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_space_has_so_many_and_no_more() {
    let limits = Limits { team_folders_max: 1, ..Limits::default() };
    on_every_engine_with(limits, 1_000_000, async |world| {
        world.space.create_team_folder("One", None).await.unwrap();
        assert!(matches!(world.space.create_team_folder("Two", None).await, Err(Error::TooLarge { limit: 1 })));
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_quota_of_a_folder_is_told_where_it_is_and_heeded_by_guests_of_a_link_too() {
    on_every_engine(async |world| {
        let (alice, space) = (&world.alice, &world.space);
        let folder = space.create_team_folder("Team", Some(10)).await.unwrap();
        space.grant_team_folder(folder.id, Group::EVERYONE, Permissions::ALL).await.unwrap();
        make_folder(alice, "Team/sub").await.unwrap();
        put(alice, "Team/sub/a.txt", b"1234567").await.unwrap();
        let pool_bytes = alice.quota().await.unwrap().available_bytes;
        let told = Some(Quota { used_bytes: 7, available_bytes: 3, pool_bytes });
        for at in ["Team", "Team/sub"] {
            assert_eq!(alice.node(&path(at), Needs::QUOTA).await.unwrap().quota, told, "{at}");
            assert_eq!(alice.node(&path(at), Needs::QUOTA.and(Needs::LOCKS)).await.unwrap().quota, told, "{at}");
        }
        let home = alice.node(&path(""), Needs::QUOTA).await.unwrap();
        assert_eq!(home.quota, None, "her own");
        let listed = alice.children(&path(""), &home, None, Needs::QUOTA).await.unwrap().nodes;
        assert_eq!(listed.iter().map(|node| node.quota).collect::<Vec<_>>(), [told]);
        assert_eq!(alice.available_at(&path("Team/sub/new.txt")).await.unwrap(), 3);
        assert_eq!(alice.available_at(&path("new.txt")).await.unwrap(), pool_bytes);

        let (permissions, update) = (Permissions::READ_WRITE, LinkUpdate::default());
        let link = alice.apply(MakeLink { path: path("Team/sub"), permissions, update }).await.unwrap();
        let guest = space.open_link(&link.token).await.unwrap().tree;
        assert_eq!(guest.available_at(&path("b.txt")).await.unwrap(), 3);
        assert!(matches!(put(&guest, "b.txt", b"1234").await, Err(Error::OverQuota { available_bytes: 3 })));
        put(&guest, "b.txt", b"123").await.unwrap();
        assert_eq!(space.team_folder_named("Team").await.unwrap().size_bytes, 10);
        space.delete_team_folder(folder.id).await.unwrap();
        world.finish().await;
    })
    .await;
}
