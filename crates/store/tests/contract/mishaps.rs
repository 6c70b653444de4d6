//! What goes wrong without an error: code that panics, and callers who are gone before they are answered. Nothing of it may be
//! left in a connection, in a count or in what is remembered.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nichoir_store::change::Relocate;
use nichoir_store::conditions::Conditions;
use nichoir_store::{Candidate, Error, Limits, Needs, NewSpace, NodePath, Search, Sieve};

use crate::support::{On, World, make_account, make_folder, names, node, on_every_engine, path, put, read};

/// Polls `work` so often and lets go of it, as of a request whose client hangs up. Says whether it was done by then.
async fn hang_up_after(polls: usize, work: impl Future) -> bool {
    let mut work = pin!(work);
    for _ in 0..polls {
        let is_done =
            std::future::poll_fn(|context| std::task::Poll::Ready(work.as_mut().poll(context).is_ready())).await;
        if is_done {
            return true;
        }
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
    false
}

/// Runs `work` in a task that may panic; whatever it says, it does not end the test.
async fn in_peace(work: impl Future<Output = ()>) -> bool {
    use futures_util::FutureExt as _;
    std::panic::AssertUnwindSafe(work).catch_unwind().await.is_ok()
}

/// Three changes that wait together are one group. Wherever one of them panics, it alone is undone; wherever the group itself
/// does, all are; and the next change finds a writer.
#[tokio::test]
async fn a_change_that_panics_takes_nothing_with_it() {
    on_every_engine(async |world| {
        let three = async |number: i64| {
            let [a, b, c] = ["a", "b", "c"].map(|name| format!("{name}{number}"));
            let (a, b, c) = tokio::join!(
                make_folder(&world.alice, &a),
                make_folder(&world.alice, &b),
                make_folder(&world.alice, &c)
            );
            [a, b, c].map(|made| made.map(drop))
        };
        let before = world.faults.seen();
        three(0).await.into_iter().for_each(Result::unwrap);
        let statements = world.faults.seen() - before;
        let events = world.store.local_events();
        let mut undone_alone = [0, 0, 0];
        for number in 1..=statements {
            let token = world.alice.sync_token(&path("")).await.unwrap();
            drop(events.take());
            world.faults.arm_panic(number);
            let made = three(number).await;
            world.faults.arm(0);

            let made = ["a", "b", "c"].into_iter().zip(made).map(|(name, made)| (format!("{name}{number}"), made));
            let made: Vec<_> = made.collect();
            let kept: Vec<_> = made.iter().filter(|(_, made)| made.is_ok()).map(|(name, _)| name.clone()).collect();
            let root = node(&world.alice, "").await.unwrap();
            let there = names(&world.alice, "").await;
            let there: Vec<_> = there.into_iter().filter(|name| made.iter().any(|(other, _)| other == name)).collect();
            assert_eq!(there, kept, "panic at statement {number}");
            let changes = world.alice.changes_since(&path(""), token, false, 0, Needs::NONE).await.unwrap();
            let mut logged: Vec<_> = changes.changed.iter().map(|it| it.path.name().unwrap().to_owned()).collect();
            logged.sort();
            assert_eq!(logged, kept, "panic at statement {number}");
            let told = events.take();
            let told = told.spaces.get(&world.space.info().id).and_then(|moved| moved.folders.get(&root.id));
            assert!(kept.is_empty() || told.unwrap().etag == root.etag, "panic at statement {number}");

            if let Some(alone) = made.iter().position(|(_, made)| matches!(made, Err(Error::Panicked))) {
                assert_eq!(kept.len(), 2, "panic at statement {number}");
                undone_alone[alone] += 1;
            }
            make_folder(&world.alice, &format!("next{number}")).await.unwrap();
        }
        assert!(undone_alone.iter().all(|times| *times > 3), "{undone_alone:?} of {statements}");
        let (again, alice) = world.reopen().await;
        assert_eq!(names(&alice, "").await, names(&world.alice, "").await);
        again.close().await;
        world.finish().await;
    })
    .await;
}

/// More panics than there are connections, each at another place.
#[tokio::test]
async fn a_reader_that_panics_leaves_a_clean_connection_behind() {
    on_every_engine(async |world| {
        make_folder(&world.alice, "folder").await.unwrap();
        for number in 0..20 {
            put(&world.alice, &format!("folder/{number}"), b"x").await.unwrap();
        }
        for number in 1..=12 {
            let folder = node(&world.alice, "folder").await.unwrap();
            world.faults.arm_panic(number);
            let listed = in_peace(async {
                for _ in 0..12 {
                    let page = world.alice.children(&path("folder"), &folder, None, Needs::LOCKS).await.unwrap();
                    assert_eq!(page.nodes.len(), 20);
                }
            });
            assert!(!listed.await);
            world.faults.arm(0);
            assert_eq!(read(&world.alice, "folder/7").await.unwrap(), b"x");
        }
        put(&world.alice, "folder/new", b"x").await.unwrap();
        assert_eq!(names(&world.alice, "folder").await.len(), 21);
        world.finish().await;
    })
    .await;
}

/// A snapshot is a transaction; a connection that went back to its pool in one would show others the past.
#[tokio::test]
async fn whoever_hangs_up_leaves_no_transaction_behind() {
    on_every_engine(async |world| {
        let name = &world.space.info().name;
        put(&world.alice, "file", b"0").await.unwrap();
        for polls in 1..60 {
            if hang_up_after(polls, world.store.check_space(name, false)).await {
                break;
            }
            let text = polls.to_string();
            put(&world.alice, "file", text.as_bytes()).await.unwrap();
            for _ in 0..8 {
                assert_eq!(read(&world.alice, "file").await.unwrap(), text.as_bytes(), "after {polls} polls");
            }
        }
        world.finish().await;
    })
    .await;
}

/// Nothing but the space's own counter says how many are open.
#[tokio::test]
async fn whoever_hangs_up_while_a_space_is_opened_or_closed_takes_no_room() {
    let limits = Limits { open_spaces_max: 2, ..Limits::default() };
    let world = World::start(On::Sqlite, limits, 1_000_000).await.unwrap();
    let mut more = Vec::new();
    for number in 0..6 {
        let name = format!("more{number}");
        let new = NewSpace { name, hosts: Vec::new(), quota_bytes: 1_000_000, max_accounts: 5 };
        let space = world.store.create_space(new).await.unwrap();
        make_account(&space, "alice").await;
        more.push(space);
    }
    for round in 0..40 {
        for space in &more {
            hang_up_after(round % 20, space.change_sequence()).await;
        }
    }
    for space in &more {
        space.change_sequence().await.unwrap();
    }
    drop(more);
    world.store.close().await;
    assert_eq!(world.store.open_spaces(), 0);
}

/// The server's memory of log-ins lasts long: what a revocation has to reach whether or not somebody waits for its answer.
#[tokio::test]
async fn log_ins_are_forgotten_with_the_commit_also_if_nobody_waits_for_it() {
    on_every_engine(async |world| {
        let account = world.space.account_by_login("alice").await.unwrap().id;
        let device = world.space.create_device(account, "phone", [7; 32]).await.unwrap().id;
        let epoch = world.space.account_epoch();
        let events = world.store.local_events();
        let revoking: Pin<Box<dyn Future<Output = _>>> = Box::pin(world.space.revoke_device(account, device));
        assert!(!hang_up_after(1, revoking).await, "it waits for the commit");
        make_folder(&world.alice, "later").await.unwrap();
        assert!(world.space.device_by_hash(&[7; 32]).await.is_err(), "it was committed");
        assert_ne!(world.space.account_epoch(), epoch);
        assert!(events.take().spaces[&world.space.info().id].has_accounts);
        world.finish().await;
    })
    .await;
}

/// There are few connections for reading, and each report needs more than one after the other.
#[tokio::test]
async fn many_deep_reports_at_once_do_not_wait_for_each_other() {
    on_every_engine(async |world| {
        let token = world.alice.sync_token(&path("")).await.unwrap();
        for number in 0..3 {
            make_folder(&world.alice, &format!("{number}")).await.unwrap();
            put(&world.alice, &format!("{number}/file"), b"x").await.unwrap();
            let [source, destination] = [format!("{number}"), format!("moved{number}")].map(|at| path(&at));
            let change = Relocate { source, destination, overwrites: false, conditions: Conditions::default() };
            world.alice.apply(change).await.unwrap();
        }
        let root = path("");
        let reports = (0..16).map(|_| world.alice.changes_since(&root, token, true, 0, Needs::NONE));
        let reports = tokio::time::timeout(Duration::from_secs(20), futures_util::future::join_all(reports)).await;
        for changes in reports.expect("they wait for each other") {
            assert_eq!(changes.unwrap().changed.len(), 9);
        }
        world.finish().await;
    })
    .await;
}

/// On SQLite, a search that has begun ends when it has seen everything, and not when its caller goes.
#[tokio::test]
async fn a_search_whose_caller_is_gone_still_takes_its_turn() {
    let limits = Limits { searches_at_once_max: 1, ..Limits::default() };
    let world = World::start(On::Sqlite, limits, 1_000_000).await.unwrap();
    put(&world.alice, "file", b"x").await.unwrap();
    let under_way = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let search = Search::below(NodePath::root());
    for _ in 0..5 {
        hang_up_after(2, world.alice.search(&search, Slow(Arc::clone(&under_way)))).await;
    }
    world.alice.search(&search, Slow(Arc::clone(&under_way))).await.unwrap();
    assert_eq!(under_way.1.load(Ordering::SeqCst), 1, "searches at once");
    world.finish().await;
}

/// Takes its time; counts how many do, and how many did at once.
struct Slow(Arc<(AtomicUsize, AtomicUsize)>);

impl Sieve for Slow {
    fn lets_through(&self, _: &Candidate) -> bool {
        let (under_way, most) = &*self.0;
        most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(50));
        under_way.fetch_sub(1, Ordering::SeqCst);
        true
    }

    fn compare(&self, one: &Candidate, other: &Candidate) -> std::cmp::Ordering {
        one.modified.cmp(&other.modified)
    }
}

/// A writer blocks a thread while it commits. If it needed a second one to go on, as many writers as there are threads would wait
/// for each other forever.
#[test]
fn more_writers_than_threads_that_may_block_get_on() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).max_blocking_threads(2).enable_all().build().unwrap();
    let written = runtime.block_on(async {
        let world = World::start(On::Sqlite, Limits::default(), 1_000_000).await.unwrap();
        world.store.hear_others();
        let mut writing = tokio::task::JoinSet::new();
        for number in 0..12 {
            let name = format!("more{number}");
            let new = NewSpace { name, hosts: Vec::new(), quota_bytes: 1_000_000, max_accounts: 5 };
            let space = world.store.create_space(new).await.unwrap();
            writing.spawn(async move { drop(make_account(&space, "alice").await) });
        }
        tokio::time::timeout(Duration::from_secs(20), writing.join_all()).await.is_ok()
    });
    runtime.shutdown_background();
    assert!(written, "they wait for each other");
}
