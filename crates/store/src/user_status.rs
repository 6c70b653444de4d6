//! The status of accounts: here, away, with a few words. Nothing runs when one lapses: it is seen when somebody looks.

use crate::error::Error;
use crate::node::AccountId;
use crate::ports::Timestamp;
use crate::space::Space;
use crate::sql::{Row, Sql, Value};

/// A status of its own that an account has set, or that its client reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserStatus {
    /// Whose.
    pub account: AccountId,
    /// `online`, `away`, `dnd`, `busy`, `invisible` or `offline`.
    pub status: String,
    /// Whether it was set by the person, not reported by a client.
    pub is_user_defined: bool,
    /// Which of the predefined messages.
    pub message_id: Option<String>,
    /// A message of her own.
    pub message: Option<String>,
    /// An emoji.
    pub icon: Option<String>,
    /// When the message lapses.
    pub clear: Option<Timestamp>,
    /// When the status was set or last reported.
    pub set: Timestamp,
}

impl Space {
    /// The statuses that were ever set, of enabled accounts, as they were set.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn user_statuses(&self) -> Result<Vec<UserStatus>, Error> {
        self.core().reader().await?.all(ALL, &[]).await?.iter().map(status_of).collect()
    }

    /// The status of one account, as it was set.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn user_status(&self, account: AccountId) -> Result<Option<UserStatus>, Error> {
        let row = self.core().reader().await?.maybe(ONE, &[account.into()]).await?;
        row.as_ref().map(status_of).transpose()
    }

    /// Sets the status of an account.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::ReadOnly`].
    pub async fn set_user_status(&self, status: UserStatus) -> Result<(), Error> {
        let args: [Value; 8] = [
            status.account.into(),
            status.status.into(),
            status.is_user_defined.into(),
            status.message_id.into(),
            status.message.into(),
            status.icon.into(),
            status.clear.map(|instant| instant.0).into(),
            status.set.into(),
        ];
        self.core().write(move |tx| Box::pin(async move { tx.run(SET, &args).await.map(drop) })).await
    }
}

fn status_of(row: &Row) -> Result<UserStatus, Error> {
    Ok(UserStatus {
        account: AccountId(row.int(0)?),
        status: row.text(1)?,
        is_user_defined: row.truth(2)?,
        message_id: row.maybe_text(3)?,
        message: row.maybe_text(4)?,
        icon: row.maybe_text(5)?,
        clear: row.maybe_int(6)?.map(Timestamp),
        set: Timestamp(row.int(7)?),
    })
}

const ALL: Sql = Sql("SELECT account_id, status, is_user_defined, message_id, message, icon, clear_us, set_us
       FROM user_status
       JOIN account ON account.space_id = $1 AND account.id = user_status.account_id AND account.is_enabled = 1
      WHERE user_status.space_id = $1 ORDER BY account_id");

const ONE: Sql = Sql("SELECT account_id, status, is_user_defined, message_id, message, icon, clear_us, set_us
       FROM user_status WHERE space_id = $1 AND account_id = $2");

const SET: Sql = Sql("INSERT INTO user_status
            (space_id, account_id, status, is_user_defined, message_id, message, icon, clear_us, set_us)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (space_id, account_id) DO UPDATE
        SET status = excluded.status, is_user_defined = excluded.is_user_defined, message_id = excluded.message_id,
            message = excluded.message, icon = excluded.icon, clear_us = excluded.clear_us, set_us = excluded.set_us");

/// What an account leaves when it goes.
pub(crate) const FORGET: Sql = Sql("DELETE FROM user_status WHERE space_id = $1 AND account_id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[ALL, ONE, SET, FORGET];
