//! POST to a collection of a calendar or address book home: what the extensions know, such as a request in XML, else a
//! new member whose name the server chooses (RFC 5995).

use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue};
use nichoir_store::{CollectionKind, Needs, NodePath};

use super::{of_an_extension_or, put_member, read_xml};
use crate::answer::METHODS;
use crate::error::Error;
use crate::href;
use crate::request::{Body, Response};
use crate::target::Call;

pub(super) async fn post(call: Call<'_>, body: Body) -> Result<Response, Error> {
    let body = match of_an_extension_or(&call, body) {
        Ok(answering) => return answering.await,
        Err(body) => body,
    };
    if is_xml(&call.parts.headers) {
        let root = read_xml(call.dav, body).await?.ok_or_else(|| Error::bad_request("The body is empty."))?;
        let answering = call.dav.extensions().find_map(|extension| extension.post(&call, &root));
        return answering.ok_or_else(Error::not_implemented)?.await;
    }
    let collection = call.caller.tree.node(call.path, Needs::NONE).await?;
    let ending = match collection.collection.as_deref() {
        Some(CollectionKind::Calendar(_)) => "ics",
        Some(CollectionKind::AddressBook) => "vcf",
        _ => return Err(Error::method_not_allowed("Nothing can be posted here.", METHODS)),
    };
    let random: [u8; 16] = call.caller.space.ports().bytes();
    let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let path: NodePath = call.path.child(&format!("{name}.{ending}"));
    let bytes = put_member::read_member(&call, body).await?;
    let written = put_member::store(&call, path.clone(), bytes.clone()).await?;
    let place = href::of(&call.mount.prefix, &path, false);
    let mut response = put_member::answer(&call, written, bytes, Some(place.clone()))?;
    if let Ok(value) = HeaderValue::try_from(place) {
        response.headers_mut().insert(LOCATION, value);
    }
    Ok(response)
}

/// Whether the body is said to be an XML document rather than a member.
fn is_xml(headers: &HeaderMap) -> bool {
    let told = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let told = told.split(';').next().unwrap_or_default().trim();
    ["application/xml", "text/xml", "application/davsharing+xml"].iter().any(|xml| xml.eq_ignore_ascii_case(told))
}
