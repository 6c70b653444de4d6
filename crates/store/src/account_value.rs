//! Small values kept for an account, by name: what its clients set and are told again, such as where notes are. What a value
//! means is the business of whoever keeps it.

use crate::error::Error;
use crate::sql::{Sql, Value};
use crate::tree::Tree;

impl Tree {
    /// What is kept under that name for the account; `None`: nothing.
    ///
    /// # Errors
    /// [`Error::Forbidden`] where the tree is not opened by its account; [`Error::Unavailable`].
    pub async fn account_value(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let args: [Value; 2] = [self.keeper()?, name.into()];
        let row = self.reader().await?.maybe(GET, &args).await?;
        row.map(|row| row.bytes(0)).transpose()
    }

    /// Keeps a value under that name, in place of the one before.
    ///
    /// # Errors
    /// As [`Tree::account_value`]; [`Error::ReadOnly`].
    pub async fn set_account_value(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let args: [Value; 3] = [self.keeper()?, name.into(), value.into()];
        self.core().write(move |tx| Box::pin(async move { tx.one(PUT, &args).await })).await
    }

    fn keeper(&self) -> Result<Value, Error> {
        match self.is_published() {
            true => Err(Error::Forbidden("nothing is kept for whoever has a link")),
            false => Ok(self.account.id.into()),
        }
    }
}

const GET: Sql = Sql("SELECT value FROM account_value WHERE space_id = $1 AND account_id = $2 AND name = $3");

const PUT: Sql = Sql("INSERT INTO account_value (space_id, account_id, name, value) VALUES ($1, $2, $3, $4)
     ON CONFLICT (space_id, account_id, name) DO UPDATE SET value = excluded.value");

/// What an account leaves when it goes.
pub(crate) const FORGET: Sql = Sql("DELETE FROM account_value WHERE space_id = $1 AND account_id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[GET, PUT, FORGET];
