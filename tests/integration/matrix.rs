//! Who may do what, on every route: one table of requests about what is Alice's, sent by everybody who has no right to it, then by
//! Alice herself. Promises 8 and 9 of the design.
//!
//! Whoever has no right learns nothing: no answer has one of her words in it. They change nothing: what Alice sees afterwards is
//! what she saw before. And they are told what the clients need to be told: 401 without valid credentials, 403 for a disabled
//! account, never 401 for an account that is only without the right. That Alice's own requests then succeed proves that the
//! table asks for what is there.
//!
//! A route that is added without a row here fails the test: the routes are read from the source.

mod routes;

use std::collections::BTreeSet;
use std::path::Path;

use nichoir_store::{AccountUpdate, Role};
use regex::Regex;

use crate::support::{Answer, Client, Server, document, event, on_every_engine_with};
use routes::{OPEN, ROUTES, Row};

/// A word that is in every name and content of Alice's, and nowhere else.
const WORD: &str = "xylograph";

/// The names of what is Alice's, as they stand in paths.
struct Things(Vec<(&'static str, String)>);

impl Things {
    fn put_into(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

/// What the source says that there is: the variants of the routes and the arms of the OCS tables.
fn known_routes() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| std::fs::read_to_string(path).expect("a readable file");
    let route = read(&root.join("src/route.rs"));
    let variant = Regex::new(r"(?m)^    ([A-Z]\w+)(?:\(.*\))?,$").expect("a pattern");
    let mut found = BTreeSet::new();
    for name in ["Route", "DavRoute"] {
        let start = route.find(&format!("enum {name} {{")).expect("the enum");
        let body = &route[start..start + route[start..].find("\n}").expect("its end")];
        found.extend(variant.captures_iter(body).map(|it| format!("{name}::{}", &it[1])));
    }
    let arm = Regex::new(r#"\((&Method::[A-Z |&:a-z]+), \[([^\]]*)\]"#).expect("a pattern");
    let ocs = root.join("crates/nextcloud/src/ocs");
    let mut waiting = vec![ocs.clone()];
    while let Some(folder) = waiting.pop() {
        for file in std::fs::read_dir(folder).expect("a readable folder") {
            let path = file.expect("a readable folder").path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let module = path.strip_prefix(&ocs).expect("below").with_extension("").display().to_string();
            let code = read(&path);
            let code = code.split("#[cfg(test)]").next().unwrap_or_default();
            for it in arm.captures_iter(code) {
                for method in it[1].split('|') {
                    let method = method.trim().trim_start_matches("&Method::");
                    let place = format!("{} {method} {}", module.trim_end_matches("/mod"), it[2].replace('"', ""));
                    found.insert(place.trim_end().to_owned());
                }
            }
        }
    }
    found
}

#[test]
fn every_route_has_a_row() {
    let known = known_routes();
    assert!(known.len() > 30, "the source is read: {known:?}");
    let listed: BTreeSet<String> =
        ROUTES.iter().map(|row| row.route).chain(OPEN.iter().map(|(route, _)| *route)).map(str::to_owned).collect();
    let missing: Vec<&String> = known.difference(&listed).collect();
    let gone: Vec<&String> = listed.difference(&known).collect();
    assert!(missing.is_empty(), "without a row: {missing:#?}");
    assert!(gone.is_empty(), "not there any more: {gone:#?}");
}

#[tokio::test]
async fn nobody_without_a_right_learns_or_changes_anything() {
    let many = |config: &mut nichoir::config::Config| {
        config.auth.failures_per_login_and_address = usize::MAX;
        config.auth.failures_per_address = usize::MAX;
        config.auth.failures_per_login = usize::MAX;
    };
    on_every_engine_with(many, async |server: &Server| {
        let alice = server.account("alice");
        let things = furnish(server, &alice).await;
        let actors = actors(server).await;
        let before = seen_by(&alice, &things).await;
        assert!(before.matches(WORD).count() > 10, "{before}");
        for (actor, client, told) in actors {
            for row in ROUTES {
                let answer = send(&client, &things, row).await;
                let what = format!("{actor}: {} {} ({}): {}", row.method, row.path, row.route, answer.status);
                check_refusal(&answer, row, told, &what);
            }
            assert_eq!(seen_by(&alice, &things).await, before, "{actor} has changed something");
        }
        let mut wrong = Vec::new();
        for row in ROUTES {
            let answer = send(&alice, &things, row).await;
            if answer.status != row.status {
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                wrong.push(format!("{} {} ({}): {} {text}", row.method, row.path, row.route, answer.status));
            }
            let text = String::from_utf8_lossy(&answer.body);
            assert_eq!(answer.status, row.status, "alice: {} {} ({}): {text}", row.method, row.path, row.route);
        }
        assert_eq!(wrong, Vec::<String>::new(), "what Alice was answered");
    })
    .await;
}

/// How an answer to somebody without the right may look.
fn check_refusal(answer: &Answer, row: &Row, told: Told, what: &str) {
    let shown = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body));
    let asked = format!("{} {}", row.path, row.body);
    // An answer may repeat what was asked for.
    if !asked.contains("{word}") {
        assert!(!shown.contains(WORD), "{what} tells {shown}");
    }
    assert!(!answer.status.is_server_error() || answer.status == 501, "{what} {shown}");
    match told {
        Told::LogIn if !row.is_open => assert_eq!(answer.status, 401, "{what}"),
        Told::Disabled if !row.is_open => assert_eq!(answer.status, 403, "{what}"),
        Told::Nothing => assert_ne!(answer.status, 401, "{what}: it would sign the client out"),
        _ => {}
    }
}

/// What somebody has to be told.
#[derive(Clone, Copy, Debug)]
enum Told {
    /// That the credentials are no good.
    LogIn,
    /// That the account is disabled.
    Disabled,
    /// Nothing: for them it does not exist.
    Nothing,
}

/// Everybody who has no right to what is Alice's.
async fn actors(server: &Server) -> Vec<(&'static str, Client, Told)> {
    let elsewhere = server.account("alice").with("host", &server.another_host().await);
    let (disabled, removed) = (member(server, "dora").await, member(server, "rosa").await);
    let dora = server.space.account_by_login("dora").await.expect("there").id;
    let off = AccountUpdate { is_enabled: Some(false), ..AccountUpdate::default() };
    server.space.update_account(dora, off).await.expect("disabled");
    let rosa = server.space.account_by_login("rosa").await.expect("there").id;
    server.space.delete_account(rosa).await.expect("removed");
    vec![
        ("another member", server.account("bob"), Told::Nothing),
        ("nobody", server.anonymous(), Told::LogIn),
        ("a member who was removed", removed, Told::LogIn),
        ("a member who is disabled", disabled, Told::Disabled),
        ("the one of the same name in another space", elsewhere, Told::Nothing),
    ]
}

async fn send(client: &Client, things: &Things, row: &Row) -> Answer {
    let mut call = client.request(row.method, &things.put_into(row.path));
    for line in row.headers.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").expect("a header");
        call = call.header(name, &things.put_into(value));
    }
    call.body(things.put_into(row.body)).await
}

/// A member more.
async fn member(server: &Server, login: &str) -> Client {
    server.new_member(login).await;
    server.account(login)
}

/// Gives Alice one thing of each kind, all of the same name.
async fn furnish(server: &Server, alice: &Client) -> Things {
    let mut things = vec![("word", WORD.to_owned())];
    let id = server.space.account_by_login("alice").await.expect("there").id;
    let role = AccountUpdate { role: Some(Role::Admin), ..AccountUpdate::default() };
    server.space.update_account(id, role).await.expect("she manages the space");
    let ocs = |method: &str, path: &str| alice.request(method, path).header("accept", "application/json");
    ocs("POST", "/ocs/v2.php/cloud/groups?groupid=printers").await.expect(200);
    ocs("POST", "/ocs/v2.php/cloud/users/alice/groups?groupid=printers").await.expect(200);
    alice.mkcol("/xylograph").await.expect(201);
    let name = "/xylograph/xylograph.txt";
    alice.put(name, "xylograph, the first").await.expect(201);
    server.clock.advance_seconds(60);
    let written = alice.put(name, "xylograph, the second").await.expect(204);
    let id = written.header("oc-fileid").trim_start_matches('0');
    let id: String = id.chars().take_while(char::is_ascii_digit).collect();
    alice.put("/xylograph/xylograph-gone.txt", "xylograph").await.expect(201);
    alice.delete("/xylograph/xylograph-gone.txt").await.expect(204);

    let trash = alice.properties("/remote.php/dav/trashbin/alice/trash/", 1, &["d:getetag"]).await;
    things.push(("trashed", last_name(&trash)));
    let versions = alice.properties(&format!("/remote.php/dav/versions/alice/versions/{id}/"), 1, &["d:getetag"]).await;
    things.push(("version", last_name(&versions)));
    things.push(("id", id));

    alice.request("MKCALENDAR", "/remote.php/dav/calendars/alice/xylograph/").await.expect(201);
    let path = "/remote.php/dav/calendars/alice/xylograph/xylograph.ics";
    alice.put_event(path, event("xylograph", "xylograph", "")).await.expect(201);
    let book = "/remote.php/dav/addressbooks/users/alice/xylograph/";
    let kind = document(
        "d:mkcol",
        "<d:set><d:prop><d:resourcetype><d:collection/><card:addressbook/></d:resourcetype></d:prop></d:set>",
    );
    alice.xml("MKCOL", book, 0, kind).await.expect(201);
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:xylograph\r\nFN:xylograph\r\nN:xylograph;;;;\r\nEND:VCARD\r\n";
    let card = alice.request("PUT", &format!("{book}xylograph.vcf")).header("content-type", "text/vcard").body(card);
    card.await.expect(201);
    alice.request("MKCOL", "/remote.php/dav/uploads/alice/xylograph").await.expect(201);
    let chunk = alice.request("PUT", "/remote.php/dav/uploads/alice/xylograph/00001");
    chunk.header("destination", "/remote.php/dav/files/alice/xylograph/up.txt").body("xylograph").await.expect(201);
    let shares = "/ocs/v2.php/apps/files_sharing/api/v1/shares";
    let share = ocs("POST", &format!("{shares}?path=/xylograph&shareType=1&shareWith=printers")).await.expect(200);
    things.push(("share", share.json()["ocs"]["data"]["id"].as_str().expect("an id").to_owned()));
    Things(things)
}

fn last_name(listing: &Answer) -> String {
    let href = listing.hrefs().pop().expect("a member");
    href.trim_end_matches('/').rsplit('/').next().expect("a name").to_owned()
}

/// All that Alice sees of hers.
async fn seen_by(alice: &Client, things: &Things) -> String {
    let mut seen = String::new();
    for path in [
        "files/alice/",
        "files/alice/xylograph/",
        "trashbin/alice/trash/",
        "versions/alice/versions/{id}/",
        "calendars/alice/xylograph/",
        "addressbooks/users/alice/xylograph/",
        "uploads/alice/xylograph/",
    ] {
        let path = things.put_into(&format!("/remote.php/dav/{path}"));
        let names = ["d:getetag", "d:displayname", "d:resourcetype", "oc:fileid", "oc:size", "oc:favorite"];
        seen.push_str(&alice.properties(&path, 1, &names).await.text());
    }
    for path in ["cloud/groups/printers", "cloud/users/alice/groups", "cloud/users", "apps/files_sharing/api/v1/shares"]
    {
        let told = alice.request("GET", &format!("/ocs/v2.php/{path}")).header("accept", "application/json");
        seen.push_str(&told.await.expect(200).text());
    }
    seen
}
