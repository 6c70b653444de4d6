//! WebDAV locks (RFC 4918 §6 and §7): write locks, exclusive or shared, on a node or a whole folder.

use crate::conditions::Conditions;
use crate::error::Error;
use crate::look_up;
use crate::node::{AccountId, FileId, Node};
use crate::path::NodePath;
use crate::ports::Timestamp;
use crate::sql::{Connection, Row, Sql};
use crate::tx::Tx;

/// Exclusive or shared (RFC 4918 §6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// No other lock beside it.
    Exclusive,
    /// Other shared locks beside it.
    Shared,
}

/// What kind of lock it is, and so whom it lets write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// One of RFC 4918: whoever took it, with its token.
    Dav,
    /// An account's, taken on a person's wish: any client of the account.
    Account,
    /// A lease that a program took by itself: the account, with the token.
    Device,
    /// A lease of an office server's: whoever edits through it. Nobody else is told the token.
    Editor {
        /// What the editor is called.
        name: String,
        /// What the editor calls its session.
        session: String,
    },
}

impl LockKind {
    pub(crate) const fn number(&self) -> i64 {
        match self {
            LockKind::Dav => 0,
            LockKind::Account => 1,
            LockKind::Device => 2,
            LockKind::Editor { .. } => 3,
        }
    }
}

/// An active lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The lock token, a URI such as `opaquelocktoken:…`.
    pub token: String,
    /// The node at its root.
    pub root_id: FileId,
    /// The path of its root, in the tree of the account that asks.
    pub root: NodePath,
    /// Who took it.
    pub account: AccountId,
    /// The login of who took it.
    pub account_login: String,
    /// The name to show of who took it.
    pub account_display_name: String,
    /// What kind it is.
    pub kind: LockKind,
    /// Exclusive or shared.
    pub scope: Scope,
    /// Whether it covers everything below its root.
    pub is_deep: bool,
    /// The `DAV:owner` element as the client sent it, a self-contained XML fragment.
    pub owner_xml: Option<String>,
    /// When it was taken.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
}

/// A lock as stored: without the path of its root, which moves with the tree.
#[derive(Clone, Debug)]
pub(crate) struct StoredLock {
    pub(crate) token: String,
    pub(crate) root_id: FileId,
    pub(crate) account: AccountId,
    pub(crate) account_login: String,
    pub(crate) account_display_name: String,
    pub(crate) kind: LockKind,
    pub(crate) scope: Scope,
    pub(crate) is_deep: bool,
    pub(crate) owner_xml: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
}

impl StoredLock {
    /// Whether it covers the last node of `chain` (nodes from the root on).
    pub(crate) fn covers(&self, chain: &[Node]) -> bool {
        let Some((last, above)) = chain.split_last() else { return false };
        self.root_id == last.id || self.is_deep && above.iter().any(|node| node.id == self.root_id)
    }

    /// Whether `account` may write past it with what it submitted.
    fn admits(&self, account: AccountId, conditions: &Conditions) -> bool {
        let has_token = || conditions.lock_tokens.contains(&self.token);
        match self.kind {
            LockKind::Account => self.account == account,
            LockKind::Editor { .. } => has_token(),
            LockKind::Dav | LockKind::Device => self.account == account && has_token(),
        }
    }

    /// With its path, given the nodes from the root to something it covers.
    pub(crate) fn on(self, chain: &[Node]) -> Lock {
        let to_root = chain.iter().take_while(|node| node.id != self.root_id);
        let names = chain.iter().take(to_root.count() + 1).skip(1);
        let root = names.fold(NodePath::root(), |path, node| path.child(&node.name));
        Lock {
            token: self.token,
            root_id: self.root_id,
            root,
            account: self.account,
            account_login: self.account_login,
            account_display_name: self.account_display_name,
            kind: self.kind,
            scope: self.scope,
            is_deep: self.is_deep,
            owner_xml: self.owner_xml,
            created: self.created,
            expires: self.expires,
        }
    }
}

/// All locks of the space that are in force.
pub(crate) async fn active(connection: &mut Connection, now: Timestamp) -> Result<Vec<StoredLock>, Error> {
    connection.all(ACTIVE, &[now.into()]).await?.iter().map(stored).collect()
}

fn stored(row: &Row) -> Result<StoredLock, Error> {
    let kind = match row.int(8)? {
        0 => LockKind::Dav,
        1 => LockKind::Account,
        2 => LockKind::Device,
        3 => LockKind::Editor {
            name: row.maybe_text(9)?.unwrap_or_default(),
            session: row.maybe_text(10)?.unwrap_or_default(),
        },
        _ => return Err(Error::Corrupt { table: "lock", column: "kind", id: row.int(1)? }),
    };
    Ok(StoredLock {
        account_login: row.maybe_text(11)?.unwrap_or_default(),
        account_display_name: row.maybe_text(12)?.unwrap_or_default(),
        kind,
        token: row.text(0)?,
        root_id: FileId(row.int(1)?),
        account: AccountId(row.int(2)?),
        scope: if row.truth(3)? { Scope::Exclusive } else { Scope::Shared },
        is_deep: row.truth(4)?,
        owner_xml: row.maybe_text(5)?,
        created: Timestamp(row.int(6)?),
        expires: Timestamp(row.int(7)?),
    })
}

/// The locks among `locks` that cover the last node of `chain`.
pub(crate) fn covering<'l>(locks: &'l [StoredLock], chain: &[Node]) -> impl Iterator<Item = &'l StoredLock> {
    locks.iter().filter(move |lock| lock.covers(chain))
}

/// RFC 4918 §7: the last node of `chain` may be written to if no lock covers it, or if the caller holds one that
/// does and submits its token. Shared locks admit whoever holds one of them.
pub(crate) fn may_write(
    locks: &[StoredLock],
    chain: &[Node],
    account: AccountId,
    conditions: &Conditions,
) -> Result<(), Error> {
    let mut covering = covering(locks, chain).peekable();
    let Some(first) = covering.peek().map(|lock| (*lock).clone()) else { return Ok(()) };
    if covering.any(|lock| lock.admits(account, conditions)) {
        return Ok(());
    }
    Err(Error::Locked { root: first.on(chain).root })
}

/// The node may go away with everything below it: every lock inside needs its token too.
pub(crate) async fn may_remove(
    connection: &mut Connection,
    locks: &[StoredLock],
    chain: &[Node],
    account: AccountId,
    conditions: &Conditions,
) -> Result<Vec<StoredLock>, Error> {
    may_write(locks, chain, account, conditions)?;
    let inside = rooted_inside(connection, locks, chain).await?;
    match inside.iter().find(|(lock, _)| !lock.admits(account, conditions)) {
        Some((_, root)) => Err(Error::Locked { root: root.clone() }),
        None => Ok(inside.into_iter().map(|(lock, _)| lock).collect()),
    }
}

/// The locks whose root is the last node of `chain` or lies below it, each with the path of its root.
pub(crate) async fn rooted_inside(
    connection: &mut Connection,
    locks: &[StoredLock],
    chain: &[Node],
) -> Result<Vec<(StoredLock, NodePath)>, Error> {
    let (Some(root), Some(top)) = (chain.first(), chain.last()) else { return Ok(Vec::new()) };
    let mut inside = Vec::new();
    for lock in locks {
        let is_inside = lock.root_id == top.id
            || top.is_folder() && look_up::upwards(connection, lock.root_id).await?.contains(&top.id);
        if is_inside && let Some(path) = look_up::path_of(connection, root.id, lock.root_id).await? {
            inside.push((lock.clone(), path));
        }
    }
    Ok(inside)
}

/// Forgets the locks whose time is over. Where clients show them, the etag moves.
pub(crate) async fn forget_expired(tx: &mut Tx) -> Result<(), Error> {
    let ended = tx.all(EXPIRED, &[tx.now().into()]).await?;
    forget(tx, &ended).await
}

/// Forgets the locks of those who may not write there any more, which would keep others out until their time is over: to be
/// called where rights shrink.
pub(crate) async fn forget_groundless(tx: &mut Tx) -> Result<(), Error> {
    let ended = tx.all(GROUNDLESS, &[tx.now().into()]).await?;
    forget(tx, &ended).await
}

async fn forget(tx: &mut Tx, ended: &[Row]) -> Result<(), Error> {
    for row in ended {
        tx.run(FORGET, &[row.text(0)?.into()]).await?;
        if row.int(2)? != LockKind::Dav.number() {
            tx.advance();
            crate::change::touch_locked(tx, FileId(row.int(1)?)).await?;
        }
    }
    Ok(())
}

/// A guest's lock is its link's, whose number it has, and ends with it. `$2` is now.
macro_rules! joined_link {
    () => {
        "LEFT JOIN link ON link.space_id = $1 AND link.id = -lock.account_id AND link.permissions & 2 <> 0
                       AND (link.expires_us IS NULL OR link.expires_us > $2)"
    };
}

const ACTIVE: Sql = Sql(concat!(
    "SELECT lock.token, lock.node_id, lock.account_id, lock.is_exclusive, lock.is_deep,
            lock.owner_xml, lock.created_us, lock.expires_us, lock.kind, lock.editor_name, lock.editor_session,
            account.login, account.display_name
       FROM lock ",
    joined_link!(),
    " LEFT JOIN account ON account.space_id = $1 AND account.id = lock.account_id
      JOIN account AS holder ON holder.space_id = $1 AND holder.id = COALESCE(link.account_id, lock.account_id)
                            AND holder.is_enabled = 1 AND holder.departed_us IS NULL
      WHERE lock.space_id = $1 AND lock.expires_us > $2"
));

const EXPIRED: Sql =
    Sql("SELECT token, node_id, kind FROM lock WHERE space_id = $1 AND expires_us <= $2 ORDER BY token");

// `up` is all that stands above what is locked: somewhere there begins a tree of the holder's, or a mount that lets the
// holder write.
const GROUNDLESS: Sql = Sql(concat!(
    "WITH RECURSIVE up (token, holder_id, id) AS (
         SELECT lock.token, COALESCE(link.account_id, lock.account_id), lock.node_id FROM lock ",
    joined_link!(),
    "     WHERE lock.space_id = $1
         UNION ALL
         SELECT up.token, up.holder_id, node.parent_id
           FROM up JOIN node ON node.space_id = $1 AND node.id = up.id
     ) SELECT token, node_id, kind FROM lock
        WHERE space_id = $1 AND token NOT IN (
              SELECT up.token FROM up JOIN account AS holder ON holder.space_id = $1 AND holder.id = up.holder_id
                                                            AND holder.is_enabled = 1 AND holder.departed_us IS NULL
               WHERE holder.home_id = up.id
                  OR EXISTS (SELECT 1 FROM root
                              WHERE root.space_id = $1 AND root.account_id = holder.id AND root.node_id = up.id)
                  OR EXISTS (SELECT 1 FROM mount
                              WHERE mount.space_id = $1 AND mount.target_id = up.id AND mount.account_id = holder.id
                                AND mount.permissions & 2 <> 0))
        ORDER BY token"
));

const FORGET: Sql = Sql("DELETE FROM lock WHERE space_id = $1 AND token = $2");

pub(crate) const STATEMENTS: &[Sql] = &[ACTIVE, EXPIRED, GROUNDLESS, FORGET];
