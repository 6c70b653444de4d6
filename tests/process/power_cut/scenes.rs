//! Cuts where one client with one operation after the other would not get to: many at once, a process killed before, blobs that are
//! collected, a server that has never been started, a disk whose syncs fail.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nichoir_store::Error;

use super::disk::{Cut, Disk, every_cut};
use super::journal::{self, Step, mark_begin, mark_end};
use super::program::{Size, alice, members, opened, read};
use super::{Recording, Studio, connect, cuts, runtime, stop};
use crate::binary::{Binary, log_of};
use crate::http::{Connection, path, trashed_href};

/// Files that a client put, each once, by name.
#[derive(Clone, Default)]
struct Puts {
    acknowledged: BTreeMap<String, Vec<u8>>,
    under_way: BTreeMap<String, Vec<u8>>,
}

fn put(connection: &mut Connection, journal: &Path, number: usize) -> u16 {
    mark_begin(journal, connection.port(), number);
    connection.request("PUT", &path(&name_of(number)), &bytes_of(number)).map_or(0, |(status, _)| status)
}

fn name_of(number: usize) -> String {
    format!("file{number}")
}

fn bytes_of(number: usize) -> Vec<u8> {
    let size = if number.is_multiple_of(3) { Size::Small } else { Size::Large };
    size.bytes(number)
}

impl Puts {
    /// What clients knew when the first `steps` had been taken.
    fn of(steps: &[Step]) -> Puts {
        let mut asked: BTreeMap<u16, usize> = BTreeMap::new();
        let mut puts = Puts::default();
        for step in steps {
            match step {
                Step::Begin(port, number) => drop(asked.insert(*port, *number)),
                Step::Answer(port, status) => {
                    if let Some(number) = asked.remove(port).filter(|_| (200..300).contains(status)) {
                        puts.acknowledged.insert(name_of(number), bytes_of(number));
                    }
                }
                _ => {}
            }
        }
        puts.under_way = asked.into_values().map(|number| (name_of(number), bytes_of(number))).collect();
        puts
    }

    async fn verify(&self, data_dir: &Path) -> Result<(), String> {
        opened(data_dir, async |store| {
            let said = |error: Error| error.to_string();
            let alice = alice(store).await.map_err(said)?;
            let mut found = HashSet::new();
            for node in members(&alice).await.map_err(said)? {
                let bytes = read(&alice, &node).await.map_err(|error| format!("{}: {error}", node.name))?;
                let known = self.acknowledged.get(&node.name).or_else(|| self.under_way.get(&node.name));
                if known != Some(&bytes) {
                    return Err(format!("{} is there and should not, or has other bytes", node.name));
                }
                found.insert(node.name);
            }
            match self.acknowledged.keys().find(|name| !found.contains(*name)) {
                Some(name) => Err(format!("{name} was acknowledged and is gone")),
                None => Ok(()),
            }
        })
        .await
    }
}

/// Replays the recording and has each image judged, with what had happened until then.
fn at_every_cut(
    studio: &Studio,
    Recording { mut disk, steps }: Recording,
    points: impl IntoIterator<Item = (usize, Vec<Cut>)>,
    judge: impl AsyncFn(&Path, &[Step]) -> Result<(), String>,
) -> usize {
    let (mut asked, mut seen, mut failures) = (0, HashSet::new(), Vec::new());
    for (at, cuts) in points {
        steps[asked..at].iter().for_each(|step| disk.ask(step));
        asked = at;
        for cut in cuts {
            let image = disk.cut(cut);
            if !seen.insert((image.fingerprint(), steps[..at].iter().filter(|step| step.path().is_none()).count())) {
                continue;
            }
            let at_image = studio.path("image");
            image.write(&at_image);
            if let Err(wrong) = runtime().block_on(judge(&at_image, &steps[..at])) {
                failures.push(format!("cut before step {at} of {}, {cut:?}: {wrong}", steps.len()));
            }
            std::fs::remove_dir_all(&at_image).unwrap();
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} images: {:#?}",
        failures.len(),
        seen.len(),
        &failures[..failures.len().min(5)]
    );
    seen.len()
}

#[test]
fn what_eight_clients_write_at_once_is_there_wherever_it_is_cut() {
    let studio = Studio::open();
    let (data_dir, journal) = (studio.new_space("data"), studio.path("journal"));
    let recording = studio.record(&data_dir, &journal, |binary| {
        std::thread::scope(|scope| {
            for client in 0..8 {
                let journal = &journal;
                scope.spawn(move || {
                    let mut connection = connect(binary);
                    for file in 0..3 {
                        assert_eq!(put(&mut connection, journal, 3 * client + file), 201);
                    }
                });
            }
        });
    });
    assert_eq!(Puts::of(&recording.steps).acknowledged.len(), 24);
    let first = recording.steps.iter().position(|step| matches!(step, Step::Begin(..))).unwrap();
    // One kind of cut at each point, another at the next.
    let points = cuts(&recording.steps, first, false).into_iter().enumerate();
    let points: Vec<_> = points.map(|(number, (at, cuts))| (at, vec![cuts[number % cuts.len()]])).collect();
    let images = at_every_cut(&studio, recording, points, async |at, steps| Puts::of(steps).verify(at).await);
    assert!(images > 30, "{images} images prove nothing");
}

/// A directory that is there need not be safe: whoever made it may have been killed before it was synced.
#[test]
fn what_is_written_after_a_kill_into_directories_that_were_made_before_it_survives_a_cut() {
    let studio = Studio::open();
    for made in 1..=3 {
        let (data_dir, journal) = (studio.new_space(&format!("data{made}")), studio.path(&format!("journal{made}")));
        let disk = Disk::of(&data_dir);
        let binary = studio.start(&data_dir, &journal, &[("RECORD_KILL_AFTER", &format!("D{made}"))]);
        assert_eq!(put(&mut connect(&binary), &journal, 1), 0, "it is killed");
        binary.kill();
        let binary = studio.start(&data_dir, &journal, &[]);
        let mut connection = connect(&binary);
        for number in 2..5 {
            assert_eq!(put(&mut connection, &journal, number), 201);
        }
        binary.kill();
        let steps = journal::read(&journal);
        let points = [(steps.len(), every_cut(1).to_vec())];
        at_every_cut(&studio, Recording { disk, steps }, points, async |at, steps| Puts::of(steps).verify(at).await);
    }
}

/// The row of a blob that is gone must not be gone before the blob is.
#[test]
fn a_blob_that_was_collected_does_not_come_back_after_a_cut() {
    let studio = Studio::open();
    let (data_dir, journal) = (studio.new_space("data"), studio.path("journal"));
    let settings = [
        ("NICHOIR_MAINTENANCE__INTERVAL_SECONDS", "1"),
        ("NICHOIR_MAINTENANCE__SPACES_PER_MINUTE", "6000"),
        ("NICHOIR_LIMITS__COLLECT_AFTER_SECONDS", "1"),
    ];
    let disk = Disk::of(&data_dir);
    let binary = studio.start(&data_dir, &journal, &settings);
    let mut connection = connect(&binary);
    for number in [1, 2] {
        assert_eq!(put(&mut connection, &journal, number), 201);
    }
    assert_eq!(connection.request("DELETE", &path(&name_of(1)), b"").unwrap().0, 204);
    let trashed = trashed_href(&mut connection, &name_of(1)).unwrap();
    assert_eq!(connection.request("DELETE", &trashed, b"").unwrap().0, 204);
    let is_collected =
        || journal::read(&journal).iter().any(|step| matches!(step, Step::Remove(path) if path.starts_with("blobs")));
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(100));
        if is_collected() {
            break;
        }
    }
    assert!(is_collected(), "{}", log_of(&data_dir));
    std::thread::sleep(Duration::from_millis(300));
    stop(binary);
    let recording = Recording { disk, steps: journal::read(&journal) };
    recording.assert_complete(&data_dir);
    let first = recording.steps.iter().rposition(|step| matches!(step, Step::Answer(..))).unwrap();
    let points = cuts(&recording.steps, first + 1, false);
    at_every_cut(&studio, recording, points, async |at, _| opened(at, async |_| Ok(())).await);
}

#[test]
fn a_space_and_an_account_that_a_command_made_are_there_after_a_cut_and_so_is_their_directory() {
    let studio = Studio::open();
    let (watched, journal) = (studio.path("watched"), studio.path("journal"));
    std::fs::create_dir(&watched).unwrap();
    let disk = Disk::of(&watched);
    let commands: [&[&str]; 2] =
        [&["space", "create", "demo"], &["account", "create", "--space", "demo", "alice", "--generate-password"]];
    for (number, command) in commands.iter().enumerate() {
        mark_begin(&journal, 0, number);
        let mut process = Command::new(env!("CARGO_BIN_EXE_nichoir"));
        process.args(*command).arg("--data-dir").arg(watched.join("below/data"));
        process.env("LD_PRELOAD", &studio.recorder).env("RECORD_DIRECTORY", &watched).env("RECORD_JOURNAL", &journal);
        let output = process.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        mark_end(&journal);
    }
    let recording = Recording { disk, steps: journal::read(&journal) };
    recording.assert_complete(&watched);
    let points = cuts(&recording.steps, 0, false);
    at_every_cut(&studio, recording, points, async |at, steps| {
        let done = steps.iter().filter(|step| matches!(step, Step::Answer(..))).count();
        opened(&at.join("below/data"), async |store| {
            let is_there = store.space_named("demo").await.is_ok();
            let has_account = is_there && alice(store).await.is_ok();
            match (done, is_there, has_account) {
                (0, _, false) | (1, true, _) | (2, true, true) => Ok(()),
                found => Err(format!("after {} commands: space {}, account {}", found.0, found.1, found.2)),
            }
        })
        .await
    });
}

/// What a failed sync was about is lost, whatever later syncs say: nothing may be built on it.
#[test]
fn a_sync_that_fails_is_told_and_makes_the_space_read_only_until_a_restart_and_what_follows_survives_a_cut() {
    let studio = Studio::open();
    let (data_dir, journal, failing) = (studio.new_space("data"), studio.path("journal"), studio.path("failing"));
    let disk = Disk::of(&data_dir);
    let binary = studio.start(&data_dir, &journal, &[("RECORD_FAIL_SYNCS", failing.to_str().unwrap())]);
    let mut connection = connect(&binary);
    assert_eq!(put(&mut connection, &journal, 0), 201);
    std::fs::write(&failing, b"").unwrap();
    assert_eq!(put(&mut connection, &journal, 3), 503, "a sync failed");
    std::fs::remove_file(&failing).unwrap();
    assert_eq!(put(&mut connection, &journal, 6), 503, "the space is read-only");
    let read = connection.request("GET", &path(&name_of(0)), b"").unwrap();
    assert_eq!(read, (200, bytes_of(0)));
    assert!(connection.request("GET", &path(&name_of(3)), b"").unwrap().0 == 404);
    let metrics = binary.admin("/metrics");
    assert!(metrics.contains("\nnichoir_read_only_spaces 1\n"), "{metrics}");
    let log = log_of(&data_dir);
    assert!(log.lines().any(|line| line.contains("ERROR") && line.contains("read-only")), "{log}");
    binary.kill();

    let binary = studio.start(&data_dir, &journal, &[]);
    let mut connection = connect(&binary);
    for number in [9, 12] {
        assert_eq!(put(&mut connection, &journal, number), 201);
    }
    binary.kill();
    let steps = journal::read(&journal);
    let points = [(steps.len(), every_cut(1).to_vec())];
    at_every_cut(&studio, Recording { disk, steps }, points, async |at, steps| {
        let mut puts = Puts::of(steps);
        // It was refused, and may be there all the same.
        puts.under_way.insert(name_of(3), bytes_of(3));
        puts.verify(at).await
    });
}

/// The real commands on what a cut left.
pub(super) fn server_starts(data_dir: &Path) {
    crate::binary::check(data_dir);
    let binary = Binary::start(data_dir);
    assert_eq!(connect(&binary).request("GET", "/status.php", b"").unwrap().0, 200);
    binary.kill();
}
