//! Checks and scrubs in the background: what has gone bad is found, told once, kept until it is right again, and an idle space is
//! left alone.

use nichoir_store::{Limits, SpaceHealth, Store};

use crate::backup::damage::blobs_of;
use crate::collector::tamper;
use crate::support::{On, World, put, reopened};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// A pass begins after three quarters of thirty days.
const PASS: i64 = 30 * DAY / 4 * 3;

/// Runs `test` on every engine at hand, each with a store of its own: scrubs are about all spaces of one.
async fn on_every_engine<F: AsyncFn(World)>(limits: Limits, test: F) {
    for on in [On::Sqlite, On::Postgres] {
        match World::start_apart(on, limits.clone()).await {
            Some(world) => test(world).await,
            None => eprintln!("skipped on {on:?}: TEST_POSTGRES is not set"),
        }
    }
}

/// Scrubs whatever is due, to its end. Says which spaces were opened, each time that one was.
async fn scrub(store: &Store) -> Vec<i64> {
    let mut all = Vec::new();
    loop {
        let opened = store.scrub_due_spaces(100).await.unwrap();
        if opened.is_empty() {
            return all;
        }
        all.extend(opened);
    }
}

async fn health(world: &World, store: &Store) -> SpaceHealth {
    store.health().await.unwrap().remove(&world.space.info().id).unwrap()
}

#[tokio::test]
async fn a_flipped_bit_and_a_missing_blob_are_found_told_and_forgotten_when_they_are_put_right() {
    on_every_engine(Limits::default(), async |world| {
        put(&world.alice, "one", &[1; 40_000]).await.unwrap();
        put(&world.alice, "two", &[2; 40_000]).await.unwrap();
        assert!(scrub(&world.store).await.is_empty(), "what is new was compared when it was written");
        world.clock.advance_seconds(PASS);
        assert_eq!(scrub(&world.store).await.len(), 2, "this space, and the other");
        let whole = health(&world, &world.store).await;
        assert!(whole.problems.is_empty() && whole.scrubbed == Some(world.store.now()), "{whole:?}");

        let [flipped, missing] = &blobs_of(&world)[..] else { panic!("two blobs") };
        let bytes = [flipped, missing].map(|blob| std::fs::read(blob).unwrap());
        let mut bad = bytes[0].clone();
        bad[20_000] ^= 1;
        std::fs::write(flipped, bad).unwrap();
        std::fs::remove_file(missing).unwrap();
        world.clock.advance_seconds(PASS);
        assert_eq!(scrub(&world.store).await.len(), 2);

        // Nobody has to open the space to see it.
        world.store.close().await;
        let found = health(&world, &world.store).await;
        assert_eq!(found.problems.len(), 2, "{found:?}");
        assert!(found.problems.iter().any(|problem| problem.contains("does not have its digest")), "{found:?}");
        assert!(found.problems.iter().any(|problem| problem.contains("is missing")), "{found:?}");
        let figures = world.store.scrub_figures().await.unwrap();
        assert_eq!(figures.problems, [(world.space.info().name.clone(), 2)]);
        assert_eq!(figures.read_bytes, 3 * 40_000, "two blobs, and then the one that is there");
        assert_eq!(world.store.open_spaces(), 0);

        std::fs::write(flipped, &bytes[0]).unwrap();
        std::fs::write(missing, &bytes[1]).unwrap();
        assert!(world.store.check_due_spaces(100).await.unwrap().is_empty());
        world.clock.advance_seconds(DAY);
        assert_eq!(world.store.check_due_spaces(100).await.unwrap(), [world.space.info().id]);
        assert!(health(&world, &world.store).await.problems.is_empty());
        world.clock.advance_seconds(2 * DAY);
        assert!(world.store.check_due_spaces(100).await.unwrap().is_empty(), "a space that is whole is left alone");
        world.finish().await;
    })
    .await;
}

/// No checksum of the database's tells of them.
#[tokio::test]
async fn bytes_that_have_changed_in_a_row_are_found_too() {
    on_every_engine(Limits::default(), async |world| {
        put(&world.alice, "small", b"small").await.unwrap();
        let change = |from: &str, to: &str| match world.config.database {
            nichoir_store::DatabaseConfig::Sqlite { .. } => {
                format!("UPDATE piece SET bytes = CAST('{to}' AS BLOB) WHERE space_id = $1 AND bytes = CAST('{from}' AS BLOB)")
            }
            nichoir_store::DatabaseConfig::Postgres { .. } => {
                format!("UPDATE piece SET bytes = '{to}'::bytea WHERE space_id = $1 AND bytes = '{from}'::bytea")
            }
        };
        tamper(&world, &change("small", "smell")).await;
        world.clock.advance_seconds(PASS);
        scrub(&world.store).await;
        let found = health(&world, &world.store).await;
        assert!(found.problems.len() == 1 && found.problems[0].contains("in its row"), "{found:?}");
        tamper(&world, &change("smell", "small")).await;
        world.clock.advance_seconds(DAY);
        world.store.check_due_spaces(100).await.unwrap();
        assert!(health(&world, &world.store).await.problems.is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn the_rows_of_a_space_that_is_changed_are_checked_once_a_day_and_those_of_no_other() {
    on_every_engine(Limits::default(), async |world| {
        assert!(world.store.check_due_spaces(100).await.unwrap().is_empty());
        world.clock.advance_seconds(7 * HOUR);
        world.store.upkeep(100).await.unwrap();
        assert_eq!(world.store.check_due_spaces(100).await.unwrap().len(), 2, "accounts were made in both");
        world.clock.advance_seconds(1_000 * DAY);
        assert!(world.store.check_due_spaces(100).await.unwrap().is_empty());
        put(&world.alice, "file", b"bytes").await.unwrap();
        tamper(&world, "UPDATE space_state SET used_bytes = used_bytes + 1 WHERE space_id = $1").await;
        assert!(world.store.check_due_spaces(100).await.unwrap().is_empty());
        world.clock.advance_seconds(6 * HOUR + 1);
        world.store.upkeep(100).await.unwrap();
        assert_eq!(world.store.check_due_spaces(100).await.unwrap(), [world.space.info().id]);
        let found = health(&world, &world.store).await;
        assert!(found.problems.len() == 1 && found.problems[0].contains("used_bytes"), "{found:?}");

        // What is changed again is checked again, a day later.
        put(&world.alice, "file", b"other bytes").await.unwrap();
        tamper(&world, "UPDATE space_state SET used_bytes = used_bytes - 1 WHERE space_id = $1").await;
        world.clock.advance_seconds(6 * HOUR + 1);
        world.store.upkeep(100).await.unwrap();
        assert!(world.store.check_due_spaces(100).await.unwrap().is_empty());
        world.clock.advance_seconds(18 * HOUR);
        assert_eq!(world.store.check_due_spaces(100).await.unwrap(), [world.space.info().id]);
        assert!(health(&world, &world.store).await.problems.is_empty());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn an_idle_space_is_opened_when_a_pass_is_due_and_not_before() {
    on_every_engine(Limits::default(), async |world| {
        let unused = crate::support::make_space(&world.store, "unused", 1_000).await.info().id;
        for _ in 0..3 {
            world.store.close().await;
            for _ in 0..22 {
                world.clock.advance_seconds(DAY);
                assert!(scrub(&world.store).await.is_empty());
                assert!(world.store.check_due_spaces(100).await.unwrap().is_empty());
            }
            assert_eq!(world.store.open_spaces(), 0);
            world.clock.advance_seconds(DAY);
            assert_eq!(scrub(&world.store).await.len(), 2);
        }
        let health = world.store.health().await.unwrap();
        assert!(health[&unused].problems.is_empty());
        let figures = world.store.scrub_figures().await.unwrap();
        assert!(figures.scrubbed.unwrap() >= world.store.now().plus_seconds(-30 * DAY), "{figures:?}");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn a_pass_that_was_cut_off_goes_on_from_where_it_was() {
    on_every_engine(Limits::default(), async |world| {
        for number in 0..300_u16 {
            put(&world.alice, &format!("f{number}"), &vec![number as u8; 20_000]).await.unwrap();
        }
        world.clock.advance_seconds(PASS);
        // A page of each space, of which this one has more.
        assert_eq!(world.store.scrub_due_spaces(100).await.unwrap().len(), 2);
        assert_eq!(world.store.scrub_figures().await.unwrap().read_bytes, 256 * 20_000);
        assert_eq!(health(&world, &world.store).await.scrubbed, None);
        world.store.close().await;

        let store = reopened(&world.config, &world.clock).await;
        assert_eq!(scrub(&store).await, [world.space.info().id]);
        assert_eq!(store.scrub_figures().await.unwrap().read_bytes, 44 * 20_000);
        assert_eq!(health(&world, &store).await.scrubbed, Some(store.now()));
        store.close().await;
        world.finish().await;
    })
    .await;
}

/// A crash between two steps leaves what a statement leaves that fails.
#[tokio::test]
async fn a_look_that_fails_at_any_step_is_taken_up_again() {
    on_every_engine(Limits::default(), async |world| {
        put(&world.alice, "file", &[1; 40_000]).await.unwrap();
        for number in 1.. {
            world.clock.advance_seconds(PASS);
            world.faults.arm(number);
            let before = world.faults.seen();
            scrub(&world.store).await;
            let is_hit = world.faults.seen() - before >= number;
            world.faults.arm(0);
            world.clock.advance_seconds(HOUR);
            scrub(&world.store).await;
            let found = health(&world, &world.store).await;
            assert!(found.scrubbed >= Some(world.store.now().plus_seconds(-HOUR)), "{number}: {found:?}");
            assert!(found.problems.is_empty(), "{number}: {found:?}");
            if !is_hit {
                assert!(number > 5);
                break;
            }
        }
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn no_more_is_read_in_a_second_than_may_be() {
    let limits = Limits { scrub_bytes_per_second: 400_000, ..Limits::default() };
    on_every_engine(limits, async |world| {
        put(&world.alice, "file", &[1; 600_000]).await.unwrap();
        world.clock.advance_seconds(PASS);
        let begun = tokio::time::Instant::now();
        scrub(&world.store).await;
        assert!(begun.elapsed().as_millis() >= 1_500, "{:?}", begun.elapsed());
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn no_more_problems_of_a_space_are_kept_than_may_be() {
    let limits = Limits { problems_max: 3, ..Limits::default() };
    on_every_engine(limits, async |world| {
        for number in 0..5_u8 {
            put(&world.alice, &format!("f{number}"), &[number; 20_000]).await.unwrap();
        }
        let kept: Vec<_> = blobs_of(&world).into_iter().map(|blob| (std::fs::read(&blob).unwrap(), blob)).collect();
        kept.iter().for_each(|(_, blob)| std::fs::remove_file(blob).unwrap());
        world.clock.advance_seconds(PASS);
        scrub(&world.store).await;
        assert_eq!(health(&world, &world.store).await.problems.len(), 3);
        kept.iter().for_each(|(bytes, blob)| std::fs::write(blob, bytes).unwrap());
        world.clock.advance_seconds(DAY);
        world.store.check_due_spaces(100).await.unwrap();
        assert!(health(&world, &world.store).await.problems.is_empty());
        world.finish().await;
    })
    .await;
}

/// What the file says of itself cannot be asked for in it.
#[tokio::test]
async fn a_file_that_is_no_database_any_more_is_told() {
    let world = World::start_apart(On::Sqlite, Limits::default()).await.unwrap();
    let nichoir_store::DatabaseConfig::Sqlite { directory } = &world.config.database else { panic!("SQLite") };
    put(&world.alice, "file", b"bytes").await.unwrap();
    world.store.close().await;
    let file = directory.join("spaces").join(format!("{}.sqlite", world.space.info().uuid));
    let whole = std::fs::read(&file).unwrap();
    let first_page = [vec![0xa5; 4096], whole[4096..].to_vec()].concat();
    // Of one page in the middle, the structure tells.
    let other_page = [whole[..8192].to_vec(), vec![0xa5; 4096], whole[12_288..].to_vec()].concat();
    for bad in [first_page, other_page] {
        std::fs::write(&file, bad).unwrap();
        world.clock.advance_seconds(PASS);
        world.store.scrub_due_spaces(100).await.unwrap();
        let found = health(&world, &world.store).await;
        assert!(found.problems.iter().any(|problem| problem.contains("the database")), "{found:?}");
        world.store.close().await;
        for beside in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(file.with_extension(format!("sqlite{beside}")));
        }
        std::fs::write(&file, &whole).unwrap();
        world.clock.advance_seconds(DAY);
        scrub(&world.store).await;
        world.store.check_due_spaces(100).await.unwrap();
        assert!(health(&world, &world.store).await.problems.is_empty());
    }
    world.finish().await;
}
