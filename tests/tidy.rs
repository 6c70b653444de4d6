//! The walls of the house: which crate may know which (the layout's dependency arrows), what is banned where.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Our crates, each with those of ours it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("nichoir-xml", &[]),
    ("nichoir-store", &[]),
    ("nichoir-fair", &[]),
    ("nichoir-auth", &["nichoir-fair", "nichoir-store"]),
    ("nichoir-dav", &["nichoir-xml", "nichoir-auth", "nichoir-store"]),
    ("nichoir-contentline", &[]),
    ("nichoir-caldav", &["nichoir-xml", "nichoir-auth", "nichoir-store", "nichoir-dav", "nichoir-contentline"]),
    ("nichoir-carddav", &["nichoir-xml", "nichoir-auth", "nichoir-store", "nichoir-dav", "nichoir-contentline"]),
    (
        "nichoir-nextcloud",
        &["nichoir-xml", "nichoir-auth", "nichoir-store", "nichoir-dav", "nichoir-preview", "nichoir-outbound"],
    ),
    ("nichoir-preview", &["nichoir-fair"]),
    ("nichoir-notify", &["nichoir-auth", "nichoir-store"]),
    ("nichoir-outbound", &[]),
    ("nichoir-imip", &["nichoir-store", "nichoir-contentline"]),
    ("nichoir-push", &["nichoir-xml", "nichoir-auth", "nichoir-store", "nichoir-dav", "nichoir-outbound"]),
    (
        "nichoir",
        &[
            "nichoir-xml",
            "nichoir-auth",
            "nichoir-store",
            "nichoir-dav",
            "nichoir-contentline",
            "nichoir-caldav",
            "nichoir-carddav",
            "nichoir-nextcloud",
            "nichoir-outbound",
            "nichoir-preview",
            "nichoir-push",
            "nichoir-imip",
            "nichoir-notify",
        ],
    ),
    ("nichoir-davload", &[]),
    ("nichoir-caldavtester", &["nichoir-xml", "nichoir-contentline", "nichoir-caldav"]),
];

/// Crates that exactly one of ours may use.
const OWNED: &[(&str, &str)] = &[
    ("sqlx", "nichoir-store"),
    ("object_store", "nichoir-store"),
    ("quick-xml", "nichoir-xml"),
    ("argon2", "nichoir-auth"),
    ("lettre", "nichoir-imip"),
    ("p256", "nichoir-push"),
    ("image", "nichoir-preview"),
    ("ab_glyph", "nichoir-preview"),
    ("tokio-tungstenite", "nichoir-notify"),
    ("ical-rs", "nichoir-caldav"),
    ("chrono-tz", "nichoir-caldav"),
    ("toml", "nichoir"),
    ("tracing-subscriber", "nichoir"),
];

/// What clippy must keep on banning, so that the clock stays a value.
const BANNED: &[&str] = &["std::time::SystemTime::now", "std::time::Instant::now"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Crate → names of its dependencies of the kind given (null for normal ones).
fn dependencies(wanted: fn(&Value) -> bool) -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let told = Command::new(cargo).args(arguments).current_dir(root()).output().expect("cargo runs");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told: Value = serde_json::from_slice(&told.stdout).expect("cargo metadata is JSON");
    let name = |of: &Value| of["name"].as_str().expect("a name").to_owned();
    let packages = told["packages"].as_array().expect("packages");
    let kept = |package: &Value| {
        let all = package["dependencies"].as_array().expect("dependencies");
        all.iter().filter(|dependency| wanted(&dependency["kind"])).map(name).collect()
    };
    packages.iter().map(|package| (name(package), kept(package))).collect()
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(place) = waiting.pop() {
        for file in std::fs::read_dir(&place).expect("a readable folder") {
            let path = file.expect("a readable folder").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// Files below `directory` with a line of code, not a comment, that contains `word`.
fn files_that_say(directory: &Path, word: &str) -> Vec<String> {
    let says = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).expect("a readable file");
        text.lines().map(str::trim_start).any(|line| !line.starts_with("//") && line.contains(word))
    };
    let shown = |path: PathBuf| path.strip_prefix(root()).unwrap_or(&path).display().to_string();
    rust_files(directory).into_iter().filter(says).map(shown).collect()
}

#[test]
fn arrows_point_down_and_siblings_do_not_know_each_other() {
    let found = dependencies(Value::is_null);
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for (name, uses) in &found {
        let (_, allowed) = ARROWS
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("{name} has no place in the layout"));
        for used in uses.iter().filter(|used| ours.contains(used.as_str())) {
            assert!(allowed.contains(&used.as_str()), "{name} must not depend on {used}");
        }
    }
    assert!(found["nichoir"].contains("nichoir-store"), "the check sees dependencies at all");
}

#[test]
fn storage_xml_and_hashing_libraries_have_one_owner_each() {
    let found = dependencies(Value::is_null);
    for (library, owner) in OWNED {
        for (name, uses) in &found {
            assert!(
                name == owner || !uses.contains(*library),
                "{name} must not depend on {library}: that is {owner}'s"
            );
        }
        assert!(found[*owner].contains(*library), "{owner} no longer depends on {library}: correct this list");
    }
}

#[test]
fn only_src_listens_and_only_src_reads_the_host() {
    for krate in ["auth", "caldav", "carddav", "contentline", "dav", "nextcloud", "store", "xml"] {
        let source = root().join("crates").join(krate).join("src");
        assert_eq!(files_that_say(&source, "tokio::net"), Vec::<String>::new(), "sockets below src");
        assert_eq!(files_that_say(&source, "header::HOST"), Vec::<String>::new(), "the Host header below the gate");
        assert_eq!(files_that_say(&source, "hyper::server"), Vec::<String>::new(), "hyper's server below src");
    }
    assert!(!files_that_say(&root().join("src"), "tokio::net").is_empty(), "the check sees code at all");
}

#[test]
fn the_store_knows_no_http() {
    let source = root().join("crates/store/src");
    assert_eq!(files_that_say(&source, "StatusCode"), Vec::<String>::new());
    assert!(!dependencies(Value::is_null)["nichoir-store"].contains("http"));
}

#[test]
fn the_clock_is_banned_outside_the_ports() {
    let clippy = std::fs::read_to_string(root().join("clippy.toml")).expect("clippy.toml");
    for method in BANNED {
        assert!(clippy.contains(&format!("\"{method}\"")), "clippy.toml no longer bans {method}");
    }
    for krate in ["auth", "dav", "nextcloud", "store", "xml"] {
        let source = root().join("crates").join(krate).join("src");
        let allowed = files_that_say(&source, "disallowed_methods");
        assert!(
            allowed.iter().all(|file| file == "crates/store/src/ports.rs"),
            "the clock's ban is lifted in {allowed:?}"
        );
    }
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let manifests = std::fs::read_dir(root().join("crates"))
        .expect("crates")
        .map(|krate| krate.expect("a crate").path().join("Cargo.toml"));
    for manifest in manifests.chain([root().join("Cargo.toml")]) {
        let text = std::fs::read_to_string(&manifest).expect("a manifest");
        assert!(text.contains("[lints]\nworkspace = true"), "{} opts out of the lints", manifest.display());
    }
}

/// Names of the functions below `directory` that a test attribute stands above.
fn tests_below(directory: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in rust_files(directory) {
        let text = std::fs::read_to_string(path).expect("a readable file");
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            let name = line.split_once("fn ").and_then(|(_, rest)| rest.split(['(', '<']).next());
            match name {
                _ if line.starts_with("#[") => is_test |= line.contains("test"),
                Some(name) if is_test => {
                    names.insert(name.to_owned());
                    is_test = false;
                }
                _ => is_test &= line.starts_with("//"),
            }
        }
    }
    names
}

/// Whether there is a file or folder of that name, or a test.
fn is_there(named: &str, tests: &BTreeSet<String>) -> bool {
    if named.contains('/') || named == "fuzz" { root().join(named).exists() } else { tests.contains(named) }
}

#[test]
fn every_promise_of_safety_names_what_shows_it() {
    let tests: BTreeSet<String> =
        ["tests", "crates", "src"].iter().flat_map(|it| tests_below(&root().join(it))).collect();
    let page = std::fs::read_to_string(root().join("SECURITY.md")).expect("the page about safety");
    let promised =
        page.split("\n## ").filter(|part| part.starts_with("What ") && part.contains("| promise | shown by |"));
    let rows = promised.flat_map(str::lines).filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let mut count = 0;
    for row in rows.filter(|row| !row.starts_with("promise") && !row.starts_with("---")) {
        let (promise, proof) = row.split_once(" | ").expect("two cells");
        let named: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "nothing shows that {promise}");
        let missing: Vec<&&str> = named.iter().filter(|name| !is_there(name, &tests)).collect();
        assert!(missing.is_empty(), "{missing:?}, for {promise}");
        count += 1;
    }
    assert!(count > 15, "the tables were not read: {count} rows");
}

#[test]
fn every_verdict_on_an_endpoint_names_a_test_that_there_is() {
    let tests: BTreeSet<String> =
        ["tests", "crates", "src"].iter().flat_map(|it| tests_below(&root().join(it))).collect();
    let page = std::fs::read_to_string(root().join("docs/endpoints.md")).expect("the page of endpoints");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells: Vec<Vec<&str>> = rows.map(|row| row.split(" | ").collect()).collect();
    let proofs = cells.iter().filter(|row| row.len() == 4 && row[3] != "shown by" && row[3] != "---");
    let mut count = 0;
    for row in proofs {
        let named: Vec<&str> = row[3].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "nothing shows {}", row[0]);
        for name in named {
            assert!(is_there(name, &tests), "{name}, for {}", row[0]);
        }
        count += 1;
    }
    assert!(count > 40, "the table was not read: {count} rows");
}
