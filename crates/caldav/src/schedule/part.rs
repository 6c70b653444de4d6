//! A component that can be edited line by line: other lines are folded anew, inner components and unknown properties
//! survive. RFC 5545 §3.1, §3.6.

use nichoir_contentline::{Component, Line, fold};

use super::property::Property;

/// What stands inside of a component.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Line(Property),
    Part(Part),
}

/// A component.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Its name, in upper case.
    pub(crate) name: String,
    pub(crate) pieces: Vec<Piece>,
}

impl Part {
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Property> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Line(line) => Some(line),
            Piece::Part(_) => None,
        })
    }

    pub(crate) fn lines_mut(&mut self) -> impl Iterator<Item = &mut Property> {
        self.pieces.iter_mut().filter_map(|piece| match piece {
            Piece::Line(line) => Some(line),
            Piece::Part(_) => None,
        })
    }

    pub(crate) fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p Property> {
        self.lines().filter(move |line| line.is(name))
    }

    pub(crate) fn line(&self, name: &str) -> Option<&Property> {
        self.lines().find(|line| line.is(name))
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.line(name).map(Property::value)
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Part(part) => Some(part),
            Piece::Line(_) => None,
        })
    }

    /// Keeps the lines that `keeps` says.
    pub(crate) fn retain_lines(&mut self, mut keeps: impl FnMut(&Property) -> bool) {
        self.pieces.retain(|piece| match piece {
            Piece::Line(line) => keeps(line),
            Piece::Part(_) => true,
        });
    }

    /// Adds a line behind the last one, before inner components.
    pub(crate) fn add(&mut self, line: Property) {
        let place = self.pieces.iter().rposition(|piece| matches!(piece, Piece::Line(_))).map_or(0, |last| last + 1);
        self.pieces.insert(place, Piece::Line(line));
    }

    /// The one line of that name has this value; `None`: there is none.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) {
        if value.is_some() && self.value(name) == value {
            return;
        }
        let Some(value) = value else { return self.retain_lines(|line| !line.is(name)) };
        if let Some(line) = self.lines_mut().find(|line| line.is(name)) {
            return line.set_value(value);
        }
        self.add(Property::new(format!("{name}:{value}")));
    }

    /// The lines of that name become those.
    pub(crate) fn replace_lines(&mut self, name: &str, lines: Vec<Property>) {
        let place = self.pieces.iter().position(|piece| matches!(piece, Piece::Line(line) if line.is(name)));
        self.retain_lines(|line| !line.is(name));
        match place {
            Some(place) => {
                let place = place.min(self.pieces.len());
                self.pieces.splice(place..place, lines.into_iter().map(Piece::Line));
            }
            None => lines.into_iter().for_each(|line| self.add(line)),
        }
    }

    /// The ATTENDEE of that address.
    pub(crate) fn attendee(&self, address: &str) -> Option<&Property> {
        self.all("ATTENDEE").find(|line| line.address() == address)
    }

    /// The first ATTENDEE that is one of `me`.
    pub(crate) fn own_attendee(&self, me: &super::Addresses) -> Option<&Property> {
        self.all("ATTENDEE").find(|line| me.has(&line.address()))
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.value("STATUS").is_some_and(|status| status.trim().eq_ignore_ascii_case("CANCELLED"))
    }

    pub(crate) fn sequence(&self) -> i64 {
        self.value("SEQUENCE").and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    }

    pub(super) fn of(component: &Component<'_>, bytes: &[u8]) -> Part {
        let lines = component.lines.iter().map(|line| (line.range.start, Piece::Line(property_of(line, bytes))));
        let parts = component.components.iter().map(|it| (it.range.start, Piece::Part(Part::of(it, bytes))));
        let mut pieces: Vec<(usize, Piece)> = lines.chain(parts).collect();
        pieces.sort_by_key(|(start, _)| *start);
        Part { name: component.name.clone(), pieces: pieces.into_iter().map(|(_, piece)| piece).collect() }
    }

    pub(super) fn write(&self, line_end: &str, out: &mut Vec<u8>) {
        write_line(&format!("BEGIN:{}", self.name), line_end, out);
        for piece in &self.pieces {
            match piece {
                Piece::Part(part) => part.write(line_end, out),
                Piece::Line(Property { raw: Some(raw), .. }) => write_raw(raw, line_end, out),
                Piece::Line(line) => write_line(line.text(), line_end, out),
            }
        }
        write_line(&format!("END:{}", self.name), line_end, out);
    }
}

fn property_of(line: &Line<'_>, bytes: &[u8]) -> Property {
    Property { text: line.text().to_owned(), raw: Some(bytes[line.range.clone()].to_vec()) }
}

pub(super) fn write_line(text: &str, line_end: &str, out: &mut Vec<u8>) {
    let mut folded = Vec::with_capacity(text.len() + 8);
    fold(text, &mut folded);
    write_raw(&folded, line_end, out);
}

/// The bytes of a line, its line ends made those of the document.
fn write_raw(raw: &[u8], line_end: &str, out: &mut Vec<u8>) {
    for piece in raw.split(|byte| *byte == b'\n') {
        if piece.is_empty() {
            continue;
        }
        let mut piece = piece;
        while let Some((b'\r', rest)) = piece.split_last() {
            piece = rest;
        }
        out.extend_from_slice(piece);
        out.extend_from_slice(line_end.as_bytes());
    }
}
