//! Places for work that takes long (password hashes, previews), shared fairly: whoever waits is called by space, one of each
//! in turn, so that a space with a long queue delays its neighbours by one piece of work and no more. A space that is
//! alone has all places.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// A number of places that are given out in turn by key. Cheap to clone.
#[derive(Debug)]
pub struct Places<K: Clone + Eq + Hash>(Arc<Mutex<State<K>>>);

#[derive(Debug)]
struct State<K: Clone + Eq + Hash> {
    /// Places that nobody has; with any, nobody waits.
    free: usize,
    /// How many of one key may wait.
    waiting_max: usize,
    /// Who waits, the first in front; no queue is empty.
    queues: HashMap<K, VecDeque<oneshot::Sender<Place<K>>>>,
    /// The keys of the queues, the next one in front.
    round: VecDeque<K>,
}

/// Somebody's place, given to the next when dropped.
#[derive(Debug)]
pub struct Place<K: Clone + Eq + Hash>(Places<K>);

/// So many of this key wait already that no more may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl<K: Clone + Eq + Hash> Clone for Places<K> {
    fn clone(&self) -> Places<K> {
        Places(Arc::clone(&self.0))
    }
}

impl<K: Clone + Eq + Hash> Places<K> {
    /// So many places (one at least), and so many that may wait of each key.
    pub fn new(places: usize, waiting_max: usize) -> Places<K> {
        let state = State { free: places.max(1), waiting_max, queues: HashMap::new(), round: VecDeque::new() };
        Places(Arc::new(Mutex::new(state)))
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// [`Full`], at once.
    pub async fn enter(&self, key: K) -> Result<Place<K>, Full> {
        let called = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if state.free > 0 {
                state.free -= 1;
                return Ok(Place(self.clone()));
            }
            state.queue_up(key)?
        };
        // Whoever has a place calls the next; all of them are gone only with the process.
        called.await.map_err(|_| Full)
    }

    /// How many of the key wait.
    pub fn waiting(&self, key: &K) -> usize {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.queues.get(key).map_or(0, |queue| queue.iter().filter(|waiting| !waiting.is_closed()).count())
    }
}

impl<K: Clone + Eq + Hash> State<K> {
    fn queue_up(&mut self, key: K) -> Result<oneshot::Receiver<Place<K>>, Full> {
        if self.waiting_max == 0 {
            return Err(Full);
        }
        let queue = self.queues.entry(key.clone()).or_default();
        if queue.len() >= self.waiting_max {
            // Those who have gone away meanwhile do not count.
            queue.retain(|waiting| !waiting.is_closed());
            if queue.len() >= self.waiting_max {
                return Err(Full);
            }
        }
        if queue.is_empty() && !self.round.contains(&key) {
            self.round.push_back(key);
        }
        let (call, called) = oneshot::channel();
        queue.push_back(call);
        Ok(called)
    }

    /// Whose turn it is: the first of the next key, which then goes to the end of the round.
    fn next(&mut self) -> Option<oneshot::Sender<Place<K>>> {
        while let Some(key) = self.round.pop_front() {
            let Some(queue) = self.queues.get_mut(&key) else { continue };
            let next = std::iter::from_fn(|| queue.pop_front()).find(|waiting| !waiting.is_closed());
            if queue.is_empty() {
                self.queues.remove(&key);
            } else {
                self.round.push_back(key);
            }
            if next.is_some() {
                return next;
            }
        }
        self.free += 1;
        None
    }
}

impl<K: Clone + Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let next = self.0.0.lock().unwrap_or_else(PoisonError::into_inner).next();
        if let Some(next) = next {
            // If whoever was called went away just now, the place comes back here and is given to the one behind.
            drop(next.send(Place(self.0.clone())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Order = Arc<Mutex<Vec<&'static str>>>;

    async fn settle() {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    fn come(places: &Places<char>, key: char, name: &'static str, order: &Order) -> tokio::task::JoinHandle<()> {
        let (places, order) = (places.clone(), Arc::clone(order));
        tokio::spawn(async move {
            let _place = places.enter(key).await.unwrap();
            order.lock().unwrap().push(name);
            tokio::task::yield_now().await;
        })
    }

    #[tokio::test]
    async fn a_long_queue_of_one_key_delays_another_by_one() {
        let (places, order) = (Places::new(1, 10), Order::default());
        let held = places.enter('a').await.unwrap();
        let mut all: Vec<_> = Vec::new();
        for (key, name) in [('a', "a1"), ('a', "a2"), ('a', "a3"), ('b', "b1"), ('c', "c1"), ('b', "b2")] {
            all.push(come(&places, key, name, &order));
            settle().await;
        }
        assert_eq!((places.waiting(&'a'), places.waiting(&'b'), places.waiting(&'d')), (3, 2, 0));
        drop(held);
        for each in all {
            each.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["a1", "b1", "c1", "a2", "b2", "a3"]);
        let state = places.0.lock().unwrap();
        assert!(state.free == 1 && state.queues.is_empty() && state.round.is_empty());
    }

    #[tokio::test]
    async fn a_key_that_is_alone_has_all_places() {
        let places = Places::new(3, 10);
        let _held = [places.enter('a').await, places.enter('a').await, places.enter('a').await];
        assert_eq!(places.0.lock().unwrap().free, 0);
    }

    #[tokio::test]
    async fn more_of_one_key_than_may_wait_are_turned_away_and_of_another_are_not() {
        let (places, order) = (Places::new(1, 2), Order::default());
        let held = places.enter('a').await.unwrap();
        let gone = come(&places, 'a', "gone", &order);
        let stays = come(&places, 'a', "stays", &order);
        settle().await;
        assert_eq!(places.enter('a').await.err(), Some(Full));
        let other = come(&places, 'b', "other", &order);
        // Who goes away makes room.
        gone.abort();
        let _ = gone.await;
        let late = come(&places, 'a', "late", &order);
        settle().await;
        drop(held);
        for each in [stays, other, late] {
            each.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["stays", "other", "late"]);
    }

    #[tokio::test]
    async fn who_goes_away_while_called_gives_the_place_to_the_next() {
        let places = Places::new(1, 10);
        let held = places.enter('a').await.unwrap();
        let mut first = Box::pin(places.enter('a'));
        assert!(std::future::poll_fn(|cx| std::task::Poll::Ready(first.as_mut().poll(cx).is_pending())).await);
        drop(held);
        drop(first);
        assert_eq!(places.0.lock().unwrap().free, 1);
        drop(places.enter('b').await.unwrap());
    }

    #[tokio::test]
    async fn nobody_waits_where_nobody_may() {
        let places = Places::new(1, 0);
        let _held = places.enter('a').await.unwrap();
        assert_eq!(places.enter('a').await.err(), Some(Full));
        assert!(places.0.lock().unwrap().queues.is_empty());
    }
}
