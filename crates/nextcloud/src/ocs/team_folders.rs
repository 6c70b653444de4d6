//! `apps/groupfolders/folders`: the team folders that the caller sees, as Nextcloud's group folders tell of them. Sheet
//! `nextcloud-ocs`, section 12.

use nichoir_auth::Caller;
use nichoir_store::{Group, TeamFolder};
use serde_json::{Map, Value, json};

use super::{Answer, Call};

/// What clients read where there is no quota of the folder's own.
const UNLIMITED: i64 = -3;

/// Whether the caller sees any: only then do clients ask which.
pub(super) async fn sees_any(caller: &Caller) -> Result<bool, nichoir_store::Error> {
    let folders = caller.space.team_folders().await?;
    if folders.is_empty() {
        return Ok(false);
    }
    let groups = caller.space.groups_of(caller.account.id).await?;
    Ok(folders.iter().any(|folder| is_for(folder, &groups)))
}

fn is_for(folder: &TeamFolder, groups: &[Group]) -> bool {
    folder.rights.iter().any(|(id, _)| groups.iter().any(|group| group.id == *id))
}

/// By number; an empty list where there are none.
pub(super) async fn list(call: &Call<'_>) -> Answer {
    let space = &call.caller.space;
    let groups = space.groups_of(call.caller.account.id).await?;
    let mut folders = Map::new();
    for folder in space.team_folders().await? {
        if is_for(&folder, &groups) {
            let rights: Map<String, Value> = folder
                .rights
                .iter()
                .filter_map(|(id, rights)| Some((groups.iter().find(|group| group.id == *id)?.name.clone(), rights)))
                .map(|(name, rights)| (name, json!(rights.bits())))
                .collect();
            folders.insert(folder.id.to_string(), object(&folder, rights));
        }
    }
    Ok(if folders.is_empty() { json!([]).into() } else { Value::Object(folders).into() })
}

fn object(folder: &TeamFolder, groups: Map<String, Value>) -> Value {
    let quota = folder.quota_bytes.map_or(UNLIMITED, |bytes| i64::try_from(bytes).unwrap_or(UNLIMITED));
    json!({
        "id": folder.id,
        "mount_point": folder.name,
        "groups": groups,
        "quota": quota,
        "size": folder.size_bytes,
        "acl": false,
        "manage": [],
    })
}
