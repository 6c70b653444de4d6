//! Scheduling messages for people outside of the space (RFC 6047): queued in the transaction that caused them, taken by
//! whoever sends mail.
//!
//! The catalogue says of each space whether anything may be queued, so that a space without mail is not opened to look: set
//! before a change that queues is committed, cleared in a turn of the space's writer that finds nothing.

use crate::error::Error;
use crate::node::AccountId;
use crate::ports::Timestamp;
use crate::reach::was_used;
use crate::space::Space;
use crate::sql::Sql;
use crate::store::Store;
use crate::tx::Tx;

/// A message to be queued.
#[derive(Clone, Debug)]
pub struct NewOutgoing {
    /// On whose behalf.
    pub account: AccountId,
    /// The calendar user address that it goes to, such as `mailto:someone@example.org`.
    pub recipient: String,
    /// The iTIP method, such as `REQUEST`.
    pub method: String,
    /// The iTIP message, an iCalendar object.
    pub body: Vec<u8>,
}

/// A queued message.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its number.
    pub id: i64,
    /// What was queued.
    pub message: NewOutgoing,
    /// When it was queued.
    pub queued: Timestamp,
    /// How often it was tried in vain.
    pub attempts: u64,
}

impl Space {
    /// Messages that are due, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn outgoing_messages(&self, limit: u64) -> Result<Vec<Outgoing>, Error> {
        let now = self.core().ports.clock.now();
        let rows = self.core().reader().await?.all(DUE, &[now.into(), limit.into()]).await?;
        rows.iter()
            .map(|row| {
                let message = NewOutgoing {
                    account: AccountId(row.int(1)?),
                    recipient: row.text(2)?,
                    method: row.text(3)?,
                    body: row.bytes(4)?,
                };
                Ok(Outgoing { id: row.int(0)?, message, queued: Timestamp(row.int(5)?), attempts: row.count(6)? })
            })
            .collect()
    }

    /// Takes a message off the queue: it was sent, or given up.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::ReadOnly`].
    pub async fn complete_outgoing(&self, id: i64) -> Result<(), Error> {
        self.core().write(move |tx| Box::pin(async move { tx.run(COMPLETE, &[id.into()]).await.map(drop) })).await
    }

    /// Counts a try of a message and leaves it for `due`, before it is made: says whether it is this caller's to make.
    /// It is not if somebody else has tried it since it was read.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::ReadOnly`].
    pub async fn claim_outgoing(&self, message: &Outgoing, due: Timestamp) -> Result<bool, Error> {
        let args = [message.id.into(), due.into(), message.attempts.into()];
        let claimed = self.core().write(move |tx| Box::pin(async move { tx.run(CLAIM, &args).await })).await?;
        Ok(claimed > 0)
    }

    /// Leaves a message for later without a try.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::ReadOnly`].
    pub async fn postpone_outgoing(&self, id: i64, due: Timestamp) -> Result<(), Error> {
        self.core()
            .write(move |tx| Box::pin(async move { tx.run(POSTPONE, &[id.into(), due.into()]).await.map(drop) }))
            .await
    }

    /// When the next message is due, which may be in the past; `None`: nothing is queued.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn next_outgoing(&self) -> Result<Option<Timestamp>, Error> {
        Ok(self.core().reader().await?.row(NEXT, &[]).await?.maybe_int(0)?.map(Timestamp))
    }

    /// Notes that nothing is queued, if that is so.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::ReadOnly`].
    pub async fn settle_outgoing(&self) -> Result<(), Error> {
        self.core().write(|tx| Box::pin(settle(tx))).await
    }
}

impl Store {
    /// The spaces in which messages may be queued, or were until lately.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn spaces_with_outgoing(&self) -> Result<Vec<Space>, Error> {
        let mut found = Vec::new();
        for row in self.control().all_of(WITH_OUTGOING, &[]).await? {
            match self.space_numbered(row.int(0)?).await {
                Ok(space) if was_used(space.core()).await => found.push(space),
                Ok(_) | Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

async fn settle(tx: &mut Tx) -> Result<(), Error> {
    tx.beside_the_tree += 1;
    match tx.row(NEXT, &[]).await?.maybe_int(0)? {
        None => tx.in_catalogue(SETTLE, &[]).await,
        Some(_) => Ok(()),
    }
}

/// Queues a message in the change under way.
pub(crate) async fn queue(tx: &mut Tx, message: NewOutgoing) -> Result<(), Error> {
    let args = [
        tx.fresh_id().into(),
        message.account.into(),
        message.recipient.into(),
        message.method.into(),
        message.body.as_slice().into(),
        tx.now().into(),
    ];
    tx.has_outgoing = true;
    tx.in_catalogue(EXPECT, &[]).await?;
    tx.one(QUEUE, &args).await
}

const DUE: Sql = Sql("SELECT id, account_id, recipient, method, body, queued_us, attempts FROM outgoing_message
      WHERE space_id = $1 AND due_us <= $2 ORDER BY due_us, id LIMIT $3");

const COMPLETE: Sql = Sql("DELETE FROM outgoing_message WHERE space_id = $1 AND id = $2");

const CLAIM: Sql = Sql("UPDATE outgoing_message SET due_us = $3, attempts = attempts + 1
      WHERE space_id = $1 AND id = $2 AND attempts = $4");

const POSTPONE: Sql = Sql("UPDATE outgoing_message SET due_us = $3 WHERE space_id = $1 AND id = $2");

const NEXT: Sql = Sql("SELECT MIN(due_us) FROM outgoing_message WHERE space_id = $1");

const QUEUE: Sql =
    Sql("INSERT INTO outgoing_message (space_id, id, account_id, recipient, method, body, queued_us, due_us,
                                   attempts)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 0)");

const EXPECT: Sql = Sql("UPDATE space SET has_outgoing = 1 WHERE id = $1 AND has_outgoing = 0");

const SETTLE: Sql = Sql("UPDATE space SET has_outgoing = 0 WHERE id = $1");

const WITH_OUTGOING: Sql = Sql("SELECT id FROM space WHERE has_outgoing = 1 ORDER BY id");

/// The statements about the catalogue.
pub(crate) const CONTROL_STATEMENTS: &[Sql] = &[EXPECT, SETTLE, WITH_OUTGOING];

/// What an account leaves when it goes.
pub(crate) const FORGET: Sql = Sql("DELETE FROM outgoing_message WHERE space_id = $1 AND account_id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[DUE, COMPLETE, CLAIM, POSTPONE, NEXT, QUEUE, FORGET];
