//! Backups of a space: one moment of its metadata and every blob that this reaches, while members go on writing.
//!
//! A place for backups ([`Depository`]) belongs to one space. It holds *objects*, each under the BLAKE3 of its bytes and written
//! once: the space's blobs, and segments of its rows. A *generation* is a small file that names the segments, and is written
//! last, so that what was interrupted is none. What an earlier generation has brought there is not copied again.
//!
//! Rows are JSON, the same from either engine (`segment.rs`), so that a backup of one is restored into the other.

mod depository;
mod error;
mod generation;
mod hold;
mod make;
mod prune;
mod rebuild;
mod restore;
mod segment;
mod spool;
mod today;
mod verify;

pub use depository::Depository;
pub use error::BackupError;
pub use generation::Generation;
pub use make::BackupReport;
pub use restore::{Destination, RestoreReport};
pub use verify::Verified;

pub(crate) use depository::cause;
pub(crate) use hold::lock_file;
pub(crate) use restore::restoring_file;

use crate::sql::Sql;

/// The statements of a backup that either engine may run.
pub(crate) fn statements() -> impl Iterator<Item = Sql> {
    [hold::STATEMENTS, rebuild::STATEMENTS, today::STATEMENTS].into_iter().flatten().copied()
}
