//! The trail of a space: who signed in and from where, who failed to, and what was done to accounts, devices, groups, team folders
//! and links. For whoever runs the server: `nichoir audit`.
//!
//! An act is a row in the commit of the act itself. Sign-ins are a row for each account, device, address and day, which counts:
//! a client that synchronises all day costs no write of its own (`device.rs`). Failed ones are gathered by whoever checks
//! passwords, and come here together. Of each of the three classes a bounded number is kept, so that guesses push out no acts.

use std::net::IpAddr;
use std::sync::Arc;

use crate::error::Error;
use crate::node::AccountId;
use crate::ports::Timestamp;
use crate::space::Space;
use crate::sql::{Row, Sql, Value};
use crate::store::Store;
use crate::tx::{Asker, Tx};
use crate::upkeep;
use crate::writer::Running;

const DAY_US: i64 = 24 * 3600 * 1_000_000;
/// Characters of a text; more is cut off.
const TEXT_CHARS_MAX: usize = 200;

/// Who acts, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// The login, or what acts in its place; empty: nobody known.
    pub name: String,
    /// The device whose app password was used; empty: none.
    pub device: String,
    /// The client's address.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// The command line, which no login is called, used by whom the system names.
    pub fn command_line(user: &str) -> Actor {
        Actor { name: "(command line)".to_owned(), device: user.to_owned(), address: None }
    }
}

/// What there are rows of, each class with a bound of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    FailedSignIn = 0,
    SignIn = 1,
    Act = 2,
}

/// What was done to the space.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    kind: &'static str,
    subject: Subject,
    detail: String,
}

/// To whom or what.
#[derive(Clone, Debug)]
enum Subject {
    Account(AccountId),
    Named(String),
}

impl Act {
    pub(crate) fn on(account: AccountId, kind: &'static str, detail: impl Into<String>) -> Act {
        Act { kind, subject: Subject::Account(account), detail: detail.into() }
    }

    pub(crate) fn of(name: impl Into<String>, kind: &'static str, detail: impl Into<String>) -> Act {
        Act { kind, subject: Subject::Named(name.into()), detail: detail.into() }
    }
}

/// A failed try to sign in, or several alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FailedSignIn {
    /// The login, if there is one: what else was typed may be a password.
    pub subject: String,
    /// Why, if not for a wrong password.
    pub detail: &'static str,
    /// From where; `None`: from many addresses.
    pub address: Option<IpAddr>,
}

/// A row of the trail, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// When, or when first on that day.
    pub happened: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// How often.
    pub times: u64,
    /// What, in words.
    pub kind: String,
    /// Who did it; empty: nobody known.
    pub actor: String,
    /// To whom or what.
    pub subject: String,
    /// The device whose app password was used.
    pub device: String,
    /// The client's address.
    pub address: String,
    /// What else there is to say.
    pub detail: String,
}

impl Space {
    /// This space as the one through which `actor` acts.
    pub fn by(&self, actor: Actor) -> Space {
        Space { inner: Arc::clone(&self.inner), actor: Some(Arc::new(actor)) }
    }

    /// Runs a change of accounts, devices or groups, and writes the act down with it.
    pub(crate) async fn act_on_accounts<F, T>(&self, act: Act, work: F) -> Result<T, Error>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> Running<'t, Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        let actor = self.actor.clone();
        self.write_accounts(move |tx| Box::pin(acted(tx, actor, act, work))).await
    }

    /// The same for a change of what does not matter to log-ins.
    pub(crate) async fn act<F, T>(&self, act: Act, work: F) -> Result<T, Error>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> Running<'t, Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        let actor = self.actor.clone();
        self.core().write(move |tx| Box::pin(acted(tx, actor, act, work))).await
    }

    /// Writes failed tries down, each with how often it was made, in one commit.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn note_failed_sign_ins(&self, failed: Vec<(FailedSignIn, u64)>) -> Result<(), Error> {
        self.core().write(move |tx| Box::pin(note_failed(tx, failed))).await
    }

    /// The newest rows of the trail, newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn audit(&self, count_max: u32) -> Result<Vec<Trace>, Error> {
        let rows = self.core().reader().await?.all(NEWEST, &[i64::from(count_max).into()]).await?;
        rows.iter().map(trace_of).collect()
    }
}

impl Store {
    /// The newest rows of a space's trail, newest first: what was done to the space, and in it. Of one that is gone, what was done to it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a name that no space had.
    pub async fn audit(&self, name: &str, count_max: u32) -> Result<Vec<Trace>, Error> {
        let mut traces = self.control().acts(name, count_max).await?;
        match self.space_named(name).await {
            Ok(space) => traces.extend(space.audit(count_max).await?),
            Err(Error::NotFound) if !traces.is_empty() => {}
            Err(error) => return Err(error),
        }
        traces.sort_by_key(|trace| std::cmp::Reverse(trace.happened));
        traces.truncate(usize::try_from(count_max).unwrap_or(usize::MAX));
        Ok(traces)
    }
}

/// The act goes into the trail if it happened; whom it is about is looked up before they may be gone.
async fn acted<F, T>(tx: &mut Tx, actor: Option<Arc<Actor>>, act: Act, work: F) -> Result<T, Error>
where
    F: for<'t> FnOnce(&'t mut Tx) -> Running<'t, Result<T, Error>> + Send + 'static,
    T: Send + 'static,
{
    let subject = match act.subject {
        Subject::Named(name) => name,
        Subject::Account(id) => login_of(tx, id).await?,
    };
    let done = work(tx).await?;
    let actor = actor.as_deref().cloned().unwrap_or_default();
    write(tx, &line(Class::Act, act.kind, &actor, &subject, &act.detail)).await?;
    Ok(done)
}

/// Writes down what the asker of the change under way did.
pub(crate) async fn write_of(tx: &mut Tx, asker: &Asker, kind: &str, subject: &str, detail: &str) -> Result<(), Error> {
    let own = || Actor { name: asker.account.login.clone(), ..Actor::default() };
    let actor = asker.actor.as_deref().cloned().unwrap_or_else(own);
    write(tx, &line(Class::Act, kind, &actor, subject, detail)).await
}

/// Counts a sign-in of the account, through the device of that name where there is one.
pub(crate) async fn signed_in(tx: &mut Tx, login: &str, device: &str, address: IpAddr) -> Result<(), Error> {
    let actor = Actor { name: login.to_owned(), device: device.to_owned(), address: Some(address) };
    count(tx, &line(Class::SignIn, "signed in", &actor, login, ""), 1).await
}

/// Whether such a sign-in was counted today.
pub(crate) const IS_KNOWN_TODAY: Sql = Sql("SELECT id FROM audit
      WHERE space_id = $1 AND class = 1 AND subject = $2 AND device = $3 AND address = $4 AND happened_us >= $5 LIMIT 1");

/// The values of [`IS_KNOWN_TODAY`].
pub(crate) fn known_today(login: &str, device: &str, address: IpAddr, now: Timestamp) -> [Value; 4] {
    [cut(login).into(), cut(device).into(), address.to_string().into(), day_of(now).into()]
}

async fn note_failed(tx: &mut Tx, failed: Vec<(FailedSignIn, u64)>) -> Result<(), Error> {
    tx.beside_the_tree += 1;
    for (failed, times) in failed {
        let actor = Actor { address: failed.address, ..Actor::default() };
        let line = line(Class::FailedSignIn, "failed to sign in", &actor, &failed.subject, failed.detail);
        count(tx, &line, crate::tx::signed(times)).await?;
    }
    Ok(())
}

pub(crate) async fn login_of(tx: &mut Tx, id: AccountId) -> Result<String, Error> {
    match tx.maybe(LOGIN_OF, &[id.into()]).await? {
        Some(row) => row.text(0),
        None => Ok(String::new()),
    }
}

/// A row that is to be written: class, kind, actor, subject, device, address, detail.
struct Line {
    class: i64,
    texts: [String; 6],
}

fn line(class: Class, kind: &str, actor: &Actor, subject: &str, detail: &str) -> Line {
    let address = actor.address.map(|address| address.to_string()).unwrap_or_default();
    let texts = [kind, &actor.name, subject, &actor.device, &address, detail].map(cut);
    Line { class: class as i64, texts }
}

/// Texts come from clients, too.
fn cut(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_CHARS_MAX).collect()
}

fn day_of(now: Timestamp) -> i64 {
    now.0 - now.0.rem_euclid(DAY_US)
}

/// One more of a row of today, if there is one.
async fn count(tx: &mut Tx, line: &Line, times: i64) -> Result<(), Error> {
    let [kind, _, subject, device, address, detail] = line.texts.clone();
    let args = [
        line.class.into(),
        subject.into(),
        day_of(tx.now()).into(),
        kind.into(),
        device.into(),
        address.into(),
        detail.into(),
        times.into(),
        tx.now().into(),
    ];
    match tx.run(AGAIN, &args).await? {
        0 => insert(tx, line, times).await,
        _ => Ok(()),
    }
}

async fn write(tx: &mut Tx, line: &Line) -> Result<(), Error> {
    insert(tx, line, 1).await
}

async fn insert(tx: &mut Tx, line: &Line, times: i64) -> Result<(), Error> {
    let id = tx.row(NEXT_ID, &[]).await?.int(0)?;
    let [kind, actor, subject, device, address, detail] = line.texts.clone();
    let args = [
        id.into(),
        line.class.into(),
        kind.into(),
        actor.into(),
        subject.into(),
        device.into(),
        address.into(),
        detail.into(),
        tx.now().into(),
        times.into(),
    ];
    tx.one(INSERT, &args).await?;
    let rows_max = i64::try_from(tx.core.limits.audit_rows_max).unwrap_or(i64::MAX);
    tx.run(TRIM, &[line.class.into(), rows_max.into()]).await?;
    // It expires, whatever else happens in the space.
    upkeep::expect(tx).await
}

/// Removes what is older than it is kept.
pub(crate) async fn expire(tx: &mut Tx) -> Result<(), Error> {
    let before = Timestamp(tx.now().0 - tx.core.limits.audit_days * DAY_US);
    tx.run(EXPIRE, &[before.into()]).await.map(drop)
}

fn trace_of(row: &Row) -> Result<Trace, Error> {
    Ok(Trace {
        happened: Timestamp(row.int(0)?),
        last: Timestamp(row.int(1)?),
        times: row.count(2)?,
        kind: row.text(3)?,
        actor: row.text(4)?,
        subject: row.text(5)?,
        device: row.text(6)?,
        address: row.text(7)?,
        detail: row.text(8)?,
    })
}

const LOGIN_OF: Sql = Sql("SELECT login FROM account WHERE space_id = $1 AND id = $2");

const NEXT_ID: Sql = Sql("SELECT COALESCE(MAX(id), 0) + 1 FROM audit WHERE space_id = $1");

const INSERT: Sql = Sql("INSERT INTO audit
            (space_id, id, class, kind, actor, subject, device, address, detail, happened_us, last_us, times)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)");

const AGAIN: Sql = Sql("UPDATE audit SET times = times + $9, last_us = $10
      WHERE space_id = $1 AND class = $2 AND subject = $3 AND happened_us >= $4
        AND kind = $5 AND device = $6 AND address = $7 AND detail = $8");

const TRIM: Sql = Sql("DELETE FROM audit WHERE space_id = $1 AND class = $2 AND id <=
     (SELECT id FROM audit WHERE space_id = $1 AND class = $2 ORDER BY id DESC LIMIT 1 OFFSET $3)");

const EXPIRE: Sql = Sql("DELETE FROM audit WHERE space_id = $1 AND happened_us < $2");

const NEWEST: Sql = Sql("SELECT happened_us, last_us, times, kind, actor, subject, device, address, detail
       FROM audit WHERE space_id = $1 ORDER BY id DESC LIMIT $2");

pub(crate) const STATEMENTS: &[Sql] = &[IS_KNOWN_TODAY, LOGIN_OF, NEXT_ID, INSERT, AGAIN, TRIM, EXPIRE, NEWEST];
