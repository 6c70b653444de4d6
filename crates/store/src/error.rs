//! What can happen in the store. No status codes here; `dav` is the only bridge to HTTP.

use std::io::ErrorKind;

use crate::path::NodePath;
use crate::sqlite;

/// The cause of an error, for the log and never for the client.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// What happened instead of what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such resource, or none that the caller may know of.
    #[error("no such resource")]
    NotFound,
    /// The name is taken and may not be replaced.
    #[error("the resource exists already")]
    Exists,
    /// The folder that should hold the resource does not exist.
    #[error("the parent folder does not exist")]
    ParentMissing,
    /// A file stands where a folder is needed.
    #[error("not a collection")]
    NotACollection,
    /// A folder stands where a file is needed.
    #[error("is a collection")]
    IsACollection,
    /// The caller may see it but not do this.
    #[error("forbidden: {0}")]
    Forbidden(&'static str),
    /// It cannot be shared like this.
    #[error("{0}")]
    Sharing(Sharing),
    /// An unexpired lock stands in the way whose token was not submitted.
    #[error("locked, lock root {root}")]
    Locked {
        /// The path of the lock's root.
        root: NodePath,
    },
    /// The lock asked for conflicts with an existing one.
    #[error("conflicting lock, lock root {root}")]
    LockConflict {
        /// The path of the existing lock's root.
        root: NodePath,
    },
    /// UNLOCK or refresh named a token that does not lock the resource.
    #[error("the lock token does not match the resource")]
    LockTokenMismatch,
    /// A precondition of the request does not hold; names the header.
    #[error("precondition failed: {0}")]
    ConditionFailed(&'static str),
    /// The pool has no room.
    #[error("over quota, {available_bytes} bytes available")]
    OverQuota {
        /// What is left of the pool.
        available_bytes: u64,
    },
    /// A limit on one thing's size or number.
    #[error("too large, at most {limit}")]
    TooLarge {
        /// The limit, in the unit of the thing.
        limit: u64,
    },
    /// A name that cannot be stored; says why.
    #[error("bad name: {0}")]
    BadName(String),
    /// Another member of the collection has the UID, or the member had another before.
    #[error("the UID belongs to {path}")]
    UidTaken {
        /// The path of the member that has it.
        path: NodePath,
    },
    /// What a change was computed from has changed since: it may be computed anew.
    #[error("what was read before has changed since")]
    Moved,
    /// The collection does not take this type of component.
    #[error("the collection does not take this type of component")]
    WrongComponent,
    /// A collection inside of a collection, or a member outside of one.
    #[error("nothing of this kind can be here")]
    WrongPlace,
    /// A value that makes no sense; says why.
    #[error("{0}")]
    Invalid(String),
    /// The destination lies inside the source, or is it.
    #[error("a resource cannot be moved or copied into itself")]
    IntoItself,
    /// The client's stream of bytes broke off or was shorter or longer than announced.
    #[error("the request body ended early")]
    BodyInterrupted,
    /// The bytes that arrived do not have the announced checksum.
    #[error("checksum mismatch: announced {announced}, computed {computed}")]
    ChecksumMismatch {
        /// As the client sent it.
        announced: String,
        /// What the bytes have.
        computed: String,
    },
    /// The chunks of an upload do not add up to the announced total.
    #[error("the chunks have {found} bytes, {announced} were announced")]
    WrongTotal {
        /// As announced.
        announced: u64,
        /// What the chunks have.
        found: u64,
    },
    /// A sync token older than the retained log, or none of ours.
    #[error("unknown or expired sync token")]
    StaleToken,
    /// The space takes no writes (suspended, or poisoned by a failed sync).
    #[error("the space is read-only")]
    ReadOnly,
    /// Too much is waiting already.
    #[error("too busy")]
    Busy,
    /// A row or blob that cannot be what it claims to be: a person should look.
    #[error("corrupt {table}.{column} of {id}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row.
        id: i64,
    },
    /// A change panicked: nothing of it is kept.
    #[error("the change panicked")]
    Panicked,
    /// The database or the blob store failed.
    #[error("storage unavailable")]
    Unavailable(#[source] Source),
}

/// Why something is not shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Sharing {
    /// The root of a tree.
    #[error("You cannot share your root folder")]
    Root,
    /// The caller does not have the right to hand it on.
    #[error("You are not allowed to share this")]
    NotYours,
    /// More rights than the caller has.
    #[error("Cannot increase permissions")]
    BeyondOwn,
    /// With the caller.
    #[error("Cannot share with yourself")]
    WithOneself,
    /// With whoever owns it.
    #[error("Cannot share with the share owner")]
    WithOwner,
    /// There is no such account or group.
    #[error("Please specify a valid account to share with")]
    UnknownSharee,
    /// Somebody else has shared it with the same.
    #[error("Sharing failed, because this item is already shared with the account or group")]
    Already,
    /// Only whoever gave a share changes it.
    #[error("You are not allowed to edit incoming shares")]
    Incoming,
    /// It would have ended already.
    #[error("Expiration date is in the past")]
    Past,
}

impl From<Sharing> for Error {
    fn from(why: Sharing) -> Error {
        Error::Sharing(why)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        Error::Unavailable(Box::new(error))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        Error::Unavailable(Box::new(error))
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Error {
        Error::Unavailable(Box::new(error))
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        Error::Unavailable(Box::new(error))
    }
}

impl Error {
    /// Storage unavailable for a reason told in words.
    pub fn unavailable(reason: impl Into<Source>) -> Error {
        Error::Unavailable(reason.into())
    }

    /// The same, for each of several whom it meets.
    pub(crate) fn told_again(&self) -> Error {
        match self {
            Error::Unavailable(cause) if self.is_disk_full() => {
                std::io::Error::new(ErrorKind::StorageFull, cause.to_string()).into()
            }
            Error::Unavailable(cause) => Error::unavailable(cause.to_string()),
            other => Error::unavailable(other.to_string()),
        }
    }

    /// Whether there was no room on the disk, which is nobody's pool.
    pub fn is_disk_full(&self) -> bool {
        let Error::Unavailable(source) = self else { return false };
        let mut causes = std::iter::successors(Some(&**source as &(dyn std::error::Error + 'static)), |it| it.source());
        causes.any(|cause| {
            let io = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
            matches!(io, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
                || cause.downcast_ref::<rusqlite::Error>().is_some_and(sqlite::is_disk_full)
        })
    }
}
