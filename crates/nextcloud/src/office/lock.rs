//! The locks of an office server: LOCK, UNLOCK, REFRESH_LOCK, GET_LOCK, UnlockAndRelock. They are leases of the store's, held by
//! the editor's session, so that DAV clients meet them too.

use http::{HeaderMap, HeaderValue, StatusCode};
use nichoir_auth::Caller;
use nichoir_dav::{Error, Response};
use nichoir_store::change::{LockForClient, UnlockForClient};
use nichoir_store::conditions::Conditions;
use nichoir_store::{Error as StoreError, LockKind, Needs, Node, NodePath};

use super::{bare, header};

/// Characters of a lock, as the protocol has it.
const LOCK_CHARACTERS_MAX: usize = 1024;

/// The session that holds the file, and the token of its lease.
pub(super) fn held(node: &Node) -> Option<(&str, &str)> {
    node.locks.iter().find_map(|lock| match &lock.kind {
        LockKind::Editor { session, .. } => Some((session.as_str(), lock.token.as_str())),
        _ => None,
    })
}

/// 409, and which lock is in the way; empty: none of an editor's.
pub(super) fn conflict(current: Option<&str>, reason: &'static str) -> Response {
    let mut response = bare(StatusCode::CONFLICT);
    let lock = current.and_then(|lock| HeaderValue::try_from(lock).ok());
    response.headers_mut().insert("x-wopi-lock", lock.unwrap_or(HeaderValue::from_static("")));
    response.headers_mut().insert("x-wopi-lockfailurereason", HeaderValue::from_static(reason));
    response
}

/// The lock that the request names.
fn named<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, Error> {
    let lock = header(headers, name).filter(|lock| (1..=LOCK_CHARACTERS_MAX).contains(&lock.len()));
    lock.ok_or_else(|| Error::bad_request("The lock is missing, or too long."))
}

/// GET_LOCK.
pub(super) fn get(node: &Node) -> Response {
    let mut response = bare(StatusCode::OK);
    let lock = held(node).and_then(|(session, _)| HeaderValue::try_from(session).ok());
    response.headers_mut().insert("x-wopi-lock", lock.unwrap_or(HeaderValue::from_static("")));
    response
}

/// LOCK, and UnlockAndRelock where `X-WOPI-OldLock` is sent.
pub(super) async fn lock(
    caller: &Caller,
    path: &NodePath,
    node: &Node,
    headers: &HeaderMap,
    editor: &str,
) -> Result<Response, Error> {
    let session = named(headers, "x-wopi-lock")?;
    let take = take(caller, path, editor, session);
    if header(headers, "x-wopi-oldlock").is_none() {
        return done(caller, path, caller.tree.apply(take).await).await;
    }
    let old = named(headers, "x-wopi-oldlock")?;
    match held(node) {
        Some((current, _)) if current == old => {
            let release = release(path, editor, old);
            done(caller, path, caller.tree.apply((release, take)).await.map(|(_, node)| node)).await
        }
        current => Ok(conflict(current.map(|(session, _)| session), "another lock")),
    }
}

/// REFRESH_LOCK.
pub(super) async fn refresh(
    caller: &Caller,
    path: &NodePath,
    node: &Node,
    headers: &HeaderMap,
    editor: &str,
) -> Result<Response, Error> {
    let session = named(headers, "x-wopi-lock")?;
    match held(node) {
        Some((current, _)) if current == session => {
            done(caller, path, caller.tree.apply(take(caller, path, editor, session)).await).await
        }
        current => Ok(conflict(current.map(|(session, _)| session), "another lock, or none")),
    }
}

/// UNLOCK.
pub(super) async fn unlock(
    caller: &Caller,
    path: &NodePath,
    headers: &HeaderMap,
    editor: &str,
) -> Result<Response, Error> {
    let session = named(headers, "x-wopi-lock")?;
    done(caller, path, caller.tree.apply(release(path, editor, session)).await).await
}

fn take(caller: &Caller, path: &NodePath, editor: &str, session: &str) -> LockForClient {
    LockForClient {
        path: path.clone(),
        kind: kind(editor, session),
        timeout_seconds: caller.space.limits().client_lock_seconds,
        conditions: Conditions::default(),
    }
}

fn release(path: &NodePath, editor: &str, session: &str) -> UnlockForClient {
    UnlockForClient { path: path.clone(), kind: kind(editor, session) }
}

fn kind(editor: &str, session: &str) -> LockKind {
    LockKind::Editor { name: editor.to_owned(), session: session.to_owned() }
}

async fn done(caller: &Caller, path: &NodePath, outcome: Result<Node, StoreError>) -> Result<Response, Error> {
    match outcome {
        Ok(node) => {
            let mut response = bare(StatusCode::OK);
            if let Ok(version) = HeaderValue::try_from(node.etag.to_string()) {
                response.headers_mut().insert("x-wopi-itemversion", version);
            }
            Ok(response)
        }
        Err(StoreError::LockConflict { .. } | StoreError::Locked { .. } | StoreError::LockTokenMismatch) => {
            let node = caller.tree.node(path, Needs::LOCKS).await?;
            Ok(conflict(held(&node).map(|(session, _)| session), "another lock, or none"))
        }
        Err(error) => Err(error.into()),
    }
}
