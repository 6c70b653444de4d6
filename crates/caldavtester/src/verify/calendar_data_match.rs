//! `calendarDataMatch` and `jcalDataMatch`: the body is the calendar of a file, as far as it matters.

use super::{Judged, Verdict};
use crate::calendar::{
    Component, Filters, add_missing_overrides, differences, is_equal, lines_of_json, normalise, parse, remove_filtered,
    without_timezones,
};

/// How many lines of a difference are told.
const DIFFERENCES_MAX: usize = 12;

/// How the calendars are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// iCalendar.
    Lines,
    /// jCal.
    Json,
}

pub(super) fn check(judged: &Judged<'_>, form: Form) -> Verdict {
    judged.expect_status(&[200, 201, 207])?;
    if judged.answer.body.is_empty() {
        return Err("the body is empty".to_owned());
    }
    let expected = judged.expected_text()?;
    let lines = |bytes: &[u8]| match form {
        Form::Lines => Ok(String::from_utf8_lossy(bytes).into_owned()),
        Form::Json => lines_of_json(bytes),
    };
    let found = lines(&judged.answer.body).map_err(|error| format!("the body: {error}"))?;
    let expected = lines(expected.as_bytes()).map_err(|error| format!("the expected data: {error}"))?;
    compare(judged, &expected, &found).or_else(|wrong| {
        // Apple's addresses of people who have no other.
        match expected.contains("urn:x-uid:") {
            true => compare(judged, &expected.replace("urn:x-uid:", "urn:uuid:"), &found).map_err(|_| wrong),
            false => Err(wrong),
        }
    })
}

fn compare(judged: &Judged<'_>, expected_text: &str, found_text: &str) -> Verdict {
    let mut expected = prepared(judged, expected_text).map_err(|error| format!("the expected data: {error}"))?;
    let mut found = prepared(judged, found_text).map_err(|error| format!("the body: {error}"))?;
    let before = found.clone();
    add_missing_overrides(&mut found, found_text.as_bytes(), &expected);
    add_missing_overrides(&mut expected, expected_text.as_bytes(), &before);
    if is_equal(&expected, &found) {
        return Ok(());
    }
    let all = differences(&expected, &found);
    let more = if all.len() > DIFFERENCES_MAX {
        format!("\n    … {} more", all.len() - DIFFERENCES_MAX)
    } else {
        String::new()
    };
    let shown: Vec<String> = all.iter().take(DIFFERENCES_MAX).map(|line| format!("\n    {line}")).collect();
    Err(format!("- expected, + found{}{more}", shown.concat()))
}

/// A calendar, filtered and normalised.
fn prepared(judged: &Judged<'_>, text: &str) -> Result<Component, String> {
    let mut found = parse(text.as_bytes())?;
    if found.len() != 1 {
        return Err(format!("{} components, expected one", found.len()));
    }
    let mut calendar = found.remove(0);
    let compares_timezones = match judged.values("doTimezones") {
        [] => !judged.info.features.contains("timezones-by-reference"),
        [value, ..] => value == "true",
    };
    if !compares_timezones {
        without_timezones(&mut calendar);
    }
    let emails = ["ATTENDEE:EMAIL".to_owned(), "ORGANIZER:EMAIL".to_owned()];
    let emails = emails.iter().filter(|_| !judged.info.features.contains("EMAIL parameter"));
    let own = judged.info.calendar_filters.iter().chain(emails);
    remove_filtered(&mut calendar, &Filters::new(own.chain(judged.values("filter"))));
    normalise(&mut calendar);
    Ok(calendar)
}

#[cfg(test)]
mod tests {
    use crate::verify::testing::{answer, judge};

    fn calendar(events: &[&str]) -> String {
        let event = |lines: &&str| format!("BEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\n");
        format!("BEGIN:VCALENDAR\nVERSION:2.0\n{}END:VCALENDAR\n", events.iter().map(event).collect::<String>())
    }

    #[track_caller]
    fn check(expected: &[&str], found: &[&str], arguments: &[(&str, &str)], is_equal: bool) {
        let expected = calendar(expected);
        let arguments = [arguments, &[("data", expected.as_str())]].concat();
        let verdict = judge("calendarDataMatch", &answer(200, &calendar(found)), &arguments);
        assert_eq!(verdict.is_ok(), is_equal, "{found:?} {verdict:?}");
    }

    #[test]
    fn order_filters_and_defaults_do_not_count() {
        let base = "DTSTART:20250101T100000Z\nSUMMARY:a";
        check(&[base], &["SUMMARY:a\nDTSTART:20250101T100000Z\nPRODID:x"], &[], true);
        check(&[base], &["SUMMARY:a\nDTSTART:20250101T100000Z\nTRANSP:OPAQUE"], &[], true);
        check(&[base], &["SUMMARY:a\nDTSTART:20250101T100000Z\nTRANSP:TRANSPARENT"], &[], false);
        check(&[base], &["SUMMARY:b\nDTSTART:20250101T100000Z"], &[], false);
        check(&[base], &["SUMMARY:b\nDTSTART:20250101T100000Z"], &[("filter", "SUMMARY")], true);
        check(&[base], &["SUMMARY:a\nDTSTART:20250101T100000Z\nDTSTAMP:x"], &[("filter", "!DTSTAMP")], false);
        check(&[base], &[base, base], &[], false);
    }

    #[test]
    fn parameters_count_unless_filtered() {
        let base = "DTSTART:20250101T100000Z\nATTENDEE;PARTSTAT=ACCEPTED:mailto:a";
        check(&[base], &["DTSTART:20250101T100000Z\nATTENDEE;PARTSTAT=DECLINED:mailto:a"], &[], false);
        check(
            &[base],
            &["DTSTART:20250101T100000Z\nATTENDEE;PARTSTAT=DECLINED:mailto:a"],
            &[("filter", "ATTENDEE:PARTSTAT")],
            true,
        );
        check(&[base], &["DTSTART:20250101T100000Z\nATTENDEE;EMAIL=a;PARTSTAT=ACCEPTED:mailto:a"], &[], true);
        check(&[base], &["DTSTART:20250101T100000Z\nATTENDEE;partstat=\"ACCEPTED\":mailto:a"], &[], true);
    }

    #[test]
    fn an_end_is_a_duration() {
        check(
            &["DTSTART:20250101T100000Z\nDTEND:20250101T110000Z"],
            &["DTSTART:20250101T100000Z\nDURATION:PT1H"],
            &[],
            true,
        );
        check(&["DTSTART;VALUE=DATE:20250101"], &["DTSTART;VALUE=DATE:20250101\nDTEND;VALUE=DATE:20250102"], &[], true);
        check(
            &["DTSTART;VALUE=DATE:20250101"],
            &["DTSTART;VALUE=DATE:20250101\nDTEND;VALUE=DATE:20250103"],
            &[],
            false,
        );
        check(&["DTSTART:20250101T100000Z"], &["DTSTART;X-A=b:20250101T100000Z"], &[], true);
    }

    #[test]
    fn a_redundant_override_makes_no_difference() {
        let master = "DTSTART:20250101T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=5\nSUMMARY:a";
        let redundant = "DTSTART:20250103T100000Z\nDURATION:PT1H\nRECURRENCE-ID:20250103T100000Z\nSUMMARY:a";
        check(&[master], &[master, redundant], &[], true);
        check(&[master, redundant], &[master], &[], true);
        check(
            &[master],
            &[master, "DTSTART:20250103T100000Z\nDURATION:PT1H\nRECURRENCE-ID:20250103T100000Z\nSUMMARY:b"],
            &[],
            false,
        );
        check(
            &[master],
            &[master, "DTSTART:20250109T100000Z\nDURATION:PT1H\nRECURRENCE-ID:20250109T100000Z\nSUMMARY:a"],
            &[],
            false,
        );
    }

    #[test]
    fn apples_addresses_have_two_spellings() {
        let with = |scheme| format!("DTSTART:20250101T100000Z\nATTENDEE:urn:{scheme}:1");
        check(&[&with("x-uid")], &[&with("uuid")], &[], true);
        check(&[&with("uuid")], &[&with("x-uid")], &[], false);
    }

    #[test]
    fn differences_are_told() {
        let arguments = [("data", &*calendar(&["SUMMARY:a"]))];
        let verdict = judge("calendarDataMatch", &answer(200, &calendar(&["SUMMARY:b"])), &arguments);
        assert_eq!(
            verdict.unwrap_err(),
            "calendarDataMatch: - expected, + found\n    -VEVENT SUMMARY:a\n    +VEVENT SUMMARY:b"
        );
        assert!(judge("calendarDataMatch", &answer(404, ""), &arguments).is_err());
        assert!(judge("calendarDataMatch", &answer(200, "nonsense"), &arguments).is_err());
    }
}
