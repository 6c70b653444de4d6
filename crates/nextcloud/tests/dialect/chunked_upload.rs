//! Chunked upload, as each generation of clients does it.

use crate::support::{DESKTOP, QUOTA_BYTES, Server};

const TO: &str = "Destination: /remote.php/dav/files/alice/big%20one.bin\n";

async fn upload(server: &Server, name: &str, chunks: &[(&str, &'static str)]) {
    server.uploads("MKCOL", name, "", "").await.expect(201);
    for (chunk, content) in chunks {
        server.uploads("PUT", &format!("{name}/{chunk}"), "", *content).await.expect(201);
    }
}

#[tokio::test]
async fn desktop_3_7_counts_from_zero_and_names_no_destination() {
    let server = Server::start().await;
    server.uploads("MKCOL", "/77", "OC-Total-Length: 8", "").await.expect(201);
    for (chunk, offset, content) in [("0000000000000000", 0, "abc"), ("0000000000000001", 3, "defgh")] {
        let headers = format!("OC-Chunk-Offset: {offset}");
        server.uploads("PUT", &format!("/77/{chunk}"), &headers, content).await.expect(201);
    }
    let headers = format!("{DESKTOP}{TO}OC-Total-Length: 8\nOC-Checksum: SHA1:ab\nX-OC-Mtime: 1700000001");

    let moved = server.uploads("MOVE", "/77/.file", &headers, "").await.expect(201);

    assert_eq!(moved.header("x-oc-mtime"), "accepted");
    assert_eq!(moved.header("etag"), moved.header("oc-etag"));
    let found = server.files("GET", "/big%20one.bin", "", "").await.expect(200);
    assert_eq!(found.text(), "abcdefgh");
    assert_eq!(found.header("etag"), moved.header("etag"));
    assert_eq!(found.header("oc-checksum"), "SHA1:ab");
    assert_eq!(found.header("last-modified"), "Tue, 14 Nov 2023 22:13:21 GMT");
    let properties = server.properties("/big%20one.bin", "<oc:id/>").await;
    assert!(properties.contains(moved.header("oc-fileid")), "{properties}");
    server.uploads("PROPFIND", "/77", "Depth: 1", "").await.expect(404);
    server.assert_other_space_untouched().await;
}

#[tokio::test]
async fn newer_clients_name_the_destination_raw_on_every_request() {
    let server = Server::start().await;
    let raw = "Destination: https://h/remote.php/dav/files/alice/été 100% #1 big.bin\nOC-Total-Length: 3";
    server.uploads("MKCOL", "/9", raw, "").await.expect(201);
    server.uploads("PUT", "/9/00001", raw, "abc").await.expect(201);
    server.uploads("MOVE", "/9/.file", &format!("{TO}OC-Total-Length: 3"), "").await.expect(201);
    assert_eq!(server.get("/big%20one.bin").await, "abc");
    server.assert_other_space_untouched().await;
}

#[tokio::test]
async fn a_repeated_move_answers_the_same_again() {
    let server = Server::start().await;
    upload(&server, "/u", &[("1", "abc")]).await;
    let first = server.uploads("MOVE", "/u/.file", TO, "").await.expect(201);

    let again = server.uploads("MOVE", "/u/.file", TO, "").await.expect(201);

    assert_eq!(first.header("oc-fileid"), again.header("oc-fileid"));
    assert_eq!(first.header("etag"), again.header("etag"));
    let elsewhere = "Destination: /remote.php/dav/files/alice/other.bin";
    server.uploads("MOVE", "/u/.file", elsewhere, "").await.expect(404);
    server.files("GET", "/other.bin", "", "").await.expect(404);
}

#[tokio::test]
async fn a_guarded_overwrite_whose_answer_was_lost_does_not_become_a_conflict() {
    let server = Server::start().await;
    let old = server.put("/big%20one.bin", "old").await.expect(201);
    upload(&server, "/u", &[("1", "new")]).await;
    let guard = format!("If: </remote.php/dav/files/alice/big%20one.bin> ([{}])\n", old.header("etag"));
    let headers = format!("{DESKTOP}{TO}{guard}OC-Total-Length: 3\nX-OC-Mtime: 1700000001");
    let first = server.uploads("MOVE", "/u/.file", &headers, "").await.expect(204);

    // The guard names the state before the first MOVE, which is gone by now.
    let again = server.uploads("MOVE", "/u/.file", &headers, "").await.expect(204);

    assert_eq!(again.header("etag"), first.header("etag"));
    assert_eq!(again.header("oc-fileid"), old.header("oc-fileid"));
    assert_eq!(again.header("x-oc-mtime"), "accepted");
    assert_eq!(server.get("/big%20one.bin").await, "new");
}

#[tokio::test]
async fn an_interrupted_upload_is_resumed_from_what_is_listed() {
    let server = Server::start().await;
    upload(&server, "/u", &[("00001", "abc"), ("00002", "de"), ("00010", "x")]).await;
    let body = "<d:propfind xmlns:d=\"DAV:\"><d:prop><d:resourcetype/><d:getcontentlength/></d:prop></d:propfind>";

    let listed = server.uploads("PROPFIND", "/u", "Depth: 1", body).await.expect(207);

    listed.has("<d:href>/remote.php/dav/uploads/alice/u/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/>");
    listed.has("u/00001</d:href><d:propstat><d:prop><d:resourcetype/><d:getcontentlength>3</d:getcontentlength>");
    listed.has("u/.file</d:href><d:propstat><d:prop><d:resourcetype/><d:getcontentlength>6</d:getcontentlength>");
    assert_eq!(listed.header("content-type"), "application/xml; charset=utf-8");
    let whole = server.uploads("PROPFIND", "/u/.file", "Depth: 0", body).await.expect(207);
    whole.has("u/.file</d:href>").has("<d:getcontentlength>6</d:getcontentlength>");
    assert!(!whole.text().contains("/u/00001"), "{}", whole.text());
    server.uploads("DELETE", "/u/00010", "", "").await.expect(204);
    server.uploads("DELETE", "/u/00010", "", "").await.expect(404);
    server.uploads("PUT", "/u/00002", "", "DE").await.expect(204);
    server.uploads("MOVE", "/u/.file", TO, "").await.expect(201);
    assert_eq!(server.get("/big%20one.bin").await, "abcDE");
}

#[tokio::test]
async fn chunks_are_put_together_in_numeric_order() {
    let server = Server::start().await;
    upload(&server, "/u", &[("10", "c"), ("2", "b"), ("1", "a")]).await;
    server.uploads("MOVE", "/u/.file", TO, "").await.expect(201);
    assert_eq!(server.get("/big%20one.bin").await, "abc");
}

#[tokio::test]
async fn no_chunks_make_an_empty_file() {
    let server = Server::start().await;
    upload(&server, "/u", &[]).await;
    server.uploads("MOVE", "/u/.file", TO, "").await.expect(201);
    assert_eq!(server.get("/big%20one.bin").await, "");
}

#[tokio::test]
async fn a_wrong_total_keeps_the_chunks() {
    let server = Server::start().await;
    upload(&server, "/u", &[("1", "abc")]).await;
    let wrong = server.uploads("MOVE", "/u/.file", &format!("{TO}OC-Total-Length: 4"), "").await.expect(400);
    wrong.has("<s:exception>Sabre\\DAV\\Exception\\BadRequest</s:exception>");
    server.uploads("MOVE", "/u/.file", &format!("{TO}OC-Total-Length: 3"), "").await.expect(201);
    assert_eq!(server.get("/big%20one.bin").await, "abc");
}

#[tokio::test]
async fn overwriting_keeps_the_file_id_and_obeys_the_guard_of_the_desktop_client() {
    let server = Server::start().await;
    let old = server.put("/big%20one.bin", "old").await.expect(201);
    let stale = "If: </remote.php/dav/files/alice/big%20one.bin> ([\"0000000000000bad\"])\n";
    let sloppy = "If: <https://h/remote.php/dav/files/alice/100%/big one.bin> ([\"0000000000000bad\"])\n";
    let current = format!("If: </remote.php/dav/files/alice/big%20one.bin> ([{}])\n", old.header("etag"));
    let unencoded = format!("If: <https://h/remote.php/dav/files/alice/big one.bin> ([{}])\n", old.header("etag"));
    for (upload_name, guard, status) in
        [("/a", stale, 412), ("/b", sloppy, 412), ("/c", &*current, 204), ("/d", stale, 412), ("/e", &*unencoded, 412)]
    {
        upload(&server, upload_name, &[("1", "new")]).await;
        let headers = format!("{DESKTOP}{TO}{guard}");
        let answer = server.uploads("MOVE", &format!("{upload_name}/.file"), &headers, "").await.expect(status);
        if status == 204 {
            assert_eq!(answer.header("oc-fileid"), old.header("oc-fileid"));
            assert_ne!(answer.header("etag"), old.header("etag"));
        }
    }
    assert_eq!(server.get("/big%20one.bin").await, "new");
}

#[tokio::test]
async fn a_lock_token_for_a_badly_spelt_resource_is_only_believed_from_the_desktop_client() {
    let server = Server::start().await;
    server.put("/big%20one.bin", "old").await.expect(201);
    let body = "<d:lockinfo xmlns:d=\"DAV:\"><d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/>\
                </d:locktype></d:lockinfo>";
    let locked = server.files("LOCK", "/big%20one.bin", "", body).await.expect(200);
    let token = format!("If: <https://h/remote.php/dav/files/alice/big one.bin> ({})\n", locked.header("lock-token"));
    let foreign = format!("If: <https://h/elsewhere> ({})\n", locked.header("lock-token"));
    upload(&server, "/u", &[("1", "new")]).await;

    server.uploads("MOVE", "/u/.file", TO, "").await.expect(423);
    server.uploads("MOVE", "/u/.file", &format!("{TO}{foreign}"), "").await.expect(412);
    assert_eq!(server.get("/big%20one.bin").await, "old");
    server.uploads("MOVE", "/u/.file", &format!("{DESKTOP}{TO}{token}"), "").await.expect(204);
    assert_eq!(server.get("/big%20one.bin").await, "new");
}

#[tokio::test]
async fn what_cannot_fit_is_refused_before_its_bytes_are_sent() {
    let server = Server::start().await;
    let total = format!("OC-Total-Length: {}", QUOTA_BYTES + 1);
    let full = server.uploads("MKCOL", "/u", &total, "").await.expect(507);
    full.has("<s:exception>Sabre\\DAV\\Exception\\InsufficientStorage</s:exception>");
    server.uploads("PROPFIND", "/u", "Depth: 1", "").await.expect(404);
    server.uploads("MKCOL", "/u", "", "").await.expect(201);
    server.uploads("PUT", "/u/1", &total, "abc").await.expect(507);
    assert!(!server.uploads("PROPFIND", "/u", "Depth: 1", "").await.expect(207).text().contains("/u/1"));
    server.uploads("PUT", "/u/1", &format!("OC-Total-Length: {QUOTA_BYTES}"), "abc").await.expect(201);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let server = Server::start().await;
    server.uploads("PUT", "/none/1", "", "x").await.expect(404).has("Sabre\\DAV\\Exception\\NotFound");
    server.uploads("PROPFIND", "/none", "Depth: 1", "").await.expect(404);
    server.uploads("DELETE", "/none", "", "").await.expect(404);
    server.uploads("MOVE", "/none/.file", TO, "").await.expect(404);
    upload(&server, "/u", &[("1", "abc")]).await;
    server.uploads("MKCOL", "/u", "", "").await.expect(405);
    server.uploads("MKCOL", "/u/sub", "", "").await.expect(403);
    server.uploads("PUT", "/u", "", "x").await.expect(403);
    server.uploads("PUT", "/u/.file", "", "x").await.expect(403);
    server.uploads("MOVE", "/u/.file", "", "").await.expect(400);
    server.uploads("MOVE", "/u/.file", "Destination: /remote.php/dav/files/bob/x", "").await.expect(403);
    server.uploads("MOVE", "/u/.file", "Destination: /remote.php/dav/files/alice/.htaccess", "").await.expect(400);
    server.uploads("MOVE", "/u/.file", "Destination: /remote.php/dav/files/alice/no/x", "").await.expect(409);
    server.uploads("MOVE", "/u/.file", "Destination: /remote.php/dav/files/alice/", "").await.expect(400);
    server.uploads("MOVE", "/u/.file", &format!("{TO}X-OC-Mtime: yesterday"), "").await.expect(400);
    server.files("MKCOL", "/dir", "", "").await.expect(201);
    server.uploads("MOVE", "/u/.file", "Destination: /remote.php/dav/files/alice/dir", "").await.expect(400);
    server.put("/here", "here").await.expect(201);
    let keep = "Destination: /remote.php/dav/files/alice/here\nOverwrite: F";
    server.uploads("MOVE", "/u/.file", keep, "").await.expect(412);
    assert_eq!(server.get("/here").await, "here");
    server.uploads("PROPFIND", "/u", "Depth: 1", "").await.expect(207).has("/u/1</d:href>");
    server.uploads("DELETE", "/u", "", "").await.expect(204);
    server.uploads("PROPFIND", "/u", "Depth: 1", "").await.expect(404);
    server.assert_other_space_untouched().await;
}
