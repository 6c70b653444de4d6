//! The power is cut: everything that the server asked of the disk is recorded, and at every point where it synced something, and
//! between, disks are made as a cut may have left them ([`disk`]). On each the check must be clean, every acknowledged
//! operation must be there to the byte, and one under way wholly there or not at all.
//!
//! `cargo nextest run --workspace power_cut` runs a sample. All programs, each at all points:
//! `POWER_CUT_PROGRAMS=all cargo nextest run --workspace power_cut`; a number runs so many more of them, and
//! `POWER_CUT_SEED` has others chosen.

mod disk;
pub(crate) mod journal;
mod program;
mod scenes;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::binary::{Binary, make_spaces};
use crate::http::Connection;
use disk::{Cut, Disk, Image, every_cut};
use journal::{Step, build_recorder};
use program::{Operation, State, states, verify};

/// Programs of a sample beside the shortest.
const SAMPLE: usize = 6;

/// Where recordings are made.
struct Studio {
    directory: tempfile::TempDir,
    recorder: PathBuf,
}

/// What was recorded of a process: the disk that it found, and what it asked of it.
struct Recording {
    disk: Disk,
    steps: Vec<Step>,
}

impl Studio {
    fn open() -> Studio {
        // In memory, where there is such a place: a thousand images are written and synced.
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let recorder = build_recorder(directory.path());
        Studio { directory, recorder }
    }

    fn path(&self, name: &str) -> PathBuf {
        // What a process finds out about its files has no symbolic links in it.
        self.directory.path().canonicalize().unwrap().join(name)
    }

    /// The data of a new space, at rest.
    fn new_space(&self, name: &str) -> PathBuf {
        let data_dir = self.path(name);
        std::fs::create_dir(&data_dir).unwrap();
        make_spaces(&data_dir, ["demo".to_owned()]);
        data_dir
    }

    /// The data of a space in the first state, at rest.
    fn prepare(&self) -> PathBuf {
        let data_dir = self.new_space("prepared");
        let binary = Binary::start(&data_dir);
        State::prepare(&mut connect(&binary));
        stop(binary);
        data_dir
    }

    /// Records a server over `data_dir` while `work` is done with it, until it has ended in good order.
    fn record(&self, data_dir: &Path, journal: &Path, work: impl FnOnce(&Binary)) -> Recording {
        let disk = Disk::of(data_dir);
        let binary = self.start(data_dir, journal, &[]);
        work(&binary);
        stop(binary);
        let recording = Recording { disk, steps: journal::read(journal) };
        recording.assert_complete(data_dir);
        recording
    }

    fn start(&self, data_dir: &Path, journal: &Path, settings: &[(&str, &str)]) -> Binary {
        let mut settings = settings.to_vec();
        settings.extend([
            ("LD_PRELOAD", self.recorder.to_str().unwrap()),
            ("RECORD_DIRECTORY", data_dir.to_str().unwrap()),
            ("RECORD_JOURNAL", journal.to_str().unwrap()),
        ]);
        Binary::start_with(data_dir, "exec", &settings)
    }
}

impl Recording {
    /// Nothing escaped: replayed, it gives what is there.
    fn assert_complete(&self, data_dir: &Path) {
        let mut disk = self.disk.clone();
        self.steps.iter().for_each(|step| disk.ask(step));
        let difference = disk.cut(Cut::Everything).difference(&Image::of(data_dir));
        assert!(difference.is_empty(), "not everything was recorded: {difference:?} differ");
    }
}

fn connect(binary: &Binary) -> Connection {
    Connection::open(binary.address, "demo.example.org").unwrap()
}

fn stop(mut binary: Binary) {
    binary.terminate();
    assert!(binary.wait(Duration::from_secs(20)).success());
}

fn copy(from: &Path, to: &Path) {
    Image::of(from).write(to);
}

/// Where a cut is tried, of the steps from `first` on: before each sync, after each answer and at the end with everything that may become
/// of what is not safe; between them, if that is wanted, with a few.
fn cuts(steps: &[Step], first: usize, has_between: bool) -> Vec<(usize, Vec<Cut>)> {
    let mut cuts = Vec::new();
    for at in first..=steps.len() {
        let is_sync = matches!(steps.get(at), None | Some(Step::Sync(_)));
        let is_answered = at > 0 && matches!(steps[at - 1], Step::Answer(..));
        if is_sync || is_answered {
            cuts.push((at, every_cut(at as u64).to_vec()));
        } else if has_between {
            cuts.push((at, vec![Cut::Everything, Cut::LastTorn, Cut::Some(at as u64)]));
        }
    }
    cuts
}

/// What the cuts of a program came to.
#[derive(Default)]
struct Tally {
    points: usize,
    images: usize,
    failures: Vec<String>,
}

/// Records the program and cuts it off wherever its last operation is under way or was just done: what comes before are the
/// programs that are shorter.
fn cut_off(studio: &Studio, prepared: &Path, program: &[Operation], number: usize, has_between: bool) -> Tally {
    let (data_dir, journal) = (studio.path(&format!("data{number}")), studio.path(&format!("journal{number}")));
    copy(prepared, &data_dir);
    let states = states(program).unwrap();
    let Recording { mut disk, steps } = studio.record(&data_dir, &journal, |binary| {
        let mut connection = connect(binary);
        for (number, (operation, state)) in program.iter().zip(&states).enumerate() {
            state.perform(*operation, number, &mut connection, &journal);
        }
    });
    let is_last = |step: &Step| matches!(step, Step::Begin(_, number) if number + 1 == program.len());
    let first = steps.iter().position(is_last).unwrap_or(0);
    let mut tally = Tally::default();
    let mut acknowledged = Acknowledged::default();
    let (mut asked, mut seen) = (0, HashSet::new());
    for (at, cuts) in cuts(&steps, first, has_between) {
        for step in &steps[asked..at] {
            disk.ask(step);
            acknowledged.hear(step);
        }
        asked = at;
        let may: Vec<&State> =
            states[acknowledged.done..=acknowledged.done + acknowledged.under_way()].iter().collect();
        tally.points += 1;
        for cut in cuts {
            let image = disk.cut(cut);
            if !seen.insert((image.fingerprint(), may.len(), acknowledged.done)) {
                continue;
            }
            tally.images += 1;
            let at_image = studio.path(&format!("image{number}"));
            image.write(&at_image);
            let verified = runtime().block_on(verify(&at_image, &may));
            if at == steps.len() && matches!(cut, Cut::Nothing) && number.is_multiple_of(8) {
                scenes::server_starts(&at_image);
            }
            if let Err(wrong) = verified {
                let step = steps.get(at).map(|step| format!("{step:.0?}").chars().take(120).collect::<String>());
                tally
                    .failures
                    .push(format!("{program:?} cut before step {at} of {} ({step:?}), {cut:?}: {wrong}", steps.len()));
            }
            std::fs::remove_dir_all(&at_image).unwrap();
        }
    }
    assert_eq!(acknowledged.done, program.len());
    std::fs::remove_dir_all(&data_dir).unwrap();
    std::fs::remove_file(&journal).unwrap();
    tally
}

/// What a client was told so far.
#[derive(Default)]
struct Acknowledged {
    done: usize,
    asked: Option<usize>,
}

impl Acknowledged {
    fn hear(&mut self, step: &Step) {
        match step {
            Step::Begin(_, number) => self.asked = Some(*number),
            Step::Answer(..) => self.done += usize::from(self.asked.take().is_some()),
            _ => {}
        }
    }

    fn under_way(&self) -> usize {
        usize::from(self.asked.is_some())
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Which programs: all, or the shortest and some of the others.
fn chosen() -> (Vec<Vec<Operation>>, bool) {
    let wanted = std::env::var("POWER_CUT_PROGRAMS").unwrap_or_default();
    let seed: u64 = std::env::var("POWER_CUT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut all = program::programs(3);
    if wanted == "all" {
        eprintln!("power cut: all {} programs", all.len());
        return (all, true);
    }
    let more = wanted.parse().unwrap_or(SAMPLE);
    let longer = all.split_off(all.iter().take_while(|program| program.len() < 2).count());
    let sampled = (0..more as u64).map(|number| {
        let drawn = (number + seed.wrapping_mul(1_000_003)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        longer[drawn as usize % longer.len()].clone()
    });
    all.extend(sampled);
    eprintln!("power cut: {} programs, seed {seed}", all.len());
    (all, false)
}

#[test]
fn a_power_cut_loses_nothing_acknowledged_and_leaves_nothing_half_done() {
    let began = Instant::now();
    let studio = Studio::open();
    let prepared = studio.prepare();
    let (programs, has_between) = chosen();
    let next = AtomicUsize::new(0);
    let tally = Mutex::new(Tally::default());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::SeqCst);
            let Some(program) = programs.get(number) else { return };
            let one = cut_off(&studio, &prepared, program, number, has_between);
            let mut all = tally.lock().unwrap();
            all.points += one.points;
            all.images += one.images;
            one.failures.iter().take(3).for_each(|failure| eprintln!("{failure}"));
            all.failures.extend(one.failures);
            if number % 50 == 49 {
                eprintln!("{} programs, {} images, {} failures", number + 1, all.images, all.failures.len());
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let Tally { points, images, failures } = tally.into_inner().unwrap();
    eprintln!("power cut: {} programs, {points} points, {images} images, {:?}", programs.len(), began.elapsed());
    assert!(
        failures.is_empty(),
        "{} of {images} images are wrong, such as {:#?}",
        failures.len(),
        &failures[..failures.len().min(5)]
    );
    assert!(images > 100, "{images} images prove nothing");
}
