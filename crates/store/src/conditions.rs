//! What a request demands of the state it changes: RFC 9110 §13 (If-Match and its kin) and the `If` header
//! of RFC 4918 §10.4. Parsed by `dav`, evaluated here, in the transaction that writes.

use crate::path::NodePath;
use crate::ports::Timestamp;

/// The list of an `If-Match` or `If-None-Match` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EtagSet {
    /// `*`: any state at all, as long as the resource exists.
    Any,
    /// These opaque tags, without quotes. A weak tag never matches strongly and is left out.
    Of(Vec<String>),
}

/// Everything a request demands before it may change anything, and the lock tokens it brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// `If-Match`.
    pub if_match: Option<EtagSet>,
    /// `If-None-Match`.
    pub if_none_match: Option<EtagSet>,
    /// `If-Unmodified-Since`.
    pub if_unmodified_since: Option<Timestamp>,
    /// `If`: lists, of which one must hold; empty when the header is absent.
    pub if_lists: Vec<IfList>,
    /// Every state token that the `If` header names outside of a `Not`, wherever it stands: what the
    /// client submits to get past locks (RFC 4918 §6.5); plus a `Lock-Token` header where one is allowed.
    pub lock_tokens: Vec<String>,
}

/// One parenthesised list of an `If` header: a conjunction about one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfList {
    /// The resource it speaks of.
    pub resource: IfResource,
    /// What must hold, all of it.
    pub conditions: Vec<IfCondition>,
}

/// The resource that an `If` list speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfResource {
    /// No tag: the resource that the request is made to.
    Request,
    /// A tag that names this path in the caller's tree.
    Path(NodePath),
    /// A tag that names nothing in the caller's tree: a resource without any state.
    Elsewhere,
    /// A tag that the client in question is known to spell wrongly; its lists hold for any resource.
    Lenient,
}

/// One condition of an `If` list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfCondition {
    /// Whether `Not` stands before it.
    pub is_negated: bool,
    /// What is compared.
    pub state: IfState,
}

/// What an `If` condition compares with the resource's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfState {
    /// A state token: holds if it is the token of a lock that covers the resource.
    Token(String),
    /// A strong entity tag without its quotes.
    Etag(String),
    /// A weak entity tag: never equal under strong comparison.
    WeakEtag,
}
