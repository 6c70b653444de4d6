//! Any bytes as a calendar object: refused, or indexed and walked in bounded time, and what is made of it is one again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nichoir_caldav::{CalendarObject, FreeBusy, Limits, TimeRange, Zone};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { recurrence_steps_max: 2_000, instances_max: 100, ..Limits::default() };
    let Ok(object) = CalendarObject::check(bytes, &limits) else { return };
    let index = object.index(&limits);
    assert!(index.first_seconds <= index.last_seconds, "the index ends before it begins");
    let range = TimeRange { start: 1_700_000_000, end: 1_710_000_000 };
    let _ = object.instances(range.start, range.end, &Zone::Utc, &limits);
    let mut busy = FreeBusy::within(range);
    busy.add(&object, &Zone::Utc, &limits);
    CalendarObject::read(&busy.to_calendar(0, None, &["UID:x".to_owned()]), &limits).expect("an answer is an object");
});
