//! Tags as the apps make, show, put on and take off, and files found by them. Sheets `nextcloud-files-dav` §10 and §12.2,
//! `mobile-clients` 3.14, `desktop-client` 5.9.

use crate::support::{Answer, Client, Server, on_every_engine, on_every_engine_with};

async fn make(client: &Client, body: &str) -> Answer {
    client
        .request("POST", "/remote.php/dav/systemtags/")
        .header("content-type", "application/json")
        .body(body.to_owned())
        .await
}

/// As both apps list them.
async fn list(client: &Client, path: &str) -> Answer {
    let body = "<d:propfind xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\" xmlns:nc=\"http://nextcloud.org/ns\"><d:prop><oc:id/>\
                <oc:display-name/><oc:user-visible/><oc:user-assignable/><oc:can-assign/><nc:color/></d:prop></d:propfind>";
    client.request("PROPFIND", path).header("depth", "1").body(body).await
}

async fn file(client: &Client, path: &str) -> (String, String) {
    let asked = "<d:propfind xmlns:d='DAV:' xmlns:oc='http://owncloud.org/ns' xmlns:nc='http://nextcloud.org/ns'><d:prop>\
                 <oc:fileid/><nc:system-tags/></d:prop></d:propfind>";
    let text = client.propfind(path, 0).body(asked).await.expect(207).text();
    let id = text.split("<oc:fileid>").nth(1).and_then(|rest| rest.split('<').next()).expect("a file id").to_owned();
    (id, text)
}

async fn filter(client: &Client, rules: &str) -> Answer {
    let body = format!(
        "<oc:filter-files xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\" xmlns:nc=\"http://nextcloud.org/ns\"><d:prop>\
         <oc:fileid/><nc:system-tags/></d:prop><oc:filter-rules>{rules}</oc:filter-rules></oc:filter-files>"
    );
    client.files("REPORT", "/").body(body).await
}

fn id_of(made: &Answer) -> String {
    made.header("content-location").rsplit('/').next().expect("a number").to_owned()
}

#[tokio::test]
async fn a_tag_is_made_put_on_a_file_seen_there_and_found_by() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.mkcol("/Docs").await.expect(201);
        alice.put("/Docs/a.txt", "x").await.expect(201);
        alice.put("/b.txt", "x").await.expect(201);
        let made = make(&alice, "{\"name\":\"urgent\"}").await.expect(201);
        let urgent = id_of(&made);
        assert_eq!(made.header("content-location"), format!("/remote.php/dav/systemtags/{urgent}"));
        make(&alice, "{\"name\":\"Urgent\",\"userVisible\":true,\"userAssignable\":true}").await.expect(409);
        let listed = list(&alice, "/remote.php/dav/systemtags/").await.expect(207).text();
        assert!(
            listed.contains(&format!(
                "<d:href>/remote.php/dav/systemtags/{urgent}/</d:href><d:propstat><d:prop><oc:id>{urgent}</oc:id>\
                 <oc:display-name>urgent</oc:display-name><oc:user-visible>true</oc:user-visible>\
                 <oc:user-assignable>true</oc:user-assignable><oc:can-assign>true</oc:can-assign><nc:color/></d:prop>"
            )),
            "{listed}"
        );
        let (id, _) = file(&alice, "/Docs/a.txt").await;
        let relation = format!("/remote.php/dav/systemtags-relations/files/{id}/{urgent}");
        alice.request("PUT", &relation).await.expect(201);
        alice.request("PUT", &relation).await.expect(409);
        alice.request("PUT", &format!("/remote.php/dav/systemtags-relations/files/{id}/9999")).await.expect(412);
        let (_, shown) = file(&alice, "/Docs/a.txt").await;
        assert!(
            shown.contains(&format!(
                "<nc:system-tag oc:id=\"{urgent}\" oc:can-assign=\"true\" oc:user-assignable=\"true\" \
                 oc:user-visible=\"true\" nc:color=\"\">urgent</nc:system-tag>"
            )),
            "{shown}"
        );
        let of_file = list(&alice, &format!("/remote.php/dav/systemtags-relations/files/{id}")).await.expect(207).text();
        assert!(of_file.contains(&format!("<d:href>{relation}</d:href>")), "{of_file}");

        let found = filter(&alice, &format!("<oc:systemtag>{urgent}</oc:systemtag>")).await.expect(207).text();
        assert!(found.contains("<d:href>/remote.php/dav/files/alice/Docs/a.txt</d:href>"), "{found}");
        assert_eq!(found.matches("<d:response>").count(), 1);
        let other = id_of(&make(&alice, "{\"name\":\"later\"}").await.expect(201));
        let both = format!("<oc:systemtag>{urgent}</oc:systemtag><oc:systemtag>{other}</oc:systemtag>");
        assert!(!filter(&alice, &both).await.expect(207).text().contains("<d:response>"));
        let marked = format!("<oc:systemtag>{urgent}</oc:systemtag><oc:favorite>1</oc:favorite>");
        assert!(!filter(&alice, &marked).await.expect(207).text().contains("<d:response>"));
        for unknown in ["99999", "x", ""] {
            filter(&alice, &format!("<oc:systemtag>{unknown}</oc:systemtag>")).await.expect(412);
        }
        filter(&alice, "").await.expect(400);

        let colour = "<d:propertyupdate xmlns:d='DAV:' xmlns:nc='http://nextcloud.org/ns'><d:set><d:prop><nc:color>ff0000\
                      </nc:color></d:prop></d:set></d:propertyupdate>";
        let tag = format!("/remote.php/dav/systemtags/{urgent}");
        alice.request("PROPPATCH", &tag).body(colour).await.expect(207);
        assert!(file(&alice, "/Docs/a.txt").await.1.contains("nc:color=\"ff0000\""));
        alice.request("PROPPATCH", &tag).body(colour.replace("ff0000", "red")).await.expect(400);

        alice.request("DELETE", &relation).await.expect(204);
        alice.request("DELETE", &relation).await.expect(404);
        let made = alice
            .request("POST", &format!("/remote.php/dav/systemtags-relations/files/{id}"))
            .header("content-type", "application/json")
            .body("{\"name\":\"new\"}")
            .await
            .expect(201);
        assert!(made.header("content-location").contains(&format!("/files/{id}/")));
        assert!(file(&alice, "/Docs/a.txt").await.1.contains(">new</nc:system-tag>"));
        // With a file for good goes what was on it.
        alice.delete("/Docs").header("x-nc-skip-trashbin", "true").await.expect(204);
        server.app.store().maintain_space(&server.space.info().name).await.expect("maintenance");
        let new = id_of(&made);
        assert!(!filter(&alice, &format!("<oc:systemtag>{new}</oc:systemtag>")).await.expect(207).text().contains("response>"));
        let capabilities = alice.request("GET", "/ocs/v2.php/cloud/capabilities?format=json").await.expect(200).json();
        assert_eq!(capabilities["ocs"]["data"]["capabilities"]["systemtags"]["enabled"], true);
    })
    .await;
}

#[tokio::test]
async fn restricted_tags_are_the_administrators_and_others_files_are_not_there() {
    let few = |config: &mut nichoir::config::Config| {
        config.limits.tags_max = 3;
        config.limits.tags_of_node_max = 1;
    };
    on_every_engine_with(few, async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let account = server.space.account_by_login("alice").await.expect("alice");
        let role = Some(nichoir_store::Role::Admin);
        let update = nichoir_store::AccountUpdate { role, ..nichoir_store::AccountUpdate::default() };
        server.space.update_account(account.id, update).await.expect("an administrator");
        alice.put("/a.txt", "x").await.expect(201);
        bob.put("/b.txt", "x").await.expect(201);
        make(&bob, "{\"name\":\"x\",\"userVisible\":false}").await.expect(400);
        make(&bob, "{\"userVisible\":true}").await.expect(400);
        make(&bob, "{\"name\":\"\"}").await.expect(400);
        make(&bob, &format!("{{\"name\":\"{}\"}}", "a".repeat(65))).await.expect(400);
        bob.request("POST", "/remote.php/dav/systemtags/").body("name=x").await.expect(415);
        let hidden = id_of(&make(&alice, "{\"name\":\"x\",\"userVisible\":false}").await.expect(201));
        let seen = id_of(&make(&alice, "{\"name\":\"x\",\"userAssignable\":false}").await.expect(201));
        let open = id_of(&make(&bob, "{\"name\":\"x\"}").await.expect(201));
        make(&bob, "{\"name\":\"one too many\"}").await.expect(403);

        let listed = list(&bob, "/remote.php/dav/systemtags").await.expect(207).text();
        assert!(!listed.contains(&format!("/systemtags/{hidden}/")), "{listed}");
        assert!(listed.contains("<oc:can-assign>false</oc:can-assign>"), "{listed}");
        list(&bob, &format!("/remote.php/dav/systemtags/{hidden}")).await.expect(404);
        let (alices, _) = file(&alice, "/a.txt").await;
        let (bobs, _) = file(&bob, "/b.txt").await;
        let relation = |file: &str, tag: &str| format!("/remote.php/dav/systemtags-relations/files/{file}/{tag}");
        bob.request("PUT", &relation(&bobs, &hidden)).await.expect(412);
        bob.request("PUT", &relation(&bobs, &seen)).await.expect(403);
        bob.request("PUT", &relation(&alices, &open)).await.expect(404);
        list(&bob, &format!("/remote.php/dav/systemtags-relations/files/{alices}")).await.expect(404);
        bob.request("PUT", &relation(&bobs, &open)).await.expect(201);
        bob.request("DELETE", &format!("/remote.php/dav/systemtags/{open}")).await.expect(403);
        bob.request("DELETE", &format!("/remote.php/dav/systemtags/{hidden}")).await.expect(404);
        alice.request("PUT", &relation(&alices, &hidden)).await.expect(201);
        alice.request("PUT", &relation(&alices, &seen)).await.expect(413);
        alice.request("DELETE", &relation(&alices, &hidden)).await.expect(204);
        alice.request("PUT", &relation(&alices, &seen)).await.expect(201);
        filter(&bob, &format!("<oc:systemtag>{hidden}</oc:systemtag>")).await.expect(412);
        // Whoever asks by a tag finds what it sees.
        let by_seen = filter(&bob, &format!("<oc:systemtag>{seen}</oc:systemtag>")).await.expect(207);
        assert!(!by_seen.text().contains("<d:response>"));
        alice.request("DELETE", &format!("/remote.php/dav/systemtags/{open}")).await.expect(204);
        assert!(!file(&bob, "/b.txt").await.1.contains("system-tag "));
        alice.request("MKCOL", "/remote.php/dav/systemtags/7").await.expect(405);
        server.anonymous().request("PROPFIND", "/remote.php/dav/systemtags/").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_shared_file_is_tagged_by_who_may_change_it_and_found_by_who_sees_it() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.mkcol("/Team").await.expect(201);
        alice.put("/Team/a.txt", "x").await.expect(201);
        let (id, _) = file(&alice, "/Team/a.txt").await;
        let urgent = id_of(&make(&alice, "{\"name\":\"urgent\"}").await.expect(201));
        let place = format!("/remote.php/dav/systemtags-relations/files/{id}/{urgent}");
        let rule = format!("<oc:systemtag>{urgent}</oc:systemtag>");
        bob.request("PUT", &place).await.expect(404);
        let share = alice.share("/Team", "bob", 1).await;
        bob.request("PUT", &place).await.expect(403);
        assert!(filter(&bob, &rule).await.expect(207).hrefs().is_empty());
        alice.request("PUT", &place).await.expect(201);
        bob.request("DELETE", &place).await.expect(403);
        assert_eq!(filter(&bob, &rule).await.expect(207).hrefs(), ["/remote.php/dav/files/bob/Team/a.txt"]);
        assert!(file(&bob, "/Team/a.txt").await.1.contains("urgent"));
        alice.set_rights(&share, 15).await;
        bob.request("DELETE", &place).await.expect(204);
        assert!(!file(&alice, "/Team/a.txt").await.1.contains("urgent"));
        bob.request("PUT", &place).await.expect(201);
        alice.unshare(&share).await;
        assert!(filter(&bob, &rule).await.expect(207).hrefs().is_empty());
        bob.request("DELETE", &place).await.expect(404);
        assert!(file(&alice, "/Team/a.txt").await.1.contains("urgent"));
    })
    .await;
}
