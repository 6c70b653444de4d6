//! Who may do what: credentials, other people's homes, what a refusal looks like to each kind of client.

use nichoir_store::AccountUpdate;
use nichoir_xml::{dav, sabre};

use crate::support::{Answer, Server, on_every_engine, on_every_engine_with};

#[track_caller]
fn exception(answer: &Answer) -> String {
    let body = answer.xml();
    assert_eq!(body.name, dav::ERROR);
    body.child(&sabre::EXCEPTION).map(|element| element.text()).unwrap_or_default()
}

#[tokio::test]
async fn credentials_are_asked_for_and_checked() {
    on_every_engine(async |server: &Server| {
        let nobody = server.anonymous().request("PROPFIND", "/remote.php/dav/files/alice/").await.expect(401);
        assert_eq!(nobody.header("www-authenticate"), "Basic realm=\"nichoir\", charset=\"UTF-8\"");
        assert_eq!(nobody.header("content-type"), "application/xml; charset=utf-8");
        assert_eq!(exception(&nobody), "Sabre\\DAV\\Exception\\NotAuthenticated");
        let script = server.anonymous().with("x-requested-with", "XMLHttpRequest");
        let script = script.request("PROPFIND", "/remote.php/dav/files/alice/").await.expect(401);
        assert!(script.header("www-authenticate").starts_with("DummyBasic "));

        server.account("alice").as_login("alice", "wrong").propfind("/", 0).await.expect(401);
        server.account("alice").as_login("nobody", "wrong").propfind("/", 0).await.expect(401);
        server.account("alice").propfind("/", 0).await.expect(207);
        let (device, password) = server.device("alice").await;
        device.propfind("/", 0).await.expect(207);
        let bearer = server.anonymous().with("authorization", &format!("Bearer {password}"));
        bearer.request("PROPFIND", "/remote.php/dav/files/alice/").header("depth", "0").await.expect(207);
        // An app password is its own account's only.
        server.anonymous().as_login("bob", &password).propfind("/", 0).await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_mail_address_logs_in_and_the_path_keeps_the_login() {
    on_every_engine(async |server: &Server| {
        let mail = format!("alice@{}", server.host());
        let alice = server.account("alice").as_login(&mail, "correct-horse-battery");
        let root = alice.request("PROPFIND", "/remote.php/dav/files/alice/").header("depth", "0").await.expect(207);
        assert!(root.text().contains("<d:href>/remote.php/dav/files/alice/</d:href>"));
        alice.request("PROPFIND", "/remote.php/webdav/").header("depth", "0").await.expect(207);
    })
    .await;
}

#[tokio::test]
async fn hrefs_repeat_the_address_that_was_asked_for() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.put("/a%20b.txt", "x").await.expect(201);
        for prefix in [
            "/remote.php/dav/files/alice",
            "/remote.php/dav/files/ALICE",
            "/remote.php/webdav",
            "/index.php/remote.php/dav/files/alice",
        ] {
            let listing =
                alice.request("PROPFIND", &format!("{prefix}/")).header("depth", "1").await.expect(207).text();
            assert!(listing.contains(&format!("<d:href>{prefix}/</d:href>")), "{listing}");
            assert!(listing.contains(&format!("<d:href>{prefix}/a%20b.txt</d:href>")), "{listing}");
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_gets_into_another_home_and_cannot_tell_it_from_none() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.put("/private.txt", "hers").await.expect(201);
        for tree in ["files", "uploads"] {
            for (method, below) in [
                ("GET", "/private.txt"),
                ("PUT", "/new.txt"),
                ("DELETE", "/private.txt"),
                ("PROPFIND", "/"),
                ("MKCOL", "/x"),
            ] {
                let hers = bob.request(method, &format!("/remote.php/dav/{tree}/alice{below}")).await;
                let none = bob.request(method, &format!("/remote.php/dav/{tree}/nobody{below}")).await;
                assert!(hers.status.is_client_error(), "{method} {tree}: {}", hers.status);
                assert_ne!(hers.status, 401, "it would sign the client out");
                assert_eq!((hers.status, hers.text()), (none.status, none.text()));
            }
        }
        bob.put("/mine.txt", "his").await.expect(201);
        let stolen = bob.files("COPY", "/mine.txt").header("destination", "/remote.php/dav/files/alice/mine.txt").await;
        assert!(stolen.status.is_client_error() || stolen.status == 502, "{}", stolen.status);
        assert_eq!(alice.get("/private.txt").await.expect(200).text(), "hers");
        alice.get("/mine.txt").await.expect(404);
        alice.get("/new.txt").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_disabled_account_is_refused_at_once_and_keeps_its_password() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let (device, _) = server.device("alice").await;
        alice.put("/a.txt", "a").await.expect(201);
        device.get("/a.txt").await.expect(200);
        let id = server.space.account_by_login("alice").await.expect("there").id;
        let enable = |is_enabled| AccountUpdate { is_enabled: Some(is_enabled), ..AccountUpdate::default() };

        server.space.update_account(id, enable(false)).await.expect("it can be disabled");
        alice.get("/a.txt").await.expect(403);
        device.get("/a.txt").await.expect(403);
        device.put("/a.txt", "b").await.expect(403);
        let user = device.request("GET", "/ocs/v2.php/cloud/user?format=json").header("ocs-apirequest", "true").await;
        assert_eq!(user.status, 403);

        server.space.update_account(id, enable(true)).await.expect("it can be enabled");
        assert_eq!(device.get("/a.txt").await.expect(200).text(), "a");
    })
    .await;
}

#[tokio::test]
async fn a_revoked_device_is_signed_out_at_once_and_the_others_stay() {
    on_every_engine(async |server: &Server| {
        let ((lost, _), (kept, _)) = (server.device("alice").await, server.device("alice").await);
        lost.propfind("/", 0).await.expect(207);
        kept.propfind("/", 0).await.expect(207);
        let account = server.space.account_by_login("alice").await.expect("there").id;
        let first = server.space.devices(account).await.expect("listed")[0].id;
        server.space.revoke_device(account, first).await.expect("revoked");
        lost.propfind("/", 0).await.expect(401);
        kept.propfind("/", 0).await.expect(207);
    })
    .await;
}

#[tokio::test]
async fn guessing_is_slowed_down_and_does_not_lock_members_out() {
    let few = |config: &mut nichoir::config::Config| config.auth.failures_per_login_and_address = 3;
    on_every_engine_with(few, async |server: &Server| {
        let (device, _) = server.device("alice").await;
        let guesser = server.account("alice").as_login("alice", "guess").at(Some("198.51.100.1"));
        for _ in 0..3 {
            guesser.propfind("/", 0).await.expect(401);
        }
        let refused = guesser.propfind("/", 0).await.expect(429);
        assert!(refused.header("retry-after").parse::<u64>().expect("seconds") > 0);
        assert_eq!(exception(&refused), "OCA\\DAV\\Connector\\Sabre\\Exception\\TooManyRequests");
        let envelope =
            guesser.request("GET", "/ocs/v2.php/cloud/user?format=json").header("ocs-apirequest", "true").await;
        assert_eq!(envelope.expect(429).json()["ocs"]["meta"]["status"], "failure");

        device.propfind("/", 0).await.expect(207);
        device.at(Some("198.51.100.1")).propfind("/", 0).await.expect(207);
        server.account("alice").propfind("/", 0).await.expect(207);
        server.clock.advance_seconds(3600);
        guesser.propfind("/", 0).await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn the_way_down_from_the_root_leads_home() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        for path in [
            "/remote.php/dav/",
            "/remote.php/dav",
            "/remote.php/dav/principals/users/alice/",
            "/remote.php/dav/files/alice/",
        ] {
            let body = "<d:propfind xmlns:d=\"DAV:\"><d:prop><d:current-user-principal/></d:prop></d:propfind>";
            let found = alice.request("PROPFIND", path).header("depth", "0").body(body).await.expect(207);
            assert!(found.text().contains("<d:href>/remote.php/dav/principals/users/alice/</d:href>"), "{path}");
        }
        let root = alice.request("PROPFIND", "/remote.php/dav/").header("depth", "1").await.expect(207).text();
        for href in ["/remote.php/dav/files/", "/remote.php/dav/principals/"] {
            assert!(root.contains(&format!("<d:href>{href}</d:href>")), "{root}");
        }
        let homes = alice.request("PROPFIND", "/remote.php/dav/files/").header("depth", "1").await.expect(207).text();
        assert!(homes.contains("<d:href>/remote.php/dav/files/alice/</d:href>"), "{homes}");
        assert!(!homes.contains("bob"), "{homes}");
        alice.request("PUT", "/remote.php/dav/x").body("x").await.expect(404);
        alice.request("PUT", "/remote.php/dav/files").body("x").await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn a_stale_etag_changes_nothing() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.mkcol("/notes").await.expect(201);
        let first = alice.put("/notes/a.txt", "one").await.expect(201);
        alice.put("/notes/a.txt", "two").await.expect(204);
        alice.put("/notes/a.txt", "three").if_match(first.etag()).await.expect(412);
        assert_eq!(alice.get("/notes/a.txt").await.expect(200).text(), "two");
        alice.move_to("/notes", "/other").await.expect(201);
        assert_eq!(alice.get("/other/a.txt").await.expect(200).text(), "two");
        alice.delete("/other").await.expect(204);
        alice.get("/other/a.txt").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_what_was_there() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.put("/a.txt", "whole").await.expect(201);
        let broken = || {
            let runs = [Ok(bytes::Bytes::from_static(b"half")), Err::<_, nichoir_dav::BoxError>("gone".into())];
            nichoir_dav::request::streamed(futures_util::stream::iter(runs))
        };
        let answer = alice.files("PUT", "/a.txt").header("content-length", "9").streaming(broken()).await;
        assert!(answer.status.is_client_error(), "{}", answer.status);
        let answer = alice.files("PUT", "/b.txt").streaming(broken()).await;
        assert!(answer.status.is_client_error(), "{}", answer.status);
        assert_eq!(alice.get("/a.txt").await.expect(200).text(), "whole");
        alice.get("/b.txt").await.expect(404);
    })
    .await;
}
