//! PROPFIND. RFC 4918 §9.1.

use http::HeaderValue;
use http::header::VARY;

use super::read_xml;
use crate::answer;
use crate::error::Error;
use crate::header::depth::Depth;
use crate::header::prefer;
use crate::listing::Listing;
use crate::paged;
use crate::request::{Body, Response};
use crate::selection::{PropertyRequest, Selection};
use crate::target::Call;

pub(crate) async fn propfind(call: Call<'_>, body: Body) -> Result<Response, Error> {
    let headers = &call.parts.headers;
    let limits = call.dav.limits();
    let depth = Depth::of(headers)?.unwrap_or(limits.absent_depth);
    let root = read_xml(call.dav, body).await?;
    let request = PropertyRequest::of_propfind(root.as_ref())?;
    let selection = Selection::new(call.dav, &request, prefer::is_minimal(headers));
    let leaves_root_out = prefer::leaves_root_out(headers);
    let mut listing = Listing::open(&call, depth, selection, leaves_root_out).await?;
    if depth == Depth::Infinity && listing.is_of_folder() && !limits.has_infinite_propfind {
        return Err(Error::finite_depth_only());
    }
    if depth == Depth::One && call.path.is_root() {
        for extension in call.dav.extensions() {
            if let Some(members) = extension.more_members(&call) {
                let members = members.await?;
                listing.add(&request, prefer::is_minimal(headers), &members);
            }
        }
    }
    let mut response = paged::respond(listing, limits.whole_answer_bytes).await?;
    let headers = response.headers_mut();
    if leaves_root_out {
        headers.insert("preference-applied", HeaderValue::from_static("depth-noroot"));
    }
    headers.insert(VARY, HeaderValue::from_static("Brief,Prefer"));
    headers.insert(answer::DAV, call.dav.0.dav_header.clone());
    Ok(response)
}
