//! What is taken out, or written in one way, before two calendars are compared.

use std::collections::BTreeSet;

use super::tree::{Component, Property};
use super::value::{DAY, Moment, Value};

/// What is not compared: `PROP`, `PROP=value`, `PROP:PARAM`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filters(BTreeSet<String>);

impl Filters {
    /// Those of the server description and of the verifier; `!x` cancels the filter `x`.
    pub(crate) fn new<'t>(filters: impl IntoIterator<Item = &'t String>) -> Filters {
        let all: BTreeSet<String> = filters.into_iter().map(|filter| filter.trim().to_owned()).collect();
        let cancelled: Vec<&str> = all.iter().filter_map(|filter| filter.strip_prefix('!')).collect();
        let is_kept = |filter: &&String| !filter.starts_with('!') && !cancelled.contains(&filter.as_str());
        Filters(all.iter().filter(is_kept).cloned().collect())
    }

    fn removes(&self, property: &Property) -> bool {
        self.0.iter().any(|filter| match filter.split_once('=') {
            Some((name, value)) => !name.contains(':') && property.is(name) && property.text == value,
            None => property.is(filter),
        })
    }

    fn removes_parameter(&self, property: &Property, parameter: &str) -> bool {
        let names = self.0.iter().filter_map(|filter| filter.split_once(':'));
        names.into_iter().any(|(name, filtered)| property.is(name) && filtered.eq_ignore_ascii_case(parameter))
    }
}

/// Takes what is filtered out of a component and of those inside.
pub(crate) fn remove_filtered(component: &mut Component, filters: &Filters) {
    component.properties.retain(|property| !filters.removes(property));
    for property in &mut component.properties {
        let removed: Vec<String> =
            property.parameters.keys().filter(|name| filters.removes_parameter(property, name)).cloned().collect();
        property.parameters.retain(|name, _| !removed.contains(name));
    }
    component.components.iter_mut().for_each(|inner| remove_filtered(inner, filters));
}

/// Takes the time zones out of a calendar.
pub(crate) fn without_timezones(calendar: &mut Component) {
    calendar.components.retain(|inner| inner.name != "VTIMEZONE");
}

/// Writes in one way what means the same: ends of events as durations, stamps of attendees.
pub(crate) fn normalise(component: &mut Component) {
    if component.name == "VEVENT" {
        normalise_end(component);
    }
    for property in component.properties.iter_mut().filter(|property| property.is("ATTENDEE")) {
        if let Some(stamp) = property.parameters.get_mut("X-CALENDARSERVER-DTSTAMP") {
            *stamp = vec![vec!["fixed".to_owned()]];
        }
    }
    component.components.iter_mut().for_each(normalise);
}

fn normalise_end(event: &mut Component) {
    let Some(start) = moment_of(event, "DTSTART") else { return };
    if let Some(property) = event.properties.iter_mut().find(|property| property.is("DTSTART")) {
        property.parameters.retain(|name, _| name == "TZID" || name == "VALUE");
        if matches!(start, Moment::Date(_)) {
            property.parameters.insert("VALUE".to_owned(), vec![vec!["DATE".to_owned()]]);
        } else {
            property.parameters.remove("VALUE");
        }
    }
    let length = match moment_of(event, "DTEND") {
        Some(end) => {
            event.properties.retain(|property| !property.is("DTEND"));
            Some(end.seconds() - start.seconds())
        }
        None => event.property("DURATION").and_then(|property| match property.value {
            Value::Duration(length) => Some(length),
            _ => None,
        }),
    };
    let Some(length) = length else { return };
    event.properties.retain(|property| !property.is("DURATION"));
    if matches!(start, Moment::Date(_)) && length <= DAY {
        return;
    }
    event.properties.push(Property {
        group: None,
        name: "DURATION".to_owned(),
        parameters: [].into(),
        value: Value::Duration(length),
        text: format!("{length} s"),
    });
}

/// The first moment of a property.
pub(super) fn moment_of(component: &Component, name: &str) -> Option<Moment> {
    match &component.property(name)?.value {
        Value::Moments(moments) => moments.first().copied(),
        _ => None,
    }
}
