//! Pictures that stand for an account or for the space itself: avatars and the logo. Small, one each, beside the tree; they do
//! not count toward the pool.

use bytes::Bytes;

use crate::error::Error;
use crate::node::AccountId;
use crate::space::Space;
use crate::sql::{Sql, Value};

/// What stands in the place of an account's number for the space itself.
const SPACE: i64 = 0;

/// Whom a picture stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sitter {
    /// An account: its avatar.
    Account(AccountId),
    /// The space: its logo.
    Space,
}

impl Sitter {
    fn number(self) -> Value {
        match self {
            Sitter::Account(id) => id.into(),
            Sitter::Space => SPACE.into(),
        }
    }
}

/// A picture as it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Tells it from any other.
    pub digest: String,
    /// The file.
    pub bytes: Bytes,
}

impl Space {
    /// The picture that was set, if one was.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn picture(&self, sitter: Sitter) -> Result<Option<Picture>, Error> {
        let row = self.core().reader().await?.maybe(PICTURE, &[sitter.number()]).await?;
        row.map(|row| Ok(Picture { digest: row.text(0)?, bytes: row.bytes(1)?.into() })).transpose()
    }

    /// The digest of the picture that was set, if one was.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn picture_digest(&self, sitter: Sitter) -> Result<Option<String>, Error> {
        let row = self.core().reader().await?.maybe(DIGEST, &[sitter.number()]).await?;
        row.map(|row| row.text(0)).transpose()
    }

    /// Sets a picture in the place of the one before, and says its digest; without bytes there is none any more.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account that is not there.
    pub async fn set_picture(&self, sitter: Sitter, bytes: Option<Bytes>) -> Result<Option<String>, Error> {
        let digest = bytes.as_ref().map(|bytes| crate::checksum::hex(&blake3::hash(bytes).as_bytes()[..16]));
        let told = digest.clone();
        let set = self.core().write(move |tx| {
            Box::pin(async move {
                if let Sitter::Account(id) = sitter {
                    tx.maybe(ACCOUNT, &[id.into()]).await?.ok_or(Error::NotFound)?;
                }
                tx.run(FORGET, &[sitter.number()]).await?;
                if let (Some(bytes), Some(digest)) = (bytes, digest) {
                    tx.one(INSERT, &[sitter.number(), digest.into(), bytes.to_vec().as_slice().into()]).await?;
                }
                Ok(())
            })
        });
        set.await?;
        Ok(told)
    }
}

const PICTURE: Sql = Sql("SELECT digest, bytes FROM picture WHERE space_id = $1 AND account_id = $2");

const DIGEST: Sql = Sql("SELECT digest FROM picture WHERE space_id = $1 AND account_id = $2");

const ACCOUNT: Sql = Sql("SELECT id FROM account WHERE space_id = $1 AND id = $2");

pub(crate) const FORGET: Sql = Sql("DELETE FROM picture WHERE space_id = $1 AND account_id = $2");

const INSERT: Sql = Sql("INSERT INTO picture (space_id, account_id, digest, bytes) VALUES ($1, $2, $3, $4)");

pub(crate) const STATEMENTS: &[Sql] = &[PICTURE, DIGEST, ACCOUNT, FORGET, INSERT];
