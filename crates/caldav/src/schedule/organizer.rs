//! What an organizer's write means to the attendees: invitations, updates, cancellations. RFC 6638 §3.2.1, RFC 5546
//! §3.2.2 and §3.2.5.

use std::collections::BTreeSet;

use super::compare::{essence, is_rescheduled};
use super::document::{Document, InstanceId};
use super::message::cancel;
use super::part::Part;
use super::{Addresses, Message, Method, Options, Plan};
use crate::object::Limits;

/// The organizer's object before and after.
pub(crate) struct Change<'a> {
    pub(crate) old: Option<&'a Document>,
    pub(crate) new: Document,
    pub(crate) me: &'a Addresses,
    pub(crate) options: Options,
    pub(crate) limits: &'a Limits,
}

/// What became of the instances.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Components that attendees have to be told of.
    pub(super) changed: BTreeSet<InstanceId>,
    /// Components that happen at other times.
    pub(super) rescheduled: BTreeSet<InstanceId>,
    /// Components that are newly `STATUS:CANCELLED`.
    pub(super) called_off: BTreeSet<InstanceId>,
    /// Instances that are newly excluded.
    pub(super) excluded: BTreeSet<i64>,
}

impl Change<'_> {
    /// What is stored, and who is told what.
    pub(crate) fn plan(mut self) -> Plan {
        let before = self.new.to_bytes();
        self.name_organizer();
        let forced = self.take_forced();
        self.keep_answers(&forced);
        let found = self.find();
        let old_sequence = self.old.map_or(0, Document::max_sequence);
        let is_significant = !found.changed.is_empty() || !found.called_off.is_empty() || !found.excluded.is_empty();
        if is_significant || !forced.is_empty() {
            self.ask_anew(&found);
        }
        self.raise_sequence(old_sequence, is_significant);
        let messages = match is_significant || !forced.is_empty() {
            true => self.messages(&found, &forced, old_sequence),
            false => Vec::new(),
        };
        let is_changed = self.new.to_bytes() != before;
        Plan { document: Some(self.new), is_changed, is_scheduled: true, messages }
    }

    /// A component that leaves the organizer out has the same as the others (RFC 6638 §3.2.4.2).
    fn name_organizer(&mut self) {
        let Some(line) = self.new.mains().find_map(|part| part.line("ORGANIZER")).cloned() else { return };
        for part in self.new.mains_mut().filter(|part| part.line("ORGANIZER").is_none()) {
            part.add(line.clone());
        }
    }

    /// Takes `SCHEDULE-FORCE-SEND=REQUEST` off, and says whose it was (RFC 6638 §7.2).
    fn take_forced(&mut self) -> BTreeSet<String> {
        let mut forced = BTreeSet::new();
        for line in self.new.mains_mut().flat_map(Part::lines_mut).filter(|line| line.is("ATTENDEE")) {
            if let Some(method) = line.parameter("SCHEDULE-FORCE-SEND") {
                line.set_parameter("SCHEDULE-FORCE-SEND", None);
                if method.eq_ignore_ascii_case("REQUEST") {
                    forced.insert(line.address());
                }
            }
        }
        forced
    }

    /// Attendees' answers are theirs: the organizer may ask anew, and not answer for them. With a schedule tag, what
    /// was answered meanwhile stays whatever the client knew (RFC 6638 §3.2.10.1).
    fn keep_answers(&mut self, forced: &BTreeSet<String>) {
        let (old, me, merges, limits) = (self.old, self.me, self.options.merges, self.limits);
        self.restore_instances();
        let ids = self.new.ids();
        for (id, part) in ids.into_iter().zip(self.new.mains_mut()) {
            let before = old.and_then(|old| match id {
                None => old.master().cloned(),
                Some(instant) => old.instance(instant, limits),
            });
            for line in part.lines_mut().filter(|line| line.is("ATTENDEE") && line.is_servers()) {
                let address = line.address();
                if me.has(&address) {
                    continue;
                }
                let known = before.as_ref().and_then(|part| part.attendee(&address));
                let says = line.partstat();
                let answered = known.map_or_else(|| "NEEDS-ACTION".to_owned(), super::Property::partstat);
                let is_merged = merges && !forced.contains(&address) && known.is_some();
                if says == answered && is_merged && says == "NEEDS-ACTION" {
                    let asked = known.and_then(|known| known.parameter("RSVP"));
                    line.set_parameter("RSVP", asked.as_deref());
                }
                if says == answered || (says == "NEEDS-ACTION" && !is_merged) {
                    continue;
                }
                line.set_parameter("PARTSTAT", Some(&answered));
                for name in ["RSVP", "SCHEDULE-STATUS"] {
                    let value = known.and_then(|known| known.parameter(name));
                    line.set_parameter(name, value.as_deref());
                }
            }
        }
    }

    /// An override that the client left out although it still happens is there because somebody answered for that
    /// instance alone: it comes back as the master has it, with the answers.
    fn restore_instances(&mut self) {
        let Some(old) = self.old else { return };
        for part in old.mains() {
            let id = old.id_of(part);
            let Some(instant) = id else { continue };
            if self.new.main(id).is_some() || !self.new.has_instance(instant, self.limits) {
                continue;
            }
            let Some(mut derived) = self.new.derive(instant) else { continue };
            let is_moved = is_rescheduled((old, part), (&self.new, &derived));
            let mut differs = is_moved;
            for line in derived.lines_mut().filter(|line| line.is("ATTENDEE") && line.is_servers()) {
                let known = part.attendee(&line.address()).filter(|_| !self.me.has(&line.address()));
                let Some(known) = known else { continue };
                if is_moved {
                    line.set_parameter("PARTSTAT", Some("NEEDS-ACTION"));
                } else if known.partstat() != line.partstat() {
                    line.set_parameter("PARTSTAT", Some(&known.partstat()));
                    differs = true;
                }
            }
            if differs {
                self.new.put_main(derived);
            }
        }
    }

    fn find(&self) -> Found {
        let mut found = Found::default();
        let Some(old) = self.old else {
            found.changed.extend(self.new.ids());
            found.rescheduled.extend(self.new.ids());
            return found;
        };
        for part in self.new.mains() {
            let id = self.new.id_of(part);
            let before = match id {
                None => old.master().cloned(),
                Some(instant) => old.instance(instant, self.limits),
            };
            self.compare(old, before.as_ref(), part, id, &mut found);
        }
        for part in old.mains() {
            let id = old.id_of(part);
            let Some(instant) = id.filter(|_| self.new.main(id).is_none()) else { continue };
            // Gone, and an instance of the master like any other now: told as such, unless it is excluded below.
            if let Some(derived) = self.new.instance(instant, self.limits)
                && essence(old, part) != essence(&self.new, &derived)
            {
                found.changed.insert(None);
            }
        }
        if let (Some(old_master), Some(master)) = (old.master(), self.new.master()) {
            let before = old.dates(old_master, "EXDATE");
            let added = self.new.dates(master, "EXDATE").into_iter().filter(|date| !before.contains(date));
            found.excluded.extend(added.filter(|date| old.instance(*date, self.limits).is_some()));
        }
        found
    }

    fn compare(&self, old: &Document, before: Option<&Part>, part: &Part, id: InstanceId, found: &mut Found) {
        let Some(before) = before else {
            found.changed.insert(id);
            found.rescheduled.insert(id);
            return;
        };
        if part.is_cancelled() && !before.is_cancelled() {
            found.called_off.insert(id);
        }
        let status = |part: &Part| part.value("STATUS").map(|status| status.trim().to_ascii_uppercase());
        let has_other_status = !part.is_cancelled() && status(part) != status(before);
        if has_other_status || essence(old, before) != essence(&self.new, part) {
            found.changed.insert(id);
        }
        if is_rescheduled((old, before), (&self.new, part)) {
            found.rescheduled.insert(id);
        }
    }

    /// Attendees of what is new or moved have to answer; whoever has not answered is asked to.
    fn ask_anew(&mut self, found: &Found) {
        let me = self.me;
        let ids = self.new.ids();
        for (id, part) in ids.into_iter().zip(self.new.mains_mut()) {
            for line in part.lines_mut().filter(|line| line.is("ATTENDEE") && line.is_servers()) {
                if me.has(&line.address()) {
                    continue;
                }
                if found.rescheduled.contains(&id) && line.partstat() != "NEEDS-ACTION" {
                    line.set_parameter("PARTSTAT", Some("NEEDS-ACTION"));
                }
                if line.partstat() == "NEEDS-ACTION" {
                    line.set_parameter("RSVP", Some("TRUE"));
                }
            }
        }
    }

    /// RFC 5546 §2.1.4: an update has a higher number than what it updates; nothing ever has a lower one.
    fn raise_sequence(&mut self, old: i64, is_update: bool) {
        let new = self.new.max_sequence();
        let least = if is_update && self.old.is_some() && new <= old { old + 1 } else { 0 };
        let before = self.old;
        let ids = self.new.ids();
        for (id, part) in ids.into_iter().zip(self.new.mains_mut()) {
            let own = before.and_then(|old| old.main(id).or(old.master())).map_or(0, Part::sequence);
            let least = least.max(own);
            if part.sequence() < least {
                part.set("SEQUENCE", Some(&least.to_string()));
            }
        }
    }
}

/// What the end of the organizer's object means to the attendees.
pub(crate) fn plan_delete(old: &Document, me: &Addresses, now_seconds: i64) -> Plan {
    let sender = old.organizer().unwrap_or_default();
    // The object is changed, and then it is cancelled.
    let sequence = old.max_sequence() + 2;
    let mut messages = Vec::new();
    for address in old.attendees().into_iter().filter(|address| !me.has(address)) {
        let is_in = |part: &&Part| part.attendee(&address).is_some_and(super::Property::is_servers);
        let parts: Vec<Part> = old.mains().filter(is_in).cloned().collect();
        if parts.is_empty() {
            continue;
        }
        // The whole object ends, whatever of it the attendee knew.
        let parts = match old.master() {
            Some(master) => {
                let mut master = master.clone();
                if master.attendee(&address).is_none()
                    && let Some(line) = parts[0].attendee(&address)
                {
                    master.add(line.clone());
                }
                vec![master]
            }
            None => parts,
        };
        if let Some(document) = cancel(old, &address, &parts, sequence, now_seconds) {
            messages.push(Message {
                method: Method::Cancel,
                recipient: address.clone(),
                sender: sender.clone(),
                document,
            });
        }
    }
    Plan { document: None, is_changed: false, is_scheduled: false, messages }
}
