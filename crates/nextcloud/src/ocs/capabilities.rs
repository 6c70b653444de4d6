//! Capabilities: what works here, and nothing else. Types matter: one string where a truth is expected, and a client throws the
//! whole answer away.

use nichoir_auth::Caller;
use serde_json::{Value, json};

use super::{Outcome, Reply, activity, notifications, password_policy, team_folders, user_status};
use crate::names::{FORBIDDEN_CHARACTERS, FORBIDDEN_EXTENSIONS, FORBIDDEN_NAMES};
use crate::status::{VERSION_NUMBERS, VERSION_STRING};
use crate::{LinkSettings, Visit, notes, theming};

/// The size of chunk that clients begin with and stay below.
const CHUNK_BYTES_MAX: u64 = 100 * 1024 * 1024;
/// The release of the Notes app whose ways these are.
const NOTES_VERSION: &str = "4.12.0";
/// Transfers of one client at once.
const PARALLEL_MAX: u32 = 5;

pub(super) async fn reply(visit: &Visit<'_>, caller: Option<&Caller>) -> Result<Reply, Outcome> {
    let [major, minor, micro] = VERSION_NUMBERS;
    let mut data = json!({
        "version": {
            "major": major, "minor": minor, "micro": micro, "string": VERSION_STRING, "edition": "", "extendedSupport": false,
        },
        "capabilities": if caller.is_some() { all(visit) } else { public(visit) },
    });
    if let Some(caller) = caller {
        data["capabilities"]["notes"] = json!({
            "api_version": notes::VERSIONS,
            "version": NOTES_VERSION,
            "notes_path": notes::notes_folder_of(caller).await?,
        });
        data["capabilities"]["groupfolders"] = json!({ "hasGroupFolders": team_folders::sees_any(caller).await? });
    }
    if let (Some(caller), Some(office)) = (caller, visit.office) {
        let now = caller.space.ports().clock.now();
        if let Some(told) = office.capability(now, visit.public_url).await {
            data["capabilities"]["richdocuments"] = told;
        }
    }
    let etag = format!("\"{:032x}\"", crc_of(&data));
    Ok(Reply::from(data).with_header("etag", &etag))
}

/// Enough to tell two answers apart: both are made by the same code from the same settings.
fn crc_of(data: &Value) -> u32 {
    crc32fast::hash(data.to_string().as_bytes())
}

fn public(visit: &Visit<'_>) -> Value {
    json!({ "theming": theming(visit), "bruteforce": { "delay": 0, "allow-listed": false } })
}

fn all(visit: &Visit<'_>) -> Value {
    let mut dav = json!({ "chunking": "1.0" });
    if visit.has_bulk_upload {
        dav["bulkupload"] = json!("1.0");
    }
    let characters: Vec<String> = FORBIDDEN_CHARACTERS.iter().map(char::to_string).collect();
    let mut all = json!({
        "core": {
            "pollinterval": 60,
            "webdav-root": "remote.php/webdav",
            "reference-api": false,
            "mod-rewrite-working": true,
        },
        "bruteforce": { "delay": 0, "allow-listed": false },
        "dav": dav,
        "checksums": { "preferredUploadType": "SHA1", "supportedTypes": ["SHA1", "MD5", "SHA256", "SHA3-256", "Adler32"] },
        "files": {
            "bigfilechunking": true,
            "chunked_upload": { "max_size": CHUNK_BYTES_MAX, "max_parallel_count": PARALLEL_MAX },
            "blacklisted_files": FORBIDDEN_NAMES,
            "forbidden_filenames": FORBIDDEN_NAMES,
            "forbidden_filename_basenames": [],
            "forbidden_filename_characters": characters,
            "forbidden_filename_extensions": FORBIDDEN_EXTENSIONS,
            "windows_compatible_filenames": false,
            "undelete": true,
            "delete_from_trash": true,
            "versioning": true,
            "version_labeling": true,
            "version_deletion": true,
            "locking": "1.0",
            "api-feature-lock-type": true,
            "comments": true,
        },
        "systemtags": { "enabled": true },
        "files_sharing": {
            "api_enabled": true,
            "resharing": true,
            "group_sharing": true,
            "group": { "enabled": true, "expire_date": { "enabled": true } },
            "default_permissions": 31,
            "public": links(visit.links),
            "user": { "send_mail": false, "expire_date": { "enabled": true } },
            "federation": {
                "outgoing": false,
                "incoming": false,
                "expire_date": { "enabled": false },
                "expire_date_supported": { "enabled": false },
            },
            "sharee": { "query_lookup_default": false, "always_show_unique": true },
        },
        "password_policy": password_policy::capability(visit),
        "theming": theming(visit),
    });
    all["notifications"] = notifications::capability();
    if visit.links.is_offered {
        all["dav"]["public_shares_chunking"] = json!(visit.links.takes_uploads);
        all["downloadlimit"] = json!({ "enabled": true, "default-limit": 0 });
    }
    all["activity"] = activity::capability();
    all["user_status"] = user_status::capability();
    if visit.has_push {
        all["notify_push"] = notify_push(visit);
    }
    all
}

/// Where clients are told of changes.
fn notify_push(visit: &Visit<'_>) -> Value {
    // http becomes ws, https wss.
    let socket = visit.public_url.replacen("http", "ws", 1);
    json!({
        "type": ["files", "activities", "notifications"],
        "endpoints": {
            "websocket": format!("{socket}/push/ws"),
            "pre_auth": format!("{}/index.php/apps/notify_push/pre_auth", visit.public_url),
        },
    })
}

/// What clients are told of public links. What is not enabled has no further fields.
fn links(settings: &LinkSettings) -> Value {
    if !settings.is_offered {
        return json!({ "enabled": false });
    }
    let expire_date = match settings.expiry_days {
        0 => json!({ "enabled": false }),
        days => json!({ "enabled": true, "days": days, "enforced": settings.demands_expiry }),
    };
    json!({
        "enabled": true,
        "upload": settings.takes_uploads,
        "upload_files_drop": settings.takes_uploads,
        "multiple_links": true,
        "send_mail": false,
        "custom_tokens": false,
        "password": {
            "enforced": settings.demands_password,
            "askForOptionalPassword": settings.suggests_password,
        },
        "expire_date": expire_date,
        "expire_date_internal": { "enabled": false },
        "expire_date_remote": { "enabled": false },
    })
}

fn theming(visit: &Visit<'_>) -> Value {
    let colour = theming::colour(visit.space);
    let (ground, element) = (theming::hex(colour), theming::hex(theming::element_colour(visit.space)));
    let (ink, logo) = (theming::hex(colour.ink()), theming::logo_url(visit));
    json!({
        "name": theming::title(visit.space),
        "productName": "Nichoir",
        "slogan": visit.space.info().theme.slogan,
        "url": visit.public_url,
        "color": ground,
        "color-text": ink,
        "color-element": element,
        "color-element-bright": element,
        "color-element-dark": ground,
        "logo": logo,
        "logoheader": logo,
        "favicon": format!("{}/index.php/apps/theming/favicon", visit.public_url),
        "background": ground,
        "background-text": ink,
        "background-plain": true,
        "background-default": visit.space.info().theme.colour.is_none(),
    })
}
