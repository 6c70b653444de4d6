//! The tree of components, each property with its value understood.

use std::collections::{BTreeMap, HashMap};

use nichoir_caldav::Zone;
use nichoir_contentline::{Component as Lexed, Limits, Line};

use super::value::Value;

/// What stands between `BEGIN` and `END`.
#[derive(Clone, Debug)]
pub(crate) struct Component {
    /// Its name, in upper case.
    pub(crate) name: String,
    pub(crate) properties: Vec<Property>,
    pub(crate) components: Vec<Component>,
}

/// The parameters of a property.
pub(crate) type Parameters = BTreeMap<String, Vec<Vec<String>>>;

/// A property.
#[derive(Clone, Debug)]
pub(crate) struct Property {
    /// The group of an address card's property.
    pub(crate) group: Option<String>,
    /// Its name, as written.
    pub(crate) name: String,
    /// Names in upper case, values as written without quotes: a list for each time that the parameter is there.
    pub(crate) parameters: Parameters,
    pub(crate) value: Value,
    /// The value as it was written.
    pub(crate) text: String,
}

/// The components of a document.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<Component>, String> {
    let lexed = nichoir_contentline::parse(bytes, &Limits::default()).map_err(|broken| broken.to_string())?;
    match lexed.is_empty() {
        true => Err("there is no component".to_owned()),
        false => Ok(lexed.iter().map(|top| Component::of(top, &zones(top))).collect()),
    }
}

/// The zones that a calendar brings along, by TZID.
fn zones(calendar: &Lexed<'_>) -> HashMap<String, Zone> {
    let zone = |zone: &Lexed<'_>| {
        let name = zone.value("TZID")?.to_owned();
        let components = vec![zone.clone()];
        let alone = Lexed { name: "VCALENDAR".to_owned(), lines: Vec::new(), components, range: 0..0 };
        Some((name, Zone::of_calendar(&alone)?))
    };
    calendar.inner("VTIMEZONE").filter_map(zone).collect()
}

impl Component {
    fn of(lexed: &Lexed<'_>, zones: &HashMap<String, Zone>) -> Component {
        Component {
            name: lexed.name.clone(),
            properties: lexed.lines.iter().map(|line| Property::of(line, zones)).collect(),
            components: lexed.components.iter().map(|inner| Component::of(inner, zones)).collect(),
        }
    }

    /// The first property of that name.
    pub(crate) fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.is(name))
    }

    /// The components of that name directly inside.
    pub(crate) fn inner<'c>(&'c self, name: &'c str) -> impl Iterator<Item = &'c Component> {
        self.components.iter().filter(move |component| component.name == name)
    }
}

impl Property {
    fn of(line: &Line<'_>, zones: &HashMap<String, Zone>) -> Property {
        let mut parameters = Parameters::new();
        for parameter in line.parameters() {
            let values = parameter.values.iter().map(|value| value.to_string());
            parameters.entry(parameter.name.to_ascii_uppercase()).or_default().push(values.collect());
        }
        let zone = |tzid: &str| zones.get(tzid).cloned().or_else(|| Zone::of_name(tzid));
        Property {
            group: line.group().map(str::to_owned),
            name: line.name().to_owned(),
            value: Value::of(line.name(), &parameters, line.value(), zone),
            parameters,
            text: line.value().to_owned(),
        }
    }

    /// Whether it is this property, whatever its case.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The first value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)?.first()?.first().map(String::as_str)
    }
}
