//! VTIMEZONE components made from the IANA database (RFC 5545 §3.6.5), for who asks for a zone by its name (RFC 7809).

use chrono::{DateTime, Datelike, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{OffsetComponents, OffsetName, Tz};

use crate::time::DAY;

/// Changes are told from here on: 1970-01-01.
const FIRST: i64 = 0;
/// A rule that holds until here is told as one without an end: 2038-01-01.
const LAST: i64 = 2_145_916_800;
/// No zone changes its clock twice within so many seconds.
const STEP: i64 = 7 * DAY;
/// Years in a row that make a rule.
const RULE_YEARS: usize = 5;

/// One change of the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Onset {
    /// When, on the clock before the change.
    at: NaiveDateTime,
    from: i64,
    to: i64,
    is_daylight: bool,
    name: String,
}

impl Onset {
    fn is_like(&self, other: &Onset) -> bool {
        (self.from, self.to, self.is_daylight, &self.name) == (other.from, other.to, other.is_daylight, &other.name)
    }

    /// The day of its year: month, weekday, which one (from the end if it is the last).
    fn day(&self) -> (u32, chrono::Weekday, u32, bool) {
        let day = self.at.day();
        let is_last =
            self.at.date().checked_add_days(chrono::Days::new(7)).is_none_or(|next| next.month() != self.at.month());
        (self.at.month(), self.at.weekday(), day.div_ceil(7), is_last)
    }
}

/// The VTIMEZONE of that name, with line ends; `None` for a name that is not known.
pub(crate) fn vtimezone(name: &str) -> Option<String> {
    let zone: Tz = name.trim().parse().ok()?;
    let mut text = format!("BEGIN:VTIMEZONE\r\nTZID:{}\r\n", zone.name());
    let onsets = onsets_of(zone)?;
    let mut kinds: Vec<Vec<Onset>> = Vec::new();
    for onset in onsets {
        match kinds.iter_mut().find(|kind| kind[0].is_like(&onset)) {
            Some(kind) => kind.push(onset),
            None => kinds.push(vec![onset]),
        }
    }
    for kind in kinds {
        let rule_from = rule_start(&kind);
        let (dates, ruled) = kind.split_at(rule_from);
        if !dates.is_empty() {
            write(&mut text, &dates[0], None, &dates[1..]);
        }
        if let Some(first) = ruled.first() {
            write(&mut text, first, Some(rule_of(ruled)), &[]);
        }
    }
    text.push_str("END:VTIMEZONE\r\n");
    Some(text)
}

/// Every change, after the state at the beginning.
fn onsets_of(zone: Tz) -> Option<Vec<Onset>> {
    let state = |instant: i64| {
        let at = DateTime::from_timestamp(instant, 0)?.naive_utc();
        let offset = zone.offset_from_utc_datetime(&at);
        let seconds = i64::from(offset.fix().local_minus_utc());
        Some((seconds, !offset.dst_offset().is_zero(), offset.abbreviation().unwrap_or_default().to_owned()))
    };
    let mut before = state(FIRST)?;
    let civil = |instant: i64, offset: i64| DateTime::from_timestamp(instant + offset, 0).map(|at| at.naive_utc());
    let first = Onset {
        at: civil(FIRST, before.0)?,
        from: before.0,
        to: before.0,
        is_daylight: before.1,
        name: before.2.clone(),
    };
    let mut onsets = vec![first];
    let mut start = FIRST;
    while start < LAST {
        let end = (start + STEP).min(LAST);
        let after = state(end)?;
        if after != before {
            let (mut low, mut high) = (start, end);
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if state(middle)? == before { low = middle } else { high = middle }
            }
            let after = state(high)?;
            let (from, to) = (before.0, after.0);
            onsets.push(Onset { at: civil(high, from)?, from, to, is_daylight: after.1, name: after.2.clone() });
            before = after;
            // There may be another one in the same step.
            start = high;
            continue;
        }
        start = end;
    }
    Some(onsets)
}

/// From which place on the changes of one kind follow a yearly rule until the end.
fn rule_start(kind: &[Onset]) -> usize {
    let Some(last) = kind.last().filter(|last| last.at.year() >= 2037) else { return kind.len() };
    let (month, weekday, number, is_last) = last.day();
    let is_always_last = |from: usize| kind[from..].iter().all(|onset| onset.day().3);
    let mut start = kind.len();
    for (place, onset) in kind.iter().enumerate().rev() {
        let (its_month, its_weekday, its_number, its_last) = onset.day();
        let fits = its_month == month && its_weekday == weekday && onset.at.time() == last.at.time();
        let is_next = kind.get(place + 1).is_none_or(|next| next.at.year() == onset.at.year() + 1);
        if !fits || !is_next || !(its_number == number || (its_last && is_last)) {
            break;
        }
        // Either all are the last of their month, or all have the same number.
        let numbers_agree = kind[place..].iter().all(|onset| onset.day().2 == number);
        if !numbers_agree && !is_always_last(place) {
            break;
        }
        start = place;
    }
    if kind.len() - start < RULE_YEARS { kind.len() } else { start }
}

fn rule_of(ruled: &[Onset]) -> String {
    let (month, weekday, number, _) = ruled[0].day();
    let numbers_agree = ruled.iter().all(|onset| onset.day().2 == number);
    let which = if numbers_agree { number.to_string() } else { "-1".to_owned() };
    let day = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"][weekday.num_days_from_monday() as usize];
    format!("FREQ=YEARLY;BYMONTH={month};BYDAY={which}{day}")
}

fn write(text: &mut String, first: &Onset, rule: Option<String>, more: &[Onset]) {
    let kind = if first.is_daylight { "DAYLIGHT" } else { "STANDARD" };
    let stamp = |at: NaiveDateTime| at.format("%Y%m%dT%H%M%S").to_string();
    let mut line = |line: String| {
        let mut folded = Vec::new();
        nichoir_contentline::fold(&line, &mut folded);
        text.push_str(&String::from_utf8_lossy(&folded));
    };
    line(format!("BEGIN:{kind}"));
    line(format!("TZNAME:{}", first.name));
    line(format!("TZOFFSETFROM:{}", offset_text(first.from)));
    line(format!("TZOFFSETTO:{}", offset_text(first.to)));
    line(format!("DTSTART:{}", stamp(first.at)));
    if let Some(rule) = rule {
        line(format!("RRULE:{rule}"));
    }
    if !more.is_empty() {
        let dates: Vec<String> = more.iter().map(|onset| stamp(onset.at)).collect();
        line(format!("RDATE:{}", dates.join(",")));
    }
    line(format!("END:{kind}"));
}

/// `+0100`, with seconds where there are any.
fn offset_text(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let all = seconds.abs();
    let (hours, minutes, rest) = (all / 3600, all / 60 % 60, all % 60);
    if rest == 0 { format!("{sign}{hours:02}{minutes:02}") } else { format!("{sign}{hours:02}{minutes:02}{rest:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timezone::{OwnZone, Zone};

    /// What we write, read again as the VTIMEZONE of a stranger.
    #[track_caller]
    fn check(name: &str) {
        let text = vtimezone(name).expect("a known zone");
        let found = nichoir_contentline::parse(text.as_bytes(), &nichoir_contentline::Limits::default());
        let own = Zone::Own(std::sync::Arc::new(OwnZone::of(&found.expect("it parses")[0])));
        let named = Zone::Named(name.parse().expect("a known zone"));
        // Every six hours and a half, from 1971 to 2037.
        for instant in (31_536_000..2_114_380_800).step_by(6 * 3600 + 1800) {
            assert_eq!(own.civil(instant), named.civil(instant), "{name} at {instant}");
        }
    }

    #[test]
    fn what_is_written_means_the_same_zone() {
        for name in [
            "Europe/Paris",
            "America/New_York",
            "Australia/Sydney",
            "Asia/Kolkata",
            "America/Sao_Paulo",
            "Africa/Casablanca",
            "Europe/Moscow",
        ] {
            check(name);
        }
    }

    #[test]
    fn a_rule_that_still_holds_is_told_as_a_rule() {
        let text = vtimezone("Europe/Paris").expect("a known zone");
        assert!(text.contains("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"), "{text}");
        assert!(text.contains("RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"), "{text}");
        assert!(vtimezone("America/New_York").expect("a known zone").contains("BYMONTH=11;BYDAY=1SU"));
        assert_eq!(vtimezone("Nowhere/Else"), None);
    }
}
