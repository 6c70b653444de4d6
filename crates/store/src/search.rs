//! Searching a tree: what lies below a folder, sifted by whoever asks, the best of it handed out as nodes.
//!
//! One statement walks the folders (by the index `node_folder`, which holds nothing else) and streams what is in them, few
//! columns each; the sieve looks at each candidate while it passes, and only as many are kept as were asked for. So memory
//! does not grow with the tree. Where the newest are wanted, the engine sorts, and reading stops with the last that counts.
//! What others share is searched from each mount on. Nodes are handed out as [`Tree::children`] would, by the same look-ups.

mod sifter;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use crate::error::Error;
use crate::look_up;
use crate::node::{FileId, Kind, Needs, Node};
use crate::open_space::Reader;
use crate::path::NodePath;
use crate::permissions::Permissions;
use crate::ports::Timestamp;
use crate::row::{is_mount, node_columns, node_of};
use crate::share;
use crate::sql::{Connection, Row, Sql, Value};
use crate::tree::Tree;
use crate::turn::without_turn;
use sifter::Sifter;

/// How far below the scope a search looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// At the scope itself.
    Itself,
    /// At its members.
    Members,
    /// At everything below it.
    All,
}

/// A node as a sieve sees it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its number.
    pub id: FileId,
    /// Its name.
    pub name: String,
    /// File or folder.
    pub kind: Kind,
    /// Bytes of content, of everything below for a folder.
    pub size_bytes: u64,
    /// When the content last changed.
    pub modified: Timestamp,
    /// When it was made.
    pub created: Timestamp,
    /// When the content arrived.
    pub uploaded: Timestamp,
    /// The media type that a client set, if anything.
    pub media_type: Option<String>,
    /// Whether the asking account marked it; looked at only for [`Search::knows_favourites`].
    pub is_favourite: bool,
}

/// What a search lets through, and what comes first.
pub trait Sieve: Send + Sync {
    /// Whether the candidate is wanted.
    fn lets_through(&self, candidate: &Candidate) -> bool;

    /// Which of two comes first.
    fn compare(&self, one: &Candidate, other: &Candidate) -> Ordering;
}

/// A search. What narrows it spares work and is never all there is: the sieve sees whatever is left.
#[derive(Clone, Debug)]
pub struct Search {
    /// Where, and how far below.
    pub scopes: Vec<(NodePath, Reach)>,
    /// Only what was modified then or later.
    pub modified_from: Timestamp,
    /// Only what was modified then or earlier.
    pub modified_to: Timestamp,
    /// Only these.
    pub ids: Option<Vec<FileId>>,
    /// Only what the account marked.
    pub is_of_favourites: bool,
    /// Only what is the account's own: not what others share with it.
    pub is_of_own: bool,
    /// Whether the sieve asks for [`Candidate::is_favourite`].
    pub knows_favourites: bool,
    /// Whether [`Sieve::compare`] puts what was modified last before the rest.
    pub is_newest_first: bool,
    /// How many of those that are let through are passed over.
    pub offset: usize,
    /// How many are told of after them.
    pub limit: usize,
}

impl Search {
    /// Everything below `scope`.
    pub fn below(scope: NodePath) -> Search {
        Search {
            scopes: vec![(scope, Reach::All)],
            modified_from: Timestamp(i64::MIN),
            modified_to: Timestamp(i64::MAX),
            ids: None,
            is_of_favourites: false,
            is_of_own: false,
            knows_favourites: false,
            is_newest_first: false,
            offset: 0,
            limit: usize::MAX,
        }
    }
}

/// What a search found: where, and little more. [`Tree::nodes_found`] makes nodes of it, a page at a time.
#[derive(Clone, Debug, Default)]
pub struct Found {
    hits: Vec<Hit>,
    /// Whether there are more than were asked for.
    pub has_more: bool,
}

impl Found {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.hits.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.hits.is_empty()
    }
}

/// A candidate that was let through, and where it is.
#[derive(Clone, Debug)]
struct Hit {
    candidate: Candidate,
    /// The path of its folder.
    folder: NodePath,
}

impl Tree {
    /// Searches the tree, mounts included. The tree's root is never among what is found.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a scope that is not there; [`Error::TooLarge`] if more candidates would have to be looked at
    /// than `search_candidates_max`: half a result never passes for a whole one.
    pub async fn search(&self, search: &Search, sieve: impl Sieve + 'static) -> Result<Found, Error> {
        let sifted = without_turn(async {
            let turn = self.core().search_turn().await?;
            let reader = self.core().reader().await?;
            let (tree, search) = (self.clone(), search.clone());
            let sifting = async move {
                // Its own, not the caller's: it goes on when that one is gone.
                let _turn = turn;
                tree.sift(reader, &search, &sieve).await
            };
            self.core().aside(sifting).await
        });
        sifted.await
    }

    async fn sift(&self, mut reader: Reader, search: &Search, sieve: &dyn Sieve) -> Result<Found, Error> {
        let mut sifter = Sifter::new(self, &mut reader, search, sieve).await?;
        let ids = sifter.known_ids();
        for (path, reach) in &search.scopes {
            let scope = look_up::locate(&mut reader, &self.root(), path).await?.found()?.clone();
            sifter.reach = *reach;
            match &ids {
                Some(ids) => self.sift_ids(&mut reader, &mut sifter, path, ids).await?,
                None => self.sift_below(&mut reader, &mut sifter, path, &scope).await?,
            }
        }
        Ok(sifter.finish())
    }

    /// The nodes of the `range` of what was found, in its order, as [`Tree::children`] would hand them out, with their
    /// paths; those that are gone are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn nodes_found(
        &self,
        found: &Found,
        range: std::ops::Range<usize>,
        needs: Needs,
    ) -> Result<Vec<(NodePath, Node)>, Error> {
        let hits = found.hits.get(range).unwrap_or_default();
        let mut reader = self.core().reader().await?;
        let mut by_folder: BTreeMap<&NodePath, Vec<usize>> = BTreeMap::new();
        for (place, hit) in hits.iter().enumerate() {
            by_folder.entry(&hit.folder).or_default().push(place);
        }
        let mut nodes: Vec<Option<Node>> = Vec::new();
        nodes.resize_with(hits.len(), || None);
        for (folder, places) in by_folder {
            let located = look_up::locate(&mut reader, &self.root(), folder).await?;
            if !located.missing.is_empty() {
                continue;
            }
            let ids: Vec<FileId> = places.iter().map(|place| hits[*place].candidate.id).collect();
            let mut members = self.members_among(&mut reader, &located.chain, &ids, needs).await?;
            for place in places {
                nodes[place] = members.remove(&hits[place].candidate.id);
            }
        }
        let with_paths = hits.iter().zip(nodes);
        Ok(with_paths.filter_map(|(hit, node)| node.map(|node| (hit.folder.child(&node.name), node))).collect())
    }

    /// The nodes with these numbers that the account sees, with their paths, in the order of the numbers.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn nodes_by_id(&self, ids: &[FileId], needs: Needs) -> Result<Vec<(NodePath, Node)>, Error> {
        let search = Search { ids: Some(ids.to_vec()), ..Search::below(NodePath::root()) };
        let found = self.sift(self.core().reader().await?, &search, &Everything).await?;
        self.nodes_found(&found, 0..found.len(), needs).await
    }

    /// Everything within reach of the scope: its own, then what is mounted in it.
    async fn sift_below(
        &self,
        reader: &mut Connection,
        sifter: &mut Sifter<'_>,
        path: &NodePath,
        scope: &Node,
    ) -> Result<(), Error> {
        if sifter.reach == Reach::Itself || !scope.is_folder() {
            return sifter.see_node(path, scope);
        }
        sifter.scan(reader, scope.id, path).await?;
        if scope.access.is_some() || sifter.search.is_of_own {
            // What is shared with the one who shares stays theirs.
            return Ok(());
        }
        for row in reader.all(MOUNTS, &[self.account.id.into()]).await? {
            let Some(at) = look_up::path_of(reader, self.root, FileId(row.int(0)?)).await? else { continue };
            if !sifter.reaches(path, &at) {
                continue;
            }
            let Some(node) = look_up::locate(reader, &self.root(), &at).await?.node().cloned() else { continue };
            sifter.see_node(&at, &node)?;
            let shows_members = node.is_folder() && node.permissions().includes(Permissions::READ);
            if sifter.reach == Reach::All && shows_members {
                sifter.scan(reader, node.id, &at).await?;
            }
        }
        Ok(())
    }

    /// Those of these nodes that are within reach of the scope.
    async fn sift_ids(
        &self,
        reader: &mut Connection,
        sifter: &mut Sifter<'_>,
        path: &NodePath,
        ids: &[FileId],
    ) -> Result<(), Error> {
        let mut folders: HashMap<i64, Option<NodePath>> = HashMap::new();
        for row in rows_of(reader, ids).await? {
            let (id, folder) = (FileId(row.int(0)?), row.int(1)?);
            let above = match folders.get(&folder) {
                Some(known) => known.clone(),
                None => folders
                    .entry(folder)
                    .insert_entry(look_up::path_of(reader, self.root, FileId(folder)).await?)
                    .get()
                    .clone(),
            };
            let at = match above {
                // Below a folder that is seen, the node is seen too, under its own name.
                Some(folder) => Some(folder.child(&row.text(2)?)),
                None => look_up::path_of(reader, self.root, id).await?,
            };
            let Some(at) = at else { continue };
            if sifter.reaches(path, &at) {
                sifter.see_node(&at, &node_of(&row)?)?;
            }
        }
        Ok(())
    }

    /// Those of a folder's members that have these numbers, mounts by the number of what they show; `chain` leads to the
    /// folder.
    async fn members_among(
        &self,
        reader: &mut Connection,
        chain: &[Node],
        ids: &[FileId],
        needs: Needs,
    ) -> Result<HashMap<FileId, Node>, Error> {
        let Some(folder) = chain.last() else { return Ok(HashMap::new()) };
        let mut nodes = Vec::new();
        let mut elsewhere = Vec::new();
        for row in rows_of(reader, ids).await? {
            let node = node_of(&row)?;
            match node.parent == Some(folder.id) && !is_mount(&row)? {
                true => nodes.push(node),
                false => elsewhere.push(node.id),
            }
        }
        nodes.sort_by_key(|node| node.id);
        share::apply_visibility(reader, folder, &mut nodes).await?;
        self.decorate(reader, chain, &mut nodes, needs).await?;
        let mut found: HashMap<FileId, Node> = nodes.into_iter().map(|node| (node.id, node)).collect();
        if folder.access.is_none() {
            for id in elsewhere {
                let Some(row) = reader.maybe(MOUNT_IN, &[folder.id.into(), id.into()]).await? else { continue };
                let Some(mut node) =
                    Box::pin(share::follow(reader, node_of(&row)?, self.core().ports.clock.now())).await?
                else {
                    continue;
                };
                self.decorate(reader, chain, std::slice::from_mut(&mut node), needs).await?;
                found.insert(id, node);
            }
        }
        Ok(found)
    }
}

/// The rows of these nodes, a batch at a time.
async fn rows_of(reader: &mut Connection, ids: &[FileId]) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::with_capacity(ids.len());
    for batch in ids.chunks(BATCH) {
        let mut args: Vec<Value> = batch.iter().map(|id| (*id).into()).collect();
        // No node has the number 0.
        args.resize(BATCH, Value::Int(0));
        rows.extend(reader.all(BY_IDS, &args).await?);
    }
    Ok(rows)
}

/// Lets everything through, in the order of the numbers.
#[derive(Clone, Copy, Debug)]
pub struct Everything;

impl Sieve for Everything {
    fn lets_through(&self, _: &Candidate) -> bool {
        true
    }

    fn compare(&self, one: &Candidate, other: &Candidate) -> Ordering {
        one.id.cmp(&other.id)
    }
}

/// Numbers in one statement.
const BATCH: usize = 32;

const BY_IDS: Sql = Sql(concat!(
    "SELECT ",
    node_columns!(),
    " FROM node WHERE space_id = $1 AND id IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
      $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)"
));

const MOUNTS: Sql = Sql("SELECT node_id FROM mount WHERE space_id = $1 AND account_id = $2 ORDER BY +node_id");

const MOUNT_IN: Sql =
    Sql(concat!("SELECT ", node_columns!(), " FROM node WHERE space_id = $1 AND parent_id = $2 AND target_id = $3"));

pub(crate) const STATEMENTS: &[Sql] =
    &[sifter::BELOW, sifter::BELOW_BY_TIME, sifter::MEMBERS, sifter::FAVOURITES, BY_IDS, MOUNTS, MOUNT_IN];
