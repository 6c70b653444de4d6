//! Bars by server: rate, processor time of the server for each request, and slowest hundredth, one below the other.

use super::svg::{Anchor, COLOURS, Svg};
use crate::row::Row;
use crate::table::duration;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 210.0;
/// The longest bar; beside it stands its figure.
const LONGEST: f64 = 430.0;
const STEP: f64 = 20.0;

/// One group of bars: what it shows, how a figure is told, and the figure of a row.
type Group = (&'static str, fn(f64) -> String, fn(&Row) -> Option<f64>);

const GROUPS: &[Group] = &[
    ("requests per second (longer is better)", |value| format!("{value:.1}/s"), |row| Some(row.per_second)),
    ("server CPU per request (shorter is better)", |value| duration(value * 1000.0), |row| row.server_cpu_ms),
    ("99 of 100 requests take at most (shorter is better)", duration, |row| Some(row.p99_us as f64)),
    ("peak memory of the server (shorter is better)", |value| format!("{value:.1} MB"), |row| row.peak_mb),
];

/// Draws the rows of one kind of work.
pub(super) fn draw(title: &str, rows: &[&Row]) -> String {
    let groups: Vec<&Group> = GROUPS.iter().filter(|group| rows.iter().any(|row| group.2(row).is_some())).collect();
    let height = 50.0 + groups.len() as f64 * (rows.len() as f64 * STEP + 45.0);
    let mut svg = Svg::new(WIDTH, height);
    svg.title(12.0, 24.0, title);
    let mut y = 50.0;
    for (name, shown, figure) in groups {
        svg.text(12.0, y + 12.0, Anchor::Start, name);
        y += 20.0;
        let longest = rows.iter().filter_map(|row| figure(row)).fold(f64::MIN_POSITIVE, f64::max);
        for row in rows {
            let Some(value) = figure(row) else { continue };
            svg.text(LEFT - 8.0, y + 13.0, Anchor::End, &label_of(row, rows));
            let length = (value / longest * LONGEST).max(1.0);
            svg.rect(LEFT, y + 2.0, length, STEP - 5.0, colour_of(row, rows));
            svg.text(LEFT + length + 6.0, y + 13.0, Anchor::Start, &shown(value));
            y += STEP;
        }
        y += 25.0;
    }
    svg.finish()
}

/// The server, and what tells its rows apart.
fn label_of(row: &Row, rows: &[&Row]) -> String {
    let is_ambiguous = rows.iter().filter(|other| other.server == row.server).count() > 1;
    if is_ambiguous { format!("{}, {} conn.", row.server, row.connections) } else { row.server.clone() }
}

/// A server has the same colour in all groups.
fn colour_of(row: &Row, rows: &[&Row]) -> &'static str {
    let servers: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.server.as_str()).collect();
    let place = servers.iter().position(|server| *server == row.server).unwrap_or(0);
    COLOURS[place % COLOURS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_bar_in_every_group_that_it_has_a_figure_for() {
        let row = |server: &str, cpu| Row {
            server: server.to_owned(),
            per_second: 5.0,
            server_cpu_ms: cpu,
            connections: 8,
            ..Row::default()
        };
        let (one, two) = (row("one", Some(0.1)), row("two", None));
        let text = draw("get", &[&one, &two]);
        // The ground, two rates, one processor time, two latencies.
        assert_eq!(text.matches("<rect").count(), 1 + 2 + 1 + 2);
        assert!(text.contains("100 µs") && text.contains("5.0/s") && !text.contains("conn."));
        assert!(draw("get", &[&one, &one]).contains("one, 8 conn."));
    }
}
