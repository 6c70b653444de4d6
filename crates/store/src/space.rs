//! A space: the only door to its rows and blobs.

use std::sync::Arc;

use crate::account::{Account, AccountUpdate, NewAccount};
use crate::device::{Device, LoginFlow, LoginGrant};
use crate::error::Error;
use crate::node::{AccountId, DeviceId};
use crate::ports::Ports;
use crate::tree::Tree;

/// Whether a space serves requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpaceState {
    /// It does.
    Active,
    /// Its clients are told to come back later (503); nothing is lost.
    Suspended,
}

/// What the catalogue of spaces knows of one.
#[derive(Clone, Debug)]
pub struct SpaceInfo {
    /// Its number in the catalogue.
    pub id: i64,
    /// Its UUID: the prefix of its blob keys and the name of its file.
    pub uuid: uuid::Uuid,
    /// Its name, of `a-z 0-9 -`; also the first label of its host under the base domain.
    pub name: String,
    /// Its own host names, lower-case.
    pub hosts: Vec<String>,
    /// The pool, in bytes.
    pub quota_bytes: u64,
    /// How many accounts it may have.
    pub max_accounts: u32,
    /// Active or suspended.
    pub state: SpaceState,
    /// `oc` and ten characters, forever: part of every `oc:id`.
    pub instance_id: String,
    /// What `oc:data-fingerprint` shows; empty until the space is restored from a backup.
    pub data_fingerprint: String,
}

/// An association's nest: accounts, one tree each, one pool. Cheap to clone. What is not in it cannot be
/// reached through it.
#[derive(Clone, Debug)]
pub struct Space(pub(crate) Arc<SpaceInner>);

#[derive(Debug)]
pub(crate) struct SpaceInner {
    pub(crate) info: SpaceInfo,
    pub(crate) ports: Ports,
}

impl Space {
    /// What the catalogue knows of it.
    pub fn info(&self) -> &SpaceInfo {
        &self.0.info
    }

    /// The clock and the random source.
    pub fn ports(&self) -> &Ports {
        &self.0.ports
    }

    /// A key for `purpose` that belongs to this space alone: for keyed hashes and seals.
    pub fn key(&self, purpose: &str) -> [u8; 32] {
        let _ = purpose;
        unimplemented!()
    }

    /// The tree as `account` sees it: the only door to reading and writing nodes.
    pub fn tree_as(&self, account: &Account) -> Tree {
        let _ = account;
        unimplemented!()
    }

    /// The change sequence of the last committed change.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn change_sequence(&self) -> Result<i64, Error> {
        unimplemented!()
    }

    /// A number that moves whenever an account or device of this space changes through this process:
    /// what remembered log-ins are checked against.
    pub fn account_epoch(&self) -> u64 {
        unimplemented!()
    }

    /// Makes an account with an empty home.
    ///
    /// # Errors
    /// [`Error::Exists`] for a login or mail address in use, [`Error::BadName`] for a login of other characters,
    /// [`Error::TooLarge`] at the space's number of accounts.
    pub async fn create_account(&self, new: NewAccount) -> Result<Account, Error> {
        let _ = new;
        unimplemented!()
    }

    /// The account of that number.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn account(&self, id: AccountId) -> Result<Account, Error> {
        let _ = id;
        unimplemented!()
    }

    /// The account with that login or, failing that, that mail address, whatever its case.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn account_by_login(&self, login: &str) -> Result<Account, Error> {
        let _ = login;
        unimplemented!()
    }

    /// All accounts, by number.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        unimplemented!()
    }

    /// Changes an account.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Exists`] for a mail address in use.
    pub async fn update_account(&self, id: AccountId, update: AccountUpdate) -> Result<Account, Error> {
        let _ = (id, update);
        unimplemented!()
    }

    /// Deletes an account, its devices and its tree.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_account(&self, id: AccountId) -> Result<(), Error> {
        let _ = id;
        unimplemented!()
    }

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
        let _ = (account, name, password_hash);
        unimplemented!()
    }

    /// The device with that password hash, and its account.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn device_by_hash(&self, password_hash: &[u8; 32]) -> Result<(Device, Account), Error> {
        let _ = password_hash;
        unimplemented!()
    }

    /// An account's devices, by number.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn devices(&self, account: AccountId) -> Result<Vec<Device>, Error> {
        let _ = account;
        unimplemented!()
    }

    /// Removes a device: its app password is unknown from now on.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn revoke_device(&self, account: AccountId, id: DeviceId) -> Result<(), Error> {
        let _ = (account, id);
        unimplemented!()
    }

    /// Marks a device for remote wipe.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn wipe_device(&self, account: AccountId, id: DeviceId) -> Result<(), Error> {
        let _ = (account, id);
        unimplemented!()
    }

    /// Notes that a device was used now; at most one write a minute.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn touch_device(&self, device: &Device) -> Result<(), Error> {
        let _ = device;
        unimplemented!()
    }

    /// Stores a new login flow; the oldest beyond the limit and those older than `lifetime_seconds` go.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn begin_login_flow(&self, flow: LoginFlow, lifetime_seconds: i64) -> Result<(), Error> {
        let _ = (flow, lifetime_seconds);
        unimplemented!()
    }

    /// The login flow whose page token has that hash.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn login_flow_by_page(&self, page_hash: &[u8; 32]) -> Result<LoginFlow, Error> {
        let _ = page_hash;
        unimplemented!()
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
        let _ = (page_hash, device_password_hash, grant);
        unimplemented!()
    }

    /// Takes a granted login flow away, once; `Ok(None)` while it is pending.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn take_login_flow(&self, poll_hash: &[u8; 32]) -> Result<Option<LoginFlow>, Error> {
        let _ = poll_hash;
        unimplemented!()
    }
}
