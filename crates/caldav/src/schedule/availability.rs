//! When somebody can be met at all: the VAVAILABILITY on their inbox. RFC 7953 §4, §7.2.

use nichoir_store::Node;
use nichoir_xml::caldav;

use super::document::Document;
use super::part::{Part, Piece};
use crate::calendar_zone::stored_text;
use crate::free_busy::FreeBusy;
use crate::object::{CalendarObject, Limits};
use crate::time::Duration;
use crate::timezone::Zone;

/// Adds what the availability on `inbox` leaves out, floating times read in `default`.
pub(crate) fn add(inbox: &Node, default: &Zone, found: &mut FreeBusy, limits: &Limits) {
    let Some(text) = stored_text(inbox, &caldav::CALENDAR_AVAILABILITY) else { return };
    let Some(document) = Document::read(text.as_bytes(), limits) else { return };
    let mut parts: Vec<&Part> = document.mains().filter(|part| part.name == "VAVAILABILITY").collect();
    // 1 is the highest; 0, or none, the lowest.
    parts.sort_by_key(|part| match priority(part) {
        0 => i64::MAX,
        priority => priority,
    });
    let range = found.range();
    let mut decided: Vec<(i64, i64)> = Vec::new();
    for part in parts {
        let Some(span) = span(&document, part, default, (range.start, range.end)) else { continue };
        let mut taken = available(&document, part, default, span, limits);
        taken.extend(&decided);
        let open = without_all(span, taken);
        let kind = part.value("BUSYTYPE").unwrap_or("BUSY-UNAVAILABLE").trim().to_ascii_uppercase();
        for (start, end) in open {
            match kind.as_str() {
                "BUSY" => found.add_busy(start, end, false),
                "BUSY-TENTATIVE" => found.add_busy(start, end, true),
                _ => found.add_unavailable(start, end),
            }
        }
        decided.push(span);
    }
}

/// AVAILABLE parts of one VAVAILABILITY that are heeded.
const AVAILABLE_MAX: usize = 100;

fn priority(part: &Part) -> i64 {
    part.value("PRIORITY").and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

/// The time that a VAVAILABILITY speaks of, within `range`.
fn span(document: &Document, part: &Part, default: &Zone, range: (i64, i64)) -> Option<(i64, i64)> {
    let moment = |name: &str| part.line(name).and_then(|line| document.moment(line));
    let start = moment("DTSTART");
    let end = match (moment("DTEND"), part.value("DURATION").and_then(Duration::parse), &start) {
        (Some(end), _, _) => end.instant(default),
        (None, Some(duration), Some(start)) => duration.after(start, default),
        _ => i64::MAX,
    };
    let start = start.map_or(i64::MIN, |start| start.instant(default)).max(range.0);
    let end = end.min(range.1);
    (start < end).then_some((start, end))
}

/// The AVAILABLE times of a VAVAILABILITY within `range`: they recur as events do.
fn available(document: &Document, part: &Part, default: &Zone, range: (i64, i64), limits: &Limits) -> Vec<(i64, i64)> {
    let mut found = Vec::new();
    for inner in part.parts().filter(|inner| inner.name == "AVAILABLE").take(AVAILABLE_MAX) {
        let mut calendar = document.clone();
        calendar.retain_mains(|_| false);
        let mut event = inner.clone();
        event.name = "VEVENT".to_owned();
        event.set("UID", Some("available"));
        calendar.calendar.pieces.push(Piece::Part(event));
        let bytes = calendar.to_bytes();
        let Ok(object) = CalendarObject::read(&bytes, limits) else { continue };
        for instance in object.instances(range.0, range.1, default, limits).list {
            if let (Some(start), Some(end)) = (instance.start, instance.end) {
                found.push((start.instant(default), end));
            }
        }
    }
    found
}

/// What is left of `period` outside of all of `taken`, in one pass.
fn without_all(period: (i64, i64), mut taken: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    taken.sort_unstable();
    let (mut open, mut from) = (Vec::new(), period.0);
    for (start, end) in taken {
        if from < start.min(period.1) {
            open.push((from, start.min(period.1)));
        }
        from = from.max(end);
    }
    if from < period.1 {
        open.push((from, period.1));
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_leaves_the_rest() {
        let check = |taken: &[(i64, i64)], expected: &[(i64, i64)]| {
            assert_eq!(without_all((0, 10), taken.to_vec()), expected, "{taken:?}");
        };
        check(&[(3, 5)], &[(0, 3), (5, 10)]);
        check(&[(0, 10)], &[]);
        check(&[(-5, 3)], &[(3, 10)]);
        check(&[(20, 30)], &[(0, 10)]);
        check(&[(4, 6), (1, 2), (5, 8)], &[(0, 1), (2, 4), (8, 10)]);
        check(&[], &[(0, 10)]);
    }
}
