//! A change with everything that scheduling makes of it (RFC 6638 §3.2, §4): messages in inboxes, copies in the
//! calendars of other accounts, mail to be sent. One transaction: whoever got an answer finds all of it, or none.
//!
//! What is written was computed from copies read before; if one of them has changed since, nothing is done.

use super::put_file::{NewContent, drop_content, replace};
use super::site::{NewNode, insert_node, reload, store_content};
use super::{Run, member};
use crate::collection::{Area, MemberIndex};
use crate::content::Staged;
use crate::error::Error;
use crate::look_up;
use crate::node::{AccountId, Etag, FileId, Kind};
use crate::outgoing::{self, NewOutgoing};
use crate::path::NodePath;
use crate::scheduling;
use crate::sql::Sql;
use crate::tx::{Asker, Tx, signed};

/// `main` and what it causes elsewhere in the space.
#[derive(Debug)]
pub struct Scheduled<C> {
    /// What the client asked for.
    pub main: C,
    /// What was read to compute the rest: [`Error::Moved`] if it is not as it was.
    pub seen: Vec<Seen>,
    /// `If-Schedule-Tag-Match`, without quotes, and the member that it is about.
    pub if_tag_match: Option<(NodePath, String)>,
    /// What becomes of the schedule tag of the member that `main` leaves at this path.
    pub tag: Option<(NodePath, TagChange)>,
    /// What is written to the calendar homes of the space, the asker's and others'.
    pub deliveries: Vec<Delivery>,
    /// Messages for people outside of the space.
    pub outgoing: Vec<NewOutgoing>,
}

impl<C> Scheduled<C> {
    /// `main` alone.
    pub fn of(main: C) -> Scheduled<C> {
        Scheduled {
            main,
            seen: Vec::new(),
            if_tag_match: None,
            tag: None,
            deliveries: Vec::new(),
            outgoing: Vec::new(),
        }
    }
}

/// The copies of one object in the calendars of one account, as they were when somebody looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whose calendars.
    pub account: AccountId,
    /// The object.
    pub uid: String,
    /// Its copies, by number, with their entity tags.
    pub copies: Vec<(FileId, Etag)>,
}

/// What becomes of a schedule tag (RFC 6638 §3.2.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagChange {
    /// It moves; one that was not there comes to be.
    Moves,
    /// It stays, as after a reply was merged; one that was not there comes to be.
    Stays,
    /// The member is no scheduling object resource (any more).
    Ends,
}

/// A write to a calendar home.
#[derive(Debug)]
pub enum Delivery {
    /// A member gets other content.
    Replace {
        /// Whose calendar it stands in.
        account: AccountId,
        /// The member; one of those [`Scheduled::seen`].
        member: FileId,
        /// What it says now.
        content: Staged,
        /// What the store has to know of it.
        index: MemberIndex,
        /// What becomes of its schedule tag.
        tag: TagChange,
    },
    /// A new member, in a calendar or in the inbox. In the inbox a UID may repeat (RFC 6638 §2.2).
    Add {
        /// Whose home.
        account: AccountId,
        /// The collection in it.
        collection: FileId,
        /// The new member's name.
        name: String,
        /// What it says.
        content: Staged,
        /// What the store has to know of it.
        index: MemberIndex,
        /// What it is served as.
        media_type: String,
        /// Whether it is a scheduling object resource.
        has_tag: bool,
    },
}

impl<C: Run> Run for Scheduled<C> {
    type Outcome = C::Outcome;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<C::Outcome, Error> {
        if let Some((path, tag)) = &self.if_tag_match {
            check_tag(tx, asker, path, tag).await?;
        }
        for seen in &self.seen {
            let copies = scheduling::copies(&mut tx.connection, seen.account, &seen.uid).await?;
            if !copies.iter().map(|copy| (copy.node.id, copy.node.etag)).eq(seen.copies.iter().copied()) {
                return Err(Error::Moved);
            }
        }
        let outcome = self.main.run(tx, asker).await?;
        if let Some((path, change)) = &self.tag {
            let located = look_up::locate(&mut tx.connection, &asker.root(), path).await?;
            set_tag(tx, located.found()?.id, *change).await?;
        }
        for delivery in self.deliveries {
            // Each resource gets an entity tag of its own, as if they had been written one after the other.
            tx.advance();
            deliver(tx, delivery).await?;
        }
        for message in self.outgoing {
            outgoing::queue(tx, message).await?;
        }
        Ok(outcome)
    }
}

async fn check_tag(tx: &mut Tx, asker: &Asker, path: &NodePath, expected: &str) -> Result<(), Error> {
    let located = look_up::locate(&mut tx.connection, &asker.root(), path).await?;
    let found = match located.node() {
        Some(node) => scheduling::tag_of(&mut tx.connection, node.id).await?,
        None => None,
    };
    match found.is_some_and(|tag| tag.to_string() == expected) {
        true => Ok(()),
        false => Err(Error::ConditionFailed("If-Schedule-Tag-Match")),
    }
}

async fn set_tag(tx: &mut Tx, member: FileId, change: TagChange) -> Result<(), Error> {
    let tag = tx.etag();
    match change {
        TagChange::Moves => tx.one(MOVE_TAG, &[member.into(), tag.into()]).await,
        TagChange::Stays => tx.one(KEEP_TAG, &[member.into(), tag.into()]).await,
        TagChange::Ends => tx.one(END_TAG, &[member.into()]).await,
    }
}

/// A member who is invited holds as much as she may hold already: that is not the organizer's business.
async fn deliver(tx: &mut Tx, delivery: Delivery) -> Result<(), Error> {
    let grown = tx.grown.len();
    deliver_whatever_its_size(tx, delivery).await?;
    tx.grown.truncate(grown);
    Ok(())
}

async fn deliver_whatever_its_size(tx: &mut Tx, delivery: Delivery) -> Result<(), Error> {
    match delivery {
        Delivery::Replace { account, member, content, index, tag } => {
            let old = reload(tx, member).await?;
            check_home(tx, account, old.parent).await?;
            drop_content(tx, &old).await?;
            tx.charge(content.size_bytes).await?;
            let new = NewContent {
                content: store_content(tx, &content).await?,
                size_bytes: content.size_bytes,
                modified: None,
                created: None,
                checksums: None,
                media_type: old.media_type.as_deref(),
                author: None,
            };
            let node = replace(tx, &old, new).await?;
            member::put_index(tx, &node, &index).await?;
            set_tag(tx, node.id, tag).await
        }
        Delivery::Add { account, collection, name, content, index, media_type, has_tag } => {
            check_home(tx, account, Some(collection)).await?;
            tx.charge(content.size_bytes).await?;
            let new = NewNode {
                parent: collection,
                name: &name,
                kind: Kind::File,
                size_bytes: content.size_bytes,
                modified: tx.now(),
                created: tx.now(),
                content: store_content(tx, &content).await?,
                checksums: None,
                media_type: Some(&media_type),
                author: None,
            };
            let node = insert_node(tx, new).await?;
            tx.touch(collection, signed(content.size_bytes)).await?;
            tx.log(collection, &name, node.id, false).await?;
            member::put_index(tx, &node, &index).await?;
            if has_tag { set_tag(tx, node.id, TagChange::Moves).await } else { Ok(()) }
        }
    }
}

/// The collection is (still) one of the account's calendar home.
async fn check_home(tx: &mut Tx, account: AccountId, collection: Option<FileId>) -> Result<(), Error> {
    let collection = collection.ok_or(Error::WrongPlace)?;
    let args = [collection.into(), account.into(), Area::Calendars.name().into()];
    tx.maybe(IN_HOME, &args).await?.map(drop).ok_or(Error::Moved)
}

const MOVE_TAG: Sql = Sql("UPDATE member SET schedule_tag = $3 WHERE space_id = $1 AND node_id = $2");

const KEEP_TAG: Sql =
    Sql("UPDATE member SET schedule_tag = COALESCE(schedule_tag, $3) WHERE space_id = $1 AND node_id = $2");

const END_TAG: Sql = Sql("UPDATE member SET schedule_tag = NULL WHERE space_id = $1 AND node_id = $2");

const IN_HOME: Sql = Sql("SELECT node.id FROM node
       JOIN root ON root.space_id = $1 AND root.account_id = $3 AND root.area = $4 AND root.node_id = node.parent_id
      WHERE node.space_id = $1 AND node.id = $2 AND node.collection IS NOT NULL");

pub(super) const STATEMENTS: &[Sql] = &[MOVE_TAG, KEEP_TAG, END_TAG, IN_HOME];
