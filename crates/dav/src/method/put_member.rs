//! PUT of a member of a calendar or address book: the body is looked at as a whole before it is stored, and stored as it
//! came. RFC 4791 §5.3.2, RFC 6352 §6.3.2; RFC 8144 §3 for `return=representation`.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_RANGE, CONTENT_TYPE, ETAG};
use http::{HeaderValue, StatusCode};
use nichoir_store::change::PutFile;
use nichoir_store::{Error as StoreError, Needs, Node, NodePath, StageOptions};

use super::check_name;
use crate::answer::{self, METHODS};
use crate::conditions;
use crate::error::Error;
use crate::extension::{Answered, Extension, MemberPut, MemberWrite, MemberWritten};
use crate::header::prefer;
use crate::request::{Body, BoxError, Response, full, read_whole};
use crate::target::Call;

pub(super) async fn put(call: Call<'_>, body: Body) -> Result<Response, Error> {
    if call.parts.headers.contains_key(CONTENT_RANGE) {
        return Err(Error::bad_request("Content-Range is not supported with PUT."));
    }
    let bytes = read_member(&call, body).await?;
    match store(&call, call.path.clone(), bytes.clone()).await {
        Ok(written) => answer(&call, written, bytes, None),
        Err(error) if error.status() == StatusCode::PRECONDITION_FAILED => current(&call).await?.ok_or(error),
        Err(error) => Err(error),
    }
}

/// What stands there instead, for a client that wants to see it rather than to ask again (RFC 8144 §3.2).
async fn current(call: &Call<'_>) -> Result<Option<Response>, Error> {
    if !prefer::wants_representation(&call.parts.headers) {
        return Ok(None);
    }
    let node = match call.caller.tree.node(call.path, Needs::BODY).await {
        Ok(node) => node,
        Err(StoreError::NotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // What somebody else keeps to herself is not shown by this way either.
    let Some(body) = node.body.clone().filter(|_| !node.is_confidential) else { return Ok(None) };
    let mut response = answer::bare(StatusCode::PRECONDITION_FAILED);
    answer::decorate(call, &Answered::of(call, &node), response.headers_mut());
    response.headers_mut().insert(ETAG, answer::etag_value(node.etag));
    show(call, &mut response, &node, body, None);
    Ok(Some(response))
}

/// Puts the member itself into an answer (RFC 8144 §3).
fn show(call: &Call<'_>, response: &mut Response, node: &Node, bytes: Bytes, location: Option<String>) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    if let Some(Ok(value)) = node.media_type.as_deref().map(HeaderValue::try_from) {
        headers.insert(CONTENT_TYPE, value);
    }
    let place = location.unwrap_or_else(|| call.parts.uri.path().to_owned());
    if let Ok(value) = HeaderValue::try_from(place) {
        headers.insert(CONTENT_LOCATION, value);
    }
    headers.insert("preference-applied", HeaderValue::from_static("return=representation"));
    *response.body_mut() = full(bytes);
}

/// The whole body, if a member may be as large.
pub(super) async fn read_member(call: &Call<'_>, body: Body) -> Result<Bytes, Error> {
    let limit = extension(call)?.member_bytes_max().unwrap_or_default();
    read_whole(body, limit).await.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::too_large_member(limit as u64),
        _ => error,
    })
}

fn extension<'a>(call: &Call<'a>) -> Result<&'a dyn Extension, Error> {
    let knows = |extension: &&dyn Extension| extension.member_bytes_max().is_some();
    call.dav.extensions().find(knows).ok_or_else(Error::not_implemented)
}

/// Checks the bytes and makes them the member at `path`.
pub(super) async fn store(call: &Call<'_>, path: NodePath, bytes: Bytes) -> Result<MemberWritten, Error> {
    check_name(call.dav, &path)?;
    let conditions = conditions::of(call)?;
    let extension = extension(call)?;
    let checked = extension.check_member(&call.parts.headers, &bytes)?;
    let put = MemberPut { path, bytes, checked, conditions };
    match extension.write_member(*call, Box::new(MemberWrite::Put(put))) {
        Ok(writing) => writing.await,
        Err(write) => match *write {
            MemberWrite::Put(put) => {
                let written = call.caller.tree.apply(change(call, put).await?).await.map_err(put_refused)?;
                Ok(MemberWritten { written: Some(written), stored: None })
            }
            _ => Err(Error::not_implemented()),
        },
    }
}

/// The change that stores a member, its bytes staged.
///
/// # Errors
/// 507, 503.
pub async fn change(call: &Call<'_>, put: MemberPut) -> Result<PutFile, Error> {
    let options = StageOptions { announced_bytes: Some(put.bytes.len() as u64), ..StageOptions::default() };
    let body = futures_util::stream::iter([Ok::<_, BoxError>(put.bytes)]);
    Ok(PutFile {
        path: put.path,
        content: call.caller.tree.stage(body, options).await?,
        modified: None,
        created: None,
        checksums: None,
        makes_parents: false,
        media_type: Some(put.checked.media_type),
        member: Some(put.checked.index),
        conditions: put.conditions,
    })
}

/// RFC 4918 §9.7.2.
pub fn put_refused(error: StoreError) -> Error {
    match error {
        StoreError::IsACollection => Error::method_not_allowed("This is a collection.", METHODS),
        error => error.into(),
    }
}

/// 201 or 204; with the member itself where the client wants to see it. `location` is where a POST put it.
pub(super) fn answer(
    call: &Call<'_>,
    done: MemberWritten,
    bytes: Bytes,
    location: Option<String>,
) -> Result<Response, Error> {
    let written = done.written.ok_or_else(|| Error::internal("A PUT left nothing."))?;
    let mut response = answer::written(call, written.is_new, &Answered::of(call, &written.node));
    let is_other = done.stored.is_some();
    let bytes = done.stored.unwrap_or(bytes);
    if prefer::wants_representation(&call.parts.headers) {
        *response.status_mut() = if written.is_new { StatusCode::CREATED } else { StatusCode::OK };
        show(call, &mut response, &written.node, bytes, location);
    } else if is_other {
        // RFC 4791 §5.3.4: a client that keeps what it sent must not take it for what is stored.
        response.headers_mut().remove(ETAG);
    }
    Ok(response)
}
