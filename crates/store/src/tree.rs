//! The tree as one account sees it: look-ups, listings, content, changes. Every route goes through here, so
//! authorisation lives here and nowhere else.

use bytes::Bytes;
use futures_core::Stream;

use crate::change::Change;
use crate::content::{Content, StageOptions, Staged};
use crate::error::{Error, Source};
use crate::lock::Lock;
use crate::node::{FileId, Needs, Node, Quota};
use crate::path::NodePath;
use crate::ports::Timestamp;

/// An account's tree. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(crate) space: crate::space::Space,
    pub(crate) account: crate::account::Account,
}

/// A page of a listing.
#[derive(Clone, Debug)]
pub struct Page {
    /// Members, in an order of the store's own.
    pub nodes: Vec<Node>,
    /// Where the next page starts; `None` after the last.
    pub next: Option<FileId>,
}

/// One line of a change report (RFC 6578).
#[derive(Clone, Debug)]
pub struct Changed {
    /// Where, relative to the caller's root.
    pub path: NodePath,
    /// What is there now; `None`: removed.
    pub node: Option<Node>,
}

/// What has come since a sync token.
#[derive(Clone, Debug)]
pub struct Changes {
    /// Each member once.
    pub changed: Vec<Changed>,
    /// The token to ask with next.
    pub token: i64,
    /// Whether the limit cut the list: asking again with `token` goes on.
    pub is_truncated: bool,
}

/// An upload in progress.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The name that the client chose.
    pub name: String,
    /// When it was begun or last written to.
    pub touched: Timestamp,
    /// Its chunks, complete ones only, in numeric order.
    pub chunks: Vec<Chunk>,
}

/// A complete chunk.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Its name.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// Moves when it is replaced.
    pub etag: crate::node::Etag,
    /// When it arrived.
    pub modified: Timestamp,
}

impl Tree {
    /// The space it belongs to.
    pub fn space(&self) -> &crate::space::Space {
        &self.space
    }

    /// The account that it is opened as.
    pub fn account(&self) -> &crate::account::Account {
        &self.account
    }

    /// The node at `path`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn node(&self, path: &NodePath, needs: Needs) -> Result<Node, Error> {
        let _ = (path, needs);
        unimplemented!()
    }

    /// The node with that number, and its path, if the account can see it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn node_by_id(&self, id: FileId, needs: Needs) -> Result<(NodePath, Node), Error> {
        let _ = (id, needs);
        unimplemented!()
    }

    /// One page of a folder's members, from `after` on. A folder that vanished answers [`Error::NotFound`],
    /// never an empty page. `node` is the folder as returned by [`Tree::node`]; its path is needed for locks.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotACollection`].
    pub async fn children(
        &self,
        path: &NodePath,
        folder: &Node,
        after: Option<FileId>,
        needs: Needs,
    ) -> Result<Page, Error> {
        let _ = (path, folder, after, needs);
        unimplemented!()
    }

    /// Every node below `path` that the account marked as favourite, with its path.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn favourites(&self, path: &NodePath, needs: Needs) -> Result<Vec<(NodePath, Node)>, Error> {
        let _ = (path, needs);
        unimplemented!()
    }

    /// The pool as the account sees it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn quota(&self) -> Result<Quota, Error> {
        unimplemented!()
    }

    /// The content of a file node.
    ///
    /// # Errors
    /// [`Error::IsACollection`], [`Error::NotFound`] when it was collected since.
    pub async fn open(&self, node: &Node) -> Result<Content, Error> {
        let _ = node;
        unimplemented!()
    }

    /// The active locks that apply to the node at `path`, on itself or inherited.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn locks(&self, path: &NodePath) -> Result<Vec<Lock>, Error> {
        let _ = path;
        unimplemented!()
    }

    /// The token to start a synchronisation of any folder from (RFC 6578): the present change sequence.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn sync_token(&self) -> Result<i64, Error> {
        unimplemented!()
    }

    /// What changed below `path` since `token`; direct members only unless `is_deep`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotACollection`], [`Error::StaleToken`].
    pub async fn changes_since(
        &self,
        path: &NodePath,
        token: i64,
        is_deep: bool,
        limit: usize,
        needs: Needs,
    ) -> Result<Changes, Error> {
        let _ = (path, token, is_deep, limit, needs);
        unimplemented!()
    }

    /// Whether GET, PUT and the like demanded by `conditions` holds now: for methods that only read.
    ///
    /// # Errors
    /// [`Error::ConditionFailed`].
    pub async fn check_conditions(
        &self,
        path: &NodePath,
        conditions: &crate::conditions::Conditions,
    ) -> Result<(), Error> {
        let _ = (path, conditions);
        unimplemented!()
    }

    /// The account's upload of that name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn upload(&self, name: &str) -> Result<Upload, Error> {
        let _ = name;
        unimplemented!()
    }

    /// The names of the account's uploads.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn uploads(&self) -> Result<Vec<String>, Error> {
        unimplemented!()
    }

    /// Takes in a body: durable when it returns, part of nothing yet. Counts, hashes and verifies in one pass.
    ///
    /// # Errors
    /// [`Error::OverQuota`] (before reading, where the length is announced), [`Error::BodyInterrupted`],
    /// [`Error::ChecksumMismatch`], [`Error::TooLarge`].
    pub async fn stage<S, E>(&self, body: S, options: StageOptions) -> Result<Staged, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Source> + Send,
    {
        let _ = (body, options);
        unimplemented!()
    }

    /// Carries out a change: when it returns, the change is durable and visible whole, or nothing happened.
    ///
    /// # Errors
    /// Whatever the change says.
    pub async fn apply<C: Change>(&self, change: C) -> Result<C::Outcome, Error> {
        let _ = change;
        unimplemented!()
    }
}
