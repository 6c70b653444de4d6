//! The live properties behind a public link. Who else it is shared with, favourites, tags and comments are nobody's business
//! there: 404.

use nichoir_dav::{Property, Value};
use nichoir_store::{Needs, Node, Permissions};
use nichoir_xml::{dav, nc, oc};

use crate::property::{append_id, write_checksums, write_created, write_modified};

/// The rights that the link gives as letters: those of the files' dialect without the two that tell of mounts.
fn permissions(node: &Node) -> String {
    let held = node.permissions();
    let file_or_folder = if node.is_folder() { (Permissions::CREATE, "CK") } else { (Permissions::UPDATE, "W") };
    let letters = [(Permissions::READ, "RG"), (Permissions::DELETE, "D"), (Permissions::UPDATE, "NV"), file_or_folder];
    letters.into_iter().filter(|(right, _)| held.includes(*right)).map(|(_, letters)| letters).collect()
}

/// The table.
pub(super) static PROPERTIES: &[Property] = &[
    Property::live(oc::ID).read(|_| Some(Value::Appended(append_id))),
    Property::live(oc::FILEID).read(|it| Some(Value::Signed(it.node.id.0))),
    Property::live(oc::PERMISSIONS).read(|it| Some(Value::text(permissions(it.node)))),
    Property::live(oc::SIZE).read(|it| Some(it.node.size_bytes.into())),
    Property::live(oc::CHECKSUMS).read(|it| it.node.checksums.as_ref().map(|_| Value::Elements(write_checksums))),
    Property::live(oc::DATA_FINGERPRINT).read(|it| Some(Value::text(&*it.caller.space.info().data_fingerprint))),
    Property::live(oc::DOWNLOAD_URL).read(|it| (!it.node.is_folder()).then_some(Value::Empty)),
    Property::live(oc::OWNER_ID).read(|it| it.node.access.as_ref().map(|held| Value::text(&*held.owner_login))),
    Property::live(nc::MOUNT_TYPE).read(|_| Some(Value::Empty)),
    Property::live(nc::IS_MOUNT_ROOT).read(|_| Some(Value::Truth(false))),
    Property::live(nc::SHARE_ATTRIBUTES).read(|it| {
        let attributes = it.caller.tree.opened_by().and_then(|link| link.attributes.as_deref());
        Some(Value::text(attributes.unwrap_or("[]")))
    }),
    Property::live(nc::NOTE).read(|it| it.caller.tree.opened_by().map(|link| Value::text(&*link.note))),
    Property::live(nc::HIDE_DOWNLOAD)
        .read(|it| it.caller.tree.opened_by().map(|link| Value::Truth(link.hides_download))),
    Property::live(nc::CREATION_TIME).read(|it| Some(Value::Signed(it.node.created.seconds()))).write(write_created),
    Property::live(nc::UPLOAD_TIME)
        .read(|it| (!it.node.is_folder()).then_some(Value::Signed(it.node.uploaded.seconds()))),
    Property::live(nc::CONTAINED_FOLDER_COUNT)
        .needs(Needs::MEMBER_COUNTS)
        .read(|it| it.node.member_counts.map(|(folders, _)| folders.into())),
    Property::live(nc::CONTAINED_FILE_COUNT)
        .needs(Needs::MEMBER_COUNTS)
        .read(|it| it.node.member_counts.map(|(_, files)| files.into())),
    Property::live(dav::LASTMODIFIED).write(write_modified),
];
