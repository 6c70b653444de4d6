//! What takes time, and how the answer says it.

use super::*;
use crate::recurrence::tests::calendar;
use crate::time::utc;

#[track_caller]
fn check(kind: &str, components: &[&str], expected: &[&str]) {
    let at = |text: &str| utc(text).expect("an instant");
    let mut found = FreeBusy::within(TimeRange { start: at("20250110T000000Z"), end: at("20250112T000000Z") });
    let text = calendar(kind, components);
    let object = CalendarObject::read(text.as_bytes(), &Limits::default()).expect("it can be read");
    found.add(&object, &Zone::Utc, &Limits::default());
    assert_eq!(found.lines(), expected, "{components:?}");
}

const HOUR: &str = "DTSTART:20250110T100000Z\nDTEND:20250110T110000Z";

#[test]
fn events_take_time_unless_they_say_otherwise() {
    check("VEVENT", &[HOUR], &["FREEBUSY;FBTYPE=BUSY:20250110T100000Z/20250110T110000Z"]);
    check(
        "VEVENT",
        &[&format!("{HOUR}\nSTATUS:TENTATIVE")],
        &["FREEBUSY;FBTYPE=BUSY-TENTATIVE:20250110T100000Z/20250110T110000Z"],
    );
    check("VEVENT", &[&format!("{HOUR}\nSTATUS:CANCELLED")], &[]);
    check("VEVENT", &[&format!("{HOUR}\nTRANSP:TRANSPARENT")], &[]);
    check("VEVENT", &["DTSTART:20250110T100000Z"], &[]);
    check("VTODO", &[HOUR], &[]);
}

#[test]
fn periods_are_cut_to_the_range_and_joined() {
    check(
        "VEVENT",
        &["DTSTART:20250109T230000Z\nDTEND:20250110T010000Z"],
        &["FREEBUSY;FBTYPE=BUSY:20250110T000000Z/20250110T010000Z"],
    );
    check(
        "VEVENT",
        &["DTSTART:20250111T220000Z\nDURATION:PT2H\nRRULE:FREQ=HOURLY;COUNT=9"],
        &["FREEBUSY;FBTYPE=BUSY:20250111T220000Z/20250112T000000Z"],
    );
    check(
        "VFREEBUSY",
        &[
            "FREEBUSY:20250110T000000Z/PT1H,20250110T010000Z/PT1H\nFREEBUSY;FBTYPE=FREE:20250110T050000Z/PT1H\nFREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20250111T000000Z/PT1H",
        ],
        &[
            "FREEBUSY;FBTYPE=BUSY:20250110T000000Z/20250110T020000Z",
            "FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20250111T000000Z/20250111T010000Z",
        ],
    );
}

#[test]
fn instances_count_one_by_one() {
    let daily = "DTSTART:20250101T100000Z\nDTEND:20250101T110000Z\nRRULE:FREQ=DAILY";
    let cancelled =
        "RECURRENCE-ID:20250110T100000Z\nDTSTART:20250110T100000Z\nDTEND:20250110T110000Z\nSTATUS:CANCELLED";
    check("VEVENT", &[daily, cancelled], &["FREEBUSY;FBTYPE=BUSY:20250111T100000Z/20250111T110000Z"]);
}
