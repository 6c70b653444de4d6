//! Scheduling between the accounts of one space: what one of them stores, the others find. RFC 6638.

use nichoir_store::{AccountUpdate, NewAccount, Role};

use crate::support::{Answer, Client, Server, on_every_engine};

const HOMES: &str = "/remote.php/dav/calendars";

/// Somebody with a calendar.
struct Person {
    login: &'static str,
    client: Client,
}

impl Person {
    fn path(&self, below: &str) -> String {
        format!("{HOMES}/{}/{below}", self.login)
    }

    async fn put(&self, path: &str, body: &str) -> Answer {
        self.client.request("PUT", path).header("content-type", "text/calendar").body(body.to_owned()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.client.request("GET", path).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.client.request("DELETE", path).await
    }

    /// The paths of the members of a collection.
    async fn members(&self, collection: &str) -> Vec<String> {
        let asked = self.client.request("PROPFIND", &self.path(collection)).header("depth", "1");
        let text = asked.await.expect(207).text();
        let hrefs = text.split("<d:href>").skip(1).filter_map(|rest| rest.split("</d:href>").next());
        hrefs.filter(|href| href.ends_with(".ics")).map(str::to_owned).collect()
    }

    /// The one object in the calendar, unfolded, and its path.
    async fn copy(&self) -> (String, String) {
        let members = self.members("personal/").await;
        assert_eq!(members.len(), 1, "{members:?}");
        (members[0].clone(), unfolded(&self.get(&members[0]).await.expect(200).text()))
    }

    /// The messages in the inbox, which is emptied.
    async fn messages(&self) -> Vec<String> {
        let mut found = Vec::new();
        for path in self.members("inbox/").await {
            found.push(unfolded(&self.get(&path).await.expect(200).text()));
            self.delete(&path).await.expect(204);
        }
        found.sort();
        found
    }

    /// Answers to everything in the calendar's one object.
    async fn answer(&self, partstat: &str) {
        let (path, text) = self.copy().await;
        self.put(&path, &with_partstat(&text, self.login, partstat)).await.expect(204);
    }
}

fn unfolded(text: &str) -> String {
    text.replace("\r\n", "\n").replace("\n ", "")
}

/// The text with another answer of `login` in every component.
fn with_partstat(text: &str, login: &str, partstat: &str) -> String {
    let address = format!(":mailto:{login}@example.org");
    let lines = text.lines().map(|line| match line.starts_with("ATTENDEE") && line.ends_with(&address) {
        true => format!("ATTENDEE;PARTSTAT={partstat}{address}"),
        false => line.to_owned(),
    });
    lines.map(|line| format!("{line}\r\n")).collect()
}

/// A meeting of alice's with these attendees; `more` stands in front of the end of the event.
fn meeting(attendees: &[&str], more: &str) -> String {
    let attendees: String = attendees
        .iter()
        .map(|login| match login.contains(':') {
            true => format!("ATTENDEE;PARTSTAT=NEEDS-ACTION:{login}\r\n"),
            false => format!("ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{login}@example.org\r\n"),
        })
        .collect();
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:meeting\r\nDTSTAMP:20270101T000000Z\r\n\
         DTSTART:20270301T100000Z\r\nDTEND:20270301T110000Z\r\nSUMMARY:Committee\r\nORGANIZER:mailto:alice@example.org\r\n\
         ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.org\r\n{attendees}{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// alice, bob and carol, with addresses.
async fn people(server: &Server) -> [Person; 3] {
    let new = NewAccount {
        login: "carol".to_owned(),
        display_name: String::new(),
        email: None,
        role: Role::Member,
        password_hash: None,
    };
    server.space.create_account(new).await.expect("room for carol");
    let mut people = Vec::new();
    for login in ["alice", "bob", "carol"] {
        let account = server.space.account_by_login(login).await.expect("an account");
        let email = Some(Some(format!("{login}@example.org")));
        server
            .space
            .update_account(account.id, AccountUpdate { email, ..AccountUpdate::default() })
            .await
            .expect("an address");
        people.push(Person { login, client: server.device(login).await.0 });
    }
    people.try_into().unwrap_or_else(|_| panic!("three people"))
}

/// The line of `login` in the text's first component.
#[track_caller]
fn attendee<'t>(text: &'t str, login: &str) -> &'t str {
    let address = format!(":mailto:{login}@example.org");
    let mut lines = text.lines().filter(|line| line.starts_with("ATTENDEE") && line.ends_with(&address));
    lines.next().unwrap_or_else(|| panic!("{login} is not invited: {text}"))
}

#[tokio::test]
async fn an_invitation_reaches_calendar_and_inbox_and_the_answer_everybody() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, carol] = people(server).await;
        let own = alice.path("personal/m.ics");
        let put = alice
            .put(&own, &meeting(&["bob", "carol"], "BEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VALARM\r\n"))
            .await
            .expect(201);
        assert_eq!(put.etag(), "", "what is stored is not what was sent");
        assert_ne!(put.header("schedule-tag"), "");
        let stored = unfolded(&alice.get(&own).await.expect(200).text());
        assert!(attendee(&stored, "bob").contains("SCHEDULE-STATUS=1.2"), "{stored}");

        let (path, copy) = bob.copy().await;
        assert!(copy.contains("SUMMARY:Committee") && copy.contains("TRANSP:TRANSPARENT"), "{copy}");
        assert!(!copy.contains("VALARM") && !copy.contains("SCHEDULE-STATUS"), "{copy}");
        let messages = bob.messages().await;
        assert_eq!(messages.len(), 1);
        assert!(messages[0].contains("METHOD:REQUEST"), "{messages:?}");
        carol.messages().await;
        let (_, carols) = carol.copy().await;
        assert!(attendee(&carols, "bob").contains("NEEDS-ACTION"));
        let tag = alice.get(&own).await.header("schedule-tag").to_owned();

        bob.put(&path, &with_partstat(&copy, "bob", "ACCEPTED")).await.expect(204);

        let after = alice.get(&own).await.expect(200);
        assert_eq!(after.header("schedule-tag"), tag, "an answer leaves the organizer's tag alone");
        let stored = unfolded(&after.text());
        assert!(attendee(&stored, "bob").contains("PARTSTAT=ACCEPTED;SCHEDULE-STATUS=2.0"), "{stored}");
        assert!(stored.contains("VALARM"), "{stored}");
        let replies = alice.messages().await;
        assert_eq!(replies.len(), 1);
        assert!(replies[0].contains("METHOD:REPLY") && !replies[0].contains("carol"), "{replies:?}");
        assert!(attendee(&carol.copy().await.1, "bob").contains("ACCEPTED"));
        assert!(carol.messages().await.is_empty(), "an answer of somebody else is no message");
        let (_, copy) = bob.copy().await;
        assert!(copy.contains("ORGANIZER;SCHEDULE-STATUS=1.2:") && !copy.contains("TRANSPARENT"), "{copy}");
    })
    .await;
}

#[tokio::test]
async fn one_instance_is_declined_by_its_own_component_or_by_an_exception() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, _] = people(server).await;
        let own = alice.path("personal/m.ics");
        alice.put(&own, &meeting(&["bob"], "RRULE:FREQ=DAILY;COUNT=5\r\n")).await.expect(201);
        bob.answer("ACCEPTED").await;
        alice.messages().await;
        let (path, copy) = bob.copy().await;
        let excepted =
            copy.replace("RRULE:FREQ=DAILY;COUNT=5\n", "RRULE:FREQ=DAILY;COUNT=5\nEXDATE:20270303T100000Z\n");
        bob.put(&path, &excepted).await.expect(204);

        let stored = unfolded(&alice.get(&own).await.text());
        let parts: Vec<&str> = stored.split("BEGIN:VEVENT").skip(1).collect();
        assert_eq!(parts.len(), 2, "{stored}");
        assert!(attendee(parts[0], "bob").contains("PARTSTAT=ACCEPTED"), "{stored}");
        assert!(parts[1].contains("RECURRENCE-ID:20270303T100000Z") && !parts[1].contains("RRULE"), "{stored}");
        assert!(attendee(parts[1], "bob").contains("PARTSTAT=DECLINED"), "{stored}");
        assert_eq!(alice.messages().await.len(), 1);

        // What alice changes elsewhere does not bring the instance back.
        alice.put(&own, &stored.replace("SUMMARY:Committee", "SUMMARY:Board")).await.expect(204);
        let (_, copy) = bob.copy().await;
        assert!(copy.contains("SUMMARY:Board") && copy.contains("EXDATE:20270303T100000Z"), "{copy}");
        assert!(!copy.contains("RECURRENCE-ID"), "{copy}");
    })
    .await;
}

#[tokio::test]
async fn a_meeting_at_another_time_has_to_be_answered_anew() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, _] = people(server).await;
        let own = alice.path("personal/m.ics");
        alice.put(&own, &meeting(&["bob"], "")).await.expect(201);
        bob.answer("ACCEPTED").await;
        let accepted = unfolded(&alice.get(&own).await.text());

        alice.put(&own, &accepted.replace("SUMMARY:Committee", "SUMMARY:Board")).await.expect(204);
        let stored = unfolded(&alice.get(&own).await.text());
        assert!(attendee(&stored, "bob").contains("ACCEPTED") && stored.contains("SEQUENCE:1"), "{stored}");

        alice.put(&own, &stored.replace("T100000Z", "T103000Z")).await.expect(204);
        let stored = unfolded(&alice.get(&own).await.text());
        assert!(attendee(&stored, "bob").contains("NEEDS-ACTION") && stored.contains("SEQUENCE:2"), "{stored}");
        let (_, copy) = bob.copy().await;
        assert!(attendee(&copy, "bob").contains("NEEDS-ACTION") && copy.contains("T103000Z"), "{copy}");
        assert_eq!(bob.messages().await.len(), 3);

        // An alarm is nobody else's business.
        let with_alarm =
            stored.replace("END:VEVENT", "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nEND:VALARM\nEND:VEVENT");
        alice.put(&own, &with_alarm).await.expect(204);
        assert!(bob.messages().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn whoever_is_taken_off_the_list_finds_the_meeting_cancelled() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, carol] = people(server).await;
        let own = alice.path("personal/m.ics");
        alice.put(&own, &meeting(&["bob", "carol"], "")).await.expect(201);
        bob.messages().await;
        carol.messages().await;
        alice.put(&own, &meeting(&["carol"], "")).await.expect(204);

        let messages = bob.messages().await;
        assert_eq!(messages.len(), 1);
        assert!(messages[0].contains("METHOD:CANCEL") && !messages[0].contains("carol"), "{messages:?}");
        let (path, copy) = bob.copy().await;
        assert!(copy.contains("STATUS:CANCELLED") && copy.contains("SEQUENCE:1"), "{copy}");
        assert!(!carol.copy().await.1.contains("bob"));
        // A cancelled copy goes without an answer.
        bob.delete(&path).await.expect(204);
        assert!(alice.messages().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_organizers_delete_cancels_and_an_attendees_declines() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, carol] = people(server).await;
        let own = alice.path("personal/m.ics");
        alice.put(&own, &meeting(&["bob", "carol"], "")).await.expect(201);
        bob.messages().await;
        carol.messages().await;

        let (path, _) = bob.copy().await;
        bob.delete(&path).await.expect(204);
        let stored = unfolded(&alice.get(&own).await.text());
        assert!(attendee(&stored, "bob").contains("PARTSTAT=DECLINED;SCHEDULE-STATUS=2.0"), "{stored}");
        let (path, _) = carol.copy().await;
        carol.client.request("DELETE", &path).header("schedule-reply", "F").await.expect(204);
        let stored = unfolded(&alice.get(&own).await.text());
        assert!(attendee(&stored, "carol").contains("NEEDS-ACTION"), "{stored}");
        assert_eq!(alice.messages().await.len(), 1);

        alice.put(&own, &meeting(&["bob"], "").replace("10", "12")).await.expect(204);
        bob.messages().await;
        alice.delete(&own).await.expect(204);
        assert!(bob.copy().await.1.contains("STATUS:CANCELLED"));
        assert!(bob.messages().await[0].contains("METHOD:CANCEL"));
    })
    .await;
}

#[tokio::test]
async fn a_deleted_calendar_cancels_what_was_organized_in_it() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, _] = people(server).await;
        alice.client.request("MKCALENDAR", &alice.path("work/")).await.expect(201);
        alice.put(&alice.path("work/m.ics"), &meeting(&["bob"], "")).await.expect(201);
        bob.messages().await;
        alice.delete(&alice.path("work/")).await.expect(204);
        assert!(bob.copy().await.1.contains("STATUS:CANCELLED"));
        assert_eq!(bob.messages().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_stale_schedule_tag_changes_nothing_and_a_good_one_keeps_answers() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, _] = people(server).await;
        let own = alice.path("personal/m.ics");
        let first = alice.put(&own, &meeting(&["bob"], "")).await.expect(201).header("schedule-tag").to_owned();
        bob.answer("ACCEPTED").await;
        bob.messages().await;
        let put =
            |tag: &str, body: String| alice.client.request("PUT", &own).header("if-schedule-tag-match", tag).body(body);
        // alice's client has not seen the answer, and may write all the same: it is kept.
        let second = put(&first, meeting(&["bob"], "DESCRIPTION:agenda\r\n")).await.expect(204);
        let stored = unfolded(&alice.get(&own).await.text());
        assert!(attendee(&stored, "bob").contains("ACCEPTED") && stored.contains("agenda"), "{stored}");
        assert_ne!(second.header("schedule-tag"), first);
        bob.messages().await;

        put(&first, meeting(&["bob"], "DESCRIPTION:lost\r\n")).await.expect(412);
        assert_eq!(unfolded(&alice.get(&own).await.text()), stored);
        assert!(bob.messages().await.is_empty());
        alice.client.request("DELETE", &own).header("if-schedule-tag-match", &first).await.expect(412);
        alice.get(&own).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn two_answers_at_once_both_arrive() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, carol] = people(server).await;
        let own = alice.path("personal/m.ics");
        for round in 0..5 {
            alice.put(&own, &meeting(&["bob", "carol"], "").replace("T10", &format!("T0{round}"))).await;
            let [(bobs, bob_text), (carols, carol_text)] = [bob.copy().await, carol.copy().await];
            let (one, other) =
                (with_partstat(&bob_text, "bob", "ACCEPTED"), with_partstat(&carol_text, "carol", "TENTATIVE"));
            let (one, other) = tokio::join!(bob.put(&bobs, &one), carol.put(&carols, &other));
            one.expect(204);
            other.expect(204);
            let stored = unfolded(&alice.get(&own).await.text());
            assert!(attendee(&stored, "bob").contains("ACCEPTED"), "round {round}: {stored}");
            assert!(attendee(&stored, "carol").contains("TENTATIVE"), "round {round}: {stored}");
            assert!(attendee(&bob.copy().await.1, "carol").contains("TENTATIVE"), "round {round}");
            assert!(attendee(&carol.copy().await.1, "bob").contains("ACCEPTED"), "round {round}");
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_writes_to_the_meetings_of_others() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, carol] = people(server).await;
        let own = alice.path("personal/m.ics");
        alice.put(&own, &meeting(&["bob"], "")).await.expect(201);
        bob.messages().await;
        let (stored, copy) = (alice.get(&own).await.text(), bob.copy().await);

        // The same UID under another organizer.
        let forged = meeting(&["bob"], "").replace("ORGANIZER:mailto:alice", "ORGANIZER:mailto:carol");
        carol.put(&carol.path("personal/m.ics"), &forged).await.expect(201);
        let told = unfolded(&carol.get(&carol.path("personal/m.ics")).await.text());
        assert!(attendee(&told, "bob").contains("SCHEDULE-STATUS=5.3"), "{told}");
        carol.delete(&carol.path("personal/m.ics")).await.expect(204);
        // Somebody who was not invited.
        let crashed = carol.put(&carol.path("personal/m.ics"), &meeting(&["bob", "carol"], "")).await.expect(403);
        assert!(crashed.text().contains("allowed-attendee-scheduling-object-change"), "{}", crashed.text());
        // An attendee who would rather be the organizer, or not be one any more.
        let usurped = copy.1.replace("ORGANIZER:mailto:alice", "ORGANIZER:mailto:bob");
        bob.put(&copy.0, &usurped).await.expect(403);
        let without: String =
            copy.1.lines().filter(|line| !line.contains("bob@")).map(|it| format!("{it}\r\n")).collect();
        bob.put(&copy.0, &without).await.expect(403);
        let twice = bob.put(&bob.path("personal/again.ics"), &copy.1).await.expect(403);
        assert!(twice.text().contains("unique-scheduling-object-resource"), "{}", twice.text());
        // What is the organizer's is put back.
        bob.put(&copy.0, &copy.1.replace("SUMMARY:Committee", "SUMMARY:Mine")).await.expect(204);

        assert_eq!(alice.get(&own).await.text(), stored);
        assert!(bob.copy().await.1.contains("SUMMARY:Committee"));
        assert!(bob.messages().await.is_empty() && alice.messages().await.is_empty());
        assert!(carol.members("personal/").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_attendee_outside_is_told_of_as_undeliverable_without_mail() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, _] = people(server).await;
        let own = alice.path("personal/m.ics");
        alice.put(&own, &meeting(&["bob", "mailto:someone@elsewhere.test", "urn:uuid:1"], "")).await.expect(201);
        let stored = unfolded(&alice.get(&own).await.text());
        assert!(stored.contains("SCHEDULE-STATUS=5.2:mailto:someone@elsewhere.test"), "{stored}");
        assert!(stored.contains("SCHEDULE-STATUS=3.7:urn:uuid:1"), "{stored}");
        assert!(server.space.outgoing_messages(10).await.expect("a queue").is_empty());
        assert_eq!(bob.messages().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_move_and_a_private_write_tell_nobody() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, _] = people(server).await;
        let own = alice.path("personal/m.ics");
        alice.put(&own, &meeting(&["bob"], "")).await.expect(201);
        bob.messages().await;
        alice.client.request("MKCALENDAR", &alice.path("work/")).await.expect(201);
        let moved = alice.path("work/m.ics");
        alice.client.request("MOVE", &own).header("destination", &moved).await.expect(201);
        assert!(bob.messages().await.is_empty());
        assert_ne!(alice.get(&moved).await.expect(200).header("schedule-tag"), "");
        let copied = alice.client.request("COPY", &moved).header("destination", &own).await.expect(403);
        assert!(copied.text().contains("unique-scheduling-object-resource"), "{}", copied.text());

        let private = meeting(&["bob"], "").replace("SUMMARY:Committee", "SUMMARY:Draft");
        let put = alice.client.request("PUT", &moved).header("x-nc-scheduling", "false").body(private);
        put.await.expect(204);
        assert!(bob.messages().await.is_empty());
        assert!(bob.copy().await.1.contains("SUMMARY:Committee"));
    })
    .await;
}

#[tokio::test]
async fn busy_times_of_several_people_are_one_question() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, _] = people(server).await;
        let busy = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:busy\r\nDTSTART:20270301T100000Z\r\n\
                    DTEND:20270301T110000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        bob.put(&bob.path("personal/busy.ics"), busy).await.expect(201);
        let question = |organizer: &str| {
            format!(
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:q\r\nDTSTAMP:20270101T000000Z\r\n\
                 DTSTART:20270301T000000Z\r\nDTEND:20270302T000000Z\r\nORGANIZER:mailto:{organizer}@example.org\r\n\
                 ATTENDEE:mailto:bob@example.org\r\nATTENDEE:mailto:nobody@example.org\r\nEND:VFREEBUSY\r\n\
                 END:VCALENDAR\r\n"
            )
        };
        let post = async |body: String| {
            let asked = alice.client.request("POST", &alice.path("outbox/")).header("content-type", "text/calendar");
            asked.body(body).await
        };
        let text = post(question("alice")).await.expect(200).text();
        assert!(text.contains("FREEBUSY;FBTYPE=BUSY:20270301T100000Z/20270301T110000Z"), "{text}");
        assert!(text.contains("2.0;Success") && text.contains("3.7;Invalid calendar user"), "{text}");
        let refused = post(question("bob")).await.expect(403).text();
        assert!(refused.contains("valid-organizer"), "{refused}");
        let refused = post(meeting(&["bob"], "")).await.expect(403).text();
        assert!(refused.contains("valid-scheduling-message"), "{refused}");

        // A calendar that does not count does not count.
        let patch = "<d:propertyupdate xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:set><d:prop>\
                     <c:schedule-calendar-transp><c:transparent/></c:schedule-calendar-transp></d:prop></d:set></d:propertyupdate>";
        bob.client.request("PROPPATCH", &bob.path("personal/")).body(patch).await.expect(207);
        assert!(!post(question("alice")).await.expect(200).text().contains("FREEBUSY;"));
    })
    .await;
}

#[tokio::test]
async fn an_object_of_ones_own_makes_room_for_the_invitation_of_its_uid() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, _] = people(server).await;
        let own = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:meeting\r\nDTSTART:20270301T100000Z\r\n\
                   SUMMARY:Copied from the web site\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let kept = bob.path("personal/own.ics");
        bob.put(&kept, own).await.expect(201);
        alice.put(&alice.path("personal/m.ics"), &meeting(&["bob"], "")).await.expect(201);

        assert_eq!(bob.members("personal/").await.len(), 2);
        let text = bob.get(&kept).await.expect(200).text();
        assert!(text.contains("Copied from the web site") && !text.contains("UID:meeting"), "{text}");
        assert_eq!(bob.get(&kept).await.header("schedule-tag"), "");
        assert_eq!(bob.messages().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn invitations_come_to_the_calendar_that_was_chosen() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, _] = people(server).await;
        bob.client.request("MKCALENDAR", &bob.path("club/")).await.expect(201);
        let choose = async |name: &str| {
            let patch = format!(
                "<d:propertyupdate xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:set><d:prop>\
                 <c:schedule-default-calendar-URL><d:href>{}</d:href></c:schedule-default-calendar-URL>\
                 </d:prop></d:set></d:propertyupdate>",
                bob.path(name)
            );
            bob.client.request("PROPPATCH", &bob.path("inbox/")).body(patch).await.expect(207).text()
        };
        let refused = choose("nowhere/").await;
        assert!(refused.contains("valid-schedule-default-calendar-URL") && refused.contains("403"), "{refused}");
        assert!(choose("club/").await.contains("200 OK"));
        alice.put(&alice.path("personal/1.ics"), &meeting(&["bob"], "")).await.expect(201);
        assert_eq!(bob.members("club/").await.len(), 1);

        // The choice goes with the calendar, and ends with it.
        let moved = bob.path("society/");
        bob.client.request("MOVE", &bob.path("club/")).header("destination", &moved).await.expect(201);
        let second = meeting(&["bob"], "").replace("UID:meeting", "UID:second");
        alice.put(&alice.path("personal/2.ics"), &second).await.expect(201);
        assert_eq!(bob.members("society/").await.len(), 2);
        bob.delete(&moved).await.expect(204);
        let third = meeting(&["bob"], "").replace("UID:meeting", "UID:third");
        alice.put(&alice.path("personal/3.ics"), &third).await.expect(201);
        assert_eq!(bob.members("personal/").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn whoever_has_no_calendar_left_gets_one_with_the_invitation() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, _] = people(server).await;
        bob.delete(&bob.path("personal/")).await.expect(204);
        alice.put(&alice.path("personal/m.ics"), &meeting(&["bob"], "")).await.expect(201);
        assert!(bob.copy().await.1.contains("SUMMARY:Committee"));
    })
    .await;
}

#[tokio::test]
async fn the_inbox_is_listed_queried_and_synchronised_like_a_calendar() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, _] = people(server).await;
        let own = alice.path("personal/m.ics");
        let sync = async |token: &str| {
            let body = format!(
                "<d:sync-collection xmlns:d='DAV:'><d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level>\
                 <d:prop><d:getetag/></d:prop></d:sync-collection>"
            );
            bob.client.request("REPORT", &bob.path("inbox/")).body(body).await.expect(207).text()
        };
        let first = sync("").await;
        let token = first.split("<d:sync-token>").nth(1).and_then(|rest| rest.split('<').next()).expect("a token");
        alice.put(&own, &meeting(&["bob"], "")).await.expect(201);
        alice.put(&own, &meeting(&["bob"], "DESCRIPTION:agenda\r\n")).await.expect(204);
        let changes = sync(token).await;
        assert_eq!(changes.matches("getetag>\"").count(), 2, "{changes}");
        let query = "<c:calendar-query xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:prop><c:calendar-data/></d:prop>\
                     <c:filter><c:comp-filter name='VCALENDAR'><c:comp-filter name='VEVENT'/></c:comp-filter></c:filter></c:calendar-query>";
        let found = bob.client.request("REPORT", &bob.path("inbox/")).header("depth", "1").body(query).await.expect(207);
        assert_eq!(found.text().matches("METHOD:REQUEST").count(), 2);
        // Nobody writes there but the server.
        bob.put(&bob.path("inbox/own.ics"), &meeting(&["bob"], "")).await.expect(403);
        assert_eq!(bob.messages().await.len(), 2);
        assert!(bob.members("inbox/").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_pool_without_room_for_the_invitation_refuses_the_meeting() {
    on_every_engine(async |server: &Server| {
        let [alice, bob, _] = people(server).await;
        let account = server.space.account_by_login("alice").await.expect("alice");
        let available = server.space.tree_as(&account).quota().await.expect("a pool").available_bytes;
        let room = usize::try_from(available).expect("a small pool");
        // Filled up to less than three copies of the meeting.
        alice.client.put("/filler", vec![b'x'; room - 900]).await.expect(201);
        alice.put(&alice.path("personal/m.ics"), &meeting(&["bob"], "")).await.expect(507);
        assert!(alice.members("personal/").await.is_empty());
        assert!(bob.members("personal/").await.is_empty() && bob.members("inbox/").await.is_empty());
    })
    .await;
}
