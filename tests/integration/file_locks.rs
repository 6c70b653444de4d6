//! Locks as the desktop client and the apps take them, in their order, and what others are told. Sheets `desktop-client`,
//! section 12, `mobile-clients`, 3.14 and 4.9, `nextcloud-files-dav`, section 14.

use nichoir_xml::nc;
use serde_json::Value;

use crate::support::{Answer, Client, Server, on_every_engine};

const LISTED: &str = "<?xml version=\"1.0\"?><d:propfind xmlns:d=\"DAV:\" xmlns:nc=\"http://nextcloud.org/ns\"><d:prop>\
    <d:getetag/><nc:lock/><nc:lock-owner/><nc:lock-owner-displayname/><nc:lock-owner-type/><nc:lock-owner-editor/>\
    <nc:lock-time/><nc:lock-timeout/><nc:lock-token/><d:lockdiscovery/></d:prop></d:propfind>";

async fn ocs(client: &Client, method: &str, path: &str, status: u16) -> Value {
    let call = client.request(method, &format!("/ocs/v2.php{path}")).header("ocs-apirequest", "true");
    call.header("accept", "application/json").await.expect(status).json()["ocs"].clone()
}

fn file_id(written: &Answer) -> i64 {
    written.header("oc-fileid")[..8].parse().expect("a number")
}

#[tokio::test]
async fn the_desktop_client_locks_writes_and_unlocks() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let told = ocs(&alice, "GET", "/cloud/capabilities", 200).await;
        assert_eq!(told["data"]["capabilities"]["files"]["locking"], "1.0");
        assert_eq!(told["data"]["capabilities"]["files"]["api-feature-lock-type"], true);

        alice.put("/plan.odt", "one").await.expect(201);
        let etag = alice.get("/plan.odt").await.expect(200).etag().to_owned();
        let root = alice.propfind("/", 0).await.expect(207).text();
        let locked = alice.files("LOCK", "/plan.odt").header("x-user-lock", "1").header("x-user-lock-type", "2");
        let locked = locked.if_match(&etag).await.expect(200);
        let text = |name: &nichoir_xml::Name| locked.xml().child(name).map(nichoir_xml::Element::text);
        assert_eq!(text(&nc::LOCK).as_deref(), Some("1"));
        assert_eq!(text(&nc::LOCK_OWNER_TYPE).as_deref(), Some("2"));
        assert_eq!(text(&nc::LOCK_OWNER).as_deref(), Some("alice"));
        assert_eq!(text(&nc::LOCK_OWNER_DISPLAYNAME).as_deref(), Some("ALICE"));
        assert_eq!(text(&nc::LOCK_TIME).as_deref(), Some("1800000000"));
        assert_eq!(text(&nc::LOCK_TIMEOUT).as_deref(), Some("1800"));
        let token = text(&nc::LOCK_TOKEN).expect("the holder is told the token");

        // The etag that the client keeps is the one that listings show, and the root's has moved.
        let kept = text(&nichoir_xml::dav::GETETAG).expect("an etag");
        let seen = alice.get("/plan.odt").await.expect(200);
        assert_eq!(seen.etag(), format!("\"{kept}\""));
        assert_ne!(seen.etag(), etag);
        assert_ne!(alice.propfind("/", 0).await.expect(207).text(), root);
        let listed = alice.files("PROPFIND", "/plan.odt").header("depth", "0").body(LISTED).await.expect(207);
        let href = "/remote.php/dav/files/alice/plan.odt";
        assert_eq!(listed.property(href, &nc::LOCK).map(|it| it.text()).as_deref(), Some("1"));
        assert_eq!(listed.property(href, &nc::LOCK_TIMEOUT).map(|it| it.text()).as_deref(), Some("1800"));

        // The client's own address in front of the token, not encoded; without it, nothing is written.
        alice.put("/plan.odt", "two").await.expect(423);
        let guard = format!("<https://{}{href}> (<opaquelocktoken:{token}>)", server.host());
        let desktop = alice.with("user-agent", "Mozilla/5.0 (Linux) mirall/3.16.0");
        desktop.put("/plan.odt", "two").header("if", &guard).await.expect(204);
        let ended = alice.files("UNLOCK", "/plan.odt").header("x-user-lock", "1").header("x-user-lock-type", "2");
        assert!(ended.await.expect(200).text().contains("<nc:lock/>"));
        let again = alice.files("UNLOCK", "/plan.odt").header("x-user-lock", "1");
        assert!(again.await.expect(412).text().contains("<nc:lock/>"), "412 and not locked is success");
        assert_eq!(alice.get("/plan.odt").await.text(), "two");
        let listed = alice.files("PROPFIND", "/plan.odt").header("depth", "0").body(LISTED).await.expect(207);
        assert_eq!(listed.property(href, &nc::LOCK_TIME), None, "no number without digits");
    })
    .await;
}

#[tokio::test]
async fn an_apps_lock_by_file_id_lets_its_owner_write_from_everywhere() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let id = file_id(&alice.put("/a.txt", "one").await.expect(201));
        let told = ocs(&alice, "PUT", &format!("/apps/files_lock/lock/{id}?lockType=0"), 200).await;
        assert_eq!((&told["data"]["userId"], &told["data"]["fileId"]), (&Value::from("alice"), &Value::from(id)));
        assert_eq!((&told["data"]["ttl"], &told["data"]["type"]), (&Value::from(1800), &Value::from(0)));
        alice.put("/a.txt", "two").await.expect(204);
        alice.move_to("/a.txt", "/b.txt").await.expect(201);
        let locked = alice.files("LOCK", "/b.txt").header("x-user-lock", "1").await.expect(200).text();
        assert!(locked.contains("<nc:lock-owner-type>0</nc:lock-owner-type>"), "{locked}");

        server.clock.advance_seconds(1801);
        ocs(&alice, "DELETE", &format!("/apps/files_lock/lock/{id}"), 412).await;
        ocs(&alice, "PUT", &format!("/apps/files_lock/lock/{id}"), 200).await;
        ocs(&alice, "DELETE", &format!("/apps/files_lock/lock/{id}"), 200).await;

        ocs(&alice, "PUT", "/apps/files_lock/lock/x", 400).await;
        ocs(&alice, "PUT", &format!("/apps/files_lock/lock/{id}?lockType=1"), 400).await;
        ocs(&alice, "PUT", "/apps/files_lock/lock/999999", 404).await;
        // What is another account's does not exist.
        ocs(&server.account("bob"), "PUT", &format!("/apps/files_lock/lock/{id}"), 404).await;
        ocs(&server.anonymous(), "PUT", &format!("/apps/files_lock/lock/{id}"), 401).await;
        alice.mkcol("/folder").await.expect(201);
        alice.files("LOCK", "/folder").header("x-user-lock", "1").await.expect(400);
        alice.files("LOCK", "/none").header("x-user-lock", "1").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_lock_of_a_program_that_speaks_webdav_shows_as_one_with_a_token() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.put("/a.txt", "one").await.expect(201);
        let info = "<?xml version=\"1.0\"?><d:lockinfo xmlns:d=\"DAV:\"><d:lockscope><d:exclusive/></d:lockscope>\
            <d:locktype><d:write/></d:locktype><d:owner>Word</d:owner></d:lockinfo>";
        alice.files("LOCK", "/a.txt").header("depth", "0").body(info).await.expect(200);
        let listed = alice.files("PROPFIND", "/a.txt").header("depth", "0").body(LISTED).await.expect(207);
        let href = "/remote.php/dav/files/alice/a.txt";
        assert_eq!(listed.property(href, &nc::LOCK_OWNER_TYPE).map(|it| it.text()).as_deref(), Some("2"));
        let refused = alice.put("/a.txt", "two").await.expect(423).text();
        assert!(refused.contains("FileLocked"), "{refused}");
        // The person may end it from an app.
        alice.files("UNLOCK", "/a.txt").header("x-user-lock", "1").await.expect(200);
        alice.put("/a.txt", "two").await.expect(204);
    })
    .await;
}
