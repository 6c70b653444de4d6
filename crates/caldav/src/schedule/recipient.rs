//! Those who get a message: accounts of the space with their copy of the object, calendars and inbox, as they are while
//! one write is computed.

use nichoir_dav::{Error, Mount, principal};
use nichoir_store::change::{Seen, TagChange};
use nichoir_store::{Account, Area, CollectionKind, FileId, Node, NodePath, SchedulingCopy, Space, Tree};

use super::document::Document;
use super::role::Role;
use super::{Addresses, Message};
use crate::object::Limits;

/// The addresses of an account.
pub(crate) fn addresses_of(account: &Account, mount: &Mount) -> Addresses {
    let principal = principal::href_of(&mount.principals, &account.login);
    let email = account.email.iter().map(|email| format!("mailto:{email}"));
    Addresses::of(email.chain([principal]))
}

/// The account that has an address.
///
/// # Errors
/// 503.
pub(crate) async fn account_of(space: &Space, mount: &Mount, address: &str) -> Result<Option<Account>, Error> {
    let found = if let Some(email) = address.strip_prefix("mailto:") {
        space.account_by_email(email).await
    } else if let Some(login) = address.strip_prefix(&*mount.principals) {
        let Ok(login) = nichoir_dav::href::decode(login) else { return Ok(None) };
        space.account_by_login(&login).await
    } else {
        return Ok(None);
    };
    match found {
        Ok(account) if account.is_enabled => Ok(Some(account)),
        Ok(_) | Err(nichoir_store::Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// An account that is written to.
#[derive(Debug)]
pub(crate) struct Recipient {
    pub(crate) account: Account,
    pub(crate) me: Addresses,
    pub(crate) tree: Tree,
    /// The copy that scheduling is about: its node, and what it says.
    pub(crate) copy: Option<(FileId, Document)>,
    /// What the copy becomes, if anything.
    pub(crate) changed: Option<(Document, TagChange)>,
    /// An object of their own that had the UID of an invitation: it goes on under another.
    pub(crate) displaced: Option<(FileId, Document)>,
    /// What arrives in the inbox.
    pub(crate) inbox: Vec<Message>,
    pub(crate) seen: Seen,
}

impl Recipient {
    /// # Errors
    /// 503.
    pub(crate) async fn load(
        space: &Space,
        mount: &Mount,
        account: Account,
        uid: &str,
        limits: &Limits,
    ) -> Result<Recipient, Error> {
        let tree = space.tree_as(&account).in_area(Area::Calendars).await?;
        let copies = space.scheduling_copies(&account, uid).await?;
        let me = addresses_of(&account, mount);
        let copy = choose(&copies, &me, limits);
        let copies = copies.iter().map(|copy| (copy.node.id, copy.node.etag)).collect();
        let seen = Seen { account: account.id, uid: uid.to_owned(), copies };
        Ok(Recipient { account, me, tree, copy, changed: None, displaced: None, inbox: Vec::new(), seen })
    }

    /// What the copy says now, with what was done to it so far.
    pub(crate) fn document(&self) -> Option<&Document> {
        self.changed.as_ref().map(|(document, _)| document).or(self.copy.as_ref().map(|(_, document)| document))
    }

    /// Makes room for an invitation where an object stands that nobody organizes: it is its owner's, and stays.
    pub(crate) fn make_room(&mut self) {
        let is_private = |document: &Document| document.organizer().is_none() && document.attendees().is_empty();
        if self.changed.is_some() || !self.copy.as_ref().is_some_and(|(_, document)| is_private(document)) {
            return;
        }
        if let Some((member, mut document)) = self.copy.take() {
            let random: [u8; 16] = self.tree.space().ports().bytes();
            let uid: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
            document.mains_mut().for_each(|part| part.set("UID", Some(&uid)));
            self.displaced = Some((member, document));
        }
    }

    /// Notes what the copy becomes; a tag that moved once has moved.
    pub(crate) fn change(&mut self, document: Document, tag: TagChange) {
        let has_moved = matches!(self.changed, Some((_, TagChange::Moves)));
        let tag = if has_moved { TagChange::Moves } else { tag };
        self.changed = Some((document, tag));
    }

    /// The inbox.
    ///
    /// # Errors
    /// 503.
    pub(crate) async fn inbox_id(&self) -> Result<FileId, Error> {
        let collections = self.collections().await?;
        let inbox = collections.iter().find(|node| node.collection.as_deref() == Some(&CollectionKind::Inbox));
        inbox.map(|node| node.id).ok_or_else(|| Error::internal("A home has no inbox."))
    }

    /// The calendar that new objects of this type come to (RFC 6638 §4.3, §9.2).
    ///
    /// # Errors
    /// 503.
    pub(crate) async fn default_calendar(&self, component: &str) -> Result<FileId, Error> {
        let collections = self.collections().await?;
        if let Some(node) = super::default_calendar::choose(&collections, component) {
            return Ok(node.id);
        }
        super::default_calendar::make(&self.tree).await
    }

    async fn collections(&self) -> Result<Vec<Node>, Error> {
        super::default_calendar::collections(&self.tree).await
    }
}

/// The copy that scheduling is about: one that is scheduled rather than one that is not.
fn choose(copies: &[SchedulingCopy], me: &Addresses, limits: &Limits) -> Option<(FileId, Document)> {
    let mut read = copies.iter().filter_map(|copy| {
        let document = Document::read(copy.node.body.as_deref()?, limits)?;
        Some((copy.node.id, document))
    });
    let first = read.next()?;
    if Role::of(&first.1, me) != Role::None {
        return Some(first);
    }
    Some(read.find(|(_, document)| Role::of(document, me) != Role::None).unwrap_or(first))
}

/// The path of a copy in its owner's home.
pub(crate) fn path_of(copy: &SchedulingCopy) -> NodePath {
    NodePath::root().child(&copy.calendar).child(&copy.node.name)
}
