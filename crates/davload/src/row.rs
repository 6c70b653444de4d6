//! One measured row: what `--json` writes, `plot` reads and the table shows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::seen::Seen;

/// One kind of work of one run against one server.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Row {
    pub(crate) server: String,
    pub(crate) scenario: String,
    /// What a "request" of this row is: one request, or the whole of several that belong together.
    pub(crate) work: String,
    /// Children, descendants, events, or bytes: whatever the scenario grows with.
    pub(crate) size: Option<u64>,
    pub(crate) connections: usize,
    /// The intended rate of an open loop.
    pub(crate) rate: Option<f64>,
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
    pub(crate) per_second: f64,
    pub(crate) sent_bytes_per_second: f64,
    pub(crate) received_bytes_per_second: f64,
    pub(crate) p50_us: u64,
    pub(crate) p90_us: u64,
    pub(crate) p99_us: u64,
    pub(crate) p999_us: u64,
    pub(crate) max_us: u64,
    /// Processor time of the server's processes for each request; of all kinds together, where a run has several.
    /// Absent where requests that are not measured went on at the same time.
    pub(crate) server_cpu_ms: Option<f64>,
    /// The same of this program: where it comes near a core's second for each second, it is the limit, not the server.
    pub(crate) client_cpu_ms: f64,
    /// Cores that this program kept busy.
    pub(crate) client_cores: f64,
    pub(crate) memory_mb: Option<f64>,
    pub(crate) peak_mb: Option<f64>,
    /// By how much the peak rose during the run.
    pub(crate) peak_growth_mb: Option<f64>,
    pub(crate) unexpected: u64,
    /// What was not as expected, by kind.
    pub(crate) faults: BTreeMap<String, u64>,
}

/// What a whole run of the program writes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Results {
    pub(crate) rows: Vec<Row>,
    /// Scenarios that were not measured, with the reason.
    pub(crate) skipped: BTreeMap<String, String>,
}

/// What a run cost, beside what it saw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) server_cpu_seconds: Option<f64>,
    pub(crate) client_cpu_seconds: f64,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) peak_bytes: Option<u64>,
    pub(crate) peak_growth_bytes: Option<u64>,
}

/// The rows of a run, one for each kind of work.
pub(crate) fn rows_of(seen: &Seen, cost: &Cost) -> Vec<Row> {
    let total = seen.total().max(1) as f64;
    let server_cpu = cost.server_cpu_seconds.filter(|_| seen.beside == 0);
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let row = |label: &'static str| {
        let requests = seen.count(label);
        let percentile = |share| seen.latencies(label).map_or(0, |latencies| latencies.percentile(share));
        let seconds = seen.seconds.max(1e-9);
        Row {
            work: label.to_owned(),
            requests,
            seconds: seen.seconds,
            per_second: requests as f64 / seconds,
            sent_bytes_per_second: seen.sent_bytes(label) as f64 / seconds,
            received_bytes_per_second: seen.received_bytes(label) as f64 / seconds,
            p50_us: percentile(0.5),
            p90_us: percentile(0.9),
            p99_us: percentile(0.99),
            p999_us: percentile(0.999),
            max_us: seen.latencies(label).map_or(0, crate::histogram::Histogram::max),
            server_cpu_ms: server_cpu.map(|cpu| cpu * 1000.0 / total),
            client_cpu_ms: cost.client_cpu_seconds * 1000.0 / total,
            client_cores: cost.client_cpu_seconds / seconds,
            memory_mb: cost.memory_bytes.map(megabytes),
            peak_mb: cost.peak_bytes.map(megabytes),
            peak_growth_mb: cost.peak_growth_bytes.map(megabytes),
            unexpected: seen.unexpected(),
            faults: seen.faults().map(|(fault, count)| (fault.to_owned(), count)).collect(),
            ..Row::default()
        }
    };
    seen.labels().map(row).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::field_reassign_with_default, reason = "most fields are private")]

    use super::*;
    use std::time::Duration;

    #[test]
    fn cost_is_shared_by_all_requests_of_a_run() {
        let mut seen = Seen::default();
        seen.seconds = 2.0;
        (0..3).for_each(|_| seen.add("get", Duration::from_micros(100), 0, 10));
        seen.add("put", Duration::from_micros(100), 10, 0);
        let cost = Cost { server_cpu_seconds: Some(0.4), client_cpu_seconds: 0.2, ..Cost::default() };
        let rows = rows_of(&seen, &cost);
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].requests, rows[0].per_second, rows[0].received_bytes_per_second), (3, 1.5, 15.0));
        assert_eq!((rows[0].server_cpu_ms, rows[0].client_cpu_ms, rows[0].client_cores), (Some(100.0), 50.0, 0.1));
        seen.beside = 1;
        assert_eq!(rows_of(&seen, &cost)[0].server_cpu_ms, None, "what was not measured cost something too");
    }
}
