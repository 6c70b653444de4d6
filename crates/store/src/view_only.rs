//! Whether the content of what is shared for looking at only is opened: every route asks here. What would take it away is
//! refused where it is asked for ([`Node::allows_download`]). Sheet `nextcloud-files-dav` section 13.2.

use crate::error::Error;
use crate::node::Node;
use crate::tree::{Tree, check_readable};

impl Tree {
    /// Whether the content of the node is opened for the caller.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if it is not shared for reading, or for looking at only and this is no tree to look at
    /// ([`Tree::to_look_at`]), unless [`Limits::has_view_without_download`](crate::Limits::has_view_without_download).
    pub fn check_content(&self, node: &Node) -> Result<(), Error> {
        check_readable(node)?;
        match node.allows_download() || self.only_shows || self.views_without_download() {
            true => Ok(()),
            false => Err(Error::Forbidden("it is shared for looking at only")),
        }
    }

    pub(crate) fn views_without_download(&self) -> bool {
        self.core().limits.has_view_without_download
    }
}
