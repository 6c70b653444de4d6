//! Notifications, activities and user status, asked for as the apps ask, and read as they read. Sheets `mobile-clients`
//! sections 2.5, 2.6, 3.14 to 3.16, 4.10, and `desktop-client` sections 5.6 to 5.8.

use nichoir_store::change::{Grant, ShareNode};
use nichoir_store::{NodePath, Permissions, Sharee};
use serde_json::{Value, json};

use crate::support::*;

const NOTIFICATIONS: &str = "/ocs/v2.php/apps/notifications/api/v2/notifications";
const ACTIVITY: &str = "/ocs/v2.php/apps/activity/api/v2/activity";
const STATUS: &str = "/ocs/v2.php/apps/user_status/api/v1";

fn data(answer: &Answer) -> Value {
    answer.json()["ocs"]["data"].clone()
}

fn client(server: &Server, login: &str) -> Client {
    server.account(login).with("ocs-apirequest", "true").with("accept", "application/json")
}

async fn share(server: &Server, at: &str) {
    let alice = server.space.account_by_login("alice").await.expect("there");
    let bob = server.space.account_by_login("bob").await.expect("there");
    let grants = vec![Grant { sharee: Sharee::Account(bob.id), permissions: Some(Permissions::ALL) }];
    let path = NodePath::parse(at).expect("there");
    server.space.tree_as(&alice).apply(ShareNode { path, grants }).await.expect("there");
}

#[tokio::test]
async fn notifications_are_listed_read_and_dismissed() {
    on_every_engine(async |server| {
        let (alice, bob) = (client(server, "alice"), client(server, "bob"));
        let empty = bob.request("GET", NOTIFICATIONS).await.expect(200);
        assert_eq!(data(&empty), json!([]));
        assert_eq!(empty.header("x-nextcloud-user-status"), "offline");

        alice.mkcol("/été").await.expect(201);
        share(server, "/été").await;
        let listed = bob.request("GET", &format!("{NOTIFICATIONS}?format=json")).await.expect(200);
        let etag = listed.etag().to_owned();
        assert_ne!(etag, empty.etag());
        let found = data(&listed)[0].clone();
        let id = found["notification_id"].as_i64().unwrap();
        assert!(id < i64::from(i32::MAX));
        assert_eq!((&found["app"], &found["user"]), (&json!("files_sharing"), &json!("bob")));
        assert_eq!(found["subject"], "ALICE shared été with you");
        assert_eq!(found["subjectRich"], "{user} shared {file} with you");
        assert_eq!(found["subjectRichParameters"]["user"], json!({"type": "user", "id": "alice", "name": "ALICE"}));
        for member in found["subjectRichParameters"]["file"].as_object().unwrap().values() {
            assert!(member.is_string(), "{member}");
        }
        assert_eq!((&found["actions"], &found["shouldNotify"]), (&json!([]), &json!(true)));
        assert_eq!(found["datetime"], "2027-01-15T08:00:00+00:00");
        assert!(found["object_id"].is_string());

        let again = bob.request("GET", NOTIFICATIONS).header("if-none-match", &etag).await.expect(304);
        assert_eq!(again.text(), "");
        let french = bob.request("GET", NOTIFICATIONS).header("accept-language", "fr-FR,fr").await.expect(200);
        assert_eq!(data(&french)[0]["subject"], "ALICE a partagé été avec vous");
        assert_eq!(data(&bob.request("GET", &format!("{NOTIFICATIONS}/{id}")).await.expect(200)), found);
        let asked = bob.request("POST", &format!("{NOTIFICATIONS}/exists"));
        let asked = asked.header("content-type", "application/json").body(format!("{{\"ids\":[{id},12345]}}"));
        assert_eq!(data(&asked.await.expect(200)), json!([id]));

        // Somebody else's does not exist.
        alice.request("GET", &format!("{NOTIFICATIONS}/{id}")).await.expect(404);
        alice.request("DELETE", &format!("{NOTIFICATIONS}/{id}")).await.expect(404);
        bob.request("DELETE", &format!("{NOTIFICATIONS}/nonsense")).await.expect(404);
        bob.request("DELETE", &format!("{NOTIFICATIONS}/{id}")).await.expect(200);
        bob.request("DELETE", &format!("{NOTIFICATIONS}/{id}")).await.expect(404);
        assert_eq!(data(&bob.request("DELETE", NOTIFICATIONS).await.expect(200)), json!([]));
        assert_eq!(bob.request("GET", NOTIFICATIONS).await.etag(), empty.etag());
        server.anonymous().request("GET", NOTIFICATIONS).await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn ids_beyond_the_limit_are_refused() {
    on_every_engine(async |server| {
        let bob = client(server, "bob");
        for (count, status) in [(200, 200), (201, 400)] {
            let ids: Vec<String> = (0..count).map(|id| format!("ids%5B%5D={id}")).collect();
            let asked = bob.request("POST", &format!("{NOTIFICATIONS}/exists"));
            asked.header("content-type", "application/x-www-form-urlencoded").body(ids.join("&")).await.expect(status);
        }
    })
    .await;
}

#[tokio::test]
async fn there_is_no_push_proxy_and_the_apps_are_told_so_in_their_way() {
    on_every_engine(async |server| {
        let alice = client(server, "alice");
        let path = "/ocs/v2.php/apps/notifications/api/v2/push";
        let json = alice.request("POST", &format!("{path}?format=json")).header("content-type", "application/json");
        let asked = json.body(r#"{"pushTokenHash":"aa","devicePublicKey":"x","proxyServer":"https://push.example"}"#);
        let answer = asked.await.expect(404);
        assert_eq!(data(&answer), json!({ "message": "" }));
        assert_eq!(answer.json()["ocs"]["meta"]["statuscode"], 404);
        let form = alice.request("POST", path).header("content-type", "application/x-www-form-urlencoded");
        form.body("pushTokenHash=aa&devicePublicKey=x").await.expect(404);
        assert_eq!(data(&alice.request("DELETE", path).await.expect(200)), json!([]));
    })
    .await;
}

#[tokio::test]
async fn the_stream_of_activities_is_read_page_by_page() {
    on_every_engine(async |server| {
        let alice = client(server, "alice");
        // Nothing yet: the end of the stream, without a body.
        assert_eq!(alice.request("GET", ACTIVITY).await.expect(304).text(), "");
        alice.mkcol("/Docs").await.expect(201);
        let file = alice.put("/Docs/a%20b.txt", "one").await.expect(201);
        let number: String = file.header("oc-fileid").chars().take_while(char::is_ascii_digit).collect();
        let number: i64 = number.parse().unwrap();
        alice.put("/Docs/a%20b.txt", "two").await.expect(204);
        alice.delete("/Docs/a%20b.txt").await.expect(204);

        let first =
            alice.request("GET", &format!("{ACTIVITY}?format=json&previews=true&limit=3&since=0")).await.expect(200);
        let found = data(&first);
        let types: Vec<&str> = found.as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["file_deleted", "file_changed", "file_created"]);
        let created = &found[2];
        assert_eq!(created["subject"], "You created Docs/a b.txt");
        let link = format!("http://{}/f/{number}", server.host());
        let file =
            json!({"type": "file", "id": number.to_string(), "name": "a b.txt", "path": "Docs/a b.txt", "link": link});
        assert_eq!(created["subject_rich"], json!(["You created {file}", {"file": file}]));
        assert_eq!((&created["object_type"], &created["object_id"]), (&json!("files"), &json!(number)));
        assert_eq!(created["objects"], json!({ number.to_string(): "/Docs/a b.txt" }));
        assert_eq!(created["message_rich"], json!(["", []]));
        // It is in the trash, and shown there.
        let source =
            format!("http://{}/index.php/apps/files_trashbin/preview?fileId={number}&x=256&y=256&a=1", server.host());
        let shown = json!([{
            "link": format!("http://{}/apps/files/?view=trashbin", server.host()),
            "source": source,
            "mimeType": "text/plain",
            "isMimeTypeIcon": false,
            "fileId": number,
            "view": "trashbin",
            "filename": "a b.txt",
        }]);
        assert_eq!(created["previews"], shown);
        let path = source.split_once(&server.host()).unwrap().1.to_owned();
        assert_eq!(alice.request("GET", &path).await.expect(200).header("content-type"), "image/png");
        assert!(created["activity_id"].as_i64().unwrap() < i64::from(i32::MAX));

        let last = first.header("x-activity-last-given").to_owned();
        assert_eq!(first.header("x-activity-first-known"), found[0]["activity_id"].to_string());
        let next =
            format!("<http://{}{ACTIVITY}?since={last}&limit=3&sort=desc&format=json>; rel=\"next\"", server.host());
        assert_eq!(first.header("link"), next);
        let rest = alice.request("GET", &format!("{ACTIVITY}?format=json&limit=3&since={last}")).await.expect(200);
        assert_eq!(data(&rest)[0]["subject"], "You created Docs");
        let last = rest.header("x-activity-last-given").to_owned();
        alice.request("GET", &format!("{ACTIVITY}?format=json&limit=3&since={last}")).await.expect(304);
        let known = alice.request("GET", &format!("{ACTIVITY}?limit=3")).header("if-none-match", first.etag());
        assert_eq!(known.await.status, 200, "with previews or without are two answers");

        // Of one file, as both apps ask; anything else is no filter.
        let of_file = format!("{ACTIVITY}/filter?format=json&object_type=files&object_id={number}&sort=desc");
        assert_eq!(data(&alice.request("GET", &of_file).await.expect(200)).as_array().unwrap().len(), 3);
        assert_eq!(
            data(&alice.request("GET", &format!("{ACTIVITY}/all")).await.expect(200)).as_array().unwrap().len(),
            4
        );
        alice.request("GET", &format!("{ACTIVITY}/by")).await.expect(304);
        alice.request("GET", &format!("{ACTIVITY}/nonsense")).await.expect(404);
        alice.request("GET", &format!("{ACTIVITY}/filter?object_type=files&object_id=x")).await.expect(404);
        let filters = data(&alice.request("GET", &format!("{ACTIVITY}/filters")).await.expect(200));
        assert_eq!(filters[0]["id"], "all");

        // Another account's file has no activities for bob, as one that does not exist.
        client(server, "bob").request("GET", &of_file).await.expect(304);
    })
    .await;
}

#[tokio::test]
async fn what_others_do_in_what_is_shared_names_them() {
    on_every_engine(async |server| {
        let (alice, bob) = (client(server, "alice"), client(server, "bob"));
        alice.mkcol("/team").await.expect(201);
        share(server, "/team").await;
        let listed = bob.propfind("", 1).await.expect(207).text();
        // What it is called there is the mount's business.
        let at = listed.find("/files/bob/team").expect("it is mounted") + "/files/bob".len();
        let mount = listed[at..].split('<').next().unwrap_or_default().trim_end_matches('/').to_owned();
        bob.put(&format!("{mount}/b.txt"), "x").await.expect(201);
        let found = data(&alice.request("GET", &format!("{ACTIVITY}/by")).await.expect(200));
        assert_eq!(found[0]["user"], "bob");
        assert_eq!(found[0]["subject"], "BOB created b.txt");
        assert_eq!(found[0]["subject_rich"][1]["user"], json!({"type": "user", "id": "bob", "name": "BOB"}));
        let found = data(&bob.request("GET", &format!("{ACTIVITY}/files_sharing")).await.expect(200));
        assert_eq!(found[0]["subject"], "ALICE shared team");
    })
    .await;
}

#[tokio::test]
async fn a_status_is_set_shown_to_others_and_lapses() {
    on_every_engine(async |server| {
        let (alice, bob) = (client(server, "alice"), client(server, "bob"));
        let own = format!("{STATUS}/user_status");
        alice.request("GET", &own).await.expect(404);
        bob.request("GET", &format!("{STATUS}/statuses/alice")).await.expect(404);
        assert_eq!(data(&bob.request("GET", &format!("{STATUS}/statuses")).await.expect(200)), json!([]));

        let put = |path: &str, body: &str| {
            let call = alice.request("PUT", &format!("{STATUS}/{path}")).header("content-type", "application/json");
            call.body(body.to_owned())
        };
        let set = data(&put("user_status/status", r#"{"statusType":"away"}"#).await.expect(200));
        let expected = json!({
            "userId": "alice", "message": null, "messageId": null, "messageIsPredefined": false, "icon": null,
            "clearAt": null, "status": "away", "statusIsUserDefined": true,
        });
        assert_eq!(set, expected);
        assert_eq!(alice.request("GET", NOTIFICATIONS).await.header("x-nextcloud-user-status"), "away");
        put("user_status/status", r#"{"statusType":"sleeping"}"#).await.expect(400);
        // What she set goes before what her client reports.
        put("heartbeat", r#"{"status":"online"}"#).await.expect(204);

        let custom = r#"{"statusIcon":"🏖","message":"à la mer","clearAt":1800000600}"#;
        let set = data(&put("user_status/message/custom", custom).await.expect(200));
        assert_eq!(
            (&set["message"], &set["icon"], &set["clearAt"]),
            (&json!("à la mer"), &json!("🏖"), &json!(1800000600))
        );
        for wrong in [
            r#"{"statusIcon":"ab","message":"x","clearAt":null}"#,
            r#"{"statusIcon":"🏖","message":"x","clearAt":1000}"#,
            r#"{"statusIcon":"🏖","message":"x","clearAt":"soon"}"#,
        ] {
            put("user_status/message/custom", wrong).await.expect(400);
        }
        let of_length = |length: usize| json!({"message": "é".repeat(length)}).to_string();
        put("user_status/message/custom", &of_length(81)).await.expect(400);
        let seen = data(&bob.request("GET", &format!("{STATUS}/statuses/alice")).await.expect(200));
        assert_eq!(seen["message"], "à la mer");
        server.clock.advance_seconds(600);
        let seen = data(&bob.request("GET", &format!("{STATUS}/statuses/alice")).await.expect(200));
        assert_eq!((&seen["message"], &seen["status"]), (&Value::Null, &json!("away")), "the message has lapsed");

        // iOS puts parameters into the query.
        let query = format!("{STATUS}/user_status/message/predefined?messageId=meeting&clearAt=1893456000");
        let set = data(&alice.request("PUT", &query).await.expect(200));
        assert_eq!((&set["messageId"], &set["messageIsPredefined"]), (&json!("meeting"), &json!(true)));
        let listed = data(&bob.request("GET", &format!("{STATUS}/statuses")).await.expect(200));
        assert_eq!((&listed[0]["message"], &listed[0]["icon"]), (&json!("In a meeting"), &json!("📅")));
        assert_eq!(data(&alice.request("DELETE", &format!("{own}/message")).await.expect(200)), json!([]));
        put("user_status/message/custom", &of_length(80)).await.expect(200);
        put("user_status/status", r#"{"statusType":"invisible"}"#).await.expect(200);
        let seen = data(&bob.request("GET", &format!("{STATUS}/statuses/alice")).await.expect(200));
        assert_eq!(seen["status"], "offline");
        let known = data(&bob.request("GET", &format!("{STATUS}/predefined_statuses")).await.expect(200));
        assert_eq!(known[0]["clearAt"], json!({"type": "period", "time": 3600}));
    })
    .await;
}

#[tokio::test]
async fn a_reported_status_lapses_when_the_reports_end() {
    on_every_engine(async |server| {
        let bob = client(server, "bob");
        let beat = || bob.request("PUT", &format!("{STATUS}/heartbeat?status=online"));
        assert_eq!(data(&beat().await.expect(200))["status"], "online");
        let before = server.space.change_sequence().await.unwrap();
        beat().await.expect(200);
        assert_eq!(server.space.change_sequence().await.unwrap(), before);
        server.clock.advance_seconds(899);
        let own = format!("{STATUS}/user_status");
        assert_eq!(data(&bob.request("GET", &own).await)["status"], "online");
        server.clock.advance_seconds(1);
        assert_eq!(data(&bob.request("GET", &own).await)["status"], "offline");
        bob.request("PUT", &format!("{STATUS}/heartbeat?status=dnd")).await.expect(400);
    })
    .await;
}
