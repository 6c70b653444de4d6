//! MKCOL and extended MKCOL: create a collection, optionally with properties. RFC 4918 §9.3, RFC 5689.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use nichoir_store::Error as StoreError;
use nichoir_store::change::{DeadPropertyPatch, MakeFolder, PatchProperties};
use nichoir_xml::{Element, dav};

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
    let steps = root.as_ref().map(steps_of).transpose()?.unwrap_or_default();
    let conditions = conditions::of(&call)?;
    if call.path.is_root() {
        return Err(exists());
    }
    check_name(call.dav, call.path)?;
    let mut patch = PatchProperties::default();
    let failed = proppatch::prepare(call.dav, &steps, &mut patch);
    if failed.iter().any(Option::is_some) {
        return Ok(refused(&call, &steps, &failed));
    }
    let dead_properties = patch.dead.into_iter().filter_map(|step| match step {
        DeadPropertyPatch::Set(property) => Some(property),
        DeadPropertyPatch::Remove { .. } => None,
    });
    let change = MakeFolder { path: call.path.clone(), dead_properties: dead_properties.collect(), conditions };
    let written = call.caller.tree.apply(change).await.map_err(|error| match error {
        StoreError::Exists | StoreError::IsACollection => exists(),
        error => error.into(),
    })?;
    Ok(answer::written(&call, true, &Answered::of(&call, &written.node)))
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

/// The properties to set, without `DAV:resourcetype`, which may only say "collection" here.
fn steps_of(root: &Element) -> Result<Vec<Step<'_>>, Error> {
    let mut steps = proppatch::steps_of(root)?;
    for step in &steps {
        if step.name() == &dav::RESOURCETYPE && !is_plain_collection(step.value()) {
            return Err(
                Error::forbidden("Only plain collections can be made here.").with_condition(dav::VALID_RESOURCETYPE)
            );
        }
    }
    steps.retain(|step| step.name() != &dav::RESOURCETYPE);
    Ok(steps)
}

fn is_plain_collection(value: Option<&Element>) -> bool {
    value.is_some_and(|element| {
        let mut types = element.elements();
        types.next().is_some_and(|first| first.name == dav::COLLECTION) && types.next().is_none()
    })
}

/// RFC 5689 §3: nothing was made; which property is to blame.
fn refused(call: &Call<'_>, steps: &[Step<'_>], failed: &[Option<Error>]) -> Response {
    let mut body = Multistatus::with_root(&dav::MKCOL_RESPONSE);
    proppatch::write_outcome(call, steps, failed, body.writer());
    answer::xml(StatusCode::FORBIDDEN, body.finish())
}

fn exists() -> Error {
    Error::method_not_allowed("The resource exists already.", METHODS)
}
