//! Rows on the terminal, with units that a person reads.

use crate::row::Row;

/// What the columns are.
pub(crate) const HEAD: &str = "scenario         work                      size conn   requests       /s      MB/s        p50        p90        \
    p99      p99.9        max   server CPU  client CPU  memory/peak MB";

/// One row as a line, and a line for each kind of fault.
pub(crate) fn line(row: &Row) -> String {
    let megabytes = (row.sent_bytes_per_second + row.received_bytes_per_second) / 1e6;
    let memory = match (row.memory_mb, row.peak_mb) {
        (Some(memory), Some(peak)) => format!("{memory:.1}/{peak:.1}"),
        _ => "-".to_owned(),
    };
    let server_cpu = row.server_cpu_ms.map_or_else(|| "-".to_owned(), |cpu| duration(cpu * 1000.0));
    let limit =
        if row.client_cores > 0.9 && row.seconds > 1.0 { "  (davload is near its limit: --threads)" } else { "" };
    let mut text = format!(
        "{:<16} {:<21} {:>8} {:>4} {:>10} {:>8.1} {megabytes:>9.2} {:>10} {:>10} {:>10} {:>10} {:>10} {server_cpu:>12} {:>11} {memory:>15}{limit}\n",
        row.scenario,
        row.work,
        row.size.map_or_else(|| "-".to_owned(), count),
        row.connections,
        row.requests,
        row.per_second,
        duration(row.p50_us as f64),
        duration(row.p90_us as f64),
        duration(row.p99_us as f64),
        duration(row.p999_us as f64),
        duration(row.max_us as f64),
        duration(row.client_cpu_ms * 1000.0),
    );
    for (fault, count) in &row.faults {
        text.push_str(&format!("{:>17}UNEXPECTED {count} times: {fault}\n", ""));
    }
    text
}

/// Microseconds with the unit that suits.
pub(crate) fn duration(microseconds: f64) -> String {
    match microseconds {
        small if small < 1000.0 => format!("{small:.0} µs"),
        middle if middle < 1e6 => format!("{:.2} ms", middle / 1e3),
        large => format!("{:.2} s", large / 1e6),
    }
}

/// A number with the prefix that suits.
pub(crate) fn count(number: u64) -> String {
    match number as f64 {
        small if small < 10_000.0 => format!("{small:.0}"),
        middle if middle < 1e6 => format!("{:.0}k", middle / 1e3),
        large if large < 1e9 => format!("{:.0}M", large / 1e6),
        huge => format!("{:.0}G", huge / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_units_that_suit() {
        assert_eq!(duration(12.0), "12 µs");
        assert_eq!(duration(1234.0), "1.23 ms");
        assert_eq!(duration(2_500_000.0), "2.50 s");
        assert_eq!([count(4096), count(100_000), count(5_000_000), count(1_000_000_000)], ["4096", "100k", "5M", "1G"]);
    }

    #[test]
    fn faults_stand_below_their_row() {
        let mut row = Row { scenario: "poll".to_owned(), ..Row::default() };
        assert_eq!(line(&row).lines().count(), 1);
        row.faults.insert("status 500, expected 207".to_owned(), 3);
        assert!(line(&row).contains("UNEXPECTED 3 times: status 500"));
    }
}
