//! Notes as the apps for Android and iOS ask for them, and as files beside that. Sheets `mobile-clients`, section 5, and
//! `nextcloud-ocs`, section 15.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Server, on_every_engine, on_every_engine_with};

const NOTES: &str = "/index.php/apps/notes/api/v1/notes";

async fn send(client: &Client, method: &str, path: &str, body: &Value) -> Answer {
    let call = client.request(method, path).header("content-type", "application/json");
    call.header("accept", "application/json").body(body.to_string()).await
}

async fn list(client: &Client, query: &str) -> Answer {
    client.request("GET", &format!("{NOTES}{query}")).await.expect(200)
}

/// The list by title; notes that are pruned have none.
fn titles(answer: &Answer) -> Vec<String> {
    let list = answer.json();
    let titles = list.as_array().expect("a list").iter().map(|note| note["title"].as_str().unwrap_or("-").to_owned());
    let mut titles: Vec<String> = titles.collect();
    titles.sort();
    titles
}

#[tokio::test]
async fn the_android_app_synchronises() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let asked = alice.request("GET", "/ocs/v2.php/cloud/capabilities?format=json").header("ocs-apirequest", "true");
        let told = asked.await.expect(200).json()["ocs"]["data"]["capabilities"]["notes"].clone();
        assert_eq!(told["api_version"], json!(["0.2", "1.3", "1.4"]));
        assert_eq!(told["notes_path"], "Notes");

        // The first list makes the folder.
        let empty = list(&alice, "").await;
        assert_eq!((empty.json(), empty.header("x-notes-api-versions")), (json!([]), "0.2, 1.3, 1.4"));
        alice.propfind("/Notes", 0).await.expect(207);
        assert_eq!(empty.header("last-modified"), "Fri, 15 Jan 2027 08:00:00 GMT");

        let new = json!({"title": "Shopping: list?", "category": "Home/Food", "content": "milk\né", "favorite": true, "modified": 1_700_000_000});
        let made = send(&alice, "POST", NOTES, &new).await.expect(200);
        let note = made.json();
        assert_eq!((&note["title"], &note["category"]), (&json!("Shopping list"), &json!("Home/Food")));
        assert_eq!((&note["favorite"], &note["readonly"], &note["modified"]), (&json!(true), &json!(false), &json!(1_700_000_000)));
        assert_eq!(note["internalPath"], "/Notes/Home/Food/Shopping list.md");
        assert_eq!(made.etag(), format!("\"{}\"", note["etag"].as_str().expect("an etag")));
        assert_eq!(note["etag"].as_str().map(str::len), Some(32));
        assert_eq!(alice.get("/Notes/Home/Food/Shopping%20list.md").await.expect(200).text(), "milk\né");

        let all = list(&alice, "?pruneBefore=0").await;
        assert_eq!(all.json(), json!([note]));
        let known = alice.request("GET", NOTES).header("if-none-match", all.etag()).await.expect(304);
        assert_eq!(known.body, Vec::<u8>::new());

        // The whole note comes back with what the user changed; another title and category move the file, which stays the same.
        let mut changed = note.clone();
        changed["title"] = json!("List");
        changed["category"] = json!("");
        changed["content"] = json!("milk, bread");
        changed["modified"] = json!(1_700_000_500);
        let path = format!("{NOTES}/{}", note["id"]);
        let told = send(&alice, "PUT", &path, &changed).await.expect(200).json();
        assert_eq!((&told["id"], &told["title"], &told["category"]), (&note["id"], &json!("List"), &json!("")));
        assert_ne!(told["etag"], note["etag"]);
        assert_eq!(told["modified"], 1_700_000_500);
        assert_eq!(alice.get("/Notes/List.md").await.expect(200).text(), "milk, bread");
        alice.propfind("/Notes/Home", 0).await.expect(404);

        // 404 means POST again; deletion goes to the trash.
        send(&alice, "PUT", &format!("{NOTES}/999999"), &changed).await.expect(404);
        let gone = alice.request("DELETE", &path).await.expect(200);
        assert_eq!(gone.json(), json!([]));
        alice.request("DELETE", &path).await.expect(404);
        assert_eq!(list(&alice, "").await.json(), json!([]));
    })
    .await;
}

#[tokio::test]
async fn the_ios_app_sends_forms() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let form = |method: &str, path: &str, body: &str| {
            let call =
                alice.request(method, path).header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
            call.body(body.to_owned())
        };
        let body = "content=a%20%26%20b&category=&title=T&modified=1700000000.25&favorite=1";
        let note = form("POST", "/apps/notes/api/v1/notes", body).await.expect(200).json();
        assert_eq!(
            (&note["content"], &note["favorite"], &note["modified"]),
            (&json!("a & b"), &json!(true), &json!(1_700_000_000))
        );
        let path = format!("{NOTES}/{}", note["id"]);
        let told = form("PUT", &path, "favorite=0").await.expect(200).json();
        assert_eq!((&told["content"], &told["favorite"]), (&json!("a & b"), &json!(false)));
        assert_ne!(told["etag"], note["etag"], "the mark is part of it");
        // Version 0.2 takes the title from the content.
        let old =
            form("POST", "/index.php/apps/notes/api/v0.2/notes", "content=%23+First+line%0Asecond").await.expect(200);
        assert_eq!(old.json()["title"], "First line");
    })
    .await;
}

#[tokio::test]
async fn only_what_changed_is_told_whole_and_every_note_by_its_number() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        for title in ["a", "b", "c"] {
            send(&alice, "POST", NOTES, &json!({"title": title, "content": title})).await.expect(200);
        }
        list(&alice, "").await;
        server.clock.advance_seconds(100);
        let later = list(&alice, "?pruneBefore=1800000050").await;
        assert_eq!(titles(&later), ["-", "-", "-"]);
        assert!(
            later
                .json()
                .as_array()
                .expect("a list")
                .iter()
                .all(|note| note.as_object().is_some_and(|it| it.len() == 1))
        );

        // By DAV, with a time of long ago; by MOVE, which leaves the file's etag; by the mark.
        alice.put("/Notes/a.md", "new").header("x-oc-mtime", "1600000000").await.expect(204);
        alice.move_to("/Notes/b.md", "/Notes/d.md").await.expect(201);
        alice.put("/Notes/ignored.pdf", "x").await.expect(201);
        alice.mkcol("/Notes/.attachments").await.expect(201);
        alice.put("/Notes/.attachments/hidden.md", "x").await.expect(201);
        let changed = list(&alice, "?pruneBefore=1800000100").await;
        assert_eq!(titles(&changed), ["-", "a", "d"]);
        assert_ne!(changed.etag(), later.etag());
        let without = list(&alice, "?exclude=content,title&category=").await.json();
        assert!(without[0].get("content").is_none() && without[0].get("id").is_some());

        // What another device noticed before this one asks is still new to this one.
        server.clock.advance_seconds(100);
        alice.delete("/Notes/c.md").await.expect(204);
        alice.put("/Notes/a.md", "newer").await.expect(204);
        list(&alice, "").await;
        assert_eq!(titles(&list(&alice, "?pruneBefore=1800000200").await), ["-", "a"]);
    })
    .await;
}

#[tokio::test]
async fn a_list_comes_in_chunks_whose_last_one_has_every_number() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        for number in 0..5 {
            send(&alice, "POST", NOTES, &json!({"title": format!("n{number}")})).await.expect(200);
        }
        let first = list(&alice, "?chunkSize=2").await;
        assert_eq!(
            (titles(&first), first.header("x-notes-chunk-pending")),
            (vec!["n0".to_owned(), "n1".to_owned()], "3")
        );
        server.clock.advance_seconds(10);
        let cursor = first.header("x-notes-chunk-cursor").to_owned();
        let second = list(&alice, &format!("?chunkSize=2&chunkCursor={cursor}")).await;
        assert_eq!(titles(&second), ["n2", "n3"]);
        assert_eq!(second.header("last-modified"), first.header("last-modified"));
        let cursor = second.header("x-notes-chunk-cursor").to_owned();
        let last = list(&alice, &format!("?chunkSize=2&chunkCursor={cursor}")).await;
        assert_eq!((titles(&last).len(), last.header("x-notes-chunk-cursor")), (5, ""));
        assert_eq!(titles(&last), ["-", "-", "-", "-", "n4"]);
        list(&alice, "?chunkSize=x&chunkCursor=nonsense&pruneBefore=x").await;
    })
    .await;
}

#[tokio::test]
async fn a_guarded_write_meets_the_note_that_it_was_meant_for() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let made = send(&alice, "POST", NOTES, &json!({"title": "T", "content": "one"})).await.expect(200);
        let path = format!("{NOTES}/{}", made.json()["id"]);
        alice.put("/Notes/T.md", "by DAV").await.expect(204);
        let call =
            alice.request("PUT", &path).header("if-match", made.etag()).header("content-type", "application/json");
        let refused = call.body(json!({"content": "two"}).to_string()).await.expect(412);
        assert_eq!(refused.json()["content"], "by DAV");
        assert_eq!(alice.get("/Notes/T.md").await.text(), "by DAV");
        let call = alice.request("PUT", &path).header("content-type", "application/json");
        let tags = format!("\"x\", {}", refused.etag());
        call.header("if-match", &tags).body(json!({"content": "two"}).to_string()).await.expect(200);
        assert_eq!(alice.get("/Notes/T.md").await.text(), "two");
        let told = alice.request("GET", &path).await.expect(200);
        alice.request("GET", &path).header("if-none-match", told.etag()).await.expect(304);
    })
    .await;
}

#[tokio::test]
async fn titles_that_are_taken_get_a_number_and_names_stay_below_the_folder() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let post = |body: Value| {
            let alice = alice.clone();
            async move { send(&alice, "POST", NOTES, &body).await.expect(200).json() }
        };
        assert_eq!(post(json!({"title": "T"})).await["title"], "T");
        let second = post(json!({"title": "T"})).await;
        assert_eq!(second["title"], "T (2)");
        assert_eq!(post(json!({})).await["title"], "New note");
        assert_eq!(post(json!({"title": "../../x", "category": "../../etc"})).await["internalPath"], "/Notes/etc/x.md");
        // What it is called already is no new name.
        let path = format!("{NOTES}/{}", second["id"]);
        assert_eq!(send(&alice, "PUT", &path, &json!({"title": "T"})).await.expect(200).json()["title"], "T (2)");

        // Twenty at once: each has a file of its own, none is lost.
        let many: Vec<_> =
            (0..20).map(|number| tokio::spawn(post(json!({"title": "same", "content": number.to_string()})))).collect();
        for one in many {
            one.await.expect("no panic");
        }
        let told = list(&alice, "").await.json();
        let same = told
            .as_array()
            .expect("a list")
            .iter()
            .filter(|note| note["title"].as_str().is_some_and(|it| it.starts_with("same")));
        assert_eq!(same.count(), 20);
    })
    .await;
}

#[tokio::test]
async fn settings_are_kept_and_attachments_stand_beside_the_note() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let settings = "/index.php/apps/notes/api/v1/settings";
        let told = alice.request("GET", settings).await.expect(200).json();
        assert_eq!(told, json!({"notesPath": "Notes", "fileSuffix": ".md", "noteMode": "rich"}));
        let told = send(&alice, "PUT", settings, &json!({"notesPath": "/My/notes/", "fileSuffix": ".txt"}))
            .await
            .expect(200)
            .json();
        assert_eq!((&told["notesPath"], &told["fileSuffix"]), (&json!("My/notes"), &json!(".txt")));
        assert_eq!(server.account("bob").request("GET", settings).await.expect(200).json()["notesPath"], "Notes");
        let note = send(&alice, "POST", NOTES, &json!({"title": "T", "category": "c"})).await.expect(200).json();
        assert_eq!(note["internalPath"], "/My/notes/c/T.txt");

        let attachment = format!("/index.php/apps/notes/api/v1.4/attachment/{}", note["id"]);
        let body =
            "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p.png\"\r\n\r\n\u{1}png\r\n--B--\r\n";
        let call = alice.request("POST", &attachment).header("content-type", "multipart/form-data; boundary=B");
        let name = call.body(body).await.expect(200).json()["filename"].as_str().expect("a name").to_owned();
        assert_eq!((name.len(), name.ends_with(".png")), (36, true));
        let got = alice.request("GET", &format!("{attachment}?path={name}")).await.expect(200);
        assert_eq!((got.text().as_str(), got.header("content-type")), ("\u{1}png", "image/png"));
        assert!(got.header("content-disposition").starts_with("attachment"));
        alice.put("/secret.png", "no").await.expect(201);
        alice.request("GET", &format!("{attachment}?path=../../../secret.png")).await.expect(404);
        alice.request("GET", &format!("{attachment}?path=../c/{name}")).await.expect(200);
        alice.request("POST", &attachment).body("x").await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn others_and_what_is_too_much_are_refused() {
    let small = |config: &mut nichoir::config::Config| {
        config.notes.note_bytes_max = 10;
        config.notes.notes_max = 4;
        config.notes.attachment_bytes_max = 5;
    };
    on_every_engine_with(small, async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let note =
            send(&alice, "POST", NOTES, &json!({"title": "T", "content": "0123456789"})).await.expect(200).json();
        let path = format!("{NOTES}/{}", note["id"]);
        send(&alice, "PUT", &path, &json!({"content": "0123456789a"})).await.expect(413);
        for method in ["GET", "PUT", "DELETE"] {
            send(&bob, method, &path, &json!({"content": "x"})).await.expect(404);
        }
        let refused = server.anonymous().request("GET", NOTES).await.expect(401);
        assert!(refused.header("www-authenticate").starts_with("Basic"));
        assert_eq!(
            alice.request("GET", "/index.php/apps/notes/api/v2/notes").await.expect(400).header("x-notes-api-versions"),
            "0.2, 1.3, 1.4"
        );
        alice.request("PATCH", &path).await.expect(400);
        alice.request("GET", &format!("{NOTES}/x")).await.expect(400);
        send(&alice, "PUT", &path, &json!([1])).await.expect(400);

        // A file that is too large for a note is told, but not changed.
        alice.put("/Notes/big.md", "0123456789a").await.expect(201);
        let told = list(&alice, "").await.json();
        let big = told.as_array().expect("a list").iter().find(|note| note["title"] == "big").expect("it is there");
        assert_eq!(
            (&big["readonly"], &big["content"], &big["errorType"]),
            (&json!(true), &json!(""), &json!("NoteTooLarge"))
        );
        send(&alice, "PUT", &format!("{NOTES}/{}", big["id"]), &json!({"content": "x"})).await.expect(403);
        assert_eq!(alice.get("/Notes/big.md").await.text(), "0123456789a");

        // Either all notes, or an error: a short list would delete the others.
        alice.put("/Notes/3.md", "").await.expect(201);
        alice.put("/Notes/4.md", "").await.expect(201);
        assert_eq!(list(&alice, "").await.json().as_array().map(Vec::len), Some(4));
        alice.put("/Notes/5.md", "").await.expect(201);
        alice.request("GET", NOTES).await.expect(413);

        // Somebody else's lock: the app tries again.
        alice.files("LOCK", "/Notes/T.md").header("x-user-lock", "1").header("x-user-lock-type", "2").await.expect(200);
        send(&alice, "PUT", &path, &json!({"content": "y"})).await.expect(423);
        assert_eq!(alice.get("/Notes/T.md").await.text(), "0123456789");
    })
    .await;
}

/// Alice's notes of the team, shared with Bob, who has put the folder among his own notes.
async fn shared(server: &Server, permissions: u8) -> (Client, Client, Value, String) {
    let (alice, bob) = (server.account("alice"), server.account("bob"));
    let new = json!({"title": "Plan", "category": "Team", "content": "one"});
    let note = send(&alice, "POST", NOTES, &new).await.expect(200).json();
    let share = alice.share("/Notes/Team", "bob", permissions).await;
    list(&bob, "").await;
    bob.move_to("/Team", "/Notes/Team").await.expect(201);
    (alice, bob, note, share)
}

#[tokio::test]
async fn a_note_that_is_shared_for_reading_says_so_and_is_not_changed() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, note, _) = shared(server, 1).await;
        let path = format!("{NOTES}/{}", note["id"]);
        let seen = list(&bob, "").await.json()[0].clone();
        assert_eq!((&seen["id"], &seen["title"], &seen["category"]), (&note["id"], &json!("Plan"), &json!("Team")));
        assert_eq!((&seen["content"], &seen["readonly"]), (&json!("one"), &json!(true)));
        let before = server.space.change_sequence().await.expect("a number");
        for change in [
            json!({"content": "his"}),
            json!({"title": "His"}),
            json!({"category": "Other"}),
            json!({"category": ""}),
            json!({"content": "his", "title": "His", "category": "", "favorite": true}),
        ] {
            let refused = send(&bob, "PUT", &path, &change).await;
            assert_eq!(refused.status, 403, "{change}: {}", refused.text());
        }
        bob.request("DELETE", &path).await.expect(403);
        send(&bob, "POST", NOTES, &json!({"title": "New", "category": "Team", "content": "x"})).await.expect(403);
        send(&bob, "POST", NOTES, &json!({"title": "New", "category": "Team/deeper", "content": "x"}))
            .await
            .expect(403);
        let form = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\nx\r\n--B--\r\n";
        let attached = bob.request("POST", &format!("/index.php/apps/notes/api/v1/attachment/{}", note["id"]));
        attached.header("content-type", "multipart/form-data; boundary=B").body(form).await.expect(403);
        assert_eq!(server.space.change_sequence().await.expect("a number"), before, "nothing was changed");
        assert_eq!(list(&alice, "").await.json()[0]["content"], "one");
        alice.propfind("/Notes/Team/Plan.md", 0).await.expect(207);
    })
    .await;
}

#[tokio::test]
async fn a_note_that_is_shared_for_writing_is_one_note_of_both() {
    on_every_engine(async |server: &Server| {
        let (alice, bob, note, share) = shared(server, 15).await;
        let path = format!("{NOTES}/{}", note["id"]);
        server.clock.advance_seconds(60);
        let told = send(&bob, "PUT", &path, &json!({"content": "two", "title": "Our plan"})).await.expect(200).json();
        assert_eq!((&told["id"], &told["readonly"], &told["category"]), (&note["id"], &json!(false), &json!("Team")));
        let seen = list(&alice, "").await.json()[0].clone();
        assert_eq!((&seen["id"], &seen["content"], &seen["title"]), (&note["id"], &json!("two"), &json!("Our plan")));
        // A mark is each one's own.
        send(&bob, "PUT", &path, &json!({"favorite": true})).await.expect(200);
        assert_eq!(list(&alice, "").await.json()[0]["favorite"], false);
        // Who was not told of the change does not write over it.
        let outdated =
            alice.request("PUT", &path).header("if-match", &format!("\"{}\"", note["etag"].as_str().unwrap()));
        let outdated =
            outdated.header("content-type", "application/json").body("{\"content\":\"hers\"}").await.expect(412);
        assert_eq!(outdated.json()["content"], "two");
        let made = send(&bob, "POST", NOTES, &json!({"title": "New", "category": "Team", "content": "x"})).await;
        let made = made.expect(200).json();
        assert_eq!(alice.get("/Notes/Team/New.md").await.expect(200).text(), "x");
        bob.request("DELETE", &format!("{NOTES}/{}", made["id"])).await.expect(200);
        alice.get("/Notes/Team/New.md").await.expect(404);
        bob.propfind("/Notes/Team/", 0).await.expect(207);

        alice.unshare(&share).await;
        assert_eq!(list(&bob, "").await.json(), json!([]));
        for method in ["GET", "PUT", "DELETE"] {
            send(&bob, method, &path, &json!({"content": "his"})).await.expect(404);
        }
        assert_eq!(alice.get("/Notes/Team/Our%20plan.md").await.expect(200).text(), "two");
    })
    .await;
}
