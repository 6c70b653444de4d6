//! The literals of a search: instants as seconds or as dates in the spellings that apps send, truths, numbers.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use nichoir_dav::Error;

/// Seconds since 1970: a number, or a date with or without an offset. iOS says the years 1 and 4001 where it means "any
/// time"; a local time with a false `Z`, as Android writes, cannot be told from a true one.
pub(crate) fn seconds(text: &str) -> Result<i64, Error> {
    const WITH_OFFSET: &[&str] = &["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z"];
    const WITHOUT: &[&str] = &["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(seconds);
    }
    if let Ok(instant) = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text)) {
        return Ok(instant.timestamp());
    }
    let with_offset = WITH_OFFSET.iter().find_map(|form| DateTime::parse_from_str(text, form).ok());
    let without = || WITHOUT.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    with_offset
        .map(|instant| instant.timestamp())
        .or_else(|| without().or_else(day).map(|instant| instant.and_utc().timestamp()))
        .ok_or_else(|| Error::bad_request("A date of the search cannot be read."))
}

/// A whole number.
pub(super) fn number(text: &str) -> Result<i64, Error> {
    text.parse().map_err(|_| Error::bad_request("A number of the search cannot be read."))
}

/// The number of a file: alone, or as it begins an `oc:id`, which nc-py-api sends where it was given one.
pub(super) fn file_id(text: &str) -> Result<i64, Error> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, instance) = text.split_at(end);
    let is_instance = instance.starts_with("oc") && instance.chars().all(|c| c.is_ascii_alphanumeric());
    if is_instance { number(digits) } else { number(text) }
}

/// `yes`, `1` and `true`; anything else is no.
pub(super) fn truth(text: &str) -> bool {
    ["yes", "1", "true"].iter().any(|yes| text.eq_ignore_ascii_case(yes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(seconds(text).ok(), expected, "{text}");
    }

    #[test]
    fn instants_in_every_spelling_of_the_apps() {
        check("0", Some(0));
        check("1772532900", Some(1_772_532_900));
        check("2026-03-03T10:15:00Z", Some(1_772_532_900));
        check("2026-03-03T11:15:00+01:00", Some(1_772_532_900));
        check("2026-03-03T11:15:00+0100", Some(1_772_532_900));
        check("2026-03-03T10:15:00.250Z", Some(1_772_532_900));
        check("2026-03-03T10:15:00", Some(1_772_532_900));
        check("2026-03-03 10:15:00", Some(1_772_532_900));
        check("2026-03-03", Some(1_772_496_000));
        check("Tue, 03 Mar 2026 10:15:00 GMT", Some(1_772_532_900));
        check("0001-01-01T00:00:00Z", Some(-62_135_596_800));
        check("4001-01-01T00:00:00Z", Some(64_092_211_200));
        check("9223372036854775807", Some(i64::MAX));
        check("yesterday", None);
        check("", None);
    }

    #[test]
    fn a_file_is_named_by_its_number_or_by_what_begins_with_it() {
        for (text, expected) in [
            ("12", Some(12)),
            ("00000012", Some(12)),
            ("00000012ocabcdefghij", Some(12)),
            ("-1", Some(-1)),
            ("", None),
            ("oc", None),
            ("12x", None),
            ("12oc'; --", None),
            ("99999999999999999999ocabcdefghij", None),
        ] {
            assert_eq!(file_id(text).ok(), expected, "{text}");
        }
    }
}
