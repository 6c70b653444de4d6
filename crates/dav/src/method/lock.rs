//! LOCK, its refresh, and UNLOCK. RFC 4918 §9.10 and §9.11.

use http::{HeaderName, HeaderValue, StatusCode};
use nichoir_store::change::{Locked, RefreshLock, TakeLock, Unlock};
use nichoir_store::{Error as StoreError, Needs, Scope};
use nichoir_xml::{Element, dav};

use super::{check_name, read_xml};
use crate::answer;
use crate::conditions;
use crate::error::Error;
use crate::extension::Answered;
use crate::header::depth::Depth;
use crate::header::{lock_token, timeout};
use crate::live;
use crate::request::{Body, Response};
use crate::target::Call;

const LOCK_TOKEN: HeaderName = HeaderName::from_static("lock-token");

/// What a client that does not say gets: long enough to save a document, short enough to be forgotten.
const TIMEOUT_SECONDS: u64 = 1800;

pub(crate) async fn lock(call: Call<'_>, body: Body) -> Result<Response, Error> {
    match read_xml(call.dav, body).await? {
        Some(root) => take(call, &root).await,
        None => refresh(call).await,
    }
}

async fn take(call: Call<'_>, root: &Element) -> Result<Response, Error> {
    let headers = &call.parts.headers;
    let is_deep = match Depth::of(headers)? {
        None | Some(Depth::Infinity) => true,
        Some(Depth::Zero) => false,
        Some(Depth::One) => return Err(Error::bad_request("LOCK knows Depth 0 and infinity.")),
    };
    let scope = scope_of(root)?;
    check_name(call.dav, call.path)?;
    let change = TakeLock {
        path: call.path.clone(),
        scope,
        is_deep,
        owner_xml: root.child(&dav::OWNER).map(Element::to_fragment),
        timeout_seconds: timeout::of(headers)?.unwrap_or(TIMEOUT_SECONDS),
        conditions: conditions::of(&call)?,
    };
    let locked = call.caller.tree.apply(change).await.map_err(locking_error)?;
    let status = if locked.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = locked_response(&call, status, &locked);
    let token = HeaderValue::try_from(format!("<{}>", locked.lock.token))
        .map_err(|error| Error::internal("The lock token cannot be sent.").caused_by(error))?;
    response.headers_mut().insert(LOCK_TOKEN, token);
    Ok(response)
}

/// RFC 4918 §9.10.2: no body, and one token in the `If` header. No `Lock-Token` in the answer.
async fn refresh(call: Call<'_>) -> Result<Response, Error> {
    let conditions = conditions::of(&call)?;
    if conditions.lock_tokens.len() != 1 {
        return Err(Error::bad_request("LOCK without a body refreshes the one lock that the If header names."));
    }
    let timeout_seconds = timeout::of(&call.parts.headers)?;
    let change = RefreshLock { path: call.path.clone(), timeout_seconds, conditions };
    let locked = call.caller.tree.apply(change).await.map_err(|error| match error {
        // RFC 4918 §9.10.6: 412 when the token does not lock what the request is made to.
        StoreError::LockTokenMismatch => {
            Error::precondition_failed("If").with_condition(dav::LOCK_TOKEN_MATCHES_REQUEST_URI)
        }
        error => error.into(),
    })?;
    Ok(locked_response(&call, StatusCode::OK, &locked))
}

pub(crate) async fn unlock(call: Call<'_>) -> Result<Response, Error> {
    let token =
        lock_token::of(&call.parts.headers)?.ok_or_else(|| Error::bad_request("The Lock-Token header is missing."))?;
    call.caller.tree.node(call.path, Needs::NONE).await?;
    call.caller.tree.apply(Unlock { path: call.path.clone(), token }).await?;
    Ok(answer::bare(StatusCode::NO_CONTENT))
}

/// The scope of a `DAV:lockinfo`; write locks are the only kind.
fn scope_of(root: &Element) -> Result<Scope, Error> {
    if root.name != dav::LOCKINFO {
        return Err(Error::bad_request("The body of a LOCK is a DAV:lockinfo element."));
    }
    if root.child(&dav::LOCKTYPE).is_none_or(|kind| kind.child(&dav::WRITE).is_none()) {
        return Err(Error::bad_request("Only write locks are known."));
    }
    let scope = root.child(&dav::LOCKSCOPE).ok_or_else(|| Error::bad_request("DAV:lockscope is missing."))?;
    match (scope.child(&dav::EXCLUSIVE), scope.child(&dav::SHARED)) {
        (Some(_), None) => Ok(Scope::Exclusive),
        (None, Some(_)) => Ok(Scope::Shared),
        _ => Err(Error::bad_request("DAV:lockscope is neither exclusive nor shared.")),
    }
}

fn locking_error(error: StoreError) -> Error {
    match error {
        StoreError::IsACollection => Error::conflict("A collection stands there."),
        error => error.into(),
    }
}

fn locked_response(call: &Call<'_>, status: StatusCode, locked: &Locked) -> Response {
    let now_seconds = call.caller.space.ports().clock.now().seconds();
    let mut response = answer::xml(status, live::lock_answer(&locked.lock, &locked.node, call.mount, now_seconds));
    answer::decorate(call, &Answered::of(call, &locked.node), response.headers_mut());
    response
}
