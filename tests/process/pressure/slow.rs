//! Clients that stop in the middle, in either direction.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::Scene;
use crate::content;
use crate::http::{Connection, path};

const SHORT: [(&str, &str); 3] = [
    ("NICHOIR_SERVER__HEADER_SECONDS", "2"),
    ("NICHOIR_SERVER__BODY_IDLE_SECONDS", "2"),
    ("NICHOIR_SERVER__WRITE_IDLE_SECONDS", "2"),
];

/// How long the connection lasts, and what it says before it ends.
fn until_closed(mut stream: &TcpStream) -> (Duration, String) {
    let began = Instant::now();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut said = Vec::new();
    if let Err(error) = stream.read_to_end(&mut said) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "it was never closed");
    }
    (began.elapsed(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn headers_that_drip_end_in_time() {
    let scene = Scene::start(&SHORT);
    let beginnings = ["", "G", "GET /status.php HTTP/1.1\r\nHost: demo.example.org\r\n", "PRI * HTTP/2.0\r\n\r\n"];
    let dripping = beginnings.map(|beginning| {
        let address = scene.binary.address;
        std::thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(beginning.as_bytes()).unwrap();
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(300));
                if stream.write_all(b"x").is_err() {
                    break;
                }
            }
            (beginning, began.elapsed())
        })
    });
    for dripping in dripping {
        let (beginning, lasted) = dripping.join().unwrap();
        assert!(lasted < Duration::from_secs(10), "{beginning:?} lasted {lasted:?}");
    }
    // After a first request the same holds for the next.
    let mut kept = scene.open();
    assert_eq!(kept.request("GET", "/status.php", b"").unwrap().0, 200);
    let began = Instant::now();
    kept.send(b"GET /status.php HT").unwrap();
    assert!(kept.read_head().is_err());
    assert!(began.elapsed() < Duration::from_secs(10));
    scene.wait_until_alone(Duration::from_secs(5));
    scene.end();
}

#[test]
fn bodies_that_stop_are_told_so_and_leave_nothing() {
    let scene = Scene::start(&SHORT);
    let framings = ["Content-Length: 900000\r\n", "Transfer-Encoding: chunked\r\n"];
    let stalled: Vec<Connection> = (0..60)
        .map(|number| {
            let mut upload = scene.open();
            let name = path(&format!("stalled {}", number % 7).replace(' ', "-"));
            let method = if number % 3 == 0 { "PROPFIND" } else { "PUT" };
            upload.send_head(method, &name, framings[number % 2]).unwrap();
            let sent = content(number, if number % 4 < 2 { 100 } else { 60_000 });
            let sent = if number % 2 == 0 { sent } else { [format!("{:x}\r\n", 70_000).into_bytes(), sent].concat() };
            upload.send(&sent).unwrap();
            upload
        })
        .collect();
    for mut upload in stalled {
        let head = upload.read_head().expect("an answer");
        assert!((400..500).contains(&head.status) && head.is_last, "{}", head.status);
        assert!(!upload.read_body(head.length).unwrap().is_empty(), "a refusal says why");
    }
    let mut alice = scene.open();
    for number in 0..7 {
        assert_eq!(alice.request("GET", &path(&format!("stalled-{number}")), b"").unwrap().0, 404);
    }
    drop(alice);
    scene.wait_until_alone(Duration::from_secs(10));
    scene.end();
}

#[test]
fn answers_that_nobody_reads_are_cut_off() {
    let scene = Scene::start(&SHORT);
    let mut alice = scene.open();
    assert_eq!(alice.request("PUT", &path("large.bin"), &content(4, 20_000_000)).unwrap().0, 201);
    for number in 0..50 {
        assert_eq!(alice.request("PUT", &path(&format!("file-{number}")), b"x").unwrap().0, 201);
    }
    drop(alice);
    // A file, and listings asked for one behind the other.
    let unread: Vec<Connection> = (0..40)
        .map(|number| {
            let mut connection = scene.open();
            if number % 2 == 0 {
                connection.send_head("GET", &path("large.bin"), "").unwrap();
            } else {
                for _ in 0..200 {
                    if connection.send_head("PROPFIND", &path(""), "Depth: 1\r\n").is_err() {
                        break;
                    }
                }
            }
            connection
        })
        .collect();
    scene.wait_until_alone(Duration::from_secs(40));
    drop(unread);
    scene.end();
}

#[test]
fn heads_that_are_too_large_are_refused() {
    let scene = Scene::start(&SHORT);
    let head = |headers: &str| format!("GET /status.php HTTP/1.1\r\nHost: demo.example.org\r\n{headers}\r\n");
    let many: String = (0..500).map(|number| format!("X-{number}: y\r\n")).collect();
    for (name, request) in [
        ("one header of a megabyte", head(&format!("X-Large: {}\r\n", "y".repeat(1_000_000)))),
        ("many headers", head(&many)),
        ("a path of a megabyte", format!("GET /{} HTTP/1.1\r\nHost: demo.example.org\r\n\r\n", "y".repeat(1_000_000))),
        ("a line without end", "y".repeat(1_000_000)),
    ] {
        let mut stream = TcpStream::connect(scene.binary.address).unwrap();
        // It may be refused before all is sent.
        let _ = stream.write_all(request.as_bytes());
        let (lasted, said) = until_closed(&stream);
        assert!(lasted < Duration::from_secs(5), "{name} lasted {lasted:?}");
        eprintln!("pressure: {name}: {:?}", said.lines().next());
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{name}: {said}");
    }
    scene.wait_until_alone(Duration::from_secs(5));
    scene.end();
}
