//! A calendar object that can be edited: its main components by the instance that they are about. RFC 5545 §3.4, §3.8.4.4.

use super::part::{Part, Piece, write_line};
use super::property::Property;
use crate::object::{CalendarObject, Limits};
use crate::time::Moment;
use crate::timezone::{Zone, Zones};

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
