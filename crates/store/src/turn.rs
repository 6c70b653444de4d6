//! Turns: how much of the server's threads one space may ask for at once, so that its neighbours wait behind a few of its
//! requests and not behind a thousand. A request computes while it holds a turn of its space, and gives it back while it
//! waits for something else: its client, a commit, work aside. See "A space computes in turns" in docs/architecture.md.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;
use crate::space::Space;

/// The turns of one space.
#[derive(Debug)]
pub(crate) struct Turns {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
}

/// What a request holds of the turns of its space.
struct Turn {
    turns: Arc<Turns>,
    /// None while it waits for something else.
    place: Cell<Option<OwnedSemaphorePermit>>,
}

tokio::task_local! {
    static TURN: Turn;
}

impl Turns {
    pub(crate) fn new(turns: usize, waiting_max: usize) -> Turns {
        Turns { places: Arc::new(Semaphore::new(turns.max(1))), waiting: AtomicUsize::new(0), waiting_max }
    }

    /// The next turn, first come, first served; [`Error::Busy`] when too many wait already.
    async fn begin(self: &Arc<Turns>) -> Result<Turn, Error> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(self.with(place));
        }
        let _waiting = Waiting::begin(self)?;
        Ok(self.with(self.wait().await))
    }

    /// The next turn of a request that has begun: never refused.
    async fn again(self: &Arc<Turns>) -> Turn {
        self.with(self.wait().await)
    }

    async fn wait(&self) -> OwnedSemaphorePermit {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return place;
        }
        let place = Arc::clone(&self.places).acquire_owned().await.expect("the semaphore is never closed");
        // A space with more to do than it has turns lets others go first: whoever is called is called to the front of a
        // thread's line, and a yield goes to the end of it and behind what the sockets have to say.
        tokio::task::yield_now().await;
        place
    }

    fn with(self: &Arc<Turns>, place: OwnedSemaphorePermit) -> Turn {
        Turn { turns: Arc::clone(self), place: Cell::new(Some(place)) }
    }
}

/// One of those who wait for their first turn, for as long as it lives.
struct Waiting<'a>(&'a Turns);

impl Waiting<'_> {
    fn begin(turns: &Turns) -> Result<Waiting<'_>, Error> {
        let waiting = Waiting(turns);
        match turns.waiting.fetch_add(1, Ordering::Relaxed) < turns.waiting_max {
            true => Ok(waiting),
            false => Err(Error::Busy),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Space {
    /// Runs the making of an answer in a turn of the space, first come, first served.
    ///
    /// # Errors
    /// [`Error::Busy`] when `space_waiting_max` requests wait for a turn already; then nothing was run.
    pub async fn in_turn<T>(&self, request: impl Future<Output = T>) -> Result<T, Error> {
        let turn = self.core().turns.begin().await?;
        Ok(TURN.scope(turn, request).await)
    }

    /// Runs a further part of what began in a turn, such as the next piece of an answer: it waits, and is never refused.
    pub async fn in_further_turn<T>(&self, part: impl Future<Output = T>) -> T {
        let turn = self.core().turns.again().await;
        TURN.scope(turn, part).await
    }
}

/// Waits for what is not computed here (a client, a disk, another server), while another request has the caller's turn.
/// Outside of a turn it is just waited for.
///
/// Nobody may hold while it waits what others wait for in their turn, a reader above all: they would wait for each other.
pub async fn without_turn<T>(waiting: impl Future<Output = T>) -> T {
    let mut waiting = pin!(waiting);
    // What is there already needs no other's turn.
    let at_once = poll_fn(|cx| {
        Poll::Ready(match waiting.as_mut().poll(cx) {
            Poll::Ready(outcome) => Ok(outcome),
            Poll::Pending => Err(put_down()),
        })
    });
    let turns = match at_once.await {
        Ok(outcome) => return outcome,
        Err(turns) => turns,
    };
    let outcome = waiting.await;
    if let Some(turns) = turns {
        let place = turns.wait().await;
        let _ = TURN.try_with(|turn| turn.place.set(Some(place)));
    }
    outcome
}

/// Gives the caller's turn to the next, if it holds one; says whose turns they are.
fn put_down() -> Option<Arc<Turns>> {
    TURN.try_with(|turn| turn.place.take().map(|_place| Arc::clone(&turn.turns))).ok().flatten()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    /// The space's turns without the space.
    async fn in_turn<T>(turns: &Arc<Turns>, request: impl Future<Output = T>) -> Result<T, Error> {
        let turn = turns.begin().await?;
        Ok(TURN.scope(turn, request).await)
    }

    fn free(turns: &Turns) -> usize {
        turns.places.available_permits()
    }

    /// Until everybody who can go on has gone on.
    async fn settle() {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_turn_is_held_while_a_request_computes_and_not_while_it_waits() {
        let turns = Arc::new(Turns::new(1, 10));
        let (go, gone) = oneshot::channel::<()>();
        let waiting = {
            let turns = Arc::clone(&turns);
            tokio::spawn(async move {
                let request = async {
                    tokio::task::yield_now().await;
                    assert_eq!(free(&turns), 0, "giving other tasks a chance is no wait");
                    without_turn(gone).await.unwrap();
                    assert_eq!(free(&turns), 0, "it goes on in a turn");
                };
                in_turn(&turns, request).await.unwrap();
            })
        };
        settle().await;
        assert_eq!(free(&turns), 1);
        in_turn(&turns, async {}).await.unwrap();
        go.send(()).unwrap();
        waiting.await.unwrap();
        assert_eq!(free(&turns), 1);
    }

    #[tokio::test]
    async fn what_is_there_already_costs_no_turn() {
        let turns = Arc::new(Turns::new(1, 10));
        let other = {
            let turns = Arc::clone(&turns);
            async move { in_turn(&turns, async {}).await }
        };
        let mut others = Vec::new();
        let request = async {
            others.push(tokio::spawn(other));
            settle().await;
            without_turn(std::future::ready(())).await;
            settle().await;
            assert!(!others[0].is_finished(), "the turn was never given away");
        };
        in_turn(&turns, request).await.unwrap();
        others.remove(0).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn whoever_came_first_has_the_next_turn_and_too_many_are_refused() {
        let turns = Arc::new(Turns::new(1, 3));
        let order = Arc::new(Mutex::new(Vec::new()));
        let first = turns.begin().await.unwrap();
        let ask = |number: usize| {
            let (turns, order) = (Arc::clone(&turns), Arc::clone(&order));
            tokio::spawn(async move { in_turn(&turns, async { order.lock().unwrap().push(number) }).await })
        };
        let mut waiting = Vec::new();
        for number in 0..3 {
            waiting.push(ask(number));
            settle().await;
        }
        assert!(matches!(turns.begin().await, Err(Error::Busy)));
        // Who goes away makes room.
        waiting.remove(1).abort();
        settle().await;
        waiting.push(ask(3));
        settle().await;
        assert!(matches!(turns.begin().await, Err(Error::Busy)));
        drop(first);
        for waiting in waiting {
            waiting.await.unwrap().unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [0, 2, 3]);
        assert_eq!((free(&turns), turns.waiting.load(Ordering::Relaxed)), (1, 0));
    }

    #[tokio::test]
    async fn who_has_begun_waits_for_its_turn_and_is_never_refused() {
        let turns = Arc::new(Turns::new(1, 0));
        let (go, gone) = oneshot::channel::<()>();
        let begun = {
            let turns = Arc::clone(&turns);
            tokio::spawn(async move { in_turn(&turns, without_turn(gone)).await })
        };
        settle().await;
        let held = turns.begin().await.unwrap();
        assert!(matches!(turns.begin().await, Err(Error::Busy)));
        go.send(()).unwrap();
        settle().await;
        assert!(!begun.is_finished());
        drop(held);
        begun.await.unwrap().unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_request_that_is_given_up_leaves_its_turn_wherever_it_stands() {
        let turns = Arc::new(Turns::new(1, 10));
        let soon = Duration::from_millis(20);
        assert!(timeout(soon, in_turn(&turns, std::future::pending::<()>())).await.is_err());
        assert_eq!(free(&turns), 1);
        assert!(timeout(soon, in_turn(&turns, without_turn(std::future::pending::<()>()))).await.is_err());
        assert_eq!(free(&turns), 1);
        let held = turns.begin().await.unwrap();
        assert!(timeout(soon, turns.again()).await.is_err());
        drop(held);
        assert_eq!(free(&turns), 1);
    }

    #[tokio::test]
    async fn outside_of_a_turn_one_just_waits() {
        without_turn(tokio::task::yield_now()).await;
        let turns = Arc::new(Turns::new(1, 10));
        let elsewhere = in_turn(&turns, async { tokio::spawn(without_turn(tokio::task::yield_now())).await });
        elsewhere.await.unwrap().unwrap();
    }
}
