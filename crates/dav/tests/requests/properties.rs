//! Properties: reading, writing, the forms of PROPFIND.

use crate::support::Server;

async fn with_file() -> Server {
    let server = Server::start().await;
    server.put("/a.txt", "hello").await.expect(201);
    server.mkcol("/d").await.expect(201);
    server
}

fn prop(names: &str) -> String {
    format!("<D:propfind xmlns:D='DAV:' xmlns:x='urn:x'><D:prop>{names}</D:prop></D:propfind>")
}

fn update(instructions: &str) -> String {
    format!("<D:propertyupdate xmlns:D='DAV:' xmlns:x='urn:x'>{instructions}</D:propertyupdate>")
}

fn set(properties: &str) -> String {
    update(&format!("<D:set><D:prop>{properties}</D:prop></D:set>"))
}

#[tokio::test]
async fn live_properties_of_a_file() {
    let server = with_file().await;
    let etag = server.get("/a.txt").await.header("etag").replace('"', "&quot;");
    let names = "<D:getcontentlength/><D:getcontenttype/><D:getetag/><D:getlastmodified/><D:resourcetype/>\
                 <D:displayname/><D:creationdate/><D:quota-used-bytes/><x:none/>";
    let answer = server.propfind("/a.txt", "0", &prop(names)).await.expect(207);
    answer.assert_contains("<d:propstat><d:prop><d:getcontentlength>5</d:getcontentlength>");
    answer.assert_contains("<d:getcontenttype>text/plain</d:getcontenttype>");
    let quoted = answer.text().contains(&format!("<d:getetag>{etag}</d:getetag>"));
    assert!(quoted || answer.text().contains(&format!("<d:getetag>{}</d:getetag>", etag.replace("&quot;", "\""))));
    answer.assert_contains("<d:getlastmodified>Sun, 15 Jun 2025 15:06:40 GMT</d:getlastmodified>");
    answer.assert_contains("<d:resourcetype/><d:displayname>a.txt</d:displayname>");
    answer.assert_contains("<d:creationdate>2025-06-15T15:06:40Z</d:creationdate>");
    answer.assert_contains("</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>");
    let absent = answer.text().split("HTTP/1.1 200 OK").nth(1).expect("a second propstat").to_owned();
    assert!(absent.contains("<d:quota-used-bytes/>") && absent.contains("HTTP/1.1 404 Not Found"), "{absent}");
}

#[tokio::test]
async fn live_properties_of_a_collection() {
    let server = with_file().await;
    let names = "<D:resourcetype/><D:quota-used-bytes/><D:quota-available-bytes/><D:supportedlock/><D:lockdiscovery/>\
                 <D:current-user-principal/><D:owner/><D:current-user-privilege-set/><D:supported-report-set/>\
                 <D:sync-token/><D:getcontentlength/>";
    let answer = server.propfind("/d", "0", &prop(names)).await.expect(207);
    answer
        .assert_contains("<d:resourcetype><d:collection/></d:resourcetype><d:quota-used-bytes>5</d:quota-used-bytes>");
    answer.assert_contains("<d:quota-available-bytes>9999995</d:quota-available-bytes>");
    answer.assert_contains("<d:lockscope><d:shared/></d:lockscope><d:locktype><d:write/></d:locktype>");
    answer.assert_contains("<d:lockdiscovery/>");
    answer.assert_contains(
        "<d:current-user-principal><d:href>/dav/principals/users/alice/</d:href></d:current-user-principal>",
    );
    answer.assert_contains("<d:privilege><d:write/></d:privilege>");
    answer.assert_contains("<d:supported-report><d:report><d:sync-collection/></d:report></d:supported-report>");
    answer.assert_contains("<d:sync-token>urn:nichoir:sync:");
    answer.assert_contains("<d:prop><d:getcontentlength/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status>");
}

#[tokio::test]
async fn the_forms_of_propfind() {
    let server = with_file().await;
    server.send("PROPPATCH", "/a.txt", "", set("<x:p>v</x:p>")).await.expect(207);
    for body in ["", "<propfind xmlns='DAV:'><allprop/></propfind>"] {
        let all = server.propfind("/a.txt", "0", body).await.expect(207);
        all.assert_contains("<d:getcontentlength>5</d:getcontentlength>");
        all.assert_contains(">v</");
        all.assert_lacks("404");
        all.assert_lacks("quota");
    }
    let body = "<propfind xmlns='DAV:'><allprop/><include><owner/><none/></include></propfind>";
    let included = server.propfind("/a.txt", "0", body).await.expect(207);
    included.assert_contains("<d:owner><d:href>");
    included.assert_contains("<d:prop><d:none/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status>");

    let names = server.propfind("/a.txt", "0", "<propfind xmlns='DAV:'><propname/></propfind>").await.expect(207);
    names.assert_contains("<d:getetag/>");
    names.assert_contains("urn:x");
    names.assert_lacks(">v<");

    for bad in [
        "<propfind xmlns='DAV:'>",
        "<foo/>",
        "<propfind xmlns='DAV:'/>",
        "<propfind xmlns='DAV:'><prop/><allprop/></propfind>",
    ] {
        server.propfind("/a.txt", "0", bad).await.expect(400);
    }
}

#[tokio::test]
async fn minimal_answers_leave_out_what_is_not_there() {
    let server = with_file().await;
    for header in ["Prefer: return=minimal", "Brief: t"] {
        let headers = format!("Depth: 0\n{header}");
        let some = server.send("PROPFIND", "/a.txt", &headers, prop("<D:getetag/><x:none/>")).await.expect(207);
        some.assert_lacks("404");
        let none = server.send("PROPFIND", "/a.txt", &headers, prop("<x:none/>")).await.expect(207);
        none.assert_contains("<d:propstat><d:prop/><d:status>HTTP/1.1 200 OK</d:status></d:propstat>");
        server.send("PROPPATCH", "/a.txt", header, set("<x:p>v</x:p>")).await.expect(200);
    }
}

#[tokio::test]
async fn dead_properties_of_any_xml_come_back() {
    let server = with_file().await;
    let value = "<x:p xml:lang='fr' x:k='1'>un <x:b>deux</x:b> &amp; trois</x:p>";
    server.send("PROPPATCH", "/a.txt", "", set(value)).await.expect(207).assert_contains("HTTP/1.1 200 OK");
    let read = server.propfind("/a.txt", "0", &prop("<x:p/>")).await.expect(207);
    read.assert_contains("xml:lang=\"fr\"");
    read.assert_contains(">un <");
    read.assert_contains("&amp; trois");
    server.send("MOVE", "/a.txt", "Destination: /dav/files/alice/d/b.txt", "").await.expect(201);
    server.propfind("/d/b.txt", "0", &prop("<x:p/>")).await.expect(207).assert_contains("&amp; trois");
    let remove = update("<D:remove><D:prop><x:p/><x:never/></D:prop></D:remove>");
    server.send("PROPPATCH", "/d/b.txt", "", remove).await.expect(207).assert_lacks("404");
    server.propfind("/d/b.txt", "0", &prop("<x:p/>")).await.expect(207).assert_contains("HTTP/1.1 404");
}

#[tokio::test]
async fn proppatch_is_all_or_nothing() {
    let server = with_file().await;
    let body = set("<x:p>v</x:p><D:getetag>x</D:getetag>");
    let answer = server.send("PROPPATCH", "/a.txt", "", body).await.expect(207);
    answer.assert_contains("<d:prop><d:getetag/></d:prop><d:status>HTTP/1.1 403 Forbidden</d:status>");
    answer.assert_contains("<d:error><d:cannot-modify-protected-property/></d:error>");
    answer.assert_contains("HTTP/1.1 424 Failed Dependency");
    server.propfind("/a.txt", "0", &prop("<x:p/>")).await.expect(207).assert_contains("HTTP/1.1 404");

    server.send("PROPPATCH", "/none", "", set("<D:getetag>x</D:getetag>")).await.expect(404);
    server.send("PROPPATCH", "/none", "", set("<x:p>v</x:p>")).await.expect(404);
    server.send("PROPPATCH", "/a.txt", "If-Match: \"1\"", set("<x:p>v</x:p>")).await.expect(412);
    server.send("PROPPATCH", "/a.txt", "", update("")).await.expect(400);
    server.send("PROPPATCH", "/a.txt", "", "").await.expect(400);
    server.assert_other_space_untouched().await;
}

#[tokio::test]
async fn instructions_are_carried_out_in_document_order() {
    let server = with_file().await;
    let set_then_remove =
        update("<D:set><D:prop><x:p>1</x:p></D:prop></D:set><D:remove><D:prop><x:p/></D:prop></D:remove>");
    server.send("PROPPATCH", "/a.txt", "", set_then_remove).await.expect(207);
    server.propfind("/a.txt", "0", &prop("<x:p/>")).await.assert_contains("HTTP/1.1 404");
    let remove_then_set =
        update("<D:remove><D:prop><x:p/></D:prop></D:remove><D:set><D:prop><x:p>2</x:p></D:prop></D:set>");
    server.send("PROPPATCH", "/a.txt", "", remove_then_set).await.expect(207);
    server.propfind("/a.txt", "0", &prop("<x:p/>")).await.assert_contains(">2</");
}

#[tokio::test]
async fn expand_property_follows_the_principal() {
    let server = with_file().await;
    let body = "<D:expand-property xmlns:D='DAV:'><D:property name='getcontentlength'/>\
                <D:property name='p' namespace='urn:x'/><D:property name='owner'><D:property name='displayname'/>\
                <D:property name='getetag'/></D:property></D:expand-property>";
    let answer = server.send("REPORT", "/a.txt", "", body).await.expect(207);
    // Values stand for themselves: each declares the namespaces that it uses.
    let told = answer.text().replace(" xmlns:d=\"DAV:\"", "");
    let contains = |expected: &str| assert!(told.contains(expected), "{expected} is not in {told}");
    contains("<d:getcontentlength>5</d:getcontentlength>");
    contains(
        "<d:owner><d:response><d:href>/dav/principals/users/alice/</d:href><d:propstat><d:prop>\
         <d:displayname>Alice</d:displayname></d:prop>",
    );
    contains("<d:prop><d:getetag/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status>");
    server.send("REPORT", "/a.txt", "", body.replace("name='owner'", "")).await.expect(400);
    server.send("REPORT", "/none", "", body).await.expect(404);
}
