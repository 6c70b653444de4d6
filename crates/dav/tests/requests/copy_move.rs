//! COPY and MOVE.

use crate::support::{PREFIX, Server};

async fn with_tree() -> Server {
    let server = Server::start().await;
    server.mkcol("/d").await.expect(201);
    server.mkcol("/d/e").await.expect(201);
    server.put("/d/f", "in d").await.expect(201);
    server.put("/d/e/g", "in e").await.expect(201);
    server.put("/x", "x").await.expect(201);
    server
}

fn to(path: &str) -> String {
    format!("Destination: http://somewhere.example{PREFIX}{path}")
}

#[tokio::test]
async fn copy_leaves_the_source_and_move_does_not() {
    let server = with_tree().await;
    server.send("COPY", "/x", &to("/y%20z"), "").await.expect(201);
    server.send("COPY", "/d", &to("/copy/"), "").await.expect(201);
    assert_eq!(server.get("/copy/e/g").await.text(), "in e");
    let etag = server.get("/d/f").await.header("etag").to_owned();
    server.send("MOVE", "/d", &to("/moved"), "").await.expect(201);
    assert_eq!(server.get("/moved/f").await.header("etag"), etag, "a move keeps etags");
    assert_eq!(server.get("/d/f").await.status, 404);
    assert_eq!(server.listed("/").await, ["", "copy/", "moved/", "x", "y%20z"].map(|name| format!("{PREFIX}/{name}")));
    server.assert_other_space_untouched().await;
}

#[tokio::test]
async fn a_shallow_copy_has_no_members() {
    let server = with_tree().await;
    server.send("COPY", "/d", &format!("{}\nDepth: 0", to("/shallow")), "").await.expect(201);
    assert_eq!(server.listed("/shallow").await.len(), 1);
    server.send("COPY", "/d", &format!("{}\nDepth: 1", to("/other")), "").await.expect(400);
    server.send("MOVE", "/d", &format!("{}\nDepth: 0", to("/other")), "").await.expect(400);
}

#[tokio::test]
async fn overwriting_is_as_asked() {
    let server = with_tree().await;
    for method in ["COPY", "MOVE"] {
        server.send(method, "/x", &format!("{}\nOverwrite: F", to("/d/f")), "").await.expect(412);
        server.send(method, "/x", &format!("{}\nOverwrite: maybe", to("/d/f")), "").await.expect(400);
        assert_eq!(server.get("/d/f").await.text(), "in d");
    }
    server.send("COPY", "/x", &to("/d/f"), "").await.expect(204);
    assert_eq!(server.get("/d/f").await.text(), "x");
    server.send("MOVE", "/d/e/g", &to("/d/f"), "").await.expect(204);
    assert_eq!(server.get("/d/f").await.text(), "in e");
    server.send("MOVE", "/x", &to("/d/e"), "").await.expect(204);
    assert_eq!(server.get("/d/e").await.text(), "x", "a file in place of a collection");
}

#[tokio::test]
async fn impossible_destinations_change_nothing() {
    let server = with_tree().await;
    for (method, path, destination, status) in [
        ("COPY", "/x", to("/none/y"), 409),
        ("MOVE", "/x", to("/none/y"), 409),
        ("MOVE", "/x", to("/d/f/y"), 409),
        ("MOVE", "/x", to("/x"), 403),
        ("COPY", "/x", to("/x"), 403),
        ("MOVE", "/d", to("/d/e/inside"), 409),
        ("COPY", "/d", to("/d/inside"), 409),
        ("MOVE", "/d/f", to("/d"), 403),
        ("COPY", "/d/f", to("/d"), 403),
        ("MOVE", "/x", to("/"), 403),
        ("MOVE", "/", to("/y"), 403),
        ("MOVE", "/none", to("/y"), 404),
        ("MOVE", "/x", to("/%2e%2e"), 400),
        ("MOVE", "/x", "Destination: /elsewhere/y".to_owned(), 403),
        ("MOVE", "/x", "Destination: /dav/files/bob/y".to_owned(), 403),
        ("MOVE", "/x", String::new(), 400),
    ] {
        let answer = server.send(method, path, &destination, "").await;
        assert_eq!(answer.status, status, "{method} {path} {destination}: {}", answer.text());
    }
    assert_eq!(server.get("/x").await.text(), "x");
    assert_eq!(server.get("/d/e/g").await.text(), "in e");
    assert_eq!(server.listed("/").await.len(), 3);
}

#[tokio::test]
async fn a_rename_that_only_changes_case_works() {
    let server = with_tree().await;
    server.send("MOVE", "/x", &to("/X"), "").await.expect(201);
    assert_eq!(server.get("/X").await.text(), "x");
    assert_eq!(server.get("/x").await.status, 404);
}
