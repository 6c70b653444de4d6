//! `nichoir export` beside a server: plain files, one `.ics` for each calendar and one `.vcf` for each address book.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use crate::backup::{run, said};
use crate::binary::{Binary, make_spaces};
use crate::http::{Connection, path};
use crate::{assert_no_alarm, content, put};

const EVENT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\nBEGIN:VEVENT\r\nUID:one\r\nDTSTAMP:20260101T000000Z\r\n\
                     DTSTART:20260101T100000Z\r\nSUMMARY:Nest box\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:two\r\nFN:Zoé\r\nN:;Zoé;;;\r\nEND:VCARD\r\n";

fn send(binary: &Binary, method: &str, path: &str, body: &[u8]) {
    let mut connection = Connection::open(binary.address, "demo.example.org").unwrap();
    let (status, answer) = connection.request(method, path, body).unwrap();
    assert!((200..300).contains(&status), "{method} {path}: {status} {}", String::from_utf8_lossy(&answer));
}

fn read(root: &Path, at: &str) -> Vec<u8> {
    std::fs::read(root.join(at)).unwrap_or_else(|error| panic!("{at}: {error}"))
}

#[test]
fn a_space_becomes_plain_files_that_stay_in_their_directory() {
    let directory = tempfile::tempdir().unwrap();
    make_spaces(directory.path(), ["demo".to_owned()]);
    said(directory.path(), "team-folder create --space demo Board");
    said(directory.path(), "team-folder grant --space demo Board everyone write");
    let binary = Binary::start(directory.path());
    send(&binary, "MKCOL", &path("folder"), b"");
    send(&binary, "MKCOL", &path("folder/empty"), b"");
    for (name, body) in [
        ("folder/small", content(1, 10)),
        ("folder/large", content(2, 700_000)),
        ("folder/nothing", Vec::new()),
        ("...", b"dots".to_vec()),
        ("..%20..%20up", b"more dots".to_vec()),
        ("Board/minutes.txt", b"minutes".to_vec()),
    ] {
        assert_eq!(put(&binary, name, &body), 201, "{name}");
    }
    send(&binary, "PUT", "/remote.php/dav/calendars/alice/personal/one.ics", EVENT.as_bytes());
    send(&binary, "PUT", "/remote.php/dav/addressbooks/users/alice/contacts/two.vcf", CARD.as_bytes());
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("out");

    let export = format!("export demo --to {}", to.display());
    let told = said(directory.path(), &export);

    assert_eq!((&told["files"], &told["calendars"], &told["address_books"]), (&6.into(), &1.into(), &1.into()));
    let home = to.join("accounts/alice/files");
    assert!(read(&home, "folder/small") == content(1, 10) && read(&home, "folder/large") == content(2, 700_000));
    assert!(read(&home, "folder/nothing").is_empty() && home.join("folder/empty").is_dir());
    assert_eq!(read(&home, "..."), b"dots");
    assert_eq!(read(&home, ".. .. up"), b"more dots");
    // What belongs to the space stands once, and with nobody's files.
    assert!(!home.join("Board").exists());
    assert_eq!(read(&to, "team-folders/Board/minutes.txt"), b"minutes");
    let calendar = String::from_utf8(read(&to, "accounts/alice/calendars/personal.ics")).unwrap();
    assert!(calendar.starts_with("BEGIN:VCALENDAR\r\n") && calendar.ends_with("END:VCALENDAR\r\n"), "{calendar}");
    assert!(calendar.contains("SUMMARY:Nest box\r\n"));
    assert_eq!(String::from_utf8(read(&to, "accounts/alice/contacts/contacts.vcf")).unwrap(), CARD);
    // Nothing is anywhere but there.
    let left: Vec<_> = std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["out"]);

    // What was there before could be a link that leads elsewhere.
    let again = run(directory.path(), &export);
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("is not empty"));
    let one = place.path().join("one");
    said(directory.path(), &format!("export demo --account alice --to {}", one.display()));
    assert!(one.join("accounts/alice").is_dir() && !one.join("team-folders").exists());
    assert_eq!(
        run(directory.path(), &format!("export demo --account eve --to {}", place.path().join("x").display()))
            .status
            .code(),
        Some(1)
    );
    said(directory.path(), "check");
    assert_no_alarm(directory.path());
}

#[test]
fn files_keep_the_time_that_their_client_gave_them() {
    let directory = tempfile::tempdir().unwrap();
    make_spaces(directory.path(), ["demo".to_owned()]);
    let binary = Binary::start(directory.path());
    let mut connection = Connection::open(binary.address, "demo.example.org").unwrap();
    connection.send_head("PUT", &path("old"), "Content-Length: 3\r\nX-OC-Mtime: 1700000000\r\n").unwrap();
    connection.send(b"old").unwrap();
    assert_eq!(connection.read_head().unwrap().status, 201);
    let to = tempfile::tempdir().unwrap();
    said(directory.path(), &format!("export demo --to {}", to.path().display()));
    let modified = std::fs::metadata(to.path().join("accounts/alice/files/old")).unwrap().modified().unwrap();
    assert_eq!(modified, UNIX_EPOCH + Duration::from_secs(1_700_000_000));
}

#[test]
fn an_export_does_without_what_is_removed_or_moved_while_it_runs() {
    let directory = tempfile::tempdir().unwrap();
    make_spaces(directory.path(), ["demo".to_owned()]);
    let binary = Binary::start(directory.path());
    for number in 0..150 {
        send(&binary, "MKCOL", &path(&format!("f{number}")), b"");
        assert_eq!(put(&binary, &format!("f{number}/file"), b"bytes"), 201);
    }
    assert_eq!(put(&binary, "stays", b"bytes"), 201);
    let to = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        // The last ones that the export comes to.
        scope.spawn(|| (0..150).for_each(|number| send(&binary, "DELETE", &path(&format!("f{number}")), b"")));
        for round in 0..4 {
            let to = to.path().join(round.to_string());
            said(directory.path(), &format!("export demo --to {}", to.display()));
            assert_eq!(read(&to, "accounts/alice/files/stays"), b"bytes");
        }
    });
    assert_no_alarm(directory.path());
}
