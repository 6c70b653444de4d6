//! Locks as Nextcloud's clients take and show them: LOCK and UNLOCK with `X-User-Lock`, the `nc:lock*` properties. Sheets
//! `nextcloud-files-dav`, section 14, and `desktop-client`, section 12.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use nichoir_auth::Caller;
use nichoir_dav::{Answering, Call, Error, Resource, Value, answer, conditions};
use nichoir_store::change::{LockForClient, UnlockForClient};
use nichoir_store::conditions::Conditions;
use nichoir_store::{AccountId, Error as StoreError, Lock, LockKind, Needs, Node, NodePath};
use nichoir_xml::{Name, Writer, dav, nc};

/// Before a token where RFC 4918 wants a URI; clients put it there themselves.
const TOKEN_SCHEME: &str = "opaquelocktoken:";

/// What a LOCK or UNLOCK came to.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is done; the file as it is now.
    Done(Node),
    /// A lock of somebody else's is in the way; the file with it.
    Held(Node),
    /// There was none to end.
    NotLocked(Node),
}

impl Outcome {
    /// The file, with its locks.
    pub(crate) fn node(&self) -> &Node {
        match self {
            Outcome::Done(node) | Outcome::Held(node) | Outcome::NotLocked(node) => node,
        }
    }

    /// The status that tells which it was.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Outcome::Done(_) => StatusCode::OK,
            Outcome::Held(_) => StatusCode::LOCKED,
            Outcome::NotLocked(_) => StatusCode::PRECONDITION_FAILED,
        }
    }
}

/// The kind of lock that a client's number means; an app's lock is an office server's to take.
pub(crate) fn kind_of(number: &str) -> Result<LockKind, Error> {
    match number {
        "0" => Ok(LockKind::Account),
        "2" => Ok(LockKind::Device),
        _ => Err(Error::bad_request("Clients take locks of the types 0 and 2.")),
    }
}

/// Takes a lock for a client, or renews it.
pub(crate) async fn lock(
    caller: &Caller,
    path: &NodePath,
    kind: LockKind,
    conditions: Conditions,
) -> Result<Outcome, Error> {
    let timeout_seconds = caller.space.limits().client_lock_seconds;
    let change = LockForClient { path: path.clone(), kind, timeout_seconds, conditions };
    match caller.tree.apply(change).await {
        Ok(node) => Ok(Outcome::Done(node)),
        Err(StoreError::LockConflict { .. } | StoreError::Locked { .. }) => {
            Ok(Outcome::Held(caller.tree.node(path, Needs::LOCKS).await?))
        }
        Err(error) => Err(refused(error)),
    }
}

/// Ends a lock for a client.
pub(crate) async fn unlock(caller: &Caller, path: &NodePath, kind: LockKind) -> Result<Outcome, Error> {
    match caller.tree.apply(UnlockForClient { path: path.clone(), kind }).await {
        Ok(node) => Ok(Outcome::Done(node)),
        Err(StoreError::Locked { .. }) => Ok(Outcome::Held(caller.tree.node(path, Needs::LOCKS).await?)),
        Err(StoreError::LockTokenMismatch) => Ok(Outcome::NotLocked(caller.tree.node(path, Needs::LOCKS).await?)),
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: StoreError) -> Error {
    match error {
        StoreError::IsACollection => Error::bad_request("Only files can be locked."),
        error => error.into(),
    }
}

/// Answers a LOCK or UNLOCK with `X-User-Lock: 1`.
pub(crate) fn answer(call: &Call<'_>) -> Option<Answering> {
    let headers = &call.parts.headers;
    if !is_marked(headers) {
        return None;
    }
    let number = headers.get("x-user-lock-type").map_or(Ok("0"), |value| value.to_str().map(str::trim));
    let kind = kind_of(number.unwrap_or(""));
    let conditions = conditions::of(call);
    let (caller, path) = (call.caller.clone(), call.path.clone());
    let is_lock = call.parts.method.as_str() == "LOCK";
    Some(Box::pin(async move {
        let outcome = match is_lock {
            true => lock(&caller, &path, kind?, conditions?).await?,
            false => unlock(&caller, &path, kind?).await?,
        };
        Ok(answer::xml(outcome.status(), body(outcome.node(), caller.account.id)))
    }))
}

fn is_marked(headers: &HeaderMap) -> bool {
    headers.get("x-user-lock").is_some_and(|value| matches!(value.as_bytes(), b"1" | b"true"))
}

/// The `DAV:prop` body, the same whatever the status: clients find each element by its local name.
fn body(node: &Node, asker: AccountId) -> Bytes {
    let mut writer = Writer::new();
    writer.declaration();
    writer.open_root(&dav::PROP);
    match shown(node) {
        None => writer.empty(&nc::LOCK),
        Some(lock) => {
            writer.text_element(&nc::LOCK, "1");
            let mut tell = |name: &Name, text: &str| writer.text_element(name, text);
            tell(&nc::LOCK_OWNER_TYPE, &number_of(&lock.kind).to_string());
            if let Some(owner) = owner_of(lock) {
                tell(&nc::LOCK_OWNER, owner);
            }
            tell(&nc::LOCK_OWNER_DISPLAYNAME, name_of(lock));
            tell(&nc::LOCK_OWNER_EDITOR, editor_of(lock).unwrap_or_default());
            tell(&nc::LOCK_TIME, &lock.created.seconds().to_string());
            tell(&nc::LOCK_TIMEOUT, &seconds_of(lock).to_string());
            if let Some(token) = token_of(lock, asker) {
                tell(&nc::LOCK_TOKEN, token);
            }
        }
    }
    // Without quotes: the desktop client stores it as it stands, and would fetch the file again.
    writer.text_element(&dav::GETETAG, &node.etag.to_string());
    writer.close();
    writer.take()
}

/// Of several locks, the one that says most about who is at work.
pub(crate) fn shown(node: &Node) -> Option<&Lock> {
    node.locks.iter().min_by_key(|lock| match lock.kind {
        LockKind::Account => 0,
        LockKind::Editor { .. } => 1,
        LockKind::Device => 2,
        LockKind::Dav => 3,
    })
}

/// 0: a person's, 1: an app's, 2: with a token.
pub(crate) fn number_of(kind: &LockKind) -> u64 {
    match kind {
        LockKind::Account => 0,
        LockKind::Editor { .. } => 1,
        LockKind::Device | LockKind::Dav => 2,
    }
}

fn owner_of(lock: &Lock) -> Option<&str> {
    (!matches!(lock.kind, LockKind::Editor { .. }) && !lock.account_login.is_empty()).then_some(&*lock.account_login)
}

/// The name to show of who holds it. A guest has none, nor a login.
pub(crate) fn name_of(lock: &Lock) -> &str {
    if lock.account_login.is_empty() { "Public link" } else { &lock.account_display_name }
}

fn editor_of(lock: &Lock) -> Option<&str> {
    match &lock.kind {
        LockKind::Editor { name, .. } => Some(name),
        _ => None,
    }
}

/// The token, for whom it is of use.
pub(crate) fn token_of(lock: &Lock, asker: AccountId) -> Option<&str> {
    let is_told = lock.account == asker && !matches!(lock.kind, LockKind::Editor { .. });
    is_told.then(|| lock.token.strip_prefix(TOKEN_SCHEME).unwrap_or(&lock.token))
}

/// From when it was taken to its end.
pub(crate) fn seconds_of(lock: &Lock) -> i64 {
    lock.expires.seconds().saturating_sub(lock.created.seconds()).max(1)
}

pub(crate) fn is_locked<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    Some(if shown(it.node).is_some() { Value::Number(1) } else { Value::Empty })
}

// Where there is no lock, the others are not there: a number without digits makes an app crash.

pub(crate) fn owner_type<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    shown(it.node).map(|lock| Value::Number(number_of(&lock.kind)))
}

pub(crate) fn owner<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    shown(it.node).and_then(owner_of).map(Value::text)
}

pub(crate) fn owner_display_name<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    shown(it.node).map(|lock| Value::text(name_of(lock)))
}

pub(crate) fn editor<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    shown(it.node).and_then(editor_of).map(Value::text)
}

pub(crate) fn time<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    shown(it.node).map(|lock| Value::Signed(lock.created.seconds()))
}

pub(crate) fn timeout<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    shown(it.node).map(|lock| Value::Signed(seconds_of(lock)))
}

pub(crate) fn token<'a>(it: &Resource<'a>) -> Option<Value<'a>> {
    shown(it.node).and_then(|lock| token_of(lock, it.caller.account.id)).map(Value::text)
}
