//! Whether two trees say the same, and where they do not.

use std::collections::BTreeSet;

use super::tree::{Component, Parameters, Property};
use super::value::Value;

/// What of a property is compared.
type Key<'p> = (&'p Option<String>, &'p str, &'p Parameters, &'p Value);

fn keys(component: &Component) -> BTreeSet<Key<'_>> {
    component.properties.iter().map(key).collect()
}

fn key(property: &Property) -> Key<'_> {
    (&property.group, &property.name, &property.parameters, &property.value)
}

/// Whether two components say the same: order and repetition of properties and the order of components don't count.
pub(crate) fn is_equal(one: &Component, other: &Component) -> bool {
    one.name == other.name && keys(one) == keys(other) && lists_are_equal(&one.components, &other.components)
}

fn lists_are_equal(one: &[Component], other: &[Component]) -> bool {
    unpaired(one, other) == (Vec::new(), Vec::new()) && one.len() == other.len()
}

/// The places of the components that have no equal in the other list.
fn unpaired(one: &[Component], other: &[Component]) -> (Vec<usize>, Vec<usize>) {
    let mut left: Vec<usize> = (0..other.len()).collect();
    let mut alone = Vec::new();
    for (place, component) in one.iter().enumerate() {
        match left.iter().position(|at| is_equal(component, &other[*at])) {
            Some(found) => {
                left.remove(found);
            }
            None => alone.push(place),
        }
    }
    (alone, left)
}

/// The lines that only one of them has: `-` what was expected, `+` what was found.
pub(crate) fn differences(expected: &Component, found: &Component) -> Vec<String> {
    let mut out = Vec::new();
    add_differences(expected, found, &mut out);
    out
}

fn add_differences(expected: &Component, found: &Component, out: &mut Vec<String>) {
    let label = label(found);
    let (wanted, seen) = (keys(expected), keys(found));
    let missing = expected.properties.iter().filter(|property| !seen.contains(&key(property)));
    out.extend(missing.map(|property| format!("-{label} {}", shown(property))));
    let extra = found.properties.iter().filter(|property| !wanted.contains(&key(property)));
    out.extend(extra.map(|property| format!("+{label} {}", shown(property))));
    let (missing, mut extra) = unpaired(&expected.components, &found.components);
    for place in missing {
        let component = &expected.components[place];
        let is_like = |at: &usize| self::label(&found.components[*at]) == self::label(component);
        let like = extra.iter().position(is_like).or_else(|| {
            let name = &component.name;
            extra.iter().position(|at| found.components[*at].name == *name)
        });
        match like {
            Some(like) => add_differences(component, &found.components[extra.remove(like)], out),
            None => out.push(format!("-{}", self::label(component))),
        }
    }
    out.extend(extra.into_iter().map(|place| format!("+{}", self::label(&found.components[place]))));
}

/// The component's name, with the instance that it overrides.
fn label(component: &Component) -> String {
    match component.property("RECURRENCE-ID") {
        Some(id) => format!("{}({})", component.name, id.text),
        None => component.name.clone(),
    }
}

fn shown(property: &Property) -> String {
    let all = property.parameters.iter().flat_map(|(name, all)| all.iter().map(move |values| (name, values)));
    let parameters = all.map(|(name, values)| format!(";{name}={}", values.join(",")));
    let group = property.group.as_ref().map(|group| format!("{group}.")).unwrap_or_default();
    format!("{group}{}{}:{}", property.name, parameters.collect::<String>(), property.text)
}
