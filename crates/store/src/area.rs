//! The calendar and address book homes of an account, made when they are first asked for; and their members, read
//! by what the store knows of their content.

use std::sync::PoisonError;

use crate::body;
use crate::change::make_collection;
use crate::collection::{Area, MemberFilter};
use crate::error::Error;
use crate::look_up;
use crate::node::{AccountId, FileId, Needs, Node};
use crate::path::NodePath;
use crate::row::{node_columns, node_of};
use crate::share::apply_visibility;
use crate::sql::{Connection, Row, Sql, Value};
use crate::tree::{Page, Tree};
use crate::tx::Tx;

/// Names that one statement looks for.
const NAMES: usize = 32;

impl Tree {
    /// The account's tree of that area; made, with the collections that every home has, when it is first asked for.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::ReadOnly`].
    pub async fn in_area(&self, area: Area) -> Result<Tree, Error> {
        let account = &self.account;
        if self.access.is_some() {
            return Err(Error::Forbidden("nothing else is published"));
        }
        if area == Area::Files {
            return Ok(Tree { area, root: account.home, trash: account.trash, is_bin: false, ..self.clone() });
        }
        let core = self.core();
        let known = core.roots.lock().unwrap_or_else(PoisonError::into_inner).get(&(account.id, area)).copied();
        let (root, trash) = match known {
            Some(roots) => roots,
            None => {
                let found = find_roots(&mut *core.reader().await?, account.id, area).await?;
                let id = account.id;
                let roots = match found {
                    Some(roots) => roots,
                    None => core.write(move |tx| Box::pin(make_home(tx, id, area))).await?,
                };
                core.roots.lock().unwrap_or_else(PoisonError::into_inner).insert((account.id, area), roots);
                roots
            }
        };
        Ok(Tree { area, root, trash, is_bin: false, ..self.clone() })
    }

    /// The account's tree of that area, if anybody ever asked for it. Nothing is made.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn in_area_if_made(&self, area: Area) -> Result<Option<Tree>, Error> {
        if area == Area::Files {
            return self.in_area(area).await.map(Some);
        }
        let found = find_roots(&mut *self.reader().await?, self.account.id, area).await?;
        Ok(found.map(|(root, trash)| Tree { area, root, trash, is_bin: false, ..self.clone() }))
    }

    /// One page of the collection's members that may match `filter`, from `after` on, with their content.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotACollection`].
    pub async fn members(
        &self,
        path: &NodePath,
        folder: &Node,
        filter: &MemberFilter,
        after: Option<FileId>,
        needs: Needs,
    ) -> Result<Page, Error> {
        if !folder.is_folder() {
            return Err(Error::NotACollection);
        }
        let limit = self.core().limits.page_members.max(1);
        let mut reader = self.core().reader().await?;
        let args: [Value; 7] = [
            folder.id.into(),
            after.map_or(0, |id| id.0).into(),
            filter.component.as_deref().unwrap_or_default().into(),
            filter.start_seconds.into(),
            filter.end_seconds.into(),
            filter.uid.as_deref().unwrap_or_default().into(),
            limit.into(),
        ];
        let rows = reader.all(MEMBERS, &args).await?;
        let is_last = (rows.len() as i64) < limit;
        let mut next = match rows.last() {
            Some(row) if !is_last => Some(FileId(row.int(0)?)),
            _ => None,
        };
        let mut nodes = visible(&mut reader, folder, &rows).await?;
        let fitting = body::within(&nodes, self.core().limits.page_member_bytes);
        if fitting < nodes.len() {
            nodes.truncate(fitting);
            next = nodes.last().map(|node| node.id);
        }
        self.complete(&mut reader, path, &mut nodes, needs, fitting).await?;
        Ok(Page { nodes, next })
    }

    /// The members of these names, in no order; those that are not there are left out. They come with their content,
    /// except for what is too much to be held at once: [`Tree::load_body`] has it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotACollection`].
    pub async fn members_named(
        &self,
        path: &NodePath,
        folder: &Node,
        names: &[String],
        needs: Needs,
    ) -> Result<Vec<Node>, Error> {
        if !folder.is_folder() {
            return Err(Error::NotACollection);
        }
        let mut reader = self.core().reader().await?;
        let mut nodes = Vec::with_capacity(names.len());
        for names in names.chunks(NAMES) {
            let mut args: Vec<Value> = vec![folder.id.into()];
            // A name that is asked for twice is found once.
            let padding = names.last().into_iter().cycle();
            args.extend(names.iter().chain(padding).take(NAMES).map(|name| Value::from(name.as_str())));
            let rows = reader.all(MEMBERS_NAMED, &args).await?;
            let mut found = visible(&mut reader, folder, &rows).await?;
            let room_bytes = self.core().limits.page_member_bytes;
            let fitting = body::within(&found, room_bytes);
            self.complete(&mut reader, path, &mut found, needs, fitting).await?;
            nodes.append(&mut found);
        }
        Ok(nodes)
    }

    /// Loads the content of the first nodes, and what else is needed of all.
    async fn complete(
        &self,
        reader: &mut Connection,
        path: &NodePath,
        nodes: &mut Vec<Node>,
        needs: Needs,
        with_body: usize,
    ) -> Result<(), Error> {
        let mut gone = Vec::new();
        for node in nodes.iter_mut().take(with_body).filter(|node| node.body.is_none()) {
            if !body::load(self, reader, node).await? {
                gone.push(node.id);
            }
        }
        nodes.retain(|node| !gone.contains(&node.id));
        let chain = match needs.includes(Needs::LOCKS) {
            true => look_up::locate(reader, &self.root(), path).await?.chain,
            false => Vec::new(),
        };
        // The statements that decorate speak of a range of ids.
        nodes.sort_by_key(|node| node.id);
        self.decorate(reader, &chain, nodes, needs.without(Needs::BODY)).await
    }
}

/// The nodes of rows that hold a node and its first piece, as far as the asker may see them.
async fn visible(reader: &mut Connection, folder: &Node, rows: &[Row]) -> Result<Vec<Node>, Error> {
    let mut nodes = Vec::with_capacity(rows.len());
    for row in rows {
        let mut node = node_of(row)?;
        node.body = body::inline_body(&node, row)?;
        nodes.push(node);
    }
    apply_visibility(reader, folder, &mut nodes).await?;
    Ok(nodes)
}

async fn find_roots(
    connection: &mut Connection,
    account: AccountId,
    area: Area,
) -> Result<Option<(FileId, FileId)>, Error> {
    let row = connection.maybe(ROOTS, &[account.into(), area.name().into()]).await?;
    row.map(|row| Ok((FileId(row.int(0)?), FileId(row.int(1)?)))).transpose()
}

/// Root, trash and first collections, unless somebody was faster.
pub(crate) async fn make_home(tx: &mut Tx, account: AccountId, area: Area) -> Result<(FileId, FileId), Error> {
    if let Some(roots) = find_roots(&mut tx.connection, account, area).await? {
        return Ok(roots);
    }
    if tx.maybe(HAS_ACCOUNT, &[account.into()]).await?.is_none() {
        return Err(Error::NotFound);
    }
    let root = crate::account::make_root(tx, format!("{} {account}", area.name())).await?;
    let trash = crate::account::make_root(tx, format!("{} trash {account}", area.name())).await?;
    tx.one(INSERT_ROOTS, &[account.into(), area.name().into(), root.into(), trash.into()]).await?;
    for (name, kind) in area.first_collections() {
        tx.advance();
        make_collection(tx, root, name, &kind).await?;
    }
    crate::mount::mount_all(tx, account).await?;
    Ok((root, trash))
}

/// Root and trash of the account's tree of that area, if it was made.
pub(crate) async fn roots(
    connection: &mut Connection,
    account: AccountId,
    area: Area,
) -> Result<Option<(FileId, FileId)>, Error> {
    if area != Area::Files {
        return find_roots(connection, account, area).await;
    }
    let row = connection.maybe(FILE_ROOTS, &[account.into()]).await?;
    row.map(|row| Ok((FileId(row.int(0)?), FileId(row.int(1)?)))).transpose()
}

/// Root and trash of every area but the files, for the end of an account.
pub(crate) async fn roots_of(tx: &mut Tx, account: AccountId) -> Result<Vec<(FileId, FileId)>, Error> {
    let rows = tx.all(ALL_ROOTS, &[account.into()]).await?;
    rows.iter().map(|row| Ok((FileId(row.int(0)?), FileId(row.int(1)?)))).collect()
}

const ROOTS: Sql = Sql("SELECT node_id, trash_id FROM root WHERE space_id = $1 AND account_id = $2 AND area = $3");

const ALL_ROOTS: Sql = Sql("SELECT node_id, trash_id FROM root WHERE space_id = $1 AND account_id = $2");

const FILE_ROOTS: Sql = Sql("SELECT home_id, trash_id FROM account WHERE space_id = $1 AND id = $2");

const HAS_ACCOUNT: Sql = Sql("SELECT id FROM account WHERE space_id = $1 AND id = $2");

const INSERT_ROOTS: Sql =
    Sql("INSERT INTO root (space_id, account_id, area, node_id, trash_id) VALUES ($1, $2, $3, $4, $5)");

const MEMBERS: Sql = Sql(concat!(
    "SELECT ",
    node_columns!(),
    ", piece.bytes
       FROM member
       JOIN node ON node.space_id = $1 AND node.id = member.node_id
       LEFT JOIN piece ON piece.space_id = $1 AND piece.content_id = node.content_id AND piece.position = 0
      WHERE member.space_id = $1 AND member.collection_id = $2 AND member.node_id > $3
        AND ($4 = '' OR member.component = $4) AND member.last_seconds >= $5 AND member.first_seconds <= $6
        AND ($7 = '' OR member.uid = $7)
      ORDER BY member.node_id LIMIT ($8 + 0)"
));

const MEMBERS_NAMED: Sql = Sql(concat!(
    "SELECT ",
    node_columns!(),
    ", piece.bytes
       FROM node
       LEFT JOIN piece ON piece.space_id = $1 AND piece.content_id = node.content_id AND piece.position = 0
      WHERE node.space_id = $1 AND node.parent_id = $2 AND node.is_folder = 0
        AND node.name IN ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                          $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)"
));

pub(crate) const STATEMENTS: &[Sql] =
    &[ROOTS, ALL_ROOTS, FILE_ROOTS, HAS_ACCOUNT, INSERT_ROOTS, MEMBERS, MEMBERS_NAMED];
