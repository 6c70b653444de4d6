//! skeleton
/// Blobs.
#[derive(Clone, Debug)]
pub struct Blobs;
