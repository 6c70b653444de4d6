//! addressbook-query. RFC 6352 §8.6.

use crate::support::Server;
use crate::{DATA, card, data, names, put, report, with_books};

/// Anna and Berta, who works, and a group of both.
async fn fill(server: &Server) {
    let anna = card("a", "Anna M\u{fc}ller", "EMAIL;TYPE=home:anna@home.example\nitem1.TEL:+33 1\nNICKNAME:Ann");
    let berta = card("b", "Berta", "EMAIL;TYPE=work:berta@work.example\nPHOTO;ENCODING=b:/9j/4A==");
    let group = card("c", "Choir", "X-ADDRESSBOOKSERVER-KIND:group\nX-ADDRESSBOOKSERVER-MEMBER:urn:uuid:a");
    for (path, card) in [("a.vcf", anna), ("b.vcf", berta), ("c.vcf", group)] {
        put(server, &format!("/contacts/{path}"), card).await.expect(201);
    }
}

fn filter(attributes: &str, inside: &str) -> String {
    format!("<card:filter {attributes}>{inside}</card:filter>")
}

fn text(property: &str, wanted: &str) -> String {
    format!("<card:prop-filter name='{property}'><card:text-match>{wanted}</card:text-match></card:prop-filter>")
}

#[tokio::test]
async fn cards_that_match_are_told_of() {
    with_books(async |server| {
        fill(server).await;
        let check = async |filter: String, expected: &[&str]| {
            let answer = report(server, "addressbook-query", "/contacts/", "", &filter).await.expect(207);
            assert_eq!(names(&answer), expected, "{filter}");
        };
        check(filter("", &text("FN", "m\u{dc}LLER")), &["a.vcf"]).await;
        check(filter("", &text("EMAIL", ".example")), &["a.vcf", "b.vcf"]).await;
        check(filter("", &text("item1.TEL", "+33")), &["a.vcf"]).await;
        check(filter("", &text("TEL", "+33")), &["a.vcf"]).await;
        let either = format!("{}{}", text("FN", "anna"), text("FN", "choir"));
        check(filter("", &either), &["a.vcf", "c.vcf"]).await;
        check(filter("test='allof'", &either), &[]).await;
        let no_mail = "<card:prop-filter name='EMAIL'><card:is-not-defined/></card:prop-filter>";
        check(filter("", no_mail), &["c.vcf"]).await;
        let at_work = "<card:prop-filter name='EMAIL'><card:param-filter name='TYPE'><card:text-match>WORK</card:text-match>\
                       </card:param-filter></card:prop-filter>";
        check(filter("", at_work), &["b.vcf"]).await;
        check(filter("", ""), &["a.vcf", "b.vcf", "c.vcf"]).await;
        check(String::new(), &["a.vcf", "b.vcf", "c.vcf"]).await;
    })
    .await;
}

#[tokio::test]
async fn any_depth_does_and_a_card_can_be_asked_itself() {
    with_books(async |server| {
        fill(server).await;
        let body = format!(
            "<c:addressbook-query xmlns='DAV:' xmlns:c='urn:ietf:params:xml:ns:carddav' \
             xmlns:card='urn:ietf:params:xml:ns:carddav'><prop><getetag/></prop>{}</c:addressbook-query>",
            filter("", &text("FN", "anna"))
        );
        let ask = async |path: &str, headers: &str| {
            names(&server.send("REPORT", path, headers, body.clone()).await.expect(207))
        };
        for headers in ["", "Depth: 0", "Depth: 1", "Depth: infinity"] {
            assert_eq!(ask("/contacts/", headers).await, ["a.vcf"]);
        }
        assert_eq!(ask("/", "Depth: infinity").await, ["a.vcf"]);
        assert_eq!(ask("/contacts/a.vcf", "Depth: 0").await, ["a.vcf"]);
        assert!(ask("/contacts/b.vcf", "Depth: 0").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_data_is_whole_or_the_part_that_was_asked_for() {
    with_books(async |server| {
        fill(server).await;
        let anna = filter("", &text("FN", "anna"));
        let whole = report(server, "addressbook-query", "/contacts/", DATA, &anna).await.expect(207);
        assert_eq!(data(&whole), [server.get("/contacts/a.vcf").await.text()]);
        whole.assert_contains("&#13;\n");
        let part = "<card:address-data><card:prop name='TEL'/><card:prop name='EMAIL' novalue='yes'/></card:address-data>";
        let partial = report(server, "addressbook-query", "/contacts/", part, &anna).await.expect(207);
        let expected = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Anna M\u{fc}ller\r\nEMAIL;TYPE=home:\r\nitem1.TEL:+33 1\r\n\
                        END:VCARD\r\n";
        assert_eq!(data(&partial), [expected]);
        let all = report(server, "addressbook-query", "/contacts/", part, "").await.expect(207);
        assert_eq!(data(&all).len(), 3);
        assert!(data(&all).iter().all(|card| !card.contains("PHOTO") && !card.contains("NICKNAME")));
    })
    .await;
}

#[tokio::test]
async fn a_limit_cuts_and_says_so() {
    with_books(async |server| {
        fill(server).await;
        let limit = |number: &str| format!("<card:limit><card:nresults>{number}</card:nresults></card:limit>");
        let cut = report(server, "addressbook-query", "/contacts/", "", &limit("2")).await.expect(207);
        assert_eq!(names(&cut), ["a.vcf", "b.vcf", ""]);
        cut.assert_contains("<d:href>/dav/addressbooks/users/alice/contacts/</d:href><d:status>HTTP/1.1 507");
        cut.assert_contains("<d:number-of-matches-within-limits/>");
        let exact = report(server, "addressbook-query", "/contacts/", "", &limit("3")).await.expect(207);
        assert_eq!(names(&exact).len(), 3);
        let filtered = format!("{}{}", filter("", &text("FN", "choir")), limit("1"));
        let found = report(server, "addressbook-query", "/contacts/", "", &filtered).await.expect(207);
        assert_eq!(names(&found), ["c.vcf"]);
        for number in ["0", "-1", "many"] {
            report(server, "addressbook-query", "/contacts/", "", &limit(number)).await.expect(400);
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_supported_is_named() {
    with_books(async |server| {
        fill(server).await;
        let check = async |data: &str, filter: String, condition: &str| {
            let answer = report(server, "addressbook-query", "/contacts/", data, &filter).await.expect(403);
            answer.assert_contains(&format!("<card:{condition} "));
        };
        let collated =
            "<card:prop-filter name='FN'><card:text-match collation='i;basic'>x</card:text-match></card:prop-filter>";
        check("", filter("", collated), "supported-collation").await;
        check("", filter("", "<card:comp-filter name='X'/>"), "supported-filter").await;
        check("", filter("test='none'", ""), "valid-filter").await;
        check("", filter("", &"<card:prop-filter name='X'/>".repeat(6)), "supported-filter").await;
        let four = "<card:address-data content-type='text/vcard' version='4.0'/>";
        check(four, String::new(), "supported-address-data").await;
        let three = "<card:address-data Content-Type='text/vcard' version='3.0'/>";
        report(server, "addressbook-query", "/contacts/", three, "").await.expect(207);
    })
    .await;
}

#[tokio::test]
async fn a_book_of_many_pages_is_told_whole_and_in_pieces() {
    with_books(async |server| {
        let note = format!("NOTE:{}", "x".repeat(3_000));
        for number in 10..50 {
            let card = card(&format!("u{number}"), &format!("N{number}"), &note);
            put(server, &format!("/contacts/{number}.vcf"), card).await.expect(201);
        }
        let answer = report(server, "addressbook-query", "/contacts/", DATA, "").await.expect(207);
        assert!(!answer.headers.contains_key("content-length"), "streamed");
        assert_eq!(names(&answer), (10..50).map(|number| format!("{number}.vcf")).collect::<Vec<_>>());
        assert!(data(&answer).iter().all(|card| card.len() > 3_000));
        let two = filter("", &format!("{}{}", text("FN", "20"), text("FN", "40")));
        let answer = report(server, "addressbook-query", "/contacts/", "", &two).await.expect(207);
        assert_eq!(names(&answer), ["20.vcf", "40.vcf"]);
    })
    .await;
}
