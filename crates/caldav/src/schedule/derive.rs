//! Instances that have no component of their own: the master's, put where the rule puts it. RFC 5545 §3.8.4.4.

use super::document::Document;
use super::part::Part;
use super::property::Property;
use crate::object::{CalendarObject, Limits};
use crate::time::{Moment, civil_text};
use crate::timezone::Zone;

impl Document {
    /// Whether the master's rule gives an instance at `instant` (and no EXDATE takes it away).
    pub(crate) fn has_instance(&self, instant: i64, limits: &Limits) -> bool {
        let bytes = self.alone();
        let Ok(object) = CalendarObject::read(&bytes, limits) else { return false };
        if !object.recurs() {
            return false;
        }
        let found = object.instances(instant - 1, instant + 1, &Zone::Utc, limits);
        found.list.iter().filter_map(|it| it.id.as_ref()).any(|id| id.instant(&Zone::Utc) == instant)
    }

    /// The component that stands for the instance: its own, or one made from the master.
    pub(crate) fn instance(&self, instant: i64, limits: &Limits) -> Option<Part> {
        match self.main(Some(instant)) {
            Some(own) => Some(own.clone()),
            None if self.has_instance(instant, limits) => self.derive(instant),
            None => None,
        }
    }

    /// The master, made one instance; whether there is such an instance is the caller's to know.
    pub(crate) fn derive(&self, instant: i64) -> Option<Part> {
        let master = self.master()?;
        let start_line = master.line("DTSTART").or_else(|| master.line("DUE"))?;
        let start = self.moment(start_line)?;
        let begins = start.at(civil_of(&start, instant));
        let mut part = master.clone();
        part.retain_lines(|line| !["RRULE", "RDATE", "EXDATE", "EXRULE"].iter().any(|name| line.is(name)));
        for name in ["DTSTART", "DTEND", "DUE"] {
            let Some(line) = part.lines_mut().find(|line| line.is(name)) else { continue };
            let Some(moment) = self.moment(line) else { continue };
            let shift = instant - start.instant(&Zone::Utc);
            let civil = match moment.zone == start.zone {
                true => begins.civil + (moment.civil - start.civil),
                false => civil_of(&moment, moment.instant(&Zone::Utc) + shift),
            };
            line.set_value(&civil_text(&moment.at(civil)));
        }
        let mut id = start_line.clone();
        id.set_value(&civil_text(&begins));
        let id = id.text().replacen(start_line.name(), "RECURRENCE-ID", 1);
        part.add(Property::new(id));
        Some(part)
    }
}

/// What the clock of `moment` shows at `instant`; a floating one is read as if in UTC.
fn civil_of(moment: &Moment, instant: i64) -> i64 {
    match &moment.zone {
        Zone::Floating => instant,
        zone => zone.civil(instant),
    }
}
