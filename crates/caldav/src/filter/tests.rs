//! Filters against objects: the tables of RFC 4791 §9.9 line by line, and what clients really ask.

use super::*;
use crate::recurrence::tests::calendar;

fn filter(inner: &str) -> Result<Filter, Error> {
    let xml =
        format!("<filter xmlns='{}'><comp-filter name='VCALENDAR'>{inner}</comp-filter></filter>", caldav::NAMESPACE);
    let element = nichoir_xml::read(xml.as_bytes(), &nichoir_xml::Limits::default()).expect("it is XML");
    Filter::of(&element, &Limits::default())
}

fn matches(text: &str, inner: &str) -> bool {
    let limits = Limits::default();
    let object = CalendarObject::read(text.as_bytes(), &limits).expect("it can be read");
    let filter = filter(inner).expect("a filter");
    let found = filter.matches(&object, &Zone::Utc, &limits);
    if found {
        let (index, wanted) = (object.index(&limits), filter.prefilter());
        assert!(wanted.component.is_none_or(|component| component == index.component), "the index tells another type");
        assert!(
            wanted.start_seconds <= index.last_seconds && wanted.end_seconds >= index.first_seconds,
            "the index leaves {text} out of {inner}"
        );
    }
    found
}

/// Whether a component of these lines lies in the range `start..end`, either of which may be empty.
#[track_caller]
fn check(kind: &str, lines: &str, start: &str, end: &str, expected: bool) {
    let bound = |name: &str, value: &str| if value.is_empty() { String::new() } else { format!(" {name}='{value}'") };
    let range = format!("<time-range{}{}/>", bound("start", start), bound("end", end));
    let inner = format!("<comp-filter name='{kind}'>{range}</comp-filter>");
    assert_eq!(matches(&calendar(kind, &[lines]), &inner), expected, "{lines} in {start}..{end}");
}

#[test]
fn events_in_time() {
    let hour = "DTSTART:20250110T100000Z\nDTEND:20250110T110000Z";
    check("VEVENT", hour, "20250110T110000Z", "20250111T000000Z", false);
    check("VEVENT", hour, "20250110T105959Z", "20250111T000000Z", true);
    check("VEVENT", hour, "20250109T000000Z", "20250110T100000Z", false);
    check("VEVENT", hour, "20250109T000000Z", "20250110T100001Z", true);
    check("VEVENT", hour, "20250109T000000Z", "", true);
    check("VEVENT", hour, "", "20250110T100000Z", false);
    check("VEVENT", "DTSTART:20250110T100000Z\nDURATION:PT1H", "20250110T103000Z", "20250110T104000Z", true);
    // No length: the instant counts.
    for point in [
        "DTSTART:20250110T100000Z",
        "DTSTART:20250110T100000Z\nDURATION:PT0S",
        "DTSTART:20250110T100000Z\nDTEND:20250110T100000Z",
    ] {
        check("VEVENT", point, "20250110T100000Z", "20250110T110000Z", true);
        check("VEVENT", point, "20250110T090000Z", "20250110T100000Z", false);
    }
    let day = "DTSTART;VALUE=DATE:20250110";
    check("VEVENT", day, "20250110T230000Z", "20250111T000000Z", true);
    check("VEVENT", day, "20250111T000000Z", "20250112T000000Z", false);
    check("VEVENT", "SUMMARY:no date", "20250111T000000Z", "20250112T000000Z", false);
}

#[test]
fn to_dos_in_time() {
    let both = "DTSTART:20250110T100000Z\nDUE:20250112T100000Z";
    check("VTODO", both, "20250111T000000Z", "20250111T010000Z", true);
    check("VTODO", both, "20250112T100000Z", "20250113T000000Z", false);
    check("VTODO", both, "20250109T000000Z", "20250110T100000Z", false);
    let lasting = "DTSTART:20250110T100000Z\nDURATION:PT1H";
    check("VTODO", lasting, "20250110T110000Z", "20250110T120000Z", true);
    check("VTODO", lasting, "20250110T110001Z", "20250110T120000Z", false);
    check("VTODO", "DTSTART:20250110T100000Z", "20250110T100000Z", "20250110T110000Z", true);
    let due = "DUE:20250110T100000Z";
    check("VTODO", due, "20250110T090000Z", "20250110T100000Z", true);
    check("VTODO", due, "20250110T100000Z", "20250110T110000Z", false);
    let done = "CREATED:20250110T000000Z\nCOMPLETED:20250120T000000Z";
    check("VTODO", done, "20250115T000000Z", "20250116T000000Z", true);
    check("VTODO", done, "20250121T000000Z", "20250122T000000Z", false);
    check("VTODO", "COMPLETED:20250120T000000Z", "20250120T000000Z", "20250120T000001Z", true);
    check("VTODO", "CREATED:20250120T000000Z", "20250119T000000Z", "20250120T000000Z", false);
    check("VTODO", "CREATED:20250120T000000Z", "20300101T000000Z", "20310101T000000Z", true);
    check("VTODO", "SUMMARY:someday", "20300101T000000Z", "20310101T000000Z", true);
}

#[test]
fn journals_and_busy_times() {
    check("VJOURNAL", "DTSTART:20250110T100000Z", "20250110T100000Z", "20250110T110000Z", true);
    check("VJOURNAL", "DTSTART;VALUE=DATE:20250110", "20250110T230000Z", "20250111T000000Z", true);
    check("VJOURNAL", "SUMMARY:undated", "20250110T230000Z", "20250111T000000Z", false);
    check(
        "VFREEBUSY",
        "DTSTART:20250110T100000Z\nDTEND:20250110T110000Z",
        "20250110T110000Z",
        "20250110T120000Z",
        true,
    );
    check("VFREEBUSY", "FREEBUSY:20250110T100000Z/PT1H", "20250110T103000Z", "20250110T120000Z", true);
    check("VFREEBUSY", "FREEBUSY:20250110T100000Z/PT1H", "20250110T110000Z", "20250110T120000Z", false);
}

#[test]
fn alarms_in_time() {
    let alarm = |trigger: &str| {
        format!("DTSTART:20250110T100000Z\nDTEND:20250110T110000Z\nBEGIN:VALARM\n{trigger}\nEND:VALARM")
    };
    let inner = "<comp-filter name='VEVENT'><comp-filter name='VALARM'><time-range start='20250110T093000Z' end='20250110T100000Z'/></comp-filter></comp-filter>";
    let check = |trigger: &str, expected: bool| {
        assert_eq!(matches(&calendar("VEVENT", &[&alarm(trigger)]), inner), expected, "{trigger}");
    };
    check("TRIGGER:-PT15M", true);
    check("TRIGGER:-PT45M", false);
    check("TRIGGER:-PT45M\nREPEAT:2\nDURATION:PT10M", true);
    check("TRIGGER;RELATED=END:-PT75M", true);
    check("TRIGGER;VALUE=DATE-TIME:20250110T094500Z", true);
    check("TRIGGER:PT0S", false);
    check("ACTION:DISPLAY", false);
}

#[test]
fn recurring_events_in_time() {
    let weekly = "DTSTART:20250106T100000Z\nDTEND:20250106T110000Z\nRRULE:FREQ=WEEKLY";
    check("VEVENT", weekly, "20450102T100000Z", "20450102T103000Z", true);
    check("VEVENT", weekly, "20450103T100000Z", "20450103T103000Z", false);
    check("VEVENT", &format!("{weekly};COUNT=2"), "20250120T000000Z", "20250121T000000Z", false);
    let moved = [
        "DTSTART:20250106T100000Z\nRRULE:FREQ=WEEKLY;COUNT=2",
        "RECURRENCE-ID:20250113T100000Z\nDTSTART:20260113T100000Z",
    ];
    let at = |start: &str, end: &str| {
        let inner = format!("<comp-filter name='VEVENT'><time-range start='{start}' end='{end}'/></comp-filter>");
        matches(&calendar("VEVENT", &moved), &inner)
    };
    assert!(!at("20250113T000000Z", "20250114T000000Z"));
    assert!(at("20260113T000000Z", "20260114T000000Z"));
}

#[test]
fn properties_and_their_texts() {
    let event = calendar(
        "VEVENT",
        &[
            "DTSTART:20250110T100000Z\nSUMMARY:Assemblée\\, générale\nCATEGORIES:one,Two\nATTENDEE;PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:a@example.org",
        ],
    );
    let check = |inner: &str, expected: bool| {
        let inner = format!("<comp-filter name='VEVENT'>{inner}</comp-filter>");
        assert_eq!(matches(&event, &inner), expected, "{inner}");
    };
    let text = |attributes: &str, text: &str| {
        format!("<prop-filter name='summary'><text-match {attributes}>{text}</text-match></prop-filter>")
    };
    check(&text("", "assembl"), true);
    check(&text("", ", g"), true);
    check(&text("collation='i;octet'", "assembl"), false);
    check(&text("negate-condition='yes'", "assembl"), false);
    check(&text("negate-condition='yes'", "other"), true);
    check(&text("collation='i;unicode-casemap'", "GÉNÉRALE"), true);
    check("<prop-filter name='SUMMARY'/>", true);
    check("<prop-filter name='LOCATION'/>", false);
    check("<prop-filter name='LOCATION'><is-not-defined/></prop-filter>", true);
    check("<prop-filter name='LOCATION'><text-match negate-condition='yes'>x</text-match></prop-filter>", false);
    check("<prop-filter name='CATEGORIES'><text-match>two</text-match></prop-filter>", true);
    let param = |inner: &str| {
        format!("<prop-filter name='ATTENDEE'><param-filter name='partstat'>{inner}</param-filter></prop-filter>")
    };
    check(&param("<text-match>accepted</text-match>"), true);
    check(&param("<text-match>declined</text-match>"), false);
    check(&param("<is-not-defined/>"), false);
    check(
        "<prop-filter name='ATTENDEE'><param-filter name='RSVP'><is-not-defined/></param-filter></prop-filter>",
        true,
    );
    check(
        "<prop-filter name='DTSTART'><time-range start='20250110T000000Z' end='20250111T000000Z'/></prop-filter>",
        true,
    );
    check("<prop-filter name='DTSTART'><time-range start='20250111T000000Z'/></prop-filter>", false);
}

#[test]
fn components_that_are_there_or_not() {
    let event = calendar("VEVENT", &["DTSTART:20250110T100000Z"]);
    assert!(matches(&event, ""));
    assert!(matches(&event, "<comp-filter name='vevent'/>"));
    assert!(!matches(&event, "<comp-filter name='VTODO'/>"));
    assert!(matches(&event, "<comp-filter name='VTODO'><is-not-defined/></comp-filter>"));
    assert!(!matches(&event, "<comp-filter name='VEVENT'/><comp-filter name='VTODO'/>"));
    assert!(matches(
        &event,
        "<comp-filter name='VEVENT'><comp-filter name='VALARM'><is-not-defined/></comp-filter></comp-filter>"
    ));
}

#[test]
fn one_condition_of_several_may_be_enough() {
    let event = calendar("VEVENT", &["DTSTART;TZID=Europe/Paris:20250110T100000\nSUMMARY:one\nCATEGORIES:x"]);
    let test = |attribute: &str| {
        let text = |name: &str, text: &str| {
            format!("<prop-filter name='{name}'><text-match>{text}</text-match></prop-filter>")
        };
        let inner = [text("SUMMARY", "two"), text("CATEGORIES", "x")].concat();
        format!("<comp-filter name='VEVENT' {attribute}>{inner}</comp-filter>")
    };
    assert!(!matches(&event, &test("")));
    assert!(!matches(&event, &test("test='allof'")));
    assert!(matches(&event, &test("test='anyof'")));
    let zone = |attribute: &str| {
        let param = |zone: &str| format!("<param-filter name='TZID'><text-match>{zone}</text-match></param-filter>");
        let inner = [param("Paris"), param("Berlin")].concat();
        format!(
            "<comp-filter name='VEVENT'><prop-filter name='DTSTART' {attribute}>{inner}</prop-filter></comp-filter>"
        )
    };
    assert!(!matches(&event, &zone("")));
    assert!(matches(&event, &zone("test='anyof'")));
}

#[test]
fn what_is_no_filter_is_refused_by_name() {
    let check = |inner: &str, expected: &str| {
        let error = filter(inner).expect_err("it is refused");
        let condition = error.condition().map(|condition| condition.name.local.to_string());
        assert_eq!(condition.as_deref(), Some(expected), "{inner}");
    };
    for range in ["", "start='20250110T000000Z' end='20250109T000000Z'"] {
        let inner = format!("<comp-filter name='VEVENT'><time-range {range}/></comp-filter>");
        assert_eq!(filter(&inner).expect_err("it is refused").status(), 400);
    }
    check("<comp-filter name='VEVENT'><time-range start='yesterday'/></comp-filter>", "valid-filter");
    for misplaced in [
        "<comp-filter name='VALARM'/>",
        "<comp-filter name='VEVENT'><comp-filter name='VEVENT'/></comp-filter>",
        "<comp-filter name='VEVENT'><comp-filter name='VALARM'><comp-filter name='VEVENT'/></comp-filter></comp-filter>",
        "<comp-filter name='VTIMEZONE'><time-range start='20250110T000000Z'/></comp-filter>",
        "<comp-filter name='X-COMP'><time-range start='20250110T000000Z'/></comp-filter>",
        "<comp-filter name='VEVENT'><prop-filter name='SUMMARY'><time-range start='20250110T000000Z'/></prop-filter></comp-filter>",
        "<comp-filter name='VEVENT'><time-range start='20250110'/></comp-filter>",
    ] {
        check(misplaced, "valid-filter");
    }
    check("<comp-filter/>", "valid-filter");
    check(
        "<comp-filter name='VEVENT'><prop-filter name='X'><text-match collation='i;klingon'>x</text-match></prop-filter></comp-filter>",
        "supported-collation",
    );
    check("<comp-filter name='VEVENT'><nonsense/></comp-filter>", "supported-filter");
    check(&"<comp-filter name='VEVENT'/>".repeat(100), "valid-filter");
}

proptest::proptest! {
    /// Whatever recurs however: what the exact filter finds, the index does not leave out ([`matches`] asserts it).
    #[test]
    fn the_index_never_leaves_out_what_matches(
        start in 0i64..2_000_000_000,
        hours in 0i64..100,
        is_date in proptest::bool::ANY,
        rule in proptest::sample::select(vec!["", "RRULE:FREQ=DAILY;COUNT=5", "RRULE:FREQ=WEEKLY;UNTIL=20350101T000000Z", "RRULE:FREQ=MONTHLY", "RRULE:FREQ=HOURLY;COUNT=30", "RDATE:20310101T000000Z"]),
        zone in proptest::sample::select(vec!["", ";TZID=Pacific/Kiritimati", ";TZID=America/Los_Angeles"]),
        offset in -3_000_000i64..60_000_000,
        length in 1i64..3_000_000,
    ) {
        let stamp = |at: i64| crate::time::utc_text(at).trim_end_matches('Z').to_owned();
        let lines = match is_date {
            true => format!("DTSTART;VALUE=DATE:{}\n{rule}", &stamp(start)[..8]),
            false => format!("DTSTART{zone}:{}\nDURATION:PT{hours}H\n{rule}", stamp(start)),
        };
        let (from, to) = (start + offset, start + offset + length);
        let inner = format!("<comp-filter name='VEVENT'><time-range start='{}Z' end='{}Z'/></comp-filter>", stamp(from), stamp(to));
        matches(&calendar("VEVENT", &[&lines]), &inner);
    }
}

#[test]
fn a_property_is_looked_for_in_the_components_when_no_type_of_component_is_named() {
    let event = calendar("VEVENT", &["DTSTART:20250110T100000Z\nCATEGORIES:hands,feet"]);
    let text = |text: &str| format!("<prop-filter name='categories'><text-match>{text}</text-match></prop-filter>");
    assert!(matches(&event, &text("feet")));
    assert!(!matches(&event, &text("heads")));
    assert!(!matches(&event, "<prop-filter name='categories'><is-not-defined/></prop-filter>"));
    assert!(matches(&event, "<prop-filter name='LOCATION'><is-not-defined/></prop-filter>"));
    assert!(matches(&event, "<prop-filter name='VERSION'><text-match>2.0</text-match></prop-filter>"));
}
