//! Devices: one revocable app password per client, and the login flows that make them.

use std::net::IpAddr;

use crate::account::{ACCOUNT_COLUMNS, Account, account_columns, account_of};
use crate::audit::{self, Act};
use crate::error::Error;
use crate::node::{AccountId, DeviceId};
use crate::ports::Timestamp;
use crate::space::Space;
use crate::sql::{Row, Sql, Value};
use crate::tx::Tx;

/// Uses of a device are noted at most this often: once a minute, as Nextcloud does, would be a sync to disk a minute for
/// every device of every member.
const TOUCH_SECONDS: i64 = 3600;

/// A client of an account, known by its app password.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its number.
    pub id: DeviceId,
    /// Whose.
    pub account: AccountId,
    /// The name to show, usually from the client's User-Agent.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used; to the hour.
    pub last_used: Option<Timestamp>,
    /// Marked for remote wipe: refuses every request but the wipe's own.
    pub is_wiped: bool,
}

/// A login flow v2 that has begun: one row, found by the hash of either of its two tokens.
#[derive(Clone, Debug)]
pub struct LoginFlow {
    /// Hash of the token that the client polls with.
    pub poll_hash: [u8; 32],
    /// Hash of the token in the page's address.
    pub page_hash: [u8; 32],
    /// The client's name, from its User-Agent.
    pub client_name: String,
    /// When it began.
    pub created: Timestamp,
    /// Once granted: for whom, and the app password, sealed by the caller.
    pub grant: Option<LoginGrant>,
}

/// What a granted login flow waits to hand out, once.
#[derive(Clone, Debug)]
pub struct LoginGrant {
    /// The account that granted.
    pub account: AccountId,
    /// The app password, sealed by the caller.
    pub sealed_password: Vec<u8>,
}

impl Space {
    /// Adds a device; `password_hash` is what [`Space::device_by_hash`] finds it by.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the account, [`Error::TooLarge`] at the limit of devices an account.
    pub async fn create_device(
        &self,
        account: AccountId,
        name: &str,
        password_hash: [u8; 32],
    ) -> Result<Device, Error> {
        let name = name.to_owned();
        let act = Act::on(account, "made an app password", name.as_str());
        self.act_on_accounts(act, move |tx| Box::pin(create(tx, account, name, password_hash))).await
    }

    /// The device with that password hash, and its account.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn device_by_hash(&self, password_hash: &[u8; 32]) -> Result<(Device, Account), Error> {
        let mut reader = self.core().reader().await?;
        let row = reader.maybe(BY_HASH, &[password_hash.as_slice().into()]).await?.ok_or(Error::NotFound)?;
        Ok((device_of(&row, ACCOUNT_COLUMNS)?, account_of(&row)?))
    }

    /// An account's devices, by number.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn devices(&self, account: AccountId) -> Result<Vec<Device>, Error> {
        let rows = self.core().reader().await?.all(OF_ACCOUNT, &[account.into()]).await?;
        rows.iter().map(|row| device_of(row, 0)).collect()
    }

    /// Removes a device: its app password is unknown from now on.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn revoke_device(&self, account: AccountId, id: DeviceId) -> Result<(), Error> {
        self.change_device(REVOKE, "revoked an app password", account, id, vec![account.into(), id.into()]).await
    }

    /// Marks a device for remote wipe.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn wipe_device(&self, account: AccountId, id: DeviceId) -> Result<(), Error> {
        self.change_device(WIPE, "marked a device for wiping", account, id, vec![account.into(), id.into()]).await
    }

    /// Gives a device another app password, found by this hash.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn rotate_device(&self, account: AccountId, id: DeviceId, password_hash: [u8; 32]) -> Result<(), Error> {
        let args = vec![account.into(), id.into(), password_hash.as_slice().into()];
        self.change_device(ROTATE, "replaced an app password", account, id, args).await
    }

    async fn change_device(
        &self,
        sql: Sql,
        kind: &'static str,
        account: AccountId,
        id: DeviceId,
        args: Vec<Value>,
    ) -> Result<(), Error> {
        let act = Act::on(account, kind, format!("app password {id}"));
        self.act_on_accounts(act, move |tx| {
            Box::pin(async move {
                let touched = tx.run(sql, &args).await?;
                if touched == 1 { Ok(()) } else { Err(Error::NotFound) }
            })
        })
        .await
    }

    /// Notes that the account signed in from `address`, through a device where there is one: that the device was used, at most once an
    /// hour, and for the trail, where it is new that day.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn note_sign_in(&self, account: &Account, device: Option<&Device>, address: IpAddr) -> Result<(), Error> {
        let now = self.ports().clock.now();
        let is_new = |device: &Device| device.last_used.is_none_or(|last| last.plus_seconds(TOUCH_SECONDS) <= now);
        let touched = device.filter(|device| is_new(device)).map(|device| device.id);
        let (login, id) = (account.login.clone(), account.id);
        let name = device.map(|device| device.name.clone()).unwrap_or_default();
        if touched.is_none() {
            let asked = audit::known_today(&login, &name, address, now);
            if self.core().reader().await?.maybe(audit::IS_KNOWN_TODAY, &asked).await?.is_some() {
                return Ok(());
            }
        }
        self.core().write(move |tx| Box::pin(note(tx, (id, login), (touched, name), address))).await
    }

    /// Stores a new login flow; the oldest beyond the limit and those older than `lifetime_seconds` go.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn begin_login_flow(&self, flow: LoginFlow, lifetime_seconds: i64) -> Result<(), Error> {
        self.core().write(move |tx| Box::pin(begin_flow(tx, flow, lifetime_seconds))).await
    }

    /// The login flow whose page token has that hash.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn login_flow_by_page(&self, page_hash: &[u8; 32]) -> Result<LoginFlow, Error> {
        let mut reader = self.core().reader().await?;
        let row = reader.maybe(FLOW_BY_PAGE, &[page_hash.as_slice().into()]).await?.ok_or(Error::NotFound)?;
        flow_of(&row)
    }

    /// Grants a login flow, once: stores the device and the sealed password in one change.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is gone or granted already.
    pub async fn grant_login_flow(
        &self,
        page_hash: &[u8; 32],
        device_password_hash: [u8; 32],
        grant: LoginGrant,
    ) -> Result<(), Error> {
        let page_hash = *page_hash;
        let act = Act::on(grant.account, "made an app password", "by the log-in flow");
        self.act_on_accounts(act, move |tx| Box::pin(grant_flow(tx, page_hash, device_password_hash, grant))).await
    }

    /// Takes a granted login flow away, once; `Ok(None)` while it is pending.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn take_login_flow(&self, poll_hash: &[u8; 32]) -> Result<Option<LoginFlow>, Error> {
        let hash = *poll_hash;
        let flow = {
            let mut reader = self.core().reader().await?;
            flow_of(&reader.maybe(FLOW_BY_POLL, &[hash.as_slice().into()]).await?.ok_or(Error::NotFound)?)?
        };
        if flow.grant.is_none() {
            return Ok(None);
        }
        let taken =
            self.core().write(move |tx| Box::pin(async move { tx.run(TAKE_FLOW, &[hash.as_slice().into()]).await }));
        // Two polls at once: one takes it, the other finds it gone.
        if taken.await? == 1 { Ok(Some(flow)) } else { Err(Error::NotFound) }
    }
}

async fn note(
    tx: &mut Tx,
    (account, login): (AccountId, String),
    (touched, name): (Option<DeviceId>, String),
    address: IpAddr,
) -> Result<(), Error> {
    tx.beside_the_tree += 1;
    if let Some(id) = touched {
        let now = tx.now();
        tx.run(TOUCH, &[id.into(), now.into()]).await?;
        tx.run(TOUCH_ACCOUNT, &[account.into(), now.into()]).await?;
    }
    audit::signed_in(tx, &login, &name, address).await
}

async fn create(tx: &mut Tx, account: AccountId, name: String, hash: [u8; 32]) -> Result<Device, Error> {
    tx.maybe(ACCOUNT_EXISTS, &[account.into()]).await?.ok_or(Error::NotFound)?;
    let limit = tx.core.limits.devices_max;
    if tx.row(COUNT, &[account.into()]).await?.count(0)? >= limit {
        return Err(Error::TooLarge { limit });
    }
    let device =
        Device { id: DeviceId(tx.fresh_id()), account, name, created: tx.now(), last_used: None, is_wiped: false };
    let args = [device.id.into(), account.into(), device.name.as_str().into(), hash.as_slice().into(), tx.now().into()];
    tx.one(INSERT, &args).await?;
    Ok(device)
}

async fn begin_flow(tx: &mut Tx, flow: LoginFlow, lifetime_seconds: i64) -> Result<(), Error> {
    tx.run(EXPIRE_FLOWS, &[tx.now().plus_seconds(-lifetime_seconds).into()]).await?;
    if tx.row(COUNT_FLOWS, &[]).await?.count(0)? >= tx.core.limits.login_flows_max {
        tx.run(DROP_OLDEST_FLOW, &[]).await?;
    }
    let args = [
        tx.fresh_id().into(),
        flow.poll_hash.as_slice().into(),
        flow.page_hash.as_slice().into(),
        flow.client_name.into(),
        flow.created.into(),
    ];
    tx.one(INSERT_FLOW, &args).await
}

async fn grant_flow(tx: &mut Tx, page: [u8; 32], hash: [u8; 32], grant: LoginGrant) -> Result<(), Error> {
    let row = tx.maybe(FLOW_BY_PAGE, &[page.as_slice().into()]).await?.ok_or(Error::NotFound)?;
    let flow = flow_of(&row)?;
    if flow.grant.is_some() {
        return Err(Error::NotFound);
    }
    create(tx, grant.account, flow.client_name, hash).await?;
    tx.one(GRANT_FLOW, &[page.as_slice().into(), grant.account.into(), grant.sealed_password.as_slice().into()]).await
}

fn device_of(row: &Row, first: usize) -> Result<Device, Error> {
    Ok(Device {
        id: DeviceId(row.int(first)?),
        account: AccountId(row.int(first + 1)?),
        name: row.text(first + 2)?,
        created: Timestamp(row.int(first + 3)?),
        last_used: row.maybe_int(first + 4)?.map(Timestamp),
        is_wiped: row.truth(first + 5)?,
    })
}

fn flow_of(row: &Row) -> Result<LoginFlow, Error> {
    let hash = |column| -> Result<[u8; 32], Error> {
        row.bytes(column)?.try_into().map_err(|_| Error::Corrupt { table: "login_flow", column: "hash", id: 0 })
    };
    let grant = match (row.maybe_int(4)?, row.maybe_bytes(5)?) {
        (Some(account), Some(sealed_password)) => Some(LoginGrant { account: AccountId(account), sealed_password }),
        _ => None,
    };
    Ok(LoginFlow {
        poll_hash: hash(0)?,
        page_hash: hash(1)?,
        client_name: row.text(2)?,
        created: Timestamp(row.int(3)?),
        grant,
    })
}

const BY_HASH: Sql = Sql(concat!(
    "SELECT ",
    account_columns!(),
    ", device.id, device.account_id, device.name, device.created_us, device.last_used_us, device.is_wiped
       FROM device JOIN account ON account.space_id = $1 AND account.id = device.account_id
      WHERE device.space_id = $1 AND device.password_hash = $2"
));

const OF_ACCOUNT: Sql = Sql("SELECT id, account_id, name, created_us, last_used_us, is_wiped
       FROM device WHERE space_id = $1 AND account_id = $2 ORDER BY id");

const ACCOUNT_EXISTS: Sql = Sql("SELECT id FROM account WHERE space_id = $1 AND id = $2");

const COUNT: Sql = Sql("SELECT COUNT(*) FROM device WHERE space_id = $1 AND account_id = $2");

const INSERT: Sql = Sql("INSERT INTO device (space_id, id, account_id, name, password_hash, created_us, is_wiped)
     VALUES ($1, $2, $3, $4, $5, $6, 0)");

const REVOKE: Sql = Sql("DELETE FROM device WHERE space_id = $1 AND account_id = $2 AND id = $3");

const ROTATE: Sql = Sql("UPDATE device SET password_hash = $4 WHERE space_id = $1 AND account_id = $2 AND id = $3");

const WIPE: Sql = Sql("UPDATE device SET is_wiped = 1 WHERE space_id = $1 AND account_id = $2 AND id = $3");

const TOUCH: Sql = Sql("UPDATE device SET last_used_us = $3 WHERE space_id = $1 AND id = $2");

const TOUCH_ACCOUNT: Sql = Sql("UPDATE account SET last_seen_us = $3 WHERE space_id = $1 AND id = $2");

const EXPIRE_FLOWS: Sql = Sql("DELETE FROM login_flow WHERE space_id = $1 AND created_us < $2");

const COUNT_FLOWS: Sql = Sql("SELECT COUNT(*) FROM login_flow WHERE space_id = $1");

const DROP_OLDEST_FLOW: Sql = Sql("DELETE FROM login_flow
      WHERE space_id = $1 AND id = (SELECT MIN(id) FROM login_flow WHERE space_id = $1)");

const INSERT_FLOW: Sql = Sql("INSERT INTO login_flow (space_id, id, poll_hash, page_hash, client_name, created_us)
     VALUES ($1, $2, $3, $4, $5, $6)");

const FLOW_BY_PAGE: Sql = Sql("SELECT poll_hash, page_hash, client_name, created_us, account_id, sealed_password
       FROM login_flow WHERE space_id = $1 AND page_hash = $2");

const FLOW_BY_POLL: Sql = Sql("SELECT poll_hash, page_hash, client_name, created_us, account_id, sealed_password
       FROM login_flow WHERE space_id = $1 AND poll_hash = $2");

const GRANT_FLOW: Sql =
    Sql("UPDATE login_flow SET account_id = $3, sealed_password = $4 WHERE space_id = $1 AND page_hash = $2");

const TAKE_FLOW: Sql = Sql("DELETE FROM login_flow WHERE space_id = $1 AND poll_hash = $2");

pub(crate) const STATEMENTS: &[Sql] = &[
    BY_HASH,
    OF_ACCOUNT,
    ACCOUNT_EXISTS,
    COUNT,
    INSERT,
    REVOKE,
    ROTATE,
    WIPE,
    TOUCH,
    TOUCH_ACCOUNT,
    EXPIRE_FLOWS,
    COUNT_FLOWS,
    DROP_OLDEST_FLOW,
    INSERT_FLOW,
    FLOW_BY_PAGE,
    FLOW_BY_POLL,
    GRANT_FLOW,
    TAKE_FLOW,
];
