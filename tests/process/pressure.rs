//! More than the server can take: of files, room, connections, frames and content. Each of these tests runs the real binary with two
//! spaces. One is pressed; in the other a client writes and reads all the while, and has to be answered in time. Afterwards the same
//! process takes writes in both, nothing acknowledged is lost, and the deep check is clean.

mod bombs;
mod crowd;
mod disk;
mod files;
mod frames;
mod http2;
mod slow;

use std::any::Any;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::binary::{Binary, check, log_of, make_spaces};
use crate::content;
use crate::http::{Connection, path};

/// A neighbour of the pressed space is answered within this, on a slow machine with a debug build.
const NEIGHBOUR_BOUND: Duration = Duration::from_secs(10);
/// What a test may add to the process's memory, unless it says otherwise.
const MEMORY_BOUND_KB: u64 = 150_000;

/// Two spaces, "demo" to press and "other" beside it.
struct Scene {
    directory: PathBuf,
    binary: Binary,
    neighbour: Option<Neighbour>,
    memory_kb: u64,
    /// What the directory lies on; goes last.
    _ground: Ground,
}

type Ground = Box<dyn Any + Send + Sync>;

impl Scene {
    fn start(settings: &[(&str, &str)]) -> Scene {
        Scene::start_under("exec", settings)
    }

    fn start_under(prelude: &str, settings: &[(&str, &str)]) -> Scene {
        let directory = tempfile::tempdir().unwrap();
        Scene::start_in(directory.path().to_owned(), Box::new(directory), prelude, settings)
    }

    fn start_in(directory: PathBuf, ground: Ground, prelude: &str, settings: &[(&str, &str)]) -> Scene {
        make_spaces(&directory, ["demo", "other"].map(str::to_owned));
        let binary = Binary::start_with(&directory, prelude, settings);
        let neighbour = Neighbour::begin(&binary);
        // What a server has after its first requests is not what pressure takes.
        std::thread::sleep(Duration::from_millis(300));
        let memory_kb = binary.peak_memory_kb();
        Scene { directory, _ground: ground, binary, neighbour: Some(neighbour), memory_kb }
    }

    fn open(&self) -> Connection {
        Connection::open(self.binary.address, "demo.example.org").unwrap()
    }

    /// The longest that the neighbour has waited so far.
    fn slowest(&self) -> Duration {
        let neighbour = self.neighbour.as_ref().expect("it lives until the end");
        Duration::from_micros(neighbour.slowest_us.load(Ordering::Relaxed))
    }

    /// How many connections it has besides the neighbour's.
    fn connections(&self) -> u64 {
        self.gauge("nichoir_connections").saturating_sub(1)
    }

    fn gauge(&self, name: &str) -> u64 {
        let metrics = self.binary.admin("/metrics");
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap();
        line.parse().unwrap()
    }

    /// Waits until all connections but the neighbour's are gone.
    fn wait_until_alone(&self, at_most: Duration) {
        self.wait_until("the connections of others to be gone", at_most, || self.connections() == 0);
        self.wait_until("their requests to be gone", at_most, || self.gauge("nichoir_requests_under_way") == 0);
    }

    fn wait_until(&self, what: &str, at_most: Duration, is_so: impl Fn() -> bool) {
        let since = Instant::now();
        while !is_so() {
            assert!(since.elapsed() < at_most, "waited {at_most:?} for {what}: {}", self.binary.admin("/metrics"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The pressure is over: everything is as if there had been none.
    fn end(self) {
        self.end_within(MEMORY_BOUND_KB);
    }

    fn end_within(mut self, memory_bound_kb: u64) {
        let taken_kb = self.binary.peak_memory_kb().saturating_sub(self.memory_kb);
        let neighbour = self.neighbour.take().unwrap();
        let slowest_us = Arc::clone(&neighbour.slowest_us);
        let Seen { acknowledged, refused } = neighbour.end(self.binary.address);
        let slowest = Duration::from_micros(slowest_us.load(Ordering::Relaxed));
        eprintln!(
            "pressure: {taken_kb} kB of memory, the neighbour waited {slowest:?} at most and was refused {refused} times"
        );
        assert!(!acknowledged.is_empty());
        assert!(slowest < NEIGHBOUR_BOUND, "the neighbour waited {slowest:?}");
        assert!(taken_kb < memory_bound_kb, "it took {taken_kb} kB more memory");
        for (space, name) in [("demo", "after"), ("other", "after")] {
            let mut connection = Connection::open(self.binary.address, &format!("{space}.example.org")).unwrap();
            assert_eq!(connection.request("PUT", &path(name), &content(9, 40_000)).unwrap().0, 201, "{space}");
        }
        assert_eq!(self.gauge("nichoir_read_only_spaces"), 0);
        let directory = &self.directory;
        let log = log_of(directory);
        assert!(!log.contains("panicked"), "{log}");
        assert!(log.len() < 1_000_000, "{} bytes were logged", log.len());
        self.binary.terminate();
        assert!(self.binary.wait(Duration::from_secs(20)).success(), "{log}");
        check(directory);
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the server: {:?}; {}", self.binary.has_ended(), log_of(&self.directory));
        }
    }
}

/// A client in the other space, writing and reading one after the other.
struct Neighbour {
    is_over: Arc<AtomicBool>,
    /// While the disk that both spaces are on is full.
    may_be_refused: Arc<AtomicBool>,
    slowest_us: Arc<AtomicU64>,
    work: JoinHandle<Seen>,
}

#[derive(Default)]
struct Seen {
    /// What each file has had acknowledged last.
    acknowledged: HashMap<String, usize>,
    refused: usize,
}

impl Neighbour {
    fn begin(binary: &Binary) -> Neighbour {
        let (is_over, may_be_refused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (address, stop, refusals) = (binary.address, Arc::clone(&is_over), Arc::clone(&may_be_refused));
        let slowest_us = Arc::new(AtomicU64::new(0));
        let slowest = Arc::clone(&slowest_us);
        let mut connection = Connection::open(address, "other.example.org").unwrap();
        let work = std::thread::spawn(move || {
            let mut seen = Seen::default();
            for number in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let began = Instant::now();
                // Each fourth time as somebody who has just come.
                if number % 4 == 3 {
                    connection = Connection::open(address, "other.example.org").expect("the neighbour connects");
                }
                let may_be_refused = refusals.load(Ordering::Relaxed);
                let name = format!("n{}", number % 50);
                let (status, said) =
                    connection.request("PUT", &path(&name), &neighbours(number)).expect("the neighbour is answered");
                match status {
                    201 | 204 => drop(seen.acknowledged.insert(name.clone(), number)),
                    507 if may_be_refused => {
                        seen.refused += 1;
                        // Refused before the body was read, which ends the connection.
                        connection = Connection::open(address, "other.example.org").expect("the neighbour connects");
                    }
                    _ => panic!("{status} for the neighbour: {}", String::from_utf8_lossy(&said)),
                }
                if let Some(last) = seen.acknowledged.get(&name) {
                    let (status, found) =
                        connection.request("GET", &path(&name), b"").expect("the neighbour is answered");
                    assert!(status == 200 && found == neighbours(*last), "{status} for the neighbour");
                }
                slowest.fetch_max(began.elapsed().as_micros() as u64, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(30));
            }
            seen
        });
        Neighbour { is_over, may_be_refused, slowest_us, work }
    }

    /// What it has seen; everything acknowledged is there.
    fn end(self, address: std::net::SocketAddr) -> Seen {
        self.is_over.store(true, Ordering::Relaxed);
        let seen = self.work.join().expect("the neighbour was never refused");
        let mut connection = Connection::open(address, "other.example.org").unwrap();
        for (name, number) in &seen.acknowledged {
            let (status, found) = connection.request("GET", &path(name), b"").unwrap();
            assert!(status == 200 && found == neighbours(*number), "{status} for {name}");
        }
        seen
    }
}

/// Small ones, and some that are blobs.
fn neighbours(number: usize) -> Vec<u8> {
    content(number, if number.is_multiple_of(3) { 40_000 } else { 500 })
}
