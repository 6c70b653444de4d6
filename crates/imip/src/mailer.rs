//! Sends what scheduling queued: at once after the commit that queued it, and again, later each time, until the mail
//! server takes or refuses it. A space with nothing queued is not looked at, but for one round at the start and now and
//! then, which finds what another server or an earlier run left.

use std::collections::HashMap;
use std::time::Duration;

use nichoir_store::{AccountId, Error, Outgoing, Space, Store, Timestamp};
use tracing::{debug, info, warn};

use crate::mail::mail;
use crate::smtp::{Refusal, Smtp};

/// Messages that are read at once.
const BATCH: u64 = 20;
/// Seconds in an hour, which is what senders are limited by.
const HOUR: i64 = 3_600;
/// Microseconds after which the clock is looked at again, whatever is due.
const WAIT_MAX_US: i64 = 600_000_000;
const NEVER: Timestamp = Timestamp(i64::MAX);

/// How messages are sent, each a setting of the same name.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Tries of one message; then it is given up.
    pub tries_max: u64,
    /// Seconds before the second try; each further one waits twice as long.
    pub retry_seconds: i64,
    /// Seconds that no wait is longer than.
    pub retry_seconds_max: i64,
    /// Messages that one account sends in an hour; further ones wait.
    pub messages_per_hour_max: u64,
    /// Seconds between two rounds through all spaces; 0: none.
    pub round_seconds: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            tries_max: 12,
            retry_seconds: 60,
            retry_seconds_max: 6 * HOUR,
            messages_per_hour_max: 200,
            round_seconds: 6 * 3600,
        }
    }
}

/// The sender of mail.
#[derive(Debug)]
pub struct Mailer {
    store: Store,
    smtp: Smtp,
    limits: Limits,
    /// Spaces with something queued, and when it is due.
    due: HashMap<i64, Timestamp>,
    /// Accounts that sent something: in which hour, and how much.
    sent: HashMap<(i64, AccountId), (i64, u64)>,
}

impl Mailer {
    /// A sender of what is queued in the spaces of `store`.
    pub fn new(store: Store, smtp: Smtp, limits: Limits) -> Mailer {
        Mailer { store, smtp, limits, due: HashMap::new(), sent: HashMap::new() }
    }

    /// Sends, for as long as it is polled.
    pub async fn run(mut self) {
        let events = self.store.local_events();
        let mut next_round = if self.limits.round_seconds > 0 { self.store.now() } else { NEVER };
        loop {
            if self.store.now() >= next_round {
                self.round().await;
                next_round = self.store.now().plus_seconds(seconds(self.limits.round_seconds));
            }
            let moved = events.take().spaces;
            let queued = moved.into_iter().filter(|(_, moved)| moved.has_outgoing || moved.is_cut);
            self.due.extend(queued.map(|(space, _)| (space, Timestamp::default())));
            self.send_due().await;
            let due = self.due.values().chain([&next_round]).min().copied().unwrap_or(NEVER);
            let wait = due.0.saturating_sub(self.store.now().0).clamp(100_000, WAIT_MAX_US);
            let wait = Duration::from_micros(wait.unsigned_abs());
            let _ = tokio::time::timeout(wait, events.changed()).await;
        }
    }

    /// Finds what is queued in any space.
    async fn round(&mut self) {
        let spaces = match self.store.spaces_with_outgoing().await {
            Ok(spaces) => spaces,
            Err(error) => return warn!(%error, "the spaces cannot be listed; queued mail waits for the next round"),
        };
        for space in spaces {
            let next = match space.next_outgoing().await {
                Ok(None) => space.settle_outgoing().await.map(|()| None),
                next => next,
            };
            match next {
                Ok(Some(due)) => drop(self.due.insert(space.info().id, due)),
                Ok(None) => {}
                Err(error) => warn!(space.id = space.info().id, %error, "queued mail cannot be looked for"),
            }
        }
    }

    async fn send_due(&mut self) {
        let now = self.store.now();
        let due: Vec<i64> = self.due.iter().filter(|(_, due)| **due <= now).map(|(space, _)| *space).collect();
        for id in due {
            self.due.remove(&id);
            match self.send_of(id).await {
                Ok(Some(next)) => drop(self.due.insert(id, next)),
                Ok(None) | Err(Error::NotFound) => {}
                Err(error) => {
                    warn!(space.id = id, %error, "queued mail could not be sent; it is tried again");
                    self.due.insert(id, now.plus_seconds(self.limits.retry_seconds.max(1)));
                }
            }
        }
    }

    /// Sends what is due in one space; says when more is.
    async fn send_of(&mut self, id: i64) -> Result<Option<Timestamp>, Error> {
        let space = self.store.space_numbered(id).await?;
        loop {
            let batch = space.outgoing_messages(BATCH).await?;
            if batch.is_empty() {
                return space.next_outgoing().await;
            }
            for outgoing in batch {
                self.send(&space, &outgoing).await?;
            }
        }
    }

    async fn send(&mut self, space: &Space, outgoing: &Outgoing) -> Result<(), Error> {
        let now = self.store.now();
        if !self.may_send(space, outgoing.message.account, now) {
            return space.postpone_outgoing(outgoing.id, now.plus_seconds(HOUR)).await;
        }
        // Put off before it is tried: no other server tries it meanwhile, and none at once if this one ends here.
        if !space.claim_outgoing(outgoing, now.plus_seconds(self.pause(outgoing.attempts))).await? {
            return Ok(());
        }
        let account = match space.account(outgoing.message.account).await {
            Err(Error::NotFound) => return space.complete_outgoing(outgoing.id).await,
            account => account?,
        };
        let mail = match mail(space, &account, outgoing, &self.smtp.from) {
            Ok(mail) => mail,
            Err(error) => {
                warn!(space.id = space.info().id, message.id = outgoing.id, %error, "a scheduling message cannot be mailed");
                return space.complete_outgoing(outgoing.id).await;
            }
        };
        match self.smtp.send(mail).await {
            Ok(()) => {
                info!(space.id = space.info().id, message.id = outgoing.id, "a scheduling message was mailed");
                space.complete_outgoing(outgoing.id).await
            }
            Err(error @ Refusal::Permanent(_)) => {
                warn!(space.id = space.info().id, message.id = outgoing.id, %error, "a scheduling message is given up");
                space.complete_outgoing(outgoing.id).await
            }
            Err(error) if outgoing.attempts + 1 >= self.limits.tries_max => {
                warn!(space.id = space.info().id, message.id = outgoing.id, %error, "a scheduling message was tried too often");
                space.complete_outgoing(outgoing.id).await
            }
            Err(error) => {
                debug!(space.id = space.info().id, message.id = outgoing.id, %error, "a scheduling message waits");
                Ok(())
            }
        }
    }

    /// Seconds to wait after so many tries.
    fn pause(&self, attempts: u64) -> i64 {
        let doubled = self.limits.retry_seconds.saturating_mul(1 << attempts.min(20));
        doubled.clamp(1, self.limits.retry_seconds_max.max(1))
    }

    /// Counts one message more of the account, if it may send one this hour.
    fn may_send(&mut self, space: &Space, account: AccountId, now: Timestamp) -> bool {
        let hour = now.seconds().div_euclid(HOUR);
        self.sent.retain(|_, (counted, _)| *counted == hour);
        let (_, count) = self.sent.entry((space.info().id, account)).or_insert((hour, 0));
        *count += 1;
        *count <= self.limits.messages_per_hour_max
    }
}

fn seconds(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
