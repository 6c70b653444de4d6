//! Which versions of a file stay as they grow older: the longer ago, the fewer. Pure.
//!
//! Time is cut into spans that begin at fixed instants, longer ones for what is longer ago, and of each span the last state
//! stays. Spans of one length are cut into whole spans of the next shorter one, so that what stays in a short span is what
//! stays in the long one later: counting from the newest version instead would let each new one push out the one before it.

use std::collections::HashSet;

use crate::ports::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Up to this age, one of a span of so many seconds: Nextcloud's own steps.
const STEPS: [(i64, i64); 5] = [(10, 2), (MINUTE, 10), (HOUR, MINUTE), (DAY, HOUR), (30 * DAY, DAY)];

/// The span of what is older than all of them.
const LAST_STEP: i64 = 7 * DAY;

/// What is looked at of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aged {
    /// Its number.
    pub(crate) id: i64,
    /// When its content arrived.
    pub(crate) saved: Timestamp,
    /// Who wrote it. Nobody's versions make those of another go: two members who write over each other both find theirs.
    pub(crate) author: Option<i64>,
    /// Whether it stays whatever its age.
    pub(crate) is_labelled: bool,
}

/// The numbers of those that go.
pub(crate) fn surplus(now: Timestamp, versions: &[Aged]) -> Vec<i64> {
    let mut newest_first: Vec<&Aged> = versions.iter().filter(|version| !version.is_labelled).collect();
    newest_first.sort_by_key(|version| std::cmp::Reverse((version.saved, version.id)));
    let mut taken = HashSet::new();
    let goes = |version: &&Aged| {
        let step = step_of(now.seconds().saturating_sub(version.saved.seconds()));
        !taken.insert((version.author, step, version.saved.seconds().div_euclid(step)))
    };
    newest_first.into_iter().filter(goes).map(|version| version.id).collect()
}

fn step_of(age_seconds: i64) -> i64 {
    STEPS.iter().find(|(until, _)| age_seconds <= *until).map_or(LAST_STEP, |(_, step)| *step)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn of_one_author(ages: &[i64]) -> Vec<Aged> {
        let aged = |(id, age): (usize, &i64)| Aged {
            id: id as i64,
            saved: Timestamp::from_seconds(NOW - age),
            author: Some(1),
            is_labelled: false,
        };
        ages.iter().enumerate().map(aged).collect()
    }

    #[track_caller]
    fn check(ages: &[i64], expected_to_stay: &[i64]) {
        let versions = of_one_author(ages);
        let goes = surplus(Timestamp::from_seconds(NOW), &versions);
        let stay: Vec<i64> =
            versions.iter().filter(|it| !goes.contains(&it.id)).map(|it| NOW - it.saved.seconds()).collect();
        assert_eq!(stay, expected_to_stay, "{ages:?}");
    }

    #[test]
    fn fewer_stay_the_longer_ago() {
        check(&[], &[]);
        check(&[0, 1, 2, 3], &[0, 1, 3]); // spans of two seconds begin at even instants
        check(&[15, 16, 18, 25], &[15, 25]);
        check(&[100, 110, 170], &[100, 170]);
        check(&[2 * HOUR + 5, 2 * HOUR + 10, 3 * HOUR + 10], &[2 * HOUR + 5, 3 * HOUR + 10]);
        check(&[3 * DAY, 3 * DAY + HOUR, 4 * DAY + HOUR], &[3 * DAY, 4 * DAY + HOUR]);
        check(&[60 * DAY, 60 * DAY + HOUR, 70 * DAY], &[60 * DAY, 70 * DAY]);
    }

    #[test]
    fn labels_and_other_authors_are_left_alone() {
        let mut versions = of_one_author(&[100, 101, 102]);
        versions[1].is_labelled = true;
        assert_eq!(surplus(Timestamp::from_seconds(NOW), &versions), [2]);
        versions[2].author = Some(2);
        assert_eq!(surplus(Timestamp::from_seconds(NOW), &versions), Vec::<i64>::new());
    }

    /// A member who saves every five seconds for six hours, thinned at each: what is left reaches back all the way.
    #[test]
    fn a_long_day_of_saving_leaves_a_history_without_holes() {
        let mut kept: Vec<Aged> = Vec::new();
        for tick in 0..6 * HOUR / 5 {
            let now = Timestamp::from_seconds(NOW + tick * 5);
            kept.push(Aged { id: tick, saved: now, author: Some(1), is_labelled: false });
            let goes = surplus(now, &kept);
            kept.retain(|it| !goes.contains(&it.id));
        }
        assert!(kept.len() < 90, "{}", kept.len());
        let mut ages: Vec<i64> = kept.iter().map(|it| NOW + 6 * HOUR - it.saved.seconds()).collect();
        ages.sort_unstable();
        for pair in ages.windows(2) {
            let allowed = 2 * step_of(pair[1]).max(5);
            assert!(pair[1] - pair[0] <= allowed, "a hole of {} seconds at {}", pair[1] - pair[0], pair[0]);
        }
        assert!(ages.last().is_some_and(|oldest| *oldest > 5 * HOUR - 5), "{ages:?}");
    }
}
