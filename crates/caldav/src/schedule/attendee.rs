//! What an attendee's write means to the organizer: answers. RFC 6638 §3.2.2, RFC 5546 §3.2.3.
//!
//! An attendee changes what is theirs: participation, alarms, transparency, progress, private properties, instances
//! that they do not want to see. Whatever of the organizer's a client drops or changes is put back.

use std::collections::BTreeSet;

use super::compare::essence;
use super::document::{Document, InstanceId};
use super::message::reply;
use super::part::{Part, Piece};
use super::property::Property;
use super::role::attendee_refused;
use super::{Addresses, Options, Plan, Refused};
use crate::object::Limits;

/// Properties that are the attendee's own (RFC 6638 §3.2.2.1), or of no meaning.
const OWN: [&str; 9] = [
    "TRANSP",
    "PERCENT-COMPLETE",
    "COMPLETED",
    "DTSTAMP",
    "CREATED",
    "LAST-MODIFIED",
    "REQUEST-STATUS",
    "ATTENDEE",
    "EXDATE",
];

/// The attendee's copy before and after.
pub(crate) struct Change<'a> {
    /// What the server holds, or what the organizer's object says to this attendee.
    pub(crate) old: &'a Document,
    pub(crate) new: Document,
    pub(crate) me: &'a Addresses,
    pub(crate) options: Options,
    pub(crate) limits: &'a Limits,
    /// TRANSP of the organizer's master: what an accepted copy takes over from an unanswered one.
    pub(crate) transparency: Option<String>,
}

impl Change<'_> {
    /// What is stored, and the answer to the organizer, if there is one.
    ///
    /// # Errors
    /// `CALDAV:allowed-attendee-scheduling-object-change`.
    pub(crate) fn plan(mut self) -> Result<Plan, Refused> {
        let before = self.new.to_bytes();
        self.check()?;
        let is_forced = self.take_forced();
        let mut answered: Vec<Part> = Vec::new();
        let removed = self.removed();
        for id in self.new.ids() {
            if let Some(part) = self.merge(id)? {
                answered.push(part);
            }
        }
        self.keep_exceptions();
        answered.extend(self.put_back(&removed));
        for instant in &removed {
            answered.extend(self.declined(*instant));
        }
        self.new.adopt_zones(self.old);
        let is_changed = self.new.to_bytes() != before;
        let is_scheduled = true;
        if is_forced && answered.is_empty() {
            answered.extend(self.new.mains().cloned());
        }
        let messages = match answered.is_empty() || self.options.is_silent {
            true => Vec::new(),
            false => vec![self.reply(&answered)],
        };
        Ok(Plan { document: Some(self.new), is_changed, is_scheduled, messages })
    }

    fn check(&self) -> Result<(), Refused> {
        if self.new.organizer() != self.old.organizer() {
            return Err(attendee_refused("An attendee cannot change the organizer."));
        }
        let organizers = self.new.mains().filter_map(|part| part.line("ORGANIZER"));
        if organizers.into_iter().any(|line| !line.is_servers()) {
            return Err(attendee_refused("An attendee cannot take the object away from the server's scheduling."));
        }
        match self.new.mains().all(|part| part.own_attendee(self.me).is_some()) {
            true => Ok(()),
            false => Err(attendee_refused("An attendee cannot remove themselves; decline instead.")),
        }
    }

    /// Takes `SCHEDULE-FORCE-SEND=REPLY` off, and says whether it was there (RFC 6638 §7.2).
    fn take_forced(&mut self) -> bool {
        let mut is_forced = false;
        for line in self.new.mains_mut().flat_map(Part::lines_mut).filter(|line| line.is("ORGANIZER")) {
            if let Some(method) = line.parameter("SCHEDULE-FORCE-SEND") {
                line.set_parameter("SCHEDULE-FORCE-SEND", None);
                is_forced |= method.eq_ignore_ascii_case("REPLY");
            }
        }
        is_forced
    }

    /// Instances that the attendee does not want to see any more.
    fn removed(&self) -> BTreeSet<i64> {
        let mut removed = BTreeSet::new();
        if let Some(master) = self.new.master() {
            let known = self.old.master().map(|part| self.old.dates(part, "EXDATE")).unwrap_or_default();
            let dates = self.new.dates(master, "EXDATE").into_iter().filter(|date| !known.contains(date));
            removed.extend(dates.filter(|date| self.old.instance(*date, self.limits).is_some()));
        } else if self.old.master().is_none() {
            removed.extend(self.old.ids().into_iter().filter(|id| self.new.main(*id).is_none()).flatten());
        }
        removed
    }

    /// The answer that removing an instance is, unless it was given before.
    fn declined(&self, instant: i64) -> Option<Part> {
        let mut part = self.old.instance(instant, self.limits)?;
        if part.is_cancelled() || part.own_attendee(self.me).is_none_or(|own| own.partstat() == "DECLINED") {
            return None;
        }
        decline(&mut part, self.me);
        Some(part)
    }

    /// Puts back what is the organizer's in one component; the component if it holds another answer than before.
    fn merge(&mut self, id: InstanceId) -> Result<Option<Part>, Refused> {
        let known = match id {
            None => self.old.master().cloned(),
            Some(instant) => self.old.instance(instant, self.limits),
        };
        let Some(known) = known else {
            return Err(attendee_refused("The organizer's object has no such instance."));
        };
        let (me, old, transparency) = (self.me, self.old, self.transparency.clone());
        let Some(mut part) = self.new.main(id).cloned() else { return Ok(None) };
        put_back_properties(old, &known, &self.new, &mut part);
        let (before, after) = merge_attendees(&known, &mut part, me);
        if before == "NEEDS-ACTION" && after != before && after != "DECLINED" {
            take_over_transparency(&known, &mut part, transparency.as_deref());
        }
        let is_answer = before != after;
        let answer = is_answer.then(|| part.clone());
        if let Some(place) = self.new.main_mut(id) {
            *place = part;
        }
        Ok(answer)
    }

    /// Exceptions that were there stay there.
    fn keep_exceptions(&mut self) {
        let Some(master) = self.old.master() else { return };
        let Some(own) = self.new.master() else { return };
        let has = self.new.dates(own, "EXDATE");
        if self.old.dates(master, "EXDATE").iter().all(|date| has.contains(date)) {
            return;
        }
        let lines: Vec<Property> = master.all("EXDATE").cloned().collect();
        let missing: Vec<Property> =
            lines.into_iter().filter(|line| !own.all("EXDATE").any(|has| has.text() == line.text())).collect();
        let overridden: Vec<i64> = self.new.ids().into_iter().flatten().collect();
        if let Some(own) = self.new.master_mut() {
            missing.into_iter().for_each(|line| own.add(line));
        }
        overridden.into_iter().for_each(|instant| self.new.remove_exdate(instant));
    }

    /// Components that the client dropped without excluding their instances.
    ///
    /// With a schedule tag, a client may write without having seen the components that the server made from others'
    /// answers (RFC 6638 §3.2.10): what it says of all instances holds for those too, and is an answer there.
    fn put_back(&mut self, removed: &BTreeSet<i64>) -> Vec<Part> {
        let mut answered = Vec::new();
        let partstat = |part: Option<&Part>| part.and_then(|part| part.own_attendee(self.me)).map(Property::partstat);
        let (before, after) = (partstat(self.old.master()), partstat(self.new.master()));
        let transparency = self.new.master().and_then(|part| part.value("TRANSP")).map(str::to_owned);
        let excluded = self.new.master().map(|part| self.new.dates(part, "EXDATE")).unwrap_or_default();
        for part in self.old.mains() {
            let id = self.old.id_of(part);
            let is_gone = id.is_some_and(|instant| removed.contains(&instant) || excluded.contains(&instant));
            if self.new.main(id).is_some() || is_gone {
                continue;
            }
            let mut part = part.clone();
            let says_all = self.options.merges && id.is_some() && before != after && partstat(Some(&part)) == before;
            if let Some(after) = after.as_deref().filter(|_| says_all) {
                for line in part.lines_mut().filter(|line| line.is("ATTENDEE") && self.me.has(&line.address())) {
                    line.set_parameter("PARTSTAT", Some(after));
                    line.set_parameter("RSVP", None);
                }
                part.set("TRANSP", transparency.as_deref());
                answered.push(part.clone());
            }
            self.new.calendar.pieces.push(Piece::Part(part));
        }
        answered
    }

    fn reply(&self, parts: &[Part]) -> super::Message {
        let organizer = self.old.organizer().unwrap_or_default();
        let own = parts.iter().find_map(|part| part.own_attendee(self.me));
        let own = own.map(Property::address).unwrap_or_default();
        let mut document = self.new.clone();
        document.adopt_zones(self.old);
        reply(&document, &own, &organizer, parts, self.options.now_seconds)
    }
}

/// Sets the own answer to DECLINED.
fn decline(part: &mut Part, me: &Addresses) {
    for line in part.lines_mut().filter(|line| line.is("ATTENDEE") && me.has(&line.address())) {
        line.set_parameter("PARTSTAT", Some("DECLINED"));
        line.set_parameter("RSVP", None);
    }
}

/// The organizer's properties, as they are known: compared by what they say, so that a client may spell them its way.
fn put_back_properties(old: &Document, known: &Part, new: &Document, part: &mut Part) {
    let is_own = |line: &Property| {
        let name = line.name().to_ascii_uppercase();
        name.starts_with("X-") || name == "RECURRENCE-ID" || OWN.contains(&name.as_str())
    };
    let mut names: Vec<String> = Vec::new();
    for line in known.lines().chain(part.lines()).filter(|line| !is_own(line)) {
        let name = line.name().to_ascii_uppercase();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let of = |document: &Document, part: &Part, name: &str| {
        let mut only = part.clone();
        let is_time = ["DTSTART", "DTEND", "DUE", "DURATION"].contains(&name);
        only.retain_lines(|line| line.is(name) || (is_time && line.is("DTSTART")));
        let mut said = essence(document, &only);
        said.extend(only.all(name).map(|line| line.parameter("TZID").unwrap_or_default()));
        match name {
            "SEQUENCE" => vec![part.sequence().to_string()],
            "STATUS" => vec![part.value("STATUS").unwrap_or_default().trim().to_ascii_uppercase()],
            "ORGANIZER" => only.lines().map(|line| line.text().to_owned()).collect(),
            _ => said,
        }
    };
    let has_other_times =
        ["DTSTART", "DTEND", "DUE", "DURATION"].iter().any(|name| of(old, known, name) != of(new, part, name));
    for name in names {
        let is_time = ["DTSTART", "DTEND", "DUE", "DURATION"].contains(&name.as_str());
        let differs = if is_time { has_other_times } else { of(old, known, &name) != of(new, part, &name) };
        if differs {
            part.replace_lines(&name, known.all(&name).cloned().collect());
        }
    }
}

/// The attendees as the organizer has them, with the own answer of the client; the answers before and after.
fn merge_attendees(known: &Part, part: &mut Part, me: &Addresses) -> (String, String) {
    let own = part.own_attendee(me).cloned();
    let before = known.own_attendee(me).map_or_else(|| "NEEDS-ACTION".to_owned(), Property::partstat);
    let after = own.as_ref().map_or_else(|| before.clone(), Property::partstat);
    let mut lines: Vec<Property> = known.all("ATTENDEE").cloned().collect();
    for line in lines.iter_mut().filter(|line| me.has(&line.address())) {
        if let Some(own) = &own {
            line.set_parameter("PARTSTAT", own.parameter("PARTSTAT").as_deref());
            line.set_parameter("RSVP", own.parameter("RSVP").as_deref());
        }
    }
    let said = |lines: &mut dyn Iterator<Item = &Property>| {
        let mut said: Vec<(Vec<(String, String)>, String)> = lines
            .map(|line| {
                let mut parameters = line.parameters();
                parameters.sort_unstable();
                (parameters, line.address())
            })
            .collect();
        said.sort_unstable();
        said
    };
    if said(&mut lines.iter()) != said(&mut part.all("ATTENDEE")) {
        part.replace_lines("ATTENDEE", lines);
    }
    (before, after)
}

/// An unanswered copy was transparent because it was unanswered: once it is accepted, the organizer's word holds.
fn take_over_transparency(known: &Part, part: &mut Part, transparency: Option<&str>) {
    let says = |part: &Part| part.value("TRANSP").is_some_and(|value| value.eq_ignore_ascii_case("TRANSPARENT"));
    if says(known) && says(part) {
        part.set("TRANSP", transparency);
    }
}

/// What the end of an attendee's copy tells the organizer (RFC 6638 §3.2.2.3).
pub(crate) fn plan_delete(old: &Document, me: &Addresses, options: Options) -> Plan {
    let mut plan = Plan { document: None, is_changed: false, is_scheduled: false, messages: Vec::new() };
    if options.is_silent {
        return plan;
    }
    let mut parts: Vec<Part> = old.mains().filter(|part| !part.is_cancelled()).cloned().collect();
    parts.retain(|part| part.own_attendee(me).is_some_and(|own| own.partstat() != "DECLINED"));
    parts.iter_mut().for_each(|part| decline(part, me));
    let own = parts.iter().find_map(|part| part.own_attendee(me)).map(Property::address);
    if let (Some(own), Some(organizer)) = (own, old.organizer()) {
        plan.messages.push(reply(old, &own, &organizer, &parts, options.now_seconds));
    }
    plan
}
