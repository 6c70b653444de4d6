//! A server that looks at what it keeps: a flipped bit is in the log, in `space show` and in the metrics.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use crate::backup::{command, said};
use crate::binary::{Binary, PASSWORD, log_of};
use crate::{content, put};

fn files_in(folder: PathBuf) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_in(path) } else { vec![path] }).collect()
}

#[test]
fn a_flipped_bit_is_told_by_the_server_that_finds_it() {
    let directory = tempfile::tempdir().unwrap();
    // Due at once, as after an upgrade, rather than in three weeks.
    let mut create = command(directory.path(), "space create demo");
    assert!(create.env("NICHOIR_MAINTENANCE__SCRUB_DAYS", "0").stdout(Stdio::null()).status().unwrap().success());
    let mut create = command(directory.path(), "account create --space demo alice --password-stdin");
    create.env("NICHOIR_AUTH__ARGON2_MEMORY_KIB", "8").env("NICHOIR_AUTH__ARGON2_PASSES", "1");
    let mut create = create.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    create.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(create.wait().unwrap().success());
    let quiet = Binary::start_with(directory.path(), "exec", &[("NICHOIR_MAINTENANCE__SPACES_PER_MINUTE", "0")]);
    assert_eq!(put(&quiet, "file", &content(1, 40_000)), 201);
    drop(quiet);
    let blobs = files_in(directory.path().join("blobs").join("spaces"));
    let [blob] = &blobs[..] else { panic!("{blobs:?}") };
    let mut bytes = std::fs::read(blob).unwrap();
    bytes[20_000] ^= 1;
    std::fs::write(blob, bytes).unwrap();

    let server = Binary::start_with(directory.path(), "exec", &[("NICHOIR_MAINTENANCE__SPACES_PER_MINUTE", "6000")]);
    let found = (0..100).find_map(|_| {
        std::thread::sleep(Duration::from_millis(200));
        let shown = said(directory.path(), "space show demo");
        (shown["problems"] != serde_json::json!([])).then_some(shown)
    });

    let found = found.expect("it is found within seconds");
    assert!(found["problems"][0].as_str().unwrap().contains("does not have its digest"), "{found}");
    assert!(found["checked"].as_i64().unwrap() > 0, "{found}");
    assert_eq!(said(directory.path(), "space list")[0]["problems"], found["problems"]);
    let metrics = server.admin("/metrics");
    for line in
        ["nichoir_space_problems{space=\"demo\"} 1", "nichoir_damaged_spaces 1", "nichoir_scrubbed_bytes_total 40000"]
    {
        assert!(metrics.contains(&format!("\n{line}\n")), "{line} in {metrics}");
    }
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(log_of(directory.path()).matches("a space is damaged").count(), 1, "told once");
}
