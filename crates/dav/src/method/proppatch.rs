//! PROPPATCH: set and remove properties, all or nothing. RFC 4918 §9.2.

use http::StatusCode;
use http::header::VARY;
use nichoir_store::change::PatchProperties;
use nichoir_xml::{Element, Name, Writer, dav};

use super::read_xml;
use crate::Dav;
use crate::answer;
use crate::conditions;
use crate::error::Error;
use crate::header::prefer;
use crate::href;
use crate::multistatus::{Multistatus, status_line};
use crate::property;
use crate::request::{Body, Response};
use crate::target::Call;

pub(crate) async fn proppatch(call: Call<'_>, body: Body) -> Result<Response, Error> {
    let root = read_xml(call.dav, body).await?;
    let root = root.filter(|root| root.name == dav::PROPERTYUPDATE);
    let root = root.ok_or_else(|| Error::bad_request("The body of a PROPPATCH is a DAV:propertyupdate element."))?;
    let steps = steps_of(&root);
    if steps.is_empty() {
        return Err(Error::bad_request("No property is set or removed."));
    }
    let mut patch = PatchProperties::default();
    let mut failed = prepare(call.dav, &steps, &mut patch);
    check_values(call, &steps, &mut failed).await;
    let has_failed = failed.iter().any(Option::is_some);
    if has_failed {
        // Whether there is such a resource, and whether the caller may know of it, comes first.
        call.caller.tree.node(call.path, nichoir_store::Needs::NONE).await?;
    } else {
        patch.path = call.path.clone();
        patch.conditions = conditions::of(&call)?;
        call.caller.tree.apply(patch).await?;
    }
    let mut response = if !has_failed && prefer::is_minimal(&call.parts.headers) {
        // RFC 8144 §2.1 leaves 200 and 204 open; CalDAVTester wants 200.
        answer::bare(StatusCode::OK)
    } else {
        answer::xml(StatusCode::MULTI_STATUS, outcome(&call, &steps, &failed).await?)
    };
    response.headers_mut().insert(VARY, http::HeaderValue::from_static("Brief,Prefer"));
    Ok(response)
}

/// One property of a PROPPATCH or extended MKCOL.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// To be set to what the element holds.
    Set(&'a Element),
    /// To be removed.
    Remove(&'a Element),
}

impl<'a> Step<'a> {
    /// Its name.
    pub fn name(self) -> &'a Name {
        let (Step::Set(element) | Step::Remove(element)) = self;
        &element.name
    }

    /// What it is set to; `None`: it is removed.
    pub fn value(self) -> Option<&'a Element> {
        match self {
            Step::Set(element) => Some(element),
            Step::Remove(_) => None,
        }
    }
}

/// The steps in document order, which is the order that they are carried out in.
pub fn steps_of(root: &Element) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for instruction in root.elements() {
        let step = if instruction.name == dav::SET {
            Step::Set as fn(_) -> _
        } else if instruction.name == dav::REMOVE {
            Step::Remove
        } else {
            continue;
        };
        for prop in instruction.elements().filter(|element| element.name == dav::PROP) {
            steps.extend(prop.elements().map(step));
        }
    }
    steps
}

/// Fills the change; beside each step, why it cannot be done. All must be `None` for the change to be applied.
pub(crate) fn prepare(dav: &Dav, steps: &[Step<'_>], patch: &mut PatchProperties) -> Vec<Option<Error>> {
    steps.iter().map(|step| prepare_step(dav, *step, patch).err()).collect()
}

fn prepare_step(dav: &Dav, step: Step<'_>, patch: &mut PatchProperties) -> Result<(), Error> {
    let name = step.name();
    if let Some(row) = dav.0.properties.get(name) {
        return match row.write {
            Some(write) => write(step.value(), patch),
            None => Err(Error::protected_property()),
        };
    }
    if name.is_in(property::INTERNAL) || dav.extensions().any(|extension| extension.reserves_property(name)) {
        return Err(Error::protected_property());
    }
    property::keep(name, step.value(), patch);
    Ok(())
}

/// Has the extensions look at the values that seem good so far.
async fn check_values(call: Call<'_>, steps: &[Step<'_>], failed: &mut [Option<Error>]) {
    for (step, failed) in steps.iter().zip(failed.iter_mut()) {
        let Some(element) = step.value().filter(|_| failed.is_none()) else { continue };
        for extension in call.dav.extensions() {
            if let Some(checking) = extension.check_property(call, element) {
                *failed = checking.await.err();
            }
        }
    }
}

async fn outcome(call: &Call<'_>, steps: &[Step<'_>], failed: &[Option<Error>]) -> Result<bytes::Bytes, Error> {
    let node = call.caller.tree.node(call.path, nichoir_store::Needs::NONE).await?;
    let mut body = Multistatus::new();
    let writer = body.writer();
    writer.open(&dav::RESPONSE);
    writer.text_element(&dav::HREF, &href::of(&call.mount.prefix, call.path, node.is_folder()));
    write_outcome(call, steps, failed, writer);
    writer.close();
    Ok(body.finish())
}

/// The propstat elements: 200 for all, or each failure by itself and 424 for the rest.
pub fn write_outcome(call: &Call<'_>, steps: &[Step<'_>], failed: &[Option<Error>], writer: &mut Writer) {
    for (step, error) in steps.iter().zip(failed) {
        let Some(error) = error else { continue };
        writer.open(&dav::PROPSTAT);
        write_names([step.name()], writer);
        writer.text_element(&dav::STATUS, status_line(error.status()));
        if error.condition().is_some() {
            writer.open(&dav::ERROR);
            call.dav.write_error(error, Some(call.mount), writer);
            writer.close();
        }
        writer.close();
    }
    let mut rest: Vec<&Name> = Vec::new();
    for (step, error) in steps.iter().zip(failed) {
        if error.is_none() && !rest.contains(&step.name()) {
            rest.push(step.name());
        }
    }
    if rest.is_empty() {
        return;
    }
    let has_failed = failed.iter().any(Option::is_some);
    writer.open(&dav::PROPSTAT);
    write_names(rest, writer);
    let status = if has_failed { StatusCode::FAILED_DEPENDENCY } else { StatusCode::OK };
    writer.text_element(&dav::STATUS, status_line(status));
    writer.close();
}

fn write_names<'a>(names: impl IntoIterator<Item = &'a Name>, writer: &mut Writer) {
    writer.open(&dav::PROP);
    for name in names {
        writer.empty(name);
    }
    writer.close();
}
