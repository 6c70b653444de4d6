//! The trail of a space: what is in it, what is not, and what it costs.

use std::time::Duration;

use nichoir_store::{AccountUpdate, Role, Trace};

use crate::support::{Client, Server, on_every_engine, on_every_engine_with};

const SHARES: &str = "/apps/files_sharing/api/v1/shares";
const FORM: &str = "application/x-www-form-urlencoded";

/// The trail, oldest first, once it has what is noted beside the requests.
async fn trail(server: &Server, is_whole: impl Fn(&[Trace]) -> bool) -> Vec<Trace> {
    server.app.write_what_waits().await;
    for _ in 0..400 {
        let mut traces = server.space.audit(10_000).await.expect("the trail");
        traces.reverse();
        if is_whole(&traces) {
            return traces;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{:#?}", server.space.audit(10_000).await);
}

fn find<'t>(traces: &'t [Trace], kind: &str, subject: &str) -> Option<&'t Trace> {
    traces.iter().rev().find(|trace| trace.kind == kind && trace.subject == subject)
}

#[track_caller]
fn assert_has(traces: &[Trace], kind: &str, subject: &str, (actor, device, address): (&str, &str, &str)) {
    let found = find(traces, kind, subject).unwrap_or_else(|| panic!("no {kind} {subject} in {traces:#?}"));
    assert_eq!((&*found.actor, &*found.device, &*found.address), (actor, device, address), "{found:?}");
}

async fn manager(server: &Server) -> Client {
    let id = server.space.account_by_login("alice").await.expect("there").id;
    let role = AccountUpdate { role: Some(Role::Admin), ..AccountUpdate::default() };
    server.space.update_account(id, role).await.expect("she manages the space");
    server.account("alice").at(Some("198.51.100.9"))
}

#[tokio::test]
async fn the_trail_tells_who_signed_in_from_where_and_what_they_did() {
    on_every_engine(async |server: &Server| {
        let alice = manager(server).await;
        let from = ("alice", "", "198.51.100.9");
        alice.put("/a.txt", "x").await.expect(201);
        alice.ocs("POST", "/cloud/users", "userid=nina&password=a-long-word-7").await.expect(200);
        alice.ocs("PUT", "/cloud/users/nina", "key=password&value=another-long-word-8").await.expect(200);
        alice.ocs("PUT", "/cloud/users/nina", "key=quota&value=5000").await.expect(200);
        alice.ocs("POST", "/cloud/groups", "groupid=printers").await.expect(200);
        alice.ocs("POST", "/cloud/users/nina/groups", "groupid=printers").await.expect(200);
        alice.ocs("DELETE", "/cloud/users/nina/groups", "groupid=printers").await.expect(200);
        alice.ocs("DELETE", "/cloud/groups/printers", "").await.expect(200);
        alice.ocs("PUT", "/cloud/users/nina/disable", "").await.expect(200);
        alice.ocs("DELETE", "/cloud/users/nina", "").await.expect(200);
        let made = alice.ocs("POST", SHARES, "path=/a.txt&shareType=3&password=a-long-word-9").await.expect(200).json();
        let (id, token) = (made["ocs"]["data"]["id"].clone(), made["ocs"]["data"]["token"].clone());
        let (id, token) = (id.as_str().expect("an id"), token.as_str().expect("a token"));
        let guest = server.anonymous().at(Some("203.0.113.1")).as_login("guest", "wrong-link-password");
        guest.request("GET", &format!("/public.php/dav/files/{token}")).await.expect(401);
        alice.ocs("PUT", &format!("{SHARES}/{id}"), "note=hello").await.expect(200);
        alice.ocs("DELETE", &format!("{SHARES}/{id}"), "").await.expect(200);
        let password = alice.ocs("GET", "/core/getapppassword", "").await.expect(200).json();
        let password = password["ocs"]["data"]["apppassword"].as_str().expect("an app password").to_owned();
        let phone = server.anonymous().as_login("alice", &password).with("user-agent", "phone");
        phone.at(Some("2001:db8::7")).propfind("/", 0).await.expect(207);
        phone.at(Some("2001:db8::8")).propfind("/", 0).await.expect(207);
        phone.at(Some("2001:db8::8")).ocs("DELETE", "/core/apppassword", "").await.expect(200);

        let flow = server.anonymous().request("POST", "/index.php/login/v2").await.expect(200).json();
        let page = flow["login"].as_str().expect("an address").rsplit('/').next().expect("a token").to_owned();
        let form = server.anonymous().at(Some("192.0.2.33")).request("POST", &format!("/login/v2/flow/{page}"));
        form.header("content-type", FORM).body("user=bob&password=correct-horse-battery").await.expect(200);

        for password in ["wrong-1", "wrong-2"] {
            server.anonymous().at(Some("203.0.113.7")).as_login("bob", password).propfind("/", 0).await.expect(401);
        }
        // Somebody has typed the password in the wrong field.
        server.anonymous().as_login("hunter2-is-my-password", "").propfind("/", 0).await.expect(401);

        let has = |traces: &[Trace]| traces.iter().filter(|trace| trace.address == "2001:db8::8").count() >= 2;
        let traces = trail(server, |traces| has(traces) && find(traces, "signed in", "bob").is_some()).await;
        assert_has(
            &traces,
            "signed in",
            "alice",
            ("alice", find(&traces, "signed in", "alice").expect("it").device.as_str(), "2001:db8::8"),
        );
        let of_password =
            |trace: &&Trace| trace.kind == "signed in" && trace.device.is_empty() && trace.subject == "alice";
        assert_eq!(traces.iter().find(of_password).expect("by password").address, "198.51.100.9");
        let nina = find(&traces, "made an account", "nina").expect("an account");
        assert_eq!((&*nina.actor, &*nina.address), ("alice", "198.51.100.9"));
        for kind in [
            "changed a password",
            "changed an account",
            "added to a group",
            "removed from a group",
            "deleted an account",
        ] {
            assert_has(&traces, kind, "nina", from);
        }
        for kind in ["made a group", "deleted a group"] {
            assert_has(&traces, kind, "printers", from);
        }
        for kind in ["made a link", "changed a link", "removed a link"] {
            let trace = traces.iter().find(|trace| trace.kind == kind).unwrap_or_else(|| panic!("no {kind}"));
            assert!(trace.subject.starts_with(&format!("link {id} to file ")), "{trace:?}");
            assert_eq!((&*trace.actor, &*trace.address), ("alice", "198.51.100.9"));
        }
        assert_has(&traces, "failed to sign in", &format!("link {id}"), ("", "", "203.0.113.1"));
        let revoked = find(&traces, "revoked an app password", "alice").expect("revoked");
        assert_eq!((&*revoked.actor, &*revoked.address), ("alice", "2001:db8::8"));
        assert_has(&traces, "made an app password", "bob", ("bob", "", "192.0.2.33"));
        let guessed = find(&traces, "failed to sign in", "bob").expect("guesses");
        assert_eq!((guessed.times, &*guessed.address), (2, "203.0.113.7"));
        assert!(find(&traces, "failed to sign in", "").is_some());

        let text = format!("{traces:?}");
        for secret in ["hunter2", "wrong", "long-word", "correct-horse", "argon2", token, &*password, &*page] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_polls_all_day_is_one_row_and_writes_nothing() {
    on_every_engine(async |server: &Server| {
        let (phone, _) = server.device("alice").await;
        phone.propfind("/", 0).await.expect(207);
        let signed_in = |traces: &[Trace]| traces.iter().filter(|trace| trace.kind == "signed in").count();
        let before = trail(server, |traces| signed_in(traces) == 1).await;
        let statements = server.statements.seen();
        for minute in 0..50 {
            server.clock.advance_seconds(60);
            // Between two networks, too.
            for address in ["192.0.2.7", if minute % 2 == 0 { "192.0.2.7" } else { "192.0.2.8" }] {
                phone.at(Some(address)).properties("/remote.php/dav/files/alice/", 0, &["d:getetag"]).await;
            }
        }
        if !server.is_on_postgres() {
            let spent = server.statements.seen() - statements;
            assert!(spent < 20, "{spent} statements for a hundred polls");
        }
        let after = trail(server, |traces| signed_in(traces) == 2).await;
        assert_eq!(after.len(), before.len() + 1, "the other address: {after:#?}");
        for _ in 0..20 {
            server.clock.advance_seconds(3600);
            phone.propfind("/", 0).await.expect(207);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let counted = |traces: &[Trace]| traces.iter().map(|trace| trace.times).max() > Some(5);
        let day = trail(server, counted).await;
        assert!(signed_in(&day) <= 4, "one for each address and day: {day:#?}");
    })
    .await;
}

#[tokio::test]
async fn guesses_cost_one_commit_a_minute_and_few_rows() {
    let configured = |config: &mut nichoir::config::Config| {
        config.auth.failures_per_login_and_address = usize::MAX;
        config.auth.failures_per_address = usize::MAX;
        config.auth.failures_per_login = usize::MAX;
        config.limits.audit_rows_max = 80;
    };
    on_every_engine_with(configured, async |server: &Server| {
        let acts = server.space.audit(1_000).await.expect("the trail").len();
        assert!(acts >= 2, "accounts were made");
        for number in 0..300 {
            let address = format!("2001:db8::{number:x}");
            let client = server.anonymous().at(Some(&address)).as_login("alice", "wrong");
            client.propfind("/", 0).await.expect(401);
        }
        assert_eq!(server.space.audit(1_000).await.expect("the trail").len(), acts, "nothing is written at once");
        let guessed = |traces: &[Trace]| {
            traces.iter().filter(|trace| trace.kind == "failed to sign in").map(|trace| trace.times).collect::<Vec<_>>()
        };
        let traces = trail(server, |traces| traces.len() > acts).await;
        assert_eq!(guessed(&traces).iter().sum::<u64>(), 300);
        assert_eq!(guessed(&traces).len(), 65);
        // However many there are, they push out nothing else.
        for round in 0..3 {
            for number in 0..60 {
                let address = format!("2001:db8:{round:x}::{number:x}");
                server.anonymous().at(Some(&address)).as_login("bob", "wrong").propfind("/", 0).await.expect(401);
            }
            server.app.write_what_waits().await;
        }
        let traces = trail(server, |traces| traces.len() > acts).await;
        assert_eq!(guessed(&traces).len(), 80);
        assert_eq!(traces.len(), acts + 80);
        // And all of it has an end.
        server.clock.advance_seconds(181 * 24 * 3600);
        server.app.store().maintain_space(&server.space.info().name).await.expect("kept up");
        assert_eq!(server.space.audit(1_000).await.expect("the trail"), Vec::new());
    })
    .await;
}
