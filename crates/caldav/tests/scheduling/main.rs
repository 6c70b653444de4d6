//! Scheduling at its limits, and the way out of the space, on every engine at hand.

#[path = "../../../dav/tests/requests/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the engine, which use the rest of it")]
mod support;

use std::sync::Arc;

use nichoir_caldav::{Caldav, Limits};
use nichoir_store::Area;

use crate::support::{Answer, Server, on_every_engine};

async fn with_limits<F: AsyncFn(&Server)>(limits: Limits, test: F) {
    on_every_engine(Area::Calendars, Arc::new(Caldav { limits }), test).await;
}

/// An object with this organizer and these attendees, who have said nothing.
fn meeting(organizer: &str, attendees: &[&str], more: &str) -> String {
    let attendees: String = attendees.iter().map(|address| format!("ATTENDEE:{address}\r\n")).collect();
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:meeting\r\nDTSTART:20270301T100000Z\r\nDURATION:PT1H\r\n\
         ORGANIZER:{organizer}\r\n{attendees}{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

async fn put(server: &Server, name: &str, text: String) -> Answer {
    server.send("PUT", &format!("/personal/{name}"), "Content-Type: text/calendar", text).await
}

async fn queued(server: &Server) -> Vec<(String, String)> {
    let waiting = server.alice.space.outgoing_messages(10).await.expect("a queue");
    waiting.into_iter().map(|it| (it.message.method, it.message.recipient)).collect()
}

const OUTSIDE: &str = "mailto:someone@elsewhere.test";

/// alice's address: she has no mail, so it is her principal.
fn own(server: &Server) -> &str {
    &server.mount.principal
}

#[tokio::test]
async fn with_mail_messages_for_people_outside_are_queued_with_the_change() {
    with_limits(Limits { sends_mail: true, ..Limits::default() }, async |server: &Server| {
        let own = own(server);
        put(server, "own.ics", meeting(own, &[OUTSIDE], "")).await.expect(201);
        assert_eq!(queued(server).await, [("REQUEST".to_owned(), OUTSIDE.to_owned())]);
        server.get("/personal/own.ics").await.assert_contains("SCHEDULE-STATUS=1.1");
        server.send("DELETE", "/personal/own.ics", "", "").await.expect(204);
        assert_eq!(queued(server).await.len(), 2);
        assert_eq!(queued(server).await[1].0, "CANCEL");

        // An invitation that came by mail is answered by mail.
        let accepted = meeting(OUTSIDE, &[OUTSIDE], &format!("ATTENDEE;PARTSTAT=ACCEPTED:{own}\r\n"));
        let accepted = accepted.replace("UID:meeting", "UID:theirs");
        put(server, "theirs.ics", accepted.clone()).await.expect(201);
        assert_eq!(queued(server).await[2], ("REPLY".to_owned(), OUTSIDE.to_owned()));
        let declined = accepted.replace("PARTSTAT=ACCEPTED", "PARTSTAT=DECLINED");
        put(server, "theirs.ics", declined).await.expect(204);
        let waiting = server.alice.space.outgoing_messages(10).await.expect("a queue");
        let last = String::from_utf8(waiting[3].message.body.clone()).expect("text");
        assert!(last.contains("METHOD:REPLY") && last.contains("PARTSTAT=DECLINED"), "{last}");
    })
    .await;
}

#[tokio::test]
async fn without_mail_an_invitation_from_outside_is_its_holders_to_change() {
    with_limits(Limits::default(), async |server: &Server| {
        let own = own(server);
        let text = meeting(OUTSIDE, &[own], "");
        let put_answer = put(server, "theirs.ics", text.clone()).await.expect(201);
        assert_ne!(put_answer.header("etag"), "", "it is stored as it came");
        assert_eq!(server.get("/personal/theirs.ics").await.text(), text);
        put(server, "theirs.ics", meeting(OUTSIDE, &[own], "SUMMARY:Mine\r\n")).await.expect(204);
        server.get("/personal/theirs.ics").await.assert_contains("SUMMARY:Mine");
        assert!(queued(server).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn more_messages_than_the_limit_are_refused_before_anything_is_stored() {
    let limits = Limits { scheduling_recipients_max: 2, sends_mail: true, ..Limits::default() };
    with_limits(limits, async |server: &Server| {
        let own = own(server);
        let addresses = ["mailto:a@elsewhere.test", "mailto:b@elsewhere.test", "mailto:c@elsewhere.test"];
        let refused = put(server, "many.ics", meeting(own, &addresses, "")).await.expect(403);
        refused.assert_contains("max-attendees-per-instance");
        server.get("/personal/many.ics").await.expect(404);
        assert!(queued(server).await.is_empty());
        put(server, "few.ics", meeting(own, &addresses[..2], "")).await.expect(201);
        assert_eq!(queued(server).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_free_busy_request_is_answered_about_as_many_people_as_the_limit_says() {
    with_limits(Limits { free_busy_recipients_max: 1, ..Limits::default() }, async |server: &Server| {
        let own = own(server);
        let question = |attendees: &str| {
            format!(
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:q\r\nDTSTART:20270301T000000Z\r\n\
                 DTEND:20270302T000000Z\r\nORGANIZER:{own}\r\n{attendees}END:VFREEBUSY\r\nEND:VCALENDAR\r\n"
            )
        };
        let post = async |text: String| {
            server.send("POST", "/outbox/", "Content-Type: text/calendar", text).await.expect(200).text()
        };
        let one = format!("ATTENDEE:{own}\r\n");
        assert!(!post(question(&one)).await.contains("5.1;"));
        let two = post(question(&one.repeat(2))).await;
        assert_eq!((two.matches("2.0;Success").count(), two.matches("5.1;").count()), (1, 1), "{two}");
    })
    .await;
}
