//! A bounded run of one kind of work: over several connections, as fast as answers come (closed loop) or at a given rate (open loop).
//!
//! In an open loop each piece of work has an intended start. Where all connections are busy at that moment because the server
//! stalls, the latency counts from the intended start, so that a stall is seen by all who would have asked meanwhile.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::ask::{Answer, Ask};
use crate::seen::Seen;
use crate::session::{Client, Session};

/// Waking up may come this late by the granularity of timers, which is not the server's fault.
const TIMER_SLACK: Duration = Duration::from_millis(2);

/// What a connection waits after a request that came to nothing, so that a server that went is not asked a million times.
const PAUSE: Duration = Duration::from_millis(10);

/// How long and how hard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    /// Threads of this program that they are spread over.
    pub(crate) threads: usize,
    pub(crate) seconds: f64,
    pub(crate) requests: u64,
    /// Pieces of work a second, for an open loop.
    pub(crate) rate: Option<f64>,
}

/// One connection at work, and what it sees.
pub(crate) struct Worker {
    /// For requests that are not measured.
    pub(crate) session: Session,
    seen: Rc<RefCell<Seen>>,
    intended: Option<Instant>,
    until: Instant,
}

impl Limits {
    /// So many pieces of work over so many connections, however long it takes (within an hour).
    pub(crate) fn of_requests(requests: u64, connections: usize) -> Limits {
        Limits { connections, threads: 1, seconds: 3600.0, requests, rate: None }
    }
}

impl Worker {
    /// Sends a request, checks its answer, and counts it under `label`. `None` if the answer was not as expected.
    pub(crate) async fn ask(&mut self, label: &'static str, ask: &Ask) -> Option<Answer> {
        let started = self.start();
        let told = self.session.send(ask).await;
        let took = started.elapsed();
        match told {
            Ok(answer) => {
                let mut seen = self.seen.borrow_mut();
                seen.add(label, took, ask.body.len(), answer.body_bytes);
                match ask.expected.fault_of(&answer) {
                    Some(fault) => {
                        seen.fault(fault);
                        None
                    }
                    None => Some(answer),
                }
            }
            Err(fault) => {
                self.fault(fault);
                tokio::time::sleep(PAUSE).await;
                None
            }
        }
    }

    /// A request that belongs to the work but is not measured by itself.
    pub(crate) async fn beside(&mut self, ask: &Ask) -> Option<Answer> {
        let told = self.session.require(ask).await;
        self.seen.borrow_mut().beside += 1;
        told.map_err(|fault| self.fault(fault)).ok()
    }

    /// When work that is made of several requests begins.
    pub(crate) fn start(&mut self) -> Instant {
        self.intended.take().unwrap_or_else(Instant::now)
    }

    /// Work of several requests is done.
    pub(crate) fn done(&mut self, label: &'static str, started: Instant, sent_bytes: u64, received_bytes: u64) {
        self.seen.borrow_mut().add(label, started.elapsed(), sent_bytes, received_bytes);
    }

    /// Something was not as expected.
    pub(crate) fn fault(&mut self, fault: String) {
        self.seen.borrow_mut().fault(fault);
    }

    /// Whether the run's time is over.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }
}

/// Does the work, given its number, until a limit is reached.
///
/// # Errors
/// This program itself cannot run.
pub(crate) fn run(
    client: &Arc<Client>,
    limits: &Limits,
    work: impl AsyncFn(&mut Worker, u64) + Sync,
) -> Result<Seen, String> {
    let next = AtomicU64::new(0);
    let started = Instant::now();
    let threads = limits.threads.clamp(1, limits.connections.max(1));
    let share =
        |thread: usize| limits.connections.max(1) / threads + usize::from(thread < limits.connections % threads);
    let run_thread = |thread: usize| -> Result<Seen, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let seen = Rc::new(RefCell::new(Seen::default()));
        let workers = (0..share(thread)).map(|_| drive(client, limits, started, &next, &seen, &work));
        runtime.block_on(join_all(workers));
        Ok(seen.take())
    };
    let mut all = std::thread::scope(|scope| {
        let run_thread = &run_thread;
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run_thread(thread))).collect();
        let mut all = Seen::default();
        for thread in running {
            all.merge(thread.join().map_err(|_| "a thread of davload panicked".to_owned())??);
        }
        Ok::<Seen, String>(all)
    })?;
    all.seconds = started.elapsed().as_secs_f64();
    Ok(all)
}

async fn drive(
    client: &Arc<Client>,
    limits: &Limits,
    started: Instant,
    next: &AtomicU64,
    seen: &Rc<RefCell<Seen>>,
    work: &impl AsyncFn(&mut Worker, u64),
) {
    let until = started + Duration::from_secs_f64(limits.seconds);
    let session = Session::new(Arc::clone(client));
    let mut worker = Worker { session, seen: Rc::clone(seen), intended: None, until };
    while !worker.is_over() {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= limits.requests {
            break;
        }
        if let Some(rate) = limits.rate {
            let intended = started + Duration::from_secs_f64(number as f64 / rate);
            if intended >= until {
                break;
            }
            worker.intended = wait_for(intended).await;
        }
        work(&mut worker, number).await;
    }
    seen.borrow_mut().connections += worker.session.connections;
}

/// Waits; the moment from which the latency counts, unless that is when the request is really sent.
async fn wait_for(intended: Instant) -> Option<Instant> {
    if Instant::now() < intended {
        tokio::time::sleep_until(intended.into()).await;
    }
    (intended.elapsed() > TIMER_SLACK).then_some(intended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::served::Served;

    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    #[test]
    fn a_run_ends_at_its_number_of_requests() {
        let server = Served::answers(|_| OK.into());
        let limits = Limits { threads: 2, ..Limits::of_requests(100, 3) };
        let ask = Ask::new("GET", "/").expect_bytes(5);
        let seen = run(&server.client(), &limits, async |worker, _| drop(worker.ask("get", &ask).await)).unwrap();
        assert_eq!((seen.count("get"), seen.unexpected(), seen.connections), (100, 0, 3));
        assert_eq!(seen.received_bytes("get"), 500);
    }

    #[test]
    fn unexpected_answers_are_told_by_kind() {
        let server = Served::answers(|number| match number % 2 {
            0 => OK.into(),
            _ => "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".into(),
        });
        let ask = Ask::new("GET", "/").expect_bytes(5);
        let limits = Limits::of_requests(10, 1);
        let seen = run(&server.client(), &limits, async |worker, _| drop(worker.ask("get", &ask).await)).unwrap();
        assert_eq!(seen.faults().collect::<Vec<_>>(), [("status 500, expected 200", 5)]);
    }

    #[test]
    fn a_stall_is_seen_by_all_who_would_have_asked_meanwhile() {
        let server = Served::answers(|number| {
            if number == 5 {
                std::thread::sleep(Duration::from_millis(300));
            }
            OK.into()
        });
        let ask = Ask::new("GET", "/");
        let limits = Limits { rate: Some(100.0), ..Limits::of_requests(60, 1) };
        let seen = run(&server.client(), &limits, async |worker, _| drop(worker.ask("get", &ask).await)).unwrap();
        let latencies = seen.latencies("get").unwrap();
        // About thirty requests were due during the stall; a closed loop would have seen it once.
        assert!(latencies.percentile(0.7) > 50_000, "p70 is {} µs", latencies.percentile(0.7));
        assert!(latencies.percentile(0.05) < 50_000, "p5 is {} µs", latencies.percentile(0.05));
    }

    #[test]
    fn a_connection_that_the_server_closes_is_opened_anew() {
        let server =
            Served::answers(|_| "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello".into());
        let ask = Ask::new("GET", "/").expect_bytes(5);
        let limits = Limits::of_requests(7, 1);
        let seen = run(&server.client(), &limits, async |worker, _| drop(worker.ask("get", &ask).await)).unwrap();
        assert_eq!((seen.count("get"), seen.unexpected(), seen.connections), (7, 0, 7));
    }

    #[test]
    fn a_server_that_is_not_there_is_told() {
        let address = Served::answers(|_| OK.into()).client().address.clone();
        let gone = Arc::new(Client { address: "127.0.0.1:1".to_owned(), ..Served::plain(&address) });
        let ask = Ask::new("GET", "/");
        let seen = run(&gone, &Limits::of_requests(2, 1), async |worker, _| drop(worker.ask("get", &ask).await));
        assert_eq!(seen.unwrap().unexpected(), 2);
    }
}
