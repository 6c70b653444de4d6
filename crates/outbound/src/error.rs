//! What can go wrong with a request to somebody else's server.

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no URL, or one with a password in it, or without a host.
    #[error("this is no URL that can be asked")]
    BadUrl,
    /// Its scheme is not one that is spoken.
    #[error("only https is spoken")]
    Insecure,
    /// The address, or every address that the name stands for, is one of a private or special network.
    #[error("the address is not a public one")]
    NotPublic,
    /// The answer is larger than asked for.
    #[error("the answer has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// No answer in time.
    #[error("no answer within {seconds} seconds")]
    TooSlow {
        /// The limit.
        seconds: u64,
    },
    /// No connection, no TLS, no HTTP.
    #[error("the server cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Whether the same request may well succeed later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Error::TooSlow { .. } | Error::Unreachable(_))
    }
}
