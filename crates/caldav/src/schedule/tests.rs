//! The rules of scheduling as a table: objects before and after in a short hand, and what becomes of them.
//!
//! `10 bob=NEEDS-ACTION r=DAILY x=03 / 04 12 bob=DECLINED` is alice's meeting at 10 o'clock with bob, daily from the first of
//! March on but not on the third; on the fourth it is at 12, and bob has declined.

use super::answer::refresh;
use super::document::Document;
use super::incoming::deliver;
use super::part::Part;
use super::{Addresses, Message, Options, Plan, attendee, message, organizer};
use crate::object::Limits;

const NOW: i64 = 1_800_000_000;

/// An object from its short hand; `-` is none.
fn object(short: &str) -> Option<Document> {
    if short == "-" {
        return None;
    }
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n".to_owned();
    for (place, part) in short.split(" / ").enumerate() {
        text.push_str(
            "BEGIN:VEVENT\r\nUID:1\r\nORGANIZER:mailto:alice@x\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@x\r\n",
        );
        let mut words = part.split(' ').peekable();
        let numbers: Vec<&str> = std::iter::from_fn(|| words.next_if(|word| word.parse::<u8>().is_ok())).collect();
        let (day, hour) = match numbers.as_slice() {
            [hour] => ("01", *hour),
            [day, hour] => (*day, *hour),
            _ => panic!("a day and an hour: {part}"),
        };
        if place > 0 || numbers.len() == 2 {
            text.push_str(&format!("RECURRENCE-ID:202703{day}T100000Z\r\n"));
        }
        text.push_str(&format!("DTSTART:202703{day}T{hour}0000Z\r\nDURATION:PT1H\r\n"));
        for word in words {
            text.push_str(&line_of(word));
            text.push_str("\r\n");
        }
        text.push_str("END:VEVENT\r\n");
    }
    text.push_str("END:VCALENDAR\r\n");
    Document::read(text.as_bytes(), &Limits::default())
}

fn line_of(word: &str) -> String {
    match word.split_once('=') {
        None if word == "off" => "STATUS:CANCELLED".to_owned(),
        None if word == "free" => "TRANSP:TRANSPARENT".to_owned(),
        Some(("r", rule)) => format!("RRULE:FREQ={rule}"),
        Some(("x", day)) => format!("EXDATE:202703{day}T100000Z"),
        Some(("q", number)) => format!("SEQUENCE:{number}"),
        Some(("s", text)) => format!("SUMMARY:{text}"),
        Some(("a", text)) => format!("X-ALARM:{text}"),
        Some((login, partstat)) => format!("ATTENDEE;PARTSTAT={partstat}:mailto:{login}@x"),
        None => panic!("no short hand: {word}"),
    }
}

/// The short hand of an object.
fn show(document: &Document) -> String {
    document.mains().map(|part| show_part(document, part)).collect::<Vec<_>>().join(" / ")
}

fn show_part(document: &Document, part: &Part) -> String {
    let mut words = Vec::new();
    if let Some(id) = part.value("RECURRENCE-ID") {
        words.push(id[6..8].to_owned());
    }
    words.push(part.value("DTSTART").map(|start| start[9..11].to_owned()).unwrap_or_default());
    for line in part.lines() {
        let value = line.value();
        words.push(match line.name() {
            "ATTENDEE" if !value.contains("alice") => {
                let login = value.trim_start_matches("mailto:").trim_end_matches("@x");
                let status = line.parameter("SCHEDULE-STATUS").map(|status| format!(":{status}")).unwrap_or_default();
                format!("{login}={}{status}", line.partstat())
            }
            "RRULE" => value.replace("FREQ=", "r="),
            "SEQUENCE" if value != "0" => format!("q={value}"),
            "SUMMARY" => format!("s={value}"),
            "X-ALARM" => format!("a={value}"),
            "STATUS" => "off".to_owned(),
            "TRANSP" if value == "TRANSPARENT" => "free".to_owned(),
            _ => continue,
        });
    }
    let dates = document.dates(part, "EXDATE");
    words.extend(dates.iter().map(|date| format!("x={}", &crate::time::utc_text(*date)[6..8])));
    words.join(" ")
}

fn person(login: &str) -> Addresses {
    Addresses::of([format!("mailto:{login}@x")])
}

fn options(merges: bool) -> Options {
    Options { merges, is_silent: false, now_seconds: NOW }
}

fn show_messages(messages: &[Message]) -> String {
    let show_one = |message: &Message| {
        let to = message.recipient.trim_start_matches("mailto:").trim_end_matches("@x");
        format!("{} {to}: {}", message.method.name(), show(&message.document))
    };
    messages.iter().map(show_one).collect::<Vec<_>>().join("; ")
}

/// alice stores `new` over `old`: what is kept, and who is told what.
#[track_caller]
fn organizes(old: &str, new: &str, kept: &str, told: &str) {
    let plan = organizers_plan(old, new, false);
    assert_eq!(plan.document.as_ref().map(show).as_deref(), Some(kept), "kept");
    assert_eq!(show_messages(&plan.messages), told, "told");
}

fn organizers_plan(old: &str, new: &str, merges: bool) -> Plan {
    let (old, new) = (object(old), object(new).expect("an object"));
    let (me, limits) = (person("alice"), Limits::default());
    organizer::Change { old: old.as_ref(), new, me: &me, options: options(merges), limits: &limits }.plan()
}

/// bob stores `new` over `old`: what is kept, and what alice is told; or why not.
#[track_caller]
fn attends(old: &str, new: &str, kept: &str, told: &str) {
    let (old, new) = (object(old).expect("an object"), object(new).expect("an object"));
    let (me, limits) = (person("bob"), Limits::default());
    let change =
        attendee::Change { old: &old, new, me: &me, options: options(false), limits: &limits, transparency: None };
    match change.plan() {
        Ok(plan) => {
            assert_eq!(plan.document.as_ref().map(show).as_deref(), Some(kept), "kept");
            assert_eq!(show_messages(&plan.messages), told, "told");
        }
        Err(refused) => assert_eq!(kept, refused.reason),
    }
}

/// What alice's storing `new` over `old` makes of bob's `copy`.
#[track_caller]
fn arrives(old: &str, new: &str, copy: &str, expected: &str) {
    let mut document = object(copy);
    for message in organizers_plan(old, new, false).messages.iter().filter(|it| it.recipient == "mailto:bob@x") {
        let delivered = deliver(message, document.as_ref(), &person("bob"), &Limits::default());
        document = delivered.document.or(document);
    }
    assert_eq!(document.as_ref().map_or_else(|| "-".to_owned(), show), expected);
}

#[test]
fn everybody_is_invited_and_nobody_has_answered_yet() {
    organizes("-", "10 bob=ACCEPTED", "10 bob=NEEDS-ACTION", "REQUEST bob: 10 bob=NEEDS-ACTION");
    organizes(
        "-",
        "10 bob=NEEDS-ACTION r=DAILY / 03 12 bob=NEEDS-ACTION carol=NEEDS-ACTION",
        "10 bob=NEEDS-ACTION r=DAILY / 03 12 bob=NEEDS-ACTION carol=NEEDS-ACTION",
        "REQUEST bob: 10 bob=NEEDS-ACTION r=DAILY / 03 12 bob=NEEDS-ACTION carol=NEEDS-ACTION; \
         REQUEST carol: 03 12 bob=NEEDS-ACTION carol=NEEDS-ACTION",
    );
}

#[test]
fn what_is_nobody_elses_business_is_not_told() {
    organizes("10 bob=ACCEPTED a=1", "10 bob=ACCEPTED a=2", "10 bob=ACCEPTED a=2", "");
    organizes("10 bob=ACCEPTED", "10 bob=ACCEPTED free", "10 bob=ACCEPTED free", "");
    organizes("10 bob=ACCEPTED q=3", "10 bob=ACCEPTED q=1", "10 bob=ACCEPTED q=3", "");
}

#[test]
fn an_update_has_a_higher_sequence_and_asks_again_if_the_time_is_another() {
    organizes(
        "10 bob=ACCEPTED s=a",
        "10 bob=ACCEPTED s=b",
        "10 bob=ACCEPTED s=b q=1",
        "REQUEST bob: 10 bob=ACCEPTED s=b q=1",
    );
    organizes("10 bob=ACCEPTED", "11 bob=ACCEPTED", "11 bob=NEEDS-ACTION q=1", "REQUEST bob: 11 bob=NEEDS-ACTION q=1");
    // A rule that ends earlier takes nothing but instances away; one that ends later adds some.
    organizes(
        "10 bob=ACCEPTED r=DAILY;COUNT=5",
        "10 bob=ACCEPTED r=DAILY;COUNT=3",
        "10 bob=ACCEPTED r=DAILY;COUNT=3 q=1",
        "REQUEST bob: 10 bob=ACCEPTED r=DAILY;COUNT=3 q=1",
    );
    organizes(
        "10 bob=ACCEPTED r=DAILY;COUNT=3",
        "10 bob=ACCEPTED r=DAILY;COUNT=5",
        "10 bob=NEEDS-ACTION r=DAILY;COUNT=5 q=1",
        "REQUEST bob: 10 bob=NEEDS-ACTION r=DAILY;COUNT=5 q=1",
    );
}

#[test]
fn an_organizer_asks_again_but_does_not_answer_for_others() {
    organizes("10 bob=DECLINED", "10 bob=ACCEPTED", "10 bob=DECLINED", "");
    organizes(
        "10 bob=DECLINED",
        "10 bob=NEEDS-ACTION",
        "10 bob=NEEDS-ACTION q=1",
        "REQUEST bob: 10 bob=NEEDS-ACTION q=1",
    );
    // With a schedule tag the client may not have seen the answer.
    let plan = organizers_plan("10 bob=ACCEPTED", "10 bob=NEEDS-ACTION", true);
    assert_eq!(plan.document.as_ref().map(show).as_deref(), Some("10 bob=ACCEPTED"));
    assert!(plan.messages.is_empty());
}

#[test]
fn a_change_to_one_instance_is_told_to_those_in_it() {
    organizes(
        "10 bob=ACCEPTED r=DAILY",
        "10 bob=ACCEPTED r=DAILY / 03 12 bob=ACCEPTED carol=NEEDS-ACTION",
        "10 bob=ACCEPTED r=DAILY q=1 / 03 12 bob=NEEDS-ACTION carol=NEEDS-ACTION q=1",
        "REQUEST bob: 03 12 bob=NEEDS-ACTION carol=NEEDS-ACTION q=1; \
         REQUEST carol: 03 12 bob=NEEDS-ACTION carol=NEEDS-ACTION q=1",
    );
}

#[test]
fn who_is_taken_off_and_what_does_not_happen_is_cancelled() {
    organizes("10 bob=ACCEPTED", "10", "10 q=1", "CANCEL bob: 10 bob=ACCEPTED off q=1");
    organizes(
        "10 bob=ACCEPTED",
        "10 bob=ACCEPTED off",
        "10 bob=ACCEPTED off q=1",
        "CANCEL bob: 10 bob=ACCEPTED off q=1",
    );
    organizes(
        "10 bob=ACCEPTED r=DAILY",
        "10 bob=ACCEPTED r=DAILY x=03",
        "10 bob=ACCEPTED r=DAILY q=1 x=03",
        "CANCEL bob: 03 10 bob=ACCEPTED off q=1; REQUEST bob: 10 bob=ACCEPTED r=DAILY q=1 x=03",
    );
    organizes(
        "10 bob=ACCEPTED r=DAILY",
        "10 bob=ACCEPTED r=DAILY / 03 10",
        "10 bob=ACCEPTED r=DAILY q=1 / 03 10 q=1",
        "CANCEL bob: 03 10 bob=ACCEPTED off q=1",
    );
    // The end of all is told to those of one instance as the end of all.
    let old = object("10 r=DAILY / 03 10 bob=ACCEPTED").expect("an object");
    let plan = organizer::plan_delete(&old, &person("alice"), NOW);
    assert_eq!(show_messages(&plan.messages), "CANCEL bob: 10 r=DAILY bob=ACCEPTED off q=2");
}

#[test]
fn a_dropped_instance_comes_back_with_its_answers() {
    organizes(
        "10 bob=ACCEPTED r=DAILY / 03 10 bob=DECLINED",
        "10 bob=ACCEPTED r=DAILY",
        "10 bob=ACCEPTED r=DAILY / 03 10 bob=DECLINED",
        "",
    );
    organizes(
        "10 bob=ACCEPTED r=DAILY / 03 12 bob=ACCEPTED",
        "10 bob=ACCEPTED r=DAILY",
        "10 bob=ACCEPTED r=DAILY q=1 / 03 10 bob=NEEDS-ACTION q=1",
        "REQUEST bob: 03 10 bob=NEEDS-ACTION q=1",
    );
}

#[test]
fn an_attendee_answers_and_changes_nothing_else() {
    attends(
        "10 bob=NEEDS-ACTION s=a free",
        "10 bob=ACCEPTED s=b a=1",
        "10 bob=ACCEPTED s=a a=1",
        "REPLY alice: 10 bob=ACCEPTED s=a",
    );
    attends("10 bob=ACCEPTED", "10 bob=ACCEPTED a=1", "10 bob=ACCEPTED a=1", "");
    attends("10 bob=ACCEPTED carol=ACCEPTED", "11 bob=ACCEPTED", "10 bob=ACCEPTED carol=ACCEPTED", "");
    attends("10 bob=ACCEPTED", "10", "An attendee cannot remove themselves; decline instead.", "");
    attends(
        "10 bob=ACCEPTED",
        "10 bob=ACCEPTED / 09 10 bob=ACCEPTED",
        "The organizer's object has no such instance.",
        "",
    );
}

#[test]
fn an_attendee_declines_an_instance_by_taking_it_away() {
    attends(
        "10 bob=ACCEPTED r=DAILY",
        "10 bob=ACCEPTED r=DAILY x=03",
        "10 bob=ACCEPTED r=DAILY x=03",
        "REPLY alice: 03 10 bob=DECLINED",
    );
    attends(
        "10 bob=ACCEPTED r=DAILY / 03 10 bob=DECLINED",
        "10 bob=ACCEPTED r=DAILY x=03",
        "10 bob=ACCEPTED r=DAILY x=03",
        "",
    );
    attends(
        "03 10 bob=ACCEPTED / 04 10 bob=ACCEPTED",
        "04 10 bob=ACCEPTED",
        "04 10 bob=ACCEPTED",
        "REPLY alice: 03 10 bob=DECLINED",
    );
    // A client that drops what it does not understand declines nothing.
    attends(
        "10 bob=ACCEPTED r=DAILY / 03 12 bob=ACCEPTED",
        "10 bob=ACCEPTED r=DAILY",
        "10 bob=ACCEPTED r=DAILY / 03 12 bob=ACCEPTED",
        "",
    );
}

#[test]
fn a_deleted_copy_is_an_answer_unless_it_was_given_or_nothing_happens() {
    let check = |old: &str, told: &str| {
        let plan = attendee::plan_delete(&object(old).expect("an object"), &person("bob"), options(false));
        assert_eq!(show_messages(&plan.messages), told);
    };
    check("10 bob=ACCEPTED", "REPLY alice: 10 bob=DECLINED");
    check("10 bob=DECLINED", "");
    check("10 bob=ACCEPTED off", "");
    check("10 bob=ACCEPTED r=DAILY / 03 10 bob=DECLINED", "REPLY alice: 10 bob=DECLINED r=DAILY");
}

#[test]
fn an_unanswered_copy_takes_no_time_and_an_update_keeps_what_is_the_recipients_own() {
    arrives("-", "10 bob=NEEDS-ACTION", "-", "10 bob=NEEDS-ACTION free");
    arrives("10 bob=ACCEPTED s=a", "10 bob=ACCEPTED s=b", "10 bob=ACCEPTED s=a a=1", "10 bob=ACCEPTED s=b q=1 a=1");
    // What was declined and deleted does not come back before it is at another time.
    arrives("10 bob=DECLINED s=a", "10 bob=DECLINED s=b", "-", "-");
    arrives("10 bob=DECLINED", "12 bob=DECLINED", "-", "12 bob=NEEDS-ACTION q=1 free");
}

#[test]
fn cancelled_instances_stay_to_be_seen_and_removed_ones_away() {
    arrives(
        "10 bob=ACCEPTED r=DAILY",
        "10 bob=ACCEPTED r=DAILY x=03",
        "10 bob=ACCEPTED r=DAILY",
        "10 bob=ACCEPTED r=DAILY q=1 / 03 10 bob=ACCEPTED off q=1",
    );
    arrives(
        "10 bob=ACCEPTED r=DAILY s=a / 03 10 bob=DECLINED s=a",
        "10 bob=ACCEPTED r=DAILY s=b / 03 10 bob=DECLINED s=b",
        "10 bob=ACCEPTED r=DAILY s=a x=03",
        "10 bob=ACCEPTED r=DAILY s=b q=1 x=03",
    );
    arrives(
        "10 bob=ACCEPTED r=DAILY / 03 10 bob=DECLINED",
        "10 bob=ACCEPTED r=DAILY / 03 12 bob=DECLINED",
        "10 bob=ACCEPTED r=DAILY x=03",
        "10 bob=ACCEPTED r=DAILY / 03 12 bob=NEEDS-ACTION q=1 free",
    );
}

#[test]
fn an_answer_is_merged_and_shown_to_the_others() {
    let alices = object("10 bob=NEEDS-ACTION carol=NEEDS-ACTION r=DAILY").expect("an object");
    let answer = object("03 10 bob=DECLINED").expect("an object");
    let parts: Vec<Part> = answer.mains().cloned().collect();
    let reply = message::reply(&answer, "mailto:bob@x", "mailto:alice@x", &parts, NOW);
    let delivered = deliver(&reply, Some(&alices), &person("alice"), &Limits::default());
    let merged = delivered.document.expect("an answer");
    assert_eq!(
        show(&merged),
        "10 bob=NEEDS-ACTION carol=NEEDS-ACTION r=DAILY / 03 10 bob=DECLINED:2.0 carol=NEEDS-ACTION"
    );
    let carols = object("10 bob=NEEDS-ACTION carol=ACCEPTED r=DAILY a=1").expect("an object");
    let refreshed = refresh(&merged, "mailto:carol@x", &carols, &person("carol"), NOW, &Limits::default());
    assert_eq!(
        refreshed.as_ref().map(show).as_deref(),
        Some("10 bob=NEEDS-ACTION carol=ACCEPTED r=DAILY a=1 / 03 10 bob=DECLINED carol=ACCEPTED a=1")
    );
    // Whoever was not invited does not answer, and nobody answers to somebody else's object.
    let stranger = message::reply(&answer, "mailto:dave@x", "mailto:alice@x", &parts, NOW);
    assert!(deliver(&stranger, Some(&alices), &person("alice"), &Limits::default()).document.is_none());
    assert!(deliver(&reply, Some(&alices), &person("carol"), &Limits::default()).document.is_none());
}
