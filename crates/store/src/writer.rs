//! The space's writer: changes wait in a queue, run one after the other, all but the first of a group in savepoints,
//! and those waiting together are committed by one sync. Promises 1, 2 and 5 of the design hang here.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};

use crate::error::Error;
use crate::member_quota;
use crate::space::SpaceCore;
use crate::sql::{self, Connection};
use crate::turn::without_turn;
use crate::tx::Tx;

/// A future that a change runs in.
pub(crate) type Running<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;

/// A change with the way back to whoever waits for it.
pub(crate) trait Job: Send {
    /// Runs the change; the answer is given later, when the group's commit is known. Returns whether the change
    /// is to be kept, and how to answer.
    fn run<'t>(self: Box<Self>, tx: &'t mut Tx) -> Running<'t, (bool, Answer)>;
    /// Answers without running.
    fn refuse(self: Box<Self>, error: Error);
}

/// Tells the waiting caller; `Err` when the commit failed.
pub(crate) type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;

struct JobOf<F, T> {
    work: F,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<F, T> Job for JobOf<F, T>
where
    F: for<'t> FnOnce(&'t mut Tx) -> Running<'t, Result<T, Error>> + Send + 'static,
    T: Send + 'static,
{
    fn run<'t>(self: Box<Self>, tx: &'t mut Tx) -> Running<'t, (bool, Answer)> {
        let JobOf { work, reply } = *self;
        Box::pin(async move {
            let checked = async {
                let outcome = work(tx).await?;
                member_quota::check(tx).await?;
                Ok(outcome)
            };
            // What it left behind in `tx` and in the database is undone with it, as after an error.
            let outcome = AssertUnwindSafe(checked).catch_unwind().await.unwrap_or_else(|_| {
                error!("a change panicked; nothing of it is kept");
                Err(Error::Panicked)
            });
            let is_kept = outcome.is_ok();
            let answer: Answer = Box::new(move |committed| {
                let _ = reply.send(outcome.and_then(|outcome| committed.map(|()| outcome)));
            });
            (is_kept, answer)
        })
    }

    fn refuse(self: Box<Self>, error: Error) {
        let _ = self.reply.send(Err(error));
    }
}

/// The entrance to a space's queue.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    /// Starts the writer of `core`; it ends, closing its connection, when every entrance is dropped.
    pub(crate) fn start(core: Arc<SpaceCore>) -> (Writer, tokio::task::JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(core.limits.queued_changes_max);
        (Writer { queue }, tokio::spawn(serve(core, waiting)))
    }

    /// Queues `work` and waits, out of turn, until it is committed.
    pub(crate) async fn submit<F, T>(&self, work: F) -> Result<T, Error>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> Running<'t, Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, outcome) = oneshot::channel();
        self.queue.try_send(Box::new(JobOf { work, reply })).map_err(|_| Error::Busy)?;
        without_turn(outcome).await.map_err(|_| Error::unavailable("the space's writer is gone"))?
    }
}

/// What the writer has to itself.
struct Desk {
    core: Arc<SpaceCore>,
    connection: Option<Connection>,
    waiting: mpsc::Receiver<Box<dyn Job>>,
}

async fn serve(core: Arc<SpaceCore>, waiting: mpsc::Receiver<Box<dyn Job>>) {
    let mut desk = Desk { core, connection: None, waiting };
    while let Some(first) = desk.waiting.recv().await {
        // A commit waits for the disk: on SQLite, which is called in place, that is no place for a thread that serves requests.
        let core = Arc::clone(&desk.core);
        match core.aside(Box::pin(desk.work_off(first))).await {
            Ok(left) => desk = left,
            Err(error) => {
                error!(space.id = core.id, %error, "the space's writer is gone");
                return;
            }
        }
    }
    if let Some(connection) = desk.connection {
        connection.close().await;
    }
}

impl Desk {
    /// One group after the other, as long as somebody waits.
    async fn work_off(mut self, first: Box<dyn Job>) -> Result<Desk, Error> {
        let mut next = Some(first);
        while let Some(first) = next {
            self.group_of(first).await;
            next = self.waiting.try_recv().ok();
        }
        Ok(self)
    }

    async fn group_of(&mut self, first: Box<dyn Job>) {
        if self.core.is_read_only.load(Ordering::SeqCst) {
            first.refuse(Error::ReadOnly);
            return;
        }
        let ready = match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.core.connect_aside().await,
        };
        match ready {
            Ok(ready) => {
                let grouped = group(&self.core, ready, first, &mut self.waiting);
                // Whoever waits for an answer is told by its absence; the connection is gone, and with it what was not committed.
                self.connection = AssertUnwindSafe(grouped).catch_unwind().await.unwrap_or_else(|_| {
                    error!(space.id = self.core.id, "the space's writer panicked; it goes on with another connection");
                    // As far as is known here, all of it may have been committed.
                    self.core.changed_outside();
                    self.core.recent().forget();
                    None
                });
            }
            Err(error) => first.refuse(error),
        }
    }
}

/// Runs `first` and whatever waits behind it, commits once, answers all. Returns the connection if it is still good.
async fn group(
    core: &Arc<SpaceCore>,
    connection: Connection,
    first: Box<dyn Job>,
    waiting: &mut mpsc::Receiver<Box<dyn Job>>,
) -> Option<Connection> {
    let mut tx = match Tx::begin(connection, Arc::clone(core), core.quota_bytes()).await {
        Ok(tx) => tx,
        Err((_, error)) => {
            first.refuse(error);
            return None;
        }
    };
    // The first needs no savepoint: if it is not to be kept, nothing is.
    let (is_kept, answer) = first.run(&mut tx).await;
    if !is_kept {
        let undone = tx.connection.script("ROLLBACK").await;
        answer(Ok(()));
        return undone.is_ok().then_some(tx.connection).filter(Connection::is_own);
    }
    let mut answers = vec![answer];
    let mut is_sound = true;
    while answers.len() < core.limits.group_changes_max {
        let Ok(job) = waiting.try_recv() else { break };
        match run_one(&mut tx, job, answers.len() > 1).await {
            Ok(answer) => answers.push(answer),
            Err((answer, error)) => {
                warn!(space.id = core.id, %error, "a change could not be undone alone; the whole group is rolled back");
                answers.push(answer);
                is_sound = false;
                break;
            }
        }
    }
    let committed =
        if is_sound { tx.commit(answers.len()).await } else { Err(Error::unavailable("the group was rolled back")) };
    core.note_outside().await;
    // That a device was used moves no node: with many devices, what polls ask for would be forgotten again and again.
    if tx.beside_the_tree < answers.len() {
        core.after_commit();
    }
    if tx.has_accounts {
        core.forget_log_ins();
    }
    // A commit that failed may have been carried out nevertheless.
    core.tell(&tx.take_moved());
    match committed {
        Ok(()) => {
            answers.into_iter().for_each(|answer| answer(Ok(())));
            tx.connection.is_own().then_some(tx.connection)
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            if sql::is_disk_failure(&error) {
                core.is_read_only.store(true, Ordering::SeqCst);
                error!(space.id = core.id, %error, cause, "a sync failed: the space is read-only until the server is restarted");
            } else {
                warn!(space.id = core.id, %error, cause, "a group of changes was not committed");
            }
            for answer in answers {
                answer(Err(error.told_again()));
            }
            core.recent().forget();
            let _ = tx.connection.script("ROLLBACK").await;
            None
        }
    }
}

/// Runs one change of a group in a savepoint, in the place of the one of the change before, if there is one. `Err` when the
/// savepoint itself failed, so that the group cannot go on.
async fn run_one(tx: &mut Tx, job: Box<dyn Job>, has_savepoint: bool) -> Result<Answer, (Answer, Error)> {
    let (before, moved_before, news_before) = (tx.counters, tx.moved.len(), tx.news.mark());
    (tx.quiet, tx.replacing) = (None, None);
    tx.grown.clear();
    // In one round trip to PostgreSQL; the commit releases the last one.
    let begin = if has_savepoint { "RELEASE SAVEPOINT change; SAVEPOINT change" } else { "SAVEPOINT change" };
    if let Err(error) = tx.connection.script(begin).await {
        return Err((refusal(job), error));
    }
    let (is_kept, answer) = job.run(tx).await;
    if is_kept {
        return Ok(answer);
    }
    tx.counters = before;
    tx.moved.truncate(moved_before);
    tx.news.go_back(news_before);
    match tx.connection.script("ROLLBACK TO SAVEPOINT change").await {
        Ok(()) => Ok(answer),
        Err(error) => Err((answer, error)),
    }
}

fn refusal(job: Box<dyn Job>) -> Answer {
    Box::new(move |committed| job.refuse(committed.err().unwrap_or(Error::Busy)))
}
