//! An account's trash: what was deleted, from where, and when.

use crate::collection::MemberFilter;
use crate::error::Error;
use crate::node::{FileId, Needs, Node};
use crate::ports::Timestamp;
use crate::row::{NODE_COLUMNS, node_columns, node_of};
use crate::sql::{Row, Sql, Value};
use crate::tree::Tree;

/// Where a node in the trash was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trashed {
    /// The folder or collection that held it.
    pub folder: FileId,
    /// The name of that folder, as long as it is there; where it is in the trash itself, the name that it had.
    pub folder_name: Option<String>,
    /// The name that it had.
    pub name: String,
    /// When it was deleted.
    pub deleted: Timestamp,
    /// Its path in the tree that it was deleted from, without a slash in front, as the caller saw it.
    pub location: String,
    /// By whom, as long as there is such an account.
    pub deleted_by: Option<Deleter>,
}

/// Who deleted something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleter {
    /// The login.
    pub login: String,
    /// The name to show.
    pub display_name: String,
}

/// Who deleted it, of two columns.
pub(crate) fn deleter_of(row: &Row, column: usize) -> Result<Option<Deleter>, Error> {
    let display_name = row.maybe_text(column + 1)?.unwrap_or_default();
    Ok(row.maybe_text(column)?.map(|login| Deleter { login, display_name }))
}

/// A path as the trash tells it.
pub(crate) fn location_of(path: &str) -> String {
    path.split('/').filter(|name| !name.is_empty()).collect::<Vec<_>>().join("/")
}

/// A page of what is in the trash.
#[derive(Clone, Debug)]
pub struct TrashPage {
    /// Nodes with [`Node::trashed`], in the order of their numbers.
    pub nodes: Vec<Node>,
    /// Where the next page starts; `None` after the last.
    pub next: Option<FileId>,
}

impl Tree {
    /// One page of what was deleted from this tree, from `after` on: members of the component type that the filter
    /// names, or with [`MemberFilter::default`] everything, folders and collections too.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn trashed(
        &self,
        filter: &MemberFilter,
        after: Option<FileId>,
        needs: Needs,
    ) -> Result<TrashPage, Error> {
        let limit = self.core().limits.page_members.max(1);
        let component = filter.component.as_deref().unwrap_or_default();
        let args: [Value; 4] = [self.trash.into(), after.map_or(0, |id| id.0).into(), component.into(), limit.into()];
        let rows = self.core().reader().await?.all(TRASHED, &args).await?;
        let mut nodes = rows.iter().map(trashed_of).collect::<Result<Vec<_>, _>>()?;
        let next = if (rows.len() as i64) < limit { None } else { nodes.last().map(|node| node.id) };
        self.load(&mut nodes, needs).await?;
        Ok(TrashPage { nodes, next })
    }

    /// What has that number in the trash of this tree.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn trashed_node(&self, id: FileId, needs: Needs) -> Result<Node, Error> {
        let row = self.core().reader().await?.maybe(ONE, &[self.trash.into(), id.into()]).await?;
        let mut nodes = vec![trashed_of(&row.ok_or(Error::NotFound)?)?];
        self.load(&mut nodes, needs).await?;
        nodes.pop().ok_or(Error::NotFound)
    }

    async fn load(&self, nodes: &mut [Node], needs: Needs) -> Result<(), Error> {
        let mut reader = self.core().reader().await?;
        self.decorate(&mut reader, &[], nodes, needs.without(Needs::BODY)).await?;
        drop(reader);
        if needs.includes(Needs::BODY) {
            for node in nodes.iter_mut().filter(|node| !node.is_folder()) {
                node.body = Some(self.whole(node).await?);
            }
        }
        Ok(())
    }
}

fn trashed_of(row: &Row) -> Result<Node, Error> {
    let trashed = Trashed {
        folder: FileId(row.int(NODE_COLUMNS)?),
        name: row.text(NODE_COLUMNS + 1)?,
        deleted: Timestamp(row.int(NODE_COLUMNS + 2)?),
        folder_name: match row.maybe_text(NODE_COLUMNS + 3)? {
            Some(name) => Some(name),
            None => row.maybe_text(NODE_COLUMNS + 4)?,
        },
        location: location_of(&row.text(NODE_COLUMNS + 5)?),
        deleted_by: deleter_of(row, NODE_COLUMNS + 6)?,
    };
    Ok(Node { trashed: Some(trashed), ..node_of(row)? })
}

/// The columns behind those of the node, and how they are found; the folder's own name in the trash is its number.
macro_rules! trashed_rows {
    () => {
        ", trash.original_parent_id, trash.original_name, trash.deleted_us, was.original_name, folder.name,
           trash.original_path, deleter.login, deleter.display_name
           FROM node
           JOIN trash ON trash.space_id = $1 AND trash.node_id = node.id
           LEFT JOIN account AS deleter ON deleter.space_id = $1 AND deleter.id = trash.deleted_by
           LEFT JOIN trash AS was ON was.space_id = $1 AND was.node_id = trash.original_parent_id
           LEFT JOIN node AS folder ON folder.space_id = $1 AND folder.id = trash.original_parent_id
                                   AND folder.parent_id > 0
          WHERE node.space_id = $1 AND node.parent_id = $2 "
    };
}

const TRASHED: Sql = Sql(concat!(
    "SELECT ",
    node_columns!(),
    trashed_rows!(),
    "AND node.id > $3
       AND ($4 = '' OR EXISTS (SELECT 1 FROM member
                                WHERE member.space_id = $1 AND member.node_id = node.id AND member.component = $4))
     ORDER BY node.id LIMIT ($5 + 0)"
));

const ONE: Sql = Sql(concat!("SELECT ", node_columns!(), trashed_rows!(), "AND node.id = $3"));

pub(crate) const STATEMENTS: &[Sql] = &[TRASHED, ONE];
