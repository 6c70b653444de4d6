//! Dates, times, durations and periods (RFC 5545 §3.3), and what they mean on the time line.
//!
//! Civil seconds count on a wall clock from 1970-01-01T00:00:00 there; instants count in UTC.

use nichoir_contentline::Line;

use crate::timezone::{Zone, Zones};

/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;

/// A DATE or DATE-TIME with the zone that it is read in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moment {
    /// Seconds on its wall clock; of a DATE midnight.
    pub(crate) civil: i64,
    pub(crate) is_date: bool,
    /// Of a DATE and of a floating time [`Zone::Floating`].
    pub(crate) zone: Zone,
}

impl Moment {
    /// The value of a property such as `DTSTART`.
    pub(crate) fn of(line: &Line<'_>, zones: &Zones) -> Option<Moment> {
        Moment::parse(line.value(), || line.parameter("TZID"), zones)
    }

    pub(crate) fn parse(value: &str, tzid: impl FnOnce() -> Option<String>, zones: &Zones) -> Option<Moment> {
        let value = value.trim();
        let (civil, is_date, is_utc) = civil(value)?;
        let zone = match (is_date, is_utc) {
            (true, _) => Zone::Floating,
            (_, true) => Zone::Utc,
            _ => tzid().map_or(Zone::Floating, |tzid| zones.named(&tzid)),
        };
        Some(Moment { civil, is_date, zone })
    }

    /// The instant, floating times read in `default`.
    pub(crate) fn instant(&self, default: &Zone) -> i64 {
        match &self.zone {
            Zone::Floating => default.instant(self.civil),
            zone => zone.instant(self.civil),
        }
    }

    /// The same wall clock at another time.
    pub(crate) fn at(&self, civil: i64) -> Moment {
        Moment { civil, is_date: self.is_date, zone: self.zone.clone() }
    }

    /// As a value: `20250102`, `20250102T030405`, with `Z` in UTC; a zoned time becomes UTC.
    pub(crate) fn to_value(&self) -> String {
        match (&self.zone, self.is_date) {
            (_, true) => date_text(self.civil),
            (Zone::Floating, _) => date_time_text(self.civil),
            (zone, _) => format!("{}Z", date_time_text(zone.instant(self.civil))),
        }
    }
}

/// As it stands beside a TZID parameter: the wall clock, with `Z` in UTC alone.
pub(crate) fn civil_text(moment: &Moment) -> String {
    match (&moment.zone, moment.is_date) {
        (_, true) => date_text(moment.civil),
        (Zone::Utc, false) => format!("{}Z", date_time_text(moment.civil)),
        _ => date_time_text(moment.civil),
    }
}

/// `20250102T030405Z`.
pub(crate) fn utc_text(instant: i64) -> String {
    format!("{}Z", date_time_text(instant))
}

fn date_text(civil: i64) -> String {
    stamp(civil).map_or_else(String::new, |it| it.format("%Y%m%d").to_string())
}

fn date_time_text(civil: i64) -> String {
    stamp(civil).map_or_else(String::new, |it| it.format("%Y%m%dT%H%M%S").to_string())
}

fn stamp(civil: i64) -> Option<chrono::NaiveDateTime> {
    chrono::DateTime::from_timestamp(civil, 0).map(|it| it.naive_utc())
}

/// Civil seconds, whether it is a date, whether it is in UTC.
pub(crate) fn civil(value: &str) -> Option<(i64, bool, bool)> {
    let (value, is_utc) = match value.strip_suffix(['Z', 'z']) {
        Some(value) => (value, true),
        None => (value, false),
    };
    if !value.is_ascii() {
        return None;
    }
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok())?;
    let date = |text: &str| {
        let year = i32::try_from(number(&text[..4])?).ok()?;
        chrono::NaiveDate::from_ymd_opt(year, number(&text[4..6])?, number(&text[6..8])?)
    };
    match value.len() {
        8 => {
            let days = date(value)?.and_hms_opt(0, 0, 0)?;
            Some((days.and_utc().timestamp(), true, false))
        }
        15 if value.as_bytes()[8].eq_ignore_ascii_case(&b'T') => {
            let time = &value[9..];
            let (hour, minute, second) = (number(&time[..2])?, number(&time[2..4])?, number(&time[4..6])?);
            // A leap second is the last second of its minute.
            let at = date(&value[..8])?.and_hms_opt(hour, minute, second.min(59))?;
            Some((at.and_utc().timestamp(), false, is_utc))
        }
        _ => None,
    }
}

/// The instant of `20250102T030405Z`, the form that time ranges are written in; a date is its midnight in UTC.
pub(crate) fn utc(value: &str) -> Option<i64> {
    let (civil, is_date, is_utc) = civil(value)?;
    (is_utc || is_date).then_some(civil)
}

/// A DURATION: days move on the wall clock, seconds on the time line (RFC 5545 §3.3.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Duration {
    pub(crate) days: i64,
    pub(crate) seconds: i64,
}

impl Duration {
    pub(crate) fn parse(value: &str) -> Option<Duration> {
        let value = value.trim();
        let (sign, rest) = match value.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, value.strip_prefix('+').unwrap_or(value)),
        };
        let mut rest = rest.strip_prefix(['P', 'p'])?;
        let mut found = Duration::default();
        let mut is_time = false;
        let mut has_part = false;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix(['T', 't']) {
                (is_time, rest) = (true, after);
                continue;
            }
            let digits = rest.bytes().position(|byte| !byte.is_ascii_digit())?;
            let number: i64 = rest[..digits].parse().ok().filter(|number| *number < 10_000_000_000)?;
            let unit = rest.as_bytes()[digits].to_ascii_uppercase();
            match (is_time, unit) {
                (false, b'W') => found.days += 7 * number,
                (false, b'D') => found.days += number,
                (true, b'H') => found.seconds += 3600 * number,
                (true, b'M') => found.seconds += 60 * number,
                (true, b'S') => found.seconds += number,
                _ => return None,
            }
            has_part = true;
            rest = rest.get(digits + 1..)?;
        }
        has_part.then_some(Duration { days: sign * found.days, seconds: sign * found.seconds })
    }

    /// Its length, days taken as 24 hours.
    pub(crate) fn length(self) -> i64 {
        self.days.saturating_mul(DAY).saturating_add(self.seconds)
    }

    /// The instant that it leads to from `moment`.
    pub(crate) fn after(self, moment: &Moment, default: &Zone) -> i64 {
        let civil = moment.civil.saturating_add(self.days.saturating_mul(DAY));
        moment.at(civil).instant(default).saturating_add(self.seconds)
    }
}

/// A PERIOD: start, and end or duration.
pub(crate) fn period(value: &str, tzid: Option<&str>, zones: &Zones) -> Option<(Moment, PeriodEnd)> {
    let (start, end) = value.trim().split_once('/')?;
    let start = Moment::parse(start, || tzid.map(str::to_owned), zones)?;
    let end = match Duration::parse(end) {
        Some(duration) => PeriodEnd::Duration(duration),
        None => PeriodEnd::Moment(Moment::parse(end, || tzid.map(str::to_owned), zones)?),
    };
    Some((start, end))
}

/// How a period ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PeriodEnd {
    Moment(Moment),
    Duration(Duration),
}

impl PeriodEnd {
    pub(crate) fn instant(&self, start: &Moment, default: &Zone) -> i64 {
        match self {
            PeriodEnd::Moment(end) => end.instant(default),
            PeriodEnd::Duration(duration) => duration.after(start, default),
        }
    }
}

/// A half-open range of instants; what is not limited is the far past or future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// Its first instant, in seconds.
    pub start: i64,
    /// The first instant after it, in seconds.
    pub end: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let check = |text, days, seconds| assert_eq!(Duration::parse(text), Some(Duration { days, seconds }), "{text}");
        check("P1W", 7, 0);
        check("-PT15M", 0, -900);
        check("+P1DT2H3M4S", 1, 7384);
        check("PT0S", 0, 0);
        for wrong in ["", "P", "PT", "1D", "P1H", "PT1D", "P1", "PX", "P99999999999999999999D", "P1Dé"] {
            assert_eq!(Duration::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dates_and_times() {
        assert_eq!(civil("19700102"), Some((DAY, true, false)));
        assert_eq!(civil("19700101T000001Z"), Some((1, false, true)));
        assert_eq!(civil("19691231T235959"), Some((-1, false, false)));
        for wrong in ["", "1970010", "19701301", "19700101T240000", "19700101 000000", "é9700101", "+9700101"] {
            assert_eq!(civil(wrong), None, "{wrong}");
        }
        assert_eq!(utc_text(1_736_000_000), "20250104T141320Z");
    }
}
