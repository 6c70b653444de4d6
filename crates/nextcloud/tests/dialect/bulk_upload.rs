//! Bulk upload.

use nichoir_nextcloud::bulk::BulkLimits;
use nichoir_store::checksum::{Algorithm, Hasher};
use serde_json::Value;

use crate::support::Server;

fn part(path: &str, content: &str, more: &str) -> String {
    let mut hasher = Hasher::new(Algorithm::Md5);
    hasher.update(content.as_bytes());
    let md5 = hasher.finish().hex;
    let length = content.len();
    format!("--b\r\nX-File-Path: {path}\r\nContent-Length: {length}\r\nX-File-MD5: {md5}\r\n{more}\r\n{content}\r\n")
}

#[tokio::test]
async fn each_file_is_written_or_told_why_not() {
    let server = Server::start().await;
    let old = server.put("/old.txt", "old").await.expect(201);
    let large = "x".repeat(100_000);
    let body = [
        part("/é a.txt", "one", "X-File-Mtime: 1700000001\r\n"),
        part("/empty", "", ""),
        part("/no/such/parent", "two", ""),
        part("/.htaccess", &large, ""),
        part("/large", &large, ""),
        part("/old.txt", "new", "If-Match: \"0000000000000bad\"\r\n"),
    ];

    let answer = server.bulk(body.concat() + "--b--\r\n").await.expect(200);

    let files: Value = serde_json::from_str(&answer.text()).unwrap();
    for good in ["/é a.txt", "/empty", "/large"] {
        assert_eq!(files[good]["error"], false, "{files}");
        assert_eq!(files[good]["permissions"], "RGDNVW");
    }
    for bad in ["/no/such/parent", "/.htaccess", "/old.txt"] {
        assert_eq!(files[bad]["error"], true, "{files}");
        assert!(files[bad]["message"].is_string());
    }
    let written = server.files("GET", "/%C3%A9%20a.txt", "", "").await.expect(200);
    assert_eq!(written.text(), "one");
    assert_eq!(written.header("etag"), format!("\"{}\"", files["/é a.txt"]["etag"].as_str().unwrap()));
    assert_eq!(written.header("last-modified"), "Tue, 14 Nov 2023 22:13:21 GMT");
    assert_eq!(server.get("/large").await, large);
    assert_eq!(server.get("/empty").await, "");
    let kept = server.files("GET", "/old.txt", "", "").await.expect(200);
    assert_eq!((kept.text().as_str(), kept.header("etag")), ("old", old.header("etag")));
    server.files("GET", "/.htaccess", "", "").await.expect(404);
    server.assert_other_space_untouched().await;
}

#[tokio::test]
async fn a_wrong_checksum_ends_the_request_with_what_was_done_so_far() {
    let server = Server::start().await;
    let wrong = "--b\r\nX-File-Path: /wrong\r\nContent-Length: 3\r\nOC-Checksum: md5:00000000000000000000000000000000\r\n\r\none\r\n";

    assert_eq!(server.bulk(format!("{wrong}--b--")).await.expect(400).text(), "[]");
    let answer = server.bulk(part("/good", "one", "") + wrong + &part("/late", "two", "") + "--b--").await.expect(400);

    let files: Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!(files.as_object().unwrap().keys().collect::<Vec<_>>(), ["/good"]);
    assert_eq!(server.get("/good").await, "one");
    server.files("GET", "/wrong", "", "").await.expect(404);
    server.files("GET", "/late", "", "").await.expect(404);
}

#[tokio::test]
async fn a_body_that_breaks_off_writes_nothing_half() {
    let server = Server::start().await;
    let whole = part("/a", "one", "") + &part("/b", "two two", "") + "--b--";
    for length in 0..whole.len() - 2 {
        let status = server.bulk(whole[..length].to_owned()).await.status;
        assert_eq!(status, 400, "{length}");
    }
    assert_eq!(server.get("/b").await, "two two");
    server.bulk(String::new()).await.expect(400);
}

#[tokio::test]
async fn the_number_of_files_is_limited() {
    let server = Server::start().await;
    let limits = BulkLimits { bulk_files_max: 2, ..BulkLimits::default() };
    let two = part("/a", "one", "") + &part("/b", "two", "");
    server.bulk_within(&limits, format!("{two}--b--")).await.expect(200);
    let answer = server.bulk_within(&limits, two + &part("/c", "three", "") + "--b--").await.expect(400);
    let files: Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!(files.as_object().unwrap().len(), 2);
    server.files("GET", "/c", "", "").await.expect(404);
}
