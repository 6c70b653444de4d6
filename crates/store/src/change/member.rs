//! Members of calendars and address books: the rules of RFC 4791 §5.3.2.1 and RFC 6352 §6.3.2.1 that need to see the
//! collection, and the index rows beside the nodes.

use super::delete::MOVE;
use super::site::{NewNode, Site, insert_node};
use crate::collection::{Area, CollectionKind, MemberIndex, check_place};
use crate::error::Error;
use crate::look_up;
use crate::node::{FileId, Kind, Node};
use crate::path::NodePath;
use crate::sql::{Sql, Value};
use crate::tx::{Asker, Tx};

/// Adds a collection of this kind with its line in the log.
pub(crate) async fn make_collection(
    tx: &mut Tx,
    parent: FileId,
    name: &str,
    kind: &CollectionKind,
) -> Result<Node, Error> {
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
    let mut node = insert_node(tx, new).await?;
    tx.one(SET_KIND, &[node.id.into(), kind.to_text().into()]).await?;
    node.collection = Some(std::sync::Arc::new(kind.clone()));
    tx.touch(parent, 0).await?;
    tx.log(parent, name, node.id, false).await?;
    Ok(node)
}

/// Whether a member with this index may stand at `site`; one that is there already keeps its UID.
pub(super) async fn check_member(
    tx: &mut Tx,
    asker: &Asker,
    site: &Site,
    path: &NodePath,
    index: Option<&MemberIndex>,
) -> Result<(), Error> {
    if asker.area == Area::Files {
        return Ok(());
    }
    let index = index.ok_or(Error::WrongPlace)?;
    check_place(asker.area, site.located.ancestors(), false)?;
    let collection = site.located.parent()?;
    collection.collection.as_deref().ok_or(Error::WrongPlace)?.check_member(&index.component)?;
    // Whoever has the UID already is named before the member that would lose its own.
    check_uid(tx, asker, collection.id, &index.uid, site.node().map(|node| node.id)).await?;
    if let Some(old) = site.node() {
        let uid = uid_of(tx, old.id).await?;
        if uid.is_some_and(|uid| uid != index.uid) {
            return Err(Error::UidTaken { path: path.clone() });
        }
    }
    Ok(())
}

/// No other member of the collection has the UID.
async fn check_uid(
    tx: &mut Tx,
    asker: &Asker,
    collection: FileId,
    uid: &str,
    own: Option<FileId>,
) -> Result<(), Error> {
    for row in tx.all(WITH_UID, &[uid.into(), collection.into()]).await? {
        let id = FileId(row.int(0)?);
        if Some(id) == own {
            continue;
        }
        let path = look_up::path_of(&mut tx.connection, asker.root, id).await?;
        return Err(Error::UidTaken { path: path.unwrap_or_default() });
    }
    Ok(())
}

async fn uid_of(tx: &mut Tx, member: FileId) -> Result<Option<String>, Error> {
    tx.maybe(INDEX, &[member.into()]).await?.map(|row| row.text(0)).transpose()
}

/// Whether `node`, which COPY or MOVE found in this area, may stand at `destination`, which will be free.
pub(super) async fn check_arrival(
    tx: &mut Tx,
    asker: &Asker,
    node: &Node,
    (destination, path): (&Site, &NodePath),
    is_move: bool,
) -> Result<(), Error> {
    if asker.area == Area::Files {
        return Ok(());
    }
    let above = destination.located.ancestors();
    check_place(asker.area, above, node.is_folder())?;
    if node.is_folder() {
        let is_bound = |kind: &CollectionKind| kind.is_fixed() || kind.is_generated();
        return if node.collection.as_deref().is_some_and(is_bound) {
            Err(Error::Forbidden("this collection is part of every home"))
        } else {
            Ok(())
        };
    }
    let collection = destination.located.parent()?;
    let index = tx.maybe(INDEX, &[node.id.into()]).await?.ok_or(Error::WrongPlace)?;
    collection.collection.as_deref().ok_or(Error::WrongPlace)?.check_member(&index.text(1)?)?;
    let uid = index.text(0)?;
    // A member is replaced by another version of itself only: RFC 4791 §5.3.2.1, RFC 6352 §6.3.2.1.
    let occupant = destination.node().map(|node| node.id);
    if let Some(occupant) = occupant
        && uid_of(tx, occupant).await?.is_some_and(|own| own != uid)
    {
        return Err(Error::UidTaken { path: path.clone() });
    }
    // Whoever makes room at the destination takes its UID away, and whoever moves within a collection keeps it.
    let own = if is_move { Some(node.id) } else { None };
    for row in tx.all(WITH_UID, &[uid.as_str().into(), collection.id.into()]).await? {
        let id = Some(FileId(row.int(0)?));
        if id != own && id != occupant {
            return check_uid(tx, asker, collection.id, &uid, own).await;
        }
    }
    Ok(())
}

/// Whether `node` may come back from the trash to `collection`, where its UID may have come up again since.
pub(super) async fn check_return(tx: &mut Tx, asker: &Asker, node: &Node, collection: FileId) -> Result<(), Error> {
    let index = tx.maybe(INDEX, &[node.id.into()]).await?.ok_or(Error::WrongPlace)?;
    check_uid(tx, asker, collection, &index.text(0)?, Some(node.id)).await
}

/// Sets the index row of a member.
pub(super) async fn put_index(tx: &mut Tx, member: &Node, index: &MemberIndex) -> Result<(), Error> {
    let collection = member.parent.ok_or(Error::WrongPlace)?;
    let args: [Value; 7] = [
        member.id.into(),
        collection.into(),
        index.uid.as_str().into(),
        index.component.as_str().into(),
        index.first_seconds.into(),
        index.last_seconds.into(),
        index.visibility.number().into(),
    ];
    tx.one(PUT_INDEX, &args).await
}

/// Gives a node another place; what is known of a member comes along.
pub(super) async fn move_node(tx: &mut Tx, area: Area, node: &Node, parent: i64, name: &str) -> Result<(), Error> {
    tx.one(MOVE, &[node.id.into(), parent.into(), name.into()]).await?;
    if area != Area::Files && !node.is_folder() {
        tx.run(MOVE_INDEX, &[node.id.into(), parent.into()]).await?;
    }
    Ok(())
}

const SET_KIND: Sql = Sql("UPDATE node SET collection = $3 WHERE space_id = $1 AND id = $2");

const WITH_UID: Sql = Sql("SELECT node_id FROM member WHERE space_id = $1 AND uid = $2 AND collection_id = $3");

const INDEX: Sql = Sql("SELECT uid, component FROM member WHERE space_id = $1 AND node_id = $2");

const PUT_INDEX: Sql =
    Sql("INSERT INTO member (space_id, node_id, collection_id, uid, component, first_seconds, last_seconds,
                         visibility)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (space_id, node_id) DO UPDATE
        SET uid = excluded.uid, component = excluded.component, first_seconds = excluded.first_seconds,
            last_seconds = excluded.last_seconds, visibility = excluded.visibility");

const MOVE_INDEX: Sql = Sql("UPDATE member SET collection_id = $3 WHERE space_id = $1 AND node_id = $2");

pub(super) const STATEMENTS: &[Sql] = &[SET_KIND, WITH_UID, INDEX, PUT_INDEX, MOVE_INDEX];
