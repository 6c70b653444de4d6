//! The gaps that an extension fills, with an extension that fills all of them.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use nichoir_dav::request::full;
use nichoir_dav::{
    Answered, Answering, Body, Call, Error, Extension, Hint, Limits, Property, PutOptions, Report, Response, Value,
};
use nichoir_store::{Node, Timestamp};
use nichoir_xml::{Name, Writer, dav};

use crate::support::Server;

const SHOUT: Name = Name::new("urn:dialect", "shout");
const NOTE: Name = Name::new("urn:dialect", "note");

#[derive(Debug)]
struct Dialect;

static PROPERTIES: &[Property] =
    &[Property::live(SHOUT).read(|it| Some(Value::text(it.node.name.to_uppercase()))).write(|value, patch| {
        let seconds = value.and_then(|element| element.text().parse().ok());
        patch.modified = Some(Timestamp::from_seconds(seconds.ok_or_else(|| Error::bad_request("not a number"))?));
        Ok(())
    })];

static REPORTS: &[Report] =
    &[Report { name: NOTE, answer: |call| Box::pin(async move { Ok(Response::new(full(call.path.to_string()))) }) }];

impl Extension for Dialect {
    fn features(&self) -> &'static [&'static str] {
        &["dialect"]
    }

    fn methods(&self) -> &'static [&'static str] {
        &["BREW"]
    }

    fn properties(&self) -> &'static [Property] {
        PROPERTIES
    }

    fn reports(&self) -> &'static [Report] {
        REPORTS
    }

    fn reserves_property(&self, name: &Name) -> bool {
        name.is_in("urn:dialect")
    }

    fn lists_in_allprop(&self, name: &Name) -> Option<bool> {
        (*name == dav::CREATIONDATE).then_some(false)
    }

    fn check_name(&self, name: &str) -> Result<(), Error> {
        if name.contains('\\') { Err(Error::bad_name("No backslash, please.")) } else { Ok(()) }
    }

    fn prepare_put(&self, headers: &HeaderMap, put: &mut PutOptions) -> Result<(), Error> {
        put.makes_parents = headers.contains_key("x-parents");
        let total = headers.get("x-total").and_then(|value| value.to_str().ok());
        put.total_bytes = total.and_then(|total| total.parse().ok());
        Ok(())
    }

    fn is_lenient_about_if(&self, headers: &HeaderMap) -> bool {
        headers.contains_key("x-sloppy")
    }

    fn served_media_type(&self, media_type: &str) -> Option<&'static str> {
        (media_type == "text/html").then_some("text/plain")
    }

    fn decorate(&self, answered: &Answered<'_>, headers: &mut HeaderMap) {
        headers.insert("x-node", HeaderValue::from(answered.node.id.0));
    }

    fn render_error(&self, error: &Error, writer: &mut Writer) {
        let word = if error.hint() == Hint::BadName { "name" } else { error.message() };
        writer.text_element(&NOTE, word);
    }

    fn get_collection(&self, call: &Call<'_>, folder: &Node) -> Option<Answering> {
        let text = format!("{} of {}", folder.id, call.path);
        Some(Box::pin(async move { Ok(Response::new(full(text))) }))
    }

    fn method(&self, call: &Call<'_>, body: Body) -> Result<Answering, Body> {
        if call.parts.method != "BREW" {
            return Err(body);
        }
        Ok(Box::pin(async move { Ok(Response::new(body)) }))
    }
}

async fn start() -> Server {
    Server::start_with(vec![Arc::new(Dialect)], Limits::default()).await
}

#[tokio::test]
async fn headers_names_and_methods() {
    let server = start().await;
    let options = server.send("OPTIONS", "/", "", "").await.expect(200);
    assert!(options.header("dav").ends_with(", dialect") && options.header("allow").ends_with(", BREW"));
    server.put("/a%5Cb", "x").await.expect(400).assert_contains(">name</");
    server.mkcol("/a%5Cb").await.expect(400);
    let put = server.put("/a.html", "x").await.expect(201);
    let id = put.header("x-node").to_owned();
    let moved = server.send("MOVE", "/a.html", "Destination: /dav/files/alice/b.html", "").await.expect(201);
    assert_eq!(moved.header("x-node"), id);
    server.send("MOVE", "/b.html", "Destination: /dav/files/alice/b%5C", "").await.expect(400);
    let got = server.get("/b.html").await.expect(200);
    assert_eq!(got.header("content-type"), "text/plain;charset=UTF-8");
    assert_eq!(got.header("x-content-type-options"), "nosniff");
    assert!(server.get("/").await.expect(200).text().ends_with(" of /"));
    assert_eq!(server.send("BREW", "/", "", "tea").await.expect(200).text(), "tea");
    server.send("STEEP", "/", "", "tea").await.expect(501);
    server.assert_other_space_untouched().await;
}

#[tokio::test]
async fn put_options_are_taken_up() {
    let server = start().await;
    server.send("PUT", "/a/b/c.txt", "X-Parents: 1", "x").await.expect(201);
    assert_eq!(server.get("/a/b/c.txt").await.text(), "x");
    server.send("PUT", "/d.txt", "X-Total: 10000001", "x").await.expect(507);
    server.get("/d.txt").await.expect(404);
}

#[tokio::test]
async fn a_sloppy_client_is_told_apart() {
    let server = start().await;
    let first = server.put("/a", "one").await.expect(201);
    let header = format!("If: </nowhere at all> ([{}])", first.header("etag"));
    server.send("PUT", "/a", &header, "two").await.expect(412);
    server.send("PUT", "/a", &format!("X-Sloppy: 1\n{header}"), "two").await.expect(204);
}

#[tokio::test]
async fn properties_and_reports_join_the_tables() {
    let server = start().await;
    server.put("/a", "one").await.expect(201);
    let body = "<propfind xmlns='DAV:'><prop><shout xmlns='urn:dialect'/><getlastmodified/></prop></propfind>";
    server.propfind("/a", "0", body).await.expect(207).assert_contains(">A</");
    server.propfind("/a", "0", "").await.expect(207).assert_lacks("creationdate");
    let patch =
        |property: &str| format!("<propertyupdate xmlns='DAV:'><set><prop>{property}</prop></set></propertyupdate>");
    let answer = server.send("PROPPATCH", "/a", "", patch("<shout xmlns='urn:dialect'>86400</shout>")).await;
    answer.expect(207).assert_contains("HTTP/1.1 200 OK");
    server.propfind("/a", "0", body).await.assert_contains("Fri, 02 Jan 1970 00:00:00 GMT");
    let answer = server.send("PROPPATCH", "/a", "", patch("<shout xmlns='urn:dialect'>x</shout>")).await;
    answer.expect(207).assert_contains("HTTP/1.1 400 Bad Request");
    let answer = server.send("PROPPATCH", "/a", "", patch("<other xmlns='urn:dialect'>x</other>")).await;
    answer.expect(207).assert_contains("HTTP/1.1 403 Forbidden");
    assert_eq!(server.send("REPORT", "/a", "", "<note xmlns='urn:dialect'/>").await.expect(200).text(), "/a");
}
