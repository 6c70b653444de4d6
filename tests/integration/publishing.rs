//! Published calendars: read by whoever has the link, and nothing else of the space.

use nichoir_xml::{cs, dav, oc};

use crate::support::{Server, document, event, on_every_engine};

const CALENDAR: &str = "/remote.php/dav/calendars/alice/personal/";

async fn publish(server: &Server) -> (String, String) {
    let alice = server.account("alice");
    alice.xml("POST", CALENDAR, 0, document("cs:publish-calendar", "")).await.expect(202);
    let told = alice.properties(CALENDAR, 0, &["cs:publish-url", "cs:pre-publish-url", "oc:public"]).await;
    let url = told.property(CALENDAR, &cs::PUBLISH_URL_LOWER).and_then(|it| it.child(&dav::HREF).map(|it| it.text()));
    let url = url.unwrap_or_else(|| panic!("{}", told.text()));
    assert_eq!(told.property(CALENDAR, &oc::PUBLIC).map(|it| it.text()).as_deref(), Some("1"));
    let path = url.strip_prefix(&format!("http://{}", server.host())).unwrap_or_else(|| panic!("{url}"));
    (path.to_owned(), url)
}

#[tokio::test]
async fn a_published_calendar_is_read_without_logging_in_until_it_is_unpublished() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let zoned = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTIMEZONE\r\nTZID:Z\r\nBEGIN:STANDARD\r\n\
             DTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
             BEGIN:VEVENT\r\nUID:UU\r\nDTSTAMP:20270101T000000Z\r\nDTSTART;TZID=Z:20270104T100000\r\nSUMMARY:Zoned\r\n\
             END:VEVENT\r\nEND:VCALENDAR\r\n";
        for uid in ["z1", "z2"] {
            alice.put_event(&format!("{CALENDAR}{uid}.ics"), zoned.replace("UU", uid)).await.expect(201);
        }
        alice.put_event(&format!("{CALENDAR}p.ics"), event("p", "Secret", "CLASS:PRIVATE\r\n")).await.expect(201);
        let confidential = event("c", "Doctor", "CLASS:CONFIDENTIAL\r\n");
        alice.put_event(&format!("{CALENDAR}c.ics"), confidential).await.expect(201);
        let (path, _) = publish(server).await;
        let nobody = server.anonymous();

        let export = nobody.request("GET", &format!("{path}?export")).await.expect(200);
        assert_eq!(export.header("content-type"), "text/calendar; charset=utf-8");
        assert!(export.header("content-disposition").starts_with("attachment; filename="));
        let text = export.text();
        assert_eq!(text.matches("BEGIN:VTIMEZONE\r\n").count(), 1, "{text}");
        assert_eq!(text.matches("SUMMARY:Zoned\r\n").count(), 2);
        assert!(text.contains("SUMMARY:Busy\r\n") && text.ends_with("END:VCALENDAR\r\n"));
        assert!(!text.contains("Secret") && !text.contains("Doctor"));
        assert_eq!(nobody.request("GET", &format!("{path}/")).await.expect(200).text(), text);

        let slashed = format!("{path}/");
        let names = [
            "d:displayname",
            "d:resourcetype",
            "d:current-user-privilege-set",
            "d:current-user-principal",
            "oc:invite",
            "cs:publish-url",
        ];
        let listed = nobody.properties(&slashed, 1, &names).await;
        assert_eq!(listed.hrefs().len(), 4);
        assert_eq!(
            listed.property(&slashed, &dav::DISPLAYNAME).map(|it| it.text()).as_deref(),
            Some("Personal (ALICE)")
        );
        assert_eq!(listed.elements(&slashed, &dav::CURRENT_USER_PRINCIPAL), ["unauthenticated"]);
        assert!(!listed.elements(&slashed, &dav::CURRENT_USER_PRIVILEGE_SET).contains(&"write-properties".to_owned()));
        let query = document(
            "c:calendar-query",
            "<d:prop><c:calendar-data/></d:prop><c:filter><c:comp-filter name=\"VCALENDAR\"/></c:filter>",
        );
        assert_eq!(nobody.xml("REPORT", &slashed, 1, query).await.expect(207).hrefs().len(), 3);

        // Nothing of the people, and nothing can be written.
        let search = "<d:property-search><d:prop><d:displayname/></d:prop><d:match>a</d:match></d:property-search>\
             <d:prop><d:displayname/></d:prop><d:apply-to-principal-collection-set/>";
        let search = document("d:principal-property-search", search);
        let answer = nobody.xml("REPORT", &slashed, 0, search).await;
        assert!(answer.status.is_client_error() && !answer.text().contains("BOB"), "{}", answer.text());
        nobody.put_event(&format!("{slashed}n.ics"), event("n", "New", "")).await.expect(403);
        for method in ["DELETE", "PROPPATCH", "MKCALENDAR", "POST", "MOVE", "LOCK"] {
            nobody.request(method, &format!("{slashed}z1.ics")).await.expect(403);
        }
        nobody.request("GET", &format!("{slashed}p.ics")).await.expect(404);
        nobody.request("GET", "/remote.php/dav/public-calendars/guess").await.expect(404);
        let other = nobody.with("host", &server.other_host());
        other.request("GET", &path).await.expect(404);

        alice.xml("POST", CALENDAR, 0, document("cs:unpublish-calendar", "")).await.expect(200);
        nobody.request("GET", &path).await.expect(404);
        let (again, _) = publish(server).await;
        assert_ne!(again, path);
        nobody.request("GET", &again).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn get_of_ones_own_calendar_is_all_of_it() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        for uid in ["a", "b"] {
            alice.put_event(&format!("{CALENDAR}{uid}.ics"), event(uid, uid, "CLASS:PRIVATE\r\n")).await.expect(201);
        }
        let whole = alice.request("GET", CALENDAR).await.expect(200);
        assert_eq!(whole.text().matches("BEGIN:VEVENT").count(), 2);
        assert_eq!(whole.text().matches("BEGIN:VCALENDAR").count(), 1);
        assert_eq!(whole.header("content-disposition"), "");
        let unchanged = alice.request("GET", CALENDAR).header("if-none-match", whole.etag()).await;
        unchanged.expect(304);
        let export = alice.request("GET", &format!("{CALENDAR}?export")).await.expect(200);
        assert_eq!(export.header("content-disposition"), "attachment; filename=\"personal.ics\"");
    })
    .await;
}

#[tokio::test]
async fn a_file_of_many_events_is_taken_in_one_by_one_and_told_of() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        alice.put_event(&format!("{CALENDAR}old.ics"), event("1", "Old", "")).await.expect(201);
        let inner = |uid: &str, summary: &str| {
            let whole = event(uid, summary, "");
            let (_, rest) = whole.split_once("//EN\r\n").expect("it has a PRODID");
            rest.trim_end().strip_suffix("END:VCALENDAR").expect("it ends").to_owned()
        };
        let bad = "BEGIN:VEVENT\r\nUID:3\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:nonsense\r\nEND:VEVENT\r\n";
        let file = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{}{}{bad}END:VCALENDAR\r\n",
            inner("1", "New"),
            inner("2", "Two")
        );
        let told = alice.put_event(&format!("{CALENDAR}?import"), file.clone()).await.expect(200).json();
        assert_eq!((&told["created"], &told["replaced"], &told["failed"]), (&1.into(), &1.into(), &1.into()), "{told}");
        assert_eq!(told["failures"][0]["uid"], "3");
        assert!(alice.request("GET", &format!("{CALENDAR}old.ics")).await.expect(200).text().contains("SUMMARY:New"));
        let again = alice.request("POST", &format!("{CALENDAR}?import")).header("content-type", "text/calendar");
        let again = again.body(file.clone()).await.expect(200).json();
        assert_eq!((&again["created"], &again["replaced"]), (&0.into(), &2.into()), "{again}");
        assert_eq!(alice.properties(CALENDAR, 1, &["d:getetag"]).await.hrefs().len(), 3);
        alice.put_event(&format!("{CALENDAR}?import"), "hello".to_owned()).await.expect(403);

        let book = "/remote.php/dav/addressbooks/users/alice/contacts/";
        let cards = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:A\r\nN:A;;;;\r\nEND:VCARD\r\n\
             BEGIN:VCARD\r\nVERSION:3.0\r\nFN:B\r\nN:B;;;;\r\nEND:VCARD\r\n";
        let told = alice.request("PUT", &format!("{book}?import")).header("content-type", "text/vcard");
        let told = told.body(cards).await.expect(200).json();
        assert_eq!((&told["created"], &told["failed"]), (&2.into(), &0.into()), "{told}");
        assert_eq!(alice.properties(book, 1, &["d:getetag"]).await.hrefs().len(), 3);
    })
    .await;
}
