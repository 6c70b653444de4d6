//! How fast the scrub reads: so many bytes in a second, for the whole server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Bytes that may be read in a second. Whoever reads says how many they were, and waits until they are paid for.
pub(crate) struct Budget {
    /// 0: as many as there are.
    bytes_per_second: u64,
    paid_until: Mutex<Option<Instant>>,
    read_bytes: AtomicU64,
}

impl Budget {
    pub(crate) fn of(bytes_per_second: u64) -> Budget {
        Budget { bytes_per_second, paid_until: Mutex::new(None), read_bytes: AtomicU64::new(0) }
    }

    /// All that was read since the start.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Ordering::Relaxed)
    }

    pub(crate) async fn pay(&self, bytes: u64) {
        self.read_bytes.fetch_add(bytes, Ordering::Relaxed);
        if self.bytes_per_second == 0 {
            return;
        }
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_per_second);
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let until = {
            let mut paid_until = self.paid_until.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let until = paid_until.unwrap_or(now).max(now) + cost;
            *paid_until = Some(until);
            until
        };
        tokio::time::sleep_until(until).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_reads_waits_until_it_is_paid_for_and_saves_nothing_up() {
        let budget = Budget::of(1_000);
        let begun = Instant::now();
        tokio::join!(budget.pay(500), budget.pay(1_500));
        assert_eq!(begun.elapsed().as_secs(), 2);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let begun = Instant::now();
        budget.pay(3_000).await;
        assert_eq!(begun.elapsed().as_secs(), 3, "a minute without reading gives no right to read faster");
        Budget::of(0).pay(u64::MAX).await;
        assert_eq!(begun.elapsed().as_secs(), 3);
        assert_eq!(budget.read_bytes(), 5_000);
    }
}
