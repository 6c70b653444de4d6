//! COPY and MOVE. RFC 4918 §9.8 and §9.9: one change each, whole or not at all, so there is never a multistatus.

use http::StatusCode;
use nichoir_store::change::{Copy, Relocate, Written};
use nichoir_store::{Error as StoreError, NodePath};

use super::{check_name, write_member};
use crate::answer;
use crate::conditions;
use crate::error::Error;
use crate::extension::{Answered, MemberWrite};
use crate::header::depth::Depth;
use crate::header::{destination, overwrite};
use crate::href;
use crate::request::Response;
use crate::target::Call;

pub(crate) async fn copy(call: Call<'_>) -> Result<Response, Error> {
    let headers = &call.parts.headers;
    let is_deep = match Depth::of(headers)? {
        None | Some(Depth::Infinity) => true,
        Some(Depth::Zero) => false,
        Some(Depth::One) => return Err(Error::bad_request("COPY knows Depth 0 and infinity.")),
    };
    let destination = destination_of(&call)?;
    let change = Copy {
        source: call.path.clone(),
        destination: destination.clone(),
        overwrites: overwrite::of(headers)?,
        is_deep,
        conditions: conditions::of(&call)?,
    };
    match write_member(call, MemberWrite::Copy(change)) {
        Ok(writing) => answer(&call, writing.await?.written.ok_or_else(Error::not_found)?),
        Err(write) => match *write {
            MemberWrite::Copy(change) => answer(&call, call.caller.tree.apply(change).await.map_err(transfer_refused)?),
            _ => Err(Error::not_implemented()),
        },
    }
}

pub(crate) async fn relocate(call: Call<'_>) -> Result<Response, Error> {
    let headers = &call.parts.headers;
    if Depth::of(headers)?.is_some_and(|depth| depth != Depth::Infinity) {
        return Err(Error::bad_request("MOVE is always Depth: infinity."));
    }
    let destination = destination_of(&call)?;
    if call.path.is_root() {
        return Err(Error::forbidden("The root cannot be moved."));
    }
    let change = Relocate {
        source: call.path.clone(),
        destination: destination.clone(),
        overwrites: overwrite::of(headers)?,
        conditions: conditions::of(&call)?,
    };
    match write_member(call, MemberWrite::Relocate(change)) {
        Ok(writing) => answer(&call, writing.await?.written.ok_or_else(Error::not_found)?),
        Err(write) => match *write {
            MemberWrite::Relocate(change) => {
                answer(&call, call.caller.tree.apply(change).await.map_err(transfer_refused)?)
            }
            _ => Err(Error::not_implemented()),
        },
    }
}

/// The path that the `Destination` header names, in the same mount: elsewhere we cannot write.
fn destination_of(call: &Call<'_>) -> Result<NodePath, Error> {
    let destination = destination::of(&call.parts.headers)?
        .ok_or_else(|| Error::bad_request("The Destination header is missing."))?;
    let path = href::path_of_url(&call.mount.prefix, &destination)?
        .ok_or_else(|| Error::forbidden("The destination lies outside of this tree."))?;
    if path.contains(call.path) {
        return Err(Error::forbidden("The destination is the source, or holds it."));
    }
    check_name(call.dav, &path)?;
    Ok(path)
}

/// What COPY and MOVE answer when the store refuses.
pub fn transfer_refused(error: StoreError) -> Error {
    match error {
        // RFC 4918 §9.8.5, §9.9.4: 409 when a collection above the destination is missing or is none.
        StoreError::NotACollection => Error::conflict("The parent of the destination is not a collection."),
        StoreError::IntoItself => {
            Error::new(StatusCode::CONFLICT, "A collection cannot be copied or moved into itself.")
        }
        error => error.into(),
    }
}

fn answer(call: &Call<'_>, written: Written) -> Result<Response, Error> {
    Ok(answer::written(call, written.is_new, &Answered::of(call, &written.node)))
}
