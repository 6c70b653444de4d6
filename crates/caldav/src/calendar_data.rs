//! `CALDAV:calendar-data` in a request: which part of an object, in which form (RFC 4791 §9.6).
//!
//! Lines that are not touched go out as they came in; only what is made anew is folded anew.

use std::collections::BTreeSet;

use nichoir_contentline::{Component, Line, fold};
use nichoir_dav::Error;
use nichoir_xml::{Element, Name, caldav};

use crate::filter::time_range;
use crate::object::{CalendarObject, Limits};
use crate::overlap::{self, Facts, busy_periods};
use crate::recurrence::Instance;
use crate::time::{Moment, TimeRange, utc_text};
use crate::timezone::Zone;
use crate::vtimezone::vtimezone;

/// What is wanted of each object.
#[derive(Clone, Debug, Default)]
pub struct CalendarData {
    comp: Option<CompSelection>,
    recurrence: Recurrence,
    free_busy: Option<TimeRange>,
    zones: ZoneWish,
}

/// What the client wants of VTIMEZONE components under names that everybody knows (RFC 7809 §7.1, `CalDAV-Timezones`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZoneWish {
    /// As they were stored.
    #[default]
    AsStored,
    /// `F`: left out.
    LeftOut,
    /// `T`: all that are spoken of.
    Complete,
}

impl ZoneWish {
    /// The header; anything else than `T` or `F` says nothing.
    pub fn of(headers: &http::HeaderMap) -> ZoneWish {
        match headers.get("caldav-timezones").map(|value| value.as_bytes().trim_ascii()) {
            Some(b"T" | b"t") => ZoneWish::Complete,
            Some(b"F" | b"f") => ZoneWish::LeftOut,
            _ => ZoneWish::AsStored,
        }
    }
}

#[derive(Clone, Debug, Default)]
enum Recurrence {
    #[default]
    AsIs,
    Expand(TimeRange),
    Limit(TimeRange),
}

/// `CALDAV:comp`: which properties and components of one.
#[derive(Clone, Debug)]
struct CompSelection {
    name: String,
    /// `None`: all.
    props: Option<Vec<(String, bool)>>,
    /// `None`: all.
    comps: Option<Vec<CompSelection>>,
}

impl CalendarData {
    /// Reads the element.
    ///
    /// # Errors
    /// 403 with `CALDAV:supported-calendar-data` for another media type, `valid-filter` for a range that is none, and
    /// 403 with `DAV:number-of-matches-within-limits` for one that is too long to expand.
    pub fn of(element: &Element, limits: &Limits) -> Result<CalendarData, Error> {
        let attribute = |name: &'static str| element.attribute(&Name::new("", name));
        let is_known = attribute("content-type").is_none_or(|it| it.eq_ignore_ascii_case("text/calendar"))
            && attribute("version").is_none_or(|it| it == "2.0");
        if !is_known {
            return Err(Error::forbidden("Only text/calendar 2.0 is available.")
                .with_condition(caldav::SUPPORTED_CALENDAR_DATA));
        }
        let mut data = CalendarData {
            comp: element.child(&caldav::COMP).map(CompSelection::of).transpose()?,
            ..CalendarData::default()
        };
        if let Some(expand) = element.child(&caldav::EXPAND) {
            let range = time_range(expand)?;
            if range.end.saturating_sub(range.start) > limits.expand_seconds_max {
                return Err(Error::forbidden("The range to expand is too long.")
                    .with_condition(nichoir_xml::dav::NUMBER_OF_MATCHES_WITHIN_LIMITS));
            }
            data.recurrence = Recurrence::Expand(range);
        } else if let Some(limit) = element.child(&caldav::LIMIT_RECURRENCE_SET) {
            data.recurrence = Recurrence::Limit(time_range(limit)?);
        }
        data.free_busy = element.child(&caldav::LIMIT_FREEBUSY_SET).map(time_range).transpose()?;
        Ok(data)
    }

    /// The same with this wish.
    #[must_use]
    pub fn with_zones(mut self, zones: ZoneWish) -> CalendarData {
        self.zones = zones;
        self
    }

    /// Whether the object goes out as it is.
    pub fn is_whole(&self) -> bool {
        self.comp.is_none()
            && matches!(self.recurrence, Recurrence::AsIs)
            && self.free_busy.is_none()
            && self.zones == ZoneWish::AsStored
    }

    /// Whether a rendered object was cut because it is larger than any that is stored: expansion multiplies.
    pub fn is_too_large(text: &[u8], limits: &Limits) -> bool {
        text.len() > limits.object_bytes_max
    }

    /// The text of an object.
    pub fn render(&self, object: &CalendarObject<'_>, default: &Zone, limits: &Limits) -> Vec<u8> {
        if self.is_whole() {
            return object.bytes.to_vec();
        }
        let has_bare_line_ends = !object.bytes.windows(2).any(|pair| pair == b"\r\n");
        let out = Vec::with_capacity(object.bytes.len());
        let mut page = Page { object, default, selection: self, has_bare_line_ends, out };
        page.calendar(limits);
        page.out
    }
}

impl CompSelection {
    fn of(element: &Element) -> Result<CompSelection, Error> {
        let name_of = |element: &Element| {
            let name = element.attribute(&Name::new("", "name")).map(str::to_owned);
            name.ok_or_else(|| Error::bad_request("A comp or prop element has no name."))
        };
        let is_yes = |element: &Element| {
            element.attribute(&Name::new("", "novalue")).is_some_and(|value| value.eq_ignore_ascii_case("yes"))
        };
        // A calendar of which nothing is asked for is meant whole: that is what clients want who write only its name.
        let is_bare = element.elements().next().is_none() && name_of(element)?.eq_ignore_ascii_case("VCALENDAR");
        let has_all_props = is_bare || element.child(&caldav::ALLPROP).is_some();
        let has_all_comps = is_bare || element.child(&caldav::ALLCOMP).is_some();
        let name = caldav::PROP;
        let props = element.children(&name).map(|prop| Ok((name_of(prop)?, is_yes(prop))));
        let props = props.collect::<Result<Vec<_>, Error>>()?;
        let comps = element.children(&caldav::COMP).map(CompSelection::of).collect::<Result<Vec<_>, Error>>()?;
        Ok(CompSelection {
            name: name_of(element)?,
            props: if has_all_props { None } else { Some(props) },
            comps: if has_all_comps { None } else { Some(comps) },
        })
    }

    fn of_comp(&self, name: &str) -> Wanted<'_> {
        match &self.comps {
            None => Wanted::Whole,
            Some(comps) => {
                comps.iter().find(|comp| comp.name.eq_ignore_ascii_case(name)).map_or(Wanted::Nothing, Wanted::Part)
            }
        }
    }
}

/// What of a component.
#[derive(Clone, Copy)]
enum Wanted<'s> {
    Whole,
    Part(&'s CompSelection),
    Nothing,
}

struct Page<'p> {
    object: &'p CalendarObject<'p>,
    default: &'p Zone,
    selection: &'p CalendarData,
    /// Whether the object's lines end in LF alone.
    has_bare_line_ends: bool,
    out: Vec<u8>,
}

impl Page<'_> {
    fn calendar(&mut self, limits: &Limits) {
        let object = self.object;
        let wanted = match &self.selection.comp {
            None => Wanted::Whole,
            Some(comp) if comp.name.eq_ignore_ascii_case("VCALENDAR") => Wanted::Part(comp),
            Some(_) => Wanted::Nothing,
        };
        self.line("BEGIN:VCALENDAR");
        for line in &object.calendar.lines {
            self.property(line, wanted);
        }
        if self.selection.zones == ZoneWish::Complete && !matches!(self.selection.recurrence, Recurrence::Expand(_)) {
            self.missing_zones(wanted);
        }
        match &self.selection.recurrence {
            Recurrence::AsIs => {
                for component in &object.calendar.components {
                    self.component(component, inner(wanted, &component.name), None);
                }
            }
            Recurrence::Expand(range) => self.expanded(*range, wanted, limits),
            Recurrence::Limit(range) => {
                let kept = self.limited(*range, limits);
                for (place, component) in object.calendar.components.iter().enumerate() {
                    if kept.contains(&place) {
                        self.component(component, inner(wanted, &component.name), None);
                    }
                }
            }
        }
        self.line("END:VCALENDAR");
    }

    /// The VTIMEZONEs of known names that the object speaks of and does not bring.
    fn missing_zones(&mut self, wanted: Wanted<'_>) {
        if matches!(inner(wanted, "VTIMEZONE"), Wanted::Nothing) {
            return;
        }
        let calendar = &self.object.calendar;
        let mut names: BTreeSet<String> = BTreeSet::new();
        let mut waiting: Vec<&Component<'_>> = calendar.components.iter().filter(|it| it.name != "VTIMEZONE").collect();
        while let Some(component) = waiting.pop() {
            names.extend(component.lines.iter().filter_map(|line| line.parameter("TZID")));
            waiting.extend(&component.components);
        }
        for name in names {
            let is_there = calendar.inner("VTIMEZONE").any(|zone| zone.value("TZID").map(str::trim) == Some(&*name));
            if let Some(zone) = vtimezone(&name).filter(|_| !is_there) {
                zone.lines().for_each(|line| self.plain(line));
            }
        }
    }

    /// Whether a component is left out because everybody knows it.
    fn is_known_zone(&self, component: &Component<'_>) -> bool {
        self.selection.zones == ZoneWish::LeftOut
            && component.name == "VTIMEZONE"
            && component.value("TZID").is_some_and(
                |name| matches!(Zone::of_name(name), Some(Zone::Named(zone)) if zone.name() == name.trim()),
            )
    }

    /// The instances within the range, each a component of its own (§9.6.5). No time zones: all is UTC.
    fn expanded(&mut self, range: TimeRange, wanted: Wanted<'_>, limits: &Limits) {
        let object = self.object;
        for instance in &object.instances(range.start, range.end, self.default, limits).list {
            // Whoever asks is told that it is too much: see `is_too_large`.
            if self.out.len() > limits.object_bytes_max {
                break;
            }
            let component = &object.calendar.components[instance.component];
            let facts = Facts::of(component, instance, object, self.default);
            if overlap::is_within(component, &facts, range, object, self.default) {
                self.component(component, inner(wanted, &component.name), Some(instance));
            }
        }
    }

    /// The places of the components that matter for the range (§9.6.6): the master, and overrides that are or were in it.
    fn limited(&self, range: TimeRange, limits: &Limits) -> BTreeSet<usize> {
        let object = self.object;
        let mut kept = BTreeSet::new();
        let found = object.instances(range.start, range.end, self.default, limits);
        for (place, component) in object.calendar.components.iter().enumerate() {
            let Some(id) = component.line("RECURRENCE-ID").filter(|_| component.name == object.component) else {
                kept.insert(place);
                continue;
            };
            let is_ruling = id.parameter("RANGE").is_some();
            let was = Moment::of(id, &object.zones).map(|id| id.instant(self.default));
            let was_within = was.is_some_and(|was| was >= range.start && was < range.end);
            let is_within = found.list.iter().filter(|it| it.component == place).any(|instance| {
                let facts = Facts::of(component, instance, object, self.default);
                overlap::is_within(component, &facts, range, object, self.default)
            });
            if is_ruling || was_within || is_within {
                kept.insert(place);
            }
        }
        kept
    }

    fn component(&mut self, component: &Component<'_>, wanted: Wanted<'_>, instance: Option<&Instance>) {
        if matches!(wanted, Wanted::Nothing) || self.is_known_zone(component) {
            return;
        }
        let is_main = component.name == self.object.component;
        if matches!(wanted, Wanted::Whole) && instance.is_none() && self.selection.free_busy.is_none() {
            self.raw(component.range.clone());
            return;
        }
        self.line(&format!("BEGIN:{}", component.name));
        for line in &component.lines {
            match instance {
                Some(instance) if is_main => self.property_of_instance(line, component, instance, wanted),
                _ if line.is("FREEBUSY") && self.selection.free_busy.is_some() => {
                    self.limited_free_busy(component, line)
                }
                _ => self.property(line, wanted),
            }
        }
        if let Some(id) = instance.filter(|_| is_main).and_then(|instance| instance.id.as_ref()) {
            self.moment("RECURRENCE-ID", id, wanted);
        }
        for inner_component in &component.components {
            self.component(inner_component, inner(wanted, &inner_component.name), None);
        }
        self.line(&format!("END:{}", component.name));
    }

    fn property_of_instance(
        &mut self,
        line: &Line<'_>,
        component: &Component<'_>,
        instance: &Instance,
        wanted: Wanted<'_>,
    ) {
        if ["RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"].iter().any(|name| line.is(name)) {
            return;
        }
        let has_start = component.line("DTSTART").is_some();
        if let Some(start) = instance.start.as_ref().filter(|_| line.is("DTSTART") || (line.is("DUE") && !has_start)) {
            self.moment(&line.name().to_ascii_uppercase(), start, wanted);
        } else if let Some(end) = instance.end.filter(|_| line.is("DTEND") || line.is("DUE")) {
            let Some(own) = Moment::of(line, &self.object.zones) else { return self.property(line, wanted) };
            let moved = match (&own.zone, own.is_date) {
                (_, true) | (Zone::Floating, _) => own.at(self.default.civil(end)),
                _ => Moment { civil: end, is_date: false, zone: Zone::Utc },
            };
            self.moment(&line.name().to_ascii_uppercase(), &moved, wanted);
        } else {
            self.property(line, wanted);
        }
    }

    /// A date or time made anew: in UTC, unless it is floating.
    fn moment(&mut self, name: &str, moment: &Moment, wanted: Wanted<'_>) {
        let Some(has_value) = is_wanted(name, wanted) else { return };
        let kind = if moment.is_date { ";VALUE=DATE" } else { "" };
        let value = if has_value { moment.to_value() } else { String::new() };
        self.line(&format!("{name}{kind}:{value}"));
    }

    fn property(&mut self, line: &Line<'_>, wanted: Wanted<'_>) {
        match is_wanted(line.name(), wanted) {
            None => {}
            Some(true) => self.raw(line.range.clone()),
            Some(false) => self.line(&format!("{}:", line.head())),
        }
    }

    /// Only the periods that overlap the range (§9.6.7).
    fn limited_free_busy(&mut self, component: &Component<'_>, line: &Line<'_>) {
        let Some(range) = self.selection.free_busy else { return };
        let kind = line.parameter("FBTYPE").unwrap_or_else(|| "BUSY".to_owned());
        let all = busy_periods(component, self.object, self.default);
        let own: Vec<&str> = line.value().split(',').collect();
        let kept: Vec<String> = all
            .iter()
            .filter(|(start, end, of)| of.eq_ignore_ascii_case(&kind) && range.start < *end && range.end > *start)
            .map(|(start, end, _)| format!("{}/{}", utc_text(*start), utc_text(*end)))
            .take(own.len())
            .collect();
        if !kept.is_empty() {
            self.line(&format!("{}:{}", line.head(), kept.join(",")));
        }
    }

    /// A line made anew, with the line end that the object has.
    fn line(&mut self, text: &str) {
        let start = self.out.len();
        fold(text, &mut self.out);
        if self.has_bare_line_ends {
            let folded = self.out.split_off(start);
            self.out.extend(folded.into_iter().filter(|byte| *byte != b'\r'));
        }
    }

    /// A line that is folded already.
    fn plain(&mut self, line: &str) {
        self.out.extend_from_slice(line.as_bytes());
        self.out.extend_from_slice(if self.has_bare_line_ends { b"\n" } else { b"\r\n" });
    }

    /// A run of the object, with a line end.
    fn raw(&mut self, range: std::ops::Range<usize>) {
        self.out.extend_from_slice(&self.object.bytes[range]);
        if !self.out.ends_with(b"\n") {
            self.out.extend_from_slice(if self.has_bare_line_ends { b"\n" } else { b"\r\n" });
        }
    }
}

fn inner<'s>(wanted: Wanted<'s>, name: &str) -> Wanted<'s> {
    match wanted {
        Wanted::Part(selection) => selection.of_comp(name),
        wanted => wanted,
    }
}

/// Whether a property is wanted, and whether with its value.
fn is_wanted(name: &str, wanted: Wanted<'_>) -> Option<bool> {
    match wanted {
        Wanted::Whole => Some(true),
        Wanted::Nothing => None,
        Wanted::Part(selection) => match &selection.props {
            None => Some(true),
            Some(props) => props.iter().find(|(prop, _)| prop.eq_ignore_ascii_case(name)).map(|(_, is_bare)| !is_bare),
        },
    }
}

#[cfg(test)]
mod tests;
