//! Notifications: what an account is to be told until she dismisses it. A bounded number of each account, for a while.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::node::{AccountId, FileId};
use crate::ports::Timestamp;
use crate::space::Space;
use crate::sql::{Row, Sql, Value};
use crate::tx::Tx;

/// Bytes of the texts of a notification.
const TEXT_BYTES_MAX: usize = 4_000;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationKind {
    /// The actor shared a file or folder with the account; the object is that file or folder.
    Shared,
    /// The actor named the account in a comment on a file; the object is the comment, which is the message.
    Mentioned,
    /// Those who run the space have something to say: the name is the subject.
    Announced,
}

const NAMES: [(NotificationKind, &str); 3] = [
    (NotificationKind::Shared, "shared"),
    (NotificationKind::Mentioned, "mentioned"),
    (NotificationKind::Announced, "announced"),
];

impl NotificationKind {
    fn name(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// What to tell, and whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNotification {
    /// Whom.
    pub account: AccountId,
    /// What happened.
    pub kind: NotificationKind,
    /// Who did it.
    pub actor: Option<AccountId>,
    /// What it is about, for taking it back; with the kind, an account is told of it once.
    pub object: i64,
    /// The file or folder that it leads to.
    pub node: Option<FileId>,
    /// The name of that, or the subject.
    pub name: String,
    /// More of it.
    pub message: String,
}

/// A notification that waits to be dismissed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its number.
    pub id: i64,
    /// What it says.
    pub told: NewNotification,
    /// When.
    pub created: Timestamp,
}

impl Space {
    /// What waits for an account, newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn notifications(&self, account: AccountId) -> Result<Vec<Notification>, Error> {
        let now = self.ports().clock.now();
        let oldest = now.plus_seconds(-self.limits().notification_days * 86_400);
        let args = [account.into(), oldest.into(), now.into(), self.limits().notifications_max.into()];
        let rows = self.core().reader().await?.all(OF_ACCOUNT, &args).await?;
        rows.iter().map(notification_of).collect()
    }

    /// Tells an account.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::ReadOnly`].
    pub async fn notify(&self, new: NewNotification) -> Result<(), Error> {
        self.core().write(move |tx| Box::pin(async move { tx.notify(new).await })).await
    }

    /// Forgets one notification of the account; says whether there was one.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::ReadOnly`].
    pub async fn dismiss(&self, account: AccountId, id: i64) -> Result<bool, Error> {
        // What is not there is told without a commit.
        if !self.notifications(account).await?.iter().any(|known| known.id == id) {
            return Ok(false);
        }
        let dismissed = self.core().write(move |tx| Box::pin(remove(tx, DISMISS, account, id))).await?;
        Ok(dismissed)
    }

    /// Forgets all of the account's.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::ReadOnly`].
    pub async fn dismiss_all(&self, account: AccountId) -> Result<(), Error> {
        if self.notifications(account).await?.is_empty() {
            return Ok(());
        }
        self.core().write(move |tx| Box::pin(remove(tx, DISMISS_ALL, account, 0))).await.map(drop)
    }
}

impl Tx {
    /// Tells an account, in the transaction of what it is told of.
    pub(crate) async fn notify(&mut self, new: NewNotification) -> Result<(), Error> {
        let cut = |mut text: String| {
            while text.len() > TEXT_BYTES_MAX && text.pop().is_some() {}
            text
        };
        let (account, kind) = (new.account, new.kind.name());
        self.run(REPLACE, &[account.into(), kind.into(), new.object.into()]).await?;
        let args: [Value; 9] = [
            self.fresh_id().into(),
            account.into(),
            kind.into(),
            new.actor.map(|actor| actor.0).into(),
            new.object.into(),
            new.node.map(|node| node.0).into(),
            cut(new.name).into(),
            cut(new.message).into(),
            self.now().into(),
        ];
        self.one(INSERT, &args).await?;
        self.run(TRIM, &[account.into(), self.core.limits.notifications_max.into()]).await?;
        self.news.notified.push(account);
        Ok(())
    }

    /// What accounts were told of this is no longer so; returns those with whom it still waited.
    pub(crate) async fn withdraw(
        &mut self,
        kind: NotificationKind,
        object: i64,
        account: Option<AccountId>,
    ) -> Result<BTreeSet<AccountId>, Error> {
        let args = [kind.name().into(), object.into(), account.map(|account| account.0).into()];
        let told = self.all(WITHDRAW, &args).await?;
        let told = told.iter().map(|row| row.int(0).map(AccountId)).collect::<Result<BTreeSet<_>, _>>()?;
        self.news.notified.extend(&told);
        Ok(told)
    }
}

async fn remove(tx: &mut Tx, sql: Sql, account: AccountId, id: i64) -> Result<bool, Error> {
    let removed = tx.run(sql, &[account.into(), id.into()]).await?;
    if removed > 0 {
        tx.news.notified.push(account);
    }
    Ok(removed > 0)
}

/// Forgets what nobody has dismissed for too long.
pub(crate) async fn expire(tx: &mut Tx) -> Result<(), Error> {
    let oldest = tx.now().plus_seconds(-tx.core.limits.notification_days * 86_400);
    tx.run(EXPIRE, &[oldest.into()]).await.map(drop)
}

fn notification_of(row: &Row) -> Result<Notification, Error> {
    let id = row.int(0)?;
    let name = row.text(2)?;
    let kind = NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind);
    let told = NewNotification {
        account: AccountId(row.int(1)?),
        kind: kind.ok_or(Error::Corrupt { table: "notification", column: "kind", id })?,
        actor: row.maybe_int(3)?.map(AccountId),
        object: row.int(4)?,
        node: row.maybe_int(5)?.map(FileId),
        name: row.text(6)?,
        message: row.text(7)?,
    };
    Ok(Notification { id, told, created: Timestamp(row.int(8)?) })
}

// What was said of a file is told as long as the file is seen: below the own root, or below what is mounted there.
const OF_ACCOUNT: Sql = Sql("WITH RECURSIVE up (start_id, id, parent_id) AS (
         SELECT node.id, node.id, node.parent_id
           FROM (SELECT DISTINCT node_id FROM notification
                  WHERE space_id = $1 AND account_id = $2 AND kind = 'mentioned') AS waiting
          CROSS JOIN node
          WHERE node.space_id = $1 AND node.id = waiting.node_id
         UNION ALL
         SELECT up.start_id, node.id, node.parent_id
           FROM up JOIN node ON node.space_id = $1 AND node.id = up.parent_id
     ), seen (id) AS (
         SELECT start_id FROM up
          WHERE id IN (SELECT home_id FROM account WHERE space_id = $1 AND id = $2)
             OR id IN (SELECT target_id FROM mount
                        WHERE space_id = $1 AND account_id = $2 AND (expires_us IS NULL OR expires_us > $4))
     )
     SELECT id, account_id, kind, actor_id, object_id, node_id, name, message, created_us
       FROM notification
      WHERE space_id = $1 AND account_id = $2 AND created_us > $3
        AND (kind <> 'mentioned' OR node_id IN (SELECT id FROM seen))
      ORDER BY id DESC
      LIMIT $5");

const REPLACE: Sql = Sql("DELETE FROM notification
      WHERE space_id = $1 AND account_id = $2 AND kind = $3 AND object_id = $4");

const INSERT: Sql = Sql("INSERT INTO notification
            (space_id, id, account_id, kind, actor_id, object_id, node_id, name, message, created_us)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");

const TRIM: Sql = Sql("DELETE FROM notification
      WHERE space_id = $1 AND account_id = $2 AND id <= COALESCE((
            SELECT id FROM notification WHERE space_id = $1 AND account_id = $2 ORDER BY id DESC LIMIT 1 OFFSET $3), 0)");

const WITHDRAW: Sql = Sql("DELETE FROM notification
      WHERE space_id = $1 AND kind = $2 AND object_id = $3 AND (account_id = $4 OR $4 IS NULL)
     RETURNING account_id");

const DISMISS: Sql = Sql("DELETE FROM notification WHERE space_id = $1 AND account_id = $2 AND id = $3");

// The third argument has no meaning here.
const DISMISS_ALL: Sql = Sql("DELETE FROM notification WHERE space_id = $1 AND account_id = $2 AND id > $3");

const EXPIRE: Sql = Sql("DELETE FROM notification WHERE space_id = $1 AND created_us <= $2");

/// What accounts were told of a node that is gone for good.
pub(crate) const FORGET_NODE: Sql = Sql("DELETE FROM notification
      WHERE space_id = $1 AND node_id = $2 AND kind = 'mentioned'");

/// What an account leaves when it goes.
pub(crate) const FORGET: Sql = Sql("DELETE FROM notification WHERE space_id = $1 AND account_id = $2");

pub(crate) const STATEMENTS: &[Sql] =
    &[OF_ACCOUNT, REPLACE, INSERT, TRIM, WITHDRAW, DISMISS, DISMISS_ALL, EXPIRE, FORGET_NODE, FORGET];
