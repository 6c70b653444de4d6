//! What can happen to a backup.

use crate::error::Error;

/// Why a backup or a restore was not done.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something in the place for backups is not what it claims to be, or is missing; says what, and what to do.
    #[error("{0}")]
    Damaged(String),
    /// It is not done because it is not what is wanted, as far as can be seen; says why, and what to do.
    #[error("{0}")]
    Refused(String),
    /// The place for backups takes or gives nothing.
    #[error("{place}: {cause}")]
    Place {
        /// Where backups are.
        place: String,
        /// What it said.
        cause: Error,
    },
    /// The space itself.
    #[error(transparent)]
    Space(#[from] Error),
}
