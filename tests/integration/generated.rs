//! Collections that the server makes of other content: the book of the space's members, the calendar of birthdays.

use nichoir_store::AccountUpdate;

use crate::support::{Client, Server, on_every_engine, on_every_engine_with};

const BOOKS: &str = "/remote.php/dav/addressbooks/users/alice/";
const CALENDARS: &str = "/remote.php/dav/calendars/alice/";
const DIRECTORY: &str = "/remote.php/dav/addressbooks/users/alice/z-server-generated--system/";
const BIRTHDAYS: &str = "/remote.php/dav/calendars/alice/contact_birthdays/";

/// The hrefs of a listing, without that of the collection itself.
async fn listed(client: &Client, path: &str) -> Vec<String> {
    let answer = client.request("PROPFIND", path).header("depth", "1").await.expect(207);
    let xml = answer.xml();
    let hrefs = xml.elements().filter_map(|response| response.elements().next()).map(|href| href.text());
    hrefs.filter(|href| href != path).collect()
}

fn card(uid: &str, lines: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:Anna\r\nN:Anna;;;;\r\n{lines}END:VCARD\r\n")
}

#[tokio::test]
async fn members_find_each_other_in_a_book_that_they_cannot_write_to() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        assert!(listed(&alice, BOOKS).await.contains(&DIRECTORY.to_owned()));
        let cards = listed(&alice, DIRECTORY).await;
        assert_eq!(cards, [format!("{DIRECTORY}alice.vcf"), format!("{DIRECTORY}bob.vcf")]);
        let bob = alice.request("GET", &cards[1]).await.expect(200);
        assert!(bob.text().contains("FN:BOB\r\n"), "{}", bob.text());
        assert!(bob.text().contains(&format!("EMAIL;TYPE=INTERNET:bob@{}", server.host())), "{}", bob.text());

        alice.request("PUT", &cards[1]).body(card("bob", "")).await.expect(403);
        alice.request("DELETE", &cards[1]).await.expect(403);
        alice.request("PUT", &format!("{DIRECTORY}new.vcf")).body(card("new", "")).await.expect(403);
        assert_eq!(alice.request("GET", &cards[1]).await.text(), bob.text());

        // Who changes a name is found under the new one; who is disabled is not found.
        let account = server.space.account_by_login("bob").await.expect("bob is there");
        let update = AccountUpdate { display_name: Some("Robert".to_owned()), ..AccountUpdate::default() };
        server.space.update_account(account.id, update).await.expect("bob has another name");
        listed(&alice, BOOKS).await;
        let renamed = alice.request("GET", &cards[1]).await.expect(200);
        assert!(renamed.text().contains("FN:Robert\r\n") && renamed.etag() != bob.etag());
        let update = AccountUpdate { is_enabled: Some(false), ..AccountUpdate::default() };
        server.space.update_account(account.id, update).await.expect("bob is disabled");
        assert_eq!(listed(&alice, DIRECTORY).await, [format!("{DIRECTORY}alice.vcf")]);
    })
    .await;
}

#[tokio::test]
async fn a_book_of_members_is_there_only_if_it_is_wanted() {
    on_every_engine_with(
        |config| config.address_books.has_member_directory = false,
        async |server: &Server| {
            let alice = server.account("alice");
            assert_eq!(listed(&alice, BOOKS).await, [format!("{BOOKS}contacts/")]);
            alice.request("PROPFIND", DIRECTORY).header("depth", "0").await.expect(404);
        },
    )
    .await;
}

#[tokio::test]
async fn birthdays_follow_the_contacts() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let contact = format!("{BOOKS}contacts/anna.vcf");
        alice.request("PUT", &contact).body(card("anna", "")).await.expect(201);
        assert!(!listed(&alice, CALENDARS).await.contains(&BIRTHDAYS.to_owned()), "nobody has a birthday");

        alice.request("PUT", &contact).body(card("anna", "BDAY:1985-04-12\r\n")).await.expect(204);
        assert!(listed(&alice, CALENDARS).await.contains(&BIRTHDAYS.to_owned()));
        let events = listed(&alice, BIRTHDAYS).await;
        let [event] = &events[..] else { panic!("one event: {events:?}") };
        let text = alice.request("GET", event).await.expect(200).text();
        assert!(text.contains("DTSTART;VALUE=DATE:19850412") && text.contains("Anna (1985)"), "{text}");
        let again = listed(&alice, BIRTHDAYS).await;
        assert_eq!(&again, &events);

        // In time, as any calendar's.
        let query = "<c:calendar-query xmlns='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><prop><getetag/></prop>\
                     <c:filter><c:comp-filter name='VCALENDAR'><c:comp-filter name='VEVENT'>\
                     <c:time-range start='20300412T000000Z' end='20300413T000000Z'/>\
                     </c:comp-filter></c:comp-filter></c:filter></c:calendar-query>";
        let found = alice.request("REPORT", BIRTHDAYS).header("depth", "1").body(query).await.expect(207);
        assert!(found.text().contains(event.as_str()), "{}", found.text());

        alice.request("DELETE", event).await.expect(403);
        alice.request("PUT", event).body(text.clone()).await.expect(403);
        // Names and colours are the account's.
        let patch =
            "<propertyupdate xmlns='DAV:'><set><prop><displayname>Cakes</displayname></prop></set></propertyupdate>";
        alice.request("PROPPATCH", BIRTHDAYS).body(patch).await.expect(207);

        alice.request("DELETE", &contact).await.expect(204);
        assert_eq!(listed(&alice, BIRTHDAYS).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_birthday_calendar_that_was_deleted_stays_away() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let contact = format!("{BOOKS}contacts/anna.vcf");
        alice.request("PUT", &contact).body(card("anna", "BDAY:--0229\r\n")).await.expect(201);
        assert_eq!(listed(&alice, BIRTHDAYS).await.len(), 1);
        alice.request("DELETE", BIRTHDAYS).await.expect(204);
        alice.request("PUT", &contact).body(card("anna", "BDAY:--0301\r\n")).await.expect(204);
        assert!(!listed(&alice, CALENDARS).await.contains(&BIRTHDAYS.to_owned()));
        // Bob's contacts are his own.
        let theirs = server.account("bob").request("PROPFIND", BIRTHDAYS).header("depth", "0").await;
        theirs.expect(404);
    })
    .await;
}
