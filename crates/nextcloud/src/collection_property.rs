//! Live properties of calendars and address books that say whose they are, who else sees them and where they are
//! published: `oc:`, Nextcloud's `nc:` of collections, CalendarServer's, and the resource-sharing draft's that tasks.org
//! reads.

use nichoir_dav::property::{keep, stored};
use nichoir_dav::{Error, Property, Resource, Value, href, principal};
use nichoir_store::change::PatchProperties;
use nichoir_store::{Account, CollectionKind, Needs, Share, Sharee};
use nichoir_xml::{Element, Name, Writer, cs, dav, ncdav, oc};

use crate::calendar_trash;
use crate::publishing::PUBLIC_CALENDARS;
use crate::sharing::{EVERYONE, name_of, principal_of};

/// The table.
pub(crate) static PROPERTIES: &[Property] = &[
    Property::live(oc::OWNER_PRINCIPAL).read(|it| collection(it).map(|_| Value::text(owner_principal(it)))),
    Property::live(ncdav::OWNER_DISPLAYNAME).read(|it| collection(it).map(|_| Value::text(owner(it).1))),
    Property::live(oc::READ_ONLY).read(read_only),
    Property::live(oc::INVITE).needs(Needs::SHARES).read(|it| shareable(it).map(|_| Value::Elements(write_oc_invite))),
    Property::live(dav::INVITE).needs(Needs::SHARES).read(|it| shareable(it).map(|_| Value::Elements(write_invite))),
    Property::live(dav::SHARE_ACCESS)
        .needs(Needs::SHARES)
        .read(|it| shareable(it).map(|_| Value::Elements(write_share_access))),
    Property::live(oc::CALENDAR_ENABLED)
        .needs(Needs::DEAD_PROPERTIES)
        .read(|it| collection(it).filter(|_| !is_book(it)).map(|_| enabled(it, &oc::CALENDAR_ENABLED)))
        .write(|element, patch| write_enabled(&oc::CALENDAR_ENABLED, element, patch)),
    Property::live(oc::ENABLED)
        .needs(Needs::DEAD_PROPERTIES)
        .read(|it| collection(it).filter(|_| is_book(it)).map(|_| enabled(it, &oc::ENABLED)))
        .write(|element, patch| write_enabled(&oc::ENABLED, element, patch)),
    Property::live(cs::ALLOWED_SHARING_MODES)
        .read(|it| shareable(it).filter(|_| !is_book(it)).map(|_| Value::Elements(write_modes))),
    Property::live(cs::PUBLISH_URL).needs(Needs::SHARES).read(publish_url),
    Property::live(cs::PUBLISH_URL_LOWER).needs(Needs::SHARES).read(publish_url),
    Property::live(ncdav::DELETED_AT)
        .read(|it| it.node.trashed.as_ref().map(|it| Value::text(calendar_trash::deleted_at(it.deleted)))),
    Property::live(ncdav::CALENDAR_URI).read(calendar_uri),
    Property::live(ncdav::SOURCE_CALENDAR_URI).read(calendar_uri),
    Property::live(oc::PUBLIC).needs(Needs::SHARES).read(|it| it.node.publication.as_ref().map(|_| Value::text("1"))),
];

/// A collection that belongs to somebody: no inbox, no outbox.
fn collection<'a>(it: &Resource<'a>) -> Option<&'a CollectionKind> {
    let kind = it.node.collection.as_deref()?;
    (!matches!(kind, CollectionKind::Inbox | CollectionKind::Outbox)).then_some(kind)
}

fn is_book(it: &Resource<'_>) -> bool {
    it.node.collection.as_deref() == Some(&CollectionKind::AddressBook)
}

fn shareable<'a>(it: &Resource<'a>) -> Option<&'a CollectionKind> {
    collection(it).filter(|kind| matches!(kind, CollectionKind::Calendar(_) | CollectionKind::AddressBook))
}

/// The owner's login and name.
fn owner<'a>(it: &Resource<'a>) -> (&'a str, &'a str) {
    match it.node.access.as_deref() {
        Some(access) => (&access.owner_login, &access.owner_display_name),
        None => {
            let Account { login, display_name, .. } = &*it.caller.account;
            (login, display_name)
        }
    }
}

/// Without a slash on either end: tasks.org appends one and compares.
fn owner_principal(it: &Resource<'_>) -> String {
    let mut path = "principals/users/".to_owned();
    href::append_name(&mut path, owner(it).0);
    path
}

/// `1`; empty on what is shared for writing; one's own have none.
fn read_only<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    collection(it)?;
    let access = it.node.access.as_ref()?;
    Some(if access.is_writable() { Value::Empty } else { Value::text("1") })
}

/// Whether it is shown in the web app; each account's own choice.
fn enabled<'a>(it: &Resource<'a>, name: &Name) -> Value<'a> {
    stored(it, name).unwrap_or(Value::text("1"))
}

fn write_enabled(name: &Name, element: Option<&Element>, patch: &mut PatchProperties) -> Result<(), Error> {
    keep(name, element, patch);
    Ok(())
}

/// Empty for a sharee, who does not see with whom else it is shared.
fn write_oc_invite(it: &Resource<'_>, writer: &mut Writer) {
    for share in &it.node.shares {
        writer.open(&oc::USER);
        writer.text_element(&dav::HREF, &principal_of(share));
        writer.text_element(&oc::COMMON_NAME, name_of(share));
        writer.empty(&oc::INVITE_ACCEPTED);
        writer.open(&oc::ACCESS);
        let access = if share.permissions.is_writable() { oc::READ_WRITE } else { oc::READ };
        writer.empty(&access);
        writer.close();
        writer.close();
    }
}

/// draft-pot-webdav-resource-sharing §5.2.
fn write_invite(it: &Resource<'_>, writer: &mut Writer) {
    for share in &it.node.shares {
        writer.open(&dav::SHAREE);
        writer.text_element(&dav::HREF, &sharee_href(it, share));
        writer.empty(&dav::INVITE_ACCEPTED);
        writer.open(&dav::SHARE_ACCESS);
        let access = if share.permissions.is_writable() { dav::READ_WRITE } else { dav::READ };
        writer.empty(&access);
        writer.close();
        writer.open(&dav::PROP);
        writer.text_element(&dav::DISPLAYNAME, name_of(share));
        writer.close();
        writer.close();
    }
}

fn sharee_href(it: &Resource<'_>, share: &Share) -> String {
    match share.sharee {
        Sharee::Account(_) => principal::href_of(&it.mount.principals, &share.login),
        Sharee::Everyone => format!("{}/principals/groups/{EVERYONE}/", principal::root_of(&it.mount.principals)),
        Sharee::Group(_) | Sharee::Link => {
            let mut href = format!("{}/principals/groups/", principal::root_of(&it.mount.principals));
            href::append_name(&mut href, &share.login);
            href + "/"
        }
    }
}

/// draft-pot-webdav-resource-sharing §5.1.
fn write_share_access(it: &Resource<'_>, writer: &mut Writer) {
    let access = match &it.node.access {
        Some(access) if access.is_writable() => dav::READ_WRITE,
        Some(_) => dav::READ,
        None if it.node.shares.is_empty() => dav::NOT_SHARED,
        None => dav::SHARED_OWNER,
    };
    writer.empty(&access);
}

/// What the caller may do about who else sees it.
fn write_modes(it: &Resource<'_>, writer: &mut Writer) {
    if it.node.access.is_none() {
        writer.empty(&cs::CAN_BE_SHARED);
        writer.empty(&cs::CAN_BE_PUBLISHED);
    }
}

/// The name of the calendar that an object in the trash bin was deleted from.
fn calendar_uri<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    it.node.trashed.as_ref()?.folder_name.as_deref().map(Value::text)
}

fn publish_url<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    let token = it.node.publication.as_ref()?;
    Some(Value::Href(format!("{}{PUBLIC_CALENDARS}{token}", it.mount.site).into()))
}
