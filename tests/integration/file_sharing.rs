//! Sharing files and folders as the desktop client, Android and iOS do: their requests in their order, with their bodies,
//! and what they would read. Sheets `nextcloud-ocs` §5, `desktop-client` §13, `mobile-clients` §2.4, §3.13, §4.9.

use nichoir_store::{Permissions, Sharee, change::CreateShare};
use nichoir_xml::{nc, oc, ocs};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Server, on_every_engine};

const API: &str = "/ocs/v2.php/apps/files_sharing/api/v1";

/// A request with a form, answered in JSON.
async fn form(client: &Client, method: &str, below: &str, form: &str) -> Answer {
    let query = if below.contains('?') { "&format=json" } else { "?format=json" };
    let call = client.request(method, &format!("{API}/{below}{query}")).header("ocs-apirequest", "true");
    match form {
        "" => call.await,
        form => call.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned()).await,
    }
}

fn data(answer: &Answer) -> Value {
    answer.json()["ocs"]["data"].clone()
}

fn message(answer: &Answer) -> String {
    answer.json()["ocs"]["meta"]["message"].as_str().unwrap_or_default().to_owned()
}

async fn list(client: &Client, below: &str) -> Vec<Value> {
    match data(&form(client, "GET", below, "").await.expect(200)) {
        Value::Array(list) => list,
        other => panic!("not a list: {other}"),
    }
}

/// What the desktop client asks of a folder's members.
async fn listed(client: &Client, path: &str) -> Answer {
    let body = "<?xml version=\"1.0\"?><d:propfind xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\" \
                xmlns:nc=\"http://nextcloud.org/ns\" xmlns:ocs=\"http://open-collaboration-services.org/ns\"><d:prop>\
                <d:getetag/><oc:id/><oc:permissions/><oc:share-types/><oc:owner-id/><nc:mount-type/><nc:is-mount-root/>\
                <nc:sharees/><nc:share-attributes/><nc:note/><ocs:share-permissions/></d:prop></d:propfind>";
    client.propfind(path, 1).body(body).await.expect(207)
}

/// The text of a property of the member at `href`.
fn text(answer: &Answer, href: &str, name: &nichoir_xml::Name) -> String {
    answer.property(href, name).map(|element| element.text()).unwrap_or_else(|| "(none)".to_owned())
}

async fn team(alice: &Client) {
    alice.mkcol("/Team").await.expect(201);
    alice.mkcol("/Team/sub").await.expect(201);
    alice.put("/Team/a.txt", "one").await.expect(201);
}

#[tokio::test]
async fn the_desktop_client_shares_a_folder_and_both_see_it() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        team(&alice).await;
        let found =
            data(&form(&alice, "GET", "sharees?search=bo&itemType=folder&page=1&perPage=50&lookup=false", "").await);
        assert_eq!(found["users"][0]["value"], json!({"shareType": 0, "shareWith": "bob"}));
        for kind in ["users", "groups", "remotes", "remote_groups", "emails", "circles", "rooms"] {
            assert!(found[kind].is_array() && found["exact"][kind].is_array(), "{kind}");
        }
        assert!(list(&alice, "shares?path=&shared_with_me=true").await.is_empty());
        let home = bob.propfind("/", 0).await.expect(207).text();
        // No rights are sent: the default applies.
        let made = form(&alice, "POST", "shares", "path=%2FTeam&shareType=0&shareWith=bob").await.expect(200);
        let share = data(&made);
        let id = share["id"].as_str().unwrap().to_owned();
        assert_eq!(share["permissions"], 31);
        for (name, expected) in [
            ("share_type", json!(0)),
            ("uid_owner", json!("alice")),
            ("uid_file_owner", json!("alice")),
            ("can_edit", json!(true)),
            ("can_delete", json!(true)),
            ("parent", Value::Null),
            ("expiration", Value::Null),
            ("token", Value::Null),
            ("note", json!("")),
            ("label", json!("")),
            ("path", json!("/Team")),
            ("item_type", json!("folder")),
            ("item_permissions", json!(31)),
            ("is-mount-root", json!(false)),
            ("mount-type", json!("")),
            ("mimetype", json!("httpd/unix-directory")),
            ("has_preview", json!(false)),
            ("storage_id", json!("home::alice")),
            ("file_target", json!("/Team")),
            ("item_size", json!(3)),
            ("share_with", json!("bob")),
            ("mail_send", json!(1)),
            ("hide_download", json!(0)),
            ("attributes", Value::Null),
        ] {
            assert_eq!(share[name], expected, "{name}");
        }
        assert!(share["stime"].is_i64() && share["item_source"].is_i64() && share["file_parent"].is_i64());
        assert_ne!(bob.propfind("/", 0).await.text(), home, "the home of who receives it moves");

        let again =
            form(&alice, "POST", "shares", "path=/Team&shareType=0&shareWith=bob&permissions=1").await.expect(200);
        assert_eq!((data(&again)["id"].as_str(), data(&again)["permissions"].as_i64()), (Some(&*id), Some(31)));

        let seen = listed(&bob, "/").await;
        let href = "/remote.php/dav/files/bob/Team/";
        assert_eq!(text(&seen, href, &oc::PERMISSIONS), "SRGDNVCK");
        assert_eq!(text(&seen, href, &oc::OWNER_ID), "alice");
        assert_eq!(text(&seen, href, &nc::MOUNT_TYPE), "shared");
        assert_eq!(text(&seen, href, &nc::IS_MOUNT_ROOT), "true");
        assert_eq!(text(&seen, href, &ocs::SHARE_PERMISSIONS), "31");
        assert_eq!(text(&seen, href, &nc::NOTE), "");
        assert_eq!(text(&seen, href, &oc::SHARE_TYPES), "");
        let inside = listed(&bob, "/Team/").await;
        let file = "/remote.php/dav/files/bob/Team/a.txt";
        assert_eq!(text(&inside, file, &oc::PERMISSIONS), "SRGDNVW");
        assert_eq!(text(&inside, file, &nc::IS_MOUNT_ROOT), "false");
        assert_eq!(text(&inside, file, &ocs::SHARE_PERMISSIONS), "19");
        let own = listed(&alice, "/").await;
        let href = "/remote.php/dav/files/alice/Team/";
        let sharees =
            "<nc:sharee><nc:id>bob</nc:id><nc:display-name>BOB</nc:display-name><nc:type>0</nc:type></nc:sharee>";
        for told in ["<oc:share-types><oc:share-type>0</oc:share-type></oc:share-types>", sharees] {
            assert!(own.text().contains(told), "{told} is not in {}", own.text());
        }
        assert_eq!(text(&own, href, &oc::PERMISSIONS), "RGDNVCK");
        assert_eq!(text(&own, href, &nc::NOTE), "(none)");

        // "Leave share" of the desktop client.
        let received = list(&bob, "shares?shared_with_me=true&path=/Team").await;
        assert_eq!(
            (received.len(), &received[0]["path"], &received[0]["file_target"]),
            (1, &json!("/Team"), &json!("/Team"))
        );
        assert_eq!((&received[0]["can_edit"], &received[0]["mount-type"]), (&json!(false), &json!("shared")));
        assert_eq!(data(&form(&bob, "DELETE", &format!("shares/{id}"), "").await.expect(200)), json!([]));
        bob.propfind("/Team/", 0).await.expect(404);
        assert!(list(&alice, "shares").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn every_field_is_changed_by_itself_and_android_writes_numbers_as_text() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        team(&alice).await;
        let made =
            form(&alice, "POST", "shares", "path=/Team&shareType=0&shareWith=bob&permissions=17").await.expect(200);
        let id = data(&made)["id"].as_str().unwrap().to_owned();
        let put = async |body: Value| {
            let call = alice.request("PUT", &format!("{API}/shares/{id}?format=json")).header("ocs-apirequest", "true");
            call.header("content-type", "application/json").body(body.to_string()).await
        };
        let share = data(&put(json!({"permissions": "15"})).await.expect(200));
        assert_eq!((&share["permissions"], &share["mail_send"]), (&json!(15), &json!(0)));
        let share = data(&put(json!({"note": "hello bob"})).await.expect(200));
        assert_eq!((&share["note"], &share["permissions"]), (&json!("hello bob"), &json!(15)));
        let share = data(&put(json!({"expireDate": "2031-02-03"})).await.expect(200));
        assert_eq!((&share["expiration"], &share["note"]), (&json!("2031-02-03 00:00:00"), &json!("hello bob")));
        let attributes = "[{\"scope\":\"permissions\",\"key\":\"download\",\"value\":false}]";
        let share = data(&put(json!({"attributes": attributes})).await.expect(200));
        assert_eq!(share["attributes"], json!(attributes), "JSON in a text");
        let seen = listed(&bob, "/").await;
        let href = "/remote.php/dav/files/bob/Team/";
        assert_eq!(text(&seen, href, &nc::SHARE_ATTRIBUTES), attributes);
        assert_eq!(text(&seen, href, &nc::NOTE), "hello bob");
        bob.get("/Team/a.txt").await.expect(200);
        bob.files("COPY", "/Team/a.txt").header("destination", "/remote.php/dav/files/bob/a.txt").await.expect(403);
        only_looked_at(&bob).await;
        let share = data(&put(json!({"expireDate": "", "hideDownload": "true"})).await.expect(200));
        assert_eq!((&share["expiration"], &share["hide_download"]), (&Value::Null, &json!(0)));

        for (body, status, words) in [
            (json!({}), 400, "Wrong or no update parameter given"),
            (json!({"permissions": "64"}), 404, "Invalid permissions"),
            (json!({"expireDate": "soon"}), 404, "Invalid date. Format must be YYYY-MM-DD"),
            (json!({"expireDate": "2001-01-01"}), 404, "Expiration date is in the past"),
            (json!({"attributes": "x"}), 400, "Invalid share attributes provided"),
        ] {
            let refused = put(body.clone()).await.expect(status);
            assert_eq!(message(&refused), words, "{body}");
        }
        let by_bob = form(&bob, "PUT", &format!("shares/{id}"), "permissions=31").await.expect(403);
        assert_eq!(message(&by_bob), "You are not allowed to edit incoming shares");
        // One share is a list of one.
        let one = list(&alice, &format!("shares/{id}?include_tags=true")).await;
        assert_eq!((one.len(), &one[0]["permissions"], &one[0]["tags"]), (1, &json!(15), &json!([])));
    })
    .await;
}

fn number(written: &Answer) -> i64 {
    written.header("oc-fileid")[..8].parse().expect("a number")
}

/// `/Team`, which bob is to look at only: there is no way around by an archive, an earlier version, an address or a link.
async fn only_looked_at(bob: &Client) {
    let id = number(&bob.put("/Team/a.txt", "two").await.expect(204));
    for archive in ["/Team/?accept=zip", "/?accept=zip&files=%5B%22Team%22%5D", "/?files=Team&accept=zip"] {
        bob.get(archive).await.expect(403);
    }
    let all = bob.get("/?accept=zip").await.expect(200);
    assert!(!all.body.windows(5).any(|window| window == b"a.txt"), "what is below is left out");
    let versions = bob.request("PROPFIND", &format!("/remote.php/dav/versions/bob/versions/{id}")).await.expect(207);
    for version in versions.hrefs().into_iter().skip(1) {
        bob.request("GET", &version).await.expect(403);
    }
    let direct = bob.request("POST", "/ocs/v2.php/apps/dav/api/v1/direct?format=json").header("ocs-apirequest", "true");
    let as_form = "application/x-www-form-urlencoded";
    direct.header("content-type", as_form).body(format!("fileId={id}")).await.expect(403);
}

#[tokio::test]
async fn a_link_to_what_is_to_be_looked_at_only_is_for_looking_only() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, nobody) = (server.account("alice"), server.account("bob"), server.anonymous());
        team(&alice).await;
        let made =
            form(&alice, "POST", "shares", "path=/Team&shareType=0&shareWith=bob&permissions=31").await.expect(200);
        let made = data(&made)["id"].as_str().unwrap().to_owned();
        let link = form(&bob, "POST", "shares", "path=/Team&shareType=3").await.expect(200);
        let token = data(&link)["token"].as_str().unwrap().to_owned();
        let id = number(&alice.put("/Team/a.txt", "two").await.expect(204));
        let direct = bob
            .request("POST", &format!("/ocs/v2.php/apps/dav/api/v1/direct?format=json&fileId={id}"))
            .header("ocs-apirequest", "true");
        let direct = data(&direct.await.expect(200))["url"].as_str().unwrap().to_owned();
        let direct = direct.split_once("/remote.php").map(|(_, rest)| format!("/remote.php{rest}")).unwrap();
        let root = format!("/public.php/dav/files/{token}");
        nobody.request("GET", &format!("{root}/?accept=zip")).await.expect(200);
        nobody.request("GET", &direct).await.expect(200);
        let attributes =
            "%5B%7B%22scope%22%3A%22permissions%22%2C%22key%22%3A%22download%22%2C%22value%22%3Afalse%7D%5D";
        form(&alice, "PUT", &format!("shares/{made}"), &format!("attributes={attributes}")).await.expect(200);
        nobody.request("GET", &format!("{root}/?accept=zip")).await.expect(403);
        nobody.request("GET", &format!("{root}/")).header("accept", "application/zip").await.expect(403);
        nobody.request("GET", &format!("/s/{token}/download")).await.expect(403);
        nobody.request("GET", &format!("{root}/a.txt")).await.expect(200);
        nobody.request("GET", &direct).await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn refusals_have_the_words_that_clients_show() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        team(&alice).await;
        for (body, status, words) in [
            ("path=/Team&shareType=0&shareWith=nobody", 404, "Please specify a valid account to share with"),
            ("path=/Team&shareType=0", 404, "Please specify a valid account to share with"),
            ("path=/Team&shareType=1&shareWith=nobody", 404, "Please specify a valid group"),
            ("path=/Nope&shareType=0&shareWith=bob", 404, "Wrong path, file/folder does not exist"),
            ("path=/Team/../Team&shareType=0&shareWith=bob", 404, "Wrong path, file/folder does not exist"),
            ("shareType=0&shareWith=bob", 404, "Please specify a file or folder path"),
            ("path=/&shareType=0&shareWith=bob", 403, "You cannot share your root folder"),
            ("path=/Team&shareType=0&shareWith=alice", 403, "Cannot share with yourself"),
            ("path=/Team&shareType=99&shareWith=bob", 400, "Unknown share type"),
            ("path=/Team&shareWith=bob", 400, "Unknown share type"),
            ("path=/Team&shareType=0&shareWith=bob&permissions=99", 404, "Invalid permissions"),
        ] {
            let refused = form(&alice, "POST", "shares", body).await.expect(status);
            assert_eq!((message(&refused), data(&refused)), (words.to_owned(), json!([])), "{body}");
        }
        for (method, below) in
            [("GET", "shares/999"), ("DELETE", "shares/999"), ("PUT", "shares/x"), ("POST", "shares/pending/999")]
        {
            let refused = form(&alice, method, below, if method == "PUT" { "note=x" } else { "" }).await.expect(404);
            assert_eq!(message(&refused), "Wrong share ID, share does not exist", "{method} {below}");
        }
        assert_eq!(
            message(&form(&alice, "GET", "shares?path=/Nope", "").await.expect(404)),
            "Wrong path, file/folder does not exist"
        );
        assert_eq!(
            message(&form(&alice, "GET", "shares?path=/Team/a.txt&subfiles=true", "").await.expect(400)),
            "Not a directory"
        );
        assert_eq!(message(&form(&alice, "GET", "sharees?search=bo", "").await.expect(400)), "Missing itemType");
        // In version 1, the status is in the envelope.
        let v1 = "/ocs/v1.php/apps/files_sharing/api/v1/shares/999?format=json";
        let v1 = alice.request("DELETE", v1).header("ocs-apirequest", "true").await.expect(200);
        assert_eq!(v1.json()["ocs"]["meta"]["statuscode"], 404);

        form(&alice, "POST", "shares", "path=/Team&shareType=0&shareWith=bob&permissions=1").await.expect(200);
        server.space.create_group("board", "").await.unwrap();
        let handed_on = form(&bob, "POST", "shares", "path=/Team&shareType=1&shareWith=board").await.expect(404);
        assert_eq!(message(&handed_on), "You are not allowed to share Team");
        bob.put("/Team/new.txt", "x").await.expect(403);
        bob.put("/Team/a.txt", "x").await.expect(403);
        bob.delete("/Team/a.txt").await.expect(403);
        bob.mkcol("/Team/new").await.expect(403);
        bob.move_to("/Team", "/Renamed").await.expect(201);
        assert_eq!(alice.get("/Team/a.txt").await.text(), "one");
        bob.delete("/Renamed").await.expect(204);
        bob.get("/Renamed/a.txt").await.expect(404);
        alice.get("/Team/a.txt").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_group_share_is_left_and_had_back_and_android_reads_it_as_xml() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        team(&alice).await;
        let board = server.space.create_group("board", "The board").await.unwrap();
        let bobs = server.space.account_by_login("bob").await.unwrap().id;
        server.space.add_to_group(board.id, bobs).await.unwrap();
        let made = form(&alice, "POST", "shares", "path=/Team/sub&shareType=1&shareWith=board&permissions=1")
            .await
            .expect(200);
        let share = data(&made);
        let id = share["id"].as_str().unwrap().to_owned();
        assert_eq!((&share["share_with"], &share["share_with_displayname"]), (&json!("board"), &json!("The board")));
        assert!(share.get("share_with_displayname_unique").is_none());
        let xml = bob.request("GET", "/ocs/v2.php/apps/files_sharing/api/v1/shares?shared_with_me=true");
        let xml = xml.header("ocs-apirequest", "true").await.expect(200).text();
        let (id_at, path_at) = (xml.find(&format!("<id>{id}</id>")).unwrap(), xml.find("<path>/sub</path>").unwrap());
        assert!(id_at < path_at && xml.contains("<data><element>"), "{xml}");
        assert!(!xml.contains("<token>") && !xml.contains("<url>"), "{xml}");

        bob.delete("/sub").await.expect(204);
        assert!(list(&bob, "shares?shared_with_me=true").await.is_empty());
        let declined = list(&bob, "deletedshares").await;
        assert_eq!(declined[0]["id"], json!(format!("ocinternal:{id}")));
        form(&bob, "POST", &format!("deletedshares/ocinternal:{id}"), "").await.expect(200);
        assert_eq!(list(&bob, "shares?shared_with_me=true&include_tags=true").await[0]["tags"], json!([]));
        let inherited = list(&alice, "shares/inherited?path=/Team/sub").await;
        assert!(inherited.is_empty(), "its own are not inherited");
        alice.mkcol("/Team/sub/deep").await.expect(201);
        let inherited = list(&alice, "shares/inherited?path=/Team/sub/deep").await;
        assert_eq!((&inherited[0]["id"], &inherited[0]["via_path"]), (&json!(id), &json!("/Team/sub")));
        assert_eq!(list(&alice, "shares?path=/Team&subfiles=true").await.len(), 1);
        assert!(list(&alice, "shares?path=/Team").await.is_empty());
        let recommended = data(&form(&alice, "GET", "sharees_recommended?itemType=file", "").await.expect(200));
        assert_eq!(recommended["exact"]["groups"][0]["value"]["shareWith"], json!("board"));
    })
    .await;
}

#[tokio::test]
async fn what_is_handed_on_is_listed_for_its_owner_and_ends_with_what_it_stands_on() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        team(&alice).await;
        let first = data(&form(&alice, "POST", "shares", "path=/Team&shareType=0&shareWith=bob").await.expect(200));
        let second =
            data(&form(&bob, "POST", "shares", "path=/Team/sub&shareType=1&shareWith=everyone").await.expect(200));
        assert_eq!((&second["uid_owner"], &second["uid_file_owner"]), (&json!("bob"), &json!("alice")));
        assert_eq!(list(&alice, "shares?path=/Team/sub").await.len(), 0);
        let seen = list(&alice, "shares?path=/Team/sub&reshares=true&subfiles=false").await;
        assert_eq!((&seen[0]["id"], &seen[0]["can_delete"]), (&second["id"], &json!(true)));
        let id = first["id"].as_str().unwrap();
        form(&alice, "PUT", &format!("shares/{id}"), "permissions=17").await.expect(200);
        assert_eq!(list(&bob, "shares").await[0]["permissions"], 17);
        form(&alice, "DELETE", &format!("shares/{id}"), "").await.expect(200);
        assert!(
            list(&bob, "shares").await.is_empty()
                && list(&alice, "shares?path=/Team/sub&reshares=true").await.is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn shares_of_the_other_space_are_not_there() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        team(&alice).await;
        let accounts = (
            server.space.account_by_login("alice").await.unwrap(),
            server.space.account_by_login("bob").await.unwrap(),
        );
        let tree = server.space.tree_as(&accounts.0);
        let new = CreateShare {
            path: nichoir_store::NodePath::parse("Team").unwrap(),
            sharee: Sharee::Account(accounts.1.id),
            permissions: Some(Permissions::ALL),
            expires: None,
            note: String::new(),
            label: String::new(),
            attributes: None,
            awaits_answer: true,
        };
        let (id, _) = tree.apply(new).await.unwrap();
        let bob = server.account("bob");
        let waiting = list(&bob, "shares/pending").await;
        assert_eq!((waiting.len(), &waiting[0]["path"]), (1, &json!("/Team")));
        bob.propfind("/Team/", 0).await.expect(404);
        form(&bob, "POST", &format!("shares/pending/{id}"), "").await.expect(200);
        bob.propfind("/Team/", 0).await.expect(207);
        let stranger = bob.with("host", &server.other_host());
        form(&stranger, "GET", &format!("shares/{id}"), "").await.expect(404);
        form(&stranger, "DELETE", &format!("shares/{id}"), "").await.expect(404);
        bob.propfind("/Team/", 0).await.expect(207);
    })
    .await;
}
