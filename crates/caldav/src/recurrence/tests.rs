//! What recurs when. Each case is the lines of an event and a window; the answer is when its instances begin.

use super::*;
use crate::time::{civil, utc};

/// A VCALENDAR of these components, each a list of lines.
pub(crate) fn calendar(kind: &str, components: &[&str]) -> String {
    let mut text = "BEGIN:VCALENDAR\nVERSION:2.0\n".to_owned();
    for lines in components {
        text.push_str(&format!("BEGIN:{kind}\nUID:a\n{}\nEND:{kind}\n", lines.trim()));
    }
    text + "END:VCALENDAR\n"
}

/// The instances of an object that begin in a window, written on their own clock; overrides in brackets.
fn instances(text: &str, from: &str, to: &str, default: &Zone) -> String {
    let limits = Limits::default();
    let object = CalendarObject::read(text.as_bytes(), &limits).expect("it can be read");
    let (from, to) = (utc(from).expect("an instant"), utc(to).expect("an instant"));
    let found = object.instances(from, to, default, &limits);
    let within = found.list.iter().filter(|it| {
        it.start.as_ref().is_some_and(|start| {
            let start = start.instant(default);
            start >= from && start < to
        })
    });
    let shown = within.map(|it| {
        let start = it.start.as_ref().expect("it has a start");
        let text = start.at(start.civil);
        let shown = Moment { zone: Zone::Floating, ..text }.to_value();
        if it.component == 0 { shown } else { format!("[{shown}]") }
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(components: &[&str], from: &str, to: &str, expected: &str) {
    assert_eq!(instances(&calendar("VEVENT", components), from, to, &Zone::Utc), expected, "{components:?}");
}

#[test]
fn rules_and_where_they_end() {
    let daily = |rule: &str| format!("DTSTART:20250101T100000Z\nRRULE:FREQ=DAILY;{rule}");
    check(&[&daily("COUNT=2")], "20250101", "20260101", "20250101T100000 20250102T100000");
    check(&[&daily("UNTIL=20250102T100000Z")], "20250101", "20260101", "20250101T100000 20250102T100000");
    check(&[&daily("UNTIL=20250102")], "20250101", "20260101", "20250101T100000 20250102T100000");
    check(&[&daily("INTERVAL=400")], "20300101", "20310101", "20300624T100000");
    check(&[&daily("INTERVAL=0;COUNT=1")], "20250101", "20260101", "20250101T100000");
    check(&["DTSTART:20250131T100000Z\nRRULE:FREQ=MONTHLY"], "20250201", "20250601", "20250331T100000 20250531T100000");
    check(&["DTSTART:20240229\nRRULE:FREQ=YEARLY"], "20250101", "20330101", "20280229 20320229");
    check(
        &["DTSTART:20250106T090000Z\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR"],
        "20350101",
        "20350120",
        "20350108T090000 20350112T090000",
    );
    check(
        &["DTSTART:20250101T100000Z\nRRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"],
        "20250102",
        "20250301",
        "20250131T100000 20250228T100000",
    );
}

#[test]
fn the_start_is_an_instance_even_where_the_rule_does_not_yield_it() {
    check(
        &["DTSTART:20250101T100000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=2"],
        "20250101",
        "20260101",
        "20250101T100000 20250106T100000 20250113T100000",
    );
}

#[test]
fn a_rule_that_nobody_understands_leaves_the_start() {
    for rule in ["FREQ=NEVER", "nonsense", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"] {
        check(&[&format!("DTSTART:20250101T100000Z\nRRULE:{rule}")], "20250101", "20990101", "20250101T100000");
    }
}

#[test]
fn dates_are_added_and_taken_out() {
    let event = "DTSTART:20250101T100000Z\nRRULE:FREQ=DAILY;COUNT=3\nRDATE:20250110T120000Z\nRDATE;VALUE=PERIOD:20250111T120000Z/PT2H";
    check(
        &[&format!("{event}\nEXDATE:20250102T100000Z")],
        "20250101",
        "20260101",
        "20250101T100000 20250103T100000 20250110T120000 20250111T120000",
    );
    // Written as a date, it means the whole day.
    check(
        &[&format!("{event}\nEXDATE;VALUE=DATE:20250102,20250110")],
        "20250101",
        "20260101",
        "20250101T100000 20250103T100000 20250111T120000",
    );
    check(
        &[&format!("{event}\nEXRULE:FREQ=DAILY;INTERVAL=2")],
        "20250101",
        "20260101",
        "20250102T100000 20250110T120000 20250111T120000",
    );
}

#[test]
fn overrides_replace_their_instance() {
    let master = "DTSTART:20250101T100000Z\nRRULE:FREQ=DAILY;COUNT=3";
    check(
        &[master, "RECURRENCE-ID:20250102T100000Z\nDTSTART:20250102T150000Z"],
        "20250101",
        "20260101",
        "20250101T100000 [20250102T150000] 20250103T100000",
    );
    // Out of the window of the master, and named in another zone.
    check(
        &[master, "RECURRENCE-ID;TZID=Europe/Paris:20250102T110000\nDTSTART:20260102T150000Z"],
        "20250101",
        "20260601",
        "20250101T100000 20250103T100000 [20260102T150000]",
    );
    // An override on an excluded date wins.
    check(
        &[&format!("{master}\nEXDATE:20250102T100000Z"), "RECURRENCE-ID:20250102T100000Z\nDTSTART:20250102T150000Z"],
        "20250101",
        "20260101",
        "20250101T100000 [20250102T150000] 20250103T100000",
    );
    // Without a master.
    check(&["RECURRENCE-ID:20250102T100000Z\nDTSTART:20250102T150000Z"], "20250101", "20260101", "20250102T150000");
}

#[test]
fn this_and_future_shifts_what_follows() {
    let master = "DTSTART:20250101T100000Z\nRRULE:FREQ=DAILY;COUNT=4";
    check(
        &[master, "RECURRENCE-ID;RANGE=THISANDFUTURE:20250103T100000Z\nDTSTART:20250103T120000Z"],
        "20250101",
        "20260101",
        "20250101T100000 20250102T100000 [20250103T120000] [20250104T120000]",
    );
}

#[test]
fn rules_follow_the_wall_clock() {
    let paris = "DTSTART;TZID=Europe/Paris:20250329T023000\nRRULE:FREQ=DAILY;COUNT=3";
    let text = calendar("VEVENT", &[paris]);
    let object = CalendarObject::read(text.as_bytes(), &Limits::default()).expect("it can be read");
    let found = object.instances(0, i64::MAX / 8, &Zone::Utc, &Limits::default());
    let starts: Vec<i64> =
        found.list.iter().filter_map(|it| it.start.as_ref()).map(|start| start.instant(&Zone::Utc)).collect();
    // On the 30th the clock skips 2:30: read with the offset before the change.
    let expected = ["20250329T013000Z", "20250330T013000Z", "20250331T003000Z"];
    assert_eq!(starts, expected.map(|text| utc(text).expect("an instant")));
}

#[test]
fn days_have_the_length_of_the_zone_that_they_are_read_in() {
    let text = calendar("VEVENT", &["DTSTART;VALUE=DATE:20250330"]);
    let object = CalendarObject::read(text.as_bytes(), &Limits::default()).expect("it can be read");
    let paris = Zone::of_name("Europe/Paris").expect("a known zone");
    let found = object.instances(0, i64::MAX / 8, &paris, &Limits::default());
    let [day] = &found.list[..] else { panic!("one instance") };
    let start = day.start.as_ref().expect("it has a start").instant(&paris);
    assert_eq!(day.end.expect("it has an end") - start, 23 * 3600);
}

#[test]
fn a_walk_ends_whatever_the_rule() {
    let limits = Limits { recurrence_steps_max: 1_000, instances_max: 50, ..Limits::default() };
    for rule in [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;BYHOUR=3",
        "FREQ=DAILY",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=31",
    ] {
        let text = calendar("VEVENT", &[&format!("DTSTART:19000101T000000Z\nRRULE:{rule}")]);
        let object = CalendarObject::read(text.as_bytes(), &limits).expect("it can be read");
        let found = object.instances(i64::MIN / 4, i64::MAX / 4, &Zone::Utc, &limits);
        assert!(found.list.len() <= 51, "{rule}: {}", found.list.len());
        // A window far from the start is reached without walking there.
        let from = civil("21000101").expect("a date").0;
        let near = object.instances(from, from + 7 * DAY, &Zone::Utc, &limits);
        assert!(near.list.len() <= 51, "{rule}");
        if rule == "FREQ=DAILY" {
            assert!(near.list.len() >= 7 && !near.is_cut, "{}", near.list.len());
        }
    }
}

#[test]
fn rules_that_multiply_within_a_day_are_not_heeded() {
    let list = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    let rule =
        format!("FREQ=YEARLY;BYHOUR={};BYMINUTE={};BYSECOND={};BYSETPOS=-1;COUNT=3000", list(24), list(60), list(60));
    check(&[&format!("DTSTART:20250101T100000Z\nRRULE:{rule}")], "20250101", "20300101", "20250101T100000");
    // Every minute of a day is still a rule.
    let rule = format!("FREQ=DAILY;COUNT=3;BYHOUR={};BYMINUTE={}", list(24), list(60));
    check(
        &[&format!("DTSTART:20250101T000000Z\nRRULE:{rule}")],
        "20250101",
        "20300101",
        "20250101T000000 20250101T000100 20250101T000200",
    );
}

#[test]
fn only_so_many_rules_and_onsets_are_looked_at() {
    let never = "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1\n".repeat(1_000);
    check(&[&format!("DTSTART:20250101T100000Z\n{never}")], "20250101", "20300101", "20250101T100000");
    let rules = "RRULE:FREQ=DAILY\n".repeat(1_000);
    let zone = format!(
        "BEGIN:VTIMEZONE\nTZID:Own\nBEGIN:STANDARD\nDTSTART:19000101T000000\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0100\n{rules}END:STANDARD\nEND:VTIMEZONE\n"
    );
    let text = calendar("VEVENT", &["DTSTART;TZID=Own:20250101T100000"])
        .replace("BEGIN:VEVENT", &format!("{zone}BEGIN:VEVENT"));
    let object = CalendarObject::read(text.as_bytes(), &Limits::default()).expect("it can be read");
    let found = object.instances(0, i64::MAX / 8, &Zone::Utc, &Limits::default());
    let start = found.list[0].start.as_ref().expect("it has a start").instant(&Zone::Utc);
    assert_eq!(start, utc("20250101T090000Z").expect("an instant"));
}
