//! The store: all spaces of one server.

use std::path::PathBuf;

use crate::error::Error;
use crate::ports::Ports;
use crate::space::{Space, SpaceInfo, SpaceState};

/// Where metadata lives.
#[derive(Clone, Debug)]
pub enum DatabaseConfig {
    /// `control.sqlite` and a file per space, below this directory.
    Sqlite {
        /// The directory; made if missing.
        directory: PathBuf,
    },
    /// One PostgreSQL database.
    Postgres {
        /// `postgres://user:password@host/database`.
        url: String,
        /// Connections at most.
        connections_max: u32,
    },
}

/// Where blobs live.
#[derive(Clone, Debug)]
pub enum BlobConfig {
    /// Files below this directory, synced.
    Local {
        /// The directory; made if missing.
        directory: PathBuf,
    },
    /// An S3 bucket.
    S3(S3Config),
    /// Memory, for tests.
    Memory,
}

/// How to reach an S3 bucket.
#[derive(Clone, Debug)]
pub struct S3Config {
    /// `https://s3.example.org`.
    pub endpoint: String,
    /// The bucket, which exists.
    pub bucket: String,
    /// The region; `garage`, `us-east-1` or whatever the store wants.
    pub region: String,
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Address the bucket as `endpoint/bucket` rather than `bucket.endpoint`.
    pub has_path_style: bool,
}

/// The store's limits, each a setting of the same name.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Content up to this many bytes lives in the row.
    pub inline_bytes: usize,
    /// Bytes of one part of a blob on its way in: the memory that an upload takes.
    pub part_bytes: usize,
    /// Space files open at once.
    pub open_spaces_max: usize,
    /// Seconds after which an unused space file is closed.
    pub idle_close_seconds: u64,
    /// Rows a page of a listing.
    pub page_rows: i64,
    /// Changes waiting for one space's writer; more answer [`Error::Busy`].
    pub queued_changes_max: usize,
    /// Changes in one commit.
    pub group_changes_max: usize,
    /// The longest lock.
    pub lock_timeout_seconds_max: u64,
    /// Locks in a space.
    pub locks_max: u64,
    /// Dead properties on one node.
    pub dead_properties_max: u64,
    /// Bytes of one dead property.
    pub dead_property_bytes_max: u64,
    /// Chunks in one upload.
    pub upload_chunks_max: u64,
    /// Uploads of one account at once.
    pub uploads_max: u64,
    /// Seconds after its last chunk that an unfinished upload is kept.
    pub upload_expiry_seconds: i64,
    /// Days in the trash.
    pub trash_days: i64,
    /// Days that versions are kept.
    pub version_days: i64,
    /// Seconds of changes kept in the log for sync tokens.
    pub change_log_days: i64,
    /// Nodes copied by one COPY.
    pub copy_nodes_max: u64,
    /// Devices of an account.
    pub devices_max: u64,
    /// Login flows waiting in a space.
    pub login_flows_max: u64,
    /// Seconds before unreferenced blobs are removed.
    pub collect_after_seconds: i64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            inline_bytes: 16 * 1024,
            part_bytes: 5 * 1024 * 1024,
            open_spaces_max: 512,
            idle_close_seconds: 60,
            page_rows: 500,
            queued_changes_max: 1024,
            group_changes_max: 64,
            lock_timeout_seconds_max: 3600,
            locks_max: 10_000,
            dead_properties_max: 200,
            dead_property_bytes_max: 65_536,
            upload_chunks_max: 10_000,
            uploads_max: 1_000,
            upload_expiry_seconds: 2 * 24 * 3600,
            trash_days: 30,
            version_days: 30,
            change_log_days: 30,
            copy_nodes_max: 200_000,
            devices_max: 100,
            login_flows_max: 1_000,
            collect_after_seconds: 3600,
        }
    }
}

/// How to open a store.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Where metadata lives.
    pub database: DatabaseConfig,
    /// Where blobs live.
    pub blobs: BlobConfig,
    /// Spaces answer at `NAME.base_domain`, if set.
    pub base_domain: Option<String>,
    /// The space that answers on every other host, if set.
    pub default_space: Option<String>,
    /// The limits.
    pub limits: Limits,
}

/// What a new space starts with.
#[derive(Clone, Debug)]
pub struct NewSpace {
    /// Its name, of `a-z 0-9 -`.
    pub name: String,
    /// Its own host names.
    pub hosts: Vec<String>,
    /// The pool, in bytes.
    pub quota_bytes: u64,
    /// How many accounts it may have.
    pub max_accounts: u32,
}

/// What to change of a space; `None` leaves as is.
#[derive(Clone, Debug, Default)]
pub struct SpaceUpdate {
    /// Its own host names, all of them.
    pub hosts: Option<Vec<String>>,
    /// The pool, in bytes.
    pub quota_bytes: Option<u64>,
    /// How many accounts it may have.
    pub max_accounts: Option<u32>,
    /// Active or suspended.
    pub state: Option<SpaceState>,
}

/// What `check` found wrong, in words for a person.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    /// Nodes, contents and blobs looked at.
    pub checked: u64,
    /// One line each; empty is good.
    pub problems: Vec<String>,
}

/// All spaces of one server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store;

impl Store {
    /// Opens the store, making what is missing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with what could not be opened.
    pub async fn open(config: StoreConfig, ports: Ports) -> Result<Store, Error> {
        let _ = (config, ports);
        unimplemented!()
    }

    /// The space that answers on `host` (without port, any case): its own hosts, else `NAME.base_domain`,
    /// else the default space, else `None`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn space_for_host(&self, host: &str) -> Result<Option<Space>, Error> {
        let _ = host;
        unimplemented!()
    }

    /// The space of that name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn space_named(&self, name: &str) -> Result<Space, Error> {
        let _ = name;
        unimplemented!()
    }

    /// Every space, by number.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn spaces(&self) -> Result<Vec<SpaceInfo>, Error> {
        unimplemented!()
    }

    /// Makes a space: one row; its file is made when it is first used.
    ///
    /// # Errors
    /// [`Error::Exists`] for a name or host in use, [`Error::BadName`].
    pub async fn create_space(&self, new: NewSpace) -> Result<Space, Error> {
        let _ = new;
        unimplemented!()
    }

    /// Changes a space.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Exists`] for a host in use.
    pub async fn update_space(&self, name: &str, update: SpaceUpdate) -> Result<SpaceInfo, Error> {
        let _ = (name, update);
        unimplemented!()
    }

    /// Deletes a space with everything in it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_space(&self, name: &str) -> Result<(), Error> {
        let _ = name;
        unimplemented!()
    }

    /// Metadata against blobs and back (fsck); `is_deep` reads every blob and compares its hash.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn check_space(&self, name: &str, is_deep: bool) -> Result<CheckReport, Error> {
        let _ = (name, is_deep);
        unimplemented!()
    }

    /// Expires and collects in every space that was used: run now and then by `serve`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn maintain(&self) -> Result<(), Error> {
        unimplemented!()
    }

    /// Whether the database and the blob store answer: for `/readyz` and `doctor`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with what does not answer.
    pub async fn probe(&self) -> Result<(), Error> {
        unimplemented!()
    }

    /// Space files open now: for the metrics.
    pub fn open_spaces(&self) -> usize {
        unimplemented!()
    }

    /// Finishes the changes under way and closes every file.
    pub async fn close(&self) {}
}
