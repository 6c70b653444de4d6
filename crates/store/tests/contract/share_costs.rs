//! What sharing costs: figures are printed, and what must not grow is asserted.

use std::time::Instant;

use nichoir_store::change::{CreateShare, MakeFolder};
use nichoir_store::conditions::Conditions;
use nichoir_store::{Needs, NodePath, Permissions, Sharee, Tree};

use crate::support::{make_account, make_folder, node, on_every_engine, path, put};

const MEMBERS: usize = 48;

fn new(at: &str, sharee: Sharee) -> CreateShare {
    CreateShare {
        path: path(at),
        sharee,
        permissions: Some(Permissions::ALL),
        expires: None,
        note: String::new(),
        label: String::new(),
        attributes: None,
        awaits_answer: false,
    }
}

/// Milliseconds that one of many takes.
#[allow(clippy::disallowed_methods, reason = "a measurement, where no behaviour hangs on the clock")]
async fn each(times: u32, mut deed: impl AsyncFnMut(u32)) -> f64 {
    let begun = Instant::now();
    for number in 0..times {
        deed(number).await;
    }
    begun.elapsed().as_secs_f64() * 1000.0 / f64::from(times)
}

async fn list(tree: &Tree, needs: Needs) -> usize {
    let home = tree.node(&NodePath::root(), Needs::NONE).await.unwrap();
    tree.children(&NodePath::root(), &home, None, needs).await.unwrap().nodes.len()
}

#[tokio::test]
async fn a_change_in_what_fifty_share_takes_as_many_statements_as_in_what_one_holds() {
    on_every_engine(async |world| {
        let mut members = vec![world.bob.clone()];
        for number in 1..MEMBERS {
            members.push(world.space.tree_as(&make_account(&world.space, &format!("m{number}")).await));
        }
        make_folder(&world.alice, "team").await.unwrap();
        make_folder(&world.alice, "own").await.unwrap();
        let statements = world.faults.seen();
        put(&world.alice, "own/a", b"x").await.unwrap();
        let alone = world.faults.seen() - statements;
        world.alice.apply(new("team", Sharee::Everyone)).await.unwrap();
        let statements = world.faults.seen();
        put(&world.alice, "team/a", b"x").await.unwrap();
        let shared = world.faults.seen() - statements;
        eprintln!("statements of a PUT: {alone} alone, {shared} shared with {}", MEMBERS);
        // One more, whoever shares: that which moves the mounts and the homes they are in.
        assert!(shared <= alone + 1, "{shared} instead of {alone}");
        for member in &members {
            assert_eq!(node(member, "team").await.unwrap().etag, node(&world.alice, "team").await.unwrap().etag);
            assert_eq!(node(member, "").await.unwrap().etag, node(&world.alice, "").await.unwrap().etag);
        }
        let own = each(50, async |number| drop(put(&world.alice, &format!("own/{number}"), b"x").await.unwrap())).await;
        let team =
            each(50, async |number| drop(put(&world.alice, &format!("team/{number}"), b"x").await.unwrap())).await;
        eprintln!("a PUT: {own:.2} ms alone, {team:.2} ms shared with {MEMBERS}");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn fifty_mounts_are_listed_with_as_many_statements_as_two() {
    on_every_engine(async |world| {
        let bob = Sharee::Account(world.bob.account().id);
        let needs = Needs::SHARES | Needs::FAVOURITE | Needs::DEAD_PROPERTIES | Needs::MEMBER_COUNTS | Needs::LOCKS;
        let mut counts = Vec::new();
        for number in 0..50 {
            let at = format!("folder {number:02}");
            let make = MakeFolder {
                path: path(&at),
                dead_properties: Vec::new(),
                kind: None,
                conditions: Conditions::default(),
            };
            world.alice.apply(make).await.unwrap();
            world.alice.apply(new(&at, bob)).await.unwrap();
            if number == 1 || number == 49 {
                let before = world.faults.seen();
                assert_eq!(list(&world.bob, needs).await, number + 1);
                counts.push(world.faults.seen() - before);
            }
        }
        eprintln!("statements of a listing: {} with 2 mounts, {} with 50", counts[0], counts[1]);
        assert_eq!(counts[0], counts[1]);
        let with_mounts = each(50, async |_| assert_eq!(list(&world.bob, needs).await, 50)).await;
        let own = each(50, async |_| assert_eq!(list(&world.alice, needs).await, 50)).await;
        let poll = each(500, async |_| drop(node(&world.bob, "").await.unwrap())).await;
        let poll_of_own = each(500, async |_| drop(node(&world.alice, "").await.unwrap())).await;
        eprintln!("a listing: {with_mounts:.2} ms of 50 mounts, {own:.2} ms of 50 folders of one's own");
        eprintln!("a poll: {poll:.4} ms with 50 mounts, {poll_of_own:.4} ms without");
        world.finish().await;
    })
    .await;
}
