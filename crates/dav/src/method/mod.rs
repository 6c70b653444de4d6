//! The methods, a file each.

mod copy_move;
mod delete;
mod get;
mod lock;
mod mkcol;
mod options;
mod propfind;
mod proppatch;
mod put;
mod report;

use bytes::Bytes;
use http::request::Parts;
use nichoir_auth::Caller;
use nichoir_store::NodePath;
use nichoir_xml::Element;

use crate::Dav;
use crate::error::Error;
use crate::extension::Answering;
use crate::href;
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
    match parts.method.as_str() {
        "OPTIONS" => Ok(dav.options()),
        "GET" | "HEAD" => get::get(call).await,
        "PUT" => put::put(call, body).await,
        "DELETE" => delete::delete(call).await,
        "MKCOL" => mkcol::mkcol(call, body).await,
        "COPY" => copy_move::copy(call).await,
        "MOVE" => copy_move::relocate(call).await,
        "PROPFIND" => propfind::propfind(call, body).await,
        "PROPPATCH" => proppatch::proppatch(call, body).await,
        "LOCK" => lock::lock(call, body).await,
        "UNLOCK" => lock::unlock(call).await,
        "REPORT" => report::report(call, body).await,
        _ => match of_an_extension(&call, body) {
            Some(answering) => answering.await,
            None => Err(Error::not_implemented()),
        },
    }
}

fn of_an_extension(call: &Call<'_>, mut body: Body) -> Option<Answering> {
    for extension in call.dav.extensions() {
        match extension.method(call, body) {
            Ok(answering) => return Some(answering),
            Err(untouched) => body = untouched,
        }
    }
    None
}

/// The root element of an XML body; `None` for no body at all.
pub(crate) async fn read_xml(dav: &Dav, body: Body) -> Result<Option<Element>, Error> {
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
