//! Who is told when something moves: one hub for all spaces of the server. After each commit the writer says what
//! moved; whoever listens finds it added to what waits for him already. An idle space has no part in it.
//!
//! A listener that is slow is told less exactly ([`Moved::is_cut`]), never nothing.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Notify;

use crate::moved::Moved;
use crate::wake::Wakes;

/// Folders that wait for one listener, in all spaces together.
const FOLDERS_WAITING_MAX: isize = 16_384;
/// Folders of one space that wait for one listener.
const FOLDERS_OF_SPACE_MAX: usize = 1_024;

/// Where a change was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// By this server.
    Here,
    /// By another server on the same database, or by one that this one knows nothing about.
    Elsewhere,
}

/// What has moved since a listener last looked.
#[derive(Debug, Default)]
pub struct Waiting {
    /// By number of the space.
    pub spaces: HashMap<i64, Moved>,
    /// Notices of other servers may have been lost: every space has to be looked at.
    pub is_cut: bool,
    folders: isize,
}

impl Waiting {
    pub(crate) fn add(&mut self, space: i64, moved: &Moved) {
        let known = self.spaces.entry(space).or_default();
        self.folders += known.merge(moved, FOLDERS_OF_SPACE_MAX);
        if self.folders > FOLDERS_WAITING_MAX {
            self.folders -= known.folders.len() as isize;
            *known = Moved { has_accounts: known.has_accounts, has_outgoing: known.has_outgoing, ..Moved::all() };
        }
    }

    /// Takes in all of what waited elsewhere.
    pub(crate) fn add_all(&mut self, other: &Waiting) {
        self.is_cut |= other.is_cut;
        other.spaces.iter().for_each(|(space, moved)| self.add(*space, moved));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spaces.is_empty() && !self.is_cut
    }
}

#[derive(Debug)]
struct Listener {
    /// Only what was committed by this server.
    is_local: bool,
    waiting: Mutex<Waiting>,
    woken: Notify,
}

/// A listener's end: what moves from now on.
#[derive(Debug)]
pub struct Events(Arc<Listener>);

impl Events {
    /// Waits until something has moved. Returns at once if something waits already.
    pub async fn changed(&self) {
        while self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            self.0.woken.notified().await;
        }
    }

    /// What has moved since the last time, which may be nothing.
    pub fn take(&self) -> Waiting {
        std::mem::take(&mut *self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Hands notices to the listeners.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    listeners: Mutex<Vec<Weak<Listener>>>,
}

impl Hub {
    /// A new listener.
    pub(crate) fn listen(&self, is_local: bool) -> Events {
        let listener = Arc::new(Listener { is_local, waiting: Mutex::default(), woken: Notify::new() });
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&listener));
        Events(listener)
    }

    /// Tells who listens that this moved.
    pub(crate) fn publish(&self, space: i64, moved: &Moved, origin: Origin) {
        if !moved.is_empty() {
            self.each(origin, |waiting| waiting.add(space, moved));
        }
    }

    /// Tells who listens to other servers that anything may have moved there.
    pub(crate) fn publish_loss(&self) {
        self.each(Origin::Elsewhere, |waiting| waiting.is_cut = true);
    }

    fn each(&self, origin: Origin, tell: impl Fn(&mut Waiting)) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| {
            let Some(listener) = listener.upgrade() else { return false };
            if origin == Origin::Here || !listener.is_local {
                tell(&mut listener.waiting.lock().unwrap_or_else(PoisonError::into_inner));
                listener.woken.notify_one();
            }
            true
        });
    }
}

/// Tells this server's listeners, and the other servers.
#[derive(Debug)]
pub(crate) struct Teller {
    pub(crate) hub: Hub,
    /// The way to the other servers, where there may be some.
    pub(crate) wakes: Option<Arc<Wakes>>,
    /// Whether this process serves; else it is a command, and a server may have to be told what it does.
    pub(crate) is_serving: AtomicBool,
}

impl Teller {
    pub(crate) fn new(wakes: Option<Arc<Wakes>>) -> Teller {
        Teller { hub: Hub::default(), wakes, is_serving: AtomicBool::new(false) }
    }

    /// This moved, by what this server committed.
    pub(crate) fn tell(&self, space: i64, moved: &Moved) {
        if moved.is_empty() {
            return;
        }
        self.hub.publish(space, moved, Origin::Here);
        if let Some(wakes) = &self.wakes {
            wakes.queue(space, moved);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::moved::Move;
    use crate::node::{Etag, FileId};

    fn moved(folders: std::ops::Range<i64>) -> Moved {
        let mut moved = Moved::default();
        for folder in folders {
            let step = Move {
                etag: Etag(folder),
                has_members: true,
                has_properties: false,
                quiet: None,
                is_replacement: false,
            };
            moved.add(FileId(folder), step);
        }
        moved
    }

    #[tokio::test]
    async fn a_listener_finds_everything_since_it_last_looked_at_once() {
        let hub = Hub::default();
        hub.publish(1, &moved(1..2), Origin::Here);
        let events = hub.listen(false);
        hub.publish(1, &moved(2..3), Origin::Here);
        hub.publish(1, &moved(3..4), Origin::Elsewhere);
        hub.publish(2, &moved(1..2), Origin::Here);
        events.changed().await;
        let found = events.take();
        assert_eq!(found.spaces[&1], moved(2..4), "what came before it listened is not told");
        assert_eq!(found.spaces[&2], moved(1..2));
        assert!(events.take().is_empty());
        assert!(tokio::time::timeout(Duration::from_millis(20), events.changed()).await.is_err());
    }

    #[tokio::test]
    async fn a_local_listener_hears_nothing_of_other_servers() {
        let hub = Hub::default();
        let events = hub.listen(true);
        hub.publish(1, &moved(1..2), Origin::Elsewhere);
        hub.publish_loss();
        assert!(events.take().is_empty());
        hub.publish(1, &moved(1..2), Origin::Here);
        assert_eq!(events.take().spaces[&1], moved(1..2));
    }

    #[tokio::test]
    async fn a_slow_listener_is_told_to_look_at_everything() {
        let hub = Hub::default();
        let events = hub.listen(false);
        hub.publish(1, &moved(0..1_024), Origin::Here);
        hub.publish(1, &moved(1_024..1_025), Origin::Here);
        hub.publish(2, &moved(0..1), Origin::Here);
        let found = events.take();
        assert!(found.spaces[&1].is_cut && found.spaces[&1].folders.is_empty());
        assert_eq!(found.spaces[&2], moved(0..1), "another space is told as exactly as before");
    }

    #[tokio::test]
    async fn what_waits_is_bounded_over_all_spaces() {
        let hub = Hub::default();
        let events = hub.listen(false);
        for space in 0..40 {
            hub.publish(space, &moved(0..1_000), Origin::Here);
        }
        let found = events.take();
        assert_eq!(found.spaces.len(), 40, "every space is told of");
        let listed: usize = found.spaces.values().map(|moved| moved.folders.len()).sum();
        assert!(listed <= 16_384, "{listed}");
        assert!(found.spaces.values().all(|moved| moved.is_cut != (moved.folders.len() == 1_000)));
    }

    #[tokio::test]
    async fn whoever_waits_is_woken() {
        let hub = Arc::new(Hub::default());
        let events = hub.listen(false);
        let publishing = Arc::clone(&hub);
        tokio::spawn(async move { publishing.publish(1, &moved(1..2), Origin::Here) });
        tokio::time::timeout(Duration::from_secs(5), events.changed()).await.expect("woken");
    }

    #[test]
    fn a_listener_that_is_gone_costs_nothing_more() {
        let hub = Hub::default();
        drop(hub.listen(false));
        hub.publish(1, &moved(1..2), Origin::Here);
        assert!(hub.listeners.lock().unwrap().is_empty());
    }
}
