//! Accounts: the people of a space.

use crate::node::{AccountId, FileId};
use crate::ports::Timestamp;

/// What an account may do in its space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Uses it.
    Member,
    /// Also manages it.
    Admin,
}

/// A person in a space.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// The login, which also stands in URLs; of `A-Z a-z 0-9 _ . @ -`.
    pub login: String,
    /// The name to show.
    pub display_name: String,
    /// The mail address, which also works as a login when it is unique.
    pub email: Option<String>,
    /// Member or admin.
    pub role: Role,
    /// Hash of the password in PHC string format; `None`: cannot log in by password.
    pub password_hash: Option<String>,
    /// Whether it may do anything at all.
    pub is_enabled: bool,
    /// The language of messages, such as `fr`; `None`: the space's.
    pub language: Option<String>,
    /// The root of its tree.
    pub home: FileId,
    /// When it was made.
    pub created: Timestamp,
    /// When it last logged in or used a device; to the minute.
    pub last_seen: Option<Timestamp>,
}

/// What a new account starts with.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The login; unique whatever its case.
    pub login: String,
    /// The name to show; the login if empty.
    pub display_name: String,
    /// The mail address.
    pub email: Option<String>,
    /// Member or admin.
    pub role: Role,
    /// Hash of the password.
    pub password_hash: Option<String>,
}

/// What to change of an account; `None` leaves as is.
#[derive(Clone, Debug, Default)]
pub struct AccountUpdate {
    /// The name to show.
    pub display_name: Option<String>,
    /// The mail address; `Some(None)` removes it.
    pub email: Option<Option<String>>,
    /// Member or admin.
    pub role: Option<Role>,
    /// Hash of the password; `Some(None)` removes it.
    pub password_hash: Option<Option<String>>,
    /// Enabled or disabled. Disabling works at once on every route.
    pub is_enabled: Option<bool>,
    /// The language of messages; `Some(None)`: the space's.
    pub language: Option<Option<String>>,
}
