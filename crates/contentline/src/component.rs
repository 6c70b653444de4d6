//! The tree of components. Tolerant where clients differ: line ends, a byte order mark, blank lines, letter case.

use std::borrow::Cow;
use std::ops::Range;

use crate::line::Line;

/// What a document may at most be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Content lines.
    pub lines_max: usize,
    /// Components, of all kinds.
    pub components_max: usize,
    /// Components inside each other.
    pub depth_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::usual()
    }
}

impl Limits {
    /// The limits unless something else is configured.
    pub const fn usual() -> Limits {
        Limits { lines_max: 50_000, components_max: 5_000, depth_max: 16 }
    }
}

/// Why a document cannot be read, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The line, from one, folded lines counted once.
    pub line: usize,
    /// What is wrong.
    pub reason: &'static str,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for Broken {}

/// What stands between `BEGIN` and `END`.
#[derive(Clone, Debug)]
pub struct Component<'a> {
    /// Its name, in upper case.
    pub name: String,
    /// Its properties, in order.
    pub lines: Vec<Line<'a>>,
    /// What is inside, in order.
    pub components: Vec<Component<'a>>,
    /// Where it stands in the document, with `BEGIN` and `END`.
    pub range: Range<usize>,
}

impl<'a> Component<'a> {
    /// The first property of that name.
    pub fn line(&self, name: &str) -> Option<&Line<'a>> {
        self.lines.iter().find(|line| line.is(name))
    }

    /// The value of the first property of that name, still escaped.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.line(name).map(Line::value)
    }

    /// The properties of that name.
    pub fn all<'c>(&'c self, name: &'c str) -> impl Iterator<Item = &'c Line<'a>> {
        self.lines.iter().filter(move |line| line.is(name))
    }

    /// The components of that name directly inside.
    pub fn inner<'c>(&'c self, name: &'c str) -> impl Iterator<Item = &'c Component<'a>> {
        self.components.iter().filter(move |component| component.name.eq_ignore_ascii_case(name))
    }
}

/// The components of a document.
///
/// # Errors
/// [`Broken`].
pub fn parse<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Vec<Component<'a>>, Broken> {
    let mut done = Vec::new();
    let mut open: Vec<Component<'a>> = Vec::new();
    let mut components = 0;
    let mut number = 0;
    let mut place = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    while place < bytes.len() {
        let here = number + 1;
        let broken = |reason| Broken { line: here, reason };
        let (text, range) = unfold(bytes, place);
        place = range.end;
        let mut text = decode(text).ok_or_else(|| broken("not UTF-8"))?;
        if text.trim().is_empty() {
            continue;
        }
        // What goes on after an empty line: written again, a blank at its beginning would make it a part of the line before.
        if text.starts_with([' ', '\t']) {
            text = Cow::Owned(text.trim_start_matches([' ', '\t']).to_owned());
        }
        if text.bytes().any(|byte| byte < 0x20 && byte != b'\t') {
            return Err(broken("a control character"));
        }
        number += 1;
        if number > limits.lines_max {
            return Err(broken("too many lines"));
        }
        let line = Line::of(text, range.clone()).ok_or_else(|| broken("not a content line"))?;
        if line.is("BEGIN") {
            components += 1;
            if components > limits.components_max || open.len() >= limits.depth_max {
                return Err(broken("too many components"));
            }
            let name = line.value().trim().to_ascii_uppercase();
            open.push(Component { name, lines: Vec::new(), components: Vec::new(), range });
        } else if line.is("END") {
            let mut ended = open.pop().ok_or_else(|| broken("an END without a BEGIN"))?;
            if !ended.name.eq_ignore_ascii_case(line.value().trim()) {
                return Err(broken("an END of another component"));
            }
            ended.range.end = range.end;
            match open.last_mut() {
                Some(outer) => outer.components.push(ended),
                None => done.push(ended),
            }
        } else {
            open.last_mut().ok_or_else(|| broken("a property outside of any component"))?.lines.push(line);
        }
    }
    match open.is_empty() {
        true => Ok(done),
        false => Err(Broken { line: number, reason: "a BEGIN without an END" }),
    }
}

/// The line that begins at `start`, its folds taken out, and where it and its line end stand. Unfolding is done on
/// bytes: a fold may cut a character.
fn unfold(bytes: &[u8], start: usize) -> (Cow<'_, [u8]>, Range<usize>) {
    let mut line: Cow<'_, [u8]> = Cow::Borrowed(&[]);
    let mut from = start;
    loop {
        let end = bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |place| from + place);
        let next = (end + 1).min(bytes.len());
        let mut piece = &bytes[from..end];
        while let Some((b'\r', rest)) = piece.split_last() {
            piece = rest;
        }
        match &mut line {
            Cow::Borrowed([]) if from == start => line = Cow::Borrowed(piece),
            line => line.to_mut().extend_from_slice(piece),
        }
        match bytes.get(next) {
            Some(b' ' | b'\t') if next > end => from = next + 1,
            _ => return (line, start..next),
        }
    }
}

fn decode(line: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    match line {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(component: &Component<'_>) -> String {
        let lines: Vec<&str> = component.lines.iter().map(Line::text).collect();
        let inner: Vec<String> = component.components.iter().map(show).collect();
        format!("{}({}){{{}}}", component.name, lines.join("|"), inner.join(","))
    }

    #[track_caller]
    fn check(text: &[u8], expected: &str) {
        let found = match parse(text, &Limits { lines_max: 10, components_max: 4, depth_max: 3 }) {
            Ok(components) => components.iter().map(show).collect::<Vec<_>>().join(";"),
            Err(broken) => broken.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn components_nest_whatever_the_line_ends() {
        check(b"BEGIN:a\r\nX:1\r\nBEGIN:B\nY:2\nEND:b\r\nEND:A", "A(X:1){B(Y:2){}}");
        check(b"\xef\xbb\xbf\r\n\nBEGIN:A\r\nX:a\r\n b\n\tc\r\n  d\r\nEND:A\r\n", "A(X:abc d){}");
        check("BEGIN:A\r\nX:\u{e9}\r\nEND:A\r\n".as_bytes(), "A(X:\u{e9}){}");
        check(b"BEGIN:A\r\nX:\xc3\r\n \xa9\r\nEND:A\r\n", "A(X:\u{e9}){}");
        check(b"", "");
    }

    #[test]
    fn a_line_that_goes_on_after_an_empty_one_does_not_become_a_part_of_the_line_before() {
        check(b"BEGIN:A\r\nX:1\r\n\r\n  Y:2\r\nEND:A", "A(X:1|Y:2){}");
        check(b"BEGIN:A\r\nX:1\r\n\r\n \tY:2\r\nEND:A", "A(X:1|Y:2){}");
    }

    #[test]
    fn what_is_no_document_is_said_with_its_line() {
        check(b"X:1", "line 1: a property outside of any component");
        check(b"BEGIN:A\nX\nEND:A", "line 2: not a content line");
        check(b"BEGIN:A\nEND:B", "line 2: an END of another component");
        check(b"BEGIN:A\nX:1", "line 2: a BEGIN without an END");
        check(b"END:A", "line 1: an END without a BEGIN");
        check(b"BEGIN:A\nX:\x01\nEND:A", "line 2: a control character");
        check(b"BEGIN:A\nX:\xff\nEND:A", "line 2: not UTF-8");
        check(b"BEGIN:A\nBEGIN:A\nBEGIN:A\nBEGIN:A\n", "line 4: too many components");
        check(&[b"BEGIN:A\n".as_slice(), &b"X:1\n".repeat(20)].concat(), "line 11: too many lines");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_and_ranges_cover_the_lines(bytes in proptest::collection::vec(0u8..=127, 0..300)) {
            if let Ok(components) = parse(&bytes, &Limits::default()) {
                for component in &components {
                    proptest::prop_assert!(component.range.end <= bytes.len());
                    for line in &component.lines {
                        proptest::prop_assert!(line.range.end <= component.range.end);
                        let _ = line.parameters();
                    }
                }
            }
        }
    }
}
