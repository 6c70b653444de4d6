//! Clients that take up what their space has, and what is left for others.

use std::time::{Duration, Instant};

use crate::binary::{Binary, make_spaces};
use crate::http::{Connection, path};
use crate::{assert_no_alarm, content};

#[test]
fn two_hundred_stalled_uploads_keep_nobody_out_of_their_own_space_nor_of_another() {
    let directory = tempfile::tempdir().unwrap();
    make_spaces(directory.path(), ["demo", "other"].map(str::to_owned));
    let few = [("NICHOIR_LIMITS__SPACE_TURNS", "2"), ("NICHOIR_LIMITS__SPACE_WAITING_MAX", "10")];
    let binary = Binary::start_with(directory.path(), "exec", &few);
    let mut polling = ["demo", "other"].map(|space| {
        let mut connection = Connection::open(binary.address, &format!("{space}.example.org")).unwrap();
        // A log-in that is remembered from here on.
        assert_eq!(connection.request("GET", &path("none"), b"").unwrap().0, 404);
        connection
    });
    let body = content(3, 100_000);
    let stall = |number: usize| {
        let mut upload = Connection::open(binary.address, "demo.example.org").unwrap();
        let (sent, length) = if number.is_multiple_of(2) { (0, body.len()) } else { (70_000, body.len()) };
        upload.send_head("PUT", &path(&format!("{number}.bin")), &format!("Content-Length: {length}\r\n")).unwrap();
        upload.send(&body[..sent]).unwrap();
        (upload, sent)
    };
    let mut stalled = Vec::new();
    for number in 0..200 {
        // They come one after the other: together, they would be more than may wait.
        stalled.push(stall(number));
        if number % 5 == 4 {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    let began = Instant::now();
    for _ in 0..50 {
        for connection in &mut polling {
            assert_eq!(connection.request("GET", &path("none"), b"").unwrap().0, 404);
        }
    }
    assert!(began.elapsed() < Duration::from_secs(20), "100 polls took {:?}", began.elapsed());
    for (upload, sent) in &mut stalled[..6] {
        upload.send(&body[*sent..]).unwrap();
        assert_eq!(upload.read_head().unwrap().status, 201);
    }
    assert_no_alarm(directory.path());
}

#[test]
fn a_space_has_so_many_connections_and_leaves_the_others_theirs() {
    let directory = tempfile::tempdir().unwrap();
    make_spaces(directory.path(), ["demo", "other"].map(str::to_owned));
    let few = [("NICHOIR_SERVER__SPACE_CONNECTIONS_MAX", "3")];
    let binary = Binary::start_with(directory.path(), "exec", &few);
    let open = |space: &str| Connection::open(binary.address, &format!("{space}.example.org")).unwrap();
    let ask = |connection: &mut Connection| {
        connection.send_head("GET", &path("none"), "").unwrap();
        let head = connection.read_head().unwrap();
        connection.read_body(head.length).unwrap();
        (head.status, head.is_last)
    };

    let mut held = [open("demo"), open("demo"), open("demo")];
    held.iter_mut().for_each(|connection| assert_eq!(ask(connection), (404, false)));
    assert_eq!(ask(&mut open("demo")), (503, true), "the fourth of three");
    let mut other = open("other");
    assert_eq!(ask(&mut other), (404, false));
    assert_eq!(ask(&mut held[0]), (404, false), "who was there before is served on");

    drop(held);
    let since = Instant::now();
    while ask(&mut open("demo")) != (404, false) {
        assert!(since.elapsed() < Duration::from_secs(10), "places that are left are free again");
    }
    assert_no_alarm(directory.path());
}
