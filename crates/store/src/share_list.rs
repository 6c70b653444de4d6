//! Lists of shares, given and received, each with what is shared and where the caller sees it. A list takes a fixed
//! number of statements for every few dozen shares.

use std::collections::{BTreeMap, HashMap};

use crate::error::Error;
use crate::group::Group;
use crate::node::{AccountId, FileId, Node, ShareId};
use crate::path::NodePath;
use crate::ports::Timestamp;
use crate::row::{node_columns, node_of};
use crate::share::{self, Share, share_columns, share_joins, share_of};
use crate::sql::{Connection, Sql, Value};
use crate::tree::Tree;

/// Numbers that one statement looks for.
const NUMBERS: usize = 32;

/// A share, what is shared, and where the caller sees it.
#[derive(Clone, Debug)]
pub struct PlacedShare {
    /// The share.
    pub share: Share,
    /// Where it is in the caller's tree; for one that is not mounted, where it would be.
    pub path: NodePath,
    /// What is there.
    pub node: Node,
}

/// Which of the shares that one received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Those that are seen.
    Accepted,
    /// Those that wait for an answer.
    Pending,
    /// Those that were declined or left.
    Declined,
}

impl Tree {
    /// Every share that the account gave, by number.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn shares_given(&self) -> Result<Vec<PlacedShare>, Error> {
        let mut reader = self.reader().await?;
        let found = shares(&mut reader, GIVEN, &[self.account.id.into(), self.area.name().into()]).await?;
        self.place(&mut reader, found).await
    }

    /// The shares of these nodes that the account gave, or with `with_others` also those that others gave of what is
    /// its own.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn shares_of(&self, nodes: &[FileId], with_others: bool) -> Result<Vec<PlacedShare>, Error> {
        let mut reader = self.reader().await?;
        let me = self.account.id;
        let mut found = Vec::new();
        for nodes in nodes.chunks(NUMBERS) {
            found.extend(shares(&mut reader, OF_NODES, &numbers(nodes.iter().map(|node| node.0))).await?);
        }
        found.retain(|share| share.initiator == me || with_others && share.owner == me);
        found.sort_by_key(|share| share.id);
        self.place(&mut reader, found).await
    }

    /// What others share with the account, by number.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn shares_received(&self, which: Received) -> Result<Vec<PlacedShare>, Error> {
        let mut reader = self.reader().await?;
        let mut found = Vec::new();
        for row in reader.all(RECEIVED, &[self.account.id.into(), self.area.name().into(), self.now().into()]).await? {
            let answer = row.maybe_int(ANSWER)?;
            let is_pending = answer.is_none() && row.truth(ANSWER + 1)?;
            let state = match answer {
                Some(0) => Received::Declined,
                _ if is_pending => Received::Pending,
                _ => Received::Accepted,
            };
            if state == which {
                found.push(share_of(&row, 0)?);
            }
        }
        self.place(&mut reader, found).await
    }

    /// The share of that number, if the account gave it, owns what is shared, or sees it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn share(&self, id: ShareId) -> Result<PlacedShare, Error> {
        let mut reader = self.reader().await?;
        let found = shares(&mut reader, ONE, &[id.into()]).await?.pop().ok_or(Error::NotFound)?;
        let me = self.account.id;
        let is_mine = found.initiator == me || found.owner == me;
        let is_with_me = match found.sharee {
            share::Sharee::Account(account) => account == me,
            share::Sharee::Group(group) => reader.maybe(IS_MEMBER, &[group.into(), me.into()]).await?.is_some(),
            share::Sharee::Everyone => true,
            share::Sharee::Link => false,
        };
        let has_ended = found.expires.is_some_and(|at| at <= self.now());
        if has_ended || !is_mine && !is_with_me {
            return Err(Error::NotFound);
        }
        self.place(&mut reader, vec![found]).await?.pop().ok_or(Error::NotFound)
    }

    /// Accounts and groups that the account has shared with, and how often, most often first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn sharees(&self, limit: usize) -> Result<Vec<(share::Sharee, u64)>, Error> {
        let mut reader = self.reader().await?;
        let mut counts: HashMap<(i64, i64), u64> = HashMap::new();
        for row in reader.all(SHAREES, &[self.account.id.into()]).await? {
            counts.insert((row.int(0)?, row.int(1)?), row.count(2)?);
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|((kind, number), count)| (std::cmp::Reverse(*count), *kind, *number));
        let counts = counts.into_iter().take(limit);
        Ok(counts.map(|((kind, number), count)| (share::Sharee::of(kind, number), count)).collect())
    }

    fn now(&self) -> Timestamp {
        self.core().ports.clock.now()
    }

    /// Finds out where the account sees each; what is in the trash is not told of.
    async fn place(&self, reader: &mut Connection, shares: Vec<Share>) -> Result<Vec<PlacedShare>, Error> {
        let mut wanted: Vec<FileId> = shares.iter().map(|share| share.node).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut above = Above::default();
        let mut nodes = HashMap::new();
        for chunk in wanted.chunks(NUMBERS) {
            let numbers = numbers(chunk.iter().map(|node| node.0));
            above.add(reader, UP_FROM, &numbers).await?;
            for row in reader.all(NODES, &numbers).await? {
                let node = node_of(&row)?;
                nodes.insert(node.id, node);
            }
        }
        above.add(reader, UP_FROM_MOUNTS, &[self.account.id.into()]).await?;
        let held: Vec<(FileId, Node)> = share::held_by(reader, self.account.id, self.now()).await?;
        let held: HashMap<FileId, (FileId, Node)> =
            held.into_iter().map(|(point, node)| (node.id, (point, node))).collect();
        let mut placed = Vec::with_capacity(shares.len());
        for share in shares {
            let Some(node) = nodes.get(&share.node) else { continue };
            let found = above.path(self.root, share.node, &held);
            let is_elsewhere =
                found.is_none() && (share.initiator == self.account.id || share.owner == self.account.id);
            if is_elsewhere {
                continue;
            }
            let (path, holder) = found.unwrap_or_else(|| (NodePath::root().child(&node.name), None));
            let mut node = node.clone();
            match holder {
                // The mount itself, as it stands in the caller's tree.
                Some((_, shown)) if shown.id == node.id => {
                    node = Node { name: path.name().unwrap_or_default().to_owned(), ..shown.clone() };
                }
                Some((_, shown)) => node.access.clone_from(&shown.access),
                None => {}
            }
            placed.push(PlacedShare { share, path, node });
        }
        Ok(placed)
    }
}

/// What lies above nodes: their folders and names.
#[derive(Default)]
struct Above(BTreeMap<FileId, (FileId, String)>);

impl Above {
    async fn add(&mut self, reader: &mut Connection, sql: Sql, args: &[Value]) -> Result<(), Error> {
        for row in reader.all(sql, args).await? {
            self.0.insert(FileId(row.int(0)?), (FileId(row.int(1)?), row.text(2)?));
        }
        Ok(())
    }

    /// The path of `id` below `root`, and the mount that leads there.
    fn path<'h>(
        &self,
        root: FileId,
        id: FileId,
        held: &'h HashMap<FileId, (FileId, Node)>,
    ) -> Option<(NodePath, Option<&'h (FileId, Node)>)> {
        let (mut at, mut names, mut through) = (id, Vec::new(), None);
        while at != root {
            if through.is_none()
                && let Some(mount) = held.get(&at)
            {
                through = Some(mount);
                at = mount.0;
            }
            let (parent, name) = self.0.get(&at)?;
            names.push(name.as_str());
            at = *parent;
        }
        names.reverse();
        NodePath::of(&names).ok().map(|path| (path, through))
    }
}

async fn shares(reader: &mut Connection, sql: Sql, args: &[Value]) -> Result<Vec<Share>, Error> {
    reader.all(sql, args).await?.iter().map(|row| share_of(row, 0)).collect()
}

/// As many numbers as the statements look for; one that is asked for twice is found once.
fn numbers(numbers: impl Iterator<Item = i64> + Clone) -> Vec<Value> {
    let padding = numbers.clone().last().into_iter().cycle();
    numbers.chain(padding).take(NUMBERS).map(Value::from).collect()
}

impl Group {
    /// The group as one with whom something is shared.
    pub fn sharee(&self) -> share::Sharee {
        match self.is_everyone() {
            true => share::Sharee::Everyone,
            false => share::Sharee::Group(self.id),
        }
    }
}

/// Whether a share is the account's to change.
pub(crate) fn is_givers(owner: AccountId, initiator: AccountId, account: AccountId) -> bool {
    account == owner || account == initiator
}

/// A list of [`NUMBERS`] placeholders, the first of which is `$2`.
macro_rules! numbers {
    () => {
        "($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, \
          $25, $26, $27, $28, $29, $30, $31, $32, $33)"
    };
}

const GIVEN: Sql = Sql(concat!(
    "SELECT ",
    share_columns!(),
    " FROM share ",
    share_joins!(),
    "WHERE share.space_id = $1 AND share.initiator_id = $2 AND share.area = $3 ORDER BY +share.id"
));

const OF_NODES: Sql = Sql(concat!(
    "SELECT ",
    share_columns!(),
    " FROM share ",
    share_joins!(),
    "WHERE share.space_id = $1 AND share.node_id IN ",
    numbers!(),
    " ORDER BY +share.id"
));

const ONE: Sql = Sql(concat!(
    "SELECT ",
    share_columns!(),
    " FROM share ",
    share_joins!(),
    "WHERE share.space_id = $1 AND share.id = $2"
));

/// The column of the answer that was given, in the rows of [`RECEIVED`].
const ANSWER: usize = 19;

const RECEIVED: Sql = Sql(concat!(
    "SELECT ",
    share_columns!(),
    ", share_answer.is_accepted, share.awaits_answer FROM share ",
    share_joins!(),
    "LEFT JOIN share_answer ON share_answer.space_id = $1 AND share_answer.share_id = share.id
                           AND share_answer.account_id = $2
     WHERE share.space_id = $1 AND share.owner_id <> $2 AND share.initiator_id <> $2 AND share.area = $3
       AND (share.expires_us IS NULL OR share.expires_us > $4)
       AND (share.share_type = 0 AND share.sharee_id = $2
            OR share.share_type = 1 AND (share.sharee_id = 0 OR EXISTS (
                SELECT 1 FROM membership WHERE membership.space_id = $1 AND membership.group_id = share.sharee_id
                                           AND membership.account_id = $2)))
     ORDER BY +share.id"
));

const IS_MEMBER: Sql = Sql("SELECT 1 FROM membership WHERE space_id = $1 AND group_id = $2 AND account_id = $3");

const SHAREES: Sql = Sql("SELECT share_type, sharee_id, COUNT(*) FROM share
      WHERE space_id = $1 AND initiator_id = $2 AND share_type < 2 GROUP BY share_type, sharee_id");

const NODES: Sql =
    Sql(concat!("SELECT ", node_columns!(), " FROM node WHERE space_id = $1 AND parent_id > 0 AND id IN ", numbers!()));

const UP_FROM: Sql = Sql(concat!(
    "WITH RECURSIVE up (id, parent_id, name) AS (
         SELECT id, parent_id, name FROM node WHERE space_id = $1 AND id IN ",
    numbers!(),
    "    UNION
         SELECT node.id, node.parent_id, node.name
           FROM node JOIN up ON node.id = up.parent_id WHERE node.space_id = $1
     ) SELECT id, parent_id, name FROM up"
));

const UP_FROM_MOUNTS: Sql = Sql("WITH RECURSIVE up (id, parent_id, name) AS (
         SELECT node.id, node.parent_id, node.name
           FROM mount JOIN node ON node.space_id = $1 AND node.id = mount.node_id
          WHERE mount.space_id = $1 AND mount.account_id = $2
         UNION
         SELECT node.id, node.parent_id, node.name
           FROM node JOIN up ON node.id = up.parent_id WHERE node.space_id = $1
     ) SELECT id, parent_id, name FROM up");

pub(crate) const STATEMENTS: &[Sql] =
    &[GIVEN, OF_NODES, ONE, RECEIVED, IS_MEMBER, SHAREES, NODES, UP_FROM, UP_FROM_MOUNTS];
