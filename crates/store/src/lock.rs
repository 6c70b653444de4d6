//! WebDAV locks (RFC 4918 §6 and §7): write locks, exclusive or shared, on a node or a whole folder.

use crate::node::{AccountId, FileId};
use crate::path::NodePath;
use crate::ports::Timestamp;

/// Exclusive or shared (RFC 4918 §6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// No other lock beside it.
    Exclusive,
    /// Other shared locks beside it.
    Shared,
}

/// An active lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The lock token, a URI such as `opaquelocktoken:…`.
    pub token: String,
    /// The node at its root.
    pub root_id: FileId,
    /// The path of its root, in the tree of the account that asks.
    pub root: NodePath,
    /// Who took it.
    pub account: AccountId,
    /// Exclusive or shared.
    pub scope: Scope,
    /// Whether it covers everything below its root.
    pub is_deep: bool,
    /// The `DAV:owner` element as the client sent it, a self-contained XML fragment.
    pub owner_xml: Option<String>,
    /// When it was taken.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
}
