//! An override that says what the rule says anyway makes no difference: the instance that one side lacks is derived from
//! that side's master.

use nichoir_caldav::{CalendarObject, Limits};

use super::normalise::moment_of;
use super::tree::{Component, Property};
use super::value::{Moment, Value};

/// Properties that a derived instance does not take over.
const OF_MASTER_ONLY: [&str; 5] = ["RRULE", "RDATE", "EXRULE", "EXDATE", "RECURRENCE-ID"];

/// Adds to `calendar`, which was read from `bytes`, the instances that `other` overrides and it does not.
pub(crate) fn add_missing_overrides(calendar: &mut Component, bytes: &[u8], other: &Component) {
    let wanted =
        other.components.iter().filter_map(|component| Some((component, moment_of(component, "RECURRENCE-ID")?)));
    let mut derived = Vec::new();
    for (component, id) in wanted {
        let is_same_series = |own: &&Component| own.name == component.name && uid(own) == uid(component);
        let mut series = calendar.components.iter().filter(is_same_series);
        if series.clone().any(|own| moment_of(own, "RECURRENCE-ID").map(Moment::seconds) == Some(id.seconds())) {
            continue;
        }
        let Some(master) = series.find(|own| own.property("RECURRENCE-ID").is_none()) else { continue };
        if has_instance(bytes, id) {
            derived.extend(derive(master, id));
        }
    }
    calendar.components.extend(derived);
}

fn uid(component: &Component) -> Option<&str> {
    component.property("UID").map(|property| property.text.as_str())
}

fn has_instance(bytes: &[u8], id: Moment) -> bool {
    let limits = Limits::default();
    CalendarObject::read(bytes, &limits).is_ok_and(|object| object.recurs_at(id.seconds(), &limits))
}

/// The master as it is at one of its instances.
fn derive(master: &Component, id: Moment) -> Option<Component> {
    let mut instance = master.clone();
    instance.properties.retain(|property| !OF_MASTER_ONLY.iter().any(|name| property.is(name)));
    let start = instance.properties.iter_mut().find(|property| property.is("DTSTART"))?;
    start.value = Value::Moments(vec![id]);
    start.text = format!("{id:?}");
    let id = Property { name: "RECURRENCE-ID".to_owned(), ..start.clone() };
    instance.properties.push(id);
    Some(instance)
}
