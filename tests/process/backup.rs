//! `nichoir backup` and `nichoir restore` as processes beside a server: killed at any moment, on a full disk, into a space that is served.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::binary::Binary;
use crate::http::Connection;
use crate::{assert_no_alarm, content, demo_space, get, put};

pub(crate) fn command(directory: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nichoir"));
    command.args(arguments.split_whitespace()).args(["--json", "--data-dir"]).arg(directory);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn run(directory: &Path, arguments: &str) -> Output {
    command(directory, arguments).output().unwrap()
}

/// What a command says that must succeed.
pub(crate) fn said(directory: &Path, arguments: &str) -> Value {
    let output = run(directory, arguments);
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn fingerprint(binary: &Binary) -> String {
    let mut connection = Connection::open(binary.address, "demo.example.org").unwrap();
    let body = "<d:propfind xmlns:d='DAV:' xmlns:oc='http://owncloud.org/ns'><d:prop><oc:data-fingerprint/></d:prop></d:propfind>";
    let (status, answer) = connection.request("PROPFIND", "/remote.php/dav/files/alice/", body.as_bytes()).unwrap();
    assert_eq!(status, 207);
    let answer = String::from_utf8(answer).unwrap();
    let (_, rest) = answer.split_once("<oc:data-fingerprint").unwrap_or_else(|| panic!("{answer}"));
    rest.strip_prefix('>').and_then(|rest| rest.split_once('<')).map_or(String::new(), |(text, _)| text.to_owned())
}

#[test]
fn a_backup_that_is_killed_is_none_and_the_next_goes_on_while_members_write() {
    let directory = tempfile::tempdir().unwrap();
    demo_space(directory.path());
    let binary = Binary::start(directory.path());
    for number in 0..60 {
        assert_eq!(put(&binary, &format!("f{number}"), &content(number, 30_000 + number)), 201);
    }
    let place = tempfile::tempdir().unwrap();
    let backup = format!("backup demo --to {}", place.path().display());
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for seed in 0.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                assert!(matches!(put(&binary, "changing", &content(seed, 40_000)), 201 | 204));
            }
        });
        let mut killed = 0;
        for millis in (5..).step_by(15) {
            let mut child = command(directory.path(), &backup).stdout(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(millis));
            let has_ended = child.try_wait().unwrap().is_some();
            child.kill().unwrap();
            child.wait().unwrap();
            let listed = said(directory.path(), &format!("generations --verify --from {}", place.path().display()));
            assert_eq!(listed["problems"], serde_json::json!([]), "after {millis} ms");
            killed += usize::from(!has_ended);
            if has_ended {
                break;
            }
        }
        assert!(killed > 0, "none was cut off");
        let made = said(directory.path(), &format!("{backup} --verify"));
        assert_eq!(made["problems"], serde_json::json!([]));
        is_over.store(true, Ordering::Relaxed);
    });
    said(directory.path(), &format!("restore --from {} --as again", place.path().display()));
    for number in 0..60 {
        let mut connection = Connection::open(binary.address, "again.example.org").unwrap();
        let (status, body) = connection.request("GET", &crate::http::path(&format!("f{number}")), b"").unwrap();
        assert!(status == 200 && body == content(number, 30_000 + number), "{number}: {status}");
    }
    said(directory.path(), "check --deep");
    let left = std::fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("backup-")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_no_alarm(directory.path());
}

#[test]
fn a_space_that_is_served_is_put_back_and_its_clients_are_told() {
    let directory = tempfile::tempdir().unwrap();
    demo_space(directory.path());
    let binary = Binary::start(directory.path());
    let place = tempfile::tempdir().unwrap();
    assert_eq!(put(&binary, "kept", b"one"), 201);
    assert_eq!(fingerprint(&binary), "");
    let made = said(directory.path(), &format!("backup demo --to {}", place.path().display()));
    assert_eq!(made["space"], "demo");
    assert_eq!(put(&binary, "kept", b"two"), 204);
    assert_eq!(put(&binary, "later", b"x"), 201);

    let restore = format!("restore --from {} --replace demo", place.path().display());
    let refused = run(directory.path(), &restore);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("suspend it first"));
    said(directory.path(), "space suspend demo");
    let restored = said(directory.path(), &restore);
    assert_eq!(restored["is_suspended"], true);
    said(directory.path(), "space resume demo");
    std::thread::sleep(Duration::from_millis(1_200));

    assert_eq!(get(&binary, "kept"), (200, b"one".to_vec()));
    assert_eq!(get(&binary, "later").0, 404);
    assert_ne!(fingerprint(&binary), "");
    assert_eq!(put(&binary, "later", b"y"), 201);
    let kept_as = restored["kept_as"].as_str().unwrap();
    said(directory.path(), "check --deep");
    said(directory.path(), &format!("space delete {kept_as} --yes"));
    assert_eq!(get(&binary, "later"), (200, b"y".to_vec()));
    assert_no_alarm(directory.path());
}

/// The secret of the space and hashes of passwords were readable by everybody in a directory that somebody else had made.
#[test]
fn what_is_in_a_place_is_its_owners_alone_whoever_made_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    demo_space(directory.path());
    let place = tempfile::tempdir().unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    said(directory.path(), &format!("backup demo --to {}", place.path().display()));
    for inside in std::fs::read_dir(place.path()).unwrap() {
        let inside = inside.unwrap();
        let mode = inside.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} {mode:o}", inside.path());
    }
}

/// A small file system that goes with this.
pub(crate) struct Small(pub(crate) tempfile::TempDir);

impl Small {
    fn mount(size: &str) -> Option<Small> {
        Small::mount_with(&format!("size={size}"))
    }

    pub(crate) fn mount_with(options: &str) -> Option<Small> {
        let directory = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(directory.path()).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(Small(directory))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_ends_a_backup_with_what_to_do_and_leaves_the_earlier_ones_whole() {
    let Some(place) = Small::mount("2m") else { return eprintln!("skipped: nothing can be mounted here") };
    let directory = tempfile::tempdir().unwrap();
    demo_space(directory.path());
    let binary = Binary::start(directory.path());
    assert_eq!(put(&binary, "small", &content(1, 100_000)), 201);
    let at = place.0.path().display().to_string();
    said(directory.path(), &format!("backup demo --to {at}"));
    assert_eq!(put(&binary, "large", &content(2, 3_000_000)), 201);

    let full = run(directory.path(), &format!("backup demo --to {at}"));

    assert_eq!(full.status.code(), Some(1));
    let told = String::from_utf8_lossy(&full.stderr);
    assert!(told.contains("No space left") && told.contains("make room"), "{told}");
    let listed = said(directory.path(), &format!("generations --verify --from {at}"));
    assert_eq!((listed["generations"].as_array().unwrap().len(), &listed["problems"]), (1, &serde_json::json!([])));

    // The same for the disk that a space is restored to.
    let elsewhere = Small::mount("3m").unwrap();
    let restored = run(elsewhere.0.path(), &format!("restore --from {at} --as demo"));
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    let roomy = tempfile::tempdir().unwrap();
    said(directory.path(), &format!("backup demo --to {}", roomy.path().display()));
    let full = run(elsewhere.0.path(), &format!("restore --from {} --as other", roomy.path().display()));
    assert_eq!(full.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&full.stderr).contains("No space left"));
    let spaces = said(elsewhere.0.path(), "space list");
    assert_eq!(spaces.as_array().unwrap().len(), 1, "{spaces}");
    said(elsewhere.0.path(), "check --deep");
    assert_no_alarm(directory.path());
}
