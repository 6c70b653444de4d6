//! The methods, a file each.

mod copy_move;
mod delete;
mod get;
mod lock;
pub(crate) mod mkcol;
mod options;
mod post;
mod propfind;
mod proppatch;
mod put;
mod put_member;
mod report;

pub use copy_move::transfer_refused;
pub use get::get_state;
pub use mkcol::make;
pub use proppatch::{Step, steps_of, write_outcome};
pub use put_member::{change as member_change, put_refused};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::request::Parts;
use nichoir_auth::Caller;
use nichoir_store::{Area, NodePath};
use nichoir_xml::Element;

use crate::Dav;
use crate::error::Error;
use crate::extension::{Answering, MemberWrite, Writing};
use crate::href;
use crate::import;
use crate::request::{Body, Response, read_whole};
use crate::target::{Call, Mount};

/// The answer to a request, whatever its method.
pub(crate) async fn answer(
    dav: &Dav,
    caller: &Caller,
    mount: &Mount,
    parts: &Parts,
    body: Body,
) -> Result<Response, Error> {
    let path = &href::path_below(&mount.prefix, parts.uri.path())?;
    let call = Call { dav, caller, mount, path, parts };
    // Each on the heap: a request has one method, and need not have room for what the others take.
    let answering: BoxFuture<'_, Result<Response, Error>> = match parts.method.as_str() {
        "OPTIONS" => return Ok(dav.options()),
        "GET" | "HEAD" => Box::pin(get::get(call)),
        "PUT" if import::is_asked_for(parts) => match of_an_extension_or(&call, body) {
            Ok(answering) => answering,
            Err(body) => Box::pin(put::put(call, body)),
        },
        "PUT" => Box::pin(put::put(call, body)),
        "DELETE" => Box::pin(delete::delete(call)),
        "MKCOL" => Box::pin(mkcol::mkcol(call, body)),
        "COPY" => Box::pin(copy_move::copy(call)),
        "MOVE" => Box::pin(copy_move::relocate(call)),
        "PROPFIND" => Box::pin(propfind::propfind(call, body)),
        "PROPPATCH" => Box::pin(proppatch::proppatch(call, body)),
        "LOCK" | "UNLOCK" => match dav.extensions().find_map(|extension| extension.lock(&call)) {
            Some(answering) => answering,
            None if parts.method.as_str() == "LOCK" => Box::pin(lock::lock(call, body)),
            None => Box::pin(lock::unlock(call)),
        },
        "POST" if caller.tree.area() != Area::Files => Box::pin(post::post(call, body)),
        "REPORT" => Box::pin(report::report(call, body)),
        _ => of_an_extension_or(&call, body).map_err(|_| Error::not_implemented())?,
    };
    answering.await
}

/// What an extension makes of a method; else the body, untouched.
fn of_an_extension_or(call: &Call<'_>, mut body: Body) -> Result<Answering, Body> {
    for extension in call.dav.extensions() {
        match extension.method(call, body) {
            Ok(answering) => return Ok(answering),
            Err(untouched) => body = untouched,
        }
    }
    Err(body)
}

/// What an extension makes of a write; else the write, untouched.
fn write_member<'a>(call: Call<'a>, write: MemberWrite) -> Result<Writing<'a>, Box<MemberWrite>> {
    let mut write = Box::new(write);
    for extension in call.dav.extensions() {
        match extension.write_member(call, write) {
            Ok(writing) => return Ok(writing),
            Err(untouched) => write = untouched,
        }
    }
    Err(write)
}

/// The root element of an XML body; `None` for no body at all.
///
/// # Errors
/// 400 for what is no XML or beyond the limits, 413 for too much of it.
pub async fn read_xml(dav: &Dav, body: Body) -> Result<Option<Element>, Error> {
    let limits = &dav.limits().xml;
    let bytes: Bytes = read_whole(body, limits.request_xml_bytes).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    Ok(Some(nichoir_xml::read(&bytes, limits)?))
}

/// Whether the dialects let a resource be created under the last name of `path`.
fn check_name(dav: &Dav, path: &NodePath) -> Result<(), Error> {
    let Some(name) = path.name() else { return Ok(()) };
    dav.extensions().try_for_each(|extension| extension.check_name(name))
}
