//! Recurrence sets: rule, dates, exceptions and overrides become instances within a window. RFC 5545 §3.8.5.
//!
//! Rules run on the wall clock and are put on the time line instance by instance. The walk begins near the window, not
//! at DTSTART, except for rules that count; it ends after a number of steps, whatever the rule.

use std::collections::{BTreeMap, BTreeSet};

use ical::recur::expand::IcalRecurExpand;
use ical::recur::{IcalRecurDateTime, IcalRecurFreq, IcalRecurRule};
use nichoir_contentline::Component;

use crate::object::{CalendarObject, Limits};
use crate::time::{DAY, Duration, Moment, period};
use crate::timezone::Zone;

/// Rules of one component that are heeded; nobody writes more than one or two.
pub(crate) const RULES_MAX: usize = 10;
/// Times of one day that a rule may name by BYHOUR, BYMINUTE and BYSECOND: all minutes of a day.
const TIMES_OF_DAY_MAX: usize = 1_440;
/// The longest rule that says anything: all days of a year by their number.
const RULE_BYTES_MAX: usize = 4_096;
/// Steps that each rule costs beside what it yields: one that never happens is looked at for long, too.
const STEPS_OF_RULE: usize = 100;

/// A rule, its end on the wall clock.
#[derive(Clone, Debug)]
pub(crate) struct Rule(IcalRecurRule);

impl Rule {
    /// The value of an RRULE; an UNTIL in UTC becomes civil by `to_civil`, an UNTIL that is a date is its whole day.
    pub(crate) fn parse(value: &str, to_civil: impl FnOnce(i64) -> i64) -> Option<Rule> {
        let value = value.trim().to_ascii_uppercase();
        let mut rule = IcalRecurRule::parse(&value).ok()?;
        if let Some(until) = &mut rule.until {
            let text = value.split(';').find_map(|part| part.strip_prefix("UNTIL="))?;
            let (civil, is_date, is_utc) = crate::time::civil(text)?;
            *until = IcalRecurDateTime::from_seconds(match (is_date, is_utc) {
                (true, _) => civil + DAY - 1,
                (_, true) => to_civil(civil),
                _ => civil,
            });
        }
        // What a period is multiplied by is bounded before anything is made of it.
        let times = ["BYHOUR=", "BYMINUTE=", "BYSECOND="].map(|name| {
            let list = value.split(';').find_map(|part| part.strip_prefix(name));
            list.map_or(1, |list| list.split(',').count())
        });
        if times.iter().product::<usize>() > TIMES_OF_DAY_MAX || value.len() > RULE_BYTES_MAX {
            return None;
        }
        if rule.interval == 0 {
            rule.interval = 1;
        }
        Some(Rule(rule))
    }

    fn has_end(&self) -> bool {
        self.0.until.is_some() || self.0.count.is_some()
    }

    fn is_within_days(&self) -> bool {
        matches!(self.0.freq, IcalRecurFreq::Hourly | IcalRecurFreq::Minutely | IcalRecurFreq::Secondly)
    }
}

/// The civil times of a rule from its start on; those before `from` may be missing.
pub(crate) fn civil_dates(rule: &Rule, start: i64, from: i64) -> impl Iterator<Item = i64> + use<> {
    let start = IcalRecurDateTime::from_seconds(skip(&rule.0, start, from));
    IcalRecurExpand::new(rule.0.clone(), start).map(|at| at.seconds())
}

/// A later start from which the rule yields the same times after `from`: whole intervals on.
fn skip(rule: &IcalRecurRule, start: i64, from: i64) -> i64 {
    let gap = from.saturating_sub(start).saturating_sub(2 * DAY);
    if rule.count.is_some() || gap <= 0 {
        return start;
    }
    let interval = i64::from(rule.interval);
    let by_seconds = |unit: i64| {
        let step = unit.saturating_mul(interval);
        start + gap / step * step
    };
    let at = IcalRecurDateTime::from_seconds(start);
    let by_months = |months: i64| {
        // Days that not every month has are left alone: the walk is cheap.
        if at.day > 28 {
            return start;
        }
        let step = months * interval;
        let passed = gap / (31 * DAY) / step * step;
        let month = i64::from(at.year) * 12 + i64::from(at.month) - 1 + passed;
        let (Ok(year), Ok(month)) = (i32::try_from(month.div_euclid(12)), u8::try_from(month.rem_euclid(12) + 1))
        else {
            return start;
        };
        IcalRecurDateTime { year, month, ..at }.seconds()
    };
    match rule.freq {
        IcalRecurFreq::Secondly => by_seconds(1),
        IcalRecurFreq::Minutely => by_seconds(60),
        IcalRecurFreq::Hourly => by_seconds(3600),
        IcalRecurFreq::Daily => by_seconds(DAY),
        IcalRecurFreq::Weekly => by_seconds(7 * DAY),
        IcalRecurFreq::Monthly => by_months(1),
        IcalRecurFreq::Yearly => by_months(12),
    }
}

/// One time that the object happens.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Which of the object's components it is of.
    pub(crate) component: usize,
    /// When it begins: `DTSTART`, or `DUE` of a to-do without one.
    pub(crate) start: Option<Moment>,
    /// When it ends, in seconds; of what has no end, when it begins.
    pub(crate) end: Option<i64>,
    /// The time that the rule gave it; `None` for what does not recur.
    pub(crate) id: Option<Moment>,
}

/// The instances within a window.
#[derive(Debug)]
pub struct Instances {
    /// In the order of their beginning.
    pub(crate) list: Vec<Instance>,
    /// Whether there may be more than could be walked to.
    pub(crate) is_cut: bool,
}

/// How long an instance lasts.
#[derive(Clone, Copy, Debug)]
enum Length {
    /// As many seconds on the time line.
    Exact(i64),
    /// As a DURATION says; also whole days.
    Nominal(Duration),
    /// It has no end.
    None,
}

impl Length {
    fn of(component: &Component<'_>, start: &Moment, object: &CalendarObject<'_>, default: &Zone) -> Length {
        let end_name = if component.name == "VTODO" { "DUE" } else { "DTEND" };
        if let Some(end) = component.line(end_name).and_then(|line| Moment::of(line, &object.zones)) {
            if start.is_date && end.is_date {
                let days = ((end.civil - start.civil) / DAY).max(if component.name == "VEVENT" { 1 } else { 0 });
                return Length::Nominal(Duration { days, seconds: 0 });
            }
            return Length::Exact((end.instant(default) - start.instant(default)).max(0));
        }
        if let Some(duration) = component.value("DURATION").and_then(Duration::parse) {
            return Length::Nominal(if duration.length() < 0 { Duration::default() } else { duration });
        }
        match component.name.as_str() {
            "VEVENT" | "VJOURNAL" if start.is_date => Length::Nominal(Duration { days: 1, seconds: 0 }),
            _ => Length::None,
        }
    }

    fn end(self, start: &Moment, default: &Zone) -> i64 {
        match self {
            Length::Exact(seconds) => start.instant(default).saturating_add(seconds),
            Length::Nominal(duration) => duration.after(start, default),
            Length::None => start.instant(default),
        }
    }

    fn seconds(self) -> i64 {
        match self {
            Length::Exact(seconds) => seconds,
            Length::Nominal(duration) => duration.length(),
            Length::None => 0,
        }
    }
}

/// Where an instance of this component begins.
fn start_of(component: &Component<'_>, object: &CalendarObject<'_>) -> Option<Moment> {
    let line = component.line("DTSTART").or_else(|| match component.name.as_str() {
        "VTODO" => component.line("DUE"),
        _ => None,
    });
    line.and_then(|line| Moment::of(line, &object.zones))
}

/// An override, and the time that it stands for.
struct Override {
    component: usize,
    id: Moment,
    is_this_and_future: bool,
}

impl CalendarObject<'_> {
    /// Whether it happens more than once, or in other versions than its first component.
    pub fn recurs(&self) -> bool {
        let is_rule = |component: &Component<'_>| component.line("RRULE").or(component.line("RDATE")).is_some();
        self.mains().any(|main| is_rule(main) || main.line("RECURRENCE-ID").is_some())
    }

    /// The instances that may overlap `from..to`, floating times read in `default`. Some that do not may be among them.
    pub fn instances(&self, from: i64, to: i64, default: &Zone, limits: &Limits) -> Instances {
        let mut walk = Walk { steps: limits.recurrence_steps_max, is_cut: false };
        let overrides = self.overrides();
        let replaced: BTreeMap<i64, usize> =
            overrides.iter().enumerate().map(|(place, it)| (it.id.instant(default), place)).collect();
        let mut list: Vec<Instance> = Vec::new();
        if let Some(master) = self.master() {
            self.add_of_master(master, from, to, default, limits, &overrides, &replaced, &mut walk, &mut list);
        }
        for it in &overrides {
            let component = &self.calendar.components[it.component];
            let start = start_of(component, self);
            let end = start.as_ref().map(|start| Length::of(component, start, self, default).end(start, default));
            list.push(Instance { component: it.component, start, end, id: Some(it.id.clone()) });
        }
        list.sort_by_key(|it| it.start.as_ref().map(|start| start.instant(default)));
        Instances { list, is_cut: walk.is_cut }
    }

    /// Whether the rule, its dates and exceptions give an instance at that instant, floating times read in UTC.
    pub fn recurs_at(&self, instant: i64, limits: &Limits) -> bool {
        let default = Zone::Utc;
        let found = self.instances(instant, instant, &default, limits);
        found.list.iter().any(|it| it.id.as_ref().is_some_and(|id| id.instant(&default) == instant))
    }

    fn overrides(&self) -> Vec<Override> {
        let mut overrides = Vec::new();
        for (place, component) in self.calendar.components.iter().enumerate() {
            if component.name != self.component {
                continue;
            }
            let Some(line) = component.line("RECURRENCE-ID") else { continue };
            let Some(id) = Moment::of(line, &self.zones) else { continue };
            let is_this_and_future =
                line.parameter("RANGE").is_some_and(|range| range.eq_ignore_ascii_case("THISANDFUTURE"));
            overrides.push(Override { component: place, id, is_this_and_future });
        }
        overrides
    }

    /// The place of the component without a RECURRENCE-ID.
    fn master(&self) -> Option<usize> {
        let is_master = |it: &Component<'_>| it.name == self.component && it.line("RECURRENCE-ID").is_none();
        self.calendar.components.iter().position(is_master)
    }

    #[expect(clippy::too_many_arguments, reason = "one walk, told apart for its length only")]
    fn add_of_master(
        &self,
        master: usize,
        from: i64,
        to: i64,
        default: &Zone,
        limits: &Limits,
        overrides: &[Override],
        replaced: &BTreeMap<i64, usize>,
        walk: &mut Walk,
        list: &mut Vec<Instance>,
    ) {
        let component = &self.calendar.components[master];
        let Some(first) = start_of(component, self) else {
            list.push(Instance { component: master, start: None, end: None, id: None });
            return;
        };
        let length = Length::of(component, &first, self, default);
        if !self.recurs() {
            let end = length.end(&first, default);
            list.push(Instance { component: master, start: Some(first), end: Some(end), id: None });
            return;
        }
        // Later overrides may move what is outside of the window into it, and back: by at most what they say.
        let shift = overrides.iter().filter(|it| it.is_this_and_future).map(|it| {
            let moved = start_of(&self.calendar.components[it.component], self);
            moved.map_or(0, |moved| (moved.civil - it.id.civil).abs())
        });
        let margin = length.seconds().saturating_add(shift.max().unwrap_or(0)).saturating_add(2 * DAY);
        let mut window = (from.saturating_sub(margin), to.saturating_add(margin));
        let (dates, lengths) = self.dates(component, &first, default);
        let mut starts: BTreeSet<i64> = dates;
        starts.insert(first.civil);
        for line in component.all("RRULE").take(RULES_MAX) {
            if !walk.charge(STEPS_OF_RULE) {
                break;
            }
            let Some(rule) = Rule::parse(line.value(), |until| first_civil(&first, until, default)) else { continue };
            if rule.is_within_days() {
                window.0 = window.0.max(first.civil - 2 * DAY);
                window.1 = window.1.min(window.0.saturating_add(limits.subday_window_seconds_max));
            }
            for civil in civil_dates(&rule, first.civil, window.0) {
                if civil > window.1 || !walk.step() {
                    break;
                }
                if civil >= window.0 {
                    starts.insert(civil);
                    if starts.len() > limits.instances_max {
                        walk.is_cut = true;
                        break;
                    }
                }
            }
        }
        let excluded = self.exceptions(component, &first, default, &starts, walk);
        for civil in starts {
            let moment = first.at(civil);
            let instant = moment.instant(default);
            if excluded.contains(&civil) || replaced.contains_key(&instant) {
                continue;
            }
            let ruling = overrides
                .iter()
                .filter(|it| it.is_this_and_future && it.id.instant(default) < instant)
                .max_by_key(|it| it.id.instant(default));
            let (place, start, length) = match ruling {
                None => (master, moment.clone(), length),
                Some(ruling) => {
                    let component = &self.calendar.components[ruling.component];
                    let Some(moved) = start_of(component, self) else { continue };
                    let length = Length::of(component, &moved, self, default);
                    (ruling.component, moved.at(moved.civil + civil - ruling.id.civil), length)
                }
            };
            let own_length = lengths.iter().find(|(at, _)| *at == civil).map(|(_, length)| *length);
            let end = own_length.unwrap_or(length).end(&start, default);
            if end >= from && start.instant(default) <= to {
                list.push(Instance { component: place, start: Some(start), end: Some(end), id: Some(moment) });
            }
        }
    }

    /// RDATE on the master's wall clock, and how long those last that say so.
    fn dates(&self, component: &Component<'_>, first: &Moment, default: &Zone) -> (BTreeSet<i64>, Vec<(i64, Length)>) {
        let mut dates = BTreeSet::new();
        let mut lengths = Vec::new();
        for line in component.all("RDATE") {
            let tzid = line.parameter("TZID");
            for value in line.value().split(',') {
                if let Some((start, end)) = period(value, tzid.as_deref(), &self.zones) {
                    let civil = on_clock_of(first, &start, default);
                    dates.insert(civil);
                    let seconds = end.instant(&start, default) - start.instant(default);
                    lengths.push((civil, Length::Exact(seconds.max(0))));
                } else if let Some(moment) = Moment::parse(value, || tzid.clone(), &self.zones) {
                    dates.insert(on_clock_of(first, &moment, default));
                }
            }
        }
        (dates, lengths)
    }

    /// Those of `starts` that EXDATE and EXRULE take out.
    fn exceptions(
        &self,
        component: &Component<'_>,
        first: &Moment,
        default: &Zone,
        starts: &BTreeSet<i64>,
        walk: &mut Walk,
    ) -> BTreeSet<i64> {
        let mut excluded = BTreeSet::new();
        for line in component.all("EXDATE") {
            let tzid = line.parameter("TZID");
            for value in line.value().split(',') {
                let Some(moment) = Moment::parse(value, || tzid.clone(), &self.zones) else { continue };
                if moment.is_date && !first.is_date {
                    // Meant for the whole day, as several programs write it.
                    excluded.extend(starts.range(moment.civil..moment.civil + DAY));
                } else {
                    excluded.insert(on_clock_of(first, &moment, default));
                }
            }
        }
        let (Some(earliest), Some(latest)) = (starts.first(), starts.last()) else { return excluded };
        for line in component.all("EXRULE").take(RULES_MAX) {
            if !walk.charge(STEPS_OF_RULE) {
                break;
            }
            let Some(rule) = Rule::parse(line.value(), |until| first_civil(first, until, default)) else { continue };
            for civil in civil_dates(&rule, first.civil, *earliest) {
                if civil > *latest || !walk.step() {
                    break;
                }
                excluded.insert(civil);
            }
        }
        excluded
    }

    /// When the last instance ends, in seconds; `None` if nobody can say.
    pub(crate) fn last_end(&self, default: &Zone, limits: &Limits) -> Option<i64> {
        let master = self.master().map(|place| &self.calendar.components[place]);
        if let Some(master) = master {
            for line in master.all("RRULE") {
                match Rule::parse(line.value(), |until| until) {
                    Some(rule) if !rule.has_end() || rule.is_within_days() => return None,
                    _ => {}
                }
            }
        }
        let found = self.instances(i64::MIN / 4, i64::MAX / 4, default, limits);
        if found.is_cut {
            return None;
        }
        found.list.iter().filter_map(|it| it.end).max()
    }
}

/// `moment` as the clock of `first` shows it.
fn on_clock_of(first: &Moment, moment: &Moment, default: &Zone) -> i64 {
    if moment.zone == first.zone || moment.is_date {
        return moment.civil;
    }
    first_civil(first, moment.instant(default), default)
}

fn first_civil(first: &Moment, instant: i64, default: &Zone) -> i64 {
    match &first.zone {
        Zone::Floating => default.civil(instant),
        zone => zone.civil(instant),
    }
}

/// How far a walk may still go.
struct Walk {
    steps: usize,
    is_cut: bool,
}

impl Walk {
    fn step(&mut self) -> bool {
        self.charge(1)
    }

    fn charge(&mut self, steps: usize) -> bool {
        self.steps = self.steps.saturating_sub(steps);
        self.is_cut |= self.steps == 0;
        self.steps > 0
    }
}

#[cfg(test)]
pub(crate) mod tests;
