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

/// A folder of Alice's with a file, shared with Bob.
async fn shared(server: &Server, permissions: u8) -> (Client, Client, i64, String) {
    let (alice, bob) = (server.account("alice"), server.account("bob"));
    alice.mkcol("/Team").await.expect(201);
    let id = alice.put("/Team/plan.odt", "one").await.expect(201).file_id();
    let share = alice.share("/Team", "bob", permissions).await;
    (alice, bob, id, share)
}

const LOCK_INFO: &str = "<?xml version=\"1.0\"?><d:lockinfo xmlns:d=\"DAV:\"><d:lockscope><d:exclusive/></d:lockscope>\
    <d:locktype><d:write/></d:locktype></d:lockinfo>";

/// A property of the shared file, as somebody is told of it.
async fn told(client: &Client, login: &str, name: nichoir_xml::Name) -> Option<String> {
    let listed = client.files("PROPFIND", "/Team/plan.odt").header("depth", "0").body(LISTED).await.expect(207);
    listed.property(&format!("/remote.php/dav/files/{login}/Team/plan.odt"), &name).map(|it| it.text())
}

#[tokio::test]
async fn who_may_only_read_takes_and_ends_no_lock_and_sees_whose_it_is() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, id, _) = shared(server, 1).await;
        let lock = format!("/apps/files_lock/lock/{id}");
        let before = alice.propfind("/Team/", 1).await.expect(207).text();
        bob.files("LOCK", "/Team/plan.odt").header("x-user-lock", "1").await.expect(403);
        bob.files("LOCK", "/Team/plan.odt").header("depth", "0").body(LOCK_INFO).await.expect(403);
        bob.files("LOCK", "/Team").header("depth", "infinity").body(LOCK_INFO).await.expect(403);
        bob.ocs("PUT", &lock, "").await.expect(403);
        assert_eq!(alice.propfind("/Team/", 1).await.expect(207).text(), before, "nothing has moved");
        alice.put("/Team/plan.odt", "two").await.expect(204);

        alice.ocs("PUT", &lock, "").await.expect(200);
        assert_eq!(told(&bob, "bob", nc::LOCK).await.as_deref(), Some("1"));
        assert_eq!(told(&bob, "bob", nc::LOCK_OWNER).await.as_deref(), Some("alice"));
        assert_eq!(told(&bob, "bob", nc::LOCK_OWNER_DISPLAYNAME).await.as_deref(), Some("ALICE"));
        assert_eq!(told(&bob, "bob", nc::LOCK_TOKEN).await, None, "the token is its holder's");
        assert!(told(&alice, "alice", nc::LOCK_TOKEN).await.is_some());
        bob.ocs("DELETE", &lock, "").await.expect(423);
        bob.files("UNLOCK", "/Team/plan.odt").header("x-user-lock", "1").await.expect(423);
        assert_eq!(told(&alice, "alice", nc::LOCK_OWNER).await.as_deref(), Some("alice"));
    })
    .await;
}

#[tokio::test]
async fn a_lock_of_a_sharee_keeps_its_owner_out_who_sees_whose_it_is() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, id, _) = shared(server, 15).await;
        let lock = format!("/apps/files_lock/lock/{id}");
        let home = alice.propfind("/", 0).await.expect(207).text();
        let taken = bob.files("LOCK", "/Team/plan.odt").header("x-user-lock", "1").header("x-user-lock-type", "2");
        let taken = taken.await.expect(200);
        let token = taken.xml().child(&nc::LOCK_TOKEN).map(nichoir_xml::Element::text).expect("its holder is told");
        assert_ne!(alice.propfind("/", 0).await.expect(207).text(), home, "her clients look again");
        assert_eq!(told(&alice, "alice", nc::LOCK_OWNER).await.as_deref(), Some("bob"));
        assert_eq!(told(&alice, "alice", nc::LOCK_OWNER_DISPLAYNAME).await.as_deref(), Some("BOB"));
        assert_eq!(told(&alice, "alice", nc::LOCK_TOKEN).await, None);

        // Another's token is worth nothing, neither to write with nor to unlock.
        let guard =
            format!("<http://{}/remote.php/dav/files/alice/Team/plan.odt> (<opaquelocktoken:{token}>)", server.host());
        alice.put("/Team/plan.odt", "hers").await.expect(423);
        alice.put("/Team/plan.odt", "hers").header("if", &guard).await.expect(423);
        alice.delete("/Team").await.expect(423);
        alice
            .files("UNLOCK", "/Team/plan.odt")
            .header("lock-token", &format!("<opaquelocktoken:{token}>"))
            .await
            .expect(403);
        alice.ocs("DELETE", &lock, "").await.expect(423);
        let own =
            format!("<http://{}/remote.php/dav/files/bob/Team/plan.odt> (<opaquelocktoken:{token}>)", server.host());
        bob.put("/Team/plan.odt", "his").header("if", &own).await.expect(204);
        assert_eq!(alice.get("/Team/plan.odt").await.text(), "his");

        bob.files("UNLOCK", "/Team/plan.odt")
            .header("x-user-lock", "1")
            .header("x-user-lock-type", "2")
            .await
            .expect(200);
        assert_eq!(told(&alice, "alice", nc::LOCK_OWNER).await, None);
        alice.put("/Team/plan.odt", "hers").await.expect(204);
    })
    .await;
}

#[tokio::test]
async fn the_locks_of_who_may_write_no_more_keep_nobody_out() {
    on_every_engine(async |server: &Server| {
        for kind in ["account", "dav"] {
            let (alice, bob) = (server.account("alice"), server.account("bob"));
            let (folder, file) = (format!("/{kind}"), format!("/{kind}/plan.odt"));
            let lock = async || match kind {
                "dav" => drop(bob.files("LOCK", &folder).header("depth", "infinity").body(LOCK_INFO).await.expect(200)),
                _ => drop(bob.files("LOCK", &file).header("x-user-lock", "1").await.expect(200)),
            };
            alice.mkcol(&folder).await.expect(201);
            alice.put(&file, "one").await.expect(201);
            let share = alice.share(&folder, "bob", 15).await;
            lock().await;
            alice.put(&file, "two").await.expect(423);
            // The rights shrink.
            alice.set_rights(&share, 1).await;
            alice.put(&file, "two").await.expect(204);
            // They are there again, and the lock is not.
            alice.set_rights(&share, 15).await;
            alice.put(&file, "three").await.expect(204);
            lock().await;
            // The share ends.
            alice.unshare(&share).await;
            let listed = alice.files("PROPFIND", &file).header("depth", "0").body(LISTED).await.expect(207);
            let href = format!("/remote.php/dav/files/alice{file}");
            assert_eq!(listed.property(&href, &nc::LOCK_OWNER), None, "{kind}");
            alice.put(&file, "four").await.expect(204);
            alice.delete(&folder).await.expect(204);
        }
    })
    .await;
}

#[tokio::test]
async fn a_lock_stays_as_long_as_one_of_two_shares_lets_its_holder_write() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, id, share) = shared(server, 15).await;
        let second = alice.share("/Team/plan.odt", "bob", 3).await;
        bob.ocs("PUT", &format!("/apps/files_lock/lock/{id}"), "").await.expect(200);
        alice.unshare(&share).await;
        alice.put("/Team/plan.odt", "two").await.expect(423);
        alice.unshare(&second).await;
        alice.put("/Team/plan.odt", "two").await.expect(204);
        // What is his own stays locked, whatever is shared.
        bob.put("/own.txt", "x").await.expect(201);
        bob.files("LOCK", "/own.txt").header("depth", "0").body(LOCK_INFO).await.expect(200);
        let third = alice.share("/Team", "bob", 15).await;
        alice.unshare(&third).await;
        bob.put("/own.txt", "y").await.expect(423);
    })
    .await;
}

#[tokio::test]
async fn the_locks_of_a_disabled_account_keep_nobody_out() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, id, _) = shared(server, 15).await;
        bob.ocs("PUT", &format!("/apps/files_lock/lock/{id}"), "").await.expect(200);
        alice.put("/Team/plan.odt", "two").await.expect(423);
        let account = server.space.account_by_login("bob").await.expect("there").id;
        let off = nichoir_store::AccountUpdate { is_enabled: Some(false), ..nichoir_store::AccountUpdate::default() };
        server.space.update_account(account, off).await.expect("disabled");
        alice.put("/Team/plan.odt", "two").await.expect(204);
    })
    .await;
}

#[tokio::test]
async fn a_guest_of_a_link_does_not_pass_by_the_locks_of_who_made_it() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.mkcol("/Team").await.expect(201);
        let id = alice.put("/Team/plan.odt", "one").await.expect(201).file_id();
        let made =
            alice.ocs("POST", "/apps/files_sharing/api/v1/shares", "path=/Team&shareType=3&permissions=15").await;
        let made = made.expect(200).json()["ocs"]["data"].clone();
        let root = format!("/public.php/dav/files/{}", made["token"].as_str().expect("a token"));
        let (guest, file) = (server.anonymous(), format!("{root}/plan.odt"));
        let put = |body: &'static str, guard: &str| {
            let call = guest.request("PUT", &file).body(body);
            if guard.is_empty() { call } else { call.header("if", guard) }
        };
        alice.ocs("PUT", &format!("/apps/files_lock/lock/{id}"), "").await.expect(200);
        put("by a guest", "").await.expect(423);
        guest.request("DELETE", &file).await.expect(423);
        guest.request("MOVE", &file).header("destination", &format!("{root}/b.odt")).await.expect(423);
        alice.put("/Team/plan.odt", "two").await.expect(204);
        alice.ocs("DELETE", &format!("/apps/files_lock/lock/{id}"), "").await.expect(200);

        // Listings tell of locks with their tokens (RFC 4918 §15.8), which are worth nothing to others.
        let taken = alice.files("LOCK", "/Team/plan.odt").header("depth", "0").body(LOCK_INFO).await.expect(200);
        let token = taken.header("lock-token").to_owned();
        put("by a guest", &format!("({token})")).await.expect(423);
        guest.request("UNLOCK", &file).header("lock-token", &token).await.expect(403);
        alice.put("/Team/plan.odt", "three").await.expect(423);
        alice.files("UNLOCK", "/Team/plan.odt").header("lock-token", &token).await.expect(204);

        // A guest's own lock is a guest's: it keeps its owner out until it ends, with the link at the latest.
        let taken = guest.request("LOCK", &file).header("depth", "0").body(LOCK_INFO).await.expect(200);
        let own = taken.header("lock-token").to_owned();
        put("by a guest", &format!("({own})")).await.expect(204);
        alice.put("/Team/plan.odt", "four").await.expect(423);
        alice.put("/Team/plan.odt", "four").header("if", &format!("({own})")).await.expect(423);
        assert_eq!(told(&alice, "alice", nc::LOCK_OWNER_DISPLAYNAME).await.as_deref(), Some("Public link"));
        guest.request("UNLOCK", &file).header("lock-token", &own).await.expect(204);
        alice.put("/Team/plan.odt", "four").await.expect(204);
        guest.request("LOCK", &file).header("depth", "0").body(LOCK_INFO).await.expect(200);
        alice.set_rights(made["id"].as_str().expect("an id"), 1).await;
        alice.put("/Team/plan.odt", "five").await.expect(204);
        alice.set_rights(made["id"].as_str().expect("an id"), 15).await;
        guest.request("LOCK", &file).header("depth", "0").body(LOCK_INFO).await.expect(200);
        alice.unshare(made["id"].as_str().expect("an id")).await;
        alice.put("/Team/plan.odt", "six").await.expect(204);
    })
    .await;
}
