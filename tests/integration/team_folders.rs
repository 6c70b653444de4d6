//! Team folders over HTTP, as the clients of their members meet them: every method with rights to read, to write and none, the
//! listings of OCS, activities, the quota, and what happens when the rights of a group change. Sheet `nextcloud-ocs`, section 12.

use nichoir_store::{Group, Permissions};
use nichoir_xml::{Name, dav, nc, oc};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Server, on_every_engine};

/// Alice, whose group writes; Bob, whose group reads; Carol, whose group sees nothing; and the folder's number.
async fn team(server: &Server, quota_bytes: Option<u64>) -> (Client, Client, Client, i64) {
    let space = &server.space;
    let carol = server.new_member("carol").await;
    let folder = space.create_team_folder("Team", quota_bytes).await.expect("a team folder").id;
    for (group, login, rights) in [
        ("board", "alice", Permissions::READ_WRITE),
        ("hall", "bob", Permissions::READ),
        ("cellar", "carol", Permissions::NONE),
    ] {
        let id = space.create_group(group, "").await.expect("a group").id;
        let account = space.account_by_login(login).await.expect("there").id;
        space.add_to_group(id, account).await.expect("in the group");
        space.grant_team_folder(folder, id, rights).await.expect("granted");
    }
    (server.account("alice"), server.account("bob"), carol, folder)
}

async fn folders(client: &Client) -> Value {
    client.ocs("GET", "/apps/groupfolders/folders", "").await.expect(200).json()["ocs"]["data"].clone()
}

async fn home(client: &Client, login: &str) -> Answer {
    let names =
        ["oc:permissions", "n:mount-type", "n:is-mount-root", "d:getetag", "d:quota-available-bytes", "oc:size"];
    client.properties(&format!("/remote.php/dav/files/{login}/"), 1, &names).await
}

fn text(answer: &Answer, href: &str, name: &Name) -> String {
    answer.property(href, name).map(|it| it.text()).unwrap_or_default()
}

/// Android and iOS show the way to them only then, and the desktop client asks for the list only then.
#[tokio::test]
async fn the_capabilities_offer_team_folders_to_who_sees_one() {
    on_every_engine(async |server: &Server| {
        let offered = async |client: &Client| {
            let told = client.ocs("GET", "/cloud/capabilities", "").await.expect(200).json();
            told["ocs"]["data"]["capabilities"]["groupfolders"].clone()
        };
        assert_eq!(offered(&server.account("alice")).await, json!({ "hasGroupFolders": false }));
        let (alice, bob, carol, _) = team(server, None).await;
        for (client, sees) in [(&alice, true), (&bob, true), (&carol, false)] {
            assert_eq!(offered(client).await, json!({ "hasGroupFolders": sees }));
        }
    })
    .await;
}

#[tokio::test]
async fn each_sees_of_a_team_folder_what_the_group_may() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, carol, id) = team(server, None).await;
        alice.mkcol("/Team/sub").await.expect(201);
        alice.put("/Team/a.txt", "ours").await.expect(201);
        for (client, login, rights, inside) in [(&alice, "alice", "MGDNVCK", "MGDNVW"), (&bob, "bob", "MG", "MG")] {
            let seen = home(client, login).await;
            let href = format!("/remote.php/dav/files/{login}/Team/");
            // Nobody takes away or renames the folder itself.
            let own: String = text(&seen, &href, &oc::PERMISSIONS);
            assert!(own.contains('M') && !own.contains('D') && !own.contains('N'), "{login}: {own} of {rights}");
            assert_eq!(own.contains('C'), rights.contains('C'), "{login}: {own}");
            assert_eq!(text(&seen, &href, &nc::MOUNT_TYPE), "group", "{login}");
            assert_eq!(text(&seen, &href, &nc::IS_MOUNT_ROOT), "true", "{login}");
            let file = format!("{href}a.txt");
            let listed = client.properties(&href, 1, &["oc:permissions"]).await;
            assert_eq!(text(&listed, &file, &oc::PERMISSIONS), inside, "{login}");
            let told = folders(client).await;
            let told = &told[id.to_string()];
            assert_eq!((&told["mount_point"], &told["quota"], &told["size"]), (&json!("Team"), &json!(-3), &json!(4)));
        }
        assert_eq!(
            folders(&alice).await[id.to_string()]["groups"],
            json!({ "board": 15 }),
            "only one's own groups are told"
        );
        assert_eq!(folders(&bob).await[id.to_string()]["groups"], json!({ "hall": 1 }));
        assert_eq!(folders(&carol).await, json!([]));
        assert_eq!(home(&carol, "carol").await.hrefs(), ["/remote.php/dav/files/carol/"]);
        carol.get("/Team/a.txt").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn who_may_read_reads_and_changes_nothing_by_any_method() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, carol, _) = team(server, None).await;
        alice.mkcol("/Team/sub").await.expect(201);
        let id = alice.put("/Team/a.txt", "ours").await.expect(201).file_id();
        bob.put("/own.txt", "his").await.expect(201);
        carol.put("/own.txt", "hers").await.expect(201);
        let before = server.space.change_sequence().await.expect("a number");
        let info = "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockinfo>";
        let patch = "<d:propertyupdate xmlns:d='DAV:'><d:set><d:prop><x xmlns='urn:x'>1</x></d:prop></d:set></d:propertyupdate>";
        for (client, login, read, written) in [(&bob, "bob", 200, 403), (&carol, "carol", 404, 404)] {
            let at = |path: &str| format!("/remote.php/dav/files/{login}{path}");
            for method in ["GET", "HEAD"] {
                client.files(method, "/Team/a.txt").await.expect(read);
            }
            client.propfind("/Team/", 1).await.expect(if read == 200 { 207 } else { 404 });
            let sync = "<d:sync-collection xmlns:d='DAV:'><d:sync-token/><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>";
            client.files("REPORT", "/Team/").body(sync).await.expect(if read == 200 { 207 } else { 404 });
            let gone = if written == 404 { 409 } else { written };
            for (method, path, body, to, status) in [
                ("PUT", "/Team/a.txt", "taken", "", gone),
                ("PUT", "/Team/new.txt", "new", "", gone),
                ("MKCOL", "/Team/new", "", "", gone),
                ("DELETE", "/Team/a.txt", "", "", written),
                ("DELETE", "/Team/sub", "", "", written),
                ("DELETE", "/Team", "", "", written),
                ("MOVE", "/Team/a.txt", "", "/Team/b.txt", written),
                ("MOVE", "/Team/a.txt", "", "/b.txt", written),
                ("MOVE", "/Team", "", "/Mine", written),
                ("MOVE", "/own.txt", "", "/Team/own.txt", gone),
                ("COPY", "/own.txt", "", "/Team/own.txt", gone),
                ("COPY", "/own.txt", "", "/Team/a.txt", gone),
                ("LOCK", "/Team/a.txt", info, "", gone),
                ("LOCK", "/Team/new.txt", info, "", gone),
            ] {
                let call = client.files(method, path).header("depth", "infinity").header("destination", &at(to));
                let answer = call.body(body).await;
                assert_eq!(answer.status, status, "{login}: {method} {path} {to}: {}", answer.text());
            }
            client.files("PROPPATCH", "/Team/a.txt").body(patch).await.expect(written);
            client.ocs("PUT", &format!("/apps/files_lock/lock/{id}"), "").await.expect(written);
        }
        assert_eq!(server.space.change_sequence().await.expect("a number"), before, "nothing was changed");
        assert_eq!(alice.get("/Team/a.txt").await.text(), "ours");
    })
    .await;
}

#[tokio::test]
async fn who_may_write_writes_by_every_method_and_the_others_see_it() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, _, _) = team(server, None).await;
        let etag = async || {
            let seen = home(&bob, "bob").await;
            seen.property("/remote.php/dav/files/bob/Team/", &dav::GETETAG).expect("an etag").text()
        };
        let mut last = etag().await;
        let to = |path: &str| format!("/remote.php/dav/files/alice{path}");
        alice.put("/own.txt", "hers").await.expect(201);
        for (method, path, body, destination, status) in [
            ("MKCOL", "/Team/sub", "", "", 201),
            ("PUT", "/Team/a.txt", "one", "", 201),
            ("PUT", "/Team/a.txt", "two", "", 204),
            ("COPY", "/Team/a.txt", "", "/Team/sub/copy.txt", 201),
            ("MOVE", "/Team/sub/copy.txt", "", "/Team/moved.txt", 201),
            ("MOVE", "/own.txt", "", "/Team/own.txt", 201),
            ("DELETE", "/Team/moved.txt", "", "", 204),
            ("MOVE", "/Team/own.txt", "", "/own.txt", 201),
        ] {
            server.clock.advance_seconds(60);
            alice.files(method, path).header("destination", &to(destination)).body(body).await.expect(status);
            let now = etag().await;
            assert_ne!(now, last, "{method} {path}: the others look again");
            last = now;
        }
        assert_eq!(bob.get("/Team/a.txt").await.text(), "two");
        alice.delete("/Team").await.expect(403);
        alice.move_to("/Team", "/Mine").await.expect(403);
        // What she put in and out again is hers as before.
        assert_eq!(alice.get("/own.txt").await.text(), "hers");
        bob.get("/Team/own.txt").await.expect(404);

        // The trash of the team: who may write brings back, who may read sees and changes nothing.
        let trash = bob.properties("/remote.php/dav/trashbin/bob/trash/", 1, &["d:getetag"]).await.hrefs();
        assert_eq!(trash.len(), 2, "{trash:?}");
        let name = trash[1].rsplit('/').next().expect("a name").to_owned();
        let before = server.space.change_sequence().await.expect("a number");
        let restore = format!("/remote.php/dav/trashbin/bob/restore/{name}");
        bob.request("MOVE", &trash[1]).header("destination", &restore).await.expect(403);
        assert_eq!(server.space.change_sequence().await.expect("a number"), before);
        let own = format!("/remote.php/dav/trashbin/alice/trash/{name}");
        let restore = format!("/remote.php/dav/trashbin/alice/restore/{name}");
        alice.request("MOVE", &own).header("destination", &restore).await.expect(201);
        assert_eq!(bob.get("/Team/moved.txt").await.expect(200).text(), "two");
        assert_eq!(bob.properties("/remote.php/dav/trashbin/bob/trash/", 1, &["d:getetag"]).await.hrefs().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn members_are_told_what_others_did_in_the_team_folder_and_outsiders_nothing() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, carol, _) = team(server, None).await;
        alice.put("/Team/minutes.txt", "one").await.expect(201);
        for (client, is_told) in [(&alice, true), (&bob, true), (&carol, false)] {
            let told = client.ocs("GET", "/apps/activity/api/v2/activity", "").await;
            let text = String::from_utf8_lossy(&told.body).into_owned();
            assert_eq!(text.contains("minutes.txt"), is_told, "{text}");
            let found = client.ocs("GET", "/search/providers/files/search?term=minutes", "").await.expect(200).text();
            assert_eq!(found.contains("minutes.txt"), is_told, "{found}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_quota_of_a_team_folder_is_kept_and_told() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, _, id) = team(server, Some(10)).await;
        alice.put("/Team/a.txt", "123456").await.expect(201);
        let told = folders(&bob).await[id.to_string()].clone();
        assert_eq!((&told["quota"], &told["size"]), (&json!(10), &json!(6)));
        for (path, body) in [("/Team/b.txt", "12345"), ("/Team/a.txt", "12345678901")] {
            let refused = alice.put(path, body).await.expect(507);
            assert!(refused.text().contains("quota-not-exceeded"), "{}", refused.text());
        }
        alice.put("/own.txt", "12345").await.expect(201);
        alice.move_to("/own.txt", "/Team/own.txt").await.expect(507);
        let copy = alice.files("COPY", "/own.txt").header("destination", "/remote.php/dav/files/alice/Team/own.txt");
        copy.await.expect(507);
        assert_eq!(alice.get("/own.txt").await.expect(200).text(), "12345");
        // To the byte, and again when there is room.
        alice.put("/Team/b.txt", "1234").await.expect(201);
        alice.put("/Team/c.txt", "1").await.expect(507);
        server.space.set_team_folder_quota(id, None).await.expect("set");
        alice.put("/Team/c.txt", "1").await.expect(201);
        assert_eq!(folders(&bob).await[id.to_string()]["size"], json!(11));
    })
    .await;
}

#[tokio::test]
async fn a_group_whose_rights_change_meets_them_at_the_next_request() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, carol, id) = team(server, None).await;
        let space = &server.space;
        let group = async |name: &str| space.group_by_name(name).await.expect("there").id;
        alice.put("/Team/a.txt", "one").await.expect(201);
        bob.put("/Team/a.txt", "two").await.expect(403);
        space.grant_team_folder(id, group("hall").await, Permissions::READ_WRITE).await.expect("granted");
        bob.put("/Team/a.txt", "two").await.expect(204);
        bob.files("LOCK", "/Team/a.txt").header("x-user-lock", "1").await.expect(200);
        alice.put("/Team/a.txt", "three").await.expect(423);
        space.grant_team_folder(id, group("hall").await, Permissions::NONE).await.expect("granted");
        bob.get("/Team/a.txt").await.expect(404);
        bob.put("/Team/a.txt", "four").await.expect(409);
        alice.put("/Team/a.txt", "three").await.expect(204);
        // Everybody, who is in no group but that one.
        space.grant_team_folder(id, Group::EVERYONE, Permissions::READ).await.expect("granted");
        assert_eq!(carol.get("/Team/a.txt").await.expect(200).text(), "three");
        carol.put("/Team/a.txt", "hers").await.expect(403);
        space.delete_team_folder(id).await.expect("deleted");
        for client in [&alice, &bob, &carol] {
            client.get("/Team/a.txt").await.expect(404);
            assert_eq!(folders(client).await, json!([]));
        }
    })
    .await;
}
