//! Time zones: IANA names, what other programs call them, and the VTIMEZONE that came with the object (RFC 5545
//! §3.6.5, RFC 7809).
//!
//! A known name wins over the VTIMEZONE under it: real data carries stale rules under good names.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use nichoir_contentline::Component;

use crate::recurrence::{RULES_MAX, Rule, civil_dates};
use crate::time::{DAY, civil};

/// Where a wall clock stands.
#[derive(Clone, Debug)]
pub enum Zone {
    /// Nowhere: wherever it is read.
    Floating,
    /// UTC.
    Utc,
    /// A place of the IANA database.
    Named(Tz),
    /// As the object's own VTIMEZONE says.
    Own(Arc<OwnZone>),
}

impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        match (self, other) {
            (Zone::Floating, Zone::Floating) | (Zone::Utc, Zone::Utc) => true,
            (Zone::Named(one), Zone::Named(other)) => one == other,
            (Zone::Own(one), Zone::Own(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

/// The changes of a VTIMEZONE's clock, in order.
#[derive(Debug)]
pub struct OwnZone {
    /// When, on the clock before the change; the offsets before and after it.
    onsets: Vec<(i64, i64, i64)>,
}

/// Onsets that are kept of one VTIMEZONE.
const ONSETS_MAX: usize = 4_000;
/// Observances that are looked at; the longest zone of IANA's has fewer.
const OBSERVANCES_MAX: usize = 400;
/// The last year whose onsets are looked for.
const LAST_YEAR_SECONDS: i64 = 4_133_980_800; // 2101-01-01

impl Zone {
    /// The instant at which the clock shows `civil`. A time that the clock skips is read with the offset before the
    /// change; one that it shows twice is the first of the two.
    pub fn instant(&self, civil: i64) -> i64 {
        match self {
            Zone::Floating | Zone::Utc => civil,
            Zone::Named(zone) => named_instant(*zone, civil).unwrap_or(civil),
            Zone::Own(zone) => zone.instant(civil),
        }
    }

    /// What the clock shows at `instant`.
    pub fn civil(&self, instant: i64) -> i64 {
        match self {
            Zone::Floating | Zone::Utc => instant,
            Zone::Named(zone) => {
                naive(instant).map_or(instant, |at| instant + offset(zone.offset_from_utc_datetime(&at)))
            }
            Zone::Own(zone) => zone.civil(instant),
        }
    }

    /// The zone that a VCALENDAR with one VTIMEZONE describes, as in `CALDAV:calendar-timezone`.
    pub fn of_calendar(calendar: &Component<'_>) -> Option<Zone> {
        let zone = calendar.inner("VTIMEZONE").next()?;
        let name = zone.value("TZID").unwrap_or_default();
        Some(Zone::of_name(name).unwrap_or_else(|| Zone::Own(Arc::new(OwnZone::of(zone)))))
    }

    /// The zone of that name: IANA's, another program's spelling of it, or Windows'.
    pub fn of_name(name: &str) -> Option<Zone> {
        let name = name.trim().trim_matches('"');
        if let Ok(zone) = name.parse::<Tz>() {
            return Some(Zone::Named(zone));
        }
        if ["UTC", "GMT", "Z", "Etc/UTC"].iter().any(|utc| utc.eq_ignore_ascii_case(name)) {
            return Some(Zone::Utc);
        }
        // `/freeassociation.sourceforge.net/Tzfile/Europe/Berlin`, `/mozilla.org/20050126_1/Europe/Berlin`
        let parts: Vec<&str> = name.split('/').collect();
        for length in [3, 2] {
            let Some(start) = parts.len().checked_sub(length).filter(|start| *start > 0) else { continue };
            if let Ok(zone) = parts[start..].join("/").parse::<Tz>() {
                return Some(Zone::Named(zone));
            }
        }
        let (_, iana) = WINDOWS.iter().find(|(windows, _)| windows.eq_ignore_ascii_case(name))?;
        iana.parse::<Tz>().ok().map(Zone::Named)
    }
}

fn named_instant(zone: Tz, civil: i64) -> Option<i64> {
    let local = naive(civil)?;
    Some(match zone.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(found) => civil - offset(found),
        MappedLocalTime::Ambiguous(first, _) => civil - offset(first),
        MappedLocalTime::None => {
            let before = naive(civil - DAY - 3600)?;
            let before = zone.offset_from_local_datetime(&before).earliest()?;
            civil - offset(before)
        }
    })
}

fn naive(seconds: i64) -> Option<NaiveDateTime> {
    chrono::DateTime::from_timestamp(seconds, 0).map(|at| at.naive_utc())
}

fn offset(of: impl Offset) -> i64 {
    i64::from(of.fix().local_minus_utc())
}

impl OwnZone {
    pub(crate) fn of(zone: &Component<'_>) -> OwnZone {
        let mut onsets = Vec::new();
        for observance in zone.components.iter().take(OBSERVANCES_MAX) {
            let offset_of = |name: &str| observance.value(name).and_then(utc_offset);
            let start = observance.value("DTSTART").and_then(|value| civil(value.trim()));
            let (Some(from), Some(to), Some((start, _, _))) =
                (offset_of("TZOFFSETFROM"), offset_of("TZOFFSETTO"), start)
            else {
                continue;
            };
            let mut dates = vec![start];
            // One budget for the whole zone, whatever its lines.
            let room = ONSETS_MAX.saturating_sub(onsets.len());
            let told = observance.all("RDATE").flat_map(|line| line.value().split(','));
            dates.extend(told.filter_map(|value| civil(value.trim())).map(|(at, _, _)| at).take(room));
            for line in observance.all("RRULE").take(RULES_MAX) {
                let to_civil = |until: i64| until + from;
                if let Some(rule) = Rule::parse(line.value(), to_civil) {
                    let found = civil_dates(&rule, start, i64::MIN).take(room.saturating_sub(dates.len()));
                    dates.extend(found.take_while(|at| *at < LAST_YEAR_SECONDS));
                }
            }
            onsets.extend(dates.into_iter().take(room).map(|at| (at, from, to)));
        }
        onsets.sort_unstable();
        onsets.dedup();
        OwnZone { onsets }
    }

    fn instant(&self, civil: i64) -> i64 {
        let end = self.onsets.partition_point(|(at, _, _)| civil >= *at);
        let passed = end.checked_sub(1).and_then(|last| self.onsets.get(last));
        let skipped = passed.filter(|(at, from, to)| to > from && civil < at + (to - from));
        let offset = match (skipped, passed) {
            (Some((_, from, _)), _) => *from,
            (None, Some((_, _, to))) => *to,
            (None, None) => self.onsets.first().map_or(0, |(_, from, _)| *from),
        };
        civil - offset
    }

    fn civil(&self, instant: i64) -> i64 {
        let end = self.onsets.partition_point(|(at, from, _)| instant >= at - from);
        let passed = end.checked_sub(1).and_then(|last| self.onsets.get(last));
        instant + passed.map_or_else(|| self.onsets.first().map_or(0, |(_, from, _)| *from), |(_, _, to)| *to)
    }
}

/// `+0100` or `-013015`, in seconds.
fn utc_offset(value: &str) -> Option<i64> {
    let value = value.trim();
    let sign = match value.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = &value[1..];
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || (digits.len() != 4 && digits.len() != 6) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    let number = if digits.len() == 4 { number * 100 } else { number };
    let seconds = number / 10_000 * 3600 + number / 100 % 100 * 60 + number % 100;
    Some(sign * seconds)
}

/// The zones that an object speaks of.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    own: HashMap<String, Zone>,
}

impl Zones {
    /// Those of a VCALENDAR.
    pub(crate) fn of(calendar: &Component<'_>) -> Zones {
        let mut own = HashMap::new();
        for zone in calendar.inner("VTIMEZONE") {
            let Some(name) = zone.value("TZID") else { continue };
            if Zone::of_name(name).is_none() {
                own.insert(name.to_owned(), Zone::Own(Arc::new(OwnZone::of(zone))));
            }
        }
        Zones { own }
    }

    /// What a TZID stands for; floating if nobody knows.
    pub(crate) fn named(&self, tzid: &str) -> Zone {
        match self.own.get(tzid) {
            Some(zone) => zone.clone(),
            None => Zone::of_name(tzid).unwrap_or(Zone::Floating),
        }
    }
}

/// What Windows and Exchange call the zones that their users live in (Unicode CLDR).
const WINDOWS: &[(&str, &str)] = &[
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("Arabian Standard Time", "Asia/Dubai"),
    ("Atlantic Standard Time", "America/Halifax"),
    ("Azores Standard Time", "Atlantic/Azores"),
    ("Canada Central Standard Time", "America/Regina"),
    ("Central America Standard Time", "America/Guatemala"),
    ("Central Asia Standard Time", "Asia/Almaty"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Central Pacific Standard Time", "Pacific/Guadalcanal"),
    ("Central Standard Time", "America/Chicago"),
    ("China Standard Time", "Asia/Shanghai"),
    ("E. Africa Standard Time", "Africa/Nairobi"),
    ("E. Europe Standard Time", "Europe/Chisinau"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("Eastern Standard Time", "America/New_York"),
    ("Egypt Standard Time", "Africa/Cairo"),
    ("FLE Standard Time", "Europe/Kiev"),
    ("GMT Standard Time", "Europe/London"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("Greenwich Standard Time", "Atlantic/Reykjavik"),
    ("India Standard Time", "Asia/Calcutta"),
    ("Israel Standard Time", "Asia/Jerusalem"),
    ("Korea Standard Time", "Asia/Seoul"),
    ("Morocco Standard Time", "Africa/Casablanca"),
    ("Mountain Standard Time", "America/Denver"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("Newfoundland Standard Time", "America/St_Johns"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Russian Standard Time", "Europe/Moscow"),
    ("SA Pacific Standard Time", "America/Bogota"),
    ("SE Asia Standard Time", "Asia/Bangkok"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("South Africa Standard Time", "Africa/Johannesburg"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("Turkey Standard Time", "Europe/Istanbul"),
    ("US Eastern Standard Time", "America/Indianapolis"),
    ("US Mountain Standard Time", "America/Phoenix"),
    ("W. Central Africa Standard Time", "Africa/Lagos"),
    ("W. Europe Standard Time", "Europe/Berlin"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_every_spelling() {
        let paris = Zone::Named(Tz::Europe__Paris);
        for name in ["Europe/Paris", "/freeassociation.sourceforge.net/Tzfile/Europe/Paris", "romance standard time"] {
            assert_eq!(Zone::of_name(name), Some(paris.clone()), "{name}");
        }
        assert_eq!(Zone::of_name("utc"), Some(Zone::Utc));
        assert_eq!(Zone::of_name("Customized Time Zone"), None);
    }

    fn own() -> Zone {
        let text = b"BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:Home\r\n\
            BEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nDTSTART:19810329T020000\r\n\
            RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\n\
            BEGIN:STANDARD\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nDTSTART:19961027T030000\r\n\
            RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n";
        let parsed = nichoir_contentline::parse(text, &nichoir_contentline::Limits::default()).expect("it is good");
        Zone::of_calendar(&parsed[0]).expect("it has a zone")
    }

    #[test]
    fn an_own_zone_and_the_named_one_agree_also_where_the_clock_changes() {
        let (own, named) = (own(), Zone::Named(Tz::Europe__Paris));
        for day in ["20250115", "20250329", "20250330", "20250331", "20250701", "20251025", "20251026", "20251027"] {
            for minutes in (0..24 * 60).step_by(10) {
                let civil = civil(day).expect("a date").0 + minutes * 60;
                assert_eq!(own.instant(civil), named.instant(civil), "{day} at {minutes} minutes");
                let instant = named.instant(civil);
                assert_eq!(own.civil(instant), named.civil(instant), "{day} at {minutes} minutes");
            }
        }
    }
}
