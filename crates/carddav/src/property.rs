//! The live properties of address books and their members. RFC 6352 §6.2, §8.3.1, §10.4; RFC 5995 §3.2.1; and `getctag`,
//! which every CardDAV server adds.
//!
//! What a client stores and only clients understand needs no row: it is a dead property.

use std::borrow::Cow;

use nichoir_contentline::{Collation, as_text};
use nichoir_dav::property::{keep, stored};
use nichoir_dav::{Property, Resource, Value, href};
use nichoir_store::{CollectionKind, Needs, Node, NodePath};
use nichoir_xml::{Name, Writer, carddav, cs, dav};

use crate::extension::Carddav;

/// The table. None of it is in allprop, as the RFC asks, except what DAV itself lists.
pub(crate) static PROPERTIES: &[Property] = &[
    Property::live(dav::RESOURCETYPE).in_allprop().read(resource_type),
    Property::live(dav::DISPLAYNAME).in_allprop().needs(Needs::DEAD_PROPERTIES).read(display_name).write(
        |element, patch| {
            keep(&dav::DISPLAYNAME, element, patch);
            Ok(())
        },
    ),
    Property::live(dav::ADD_MEMBER).read(|it| book(it).map(|_| Value::Elements(write_add_member))),
    Property::live(cs::GETCTAG).read(|it| book(it).map(|node| Value::Etag(node.etag))),
    Property::live(carddav::ADDRESSBOOK_DESCRIPTION)
        .needs(Needs::DEAD_PROPERTIES)
        .read(|it| stored(it, &carddav::ADDRESSBOOK_DESCRIPTION))
        .write(|element, patch| {
            keep(&carddav::ADDRESSBOOK_DESCRIPTION, element, patch);
            Ok(())
        }),
    Property::live(carddav::SUPPORTED_ADDRESS_DATA).read(|it| book(it).map(|_| Value::Elements(write_supported_data))),
    Property::live(carddav::SUPPORTED_COLLATION_SET).read(|it| book(it).map(|_| Value::Elements(write_collations))),
    Property::live(carddav::MAX_RESOURCE_SIZE).read(|it| {
        book(it).and(it.dav.extension::<Carddav>()).map(|own| Value::from(own.limits.object_bytes_max as u64))
    }),
    // What sabre/dav's clients read as a property of PROPFIND too.
    Property::live(carddav::ADDRESS_DATA).needs(Needs::BODY).read(address_data),
];

fn book<'a>(it: &Resource<'a>) -> Option<&'a Node> {
    let is_book = |kind| matches!(kind, &CollectionKind::AddressBook | &CollectionKind::MemberDirectory);
    it.node.collection.as_deref().is_some_and(is_book).then_some(it.node)
}

/// `DAV:collection` first: the Nextcloud clients take the first type after it.
fn resource_type<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    if !it.node.is_folder() {
        return Some(Value::Empty);
    }
    Some(Value::Elements(|it, writer| {
        writer.empty(&dav::COLLECTION);
        if book(it).is_some() {
            writer.empty(&carddav::ADDRESSBOOK);
        }
    }))
}

/// The name that a client gave, else the last segment of the URL: never empty.
fn display_name<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    let (node, account) = (it.node, &it.caller.account);
    Some(nichoir_dav::property::display_name(it, || match &*node.name {
        "" => Cow::Borrowed(&*account.display_name),
        "contacts" => Cow::Borrowed("Contacts"),
        name if node.mount.is_some() && name.starts_with("contacts_shared_by_") => Cow::Borrowed("Contacts"),
        _ if node.collection.as_deref() == Some(&CollectionKind::MemberDirectory) => Cow::Borrowed("Members"),
        name => Cow::Borrowed(name),
    }))
}

/// POST goes to the address book itself.
fn write_add_member(it: &Resource<'_>, writer: &mut Writer) {
    let path = NodePath::root().child(&it.node.name);
    writer.text_element(&dav::HREF, &href::of(&it.mount.prefix, &path, true));
}

/// Version 3.0 alone: whoever reads that 4.0 is there too writes and asks for nothing else, and Apple's clients cannot
/// read it. Cards that come in 4.0 all the same are kept and given back so.
fn write_supported_data(_: &Resource<'_>, writer: &mut Writer) {
    let attributes = [(&Name::new("", "content-type"), "text/vcard"), (&Name::new("", "version"), "3.0")];
    writer.open_with(&carddav::ADDRESS_DATA_TYPE, &attributes);
    writer.close();
}

fn write_collations(_: &Resource<'_>, writer: &mut Writer) {
    Collation::NAMES.iter().for_each(|name| writer.text_element(&carddav::SUPPORTED_COLLATION, name));
}

fn address_data<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    match it.rendered {
        Some(rendered) => Some(Value::text(rendered)),
        None => it.node.body.as_deref().map(|body| Value::text(as_text(body))),
    }
}
