//! Devices: one revocable app password per client, and the login flows that make them.

use crate::node::{AccountId, DeviceId};
use crate::ports::Timestamp;

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
    /// When it was last used; to the minute.
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
    /// Once granted: for whom, and the app password, sealed so that only the poll token opens it.
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
