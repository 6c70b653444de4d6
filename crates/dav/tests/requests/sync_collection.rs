//! sync-collection (RFC 6578).

use nichoir_dav::Limits;

use crate::support::{Answer, PREFIX, Server};

fn body(token: &str, level: &str, more: &str) -> String {
    format!(
        "<D:sync-collection xmlns:D='DAV:'><D:sync-token>{token}</D:sync-token><D:sync-level>{level}</D:sync-level>\
         {more}<D:prop><D:getetag/></D:prop></D:sync-collection>"
    )
}

async fn sync(server: &Server, path: &str, token: &str, level: &str, more: &str) -> Answer {
    server.send("REPORT", path, "", body(token, level, more)).await
}

fn token(answer: &Answer) -> String {
    answer.all("d:sync-token").pop().expect("a sync token")
}

fn hrefs(answer: &Answer) -> Vec<String> {
    let mut hrefs = answer.all("d:href");
    hrefs.sort();
    hrefs.iter().map(|href| href.trim_start_matches(PREFIX).to_owned()).collect()
}

#[tokio::test]
async fn a_client_hears_of_each_change_once() {
    let server = Server::start().await;
    server.mkcol("/d").await.expect(201);
    server.put("/a", "x").await.expect(201);
    let first = sync(&server, "/", "", "1", "").await.expect(207);
    assert_eq!(hrefs(&first), ["/a", "/d/"]);
    let nothing = sync(&server, "/", &token(&first), "1", "").await.expect(207);
    assert!(hrefs(&nothing).is_empty());

    server.put("/a", "y").await.expect(204);
    server.put("/b", "y").await.expect(201);
    let second = sync(&server, "/", &token(&nothing), "1", "").await.expect(207);
    assert_eq!(hrefs(&second), ["/a", "/b"]);

    server.send("DELETE", "/a", "", "").await.expect(204);
    let third = sync(&server, "/", &token(&second), "1", "").await.expect(207);
    assert_eq!(hrefs(&third), ["/a"]);
    third.assert_contains("<d:status>HTTP/1.1 404 Not Found</d:status>");
    server.assert_other_space_untouched().await;
}

#[tokio::test]
async fn the_infinite_level_reaches_below() {
    let server = Server::start().await;
    server.mkcol("/d").await.expect(201);
    server.put("/d/deep", "x").await.expect(201);
    let first = sync(&server, "/", "", "infinite", "").await.expect(207);
    assert_eq!(hrefs(&first), ["/d/", "/d/deep"]);
    server.put("/d/deep", "y").await.expect(204);
    let second = sync(&server, "/", &token(&first), "infinite", "").await.expect(207);
    assert!(hrefs(&second).contains(&"/d/deep".to_owned()), "{:?}", hrefs(&second));
    sync(&server, "/", "", "infinite", "<D:limit><D:nresults>1</D:nresults></D:limit>")
        .await
        .expect(507)
        .assert_contains("<d:number-of-matches-within-limits/>");
}

#[tokio::test]
async fn a_cut_answer_says_so_and_goes_on_until_all_is_told() {
    let server = Server::start_with(Vec::new(), Limits { sync_results_max: 3, ..Limits::default() }).await;
    for name in ["a", "b", "c", "d", "e"] {
        server.put(&format!("/{name}"), "x").await.expect(201);
    }
    let limit = "<D:limit><D:nresults>2</D:nresults></D:limit>";
    let mut heard = Vec::new();
    let mut from = String::new();
    for round in 0.. {
        let answer = sync(&server, "/", &from, "1", limit).await.expect(207);
        from = token(&answer);
        let is_cut = answer.text().contains("HTTP/1.1 507 Insufficient Storage");
        heard.extend(hrefs(&answer).into_iter().filter(|href| href != "/"));
        if round == 0 {
            // Made between two pages: told later, not lost.
            server.put("/late", "x").await.expect(201);
        }
        if !is_cut && round > 2 {
            break;
        }
        assert!(round < 10, "it never ends");
    }
    heard.sort();
    heard.dedup();
    assert_eq!(heard, ["/a", "/b", "/c", "/d", "/e", "/late"]);

    // What changed since is cut by the server's own limit too.
    for name in ["a", "b", "c", "d", "e"] {
        server.put(&format!("/{name}"), "y").await.expect(204);
    }
    let cut = sync(&server, "/", &from, "1", "").await.expect(207);
    cut.assert_contains("<d:number-of-matches-within-limits/>");
    let rest = sync(&server, "/", &token(&cut), "1", "").await.expect(207);
    rest.assert_lacks("507");
    assert_eq!(hrefs(&rest), ["/d", "/e"]);
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_refused_loudly() {
    let server = Server::start().await;
    server.put("/a", "x").await.expect(201);
    for foreign in ["urn:nichoir:sync:999999", "http://sabre.io/ns/sync/1", "1", "urn:nichoir:sync:-1"] {
        let refused = sync(&server, "/", foreign, "1", "").await.expect(403);
        refused.assert_contains("<d:valid-sync-token/>");
    }
    sync(&server, "/a", "", "1", "").await.expect(403);
    sync(&server, "/", "", "2", "").await.expect(400);
    sync(&server, "/none", "", "1", "").await.expect(404);
    // RFC 6578 wants Depth 0, Thunderbird sends 1: the level is what counts.
    server.send("REPORT", "/", "Depth: 1", body("", "1", "")).await.expect(207);
    server.send("REPORT", "/", "", "<x/>").await.expect(403).assert_contains("<d:supported-report/>");
    server.send("REPORT", "/", "", "").await.expect(400);
}
