//! What a run saw: latencies and bytes by kind of work, and what was not as expected.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::histogram::Histogram;

/// Kinds of faults that are told apart; the rest is counted together.
const FAULT_KINDS_MAX: usize = 20;

/// The sum of what all connections saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    works: BTreeMap<&'static str, Work>,
    faults: BTreeMap<String, u64>,
    /// Requests that were sent but are not measured by themselves.
    pub(crate) beside: u64,
    /// Connections opened.
    pub(crate) connections: u64,
    /// How long the run took.
    pub(crate) seconds: f64,
}

#[derive(Debug, Default)]
struct Work {
    latencies: Histogram,
    sent_bytes: u64,
    received_bytes: u64,
}

impl Seen {
    /// Counts one piece of work.
    pub(crate) fn add(&mut self, label: &'static str, took: Duration, sent_bytes: u64, received_bytes: u64) {
        let work = self.works.entry(label).or_default();
        work.latencies.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        work.sent_bytes += sent_bytes;
        work.received_bytes += received_bytes;
    }

    /// Counts what was not as expected.
    pub(crate) fn fault(&mut self, fault: String) {
        self.faults_of(fault, 1);
    }

    fn faults_of(&mut self, fault: String, count: u64) {
        let is_known = self.faults.len() < FAULT_KINDS_MAX || self.faults.contains_key(&fault);
        let kind = if is_known { fault } else { "others".to_owned() };
        *self.faults.entry(kind).or_default() += count;
    }

    /// Adds what another thread saw.
    pub(crate) fn merge(&mut self, other: Seen) {
        for (label, work) in other.works {
            let sum = self.works.entry(label).or_default();
            sum.latencies.merge(&work.latencies);
            sum.sent_bytes += work.sent_bytes;
            sum.received_bytes += work.received_bytes;
        }
        for (fault, count) in other.faults {
            self.faults_of(fault, count);
        }
        self.beside += other.beside;
        self.connections += other.connections;
    }

    /// The kinds of work, in alphabetical order.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &'static str> {
        self.works.keys().copied()
    }

    /// How often one kind of work was done.
    pub(crate) fn count(&self, label: &str) -> u64 {
        self.works.get(label).map_or(0, |work| work.latencies.count())
    }

    /// Everything that was done, of all kinds.
    pub(crate) fn total(&self) -> u64 {
        self.works.values().map(|work| work.latencies.count()).sum()
    }

    /// The latencies of one kind of work.
    pub(crate) fn latencies(&self, label: &str) -> Option<&Histogram> {
        self.works.get(label).map(|work| &work.latencies)
    }

    /// Bytes of bodies sent with one kind of work.
    pub(crate) fn sent_bytes(&self, label: &str) -> u64 {
        self.works.get(label).map_or(0, |work| work.sent_bytes)
    }

    /// Bytes of bodies received with one kind of work.
    pub(crate) fn received_bytes(&self, label: &str) -> u64 {
        self.works.get(label).map_or(0, |work| work.received_bytes)
    }

    /// How much was not as expected.
    pub(crate) fn unexpected(&self) -> u64 {
        self.faults.values().sum()
    }

    /// What was not as expected, by kind.
    pub(crate) fn faults(&self) -> impl Iterator<Item = (&str, u64)> {
        self.faults.iter().map(|(fault, count)| (fault.as_str(), *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_saw_is_summed_by_kind() {
        let (mut left, mut right) = (Seen::default(), Seen::default());
        left.add("get", Duration::from_micros(10), 0, 5);
        right.add("get", Duration::from_micros(30), 0, 7);
        right.add("put", Duration::from_micros(20), 3, 0);
        right.fault("status 500".to_owned());
        left.merge(right);
        assert_eq!(left.labels().collect::<Vec<_>>(), ["get", "put"]);
        assert_eq!(
            (left.count("get"), left.total(), left.received_bytes("get"), left.sent_bytes("put")),
            (2, 3, 12, 3)
        );
        assert_eq!(left.unexpected(), 1);
    }

    #[test]
    fn kinds_of_faults_are_bounded() {
        let mut seen = Seen::default();
        (0..1000).for_each(|number| seen.fault(format!("fault {number}")));
        assert_eq!(seen.unexpected(), 1000);
        assert_eq!(seen.faults().count(), FAULT_KINDS_MAX + 1);
    }
}
