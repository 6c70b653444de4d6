//! LOCK, refresh, UNLOCK, and what locks keep others from.

use crate::support::{Answer, PREFIX, Server};

const EXCLUSIVE: &str = "<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope>\
    <D:locktype><D:write/></D:locktype><D:owner><D:href>mailto:a@example.org</D:href></D:owner></D:lockinfo>";

fn shared() -> String {
    EXCLUSIVE.replace("exclusive", "shared")
}

fn token(answer: &Answer) -> String {
    answer.header("lock-token").trim_matches(['<', '>']).to_owned()
}

#[tokio::test]
async fn a_lock_keeps_those_without_its_token_out() {
    let server = Server::start().await;
    server.put("/a", "one").await.expect(201);
    let locked = server.send("LOCK", "/a", "Timeout: Second-100\nDepth: 0", EXCLUSIVE).await.expect(200);
    locked.assert_contains("<d:timeout>Second-100</d:timeout>");
    locked.assert_contains("mailto:a@example.org");
    locked.assert_contains(&format!("<d:lockroot><d:href>{PREFIX}/a</d:href></d:lockroot>"));
    let token = token(&locked);
    locked.assert_contains(&format!("<d:locktoken><d:href>{token}</d:href></d:locktoken>"));

    let refused = server.put("/a", "two").await.expect(423);
    refused.assert_contains(&format!("<d:lock-token-submitted><d:href>{PREFIX}/a</d:href></d:lock-token-submitted>"));
    server.send("DELETE", "/a", "", "").await.expect(423);
    server.send("MOVE", "/a", &format!("Destination: {PREFIX}/b"), "").await.expect(423);
    server.send("LOCK", "/a", "", EXCLUSIVE).await.expect(423).assert_contains("<d:no-conflicting-lock>");
    server.send("LOCK", "/a", "", shared()).await.expect(423);
    server.send("PUT", "/a", "If: (<urn:uuid:other>)", "two").await.expect(412);
    assert_eq!(server.get("/a").await.text(), "one");

    server.send("PUT", "/a", &format!("If: (<{token}>)"), "two").await.expect(204);
    server.send("PUT", "/a", &format!("If: <{PREFIX}/a> (<{token}>)"), "three").await.expect(204);
    server.send("UNLOCK", "/a", "Lock-Token: <urn:uuid:other>", "").await.expect(409);
    server.send("UNLOCK", "/a", "", "").await.expect(400);
    server.send("UNLOCK", "/a", &format!("Lock-Token: <{token}>"), "").await.expect(204);
    server.put("/a", "four").await.expect(204);
    server.assert_other_space_untouched().await;
}

#[tokio::test]
async fn a_lock_ends_by_itself_unless_refreshed() {
    let server = Server::start().await;
    server.put("/a", "one").await.expect(201);
    let token = token(&server.send("LOCK", "/a", "Timeout: Second-100", EXCLUSIVE).await.expect(200));
    server.clock.advance_seconds(60);
    let refreshed = server.send("LOCK", "/a", &format!("Timeout: Second-200\nIf: (<{token}>)"), "").await.expect(200);
    refreshed.assert_contains("<d:timeout>Second-200</d:timeout>");
    assert!(!refreshed.headers.contains_key("lock-token"));
    server.clock.advance_seconds(199);
    server.put("/a", "two").await.expect(423);
    server.clock.advance_seconds(2);
    server.put("/a", "two").await.expect(204);
    server.send("LOCK", "/a", &format!("If: (<{token}>)"), "").await.expect(412);
    server.send("LOCK", "/a", "", "").await.expect(400);
}

#[tokio::test]
async fn a_deep_lock_covers_what_is_below() {
    let server = Server::start().await;
    server.mkcol("/d").await.expect(201);
    server.put("/d/a", "one").await.expect(201);
    let token = token(&server.send("LOCK", "/d", "Depth: infinity", EXCLUSIVE).await.expect(200));
    server.put("/d/a", "two").await.expect(423);
    server.put("/d/new", "two").await.expect(423);
    let found = server.propfind("/d/a", "0", "<propfind xmlns='DAV:'><prop><lockdiscovery/></prop></propfind>").await;
    found.assert_contains(&format!("<d:lockroot><d:href>{PREFIX}/d/</d:href></d:lockroot>"));
    server.send("LOCK", "/d/a", "", EXCLUSIVE).await.expect(423);
    server.send("PUT", "/d/a", &format!("If: <{PREFIX}/d/> (<{token}>)"), "two").await.expect(204);
    server.send("UNLOCK", "/d/a", &format!("Lock-Token: <{token}>"), "").await.expect(204);
    server.put("/d/new", "two").await.expect(201);
}

#[tokio::test]
async fn shared_locks_stand_side_by_side() {
    let server = Server::start().await;
    server.put("/a", "one").await.expect(201);
    let first = token(&server.send("LOCK", "/a", "", shared()).await.expect(200));
    let second = token(&server.send("LOCK", "/a", "", shared()).await.expect(200));
    assert_ne!(first, second);
    server.send("LOCK", "/a", "", EXCLUSIVE).await.expect(423);
    server.put("/a", "two").await.expect(423);
    server.send("PUT", "/a", &format!("If: (<{second}>)"), "two").await.expect(204);
}

#[tokio::test]
async fn locking_an_unmapped_url_makes_an_empty_file() {
    let server = Server::start().await;
    let locked = server.send("LOCK", "/new", "", EXCLUSIVE).await.expect(201);
    assert_eq!(server.get("/new").await.expect(200).header("content-length"), "0");
    server.put("/new", "x").await.expect(423);
    server.send("PUT", "/new", &format!("If: (<{}>)", token(&locked)), "x").await.expect(204);
    server.send("LOCK", "/none/new", "", EXCLUSIVE).await.expect(409);
}

#[tokio::test]
async fn malformed_lock_requests_are_refused() {
    let server = Server::start().await;
    server.put("/a", "one").await.expect(201);
    for body in ["<x/>", "<D:lockinfo xmlns:D='DAV:'/>", &EXCLUSIVE.replace("D:write", "D:read")] {
        server.send("LOCK", "/a", "", body.to_owned()).await.expect(400);
    }
    server.send("LOCK", "/a", "Depth: 1", EXCLUSIVE).await.expect(400);
    server.send("PUT", "/a", "If: (<", "two").await.expect(400);
    server.put("/a", "two").await.expect(204);
}
