//! Files as the desktop and mobile clients see them.

use crate::support::{DESKTOP, Server};

#[tokio::test]
async fn a_put_answers_all_that_the_desktop_client_needs() {
    let server = Server::start().await;
    let headers = "X-OC-Mtime: 1700000001.7\nX-OC-CTime: 1600000000\nOC-Checksum: SHA1:a9993e364706816aba3e25717850c26c9cd0d89d\
                   \nX-Hash: md5";

    let put = server.files("PUT", "/a.txt", headers, "abc").await.expect(201);

    assert_eq!(put.header("x-oc-mtime"), "accepted");
    assert_eq!(put.header("x-oc-ctime"), "accepted");
    assert_eq!(put.header("oc-etag"), put.header("etag"));
    assert_eq!(put.header("x-hash-md5"), "900150983cd24fb0d6963f7d28e17f72");
    let got = server.files("GET", "/a.txt", "", "").await.expect(200);
    assert_eq!(got.header("oc-checksum"), "SHA1:a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_eq!(got.header("content-disposition"), "attachment; filename*=UTF-8''a.txt; filename=\"a.txt\"");
    let found = server.properties("/a.txt", "<oc:id/><oc:checksums/><nc:creation_time/><nc:upload_time/>").await;
    assert!(found.contains(&format!("<oc:id>{}</oc:id>", put.header("oc-fileid"))), "{found}");
    assert!(found.contains("<oc:checksum>SHA1:a9993e364706816aba3e25717850c26c9cd0d89d</oc:checksum>"), "{found}");
    assert!(found.contains("<nc:creation_time>1600000000</nc:creation_time>"), "{found}");
    assert!(found.contains("<nc:upload_time>1750000000</nc:upload_time>"), "{found}");
    let again = server.put("/a.txt", "new").await.expect(204);
    assert_eq!(again.header("oc-fileid"), put.header("oc-fileid"));
    assert!(!again.headers.contains_key("x-oc-mtime"));
    assert!(!server.files("GET", "/a.txt", "", "").await.headers.contains_key("oc-checksum"), "the old sum is gone");
    server.assert_other_space_untouched().await;
}

#[tokio::test]
async fn headers_that_make_no_sense_are_refused_before_anything_is_written() {
    let server = Server::start().await;
    for bad in [
        "X-OC-Mtime: yesterday",
        "OC-Total-Length: many",
        "OC-Checksum: SHA1:0000000000000000000000000000000000000000",
        "Content-Range: bytes 0-2/9",
    ] {
        server.files("PUT", "/a.txt", bad, "abc").await.expect(400).has("Sabre\\DAV\\Exception\\BadRequest");
    }
    server.files("PUT", "/a.txt", "OC-Total-Length: 99999999", "abc").await.expect(507);
    server.files("GET", "/a.txt", "", "").await.expect(404);
}

#[tokio::test]
async fn desktop_3_4_sends_zero_times_which_are_repaired() {
    let server = Server::start().await;
    let put = server.files("PUT", "/a.txt", "X-OC-Mtime: 0", "abc").await.expect(201);
    assert!(!put.headers.contains_key("x-oc-mtime"));
    let got = server.files("GET", "/a.txt", "", "").await.expect(200);
    assert_eq!(got.header("last-modified"), "Sun, 15 Jun 2025 15:06:40 GMT");
}

#[tokio::test]
async fn the_listing_of_the_desktop_client_has_every_property_in_place() {
    let server = Server::start().await;
    server.files("MKCOL", "/dir", "", "").await.expect(201);
    server.put("/dir/a.txt", "abc").await.expect(201);
    let names = "<d:resourcetype/><oc:size/><oc:fileid/><oc:downloadURL/><oc:dDC/><oc:permissions/><oc:checksums/>\
                 <oc:data-fingerprint/><oc:share-types/><nc:is-mount-root/><nc:lock/>";

    let folder = server.properties("/dir", names).await;

    for present in [
        "<d:href>/remote.php/dav/files/alice/dir/</d:href>",
        "<oc:size>3</oc:size>",
        "<oc:permissions>RGDNVCK</oc:permissions>",
        "<oc:data-fingerprint/>",
        "<oc:share-types/>",
        "<nc:is-mount-root>false</nc:is-mount-root>",
    ] {
        assert!(folder.contains(present), "no {present} in {folder}");
    }
    let (found, missing) = folder.split_once("HTTP/1.1 200 OK").unwrap();
    assert!(found.contains("<oc:data-fingerprint/>") && found.contains("<nc:lock/>"), "{found}");
    assert!(missing.contains("<oc:dDC/>"), "{missing}");
    let file = server.properties("/dir/a.txt", names).await;
    assert!(file.contains("<oc:permissions>RGDNVW</oc:permissions>") && file.contains("<oc:downloadURL/>"), "{file}");
}

#[tokio::test]
async fn webdav_from_npm_finds_the_quota_of_a_folder_without_asking_for_it() {
    let server = Server::start().await;
    server.files("MKCOL", "/dir", "", "").await.expect(201);
    server.put("/dir/a.txt", "abc").await.expect(201);

    let folder = server.files("PROPFIND", "/dir", "Depth: 0", "").await.expect(207).text();
    assert!(folder.contains("<d:quota-used-bytes>3</d:quota-used-bytes>"), "{folder}");
    assert!(folder.contains("<d:quota-available-bytes>"), "{folder}");
    let file = server.files("PROPFIND", "/dir/a.txt", "Depth: 0", "").await.expect(207).text();
    assert!(!file.contains("quota"), "{file}");
}

#[tokio::test]
async fn ios_finds_share_permissions_under_the_prefixes_it_expects() {
    let server = Server::start().await;
    server.put("/a.txt", "abc").await.expect(201);
    let names = "<share-permissions xmlns=\"http://open-collaboration-services.org/ns\"/>\
                 <share-permissions xmlns=\"http://open-cloud-mesh.org/ns\"/><nc:has-preview/><oc:owner-id/><nc:note/>";
    let found = server.properties("/a.txt", names).await;
    assert!(
        found.contains("<x1:share-permissions xmlns:x1=\"http://open-collaboration-services.org/ns\">19<"),
        "{found}"
    );
    assert!(found.contains("<x2:share-permissions xmlns:x2=\"http://open-cloud-mesh.org/ns\">"), "{found}");
    assert!(found.contains("<oc:owner-id>alice</oc:owner-id>"), "{found}");
    assert!(found.split_once("404 Not Found").unwrap().0.contains("<nc:note/>"), "{found}");
}

const UPDATE: &str = "<d:propertyupdate xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\"><d:set><d:prop>";

async fn patch(server: &Server, path: &str, properties: &str) -> String {
    let body = format!("{UPDATE}{properties}</d:prop></d:set></d:propertyupdate>");
    server.files("PROPPATCH", path, "", body).await.expect(207).text()
}

#[tokio::test]
async fn favourites_are_set_listed_and_unset() {
    let server = Server::start().await;
    server.files("MKCOL", "/dir", "", "").await.expect(201);
    let put = server.put("/dir/a.txt", "abc").await.expect(201);
    server.put("/b.txt", "b").await.expect(201);
    assert!(patch(&server, "/dir/a.txt", "<oc:favorite>1</oc:favorite>").await.contains("HTTP/1.1 200 OK"));
    let report = "<oc:filter-files xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\"><d:prop><oc:favorite/></d:prop>\
                  <oc:filter-rules><oc:favorite>1</oc:favorite></oc:filter-rules></oc:filter-files>";

    let listed = server.files("REPORT", "/", "", report).await.expect(207);

    listed.has("<d:href>/remote.php/dav/files/alice/dir/a.txt</d:href>").has("<oc:favorite>1</oc:favorite>");
    assert!(!listed.text().contains("b.txt"));
    let got = server.files("GET", "/dir/a.txt", "", "").await.expect(200);
    assert_eq!(got.header("etag"), put.header("etag"), "a mark is no change of content");
    patch(&server, "/dir/a.txt", "<oc:favorite>0</oc:favorite>").await;
    assert!(!server.files("REPORT", "/", "", report).await.expect(207).text().contains("a.txt"));
    let without_rules = report.replace("<oc:favorite>1</oc:favorite>", "");
    server.files("REPORT", "/", "", without_rules).await.expect(400);
    let by_tag = report.replace("<oc:favorite>1</oc:favorite>", "<oc:systemtag>7</oc:systemtag>");
    server.files("REPORT", "/", "", by_tag).await.expect(412);
}

#[tokio::test]
async fn what_may_not_be_patched_fails_with_all_that_came_with_it() {
    let server = Server::start().await;
    server.put("/a.txt", "abc").await.expect(201);
    for bad in ["<oc:size>1</oc:size>", "<oc:unheard-of>1</oc:unheard-of>", "<d:getlastmodified>x</d:getlastmodified>"]
    {
        let answer = patch(&server, "/a.txt", &format!("{bad}<oc:favorite>1</oc:favorite>")).await;
        assert!(answer.contains("403 Forbidden") && answer.contains("424 Failed Dependency"), "{answer}");
    }
    assert!(server.properties("/a.txt", "<oc:favorite/>").await.contains("<oc:favorite>0<"));
    patch(&server, "/a.txt", "<d:lastmodified>1700000001</d:lastmodified>").await;
    let got = server.files("GET", "/a.txt", "", "").await.expect(200);
    assert_eq!(got.header("last-modified"), "Tue, 14 Nov 2023 22:13:21 GMT");
}

#[tokio::test]
async fn forbidden_names_are_told_apart_by_their_exception() {
    let server = Server::start().await;
    for bad in ["/.htaccess", "/a.part", "/a%5Cb"] {
        let answer = server.put(bad, "x").await.expect(400);
        answer.has("<s:exception>OCA\\DAV\\Connector\\Sabre\\Exception\\InvalidPath</s:exception>");
        server.files("MKCOL", bad, "", "").await.expect(400);
    }
    server.put("/a.txt", "x").await.expect(201);
    server.files("MOVE", "/a.txt", "Destination: /remote.php/dav/files/alice/a.part", "").await.expect(400);
    assert_eq!(server.get("/a.txt").await, "x");
}

#[tokio::test]
async fn errors_carry_the_words_that_clients_look_for() {
    let server = Server::start().await;
    server.put("/a.txt", "x").await.expect(201);
    server.files("MKCOL", "/dir", "", "").await.expect(201);
    let answer = server.files("PUT", "/a.txt", "If-Match: \"0\"", "y").await.expect(412);
    answer.has("<s:exception>Sabre\\DAV\\Exception\\PreconditionFailed</s:exception>");
    answer.has("<s:header>If-Match</s:header>");
    server.files("MKCOL", "/dir", "", "").await.expect(405).has("Sabre\\DAV\\Exception\\MethodNotAllowed");
    server.put("/no/a.txt", "x").await.expect(409).has("Sabre\\DAV\\Exception\\Conflict");
    server.put("/dir", "x").await.expect(409);
    server.files("PUT", "/no/dir/a.txt", "X-NC-WebDAV-Auto-Mkcol: 1", "x").await.expect(201);
    assert_eq!(server.get("/no/dir/a.txt").await, "x");
    server.files("POST", "/a.txt", "", "").await.expect(501).has("Sabre\\DAV\\Exception\\NotImplemented");
}

#[tokio::test]
async fn the_desktop_client_guards_its_write_however_it_spells_the_resource() {
    let server = Server::start().await;
    server.put("/a.txt", "one").await.expect(201);
    let headers = format!("{DESKTOP}If: <https://h/remote.php/dav/files/alice/100%> ([\"0000000000000bad\"])");
    server.files("PUT", "/a.txt", &headers, "two").await.expect(412);
    let token_only = format!("{DESKTOP}If: <https://h/100% raw> (<opaquelocktoken:>)");
    assert_eq!(server.get("/a.txt").await, "one");
    server.files("PUT", "/a.txt", &token_only, "two").await.expect(204);
    assert_eq!(server.get("/a.txt").await, "two");
}

#[tokio::test]
async fn active_content_is_served_as_text() {
    let server = Server::start().await;
    server.put("/a.html", "<script>").await.expect(201);
    assert!(server.files("GET", "/a.html", "", "").await.expect(200).header("content-type").starts_with("text/plain"));
    assert!(server.properties("/a.html", "<d:getcontenttype/>").await.contains("text/html"));
}
