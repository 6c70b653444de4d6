//! A calendar object that can be edited line by line: lines that are not touched go out as they came in, others are
//! folded anew (RFC 5545 §3.1). Unknown properties, parameters and components survive.

use nichoir_contentline::{Component, Line, fold};

use super::address::normal;
use crate::object::{CalendarObject, Limits};
use crate::time::Moment;
use crate::timezone::{Zone, Zones};

/// A property: its line unfolded, and as it came.
#[derive(Clone, Debug)]
pub(crate) struct Property {
    text: String,
    /// The bytes that it was read from; `None` for one that is new or changed.
    raw: Option<Vec<u8>>,
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

    fn of(component: &Component<'_>, bytes: &[u8]) -> Part {
        let lines = component.lines.iter().map(|line| (line.range.start, Piece::Line(property_of(line, bytes))));
        let parts = component.components.iter().map(|it| (it.range.start, Piece::Part(Part::of(it, bytes))));
        let mut pieces: Vec<(usize, Piece)> = lines.chain(parts).collect();
        pieces.sort_by_key(|(start, _)| *start);
        Part { name: component.name.clone(), pieces: pieces.into_iter().map(|(_, piece)| piece).collect() }
    }

    fn write(&self, line_end: &str, out: &mut Vec<u8>) {
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

fn write_line(text: &str, line_end: &str, out: &mut Vec<u8>) {
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

/// A calendar object, to be edited.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) calendar: Part,
    /// The type of its main components.
    pub(crate) component: String,
    pub(crate) uid: String,
    zones: Zones,
    line_end: &'static str,
}

/// Which instance a component is about: the instant of its RECURRENCE-ID, floating times as if in UTC; `None` for all.
pub(crate) type InstanceId = Option<i64>;

impl Document {
    pub(crate) fn of(object: &CalendarObject<'_>) -> Document {
        let first = object.bytes.iter().position(|byte| *byte == b'\n');
        let is_plain = first.is_some_and(|place| place == 0 || object.bytes[place - 1] != b'\r');
        Document {
            calendar: Part::of(&object.calendar, object.bytes),
            component: object.component.clone(),
            uid: object.uid.clone(),
            zones: object.zones.clone(),
            line_end: if is_plain { "\n" } else { "\r\n" },
        }
    }

    /// What is stored; `None` if it cannot be understood.
    pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Option<Document> {
        CalendarObject::read(bytes, limits).ok().map(|object| Document::of(&object))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.calendar.write(self.line_end, &mut out);
        out
    }

    /// The master with its time zones, without what its instances say of their own.
    pub(crate) fn alone(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_line("BEGIN:VCALENDAR", self.line_end, &mut out);
        for part in self.calendar.parts() {
            let is_other = part.name == self.component && part.line("RECURRENCE-ID").is_some();
            if !is_other {
                part.write(self.line_end, &mut out);
            }
        }
        write_line("END:VCALENDAR", self.line_end, &mut out);
        out
    }

    /// A message ends its lines as RFC 5545 says, whatever the client does.
    pub(crate) fn with_standard_line_ends(mut self) -> Document {
        self.line_end = "\r\n";
        self
    }

    /// The components that it is about.
    pub(crate) fn mains(&self) -> impl Iterator<Item = &Part> {
        self.calendar.parts().filter(|part| part.name == self.component)
    }

    pub(crate) fn mains_mut(&mut self) -> impl Iterator<Item = &mut Part> {
        let component = &self.component;
        self.calendar.pieces.iter_mut().filter_map(move |piece| match piece {
            Piece::Part(part) if part.name == *component => Some(part),
            _ => None,
        })
    }

    pub(crate) fn retain_mains(&mut self, mut keeps: impl FnMut(&Part) -> bool) {
        let component = &self.component;
        self.calendar.pieces.retain(|piece| match piece {
            Piece::Part(part) if part.name == *component => keeps(part),
            _ => true,
        });
    }

    /// Takes the component about `id` out.
    pub(crate) fn remove_main(&mut self, id: InstanceId) {
        let found = self.calendar.pieces.iter().position(|piece| match piece {
            Piece::Part(part) => part.name == self.component && self.id_of(part) == id,
            Piece::Line(_) => false,
        });
        if let Some(place) = found {
            self.calendar.pieces.remove(place);
        }
    }

    pub(crate) fn id_of(&self, part: &Part) -> InstanceId {
        part.line("RECURRENCE-ID").and_then(|line| self.moment(line)).map(|moment| moment.instant(&Zone::Utc))
    }

    /// The date or time that a property holds.
    pub(crate) fn moment(&self, line: &Property) -> Option<Moment> {
        self.moment_of(line.value(), line)
    }

    fn moment_of(&self, value: &str, line: &Property) -> Option<Moment> {
        Moment::parse(value, || line.parameter("TZID"), &self.zones)
    }

    /// The instants of all values of these properties, such as EXDATE.
    pub(crate) fn dates(&self, part: &Part, name: &str) -> Vec<i64> {
        let mut found = Vec::new();
        for line in part.all(name) {
            let values = line.value().split(',').filter_map(|value| self.moment_of(value, line));
            found.extend(values.map(|moment| moment.instant(&Zone::Utc)));
        }
        found
    }

    /// Takes one instant out of EXDATE.
    pub(crate) fn remove_exdate(&mut self, instant: i64) {
        let zones = self.zones.clone();
        let is_it = |value: &str, line: &Property| {
            let moment = Moment::parse(value, || line.parameter("TZID"), &zones);
            moment.is_some_and(|moment| moment.instant(&Zone::Utc) == instant)
        };
        let Some(master) = self.master_mut() else { return };
        for line in master.lines_mut().filter(|line| line.is("EXDATE")) {
            let kept: Vec<&str> = line.value().split(',').filter(|value| !is_it(value, line)).collect();
            if kept.len() < line.value().split(',').count() {
                let value = kept.join(",");
                line.set_value(&value);
            }
        }
        master.retain_lines(|line| !(line.is("EXDATE") && line.value().is_empty()));
    }

    pub(crate) fn main(&self, id: InstanceId) -> Option<&Part> {
        self.mains().find(|part| self.id_of(part) == id)
    }

    pub(crate) fn main_mut(&mut self, id: InstanceId) -> Option<&mut Part> {
        let place = self.mains().position(|part| self.id_of(part) == id)?;
        self.mains_mut().nth(place)
    }

    pub(crate) fn master(&self) -> Option<&Part> {
        self.mains().find(|part| part.line("RECURRENCE-ID").is_none())
    }

    pub(crate) fn master_mut(&mut self) -> Option<&mut Part> {
        self.mains_mut().find(|part| part.line("RECURRENCE-ID").is_none())
    }

    pub(crate) fn ids(&self) -> Vec<InstanceId> {
        self.mains().map(|part| self.id_of(part)).collect()
    }

    /// Adds a main component, in the place of the one about the same instance.
    pub(crate) fn put_main(&mut self, part: Part) {
        let id = self.id_of(&part);
        match self.main_mut(id) {
            Some(old) => *old = part,
            None => self.calendar.pieces.push(Piece::Part(part)),
        }
    }

    pub(crate) fn max_sequence(&self) -> i64 {
        self.mains().map(Part::sequence).max().unwrap_or(0)
    }

    /// The address of the organizer, if all components that have one agree.
    pub(crate) fn organizer(&self) -> Option<String> {
        self.mains().find_map(|part| part.line("ORGANIZER")).map(Property::address)
    }

    /// The addresses of all attendees, each once.
    pub(crate) fn attendees(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for address in self.mains().flat_map(|part| part.all("ATTENDEE")).map(Property::address) {
            if !found.contains(&address) {
                found.push(address);
            }
        }
        found
    }

    /// Takes over the VTIMEZONEs of `other` that are missing here.
    pub(crate) fn adopt_zones(&mut self, other: &Document) {
        let names: Vec<String> = zone_names(&self.calendar);
        let missing: Vec<Part> = other
            .calendar
            .parts()
            .filter(|part| part.name == "VTIMEZONE")
            .filter(|part| part.value("TZID").is_some_and(|name| !names.iter().any(|known| known == name)))
            .cloned()
            .collect();
        let place = self.calendar.pieces.iter().position(|piece| matches!(piece, Piece::Part(_)));
        let place = place.unwrap_or(self.calendar.pieces.len());
        self.calendar.pieces.splice(place..place, missing.into_iter().map(Piece::Part));
    }
}

fn zone_names(calendar: &Part) -> Vec<String> {
    let zones = calendar.parts().filter(|part| part.name == "VTIMEZONE");
    zones.filter_map(|part| part.value("TZID").map(str::to_owned)).collect()
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

    #[test]
    fn what_is_not_touched_goes_out_as_it_came() {
        let text = "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nDESCRIPTION:a\n b\nBEGIN:VALARM\nX-A:1\nEND:VALARM\n\
                    SUMMARY:s\nEND:VEVENT\nEND:VCALENDAR\n";
        let mut document = Document::read(text.as_bytes(), &Limits::default()).expect("an object");
        assert_eq!(String::from_utf8(document.to_bytes()).expect("text"), text);
        document.master_mut().expect("an event").set("SEQUENCE", Some("1"));
        let expected = text.replace("SUMMARY:s\n", "SUMMARY:s\nSEQUENCE:1\n");
        assert_eq!(String::from_utf8(document.to_bytes()).expect("text"), expected);
    }
}
