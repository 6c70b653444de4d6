//! Import: many members at once into a calendar or address book, from a body with `?import` in its URL. Each is checked
//! and stored as if it had come by itself, in place of the member with its UID if there is one; invitations are not sent.
//!
//! The answer is JSON: `created`, `replaced` and `failed` are counts, and `failures` says of each one that was not taken
//! in which it is and why, for as many as fit.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use nichoir_store::conditions::Conditions;
use nichoir_store::{MemberFilter, Needs, Node};

use crate::error::Error;
use crate::extension::{Extension, MemberPut};
use crate::method::{member_change, put_refused};
use crate::request::{Response, full};
use crate::target::Call;

/// Failures that are told one by one.
const TOLD_MAX: usize = 100;

/// Whether the request asks for an import.
pub fn is_asked_for(parts: &Parts) -> bool {
    parts.uri.query().is_some_and(|query| query.split('&').any(|word| word == "import" || word.starts_with("import=")))
}

/// What became of the members.
#[derive(Debug, Default)]
struct Outcome {
    created: usize,
    replaced: usize,
    failed: usize,
    failures: Vec<(String, String)>,
}

/// Takes `members` in, each a whole object, and tells what became of them; `ending` is that of their names.
///
/// # Errors
/// 404, 403 where nothing may be put, 503.
pub async fn import(
    call: &Call<'_>,
    extension: &dyn Extension,
    members: Vec<Bytes>,
    ending: &str,
) -> Result<Response, Error> {
    let collection = call.caller.tree.node(call.path, Needs::NONE).await?;
    if collection.collection.is_none() {
        return Err(Error::forbidden("Only a calendar or address book takes an import."));
    }
    if !collection.is_writable() {
        return Err(Error::need_privileges("shared for reading only"));
    }
    let mut headers = call.parts.headers.clone();
    headers.remove(http::header::CONTENT_LENGTH);
    let mut outcome = Outcome::default();
    for bytes in members {
        match put(call, extension, &headers, &collection, bytes.clone(), ending).await {
            Ok(true) => outcome.created += 1,
            Ok(false) => outcome.replaced += 1,
            // Nothing more will go in: what is in stays, and the client is told to come again.
            Err(error) if error.status().is_server_error() => return Err(error),
            Err(error) => {
                outcome.failed += 1;
                if outcome.failures.len() < TOLD_MAX {
                    outcome.failures.push((name_of(&bytes), error.message().to_owned()));
                }
            }
        }
    }
    let mut response = Response::new(full(outcome.to_json()));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    Ok(response)
}

/// Stores one; whether it is new.
async fn put(
    call: &Call<'_>,
    extension: &dyn Extension,
    headers: &HeaderMap,
    collection: &Node,
    bytes: Bytes,
    ending: &str,
) -> Result<bool, Error> {
    let limit = extension.member_bytes_max().unwrap_or(usize::MAX);
    if bytes.len() > limit {
        return Err(Error::too_large_member(limit as u64));
    }
    let checked = extension.check_member(headers, &bytes)?;
    let filter = MemberFilter { uid: Some(checked.index.uid.clone()), ..MemberFilter::default() };
    let page = call.caller.tree.members(call.path, collection, &filter, None, Needs::NONE).await?;
    let name = match page.nodes.first() {
        Some(known) => known.name.clone(),
        None => {
            let random: [u8; 16] = call.caller.space.ports().bytes();
            random.iter().fold(String::new(), |mut name, byte| {
                // Writing into a String cannot fail.
                let _ = write!(name, "{byte:02x}");
                name
            }) + ending
        }
    };
    let put = MemberPut { path: call.path.child(&name), bytes, checked, conditions: Conditions::default() };
    let written = call.caller.tree.apply(member_change(call, put).await?).await.map_err(put_refused)?;
    Ok(written.is_new)
}

/// What a person finds it by: its UID, or how it begins.
fn name_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let uid = text.lines().find_map(|line| line.strip_prefix("UID:"));
    uid.unwrap_or_default().chars().take(200).collect()
}

impl Outcome {
    fn to_json(&self) -> String {
        let failures: Vec<serde_json::Value> =
            self.failures.iter().map(|(uid, reason)| serde_json::json!({ "uid": uid, "reason": reason })).collect();
        serde_json::json!({
            "created": self.created,
            "replaced": self.replaced,
            "failed": self.failed,
            "failures": failures,
        })
        .to_string()
    }
}
