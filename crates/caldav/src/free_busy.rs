//! Busy time (RFC 4791 §7.10, RFC 6638 §5): the periods within a range at which a calendar's owner is busy.

use crate::object::{CalendarObject, Limits};
use crate::overlap::busy_periods;
use crate::time::{TimeRange, utc_text};
use crate::timezone::Zone;

/// How busy (RFC 5545 §3.2.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Busy,
    Unavailable,
    Tentative,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Busy, Kind::Unavailable, Kind::Tentative];

    const fn name(self) -> &'static str {
        match self {
            Kind::Busy => "BUSY",
            Kind::Unavailable => "BUSY-UNAVAILABLE",
            Kind::Tentative => "BUSY-TENTATIVE",
        }
    }
}

/// The busy time of one or more calendars within a range.
#[derive(Clone, Debug)]
pub struct FreeBusy {
    range: TimeRange,
    periods: Vec<(i64, i64, Kind)>,
}

impl FreeBusy {
    /// Nothing yet.
    pub fn within(range: TimeRange) -> FreeBusy {
        FreeBusy { range, periods: Vec::new() }
    }

    /// What it is about.
    pub fn range(&self) -> TimeRange {
        self.range
    }

    /// Adds what an object takes: opaque events that are not cancelled, and stored busy times.
    pub fn add(&mut self, object: &CalendarObject<'_>, default: &Zone, limits: &Limits) {
        match object.component.as_str() {
            "VEVENT" => self.add_events(object, default, limits),
            "VFREEBUSY" => {
                for main in object.mains() {
                    for (start, end, kind) in busy_periods(main, object, default) {
                        match kind.as_str() {
                            "FREE" => {}
                            "BUSY-TENTATIVE" => self.push(start, end, Kind::Tentative),
                            "BUSY-UNAVAILABLE" => self.push(start, end, Kind::Unavailable),
                            _ => self.push(start, end, Kind::Busy),
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn add_events(&mut self, object: &CalendarObject<'_>, default: &Zone, limits: &Limits) {
        for instance in object.instances(self.range.start, self.range.end, default, limits).list {
            let component = &object.calendar.components[instance.component];
            let says = |name: &str, value: &str| {
                component.value(name).is_some_and(|told| told.trim().eq_ignore_ascii_case(value))
            };
            if says("TRANSP", "TRANSPARENT") || says("STATUS", "CANCELLED") {
                continue;
            }
            let kind = if says("STATUS", "TENTATIVE") { Kind::Tentative } else { Kind::Busy };
            if let (Some(start), Some(end)) = (instance.start, instance.end) {
                self.push(start.instant(default), end, kind);
            }
        }
    }

    /// Adds a time that nobody can be met in.
    pub(crate) fn add_unavailable(&mut self, start: i64, end: i64) {
        self.push(start, end, Kind::Unavailable);
    }

    /// Adds a time that is taken, or perhaps taken.
    pub(crate) fn add_busy(&mut self, start: i64, end: i64, is_tentative: bool) {
        self.push(start, end, if is_tentative { Kind::Tentative } else { Kind::Busy });
    }

    fn push(&mut self, start: i64, end: i64, kind: Kind) {
        let (start, end) = (start.max(self.range.start), end.min(self.range.end));
        if start < end {
            self.periods.push((start, end, kind));
        }
    }

    /// The FREEBUSY lines: periods in order, those that touch made one.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for kind in Kind::ALL {
            let mut own: Vec<(i64, i64)> =
                self.periods.iter().filter(|(_, _, of)| *of == kind).map(|(start, end, _)| (*start, *end)).collect();
            own.sort_unstable();
            let mut merged: Vec<(i64, i64)> = Vec::new();
            for (start, end) in own {
                match merged.last_mut() {
                    Some((_, last)) if start <= *last => *last = end.max(*last),
                    _ => merged.push((start, end)),
                }
            }
            if !merged.is_empty() {
                let periods: Vec<String> =
                    merged.iter().map(|(start, end)| format!("{}/{}", utc_text(*start), utc_text(*end))).collect();
                lines.push(format!("FREEBUSY;FBTYPE={}:{}", kind.name(), periods.join(",")));
            }
        }
        lines
    }

    /// The whole answer; `extra` are further properties of the VFREEBUSY, `method` that of a scheduling answer.
    pub fn to_calendar(&self, now_seconds: i64, method: Option<&str>, extra: &[String]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut line = |text: &str| nichoir_contentline::fold(text, &mut out);
        line("BEGIN:VCALENDAR");
        line("VERSION:2.0");
        line("PRODID:-//nichoir//nichoir//EN");
        if let Some(method) = method {
            line(&format!("METHOD:{method}"));
        }
        line("BEGIN:VFREEBUSY");
        line(&format!("DTSTAMP:{}", utc_text(now_seconds)));
        line(&format!("DTSTART:{}", utc_text(self.range.start)));
        line(&format!("DTEND:{}", utc_text(self.range.end)));
        extra.iter().for_each(|text| line(text));
        self.lines().iter().for_each(|text| line(text));
        line("END:VFREEBUSY");
        line("END:VCALENDAR");
        out
    }
}

#[cfg(test)]
mod tests;
