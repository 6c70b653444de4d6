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
