//! Changes as values: each is checked and carried out in the space's writer, in one transaction.

mod assemble;
mod client_lock;
mod comment;
mod copy;
mod delete;
mod generate;
mod in_one;
mod keep_version;
mod link;
mod lock;
mod make_folder;
mod member;
mod patch_properties;
mod put_file;
mod relocate;
mod restore;
mod restore_version;
mod scheduled;
mod share;
mod site;
mod tag;
mod undelete;
mod unseen;
mod upload;
mod version;

pub(crate) use client_lock::touch as touch_locked;
pub use comment::{AddComment, DropComment, EditComment, ReadComments};
pub use generate::{Generate, GeneratedMember};
pub(crate) use member::make_collection;
pub use scheduled::{Delivery, Scheduled, Seen, TagChange};
pub use tag::{AssignTag, ChangeTag, DropTag, MakeTag};
pub(crate) use upload::abort as abort_upload;

use std::future::Future;

use crate::checksum::Checksum;
use crate::collection::{CollectionKind, MemberIndex};
use crate::conditions::Conditions;
use crate::content::Staged;
use crate::link::LinkId;
use crate::lock::{Lock, LockKind, Scope};
use crate::node::{DeadProperty, FileId, Node, ShareId};
use crate::path::NodePath;
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::share::Sharee;

/// Creates a file or replaces its content. The id is kept, the old content becomes a version.
#[derive(Debug)]
pub struct PutFile {
    /// Where.
    pub path: NodePath,
    /// The new content, already durable or small.
    pub content: Staged,
    /// The modification time that the client tells; otherwise now.
    pub modified: Option<Timestamp>,
    /// The creation time that the client tells.
    pub created: Option<Timestamp>,
    /// Checksums to keep with the file, as the client sent them.
    pub checksums: Option<String>,
    /// Make missing parent folders (`X-NC-WebDAV-Auto-Mkcol`).
    pub makes_parents: bool,
    /// The media type to keep with the file; `None`: guessed from the name when it is asked for.
    pub media_type: Option<String>,
    /// What the content is as a member of a calendar or address book; `None` for a file.
    pub member: Option<MemberIndex>,
    /// Preconditions and lock tokens.
    pub conditions: Conditions,
}

/// What a write left.
#[derive(Clone, Debug)]
pub struct Written {
    /// The node as it is now.
    pub node: Node,
    /// Whether there was none at that path before.
    pub is_new: bool,
}

/// Creates a folder (MKCOL), with dead properties if the request brought some.
#[derive(Debug)]
pub struct MakeFolder {
    /// Where.
    pub path: NodePath,
    /// Properties to set in the same change (RFC 5689).
    pub dead_properties: Vec<DeadProperty>,
    /// What kind of collection; `None`: a plain folder.
    pub kind: Option<CollectionKind>,
    /// Preconditions and lock tokens.
    pub conditions: Conditions,
}

/// Deletes a node with everything below, into the trash unless told otherwise.
#[derive(Clone, Debug)]
pub struct Delete {
    /// What.
    pub path: NodePath,
    /// For good (`X-NC-Skip-Trashbin`).
    pub skips_trash: bool,
    /// Preconditions and lock tokens.
    pub conditions: Conditions,
}

/// Moves a node with everything below; ids, etags of what lies below, and the node's own are kept.
#[derive(Clone, Debug)]
pub struct Relocate {
    /// From.
    pub source: NodePath,
    /// To.
    pub destination: NodePath,
    /// Replace what is there (it goes to the trash); else `Exists`.
    pub overwrites: bool,
    /// Preconditions (about the source) and lock tokens.
    pub conditions: Conditions,
}

/// Copies a node; new ids, shared content.
#[derive(Clone, Debug)]
pub struct Copy {
    /// From.
    pub source: NodePath,
    /// To.
    pub destination: NodePath,
    /// Replace what is there (it goes to the trash); else `Exists`.
    pub overwrites: bool,
    /// With everything below; else a folder is copied without its members (Depth: 0).
    pub is_deep: bool,
    /// Preconditions (about the source) and lock tokens.
    pub conditions: Conditions,
}

/// Sets and removes properties, all or nothing (PROPPATCH). Live-property writes that the store knows are
/// fields of their own.
#[derive(Debug, Default)]
pub struct PatchProperties {
    /// Of what.
    pub path: NodePath,
    /// Dead properties in document order: set to the value, or removed. Removing one that is not there succeeds.
    pub dead: Vec<DeadPropertyPatch>,
    /// The caller's own mark.
    pub favourite: Option<bool>,
    /// A new modification time; moves the etag.
    pub modified: Option<Timestamp>,
    /// A new creation time.
    pub created: Option<Timestamp>,
    /// Preconditions and lock tokens.
    pub conditions: Conditions,
}

/// One step of a PROPPATCH on dead properties.
#[derive(Clone, Debug)]
pub enum DeadPropertyPatch {
    /// Set or replace.
    Set(DeadProperty),
    /// Remove.
    Remove {
        /// Namespace of its name.
        namespace: String,
        /// Local part of its name.
        local: String,
    },
}

/// Takes a lock (LOCK with a body). On an unmapped path an empty file is made (RFC 4918 §7.3).
#[derive(Debug)]
pub struct TakeLock {
    /// On what.
    pub path: NodePath,
    /// Exclusive or shared.
    pub scope: Scope,
    /// Depth infinity; else 0.
    pub is_deep: bool,
    /// The owner element, a self-contained XML fragment.
    pub owner_xml: Option<String>,
    /// How long, in seconds; the store caps it at its `lock_timeout_seconds_max`.
    pub timeout_seconds: u64,
    /// Preconditions and lock tokens.
    pub conditions: Conditions,
}

/// What LOCK left.
#[derive(Clone, Debug)]
pub struct Locked {
    /// The lock.
    pub lock: Lock,
    /// The locked node, with all the locks that apply to it.
    pub node: Node,
    /// Whether the node was made by this.
    pub is_new: bool,
}

/// Renews a lock (LOCK without a body); `conditions.lock_tokens` names exactly one.
#[derive(Debug)]
pub struct RefreshLock {
    /// A path that the lock covers.
    pub path: NodePath,
    /// How long from now, in seconds; `None` keeps the former duration's default.
    pub timeout_seconds: Option<u64>,
    /// The `If` header with the token.
    pub conditions: Conditions,
}

/// Ends a lock (UNLOCK).
#[derive(Debug)]
pub struct Unlock {
    /// A path that the lock covers.
    pub path: NodePath,
    /// Its token.
    pub token: String,
}

/// Takes a lease on a file for an account, a device or an editor, or renews it. The outcome is the file with its locks, of
/// which this is one; [`crate::Error::LockConflict`] where somebody else's is in the way.
#[derive(Debug)]
pub struct LockForClient {
    /// On what.
    pub path: NodePath,
    /// For whom; not [`LockKind::Dav`], which is [`TakeLock`]'s.
    pub kind: LockKind,
    /// How long from now, in seconds.
    pub timeout_seconds: u64,
    /// Preconditions.
    pub conditions: Conditions,
}

/// Ends a lease. The outcome is the file with the locks that are left; [`crate::Error::LockTokenMismatch`] where there was
/// none, [`crate::Error::Locked`] where it is somebody else's.
#[derive(Debug)]
pub struct UnlockForClient {
    /// Of what.
    pub path: NodePath,
    /// Whose. An account may end whatever it holds itself, WebDAV locks among it.
    pub kind: LockKind,
}

/// Opens a chunked upload: a named place for chunks, visible to this account alone.
#[derive(Debug)]
pub struct BeginUpload {
    /// The name that the client chose.
    pub upload: String,
    /// The total that the client announced: refused at once where it does not fit.
    pub total_bytes: Option<u64>,
}

/// Adds a chunk to an upload, or replaces it.
#[derive(Debug)]
pub struct PutChunk {
    /// The upload.
    pub upload: String,
    /// The chunk's name; chunks are assembled in numeric order of their names.
    pub chunk: String,
    /// Its content.
    pub content: Staged,
    /// The total that the client announced: refused at once where it does not fit.
    pub total_bytes: Option<u64>,
}

/// Removes one chunk of an upload; `NotFound` if there is none.
#[derive(Debug)]
pub struct DropChunk {
    /// The upload.
    pub upload: String,
    /// The chunk's name.
    pub chunk: String,
}

/// Abandons an upload with all its chunks.
#[derive(Debug)]
pub struct AbortUpload {
    /// The upload.
    pub upload: String,
}

/// Turns an upload's chunks into the content of a file: metadata only, whatever its size. Repeating it after
/// success answers the same again for a while.
#[derive(Debug)]
pub struct Assemble {
    /// The upload.
    pub upload: String,
    /// The file to create or replace.
    pub destination: NodePath,
    /// What the chunks must add up to.
    pub total_bytes: Option<u64>,
    /// Replace what is there; else `Exists`.
    pub overwrites: bool,
    /// The modification time that the client tells; otherwise now.
    pub modified: Option<Timestamp>,
    /// The creation time that the client tells.
    pub created: Option<Timestamp>,
    /// Checksums to keep with the file, as the client sent them.
    pub checksums: Option<String>,
    /// A checksum that the whole must have: verified when the store can do so without reading the content
    /// again (a single chunk staged with it); otherwise kept as the client's word.
    pub expected: Option<Checksum>,
    /// Preconditions (about the destination) and lock tokens.
    pub conditions: Conditions,
}

/// What a chunk's PUT left.
#[derive(Clone, Copy, Debug)]
pub struct ChunkWritten {
    /// Its entity tag.
    pub etag: crate::node::Etag,
    /// Whether there was none of that name before.
    pub is_new: bool,
}

/// Brings back from the trash what has that number, to where it was, under its name or one like it.
#[derive(Debug)]
pub struct Restore {
    /// What.
    pub id: FileId,
}

/// Removes from the trash what has that number, for good.
#[derive(Debug)]
pub struct Purge {
    /// What.
    pub id: FileId,
}

/// Brings back a file or folder from the trash of files: to where it was, or if that folder is gone, to the root of the
/// tree; under its name, or where that was given away, one like it. What lies inside of a deleted folder comes back alone.
/// The number is kept.
#[derive(Debug)]
pub struct Undelete {
    /// What: the path in [`Tree::bin`](crate::Tree::bin).
    pub path: NodePath,
    /// Where to instead, and whether what is there may be replaced.
    pub destination: Option<(NodePath, bool)>,
    /// Lock tokens of the folder that it comes back to.
    pub conditions: Conditions,
}

/// Removes a file or folder from the trash of files, or from inside of a deleted folder, for good.
#[derive(Debug)]
pub struct DropTrashed {
    /// What: the path in [`Tree::bin`](crate::Tree::bin).
    pub path: NodePath,
}

/// Removes from the trash of files, for good, some of what was there at an instant. The outcome is whether there is more:
/// one change for all of it would keep others waiting.
#[derive(Clone, Copy, Debug)]
pub struct EmptyTrash {
    /// What was deleted later stays.
    pub until: Timestamp,
}

/// Gives a file back what it held before; what it holds now becomes a version. The number is kept.
#[derive(Debug)]
pub struct RestoreVersion {
    /// The file.
    pub file: FileId,
    /// The name of the version ([`Version::second`](crate::Version::second)).
    pub second: i64,
    /// Lock tokens.
    pub conditions: Conditions,
}

/// Says what a state of a file is called; while it is called something, it does not expire.
#[derive(Debug)]
pub struct LabelVersion {
    /// The file.
    pub file: FileId,
    /// The name of the version.
    pub second: i64,
    /// What it is called; `None`: nothing any more.
    pub label: Option<String>,
    /// Lock tokens.
    pub conditions: Conditions,
}

/// Removes a version for good. Of the present state only its label goes.
#[derive(Debug)]
pub struct DropVersion {
    /// The file.
    pub file: FileId,
    /// The name of the version.
    pub second: i64,
    /// Lock tokens.
    pub conditions: Conditions,
}

/// Says with whom a folder or collection of the caller's own is shared, and how.
#[derive(Debug)]
pub struct ShareNode {
    /// What.
    pub path: NodePath,
    /// With whom; others keep what they have.
    pub grants: Vec<Grant>,
}

/// What one sharee may do from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who.
    pub sharee: Sharee,
    /// What they may do; `None`: they see it no longer.
    pub permissions: Option<Permissions>,
}

/// Shares a file or folder with somebody; the outcome is its number, and whether it is new: what is shared with
/// them already stays as it is.
#[derive(Debug)]
pub struct CreateShare {
    /// What.
    pub path: NodePath,
    /// With whom.
    pub sharee: Sharee,
    /// What they may do; `None`: all that the caller may.
    pub permissions: Option<Permissions>,
    /// Until when.
    pub expires: Option<Timestamp>,
    /// A few words for them.
    pub note: String,
    /// What the caller calls it.
    pub label: String,
    /// Further agreements, as a JSON list.
    pub attributes: Option<String>,
    /// Whether they see it only once they have accepted it.
    pub awaits_answer: bool,
}

/// Changes a share that the caller gave, or that somebody gave of what is the caller's. `None` leaves as is.
#[derive(Debug)]
pub struct UpdateShare {
    /// Which.
    pub id: ShareId,
    /// What they may do.
    pub permissions: Option<Permissions>,
    /// Until when; `Some(None)`: for ever.
    pub expires: Option<Option<Timestamp>>,
    /// A few words for them.
    pub note: Option<String>,
    /// What the caller calls it.
    pub label: Option<String>,
    /// Further agreements; `Some(None)`: none.
    pub attributes: Option<Option<String>>,
}

/// Ends a share, for all if the caller gave it or owns what is shared, else for the caller.
#[derive(Debug)]
pub struct EndShare {
    /// Which.
    pub id: ShareId,
}

/// Accepts or declines a share that was given to the caller.
#[derive(Debug)]
pub struct AnswerShare {
    /// Which.
    pub id: ShareId,
    /// Whether the caller wants to see it.
    pub is_accepted: bool,
}

/// Lets anybody who knows a token read a collection; the outcome is the token, the same one until
/// [`Unpublish`].
#[derive(Debug)]
pub struct Publish {
    /// What.
    pub path: NodePath,
}

/// Takes the token back.
#[derive(Debug)]
pub struct Unpublish {
    /// What.
    pub path: NodePath,
}

/// Makes a public link; of those to one node, each has a token of its own. The outcome is the [`crate::Link`].
#[derive(Clone, Debug)]
pub struct MakeLink {
    /// To what.
    pub path: NodePath,
    /// What it lets people do.
    pub permissions: Permissions,
    /// What else there is to say about it.
    pub update: LinkUpdate,
}

/// Changes a public link that the asker has made, or that leads to what is the asker's own.
#[derive(Clone, Debug)]
pub struct UpdateLink {
    /// Which.
    pub id: LinkId,
    /// What is different from now on.
    pub update: LinkUpdate,
}

/// What to change of a public link; `None` leaves as is.
#[derive(Clone, Default)]
pub struct LinkUpdate {
    /// What it lets people do.
    pub permissions: Option<Permissions>,
    /// Hash of the password; `Some(None)`: without one.
    pub password_hash: Option<Option<String>>,
    /// When it ends; `Some(None)`: never.
    pub expires: Option<Option<Timestamp>>,
    /// Its maker's name for it.
    pub label: Option<String>,
    /// What its maker tells those who follow it.
    pub note: Option<String>,
    /// Whether pages offer no download.
    pub hides_download: Option<bool>,
    /// What a client notes about it.
    pub attributes: Option<Option<String>>,
    /// How many downloads there may be, from now on; `Some(None)`: any number.
    pub download_limit: Option<Option<u64>>,
}

impl std::fmt::Debug for LinkUpdate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkUpdate(…)")
    }
}

/// Takes a public link back.
#[derive(Clone, Copy, Debug)]
pub struct DropLink {
    /// Which.
    pub id: LinkId,
}

mod sealed {
    use super::*;

    /// What only the store can implement and call.
    pub trait Run: Sized + Send + 'static {
        /// What it leaves.
        type Outcome: Send + 'static;

        /// Checks and carries out the change, in the space's turn.
        fn run(
            self,
            tx: &mut crate::tx::Tx,
            asker: &crate::tx::Asker,
        ) -> impl Future<Output = Result<Self::Outcome, crate::error::Error>> + Send;
    }
}
pub(crate) use sealed::Run;

/// A change that [`crate::Tree::apply`] can carry out: one of the types of this module.
pub trait Change: Run {}

impl<C: Run> Change for C {}

/// The statements of all changes, for the test that prepares them on both engines.
pub(crate) fn statements() -> impl Iterator<Item = crate::sql::Sql> {
    [
        site::STATEMENTS,
        put_file::STATEMENTS,
        keep_version::STATEMENTS,
        version::STATEMENTS,
        restore_version::STATEMENTS,
        undelete::STATEMENTS,
        delete::STATEMENTS,
        member::STATEMENTS,
        restore::STATEMENTS,
        share::STATEMENTS,
        copy::STATEMENTS,
        patch_properties::STATEMENTS,
        link::STATEMENTS,
        lock::STATEMENTS,
        client_lock::STATEMENTS,
        upload::STATEMENTS,
        assemble::STATEMENTS,
        comment::STATEMENTS,
        tag::STATEMENTS,
        scheduled::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}
