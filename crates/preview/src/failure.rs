//! Why there is no preview.

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The bytes are no picture of a kind that is read here.
    #[error("not a picture of a kind that is read")]
    Unsupported,
    /// Reading it would take more memory than one preview may.
    #[error("takes more memory than one preview may")]
    TooLarge,
    /// The bytes cannot be read as what they say they are.
    #[error("cannot be read: {0}")]
    Broken(String),
    /// Too many previews are waiting to be made.
    #[error("too many previews are waiting to be made")]
    Busy,
    /// Something on the way failed that may work another time.
    #[error("cannot be made at the moment")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Failure {
    /// Whether another try with the same bytes would end the same way.
    pub fn is_final(&self) -> bool {
        matches!(self, Failure::Unsupported | Failure::TooLarge | Failure::Broken(_))
    }
}
