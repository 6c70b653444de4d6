//! Notes are made, changed and deleted. A change is one commit, whatever of the note it touches: content, name, folder, mark.

use bytes::Bytes;
use http::StatusCode;
use nichoir_dav::Error;
use nichoir_store::change::{Delete, MakeFolder, PatchProperties, PutFile, Relocate};
use nichoir_store::conditions::{Conditions, EtagSet};
use nichoir_store::{Error as StoreError, Needs, Node, NodePath, StageOptions, Staged, Timestamp};
use serde_json::json;

use super::note::Note;
use super::{Answer, Call, Refusal, is_outdated, json_answer, tagged, title, told};
use crate::ocs::Params;
use crate::property::EARLIEST_SECOND;

/// How often a write is begun anew because others wrote meanwhile.
const ATTEMPTS: usize = 64;

/// What a client says of a note. What it does not say stays as it is.
#[derive(Debug)]
struct Fields {
    content: Option<String>,
    title: Option<String>,
    category: Option<Vec<String>>,
    modified: Option<Timestamp>,
    favourite: Option<bool>,
}

impl Fields {
    fn of(call: &Call<'_>, params: &Params) -> Result<Fields, Refusal> {
        let content = params.text("content");
        if content.as_ref().is_some_and(|content| content.len() > call.limits.note_bytes_max) {
            return Err(Error::too_large(call.limits.note_bytes_max as u64).into());
        }
        let is_french = is_french(call);
        let told = params.text("title").filter(|_| !call.is_old);
        let title = match (told, &content) {
            (Some(told), _) => Some(title::sanitised(&told, is_french)),
            (None, Some(content)) if call.is_old => Some(title::of_content(content, is_french)),
            (None, _) => None,
        };
        // The iOS app writes the second as a decimal fraction.
        let second = params.text("modified").and_then(|text| text.trim().parse::<f64>().ok());
        let second = second.filter(|second| *second > EARLIEST_SECOND as f64 && *second < 253_402_300_800.0);
        Ok(Fields {
            content,
            title,
            category: params.text("category").map(|text| title::category(&text)),
            modified: second.map(|second| Timestamp::from_seconds(second as i64)),
            favourite: params.truth("favorite"),
        })
    }
}

fn is_french(call: &Call<'_>) -> bool {
    call.caller.account.language.as_deref().is_some_and(|language| language.starts_with("fr"))
}

async fn stage(call: &Call<'_>, content: &str) -> Result<Staged, StoreError> {
    let bytes = Bytes::copy_from_slice(content.as_bytes());
    let options = StageOptions { announced_bytes: Some(bytes.len() as u64), ..StageOptions::default() };
    let run = futures_util::stream::iter([Ok::<_, StoreError>(bytes)]);
    call.caller.tree.stage(run, options).await
}

/// POST: a new note.
pub(super) async fn create(call: &Call<'_>, params: &Params) -> Answer {
    let fields = Fields::of(call, params)?;
    let folder = folder_of(call, fields.category.as_deref().unwrap_or_default())?;
    let title = fields.title.clone().unwrap_or_else(|| title::sanitised("", is_french(call)));
    for _ in 0..ATTEMPTS {
        let path = title::free_path(call.caller, &folder, &title, &call.settings.suffix, None).await?;
        let put = PutFile {
            path: path.clone(),
            content: stage(call, fields.content.as_deref().unwrap_or("")).await?,
            modified: fields.modified,
            created: None,
            checksums: None,
            makes_parents: true,
            media_type: None,
            member: None,
            conditions: Conditions { if_none_match: Some(EtagSet::Any), ..Conditions::default() },
        };
        let mark = fields.favourite.filter(|is_favourite| *is_favourite).map(|is_favourite| PatchProperties {
            path,
            favourite: Some(is_favourite),
            ..PatchProperties::default()
        });
        match call.caller.tree.apply((put, mark)).await {
            Ok((written, _)) => return told(call, written.node.id.0).await,
            // Somebody took the name meanwhile.
            Err(StoreError::ConditionFailed(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Busy.into())
}

/// The folder of a category.
fn folder_of(call: &Call<'_>, category: &[String]) -> Result<NodePath, StoreError> {
    category.iter().try_fold(call.settings.folder.clone(), |path, name| path.join(name))
}

/// PUT: what the client says, in one commit, if the note still is as the client knows it.
pub(super) async fn update(call: &Call<'_>, id: i64, params: &Params) -> Answer {
    let fields = Fields::of(call, params)?;
    for _ in 0..ATTEMPTS {
        let mut note = Note::find(call, id).await?;
        note.load(call).await?;
        if is_outdated(call.request, &note.etag()) {
            let current = json_answer(StatusCode::PRECONDITION_FAILED, &note.shown(&[], call.limits));
            return Ok(tagged(current, &note.etag()));
        }
        if note.is_readonly(call.limits) {
            return Err(Error::forbidden("The note is read-only.").into());
        }
        match change(call, &note, &fields).await {
            Ok(()) => {
                let now = Note::find(call, id).await?;
                if now.path.parent() != note.path.parent() {
                    drop_empty_folders(call, note.path.parent()).await?;
                }
                return told(call, id).await;
            }
            // It changed, or somebody took its new name, since it was looked at.
            Err(StoreError::ConditionFailed(_) | StoreError::Exists) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Busy.into())
}

async fn change(call: &Call<'_>, note: &Note, fields: &Fields) -> Result<(), StoreError> {
    let destination = destination_of(call, note, fields).await?;
    // Taken by the first of the changes, which is the one that meets the note as it was read.
    let mut guard =
        Some(Conditions { if_match: Some(EtagSet::Of(vec![note.node.etag.to_string()])), ..Conditions::default() });
    // The Android app sends the content with whatever it changes.
    let content = fields.content.as_ref().filter(|content| **content != note.content());
    let put = match content {
        None => None,
        Some(content) => Some(PutFile {
            path: note.path.clone(),
            content: stage(call, content).await?,
            modified: fields.modified,
            created: None,
            checksums: None,
            makes_parents: false,
            media_type: note.node.media_type.clone(),
            member: None,
            conditions: guard.take().unwrap_or_default(),
        }),
    };
    let folders = match &destination {
        Some(to) => missing_folders(call, to).await?,
        None => Vec::new(),
    };
    let relocate = destination.as_ref().map(|to| Relocate {
        source: note.path.clone(),
        destination: to.clone(),
        overwrites: false,
        conditions: guard.take().unwrap_or_default(),
    });
    let modified = fields.modified.filter(|it| put.is_none() && it.seconds() != note.node.modified.seconds());
    let favourite = fields.favourite.filter(|it| *it != note.node.is_favourite);
    let patch = (modified.is_some() || favourite.is_some()).then(|| PatchProperties {
        path: destination.unwrap_or_else(|| note.path.clone()),
        modified,
        favourite,
        conditions: guard.take().unwrap_or_default(),
        ..PatchProperties::default()
    });
    if put.is_none() && relocate.is_none() && patch.is_none() {
        return Ok(());
    }
    call.caller.tree.apply(((folders, put), (relocate, patch))).await.map(drop)
}

/// Where the note is to be; `None`: where it is.
async fn destination_of(call: &Call<'_>, note: &Note, fields: &Fields) -> Result<Option<NodePath>, StoreError> {
    let folder = match &fields.category {
        Some(category) => folder_of(call, category)?,
        None => note.path.parent().unwrap_or_default(),
    };
    let title = fields.title.as_deref().unwrap_or(note.title());
    if note.path.parent().as_ref() == Some(&folder) && title == note.title() {
        return Ok(None);
    }
    let suffix = title::suffix_of(note.path.name().unwrap_or(""));
    let path = title::free_path(call.caller, &folder, title, suffix, Some(&note.path)).await?;
    Ok((path != note.path).then_some(path))
}

/// The folders above `path` that are still to be made, outermost first.
async fn missing_folders(call: &Call<'_>, path: &NodePath) -> Result<Vec<MakeFolder>, StoreError> {
    let mut missing = Vec::new();
    let mut above = path.parent();
    while let Some(folder) = above {
        match call.caller.tree.node(&folder, Needs::NONE).await {
            Ok(_) => break,
            Err(StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
        above = folder.parent();
        missing.push(make(folder));
    }
    missing.reverse();
    Ok(missing)
}

pub(super) fn make(path: NodePath) -> MakeFolder {
    MakeFolder { path, dead_properties: Vec::new(), kind: None, conditions: Conditions::default() }
}

/// DELETE: into the trash.
pub(super) async fn delete(call: &Call<'_>, id: i64) -> Answer {
    let note = Note::find(call, id).await?;
    let delete = Delete { path: note.path.clone(), skips_trash: false, conditions: Conditions::default() };
    call.caller.tree.apply(delete).await?;
    drop_empty_folders(call, note.path.parent()).await?;
    Ok(json_answer(StatusCode::OK, &json!([])))
}

/// A category without notes is none: its folder goes, if nothing else is in it.
async fn drop_empty_folders(call: &Call<'_>, from: Option<NodePath>) -> Result<(), StoreError> {
    let mut next = from;
    while let Some(path) = next.filter(|path| call.settings.folder.contains(path) && *path != call.settings.folder) {
        let folder = match call.caller.tree.node(&path, Needs::NONE).await {
            Ok(folder) if folder.is_folder() && folder.access.is_none() => folder,
            Ok(_) | Err(StoreError::NotFound) => return Ok(()),
            Err(error) => return Err(error),
        };
        let page = call.caller.tree.children(&path, &folder, None, Needs::NONE).await?;
        if !page.nodes.is_empty() || page.next.is_some() {
            return Ok(());
        }
        match call.caller.tree.apply(delete_of(path.clone(), &folder)).await {
            Ok(()) => {}
            // It is not empty any more, or somebody works on it.
            Err(StoreError::ConditionFailed(_) | StoreError::NotFound | StoreError::Locked { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
        next = path.parent();
    }
    Ok(())
}

fn delete_of(path: NodePath, folder: &Node) -> Delete {
    let unchanged = Some(EtagSet::Of(vec![folder.etag.to_string()]));
    Delete { path, skips_trash: true, conditions: Conditions { if_match: unchanged, ..Conditions::default() } }
}
