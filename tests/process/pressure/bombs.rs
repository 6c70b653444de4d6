//! Content that is small to send and large to work on. Each is taken or refused within a bounded time and memory, with words that say why.

use std::io::Cursor;
use std::time::{Duration, Instant};

use image::ImageEncoder as _;

use super::Scene;
use crate::http::{Connection, path};

/// The longest that one may take, on a slow machine with a debug build.
const BOUND: Duration = Duration::from_secs(15);

const CALENDAR: &str = "/remote.php/dav/calendars/alice/personal/";
const BOOK: &str = "/remote.php/dav/addressbooks/users/alice/contacts/";
const XML: &str = "Content-Type: application/xml\r\nDepth: 1\r\n";

/// A request and the statuses that it may be answered with.
struct Bomb {
    name: &'static str,
    method: &'static str,
    path: String,
    headers: String,
    body: Vec<u8>,
    expected: &'static [u16],
}

fn bomb(name: &'static str, method: &'static str, path: &str, headers: &str, body: impl Into<Vec<u8>>) -> Bomb {
    Bomb {
        name,
        method,
        path: path.to_owned(),
        headers: headers.to_owned(),
        body: body.into(),
        expected: &[400, 403, 413],
    }
}

impl Bomb {
    fn expecting(self, expected: &'static [u16]) -> Bomb {
        Bomb { expected, ..self }
    }
}

/// Throws each, and writes down what it took.
fn throw(scene: &Scene, bombs: Vec<Bomb>) {
    for bomb in bombs {
        let began = Instant::now();
        let before_kb = scene.binary.peak_memory_kb();
        let (status, said) = answered(scene, &bomb);
        let (took, more_kb) = (began.elapsed(), scene.binary.peak_memory_kb().saturating_sub(before_kb));
        eprintln!("pressure: {}: {status}, {} bytes, {took:?}, {more_kb} kB", bomb.name, said.len());
        let text = String::from_utf8_lossy(&said[..said.len().min(600)]).into_owned();
        assert!(bomb.expected.contains(&status), "{}: {status} {text}", bomb.name);
        assert!(took < BOUND, "{} took {took:?}", bomb.name);
        assert!(status < 400 || !said.is_empty(), "{}: {status} without a word", bomb.name);
    }
}

/// It may be refused, and the connection ended, before all of it is sent.
fn answered(scene: &Scene, bomb: &Bomb) -> (u16, Vec<u8>) {
    let mut connection: Connection = scene.open();
    let headers = &bomb.headers;
    connection
        .request_with(bomb.method, &bomb.path, headers, &bomb.body)
        .unwrap_or_else(|error| panic!("{}: {error}", bomb.name))
}

fn propfind(inner: &str) -> String {
    format!("<d:propfind xmlns:d='DAV:'>{inner}</d:propfind>")
}

#[test]
fn xml_bombs_are_refused_or_cost_little() {
    let scene = Scene::start(&[]);
    let mut alice = scene.open();
    for number in 0..100 {
        assert_eq!(alice.request("PUT", &path(&format!("file-{number}")), b"x").unwrap().0, 201);
    }
    drop(alice);
    let laughs: String =
        (1..10).map(|level| format!("<!ENTITY l{level} '{}'>", format!("&l{};", level - 1).repeat(10))).collect();
    let laughs =
        format!("<?xml version='1.0'?><!DOCTYPE p [<!ENTITY l0 'ha'>{laughs}]>{}", propfind("<d:prop>&l9;</d:prop>"));
    let outside = format!("<!DOCTYPE p [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>{}", propfind("&x;"));
    let parameter = format!("<!DOCTYPE p [<!ENTITY % x SYSTEM 'http://127.0.0.1:1/'> %x;]>{}", propfind(""));
    let many = |count: usize, each: &dyn Fn(usize) -> String| (0..count).map(each).collect::<String>();
    let attributes = many(30_000, &|number| format!(" a{number}=''"));
    let namespaces =
        many(60, &|level| format!("<x {}>", many(60, &|number| format!(" xmlns:n{level}-{number}='urn:{number}'"))));
    let unknown = many(15_000, &|number| format!("<d:p{number}/>"));
    let conditions = many(50, &|_| "<d:and>".to_owned());
    let twice = "\u{feff}<d:propfind xmlns:d='DAV:'/>".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let at = path("");
    let name = |name, body: String| bomb(name, "PROPFIND", &at, XML, body);
    throw(&scene, vec![
        name("a billion laughs", laughs),
        name("an entity outside", outside),
        name("a parameter entity outside", parameter),
        name("a deep document", "<d>".repeat(300_000)),
        name("a deep document that ends", propfind(&format!("{}{}", "<d:a>".repeat(80_000), "</d:a>".repeat(80_000)))),
        name("a wide document", propfind(&many(60_000, &|_| "<d:a/>".to_owned()))),
        name("many attributes", format!("<d:propfind xmlns:d='DAV:'{attributes}/>")),
        name("many namespaces", namespaces),
        name("more than a megabyte", propfind(&" ".repeat(2_000_000))),
        name("an element without end", format!("<{}", "a".repeat(900_000))),
        name("a comment without end", format!("<!--{}", "-".repeat(900_000))),
        name("references", propfind(&"&#65;".repeat(150_000))).expecting(&[207, 400]),
        bomb("UTF-16", "PROPFIND", &at, XML, twice).expecting(&[207, 400]),
        // As many properties as fit, of a hundred files: each is told that it is not there.
        name("fifteen thousand properties of a hundred files", propfind(&format!("<d:prop>{unknown}</d:prop>")))
            .expecting(&[207, 400, 403, 413, 507]),
        bomb("a property of a megabyte", "PROPPATCH", &path("file-1"), XML,
            format!("<d:propertyupdate xmlns:d='DAV:'><d:set><d:prop><x xmlns='urn:x'>{}</x></d:prop></d:set></d:propertyupdate>", "y".repeat(900_000)))
            .expecting(&[207, 400, 403, 413, 507]),
        bomb("a deep search", "SEARCH", "/remote.php/dav/", XML,
            format!("<d:searchrequest xmlns:d='DAV:'><d:basicsearch><d:select/><d:from/><d:where>{conditions}</d:where></d:basicsearch></d:searchrequest>")),
        bomb("many If lists", "PUT", &path("file-1"), &format!("If: {}\r\n", "(<urn:a> [\"b\"]) ".repeat(3_500)), "x")
            .expecting(&[400, 412, 431]),
        bomb("many ranges", "GET", &path("file-1"), &format!("Range: bytes={}0-\r\n", "0-0,".repeat(12_000)), "").expecting(&[200, 206, 416]),
        bomb("a deep path", "MKCOL", &path(&"a/".repeat(20_000)), "", "").expecting(&[400, 403, 409, 414]),
        bomb("a long name", "PUT", &path(&"a".repeat(50_000)), "", "x").expecting(&[400, 403, 414]),
    ]);
    scene.wait_until_alone(Duration::from_secs(10));
    scene.end();
}

fn event(lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:bomb\r\nDTSTAMP:20270101T000000Z\r\n\
        DTSTART:20270101T000000Z\r\nDURATION:PT1H\r\nSUMMARY:Bomb\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn card(lines: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:bomb\r\nFN:Bomb\r\nN:Bomb;;;;\r\n{lines}END:VCARD\r\n")
}

#[test]
fn calendar_and_card_bombs_are_refused_or_cost_little() {
    let scene = Scene::start(&[]);
    let (at, card_at) = (format!("{CALENDAR}bomb.ics"), format!("{BOOK}bomb.vcf"));
    let ics = |name, body: String| bomb(name, "PUT", &at, "Content-Type: text/calendar\r\n", body);
    let vcf = |name, body: String| bomb(name, "PUT", &card_at, "Content-Type: text/vcard\r\n", body);
    let many = |count: usize, each: &dyn Fn(usize) -> String| (0..count).map(each).collect::<String>();
    throw(&scene, vec![
        ics("many lines", event(&"X-A:b\r\n".repeat(60_000))),
        ics("many components", event(&"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nDESCRIPTION:x\r\nEND:VALARM\r\n".repeat(6_000))),
        ics("components inside each other", event(&format!("{}{}", "BEGIN:X-A\r\n".repeat(20_000), "END:X-A\r\n".repeat(20_000)))),
        ics("a folded line", event(&format!("X-A:{}\r\n", "b\r\n ".repeat(2_000_000)))).expecting(&[201, 204, 400, 403, 413]),
        ics("eleven megabytes", event(&format!("X-A:{}\r\n", "b".repeat(11_000_000)))),
        ics("many parameters", event(&format!("X-A{}:b\r\n", ";X=y".repeat(200_000)))).expecting(&[201, 204, 400, 403, 413]),
        ics("many attendees", event(&many(2_000, &|number| format!("ATTENDEE:mailto:a{number}@example.org\r\n")))),
        ics("many dates", event(&format!("RRULE:FREQ=DAILY\r\n{}", "EXDATE:20270101T000000Z\r\n".repeat(20_000)))),
        ics("many overrides", event(&"END:VEVENT\r\nBEGIN:VEVENT\r\nUID:bomb\r\nDTSTAMP:20270101T000000Z\r\nRECURRENCE-ID:20270102T000000Z\r\nDTSTART:20270102T000000Z\r\n".repeat(2_500))),
        vcf("many lines of a card", card(&"X-A:b\r\n".repeat(60_000))),
        vcf("a picture of six megabytes", card(&format!("PHOTO;ENCODING=b:{}\r\n", "QUJD".repeat(1_500_000)))),
        vcf("many parameters of a card", card(&format!("TEL{}:1\r\n", ";TYPE=home,work".repeat(100_000)))).expecting(&[201, 204, 400, 403, 413]),
        vcf("many groups", card(&many(40_000, &|number| format!("g{number}.TEL:1\r\n")))).expecting(&[201, 204, 400, 403, 413]),
    ]);
    scene.wait_until_alone(Duration::from_secs(10));
    scene.end();
}

#[test]
fn recurrence_bombs_are_refused_or_cost_little() {
    let scene = Scene::start(&[]);
    let rules = [
        "RRULE:FREQ=SECONDLY",
        "RRULE:FREQ=SECONDLY;COUNT=2000000000",
        "RRULE:FREQ=MINUTELY;INTERVAL=1;UNTIL=99991231T235959Z",
        "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=31;BYHOUR=1",
        "RRULE:FREQ=DAILY;INTERVAL=2147483647",
        "RRULE:FREQ=YEARLY;INTERVAL=9999999999999999999",
        "RRULE:FREQ=DAILY;COUNT=0",
        "RRULE:FREQ=YEARLY;BYYEARDAY=-366,366;BYSETPOS=-366;BYDAY=MO,TU,WE,TH,FR,SA,SU",
        "RRULE:FREQ=YEARLY;BYWEEKNO=53;BYDAY=53MO",
        "DURATION:P99999999999W\r\nRRULE:FREQ=DAILY",
        "RDATE;VALUE=PERIOD:00010101T000000Z/99991231T235959Z",
        "DTSTART:00010101T000000Z\r\nRRULE:FREQ=DAILY",
        "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-P9999W\r\nREPEAT:2000000000\r\nDURATION:PT1S\r\nDESCRIPTION:x\r\nEND:VALARM",
    ];
    let dense = format!("BYSECOND={0};BYMINUTE={0};BYHOUR={1}", list(60), list(24));
    let seconds = format!("RRULE:FREQ=YEARLY;{dense};BYMONTHDAY={};BYMONTH={}", list(31), list(12));
    let hundreds = "RRULE:FREQ=SECONDLY\r\n".repeat(5_000);
    let zone = "END:VEVENT\r\nBEGIN:VTIMEZONE\r\nTZID:X\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nRRULE:FREQ=SECONDLY\r\n\
        TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:bomb\r\nDTSTAMP:20270101T000000Z\r\n\
        RECURRENCE-ID:20270102T000000Z\r\nDTSTART;TZID=X:20270102T000000";
    let bombs = rules.into_iter().chain([seconds.as_str(), hundreds.trim_end(), zone]);
    let stored: Vec<Bomb> = bombs
        .enumerate()
        .map(|(number, lines)| {
            let body = event(&format!("{lines}\r\n")).replace("UID:bomb", &format!("UID:bomb-{number}"));
            bomb("a rule", "PUT", &format!("{CALENDAR}{number}.ics"), "Content-Type: text/calendar\r\n", body)
                .expecting(&[201, 204, 400, 403, 413])
        })
        .collect();
    throw(&scene, stored);
    let report = |inner: &str| {
        format!(
            "<c:calendar-query xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:prop>{inner}</d:prop><c:filter>\
            <c:comp-filter name='VCALENDAR'><c:comp-filter name='VEVENT'><c:time-range start='20280101T000000Z' end='20480101T000000Z'/>\
            </c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
        )
    };
    let expanded = "<c:calendar-data><c:expand start='20270101T000000Z' end='20470101T000000Z'/></c:calendar-data>";
    let alarms = report("<d:getetag/>").replace(
        "<c:time-range start='20280101T000000Z' end='20480101T000000Z'/>",
        "<c:comp-filter name='VALARM'><c:time-range start='20280101T000000Z' end='20480101T000000Z'/></c:comp-filter>",
    );
    let multiget = format!(
        "<c:calendar-multiget xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:prop>{expanded}</d:prop>{}</c:calendar-multiget>",
        format!("<d:href>{CALENDAR}0.ics</d:href>").repeat(4_000)
    );
    let free = "<c:free-busy-query xmlns:c='urn:ietf:params:xml:ns:caldav'><c:time-range start='20270101T000000Z' end='20470101T000000Z'/></c:free-busy-query>";
    let asked =
        |name, body: String| bomb(name, "REPORT", CALENDAR, XML, body).expecting(&[200, 207, 400, 403, 413, 507]);
    throw(
        &scene,
        vec![
            asked("a range of twenty years", report("<d:getetag/>")),
            asked("expansion of twenty years", report(expanded)),
            asked("alarms of twenty years", alarms),
            asked("the same expansion four thousand times", multiget),
            asked("free and busy time of twenty years", free.to_owned()),
        ],
    );
    scene.wait_until_alone(Duration::from_secs(10));
    scene.end();
}

/// A page of them was computed in one go, and whatever waited for the same thread with it.
#[test]
fn a_calendar_full_of_recurrence_bombs_is_looked_through_beside_others() {
    let scene = Scene::start(&[]);
    let mut alice = scene.open();
    for number in 0..16 {
        let never =
            event("RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=31\r\n").replace("UID:bomb", &format!("UID:{number}"));
        let at = format!("{CALENDAR}{number}.ics");
        assert_eq!(alice.request("PUT", &at, never.as_bytes()).unwrap().0, 201);
    }
    let began = Instant::now();
    let range = "<c:time-range start='20270101T000000Z' end='20470101T000000Z'/>";
    let free = format!("<c:free-busy-query xmlns:c='urn:ietf:params:xml:ns:caldav'>{range}</c:free-busy-query>");
    let query = format!(
        "<c:calendar-query xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:prop/><c:filter><c:comp-filter name='VCALENDAR'>\
        <c:comp-filter name='VEVENT'>{range}</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
    );
    // More at once than there are threads on two processors.
    std::thread::scope(|scope| {
        for body in [&query, &query, &free] {
            let mut connection = scene.open();
            scope.spawn(move || {
                let (status, _) = connection.request_with("REPORT", CALENDAR, XML, body.as_bytes()).unwrap();
                assert!(matches!(status, 200 | 207), "{status}");
            });
        }
    });
    let took = began.elapsed();
    drop(alice);
    let slowest = scene.slowest();
    eprintln!("pressure: three questions took {took:?}, the neighbour waited {slowest:?} at most");
    assert!(slowest < (took / 2).max(Duration::from_millis(300)), "the neighbour waited {slowest:?} of {took:?}");
    scene.end();
}

/// The numbers up to this.
fn list(count: usize) -> String {
    (1..=count).map(|number| (number % 60).to_string()).collect::<Vec<_>>().join(",")
}

#[test]
fn multipart_bombs_are_refused_or_cost_little() {
    let scene = Scene::start(&[("NICHOIR_DIALECT__HAS_BULK_UPLOAD", "true")]);
    let headers = "Content-Type: multipart/related; boundary=b\r\n";
    let bulk =
        |name, body: Vec<u8>| bomb(name, "POST", "/remote.php/dav/bulk", headers, body).expecting(&[200, 400, 413]);
    let empty =
        "--b\r\nX-File-Path: /x\r\nX-File-MD5: d41d8cd98f00b204e9800998ecf8427e\r\nContent-Length: 0\r\n\r\n\r\n";
    let avatar = "Content-Type: multipart/form-data; boundary=b\r\n";
    let field = "--b\r\nContent-Disposition: form-data; name=\"files[]\"; filename=\"a.png\"\r\n\r\n";
    throw(
        &scene,
        vec![
            bulk("ten thousand parts", [empty.repeat(10_000).as_bytes(), b"--b--\r\n"].concat()),
            bulk("a part of headers", [&b"--b\r\n"[..], "X-A: b\r\n".repeat(200_000).as_bytes()].concat()),
            bulk("a header without end", [&b"--b\r\nX-A: "[..], &[b'y'; 3_000_000]].concat()),
            bulk("no boundary", vec![b'y'; 10_000_000]),
            bulk("almost boundaries", b"\r\n--".repeat(2_000_000)),
            bulk(
                "a part that says it is huge",
                b"--b\r\nX-File-Path: /y\r\nContent-Length: 18446744073709551615\r\n\r\nx".to_vec(),
            ),
            bomb(
                "a picture of thirty megabytes",
                "POST",
                "/avatar/",
                avatar,
                [field.as_bytes(), &vec![7; 30_000_000]].concat(),
            )
            .expecting(&[400, 404, 413]),
            bomb(
                "a form of many fields",
                "POST",
                "/ocs/v2.php/apps/files_sharing/api/v1/shares",
                "Content-Type: application/x-www-form-urlencoded\r\nOCS-APIRequest: true\r\n",
                "a=b&".repeat(500_000),
            )
            .expecting(&[400, 413]),
            bomb(
                "deep JSON",
                "POST",
                "/ocs/v2.php/apps/files_sharing/api/v1/shares",
                "Content-Type: application/json\r\nOCS-APIRequest: true\r\n",
                "[".repeat(200_000),
            )
            .expecting(&[400, 404, 413]),
        ],
    );
    scene.wait_until_alone(Duration::from_secs(10));
    scene.end();
}

/// A PNG chunk; decoders that check sums before sizes would be safe anyway, so the sum is right.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut sum = u32::MAX;
    for byte in kind.iter().chain(data) {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 };
        }
    }
    [&(data.len() as u32).to_be_bytes()[..], kind, data, &(!sum).to_be_bytes()].concat()
}

fn png(width: u32, height: u32, further: &[Vec<u8>]) -> Vec<u8> {
    let size = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &size), further.concat(), chunk(b"IEND", &[])].concat()
}

/// A grey picture of nothing, and the compressed bytes in it.
fn nothing(side: u32) -> (Vec<u8>, Vec<u8>) {
    let mut whole = Cursor::new(Vec::new());
    let encoder = image::codecs::png::PngEncoder::new(&mut whole);
    encoder.write_image(&vec![0; (side * side) as usize], side, side, image::ExtendedColorType::L8).unwrap();
    let whole = whole.into_inner();
    let (mut at, mut compressed) = (8, Vec::new());
    while at < whole.len() {
        let length = u32::from_be_bytes(whole[at..at + 4].try_into().unwrap()) as usize;
        if &whole[at + 4..at + 8] == b"IDAT" {
            compressed.extend_from_slice(&whole[at + 8..at + 8 + length]);
        }
        at += 12 + length;
    }
    (whole, compressed)
}

#[test]
fn picture_bombs_have_no_preview_or_cost_little() {
    let scene = Scene::start(&[]);
    let (large, _) = nothing(6_000);
    let (_, compressed) = nothing(12_000);
    let profile = chunk(b"iCCP", &[&b"x\0\0"[..], &compressed].concat());
    let text = chunk(b"zTXt", &[&b"x\0\0"[..], &compressed].concat());
    let gif = [
        &b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff"[..],
        b"\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x44\x01\0\x3b",
    ]
    .concat();
    let frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
    let frames = [&b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff"[..], &frame.repeat(100_000), b"\x3b"].concat();
    let jpeg = b"\xff\xd8\xff\xc0\0\x11\x08\xff\xdc\xff\xdc\x03\x01\x22\0\x02\x11\0\x03\x11\0\xff\xda\0\x0c\x03\x01\0\x02\0\x03\0\0\x3f\0".to_vec();
    let webp = b"RIFF\x1a\0\0\0WEBPVP8 \x0e\0\0\0\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f\0\0\0\0".to_vec();
    let pictures: [(&str, Vec<u8>); 10] = [
        ("a PNG of nine hundred million pixels", png(30_000, 30_000, &[chunk(b"IDAT", &compressed)])),
        ("a PNG as large as can be said", png(i32::MAX as u32, i32::MAX as u32, &[chunk(b"IDAT", &compressed)])),
        ("a PNG whose profile swells", png(10, 10, &[profile, chunk(b"IDAT", &compressed)])),
        ("a PNG whose text swells", png(10, 10, &[text.repeat(20), chunk(b"IDAT", &compressed)])),
        ("a PNG of nothing", large),
        ("a huge GIF", gif),
        ("a GIF of a hundred thousand frames", frames),
        ("a huge JPEG", jpeg),
        ("a huge WebP", webp),
        ("no picture at all", vec![0x89; 5_000_000]),
    ];
    let mut alice = scene.open();
    let mut asked = Vec::new();
    for (number, (name, bytes)) in pictures.into_iter().enumerate() {
        let kind = ["png", "png", "png", "png", "png", "gif", "gif", "jpg", "webp", "png"][number];
        assert_eq!(alice.request("PUT", &path(&format!("{number}.{kind}")), &bytes).unwrap().0, 201);
        let at = format!("/core/preview.png?file=/{number}.{kind}&x=256&y=256&a=1");
        asked.push(bomb(name, "GET", &at, "", "").expecting(&[200, 404, 429]));
    }
    drop(alice);
    throw(&scene, asked);
    scene.wait_until_alone(Duration::from_secs(20));
    // Less than `previews.memory_bytes_max`.
    scene.end_within(250_000);
}
