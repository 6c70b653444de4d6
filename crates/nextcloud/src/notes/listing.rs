//! The list of all notes: what changed since the client last asked, and the numbers of the others. A note that is not told of is
//! deleted on the device, so there is either the whole list or an error. Sheet `mobile-clients`, section 5.1.

use std::collections::HashMap;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderValue, StatusCode};
use nichoir_auth::Caller;
use nichoir_dav::header::condition;
use nichoir_dav::property::http_date;
use nichoir_dav::request::{empty, streamed};
use nichoir_dav::{Error, Response};
use nichoir_store::{Error as StoreError, Needs, NodePath, Timestamp};
use serde_json::json;

use super::note::{NEEDS, Note};
use super::write::make;
use super::{Answer, Call, NotesLimits, Refusal, excluded, tagged};
use crate::ocs::Params;

/// Under this name is kept what each note was when, so that a change by DAV has a time.
const NOTICED: &str = "notes.noticed";
/// Bytes of one note in it: its number, its hash, the second at which it was first seen so.
const NOTICED_BYTES: usize = 32;
/// Notes that are read at once.
const BATCH_NOTES: usize = 64;

/// A note, and since when it is as it is.
#[derive(Debug)]
struct Listed {
    note: Note,
    hash: [u8; 16],
    noticed_second: i64,
}

/// Where a chunk ends: the second at which its list began, and the last note that it told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    began: i64,
    noticed_second: i64,
    id: i64,
}

impl Cursor {
    fn parse(text: &str) -> Option<Cursor> {
        let mut numbers = text.split('-').map(str::parse);
        let cursor =
            Cursor { began: numbers.next()?.ok()?, noticed_second: numbers.next()?.ok()?, id: numbers.next()?.ok()? };
        numbers.next().is_none().then_some(cursor)
    }

    fn text(self) -> String {
        format!("{}-{}-{}", self.began, self.noticed_second, self.id)
    }
}

/// GET of all notes.
pub(super) async fn list(call: &Call<'_>, params: &Params) -> Answer {
    let now = call.caller.space.ports().clock.now().seconds();
    let cursor = params.text("chunkCursor").and_then(|text| Cursor::parse(&text));
    let began = cursor.map_or(now, |cursor| cursor.began);
    let prune_before = params.number("pruneBefore").unwrap_or(0);
    let excluded = excluded(params);
    let mut all = noticed(call.caller, find_all(call).await?).await?;
    if let Some(category) = params.text("category") {
        all.retain(|listed| listed.note.category == category);
    }
    all.sort_by_key(|listed| (listed.noticed_second, listed.note.node.id));

    let is_told = |listed: &Listed| {
        let is_new = listed.noticed_second >= prune_before;
        let is_later =
            |cursor: Cursor| (listed.noticed_second, listed.note.node.id.0) > (cursor.noticed_second, cursor.id);
        is_new && cursor.is_none_or(is_later)
    };
    let (mut told, mut rest): (Vec<Listed>, Vec<Listed>) = all.into_iter().partition(is_told);
    let chunk = params.number("chunkSize").and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
    let pending = chunk.map_or(0, |size| told.len().saturating_sub(size));
    told.truncate(told.len() - pending);
    let next = told.last().filter(|_| pending > 0).map(|last| Cursor {
        began,
        noticed_second: last.noticed_second,
        id: last.note.node.id.0,
    });
    if next.is_some() {
        rest.clear();
    }

    let etag = etag_of(&told, &rest, &excluded);
    let mut response = match condition::names(&call.request.headers, &IF_NONE_MATCH, &etag) {
        true => {
            let mut response = Response::new(empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        }
        false => body(call, told, &rest, excluded),
    };
    let headers = response.headers_mut();
    if let Ok(date) = HeaderValue::try_from(http_date(Timestamp::from_seconds(began)).to_string()) {
        headers.insert(LAST_MODIFIED, date);
    }
    if let Some(Ok(cursor)) = next.map(|cursor| HeaderValue::try_from(cursor.text())) {
        headers.insert("x-notes-chunk-cursor", cursor);
        headers.insert("x-notes-chunk-pending", HeaderValue::from(pending));
    }
    Ok(tagged(response, &etag))
}

/// The notes of all categories, without their content.
async fn find_all(call: &Call<'_>) -> Result<Vec<Note>, Refusal> {
    let tree = &call.caller.tree;
    let top = &call.settings.folder;
    if let Err(StoreError::NotFound) = tree.node(top, Needs::NONE).await {
        make_folders(call, top).await?;
    }
    let mut found = Vec::new();
    let mut waiting = vec![top.clone()];
    let mut seen = 0;
    while let Some(path) = waiting.pop() {
        let folder = match tree.node(&path, Needs::NONE).await {
            // It went meanwhile, and its notes with it.
            Err(StoreError::NotFound) if path != *top => continue,
            folder => folder?,
        };
        let mut after = None;
        loop {
            let page = tree.children(&path, &folder, after, NEEDS).await?;
            seen += page.nodes.len();
            if seen > call.limits.notes_max {
                return Err(Error::too_large(call.limits.notes_max as u64).into());
            }
            for node in page.nodes {
                let at = path.child(&node.name);
                if node.is_folder() {
                    if !node.name.starts_with('.') {
                        waiting.push(at);
                    }
                } else if let Some(note) = Note::of(node, at, &call.settings) {
                    found.push(note);
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

/// The notes folder, and what is above it.
async fn make_folders(call: &Call<'_>, top: &NodePath) -> Result<(), StoreError> {
    for depth in 1..=top.names().len() {
        let path = NodePath::of(&top.names()[..depth])?;
        match call.caller.tree.apply(make(path)).await {
            Ok(_) | Err(StoreError::Exists) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Notes since when each is as it is. What changed since the last list is told as new from now on: never too early, so that no
/// device misses it.
async fn noticed(caller: &Caller, notes: Vec<Note>) -> Result<Vec<Listed>, Refusal> {
    let kept = caller.tree.account_value(NOTICED).await?.unwrap_or_default();
    let known: HashMap<i64, ([u8; 16], i64)> = kept.chunks_exact(NOTICED_BYTES).filter_map(read).collect();
    let now = caller.space.ports().clock.now().seconds();
    let mut is_changed = known.len() != notes.len();
    let mut bytes = Vec::with_capacity(notes.len() * NOTICED_BYTES);
    let mut listed = Vec::with_capacity(notes.len());
    for note in notes {
        let hash = note.hash();
        let noticed_second = match known.get(&note.node.id.0) {
            Some((same, second)) if *same == hash => *second,
            _ => {
                is_changed = true;
                now
            }
        };
        bytes.extend_from_slice(&note.node.id.0.to_le_bytes());
        bytes.extend_from_slice(&hash);
        bytes.extend_from_slice(&noticed_second.to_le_bytes());
        listed.push(Listed { note, hash, noticed_second });
    }
    if is_changed {
        match caller.tree.set_account_value(NOTICED, &bytes).await {
            // Then everything that changed is told as new again the next time.
            Ok(()) | Err(StoreError::ReadOnly) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(listed)
}

fn read(bytes: &[u8]) -> Option<(i64, ([u8; 16], i64))> {
    let number = |bytes: &[u8]| bytes.try_into().ok().map(i64::from_le_bytes);
    Some((number(&bytes[..8])?, (bytes[8..24].try_into().ok()?, number(&bytes[24..])?)))
}

fn etag_of(told: &[Listed], rest: &[Listed], excluded: &[String]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(excluded.join(",").as_bytes());
    for listed in told {
        hasher.update(&listed.hash);
    }
    // Sorted, so that the same list has the same tag whenever its notes were noticed.
    let mut ids: Vec<i64> = rest.iter().map(|listed| listed.note.node.id.0).collect();
    ids.sort_unstable();
    hasher.update(b"rest");
    for id in ids {
        hasher.update(&id.to_le_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// The list, made while it is sent: a batch of notes is read, written and forgotten.
fn body(call: &Call<'_>, told: Vec<Listed>, rest: &[Listed], excluded: Vec<String>) -> Response {
    let (caller, limits) = (call.caller.clone(), call.limits.clone());
    let ends: Vec<String> = rest.iter().map(|listed| json!({ "id": listed.note.node.id.0 }).to_string()).collect();
    let batches = batches(told, caller.space.limits().page_member_bytes, &limits);
    let body = async_stream::try_stream! {
        let mut text = "[".to_owned();
        let mut separator = "";
        for batch in batches {
            let shown = show(&caller, &limits, batch, &excluded).await.inspect_err(|error| {
                tracing::error!("a list of notes broke off: {error}");
            })?;
            for note in shown {
                text.push_str(separator);
                text.push_str(&note);
                separator = ",";
            }
            yield Bytes::from(std::mem::take(&mut text));
        }
        for end in ends {
            text.push_str(separator);
            text.push_str(&end);
            separator = ",";
        }
        text.push(']');
        yield Bytes::from(text);
    };
    let mut response = Response::new(streamed::<_, StoreError>(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

/// Parts of the list whose content can be held at once.
fn batches(told: Vec<Listed>, room_bytes: u64, limits: &NotesLimits) -> Vec<Vec<Note>> {
    let mut batches: Vec<Vec<Note>> = Vec::new();
    let mut held_bytes = 0;
    for Listed { note, .. } in told {
        let bytes = if note.is_too_large(limits) { 0 } else { note.node.size_bytes };
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_NOTES && held_bytes + bytes <= room_bytes => {
                held_bytes += bytes;
                batch.push(note);
            }
            _ => {
                held_bytes = bytes;
                batches.push(vec![note]);
            }
        }
    }
    batches
}

/// The notes of a batch as JSON, those that are still there.
async fn show(
    caller: &Caller,
    limits: &NotesLimits,
    notes: Vec<Note>,
    excluded: &[String],
) -> Result<Vec<String>, StoreError> {
    let wants_content = !excluded.iter().any(|name| name == "content");
    let (whole, mut shown): (Vec<Note>, Vec<Note>) =
        notes.into_iter().partition(|note| wants_content && !note.is_too_large(limits));
    let (mut nodes, places): (Vec<_>, Vec<_>) =
        whole.into_iter().map(|note| (note.node, (note.path, note.category))).unzip();
    caller.tree.load_bodies(&mut nodes).await?;
    for (node, (path, category)) in nodes.into_iter().zip(places) {
        let mut note = Note { node, path, category };
        if note.node.body.is_none() {
            // Replaced while it was read: as it is now, if it is.
            match caller.tree.node_by_id(note.node.id, NEEDS).await {
                Ok((_, node)) => note.node = node,
                Err(StoreError::NotFound) => continue,
                Err(error) => return Err(error),
            }
            if !note.is_too_large(limits) && !caller.tree.load_body(&mut note.node).await? {
                return Err(StoreError::Busy);
            }
        }
        shown.push(note);
    }
    Ok(shown.iter().map(|note| note.shown(excluded, limits).to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = Cursor { began: 3, noticed_second: 2, id: 1 };
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        for text in ["", "1-2", "1-2-3-4", "a-b-c", "--"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
