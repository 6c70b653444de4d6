//! The trash bin of calendars, as the Nextcloud web app uses it, and what other clients see of it: nothing.

use nichoir_xml::{dav, ncdav};

use crate::support::{Server, document, event, on_every_engine};

const HOME: &str = "/remote.php/dav/calendars/alice/";
const CALENDAR: &str = "/remote.php/dav/calendars/alice/personal/";
const OBJECTS: &str = "/remote.php/dav/calendars/alice/trashbin/objects/";
const RESTORE: &str = "https://cloud.test/remote.php/dav/calendars/alice/trashbin/restore/file";

fn query(component: &str) -> String {
    let inner = format!(
        "<c:filter><c:comp-filter name=\"VCALENDAR\"><c:comp-filter name=\"{component}\"/></c:comp-filter></c:filter>"
    );
    document(
        "c:calendar-query",
        &format!("<d:prop><d:getetag/><nc:calendar-uri/><nc:deleted-at/><c:calendar-data/></d:prop>{inner}"),
    )
}

#[tokio::test]
async fn a_deleted_event_is_listed_read_and_restored() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let at = format!("{CALENDAR}a.ics");
        alice.put_event(&at, event("a", "Dentist", "")).await.expect(201);
        alice.request("DELETE", &at).await.expect(204);
        alice.request("GET", &at).await.expect(404);

        let listed = alice.xml("REPORT", OBJECTS.trim_end_matches('/'), 1, query("VEVENT")).await.expect(207);
        let [href] = &listed.hrefs()[..] else { panic!("{}", listed.text()) };
        assert!(href.starts_with(OBJECTS) && href.ends_with(".ics"), "{href}");
        let text = |name| listed.property(href, &name).map(|it| it.text()).unwrap_or_default();
        assert_eq!(text(ncdav::CALENDAR_URI), "personal");
        assert_eq!(text(ncdav::DELETED_AT), "2027-01-15T08:00:00+00:00");
        assert!(listed.text().contains("SUMMARY:Dentist"));
        assert!(alice.xml("REPORT", OBJECTS, 1, query("VTODO")).await.expect(207).hrefs().is_empty());
        assert_eq!(alice.properties(OBJECTS, 1, &["d:getetag"]).await.hrefs(), [OBJECTS.to_owned(), href.clone()]);
        assert_eq!(alice.request("GET", href).await.expect(200).text(), event("a", "Dentist", ""));
        server.account("bob").request("GET", href).await.expect(404);
        alice.put_event(href, event("a", "x", "")).await.expect(403);
        alice.request("MOVE", href).header("destination", &at).await.expect(403);

        alice.request("MOVE", href).header("destination", RESTORE).await.expect(201);
        assert_eq!(alice.request("GET", &at).await.expect(200).text(), event("a", "Dentist", ""));
        assert!(alice.xml("REPORT", OBJECTS, 1, query("VEVENT")).await.expect(207).hrefs().is_empty());

        alice.request("DELETE", &at).await.expect(204);
        let listed = alice.xml("REPORT", OBJECTS, 1, query("VEVENT")).await.expect(207);
        // The UID came up again: the one in the trash cannot come back beside it, but can be thrown away.
        alice.put_event(&at, event("a", "Again", "")).await.expect(201);
        alice.request("MOVE", &listed.hrefs()[0]).header("destination", RESTORE).await.expect(409);
        alice.request("DELETE", &listed.hrefs()[0]).await.expect(204);
        alice.request("DELETE", &listed.hrefs()[0]).await.expect(404);
        alice.request("DELETE", &at).header("x-nc-caldav-no-trashbin", "1").await.expect(204);
        assert!(alice.xml("REPORT", OBJECTS, 1, query("VEVENT")).await.expect(207).hrefs().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_deleted_calendar_is_in_the_home_but_no_calendar_to_any_client() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let make = "<d:set><d:prop><d:displayname>Work</d:displayname></d:prop></d:set>";
        let work = format!("{HOME}work/");
        alice.xml("MKCALENDAR", &work, 0, document("c:mkcalendar", make)).await.expect(201);
        alice.put_event(&format!("{work}a.ics"), event("a", "One", "")).await.expect(201);
        alice.request("DELETE", &work).await.expect(204);

        let names = ["d:resourcetype", "d:displayname", "nc:deleted-at", "nc:trash-bin-retention-duration"];
        let home = alice.properties(HOME, 1, &names).await;
        assert_eq!(home.elements(&work, &dav::RESOURCETYPE), ["collection", "deleted-calendar"]);
        assert_eq!(home.property(&work, &dav::DISPLAYNAME).map(|it| it.text()).as_deref(), Some("Work"));
        assert!(home.property(&work, &ncdav::DELETED_AT).is_some());
        let bin = format!("{HOME}trashbin/");
        assert_eq!(home.elements(&bin, &dav::RESOURCETYPE), ["collection", "trash-bin"]);
        let seconds = home.property(&bin, &ncdav::TRASH_BIN_RETENTION_DURATION).map(|it| it.text());
        assert_eq!(seconds.as_deref(), Some("2592000"));
        alice.request("GET", &format!("{work}a.ics")).await.expect(404);
        let children = alice.properties(&bin, 1, &["d:resourcetype"]).await.hrefs();
        assert_eq!(children, [bin.clone(), format!("{bin}restore/"), format!("{bin}objects/")]);

        alice.request("MOVE", &work).header("destination", RESTORE).await.expect(201);
        assert_eq!(alice.request("GET", &format!("{work}a.ics")).await.expect(200).text(), event("a", "One", ""));

        // Deleted, made anew, deleted: each has a place of its own until it is thrown away.
        alice.request("DELETE", &work).await.expect(204);
        alice.xml("MKCALENDAR", &work, 0, document("c:mkcalendar", make)).await.expect(201);
        let home = alice.properties(HOME, 1, &["nc:deleted-at"]).await;
        let deleted = home.hrefs().into_iter().find(|href| href.contains("work-deleted-")).expect("it is shown");
        alice.request("DELETE", &deleted).await.expect(204);
        alice.request("DELETE", &work).await.expect(204);
        alice.request("DELETE", &work).await.expect(204);
        alice.request("DELETE", &work).await.expect(404);
        alice.xml("MKCALENDAR", &bin, 0, document("c:mkcalendar", make)).await.expect(405);
    })
    .await;
}
