//! What goes out of an object, line by line.

use super::*;
use crate::recurrence::tests::calendar;

/// What a `calendar-data` element with these children makes of an object; lines in one line.
fn render(text: &str, inner: &str, zones: ZoneWish) -> String {
    let xml = format!("<calendar-data xmlns='{}'>{inner}</calendar-data>", caldav::NAMESPACE);
    let element = nichoir_xml::read(xml.as_bytes(), &nichoir_xml::Limits::default()).expect("it is XML");
    let limits = Limits::default();
    let data = CalendarData::of(&element, &limits).expect("it is understood").with_zones(zones);
    let object = CalendarObject::read(text.as_bytes(), &limits).expect("it can be read");
    let out = String::from_utf8(data.render(&object, &Zone::Utc, &limits)).expect("it is text");
    nichoir_contentline::parse(out.as_bytes(), &limits.content).expect("its frame is whole");
    let lines: Vec<&str> = out.lines().filter(|line| !line.ends_with("VCALENDAR")).collect();
    lines.join(" ")
}

#[track_caller]
fn check(components: &[&str], inner: &str, expected: &str) {
    assert_eq!(render(&calendar("VEVENT", components), inner, ZoneWish::AsStored), expected, "{inner}");
}

const RANGE: &str = "start='20250102T000000Z' end='20250104T000000Z'";

#[test]
fn nothing_asked_for_is_the_object_itself() {
    let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\nuid:a\r\n  folded\r\nEND:VEVENT\nEND:VCALENDAR";
    let limits = Limits::default();
    let object = CalendarObject::read(text.as_bytes(), &limits).expect("it can be read");
    assert_eq!(CalendarData::default().render(&object, &Zone::Utc, &limits), text.as_bytes());
}

#[test]
fn parts_keep_their_frame() {
    let event = ["SUMMARY:x\nDTSTART:20250101T100000Z\nBEGIN:VALARM\nTRIGGER:PT0S\nEND:VALARM"];
    check(
        &event,
        "<comp name='VCALENDAR'><prop name='VERSION'/><comp name='VEVENT'><prop name='UID'/></comp></comp>",
        "VERSION:2.0 BEGIN:VEVENT UID:a END:VEVENT",
    );
    check(
        &event,
        "<comp name='VCALENDAR'><comp name='VEVENT'><prop name='summary'/><prop name='UID' novalue='yes'/><allcomp/></comp></comp>",
        "BEGIN:VEVENT UID: SUMMARY:x BEGIN:VALARM TRIGGER:PT0S END:VALARM END:VEVENT",
    );
    check(&event, "<comp name='VCALENDAR'><allprop/><comp name='VTODO'/></comp>", "VERSION:2.0");
}

#[test]
fn expanded_instances_stand_for_themselves() {
    let daily = "DTSTART;TZID=Europe/Paris:20250101T100000\nDTEND;TZID=Europe/Paris:20250101T110000\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE;TZID=Europe/Paris:20250103T100000";
    check(
        &[daily],
        &format!("<expand {RANGE}/>"),
        "VERSION:2.0 BEGIN:VEVENT UID:a DTSTART:20250102T090000Z DTEND:20250102T100000Z RECURRENCE-ID:20250102T090000Z END:VEVENT",
    );
    let moved =
        "RECURRENCE-ID;TZID=Europe/Paris:20250104T100000\nDTSTART;TZID=Europe/Paris:20250103T120000\nSUMMARY:moved";
    check(
        &[daily, moved],
        &format!("<expand {RANGE}/>"),
        "VERSION:2.0 BEGIN:VEVENT UID:a DTSTART:20250102T090000Z DTEND:20250102T100000Z RECURRENCE-ID:20250102T090000Z END:VEVENT BEGIN:VEVENT UID:a DTSTART:20250103T110000Z SUMMARY:moved RECURRENCE-ID:20250104T090000Z END:VEVENT",
    );
    // What does not recur is only put into UTC; days and floating times stay.
    check(
        &["DTSTART;TZID=Europe/Paris:20250103T100000"],
        &format!("<expand {RANGE}/>"),
        "VERSION:2.0 BEGIN:VEVENT UID:a DTSTART:20250103T090000Z END:VEVENT",
    );
    check(
        &["DTSTART;VALUE=DATE:20250101\nRRULE:FREQ=DAILY;COUNT=9"],
        "<expand start='20250103T000000Z' end='20250104T000000Z'/>",
        "VERSION:2.0 BEGIN:VEVENT UID:a DTSTART;VALUE=DATE:20250103 RECURRENCE-ID;VALUE=DATE:20250103 END:VEVENT",
    );
    check(
        &["DTSTART:20250101T100000\nRRULE:FREQ=DAILY;COUNT=9"],
        "<expand start='20250103T000000Z' end='20250104T000000Z'/>",
        "VERSION:2.0 BEGIN:VEVENT UID:a DTSTART:20250103T100000 RECURRENCE-ID:20250103T100000 END:VEVENT",
    );
}

#[test]
fn overrides_out_of_the_range_are_left_out() {
    let master = "DTSTART:20250101T100000Z\nRRULE:FREQ=DAILY;COUNT=9";
    let within = "RECURRENCE-ID:20250103T100000Z\nDTSTART:20250109T120000Z";
    let moved_in = "RECURRENCE-ID:20250108T100000Z\nDTSTART:20250102T120000Z";
    let outside = "RECURRENCE-ID:20250107T100000Z\nDTSTART:20250107T120000Z";
    let found = render(
        &calendar("VEVENT", &[master, within, moved_in, outside]),
        &format!("<limit-recurrence-set {RANGE}/>"),
        ZoneWish::AsStored,
    );
    assert!(
        found.contains("RRULE") && found.contains("0109T12") && found.contains("0102T12") && !found.contains("0107T12"),
        "{found}"
    );
}

#[test]
fn known_zones_come_and_go_as_asked() {
    let text = calendar("VEVENT", &["DTSTART;TZID=Europe/Paris:20250101T100000"]);
    assert!(!render(&text, "", ZoneWish::LeftOut).contains("VTIMEZONE"));
    let complete = render(&text, "", ZoneWish::Complete);
    assert!(complete.contains("BEGIN:VTIMEZONE TZID:Europe/Paris"), "{complete}");
    let with = text.replace(
        "BEGIN:VEVENT",
        "BEGIN:VTIMEZONE\nTZID:Europe/Paris\nEND:VTIMEZONE\nBEGIN:VTIMEZONE\nTZID:Own\nEND:VTIMEZONE\nBEGIN:VEVENT",
    );
    assert_eq!(render(&with, "", ZoneWish::Complete).matches("TZID:Europe/Paris").count(), 1);
    let left = render(&with, "", ZoneWish::LeftOut);
    assert!(left.contains("TZID:Own") && !left.contains("TZID:Europe/Paris"), "{left}");
}

#[test]
fn busy_time_is_cut_to_the_range() {
    let text = calendar("VFREEBUSY", &["FREEBUSY:20250101T000000Z/PT1H,20250102T000000Z/PT1H"]);
    let found = render(&text, &format!("<limit-freebusy-set {RANGE}/>"), ZoneWish::AsStored);
    assert!(found.contains("FREEBUSY:20250102T000000Z/20250102T010000Z"), "{found}");
}

#[test]
fn what_cannot_be_had_is_refused_by_name() {
    let refuse = |attributes: &str, inner: &str, expected: &str| {
        let xml = format!("<calendar-data xmlns='{}' {attributes}>{inner}</calendar-data>", caldav::NAMESPACE);
        let element = nichoir_xml::read(xml.as_bytes(), &nichoir_xml::Limits::default()).expect("it is XML");
        let error = CalendarData::of(&element, &Limits::default()).expect_err("it is refused");
        assert_eq!(error.condition().map(|condition| condition.name.local.to_string()).as_deref(), Some(expected));
    };
    refuse("content-type='application/pdf'", "", "supported-calendar-data");
    refuse("version='1.0'", "", "supported-calendar-data");
    refuse("", "<expand start='20250101T000000Z'/>", "number-of-matches-within-limits");
    refuse("", "<expand start='20250102' end='20250103'/>", "valid-filter");
}

#[test]
fn an_expansion_ends_where_it_is_larger_than_any_object() {
    let limits = Limits { object_bytes_max: 2_000, ..Limits::default() };
    let text = calendar(
        "VEVENT",
        &[&format!("DTSTART:20250101T100000Z\nRRULE:FREQ=DAILY\nDESCRIPTION:{}", "x".repeat(1_000))],
    );
    let xml = format!("<calendar-data xmlns='{}'><expand {RANGE}/></calendar-data>", caldav::NAMESPACE);
    let wide = xml.replace("20250104", "20260104");
    let render = |xml: &str| {
        let element = nichoir_xml::read(xml.as_bytes(), &nichoir_xml::Limits::default()).expect("it is XML");
        let object = CalendarObject::read(text.as_bytes(), &limits).expect("it can be read");
        CalendarData::of(&element, &limits).expect("it is understood").render(&object, &Zone::Utc, &limits)
    };
    let (short, long) = (render(&xml), render(&wide));
    assert!(CalendarData::is_too_large(&long, &limits) && long.len() < 5_000, "{}", long.len());
    assert!(short.len() < long.len() + 1);
}
