//! Whether a change to a component is one that others are told of, and whether they have to answer anew.
//! RFC 5546 §2.1.4, RFC 6638 §3.2.8.

use super::document::Document;
use super::part::Part;
use super::property::Property;
use crate::timezone::Zone;

/// Properties whose change is nobody else's business.
const PRIVATE: [&str; 10] = [
    "DTSTAMP",
    "CREATED",
    "LAST-MODIFIED",
    "SEQUENCE",
    "TRANSP",
    "PERCENT-COMPLETE",
    "COMPLETED",
    "REQUEST-STATUS",
    "RECURRENCE-ID",
    "STATUS",
];

/// What of a component matters to its attendees, in a form that can be compared. STATUS is compared apart.
pub(crate) fn essence(document: &Document, part: &Part) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in part.lines() {
        let name = line.name().to_ascii_uppercase();
        if PRIVATE.contains(&name.as_str()) || name.starts_with("X-") {
            continue;
        }
        found.push(match name.as_str() {
            "DTEND" | "DUE" | "DURATION" | "DTSTART" => continue,
            "ATTENDEE" => attendee_essence(line),
            "ORGANIZER" => format!("ORGANIZER:{}", line.address()),
            "EXDATE" | "RDATE" => continue,
            "RRULE" | "EXRULE" => format!("{name}:{}", rule_essence(line.value())),
            _ => format!("{name}{}:{}", plain_parameters(line), line.value()),
        });
    }
    for name in ["EXDATE", "RDATE"] {
        let dates = document.dates(part, name);
        found.extend(dates.iter().map(|date| format!("{name}:{date}")));
    }
    found.push(time_essence(document, part));
    found.sort_unstable();
    found.dedup();
    found
}

fn attendee_essence(line: &Property) -> String {
    let role = line.parameter("ROLE").unwrap_or_default();
    format!("ATTENDEE;{};{role};{}:{}", line.partstat(), line.is_servers(), line.address())
}

fn plain_parameters(line: &Property) -> String {
    let mut parameters = line.parameters();
    parameters.retain(|(name, _)| !name.starts_with("X-"));
    parameters.sort_unstable();
    parameters.into_iter().map(|(name, value)| format!(";{name}={value}")).collect()
}

/// The parts of a rule in one order, without those that say what holds anyway.
fn rule_essence(value: &str) -> String {
    let value = value.to_ascii_uppercase();
    let mut parts: Vec<&str> = value.split(';').filter(|part| *part != "INTERVAL=1" && !part.is_empty()).collect();
    parts.sort_unstable();
    parts.join(";")
}

/// When it happens: start and length, and on which clock.
pub(crate) fn time_essence(document: &Document, part: &Part) -> String {
    let instant = |name: &str| part.line(name).and_then(|line| document.moment(line));
    let start = instant("DTSTART");
    let start_instant = start.as_ref().map(|moment| moment.instant(&Zone::Utc));
    let end = instant("DTEND").or_else(|| instant("DUE")).map(|moment| moment.instant(&Zone::Utc));
    let duration = part.value("DURATION").and_then(crate::time::Duration::parse).map(|it| it.length());
    let end = end.or_else(|| Some(start_instant? + duration?));
    let clock = start.as_ref().map(|moment| (moment.is_date, format!("{:?}", moment.zone)));
    // The clock of what does not recur makes no difference.
    let clock = clock.filter(|(is_date, _)| *is_date || part.line("RRULE").is_some());
    format!("TIME:{start_instant:?}/{end:?}/{clock:?}")
}

/// Whether attendees have to answer anew: it happens at other times than before (RFC 6638 §3.2.8).
pub(crate) fn is_rescheduled(old: (&Document, &Part), new: (&Document, &Part)) -> bool {
    time_essence(old.0, old.1) != time_essence(new.0, new.1)
        || rules_differ(old.1, new.1)
        || sorted(old.0.dates(old.1, "RDATE")) != sorted(new.0.dates(new.1, "RDATE"))
}

fn sorted(mut dates: Vec<i64>) -> Vec<i64> {
    dates.sort_unstable();
    dates
}

/// Whether the rules give other instances, an earlier end of the same rule aside.
fn rules_differ(old: &Part, new: &Part) -> bool {
    let rules = |part: &Part| -> Vec<(String, Limit)> {
        let mut rules: Vec<(String, Limit)> = part.all("RRULE").map(|line| Limit::split(line.value())).collect();
        rules.sort();
        rules
    };
    let (old, new) = (rules(old), rules(new));
    old.len() != new.len()
        || old.iter().zip(&new).any(|((old, old_limit), (new, new_limit))| old != new || new_limit.exceeds(old_limit))
}

/// How a rule ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Limit {
    Never,
    Count(u64),
    Until(String),
}

impl Limit {
    /// A rule without its end, and its end.
    fn split(value: &str) -> (String, Limit) {
        let value = rule_essence(value);
        let mut limit = Limit::Never;
        let mut kept = Vec::new();
        for part in value.split(';') {
            if let Some(count) = part.strip_prefix("COUNT=") {
                limit = Limit::Count(count.parse().unwrap_or(u64::MAX));
            } else if let Some(until) = part.strip_prefix("UNTIL=") {
                limit = Limit::Until(until.to_owned());
            } else {
                kept.push(part);
            }
        }
        (kept.join(";"), limit)
    }

    /// Whether it may let more instances be than `old`.
    fn exceeds(&self, old: &Limit) -> bool {
        match (old, self) {
            (Limit::Never, _) => false,
            (Limit::Count(old), Limit::Count(new)) => new > old,
            (Limit::Until(old), Limit::Until(new)) => new > old,
            _ => true,
        }
    }
}
