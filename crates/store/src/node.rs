//! What a node is: a file or a folder of an account's tree, as it is handed out.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::collection::CollectionKind;
use crate::comment::CommentCounts;
use crate::link::Link;
use crate::lock::Lock;
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::share::{Access, MountPoint, Share};
use crate::tag::Tag;
use crate::trash::Trashed;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A node's number for life, never used again in its space.
    FileId
}
id! {
    /// An account's number in its space.
    AccountId
}
id! {
    /// A group's number in its space.
    GroupId
}
id! {
    /// A share's number in its space.
    ShareId
}
id! {
    /// A device's number in its space.
    DeviceId
}
id! {
    /// Immutable content: what nodes, versions and copies refer to.
    ContentId
}

id! {
    /// A tag's number in its space.
    TagId
}
id! {
    /// A comment's number in its space.
    CommentId
}

/// An entity tag: the change sequence of the node's last change. Displayed without quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Etag(pub i64);

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Etag {
    /// Appends what [`fmt::Display`] shows, without its machinery: listings are full of entity tags.
    pub fn append_to(self, text: &mut String) {
        let mut digits = [0; 16];
        for (place, digit) in digits.iter_mut().rev().enumerate() {
            *digit = b"0123456789abcdef"[(self.0 >> (4 * place)) as usize & 15];
        }
        text.push_str(std::str::from_utf8(&digits).unwrap_or_default());
    }

    /// As it stands in an `ETag` header or a `DAV:getetag` element: with double quotes.
    pub fn quoted(self) -> String {
        let mut text = String::with_capacity(18);
        text.push('"');
        self.append_to(&mut text);
        text.push('"');
        text
    }
}

/// A file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Has content.
    File,
    /// Has members.
    Folder,
}

/// A row of the tree, with what was asked for beside it.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its number for life.
    pub id: FileId,
    /// The folder that holds it; `None` for a root.
    pub parent: Option<FileId>,
    /// Its name in that folder; empty for a root.
    pub name: String,
    /// File or folder.
    pub kind: Kind,
    /// Moves with every change to it, and for a folder to anything below.
    pub etag: Etag,
    /// Bytes of content; for a folder, of everything below.
    pub size_bytes: u64,
    /// When the content last changed, as the client told (`X-OC-Mtime`) or as it arrived; for a folder,
    /// the newest change below.
    pub modified: Timestamp,
    /// When the client says it was made, or when the row was.
    pub created: Timestamp,
    /// When the content arrived; for a folder, when it was made.
    pub uploaded: Timestamp,
    /// The content of a file.
    pub content: Option<ContentId>,
    /// The media type told by the client or guessed from the name is not stored; this is only what the
    /// client explicitly set, if anything.
    pub media_type: Option<String>,
    /// Checksums as the client sent them, such as `SHA1:2fd4…`, separated by spaces.
    pub checksums: Option<String>,
    /// What kind of collection it is; `None` for a file and for a plain folder.
    pub collection: Option<Arc<CollectionKind>>,
    /// The whole content of a file; loaded with [`Needs::BODY`].
    pub body: Option<Bytes>,
    /// Whether the asking account marked it; loaded with [`Needs::FAVOURITE`].
    pub is_favourite: bool,
    /// Dead properties; loaded with [`Needs::DEAD_PROPERTIES`].
    pub dead_properties: Vec<DeadProperty>,
    /// The schedule tag of a scheduling object resource (RFC 6638 §3.2.10); loaded with [`Needs::SCHEDULE_TAG`].
    pub schedule_tag: Option<Etag>,
    /// Active locks that apply to it, on itself or inherited; loaded with [`Needs::LOCKS`].
    pub locks: Vec<Lock>,
    /// Direct members (folders, files); loaded with [`Needs::MEMBER_COUNTS`].
    pub member_counts: Option<(u64, u64)>,
    /// How the caller holds it; `None`: as its owner.
    pub access: Option<Arc<Access>>,
    /// The caller's own side of it, where somebody else's folder or collection appears in the caller's tree.
    pub mount: Option<MountPoint>,
    /// Whether the caller may see no more of it than when it is.
    pub is_confidential: bool,
    /// With whom the caller, or anybody if it is the caller's own, shares it; loaded with [`Needs::SHARES`].
    pub shares: Vec<Share>,
    /// The public links to it that the caller made, and those of others to what is the caller's own; loaded with
    /// [`Needs::SHARES`].
    pub links: Vec<Link>,
    /// The token under which its owner, who asks, publishes it; loaded with [`Needs::SHARES`].
    pub publication: Option<String>,
    /// Its tags that the asking account sees; loaded with [`Needs::TAGS`].
    pub tags: Vec<Tag>,
    /// How many comments it has; loaded with [`Needs::COMMENTS`].
    pub comments: Option<CommentCounts>,
    /// Where it was, if it is in the trash and was read from there ([`crate::Tree::trashed`]).
    pub trashed: Option<Trashed>,
    /// What may be written to it, where it is not the caller's own; loaded with [`Needs::QUOTA`].
    pub quota: Option<Quota>,
}

impl Node {
    /// Whether it has members rather than content.
    pub fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }

    /// The sync token of a folder (RFC 6578): the sequence of the last change to it or below it, but never one that
    /// the log does not reach back to any more ([`crate::Tree::log_floor`]).
    pub fn sync_token(&self, log_floor: i64) -> i64 {
        self.etag.0.max(log_floor)
    }

    /// The dead property of that name, among those loaded.
    pub fn dead_property(&self, namespace: &str, local: &str) -> Option<&DeadProperty> {
        self.dead_properties.iter().find(|property| property.local == local && property.namespace == namespace)
    }

    /// What the caller may do with it: everything, with what is her own.
    pub fn permissions(&self) -> Permissions {
        self.access.as_ref().map_or(Permissions::ALL, |access| access.permissions)
    }

    /// Whether the caller may take it away: copy, move or pack it, not only look at it.
    pub fn allows_download(&self) -> bool {
        self.access.as_ref().is_none_or(|access| access.allows_download())
    }

    /// Whether the caller may change it and what is in it in every way.
    pub fn is_writable(&self) -> bool {
        self.permissions().is_writable()
    }

    /// Whether it is the root of an account's tree.
    pub fn is_root(&self) -> bool {
        self.parent.is_none()
    }
}

/// What else to load with a node. A set: combine with `|`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs(u32);

impl Needs {
    /// The row alone.
    pub const NONE: Needs = Needs(0);
    /// [`Node::is_favourite`].
    pub const FAVOURITE: Needs = Needs(1);
    /// [`Node::dead_properties`].
    pub const DEAD_PROPERTIES: Needs = Needs(2);
    /// [`Node::locks`].
    pub const LOCKS: Needs = Needs(4);
    /// [`Node::member_counts`].
    pub const MEMBER_COUNTS: Needs = Needs(8);
    /// [`Node::quota`]; for what is the caller's own, the reader asks [`crate::Tree::quota`].
    pub const QUOTA: Needs = Needs(16);

    /// [`Node::body`], of members of calendars and address books.
    pub const BODY: Needs = Needs(32);
    /// [`Node::schedule_tag`].
    pub const SCHEDULE_TAG: Needs = Needs(64);
    /// [`Node::shares`] and [`Node::publication`].
    pub const SHARES: Needs = Needs(128);

    /// [`Node::tags`].
    pub const TAGS: Needs = Needs(1 << 20);
    /// [`Node::comments`].
    pub const COMMENTS: Needs = Needs(1 << 21);

    /// Whether all of `other` is in this set.
    pub const fn includes(self, other: Needs) -> bool {
        self.0 & other.0 == other.0
    }

    /// This set without `other`.
    pub const fn without(self, other: Needs) -> Needs {
        Needs(self.0 & !other.0)
    }

    /// Both sets together.
    pub const fn and(self, other: Needs) -> Needs {
        Needs(self.0 | other.0)
    }
}

impl std::ops::BitOr for Needs {
    type Output = Needs;

    fn bitor(self, other: Needs) -> Needs {
        self.and(other)
    }
}

/// A property that the server only keeps (RFC 4918 §4.3): the element as the client sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadProperty {
    /// Namespace of its name; may be empty.
    pub namespace: String,
    /// Local part of its name.
    pub local: String,
    /// The whole property element as a self-contained XML fragment.
    pub xml: String,
}

/// The pool, as one account sees it, or her share of it where she has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// All that counts: files and unfinished uploads.
    pub used_bytes: u64,
    /// What may still be written to what is her own.
    pub available_bytes: u64,
    /// What the pool still takes, by whomever: what may be written to what is somebody else's.
    pub pool_bytes: u64,
}
