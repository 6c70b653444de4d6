//! A member's own share of the pool: promise 7, for each of them.

use nichoir_store::change::{Assemble, BeginUpload, Copy, Delete, Grant, PutChunk, Relocate, Restore, ShareNode};
use nichoir_store::conditions::Conditions;
use nichoir_store::{Account, AccountUpdate, Error, Limits, Needs, Permissions, Quota, Sharee};

use crate::support::{World, names, node, on_every_engine, on_every_engine_with, path, put, stage};

async fn set_quota(world: &World, account: &Account, quota_bytes: Option<u64>) -> Account {
    let update = AccountUpdate { quota_bytes: Some(quota_bytes), ..AccountUpdate::default() };
    world.space.update_account(account.id, update).await.unwrap()
}

#[track_caller]
fn is_over<T: std::fmt::Debug>(outcome: Result<T, Error>, available: u64) {
    match outcome {
        Err(Error::OverQuota { available_bytes }) => assert_eq!(available_bytes, available),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_member_writes_up_to_her_share_and_not_a_byte_more() {
    on_every_engine(async |world| {
        let alice = set_quota(&world, world.alice.account(), Some(1_000)).await;
        let tree = world.space.tree_as(&alice);
        put(&tree, "a", &[1; 1_000]).await.unwrap();
        is_over(put(&tree, "b", &[1; 1]).await, 0);
        assert_eq!(names(&tree, "").await, ["a"]);
        // What is replaced makes room, whether by less or by as much.
        put(&tree, "a", &[2; 1_000]).await.unwrap();
        is_over(put(&tree, "a", &[2; 1_001]).await, 0);
        put(&tree, "a", &[2; 400]).await.unwrap();
        put(&tree, "b", &[1; 600]).await.unwrap();
        is_over(tree.apply(copy("a", "c")).await, 0);
        let quota = tree.quota().await.unwrap();
        assert_eq!((quota.used_bytes, quota.available_bytes), (1_000, 0));
        assert_eq!(quota.pool_bytes, world.bob.quota().await.unwrap().available_bytes);
        put(&world.bob, "hers is not his", &[1; 5_000]).await.unwrap();
        world.finish().await;
    })
    .await;
}

fn copy(from: &str, to: &str) -> Copy {
    Copy {
        source: path(from),
        destination: path(to),
        is_deep: true,
        overwrites: false,
        conditions: Conditions::default(),
    }
}

#[tokio::test]
async fn what_is_in_the_trash_is_not_held_and_comes_back_only_into_room() {
    on_every_engine(async |world| {
        let alice = set_quota(&world, world.alice.account(), Some(1_000)).await;
        let tree = world.space.tree_as(&alice);
        put(&tree, "a", &[1; 900]).await.unwrap();
        let id = node(&tree, "a").await.unwrap().id;
        tree.apply(Delete { path: path("a"), skips_trash: false, conditions: Conditions::default() }).await.unwrap();
        put(&tree, "b", &[1; 600]).await.unwrap();
        is_over(tree.apply(Restore { id }).await, 400);
        assert_eq!(names(&tree, "").await, ["b"], "nothing came back by half");
        tree.apply(Delete { path: path("b"), skips_trash: true, conditions: Conditions::default() }).await.unwrap();
        tree.apply(Restore { id }).await.unwrap();
        assert_eq!(world.space.held_bytes(&alice).await.unwrap(), 900);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn chunks_count_as_they_arrive_and_an_upload_that_fits_is_put_together() {
    on_every_engine(async |world| {
        let alice = set_quota(&world, world.alice.account(), Some(1_000)).await;
        let tree = world.space.tree_as(&alice);
        tree.apply(BeginUpload { upload: "u".to_owned(), total_bytes: None }).await.unwrap();
        let chunk = async |name: &str, bytes: usize| {
            let content = stage(&tree, &vec![1; bytes]).await.unwrap();
            tree.apply(PutChunk { upload: "u".to_owned(), chunk: name.to_owned(), content, total_bytes: None }).await
        };
        chunk("1", 600).await.unwrap();
        is_over(chunk("2", 401).await, 400);
        chunk("2", 400).await.unwrap();
        // The same chunk again takes the place of the first.
        chunk("2", 400).await.unwrap();
        is_over(put(&tree, "other", &[1; 1]).await, 0);
        let assemble = Assemble {
            upload: "u".to_owned(),
            destination: path("whole"),
            total_bytes: None,
            modified: None,
            created: None,
            checksums: None,
            expected: None,
            overwrites: true,
            conditions: Conditions::default(),
        };
        tree.apply(assemble).await.unwrap();
        assert_eq!(world.space.held_bytes(&alice).await.unwrap(), 1_000);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_share_that_was_made_smaller_refuses_growth_only() {
    on_every_engine(async |world| {
        let tree = &world.alice;
        put(tree, "a", &[1; 1_000]).await.unwrap();
        set_quota(&world, tree.account(), Some(500)).await;
        is_over(put(tree, "b", &[1; 1]).await, 0);
        put(tree, "a", &[1; 800]).await.unwrap();
        let moved = Relocate {
            source: path("a"),
            destination: path("z"),
            overwrites: false,
            conditions: Conditions::default(),
        };
        tree.apply(moved).await.unwrap();
        set_quota(&world, tree.account(), None).await;
        put(tree, "b", &[1; 5_000]).await.unwrap();
        assert_eq!(tree.node(&path("z"), Needs::NONE).await.unwrap().size_bytes, 800);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn concurrent_writers_cannot_overshoot_a_members_share() {
    on_every_engine_with(Limits::default(), 1_000_000, async |world| {
        let alice = set_quota(&world, world.alice.account(), Some(10_000)).await;
        let tree = world.space.tree_as(&alice);
        let writers = (0..8).map(|number| {
            let tree = tree.clone();
            async move { put(&tree, &format!("file{number}"), &[7; 3_000]).await.is_ok() }
        });
        let written = futures_util::future::join_all(writers).await.into_iter().filter(|is_ok| *is_ok).count();
        assert_eq!(written, 3);
        assert_eq!(tree.quota().await.unwrap().available_bytes, 1_000);
        world.space.delete_account(alice.id).await.unwrap();
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn in_what_others_share_the_room_is_theirs() {
    on_every_engine(async |world| {
        let alice = set_quota(&world, world.alice.account(), Some(1_000)).await;
        let tree = world.space.tree_as(&alice);
        crate::support::make_folder(&tree, "ours").await.unwrap();
        put(&tree, "ours/a", &[1; 300]).await.unwrap();
        put(&tree, "b", &[1; 500]).await.unwrap();
        let grants =
            vec![Grant { sharee: Sharee::Account(world.bob.account().id), permissions: Some(Permissions::ALL) }];
        tree.apply(ShareNode { path: path("ours"), grants }).await.unwrap();
        let bob = set_quota(&world, world.bob.account(), Some(50)).await;
        let bob = world.space.tree_as(&bob);
        let pool_bytes = bob.quota().await.unwrap().pool_bytes;
        // What else she has is not told.
        let told = Some(Quota { used_bytes: 300, available_bytes: 200, pool_bytes });
        // Twice: from the database, and from memory.
        for _ in 0..2 {
            assert_eq!(bob.node(&path("ours"), Needs::QUOTA).await.unwrap().quota, told);
        }
        assert_eq!(bob.node(&path("ours"), Needs::NONE).await.unwrap().quota, None);
        assert_eq!(bob.available_at(&path("ours/c")).await.unwrap(), 200);
        assert_eq!(bob.available_at(&path("c")).await.unwrap(), 50);
        is_over(put(&bob, "ours/c", &[1; 201]).await, 200);
        put(&bob, "ours/c", &[1; 200]).await.unwrap();
        set_quota(&world, &alice, None).await;
        let free = bob.node(&path("ours"), Needs::QUOTA).await.unwrap().quota.unwrap();
        assert_eq!(free.available_bytes, free.pool_bytes);
        world.finish().await;
    })
    .await;
}
