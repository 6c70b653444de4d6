//! The place a change works on: the nodes along a path, the locks of the space, and the checks that every
//! change begins with.

use super::relocate::Arrival;
use crate::collection::CollectionKind;
use crate::conditions::Conditions;
use crate::content::{PieceBytes, Staged};
use crate::error::Error;
use crate::evaluate;
use crate::lock::{self, StoredLock};
use crate::look_up::{self, Located};
use crate::node::{AccountId, ContentId, FileId, Kind, Node};
use crate::path::NodePath;
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::row::{node_columns, node_of};
use crate::sql::{Sql, Value};
use crate::tx::{Asker, Tx, signed};

/// A path in the asker's tree as the change finds it.
pub(super) struct Site {
    pub(super) located: Located,
    pub(super) locks: Vec<StoredLock>,
    /// The last name, which the asker sees nothing under, belongs to something that is hidden from the asker.
    is_taken_unseen: bool,
}

impl Site {
    pub(super) async fn find(tx: &mut Tx, asker: &Asker, path: &NodePath) -> Result<Site, Error> {
        if asker.is_bin {
            return Err(Error::Forbidden("what is in the trash stays as it is"));
        }
        let located = look_up::locate(&mut tx.connection, &asker.root(), path).await?;
        let is_taken_unseen = match (located.missing.as_slice(), located.chain.last()) {
            ([name], Some(parent)) if parent.access.is_some() => {
                look_up::is_taken(&mut tx.connection, parent.id, name).await?.is_some()
            }
            _ => false,
        };
        let now = tx.now();
        let locks = lock::active(&mut tx.connection, now).await?;
        Ok(Site { located, locks, is_taken_unseen })
    }

    pub(super) fn node(&self) -> Option<&Node> {
        self.located.node()
    }

    /// Evaluates the request's preconditions about this path.
    pub(super) async fn check(&self, tx: &mut Tx, asker: &Asker, conditions: &Conditions) -> Result<(), Error> {
        if asker.only_adds() {
            // A condition that fails would tell what is there.
            return Ok(());
        }
        let is_missing = !self.located.missing.is_empty();
        let root = asker.root();
        evaluate::check(&mut tx.connection, &root, conditions, &self.located.chain, is_missing, &self.locks).await
    }

    /// The node's content or properties may be changed.
    pub(super) fn may_write(&self, asker: &Asker, conditions: &Conditions) -> Result<(), Error> {
        check_permission(self.located.chain.last(), Permissions::UPDATE)?;
        lock::may_write(&self.locks, &self.located.chain, asker.account.id, conditions)
    }

    /// A member may be added to the folder above.
    pub(super) fn may_add(&self, asker: &Asker, conditions: &Conditions) -> Result<(), Error> {
        self.may_change_members(asker, conditions, Permissions::CREATE)
    }

    /// What COPY or MOVE brings may come into the folder above.
    pub(super) fn may_take_in(
        &self,
        asker: &Asker,
        conditions: &Conditions,
        arrival: Arrival<'_>,
    ) -> Result<(), Error> {
        let is_others = self.located.ancestors().last().is_some_and(|folder| folder.access.is_some());
        if arrival.is_move && arrival.node.mount.is_some() && is_others {
            return Err(Error::Forbidden("what is shared with you stays among what is your own"));
        }
        self.may_change_members(asker, conditions, arrival.right)
    }

    fn may_change_members(&self, asker: &Asker, conditions: &Conditions, right: Permissions) -> Result<(), Error> {
        check_permission(self.located.ancestors().last(), right)?;
        if self.is_taken_unseen {
            return Err(Error::Forbidden("the name is taken"));
        }
        lock::may_write(&self.locks, self.located.ancestors(), asker.account.id, conditions)
    }

    /// The node may leave its place with everything below; returns the locks that go with it.
    pub(super) async fn may_remove(
        &self,
        tx: &mut Tx,
        asker: &Asker,
        conditions: &Conditions,
    ) -> Result<Vec<StoredLock>, Error> {
        self.may_leave(tx, asker, conditions, Permissions::DELETE).await
    }

    /// The node may get another name in its folder; returns the locks that go with it.
    pub(super) async fn may_rename(
        &self,
        tx: &mut Tx,
        asker: &Asker,
        conditions: &Conditions,
    ) -> Result<Vec<StoredLock>, Error> {
        self.may_leave(tx, asker, conditions, Permissions::UPDATE).await
    }

    async fn may_leave(
        &self,
        tx: &mut Tx,
        asker: &Asker,
        conditions: &Conditions,
        right: Permissions,
    ) -> Result<Vec<StoredLock>, Error> {
        self.may_change_members(asker, conditions, right)?;
        let above = self.located.ancestors().last().and_then(|above| above.collection.as_deref());
        if above.is_some_and(CollectionKind::is_generated) {
            return Err(Error::Forbidden("the server alone writes here"));
        }
        let chain = &self.located.chain;
        lock::may_remove(&mut tx.connection, &self.locks, chain, asker.account.id, conditions).await
    }
}

/// Promise 9: with what somebody else shares, one does what it is shared for.
pub(super) fn check_permission(node: Option<&Node>, right: Permissions) -> Result<(), Error> {
    match node {
        Some(node) if !node.permissions().includes(right) => Err(Error::Forbidden("it is not shared for this")),
        _ => Ok(()),
    }
}

/// A node to be.
pub(super) struct NewNode<'a> {
    pub(super) parent: FileId,
    pub(super) name: &'a str,
    pub(super) kind: Kind,
    pub(super) size_bytes: u64,
    pub(super) modified: Timestamp,
    pub(super) created: Timestamp,
    pub(super) content: Option<ContentId>,
    pub(super) checksums: Option<&'a str>,
    pub(super) media_type: Option<&'a str>,
    /// Who wrote the content, where versions are kept of it.
    pub(super) author: Option<AccountId>,
}

/// Adds a row to the tree. Ancestors and log are the caller's business.
pub(super) async fn insert_node(tx: &mut Tx, new: NewNode<'_>) -> Result<Node, Error> {
    let id = FileId(tx.fresh_id());
    let args: [Value; 13] = [
        id.into(),
        new.parent.into(),
        new.name.into(),
        (new.kind == Kind::Folder).into(),
        tx.etag().into(),
        new.size_bytes.into(),
        new.modified.into(),
        new.created.into(),
        tx.now().into(),
        new.content.map(|content| content.0).into(),
        new.checksums.into(),
        new.media_type.into(),
        new.author.map(|author| author.0).into(),
    ];
    tx.one(INSERT_NODE, &args).await?;
    Ok(Node {
        id,
        parent: Some(new.parent),
        name: new.name.to_owned(),
        kind: new.kind,
        etag: tx.etag(),
        size_bytes: new.size_bytes,
        modified: new.modified,
        created: new.created,
        uploaded: tx.now(),
        content: new.content,
        media_type: new.media_type.map(str::to_owned),
        checksums: new.checksums.map(str::to_owned),
        collection: None,
        body: None,
        is_favourite: false,
        dead_properties: Vec::new(),
        schedule_tag: None,
        locks: Vec::new(),
        member_counts: None,
        access: None,
        mount: None,
        is_confidential: false,
        shares: Vec::new(),
        links: Vec::new(),
        publication: None,
        tags: Vec::new(),
        comments: None,
        trashed: None,
        quota: None,
    })
}

/// Adds an empty folder with its ancestors' etags and its line in the log.
pub(super) async fn make_folder(tx: &mut Tx, parent: FileId, name: &str) -> Result<Node, Error> {
    let now = tx.now();
    let new = NewNode {
        parent,
        name,
        kind: Kind::Folder,
        size_bytes: 0,
        modified: now,
        created: now,
        content: None,
        checksums: None,
        media_type: None,
        author: None,
    };
    let folder = insert_node(tx, new).await?;
    tx.touch(parent, 0).await?;
    tx.log(parent, name, folder.id, false).await?;
    Ok(folder)
}

/// Makes staged bytes a content of the space; empty content is no content.
pub(super) async fn store_content(tx: &mut Tx, staged: &Staged) -> Result<Option<ContentId>, Error> {
    if staged.size_bytes == 0 {
        return Ok(None);
    }
    let content = ContentId(tx.fresh_id());
    tx.one(INSERT_CONTENT, &[content.into(), staged.size_bytes.into()]).await?;
    let mut offset_bytes = 0;
    for (position, piece) in (0i64..).zip(&staged.pieces) {
        let (bytes, key): (Option<&[u8]>, Option<&str>) = match &piece.bytes {
            PieceBytes::Inline(bytes) => (Some(bytes), None),
            PieceBytes::Blob(key) => (None, Some(key)),
        };
        if let Some(key) = key {
            tx.consume_intent(key).await?;
        }
        let args: [Value; 7] = [
            content.into(),
            position.into(),
            signed(offset_bytes).into(),
            piece.size_bytes.into(),
            piece.digest.as_slice().into(),
            bytes.into(),
            key.into(),
        ];
        tx.one(INSERT_PIECE, &args).await?;
        offset_bytes += piece.size_bytes;
    }
    Ok(Some(content))
}

/// The node in its owner's tree, where a mount shows it elsewhere under another name.
pub(super) async fn where_it_is(tx: &mut Tx, node: &Node) -> Result<Node, Error> {
    match node.mount {
        Some(_) => reload(tx, node.id).await,
        None => Ok(node.clone()),
    }
}

/// The node as it is now, as a change that updated it hands it out.
pub(super) async fn reload(tx: &mut Tx, id: FileId) -> Result<Node, Error> {
    node_of(&tx.row(RELOAD, &[id.into()]).await?)
}

/// Removes locks whose resources have left their place: locks do not move (RFC 4918 §7.5).
pub(super) async fn drop_locks(tx: &mut Tx, locks: &[StoredLock]) -> Result<(), Error> {
    for lock in locks {
        tx.run(DROP_LOCK, &[lock.token.as_str().into()]).await?;
    }
    Ok(())
}

const INSERT_NODE: Sql =
    Sql("INSERT INTO node (space_id, id, parent_id, name, is_folder, etag, size_bytes, modified_us, created_us,
                       uploaded_us, content_id, checksums, media_type, author_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");

const INSERT_CONTENT: Sql =
    Sql("INSERT INTO content (space_id, id, size_bytes, reference_count) VALUES ($1, $2, $3, 1)");

const INSERT_PIECE: Sql =
    Sql("INSERT INTO piece (space_id, content_id, position, offset_bytes, size_bytes, digest, bytes, blob_key)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");

const RELOAD: Sql = Sql(concat!("SELECT ", node_columns!(), " FROM node WHERE space_id = $1 AND id = $2"));

const DROP_LOCK: Sql = Sql("DELETE FROM lock WHERE space_id = $1 AND token = $2");

pub(super) const STATEMENTS: &[Sql] = &[INSERT_NODE, INSERT_CONTENT, INSERT_PIECE, RELOAD, DROP_LOCK];
