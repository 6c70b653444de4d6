//! Who is told what of the organizer's change: cancellations first, then what there is to know now. RFC 5546 §3.2.2,
//! §3.2.5.

use std::collections::BTreeSet;

use super::document::{Document, InstanceId};
use super::message::{cancel, request};
use super::organizer::{Change, Found};
use super::part::Part;
use super::{Message, Method};

impl Change<'_> {
    /// The messages to everybody who is or was invited.
    pub(super) fn messages(&self, found: &Found, forced: &BTreeSet<String>, old_sequence: i64) -> Vec<Message> {
        let sender = self.new.organizer().unwrap_or_default();
        let mut messages = Vec::new();
        let mut everybody = self.old.map(Document::attendees).unwrap_or_default();
        for address in self.new.attendees() {
            if !everybody.contains(&address) {
                everybody.push(address);
            }
        }
        for address in everybody.into_iter().filter(|address| !self.me.has(address)) {
            let mut send = |method, document| {
                messages.push(Message { method, recipient: address.clone(), sender: sender.clone(), document });
            };
            if let Some(document) = self.cancellation(&address, found, old_sequence) {
                send(Method::Cancel, document);
            }
            if let Some(document) = self.invitation(&address, found, forced.contains(&address)) {
                send(Method::Request, document);
            }
        }
        messages
    }

    /// What does not happen any more for the attendee.
    fn cancellation(&self, address: &str, found: &Found, old_sequence: i64) -> Option<Document> {
        let old = self.old?;
        let sequence = self.new.max_sequence().max(old_sequence + 1);
        let was = |part: &Part| part.attendee(address).is_some_and(super::Property::is_servers);
        let is_now = |part: &Part| part.attendee(address).is_some_and(super::Property::is_servers);
        let now = self.options.now_seconds;
        if let Some(master) = old.master().filter(|part| was(part) && !part.is_cancelled()) {
            let is_off = found.called_off.contains(&None) || !self.new.master().is_some_and(is_now);
            if is_off && !(self.new.master().is_none() && self.new.mains().any(is_now)) {
                return cancel(old, address, std::slice::from_ref(master), sequence, now);
            }
        }
        let mut parts = Vec::new();
        for part in old.mains() {
            let id = old.id_of(part);
            let Some(instant) = id.filter(|_| was(part) && !part.is_cancelled()) else { continue };
            let after = self.new.instance(instant, self.limits);
            let is_gone = match &after {
                Some(after) => !is_now(after) || found.called_off.contains(&id),
                // What the rule gives no more is told with the rule, to those who know it.
                None => found.excluded.contains(&instant) || !self.new.master().is_some_and(is_now),
            };
            if is_gone {
                parts.push(part.clone());
            }
        }
        // Instances that had no component of their own before.
        let of_master: Vec<i64> = found.excluded.iter().copied().chain(self.new.ids().into_iter().flatten()).collect();
        for instant in of_master {
            if old.main(Some(instant)).is_some() || !old.master().is_some_and(was) {
                continue;
            }
            let is_gone = match self.new.main(Some(instant)) {
                Some(part) => !is_now(part) || found.called_off.contains(&Some(instant)),
                None => true,
            };
            if is_gone && let Some(part) = old.instance(instant, self.limits) {
                parts.push(part);
            }
        }
        cancel(old, address, &parts, sequence, now)
    }

    /// What the attendee has to know of what happens.
    fn invitation(&self, address: &str, found: &Found, is_forced: bool) -> Option<Document> {
        let is_in = |part: &&Part| part.attendee(address).is_some_and(super::Property::is_servers);
        let is_in_any = |document: &Document| document.mains().any(|part| is_in(&part));
        if !is_in_any(&self.new) {
            return None;
        }
        let is_new = !self.old.is_some_and(is_in_any);
        let is_new_in_master = self.new.master().as_ref().is_some_and(is_in)
            && !self.old.and_then(Document::master).as_ref().is_some_and(is_in);
        let now = self.options.now_seconds;
        if is_new || is_forced || is_new_in_master || found.changed.contains(&None) {
            return request(&self.new, address, None, now);
        }
        let changed: Vec<InstanceId> = found.changed.iter().copied().collect();
        request(&self.new, address, Some(&changed), now)
    }
}
