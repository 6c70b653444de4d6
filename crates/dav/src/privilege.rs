//! What the caller may do, as RFC 3744 §3 and §5.3 to §5.7 name it. Access is told, not edited: there is no ACL method.

use nichoir_store::{CollectionKind, Node};
use nichoir_xml::{Name, Writer, dav};

use crate::property::Resource;

/// Everything that an account may do with its own tree: aggregates and what they hold, since each client looks at
/// another one.
pub static ALL: &[Name] = &[
    dav::READ,
    dav::READ_ACL,
    dav::READ_CURRENT_USER_PRIVILEGE_SET,
    dav::WRITE,
    dav::WRITE_PROPERTIES,
    dav::WRITE_CONTENT,
    dav::BIND,
    dav::UNBIND,
    dav::UNLOCK,
];

/// What anybody may do with a fixed collection.
pub static READING: &[Name] = &[dav::READ, dav::READ_ACL, dav::READ_CURRENT_USER_PRIVILEGE_SET];

/// What one may do with what somebody else shares for reading: how it looks is one's own business.
static READING_SHARED: &[Name] =
    &[dav::READ, dav::READ_ACL, dav::READ_CURRENT_USER_PRIVILEGE_SET, dav::WRITE_PROPERTIES];

/// What the caller may do with the node.
pub fn of(node: &Node) -> &'static [Name] {
    let is_generated = node.collection.as_deref().is_some_and(CollectionKind::is_generated);
    match (node.is_writable() && !is_generated, &node.mount) {
        (true, _) => ALL,
        (false, Some(_)) => READING_SHARED,
        (false, None) => READING,
    }
}

/// A `DAV:privilege` element each.
pub fn write(privileges: &[Name], writer: &mut Writer) {
    for privilege in privileges {
        writer.open(&dav::PRIVILEGE);
        writer.empty(privilege);
        writer.close();
    }
}

/// `DAV:acl` (RFC 3744 §5.5): the owner's rights, which nobody can take away.
pub fn write_acl(principal: &str, privileges: &[Name], writer: &mut Writer) {
    writer.open(&dav::ACE);
    writer.open(&dav::PRINCIPAL);
    writer.text_element(&dav::HREF, principal);
    writer.close();
    writer.open(&dav::GRANT);
    write(privileges, writer);
    writer.close();
    writer.empty(&dav::PROTECTED);
    writer.close();
}

/// `DAV:acl-restrictions` (RFC 3744 §5.6): rights are granted, never denied or inverted.
pub(crate) fn write_restrictions(_: &Resource<'_>, writer: &mut Writer) {
    writer.empty(&dav::GRANT_ONLY);
    writer.empty(&dav::NO_INVERT);
}

/// `DAV:supported-privilege-set` (RFC 3744 §5.3); `reading` and `all` are what a protocol adds below `DAV:read` and
/// `DAV:all`.
pub fn write_supported(reading: &[(Name, &str)], all: &[(Name, &str)], writer: &mut Writer) {
    open_supported(&dav::ALL, "Any operation", writer);
    open_supported(&dav::READ, "Read content and properties", writer);
    leaf(&dav::READ_ACL, "Read the access control list", writer);
    leaf(&dav::READ_CURRENT_USER_PRIVILEGE_SET, "Read one's own privileges", writer);
    reading.iter().for_each(|(name, description)| leaf(name, description, writer));
    writer.close();
    open_supported(&dav::WRITE, "Write content and properties", writer);
    leaf(&dav::WRITE_PROPERTIES, "Write properties", writer);
    leaf(&dav::WRITE_CONTENT, "Write content", writer);
    leaf(&dav::BIND, "Add members", writer);
    leaf(&dav::UNBIND, "Remove members", writer);
    writer.close();
    leaf(&dav::UNLOCK, "Remove somebody else's lock", writer);
    all.iter().for_each(|(name, description)| leaf(name, description, writer));
    writer.close();
}

fn leaf(name: &Name, description: &str, writer: &mut Writer) {
    open_supported(name, description, writer);
    writer.close();
}

fn open_supported(name: &Name, description: &str, writer: &mut Writer) {
    writer.open(&dav::SUPPORTED_PRIVILEGE);
    writer.open(&dav::PRIVILEGE);
    writer.empty(name);
    writer.close();
    writer.open_with(&dav::DESCRIPTION, &[(&Name::new("http://www.w3.org/XML/1998/namespace", "lang"), "en")]);
    writer.text(description);
    writer.close();
}
