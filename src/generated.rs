//! Collections that the server makes of other content of the space: an address book of its members, a calendar of the
//! birthdays in an account's contacts. They are made anew when somebody looks and what they were made of has changed;
//! an idle space does nothing.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bytes::Bytes;
use http::Method;
use nichoir_auth::Caller;
use nichoir_caldav::{CalendarObject, YearlyDay, yearly_object};
use nichoir_carddav::{AddressObject, Birthday, Occasion, birthdays, card_of_account};
use nichoir_contentline::unescape;
use nichoir_dav::property::INTERNAL;
use nichoir_store::change::{DeadPropertyPatch, Generate, GeneratedMember, MakeFolder, PatchProperties};
use nichoir_store::conditions::Conditions;
use nichoir_store::{
    Area, CollectionKind, DeadProperty, Error, MemberFilter, MemberIndex, Needs, Node, NodePath, StageOptions, Tree,
};

/// As Nextcloud calls it; clients know the names and leave the one out of merges and offer to hide the other.
const DIRECTORY: &str = "z-server-generated--system";
const BIRTHDAYS: &str = "contact_birthdays";

/// The note of what a home's generated collection was made of.
const MADE_OF: &str = "made-of";
/// In place of a state: the account does not want the calendar.
const UNWANTED: &str = "unwanted";

/// Members that are written in one change.
const SLICE: usize = 100;

/// The limits that are read with.
#[derive(Debug)]
pub(crate) struct Generator {
    pub(crate) calendars: nichoir_caldav::Limits,
    pub(crate) contacts: nichoir_carddav::Limits,
    pub(crate) has_member_directory: bool,
    pub(crate) has_birthday_calendar: bool,
}

/// A member to be.
pub(crate) struct Made {
    pub(crate) bytes: Vec<u8>,
    pub(crate) index: MemberIndex,
    pub(crate) media_type: &'static str,
}

impl Generator {
    /// Brings what a request to `below`, a path in the caller's home, may see up to date.
    pub(crate) async fn refresh(&self, caller: &Caller, method: &Method, below: &str) -> Result<(), Error> {
        let name = below.trim_matches('/');
        let top = name.split('/').next().unwrap_or_default();
        let is_write = matches!(method.as_str(), "PUT" | "DELETE" | "MKCOL" | "MKCALENDAR" | "OPTIONS" | "PROPPATCH");
        match caller.tree.area() {
            _ if is_write => Ok(()),
            Area::AddressBooks if self.has_member_directory && (name.is_empty() || top == DIRECTORY) => {
                self.refresh_directory(caller).await
            }
            Area::Calendars if self.has_birthday_calendar && (name.is_empty() || top == BIRTHDAYS) => {
                self.refresh_birthdays(caller).await
            }
            _ => Ok(()),
        }
    }

    /// Notes that the account has removed its birthday calendar: it does not come back by itself.
    pub(crate) async fn after_delete(&self, caller: &Caller, below: &str) -> Result<(), Error> {
        if caller.tree.area() == Area::Calendars && below.trim_matches('/') == BIRTHDAYS {
            remember(&caller.tree, UNWANTED).await?;
        }
        Ok(())
    }

    async fn refresh_directory(&self, caller: &Caller) -> Result<(), Error> {
        let accounts = caller.space.accounts().await?;
        let cards: BTreeMap<String, String> = accounts
            .iter()
            .filter(|account| account.is_enabled)
            .map(|account| (format!("{}.vcf", account.login), card_of_account(account)))
            .collect();
        let mut hasher = DefaultHasher::new();
        cards.hash(&mut hasher);
        let state = format!("{:016x}", hasher.finish());
        if known_state(&caller.tree).await?.as_deref() == Some(&state) {
            return Ok(());
        }
        // Alone, there is nobody to look up.
        if cards.len() > 1 || is_there(&caller.tree, DIRECTORY).await? {
            let mut made = BTreeMap::new();
            for (name, card) in cards {
                let bytes = card.into_bytes();
                match AddressObject::check(&bytes, &self.contacts) {
                    Ok(object) => {
                        let index = object.index();
                        made.insert(name, Made { bytes, index, media_type: "text/vcard; charset=utf-8" });
                    }
                    Err(error) => tracing::warn!(cause = %error, "an account makes no card"),
                }
            }
            write(&caller.tree, DIRECTORY, CollectionKind::MemberDirectory, made).await?;
        }
        remember(&caller.tree, &state).await
    }

    async fn refresh_birthdays(&self, caller: &Caller) -> Result<(), Error> {
        let books = caller.tree.in_area(Area::AddressBooks).await?;
        let state = books.node(&NodePath::root(), Needs::NONE).await?.etag.to_string();
        let known = known_state(&caller.tree).await?;
        if known.as_deref() == Some(&state) || known.as_deref() == Some(UNWANTED) {
            return Ok(());
        }
        let mut made = BTreeMap::new();
        for book in all_children(&books, &NodePath::root()).await? {
            if book.collection.as_deref() == Some(&CollectionKind::AddressBook) {
                self.add_birthdays(caller, &books, &book, &mut made).await?;
            }
        }
        if !made.is_empty() || is_there(&caller.tree, BIRTHDAYS).await? {
            write(&caller.tree, BIRTHDAYS, CollectionKind::Birthdays, made).await?;
        }
        remember(&caller.tree, &state).await
    }

    async fn add_birthdays(
        &self,
        caller: &Caller,
        books: &Tree,
        book: &Node,
        made: &mut BTreeMap<String, Made>,
    ) -> Result<(), Error> {
        let path = NodePath::root().child(&book.name);
        for_each_member(books, &path, book, |member, bytes| {
            let Ok(object) = AddressObject::read(bytes, &self.contacts) else { return };
            let name = object.card.value("FN").map(|name| unescape(name.trim()).into_owned()).unwrap_or_default();
            for birthday in birthdays(&object.card) {
                let kind = occasion_name(birthday.occasion);
                let uid = format!("{}-{kind}-{}", caller.space.urn_of(member.id), member.id);
                let summary = summary_of(&name, &birthday);
                let day = YearlyDay {
                    uid: &uid,
                    summary: &summary,
                    year: birthday.year,
                    month: birthday.month,
                    day: birthday.day,
                };
                let Some(bytes) = yearly_object(&day) else { continue };
                let Ok(event) = CalendarObject::check(&bytes, &self.calendars) else { continue };
                let index = event.index(&self.calendars);
                let media_type = "text/calendar; charset=utf-8; component=vevent";
                made.insert(format!("{}-{kind}.ics", member.id), Made { bytes, index, media_type });
            }
        })
        .await
    }
}

/// Whether the home has a collection of that name.
async fn is_there(tree: &Tree, name: &str) -> Result<bool, Error> {
    match tree.node(&NodePath::root().child(name), Needs::NONE).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

const fn occasion_name(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Birth => "birthday",
        Occasion::Anniversary => "anniversary",
        Occasion::Death => "death",
    }
}

/// Signs rather than words: the calendar is read in the member's language.
fn summary_of(name: &str, birthday: &Birthday) -> String {
    let sign = match birthday.occasion {
        Occasion::Birth => "🎂",
        Occasion::Anniversary => "💞",
        Occasion::Death => "†",
    };
    match birthday.year {
        Some(year) => format!("{sign} {name} ({year})"),
        None => format!("{sign} {name}"),
    }
}

/// Makes `members` what the collection holds; what is there already is not written again.
pub(crate) async fn write(
    tree: &Tree,
    name: &str,
    kind: CollectionKind,
    members: BTreeMap<String, Made>,
) -> Result<(), Error> {
    let path = NodePath::root().child(name);
    let collection = match tree.node(&path, Needs::NONE).await {
        Ok(node) => node,
        Err(Error::NotFound) => {
            let conditions = Conditions::default();
            let change =
                MakeFolder { path: path.clone(), dead_properties: Vec::new(), kind: Some(kind.clone()), conditions };
            match tree.apply(change).await {
                Ok(written) => written.node,
                // Somebody else looked at the same time.
                Err(Error::Exists) => tree.node(&path, Needs::NONE).await?,
                Err(error) => return Err(error),
            }
        }
        Err(error) => return Err(error),
    };
    if collection.collection.as_deref() != Some(&kind) {
        // The account has a collection of its own under that name.
        return Ok(());
    }
    let mut members = members;
    let mut removes = Vec::new();
    for_each_member(tree, &path, &collection, |member, bytes| match members.get(&member.name) {
        Some(made) if made.bytes == bytes => drop(members.remove(&member.name)),
        Some(_) => {}
        None => removes.push(member.name.clone()),
    })
    .await?;
    let mut puts = members.into_iter().peekable();
    while !removes.is_empty() || puts.peek().is_some() {
        let mut slice = Vec::new();
        for (name, made) in puts.by_ref().take(SLICE) {
            slice.push(staged(tree, name, made).await?);
        }
        let rest = removes.split_off(removes.len().min(SLICE));
        let change = Generate { collection: path.clone(), puts: slice, removes, dead_property: None };
        tree.apply(change).await?;
        removes = rest;
    }
    Ok(())
}

async fn staged(tree: &Tree, name: String, made: Made) -> Result<GeneratedMember, Error> {
    let options = StageOptions { announced_bytes: Some(made.bytes.len() as u64), ..StageOptions::default() };
    let body = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from(made.bytes))]);
    let content = tree.stage(body, options).await?;
    Ok(GeneratedMember { name, content, index: made.index, media_type: made.media_type.to_owned() })
}

/// Every member of a collection, with its content, a page at a time.
async fn for_each_member(
    tree: &Tree,
    path: &NodePath,
    collection: &Node,
    mut look: impl FnMut(&Node, &[u8]),
) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = tree.members(path, collection, &MemberFilter::default(), after, Needs::BODY).await?;
        page.nodes.iter().for_each(|member| look(member, member.body.as_deref().unwrap_or_default()));
        tokio::task::yield_now().await;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

async fn all_children(tree: &Tree, path: &NodePath) -> Result<Vec<Node>, Error> {
    let folder = tree.node(path, Needs::NONE).await?;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = tree.children(path, &folder, after, Needs::NONE).await?;
        found.extend(page.nodes);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}

/// What the home's generated collection was last made of.
async fn known_state(tree: &Tree) -> Result<Option<String>, Error> {
    let root = tree.node(&NodePath::root(), Needs::DEAD_PROPERTIES).await?;
    Ok(root.dead_property(INTERNAL, MADE_OF).map(|property| property.xml.clone()))
}

async fn remember(tree: &Tree, state: &str) -> Result<(), Error> {
    let (namespace, local) = (INTERNAL.to_owned(), MADE_OF.to_owned());
    let property = DeadProperty { namespace, local, xml: state.to_owned() };
    let change = PatchProperties { dead: vec![DeadPropertyPatch::Set(property)], ..PatchProperties::default() };
    tree.apply(change).await.map(drop)
}
