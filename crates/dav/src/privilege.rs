//! What the caller may do, as RFC 3744 §3 and §5.4 name it.

use nichoir_xml::{Name, Writer, dav};

use crate::property::Resource;

/// Everything that an account may do with its own tree.
static ALL: &[Name] = &[
    dav::READ,
    dav::READ_CURRENT_USER_PRIVILEGE_SET,
    dav::WRITE,
    dav::WRITE_PROPERTIES,
    dav::WRITE_CONTENT,
    dav::BIND,
    dav::UNBIND,
    dav::UNLOCK,
];

/// What anybody may do with a fixed collection.
pub static READING: &[Name] = &[dav::READ, dav::READ_CURRENT_USER_PRIVILEGE_SET];

pub(crate) fn write_all(_: &Resource<'_>, writer: &mut Writer) {
    write(ALL, writer);
}

/// A `DAV:privilege` element each.
pub fn write(privileges: &[Name], writer: &mut Writer) {
    for privilege in privileges {
        writer.open(&dav::PRIVILEGE);
        writer.empty(privilege);
        writer.close();
    }
}
