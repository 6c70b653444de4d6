//! The store: spaces, their trees, and the bytes below. SQL, blobs and all authorisation live here; HTTP and XML
//! do not.
//!
//! [`Store`] holds the spaces of a server; [`Space`] is the only door to one space's rows and blobs;
//! [`Tree`] is the space as one account sees it. Reading is by the methods of [`Tree`]; writing is by
//! values of [`change`], which the space's writer carries out one after the other, several in one commit.
//! Sizes are in bytes, instants in microseconds ([`Timestamp`]), durations in the unit their name says.

mod account;
mod account_value;
mod activity;
mod area;
mod bin;
mod blob;
mod body;
pub mod change;
mod change_log;
pub mod checksum;
mod collection;
mod comment;
pub mod conditions;
mod content;
mod control;
mod departure;
mod device;
mod error;
mod evaluate;
mod events;
pub mod fault;
mod grant;
mod group;
mod link;
mod lock;
mod look_up;
mod member_quota;
mod mention;
mod migrations;
mod mount;
mod moved;
mod node;
mod notification;
mod open_space;
mod outgoing;
mod outside;
mod path;
mod permissions;
mod picture;
mod ports;
mod purge;
mod push;
mod reach;
mod retention;
mod row;
mod scheduling;
mod search;
mod share;
mod share_list;
mod space;
mod sql;
mod sql_fault;
mod sqlite;
mod standing;
mod statements;
mod store;
mod tag;
mod team_folder;
mod theme;
mod thinning;
mod trash;
mod tree;
mod tx;
mod user_status;
mod version;
mod wake;
mod writer;

pub use account::{Account, AccountUpdate, NewAccount, Role};
pub use activity::{Activity, ActivityFilter, ActivityKind};
pub use blob::Blobs;
pub use collection::{Area, CARD, CollectionKind, Components, MemberFilter, MemberIndex};
pub use comment::{Comment, CommentCounts};
pub use content::{ByteStream, Content, StageOptions, Staged};
pub use departure::Departure;
pub use device::{Device, LoginFlow, LoginGrant};
pub use error::{Error, Sharing, Source};
pub use events::{Events, Origin, Waiting};
pub use group::Group;
pub use link::{Link, LinkId, OpenLink};
pub use lock::{Lock, LockKind, Scope};
pub use mention::{Mention, mentions};
pub use moved::{Move, Moved, Quiet, Replaced};
pub use node::{
    AccountId, CommentId, ContentId, DeadProperty, DeviceId, Etag, FileId, GroupId, Kind, Needs, Node, Quota, ShareId,
    TagId,
};
pub use notification::{NewNotification, Notification, NotificationKind};
pub use open_space::affordable as affordable_open_spaces;
pub use outgoing::{NewOutgoing, Outgoing};
pub use path::{NAME_BYTES_MAX, NodePath, PATH_DEPTH_MAX};
pub use permissions::Permissions;
pub use picture::{Picture, Sitter};
pub use ports::{Clock, ManualClock, Ports, Random, SeededRandom, Timestamp};
pub use push::{NewPushRegistration, PushRegistration};
pub use scheduling::SchedulingCopy;
pub use search::{Candidate, Everything, Found, Reach, Search, Sieve};
pub use share::{Access, MountPoint, NO_DOWNLOAD, Share, Sharee, Via, Visibility};
pub use share_list::{PlacedShare, Received};
pub use space::{Space, SpaceInfo, SpaceState};
pub use sql_fault::SqlFaults;
pub use standing::Standing;
pub use store::{BlobConfig, CheckReport, DatabaseConfig, Limits, NewSpace, S3Config, SpaceUpdate, Store, StoreConfig};
pub use tag::Tag;
pub use team_folder::TeamFolder;
pub use theme::{Theme, ThemeUpdate};
pub use trash::{Deleter, TrashPage, Trashed};
pub use tree::{Changed, Changes, Chunk, Page, Tree, Upload};
pub use user_status::UserStatus;
pub use version::{FileVersions, LABEL_BYTES_MAX, Version};
