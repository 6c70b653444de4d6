//! HTTP/2 as an attacker speaks it: each flood ends with the connection or costs no more than an honest client could have made it cost.

use std::time::{Duration, Instant};

use super::Scene;
use super::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PRIORITY, RST_STREAM, Raw, SETTINGS, WINDOW_UPDATE,
    field, frame, indexed_field, request,
};
use crate::content;
use crate::http::path;

/// How long one flood is kept up, if nobody ends it.
const FLOOD: Duration = Duration::from_millis(1_500);

/// What a flood sends, frame by frame.
type Wave = fn(u32) -> Vec<u8>;

const FLOODS: [(&str, Wave, Wave); 14] = [
    ("rapid reset", nothing, |number| {
        let stream = 2 * number + 1;
        let open = frame(HEADERS, END_HEADERS | END_STREAM, stream, &request("PROPFIND", &path("")));
        [open, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
    }),
    // "Made you reset": the server is brought to reset what it has begun.
    ("rapid reset by the server", nothing, |number| {
        let stream = 2 * number + 1;
        let open = frame(HEADERS, END_HEADERS | END_STREAM, stream, &request("PROPFIND", &path("")));
        [open, frame(WINDOW_UPDATE, 0, stream, &[0; 4])].concat()
    }),
    ("continuation without end", headers_without_end, |_| {
        frame(CONTINUATION, 0, 1, &field("x-more", &"y".repeat(200)))
    }),
    ("empty continuation", headers_without_end, |_| frame(CONTINUATION, 0, 1, &[])),
    ("empty data", begin_upload, |_| frame(DATA, 0, 1, &[])),
    ("data of a byte", begin_upload, |_| frame(DATA, 0, 1, b"x")),
    ("padding only", begin_upload, |_| frame(DATA, 8, 1, &[&[200][..], &[0; 200]].concat())),
    ("settings", nothing, |number| {
        frame(SETTINGS, 0, 0, &[&[0, 4][..], &(65_535 + number % 2).to_be_bytes()].concat())
    }),
    ("empty settings", nothing, |_| frame(SETTINGS, 0, 0, &[])),
    ("ping", nothing, |_| frame(PING, 0, 0, &[7; 8])),
    ("window updates", begin_upload, |_| frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])),
    ("priority", nothing, |number| frame(PRIORITY, 0, 2 * number + 1, &[0, 0, 0, 0, 1])),
    ("unknown frames", nothing, |_| frame(0xbe, 0, 0, &[0; 100])),
    // A few bytes that stand for four thousand, many times over.
    ("header table bomb", nothing, |number| {
        let bomb =
            [request("GET", "/status.php"), indexed_field("x-bomb", &"y".repeat(4_000)), vec![0xbe; 8_000]].concat();
        frame(HEADERS, END_HEADERS | END_STREAM, 2 * number + 1, &bomb)
    }),
];

fn nothing(_: u32) -> Vec<u8> {
    Vec::new()
}

fn headers_without_end(_: u32) -> Vec<u8> {
    frame(HEADERS, END_STREAM, 1, &request("GET", "/status.php"))
}

fn begin_upload(_: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, 1, &request("PUT", &path("flood.bin")))
}

/// Sends as fast as it can while somebody else reads; whether the server ended it, and with which code.
fn flood(scene: &Scene, open: Wave, wave: Wave) -> (bool, Option<u32>, u32) {
    let mut raw = Raw::open(scene.binary.address, &[]);
    let mut reader = raw.other();
    let reading = std::thread::spawn(move || reader.drain(FLOOD));
    let began = Instant::now();
    let (mut sent, mut bytes) = (0, open(0));
    let mut is_cut = raw.send(&bytes).is_err();
    while !is_cut && began.elapsed() < FLOOD {
        bytes.clear();
        (0..50).for_each(|step| bytes.extend(wave(sent + step)));
        is_cut = raw.send(&bytes).is_err();
        sent += 50;
    }
    let (is_closed, code) = reading.join().unwrap();
    raw.close();
    (is_cut || is_closed, code, sent)
}

#[test]
fn floods_of_frames_end_with_the_connection_or_harm_nobody() {
    let scene = Scene::start(&[]);
    for (name, open, wave) in FLOODS {
        let ticks = scene.binary.processor_ticks();
        let (is_ended, code, sent) = flood(&scene, open, wave);
        let ticks = scene.binary.processor_ticks() - ticks;
        eprintln!("pressure: {name}: {sent} frames, GOAWAY {code:?}, {ticks} hundredths of a second");
        assert!(is_ended, "{name}: {sent} frames were taken");
        assert!(ticks < 100, "{name} cost {ticks} hundredths of a second");
    }
    scene.wait_until_alone(Duration::from_secs(5));
    scene.end();
}

#[test]
fn answers_for_which_a_client_makes_no_room_are_cut_off() {
    let scene =
        Scene::start(&[("NICHOIR_SERVER__WRITE_IDLE_SECONDS", "1"), ("NICHOIR_SERVER__SPACE_REQUESTS_MAX", "60")]);
    let mut alice = scene.open();
    assert_eq!(alice.request("PUT", &path("large.bin"), &content(4, 3_000_000)).unwrap().0, 201);
    for number in 0..30 {
        assert_eq!(alice.request("PUT", &path(&format!("a-file-with-a-long-name-{number}")), b"x").unwrap().0, 201);
    }
    drop(alice);
    // Room for nothing at all, for the first bytes, and for all but the last.
    for window in [0, 1, 70_000] {
        let mut raw = Raw::open(scene.binary.address, &[(4, window)]);
        for number in 0..40 {
            let (method, at) = if number % 2 == 0 { ("GET", path("large.bin")) } else { ("PROPFIND", path("")) };
            raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 2 * number + 1, &request(method, &at))).unwrap();
        }
        let (mut reset, mut ended) = (0, 0);
        while reset + ended < 40 {
            let came = raw.read().expect("each is ended one way or the other");
            reset += usize::from(came.kind == RST_STREAM);
            ended += usize::from(matches!(came.kind, DATA | HEADERS) && came.flags & END_STREAM != 0);
        }
        assert!(reset >= 20, "{reset} were reset with room for {window} bytes");
        // The connection itself goes on.
        raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 99, &request("HEAD", "/status.php"))).unwrap();
        let answer = std::iter::from_fn(|| raw.read().ok()).find(|came| came.kind == HEADERS && came.stream == 99);
        assert_eq!(answer.unwrap().status(), 200);
        raw.close();
    }
    scene.wait_until_alone(Duration::from_secs(5));
    scene.end();
}

#[test]
fn a_space_has_so_many_requests_of_http2_at_once() {
    let scene = Scene::start(&[("NICHOIR_SERVER__SPACE_REQUESTS_MAX", "10")]);
    assert_eq!(scene.open().request("PUT", &path("large.bin"), &content(4, 3_000_000)).unwrap().0, 201);
    let mut raw = Raw::open(scene.binary.address, &[(4, 0)]);
    for number in 0..15 {
        let get = request("GET", &path("large.bin"));
        raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 2 * number + 1, &get)).unwrap();
    }
    let mut statuses = Vec::new();
    while statuses.len() < 15 {
        let came = raw.read().unwrap();
        if came.kind == HEADERS {
            statuses.push(came.status());
        }
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 10, "{statuses:?}");
    // One that is given up is another's.
    raw.send(&frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])).unwrap();
    for number in 20..25 {
        std::thread::sleep(Duration::from_millis(100));
        let head = request("HEAD", &path("large.bin"));
        raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 2 * number + 1, &head)).unwrap();
        let answer =
            std::iter::from_fn(|| raw.read().ok()).find(|came| came.kind == HEADERS && came.stream == 2 * number + 1);
        assert_eq!(answer.unwrap().status(), 200);
    }
    raw.close();
    scene.end();
}

#[test]
fn a_connection_without_requests_ends_though_it_answers_pings() {
    let settings = [("NICHOIR_SERVER__HEADER_SECONDS", "1"), ("NICHOIR_SERVER__HTTP2_IDLE_SECONDS", "2")];
    let scene = Scene::start(&settings);
    let mut silent = Raw::open(scene.binary.address, &[]);
    let mut used = Raw::open(scene.binary.address, &[]);
    used.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &request("GET", "/status.php"))).unwrap();
    let began = Instant::now();
    assert_eq!(silent.drain(Duration::from_secs(10)), (true, Some(0)));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(used.drain(Duration::from_secs(10)), (true, Some(0)));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    scene.wait_until_alone(Duration::from_secs(5));
    scene.end();
}
