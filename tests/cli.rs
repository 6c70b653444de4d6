//! The command line's contract (design §5): what scripts rely on. Exit code 0 done, 1 failed, 2 used wrongly; results on standard
//! output, as JSON with `--json`; on standard error what was wrong and what to do.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a command said.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    #[track_caller]
    fn expect(self, code: i32) -> Said {
        assert_eq!(self.code, Some(code), "out: {}\nerr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

fn nichoir(data_dir: &Path, arguments: &str) -> Said {
    nichoir_with(data_dir, arguments, &[], "")
}

fn nichoir_with(data_dir: &Path, arguments: &str, variables: &[(&str, &str)], input: &str) -> Said {
    let mut child = Command::new(env!("CARGO_BIN_EXE_nichoir"))
        .args(arguments.split_whitespace())
        .env_clear()
        // Weak on purpose: these tests are not about the strength of the hash.
        .envs([("NICHOIR_AUTH__ARGON2_MEMORY_KIB", "8"), ("NICHOIR_AUTH__ARGON2_PASSES", "1")])
        .env("NICHOIR_STORAGE__DATA_DIR", data_dir)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn spaces_are_made_shown_changed_and_deleted() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = |arguments: &str| nichoir(directory.path(), arguments);
    run("space create asso --host asso.example.org --host www.asso.example.org --quota 2GB --max-accounts 7").expect(0);
    let shown = run("space show asso --json").expect(0).json();
    assert_eq!(shown["name"], "asso");
    assert_eq!(shown["hosts"], serde_json::json!(["asso.example.org", "www.asso.example.org"]));
    assert_eq!((&shown["quota_bytes"], &shown["max_accounts"]), (&2_000_000_000_u64.into(), &7.into()));
    assert_eq!(shown["state"], "active");
    assert_eq!((&shown["problems"], &shown["checked"]), (&serde_json::json!([]), &serde_json::Value::Null));
    assert_eq!(run("gc --json").expect(0).json()["left_over"], serde_json::json!([]));
    assert_eq!(run("gc --forgotten-spaces --remove --json").expect(0).json()["forgotten"], serde_json::json!([]));
    assert!(run("space create restoring-x").expect(1).err.contains("restore"));

    let twice = run("space create asso").expect(1);
    assert!(twice.err.contains("asso") && twice.err.contains("exists already"), "{}", twice.err);
    assert!(twice.out.is_empty());
    run("space create other --host asso.example.org").expect(1);
    run("space create Bad_Name").expect(1);

    assert_eq!(run("space suspend asso --json").expect(0).json()["state"], "suspended");
    assert_eq!(run("space resume asso --json").expect(0).json()["state"], "active");
    assert_eq!(run("space set asso --quota 3GB --json").expect(0).json()["quota_bytes"], 3_000_000_000_u64);
    assert_eq!(run("space show asso --json").expect(0).json()["instance_id"], shown["instance_id"]);

    let kept = run("space delete asso").expect(1);
    assert!(kept.err.contains("--yes"), "{}", kept.err);
    run("space delete asso --yes").expect(0);
    assert_eq!(run("space list --json").expect(0).json(), serde_json::json!([]));
    assert!(run("space show asso").expect(1).err.contains("there is none"));
}

#[test]
fn accounts_and_their_passwords() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = |arguments: &str| nichoir(directory.path(), arguments);
    run("space create asso --max-accounts 2").expect(0);
    let made = run(
        "account create --space asso alice --display-name Alice --email a@x.org --admin --generate-password --json",
    );
    let made = made.expect(0).json();
    assert_eq!((&made["login"], &made["role"]), (&"alice".into(), &"admin".into()));
    assert!(made["password"].as_str().expect("shown once").len() >= 12);

    let short =
        nichoir_with(directory.path(), "account create --space asso bob --password-stdin", &[], "short\n").expect(1);
    assert!(short.err.contains("characters"), "{}", short.err);
    let made = nichoir_with(
        directory.path(),
        "account create --space asso bob --password-stdin --json",
        &[],
        "a long password\n",
    );
    assert!(made.expect(0).json().get("password").is_none(), "what was given is not repeated");
    run("account create --space asso carol").expect(1);
    run("account create --space asso ALICE").expect(1);
    run("account create --space nowhere alice").expect(1);

    assert_eq!(run("account disable --space asso bob --json").expect(0).json()["enabled"], false);
    assert_eq!(run("account enable --space asso bob --json").expect(0).json()["enabled"], true);
    run("account set-password --space asso bob").expect(1);
    run("account set-password --space asso bob --generate-password").expect(0);
    let listed = run("account list --space asso --json").expect(0).json();
    let logins: Vec<&str> = listed.as_array().expect("a list").iter().filter_map(|it| it["login"].as_str()).collect();
    assert_eq!(logins, ["alice", "bob"]);

    let device = run("app-password create --space asso bob --name phone --json").expect(0).json();
    assert_eq!(device["password"].as_str().map(str::len), Some(72));
    assert_eq!(run("app-password list --space asso bob --json").expect(0).json()[0]["name"], "phone");
    run(&format!("app-password revoke --space asso alice {}", device["id"])).expect(1);
    run(&format!("app-password revoke --space asso bob {}", device["id"])).expect(0);
    assert_eq!(run("app-password list --space asso bob --json").expect(0).json(), serde_json::json!([]));
    run("account delete --space asso bob --yes").expect(0);
    run("account create --space asso carol").expect(0);
}

#[test]
fn members_are_put_in_groups_given_a_share_and_taken_leave_of() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = |arguments: &str| nichoir(directory.path(), arguments);
    run("space create asso --quota 10GB").expect(0);
    for login in ["alice", "bob"] {
        run(&format!("account create --space asso {login} --generate-password")).expect(0);
    }
    assert_eq!(
        run("account set --space asso alice --quota 2GB --json").expect(0).json()["quota_bytes"],
        2_000_000_000_u64
    );
    assert_eq!(
        run("account set --space asso alice --quota none --admin true --json").expect(0).json()["role"],
        "admin"
    );
    run("account set --space asso alice").expect(2);

    run("group create --space asso choir --display-name Choir").expect(0);
    run("group create --space asso CHOIR").expect(1);
    let filled = run("group add --space asso choir alice bob --json").expect(0).json();
    assert_eq!(filled["members"], serde_json::json!(["alice", "bob"]));
    run("group add --space asso choir nobody").expect(1);
    run("group add --space asso everyone alice").expect(1);
    let left = run("group remove --space asso choir bob --json").expect(0).json();
    assert_eq!(left["members"], serde_json::json!(["alice"]));
    assert_eq!(run("group list --space asso --json").expect(0).json()[1]["display_name"], "Choir");
    run("group delete --space asso choir").expect(1);
    run("group delete --space asso choir --yes").expect(0);

    let device = run("app-password create --space asso bob --json").expect(0).json();
    run(&format!("app-password wipe --space asso bob {}", device["id"])).expect(0);
    assert_eq!(run("app-password list --space asso bob --json").expect(0).json()[0]["is_wiped"], true);
    run("account delete --space asso bob --hand-over-to nobody --yes").expect(1);
    run("account delete --space asso bob --yes").expect(0);
    assert_eq!(run("account list --space asso --departed --json").expect(0).json()[0]["login"], "bob");
    run("account restore --space asso bob").expect(0);
    run("account delete --space asso bob --hand-over-to alice --yes").expect(0);
    run("account restore --space asso bob").expect(1);
    run("account delete --space asso alice --now --yes").expect(0);
    assert_eq!(run("account list --space asso --json").expect(0).json(), serde_json::json!([]));
}

#[test]
fn wrong_usage_is_2_and_a_wrong_configuration_is_1_and_both_say_what() {
    let directory = tempfile::tempdir().expect("a directory");
    for (arguments, said) in [
        ("", "Usage"),
        ("fly", "fly"),
        ("space", "Usage"),
        ("space create", "NAME"),
        ("space create x --quota lots", "lots"),
        ("account create alice", "--space"),
        ("account create --space x alice --password-stdin --generate-password", "cannot be used with"),
        ("serve --listen", "--listen"),
    ] {
        let refused = nichoir(directory.path(), arguments).expect(2);
        assert!(refused.err.contains(said), "{arguments}: {}", refused.err);
    }
    for (name, value, said) in [
        ("NICHOIR_SERVER__LISSTEN", "x", "lissten"),
        ("NICHOIR_SERVER__DRAIN_SECONDS", "soon", "NICHOIR_SERVER__DRAIN_SECONDS"),
        ("NICHOIR_STORAGE__POSTGRES_URL", "postgres://127.0.0.1:1/none", "storage"),
    ] {
        let failed = nichoir_with(directory.path(), "space list", &[(name, value)], "").expect(1);
        assert!(failed.err.starts_with("nichoir: ") && failed.err.contains(said), "{}", failed.err);
    }
    let file = directory.path().join("n.toml");
    std::fs::write(&file, "[server]\nlisten = 7\n").expect("written");
    let failed = nichoir(directory.path(), &format!("--config {} space list", file.display())).expect(1);
    assert!(failed.err.contains("listen"), "{}", failed.err);
    nichoir(directory.path(), "--config /no/such/file space list").expect(1);
}

#[test]
fn flags_win_over_the_environment_and_the_data_is_nobody_elses() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().expect("a directory");
    let (by_variable, by_flag) = (directory.path().join("variable"), directory.path().join("flag"));
    nichoir(&by_variable, &format!("--data-dir {} space create asso", by_flag.display())).expect(0);
    assert!(!by_variable.exists());
    let mode = std::fs::metadata(&by_flag).expect("it was made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn check_and_doctor_find_nothing_wrong_and_say_so_and_find_what_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = |arguments: &str| nichoir(directory.path(), arguments);
    run("space create asso").expect(0);
    run("account create --space asso alice").expect(0);
    let report = run("check --deep --json").expect(0).json();
    assert_eq!((&report["spaces"], &report["problems"]), (&1.into(), &serde_json::json!([])));
    run("check --space asso").expect(0);
    run("check --space nowhere").expect(1);

    let findings = run("doctor --json").expect(0).json();
    assert!(findings.as_array().is_some_and(|found| found.iter().all(|finding| finding["ok"] == true)), "{findings}");
    let variables =
        [("NICHOIR_SERVER__TRUSTED_PROXIES", "the proxy"), ("NICHOIR_SERVER__TLS_CERTIFICATE_FILE", "/no/such")];
    let sick = nichoir_with(directory.path(), "doctor", &variables, "").expect(1);
    for said in ["FAIL  configuration: the proxy", "FAIL  tls: cannot use /no/such", "ok    storage"] {
        assert!(sick.out.contains(said), "{}", sick.out);
    }
}

#[test]
fn backups_are_made_listed_verified_and_restored() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = |arguments: &str| nichoir(directory.path(), arguments);
    let place = tempfile::tempdir().expect("a directory");
    let at = place.path().join("asso");
    let at = at.display();
    run("space create asso --host asso.example.org").expect(0);
    run("account create --space asso alice --generate-password").expect(0);

    let made = run(&format!("backup asso --to {at} --keep 2 --verify --json")).expect(0).json();
    assert_eq!((&made["space"], &made["problems"]), (&"asso".into(), &serde_json::json!([])));
    assert_eq!(made["rows"]["account"], 1);
    for _ in 0..2 {
        run(&format!("backup asso --to {at} --keep 2")).expect(0);
    }
    let listed = run(&format!("generations --from {at} --json")).expect(0).json();
    assert_eq!(listed["generations"].as_array().map(Vec::len), Some(2));
    let first = listed["generations"][0]["generation"].as_str().expect("a name").to_owned();
    run(&format!("generations --from {at} --verify")).expect(0);
    assert!(run(&format!("generations --from {at} --at nothing")).expect(1).err.contains("no generation nothing"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(place.path().join("asso")).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "the secret of the space is in it");
    }

    let restored = run(&format!("restore --from {at} --at {first} --as copy --json")).expect(0).json();
    assert_eq!((&restored["space"], &restored["hosts"]), (&"copy".into(), &serde_json::json!([])));
    assert!(run(&format!("restore --from {at} --as copy")).expect(1).err.contains("exists already"));
    assert!(run(&format!("restore --from {at} --replace copy --while-active")).expect(1).err.contains("another space"));
    assert!(run(&format!("backup copy --to {at}")).expect(1).err.contains("a place of its own"));
    run("space delete asso --yes").expect(0);
    let restored = run(&format!("restore --from {at} --as asso --json")).expect(0).json();
    assert_eq!(restored["hosts"], serde_json::json!(["asso.example.org"]));
    assert_eq!(run("check --deep").expect(0).err, "");

    let all = run(&format!("backup --all --to {} --json", place.path().display())).expect(0).json();
    assert_eq!(all.as_array().map(Vec::len), Some(2));
    std::fs::remove_dir_all(place.path().join("asso/objects")).expect("removed");
    let verified = run(&format!("generations --from {at} --verify --json")).expect(1);
    assert!(verified.err.contains("missing or") && !verified.json()["problems"].as_array().expect("a list").is_empty());
    assert!(run(&format!("restore --from {at} --as third")).expect(1).err.contains("missing or damaged"));
    assert_eq!(run("space list --json").expect(0).json().as_array().map(Vec::len), Some(2));
    for wrong in
        ["backup", "backup asso", "restore --from x", "backup asso --all --to x", "backup asso --to x --keep 0"]
    {
        run(wrong).expect(2);
    }
    assert!(run("generations --from /nowhere").expect(1).err.contains("/nowhere"));
    assert!(run("backup asso --to s3://bucket/x").expect(1).err.contains("backup.s3_endpoint"));
}

#[test]
fn the_units_are_valid_and_hardened() {
    let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging");
    let Ok(found) = Command::new("systemd-analyze").arg("--version").output() else {
        eprintln!("skipped: systemd-analyze is not installed");
        return;
    };
    assert!(found.status.success());
    let directory = tempfile::tempdir().expect("a directory");
    for unit in ["nichoir.service", "nichoir.socket"] {
        let text = std::fs::read_to_string(packaging.join(unit)).expect("it is there");
        // The program that the unit names is not installed here.
        let text = text.replace("/usr/bin/nichoir", env!("CARGO_BIN_EXE_nichoir"));
        std::fs::write(directory.path().join(unit), text).expect("written");
        let verified = Command::new("systemd-analyze").arg("verify").arg(directory.path().join(unit)).output();
        let verified = verified.expect("systemd-analyze runs");
        let said = String::from_utf8_lossy(&verified.stderr);
        assert!(verified.status.success() && said.trim().is_empty(), "{unit}: {said}");
    }
    let judged = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20"])
        .arg(packaging.join("nichoir.service"))
        .output()
        .expect("systemd-analyze runs");
    assert!(judged.status.success(), "exposure above 2.0: {}", String::from_utf8_lossy(&judged.stdout));
}

#[test]
fn the_trail_tells_what_the_command_line_did_also_to_a_space_that_is_gone() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = |arguments: &str| nichoir_with(directory.path(), arguments, &[("SUDO_USER", "ada")], "");
    run("space create asso").expect(0);
    run("account create --space asso alice --generate-password").expect(0);
    run("group create --space asso printers").expect(0);
    run("app-password create --space asso alice --name phone").expect(0);
    run("team-folder create --space asso plans").expect(0);
    run("space suspend asso").expect(0);
    let told = run("audit asso --json").expect(0).json();
    let rows: Vec<(&str, &str)> = told
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| (row["what"].as_str().expect("a text"), row["subject"].as_str().expect("a text")))
        .collect();
    for expected in [
        ("suspended the space", "asso"),
        ("made a team folder", "plans"),
        ("made an app password", "alice"),
        ("made a group", "printers"),
        ("made an account", "alice"),
        ("made the space", "asso"),
    ] {
        assert!(rows.contains(&expected), "{expected:?} in {rows:?}");
    }
    assert_eq!(rows[0].0, "suspended the space", "newest first");
    assert!(told.as_array().expect("a list").iter().all(|row| row["actor"] == "(command line)"));
    let text = run("audit asso --limit 2").expect(0);
    assert_eq!(text.out.lines().count(), 2, "{}", text.out);
    let by_whom = run("audit asso").expect(0).out;
    assert!(by_whom.contains("\tada\t"), "{by_whom}");
    run("space delete asso --yes").expect(0);
    assert_eq!(run("audit asso --json").expect(0).json()[0]["what"], "deleted the space");
    assert!(run("audit nothing").expect(1).err.contains("there is none"));
}
