//! One content line: name, parameters, value. RFC 5545 §3.1, RFC 6350 §3.3, RFC 6868 (parameter values).

use std::borrow::Cow;
use std::ops::Range;

/// A line, unfolded.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    text: Cow<'a, str>,
    /// Where it stands in the document, with its line ends.
    pub range: Range<usize>,
    name: Range<usize>,
    value: usize,
}

/// A parameter with its values, quotes removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter<'l> {
    /// Its name, as written.
    pub name: &'l str,
    /// Its values, RFC 6868 escapes resolved.
    pub values: Vec<Cow<'l, str>>,
}

impl<'a> Line<'a> {
    /// The line in `text`; `None` if it has no colon or no name.
    pub(crate) fn of(text: Cow<'a, str>, range: Range<usize>) -> Option<Line<'a>> {
        let bytes = text.as_bytes();
        let name_end = bytes.iter().position(|byte| matches!(byte, b':' | b';'))?;
        let name_start = bytes[..name_end].iter().position(|byte| *byte == b'.').map_or(0, |dot| dot + 1);
        if name_start >= name_end {
            return None;
        }
        let mut is_quoted = false;
        let colon = bytes[name_end..].iter().position(|byte| match byte {
            b'"' => {
                is_quoted = !is_quoted;
                false
            }
            b':' => !is_quoted,
            _ => false,
        })?;
        Some(Line { name: name_start..name_end, value: name_end + colon + 1, text, range })
    }

    /// The property's name, as written, without a group.
    pub fn name(&self) -> &str {
        &self.text[self.name.clone()]
    }

    /// Whether it is this property, whatever its case.
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    /// The group in front of the name (`item1.TEL`), if any.
    pub fn group(&self) -> Option<&str> {
        self.name.start.checked_sub(1).map(|dot| &self.text[..dot])
    }

    /// The value, still escaped.
    pub fn value(&self) -> &str {
        &self.text[self.value..]
    }

    /// What stands before the value: name and parameters, without the colon.
    pub fn head(&self) -> &str {
        &self.text[..self.value - 1]
    }

    /// The whole line, unfolded.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parameters, in order.
    pub fn parameters(&self) -> Vec<Parameter<'_>> {
        let mut parameters = Vec::new();
        let mut rest = &self.text[self.name.end..self.value - 1];
        while let Some(after) = rest.strip_prefix(';') {
            let end = unquoted(after, b';').unwrap_or(after.len());
            let one = &after[..end];
            rest = &after[end..];
            let (name, values) = match one.split_once('=') {
                Some((name, values)) => (name, values),
                // vCard 2.1 leaves the name out.
                None => ("TYPE", one),
            };
            let mut list = Vec::new();
            let mut values = values;
            loop {
                let end = unquoted(values, b',').unwrap_or(values.len());
                list.push(plain(&values[..end]));
                if end == values.len() {
                    break;
                }
                values = &values[end + 1..];
            }
            parameters.push(Parameter { name, values: list });
        }
        parameters
    }

    /// The first value of the parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<String> {
        if self.name.end + 1 == self.value {
            return None;
        }
        let found = self.parameters().into_iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))?;
        found.values.into_iter().next().map(Cow::into_owned)
    }
}

/// Where the first `wanted` stands outside of quotes.
fn unquoted(text: &str, wanted: u8) -> Option<usize> {
    let mut is_quoted = false;
    text.bytes().position(|byte| {
        if byte == b'"' {
            is_quoted = !is_quoted;
        }
        byte == wanted && !is_quoted
    })
}

/// A parameter value without its quotes, RFC 6868 escapes resolved.
fn plain(value: &str) -> Cow<'_, str> {
    let value = value.trim_matches('"');
    if !value.contains('^') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        if character != '^' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('^') => out.push('^'),
            Some('\'') => out.push('"'),
            Some(other) => out.extend(['^', other]),
            None => out.push('^'),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown = Line::of(Cow::Borrowed(text), 0..0).map_or("broken".to_owned(), |line| {
            let parameters: Vec<String> = line
                .parameters()
                .iter()
                .map(|parameter| format!("{}={}", parameter.name, parameter.values.join("|")))
                .collect();
            format!("{:?} {} [{}] {}", line.group().unwrap_or(""), line.name(), parameters.join(" "), line.value())
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_line_has_name_parameters_and_value() {
        check("SUMMARY:a:b", "\"\" SUMMARY [] a:b");
        check("DTSTART;TZID=Europe/Paris:20250101T100000", "\"\" DTSTART [TZID=Europe/Paris] 20250101T100000");
        check(
            "ATTENDEE;CN=\"Doe: J; x, y\";ROLE=a,\"b,c\":mailto:x",
            "\"\" ATTENDEE [CN=Doe: J; x, y ROLE=a|b,c] mailto:x",
        );
        check("item1.TEL;TYPE=cell;HOME:1", "\"item1\" TEL [TYPE=cell TYPE=HOME] 1");
        check("X;A=^'q^'^n^^^x:v", "\"\" X [A=\"q\"\n^^x] v");
        check("NOTHING", "broken");
        check(":v", "broken");
        check("a.:v", "broken");
        check("X;A=\"open:v", "broken");
    }
}
