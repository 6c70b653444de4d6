//! Bulk upload: there where it is switched on, and only there.

use crate::support::{Client, Server, on_every_engine, on_every_engine_with};

const HELLO_MD5: &str = "5d41402abc4b2a76b9719d911017c592";
const EMPTY_MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// The parts (path, MD5, content) as one body.
fn multipart(parts: &[(&str, &str, &str)]) -> String {
    let part = |(path, md5, content): &(&str, &str, &str)| {
        let length = content.len();
        format!(
            "--b\r\nX-File-Path: {path}\r\nX-File-MD5: {md5}\r\nX-File-Mtime: 1700000000\r\nContent-Length: {length}\r\n\r\n{content}\r\n"
        )
    };
    parts.iter().map(part).collect::<String>() + "--b--\r\n"
}

async fn post(client: &Client, parts: &[(&str, &str, &str)]) -> crate::support::Answer {
    let request =
        client.request("POST", "/remote.php/dav/bulk").header("content-type", "multipart/related; boundary=b");
    request.body(multipart(parts)).await
}

async fn advertised(client: &Client) -> serde_json::Value {
    let asked = client.request("GET", "/ocs/v2.php/cloud/capabilities?format=json").header("ocs-apirequest", "true");
    asked.await.expect(200).json()["ocs"]["data"]["capabilities"]["dav"].clone()
}

#[tokio::test]
async fn bulk_upload_is_neither_offered_nor_served_by_default() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let told = advertised(&alice).await;
        assert_eq!((&told["chunking"], &told["bulkupload"]), (&"1.0".into(), &serde_json::Value::Null));
        post(&alice, &[("/a.txt", HELLO_MD5, "hello")]).await.expect(404);
        alice.get("/a.txt").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn bulk_upload_writes_each_file_where_it_is_switched_on() {
    let switched_on = |config: &mut nichoir::config::Config| {
        config.dialect.has_bulk_upload = true;
        config.dialect.bulk_files_max = 3;
    };
    on_every_engine_with(switched_on, async |server: &Server| {
        let alice = server.account("alice");
        assert_eq!(advertised(&alice).await["bulkupload"], "1.0");
        alice.mkcol("/folder").await.expect(201);
        let parts = [("/folder/a.txt", HELLO_MD5, "hello"), ("/empty", EMPTY_MD5, ""), ("/no/where", EMPTY_MD5, "")];
        let told = post(&alice, &parts).await.expect(200).json();
        assert_eq!(told["/folder/a.txt"]["error"], false);
        assert_eq!(told["/no/where"]["error"], true, "{told}");

        let stored = alice.get("/folder/a.txt").await.expect(200);
        assert_eq!(stored.text(), "hello");
        assert_eq!(
            stored.etag(),
            format!("\"{}\"", told["/folder/a.txt"]["etag"].as_str().expect("an etag").trim_matches('"'))
        );
        assert_eq!(alice.get("/empty").await.expect(200).text(), "");
        alice.get("/no/where").await.expect(404);

        post(&alice, &[("/broken", EMPTY_MD5, "hello")]).await.expect(400);
        alice.get("/broken").await.expect(404);
        let four = ["/1", "/2", "/3", "/4"].map(|path| (path, HELLO_MD5, "hello"));
        post(&alice, &four).await.expect(400);
        alice.get("/3").await.expect(200);
        alice.get("/4").await.expect(404);
        server.anonymous().request("POST", "/remote.php/dav/bulk").body("").await.expect(401);
        alice.request("GET", "/remote.php/dav/bulk").await.expect(405);
    })
    .await;
}

#[tokio::test]
async fn bulk_upload_writes_into_a_share_what_the_share_allows() {
    let switched_on = |config: &mut nichoir::config::Config| config.dialect.has_bulk_upload = true;
    on_every_engine_with(switched_on, async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.mkcol("/Team").await.expect(201);
        alice.put("/Team/a.txt", "hers").await.expect(201);
        let share = alice.share("/Team", "bob", 1).await;
        let parts = [("/Team/a.txt", HELLO_MD5, "hello"), ("/Team/new.txt", HELLO_MD5, "hello")];
        let has_failed = async || {
            let told = post(&bob, &parts).await.expect(200).json();
            [told["/Team/a.txt"]["error"].clone(), told["/Team/new.txt"]["error"].clone()]
        };
        assert_eq!(has_failed().await, [true, true]);
        assert_eq!(alice.get("/Team/a.txt").await.text(), "hers");
        alice.get("/Team/new.txt").await.expect(404);
        alice.set_rights(&share, 15).await;
        assert_eq!(has_failed().await, [false, false]);
        assert_eq!(alice.get("/Team/a.txt").await.text(), "hello");
        alice.unshare(&share).await;
        alice.put("/Team/a.txt", "hers again").await.expect(204);
        assert_eq!(has_failed().await, [true, true]);
        assert_eq!(alice.get("/Team/a.txt").await.text(), "hers again");
    })
    .await;
}
