//! Versions of files, as the Android app and the web app use them.

use nichoir_xml::{Name, dav, nc, oc};

use crate::support::{Answer, Client, Server, document, on_every_engine};

const FILE: &str = "/remote.php/dav/files/alice/Docs/readme.md";
const VERSIONS: &str = "/remote.php/dav/versions/alice/versions";
const RESTORE: &str = "https://cloud.test/remote.php/dav/versions/alice/restore";
const NAMES: [&str; 10] = [
    "d:resourcetype",
    "d:getcontentlength",
    "d:getlastmodified",
    "d:getetag",
    "d:getcontenttype",
    "oc:id",
    "oc:size",
    "n:has-preview",
    "n:version-label",
    "n:version-author",
];

#[track_caller]
fn text(answer: &Answer, href: &str, name: Name) -> String {
    answer.property(href, &name).unwrap_or_else(|| panic!("no {name:?} of {href}: {}", answer.text())).text()
}

/// Saves three states; the number of the file.
async fn saved(server: &Server, alice: &Client) -> String {
    alice.mkcol("/Docs").await.expect(201);
    for (body, second) in
        [("# Read me\n\nfirst text\n", 1_700_000_000), ("second", 1_700_000_010), ("3", 1_700_000_030)]
    {
        server.clock.advance_seconds(90);
        let put = alice.put("/Docs/readme.md", body).header("x-oc-mtime", &second.to_string()).await;
        assert!(put.status.is_success());
    }
    let told = alice.properties(FILE, 0, &["oc:fileid"]).await;
    text(&told, FILE, oc::FILEID)
}

fn patch(property: &str) -> String {
    document("d:propertyupdate", &format!("<d:set><d:prop>{property}</d:prop></d:set>"))
}

#[tokio::test]
async fn the_apps_list_read_and_restore() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let id = saved(server, &alice).await;
        let all = format!("{VERSIONS}/{id}");
        let listed = alice.properties(&all, 1, &NAMES).await.expect(207);
        let at = |second: i64| format!("{all}/{second}");
        let hrefs = listed.hrefs();
        assert_eq!(hrefs, [format!("{all}/"), at(1_700_000_030), at(1_700_000_010), at(1_700_000_000)]);
        let first = &hrefs[3];
        assert_eq!(text(&listed, first, dav::GETCONTENTLENGTH), "22");
        // The Android app makes the name of this.
        assert_eq!(text(&listed, first, dav::GETLASTMODIFIED), "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(text(&listed, first, dav::GETCONTENTTYPE), "text/markdown");
        assert_eq!(text(&listed, first, nc::VERSION_AUTHOR), "alice");
        assert!(listed.property(first, &nc::VERSION_LABEL).is_none());
        assert!(listed.elements(first, &dav::RESOURCETYPE).is_empty());
        assert_eq!(listed.elements(&hrefs[0], &dav::RESOURCETYPE), ["collection"]);

        let got = alice.request("GET", first).await.expect(200);
        assert_eq!(got.text(), "# Read me\n\nfirst text\n");
        assert_eq!(got.header("last-modified"), "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(got.etag(), text(&listed, first, dav::GETETAG));
        assert_eq!(got.header("content-disposition"), "attachment; filename*=UTF-8''readme.md; filename=\"readme.md\"");
        let part = alice.request("GET", first).header("range", "bytes=2-5").await.expect(206);
        assert_eq!((part.text().as_str(), part.header("content-range")), ("Read", "bytes 2-5/22"));
        alice.request("GET", first).header("range", "bytes=22-").await.expect(416);
        alice.request("GET", first).header("if-none-match", got.etag()).await.expect(304);
        let head = alice.request("HEAD", first).await.expect(200);
        assert!(head.body.is_empty() && head.header("content-length") == "22");

        let before = alice.get("/Docs/readme.md").await.expect(200);
        assert_eq!(alice.request("GET", &at(1_700_000_030)).await.expect(200).etag(), before.etag());
        alice.request("COPY", first).header("destination", &format!("{RESTORE}/target")).await.expect(403);
        alice.request("MOVE", first).header("destination", &format!("https://cloud.test{FILE}")).await.expect(403);
        alice.request("MOVE", first).await.expect(400);
        let restored = alice.request("MOVE", first).header("destination", &format!("{RESTORE}/{id}")).await.expect(201);
        assert!(restored.body.is_empty());
        let after = alice.get("/Docs/readme.md").await.expect(200);
        assert_eq!(after.text(), "# Read me\n\nfirst text\n");
        assert_eq!(after.header("last-modified"), "Tue, 14 Nov 2023 22:13:20 GMT");
        assert!(after.etag() != before.etag() && after.etag() != got.etag());
        let told = alice.properties(FILE, 0, &["oc:fileid"]).await;
        assert_eq!(text(&told, FILE, oc::FILEID), id);
        let listed = alice.properties(&all, 1, &NAMES).await.expect(207);
        assert_eq!(listed.hrefs()[1..], [at(1_700_000_000), at(1_700_000_030), at(1_700_000_010)]);
        // The web app says `target`.
        let target = format!("{RESTORE}/target");
        alice.request("MOVE", &at(1_700_000_010)).header("destination", &target).await.expect(201);
        assert_eq!(alice.get("/Docs/readme.md").await.expect(200).text(), "second");

        alice.request("DELETE", &at(1_700_000_000)).await.expect(204);
        alice.request("DELETE", &at(1_700_000_000)).await.expect(404);
        alice.request("DELETE", &at(1_700_000_010)).await.expect(204);
        assert_eq!(alice.get("/Docs/readme.md").await.expect(200).text(), "second", "the present state stays");
    })
    .await;
}

#[tokio::test]
async fn a_label_is_set_read_and_removed() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let id = saved(server, &alice).await;
        let at = format!("{VERSIONS}/{id}/1700000000");
        let label = async |inner: &str| alice.xml("PROPPATCH", &at, 0, patch(inner)).await.expect(207);
        let told = label("<n:version-label>first draft &amp; é</n:version-label>").await;
        assert!(told.text().contains("HTTP/1.1 200 OK"), "{}", told.text());
        let read = async || {
            let told = alice.properties(&at, 0, &["n:version-label"]).await.expect(207);
            told.property(&at, &nc::VERSION_LABEL).map(|label| label.text())
        };
        assert_eq!(read().await.as_deref(), Some("first draft & é"));
        let refused = label("<n:version-label>x</n:version-label><n:version-author>bob</n:version-author>").await;
        assert!(refused.text().contains("403 Forbidden") && refused.text().contains("424"), "{}", refused.text());
        let long = "x".repeat(nichoir_store::LABEL_BYTES_MAX + 1);
        let refused = label(&format!("<n:version-label>{long}</n:version-label>")).await;
        assert!(refused.text().contains("413"), "{}", refused.text());
        assert_eq!(read().await.as_deref(), Some("first draft & é"));

        server.clock.advance_seconds(500 * 24 * 3600);
        server.app.store().maintain_space(&server.space.info().name).await.unwrap();
        assert_eq!(alice.request("GET", &at).await.expect(200).text(), "# Read me\n\nfirst text\n");
        alice.request("GET", &format!("{VERSIONS}/{id}/1700000010")).await.expect(404);
        label("<n:version-label></n:version-label>").await;
        assert_eq!(read().await, None);
    })
    .await;
}

#[tokio::test]
async fn nobody_elses_versions_are_seen_and_nothing_is_written() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let id = saved(server, &alice).await;
        let at = format!("{VERSIONS}/{id}/1700000000");
        for method in ["PUT", "MKCOL", "LOCK", "UNLOCK"] {
            alice.request(method, &at).await.expect(403);
        }
        for at in [format!("{VERSIONS}/{id}"), "/remote.php/dav/versions/alice".to_owned(), VERSIONS.to_owned()] {
            for method in ["PUT", "DELETE", "MOVE", "COPY", "PROPPATCH", "LOCK"] {
                alice.request(method, &at).header("destination", RESTORE).await.expect(403);
            }
        }
        for path in ["99999999", "0", "-1", "007", "x", "1e3", "9223372036854775808"] {
            alice.request("PROPFIND", &format!("{VERSIONS}/{path}")).await.expect(404);
            alice.request("GET", &format!("{VERSIONS}/{id}/{path}")).await.expect(404);
        }
        let folder = alice.properties("/remote.php/dav/files/alice/Docs/", 0, &["oc:fileid"]).await;
        let folder = text(&folder, "/remote.php/dav/files/alice/Docs/", oc::FILEID);
        alice.request("PROPFIND", &format!("{VERSIONS}/{folder}")).await.expect(404);
        for path in [at.clone(), at.replace("alice", "bob")] {
            for method in ["PROPFIND", "GET", "DELETE", "MOVE", "PROPPATCH"] {
                let call = bob.request(method, &path).header("destination", &RESTORE.replace("alice", "bob"));
                call.await.expect(404);
            }
        }
        server.anonymous().request("GET", &at).await.expect(401);
        alice.request("GET", &at).await.expect(200);
        assert_eq!(alice.get("/Docs/readme.md").await.expect(200).text(), "3");
        // A file that was written once has its collection, and itself in it.
        alice.put("/once.txt", "x").await.expect(201);
        let once = alice.properties("/remote.php/dav/files/alice/once.txt", 0, &["oc:fileid"]).await;
        let id = text(&once, "/remote.php/dav/files/alice/once.txt", oc::FILEID);
        assert_eq!(alice.properties(&format!("{VERSIONS}/{id}"), 1, &NAMES).await.expect(207).hrefs().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_locked_file_keeps_its_state() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let id = saved(server, &alice).await;
        let scope = "<d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype>";
        let locked = alice.xml("LOCK", FILE, 0, document("d:lockinfo", scope)).await.expect(200);
        let token = locked.header("lock-token").to_owned();
        let at = format!("{VERSIONS}/{id}/1700000000");
        let restore = || alice.request("MOVE", &at).header("destination", &format!("{RESTORE}/target"));
        restore().await.expect(423);
        assert_eq!(alice.get("/Docs/readme.md").await.expect(200).text(), "3");
        restore().header("if", &format!("({token})")).await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn versions_of_a_shared_file_are_the_files_whoever_names_and_restores_them() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let id = saved(server, &alice).await;
        let share = alice.share("/Docs", "bob", 1).await;
        let of = |login: &str, second: &str| format!("/remote.php/dav/versions/{login}/versions/{id}/{second}");
        let label = |text: &str| {
            document(
                "d:propertyupdate",
                &format!("<d:set><d:prop><n:version-label>{text}</n:version-label></d:prop></d:set>"),
            )
        };
        let restore = |second: &str| {
            let call = bob.request("MOVE", &of("bob", second));
            call.header("destination", "/remote.php/dav/versions/bob/restore/target")
        };
        let (first, second) = ("1700000000", "1700000010");
        let before = server.space.change_sequence().await.expect("a number");
        restore(first).await.expect(403);
        bob.xml("PROPPATCH", &of("bob", first), 0, label("his")).await.expect(403);
        bob.request("DELETE", &of("bob", first)).await.expect(403);
        assert_eq!(server.space.change_sequence().await.expect("a number"), before);
        assert_eq!(bob.request("GET", &of("bob", first)).await.expect(200).text(), "# Read me\n\nfirst text\n");
        // Another's login in the path is another's.
        bob.request("GET", &of("alice", first)).await.expect(404);

        alice.set_rights(&share, 15).await;
        let named = bob.xml("PROPPATCH", &of("bob", second), 0, label("Draft")).await.expect(207);
        assert!(named.text().contains("HTTP/1.1 200"), "{}", named.text());
        let listed = alice.properties(&format!("{VERSIONS}/{id}/"), 1, &NAMES).await;
        assert_eq!(text(&listed, &of("alice", second), nc::VERSION_LABEL), "Draft");
        restore(first).await.expect(201);
        assert_eq!(alice.get("/Docs/readme.md").await.text(), "# Read me\n\nfirst text\n");
        server.clock.advance_seconds(90);
        bob.put("/Docs/readme.md", "his").await.expect(204);
        let listed = alice.properties(&format!("{VERSIONS}/{id}/"), 1, &NAMES).await;
        assert_eq!(text(&listed, &listed.hrefs()[1], nc::VERSION_AUTHOR), "bob");

        alice.unshare(&share).await;
        for (method, status) in [("GET", 404), ("DELETE", 404), ("PROPFIND", 404)] {
            bob.request(method, &of("bob", second)).await.expect(status);
        }
        restore(second).await.expect(404);
        bob.request("PROPFIND", &format!("/remote.php/dav/versions/bob/versions/{id}/")).await.expect(404);
        assert_eq!(alice.get("/Docs/readme.md").await.text(), "his");
    })
    .await;
}
