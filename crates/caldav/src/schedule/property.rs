//! A property that can be edited: parameters are set where they stand, what is not touched goes out as it came in.
//! RFC 5545 §3.1, §3.2.

use super::address::normal;

/// A property: its line unfolded, and as it came.
#[derive(Clone, Debug)]
pub(crate) struct Property {
    pub(super) text: String,
    /// The bytes that it was read from; `None` for one that is new or changed.
    pub(super) raw: Option<Vec<u8>>,
}

impl Property {
    pub(crate) fn new(text: impl Into<String>) -> Property {
        Property { text: text.into(), raw: None }
    }

    /// Name, parameters and value; the separators stay where they belong: `NAME`, `;A=B`, `:value`.
    fn split(&self) -> (Vec<&str>, &str) {
        let mut segments = Vec::new();
        let (mut start, mut is_quoted) = (0, false);
        for (place, byte) in self.text.bytes().enumerate() {
            match byte {
                b'"' => is_quoted = !is_quoted,
                b';' if !is_quoted => {
                    segments.push(&self.text[start..place]);
                    start = place + 1;
                }
                b':' if !is_quoted => {
                    segments.push(&self.text[start..place]);
                    return (segments, &self.text[place + 1..]);
                }
                _ => {}
            }
        }
        segments.push(&self.text[start..]);
        (segments, "")
    }

    pub(crate) fn name(&self) -> &str {
        let end = self.text.bytes().position(|byte| matches!(byte, b';' | b':')).unwrap_or(self.text.len());
        &self.text[..end]
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    pub(crate) fn value(&self) -> &str {
        self.split().1
    }

    /// The whole line, unfolded.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Parameters as they stand: name in upper case, value without quotes.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let (segments, _) = self.split();
        let split = segments.into_iter().skip(1).filter_map(|segment| segment.split_once('='));
        split.map(|(name, value)| (name.to_ascii_uppercase(), value.trim_matches('"').to_owned())).collect()
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Sets a parameter, where it stands or at the end; `None` removes it.
    pub(crate) fn set_parameter(&mut self, name: &str, value: Option<&str>) {
        if self.parameter(name).as_deref() == value {
            return;
        }
        let (segments, old_value) = self.split();
        let is_it = |segment: &str| segment.split_once('=').is_some_and(|(known, _)| known.eq_ignore_ascii_case(name));
        let mut text = String::new();
        let mut is_set = false;
        for (place, segment) in segments.into_iter().enumerate() {
            if place > 0 && is_it(segment) {
                if let Some(value) = value.filter(|_| !is_set) {
                    text.push_str(&format!(";{name}={value}"));
                    is_set = true;
                }
                continue;
            }
            if place > 0 {
                text.push(';');
            }
            text.push_str(segment);
        }
        if let Some(value) = value.filter(|_| !is_set) {
            text.push_str(&format!(";{name}={value}"));
        }
        text.push(':');
        text.push_str(old_value);
        *self = Property::new(text);
    }

    pub(crate) fn set_value(&mut self, value: &str) {
        let end = self.text.len() - self.value().len();
        *self = Property::new(format!("{}{value}", &self.text[..end]));
    }

    /// The calendar user address that an ATTENDEE or ORGANIZER names.
    pub(crate) fn address(&self) -> String {
        normal(self.value())
    }

    /// The participation status of an ATTENDEE (RFC 5545 §3.2.12).
    pub(crate) fn partstat(&self) -> String {
        self.parameter("PARTSTAT").unwrap_or_else(|| "NEEDS-ACTION".to_owned()).to_ascii_uppercase()
    }

    /// Whether the server sends messages to or for this ATTENDEE or ORGANIZER (RFC 6638 §7.1).
    pub(crate) fn is_servers(&self) -> bool {
        self.parameter("SCHEDULE-AGENT").is_none_or(|agent| agent.eq_ignore_ascii_case("SERVER"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, edit: impl FnOnce(&mut Property), expected: &str) {
        let mut property = Property::new(line);
        edit(&mut property);
        assert_eq!(property.text(), expected);
    }

    #[test]
    fn parameters_are_set_where_they_stand() {
        check(
            "A;PARTSTAT=X;CN=\"a;b:c\":v",
            |it| it.set_parameter("PARTSTAT", Some("Y")),
            "A;PARTSTAT=Y;CN=\"a;b:c\":v",
        );
        check(
            "A;CN=\"a;b:c\":mailto:v",
            |it| it.set_parameter("RSVP", Some("TRUE")),
            "A;CN=\"a;b:c\";RSVP=TRUE:mailto:v",
        );
        check("A;rsvp=TRUE;B=1:v", |it| it.set_parameter("RSVP", None), "A;B=1:v");
        check("A:v", |it| it.set_parameter("RSVP", None), "A:v");
        check("A;B=1:v:w", |it| it.set_value("x"), "A;B=1:x");
    }
}
