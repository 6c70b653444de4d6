//! What is shared for looking at only: shown, and not taken away, on every route to it. Sheets `nextcloud-files-dav` §3.4,
//! §13.2, §15, `mobile-clients` 3.8.

use std::io::Cursor;

use nichoir::config::Config;

use crate::support::{Answer, Client, Server, on_every_engine, on_every_engine_with};

const ATTRIBUTES: &str =
    "%5B%7B%22scope%22%3A%22permissions%22%2C%22key%22%3A%22download%22%2C%22value%22%3Afalse%7D%5D";

fn png() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::RgbImage::new(80, 80).write_to(&mut bytes, image::ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}

async fn post(client: &Client, path: &str, form: &str) -> Answer {
    let call = client.request("POST", &format!("/ocs/v2.php{path}?format=json")).header("ocs-apirequest", "true");
    call.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned()).await
}

fn number(written: &Answer) -> i64 {
    written.header("oc-fileid")[..8].parse().expect("a number")
}

/// Alice's folder with a picture, which bob may look at.
async fn to_look_at(server: &Server) -> i64 {
    let alice = server.account("alice");
    alice.mkcol("/Pictures").await.expect(201);
    let id = number(&alice.put("/Pictures/p.png", png()).await.expect(201));
    let form = format!("path=/Pictures&shareType=0&shareWith=bob&permissions=31&attributes={ATTRIBUTES}");
    post(&alice, "/apps/files_sharing/api/v1/shares", &form).await.expect(200);
    id
}

async fn versions(client: &Client, login: &str, id: i64) -> Vec<String> {
    let listed = client.request("PROPFIND", &format!("/remote.php/dav/versions/{login}/versions/{id}/"));
    let listed = listed.header("depth", "1").await.expect(207).text();
    let hrefs = listed.split("<d:href>").skip(2);
    hrefs.map(|rest| rest.split('<').next().expect("a href").to_owned()).collect()
}

#[tokio::test]
async fn it_is_shown_and_not_taken_away() {
    on_every_engine(async |server: &Server| {
        let id = to_look_at(server).await;
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        server.clock.advance_seconds(60);
        alice.put("/Pictures/p.png", png()).await.expect(204);

        bob.get("/Pictures/p.png").await.expect(200);
        bob.request("GET", &format!("/index.php/core/preview?fileId={id}&x=64&y=64")).await.expect(200);
        for version in versions(&bob, "bob", id).await {
            bob.request("GET", &version).await.expect(403);
        }
        post(&bob, "/apps/dav/api/v1/direct", &format!("fileId={id}")).await.expect(403);
        for zip in ["/Pictures/?accept=zip", "/Pictures/?accept=zip&files=%5B%22p.png%22%5D"] {
            bob.get(zip).await.expect(403);
            alice.get(zip).await.expect(200);
        }
        bob.put("/mine.txt", "x").await.expect(201);
        let packed = bob.get("/?accept=zip").await.expect(200);
        let packed = String::from_utf8_lossy(&packed.body).into_owned();
        assert!(packed.contains("mine.txt") && !packed.contains("p.png"), "what is for looking at is left out");
        bob.get("/?accept=zip&files=%5B%22mine.txt%22,%22Pictures%22%5D").await.expect(403);
        let destination = "/remote.php/dav/files/bob/p.png";
        for method in ["COPY", "MOVE"] {
            bob.files(method, "/Pictures/p.png").header("destination", destination).await.expect(403);
        }
        bob.get("/p.png").await.expect(404);
        alice.get("/Pictures/p.png").await.expect(200);
        post(&alice, "/apps/dav/api/v1/direct", &format!("fileId={id}")).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_address_that_was_given_before_leads_nowhere_any_more() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let id = number(&alice.put("/a.mp4", "film").await.expect(201));
        let share = post(&alice, "/apps/files_sharing/api/v1/shares", "path=/a.mp4&shareType=0&shareWith=bob").await;
        let share = share.json()["ocs"]["data"]["id"].as_str().expect("a number").to_owned();
        let told = post(&bob, "/apps/dav/api/v1/direct", &format!("fileId={id}")).await.expect(200).json();
        let url = told["ocs"]["data"]["url"].as_str().expect("an address").to_owned();
        let path = url.split_once(&server.host()).expect("at the space's host").1.to_owned();
        assert_eq!(server.anonymous().request("GET", &path).await.expect(200).text(), "film");
        let call = alice.request("PUT", &format!("/ocs/v2.php/apps/files_sharing/api/v1/shares/{share}?format=json"));
        let call = call.header("ocs-apirequest", "true").header("content-type", "application/x-www-form-urlencoded");
        call.body(format!("attributes={ATTRIBUTES}")).await.expect(200);
        server.anonymous().request("GET", &path).await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn where_it_may_not_be_opened_there_are_only_previews_for_who_shows_nothing_else() {
    let strict = |config: &mut Config| config.limits.has_view_without_download = false;
    on_every_engine_with(strict, async |server: &Server| {
        let id = to_look_at(server).await;
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let preview = format!("/index.php/core/preview?fileId={id}&x=64&y=64");
        // What is in the cache since alice looked at it is no way around.
        alice.request("GET", &preview).await.expect(200);
        alice.get("/Pictures/p.png").await.expect(200);
        bob.get("/Pictures/p.png").await.expect(403);
        bob.request("GET", &preview).await.expect(403);
        bob.request("GET", &preview).header("x-nc-preview", "false").await.expect(403);
        bob.request("GET", &preview).header("x-nc-preview", "true").await.expect(200);
        for version in versions(&bob, "bob", id).await {
            bob.request("GET", &version).await.expect(403);
        }
        // Seen, found and changed it is all the same.
        assert!(bob.propfind("/Pictures", 1).await.expect(207).text().contains("p.png"));
        let found = bob.request("GET", "/ocs/v2.php/search/providers/files/search?format=json&term=p.png");
        let found = found.header("ocs-apirequest", "true").await.expect(200).json();
        assert_eq!(found["ocs"]["data"]["entries"][0]["title"], "p.png");
        assert_eq!(found["ocs"]["data"]["entries"][0]["thumbnailUrl"], "");
        bob.put("/Pictures/p.png", "new").await.expect(204);
        assert_eq!(alice.get("/Pictures/p.png").await.text(), "new");
    })
    .await;
}
