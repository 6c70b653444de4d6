//! Limits on guessing: failed log-ins are counted in a sliding window, per login from one address block, per address block,
//! and per login from anywhere. Over a limit the answer is 429 at once; nobody is ever made to wait.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use nichoir_store::Timestamp;

/// Counters held at once; beyond that the idle ones go first.
const COUNTERS_MAX: usize = 50_000;

/// How many failures are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThrottleLimits {
    pub(crate) window_seconds: i64,
    pub(crate) failures_per_login_and_address: usize,
    pub(crate) failures_per_address: usize,
    pub(crate) failures_per_login: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counter {
    LoginFromAddress(i64, String, IpAddr),
    Address(IpAddr),
    Login(i64, String),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Throttle {
    limits: ThrottleLimits,
    failures: Mutex<HashMap<Counter, VecDeque<Timestamp>>>,
}

impl Throttle {
    pub(crate) fn new(limits: ThrottleLimits) -> Throttle {
        Throttle { limits, failures: Mutex::new(HashMap::new()) }
    }

    fn counters(&self, space: i64, login: &str, address: IpAddr) -> [(Counter, usize); 3] {
        let (login, block) = (login.to_lowercase(), block_of(address));
        let limits = &self.limits;
        [
            (Counter::LoginFromAddress(space, login.clone(), block), limits.failures_per_login_and_address),
            (Counter::Address(block), limits.failures_per_address),
            (Counter::Login(space, login), limits.failures_per_login),
        ]
    }

    /// Seconds until another try is heard, if it is not heard now.
    pub(crate) fn check(&self, space: i64, login: &str, address: IpAddr, now: Timestamp) -> Option<u64> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let start = now.plus_seconds(-self.limits.window_seconds);
        let waits = self.counters(space, login, address).map(|(counter, limit)| {
            let times = failures.get_mut(&counter)?;
            times.retain(|time| *time > start && *time <= now);
            // The try that makes room is the one at the limit, counted from the newest.
            let blocking = times.len().checked_sub(limit.max(1)).and_then(|place| times.get(place))?;
            let wait = blocking.plus_seconds(self.limits.window_seconds).0 - now.0;
            Some(u64::try_from(wait / 1_000_000 + 1).unwrap_or(1))
        });
        waits.into_iter().flatten().max()
    }

    /// Counts a failure.
    pub(crate) fn fail(&self, space: i64, login: &str, address: IpAddr, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= COUNTERS_MAX {
            let start = now.plus_seconds(-self.limits.window_seconds);
            failures.retain(|_, times| times.back().is_some_and(|time| *time > start));
            if failures.len() >= COUNTERS_MAX {
                failures.retain(|counter, _| matches!(counter, Counter::Address(_)));
            }
        }
        for (counter, limit) in self.counters(space, login, address) {
            let times = failures.entry(counter).or_default();
            times.push_back(now);
            if times.len() > limit.max(1) {
                times.pop_front();
            }
        }
    }

    /// A success clears what this login failed from here.
    pub(crate) fn succeed(&self, space: i64, login: &str, address: IpAddr) {
        let counter = Counter::LoginFromAddress(space, login.to_lowercase(), block_of(address));
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&counter);
    }
}

/// What one customer of a provider has: an IPv4 address, an IPv6 /56.
fn block_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 72)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "192.0.2.1";
    const THERE: &str = "198.51.100.7";

    fn throttle() -> Throttle {
        Throttle::new(ThrottleLimits {
            window_seconds: 100,
            failures_per_login_and_address: 3,
            failures_per_address: 5,
            failures_per_login: 8,
        })
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(1_000_000 + second)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_limit_holds_from_one_address_and_leaves_others_alone() {
        let throttle = throttle();
        for second in 0..3 {
            assert_eq!(throttle.check(1, "Alice", ip(HERE), at(second)), None);
            throttle.fail(1, "alice", ip(HERE), at(second));
        }
        assert_eq!(throttle.check(1, "alice", ip(HERE), at(3)), Some(98));
        assert_eq!(throttle.check(1, "alice", ip(THERE), at(3)), None, "the member herself, from home");
        assert_eq!(throttle.check(2, "alice", ip(HERE), at(3)), None, "her namesake in another space");
        assert_eq!(throttle.check(1, "alice", ip(HERE), at(101)), None, "the window slides");
    }

    #[test]
    fn an_address_that_tries_many_logins_is_stopped() {
        let throttle = throttle();
        for number in 0..5 {
            throttle.fail(1, &format!("login{number}"), ip(HERE), at(number));
        }
        assert!(throttle.check(1, "fresh", ip(HERE), at(6)).is_some());
        assert!(throttle.check(1, "fresh", ip(THERE), at(6)).is_none());
    }

    #[test]
    fn many_addresses_that_try_one_login_are_stopped() {
        let throttle = throttle();
        for number in 0..8 {
            throttle.fail(1, "alice", ip(&format!("203.0.113.{number}")), at(number));
        }
        assert!(throttle.check(1, "alice", ip(THERE), at(9)).is_some());
        assert!(throttle.check(1, "bob", ip(THERE), at(9)).is_none());
    }

    #[test]
    fn success_clears_what_was_mistyped() {
        let throttle = throttle();
        throttle.fail(1, "alice", ip(HERE), at(0));
        throttle.fail(1, "alice", ip(HERE), at(1));
        throttle.succeed(1, "alice", ip(HERE));
        throttle.fail(1, "alice", ip(HERE), at(2));
        assert_eq!(throttle.check(1, "alice", ip(HERE), at(3)), None);
    }

    #[test]
    fn one_customer_is_one_block() {
        assert_eq!(block_of(ip("2001:db8:1:2ff:1:2:3:4")), block_of(ip("2001:db8:1:200::")));
        assert_ne!(block_of(ip("2001:db8:1:300::")), block_of(ip("2001:db8:1:200::")));
        assert_eq!(block_of(ip("::ffff:192.0.2.1")), ip(HERE));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_lock_anybody_out() {
        let throttle = throttle();
        for _ in 0..3 {
            throttle.fail(1, "alice", ip(HERE), at(10_000));
        }
        assert_eq!(throttle.check(1, "alice", ip(HERE), at(0)), None);
    }
}
