//! What is shared for looking at only: it is shown, but not packed, not handed out by an address that needs no log-in, and not
//! as it was before. Sheet `nextcloud-files-dav`, sections 12 to 15. That it is not copied or moved away is the store's business.

use nichoir_dav::Error;
use nichoir_store::Node;

/// Refuses what would take the node away.
pub(crate) fn check_download(node: &Node) -> Result<(), Error> {
    if node.allows_download() { Ok(()) } else { Err(refusal()) }
}

/// What is said to whoever tries.
pub(crate) fn refusal() -> Error {
    Error::forbidden("It is shared to be looked at, not to be taken away.")
}
