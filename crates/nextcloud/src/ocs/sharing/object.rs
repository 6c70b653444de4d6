//! A share as clients read it. Every field has the type that Nextcloud gives it: Android and iOS leave the whole list
//! alone over one that has not. Sheet `nextcloud-ocs`, section 5.2.

use nichoir_auth::Caller;
use nichoir_dav::media_type;
use nichoir_store::{Node, Permissions, PlacedShare, Share, Sharee, Via};
use serde_json::{Value, json};

use super::fields::day_text;

/// The share as `caller` sees it. `is_fresh`: in the answer to its creation.
pub(in crate::ocs) fn object(caller: &Caller, placed: &PlacedShare, is_fresh: bool) -> Value {
    let PlacedShare { share, path, node } = placed;
    let is_givers = share.initiator == caller.account.id || share.owner == caller.account.id;
    let mut object = of_node(caller, path.to_string(), node);
    let fields = json!({
        "id": share.id.0.to_string(),
        "share_type": share.sharee.share_type(),
        "uid_owner": share.initiator_login,
        "displayname_owner": share.initiator_display_name,
        "uid_file_owner": share.owner_login,
        "displayname_file_owner": share.owner_display_name,
        "permissions": share.permissions.bits(),
        "can_edit": is_givers,
        "can_delete": is_givers,
        "stime": share.created.seconds(),
        "parent": null,
        "expiration": share.expires.map(day_text),
        "token": null,
        "note": share.note,
        "label": share.label,
        "file_target": if is_givers { format!("/{}", node.name) } else { path.to_string() },
        "share_with": sharee(share),
        "share_with_displayname": share.display_name,
        "mail_send": u8::from(is_fresh),
        "hide_download": 0,
        "attributes": share.attributes,
    });
    if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
        object.extend(fields);
        if let Sharee::Account(_) = share.sharee {
            let unique = share.email.as_deref().unwrap_or(&share.login);
            object.insert("share_with_displayname_unique".to_owned(), json!(unique));
        }
    }
    object
}

/// The fields that say what is shared, at `path` in the caller's tree.
pub(in crate::ocs) fn of_node(caller: &Caller, path: String, node: &Node) -> Value {
    let is_mount_root = node.mount.is_some();
    let (owner, is_shared) = match &node.access {
        Some(access) => (access.owner.0, access.via == Via::Share),
        None => (caller.account.id.0, false),
    };
    let storage_id = match &node.access {
        Some(_) => format!("shared::{path}"),
        None => format!("home::{}", caller.account.login),
    };
    json!({
        "path": path,
        "item_type": if node.is_folder() { "folder" } else { "file" },
        "item_permissions": permissions_of(node).bits(),
        "is-mount-root": is_mount_root,
        "mount-type": match &node.access {
            Some(_) if is_shared => "shared",
            Some(_) => "group",
            None => "",
        },
        "mimetype": if node.is_folder() { "httpd/unix-directory" } else { media_type(node) },
        "has_preview": false,
        "storage_id": storage_id,
        "storage": owner,
        "item_source": node.id.0,
        "file_source": node.id.0,
        "file_parent": node.parent.map_or(0, |parent| parent.0),
        "item_size": node.size_bytes,
        "item_mtime": node.modified.seconds(),
    })
}

/// What the caller may do with the node: a mount can be taken out of one's own home whatever else.
fn permissions_of(node: &Node) -> Permissions {
    let own = match node.is_folder() {
        true => node.permissions(),
        // A file is deleted from its folder, and so has that right too.
        false if node.access.is_none() => Permissions::OF_FILE | Permissions::DELETE,
        false => node.permissions().without(Permissions::CREATE),
    };
    match node.mount {
        Some(_) => own | Permissions::DELETE,
        None => own,
    }
}

fn sharee(share: &Share) -> Option<&str> {
    match share.sharee {
        Sharee::Link => None,
        _ => Some(&share.login),
    }
}
