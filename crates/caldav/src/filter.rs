//! `CALDAV:filter` (RFC 4791 §9.7) and whether an object matches it. Names compare whatever their case, as clients
//! expect.

use nichoir_contentline::{Collation, Component, Line, NotUnderstood, TextMatch, texts};
use nichoir_dav::Error;
use nichoir_store::MemberFilter;
use nichoir_xml::{Element, Name, caldav};

use crate::object::{CalendarObject, Limits};
use crate::overlap::{self, Facts};
use crate::time::{Moment, TimeRange, period, utc};
use crate::timezone::Zone;

/// A filter, understood.
#[derive(Clone, Debug)]
pub struct Filter {
    root: CompFilter,
}

#[derive(Clone, Debug)]
struct CompFilter {
    name: String,
    /// Whether one of the conditions about properties and components is enough (`test="anyof"`, CalendarServer's
    /// `calendar-query-extended`).
    is_anyof: bool,
    is_not_defined: bool,
    time_range: Option<TimeRange>,
    props: Vec<PropFilter>,
    comps: Vec<CompFilter>,
}

#[derive(Clone, Debug)]
struct PropFilter {
    name: String,
    is_anyof: bool,
    is_not_defined: bool,
    time_range: Option<TimeRange>,
    text: Option<TextMatch>,
    params: Vec<ParamFilter>,
}

#[derive(Clone, Debug)]
struct ParamFilter {
    name: String,
    is_not_defined: bool,
    text: Option<TextMatch>,
}

/// Reads `CALDAV:time-range`.
///
/// # Errors
/// 403 with `CALDAV:valid-filter`.
pub(crate) fn time_range(element: &Element) -> Result<TimeRange, Error> {
    let bound = |name: &'static str, absent| match element.attribute(&Name::new("", name)) {
        None => Ok(absent),
        Some(text) => utc(text)
            .filter(|_| text.len() > "20250102".len())
            .ok_or_else(|| invalid("A time-range is written in UTC, with times.")),
    };
    let range = TimeRange { start: bound("start", i64::MIN / 4)?, end: bound("end", i64::MAX / 4)? };
    let is_open = element.attribute(&Name::new("", "start")).or(element.attribute(&Name::new("", "end"))).is_none();
    if is_open || range.start >= range.end {
        // RFC 4791 §9.9: the element itself is malformed.
        return Err(Error::bad_request("A time-range has a start, or an end, or a start before its end."));
    }
    Ok(range)
}

fn invalid(message: &'static str) -> Error {
    Error::forbidden(message).with_condition(caldav::VALID_FILTER)
}

/// How many conditions are still to be read.
struct Budget(usize);

impl Budget {
    fn take(&mut self) -> Result<(), Error> {
        self.0 = self.0.checked_sub(1).ok_or_else(|| invalid("The filter has too many conditions."))?;
        Ok(())
    }
}

fn name_of(element: &Element) -> Result<String, Error> {
    let name = element.attribute(&Name::new("", "name")).map(str::trim).filter(|name| !name.is_empty());
    name.map(str::to_owned).ok_or_else(|| invalid("A filter has no name."))
}

fn is_anyof(element: &Element) -> bool {
    element.attribute(&Name::new("", "test")).is_some_and(|test| test.eq_ignore_ascii_case("anyof"))
}

/// Whether all of the conditions hold, or, if that is what is asked for, one of them. None at all hold.
fn combine(is_anyof: bool, conditions: impl IntoIterator<Item = bool>) -> bool {
    let mut conditions = conditions.into_iter().peekable();
    match is_anyof && conditions.peek().is_some() {
        true => conditions.any(|holds| holds),
        false => conditions.all(|holds| holds),
    }
}

impl Filter {
    /// Reads the filter element of a calendar-query.
    ///
    /// # Errors
    /// 403 with `CALDAV:valid-filter`, `supported-filter` or `supported-collation`.
    pub fn of(element: &Element, limits: &Limits) -> Result<Filter, Error> {
        let name = caldav::COMP_FILTER;
        let mut comps = element.children(&name);
        let (Some(root), None) = (comps.next(), comps.next()) else {
            return Err(invalid("A filter holds one comp-filter."));
        };
        let root = CompFilter::of(root, &mut Budget(limits.filter_conditions_max))?;
        root.comps.iter().try_for_each(|comp| check_place(comp, "VCALENDAR"))?;
        if !root.name.eq_ignore_ascii_case("VCALENDAR") || root.time_range.is_some() {
            return Err(invalid("The outermost comp-filter is about VCALENDAR and has no time-range."));
        }
        Ok(Filter { root })
    }

    /// What the index can say: no member that matches is left out.
    pub fn prefilter(&self) -> MemberFilter {
        let mut found = MemberFilter::default();
        let [comp] = &self.root.comps[..] else { return found };
        if comp.is_not_defined || comp.name.eq_ignore_ascii_case("VTIMEZONE") {
            return found;
        }
        if !["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"]
            .iter()
            .any(|name| comp.name.eq_ignore_ascii_case(name))
        {
            return found;
        }
        found.component = Some(comp.name.to_ascii_uppercase());
        if let Some(range) = comp.time_range {
            (found.start_seconds, found.end_seconds) = (range.start, range.end);
        }
        found
    }

    /// Whether the index tells already who matches: all that is asked for is the type of the component.
    pub fn is_told_by_index(&self) -> bool {
        let is_plain = |comp: &CompFilter| {
            !comp.is_not_defined && comp.time_range.is_none() && comp.props.is_empty() && comp.comps.is_empty()
        };
        match &self.root.comps[..] {
            [] => !self.root.is_not_defined && self.root.props.is_empty(),
            [comp] => self.root.props.is_empty() && is_plain(comp) && self.prefilter().component.is_some(),
            _ => false,
        }
    }

    /// Whether the object matches, floating times read in `default`.
    pub fn matches(&self, object: &CalendarObject<'_>, default: &Zone, limits: &Limits) -> bool {
        if self.root.is_not_defined {
            return false;
        }
        let it = Matching { object, default, limits };
        let props = self.root.props.iter().map(|prop| it.prop_of_calendar(prop));
        combine(self.root.is_anyof, props.chain(self.root.comps.iter().map(|comp| it.main(comp))))
    }
}

/// The components that a calendar holds (RFC 5545 §3.6, RFC 7953).
const MAINS: [&str; 6] = ["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY", "VTIMEZONE"];
/// What the others hold, with what holds them.
const INNER: [(&str, &[&str]); 4] = [
    ("VALARM", &["VEVENT", "VTODO"]),
    ("STANDARD", &["VTIMEZONE"]),
    ("DAYLIGHT", &["VTIMEZONE"]),
    ("AVAILABLE", &["VAVAILABILITY"]),
];

/// RFC 4791 §9.7 and §9.9: a component of a known type stands where iCalendar has it, and only what happens at a time
/// has a time range.
fn check_place(filter: &CompFilter, above: &str) -> Result<(), Error> {
    let is = |name: &&str| filter.name.eq_ignore_ascii_case(name);
    let is_misplaced = match INNER.iter().find(|(name, _)| is(name)) {
        Some((_, outer)) => !outer.iter().any(|name| above.eq_ignore_ascii_case(name)),
        None => MAINS.iter().any(is) && above != "VCALENDAR",
    };
    if is_misplaced {
        return Err(invalid("No component of this type is found there."));
    }
    let has_time = ["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY", "VALARM"].iter().any(is);
    if filter.time_range.is_some() && !has_time {
        return Err(invalid("Components of this type have no time range."));
    }
    filter.comps.iter().try_for_each(|comp| check_place(comp, &filter.name))
}

/// The properties whose value is a list of texts.
const LISTS: [&str; 2] = ["CATEGORIES", "RESOURCES"];

/// The properties whose value is a date, a time or a period; others of their own (`X-…`) may be.
const TIMES: [&str; 13] = [
    "DTSTART",
    "DTEND",
    "DUE",
    "COMPLETED",
    "CREATED",
    "DTSTAMP",
    "LAST-MODIFIED",
    "RECURRENCE-ID",
    "EXDATE",
    "RDATE",
    "FREEBUSY",
    "TRIGGER",
    "ACKNOWLEDGED",
];

impl CompFilter {
    fn of(element: &Element, budget: &mut Budget) -> Result<CompFilter, Error> {
        budget.take()?;
        let mut filter = CompFilter {
            name: name_of(element)?,
            is_anyof: is_anyof(element),
            is_not_defined: false,
            time_range: None,
            props: Vec::new(),
            comps: Vec::new(),
        };
        for child in element.elements() {
            if child.name == caldav::IS_NOT_DEFINED {
                filter.is_not_defined = true;
            } else if child.name == caldav::TIME_RANGE {
                filter.time_range = Some(time_range(child)?);
            } else if child.name == caldav::PROP_FILTER {
                filter.props.push(PropFilter::of(child, budget)?);
            } else if child.name == caldav::COMP_FILTER {
                filter.comps.push(CompFilter::of(child, budget)?);
            } else {
                return Err(Error::forbidden("A comp-filter holds something that is not known here.")
                    .with_condition(caldav::SUPPORTED_FILTER));
            }
        }
        if filter.is_not_defined
            && (filter.time_range.is_some() || !filter.props.is_empty() || !filter.comps.is_empty())
        {
            return Err(invalid("is-not-defined stands alone."));
        }
        Ok(filter)
    }
}

impl PropFilter {
    fn of(element: &Element, budget: &mut Budget) -> Result<PropFilter, Error> {
        budget.take()?;
        let mut filter = PropFilter {
            name: name_of(element)?,
            is_anyof: is_anyof(element),
            is_not_defined: element.child(&caldav::IS_NOT_DEFINED).is_some(),
            time_range: element.child(&caldav::TIME_RANGE).map(time_range).transpose()?,
            text: element.child(&caldav::TEXT_MATCH).map(text_match).transpose()?,
            params: Vec::new(),
        };
        let is_own = filter.name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("X-"));
        let may_be_time = is_own || TIMES.iter().any(|name| filter.name.eq_ignore_ascii_case(name));
        if filter.time_range.is_some() && !may_be_time {
            return Err(invalid("This property has no time range."));
        }
        for child in element.children(&caldav::PARAM_FILTER) {
            budget.take()?;
            filter.params.push(ParamFilter {
                name: name_of(child)?,
                is_not_defined: child.child(&caldav::IS_NOT_DEFINED).is_some(),
                text: child.child(&caldav::TEXT_MATCH).map(text_match).transpose()?,
            });
        }
        Ok(filter)
    }
}

fn text_match(element: &Element) -> Result<TextMatch, Error> {
    let attribute = |name: &'static str| element.attribute(&Name::new("", name));
    let is_negated = attribute("negate-condition").is_some_and(|value| value.eq_ignore_ascii_case("yes"));
    let (collation, match_type) = (attribute("collation"), attribute("match-type"));
    let absent = Collation::AsciiCasemap;
    TextMatch::of_attributes(&element.text(), collation, absent, match_type, is_negated).map_err(|what| match what {
        NotUnderstood::Collation => {
            Error::forbidden("This collation is not known here.").with_condition(caldav::SUPPORTED_COLLATION)
        }
        NotUnderstood::MatchType => invalid("This match-type is not known here."),
    })
}

/// An object under a filter.
struct Matching<'m> {
    object: &'m CalendarObject<'m>,
    default: &'m Zone,
    limits: &'m Limits,
}

impl Matching<'_> {
    /// A comp-filter directly below VCALENDAR.
    fn main(&self, filter: &CompFilter) -> bool {
        let calendar = &self.object.calendar;
        let mut named = calendar.inner(&filter.name).peekable();
        if filter.is_not_defined {
            return named.peek().is_none();
        }
        if !filter.name.eq_ignore_ascii_case(&self.object.component) {
            return named.any(|component| filter.time_range.is_none() && self.inside(filter, component, None));
        }
        // Alarms are relative to instances too.
        let alarms = filter.comps.iter().find_map(|comp| comp.time_range);
        let Some(range) = filter.time_range.or(alarms) else {
            return named.any(|component| self.inside(filter, component, None));
        };
        let reach = overlap::alarm_reach(self.object);
        let (from, to) = match filter.time_range {
            Some(range) => (range.start, range.end),
            None => (range.start.saturating_sub(reach), range.end.saturating_add(reach)),
        };
        let found = self.object.instances(from, to, self.default, self.limits);
        found.list.iter().any(|instance| {
            let component = &calendar.components[instance.component];
            let facts = Facts::of(component, instance, self.object, self.default);
            filter
                .time_range
                .is_none_or(|range| overlap::is_within(component, &facts, range, self.object, self.default))
                && self.inside(filter, component, Some(&facts))
        })
    }

    fn inside(&self, filter: &CompFilter, component: &Component<'_>, facts: Option<&Facts>) -> bool {
        let props = filter.props.iter().map(|prop| self.prop(prop, component));
        combine(filter.is_anyof, props.chain(filter.comps.iter().map(|comp| self.sub(comp, component, facts))))
    }

    /// A comp-filter inside of one about a main component: alarms, mostly.
    fn sub(&self, filter: &CompFilter, outer: &Component<'_>, facts: Option<&Facts>) -> bool {
        let mut named = outer.inner(&filter.name).peekable();
        if filter.is_not_defined {
            return named.peek().is_none();
        }
        named.any(|component| {
            let is_within = filter.time_range.is_none_or(|range| {
                component.name == "VALARM"
                    && facts.is_some_and(|facts| overlap::alarm_is_within(component, facts, range, self.default))
            });
            is_within && self.inside(filter, component, None)
        })
    }

    /// A prop-filter directly below VCALENDAR. A client that names no type of component puts there what it looks for in
    /// all of them, so that the main components count beside the calendar itself.
    fn prop_of_calendar(&self, filter: &PropFilter) -> bool {
        let main = || self.object.calendar.inner(&self.object.component);
        match filter.is_not_defined {
            true => self.prop(filter, &self.object.calendar) && main().all(|component| self.prop(filter, component)),
            false => self.prop(filter, &self.object.calendar) || main().any(|component| self.prop(filter, component)),
        }
    }

    fn prop(&self, filter: &PropFilter, component: &Component<'_>) -> bool {
        let mut named = component.all(&filter.name).peekable();
        if filter.is_not_defined {
            return named.peek().is_none();
        }
        named.any(|line| {
            let range = filter.time_range.iter().map(|range| self.value_is_within(line, *range));
            let text = filter.text.iter().map(|text| text.holds(texts(line, &LISTS)));
            let params = filter.params.iter().map(|param| parameter_matches(param, line));
            combine(filter.is_anyof, range.chain(text).chain(params))
        })
    }

    fn value_is_within(&self, line: &Line<'_>, range: TimeRange) -> bool {
        let tzid = line.parameter("TZID");
        line.value().split(',').any(|value| {
            let (start, end) = match period(value, tzid.as_deref(), &self.object.zones) {
                Some((start, end)) => (start.instant(self.default), end.instant(&start, self.default)),
                None => match Moment::parse(value, || tzid.clone(), &self.object.zones) {
                    Some(moment) if moment.is_date => {
                        (moment.instant(self.default), moment.at(moment.civil + crate::time::DAY).instant(self.default))
                    }
                    Some(moment) => (moment.instant(self.default), moment.instant(self.default) + 1),
                    None => return false,
                },
            };
            range.start < end && range.end > start
        })
    }
}

fn parameter_matches(filter: &ParamFilter, line: &Line<'_>) -> bool {
    let parameters = line.parameters();
    let mut named =
        parameters.into_iter().filter(|parameter| parameter.name.eq_ignore_ascii_case(&filter.name)).peekable();
    if filter.is_not_defined {
        return named.peek().is_none();
    }
    named.any(|parameter| filter.text.as_ref().is_none_or(|text| text.holds(parameter.values)))
}

#[cfg(test)]
mod tests;
