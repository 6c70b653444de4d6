//! Reports on members, with a protocol whose members are numbers: those below a floor are not told of, some are broken,
//! and a collection named `closed` is of no interest.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use nichoir_dav::{
    CheckedMember, Error, Extension, Judge, Limits, MemberReport, Property, Report, ReportCall, Response, Value,
    Verdict,
};
use nichoir_store::{Area, CARD, CollectionKind, MemberFilter, MemberIndex, Needs, Node};
use nichoir_xml::{Element, Name};

use crate::support::{Answer, Server};

const NUMBER: Name = Name::new("urn:numbers", "number");
const FLOOR: Name = Name::new("urn:numbers", "floor");
const LIMIT: Name = Name::new("urn:numbers", "limit");

#[derive(Debug)]
struct Numbers;

static PROPERTIES: &[Property] = &[Property::live(NUMBER)
    .needs(Needs::BODY)
    .read(|it| it.rendered.or_else(|| std::str::from_utf8(it.node.body.as_deref()?).ok()).map(Value::text))];

static REPORTS: &[Report] = &[
    Report { name: Name::new("urn:numbers", "query"), answer: |call| Box::pin(query(call)) },
    Report { name: Name::new("urn:numbers", "multiget"), answer: |call| Box::pin(multiget(call)) },
];

/// Tells of numbers from the floor on, doubled when a member says so.
struct FromFloor(u32);

impl FromFloor {
    fn of(call: &ReportCall) -> FromFloor {
        FromFloor(number_in(call, &FLOOR).unwrap_or(0))
    }
}

fn number_in(call: &ReportCall, name: &Name) -> Option<u32> {
    call.root.child(name)?.text().parse().ok()
}

impl Judge for FromFloor {
    fn enter(&mut self, collection: &Node) -> bool {
        collection.name != "closed"
    }

    fn judge(&mut self, member: &Node) -> Verdict {
        let body = member.body.as_ref().expect("members come with their content");
        match std::str::from_utf8(body).ok().and_then(|text| text.parse::<u32>().ok()) {
            None => Verdict::Fail(Error::internal("This is no number.")),
            Some(number) if number < self.0 => Verdict::Skip,
            Some(7) => Verdict::Tell(Some("seven".to_owned())),
            Some(_) => Verdict::Tell(None),
        }
    }
}

async fn query(call: ReportCall) -> Result<Response, Error> {
    let limit = number_in(&call, &LIMIT).map(|limit| limit as usize);
    let judge = FromFloor::of(&call);
    MemberReport::new(call, judge).await?.query(MemberFilter::default(), limit).await
}

async fn multiget(call: ReportCall) -> Result<Response, Error> {
    let judge = FromFloor::of(&call);
    MemberReport::new(call, judge).await?.multiget(5).await
}

impl Extension for Numbers {
    fn properties(&self) -> &'static [Property] {
        PROPERTIES
    }

    fn reports(&self) -> &'static [Report] {
        REPORTS
    }

    fn collection_kind(&self, _: &[&Name], _: &[&Element]) -> Result<Option<CollectionKind>, Error> {
        Ok(Some(CollectionKind::AddressBook))
    }

    fn member_bytes_max(&self) -> Option<usize> {
        Some(100)
    }

    fn check_member(&self, _: &HeaderMap, bytes: &Bytes) -> Result<CheckedMember, Error> {
        let index = MemberIndex {
            uid: String::from_utf8_lossy(bytes).into_owned(),
            component: CARD.to_owned(),
            first_seconds: i64::MIN,
            last_seconds: i64::MAX,
            visibility: nichoir_store::Visibility::Public,
        };
        Ok(CheckedMember { index, media_type: "text/plain".to_owned() })
    }
}

async fn start(limits: Limits) -> Server {
    let server = Server::start_in(Area::AddressBooks, vec![Arc::new(Numbers)], limits).await;
    for number in ["1", "2", "3", "4", "5", "6", "7"] {
        server.put(&format!("/contacts/{number}"), number).await.expect(201);
    }
    server
}

async fn make_collection(server: &Server, path: &str) {
    let body = "<mkcol xmlns='DAV:'><set><prop><resourcetype><collection/></resourcetype></prop></set></mkcol>";
    server.send("MKCOL", path, "", body).await.expect(201);
}

async fn ask(server: &Server, report: &str, path: &str, depth: &str, inside: &str) -> Answer {
    let body = format!(
        "<n:{report} xmlns:n='urn:numbers' xmlns='DAV:'><prop><n:number/><getetag/></prop>{inside}</n:{report}>"
    );
    let headers = if depth.is_empty() { String::new() } else { format!("Depth: {depth}") };
    server.send("REPORT", path, &headers, body).await
}

/// The last segments of the hrefs, in their order.
fn names(answer: &Answer) -> Vec<String> {
    answer
        .all("d:href")
        .iter()
        .map(|href| href.trim_start_matches("/dav/addressbooks/users/alice").to_owned())
        .collect()
}

#[tokio::test]
async fn a_query_of_a_collection_tells_what_the_protocol_wants_told_whatever_the_depth() {
    let server = start(Limits::default()).await;
    for depth in ["", "0", "1", "infinity"] {
        let answer = ask(&server, "query", "/contacts/", depth, "<n:floor>4</n:floor>").await.expect(207);
        assert_eq!(names(&answer), ["/contacts/4", "/contacts/5", "/contacts/6", "/contacts/7"], "{depth}");
        answer.assert_contains(">6</");
        answer.assert_contains(">seven</");
    }
    server.assert_other_space_untouched().await;
}

#[tokio::test]
async fn a_query_of_a_home_goes_into_its_collections_and_one_of_a_member_is_about_itself() {
    let server = start(Limits::default()).await;
    for path in ["/closed", "/more"] {
        make_collection(&server, path).await;
        server.put(&format!("{path}/9"), "9").await.expect(201);
    }
    for depth in ["1", "infinity"] {
        let answer = ask(&server, "query", "/", depth, "<n:floor>6</n:floor>").await.expect(207);
        assert_eq!(names(&answer), ["/contacts/6", "/contacts/7", "/more/9"]);
    }
    assert!(names(&ask(&server, "query", "/", "0", "").await.expect(207)).is_empty());
    assert!(names(&ask(&server, "query", "/closed", "1", "").await.expect(207)).is_empty());
    assert_eq!(names(&ask(&server, "query", "/contacts/7", "0", "").await.expect(207)), ["/contacts/7"]);
    let floor = "<n:floor>8</n:floor>";
    assert!(names(&ask(&server, "query", "/contacts/7", "0", floor).await.expect(207)).is_empty());
    ask(&server, "query", "/contacts/8", "0", "").await.expect(404);
    ask(&server, "query", "/nowhere", "1", "").await.expect(404);
}

#[tokio::test]
async fn a_limit_cuts_the_answer_and_says_so() {
    let server = start(Limits::default()).await;
    let answer = ask(&server, "query", "/contacts/", "1", "<n:limit>6</n:limit>").await.expect(207);
    assert_eq!(names(&answer).len(), 7);
    assert_eq!(names(&answer)[6], "/contacts/");
    answer.assert_contains("HTTP/1.1 507 Insufficient Storage");
    answer.assert_contains("<d:number-of-matches-within-limits/>");
    let exact = ask(&server, "query", "/contacts/", "1", "<n:limit>7</n:limit>").await.expect(207);
    assert_eq!(names(&exact).len(), 7);
    exact.assert_lacks("507");
    let others = ask(&server, "query", "/contacts/", "1", "<n:floor>7</n:floor><n:limit>1</n:limit>").await;
    others.expect(207).assert_lacks("507");
}

#[tokio::test]
async fn a_large_answer_is_streamed_and_the_same() {
    let whole = ask(&start(Limits::default()).await, "query", "/contacts/", "1", "").await.expect(207);
    assert!(whole.headers.contains_key("content-length"));
    let limits = Limits { whole_answer_bytes: 1, ..Limits::default() };
    let streamed = ask(&start(limits).await, "query", "/contacts/", "1", "").await.expect(207);
    assert!(!streamed.headers.contains_key("content-length"));
    assert_eq!(streamed.text(), whole.text());
}

#[tokio::test]
async fn a_multiget_answers_every_href_once_and_canonically() {
    let server = start(Limits::default()).await;
    let inside = "<href>/dav/addressbooks/users/alice/contacts/1</href><href>https://h.example/dav/addressbooks/users/alice/contacts/%31</href>\
                  <href>/dav/addressbooks/users/alice/contacts/8</href><href>7</href>";
    let answer = ask(&server, "multiget", "/contacts/", "", inside).await.expect(207);
    assert_eq!(names(&answer), ["/contacts/1", "/contacts/8", "/contacts/7"]);
    answer.assert_contains("HTTP/1.1 404 Not Found");
    answer.assert_contains(">seven</");
}

#[tokio::test]
async fn a_multiget_reaches_no_further_than_the_resource_it_was_asked_of() {
    let server = start(Limits::default()).await;
    make_collection(&server, "/more").await;
    server.put("/more/9", "9").await.expect(201);
    let inside = "<href>/dav/addressbooks/users/alice/more/9</href><href>/dav/addressbooks/users/bob/contacts/1</href><href>%zz</href>";
    let answer = ask(&server, "multiget", "/contacts/", "1", inside).await.expect(207);
    assert_eq!(names(&answer), ["/more/9", "/dav/addressbooks/users/bob/contacts/1", "%zz"]);
    assert_eq!(answer.text().matches("HTTP/1.1 404 Not Found").count(), 3);
    let inside = "<href>/dav/addressbooks/users/alice/more/9</href><href>/dav/addressbooks/users/alice/contacts/2</href>\
                  <href>/dav/addressbooks/users/alice/contacts/</href><href>/dav/addressbooks/users/alice/no/1</href>";
    let answer = ask(&server, "multiget", "/", "0", inside).await.expect(207);
    assert_eq!(names(&answer), ["/more/9", "/contacts/2", "/contacts/", "/no/1"]);
    assert_eq!(answer.text().matches("HTTP/1.1 200 OK").count(), 2);
    assert_eq!(answer.text().matches("HTTP/1.1 404 Not Found").count(), 2);
    let itself =
        ask(&server, "multiget", "/more/9", "0", "<href>/dav/addressbooks/users/alice/more/9</href>").await.expect(207);
    itself.assert_contains(">9</");
}

#[tokio::test]
async fn more_hrefs_than_the_limit_are_refused() {
    let server = start(Limits::default()).await;
    let hrefs = |count: u32| (0..count).map(|number| format!("<href>{number}</href>")).collect::<String>();
    let answer = ask(&server, "multiget", "/contacts/", "1", &hrefs(5)).await.expect(207);
    assert_eq!(names(&answer).len(), 5);
    let refused = ask(&server, "multiget", "/contacts/", "1", &hrefs(6)).await.expect(403);
    refused.assert_contains("<d:number-of-matches-within-limits/>");
}

#[tokio::test]
async fn a_broken_member_gets_a_status_and_the_report_goes_on() {
    let server = start(Limits::default()).await;
    server.put("/contacts/x", "x").await.expect(201);
    server.put("/contacts/10", "10").await.expect(201);
    let answer = ask(&server, "query", "/contacts/", "1", "<n:floor>7</n:floor>").await.expect(207);
    assert_eq!(names(&answer), ["/contacts/7", "/contacts/x", "/contacts/10"]);
    assert_eq!(answer.text().matches("HTTP/1.1 500 Internal Server Error").count(), 1);
    let answer = ask(&server, "multiget", "/contacts/", "1", "<href>x</href><href>1</href>").await.expect(207);
    assert_eq!(names(&answer), ["/contacts/x", "/contacts/1"]);
    assert_eq!(answer.text().matches("HTTP/1.1 500 Internal Server Error").count(), 1);
    assert_eq!(answer.text().matches("HTTP/1.1 200 OK").count(), 1);
}
