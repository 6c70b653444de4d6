//! The built binary: it drains when told to stop, loses nothing acknowledged when killed, and keeps within its files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "these tests measure real processes, by the real clock")]

mod backup;
mod binary;
mod crash;
mod export;
mod fairness;
mod http;
mod power_cut;
mod pressure;
mod scrub;
mod secrets;

use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use binary::{Binary, log_of, make_empty_spaces, make_spaces};
use http::{Connection, path};

/// Bytes that follow from a number, so that every file is known without being kept.
fn content(seed: usize, length: usize) -> Vec<u8> {
    (0..length).map(|place| (place.wrapping_mul(31) ^ seed.wrapping_mul(131) ^ (place >> 8)) as u8).collect()
}

fn put(binary: &Binary, name: &str, body: &[u8]) -> u16 {
    let mut connection = Connection::open(binary.address, "demo.example.org").expect("it listens");
    connection.request("PUT", &path(name), body).expect("an answer").0
}

fn get(binary: &Binary, name: &str) -> (u16, Vec<u8>) {
    let mut connection = Connection::open(binary.address, "demo.example.org").expect("it listens");
    connection.request("GET", &path(name), b"").expect("an answer")
}

fn demo_space(directory: &Path) {
    make_spaces(directory, ["demo".to_owned()]);
}

fn assert_no_alarm(directory: &Path) {
    let log = log_of(directory);
    let alarms: Vec<&str> = log.lines().filter(|line| line.contains("ERROR") || line.contains("panicked")).collect();
    assert!(alarms.is_empty(), "{alarms:?}");
}

#[test]
fn sigterm_lets_a_slow_upload_finish_and_ends_with_status_0() {
    let directory = tempfile::tempdir().unwrap();
    demo_space(directory.path());
    let mut binary = Binary::start(directory.path());
    let body = content(1, 400_000);
    let mut upload = Connection::open(binary.address, "demo.example.org").unwrap();
    upload.send_head("PUT", &path("slow.bin"), "Content-Length: 400000\r\n").unwrap();
    upload.send(&body[..150_000]).unwrap();
    std::thread::sleep(Duration::from_millis(300));

    binary.terminate();
    std::thread::sleep(Duration::from_millis(500));
    assert!(TcpStream::connect(binary.address).is_err(), "it still takes new connections");
    upload.send(&body[150_000..300_000]).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    upload.send(&body[300_000..]).unwrap();

    assert_eq!(upload.read_head().unwrap().status, 201);
    assert!(binary.wait(Duration::from_secs(10)).success(), "{}", log_of(directory.path()));
    let binary = Binary::start(directory.path());
    assert_eq!(get(&binary, "slow.bin"), (200, body));
    assert_no_alarm(directory.path());
}

/// Two would not hear of each other's changes: each remembers what it read.
#[test]
fn a_second_server_of_the_same_files_does_not_start_and_a_command_does() {
    let directory = tempfile::tempdir().unwrap();
    demo_space(directory.path());
    let first = Binary::start(directory.path());
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nichoir"));
        let output = command.args(arguments).arg("--data-dir").arg(directory.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, said) = run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("another server serves this data"), "{said}");
    assert_eq!(run(&["space", "list"]).0, Some(0));
    assert_eq!(put(&first, "file", b"x"), 201);

    first.kill_now();
    drop(first);
    let next = Binary::start(directory.path());
    assert_eq!(get(&next, "file"), (200, b"x".to_vec()));
}

#[test]
fn sigterm_lets_a_slow_download_finish() {
    let directory = tempfile::tempdir().unwrap();
    demo_space(directory.path());
    let mut binary = Binary::start(directory.path());
    let body = content(2, 30_000_000);
    assert_eq!(put(&binary, "large.bin", &body), 201);
    let mut download = Connection::open(binary.address, "demo.example.org").unwrap();
    download.send_head("GET", &path("large.bin"), "").unwrap();
    let head = download.read_head().unwrap();
    assert_eq!((head.status, head.length), (200, body.len()));
    let first = download.read_body(1_000_000).unwrap();

    binary.terminate();
    std::thread::sleep(Duration::from_millis(500));
    let rest = download.read_body(head.length - first.len()).unwrap();

    assert!([first, rest].concat() == body, "other bytes came down");
    assert!(binary.wait(Duration::from_secs(10)).success());
}

#[test]
fn sigterm_does_not_wait_for_idle_connections() {
    let directory = tempfile::tempdir().unwrap();
    demo_space(directory.path());
    let mut binary = Binary::start(directory.path());
    let mut used = Connection::open(binary.address, "demo.example.org").unwrap();
    assert_eq!(used.request("GET", "/status.php", b"").unwrap().0, 200);
    let _silent = Connection::open(binary.address, "demo.example.org").unwrap();

    let asked = Instant::now();
    binary.terminate();

    assert!(binary.wait(Duration::from_secs(10)).success());
    assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?}", asked.elapsed());
}

/// A refusal that comes while the client still sends: node-fetch wrote its next request into a connection that was ending.
#[test]
fn an_answer_before_the_end_of_the_body_says_that_it_is_the_last_and_reaches_the_client() {
    let directory = tempfile::tempdir().unwrap();
    demo_space(directory.path());
    let binary = Binary::start(directory.path());
    assert_eq!(put(&binary, "there.txt", b"first"), 201);
    let body = content(2, 20_000_000);

    let mut refused = Connection::open(binary.address, "demo.example.org").unwrap();
    refused.send_head("PUT", &path("there.txt"), "If-None-Match: *\r\nContent-Length: 20000000\r\n").unwrap();
    refused.send(&body).expect("a connection that takes what is sent");
    let head = refused.read_head().unwrap();
    assert_eq!((head.status, head.is_last), (412, true));
    assert_eq!(refused.read_body(head.length).unwrap().len(), head.length);
    assert!(refused.read_head().is_err(), "nothing follows the last answer");

    let mut kept = Connection::open(binary.address, "demo.example.org").unwrap();
    kept.send_head("PUT", &path("there.txt"), "Content-Length: 5\r\n").unwrap();
    kept.send(b"after").unwrap();
    let head = kept.read_head().unwrap();
    assert_eq!((head.status, head.is_last), (204, false));
    assert_eq!(kept.request("GET", &path("there.txt"), b"").unwrap(), (200, b"after".to_vec()));
    assert_no_alarm(directory.path());
}

#[test]
fn a_restart_with_five_thousand_spaces_serves_at_once() {
    let directory = tempfile::tempdir().unwrap();
    make_spaces(directory.path(), ["space-7", "space-999"].map(str::to_owned));
    make_empty_spaces(directory.path(), (0..4998).map(|number| format!("empty-{number}")));
    let binary = Binary::start(directory.path());
    let mut connection = Connection::open(binary.address, "space-7.example.org").unwrap();
    assert_eq!(connection.request("PUT", &path("a.txt"), b"before").unwrap().0, 201);
    binary.kill();

    let started = Instant::now();
    let binary = Binary::start(directory.path());
    let mut connection = Connection::open(binary.address, "space-7.example.org").unwrap();
    assert_eq!(connection.request("GET", &path("a.txt"), b"").unwrap(), (200, b"before".to_vec()));
    let mut connection = Connection::open(binary.address, "space-999.example.org").unwrap();
    assert_eq!(connection.request("GET", &path("a.txt"), b"").unwrap().0, 404);
    assert!(started.elapsed() < Duration::from_secs(2), "the restart took {:?}", started.elapsed());
}

#[test]
fn three_hundred_spaces_are_served_with_256_open_files() {
    let directory = tempfile::tempdir().unwrap();
    make_spaces(directory.path(), (0..300).map(|number| format!("space-{number}")));
    let binary = Binary::start_with(directory.path(), "ulimit -n 256; exec", &[]);
    for round in ["one", "two"] {
        for number in 0..300 {
            let mut connection = Connection::open(binary.address, &format!("space-{number}.example.org")).unwrap();
            let (status, _) =
                connection.request("PUT", &path("a.txt"), format!("{round} {number}").as_bytes()).unwrap();
            assert_eq!(status, if round == "one" { 201 } else { 204 }, "space {number}: {}", log_of(directory.path()));
        }
    }
    for number in (0..300).rev() {
        let mut connection = Connection::open(binary.address, &format!("space-{number}.example.org")).unwrap();
        let (status, body) = connection.request("GET", &path("a.txt"), b"").unwrap();
        assert_eq!((status, String::from_utf8_lossy(&body)), (200, format!("two {number}").into()));
    }
    assert_no_alarm(directory.path());
}

#[test]
fn a_taken_address_is_one_line_on_stderr_and_status_1() {
    let directory = tempfile::tempdir().unwrap();
    demo_space(directory.path());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let told = std::process::Command::new(env!("CARGO_BIN_EXE_nichoir"))
        .args(["serve", "--listen", &taken.local_addr().unwrap().to_string(), "--data-dir"])
        .arg(directory.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(1), "{stderr}");
    let address = taken.local_addr().unwrap().to_string();
    assert!(stderr.lines().any(|line| line.contains(&address)), "it does not say which address: {stderr}");
}

#[test]
fn a_body_that_was_not_asked_for_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    demo_space(directory.path());
    let binary = Binary::start(directory.path());
    let mut client = Connection::open(binary.address, "demo.example.org").unwrap();
    let headers = "Content-Length: 40000000\r\nIf-Match: \"another\"\r\nExpect: 100-continue\r\n";
    client.send_head("PUT", &path("large.bin"), headers).unwrap();
    assert_eq!(client.read_head().unwrap().status, 412, "not 100");
    assert_no_alarm(directory.path());
}
