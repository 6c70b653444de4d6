//! Values by their type: what is written in two ways and means the same is equal. RFC 5545 §3.3.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::Parameters;
use chrono::NaiveDate;
use nichoir_caldav::Zone;
use nichoir_contentline::{split_list, split_structured, unescape};

/// Seconds of a day.
pub(crate) const DAY: i64 = 24 * 60 * 60;

/// A date or a time, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    Date(i64),
    /// A time of nowhere.
    Floating(i64),
    /// A time with a zone.
    Instant(i64),
}

impl Moment {
    /// Seconds since 1970; those of a date or of a floating time as if they were in UTC.
    pub(crate) fn seconds(self) -> i64 {
        match self {
            Moment::Date(seconds) | Moment::Floating(seconds) | Moment::Instant(seconds) => seconds,
        }
    }
}

/// A value, understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Moments(Vec<Moment>),
    /// Starts and ends, in seconds.
    Periods(Vec<(i64, i64)>),
    /// In seconds.
    Duration(i64),
    /// The parts of a recurrence rule, by name.
    Rule(BTreeMap<String, BTreeSet<String>>),
    Number(i64),
    /// Texts after unescaping, in their structure.
    Text(Vec<Vec<String>>),
    /// As written.
    Raw(String),
}

impl Value {
    /// The value of a property, whose type follows from its name or from VALUE.
    pub(super) fn of(name: &str, parameters: &Parameters, text: &str, zone: impl Fn(&str) -> Option<Zone>) -> Value {
        let parameter = |name| parameters.get(name).and_then(|all| all.first()).and_then(|values| values.first());
        let given = parameter("VALUE");
        let name = name.to_ascii_uppercase();
        let kind = given.map_or_else(|| default_type(&name).to_owned(), |given| given.to_ascii_uppercase());
        let zone = || parameter("TZID").and_then(|tzid| zone(tzid));
        let understood = match kind.as_str() {
            "DATE" | "DATE-TIME" => {
                let zone = zone();
                text.split(',').map(|one| moment(one, zone.as_ref())).collect::<Option<_>>().map(Value::Moments)
            }
            "PERIOD" => {
                let zone = zone();
                text.split(',').map(|one| period(one, zone.as_ref())).collect::<Option<_>>().map(Value::Periods)
            }
            "DURATION" => duration(text).map(Value::Duration),
            "RECUR" => Some(Value::Rule(rule(text))),
            "INTEGER" => text.trim().parse().ok().map(Value::Number),
            // Some clients escape what stands in URIs too.
            "URI" => Some(Value::Text(vec![vec![unescape(text).into_owned()]])),
            "TEXT" => Some(Value::Text(match name.as_str() {
                "CATEGORIES" | "RESOURCES" | "NICKNAME" => vec![texts(&split_list(text))],
                "N" | "ADR" | "ORG" | "REQUEST-STATUS" => {
                    split_structured(text).iter().map(|part| texts(&split_list(part))).collect()
                }
                _ => vec![vec![unescape(text).into_owned()]],
            })),
            _ => None,
        };
        understood.unwrap_or_else(|| Value::Raw(text.to_owned()))
    }
}

fn texts(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| unescape(part).into_owned()).collect()
}

/// The type of a property without VALUE.
pub(super) fn default_type(name: &str) -> &'static str {
    match name {
        "DTSTART" | "DTEND" | "DUE" | "RECURRENCE-ID" | "EXDATE" | "RDATE" | "CREATED" | "DTSTAMP"
        | "LAST-MODIFIED" | "COMPLETED" | "ACKNOWLEDGED" => "DATE-TIME",
        "DURATION" | "TRIGGER" => "DURATION",
        "RRULE" | "EXRULE" => "RECUR",
        "FREEBUSY" => "PERIOD",
        "PRIORITY" | "SEQUENCE" | "PERCENT-COMPLETE" | "REPEAT" => "INTEGER",
        "TZOFFSETFROM" | "TZOFFSETTO" => "UTC-OFFSET",
        "ATTENDEE" | "ORGANIZER" => "CAL-ADDRESS",
        "URL" | "TZURL" | "ATTACH" | "PHOTO" | "SOURCE" => "URI",
        "GEO" => "FLOAT",
        _ => "TEXT",
    }
}

/// `20250101`, `20250101T100000` or `20250101T100000Z`.
pub(super) fn moment(text: &str, zone: Option<&Zone>) -> Option<Moment> {
    let text = text.trim();
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
    };
    let (month, day) = (u32::try_from(number(4..6)?).ok()?, u32::try_from(number(6..8)?).ok()?);
    let date = NaiveDate::from_ymd_opt(i32::try_from(number(0..4)?).ok()?, month, day)?;
    let midnight = date.and_hms_opt(0, 0, 0)?.and_utc().timestamp();
    if text.len() == 8 {
        return Some(Moment::Date(midnight));
    }
    let civil = midnight + number(9..11)? * 3600 + number(11..13)? * 60 + number(13..15)?;
    match (text.get(8..9)?, text.get(15..)?, zone) {
        ("T", "Z", _) => Some(Moment::Instant(civil)),
        ("T", "", None | Some(Zone::Floating)) => Some(Moment::Floating(civil)),
        ("T", "", Some(zone)) => Some(Moment::Instant(zone.instant(civil))),
        _ => None,
    }
}

/// Start and end, or start and duration, as start and end.
pub(crate) fn period(text: &str, zone: Option<&Zone>) -> Option<(i64, i64)> {
    let (start, end) = text.trim().split_once('/')?;
    let start = moment(start, zone)?.seconds();
    match duration(end) {
        Some(length) => Some((start, start + length)),
        None => Some((start, moment(end, zone)?.seconds())),
    }
}

/// `-P1DT2H`, in seconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut rest = text.strip_prefix('P')?;
    let (mut total, mut is_time, mut has_part) = (0, false, false);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T') {
            (rest, is_time) = (after, true);
            continue;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        total += number
            * match (rest.as_bytes()[digits], is_time) {
                (b'W', false) => 7 * DAY,
                (b'D', false) => DAY,
                (b'H', true) => 3600,
                (b'M', true) => 60,
                (b'S', true) => 1,
                _ => return None,
            };
        has_part = true;
        rest = &rest[digits + 1..];
    }
    has_part.then_some(sign * total)
}

/// The parts of a rule, without those that say what holds anyway.
fn rule(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let text = text.trim().to_ascii_uppercase();
    let parts = text.split(';').filter_map(|part| part.split_once('='));
    let plain = |value: &str| value.trim_start_matches('+').to_owned();
    let parts = parts.map(|(name, values)| (name.to_owned(), values.split(',').map(plain).collect::<BTreeSet<_>>()));
    let is_default = |name: &str, values: &BTreeSet<String>| match name {
        "INTERVAL" => values.contains("1"),
        "WKST" => values.contains("MO"),
        _ => false,
    };
    parts.filter(|(name, values)| !is_default(name, values)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, one: &str, other: &str, expected: bool) {
        let value = |text| Value::of(name, &Parameters::new(), text, |_| None);
        assert_eq!(value(one) == value(other), expected, "{name}: {one} and {other}");
    }

    #[test]
    fn what_means_the_same_is_equal() {
        check("DURATION", "PT1H", "PT60M", true);
        check("DURATION", "P1W", "P7D", true);
        check("DURATION", "PT1H", "-PT1H", false);
        check("TRIGGER", "-PT15M", "-PT900S", true);
        check("RRULE", "FREQ=DAILY;COUNT=3", "count=3;interval=1;freq=daily", true);
        check("RRULE", "FREQ=WEEKLY;BYDAY=MO,TU", "FREQ=WEEKLY;BYDAY=TU,MO", true);
        check("RRULE", "FREQ=DAILY;COUNT=3", "FREQ=DAILY;COUNT=4", false);
        check("SUMMARY", "a\\, b", "a, b", true);
        check("SUMMARY", "a\\Nb", "a\\nb", true);
        check("FREEBUSY", "20250101T100000Z/PT1H", "20250101T100000Z/20250101T110000Z", true);
        check("SEQUENCE", "01", "1", true);
        check("URL", "http://a/b\\,c", "http://a/b,c", true);
        check("ATTENDEE", "mailto:A", "mailto:a", false);
        check("DTSTART", "20250101", "20250101T000000", false);
        check("DTSTART", "20250101T000000", "20250101T000000Z", false);
    }

    #[test]
    fn zones_are_considered() {
        let in_zone = |tzid: &str, text| {
            let parameters = Parameters::from([("TZID".to_owned(), vec![vec![tzid.to_owned()]])]);
            Value::of("DTSTART", &parameters, text, Zone::of_name)
        };
        assert_eq!(in_zone("America/New_York", "20250101T070000"), in_zone("Europe/Paris", "20250101T130000"));
        assert_ne!(in_zone("America/New_York", "20250101T070000"), in_zone("Europe/Paris", "20250101T070000"));
    }

    #[test]
    fn what_cannot_be_understood_is_compared_as_written() {
        assert_eq!(moment("20251301", None), None);
        assert_eq!(moment("20250101T1000", None), None);
        assert_eq!(duration("1H"), None);
        assert_eq!(duration("P"), None);
        check("DTSTART", "nonsense", "nonsense", true);
        check("DTSTART", "nonsense", "other", false);
    }
}
