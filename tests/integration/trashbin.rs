//! The trash bin of files, as the Android and iOS apps and the web app use it.

use nichoir_xml::{Name, dav, nc, oc};

use crate::support::{Answer, Client, Server, on_every_engine, on_every_engine_with};

const TRASH: &str = "/remote.php/dav/trashbin/alice/trash";
const RESTORE: &str = "https://cloud.test/remote.php/dav/trashbin/alice/restore";

/// What the Android app asks for.
const ANDROID: [&str; 8] = [
    "d:resourcetype",
    "d:getcontenttype",
    "d:getcontentlength",
    "oc:size",
    "oc:id",
    "n:trashbin-filename",
    "n:trashbin-original-location",
    "n:trashbin-deletion-time",
];

/// What the iOS app asks for besides.
const IOS: [&str; 12] = [
    "d:getlastmodified",
    "d:getetag",
    "d:displayname",
    "d:quota-used-bytes",
    "oc:permissions",
    "oc:fileid",
    "oc:favorite",
    "oc:owner-id",
    "n:has-preview",
    "n:is-encrypted",
    "n:trashbin-title",
    "n:trashbin-deleted-by-id",
];

async fn list(client: &Client, at: &str) -> Answer {
    let names: Vec<&str> = ANDROID.into_iter().chain(IOS).collect();
    client.properties(at, 1, &names).await
}

#[track_caller]
fn text(answer: &Answer, href: &str, name: Name) -> String {
    answer.property(href, &name).unwrap_or_else(|| panic!("no {name:?} of {href}: {}", answer.text())).text()
}

async fn restore(client: &Client, href: &str, destination: &str, status: u16) -> Answer {
    client.request("MOVE", href).header("destination", destination).header("overwrite", "T").await.expect(status)
}

#[tokio::test]
async fn the_apps_list_restore_and_throw_away() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.mkcol("/Docs").await.expect(201);
        alice.put("/Docs/Copy.md", "# Read me, some words\n").await.expect(201);
        let before = alice.properties("/remote.php/dav/files/alice/Docs/Copy.md", 0, &["oc:fileid", "d:getetag"]).await;
        let file = "/remote.php/dav/files/alice/Docs/Copy.md";
        let (id, etag) = (text(&before, file, oc::FILEID), text(&before, file, dav::GETETAG));
        alice.delete("/Docs/Copy.md").await.expect(204);
        alice.mkcol("/Docs/inner").await.expect(201);
        alice.put("/Docs/inner/%C3%A9%20%231.txt", "deep").await.expect(201);
        alice.delete("/Docs").await.expect(204);

        let listed = list(&alice, &format!("{TRASH}/")).await.expect(207);
        let copy = format!("{TRASH}/Copy.md.d1800000000");
        let docs = format!("{TRASH}/Docs.d1800000000/");
        let mut hrefs = listed.hrefs();
        assert_eq!(hrefs.remove(0), format!("{TRASH}/"), "the apps skip the first");
        hrefs.sort();
        assert_eq!(hrefs, [copy.clone(), docs.clone()]);
        // Numbers, without the instance: the Android app parses them.
        assert_eq!((text(&listed, &copy, oc::ID), text(&listed, &copy, oc::FILEID)), (id.clone(), id.clone()));
        assert_eq!(text(&listed, &copy, nc::TRASHBIN_FILENAME), "Copy.md");
        assert_eq!(text(&listed, &copy, nc::TRASHBIN_ORIGINAL_LOCATION), "Docs/Copy.md");
        assert_eq!(text(&listed, &copy, nc::TRASHBIN_DELETION_TIME), "1800000000");
        assert_eq!(text(&listed, &copy, nc::TRASHBIN_TITLE), "Docs/Copy.md");
        assert_eq!(text(&listed, &copy, nc::TRASHBIN_DELETED_BY_ID), "alice");
        assert_eq!(text(&listed, &copy, dav::DISPLAYNAME), "Copy.md");
        assert_eq!(text(&listed, &copy, dav::GETCONTENTTYPE), "text/markdown");
        assert_eq!((text(&listed, &copy, oc::SIZE), text(&listed, &docs, oc::SIZE)), ("22".to_owned(), "4".to_owned()));
        assert_eq!(text(&listed, &copy, oc::PERMISSIONS), "GD");
        assert!(text(&listed, &copy, dav::GETETAG).starts_with('"'));
        assert!(listed.elements(&copy, &dav::RESOURCETYPE).is_empty());
        assert_eq!(listed.elements(&docs, &dav::RESOURCETYPE), ["collection"]);
        assert!(listed.property(&copy, &oc::FAVORITE).is_none());

        let inner = list(&alice, &docs).await.expect(207);
        let deep = format!("{docs}inner/");
        assert_eq!(inner.hrefs(), [docs.clone(), deep.clone()]);
        assert_eq!(text(&inner, &deep, nc::TRASHBIN_ORIGINAL_LOCATION), "Docs/inner");
        let file_in = format!("{deep}%c3%a9%20%231.txt");
        assert_eq!(list(&alice, &deep).await.expect(207).hrefs(), [deep.clone(), file_in.clone()]);
        assert_eq!(list(&alice, &file_in).await.expect(207).hrefs(), [file_in.as_str()]);

        let got = alice.request("GET", &copy).await.expect(200);
        assert_eq!(got.text(), "# Read me, some words\n");
        assert_eq!(got.header("content-disposition"), "attachment; filename*=UTF-8''Copy.md; filename=\"Copy.md\"");
        assert_eq!(got.header("content-type"), "text/markdown;charset=UTF-8");
        let part = alice.request("GET", &copy).header("range", "bytes=2-5").await.expect(206);
        assert_eq!((part.text().as_str(), part.header("content-range")), ("Read", "bytes 2-5/22"));
        alice.request("GET", &copy).header("if-none-match", got.etag()).await.expect(304);
        assert_eq!(alice.request("HEAD", &copy).await.expect(200).header("content-length"), "22");

        // The iOS app puts the trash's name behind it, and does not always escape it; the folder is gone meanwhile.
        restore(&alice, &copy, &format!("{RESTORE}/Copy.md.d1800000000"), 201).await;
        assert_eq!(
            alice.get("/Copy.md").await.expect(200).etag(),
            etag,
            "a client that has it need not fetch it again"
        );
        restore(&alice, &file_in, &format!("{RESTORE}/100% #1?.txt"), 201).await;
        assert_eq!(alice.get("/%C3%A9%20%231.txt").await.expect(200).text(), "deep");
        restore(&alice, docs.trim_end_matches('/'), "/remote.php/dav/trashbin/Alice/restore/Docs", 201).await;
        assert_eq!(alice.propfind("/Docs", 1).await.expect(207).hrefs().len(), 2);
        restore(&alice, &copy, &format!("{RESTORE}/Copy.md"), 404).await;
        let back = alice.properties("/remote.php/dav/files/alice/Copy.md", 0, &["oc:fileid"]).await;
        assert_eq!(text(&back, "/remote.php/dav/files/alice/Copy.md", oc::FILEID), id);

        alice.delete("/Copy.md").await.expect(204);
        alice.delete("/Docs").await.expect(204);
        let all = list(&alice, TRASH).await.expect(207).hrefs();
        alice.request("DELETE", &all[1]).await.expect(204);
        alice.request("DELETE", &all[1]).await.expect(404);
        let emptied = alice.request("DELETE", TRASH).await.expect(204);
        assert!(emptied.body.is_empty());
        alice.request("DELETE", &format!("{TRASH}/")).await.expect(204);
        assert_eq!(list(&alice, TRASH).await.expect(207).hrefs().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_taken_name_is_left_alone_and_the_quota_is_exact() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.put("/a.txt", "old").await.expect(201);
        alice.delete("/a.txt").await.expect(204);
        alice.put("/a.txt", "newer").await.expect(201);
        let used = async || {
            let root = "/remote.php/dav/files/alice/";
            text(&alice.properties(root, 0, &["d:quota-used-bytes"]).await, root, dav::QUOTA_USED_BYTES)
        };
        assert_eq!(used().await, "5");
        restore(&alice, &format!("{TRASH}/a.txt.d1800000000"), &format!("{RESTORE}/a.txt"), 201).await;
        assert_eq!(alice.get("/a.txt").await.expect(200).text(), "newer");
        assert_eq!(alice.get("/a%20(restored).txt").await.expect(200).text(), "old");
        assert_eq!(used().await, "8");
        alice.delete("/a.txt").header("x-nc-skip-trashbin", "true").await.expect(204);
        assert_eq!(list(&alice, TRASH).await.expect(207).hrefs().len(), 1);
        assert_eq!(used().await, "3");
    })
    .await;
}

#[tokio::test]
async fn a_move_to_the_files_brings_it_back_to_another_place() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.put("/a.txt", "old").await.expect(201);
        alice.put("/b.txt", "in the way").await.expect(201);
        alice.delete("/a.txt").await.expect(204);
        let at = format!("{TRASH}/a.txt.d1800000000");
        let to = |name: &str| format!("https://cloud.test/remote.php/dav/files/alice/{name}");
        alice.request("MOVE", &at).header("destination", &to("b.txt")).header("overwrite", "F").await.expect(412);
        restore(&alice, &at, &to("nowhere/c.txt"), 409).await;
        restore(&alice, &at, &to("c.part"), 400).await;
        restore(&alice, &at, "https://cloud.test/remote.php/dav/files/bob/c.txt", 403).await;
        restore(&alice, &at, &format!("https://cloud.test{TRASH}/c.txt"), 403).await;
        alice.request("MOVE", &at).await.expect(400);
        restore(&alice, &at, &to("c.txt"), 201).await;
        assert_eq!(alice.get("/c.txt").await.expect(200).text(), "old");
    })
    .await;
}

#[tokio::test]
async fn nothing_is_written_to_the_trash_and_nobody_elses_is_seen() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.put("/a.txt", "old").await.expect(201);
        alice.delete("/a.txt").await.expect(204);
        let at = format!("{TRASH}/a.txt.d1800000000");
        let refused = alice.request("MKCOL", &format!("{TRASH}/x")).await.expect(403);
        assert!(refused.text().contains("Not allowed to create folders in the trashbin"));
        alice.request("PUT", &format!("{TRASH}/x")).body("x").await.expect(403);
        alice.request("PUT", &at).body("x").await.expect(403);
        for method in ["COPY", "PROPPATCH", "LOCK", "UNLOCK"] {
            alice.request(method, &at).header("destination", RESTORE).await.expect(403);
        }
        alice.request("POST", &at).await.expect(405);
        alice.request("REPORT", &at).await.expect(501);
        alice.request("MOVE", TRASH).header("destination", RESTORE).await.expect(403);
        alice.request("DELETE", "/remote.php/dav/trashbin/alice").await.expect(403);
        alice.request("DELETE", "/remote.php/dav/trashbin/alice/restore").await.expect(403);
        alice.request("GET", &format!("{TRASH}/%2e%2e/x")).await.expect(400);
        alice.request("OPTIONS", TRASH).await.expect(200);
        for path in [at.as_str(), TRASH, "/remote.php/dav/trashbin/alice", "/remote.php/dav/trashbin/nobody/trash"] {
            for method in ["PROPFIND", "GET", "DELETE", "MOVE", "OPTIONS", "MKCOL"] {
                bob.request(method, path).header("destination", RESTORE).await.expect(404);
            }
        }
        let theirs = at.replace("alice", "bob");
        bob.request("GET", &theirs).await.expect(404);
        restore(&bob, &theirs, &RESTORE.replace("alice", "bob"), 404).await;
        server.anonymous().request("PROPFIND", TRASH).await.expect(401);

        let root = "/remote.php/dav/trashbin/alice/";
        let found = alice.properties(root, 1, &["d:resourcetype"]).await.expect(207);
        assert_eq!(found.hrefs(), [root.to_owned(), format!("{root}restore/"), format!("{TRASH}/")]);
        assert_eq!(alice.properties("/remote.php/dav/trashbin/", 0, &["d:resourcetype"]).await.hrefs().len(), 1);
        assert_eq!(alice.request("GET", &at).await.expect(200).text(), "old", "all of that changed nothing");
    })
    .await;
}

#[tokio::test]
async fn ten_pages_of_trash_are_listed_once_each() {
    let small = |config: &mut nichoir::config::Config| config.storage.page_rows = 10;
    on_every_engine_with(small, async |server: &Server| {
        let alice = server.account("alice");
        for number in 0..101 {
            alice.put(&format!("/{number}.txt"), "x").await.expect(201);
            alice.delete(&format!("/{number}.txt")).await.expect(204);
        }
        let mut hrefs = list(&alice, TRASH).await.expect(207).hrefs();
        assert_eq!(hrefs.len(), 102);
        hrefs.sort();
        hrefs.dedup();
        assert_eq!(hrefs.len(), 102);
    })
    .await;
}

#[tokio::test]
async fn what_expires_is_gone() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.put("/a.txt", "old").await.expect(201);
        alice.delete("/a.txt").await.expect(204);
        let at = format!("{TRASH}/a.txt.d1800000000");
        server.clock.advance_seconds(29 * 24 * 3600);
        server.app.store().maintain_space(&server.space.info().name).await.unwrap();
        alice.request("GET", &at).await.expect(200);
        server.clock.advance_seconds(2 * 24 * 3600);
        server.app.store().maintain_space(&server.space.info().name).await.unwrap();
        alice.request("GET", &at).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn the_capabilities_say_what_works() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice").with("ocs-apirequest", "true");
        let told = alice.request("GET", "/ocs/v2.php/cloud/capabilities?format=json").await.expect(200).json();
        let files = &told["ocs"]["data"]["capabilities"]["files"];
        for name in ["undelete", "delete_from_trash", "versioning", "version_labeling", "version_deletion"] {
            assert_eq!(files[name], true, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_sharee_deletes_is_in_both_trashes_and_goes_back_only_while_it_is_shared() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.mkcol("/Team").await.expect(201);
        let id = alice.put("/Team/a.txt", "one").await.expect(201).file_id();
        alice.put("/Team/b.txt", "two").await.expect(201);
        let share = alice.share("/Team", "bob", 15).await;
        let trashed = |login: &str, name: &str| format!("/remote.php/dav/trashbin/{login}/trash/{name}.d1800000000");
        let to = |login: &str, name: &str| format!("/remote.php/dav/trashbin/{login}/restore/{name}.d1800000000");
        let count = async |client: &Client, login: &str| {
            client
                .properties(&format!("/remote.php/dav/trashbin/{login}/trash/"), 1, &["d:getetag"])
                .await
                .hrefs()
                .len()
                - 1
        };
        bob.delete("/Team/a.txt").await.expect(204);
        assert_eq!((count(&alice, "alice").await, count(&bob, "bob").await), (1, 1));
        let told = list(&alice, "/remote.php/dav/trashbin/alice/trash/").await;
        assert_eq!(text(&told, &trashed("alice", "a.txt"), nc::TRASHBIN_DELETED_BY_ID), "bob");
        restore(&bob, &trashed("bob", "a.txt"), &to("bob", "a.txt"), 201).await;
        let back = alice.properties("/remote.php/dav/files/alice/Team/a.txt", 0, &["oc:fileid"]).await;
        assert_eq!(text(&back, "/remote.php/dav/files/alice/Team/a.txt", oc::FILEID), id.to_string());
        assert_eq!((count(&alice, "alice").await, count(&bob, "bob").await), (0, 0));

        // Thrown away by him, it is out of his sight and still hers.
        bob.delete("/Team/a.txt").await.expect(204);
        bob.request("DELETE", &trashed("bob", "a.txt")).await.expect(204);
        assert_eq!((count(&alice, "alice").await, count(&bob, "bob").await), (1, 0));
        restore(&alice, &trashed("alice", "a.txt"), &to("alice", "a.txt"), 201).await;
        bob.delete("/Team/a.txt").await.expect(204);
        bob.request("DELETE", "/remote.php/dav/trashbin/bob/trash").await.expect(204);
        assert_eq!((count(&alice, "alice").await, count(&bob, "bob").await), (1, 0));
        restore(&alice, &trashed("alice", "a.txt"), &to("alice", "a.txt"), 201).await;

        // Who may only read any more brings nothing back, nor does who has nothing of it any more.
        bob.delete("/Team/a.txt").await.expect(204);
        alice.set_rights(&share, 1).await;
        let before = server.space.change_sequence().await.expect("a number");
        restore(&bob, &trashed("bob", "a.txt"), &to("bob", "a.txt"), 403).await;
        assert_eq!(server.space.change_sequence().await.expect("a number"), before);
        alice.unshare(&share).await;
        let before = server.space.change_sequence().await.expect("a number");
        let refused = bob.request("MOVE", &trashed("bob", "a.txt")).header("destination", &to("bob", "a.txt")).await;
        assert!([403, 404].contains(&refused.status.as_u16()), "{}", refused.text());
        assert_eq!(server.space.change_sequence().await.expect("a number"), before);
        bob.get("/a.txt").await.expect(404);
        bob.request("GET", &trashed("bob", "a.txt")).await.expect(404);
        assert_eq!(count(&bob, "bob").await, 0, "what was hers is hers alone");
        assert_eq!(alice.request("GET", &trashed("alice", "a.txt")).await.expect(200).text(), "one");
        restore(&alice, &trashed("alice", "a.txt"), &to("alice", "a.txt"), 201).await;
        assert_eq!(alice.get("/Team/a.txt").await.text(), "one");
    })
    .await;
}
