//! The origin of a space: what members store does not run on it, other origins do nothing with it, and cookies stay on it.

use crate::matrix::{furnish, rows};
use crate::office::office_server;
use crate::support::{Answer, Client, Server, on_every_engine, on_every_engine_with};

/// Runs `test` where all routes are served.
async fn with_all_routes(test: impl AsyncFn(&Server)) {
    let office = office_server(false).await;
    on_every_engine_with(|config| config.office.url.clone_from(&office), test).await;
}

/// Files that a browser would run, if it were told that they are what they are.
const ACTIVE: &[(&str, &str)] = &[
    ("page.html", "<script>alert(1)</script>"),
    ("page.xhtml", "<html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></html>"),
    ("drawing.svg", "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
    ("data.xml", "<?xml-stylesheet href='x.xsl' type='text/xsl'?><a/>"),
    ("style.xsl", "<xsl:stylesheet xmlns:xsl='http://www.w3.org/1999/XSL/Transform' version='1.0'/>"),
    ("code.js", "alert(1)"),
    ("code.mjs", "alert(1)"),
    ("page.mhtml", "MIME-Version: 1.0\r\n\r\n<script>alert(1)</script>"),
    ("page.shtml", "<script>alert(1)</script>"),
    ("unknown", "<script>alert(1)</script>"),
];

/// Types that a browser runs, or reads for something that it runs.
const RUNNING: &[&str] = &["html", "svg", "xml", "javascript", "ecmascript", "xsl", "multipart/related"];

/// What is given is looked at as a download or a text, and if not, nothing in it is run.
fn assert_does_not_run(what: &str, answer: &Answer) {
    let media_type = answer.header("content-type").to_lowercase();
    let is_running = RUNNING.iter().any(|kind| media_type.contains(kind));
    let is_attached = answer.header("content-disposition").starts_with("attachment");
    assert!(!is_running || is_attached, "{what}: {media_type}, {:?}", answer.headers);
    assert_is_tame(what, answer);
}

/// The headers that keep browsers in check, on every answer.
fn assert_is_tame(what: &str, answer: &Answer) {
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{what}: {policy}");
    for allowed in ["script-src", "unsafe-", "object-src", "frame-src", "connect-src"] {
        assert!(!policy.contains(allowed), "{what}: {policy}");
    }
    assert!(answer.headers.get("access-control-allow-origin").is_none(), "{what}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
}

#[tokio::test]
async fn what_members_store_runs_on_no_route() {
    on_every_engine(async |server: &Server| {
        let (alice, nobody) = (server.account("alice"), server.anonymous());
        alice.mkcol("/active").await.expect(201);
        let made = alice.ocs("POST", "/apps/files_sharing/api/v1/shares", "path=/active&shareType=3").await.expect(200);
        let token = made.json()["ocs"]["data"]["token"].as_str().expect("a token").to_owned();
        for (name, text) in ACTIVE {
            // Whatever a client says it is.
            let put = alice.put(&format!("/active/{name}"), *text).header("content-type", "text/html");
            let id = put.await.expect(201).file_id();
            server.clock.advance_seconds(60);
            alice.put(&format!("/active/{name}"), format!("{text} ")).await.expect(204);
            let direct = alice.ocs("POST", "/apps/dav/api/v1/direct", &format!("fileId={id}")).await.expect(200).json();
            let direct = direct["ocs"]["data"]["url"].as_str().expect("an address").to_owned();
            let direct = direct.split_once(&server.host()).expect("of the space").1.to_owned();
            let versions = format!("/remote.php/dav/versions/alice/versions/{id}/");
            let version = alice.properties(&versions, 1, &["d:getetag"]).await.hrefs().pop().expect("a version");
            for path in [
                format!("/remote.php/dav/files/alice/active/{name}"),
                format!("/remote.php/webdav/active/{name}"),
                version,
            ] {
                assert_does_not_run(&path, &alice.request("GET", &path).await.expect(200));
            }
            for path in [
                direct,
                format!("/public.php/dav/files/{token}/{name}"),
                format!("/s/{token}?path=/{name}"),
                format!("/index.php/apps/files_sharing/publicpreview/{token}?file=/{name}&x=64&y=64"),
            ] {
                let answer = nobody.request("GET", &path).await;
                match path.starts_with("/s/") {
                    // A page of ours, which shows it as a text.
                    true => assert!(!answer.text().contains("<script"), "{path}: {}", answer.text()),
                    false => assert_does_not_run(&path, &answer),
                }
                assert_is_tame(&path, &answer);
            }
            let old = nobody.as_login(&token, "").request("GET", &format!("/public.php/webdav/{name}")).await;
            assert_does_not_run(name, &old.expect(200));
            alice.delete(&format!("/active/{name}")).await.expect(204);
            let trash = alice.properties("/remote.php/dav/trashbin/alice/trash/", 1, &["d:getetag"]).await;
            let trashed = trash.hrefs().into_iter().find(|href| href.contains(name)).expect("in the trash");
            assert_does_not_run(&trashed, &alice.request("GET", &trashed).await.expect(200));
        }
    })
    .await;
}

#[tokio::test]
async fn every_route_keeps_browsers_in_check() {
    with_all_routes(async |server: &Server| {
        let alice = server.account("alice");
        let things = furnish(server, &alice, false).await;
        for client in [&alice, &server.anonymous()] {
            for row in rows() {
                let answer = crate::matrix::send(client, &things, row).await;
                let what = format!("{} {}", row.method, row.path);
                assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
                assert_eq!(answer.header("x-frame-options"), "SAMEORIGIN", "{what}");
                assert!(!answer.header("content-security-policy").is_empty(), "{what}");
                assert!(!answer.header("x-request-id").is_empty(), "{what}");
                // What the server is may be asked from anywhere; nothing else.
                let is_shared = answer.headers.get("access-control-allow-origin").is_some();
                assert!(!is_shared || row.path == "/status.php", "{what}");
                let has_cookie = answer.headers.get("set-cookie").is_some();
                assert!(!has_cookie || row.path.contains("/authenticate"), "{what}: {:?}", answer.headers);
            }
        }
    })
    .await;
}

/// What another site's page can make a browser send by itself: GET and POST, a form's types of body, no header of its own.
async fn from_elsewhere(browser: &Client, method: &str, path: &str, body: &str) -> Answer {
    let call = browser.request(method, path).header("sec-fetch-site", "cross-site");
    let call = call.header("origin", "https://evil.example").header("sec-fetch-mode", "no-cors");
    match method {
        "POST" => call.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned()).await,
        _ => call.await,
    }
}

#[tokio::test]
async fn another_sites_page_changes_nothing_on_any_route() {
    with_all_routes(async |server: &Server| {
        let alice = server.account("alice");
        let things = furnish(server, &alice, false).await;
        crate::matrix::settle(&alice, &things).await;
        let account = server.space.account_by_login("alice").await.expect("there").id;
        // Devices and groups move no sequence.
        let state = async || {
            let space = &server.space;
            let sequence = space.change_sequence().await.expect("it answers");
            let devices = space.devices(account).await.expect("devices").len();
            let groups = space.memberships().await.expect("groups").len() + space.groups().await.expect("groups").len();
            let accounts = space.accounts().await.expect("accounts");
            (
                sequence,
                devices,
                groups,
                format!("{:?}", accounts.iter().map(|it| (it.role, &it.password_hash)).collect::<Vec<_>>()),
            )
        };
        let mut wrong = Vec::new();
        for row in rows() {
            let path =
                things.put_into(&if row.is_ocs() { format!("/ocs/v2.php{}", row.path) } else { row.path.to_owned() });
            for method in ["GET", "POST"] {
                let before = state().await;
                let answer = from_elsewhere(&alice, method, &path, &things.put_into(row.body)).await;
                let is_by_token = path.contains("/s/") || path.contains("access_token=");
                if state().await != before && !is_by_token {
                    wrong.push(format!("{method} {path}: {}", answer.status));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

#[tokio::test]
async fn a_cookie_stays_on_the_host_that_set_it() {
    let configured =
        |config: &mut nichoir::config::Config| config.server.trusted_proxies = vec!["10.0.0.0/8".to_owned()];
    on_every_engine_with(configured, async |server: &Server| {
        let alice = server.account("alice");
        alice.put("/a.txt", "x").await.expect(201);
        let form = "path=/a.txt&shareType=3&password=a-long-word-7";
        let made = alice.ocs("POST", "/apps/files_sharing/api/v1/shares", form).await.expect(200).json();
        let token = made["ocs"]["data"]["token"].as_str().expect("a token").to_owned();
        let plain = server.anonymous();
        let safe = plain.at(Some("10.0.0.1")).with("x-forwarded-proto", "https");
        let enter = async |client: &Client| {
            let call = client.request("POST", &format!("/s/{token}/authenticate/showshare"));
            let call = call.header("content-type", "application/x-www-form-urlencoded");
            call.body("password=a-long-word-7").await.expect(303).header("set-cookie").to_owned()
        };
        let cookie = enter(&safe).await;
        assert!(cookie.starts_with("__Host-nichoir_link_"), "{cookie}");
        for part in ["; Path=/;", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
            assert!(cookie.contains(part), "no {part} in {cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
        let kept = cookie.split(';').next().expect("a cookie");
        let page = format!("/s/{token}");
        safe.with("cookie", kept).request("GET", &page).await.expect(200);
        // What another host could have set counts for nothing.
        let unmarked = kept.trim_start_matches("__Host-");
        safe.with("cookie", unmarked).request("GET", &page).await.expect(303);
        // Browsers take the prefix by https only.
        assert!(enter(&plain).await.starts_with("nichoir_link_"));
    })
    .await;
}
