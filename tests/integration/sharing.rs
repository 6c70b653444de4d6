//! Sharing calendars and address books in Nextcloud's way, request by request as its web apps, tasks.org and DAVx⁵ do.

use nichoir_xml::{Name, apple, dav, ncdav, oc};

use crate::support::{Client, Server, document, event, on_every_engine};

const WORK: &str = "/remote.php/dav/calendars/alice/personal/";
const HOME: &str = "/remote.php/dav/calendars/bob/";
const SHARED: &str = "/remote.php/dav/calendars/bob/personal_shared_by_alice/";

async fn share(client: &Client, path: &str, inner: &str) -> crate::support::Answer {
    client.xml("POST", path, 0, document("oc:share", inner)).await
}

fn set(login: &str, is_writable: bool) -> String {
    let access = if is_writable { "<oc:read-write/>" } else { "" };
    format!("<oc:set><d:href>principal:principals/users/{login}</d:href>{access}</oc:set>")
}

fn remove(login: &str) -> String {
    format!("<oc:remove><d:href>principal:principals/users/{login}</d:href></oc:remove>")
}

#[tokio::test]
async fn a_calendar_shared_for_writing_is_in_the_sharees_home_and_says_whose_it_is() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.put_event(&format!("{WORK}a.ics"), event("a", "One", "")).await.expect(201);
        let shared = share(&alice, WORK, &set("bob", true)).await.expect(200);
        assert_eq!((shared.header("x-sabre-status"), shared.body.len()), ("everything-went-well", 0));

        let names = [
            "d:displayname",
            "d:resourcetype",
            "d:owner",
            "oc:owner-principal",
            "oc:read-only",
            "nc:owner-displayname",
            "d:current-user-privilege-set",
            "oc:invite",
            "d:share-access",
            "cs:allowed-sharing-modes",
        ];
        let home = bob.properties(HOME, 1, &names).await;
        let text = |name: Name| home.property(SHARED, &name).map(|it| it.text());
        assert_eq!(text(dav::DISPLAYNAME).as_deref(), Some("Personal (ALICE)"));
        assert_eq!(home.elements(SHARED, &dav::RESOURCETYPE), ["collection", "calendar"]);
        assert_eq!(text(oc::OWNER_PRINCIPAL).as_deref(), Some("principals/users/alice"));
        assert_eq!(text(oc::READ_ONLY).as_deref(), Some(""));
        assert_eq!(text(ncdav::OWNER_DISPLAYNAME).as_deref(), Some("ALICE"));
        let owner = home.property(SHARED, &dav::OWNER).and_then(|it| it.child(&dav::HREF).map(|it| it.text()));
        assert_eq!(owner.as_deref(), Some("/remote.php/dav/principals/users/alice/"));
        assert!(home.elements(SHARED, &dav::CURRENT_USER_PRIVILEGE_SET).contains(&"write-content".to_owned()));
        assert_eq!(home.elements(SHARED, &dav::SHARE_ACCESS), ["read-write"]);
        assert!(home.elements(SHARED, &oc::INVITE).is_empty());
        let own = format!("{HOME}personal/");
        assert_eq!(home.property(&own, &oc::READ_ONLY), None);
        assert_eq!(home.elements(&own, &dav::SHARE_ACCESS), ["not-shared"]);

        bob.put_event(&format!("{SHARED}b.ics"), event("b", "Two", "")).await.expect(201);
        let one = alice.request("GET", &format!("{WORK}b.ics")).await.expect(200);
        assert_eq!(one.text(), event("b", "Two", ""));
        let listed = bob.properties(SHARED, 1, &["d:getetag"]).await;
        assert_eq!(listed.hrefs(), [SHARED.to_owned(), format!("{SHARED}a.ics"), format!("{SHARED}b.ics")]);

        let seen = alice.properties(WORK, 0, &["oc:invite", "d:invite", "d:share-access"]).await;
        let invite = seen.property(WORK, &oc::INVITE).expect("the owner sees it");
        assert!(invite.to_fragment().contains("principal:principals/users/bob"), "{invite:?}");
        let expected = ["user", "href", "common-name", "invite-accepted", "access", "read-write"];
        assert_eq!(seen.elements(WORK, &oc::INVITE), expected);
        assert_eq!(seen.elements(WORK, &dav::SHARE_ACCESS), ["shared-owner"]);
        assert_eq!(seen.elements(WORK, &dav::INVITE)[0], "sharee");
    })
    .await;
}

#[tokio::test]
async fn a_calendar_shared_for_reading_cannot_be_written_and_says_so() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        alice.put_event(&format!("{WORK}a.ics"), event("a", "One", "")).await.expect(201);
        share(&alice, WORK, &set("bob", false)).await.expect(200);
        let at = format!("{SHARED}a.ics");
        for refused in [
            bob.put_event(&at, event("a", "Other", "")).await,
            bob.put_event(&format!("{SHARED}b.ics"), event("b", "New", "")).await,
            bob.request("DELETE", &at).await,
            bob.request("MOVE", &at).header("destination", &format!("{HOME}personal/a.ics")).await,
            share(&bob, SHARED, &set("alice", true)).await,
        ] {
            let refused = refused.expect(403);
            assert!(refused.xml().child(&dav::NEED_PRIVILEGES).is_some(), "{}", refused.text());
        }
        let seen = bob.properties(SHARED, 0, &["oc:read-only", "d:current-user-privilege-set", "d:share-access"]).await;
        assert_eq!(seen.property(SHARED, &oc::READ_ONLY).map(|it| it.text()).as_deref(), Some("1"));
        let privileges = seen.elements(SHARED, &dav::CURRENT_USER_PRIVILEGE_SET);
        assert!(privileges.contains(&"read".to_owned()) && privileges.contains(&"write-properties".to_owned()));
        for missing in ["write", "write-content", "bind", "unbind", "all"] {
            assert!(!privileges.contains(&missing.to_owned()), "{missing}");
        }
        assert_eq!(seen.elements(SHARED, &dav::SHARE_ACCESS), ["read"]);
        let read = bob.request("GET", &at).await.expect(200);
        assert_eq!(read.text(), event("a", "One", ""));
    })
    .await;
}

#[tokio::test]
async fn macos_sets_the_name_and_colour_of_a_calendar_that_it_may_only_read() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        share(&alice, WORK, &set("bob", false)).await.expect(200);
        let change = "<d:set><d:prop><d:displayname>Hers</d:displayname><a:calendar-color>#ff0000ff</a:calendar-color>\
             <oc:calendar-enabled>0</oc:calendar-enabled></d:prop></d:set>";
        let set = bob.xml("PROPPATCH", SHARED, 0, document("d:propertyupdate", change)).await.expect(207);
        assert!(!set.text().contains(" 403 "), "{}", set.text());
        let names = ["d:displayname", "a:calendar-color", "oc:calendar-enabled"];
        let seen = bob.properties(SHARED, 0, &names).await;
        let text = |name: Name| seen.property(SHARED, &name).map(|it| it.text());
        assert_eq!(text(dav::DISPLAYNAME).as_deref(), Some("Hers"));
        assert_eq!(text(apple::CALENDAR_COLOR).as_deref(), Some("#ff0000ff"));
        assert_eq!(text(oc::CALENDAR_ENABLED).as_deref(), Some("0"));
        let own = alice.properties(WORK, 0, &names).await;
        assert_eq!(own.property(WORK, &dav::DISPLAYNAME).map(|it| it.text()).as_deref(), Some("Personal"));
        assert_eq!(own.property(WORK, &oc::CALENDAR_ENABLED).map(|it| it.text()).as_deref(), Some("1"));
        assert_eq!(own.property(WORK, &apple::CALENDAR_COLOR), None);
    })
    .await;
}

#[tokio::test]
async fn a_share_ends_from_either_side() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        share(&alice, WORK, &set("bob", true)).await.expect(200);
        share(&alice, WORK, &remove("bob")).await.expect(200);
        bob.request("PROPFIND", SHARED).header("depth", "0").await.expect(404);
        share(&alice, WORK, &set("bob", true)).await.expect(200);
        bob.request("DELETE", SHARED).await.expect(204);
        bob.request("PROPFIND", SHARED).header("depth", "0").await.expect(404);
        let seen = alice.properties(WORK, 0, &["oc:invite"]).await;
        assert!(seen.elements(WORK, &oc::INVITE).is_empty());
        share(&alice, WORK, &remove("bob")).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn the_whole_space_is_a_group_to_share_with() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let everyone = "<oc:set><d:href>principal:principals/groups/everyone</d:href></oc:set>";
        share(&alice, WORK, everyone).await.expect(200);
        bob.request("PROPFIND", SHARED).header("depth", "0").await.expect(207);
        let seen = alice.properties(WORK, 0, &["oc:invite"]).await;
        assert!(seen.text().contains("principal:principals/groups/everyone"));
        let unknown = "<oc:set><d:href>principal:principals/groups/team</d:href></oc:set>";
        share(&alice, WORK, unknown).await.expect(404);
        // All or nothing.
        share(&alice, WORK, &format!("{}{}", remove("bob"), set("nobody", true))).await.expect(404);
        bob.request("PROPFIND", SHARED).header("depth", "0").await.expect(207);
        share(&alice, WORK, &everyone.replace("oc:set", "oc:remove")).await.expect(200);
        bob.request("PROPFIND", SHARED).header("depth", "0").await.expect(404);

        let group = "/remote.php/dav/principals/groups/everyone/";
        let principal = alice.properties(group, 0, &["d:displayname", "d:group-member-set", "d:resourcetype"]).await;
        assert_eq!(principal.elements(group, &dav::GROUP_MEMBER_SET).len(), 2);
        assert_eq!(principal.elements(group, &dav::RESOURCETYPE), ["collection", "principal"]);
        alice.request("PROPFIND", "/remote.php/dav/principals/groups/team/").header("depth", "0").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn private_events_are_hidden_from_sharees_and_confidential_ones_are_only_busy() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let extra = "LOCATION:Clinic\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Doctor\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n";
        let confidential = event("c", "Doctor", &format!("CLASS:CONFIDENTIAL\r\n{extra}"));
        alice.put_event(&format!("{WORK}c.ics"), confidential.clone()).await.expect(201);
        alice.put_event(&format!("{WORK}p.ics"), event("p", "Secret", "CLASS:PRIVATE\r\n")).await.expect(201);
        share(&alice, WORK, &set("bob", false)).await.expect(200);

        bob.request("GET", &format!("{SHARED}p.ics")).await.expect(404);
        let shell = bob.request("GET", &format!("{SHARED}c.ics")).await.expect(200).text();
        assert!(shell.contains("SUMMARY:Busy\r\n") && shell.contains("DTSTART:20270110T090000Z\r\n"), "{shell}");
        let query = document("c:calendar-query", "<d:prop><c:calendar-data/></d:prop><c:filter><c:comp-filter name=\"VCALENDAR\"/></c:filter>");
        let multiget = document("c:calendar-multiget", &format!("<d:prop><c:calendar-data/></d:prop><d:href>{SHARED}c.ics</d:href>"));
        let search = document("c:calendar-query", "<d:prop><d:getetag/></d:prop><c:filter><c:comp-filter name=\"VCALENDAR\"><c:comp-filter name=\"VEVENT\"><c:prop-filter name=\"LOCATION\"><c:text-match>Clinic</c:text-match></c:prop-filter></c:comp-filter></c:comp-filter></c:filter>");
        for told in [
            shell,
            bob.xml("REPORT", SHARED, 1, query).await.expect(207).text(),
            bob.xml("REPORT", SHARED, 1, multiget).await.expect(207).text(),
            bob.properties(SHARED, 1, &["c:calendar-data"]).await.text(),
        ] {
            for secret in ["Doctor", "Clinic", "Secret", "VALARM"] {
                assert!(!told.contains(secret), "{secret} in {told}");
            }
        }
        // Nor by a PUT that is refused and asks to see what stands there.
        let put = bob.request("PUT", &format!("{SHARED}c.ics")).body(event("c", "Mine", ""));
        let refused = put.header("if-none-match", "*").header("prefer", "return=representation").await;
        assert!(refused.status.is_client_error() && !refused.text().contains("Clinic"), "{}", refused.text());
        // Nor can it be found by what it does not show.
        assert!(bob.xml("REPORT", SHARED, 1, search).await.expect(207).hrefs().is_empty());

        share(&alice, WORK, &set("bob", true)).await.expect(200);
        assert_eq!(bob.request("GET", &format!("{SHARED}c.ics")).await.expect(200).text(), confidential);
        bob.request("GET", &format!("{SHARED}p.ics")).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn address_books_are_shared_the_same_way() {
    on_every_engine(async |server: &Server| {
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let book = "/remote.php/dav/addressbooks/users/alice/contacts/";
        let shared = "/remote.php/dav/addressbooks/users/bob/contacts_shared_by_alice/";
        share(&alice, book, &set("bob", false)).await.expect(200);
        let seen = bob
            .properties(
                shared,
                0,
                &["oc:owner-principal", "oc:read-only", "oc:enabled", "d:current-user-privilege-set"],
            )
            .await;
        assert_eq!(seen.property(shared, &oc::READ_ONLY).map(|it| it.text()).as_deref(), Some("1"));
        assert_eq!(seen.property(shared, &oc::ENABLED).map(|it| it.text()).as_deref(), Some("1"));
        assert!(!seen.elements(shared, &dav::CURRENT_USER_PRIVILEGE_SET).contains(&"write-content".to_owned()));
        bob.request("DELETE", shared).await.expect(204);
        alice.request("PROPFIND", book).header("depth", "0").await.expect(207);
    })
    .await;
}
