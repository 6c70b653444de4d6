//! A document beside another one: PUT_RELATIVE ("save as"), and RENAME_FILE.

use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use nichoir_auth::Caller;
use nichoir_dav::{Body, Error, Response};
use nichoir_store::change::{PutFile, Relocate};
use nichoir_store::conditions::{Conditions, EtagSet};
use nichoir_store::{Error as StoreError, Needs, Node, NodePath, StageOptions};
use serde_json::json;

use super::file::Open;
use super::lock::{conflict, held};
use super::{Office, bare, header, told, utf7};
use crate::names;
use crate::ticket::{Purpose, Ticket};
use crate::view_only::check_download;

/// Names that are tried before a document is refused.
const TRIES_MAX: u32 = 1000;

/// PUT_RELATIVE: a name to begin with, or one that it must have.
pub(super) async fn put(open: &Open<'_>, office: &Office, headers: &HeaderMap, body: Body) -> Result<Response, Error> {
    check_download(&open.node)?;
    let (suggested, exact) = (header(headers, "x-wopi-suggestedtarget"), header(headers, "x-wopi-relativetarget"));
    let (text, is_exact) = match (suggested, exact) {
        (Some(text), None) => (text, false),
        (None, Some(text)) => (text, true),
        _ => return Err(Error::new(StatusCode::NOT_IMPLEMENTED, "One of two targets must be named.")),
    };
    let name = utf7::decode(text).ok_or_else(|| Error::bad_request("The name is no UTF-7."))?;
    let name = match name.strip_prefix('.') {
        // Only another format is asked for.
        Some(suffix) if !is_exact => format!("{}.{suffix}", stem(&open.node.name)),
        _ => name,
    };
    names::check(&name)?;
    let folder = open.path.parent().unwrap_or_default();
    let wished = folder.join(&name)?;
    let overwrites =
        header(headers, "x-wopi-overwriterelativetarget").is_some_and(|it| it.eq_ignore_ascii_case("true"));
    let path = match is_exact {
        true => wished.clone(),
        false => free(open.caller, &wished).await?,
    };
    if let Ok(there) = open.caller.tree.node(&path, Needs::LOCKS).await {
        if !overwrites || there.is_folder() {
            let mut response = bare(StatusCode::CONFLICT);
            let valid = free(open.caller, &wished).await?;
            if let Some(Ok(name)) = valid.name().map(HeaderValue::try_from) {
                response.headers_mut().insert("x-wopi-validrelativetarget", name);
            }
            return Ok(response);
        }
        if !there.locks.is_empty() {
            return Ok(conflict(held(&there).map(|(session, _)| session), "the target is locked"));
        }
    }
    let content = open.caller.tree.stage(body.into_data_stream(), StageOptions::default()).await?;
    let unless = (!overwrites).then_some(EtagSet::Any);
    let put = PutFile {
        path,
        content,
        modified: None,
        created: None,
        checksums: None,
        makes_parents: false,
        media_type: None,
        member: None,
        conditions: Conditions { if_none_match: unless, ..Conditions::default() },
    };
    let written = match open.caller.tree.apply(put).await {
        Err(StoreError::ConditionFailed(_)) => return Ok(bare(StatusCode::CONFLICT)),
        written => written?.node,
    };
    let access = Ticket::new(open.caller, written.id, true, office.config.token_seconds);
    let token = access.seal(open.caller, Purpose::Office);
    let source = super::page::source_url(open.visit, written.id.0);
    Ok(told(StatusCode::OK, &json!({ "Name": written.name, "Url": format!("{source}?access_token={token}") })))
}

/// RENAME_FILE: another name, the same ending.
pub(super) async fn rename(open: &Open<'_>, headers: &HeaderMap) -> Result<Response, Error> {
    if let (Some((current, _)), Some(named)) = (held(&open.node), header(headers, "x-wopi-lock"))
        && current != named
    {
        return Ok(conflict(Some(current), "another lock"));
    }
    let text = header(headers, "x-wopi-requestedname").ok_or_else(|| Error::bad_request("The name is missing."))?;
    let wished = utf7::decode(text).ok_or_else(|| Error::bad_request("The name is no UTF-7."))?;
    let name = format!("{wished}{}", &open.node.name[stem(&open.node.name).len()..]);
    if let Err(error) = names::check(&name) {
        let mut response = bare(StatusCode::BAD_REQUEST);
        let reason = HeaderValue::try_from(error.message()).unwrap_or(HeaderValue::from_static("bad name"));
        response.headers_mut().insert("x-wopi-invalidfilenameerror", reason);
        return Ok(response);
    }
    let wished = open.path.parent().unwrap_or_default().join(&name)?;
    if wished != open.path {
        let destination = free(open.caller, &wished).await?;
        let lock_tokens = held(&open.node).map(|(_, token)| token.to_owned()).into_iter().collect();
        let relocate = Relocate {
            source: open.path.clone(),
            destination,
            overwrites: false,
            conditions: Conditions { lock_tokens, ..Conditions::default() },
        };
        let Node { name, .. } = open.caller.tree.apply(relocate).await?.node;
        return Ok(told(StatusCode::OK, &json!({ "Name": stem(&name) })));
    }
    Ok(told(StatusCode::OK, &json!({ "Name": stem(&name) })))
}

/// A name without its ending.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The path, or one like it that nothing has.
async fn free(caller: &Caller, wished: &NodePath) -> Result<NodePath, StoreError> {
    let name = wished.name().unwrap_or("").to_owned();
    let folder = wished.parent().unwrap_or_default();
    let (stem, suffix) = name.split_at(stem(&name).len());
    for number in 1..=TRIES_MAX {
        let path = match number {
            1 => wished.clone(),
            number => folder.join(&format!("{stem} ({number}){suffix}"))?,
        };
        match caller.tree.node(&path, Needs::NONE).await {
            Err(StoreError::NotFound) => return Ok(path),
            Ok(_) => {}
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Exists)
}
