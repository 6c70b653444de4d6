//! MKCOL and extended MKCOL: create a collection, optionally with properties. RFC 4918 §9.3, RFC 5689.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use nichoir_store::change::{DeadPropertyPatch, MakeFolder, PatchProperties};
use nichoir_store::{CollectionKind, Error as StoreError};
use nichoir_xml::{Element, Name, dav};

use super::proppatch::{self, Step};
use super::{check_name, read_xml};
use crate::answer::{self, METHODS};
use crate::conditions;
use crate::error::Error;
use crate::extension::Answered;
use crate::multistatus::Multistatus;
use crate::request::{Body, Response};
use crate::target::Call;

pub(crate) async fn mkcol(call: Call<'_>, body: Body) -> Result<Response, Error> {
    let root = read_body(&call, body).await?;
    make(&call, root.as_ref(), None, &dav::MKCOL_RESPONSE).await
}

/// Makes the collection that `root` describes, whole or not at all: MKCOL, and what is like it (MKCALENDAR). `kind` is
/// what it is when the properties do not say; `response` the name of the root element of a refusal.
///
/// # Errors
/// Why nothing was made.
pub async fn make(
    call: &Call<'_>,
    root: Option<&Element>,
    kind: Option<CollectionKind>,
    response: &Name,
) -> Result<Response, Error> {
    // A DAV:set may hold an empty DAV:prop, as python-caldav sends it; a body without any set asks for nothing (RFC 5689 §5.1).
    if root.is_some_and(|root| root.child(&dav::SET).is_none()) {
        return Err(Error::bad_request("No property is set."));
    }
    let steps = root.map(proppatch::steps_of).unwrap_or_default();
    let kind = kind_of(call, &steps)?.or(kind);
    let conditions = conditions::of(call)?;
    // RFC 4918 §9.3.1 wants 405 of MKCOL; RFC 4791 §5.3.1.1 the precondition, which is 403 or 409.
    let exists = || match *response == dav::MKCOL_RESPONSE {
        true => exists(),
        false => exists().with_status(StatusCode::FORBIDDEN),
    };
    if call.path.is_root() {
        return Err(exists());
    }
    check_name(call.dav, call.path)?;
    // What these two say is in the kind already.
    let steps: Vec<Step<'_>> = steps.into_iter().filter(|step| !says_kind(call, step.name())).collect();
    let mut patch = PatchProperties::default();
    let failed = proppatch::prepare(call.dav, &steps, &mut patch);
    if failed.iter().any(Option::is_some) {
        return Ok(refused(call, &steps, &failed, response));
    }
    let dead_properties = patch.dead.into_iter().filter_map(|step| match step {
        DeadPropertyPatch::Set(property) => Some(property),
        DeadPropertyPatch::Remove { .. } => None,
    });
    let change = MakeFolder { path: call.path.clone(), dead_properties: dead_properties.collect(), kind, conditions };
    let written = call.caller.tree.apply(change).await.map_err(|error| match error {
        StoreError::Exists | StoreError::IsACollection => exists(),
        error => error.into(),
    })?;
    let mut answer = answer::written(call, true, &Answered::of(call, &written.node));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(answer)
}

/// The `DAV:mkcol` element; any other body is one that is not understood (RFC 4918 §9.3: 415).
async fn read_body(call: &Call<'_>, body: Body) -> Result<Option<Element>, Error> {
    use http_body::Body as _;
    if body.is_end_stream() {
        return Ok(None);
    }
    let media_type = call.parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_xml = media_type.is_none_or(|text| {
        let text = text.split(';').next().unwrap_or_default().trim();
        text.eq_ignore_ascii_case("application/xml") || text.eq_ignore_ascii_case("text/xml")
    });
    let unknown = || Error::unsupported_media_type("The body of a MKCOL is a DAV:mkcol element, if any.");
    if !is_xml {
        return Err(unknown());
    }
    let root = read_xml(call.dav, body).await.map_err(|error| match media_type {
        Some(_) => error,
        None => unknown(),
    })?;
    if root.as_ref().is_some_and(|root| root.name != dav::MKCOL) {
        return Err(unknown());
    }
    Ok(root)
}

/// What `DAV:resourcetype` asks for; `None` for a plain collection.
fn kind_of(call: &Call<'_>, steps: &[Step<'_>]) -> Result<Option<CollectionKind>, Error> {
    let values = || steps.iter().filter_map(|step| step.value());
    let Some(told) = values().find(|value| value.name == dav::RESOURCETYPE) else { return Ok(None) };
    let types: Vec<&Name> =
        told.elements().map(|element| &element.name).filter(|name| **name != dav::COLLECTION).collect();
    let properties: Vec<&Element> = values().collect();
    for extension in call.dav.extensions() {
        if let Some(kind) = extension.collection_kind(&types, &properties)? {
            return Ok(Some(kind));
        }
    }
    if types.is_empty() && told.elements().next().is_some() {
        return Ok(None);
    }
    Err(Error::forbidden("Collections of this type cannot be made here.").with_condition(dav::VALID_RESOURCETYPE))
}

/// Whether the property is part of what the collection is, rather than kept with it.
fn says_kind(call: &Call<'_>, name: &Name) -> bool {
    *name == dav::RESOURCETYPE || call.dav.extensions().any(|extension| extension.says_kind(name))
}

/// RFC 5689 §3: nothing was made; which property is to blame.
fn refused(call: &Call<'_>, steps: &[Step<'_>], failed: &[Option<Error>], response: &Name) -> Response {
    let mut body = Multistatus::with_root(response);
    proppatch::write_outcome(call, steps, failed, body.writer());
    // RFC 5689 §3 leaves the status open; RFC 4791 §5.3.1 has 207.
    let status = if *response == dav::MKCOL_RESPONSE { StatusCode::FORBIDDEN } else { StatusCode::MULTI_STATUS };
    answer::xml(status, body.finish())
}

fn exists() -> Error {
    Error::method_not_allowed("The resource exists already.", METHODS).with_condition(dav::RESOURCE_MUST_BE_NULL)
}
