//! Areas and collections: an account's files, calendars and address books are trees of their own, and a folder of
//! the latter two is a collection that says what it holds (RFC 4791 §4.2, RFC 6352 §5.2, RFC 6638 §2).

use crate::error::Error;
use crate::node::Node;
use crate::share::Visibility;

/// Which of an account's trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Area {
    /// Files and plain folders.
    Files,
    /// The calendar home: calendars, scheduling inbox and outbox, subscriptions.
    Calendars,
    /// The address book home.
    AddressBooks,
}

impl Area {
    /// As the database has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Area::Files => "files",
            Area::Calendars => "calendars",
            Area::AddressBooks => "addressbooks",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Area> {
        [Area::Files, Area::Calendars, Area::AddressBooks].into_iter().find(|area| area.name() == name)
    }

    /// What an account finds there when it first comes: names and kinds.
    pub(crate) fn first_collections(self) -> Vec<(&'static str, CollectionKind)> {
        match self {
            Area::Files => Vec::new(),
            Area::Calendars => vec![
                ("personal", CollectionKind::Calendar(Components::default())),
                ("inbox", CollectionKind::Inbox),
                ("outbox", CollectionKind::Outbox),
            ],
            Area::AddressBooks => vec![("contacts", CollectionKind::AddressBook)],
        }
    }

    /// Whether deleted members of its collections can come back.
    pub(crate) const fn has_trash(self) -> bool {
        !matches!(self, Area::AddressBooks)
    }
}

/// The component types that a calendar takes (RFC 4791 §5.2.3), in upper case, fixed when it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Components(Vec<String>);

impl Default for Components {
    /// Events, to-dos and journal entries.
    fn default() -> Components {
        Components(["VEVENT", "VTODO", "VJOURNAL"].map(str::to_owned).to_vec())
    }
}

impl Components {
    /// These names; `None` if there are none, or if one is no name of a component.
    pub fn of<I: IntoIterator<Item = S>, S: AsRef<str>>(names: I) -> Option<Components> {
        let mut components: Vec<String> = Vec::new();
        for name in names {
            let name = name.as_ref().to_ascii_uppercase();
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if !is_name || components.len() >= 16 {
                return None;
            }
            if !components.contains(&name) {
                components.push(name);
            }
        }
        if components.is_empty() { None } else { Some(Components(components)) }
    }

    /// The names.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether this type is among them.
    pub fn includes(&self, component: &str) -> bool {
        self.0.iter().any(|name| name.eq_ignore_ascii_case(component))
    }
}

/// What a folder of the calendar or address book home is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CollectionKind {
    /// A calendar (RFC 4791).
    Calendar(Components),
    /// An address book (RFC 6352).
    AddressBook,
    /// Where scheduling messages arrive (RFC 6638 §2.2).
    Inbox,
    /// Where free-busy questions are put (RFC 6638 §2.1).
    Outbox,
    /// A calendar that is fetched from elsewhere.
    Subscription,
    /// A calendar of the birthdays in the account's address books.
    Birthdays,
    /// An address book of the space's accounts.
    MemberDirectory,
}

impl CollectionKind {
    pub(crate) fn to_text(&self) -> String {
        match self {
            CollectionKind::Calendar(components) => format!("calendar {}", components.0.join(" ")),
            CollectionKind::AddressBook => "addressbook".to_owned(),
            CollectionKind::Inbox => "inbox".to_owned(),
            CollectionKind::Outbox => "outbox".to_owned(),
            CollectionKind::Subscription => "subscription".to_owned(),
            CollectionKind::Birthdays => "birthdays".to_owned(),
            CollectionKind::MemberDirectory => "memberdirectory".to_owned(),
        }
    }

    pub(crate) fn of_text(text: &str) -> Option<CollectionKind> {
        match text {
            "addressbook" => Some(CollectionKind::AddressBook),
            "inbox" => Some(CollectionKind::Inbox),
            "outbox" => Some(CollectionKind::Outbox),
            "subscription" => Some(CollectionKind::Subscription),
            "birthdays" => Some(CollectionKind::Birthdays),
            "memberdirectory" => Some(CollectionKind::MemberDirectory),
            _ => {
                let components = text.strip_prefix("calendar ")?;
                Components::of(components.split(' ')).map(CollectionKind::Calendar)
            }
        }
    }

    /// Whether a client may put a member of this component type here.
    pub(crate) fn check_member(&self, component: &str) -> Result<(), Error> {
        match self {
            CollectionKind::Calendar(components) if components.includes(component) => Ok(()),
            CollectionKind::Calendar(_) => Err(Error::WrongComponent),
            CollectionKind::AddressBook if component == CARD => Ok(()),
            CollectionKind::AddressBook => Err(Error::WrongComponent),
            CollectionKind::Inbox
            | CollectionKind::Outbox
            | CollectionKind::Subscription
            | CollectionKind::Birthdays
            | CollectionKind::MemberDirectory => Err(Error::Forbidden("the server alone writes here")),
        }
    }

    /// Whether its members are made by the server alone, out of something else.
    pub const fn is_generated(&self) -> bool {
        matches!(self, CollectionKind::Subscription | CollectionKind::Birthdays | CollectionKind::MemberDirectory)
    }

    /// Whether it is part of every home and stays.
    pub(crate) const fn is_fixed(&self) -> bool {
        matches!(self, CollectionKind::Inbox | CollectionKind::Outbox)
    }
}

/// The component type of an address object, which has no other.
pub const CARD: &str = "VCARD";

/// What the store knows of a member's content: made by whoever understands the bytes, when they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberIndex {
    /// The UID, unique in its collection.
    pub uid: String,
    /// The type, such as `VEVENT`; [`CARD`] for an address object.
    pub component: String,
    /// Nothing of it happens before this instant, in seconds; `i64::MIN` if nobody knows.
    pub first_seconds: i64,
    /// Nothing of it happens after this instant, in seconds; `i64::MAX` if it has no end.
    pub last_seconds: i64,
    /// What those may see of it who do not own the collection.
    pub visibility: Visibility,
}

/// Which members of a collection are wanted. A superset may be meant: the exact filter is the reader's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberFilter {
    /// Of this type only.
    pub component: Option<String>,
    /// With this UID only.
    pub uid: Option<String>,
    /// Something of it may happen at or after this instant, in seconds.
    pub start_seconds: i64,
    /// Something of it may happen before or at this instant, in seconds.
    pub end_seconds: i64,
}

impl Default for MemberFilter {
    /// Everything.
    fn default() -> MemberFilter {
        MemberFilter { component: None, uid: None, start_seconds: i64::MIN, end_seconds: i64::MAX }
    }
}

/// What may stand at depth one of a home, and what below: no collection in a collection, no member outside of one.
pub(crate) fn check_place(area: Area, chain_above: &[Node], is_folder: bool) -> Result<(), Error> {
    match (area, chain_above) {
        (Area::Files, _) => Ok(()),
        (_, [_root]) if is_folder => Ok(()),
        (_, [_root, collection]) if !is_folder && collection.collection.is_some() => Ok(()),
        _ => Err(Error::WrongPlace),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_survive_the_database() {
        let tasks = Components::of(["vtodo", "VTODO"]).expect("good names");
        assert_eq!(tasks.names(), ["VTODO"]);
        for kind in [
            CollectionKind::Calendar(tasks),
            CollectionKind::Calendar(Components::default()),
            CollectionKind::AddressBook,
            CollectionKind::Inbox,
            CollectionKind::Outbox,
            CollectionKind::Subscription,
            CollectionKind::Birthdays,
            CollectionKind::MemberDirectory,
        ] {
            assert_eq!(CollectionKind::of_text(&kind.to_text()), Some(kind));
        }
        assert_eq!(CollectionKind::of_text("calendar "), None);
        assert_eq!(CollectionKind::of_text("nest"), None);
    }

    #[test]
    fn component_names_are_names() {
        assert_eq!(Components::of(Vec::<String>::new()), None);
        assert_eq!(Components::of(["V EVENT"]), None);
        assert_eq!(Components::of([""]), None);
    }
}
