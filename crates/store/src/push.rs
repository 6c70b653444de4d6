//! Push registrations: which device wants to be told of which collection, and how. They hold for a while and end with
//! the account or the device that made them.

use crate::collection::Area;
use crate::error::Error;
use crate::node::{AccountId, DeviceId, FileId};
use crate::ports::Timestamp;
use crate::space::Space;
use crate::sql::{Row, Sql, Value};
use crate::tree::Tree;
use crate::tx::Tx;

/// Characters of a registration's name, which nobody is to guess.
const NAME_CHARACTERS: usize = 24;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPushRegistration {
    /// Whose.
    pub account: AccountId,
    /// The device that asked; `None` for the account's own password.
    pub device: Option<DeviceId>,
    /// In which of the account's trees the collection is.
    pub area: Area,
    /// The collection, in the account's tree.
    pub node: FileId,
    /// Where messages go: a URL. With account and collection, it says which registration this is.
    pub resource: String,
    /// The key that messages are encrypted for.
    pub public_key: Vec<u8>,
    /// The secret that goes into their keys.
    pub auth_secret: Vec<u8>,
    /// Tell of members.
    pub has_content: bool,
    /// Tell of the collection's own properties.
    pub has_properties: bool,
    /// Until when.
    pub expires: Timestamp,
}

/// A registration that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushRegistration {
    /// Its name, which stays the same when it is renewed.
    pub name: String,
    /// What was asked for.
    pub asked: NewPushRegistration,
}

impl Tree {
    /// Registers, or renews what is registered for the same collection and resource. Says its name, and whether it is
    /// new.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond `registrations_max` of the account; [`Error::Forbidden`] for a published collection.
    pub async fn register_push(
        &self,
        new: NewPushRegistration,
        registrations_max: u64,
    ) -> Result<(String, bool), Error> {
        if self.access.is_some() {
            return Err(Error::Forbidden("nobody is told of what is published"));
        }
        let name = self.space().ports().alphanumeric(NAME_CHARACTERS);
        self.core().write(move |tx| Box::pin(register(tx, name, new, registrations_max))).await
    }
}

impl Space {
    /// The registrations that hold now: neither over, nor of an account or a device that is gone or switched off.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn push_registrations(&self) -> Result<Vec<PushRegistration>, Error> {
        let now = self.core().ports.clock.now();
        self.core().reader().await?.all(CURRENT, &[now.into()]).await?.iter().map(registration_of).collect()
    }

    /// Ends a registration, if it is one of `account`; says whether there was one.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::ReadOnly`].
    pub async fn drop_push_registration(&self, name: &str, account: Option<AccountId>) -> Result<bool, Error> {
        let args: [Value; 3] = [name.into(), account.map(|account| account.0).into(), self.ports().clock.now().into()];
        let dropped = self.core().write(move |tx| Box::pin(async move { tx.run(DROP, &args).await })).await?;
        Ok(dropped > 0)
    }
}

async fn register(
    tx: &mut Tx,
    name: String,
    new: NewPushRegistration,
    registrations_max: u64,
) -> Result<(String, bool), Error> {
    tx.run(EXPIRE, &[tx.now().into()]).await?;
    let found = [new.account.into(), new.node.into(), new.resource.as_str().into()];
    let known = tx.maybe(SAME, &found).await?.map(|row| row.text(0)).transpose()?;
    if known.is_none() && tx.row(COUNT, &[new.account.into()]).await?.count(0)? >= registrations_max {
        return Err(Error::TooLarge { limit: registrations_max });
    }
    let is_new = known.is_none();
    let name = known.unwrap_or(name);
    let args: [Value; 11] = [
        name.as_str().into(),
        new.account.into(),
        new.device.map(|device| device.0).into(),
        new.area.name().into(),
        new.node.into(),
        new.resource.into(),
        new.public_key.as_slice().into(),
        new.auth_secret.as_slice().into(),
        new.has_content.into(),
        new.has_properties.into(),
        new.expires.into(),
    ];
    tx.one(PUT, &args).await?;
    Ok((name, is_new))
}

fn registration_of(row: &Row) -> Result<PushRegistration, Error> {
    let area = row.text(3)?;
    let asked = NewPushRegistration {
        account: AccountId(row.int(1)?),
        device: row.maybe_int(2)?.map(DeviceId),
        area: Area::of_name(&area).ok_or(Error::Corrupt {
            table: "push_registration",
            column: "area",
            id: row.int(4)?,
        })?,
        node: FileId(row.int(4)?),
        resource: row.text(5)?,
        public_key: row.bytes(6)?,
        auth_secret: row.bytes(7)?,
        has_content: row.truth(8)?,
        has_properties: row.truth(9)?,
        expires: Timestamp(row.int(10)?),
    };
    Ok(PushRegistration { name: row.text(0)?, asked })
}

const CURRENT: Sql =
    Sql("SELECT push_registration.name, push_registration.account_id, device_id, area, node_id, resource,
            public_key, auth_secret, has_content, has_properties, expires_us
       FROM push_registration
       JOIN account ON account.space_id = $1 AND account.id = push_registration.account_id AND account.is_enabled = 1
      WHERE push_registration.space_id = $1 AND expires_us > $2
        AND (device_id IS NULL OR EXISTS (
            SELECT device.id FROM device
             WHERE device.space_id = $1 AND device.id = push_registration.device_id AND device.is_wiped = 0))");

const SAME: Sql = Sql("SELECT name FROM push_registration
      WHERE space_id = $1 AND account_id = $2 AND node_id = $3 AND resource = $4");

const COUNT: Sql = Sql("SELECT COUNT(*) FROM push_registration WHERE space_id = $1 AND account_id = $2");

const PUT: Sql = Sql("INSERT INTO push_registration
            (space_id, name, account_id, device_id, area, node_id, resource, public_key, auth_secret, has_content,
             has_properties, expires_us)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (space_id, name) DO UPDATE
        SET device_id = excluded.device_id, public_key = excluded.public_key, auth_secret = excluded.auth_secret,
            has_content = excluded.has_content, has_properties = excluded.has_properties,
            expires_us = excluded.expires_us");

// One that is over is as good as gone.
const DROP: Sql = Sql("DELETE FROM push_registration
      WHERE space_id = $1 AND name = $2 AND (account_id = $3 OR $3 IS NULL) AND expires_us > $4");

/// Ends what is over.
pub(crate) const EXPIRE: Sql = Sql("DELETE FROM push_registration WHERE space_id = $1 AND expires_us <= $2");

/// What an account leaves when it goes.
pub(crate) const FORGET: Sql = Sql("DELETE FROM push_registration WHERE space_id = $1 AND account_id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[CURRENT, SAME, COUNT, PUT, DROP, EXPIRE, FORGET];
