//! How long a socket rests between two messages about files: the longer, the more the server has to send.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::Limits;

/// See the module.
#[derive(Debug)]
pub(crate) struct Rate {
    began: Instant,
    /// The second that is being counted, and what was sent in it and in the one before.
    second: AtomicU64,
    now: AtomicU64,
    before: AtomicU64,
    file_min: Duration,
    file_max: Duration,
    messages_per_second: u64,
}

impl Rate {
    pub(crate) fn new(limits: &Limits) -> Rate {
        let file_min = Duration::from_secs(limits.file_seconds_min);
        Rate {
            began: Instant::now(),
            second: AtomicU64::new(0),
            now: AtomicU64::new(0),
            before: AtomicU64::new(0),
            file_min,
            file_max: Duration::from_secs(limits.file_seconds_max).max(file_min),
            messages_per_second: limits.messages_per_second.max(1),
        }
    }

    /// A message was sent; says how long the socket rests if it was one about files.
    pub(crate) fn sent(&self) -> Duration {
        let second = self.began.elapsed().as_secs();
        // Two that come here at once lose a few counts, which is no harm.
        let counted = self.second.swap(second, Ordering::Relaxed);
        if counted != second {
            let last = self.now.swap(0, Ordering::Relaxed);
            self.before.store(if counted + 1 == second { last } else { 0 }, Ordering::Relaxed);
        }
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.rest(now.max(self.before.load(Ordering::Relaxed)))
    }

    /// For so many messages in a second.
    fn rest(&self, messages: u64) -> Duration {
        let share = (messages as f64 / self.messages_per_second as f64).min(1.0);
        self.file_min + (self.file_max - self.file_min).mul_f64(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_there_is_to_send_the_longer_a_socket_rests() {
        let limits =
            Limits { file_seconds_min: 1, file_seconds_max: 15, messages_per_second: 100, ..Limits::default() };
        let rate = Rate::new(&limits);
        let rests = [0, 50, 100, 1_000].map(|messages| rate.rest(messages).as_secs());
        assert_eq!(rests, [1, 8, 15, 15]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_a_while_ago_does_not_count() {
        let limits = Limits { messages_per_second: 100, ..Limits::default() };
        let rate = Rate::new(&limits);
        for _ in 0..100 {
            rate.sent();
        }
        assert!(rate.sent().as_secs() >= 15);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(rate.sent().as_secs() >= 15, "the second before counts");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(rate.sent().as_secs(), 1);
    }
}
