//! Why a document was not taken.

/// What is wrong with a document; every case is the client's mistake (400) or its excess (413).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not well-formed XML, or not namespace-well-formed; says what.
    #[error("the XML is not well-formed: {0}")]
    Malformed(String),
    /// A document type declaration: refused, since entities could grow without bound.
    #[error("a document type declaration is not allowed")]
    Doctype,
    /// More than a limit allows; names the limit.
    #[error("the XML exceeds {0}")]
    TooLarge(&'static str),
}
