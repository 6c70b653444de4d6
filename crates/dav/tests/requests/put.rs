//! PUT, DELETE, MKCOL: what is written, and what is left alone.

use crate::support::Server;

#[tokio::test]
async fn a_file_is_created_then_replaced() {
    let server = Server::start().await;
    let first = server.put("/a.txt", "one").await.expect(201);
    let second = server.put("/a.txt", "two").await.expect(204);
    assert_ne!(first.header("etag"), second.header("etag"));
    let read = server.get("/a.txt").await.expect(200);
    assert_eq!((read.text().as_str(), read.header("etag")), ("two", second.header("etag")));
    server.assert_other_space_untouched().await;
}

#[tokio::test]
async fn put_with_a_stale_etag_changes_nothing() {
    let server = Server::start().await;
    let first = server.put("/a.txt", "one").await.expect(201);
    server.put("/a.txt", "two").await.expect(204);
    let stale = format!("If-Match: {}", first.header("etag"));
    let refused = server.send("PUT", "/a.txt", &stale, "three").await.expect(412);
    assert_eq!(refused.header("content-type"), "application/xml; charset=utf-8");
    server.send("PUT", "/a.txt", "If-None-Match: *", "three").await.expect(412);
    server.send("PUT", "/new.txt", "If-Match: \"1\"", "three").await.expect(412);
    server.send("PUT", "/new.txt", "If-Match: *", "three").await.expect(412);
    assert_eq!(server.get("/a.txt").await.text(), "two");
    assert_eq!(server.get("/new.txt").await.status, 404);
    server.send("PUT", "/new.txt", "If-None-Match: *", "three").await.expect(201);
}

#[tokio::test]
async fn put_needs_a_place() {
    let server = Server::start().await;
    server.mkcol("/folder").await.expect(201);
    server.put("/none/a.txt", "x").await.expect(409);
    server.put("/folder", "x").await.expect(409);
    server.put("/folder/", "x").await.expect(409);
    server.put("/a.txt", "x").await.expect(201);
    server.put("/a.txt/b.txt", "x").await.expect(409);
    server.send("PUT", "/b.txt", "Content-Range: bytes 0-0/5", "x").await.expect(400);
    let root = server.put("/", "x").await;
    assert!(root.status == 405 || root.status == 409, "{}", root.status);
    assert_eq!(server.listed("/").await, ["/dav/files/alice/", "/dav/files/alice/a.txt", "/dav/files/alice/folder/"]);
}

#[tokio::test]
async fn a_large_body_that_does_not_fit_is_refused_before_it_is_read() {
    let server = Server::start().await;
    let answer = server.send("PUT", "/big.bin", "", vec![7; 10_000_001]).await.expect(507);
    answer.assert_contains("<d:quota-not-exceeded/>");
    assert_eq!(server.get("/big.bin").await.status, 404);
    let body: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
    server.send("PUT", "/fits.bin", "", body.clone()).await.expect(201);
    assert!(server.get("/fits.bin").await.body == body);
    let answer = server.send("GET", "/fits.bin", "Range: bytes=500000-500003", "").await.expect(206);
    assert_eq!(answer.body, body[500_000..500_004]);
}

#[tokio::test]
async fn delete_takes_everything_below() {
    let server = Server::start().await;
    server.mkcol("/d").await.expect(201);
    server.mkcol("/d/e").await.expect(201);
    server.put("/d/e/f", "x").await.expect(201);
    server.send("DELETE", "/d", "If-Match: \"1\"", "").await.expect(412);
    assert_eq!(server.get("/d/e/f").await.text(), "x");
    server.send("DELETE", "/d", "", "").await.expect(204);
    assert_eq!(server.get("/d/e/f").await.status, 404);
    server.send("DELETE", "/d", "", "").await.expect(404);
    server.send("DELETE", "/", "", "").await.expect(403);
    assert_eq!(server.listed("/").await, ["/dav/files/alice/"]);
}

#[tokio::test]
async fn nextclouds_web_apps_delete_collections_with_depth_0() {
    let server = Server::start().await;
    server.mkcol("/d").await.expect(201);
    server.put("/d/f", "x").await.expect(201);
    server.send("DELETE", "/d", "Depth: 0", "").await.expect(204);
    server.send("GET", "/d/f", "", "").await.expect(404);
}

#[tokio::test]
async fn mkcol_makes_one_collection() {
    let server = Server::start().await;
    server.mkcol("/d/").await.expect(201);
    server.mkcol("/d").await.expect(405);
    server.mkcol("/").await.expect(405);
    server.mkcol("/no/e").await.expect(409);
    server.put("/f", "x").await.expect(201);
    server.mkcol("/f").await.expect(405);
    server.mkcol("/f/g").await.expect(409);
    server.send("MKCOL", "/g", "Content-Type: text/plain", "afafafaf").await.expect(415);
    server.send("MKCOL", "/g", "Content-Type: application/xml", "<foo xmlns='DAV:'/>").await.expect(415);
    assert_eq!(server.listed("/").await, ["/dav/files/alice/", "/dav/files/alice/d/", "/dav/files/alice/f"]);
}

#[tokio::test]
async fn extended_mkcol_sets_properties_or_makes_nothing() {
    let server = Server::start().await;
    let body = |properties: &str| {
        format!(
            "<D:mkcol xmlns:D='DAV:' xmlns:x='urn:x'><D:set><D:prop><D:resourcetype><D:collection/></D:resourcetype>\
             {properties}</D:prop></D:set></D:mkcol>"
        )
    };
    let xml = "Content-Type: application/xml";
    let refused = server.send("MKCOL", "/d", xml, body("<D:getetag>1</D:getetag><x:p>v</x:p>")).await.expect(403);
    refused.assert_contains("<d:mkcol-response ");
    refused.assert_contains("<d:cannot-modify-protected-property/>");
    refused.assert_contains("HTTP/1.1 424 Failed Dependency");
    server.send("MKCOL", "/d", xml, body("").replace("<D:collection/>", "<D:collection/><x:odd/>")).await.expect(403);
    assert_eq!(server.get("/d").await.status, 404);

    server.send("MKCOL", "/d", xml, body("<x:p>v</x:p>")).await.expect(201);
    let read = server.propfind("/d", "0", "<propfind xmlns='DAV:'><prop><p xmlns='urn:x'/></prop></propfind>").await;
    assert!(read.text().contains(">v</"), "{}", read.text());
}
