//! Lines of cost against size on logarithmic axes, where an order of growth is a slope.

use std::collections::BTreeMap;

use super::svg::{Anchor, COLOURS, Svg};
use crate::row::Row;
use crate::table::{count, duration};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 460.0;
/// The corners of the field.
const LEFT: f64 = 90.0;
const RIGHT: f64 = 560.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 400.0;
const GRID: &str = "#dddddd";

/// An axis: whole powers of ten around what was measured.
struct Axis {
    first: f64,
    last: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn around(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Axis {
        let low = values.clone().fold(f64::MAX, f64::min).log10().floor();
        let high = values.fold(f64::MIN_POSITIVE, f64::max).log10().ceil();
        Axis { first: low, last: if high > low { high } else { low + 1.0 }, from, to }
    }

    fn place(&self, value: f64) -> f64 {
        self.from + (value.log10() - self.first) / (self.last - self.first) * (self.to - self.from)
    }

    fn powers(&self) -> impl Iterator<Item = f64> {
        (self.first as i32..=self.last as i32).map(|power| 10f64.powi(power))
    }
}

/// Draws the rows of one kind of work: the median time, and dashed the server's processor time, for each server.
pub(super) fn draw(title: &str, rows: &[&Row]) -> String {
    let series = series_of(rows);
    let points = || series.values().flatten();
    let mut svg = Svg::new(WIDTH, HEIGHT);
    svg.title(12.0, 24.0, title);
    let sizes = Axis::around(points().map(|point| point.0), LEFT, RIGHT);
    let costs = Axis::around(points().map(|point| point.1), BOTTOM, TOP);
    for power in sizes.powers() {
        let x = sizes.place(power);
        svg.line((x, TOP), (x, BOTTOM), GRID);
        svg.text(x, BOTTOM + 18.0, Anchor::Middle, &count(power as u64));
    }
    for power in costs.powers() {
        let y = costs.place(power);
        svg.line((LEFT, y), (RIGHT, y), GRID);
        svg.text(LEFT - 8.0, y + 4.0, Anchor::End, &duration(power));
    }
    svg.text((LEFT + RIGHT) / 2.0, BOTTOM + 42.0, Anchor::Middle, "size");
    svg.text(12.0, TOP - 10.0, Anchor::Start, "time of a request");
    for (place, ((name, is_cpu), points)) in series.iter().enumerate() {
        let colour = COLOURS[place % COLOURS.len()];
        let drawn: Vec<(f64, f64)> = points.iter().map(|point| (sizes.place(point.0), costs.place(point.1))).collect();
        svg.polyline(&drawn, colour, *is_cpu);
        let y = TOP + 10.0 + 20.0 * place as f64;
        svg.rect(RIGHT + 14.0, y - 9.0, 12.0, 10.0, colour);
        let what = if *is_cpu { "server CPU" } else { "p50" };
        svg.text(RIGHT + 32.0, y, Anchor::Start, &format!("{name}, {what}"));
    }
    svg.finish()
}

/// Server and whether it is processor time → size and microseconds, by size.
fn series_of<'a>(rows: &[&'a Row]) -> BTreeMap<(&'a str, bool), Vec<(f64, f64)>> {
    let mut series: BTreeMap<(&str, bool), Vec<(f64, f64)>> = BTreeMap::new();
    for row in rows {
        let Some(size) = row.size.filter(|size| *size > 0) else { continue };
        let figures = [(false, Some(row.p50_us as f64)), (true, row.server_cpu_ms.map(|cpu| cpu * 1000.0))];
        for (is_cpu, figure) in figures {
            // What took less than the clock can tell has no place on a logarithmic axis.
            if let Some(figure) = figure.filter(|figure| *figure > 0.0) {
                series.entry((&row.server, is_cpu)).or_default().push((size as f64, figure));
            }
        }
    }
    series.values_mut().for_each(|points| points.sort_by(|left, right| left.0.total_cmp(&right.0)));
    series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten_are_at_equal_distances() {
        let axis = Axis::around([20.0, 4000.0].into_iter(), 0.0, 300.0);
        assert_eq!(axis.powers().collect::<Vec<_>>(), [10.0, 100.0, 1000.0, 10_000.0]);
        let places: Vec<f64> = axis.powers().map(|power| axis.place(power).round()).collect();
        assert_eq!(places, [0.0, 100.0, 200.0, 300.0]);
        let single = Axis::around([10.0].into_iter(), 0.0, 100.0);
        assert_eq!(single.powers().count(), 2);
    }

    #[test]
    fn each_server_has_a_line_for_time_and_one_for_processor_time() {
        let row = |size, cpu| Row {
            server: "one".to_owned(),
            size: Some(size),
            p50_us: size * 10,
            server_cpu_ms: cpu,
            ..Row::default()
        };
        let (large, small) = (row(1000, Some(1.0)), row(10, None));
        let text = draw("listing", &[&large, &small]);
        assert_eq!(text.matches("<polyline").count(), 2);
        assert_eq!(text.matches("stroke-dasharray").count(), 1);
        assert_eq!(series_of(&[&large, &small])[&("one", false)], [(10.0, 100.0), (1000.0, 10_000.0)]);
    }
}
