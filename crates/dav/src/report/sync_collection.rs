//! sync-collection: what changed below a collection since a token. RFC 6578.
//!
//! Without a token it is a listing of everything there is; with one, of what was created, changed or removed
//! since. More than fits is cut, says so with 507 for the collection itself, and goes on with the token it gave.

use std::vec::IntoIter;

use bytes::Bytes;
use http::StatusCode;
use http::header::USER_AGENT;
use nichoir_store::{Changed, FileId, Needs, Node, Quota};
use nichoir_xml::{Element, dav};

use super::ReportCall;
use crate::answer;
use crate::error::Error;
use crate::header::depth::Depth;
use crate::header::prefer;
use crate::href;
use crate::listing::Listing;
use crate::multistatus::Multistatus;
use crate::paged::{self, Paged};
use crate::request::Response;
use crate::selection::{PropertyRequest, Selection};

/// A sync token is a URI (RFC 6578 §4): this, the number of the collection, so that one that was deleted and made
/// anew is another, and the change sequence; for a first synchronisation that was cut also the last member told of.
const TOKEN: &str = "urn:nichoir:sync:";

/// What a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SyncToken {
    folder: FileId,
    sequence: i64,
    after: Option<FileId>,
}

/// The request's body, understood.
#[derive(Debug)]
struct SyncCollection {
    token: Option<SyncToken>,
    is_deep: bool,
    limit: Option<usize>,
    properties: PropertyRequest,
}

/// The present token of a collection, as `DAV:sync-token` says it.
pub fn sync_token(folder: &Node, log_floor: i64) -> String {
    SyncToken::of(folder, log_floor).to_text()
}

/// Appends the present token of a collection.
pub(crate) fn append_token(text: &mut String, folder: &Node, log_floor: i64) {
    text.push_str(&SyncToken::of(folder, log_floor).to_text());
}

impl SyncToken {
    fn of(folder: &Node, log_floor: i64) -> SyncToken {
        SyncToken { folder: folder.id, sequence: folder.sync_token(log_floor), after: None }
    }

    fn parse(text: &str) -> Result<SyncToken, Error> {
        let number = |digits: &str| {
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| digits.parse::<i64>().ok()).flatten().ok_or_else(Error::stale_sync_token)
        };
        let rest = text.strip_prefix(TOKEN).ok_or_else(Error::stale_sync_token)?;
        let (folder, rest) = rest.split_once(':').ok_or_else(Error::stale_sync_token)?;
        let folder = FileId(number(folder)?);
        Ok(match rest.split_once(':') {
            None => SyncToken { folder, sequence: number(rest)?, after: None },
            Some((sequence, after)) => {
                SyncToken { folder, sequence: number(sequence)?, after: Some(FileId(number(after)?)) }
            }
        })
    }

    fn to_text(self) -> String {
        let mut text = format!("{TOKEN}{}:{}", self.folder, self.sequence);
        if let Some(after) = self.after {
            text.push(':');
            text.push_str(&after.to_string());
        }
        text
    }
}

impl SyncCollection {
    fn of(call: &ReportCall) -> Result<SyncCollection, Error> {
        let root = &call.root;
        let token = root.child(&dav::SYNC_TOKEN).map(Element::text).unwrap_or_default();
        let token = if token.is_empty() { None } else { Some(SyncToken::parse(&token)?) };
        let level = root.child(&dav::SYNC_LEVEL).map(Element::text);
        let is_deep = match level.as_deref() {
            Some("1") => false,
            Some("infinite" | "infinity") => true,
            Some(_) => return Err(Error::bad_request("DAV:sync-level is 1 or infinite.")),
            // The drafts, which some clients still speak, put it into the Depth header.
            None => call.depth == Depth::Infinity,
        };
        // RFC 6578 §3.2 wants Depth 0; Thunderbird sends 1. The level is what counts.
        let limit = match root.child(&dav::LIMIT).and_then(|limit| limit.child(&dav::NRESULTS)) {
            None => None,
            Some(number) => {
                let number = number.text().parse().ok().filter(|number| *number > 0);
                Some(number.ok_or_else(|| Error::bad_request("DAV:nresults is not a positive number."))?)
            }
        };
        let properties = PropertyRequest::child_of(root)?;
        let properties = properties.unwrap_or(PropertyRequest::Prop(Vec::new()));
        Ok(SyncCollection { token, is_deep, limit, properties })
    }
}

pub(super) async fn answer(call: ReportCall) -> Result<Response, Error> {
    let agent = call.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Thunderbird's address books (seen in 140) begin anew at 400 only; 403 stops them for good.
    let is_to_be_400 = agent.contains("Thunderbird/");
    synchronise(call).await.map_err(|error| match is_to_be_400 && error.is_stale_sync_token() {
        true => error.into_bad_request(),
        false => error,
    })
}

async fn synchronise(call: ReportCall) -> Result<Response, Error> {
    let asked = SyncCollection::of(&call)?;
    let selection = Selection::new(&call.dav, &asked.properties, prefer::is_minimal(&call.headers));
    let folder = call.caller.tree.node(&call.path, Needs::NONE).await?;
    if !folder.is_folder() {
        return Err(Error::forbidden("Only a collection can be synchronised.").with_condition(dav::SUPPORTED_REPORT));
    }
    if asked.token.is_some_and(|token| token.folder != folder.id) {
        return Err(Error::stale_sync_token());
    }
    match asked.token {
        Some(SyncToken { sequence, after: None, .. }) => since(call, &asked, selection, &folder, sequence).await,
        Some(token) => first_page(&call, &asked, &selection, &folder, token).await,
        None => {
            // Of the folder before anything is listed: what changes meanwhile is told again rather than never.
            let token = SyncToken::of(&folder, call.caller.tree.log_floor().await?);
            if asked.limit.is_some() && !asked.is_deep {
                return first_page(&call, &asked, &selection, &folder, token).await;
            }
            // An answer that may fail at its limit is held until its end, so the limit is bounded.
            let limit = asked.limit.map(|limit| limit.min(call.dav.limits().sync_results_max));
            let listing = Listing::below(&call, folder, asked.is_deep, selection, limit, token.to_text());
            paged::respond(listing.await?, call.dav.limits().whole_answer_bytes).await
        }
    }
}

/// What changed since the client last asked.
async fn since(
    call: ReportCall,
    asked: &SyncCollection,
    selection: Selection,
    folder: &Node,
    sequence: i64,
) -> Result<Response, Error> {
    let tree = &call.caller.tree;
    let needs = selection.needs();
    let limit = asked.limit.unwrap_or(usize::MAX).min(call.dav.limits().sync_results_max);
    // Content comes one by one: all of it together may be too much to be held.
    let changes = tree.changes_since(&call.path, sequence, asked.is_deep, limit, needs.without(Needs::BODY)).await?;
    let quota = if needs.includes(Needs::QUOTA) { Some(tree.quota().await?) } else { None };
    let log_floor = log_floor(&call, &selection).await?;
    let since = Since {
        token: SyncToken { folder: folder.id, sequence: changes.token, after: None },
        is_cut: changes.is_truncated,
        changed: changes.changed.into_iter(),
        body: Multistatus::new(),
        quota,
        log_floor,
        selection,
        call,
    };
    let whole_answer_bytes = since.call.dav.limits().whole_answer_bytes;
    paged::respond(since, whole_answer_bytes).await
}

/// Changes on their way out.
struct Since {
    call: ReportCall,
    selection: Selection,
    quota: Option<Quota>,
    log_floor: Option<i64>,
    body: Multistatus,
    changed: IntoIter<Changed>,
    is_cut: bool,
    token: SyncToken,
}

impl Paged for Since {
    fn body(&mut self) -> &mut Multistatus {
        &mut self.body
    }

    async fn advance(&mut self) -> Result<bool, Error> {
        let Some(Changed { path, node }) = self.changed.next() else { return Ok(false) };
        let prefix = &self.call.mount.prefix;
        let Some(mut node) = node else {
            self.body.status(&href::of(prefix, &path, false), StatusCode::NOT_FOUND);
            return Ok(true);
        };
        let href = href::of(prefix, &path, node.is_folder());
        let wants_body = self.selection.needs().includes(Needs::BODY) && !node.is_folder();
        if wants_body && !self.call.caller.tree.load_body(&mut node).await? {
            self.body.status(&href, StatusCode::NOT_FOUND);
        } else {
            self.body.resource(&href, &self.call.resource(&node, self.quota, self.log_floor), &self.selection);
        }
        Ok(true)
    }

    fn finish(self) -> Bytes {
        finish(&self.call, self.body, self.is_cut, self.token)
    }
}

/// The next members of a first synchronisation with a limit; once all were told, the token is an ordinary one.
async fn first_page(
    call: &ReportCall,
    asked: &SyncCollection,
    selection: &Selection,
    folder: &Node,
    token: SyncToken,
) -> Result<Response, Error> {
    let tree = &call.caller.tree;
    let needs = selection.needs();
    let limit = asked.limit.unwrap_or(usize::MAX).min(call.dav.limits().sync_results_max);
    let quota = if needs.includes(Needs::QUOTA) { Some(tree.quota().await?) } else { None };
    let log_floor = log_floor(call, selection).await?;
    let mut body = Multistatus::new();
    let mut after = token.after;
    let mut told = 0;
    let is_cut = loop {
        let page = tree.children(&call.path, folder, after, needs).await?;
        let room = limit - told;
        for node in page.nodes.iter().take(room) {
            let href = href::of(&call.mount.prefix, &call.path.child(&node.name), node.is_folder());
            body.resource(&href, &call.resource(node, quota, log_floor), selection);
            after = Some(node.id);
            told += 1;
        }
        if page.nodes.len() > room || (page.next.is_some() && told == limit) {
            break true;
        }
        if page.next.is_none() {
            break false;
        }
    };
    let token = SyncToken { after: if is_cut { after } else { None }, ..token };
    Ok(answer::xml(StatusCode::MULTI_STATUS, finish(call, body, is_cut, token)))
}

/// The 507 for what was cut (RFC 6578 §3.6) and the token to go on with.
fn finish(call: &ReportCall, mut body: Multistatus, is_cut: bool, token: SyncToken) -> Bytes {
    if is_cut {
        let href = href::of(&call.mount.prefix, &call.path, true);
        body.failure(&call.dav, &call.mount, &href, &too_many());
    }
    body.writer().text_element(&dav::SYNC_TOKEN, &token.to_text());
    body.finish()
}

/// RFC 6578 §3.7: there are more than the client wants to hear of.
pub(crate) fn too_many() -> Error {
    Error::new(StatusCode::INSUFFICIENT_STORAGE, "There are more members than the limit.")
        .with_condition(dav::NUMBER_OF_MATCHES_WITHIN_LIMITS)
}

async fn log_floor(call: &ReportCall, selection: &Selection) -> Result<Option<i64>, Error> {
    Ok(if selection.needs_log_floor() { Some(call.caller.tree.log_floor().await?) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match SyncToken::parse(text) {
            Ok(token) => format!("{} of {} after {:?}", token.sequence, token.folder, token.after.map(|id| id.0)),
            Err(error) => error.condition().map_or(String::new(), |condition| condition.name.local.to_string()),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn tokens_are_ours_or_refused_loudly() {
        check("urn:nichoir:sync:3:17", "17 of 3 after None");
        check("urn:nichoir:sync:3:17:4", "17 of 3 after Some(4)");
        for foreign in [
            "",
            "17",
            "urn:nichoir:sync:",
            "urn:nichoir:sync:1",
            "urn:nichoir:sync:1:-1",
            "urn:nichoir:sync:1:",
            "http://sabre.io/ns/sync/3",
        ] {
            check(foreign, "valid-sync-token");
        }
        let token = SyncToken { folder: FileId(3), sequence: 5, after: Some(FileId(9)) };
        assert_eq!(SyncToken::parse(&token.to_text()).expect("our own token"), token);
    }
}
