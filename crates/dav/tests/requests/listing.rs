//! PROPFIND: depths, large listings.

use std::sync::Arc;

use http_body_util::BodyExt as _;
use nichoir_dav::header::depth::Depth;
use nichoir_dav::{Extension, Limits};

use crate::support::{PREFIX, Server};

const ETAG: &str = r#"<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>"#;

#[tokio::test]
async fn the_resource_itself_comes_first_and_collections_end_in_a_slash() {
    let server = Server::start().await;
    server.mkcol("/caf%C3%A9%20%231").await.expect(201);
    server.put("/caf%C3%A9%20%231/a&b", "x").await.expect(201);
    let answer = server.propfind("/caf%C3%A9%20%231", "1", ETAG).await.expect(207);
    assert_eq!(answer.header("content-type"), "application/xml; charset=utf-8");
    assert_eq!(
        answer.all("d:href"),
        [format!("{PREFIX}/caf%c3%a9%20%231/"), format!("{PREFIX}/caf%c3%a9%20%231/a%26b")]
    );
    assert_eq!(server.propfind("/caf%C3%A9%20%231", "0", ETAG).await.expect(207).all("d:href").len(), 1);
    server.propfind("/none", "1", ETAG).await.expect(404);
    server.propfind("/", "2", ETAG).await.expect(400);
}

#[tokio::test]
async fn infinity_is_refused_unless_enabled() {
    let server = Server::start().await;
    server.mkcol("/d").await.expect(201);
    for headers in ["Depth: infinity", ""] {
        let refused = server.send("PROPFIND", "/", headers, ETAG).await.expect(403);
        refused.assert_contains("<d:propfind-finite-depth/>");
    }
    let limits = Limits { has_infinite_propfind: true, ..Limits::default() };
    let server = Server::start_with(Vec::new(), limits).await;
    for path in ["/d", "/d/e", "/d/e/f", "/g"] {
        server.mkcol(path).await.expect(201);
    }
    let mut hrefs = server.propfind("/", "infinity", ETAG).await.expect(207).all("d:href");
    hrefs.sort();
    assert_eq!(hrefs, ["/", "/d/", "/d/e/", "/d/e/f/", "/g/"].map(|path| format!("{PREFIX}{path}")));
}

#[tokio::test]
async fn an_absent_depth_is_what_the_setting_says() {
    let server = Server::start_with(Vec::new(), Limits { absent_depth: Depth::One, ..Limits::default() }).await;
    server.mkcol("/d").await.expect(201);
    assert_eq!(server.send("PROPFIND", "/", "", ETAG).await.expect(207).all("d:href").len(), 2);
}

#[tokio::test]
async fn a_large_listing_is_streamed_and_whole() {
    let server = Server::start().await;
    server.mkcol("/many").await.expect(201);
    for number in 0..1_300 {
        server.put(&format!("/many/file%20number%20{number}.txt"), "x").await.expect(201);
    }
    let body = "<propfind xmlns='DAV:'><allprop/></propfind>";
    let answer = server.propfind("/many", "1", body).await.expect(207);
    assert!(!answer.headers.contains_key("content-length"), "it is too large to be held");
    assert!(answer.text().ends_with("</d:multistatus>"));
    let hrefs = answer.all("d:href");
    let files = hrefs.iter().filter(|href| href.contains("/many/file%20number%20"));
    let distinct: std::collections::HashSet<_> = files.collect();
    assert_eq!(distinct.len(), 1_300);
    assert_eq!(hrefs[0], format!("{PREFIX}/many/"));
}

/// Deletes for good: a folder in the trash could still be listed whole.
#[derive(Debug)]
struct NoTrash;

impl Extension for NoTrash {
    fn skips_trash(&self, _: &http::HeaderMap) -> bool {
        true
    }
}

#[tokio::test]
async fn a_listing_that_breaks_off_is_never_closed() {
    let server = Server::start_with(vec![Arc::new(NoTrash)], Limits::default()).await;
    server.mkcol("/many").await.expect(201);
    for number in 0..1_100 {
        server.put(&format!("/many/a%20rather%20long%20file%20name%20{number}.txt"), "x").await.expect(201);
    }
    let mut request = nichoir_dav::Request::new(nichoir_dav::request::empty());
    *request.method_mut() = http::Method::from_bytes(b"PROPFIND").expect("a method");
    *request.uri_mut() = format!("{PREFIX}/many").parse().expect("a path");
    request.headers_mut().insert("depth", http::HeaderValue::from_static("1"));
    let mut body = server.dav.handle(&server.alice, &server.mount, request).await.into_body();
    let first = body.frame().await.expect("a first page").expect("which is fine").into_data().expect("of bytes");
    server.send("DELETE", "/many", "", "").await.expect(204);

    let mut text = String::from_utf8_lossy(&first).into_owned();
    let mut is_cut = false;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => text.push_str(&String::from_utf8_lossy(frame.data_ref().expect("bytes"))),
            Err(_) => is_cut = true,
        }
    }
    assert!(is_cut, "the body ends with an error");
    assert!(!text.contains("</d:multistatus>"));
}
