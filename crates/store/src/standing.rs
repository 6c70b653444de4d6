//! Log-ins that outlive a request: whether who logged in may still be here, and tokens that stand for a log-in once.

use std::collections::{HashMap, HashSet};

use crate::account::{ACCOUNT_COLUMNS, Account, account_columns, account_of};
use crate::error::Error;
use crate::node::{AccountId, DeviceId};
use crate::space::Space;
use crate::sql::{Sql, Value};
use crate::tx::Tx;

/// Tokens of one account that wait to be used; beyond it, the oldest goes.
const TOKENS_MAX: u64 = 16;

/// Who may be here at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Enabled accounts, with the hash of their password.
    pub accounts: HashMap<AccountId, Option<String>>,
    /// Devices of enabled accounts that are not to be wiped.
    pub devices: HashSet<DeviceId>,
}

impl Space {
    /// Who may be here now.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn standing(&self) -> Result<Standing, Error> {
        let mut standing = Standing::default();
        let mut reader = self.core().reader().await?;
        for row in reader.all(ENABLED, &[]).await? {
            standing.accounts.insert(AccountId(row.int(0)?), row.maybe_text(1)?);
        }
        for row in reader.all(DEVICES, &[]).await? {
            standing.devices.insert(DeviceId(row.int(0)?));
        }
        Ok(standing)
    }

    /// Lets whoever sends the token that has this hash be `account`, once, within `lifetime_seconds`.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::ReadOnly`].
    pub async fn add_pre_auth(
        &self,
        token_hash: [u8; 32],
        account: AccountId,
        device: Option<DeviceId>,
        lifetime_seconds: i64,
    ) -> Result<(), Error> {
        let new = [token_hash.as_slice().into(), account.into(), device.map(|device| device.0).into()];
        self.core().write(move |tx| Box::pin(add_pre_auth(tx, account, new, lifetime_seconds))).await
    }

    /// Who the token with this hash stands for; it stands for nobody afterwards.
    ///
    /// # Errors
    /// [`Error::NotFound`]: it never did, does no longer, or its account or device may not be here any more.
    pub async fn take_pre_auth(&self, token_hash: [u8; 32]) -> Result<(Account, Option<DeviceId>), Error> {
        let hash = token_hash;
        let now = self.ports().clock.now();
        // Guesses are told so without a commit.
        let found = self.core().reader().await?.maybe(FIND, &[hash.as_slice().into(), now.into()]).await?;
        let row = found.ok_or(Error::NotFound)?;
        let (account, device) = (account_of(&row)?, row.maybe_int(ACCOUNT_COLUMNS)?.map(DeviceId));
        let taken = self.core().write(move |tx| Box::pin(async move { tx.run(TAKE, &[hash.as_slice().into()]).await }));
        // Two at once: one takes it, the other finds it gone.
        if taken.await? == 1 { Ok((account, device)) } else { Err(Error::NotFound) }
    }
}

async fn add_pre_auth(tx: &mut Tx, account: AccountId, new: [Value; 3], lifetime_seconds: i64) -> Result<(), Error> {
    tx.run(EXPIRE, &[tx.now().into()]).await?;
    if tx.row(COUNT, &[account.into()]).await?.count(0)? >= TOKENS_MAX {
        tx.run(DROP_OLDEST, &[account.into()]).await?;
    }
    let [hash, account, device] = new;
    tx.one(ADD, &[hash, account, device, tx.now().plus_seconds(lifetime_seconds).into()]).await
}

const ENABLED: Sql = Sql("SELECT id, password_hash FROM account WHERE space_id = $1 AND is_enabled = 1");

const DEVICES: Sql = Sql("SELECT device.id
       FROM device JOIN account ON account.space_id = $1 AND account.id = device.account_id AND account.is_enabled = 1
      WHERE device.space_id = $1 AND device.is_wiped = 0");

const EXPIRE: Sql = Sql("DELETE FROM pre_auth WHERE space_id = $1 AND expires_us <= $2");

const COUNT: Sql = Sql("SELECT COUNT(*) FROM pre_auth WHERE space_id = $1 AND account_id = $2");

const DROP_OLDEST: Sql = Sql("DELETE FROM pre_auth WHERE space_id = $1 AND token_hash = (
            SELECT token_hash FROM pre_auth WHERE space_id = $1 AND account_id = $2 ORDER BY expires_us LIMIT 1)");

const ADD: Sql = Sql("INSERT INTO pre_auth (space_id, token_hash, account_id, device_id, expires_us)
     VALUES ($1, $2, $3, $4, $5)");

const FIND: Sql = Sql(concat!(
    "SELECT ",
    account_columns!(),
    ", pre_auth.device_id
       FROM pre_auth
       JOIN account ON account.space_id = $1 AND account.id = pre_auth.account_id AND account.is_enabled = 1
      WHERE pre_auth.space_id = $1 AND token_hash = $2 AND expires_us > $3
        AND (device_id IS NULL OR EXISTS (
            SELECT device.id FROM device
             WHERE device.space_id = $1 AND device.id = pre_auth.device_id AND device.is_wiped = 0))"
));

const TAKE: Sql = Sql("DELETE FROM pre_auth WHERE space_id = $1 AND token_hash = $2");

/// What an account leaves when it goes.
pub(crate) const FORGET: Sql = Sql("DELETE FROM pre_auth WHERE space_id = $1 AND account_id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[ENABLED, DEVICES, EXPIRE, COUNT, DROP_OLDEST, ADD, FIND, TAKE, FORGET];
