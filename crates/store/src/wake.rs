//! What moved, between the servers that share a PostgreSQL database: LISTEN and NOTIFY on one channel, one connection a
//! server. A notice is `SERVER SPACE FLAGS FOLDER.ETAG.KIND … nACCOUNT …`.
//!
//! Notices go out after the commit, those of several commits in one statement. Inside of it they would be safer from a
//! crash between the two, but PostgreSQL holds one lock for the whole database from a NOTIFY to the end of the commit:
//! no two spaces could sync at once. What a crash swallows is made up for when the server is back: it tells all others
//! to look again ([`Wakes::queue_loss`]).

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgNotification};
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::error::Error;
use crate::events::Waiting;
use crate::moved::{Move, Moved};
use crate::node::{AccountId, Etag, FileId};

const CHANNEL: &str = "nichoir";
/// PostgreSQL takes 8000.
const NOTICE_BYTES_MAX: usize = 7_900;
/// Between two tries to reach the database.
const PAUSE: Duration = Duration::from_secs(1);
/// How long nothing is heard before the connection is asked whether it is alive, and how long it may take to say so. What was
/// revoked elsewhere counts here by then, even if a firewall forgot the connection without a word.
const QUIET: Duration = Duration::from_secs(5);

// Not in the common dialect, and never run on SQLite.
const NOTIFY: &str = "SELECT pg_notify($1, notice) FROM unnest($2::TEXT[]) AS notice";

// The planner knows a table by its statistics, which PostgreSQL takes anew once a minute at best: until then it takes a young
// table for empty, and goes through the whole of it where an index would do.
const ANALYZE: &str = "ANALYZE node, content, piece, version, change_log";
/// After so many changes that this server has made the statistics are taken for the first time, then after twice as many each time.
const CHANGES_BEFORE_ANALYZE: u64 = 256;

/// A notice that came in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// This moved in that space.
    Moved(i64, Moved),
    /// Anything may have moved.
    Loss,
}

/// The way out.
#[derive(Debug)]
pub(crate) struct Wakes {
    pool: PgPool,
    /// Tells the notices of this server from those of others.
    server: String,
    queue: Mutex<Queue>,
    /// Changes of this server.
    changes: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Waiting,
    is_sending: bool,
}

impl Wakes {
    pub(crate) fn new(pool: PgPool, server: String) -> Wakes {
        Wakes { pool, server, queue: Mutex::default(), changes: AtomicU64::new(0) }
    }

    /// Tells the other servers, soon, that this moved.
    pub(crate) fn queue(self: &Arc<Self>, space: i64, moved: &Moved) {
        self.add(|waiting| waiting.add(space, moved));
        let changes = self.changes.fetch_add(1, Ordering::Relaxed) + 1;
        if changes >= CHANGES_BEFORE_ANALYZE && changes.is_power_of_two() {
            tokio::spawn(Arc::clone(self).analyze());
        }
    }

    async fn analyze(self: Arc<Self>) {
        if let Err(error) = sqlx::query(ANALYZE).execute(&self.pool).await {
            debug!(%error, "PostgreSQL's statistics are not taken");
        }
    }

    /// Tells the other servers, soon, that they may have missed something.
    pub(crate) fn queue_loss(self: &Arc<Self>) {
        self.add(|waiting| waiting.is_cut = true);
    }

    fn add(self: &Arc<Self>, add: impl FnOnce(&mut Waiting)) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        add(&mut queue.waiting);
        if !std::mem::replace(&mut queue.is_sending, true) {
            tokio::spawn(Arc::clone(self).send_all());
        }
    }

    /// Sends until nothing waits. While one statement is under way, the next is gathered.
    async fn send_all(self: Arc<Self>) {
        let mut has_warned = false;
        while let Some(waiting) = self.take_or_stop() {
            let sent = self.send(&waiting).await;
            let Err(error) = sent else { continue };
            if !std::mem::replace(&mut has_warned, true) {
                warn!(%error, "other servers could not be told of changes; it is tried again");
            }
            self.queue.lock().unwrap_or_else(PoisonError::into_inner).waiting.add_all(&waiting);
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn take_or_stop(&self) -> Option<Waiting> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.is_sending = !queue.waiting.is_empty();
        queue.is_sending.then(|| std::mem::take(&mut queue.waiting))
    }

    async fn send(&self, waiting: &Waiting) -> Result<(), Error> {
        let loss = waiting.is_cut.then(|| self.server.clone());
        let notices: Vec<String> =
            loss.into_iter().chain(waiting.spaces.iter().map(|(space, moved)| self.text(*space, moved))).collect();
        sqlx::query(NOTIFY).bind(CHANNEL).bind(notices).execute(&self.pool).await?;
        Ok(())
    }

    /// Before the process ends: sends what waits, once.
    pub(crate) async fn flush(&self) {
        let waiting = std::mem::take(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner).waiting);
        if !waiting.is_empty()
            && let Err(error) = self.send(&waiting).await
        {
            warn!(%error, "other servers could not be told of the last changes");
        }
    }

    fn text(&self, space: i64, moved: &Moved) -> String {
        let flags = [(moved.is_cut, 'c'), (moved.has_accounts, 'a'), (moved.has_activity, 'v')];
        let flags: String = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).collect();
        let mut text = format!("{} {space} {}", self.server, if flags.is_empty() { "-" } else { &flags });
        for account in &moved.notified {
            let _ = write!(text, " n{account}");
        }
        for (folder, step) in &moved.folders {
            let kind = u8::from(step.has_members) + 2 * u8::from(step.has_properties);
            // Writing into a String cannot fail.
            let _ = write!(text, " {}.{}.{kind}", folder.0, step.etag.0);
            if text.len() > NOTICE_BYTES_MAX {
                break;
            }
        }
        if text.len() > NOTICE_BYTES_MAX {
            return self.text(space, &Moved { has_accounts: moved.has_accounts, ..Moved::all() });
        }
        text
    }

    /// Hears the other servers for as long as `tell` says so.
    pub(crate) fn listen<F: Fn(Wake) -> bool>(&self, tell: F) -> impl Future<Output = ()> + use<F> {
        listen(self.pool.clone(), self.server.clone(), tell)
    }
}

async fn listen(pool: PgPool, server: String, tell: impl Fn(Wake) -> bool) {
    loop {
        if let Ok(mut listener) = listening(&pool).await {
            // What was said before is not known.
            if !tell(Wake::Loss) {
                return;
            }
            while let Ok(heard) = hear(&mut listener).await {
                let wake = heard.and_then(|notice| parse(notice.payload(), &server));
                if wake.is_some_and(|wake| !tell(wake)) {
                    return;
                }
            }
            warn!("the connection on which other servers are heard was lost");
            // Since when is not known.
            if !tell(Wake::Loss) {
                return;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The next notice; `None` if there is none, on a connection that is alive.
async fn hear(listener: &mut PgListener) -> Result<Option<PgNotification>, Error> {
    let lost = || Error::unavailable("the connection is lost");
    if let Ok(notice) = timeout(QUIET, listener.try_recv()).await {
        return notice?.ok_or_else(lost).map(Some);
    }
    timeout(QUIET, sqlx::query("SELECT 1").execute(listener)).await.map_err(|_| lost())??;
    Ok(None)
}

async fn listening(pool: &PgPool) -> Result<PgListener, Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// What a notice says; `None`: it is one of `server`'s own. One that cannot be read is one that was lost.
fn parse(notice: &str, server: &str) -> Option<Wake> {
    let mut words = notice.split(' ');
    if words.next() == Some(server) {
        return None;
    }
    Some(parse_rest(words).map_or(Wake::Loss, |(space, moved)| Wake::Moved(space, moved)))
}

fn parse_rest<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<(i64, Moved)> {
    let space = words.next()?.parse().ok()?;
    let flags = words.next()?;
    let mut moved = Moved {
        is_cut: flags.contains('c'),
        has_accounts: flags.contains('a'),
        has_activity: flags.contains('v'),
        ..Moved::default()
    };
    for word in words {
        if let Some(account) = word.strip_prefix('n') {
            moved.notified.insert(AccountId(account.parse().ok()?));
            continue;
        }
        let mut numbers = word.split('.').map(|number| number.parse::<i64>().ok());
        let (folder, etag, kind) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let step = Move {
            etag: Etag(etag),
            has_members: kind & 1 != 0,
            has_properties: kind & 2 != 0,
            quiet: None,
            is_replacement: false,
        };
        moved.add(FileId(folder), step);
    }
    Some((space, moved))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wakes() -> Wakes {
        let pool = PgPool::connect_lazy("postgres://nobody@127.0.0.1:1/none").unwrap();
        Wakes::new(pool, "here".to_owned())
    }

    fn moved(folders: i64) -> Moved {
        let notified = [AccountId(3), AccountId(folders)].into();
        let mut moved = Moved { has_accounts: true, has_activity: true, notified, ..Moved::default() };
        for folder in 0..folders {
            let step = Move {
                etag: Etag(folder * 10),
                has_members: folder % 2 == 0,
                has_properties: true,
                quiet: None,
                is_replacement: false,
            };
            moved.add(FileId(folder), step);
        }
        moved
    }

    #[tokio::test]
    async fn a_notice_arrives_as_it_was_sent() {
        for told in [moved(0), moved(1), moved(100), Moved::all()] {
            assert_eq!(parse(&wakes().text(7, &told), "elsewhere"), Some(Wake::Moved(7, told)));
        }
    }

    #[tokio::test]
    async fn one_that_is_too_long_says_that_everything_moved() {
        let text = wakes().text(7, &moved(2_000));
        assert!(text.len() < 8_000);
        let Some(Wake::Moved(7, told)) = parse(&text, "elsewhere") else { panic!("{text}") };
        assert!(told.is_cut && told.has_accounts && told.folders.is_empty());
    }

    #[tokio::test]
    async fn a_server_does_not_hear_itself() {
        assert_eq!(parse(&wakes().text(7, &moved(1)), "here"), None);
        assert_eq!(parse("here", "here"), None);
    }

    #[test]
    fn what_cannot_be_read_was_lost() {
        for notice in ["there", "there x -", "there 7", "there 7 - 1.2", "there 7 - 1.x.3", "there 7 - nx"] {
            assert_eq!(parse(notice, "here"), Some(Wake::Loss), "{notice}");
        }
    }
}
