//! Comments as both apps write, list, change and read them. Sheets `nextcloud-files-dav` §12.1, `mobile-clients` 3.14, 4.9.

use crate::support::{Answer, Client, Server, on_every_engine, on_every_engine_with};

async fn file_id(client: &Client, path: &str) -> String {
    let asked =
        "<d:propfind xmlns:d='DAV:' xmlns:oc='http://owncloud.org/ns'><d:prop><oc:fileid/></d:prop></d:propfind>";
    let text = client.propfind(path, 0).body(asked).await.expect(207).text();
    between(&text, "<oc:fileid>", "<").to_owned()
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("{before} in {text}")).1;
    rest.split_once(after).expect("the end").0
}

async fn comment(client: &Client, file: &str, message: &str) -> Answer {
    let body = serde_json::json!({ "actorType": "users", "verb": "comment", "message": message }).to_string();
    post(client, file, &body).await
}

async fn post(client: &Client, file: &str, body: &str) -> Answer {
    let path = format!("/remote.php/dav/comments/files/{file}");
    client.request("POST", &path).header("content-type", "application/json").body(body.to_owned()).await
}

/// As iOS lists them: without a `Depth`.
async fn list(client: &Client, file: &str) -> String {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><d:propfind xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\"><d:prop>\
                <oc:id/><oc:verb/><oc:actorType/><oc:actorId/><oc:creationDateTime/><oc:objectType/><oc:objectId/><oc:isUnread/>\
                <oc:message/><oc:actorDisplayName/></d:prop></d:propfind>";
    client.request("PROPFIND", &format!("/remote.php/dav/comments/files/{file}")).body(body).await.expect(207).text()
}

async fn patch(client: &Client, path: &str, property: &str) -> Answer {
    let body = format!(
        "<d:propertyupdate xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\"><d:set><d:prop>{property}</d:prop></d:set>\
         </d:propertyupdate>"
    );
    client.request("PROPPATCH", path).body(body).await
}

async fn counts(client: &Client, path: &str) -> (String, String) {
    let asked = "<d:propfind xmlns:d='DAV:' xmlns:oc='http://owncloud.org/ns'><d:prop><oc:comments-count/>\
                 <oc:comments-unread/><oc:comments-href/></d:prop></d:propfind>";
    let text = client.propfind(path, 0).body(asked).await.expect(207).text();
    assert!(text.contains("<oc:comments-href>/remote.php/dav/comments/files/"), "{text}");
    let count = |name: &str| between(&text, &format!("<oc:{name}>"), "<").to_owned();
    (count("comments-count"), count("comments-unread"))
}

#[tokio::test]
async fn a_comment_is_written_listed_changed_read_and_deleted() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.put("/a.txt", "x").await.expect(201);
        let etag = alice.get("/a.txt").await.etag().to_owned();
        let file = file_id(&alice, "/a.txt").await;
        assert!(list(&alice, &file).await.contains("HTTP/1.1 200 OK"), "iOS looks at the first status");
        let made = comment(&alice, &file, "hi @bob, & <others>").await.expect(201);
        let place = made.header("content-location").to_owned();
        assert!(place.starts_with(&format!("/remote.php/dav/comments/files/{file}/")), "{place}");
        assert!(made.body.is_empty());
        let listed = list(&alice, &file).await;
        for part in [
            format!("<d:href>{place}</d:href>"),
            "<oc:verb>comment</oc:verb><oc:actorType>users</oc:actorType><oc:actorId>alice</oc:actorId>".to_owned(),
            "<oc:creationDateTime>Fri, 15 Jan 2027 08:00:00 GMT</oc:creationDateTime>".to_owned(),
            format!("<oc:objectType>files</oc:objectType><oc:objectId>{file}</oc:objectId>"),
            "<oc:isUnread>false</oc:isUnread><oc:message>hi @bob, &amp; &lt;others&gt;</oc:message>".to_owned(),
            "<oc:actorDisplayName>ALICE</oc:actorDisplayName>".to_owned(),
        ] {
            assert!(listed.contains(&part), "{part} in {listed}");
        }
        assert_eq!(counts(&alice, "/a.txt").await, ("1".to_owned(), "0".to_owned()));

        let answer = patch(&alice, &place, "<oc:message>better</oc:message>").await.expect(207).text();
        assert!(answer.contains("HTTP/1.1 200 OK"), "{answer}");
        assert!(list(&alice, &file).await.contains("<oc:message>better</oc:message>"));
        let refused =
            patch(&alice, &place, "<oc:actorId>bob</oc:actorId><oc:message>no</oc:message>").await.expect(207);
        assert!(refused.text().contains("403 Forbidden") && refused.text().contains("424 Failed Dependency"));
        assert!(list(&alice, &file).await.contains("<oc:message>better</oc:message>"));
        let marked =
            patch(&alice, &format!("/remote.php/dav/comments/files/{file}"), "<oc:readMarker/>").await.expect(207);
        assert!(marked.text().contains("<oc:readMarker/>"), "{}", marked.text());

        alice.request("DELETE", &place).await.expect(204);
        alice.request("DELETE", &place).await.expect(404);
        assert_eq!(counts(&alice, "/a.txt").await, ("0".to_owned(), "0".to_owned()));
        assert_eq!(alice.get("/a.txt").await.etag(), etag, "a comment is no change of content");
        comment(&alice, &file, "again").await.expect(201);
        // They go where the file goes, and end with it.
        alice.move_to("/a.txt", "/b.txt").await.expect(201);
        assert!(list(&alice, &file).await.contains("again"));
        alice.delete("/b.txt").await.expect(204);
        alice.request("PROPFIND", &format!("/remote.php/dav/comments/files/{file}")).await.expect(404);
        comment(&alice, &file, "too late").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn comments_are_told_in_pages_the_newest_first() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.put("/a.txt", "x").await.expect(201);
        let file = file_id(&alice, "/a.txt").await;
        for number in 0..5 {
            comment(&alice, &file, &format!("number {number} to @bob")).await.expect(201);
            server.clock.advance_seconds(60);
        }
        let page = async |limits: &str| {
            let body = format!(
                "<?xml version=\"1.0\"?><oc:filter-comments xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\">{limits}\
                 </oc:filter-comments>"
            );
            alice.request("REPORT", &format!("/remote.php/dav/comments/files/{file}")).body(body).await
        };
        let text = page("<oc:limit>2</oc:limit><oc:offset>1</oc:offset>").await.expect(207).text();
        let text = text.replace(" xmlns:oc=\"http://owncloud.org/ns\"", "");
        let messages: Vec<&str> = text.split("<oc:message>").skip(1).map(|rest| &rest[..8]).collect();
        assert_eq!(messages, ["number 3", "number 2"]);
        assert!(text.contains("<oc:mention><oc:mentionType>user</oc:mentionType><oc:mentionId>bob</oc:mentionId>"), "{text}");
        assert!(text.contains("<oc:mentionDisplayName>BOB</oc:mentionDisplayName>"), "{text}");
        let recent = page("<oc:datetime>2027-01-15T08:02:30Z</oc:datetime>").await.expect(207).text();
        assert_eq!(recent.matches("<oc:message>").count(), 2);
        assert_eq!(page("").await.expect(207).text().matches("<oc:message>").count(), 5);
        page("<oc:limit>many</oc:limit>").await.expect(400);
        page("<oc:limit>1</oc:limit><oc:datetime>soon</oc:datetime>").await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_comment_is_refused_and_others_files_are_not_there() {
    let few = |config: &mut nichoir::config::Config| config.limits.comments_of_node_max = 2;
    on_every_engine_with(few, async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.put("/a.txt", "x").await.expect(201);
        let file = file_id(&alice, "/a.txt").await;
        comment(&alice, &file, &"é".repeat(1001)).await.expect(400);
        comment(&alice, &file, "  ").await.expect(400);
        post(&alice, &file, "{\"message\":\"with \"quotes\"\"}").await.expect(400);
        post(&alice, &file, "[]").await.expect(400);
        post(&alice, &file, "{\"actorType\":\"guests\",\"message\":\"x\"}").await.expect(400);
        let path = format!("/remote.php/dav/comments/files/{file}");
        alice.request("POST", &path).header("content-type", "text/plain").body("x").await.expect(415);
        alice
            .request("POST", &path)
            .header("content-type", "application/json")
            .body("x".repeat(70_000))
            .await
            .expect(413);
        comment(&alice, &file, &"é".repeat(1000)).await.expect(201);
        let place = comment(&alice, &file, "mine").await.expect(201).header("content-location").to_owned();
        comment(&alice, &file, "one too many").await.expect(403);
        // To bob there is no such file, nor its comments.
        for (method, path) in [
            ("PROPFIND", path.clone()),
            ("PROPFIND", place.clone()),
            ("DELETE", place.clone()),
            ("PUT", place.clone()),
            ("PROPFIND", "/remote.php/dav/comments/files/999999".to_owned()),
            ("PROPFIND", "/remote.php/dav/comments/files/x".to_owned()),
            ("PROPFIND", "/remote.php/dav/comments/calendars/1".to_owned()),
        ] {
            let status = if method == "PUT" { 405 } else { 404 };
            bob.request(method, &path).await.expect(status);
        }
        comment(&bob, &file, "hello").await.expect(404);
        patch(&bob, &place, "<oc:message>no</oc:message>").await.expect(404);
        patch(&bob, &path, "<oc:readMarker/>").await.expect(404);
        server.anonymous().request("PROPFIND", &path).await.expect(401);
        assert!(list(&alice, &file).await.contains("<oc:message>mine</oc:message>"));
    })
    .await;
}

#[tokio::test]
async fn comments_on_a_shared_file_are_of_those_who_see_it() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.mkcol("/Team").await.expect(201);
        alice.put("/Team/a.txt", "x").await.expect(201);
        let file = file_id(&alice, "/Team/a.txt").await;
        comment(&bob, &file, "let me in").await.expect(404);
        let share = alice.share("/Team", "bob", 1).await;
        let hers = comment(&alice, &file, "hers").await.expect(201).header("content-location").to_owned();
        server.clock.advance_seconds(1);
        let his = comment(&bob, &file, "his, @alice").await.expect(201).header("content-location").to_owned();
        assert_eq!(counts(&alice, "/Team/a.txt").await, ("2".to_owned(), "1".to_owned()));
        let listed = list(&alice, &file).await;
        assert!(listed.contains("<oc:actorId>bob</oc:actorId>") && listed.contains("his, @alice"), "{listed}");
        // Each changes one's own, whatever else one may do with the file.
        let message = "<oc:message>taken over</oc:message>";
        for (client, path) in [(&bob, &hers), (&alice, &his)] {
            let refused = patch(client, path, message).await;
            assert!(refused.status == 403 || refused.text().contains("HTTP/1.1 403"), "{}", refused.text());
        }
        bob.request("DELETE", &hers).await.expect(403);
        patch(&bob, &his, "<oc:message>his, again</oc:message>").await.expect(207);
        assert!(list(&alice, &file).await.contains("his, again"));

        alice.unshare(&share).await;
        for path in [&hers, &his] {
            patch(&bob, path, message).await.expect(404);
            bob.request("DELETE", path).await.expect(404);
        }
        comment(&bob, &file, "still here").await.expect(404);
        bob.request("PROPFIND", &format!("/remote.php/dav/comments/files/{file}")).await.expect(404);
        let left = list(&alice, &file).await;
        assert!(left.contains("hers") && left.contains("his, again") && !left.contains("still here"), "{left}");
    })
    .await;
}

/// As Android reads a file's stream, where it shows the comments.
async fn stream(client: &Client, file: &str) -> serde_json::Value {
    let path = format!(
        "/ocs/v2.php/apps/activity/api/v2/activity/filter?format=json&previews=true&object_type=files&object_id={file}&sort=desc"
    );
    let answer = client.request("GET", &path).header("ocs-apirequest", "true").await;
    if answer.status == 304 { serde_json::json!([]) } else { answer.expect(200).json()["ocs"]["data"].clone() }
}

async fn waiting(client: &Client) -> serde_json::Value {
    let path = "/ocs/v2.php/apps/notifications/api/v2/notifications?format=json";
    client.request("GET", path).header("ocs-apirequest", "true").await.expect(200).json()["ocs"]["data"].clone()
}

#[tokio::test]
async fn a_comment_is_in_the_stream_and_told_to_whom_it_mentions() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.put("/a.txt", "x").await.expect(201);
        let file = file_id(&alice, "/a.txt").await;
        comment(&alice, &file, "hi @bob").await.expect(201);
        assert_eq!(waiting(&bob).await, serde_json::json!([]), "he does not see the file");
        let form = "path=/a.txt&shareType=0&shareWith=bob";
        let call = alice.request("POST", "/ocs/v2.php/apps/files_sharing/api/v1/shares?format=json");
        let call = call.header("ocs-apirequest", "true").header("content-type", "application/x-www-form-urlencoded");
        call.body(form).await.expect(200);
        let place = comment(&alice, &file, "dear @\"bob\" and @nobody, look").await.expect(201);
        let place = place.header("content-location").to_owned();

        let told = waiting(&bob).await;
        let told = told.as_array().expect("a list").iter().find(|it| it["app"] == "comments").expect("told").clone();
        assert_eq!(
            (&told["object_type"], &told["message"]),
            (&"comment".into(), &"dear @BOB and @nobody, look".into())
        );
        assert_eq!(told["subject"], "ALICE mentioned you in a comment on a.txt");
        assert_eq!(told["messageRich"], "dear {mention-user1} and @nobody, look");
        let person = serde_json::json!({ "mention-user1": { "type": "user", "id": "bob", "name": "BOB" } });
        assert_eq!(told["messageRichParameters"], person);
        assert!(place.ends_with(&format!("/{}", told["object_id"].as_str().expect("a text"))));
        assert_eq!(waiting(&alice).await, serde_json::json!([]));

        for (client, subject) in [(&alice, "You commented on a.txt"), (&bob, "ALICE commented on a.txt")] {
            let found = stream(client, &file).await;
            let said = &found[0];
            assert_eq!((&said["type"], &said["app"]), (&"comments".into(), &"comments".into()), "{found}");
            assert_eq!((&said["subject"], &said["user"]), (&subject.into(), &"alice".into()));
            assert_eq!(said["message"], "dear @BOB and @nobody, look");
            assert_eq!(said["message_rich"], serde_json::json!(["dear {mention-user1} and @nobody, look", person]));
            assert_eq!(said["previews"][0]["mimeType"], "text/plain");
        }
        patch(&alice, &place, "<oc:message>nothing for you</oc:message>").await.expect(207);
        assert!(waiting(&bob).await.as_array().expect("a list").iter().all(|it| it["app"] != "comments"));
        assert_eq!(stream(&bob, &file).await[0]["message"], "nothing for you");
        alice.request("DELETE", &place).await.expect(204);
        assert_ne!(stream(&bob, &file).await[0]["message"], "nothing for you");
    })
    .await;
}
