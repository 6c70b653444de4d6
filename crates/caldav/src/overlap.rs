//! Whether an instance lies within a time range: the tables of RFC 4791 §9.9, a component type each.

use nichoir_contentline::Component;

use crate::object::CalendarObject;
use crate::recurrence::Instance;
use crate::time::{DAY, Duration, Moment, TimeRange, period};
use crate::timezone::Zone;

/// The instants of an instance that the tables speak of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// DTSTART.
    start: Option<i64>,
    is_date: bool,
    /// DTEND or DUE.
    end: Option<i64>,
    /// What DURATION leads to.
    after_duration: Option<i64>,
    completed: Option<i64>,
    created: Option<i64>,
}

impl Facts {
    pub(crate) fn of(
        component: &Component<'_>,
        instance: &Instance,
        object: &CalendarObject<'_>,
        default: &Zone,
    ) -> Facts {
        let single = |name: &str| {
            let line = component.line(name)?;
            Some(Moment::of(line, &object.zones)?.instant(default))
        };
        let begins = instance.start.as_ref().map(|start| start.instant(default));
        let has_start = component.line("DTSTART").is_some();
        let end_name = if component.name == "VTODO" { "DUE" } else { "DTEND" };
        let end = component.line(end_name).and(if has_start { instance.end } else { begins });
        let duration = component.value("DURATION").and_then(Duration::parse).filter(|_| end.is_none());
        Facts {
            start: begins.filter(|_| has_start),
            is_date: instance.start.as_ref().is_some_and(|start| start.is_date),
            end,
            after_duration: duration.and(instance.end).filter(|_| has_start),
            completed: single("COMPLETED"),
            created: single("CREATED"),
        }
    }
}

/// Whether the instance lies within `range`.
pub(crate) fn is_within(
    component: &Component<'_>,
    facts: &Facts,
    range: TimeRange,
    object: &CalendarObject<'_>,
    default: &Zone,
) -> bool {
    let TimeRange { start: s, end: e } = range;
    match component.name.as_str() {
        "VEVENT" => {
            let Some(start) = facts.start else { return false };
            match facts.end.or(facts.after_duration) {
                Some(end) if end > start => s < end && e > start,
                _ if facts.is_date => s < start.saturating_add(DAY) && e > start,
                _ => s <= start && e > start,
            }
        }
        "VTODO" => todo_is_within(facts, s, e),
        "VJOURNAL" => match facts.start {
            Some(start) if facts.is_date => s < start.saturating_add(DAY) && e > start,
            Some(start) => s <= start && e > start,
            None => false,
        },
        "VFREEBUSY" => match (facts.start, facts.end) {
            (Some(start), Some(end)) => s <= end && e > start,
            _ => busy_periods(component, object, default).iter().any(|(start, end, _)| s < *end && e > *start),
        },
        "VAVAILABILITY" => {
            let start = facts.start.unwrap_or(i64::MIN);
            let end = facts.end.or(facts.after_duration).unwrap_or(i64::MAX);
            s < end && e > start
        }
        _ => true,
    }
}

fn todo_is_within(facts: &Facts, s: i64, e: i64) -> bool {
    match (facts.start, facts.after_duration, facts.end, facts.completed, facts.created) {
        (Some(start), Some(end), _, _, _) => s <= end && (e > start || e >= end),
        (Some(start), None, Some(due), _, _) => (s < due || s <= start) && (e > start || e >= due),
        (Some(start), None, None, _, _) => s <= start && e > start,
        (None, _, Some(due), _, _) => s < due && e >= due,
        (None, _, None, Some(completed), Some(created)) => {
            (s <= created || s <= completed) && (e >= created || e >= completed)
        }
        (None, _, None, Some(completed), None) => s <= completed && e >= completed,
        (None, _, None, None, Some(created)) => e > created,
        (None, _, None, None, None) => true,
    }
}

/// The periods of a VFREEBUSY: start, end, type.
pub(crate) fn busy_periods(
    component: &Component<'_>,
    object: &CalendarObject<'_>,
    default: &Zone,
) -> Vec<(i64, i64, String)> {
    let mut found = Vec::new();
    for line in component.all("FREEBUSY") {
        let kind = line.parameter("FBTYPE").unwrap_or_else(|| "BUSY".to_owned()).to_ascii_uppercase();
        for value in line.value().split(',') {
            if let Some((start, end)) = period(value, None, &object.zones) {
                found.push((start.instant(default), end.instant(&start, default), kind.clone()));
            }
        }
    }
    found
}

/// How far, in seconds, the alarms of an object may be from what they announce.
pub(crate) fn alarm_reach(object: &CalendarObject<'_>) -> i64 {
    let alarms = object.mains().flat_map(|main| main.inner("VALARM"));
    let reach = alarms.map(|alarm| {
        let trigger = alarm.value("TRIGGER").and_then(Duration::parse).map_or(0, Duration::length);
        trigger.saturating_abs().saturating_add(repetition(alarm).map_or(0, |(count, gap)| count.saturating_mul(gap)))
    });
    reach.max().unwrap_or(0).saturating_add(DAY)
}

/// How many times an alarm is repeated, and after how many seconds each.
fn repetition(alarm: &Component<'_>) -> Option<(i64, i64)> {
    let count: i64 = alarm.value("REPEAT")?.trim().parse().ok()?;
    let gap = Duration::parse(alarm.value("DURATION")?)?.length();
    (count > 0 && gap > 0).then_some((count.min(1_000), gap))
}

/// Whether the alarm of an instance goes off within `range`.
pub(crate) fn alarm_is_within(alarm: &Component<'_>, facts: &Facts, range: TimeRange, default: &Zone) -> bool {
    let Some(trigger) = alarm.line("TRIGGER") else { return false };
    let first = match Duration::parse(trigger.value()) {
        Some(duration) => {
            let is_from_end = trigger.parameter("RELATED").is_some_and(|it| it.eq_ignore_ascii_case("END"));
            let end = facts.end.or(facts.after_duration).or(facts.start);
            let anchor = if is_from_end { end } else { facts.start.or(facts.end) };
            let Some(anchor) = anchor else { return false };
            anchor.saturating_add(duration.length())
        }
        None => match Moment::parse(trigger.value(), || None, &crate::timezone::Zones::default()) {
            Some(moment) => moment.instant(default),
            None => return false,
        },
    };
    let (count, gap) = repetition(alarm).unwrap_or((0, 0));
    (0..=count).map(|time| first.saturating_add(time.saturating_mul(gap))).any(|at| range.start <= at && range.end > at)
}
