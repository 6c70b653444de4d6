//! Files beside a note that its text refers to. Sheet `mobile-clients`, section 5.1.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use nichoir_dav::request::{read_whole, streamed};
use nichoir_dav::{Body, Error, Response, href, media_type};
use nichoir_store::change::PutFile;
use nichoir_store::conditions::{Conditions, EtagSet};
use nichoir_store::{Error as StoreError, Needs, NodePath, StageOptions};
use serde_json::json;

use super::note::Note;
use super::{Answer, Call, json_answer};
use crate::whole_form::{parameter, parts};

/// Bytes of a form around the file in it.
const FORM_BYTES: usize = 16 * 1024;
/// Characters of the ending that an attachment keeps.
const SUFFIX_CHARACTERS_MAX: usize = 8;

/// The file that `path` leads to from the note's folder.
pub(super) async fn get(call: &Call<'_>, id: i64) -> Answer {
    let note = Note::find(call, id).await?;
    let path = query_value(call, "path").ok_or_else(|| Error::bad_request("The path is missing."))?;
    let path = resolved(call, &note, &path).ok_or(StoreError::NotFound)?;
    let node = call.caller.tree.node(&path, Needs::NONE).await?;
    if node.is_folder() {
        return Err(StoreError::NotFound.into());
    }
    let content = call.caller.tree.open(&node).await?;
    let mut response = Response::new(streamed(content.stream(0..content.size_bytes())));
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(content.size_bytes()));
    let octets = HeaderValue::from_static("application/octet-stream");
    headers.insert(CONTENT_TYPE, HeaderValue::try_from(media_type(&node)).unwrap_or(octets));
    // A browser is not to run what somebody attached.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let mut name = String::new();
    href::append_name(&mut name, &node.name);
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename*=UTF-8''{name}")) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    Ok(response)
}

fn query_value(call: &Call<'_>, name: &str) -> Option<String> {
    let query = call.request.uri.query().unwrap_or("");
    form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// The path, from the note's folder, if it stays in the notes folder.
fn resolved(call: &Call<'_>, note: &Note, path: &str) -> Option<NodePath> {
    let mut at = note.path.parent()?;
    for name in path.split('/').filter(|name| !name.is_empty() && *name != ".") {
        at = match name {
            ".." => at.parent()?,
            name => at.join(name).ok()?,
        };
        if !call.settings.folder.contains(&at) {
            return None;
        }
    }
    Some(at)
}

/// A new file beside the note, under a name that nobody has.
pub(super) async fn post(call: &Call<'_>, id: i64, body: Body) -> Answer {
    let note = Note::find(call, id).await?;
    let limit = call.limits.attachment_bytes_max;
    let body = read_whole(body, limit.saturating_add(FORM_BYTES)).await?;
    let content_type = call.request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let (name, bytes) =
        file_of(content_type, &body).ok_or_else(|| Error::bad_request("The form has no file of that name."))?;
    if bytes.len() > limit {
        return Err(Error::too_large(limit as u64).into());
    }
    let stem = u128::from_be_bytes(call.caller.space.ports().bytes());
    let name = format!("{stem:032x}{}", suffix(&name));
    let options = StageOptions { announced_bytes: Some(bytes.len() as u64), ..StageOptions::default() };
    let run = futures_util::stream::iter([Ok::<_, StoreError>(bytes)]);
    let put = PutFile {
        path: note.path.parent().unwrap_or_default().join(&name)?,
        content: call.caller.tree.stage(run, options).await?,
        modified: None,
        created: None,
        checksums: None,
        makes_parents: false,
        media_type: None,
        member: None,
        conditions: Conditions { if_none_match: Some(EtagSet::Any), ..Conditions::default() },
    };
    call.caller.tree.apply(put).await?;
    Ok(json_answer(StatusCode::OK, &json!({ "filename": name })))
}

/// The ending of a picture and the like; none that would make the file a note.
fn suffix(name: &str) -> String {
    let known = name.rsplit_once('.').map(|(_, suffix)| suffix.to_ascii_lowercase()).unwrap_or_default();
    let is_plain =
        (1..=SUFFIX_CHARACTERS_MAX).contains(&known.len()) && known.bytes().all(|it| it.is_ascii_alphanumeric());
    let is_text = ["txt", "org", "markdown", "md", "note", "part"].contains(&known.as_str());
    if is_plain && !is_text { format!(".{known}") } else { String::new() }
}

/// The name and the bytes of the part `file` of a form (RFC 7578).
fn file_of(content_type: &str, body: &Bytes) -> Option<(String, Bytes)> {
    let boundary = parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty())?;
    parts(body, &boundary).find_map(|part| {
        let disposition = part.disposition()?;
        let is_file = parameter(disposition, "name").as_deref() == Some("file");
        is_file.then(|| (parameter(disposition, "filename").unwrap_or_default(), part.content.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Option<(&str, &str)>) {
        let found = file_of("multipart/form-data; boundary=\"B\"", &Bytes::copy_from_slice(body.as_bytes()));
        let found = found.map(|(name, bytes)| (name, String::from_utf8(bytes.to_vec()).unwrap()));
        assert_eq!(found.as_ref().map(|(name, bytes)| (name.as_str(), bytes.as_str())), expected, "{body}");
    }

    #[test]
    fn the_file_of_a_form() {
        let file = "Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nby\r\ntes";
        let other = "content-disposition: form-data; name=\"x\"\r\n\r\n1";
        check(&format!("--B\r\n{file}\r\n--B--\r\n"), Some(("a.png", "by\r\ntes")));
        check(&format!("--B\r\n{other}\r\n--B\r\n{file}\r\n--B--"), Some(("a.png", "by\r\ntes")));
        check(&format!("--B\r\n{other}\r\n--B--\r\n"), None);
        check("--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\r\n--B--", Some(("", "")));
        for broken in ["", "--B", "--B\r\n", "--B\r\nX\r\n\r\n", "--B\r\nnothing\r\n\r\nx\r\n--B--"] {
            check(broken, None);
        }
    }

    #[test]
    fn an_attachment_never_becomes_a_note() {
        for (name, expected) in
            [("a.PNG", ".png"), ("a.md", ""), ("a", ""), ("a.tar.gz", ".gz"), ("a./x", ""), ("é.é", "")]
        {
            assert_eq!(suffix(name), expected, "{name}");
        }
    }
}
