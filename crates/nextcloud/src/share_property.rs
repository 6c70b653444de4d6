//! The live properties that say whose a file or folder is, what the caller may do with it, and who else sees it. Sheet
//! `nextcloud-files-dav`, sections 3.2 to 3.4.

use std::borrow::Cow;

use nichoir_dav::{Property, Resource, Value};
use nichoir_store::{Access, Needs, Node, Permissions, Sharee, Via};
use nichoir_xml::{Writer, nc, oc, ocm, ocs};

/// The table.
pub(crate) static PROPERTIES: &[Property] = &[
    Property::live(oc::PERMISSIONS).read(|it| Some(Value::text(letters(it.node)))),
    Property::live(oc::SHARE_TYPES).needs(Needs::SHARES).read(|it| some_shares(it, write_share_types)),
    Property::live(nc::SHAREES).needs(Needs::SHARES).read(|it| some_shares(it, write_sharees)),
    Property::live(nc::SHARE_DOWNLOAD_LIMITS).needs(Needs::SHARES).read(download_limits),
    Property::live(oc::OWNER_ID).read(|it| {
        Some(Value::text(match &it.node.access {
            Some(access) => &*access.owner_login,
            None => &*it.caller.account.login,
        }))
    }),
    Property::live(oc::OWNER_DISPLAY_NAME).read(|it| {
        Some(Value::text(match &it.node.access {
            Some(access) => &*access.owner_display_name,
            None => &*it.caller.account.display_name,
        }))
    }),
    Property::live(nc::MOUNT_TYPE).read(|it| {
        Some(match via(it.node) {
            Some(Via::Share) => Value::text("shared"),
            Some(Via::TeamFolder { .. }) => Value::text("group"),
            _ => Value::Empty,
        })
    }),
    Property::live(nc::IS_MOUNT_ROOT).read(|it| Some(Value::Truth(it.node.mount.is_some()))),
    Property::live(nc::IS_FEDERATED).read(|_| Some(Value::Empty)),
    Property::live(nc::SHARE_ATTRIBUTES).read(|it| {
        let received = received(it.node).and_then(|access| access.attributes.as_deref());
        Some(Value::text(received.unwrap_or("[]")))
    }),
    Property::live(nc::NOTE).read(|it| received(it.node).map(|access| Value::text(&*access.note))),
    Property::live(ocs::SHARE_PERMISSIONS).read(|it| Some(Value::Number(share_permissions(it.node)))),
    Property::live(ocm::SHARE_PERMISSIONS).read(|it| Some(Value::text(words(it.node.permissions())))),
];

/// What the caller may do, as letters in Nextcloud's order: Shared with her, Reshare, Mounted, Get, Delete, reName and
/// moVe; Write, or Create and mKcol. A received share can be renamed and left whatever else one may; a team folder
/// can be neither.
pub(crate) fn letters(node: &Node) -> Cow<'static, str> {
    let via = via(node);
    if via.is_none() {
        return Cow::Borrowed(if node.is_folder() { "RGDNVCK" } else { "RGDNVW" });
    }
    let (is_root, is_share) = (node.mount.is_some(), via == Some(Via::Share));
    let is_team = matches!(via, Some(Via::TeamFolder { .. }));
    let may = |right| node.permissions().includes(right);
    let stays = is_root && is_team;
    let mut letters = String::with_capacity(9);
    let mut add = |applies: bool, letter: &str| {
        if applies {
            letters.push_str(letter);
        }
    };
    add(is_share, "S");
    add(may(Permissions::SHARE), "R");
    add(is_team, "M");
    add(may(Permissions::READ), "G");
    add(is_root && is_share || may(Permissions::DELETE) && !stays, "D");
    add(is_root && is_share || may(Permissions::UPDATE) && !stays, "NV");
    match node.is_folder() {
        true => add(may(Permissions::CREATE), "CK"),
        false => add(may(Permissions::UPDATE), "W"),
    }
    Cow::Owned(letters)
}

fn via(node: &Node) -> Option<Via> {
    node.access.as_ref().map(|access| access.via)
}

/// How the node was received, if somebody shares it.
fn received(node: &Node) -> Option<&Access> {
    node.access.as_deref().filter(|access| access.via == Via::Share)
}

fn some_shares<'a>(it: &Resource<'a>, write: fn(&Resource<'_>, &mut Writer)) -> Option<Value<'a>> {
    Some(if it.node.shares.is_empty() && it.node.links.is_empty() { Value::Empty } else { Value::Elements(write) })
}

fn write_share_types(it: &Resource<'_>, writer: &mut Writer) {
    let mut types: Vec<i64> = it.node.shares.iter().map(|share| share.sharee.share_type()).collect();
    types.extend(it.node.links.first().map(|_| Sharee::Link.share_type()));
    types.sort_unstable();
    types.dedup();
    for share_type in types {
        writer.text_element(&oc::SHARE_TYPE, &share_type.to_string());
    }
}

fn write_sharees(it: &Resource<'_>, writer: &mut Writer) {
    for share in &it.node.shares {
        writer.open(&nc::SHAREE);
        writer.text_element(&nc::ID, &share.login);
        writer.text_element(&nc::DISPLAY_NAME, &share.display_name);
        writer.text_element(&nc::TYPE, &share.sharee.share_type().to_string());
        writer.close();
    }
    // One is enough to show that there are any.
    if !it.node.links.is_empty() {
        writer.open(&nc::SHAREE);
        writer.text_element(&nc::ID, "");
        writer.text_element(&nc::DISPLAY_NAME, "");
        writer.text_element(&nc::TYPE, &Sharee::Link.share_type().to_string());
        writer.close();
    }
}

/// Those of the links that have one; nothing where there are none: an empty element would be a value.
fn download_limits<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    let is_limited = it.node.links.iter().any(|link| link.download_limit.is_some());
    is_limited.then_some(Value::Elements(write_download_limits))
}

fn write_download_limits(it: &Resource<'_>, writer: &mut Writer) {
    for link in &it.node.links {
        let Some(limit) = link.download_limit else { continue };
        writer.open(&nc::SHARE_DOWNLOAD_LIMIT);
        writer.text_element(&nc::TOKEN, &link.token);
        writer.text_element(&nc::LIMIT, &limit.to_string());
        writer.text_element(&nc::COUNT, &link.download_count.to_string());
        writer.close();
    }
}

/// The bits of the share, or what could be given of one's own.
fn share_permissions(node: &Node) -> u64 {
    match (&node.access, node.is_folder()) {
        (None, true) => Permissions::ALL.bits().into(),
        (None, false) => Permissions::OF_FILE.bits().into(),
        (Some(access), true) => access.permissions.bits().into(),
        (Some(access), false) => (access.permissions & Permissions::OF_FILE).bits().into(),
    }
}

/// As Open Cloud Mesh has it.
fn words(permissions: Permissions) -> &'static str {
    let may_write = permissions.includes(Permissions::UPDATE) || permissions.includes(Permissions::CREATE);
    match (permissions.includes(Permissions::SHARE), permissions.includes(Permissions::READ), may_write) {
        (true, true, true) => "[\"share\",\"read\",\"write\"]",
        (true, true, false) => "[\"share\",\"read\"]",
        (true, false, true) => "[\"share\",\"write\"]",
        (true, false, false) => "[\"share\"]",
        (false, true, true) => "[\"read\",\"write\"]",
        (false, true, false) => "[\"read\"]",
        (false, false, true) => "[\"write\"]",
        (false, false, false) => "[]",
    }
}
