//! The change log read back: what came since a sync token (RFC 6578 §3). Promise 10 of the design hangs here.
//!
//! A node's etag is the sequence of its last change, so the members of a folder that changed are found by etag; the
//! log adds what moved in with an older etag, and what is gone.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::error::Error;
use crate::look_up;
use crate::node::{FileId, Needs, Node};
use crate::path::NodePath;
use crate::sql::Sql;
use crate::tree::{Changed, Changes, Tree, check_readable};

/// A member that changed, and when.
struct Touched {
    path: NodePath,
    change_seq: i64,
}

/// See [`Tree::changes_since`].
pub(crate) async fn changes_since(
    tree: &Tree,
    path: &NodePath,
    token: i64,
    is_deep: bool,
    limit: usize,
    needs: Needs,
) -> Result<Changes, Error> {
    // Before anything is listed: what changes meanwhile is told again next time rather than never.
    let folder = tree.node(path, Needs::NONE).await?;
    if !folder.is_folder() {
        return Err(Error::NotACollection);
    }
    check_readable(&folder)?;
    let mut reader = tree.reader().await?;
    let state = reader.row(STATE, &[]).await?;
    let (newest, floor) = (state.int(0)?, state.int(1)?);
    if token < floor || token > newest {
        return Err(Error::StaleToken);
    }
    drop(reader);
    if folder.etag.0 <= token {
        // Promise 3: whatever changes below a folder moves its etag.
        return Ok(Changes { changed: Vec::new(), token: folder.sync_token(floor), is_truncated: false });
    }
    let mut touched = match is_deep {
        true => touched_below(tree, path, token).await?,
        false => touched_members(tree, path, folder.id, token).await?,
    };
    touched.sort_by_key(|it| it.change_seq);

    // A page ends between two changes, never inside one, so that its token misses nothing.
    let mut end = touched.len();
    if limit > 0 && limit < end {
        end = limit;
        while end < touched.len() && touched[end].change_seq == touched[end - 1].change_seq {
            end += 1;
        }
    }
    let is_truncated = end < touched.len();
    let token = if is_truncated { touched[end - 1].change_seq } else { folder.sync_token(floor) };
    touched.truncate(end);
    let mut changed = Vec::with_capacity(touched.len());
    for Touched { path, .. } in touched {
        let node = match tree.node(&path, needs).await {
            Ok(node) => Some(node),
            Err(Error::NotFound) => None,
            Err(error) => return Err(error),
        };
        changed.push(Changed { path, node });
    }
    Ok(Changes { changed, token, is_truncated })
}

async fn touched_members(tree: &Tree, path: &NodePath, folder: FileId, token: i64) -> Result<Vec<Touched>, Error> {
    let mut reader = tree.reader().await?;
    let mut latest: HashMap<String, i64> = HashMap::new();
    for sql in [LOGGED_MEMBERS, CHANGED_MEMBERS] {
        for row in reader.all(sql, &[folder.into(), token.into()]).await? {
            let change_seq = row.int(1)?;
            latest.entry(row.text(0)?).and_modify(|seen| *seen = change_seq.max(*seen)).or_insert(change_seq);
        }
    }
    Ok(latest.into_iter().map(|(name, change_seq)| Touched { path: path.child(&name), change_seq }).collect())
}

async fn touched_below(tree: &Tree, path: &NodePath, token: i64) -> Result<Vec<Touched>, Error> {
    let home = tree.root;
    let mut latest: BTreeMap<NodePath, i64> = BTreeMap::new();
    let mut folders: HashMap<i64, Option<NodePath>> = HashMap::new();
    let mut walked = HashSet::new();
    // Nobody waits for a second connection with one in hand: those who did would wait for each other.
    let rows = tree.reader().await?.all(LOGGED, &[token.into()]).await?;
    for row in rows {
        let (change_seq, parent, name, node) = (row.int(0)?, row.int(1)?, row.text(2)?, row.int(3)?);
        let folder = match folders.entry(parent) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let found = look_up::path_of(&mut *tree.reader().await?, home, FileId(parent)).await?;
                unknown.insert(found.filter(|found| path.contains(found)))
            }
        };
        let Some(folder) = folder else { continue };
        let at = folder.child(&name);
        note(&mut latest, at.clone(), change_seq);
        // What came in as a whole is new with everything below it. A move is logged at both places; it stands at one.
        if row.truth(4)? && !walked.contains(&node) {
            let stands_here = tree.node(&at, Needs::NONE).await.ok().filter(Node::is_folder);
            let is_same = |it: &Node| it.mount.as_ref().map_or(it.id, |mount| mount.id).0 == node;
            if let Some(folder) = stands_here.filter(is_same) {
                walked.insert(node);
                walk(&mut *tree.reader().await?, &at, folder.id, change_seq, &mut latest).await?;
            }
        }
    }
    Ok(latest.into_iter().map(|(path, change_seq)| Touched { path, change_seq }).collect())
}

async fn walk(
    reader: &mut crate::sql::Connection,
    top: &NodePath,
    id: FileId,
    change_seq: i64,
    latest: &mut BTreeMap<NodePath, i64>,
) -> Result<(), Error> {
    let mut waiting = vec![(top.clone(), id)];
    while let Some((path, id)) = waiting.pop() {
        for row in reader.all(MEMBERS, &[id.into()]).await? {
            let at = path.child(&row.text(1)?);
            note(latest, at.clone(), change_seq);
            if row.truth(2)? {
                waiting.push((at, FileId(row.int(0)?)));
            }
        }
    }
    Ok(())
}

fn note(latest: &mut BTreeMap<NodePath, i64>, path: NodePath, change_seq: i64) {
    latest.entry(path).and_modify(|seen| *seen = change_seq.max(*seen)).or_insert(change_seq);
}

const STATE: Sql = Sql("SELECT change_seq, log_floor FROM space_state WHERE space_id = $1");

const LOGGED_MEMBERS: Sql = Sql(
    "SELECT name, MAX(change_seq) FROM change_log WHERE space_id = $1 AND parent_id = $2 AND change_seq > $3 GROUP BY name",
);

const CHANGED_MEMBERS: Sql = Sql("SELECT name, etag FROM node WHERE space_id = $1 AND parent_id = $2 AND etag > $3");

const LOGGED: Sql = Sql("SELECT change_seq, parent_id, name, node_id, is_deep FROM change_log
      WHERE space_id = $1 AND change_seq > $2 ORDER BY change_seq");

const MEMBERS: Sql = Sql("SELECT id, name, is_folder FROM node WHERE space_id = $1 AND parent_id = $2");

pub(crate) const STATEMENTS: &[Sql] = &[STATE, LOGGED_MEMBERS, CHANGED_MEMBERS, LOGGED, MEMBERS];
