//! Which space each connection serves, so that the clients of one cannot take the connections of all: a space has only so many, and
//! so many requests of HTTP/2. A connection belongs to the space that its last request was for; one that a proxy uses for many moves
//! between them. Those that belong to none yet are strangers, and make way when there are too many.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

use crate::http2;

/// How many connections and requests each space has. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Seats {
    connections: Tally,
    requests: Tally,
    strangers: Arc<Mutex<Strangers>>,
}

/// How many of something each space has.
#[derive(Clone, Debug)]
struct Tally {
    taken: Arc<Mutex<HashMap<i64, usize>>>,
    max: usize,
}

/// Connections that belong to no space yet, the oldest first.
#[derive(Debug, Default)]
struct Strangers {
    next: u64,
    waiting: BTreeMap<u64, Weak<Notify>>,
}

impl Seats {
    /// For at most so many connections and requests of each space.
    pub(crate) fn new(connections_max: usize, requests_max: usize) -> Seats {
        let tally = |max| Tally { taken: Arc::default(), max };
        Seats { connections: tally(connections_max), requests: tally(requests_max), strangers: Arc::default() }
    }

    /// A connection that belongs to no space yet.
    pub(crate) fn seat(&self) -> Seat {
        let away = Arc::new(Notify::new());
        let mut strangers = locked(&self.strangers);
        let number = strangers.next;
        strangers.next += 1;
        strangers.waiting.insert(number, Arc::downgrade(&away));
        Seat(Arc::new(Seated { seats: self.clone(), number, away, space: Mutex::new(None) }))
    }

    /// Sends the oldest stranger away, if there is one.
    pub(crate) fn make_room(&self) {
        let oldest = locked(&self.strangers).waiting.pop_first();
        if let Some(away) = oldest.and_then(|(_, away)| away.upgrade()) {
            away.notify_one();
        }
    }
}

impl Tally {
    fn take(&self, space: i64) -> bool {
        let mut taken = locked(&self.taken);
        let count = taken.entry(space).or_default();
        if *count >= self.max {
            if *count == 0 {
                taken.remove(&space);
            }
            return false;
        }
        *count += 1;
        true
    }

    fn leave(&self, space: i64) {
        let mut taken = locked(&self.taken);
        if let Some(count) = taken.get_mut(&space) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&space);
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request's place among those of its space, until it is dropped.
#[derive(Debug)]
pub(crate) struct Asked {
    requests: Tally,
    space: i64,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.requests.leave(self.space);
    }
}

/// A connection's place; given up with its last clone.
#[derive(Clone, Debug)]
pub(crate) struct Seat(Arc<Seated>);

#[derive(Debug)]
struct Seated {
    seats: Seats,
    number: u64,
    away: Arc<Notify>,
    space: Mutex<Option<i64>>,
}

impl Seat {
    /// A request for `space` has come; false if the space has all its connections without this one, or all its requests.
    pub(crate) fn take(&self, space: i64) -> bool {
        let Seated { seats, number, space: sits, .. } = &*self.0;
        {
            let mut sits = locked(sits);
            if *sits != Some(space) {
                if !seats.connections.take(space) {
                    return false;
                }
                match sits.replace(space) {
                    Some(before) => seats.connections.leave(before),
                    None => drop(locked(&seats.strangers).waiting.remove(number)),
                }
            }
        }
        if http2::is_stream() {
            if !seats.requests.take(space) {
                return false;
            }
            http2::keep(Asked { requests: seats.requests.clone(), space });
        }
        true
    }

    /// Returns when the connection must make way for another.
    pub(crate) async fn sent_away(&self) {
        self.0.away.notified().await;
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        match self.space.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            Some(space) => self.seats.connections.leave(space),
            None => drop(locked(&self.seats.strangers).waiting.remove(&self.number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_has_so_many_connections_and_gets_back_those_that_leave() {
        let seats = Seats::new(2, 1);
        let (first, second, third) = (seats.seat(), seats.seat(), seats.seat());
        assert!(first.take(1) && second.take(1) && first.take(1));
        assert!(!third.take(1), "the third of two");
        assert!(third.take(2), "another space has its own");
        assert!(!third.take(1));
        // A proxy's connection moves on, and is where it was when it is turned away.
        assert!(second.take(2));
        assert!(!first.take(2));
        assert!(third.take(1));
        drop((second, third));
        assert!(first.take(2) && seats.seat().take(2));
        drop(first);
        assert!(locked(&seats.connections.taken).is_empty(), "nothing is kept of who has left");
        assert!(locked(&seats.strangers).waiting.is_empty());
    }

    #[tokio::test]
    async fn the_oldest_stranger_makes_way_and_nobody_who_has_asked() {
        let seats = Seats::new(9, 9);
        let (known, gone, first, second) = (seats.seat(), seats.seat(), seats.seat(), seats.seat());
        assert!(known.take(1));
        drop(gone);
        seats.make_room();
        first.sent_away().await;
        seats.make_room();
        second.sent_away().await;
        seats.make_room();
        let soon = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(soon, known.sent_away()).await.is_err());
    }
}
