//! Which space each connection serves, so that the clients of one cannot take the connections of all: a space has only so many.
//! A connection belongs to the space that its last request was for; one that a proxy uses for many moves between them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many connections each space has. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Seats {
    taken: Arc<Mutex<HashMap<i64, usize>>>,
    max: usize,
}

impl Seats {
    /// For at most `max` connections of each space.
    pub(crate) fn new(max: usize) -> Seats {
        Seats { taken: Arc::default(), max }
    }

    /// A connection that belongs to no space yet.
    pub(crate) fn seat(&self) -> Seat {
        Seat(Arc::new(Seated { seats: self.clone(), space: Mutex::new(None) }))
    }

    fn leave(&self, space: i64) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&space) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&space);
            }
        }
    }
}

/// A connection's place; given up with its last clone.
#[derive(Clone, Debug)]
pub(crate) struct Seat(Arc<Seated>);

#[derive(Debug)]
struct Seated {
    seats: Seats,
    space: Mutex<Option<i64>>,
}

impl Seat {
    /// A request for `space` has come; false if the space has all its connections without this one.
    pub(crate) fn take(&self, space: i64) -> bool {
        let Seated { seats, space: sits } = &*self.0;
        let mut sits = sits.lock().unwrap_or_else(PoisonError::into_inner);
        if *sits == Some(space) {
            return true;
        }
        {
            let mut taken = seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let count = taken.entry(space).or_default();
            if *count >= seats.max {
                return false;
            }
            *count += 1;
        }
        if let Some(before) = sits.replace(space) {
            seats.leave(before);
        }
        true
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        if let Some(space) = self.space.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            self.seats.leave(space);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_has_so_many_connections_and_gets_back_those_that_leave() {
        let seats = Seats::new(2);
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
        assert!(seats.taken.lock().unwrap().is_empty(), "nothing is kept of who has left");
    }
}
