//! Latencies in classes whose width grows with the value: constant memory for any number of requests, within 1.6 % of the truth.

/// Classes per power of two: the precision.
const STEPS: u64 = 64;
/// Values from here on are counted as this: about twelve days in microseconds.
const VALUE_MAX: u64 = 1 << 40;

/// How often which latency was seen, in microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    count: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { counts: vec![0; class_of(VALUE_MAX) + 1], count: 0, max: 0 }
    }
}

impl Histogram {
    /// Counts one latency.
    pub(crate) fn add(&mut self, microseconds: u64) {
        self.counts[class_of(microseconds.min(VALUE_MAX))] += 1;
        self.count += 1;
        self.max = self.max.max(microseconds);
    }

    /// Counts everything that another one counted.
    pub(crate) fn merge(&mut self, other: &Histogram) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// How many latencies were counted.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The largest one, exactly.
    pub(crate) fn max(&self) -> u64 {
        self.max
    }

    /// The value that `share` (0 to 1) of all latencies do not exceed: the upper end of its class, never above the largest seen.
    pub(crate) fn percentile(&self, share: f64) -> u64 {
        let rank = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (class, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper_end_of(class).min(self.max);
            }
        }
        self.max
    }
}

/// Small values have a class each; above, each power of two is cut into `STEPS`.
fn class_of(value: u64) -> usize {
    if value < STEPS {
        return value as usize;
    }
    let doublings = u64::from(value.ilog2() - STEPS.ilog2());
    (STEPS * doublings + (value >> doublings)) as usize
}

fn upper_end_of(class: usize) -> u64 {
    let class = class as u64;
    if class < 2 * STEPS {
        return class;
    }
    let doublings = class / STEPS - 1;
    ((class - STEPS * doublings + 1) << doublings) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        values.into_iter().for_each(|value| histogram.add(value));
        histogram
    }

    #[test]
    fn percentiles_are_within_their_precision() {
        let check = |values: &Histogram, share: f64, expected: u64| {
            let told = values.percentile(share) as f64;
            assert!((told / expected as f64 - 1.0).abs() <= 1.0 / STEPS as f64, "{told} for {expected}");
        };
        let linear = of(1..=100_000);
        for (share, expected) in [(0.5, 50_000), (0.9, 90_000), (0.99, 99_000), (0.999, 99_900), (1.0, 100_000)] {
            check(&linear, share, expected);
        }
        check(&of([7]), 0.5, 7);
        check(&of([1, 2, 3, 4]), 0.5, 2);
        check(&of([3, 1 << 50]), 1.0, 1 << 40);
    }

    #[test]
    fn every_value_lies_in_its_class() {
        for value in (0..200).chain((8..40).flat_map(|bits| [(1 << bits) - 1, 1 << bits, (1 << bits) + 1])) {
            let class = class_of(value);
            assert!(upper_end_of(class) >= value, "{value}");
            assert!(class == 0 || upper_end_of(class - 1) < value, "{value}");
        }
    }

    #[test]
    fn nothing_seen_is_zero_and_merged_is_as_if_counted_together() {
        assert_eq!(Histogram::default().percentile(0.99), 0);
        let mut left = of(1..500);
        left.merge(&of(500..=1000));
        assert_eq!((left.count(), left.max()), (1000, 1000));
        assert_eq!(left.percentile(0.5), of(1..=1000).percentile(0.5));
    }
}
