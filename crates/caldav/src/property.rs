//! The live properties of calendars and their members. RFC 4791 §5.2, §9.6; RFC 7809 §5.2; RFC 6638 §9.1; and what every
//! CalDAV server adds: `getctag`, of which Apple's clients and many others make their polls.
//!
//! What a client stores and only clients understand (colour, order, description) needs no row: it is a dead property.

use std::borrow::Cow;

use nichoir_contentline::{Collation, as_text};
use nichoir_dav::property::{keep, stored};
use nichoir_dav::{Error, Property, Resource, Value, privilege};
use nichoir_store::change::PatchProperties;
use nichoir_store::{CollectionKind, Components, Needs, Node, NodePath};
use nichoir_xml::{Element, Name, Writer, apple, caldav, cs, dav};

use crate::calendar_zone;
use crate::confidential;
use crate::extension::Caldav;
use crate::object::CalendarObject;
use crate::schedule::default_calendar;
use crate::time::utc_text;

/// The table. None of it is in allprop, as the RFCs ask, except what DAV itself lists.
pub(crate) static PROPERTIES: &[Property] = &[
    Property::live(dav::RESOURCETYPE).in_allprop().read(resource_type),
    Property::live(dav::DISPLAYNAME)
        .in_allprop()
        .needs(Needs::DEAD_PROPERTIES)
        .read(display_name)
        .write(|element, patch| write_kept(&dav::DISPLAYNAME, element, patch)),
    Property::live(dav::CURRENT_USER_PRIVILEGE_SET)
        .read(|_| Some(Value::Elements(|it, writer| privilege::write(privileges(it.node), writer)))),
    Property::live(dav::SUPPORTED_PRIVILEGE_SET).read(|_| Some(Value::Elements(write_supported_privileges))),
    Property::live(dav::ACL).read(|_| {
        Some(Value::Elements(|it, writer| privilege::write_acl(&it.mount.principal, privileges(it.node), writer)))
    }),
    Property::live(dav::ADD_MEMBER).read(|it| calendar(it).map(|_| Value::Elements(write_add_member))),
    Property::live(cs::GETCTAG).read(|it| collection(it).map(|_| Value::Etag(it.node.etag))),
    Property::live(caldav::CALENDAR_DESCRIPTION)
        .needs(Needs::DEAD_PROPERTIES)
        .read(|it| stored(it, &caldav::CALENDAR_DESCRIPTION))
        .write(|element, patch| write_kept(&caldav::CALENDAR_DESCRIPTION, element, patch)),
    Property::live(apple::CALENDAR_COLOR)
        .needs(Needs::DEAD_PROPERTIES)
        .read(|it| stored(it, &apple::CALENDAR_COLOR))
        .write(|element, patch| write_kept(&apple::CALENDAR_COLOR, element, patch)),
    Property::live(apple::CALENDAR_ORDER)
        .needs(Needs::DEAD_PROPERTIES)
        .read(|it| stored(it, &apple::CALENDAR_ORDER))
        .write(|element, patch| write_kept(&apple::CALENDAR_ORDER, element, patch)),
    Property::live(caldav::CALENDAR_TIMEZONE)
        .needs(Needs::DEAD_PROPERTIES)
        .read(|it| calendar(it).and_then(|_| stored(it, &caldav::CALENDAR_TIMEZONE)).or_else(|| timezone_of_id(it)))
        .write(write_timezone),
    Property::live(caldav::CALENDAR_TIMEZONE_ID)
        .needs(Needs::DEAD_PROPERTIES)
        .read(timezone_id)
        .write(write_timezone_id),
    Property::live(caldav::SUPPORTED_CALENDAR_COMPONENT_SET)
        .read(|it| components(it.node).map(|_| Value::Elements(write_components))),
    Property::live(caldav::SUPPORTED_CALENDAR_COMPONENT_SETS)
        .read(|it| it.node.is_root().then_some(Value::Elements(write_component_sets))),
    Property::live(caldav::SUPPORTED_CALENDAR_DATA)
        .read(|it| collection(it).map(|_| Value::Elements(write_supported_data))),
    Property::live(caldav::SUPPORTED_COLLATION_SET)
        .read(|it| collection(it).map(|_| Value::Elements(write_collations))),
    Property::live(caldav::MAX_RESOURCE_SIZE)
        .read(|it| calendar(it).map(|_| Value::Number(limits(it).object_bytes_max as u64))),
    Property::live(caldav::MIN_DATE_TIME)
        .read(|it| Some(Value::text(utc_text(limits_of_calendar(it)?.date_min_seconds)))),
    Property::live(caldav::MAX_DATE_TIME)
        .read(|it| Some(Value::text(utc_text(limits_of_calendar(it)?.date_max_seconds)))),
    Property::live(caldav::MAX_ATTENDEES_PER_INSTANCE)
        .read(|it| Some(Value::Number(limits_of_calendar(it)?.attendees_max as u64))),
    Property::live(caldav::SCHEDULE_CALENDAR_TRANSP)
        .needs(Needs::DEAD_PROPERTIES)
        .read(|it| {
            let kept = calendar(it).and_then(|_| stored(it, &caldav::SCHEDULE_CALENDAR_TRANSP));
            kept.or_else(|| calendar(it).map(|_| Value::Elements(|_, writer| writer.empty(&caldav::OPAQUE))))
        })
        .write(write_transparency),
    Property::live(caldav::SCHEDULE_DEFAULT_CALENDAR_URL)
        .needs(Needs::DEAD_PROPERTIES)
        .read(|it| {
            let is_inbox = matches!(collection(it), Some(CollectionKind::Inbox));
            is_inbox.then_some(Value::Elements(write_default_calendar))
        })
        .write(|element, patch| write_kept(&caldav::SCHEDULE_DEFAULT_CALENDAR_URL, element, patch)),
    Property::live(caldav::SCHEDULE_TAG)
        .needs(Needs::SCHEDULE_TAG)
        .read(|it| it.node.schedule_tag.map(|tag| Value::text(tag.quoted()))),
    // What sabre/dav's clients read as a property of PROPFIND too.
    Property::live(caldav::CALENDAR_DATA).needs(Needs::BODY).read(calendar_data),
];

fn limits<'a>(it: &Resource<'a>) -> &'a crate::Limits {
    it.dav.extension::<Caldav>().map_or(&crate::object::DEFAULT_LIMITS, |caldav| &caldav.limits)
}

fn limits_of_calendar<'a>(it: &Resource<'a>) -> Option<&'a crate::Limits> {
    calendar(it).map(|_| limits(it))
}

/// Any collection that holds calendar objects or scheduling messages.
fn collection<'a>(it: &Resource<'a>) -> Option<&'a CollectionKind> {
    it.node.collection.as_deref()
}

fn calendar<'a>(it: &Resource<'a>) -> Option<&'a CollectionKind> {
    let is_calendar = |kind: &&CollectionKind| {
        matches!(kind, CollectionKind::Calendar(_) | CollectionKind::Subscription | CollectionKind::Birthdays)
    };
    collection(it).filter(is_calendar)
}

fn resource_type<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    if !it.node.is_folder() {
        return Some(Value::Empty);
    }
    Some(Value::Elements(|it, writer| {
        writer.empty(&dav::COLLECTION);
        match collection(it) {
            Some(CollectionKind::Calendar(_) | CollectionKind::Birthdays) => writer.empty(&caldav::CALENDAR),
            Some(CollectionKind::Inbox) => writer.empty(&caldav::SCHEDULE_INBOX),
            Some(CollectionKind::Outbox) => writer.empty(&caldav::SCHEDULE_OUTBOX),
            Some(CollectionKind::Subscription) if it.mount.shows_subscriptions => writer.empty(&caldav::CALENDAR),
            Some(CollectionKind::Subscription) => writer.empty(&cs::SUBSCRIBED),
            Some(CollectionKind::AddressBook | CollectionKind::MemberDirectory) | None => {}
        }
    }))
}

/// The name that a client gave, else the last segment of the URL: never empty, since tasks.org wants a text.
fn display_name<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    let node = it.node;
    let account = it.caller;
    Some(nichoir_dav::property::display_name(it, || match node.collection.as_deref() {
        _ if node.is_root() => Cow::Borrowed(&*account.account.display_name),
        Some(CollectionKind::Calendar(_)) if is_personal(node) => Cow::Borrowed("Personal"),
        Some(CollectionKind::Birthdays) => Cow::Borrowed("Birthdays"),
        _ => Cow::Borrowed(&*node.name),
    }))
}

/// Whether it is somebody's first calendar, under whatever name it is mounted.
fn is_personal(node: &Node) -> bool {
    node.name == "personal" || node.mount.is_some() && node.name.starts_with("personal_shared_by_")
}

/// Keeps a text that a client gave.
fn write_kept(name: &Name, element: Option<&Element>, patch: &mut PatchProperties) -> Result<(), Error> {
    keep(name, element, patch);
    Ok(())
}

/// What an account may do with its calendars (RFC 4791 §6.1.1).
static CALENDAR_PRIVILEGES: &[Name] = &[
    dav::READ,
    dav::READ_ACL,
    dav::READ_CURRENT_USER_PRIVILEGE_SET,
    caldav::READ_FREE_BUSY,
    dav::WRITE,
    dav::WRITE_PROPERTIES,
    dav::WRITE_CONTENT,
    dav::BIND,
    dav::UNBIND,
    dav::UNLOCK,
];

/// A calendar that the server makes: its colour and its name are the account's.
static GENERATED_PRIVILEGES: &[Name] =
    &[dav::READ, dav::READ_ACL, dav::READ_CURRENT_USER_PRIVILEGE_SET, caldav::READ_FREE_BUSY, dav::WRITE_PROPERTIES];

/// RFC 6638 §6.1: what arrives there, and reading and tidying up.
static INBOX_PRIVILEGES: &[Name] = &[
    dav::READ,
    dav::READ_ACL,
    dav::READ_CURRENT_USER_PRIVILEGE_SET,
    dav::WRITE_PROPERTIES,
    dav::UNBIND,
    dav::UNLOCK,
    caldav::SCHEDULE_DELIVER,
    caldav::SCHEDULE_DELIVER_INVITE,
    caldav::SCHEDULE_DELIVER_REPLY,
    caldav::SCHEDULE_QUERY_FREEBUSY,
];

/// RFC 6638 §6.2.
static OUTBOX_PRIVILEGES: &[Name] = &[
    dav::READ,
    dav::READ_ACL,
    dav::READ_CURRENT_USER_PRIVILEGE_SET,
    dav::WRITE_PROPERTIES,
    dav::UNLOCK,
    caldav::SCHEDULE_SEND,
    caldav::SCHEDULE_SEND_INVITE,
    caldav::SCHEDULE_SEND_REPLY,
    caldav::SCHEDULE_SEND_FREEBUSY,
];

/// What one may do with a calendar that is shared for reading: how it looks is one's own business.
static READING_SHARED: &[Name] =
    &[dav::READ, dav::READ_ACL, dav::READ_CURRENT_USER_PRIVILEGE_SET, caldav::READ_FREE_BUSY, dav::WRITE_PROPERTIES];

/// What one may do with what is in it.
static READING: &[Name] = &[dav::READ, dav::READ_ACL, dav::READ_CURRENT_USER_PRIVILEGE_SET, caldav::READ_FREE_BUSY];

fn privileges(node: &Node) -> &'static [Name] {
    match node.collection.as_deref() {
        Some(CollectionKind::Inbox) => INBOX_PRIVILEGES,
        Some(CollectionKind::Outbox) => OUTBOX_PRIVILEGES,
        Some(CollectionKind::Birthdays) => GENERATED_PRIVILEGES,
        _ if node.is_writable() => CALENDAR_PRIVILEGES,
        _ if node.mount.is_some() => READING_SHARED,
        _ => READING,
    }
}

fn write_supported_privileges(_: &Resource<'_>, writer: &mut Writer) {
    privilege::write_supported(
        &[(caldav::READ_FREE_BUSY, "Read free and busy time")],
        &[
            (caldav::SCHEDULE_DELIVER, "Receive scheduling messages"),
            (caldav::SCHEDULE_SEND, "Send scheduling messages"),
        ],
        writer,
    );
}

/// RFC 5995 §3.2.1: POST to the calendar itself.
fn write_add_member(it: &Resource<'_>, writer: &mut Writer) {
    let mut href = it.mount.prefix.to_string();
    href.push('/');
    nichoir_dav::href::append_name(&mut href, &it.node.name);
    href.push('/');
    writer.text_element(&dav::HREF, &href);
}

fn components(node: &Node) -> Option<Components> {
    match node.collection.as_deref()? {
        CollectionKind::Calendar(components) => Some(components.clone()),
        CollectionKind::Inbox | CollectionKind::Outbox | CollectionKind::Subscription => Some(Components::default()),
        CollectionKind::Birthdays => Components::of(["VEVENT"]),
        CollectionKind::AddressBook | CollectionKind::MemberDirectory => None,
    }
}

fn write_components(it: &Resource<'_>, writer: &mut Writer) {
    let own = components(it.node);
    own.iter().flat_map(|components| components.names()).for_each(|name| write_comp(name, writer));
}

fn write_comp(name: &str, writer: &mut Writer) {
    writer.open_with(&caldav::COMP, &[(&Name::new("", "name"), name)]);
    writer.close();
}

/// A calendar may take any of the types, alone or together.
fn write_component_sets(_: &Resource<'_>, writer: &mut Writer) {
    writer.open(&caldav::SUPPORTED_CALENDAR_COMPONENT_SET);
    Components::default().names().iter().for_each(|name| write_comp(name, writer));
    writer.close();
    for name in Components::default().names() {
        writer.open(&caldav::SUPPORTED_CALENDAR_COMPONENT_SET);
        write_comp(name, writer);
        writer.close();
    }
}

fn write_supported_data(_: &Resource<'_>, writer: &mut Writer) {
    let attributes = [(&Name::new("", "content-type"), "text/calendar"), (&Name::new("", "version"), "2.0")];
    writer.open_with(&caldav::CALENDAR_DATA, &attributes);
    writer.close();
}

fn write_collations(_: &Resource<'_>, writer: &mut Writer) {
    Collation::NAMES.iter().for_each(|name| writer.text_element(&caldav::SUPPORTED_COLLATION, name));
}

/// RFC 4791 §5.2.2: exactly one VTIMEZONE, else `CALDAV:valid-calendar-data`.
fn write_timezone(element: Option<&Element>, patch: &mut PatchProperties) -> Result<(), Error> {
    if let Some(element) = element {
        calendar_zone::check(&element.text())?;
    }
    keep(&caldav::CALENDAR_TIMEZONE, element, patch);
    // The two say the same thing: the one that was set last counts (RFC 7809 §5.2).
    keep(&caldav::CALENDAR_TIMEZONE_ID, None, patch);
    Ok(())
}

/// RFC 7809 §5.2: a name of the IANA database, else `CALDAV:valid-timezone`.
fn write_timezone_id(element: Option<&Element>, patch: &mut PatchProperties) -> Result<(), Error> {
    if let Some(element) = element {
        calendar_zone::check_id(&element.text())?;
    }
    keep(&caldav::CALENDAR_TIMEZONE_ID, element, patch);
    keep(&caldav::CALENDAR_TIMEZONE, None, patch);
    Ok(())
}

/// The VTIMEZONE of the zone that was set by its name.
fn timezone_of_id<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    calendar(it)?;
    let id = calendar_zone::stored_text(it.node, &caldav::CALENDAR_TIMEZONE_ID)?;
    calendar_zone::calendar_of_id(&id).map(Value::text)
}

fn timezone_id<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    calendar(it)?;
    stored(it, &caldav::CALENDAR_TIMEZONE_ID).or_else(|| {
        let calendar = calendar_zone::stored_text(it.node, &caldav::CALENDAR_TIMEZONE)?;
        calendar_zone::id_of_calendar(&calendar).map(Value::text)
    })
}

/// RFC 6638 §9.1.
fn write_transparency(element: Option<&Element>, patch: &mut PatchProperties) -> Result<(), Error> {
    let is_known = element.is_none_or(|element| {
        let mut values = element.elements();
        let value = values.next().map(|value| &value.name);
        let is_one = value == Some(&caldav::OPAQUE) || value == Some(&caldav::TRANSPARENT);
        is_one && values.next().is_none()
    });
    if !is_known {
        return Err(Error::conflict("schedule-calendar-transp is opaque or transparent."));
    }
    keep(&caldav::SCHEDULE_CALENDAR_TRANSP, element, patch);
    Ok(())
}

/// RFC 6638 §9.2: the calendar that was chosen, else the usual one.
fn write_default_calendar(it: &Resource<'_>, writer: &mut Writer) {
    let name = default_calendar::chosen_name(it.node).unwrap_or_else(|| default_calendar::NAME.to_owned());
    let path = NodePath::root().child(&name);
    writer.text_element(&dav::HREF, &nichoir_dav::href::of(&it.mount.prefix, &path, true));
}

fn calendar_data<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    if let Some(rendered) = it.rendered {
        return Some(Value::text(rendered));
    }
    let body = it.node.body.as_deref()?;
    if it.node.is_confidential {
        let object = CalendarObject::read(body, limits(it)).ok()?;
        return Some(Value::text(as_text(&confidential::reduce(&object)).into_owned()));
    }
    Some(Value::text(as_text(body)))
}
