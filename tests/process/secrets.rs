//! Secrets that a server is given in its settings and by its clients are in no log line, in no refusal and in no metric: every one
//! has the same rare word in it, and everything that the processes say at the level `trace` is looked through for that word.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::binary::{Binary, PASSWORD, log_of, make_spaces};

/// In every secret that is planted.
const WORD: &str = "planted";
/// The keys of RFC 8291's example.
const PUSH: &str = "<push-register xmlns='https://bitfire.at/webdav-push'><subscription><web-push-subscription>\
    <push-resource>http://127.0.0.1:9/planted-resource</push-resource><subscription-public-key type='p256dh'>\
    BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4</subscription-public-key>\
    <auth-secret>BTBZMqHH6r4Tts7J_aSIgg</auth-secret></web-push-subscription></subscription></push-register>";
const SUBSCRIBE: &str = "<d:mkcol xmlns:d='DAV:' xmlns:cs='http://calendarserver.org/ns/'><d:set><d:prop><d:resourcetype>\
    <d:collection/><cs:subscribed/></d:resourcetype><cs:source><d:href>http://127.0.0.1:9/planted-feed.ics</d:href></cs:source>\
    </d:prop></d:set></d:mkcol>";
const FORM: &str =
    "Content-Type: application/x-www-form-urlencoded\r\nOCS-APIRequest: true\r\nAccept: application/json";
const XML: &str = "Content-Type: application/xml";

fn basic(login: &str, password: &str) -> String {
    format!("Authorization: Basic {}", STANDARD.encode(format!("{login}:{password}")))
}

/// Sends bytes as they are and reads all that comes back.
fn send(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn ask(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: demo.example.org\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n\r\n"
    );
    send(address, format!("{head}{body}").as_bytes())
}

/// Everything that was planted or given, and where it must not be.
struct Watch {
    secrets: Vec<String>,
    found: Vec<String>,
}

impl Watch {
    fn new() -> Watch {
        let secrets = [WORD, PASSWORD, "$argon2"].map(str::to_owned).to_vec();
        let mut watch = Watch { secrets, found: Vec::new() };
        for (login, password) in [("alice", PASSWORD), ("alice", "planted-basic"), ("new", "planted-new-7x")] {
            watch.secrets.push(STANDARD.encode(format!("{login}:{password}")));
        }
        watch
    }

    fn look(&mut self, place: &str, text: &str) {
        for secret in self.secrets.iter().filter(|secret| text.contains(secret.as_str())) {
            let line = text.lines().find(|line| line.contains(secret.as_str())).unwrap_or_default();
            self.found.push(format!("{place} has {secret}: {}", line.chars().take(300).collect::<String>()));
        }
    }

    /// Of a refusal; what was asked for may give something.
    fn look_at_answer(&mut self, place: &str, answer: &str) {
        let status = answer.get(9..12).unwrap_or_default();
        if status.starts_with('4') || status.starts_with('5') {
            self.look(place, answer);
        }
    }

    /// What the server gave must not be told to anybody else: what stands between two texts of an answer.
    fn keep(&mut self, answer: &str, before: &str, after: &str) -> String {
        let rest = answer.split_once(before).unwrap_or_else(|| panic!("no {before} in {answer}")).1;
        let given = rest.split(after).next().unwrap_or_default().to_owned();
        assert!(given.len() > 10, "{given} in {answer}");
        self.secrets.push(given.clone());
        given
    }
}

/// Requests whose credentials, paths, cookies or framing are wrong.
fn ask_wrongly(address: SocketAddr, watch: &mut Watch) {
    let file = "/remote.php/dav/files/alice/a.txt";
    for headers in [
        basic("alice", "planted-basic"),
        basic("planted-login", "planted-basic"),
        "Authorization: Basic planted-not-base64!".to_owned(),
        format!("Authorization: Basic {}", STANDARD.encode("planted-no-colon")),
        "Authorization: Bearer planted-bearer".to_owned(),
        "Authorization: Digest username=\"planted\", response=\"planted-digest\"".to_owned(),
        "Authorization: planted-scheme".to_owned(),
        "Authorization: Basic \u{e9}planted-latin".to_owned(),
        format!("{}\r\n{}", basic("alice", "planted-basic"), basic("bob", "planted-twice")),
        "Cookie: nichoir_link_1=planted-cookie; __Host-nichoir_link_1=planted-cookie; sid=planted-session".to_owned(),
        "Planted header without a colon".to_owned(),
        format!("X-Large: {}", "planted ".repeat(200_000)),
        "X-Access-Token: planted-token\r\nX-WOPI-Lock: planted-lock".to_owned(),
        "If: (<opaquelocktoken:planted-lock>)\r\nLock-Token: <opaquelocktoken:planted-lock>".to_owned(),
        "Content-Length: planted".to_owned(),
        "Transfer-Encoding: planted".to_owned(),
        "Destination: http://alice:planted-destination@demo.example.org/x".to_owned(),
    ] {
        for (method, path) in
            [("GET", file), ("PROPFIND", "/remote.php/dav/"), ("GET", "/ocs/v2.php/cloud/user"), ("PUT", file)]
        {
            let answer = ask(address, method, path, &headers, "");
            watch.look_at_answer(&format!("{method} {path} with {headers:.60}"), &answer);
        }
    }
    for path in [
        "/s/planted-link",
        "/s/planted-link/authenticate/showshare",
        "/public.php/dav/files/planted-link/a",
        "/remote.php/direct/planted-ticket",
        "/remote.php/dav/public-calendars/planted-calendar",
        "/remote.php/dav/push/planted-registration",
        "/index.php/login/v2/flow/planted-flow",
        "/index.php/apps/richdocuments/direct/planted-page",
        "/index.php/apps/richdocuments/wopi/files/1_x?access_token=planted-wopi",
        "/remote.php/dav/uploads/alice/planted-upload/.file",
        "/remote.php/dav/files/alice/planted-name.txt",
        "/remote.php/dav/files/planted-login/x",
        "/ocs/v2.php/cloud/user?access_token=planted-query&password=planted-password",
        "/index.php/planted-nothing",
        "/planted%",
        "http://alice:planted-authority@demo.example.org/x",
    ] {
        for method in ["GET", "PROPFIND", "PUT", "DELETE", "MOVE", "PLANTED"] {
            for headers in ["X-Nothing: x".to_owned(), basic("alice", PASSWORD)] {
                ask(address, method, path, &headers, "token=planted-form&password=planted-form");
            }
        }
    }
    for (path, body) in [
        ("/index.php/login/v2/flow/planted-flow", "user=alice&password=planted-form"),
        ("/index.php/login/flow", "user=alice&password=planted-form"),
        ("/index.php/login/v2/poll", "token=planted-poll"),
        ("/index.php/core/wipe/check", "token=planted-wipe"),
    ] {
        watch.look_at_answer(path, &ask(address, "POST", path, FORM, body));
    }
    for bytes in [
        "planted-garbage\r\n\r\n".to_owned(),
        "GET /planted-version HTTP/9.9\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: planted host\r\n\r\n".to_owned(),
        format!(
            "PUT {file} HTTP/1.1\r\nHost: demo.example.org\r\n{}\r\nContent-Length: 9000\r\n\r\nplanted",
            basic("alice", PASSWORD)
        ),
        format!(
            "PUT {file} HTTP/1.1\r\nHost: demo.example.org\r\n{}\r\nTransfer-Encoding: chunked\r\n\r\nplanted",
            basic("alice", PASSWORD)
        ),
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        let _ = stream.write_all(bytes.as_bytes());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Requests that succeed, and what they give.
fn ask_rightly(address: SocketAddr, watch: &mut Watch) {
    let alice = basic("alice", PASSWORD);
    let put = ask(address, "PUT", "/remote.php/dav/files/alice/a.txt", &alice, "planted content");
    assert!(put.starts_with("HTTP/1.1 201"), "{put}");
    let ocs = |method: &str, path: &str, form: &str| {
        ask(address, method, &format!("/ocs/v2.php{path}"), &format!("{alice}\r\n{FORM}"), form)
    };
    let made = ocs("POST", "/cloud/users", "userid=new&password=planted-new-7x");
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");
    watch.look_at_answer("a weak password", &ocs("POST", "/cloud/users", "userid=other&password=planted"));
    ocs("PUT", "/cloud/users/new", "key=password&value=planted-next-8y");
    watch.look_at_answer("a validation", &ocs("POST", "/apps/password_policy/api/v1/validate", "password=planted"));
    watch.look_at_answer("a confirmation", &ocs("PUT", "/core/apppassword/confirm", "password=planted-confirm"));
    let link = ocs("POST", "/apps/files_sharing/api/v1/shares", "path=/a.txt&shareType=3&password=planted-link-9z");
    // The page with the form says its own address.
    let token = watch.keep(&link, "\"token\":\"", "\"");
    watch.secrets.pop();
    let page = format!("/s/{token}/authenticate/showshare");
    watch.look_at_answer("a wrong link password", &ask(address, "POST", &page, FORM, "password=planted-wrong"));
    let entered = ask(address, "POST", &page, FORM, "password=planted-link-9z");
    let ticket = watch.keep(&entered, "set-cookie: ", ";");
    watch.secrets.push(token.clone());
    ask(address, "GET", &format!("/s/{token}"), &format!("Cookie: {ticket}"), "");
    ask(address, "GET", &format!("/public.php/dav/files/{token}"), &basic("x", "planted-link-9z"), "");

    let app_password = watch.keep(&ocs("GET", "/core/getapppassword", ""), "\"apppassword\":\"", "\"");
    let device = basic("alice", &app_password);
    watch.secrets.push(device.trim_start_matches("Authorization: Basic ").to_owned());
    assert!(ask(address, "PROPFIND", "/remote.php/dav/files/alice/", &device, "").starts_with("HTTP/1.1 207"));
    let flow = ask(address, "POST", "/index.php/login/v2", "X-Nothing: x", "");
    let poll = watch.keep(&flow, "\"token\":\"", "\"");
    let page = watch.keep(&flow, "/login/v2/flow/", "\"");
    let granted =
        ask(address, "POST", &format!("/login/v2/flow/{page}"), FORM, &format!("user=alice&password={PASSWORD}"));
    assert!(granted.starts_with("HTTP/1.1 200"), "{granted}");
    let told = ask(address, "POST", "/login/v2/poll", FORM, &format!("token={poll}"));
    watch.keep(&told, "\"appPassword\":\"", "\"");
    watch.keep(&ask(address, "POST", "/index.php/apps/notify_push/pre_auth", &alice, ""), "\r\n\r\n", "\n");

    let calendar = "/remote.php/dav/calendars/alice/personal/";
    let dav = |method: &str, path: &str, body: &str| ask(address, method, path, &format!("{alice}\r\n{XML}"), body);
    dav("PROPFIND", "/remote.php/dav/calendars/alice/", "");
    let registered = dav("POST", calendar, PUSH);
    watch.keep(&registered, "/remote.php/dav/push/", "\r");
    let feed = "/remote.php/dav/calendars/alice/feed/";
    assert!(dav("MKCOL", feed, SUBSCRIBE).starts_with("HTTP/1.1 201"));
    ask(address, "GET", &format!("{feed}?export"), &format!("{alice}\r\nX-NC-CalDAV-Webcal-Caching: On"), "");
    // Pushed, and mailed, to where nobody listens.
    let event = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20270101T000000Z\r\n\
         DTSTART:20370110T090000Z\r\nSUMMARY:planted\r\nORGANIZER:mailto:alice@example.org\r\n\
         ATTENDEE:mailto:planted@example.net\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let put =
        ask(address, "PUT", &format!("{calendar}1.ics"), &format!("{alice}\r\nContent-Type: text/calendar"), event);
    assert!(put.starts_with("HTTP/1.1 201"), "{put}");
}

fn nichoir(directory: &Path, arguments: &[&str], settings: &[(&str, &str)], input: &str) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nichoir"));
    command.args(arguments).arg("--data-dir").arg(directory).envs(settings.iter().copied());
    command.env("NICHOIR_LOG__FILTER", "nichoir=trace");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// A port that nobody listens on.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn no_planted_secret_is_logged_refused_with_or_measured() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    make_spaces(directory, ["demo".to_owned()]);
    let mut watch = Watch::new();
    let run = |watch: &mut Watch, arguments: &[&str], input: &str| {
        let (has_worked, said) = nichoir(directory, arguments, &[], input);
        watch.look(&arguments.join(" "), &said);
        assert!(has_worked, "{said}");
    };
    run(
        &mut watch,
        &["account", "set", "--space", "demo", "alice", "--admin", "true", "--email", "alice@example.org"],
        "",
    );
    run(&mut watch, &["account", "create", "--space", "demo", "carol", "--password-stdin"], "planted-carol-5w\n");

    let (nobody, s3) = (closed_port().to_string(), format!("http://127.0.0.1:{}", closed_port()));
    let settings = [
        ("NICHOIR_LOG__FILTER", "info,nichoir=trace"),
        ("NICHOIR_MAIL__HOST", "127.0.0.1"),
        ("NICHOIR_MAIL__PORT", nobody.as_str()),
        ("NICHOIR_MAIL__SECURITY", "none"),
        ("NICHOIR_MAIL__USER", "planted-mail-user"),
        ("NICHOIR_MAIL__PASSWORD", "planted-mail-password"),
        ("NICHOIR_MAIL__FROM_ADDRESS", "nichoir@example.org"),
        ("NICHOIR_MAIL__ROUND_SECONDS", "1"),
        ("NICHOIR_OUTBOUND__ALLOWS_HTTP", "true"),
        ("NICHOIR_OUTBOUND__ALLOWS_PRIVATE_ADDRESSES", "true"),
    ];
    let mut binary = Binary::start_with(directory, "exec 1>&2; exec", &settings);
    ask_rightly(binary.address, &mut watch);
    ask_wrongly(binary.address, &mut watch);
    std::thread::sleep(Duration::from_secs(2));
    watch.look("the metrics", &binary.admin("/metrics"));
    watch.look("the readiness", &binary.admin("/readyz"));
    binary.terminate();
    assert!(binary.wait(Duration::from_secs(20)).success());

    // The same with contents in a store that cannot be reached.
    let far = [
        ("NICHOIR_LOG__FILTER", "info,nichoir=trace"),
        ("NICHOIR_STORAGE__S3_ENDPOINT", s3.as_str()),
        ("NICHOIR_STORAGE__S3_BUCKET", "b"),
        ("NICHOIR_STORAGE__S3_ACCESS_KEY_ID", "planted-key"),
        ("NICHOIR_STORAGE__S3_SECRET_ACCESS_KEY", "planted-s3-secret"),
    ];
    let mut binary = Binary::start_with(directory, "exec 1>&2; exec", &far);
    let answer =
        ask(binary.address, "PUT", "/remote.php/dav/files/alice/b", &basic("alice", PASSWORD), &"planted".repeat(9000));
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    watch.look_at_answer("a PUT", &answer);
    watch.look("the readiness", &binary.admin("/readyz"));
    binary.terminate();
    binary.wait(Duration::from_secs(20));

    for arguments in [
        &["space", "show", "demo"][..],
        &["space", "show", "demo", "--json"],
        &["account", "list", "--space", "demo", "--json"],
        &["app-password", "list", "--space", "demo", "alice", "--json"],
        &["check", "--deep"],
        &["audit", "demo"],
        &["audit", "demo", "--json"],
        &["doctor"],
    ] {
        run(&mut watch, arguments, "");
    }
    let (_, said) = nichoir(directory, &["doctor"], &far, "");
    watch.look("doctor", &said);
    let url = format!("postgres://user:planted-database-password@127.0.0.1:{}/d?options=planted", closed_port());
    for url in
        [url.as_str(), "postgres://user:planted@[:planted/d", "planted-url", "postgres://user:planted@127.0.0.1:x/d"]
    {
        // Whether nobody listens is found out after some seconds.
        let all = [&["space", "list"][..], &["doctor"], &["serve"]];
        for arguments in &all[..if url.contains("/d?") { 1 } else { 3 }] {
            let (has_worked, said) = nichoir(directory, arguments, &[("NICHOIR_STORAGE__POSTGRES_URL", url)], "");
            assert!(!has_worked, "{said}");
            watch.look(&format!("{arguments:?} with {url}"), &said);
        }
    }

    let log = log_of(directory);
    assert!(
        log.contains("refused") && log.contains("TRACE") | log.contains("DEBUG"),
        "the log is of all levels: {log}"
    );
    watch.look("the log", &log);
    assert!(watch.found.is_empty(), "{}", watch.found.join("\n"));
    assert!(watch.secrets.len() > 12);
}
