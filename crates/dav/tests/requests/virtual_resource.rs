//! The fixed collections above the trees.

use http::Method;
use nichoir_dav::Request;
use nichoir_dav::request::{empty, full};
use nichoir_dav::virtual_resource::VirtualResource;

use crate::support::{Answer, Server};

async fn ask(server: &Server, method: &str, depth: &str, body: &'static str) -> Answer {
    let principal = "/dav/principals/users/alice/";
    let resources = [
        VirtualResource::collection("/dav/principals/users/", "users")
            .with_principal(principal, "/dav/principals/users/"),
        VirtualResource::principal(principal, "Alice").with_principal(principal, "/dav/principals/users/"),
    ];
    let mut request = Request::new(if body.is_empty() { empty() } else { full(body) });
    *request.method_mut() = Method::from_bytes(method.as_bytes()).expect("a method");
    request.headers_mut().insert("depth", depth.parse().expect("a header value"));
    Answer::read(server.dav.answer_virtual(&server.alice, &server.mount, &resources, request).await).await
}

#[tokio::test]
async fn a_client_finds_its_principal() {
    let server = Server::start().await;
    let body =
        "<propfind xmlns='DAV:'><prop><current-user-principal/><resourcetype/><principal-URL/><x/></prop></propfind>";
    let own = ask(&server, "PROPFIND", "0", body).await.expect(207);
    own.assert_contains("<d:current-user-principal><d:href>/dav/principals/users/alice/</d:href>");
    own.assert_contains("<d:prop><d:principal-URL/><d:x/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status>");
    let members = ask(&server, "PROPFIND", "1", body).await.expect(207);
    members.assert_contains("<d:resourcetype><d:collection/><d:principal/></d:resourcetype>");
    members.assert_contains("<d:principal-URL><d:href>/dav/principals/users/alice/</d:href></d:principal-URL>");
    let all = ask(&server, "PROPFIND", "0", "").await.expect(207);
    all.assert_contains("<d:displayname>users</d:displayname>");
    all.assert_lacks("current-user-principal");
}

#[tokio::test]
async fn nothing_can_be_changed_there() {
    let server = Server::start().await;
    assert!(ask(&server, "OPTIONS", "0", "").await.expect(200).header("dav").starts_with("1, 2, 3"));
    for method in ["PUT", "DELETE", "PROPPATCH", "MOVE"] {
        ask(&server, method, "0", "").await.expect(403);
    }
    ask(&server, "MKCOL", "0", "").await.expect(405);
    ask(&server, "GET", "0", "").await.expect(405);
    ask(&server, "BREW", "0", "").await.expect(501);
}

#[tokio::test]
async fn a_search_without_conditions_finds_everybody() {
    let server = Server::start().await;
    let body = "<principal-property-search xmlns='DAV:' test='anyof'><prop><displayname/></prop>\
                </principal-property-search>";
    let found = ask(&server, "REPORT", "0", body).await.expect(207);
    found.assert_contains("<d:displayname>Alice</d:displayname>");
}

#[tokio::test]
async fn python_caldav_asks_for_properties_beside_an_empty_prop() {
    let server = Server::start().await;
    let body = "<principal-property-search xmlns='DAV:'><property-search><prop><displayname/></prop>\
                <match>alice</match></property-search><prop/><displayname/></principal-property-search>";
    let found = ask(&server, "REPORT", "0", body).await.expect(207);
    found.assert_contains("<d:displayname>Alice</d:displayname>");
}
