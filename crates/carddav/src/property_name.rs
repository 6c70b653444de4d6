//! The name of a vCard property as filters and partial data spell it, with or without a group. RFC 6352 §10.4.2, §10.5.1.

use nichoir_contentline::Line;

/// `TEL`, or `item1.TEL`.
#[derive(Clone, Debug)]
pub(crate) struct PropertyName {
    group: Option<String>,
    name: String,
}

impl PropertyName {
    /// The name in an attribute.
    pub(crate) fn of(text: &str) -> PropertyName {
        match text.split_once('.') {
            Some((group, name)) => PropertyName { group: Some(group.to_owned()), name: name.to_owned() },
            None => PropertyName { group: None, name: text.to_owned() },
        }
    }

    /// Whether it names this line: without a group it does whatever the line's, with one only in that.
    pub(crate) fn names(&self, line: &Line<'_>) -> bool {
        let is_in_group = match &self.group {
            None => true,
            Some(group) => line.group().is_some_and(|own| own.eq_ignore_ascii_case(group)),
        };
        is_in_group && line.is(&self.name)
    }

    /// Whether it names properties of that name in any group.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.group.is_none() && self.name.eq_ignore_ascii_case(name)
    }
}
