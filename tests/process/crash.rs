//! The server is killed at a random instant under eight clients that put, overwrite, move, delete and upload in chunks, again and
//! again over the same data, while old blobs are being collected. Everything acknowledged is there to the byte, what was under way is
//! there whole or not at all, and the check is clean.
//!
//! `CRASH_ROUNDS=1000 cargo nextest run --workspace sigkill_under_eight` is the long form; `CRASH_SEED` has other operations and
//! instants chosen. Both are printed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::binary::{Binary, check, make_spaces};
use crate::http::{Connection, names_in, path};
use crate::{assert_no_alarm, content};

const CLIENTS: usize = 8;
/// Files that a client keeps; with more, it deletes.
const FILES_MAX: usize = 12;
/// Upkeep all the time, so that blobs are collected while the server is killed.
const SETTINGS: [(&str, &str); 3] = [
    ("NICHOIR_MAINTENANCE__INTERVAL_SECONDS", "1"),
    ("NICHOIR_MAINTENANCE__SPACES_PER_MINUTE", "6000"),
    ("NICHOIR_LIMITS__COLLECT_AFTER_SECONDS", "1"),
];

/// Names and the seeds of what they hold.
type Files = BTreeMap<String, usize>;

/// One client with a folder of its own, and what it knows to be in there.
struct Client {
    number: usize,
    /// Counts its operations: seeds and names are used once.
    operations: usize,
    draw: Draw,
    acknowledged: Files,
    /// What is there if the operation under way was carried out.
    under_way: Option<Files>,
}

/// splitmix64.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

/// What a file of that seed holds: in a row, in one part of a blob, in several, or of chunks of each kind.
fn bytes_of(seed: usize) -> Vec<u8> {
    match seed % 6 {
        5 => (1..=3).flat_map(|chunk| chunk_of(seed, chunk)).collect(),
        kind => content(seed, [100, 5_000, 40_000, 90_000, 300_000][kind]),
    }
}

fn chunk_of(seed: usize, chunk: usize) -> Vec<u8> {
    content(seed + chunk, [0, 200, 20_000, 60_000][chunk])
}

impl Client {
    fn folder(&self) -> String {
        format!("client{}", self.number)
    }

    fn at(&self, name: &str) -> String {
        path(&format!("{}/{name}", self.folder()))
    }

    /// Works until the server does not answer any more; `is_killed` says whether it may.
    fn work(&mut self, binary: &Binary, is_killed: &AtomicBool) {
        let Ok(mut connection) = Connection::open(binary.address, "demo.example.org") else { return };
        while self.operate(&mut connection).is_some_and(|status| (200..300).contains(&status)) {
            self.acknowledged = self.under_way.take().expect("an operation was under way");
        }
        assert!(is_killed.load(Ordering::SeqCst), "client {} was refused", self.number);
    }

    /// The status of the next operation; none if no answer came.
    fn operate(&mut self, connection: &mut Connection) -> Option<u16> {
        self.operations += 1;
        let seed = 6 * (self.number * 1_000_000 + self.operations);
        let fresh = format!("{}.bin", self.operations);
        let held = match self.acknowledged.len() {
            0 => None,
            count => self.acknowledged.keys().nth(self.draw.below(count)).cloned(),
        };
        let mut files = self.acknowledged.clone();
        let kind = if files.len() >= FILES_MAX { 3 } else { self.draw.below(6) };
        let (method, at, headers, body) = match (kind, held) {
            (1, Some(held)) => {
                let seed = seed + self.draw.below(5);
                files.insert(held.clone(), seed);
                ("PUT", self.at(&held), String::new(), bytes_of(seed))
            }
            (2, Some(held)) => {
                let moved = files.remove(&held)?;
                files.insert(fresh.clone(), moved);
                ("MOVE", self.at(&held), format!("Destination: {}\r\n", self.at(&fresh)), Vec::new())
            }
            (3, Some(held)) => {
                files.remove(&held);
                ("DELETE", self.at(&held), String::new(), Vec::new())
            }
            (4, _) => {
                let seed = seed + 5;
                let upload = format!("/remote.php/dav/uploads/alice/{seed}");
                self.under_way = Some(files.clone());
                self.upload(connection, &upload, seed)?;
                files.insert(fresh.clone(), seed);
                ("MOVE", format!("{upload}/.file"), format!("Destination: {}\r\n", self.at(&fresh)), Vec::new())
            }
            _ => {
                let seed = seed + self.draw.below(5);
                files.insert(fresh.clone(), seed);
                ("PUT", self.at(&fresh), String::new(), bytes_of(seed))
            }
        };
        self.under_way = Some(files);
        connection.request_with(method, &at, &headers, &body).ok().map(|(status, _)| status)
    }

    fn upload(&self, connection: &mut Connection, upload: &str, seed: usize) -> Option<()> {
        let mut done = |method: &str, at: &str, body: &[u8]| {
            connection.request(method, at, body).ok().filter(|(status, _)| *status == 201).map(drop)
        };
        done("MKCOL", upload, b"")?;
        (1..=3).try_for_each(|chunk| done("PUT", &format!("{upload}/{chunk}"), &chunk_of(seed, chunk)))
    }

    /// Looks at what is there and takes it as it is, if it may be so.
    fn verify(&mut self, connection: &mut Connection) {
        let there = names_in(connection, &self.folder());
        let may = [Some(&self.acknowledged), self.under_way.as_ref()];
        let is = |files: &Files| files.keys().eq(there.iter());
        assert!(may.into_iter().flatten().any(is), "client {}: {there:?} are there, may be {may:?}", self.number);
        let mut found = Files::new();
        for name in there {
            let (status, bytes) = connection.request("GET", &self.at(&name), b"").unwrap();
            assert_eq!(status, 200, "{name} of client {}", self.number);
            let seeds = may.into_iter().flatten().filter_map(|files| files.get(&name));
            let seed = seeds.copied().find(|seed| bytes_of(*seed) == bytes);
            found.insert(
                name.clone(),
                seed.unwrap_or_else(|| panic!("{name} of client {} has other bytes", self.number)),
            );
        }
        assert!(may.into_iter().flatten().any(|files| *files == found), "{found:?} are half of {may:?}");
        self.acknowledged = found;
        self.under_way = None;
    }
}

fn number_from(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn sigkill_under_eight_clients_loses_nothing_acknowledged_and_leaves_nothing_half_visible() {
    let (rounds, seed) = (number_from("CRASH_ROUNDS", 20), number_from("CRASH_SEED", 1));
    let directory = tempfile::tempdir().unwrap();
    make_spaces(directory.path(), ["demo".to_owned()]);
    let mut draw = Draw(seed);
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|number| Client {
            number,
            operations: 0,
            draw: Draw(seed.wrapping_mul(1_000_003) + number as u64),
            acknowledged: Files::new(),
            under_way: None,
        })
        .collect();
    make_folders(directory.path(), &clients);
    for round in 0..rounds {
        let binary = Binary::start_with(directory.path(), "exec", &SETTINGS);
        let is_killed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (binary, is_killed) = (&binary, &is_killed);
            for client in &mut clients {
                scope.spawn(move || client.work(binary, is_killed));
            }
            std::thread::sleep(Duration::from_micros(50_000 + draw.below(450_000) as u64));
            is_killed.store(true, Ordering::SeqCst);
            binary.kill_now();
        });
        binary.kill();

        let binary = Binary::start_with(directory.path(), "exec", &SETTINGS);
        let mut connection = Connection::open(binary.address, "demo.example.org").unwrap();
        clients.iter_mut().for_each(|client| client.verify(&mut connection));
        check(directory.path());
        binary.kill();
        if round % 50 == 49 {
            eprintln!("{} rounds", round + 1);
        }
    }
    let operations: usize = clients.iter().map(|client| client.operations).sum();
    eprintln!("crash: {rounds} rounds, seed {seed}, {operations} operations");
    assert!(operations as u64 > 20 * rounds, "{operations} operations prove nothing");
    assert_no_alarm(directory.path());
}

fn make_folders(data_dir: &Path, clients: &[Client]) {
    let binary = Binary::start(data_dir);
    let mut connection = Connection::open(binary.address, "demo.example.org").unwrap();
    for client in clients {
        assert_eq!(connection.request("MKCOL", &path(&client.folder()), b"").unwrap().0, 201);
    }
}
