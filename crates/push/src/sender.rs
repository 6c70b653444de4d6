//! Tells registered clients what moved: a little after the commit, once for many changes, again where the push service
//! is busy, and never where nobody listens any more. RFC 8030 §5, §7.
//!
//! What waits is kept in memory: a message that a restart swallows is made up for by the client's next poll.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nichoir_outbound::Outbound;
use nichoir_store::{Error, Move, Moved, PushRegistration, Space, Store};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{debug, warn};

use crate::delivery::{Delivery, Outcome};
use crate::vapid::KeyPairs;

/// How messages are sent, each a setting of the same name.
#[derive(Clone, Debug)]
pub struct SendLimits {
    /// Milliseconds that changes are gathered before anybody is told.
    pub gather_milliseconds: u64,
    /// Messages on their way at once.
    pub parallel: usize,
    /// Registrations that wait for their message, or for the next try; further ones are passed over.
    pub waiting_max: usize,
    /// Tries of one message.
    pub tries_max: u32,
    /// Seconds before the second try; each further one waits twice as long, or as long as the push service says.
    pub retry_seconds: u64,
    /// Seconds that no wait is longer than.
    pub retry_seconds_max: u64,
    /// Seconds that a push service keeps a message for a device that is off.
    pub ttl_seconds: u32,
    /// Whom a push service may turn to (`mailto:` or `https:`), told in each message.
    pub contact: Option<String>,
}

impl Default for SendLimits {
    fn default() -> SendLimits {
        SendLimits {
            gather_milliseconds: 3_000,
            parallel: 8,
            waiting_max: 10_000,
            tries_max: 5,
            retry_seconds: 30,
            retry_seconds_max: 3_600,
            ttl_seconds: 24 * 3600,
            contact: None,
        }
    }
}

/// What a registration has not been told yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Untold {
    pub(crate) has_content: bool,
    pub(crate) has_properties: bool,
}

impl Untold {
    fn is_empty(self) -> bool {
        !self.has_content && !self.has_properties
    }

    fn add(&mut self, other: Untold) {
        self.has_content |= other.has_content;
        self.has_properties |= other.has_properties;
    }
}

/// The space's number and the registration's name.
type Key = (i64, String);

/// Listens to the store and tells clients. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sender(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: Store,
    outbound: Outbound,
    limits: SendLimits,
    key_pairs: KeyPairs,
    places: Semaphore,
    /// Registrations that a task takes care of, with what came since it looked.
    waiting: Mutex<HashMap<Key, Untold>>,
}

impl Sender {
    /// A sender for the registrations of all spaces of `store`.
    pub fn new(store: Store, outbound: Outbound, limits: SendLimits) -> Sender {
        let places = Semaphore::new(limits.parallel.max(1));
        let (key_pairs, waiting) = (KeyPairs::default(), Mutex::default());
        Sender(Arc::new(Parts { store, outbound, limits, key_pairs, places, waiting }))
    }

    /// Tells clients of what this server commits, for as long as it is polled. The other servers on the same database
    /// tell of what they commit.
    pub async fn run(self) {
        let events = self.0.store.local_events();
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                () = events.changed() => {}
                Some(_) = tasks.join_next() => continue,
            }
            tokio::time::sleep(Duration::from_millis(self.0.limits.gather_milliseconds)).await;
            for (space, moved) in events.take().spaces {
                if let Err(error) = self.queue(space, &moved, &mut tasks).await {
                    warn!(space.id = space, %error, "push registrations could not be read: nobody is told of some changes");
                }
            }
        }
    }

    /// Finds who is to be told of what moved in a space, and sees to it.
    async fn queue(&self, space_id: i64, moved: &Moved, tasks: &mut JoinSet<()>) -> Result<(), Error> {
        if moved.folders.is_empty() && !moved.is_cut {
            return Ok(());
        }
        let space = match self.0.store.space_numbered(space_id).await {
            Err(Error::NotFound) => return Ok(()),
            space => space?,
        };
        for registration in space.push_registrations().await? {
            let untold = untold(moved, &registration);
            let key = (space_id, registration.name);
            if !untold.is_empty() && self.takes(&key, untold) {
                let (sender, space) = (self.clone(), space.clone());
                tasks.spawn(async move { sender.tell(&space, key).await });
            }
        }
        Ok(())
    }

    /// Notes what is to be told; says whether a task has to be started for it.
    fn takes(&self, key: &Key, untold: Untold) -> bool {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = waiting.get_mut(key) {
            known.add(untold);
            return false;
        }
        if waiting.len() >= self.0.limits.waiting_max {
            debug!("too many push messages wait: one is passed over");
            return false;
        }
        waiting.insert(key.clone(), untold);
        true
    }

    /// What came since the last time; `None`, and no longer taken care of, if nothing did.
    fn next(&self, key: &Key) -> Option<Untold> {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let untold = waiting.get_mut(key).map(std::mem::take)?;
        if untold.is_empty() {
            waiting.remove(key);
            return None;
        }
        Some(untold)
    }

    fn give_up(&self, key: &Key) {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Tells one registration, until there is nothing more to tell it.
    async fn tell(&self, space: &Space, key: Key) {
        let mut tries = 0;
        while let Some(untold) = self.next(&key) {
            let outcome = self.attempt(space, &key.1, untold).await;
            tries += 1;
            match outcome {
                Outcome::Sent => tries = 0,
                Outcome::Gone => return self.give_up(&key),
                Outcome::Later(_) if tries >= self.0.limits.tries_max => {
                    debug!(space.id = key.0, "a push service was tried too often; the message is given up");
                    return self.give_up(&key);
                }
                Outcome::Later(told) => {
                    self.takes(&key, untold);
                    tokio::time::sleep(self.pause(tries, told)).await;
                }
            }
        }
    }

    async fn attempt(&self, space: &Space, name: &str, untold: Untold) -> Outcome {
        let _place = self.0.places.acquire().await;
        let Parts { outbound, limits, key_pairs, .. } = &*self.0;
        let delivery = Delivery { space, outbound, limits, key_pair: &key_pairs.of(space) };
        match delivery.attempt(name, untold).await {
            Ok(outcome) => outcome,
            Err(error) => {
                warn!(space.id = space.info().id, %error, "a push message could not be made; it is tried again");
                Outcome::Later(None)
            }
        }
    }

    /// How long to wait after so many tries: what the push service said, or twice as long each time.
    fn pause(&self, tries: u32, told_seconds: Option<u64>) -> Duration {
        let limits = &self.0.limits;
        let own = limits.retry_seconds.saturating_mul(1 << tries.saturating_sub(1).min(20));
        Duration::from_secs(told_seconds.unwrap_or(own).clamp(1, limits.retry_seconds_max))
    }
}

/// What of it the registration asked for. Where not everything is known, everything may have moved.
fn untold(moved: &Moved, registration: &PushRegistration) -> Untold {
    let asked = &registration.asked;
    let of = |has_content: bool, has_properties: bool| Untold {
        has_content: has_content && asked.has_content,
        has_properties: has_properties && asked.has_properties,
    };
    if moved.is_cut {
        return of(true, true);
    }
    let is_quiet =
        |step: &Move| step.quiet.as_ref().is_some_and(|quiet| quiet.covers(asked.account, &registration.name));
    match moved.folders.get(&asked.node) {
        Some(step) if !is_quiet(step) => of(step.has_members, step.has_properties),
        _ => Untold::default(),
    }
}

#[cfg(test)]
mod tests {
    use nichoir_store::{AccountId, Area, Etag, FileId, NewPushRegistration, Quiet, Timestamp};

    use super::*;

    fn registration(has_content: bool, has_properties: bool) -> PushRegistration {
        let asked = NewPushRegistration {
            account: AccountId(1),
            device: None,
            area: Area::Calendars,
            node: FileId(7),
            resource: String::new(),
            public_key: Vec::new(),
            auth_secret: Vec::new(),
            has_content,
            has_properties,
            expires: Timestamp::default(),
        };
        PushRegistration { name: "phone".to_owned(), asked }
    }

    fn check(folder: i64, step: Move, asked: (bool, bool), expected: (bool, bool)) {
        let mut moved = Moved::default();
        moved.folders.insert(FileId(folder), step.clone());
        let untold = untold(&moved, &registration(asked.0, asked.1));
        assert_eq!((untold.has_content, untold.has_properties), expected, "{step:?} {asked:?}");
    }

    #[test]
    fn a_registration_is_told_what_it_asked_for() {
        let step = |has_members, has_properties| Move {
            etag: Etag(1),
            has_members,
            has_properties,
            quiet: None,
            is_replacement: false,
        };
        check(7, step(true, false), (true, false), (true, false));
        check(7, step(true, true), (true, false), (true, false));
        check(7, step(true, true), (true, true), (true, true));
        check(7, step(false, true), (true, false), (false, false));
        check(7, step(false, false), (true, true), (false, false));
        check(8, step(true, true), (true, true), (false, false));
    }

    #[test]
    fn whoever_made_the_change_is_not_told() {
        let quiet = |account, names: Option<&[&str]>| {
            let registrations = names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            let quiet = Some(Arc::new(Quiet { account: AccountId(account), registrations }));
            Move { etag: Etag(1), has_members: true, has_properties: false, quiet, is_replacement: false }
        };
        check(7, quiet(1, Some(&["phone"])), (true, true), (false, false));
        check(7, quiet(1, None), (true, true), (false, false));
        check(7, quiet(1, Some(&["tablet"])), (true, true), (true, false));
        check(7, quiet(2, Some(&["phone"])), (true, true), (true, false));
    }

    #[test]
    fn where_not_everything_is_known_everything_is_told() {
        let moved = Moved { is_cut: true, ..Moved::default() };
        assert_eq!(untold(&moved, &registration(true, false)), Untold { has_content: true, has_properties: false });
    }
}
