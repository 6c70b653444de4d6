//! GET and HEAD: conditions, ranges.

use crate::support::Server;

async fn with_digits() -> Server {
    let server = Server::start().await;
    server.put("/digits.txt", "0123456789").await.expect(201);
    server
}

#[tokio::test]
async fn a_file_comes_back_with_its_validators() {
    let server = with_digits().await;
    let answer = server.get("/digits.txt").await.expect(200);
    assert_eq!(answer.text(), "0123456789");
    assert_eq!(answer.header("content-type"), "text/plain;charset=UTF-8");
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert!(answer.header("etag").starts_with('"'));
    assert_eq!(answer.header("last-modified"), "Sun, 15 Jun 2025 15:06:40 GMT");

    let head = server.send("HEAD", "/digits.txt", "", "").await.expect(200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("content-length"), "10");
    assert_eq!(head.header("etag"), answer.header("etag"));
}

#[tokio::test]
async fn an_empty_file_has_a_length_of_zero() {
    let server = Server::start().await;
    server.put("/empty.bin", "").await.expect(201);
    let answer = server.get("/empty.bin").await.expect(200);
    assert_eq!(answer.header("content-length"), "0");
    assert_eq!(server.send("GET", "/empty.bin", "Range: bytes=0-", "").await.status, 416);
}

#[tokio::test]
async fn ranges_give_their_bytes() {
    let server = with_digits().await;
    for (range, status, expected, content_range) in [
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=-2", 206, "89", "bytes 8-9/10"),
        ("bytes=0-99", 206, "0123456789", "bytes 0-9/10"),
        ("lines=1-2", 200, "0123456789", ""),
        ("bytes=4-2", 200, "0123456789", ""),
    ] {
        let answer = server.send("GET", "/digits.txt", &format!("Range: {range}"), "").await.expect(status);
        assert_eq!(answer.text(), expected, "{range}");
        if status == 206 {
            assert_eq!(answer.header("content-range"), content_range);
        }
    }
    let beyond = server.send("GET", "/digits.txt", "Range: bytes=10-", "").await.expect(416);
    assert_eq!(beyond.header("content-range"), "bytes */10");
}

#[tokio::test]
async fn several_ranges_come_as_parts() {
    let server = with_digits().await;
    let answer = server.send("GET", "/digits.txt", "Range: bytes=0-1,-2", "").await.expect(206);
    let boundary = answer.header("content-type").split_once("boundary=").expect("a boundary").1.to_owned();
    assert_eq!(
        answer.text(),
        format!(
            "\r\n--{boundary}\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Range: bytes 0-1/10\r\n\r\n01\
             \r\n--{boundary}\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Range: bytes 8-9/10\r\n\r\n89\
             \r\n--{boundary}--\r\n"
        )
    );
}

#[tokio::test]
async fn a_range_of_something_older_gets_the_whole() {
    let server = with_digits().await;
    let etag = server.get("/digits.txt").await.header("etag").to_owned();
    let date = "Sun, 15 Jun 2025 15:06:40 GMT";
    for (if_range, status) in [
        (etag.as_str(), 206),
        (date, 206),
        ("\"other\"", 200),
        ("Sun, 15 Jun 2025 15:06:39 GMT", 200),
        ("Mon, 16 Jun 2025 15:06:40 GMT", 200),
        (&format!("W/{etag}"), 200),
    ] {
        let headers = format!("Range: bytes=1-2\nIf-Range: {if_range}");
        assert_eq!(server.send("GET", "/digits.txt", &headers, "").await.status, status, "{if_range}");
    }
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let server = with_digits().await;
    let etag = server.get("/digits.txt").await.header("etag").to_owned();
    for (header, status) in [
        (format!("If-None-Match: {etag}"), 304),
        (format!("If-None-Match: \"x\", W/{etag}"), 304),
        ("If-None-Match: *".to_owned(), 304),
        ("If-None-Match: \"x\"".to_owned(), 200),
        ("If-Modified-Since: Sun, 15 Jun 2025 15:06:40 GMT".to_owned(), 304),
        ("If-Modified-Since: Sun, 15 Jun 2025 15:06:39 GMT".to_owned(), 200),
        // If-None-Match goes first (RFC 9110 §13.2.2).
        ("If-None-Match: \"x\"\nIf-Modified-Since: Sun, 15 Jun 2025 15:06:40 GMT".to_owned(), 200),
        (format!("If-Match: {etag}"), 200),
        ("If-Match: \"x\"".to_owned(), 412),
        ("If-Unmodified-Since: Sun, 15 Jun 2025 15:06:39 GMT".to_owned(), 412),
        ("If-Unmodified-Since: Sun, 15 Jun 2025 15:06:40 GMT".to_owned(), 200),
        (format!("If: ([{etag}])"), 200),
        ("If: ([\"x\"])".to_owned(), 412),
    ] {
        let answer = server.send("GET", "/digits.txt", &header, "").await;
        assert_eq!(answer.status, status, "{header}");
        if status == 304 {
            assert_eq!(answer.header("etag"), etag);
            assert!(answer.body.is_empty());
        }
    }
}

#[tokio::test]
async fn odd_targets_are_refused_without_harm() {
    let server = with_digits().await;
    assert_eq!(server.get("/nothing").await.status, 404);
    assert_eq!(server.get("/digits.txt/below").await.status, 404);
    for bad in ["/%zz", "/%ff", "/a%2fb", "/..", "/%2e%2e/x", "/a%00"] {
        assert_eq!(server.get(bad).await.status, 400, "{bad}");
    }
    assert_eq!(server.get("/").await.expect(200).header("content-length"), "0");
    assert_eq!(server.send("BREW", "/", "", "").await.status, 501);
    server.assert_other_space_untouched().await;
}
