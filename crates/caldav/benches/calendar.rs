//! What a time-range query costs beyond the index: reading and matching 10 000 events, expanding rules. RFC 4791 §9.9.
#![allow(clippy::unwrap_used, reason = "a measurement, of input that is right")]

use divan::{Bencher, black_box, counter::ItemsCount};
use nichoir_caldav::{CalendarObject, Filter, Limits, Zone};

const EVENTS: u64 = 10_000;
/// 2027-01-01, and ten years.
const FROM: i64 = 1_798_761_600;
const TO: i64 = FROM + 10 * 365 * 86_400;

const FILTER: &str = concat!(
    r#"<c:filter xmlns:c="urn:ietf:params:xml:ns:caldav"><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">"#,
    r#"<c:time-range start="20270310T000000Z" end="20270317T000000Z"/></c:comp-filter></c:comp-filter></c:filter>"#
);

fn main() {
    divan::main();
}

fn event(number: u64, rule: &str) -> String {
    let (day, hour) = (1 + number / 24 % 28, number % 24);
    let month = 1 + number / 24 / 28 % 12;
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//nichoir//bench//EN\r\nBEGIN:VEVENT\r\nUID:{number}\r\nDTSTAMP:20270101T000000Z\r\n\
         DTSTART:2027{month:02}{day:02}T{hour:02}0000Z\r\nDURATION:PT1H\r\nSUMMARY:Event {number}\r\n{rule}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// Every tenth repeats.
fn events() -> Vec<String> {
    let rule = |number| if number % 10 == 0 { "RRULE:FREQ=WEEKLY;COUNT=10\r\n" } else { "" };
    (0..EVENTS).map(|number| event(number, rule(number))).collect()
}

#[divan::bench(sample_count = 20)]
fn match_10_000_events(bencher: Bencher<'_, '_>) {
    let limits = Limits::default();
    let element = nichoir_xml::read(FILTER.as_bytes(), &nichoir_xml::Limits::default()).unwrap();
    let filter = Filter::of(&element, &limits).ok().unwrap();
    let events = events();
    let matches = |text: &String| {
        let object = CalendarObject::read(text.as_bytes(), &limits).unwrap();
        filter.matches(&object, &Zone::Utc, &limits)
    };
    assert!(events.iter().any(matches) && !events.iter().all(matches));
    bencher.counter(ItemsCount::new(EVENTS)).bench(|| events.iter().filter(|text| matches(text)).count());
}

#[divan::bench(args = ["FREQ=DAILY", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"])]
fn expand_ten_years(bencher: Bencher<'_, '_>, rule: &str) {
    let limits = Limits::default();
    let text = event(0, &format!("RRULE:{rule}\r\n"));
    let object = CalendarObject::read(text.as_bytes(), &limits).unwrap();
    bencher.bench(|| black_box(object.instances(FROM, TO, &Zone::Utc, &limits)));
}

#[divan::bench]
fn check_an_event_and_index_it(bencher: Bencher<'_, '_>) {
    let limits = Limits::default();
    let text = event(0, "RRULE:FREQ=WEEKLY;COUNT=10\r\n");
    bencher.bench(|| {
        CalendarObject::check(black_box(text.as_bytes()), &limits).ok().unwrap().index(&limits).first_seconds
    });
}
