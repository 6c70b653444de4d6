//! Upkeep: what expires is looked at when it does, and nothing else is.

use nichoir_store::change::Delete;
use nichoir_store::conditions::Conditions;
use nichoir_store::{Limits, Tree};

use crate::support::{On, World, make_account, make_space, names, node, put, reopened};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Runs `test` on every engine at hand, each with a store of its own: upkeep is about all spaces of one.
async fn on_every_engine<F: AsyncFn(World)>(limits: Limits, test: F) {
    for on in [On::Sqlite, On::Postgres] {
        match World::start_apart(on, limits.clone()).await {
            Some(world) => test(world).await,
            None => eprintln!("skipped on {on:?}: TEST_POSTGRES is not set"),
        }
    }
}

fn ten_days_of_trash() -> Limits {
    Limits { trash_days: 10, audit_days: 30, ..Limits::default() }
}

async fn put_into_trash(tree: &Tree, name: &str) {
    put(tree, name, b"bytes").await.unwrap();
    let path = crate::support::path(name);
    tree.apply(Delete { path, skips_trash: false, conditions: Conditions::default() }).await.unwrap();
}

async fn trash_of(tree: &Tree) -> usize {
    names(&tree.bin().unwrap(), "").await.len()
}

impl World {
    fn id(&self) -> i64 {
        self.space.info().id
    }

    /// Which spaces are opened when `seconds` have passed and every file was closed before.
    async fn opened_after(&self, seconds: i64) -> Vec<i64> {
        self.store.close().await;
        self.clock.advance_seconds(seconds);
        let opened = self.store.upkeep(100).await.unwrap();
        assert_eq!(self.store.open_spaces(), opened.len(), "no other was opened");
        opened
    }
}

#[tokio::test]
async fn a_space_is_opened_when_something_in_it_expires_and_not_before() {
    on_every_engine(ten_days_of_trash(), async |world| {
        put_into_trash(&world.alice, "a").await;
        assert!(world.opened_after(6 * HOUR - 1).await.is_empty());
        assert_eq!(world.opened_after(2).await.len(), 2, "what was changed is looked at once, both spaces");
        for _ in 1..10 {
            assert!(world.opened_after(DAY).await.is_empty());
        }
        node(&world.alice, "/").await.unwrap();
        assert_eq!(trash_of(&world.alice).await, 1, "to be read makes nothing due");
        assert_eq!(world.opened_after(DAY).await, [world.id()]);
        assert_eq!(trash_of(&world.alice).await, 0);
        for _ in 11..29 {
            assert!(world.opened_after(DAY).await.is_empty());
        }
        // Activities, the log of changes, and the trail of both spaces are kept for thirty days.
        assert_eq!(world.opened_after(3 * DAY).await.len(), 2);
        assert!(world.opened_after(1_000 * DAY).await.is_empty(), "nothing is left that could expire");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_space_that_was_never_used_is_not_made_by_looking_at_it() {
    on_every_engine(Limits::default(), async |world| {
        let unused = make_space(&world.store, "unused", 1_000).await;
        let opened = world.opened_after(7 * HOUR).await;
        assert!(!opened.contains(&unused.info().id) && opened.contains(&world.id()), "{opened:?}");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn no_more_spaces_are_opened_at_once_than_may_be_the_longest_due_first() {
    on_every_engine(Limits::default(), async |world| {
        let mut made = Vec::new();
        for number in 0..5 {
            let space = make_space(&world.store, &format!("more-{number}"), 1_000).await;
            make_account(&space, "alice").await;
            made.push(space.info().id);
            world.clock.advance_seconds(1);
        }
        world.clock.advance_seconds(7 * HOUR);
        let mut opened = Vec::new();
        for expected in [3, 3, 1, 0] {
            let some = world.store.upkeep(3).await.unwrap();
            assert_eq!(some.len(), expected);
            opened.extend(some);
        }
        assert_eq!(opened[2..], made);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_due_outlives_a_restart() {
    on_every_engine(ten_days_of_trash(), async |world| {
        put_into_trash(&world.alice, "a").await;
        world.store.close().await;
        let (store, alice) = world.reopen().await;
        world.clock.advance_seconds(7 * HOUR);
        assert_eq!(store.upkeep(100).await.unwrap().len(), 2);
        store.close().await;
        let (store, _) = world.reopen().await;
        world.clock.advance_seconds(9 * DAY);
        assert!(store.upkeep(100).await.unwrap().is_empty());
        world.clock.advance_seconds(DAY);
        assert_eq!(store.upkeep(100).await.unwrap(), [world.id()]);
        assert_eq!(trash_of(&alice).await, 0);
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_change_by_another_process_is_not_forgotten() {
    on_every_engine(ten_days_of_trash(), async |world| {
        // Both have used the space before.
        let (command, alice) = world.reopen().await;
        put_into_trash(&alice, "a").await;
        assert_eq!(world.opened_after(7 * HOUR).await.len(), 2);
        put_into_trash(&alice, "b").await;
        command.close().await;
        assert_eq!(world.opened_after(7 * HOUR).await, [world.id()]);
        assert_eq!(world.opened_after(10 * DAY).await, [world.id()]);
        assert_eq!(trash_of(&world.alice).await, 0);
        world.finish().await;
    })
    .await;
}

/// A crash between two steps leaves what a statement leaves that fails.
#[tokio::test]
async fn whatever_fails_on_the_way_nothing_expires_late() {
    on_every_engine(ten_days_of_trash(), async |world| {
        assert_eq!(world.opened_after(7 * HOUR).await.len(), 2);
        for failing in 1.. {
            put_into_trash(&world.alice, "a").await;
            world.clock.advance_seconds(7 * HOUR);
            let before = world.faults.seen();
            world.faults.arm(failing);
            world.store.upkeep(1).await.unwrap();
            world.faults.arm(0);
            let seen = world.faults.seen() - before;
            // Also the change that comes then, whether it is kept or not.
            world.faults.arm(failing);
            let _ = put(&world.alice, "kept", b"bytes").await;
            world.faults.arm(0);
            put_into_trash(&world.alice, "b").await;
            world.clock.advance_seconds(10 * DAY);
            // Once because of the change, once because of the trash.
            for _ in 0..2 {
                world.clock.advance_seconds(7 * HOUR);
                world.store.upkeep(100).await.unwrap();
            }
            assert_eq!(trash_of(&world.alice).await, 0, "statement {failing} failed");
            if seen < failing {
                assert!(failing > 20, "only {failing} statements were seen to fail");
                break;
            }
        }
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_shorter_time_that_things_are_kept_counts_at_once() {
    on_every_engine(Limits { audit_days: 0, ..Limits::default() }, async |world| {
        world.store.begin_upkeep().await.unwrap();
        put_into_trash(&world.alice, "a").await;
        assert_eq!(world.opened_after(7 * HOUR).await.len(), 2);
        world.clock.advance_seconds(2 * DAY);
        let mut config = world.config.clone();
        config.limits.trash_days = 1;
        // In the other space is nothing that expires.
        for expected in [vec![world.id()], Vec::new()] {
            let store = reopened(&config, &world.clock).await;
            store.begin_upkeep().await.unwrap();
            assert_eq!(store.upkeep(100).await.unwrap(), expected, "once");
            store.close().await;
        }
        assert_eq!(trash_of(&world.alice).await, 0);
        world.finish().await;
    })
    .await;
}
