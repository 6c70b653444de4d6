//! expand-property: properties of a resource, and properties of what its href properties lead to, in one answer.
//! RFC 3253 §3.8. The only resources that a node's properties lead to are the caller's principal and the collection
//! that holds it.

use http::StatusCode;
use nichoir_store::{Needs, Node};
use nichoir_xml::{Element, Name, Writer, dav};

use super::ReportCall;
use crate::answer;
use crate::error::Error;
use crate::href;
use crate::multistatus::{Multistatus, status_line};
use crate::property::{Resource, Value};
use crate::request::Response;
use crate::selection::PropertyRequest;
use crate::virtual_resource::VirtualResource;

/// A `DAV:property` element: a name, and what is wanted of the resource that it leads to.
#[derive(Debug)]
struct Wanted {
    name: Name,
    nested: Vec<Name>,
}

pub(super) async fn answer(call: ReportCall) -> Result<Response, Error> {
    let wanted = call.root.children(&dav::PROPERTY).map(Wanted::of).collect::<Result<Vec<_>, _>>()?;
    let rows = wanted.iter().filter_map(|it| call.dav.0.properties.get(&it.name));
    let needs = rows.fold(Needs::DEAD_PROPERTIES, |needs, row| needs | row.needs);
    let tree = &call.caller.tree;
    let log_floor = Some(tree.log_floor().await?);
    let node = tree.node(&call.path, needs).await?;
    let quota = if needs.includes(Needs::QUOTA) { Some(tree.quota().await?) } else { None };
    let resource = Resource {
        dav: &call.dav,
        caller: &call.caller,
        mount: &call.mount,
        node: &node,
        quota,
        log_floor,
        rendered: None,
    };
    let mut body = Multistatus::new();
    let writer = body.writer();
    writer.open(&dav::RESPONSE);
    writer.text_element(&dav::HREF, &href::of(&call.mount.prefix, &call.path, node.is_folder()));
    write(&wanted, &resource, writer);
    writer.close();
    Ok(answer::xml(StatusCode::MULTI_STATUS, body.finish()))
}

impl Wanted {
    fn of(element: &Element) -> Result<Wanted, Error> {
        let name = name_of(element)?;
        let nested = element.children(&dav::PROPERTY).map(name_of).collect::<Result<Vec<_>, _>>()?;
        Ok(Wanted { name, nested })
    }
}

/// The attributes `name` and `namespace`, of which the latter is `DAV:` by default.
fn name_of(element: &Element) -> Result<Name, Error> {
    let attribute = |local: &'static str| element.attribute(&Name::new("", local));
    let local = attribute("name").filter(|local| !local.is_empty());
    let local = local.ok_or_else(|| Error::bad_request("A DAV:property element has no name."))?;
    Ok(Name::owned(attribute("namespace").unwrap_or(dav::NAMESPACE), local))
}

fn write(wanted: &[Wanted], resource: &Resource<'_>, writer: &mut Writer) {
    let mut missing = Vec::new();
    let mut text = String::new();
    writer.open(&dav::PROPSTAT);
    writer.open(&dav::PROP);
    for it in wanted {
        let value = resource.dav.0.properties.get(&it.name).and_then(|row| (row.read)(resource));
        match value {
            Some(Value::Href(href)) if !it.nested.is_empty() => write_expanded(it, &href, resource, writer),
            Some(value) => value.write(&it.name, resource, writer, &mut text),
            None => match dead_fragment(resource.node, &it.name) {
                Some(fragment) => writer.fragment(fragment),
                None => missing.push(&it.name),
            },
        }
    }
    writer.close();
    writer.text_element(&dav::STATUS, status_line(StatusCode::OK));
    writer.close();
    if missing.is_empty() {
        return;
    }
    writer.open(&dav::PROPSTAT);
    writer.open(&dav::PROP);
    missing.iter().for_each(|name| writer.empty(name));
    writer.close();
    writer.text_element(&dav::STATUS, status_line(StatusCode::NOT_FOUND));
    writer.close();
}

fn dead_fragment<'n>(node: &'n Node, name: &Name) -> Option<&'n str> {
    let found = node.dead_properties.iter().find(|dead| dead.local == name.local && dead.namespace == name.namespace);
    found.map(|dead| dead.xml.as_str())
}

/// The href property with a `DAV:response` in place of its href.
fn write_expanded(wanted: &Wanted, href: &str, resource: &Resource<'_>, writer: &mut Writer) {
    let mount = resource.mount;
    let target = if href == &*mount.principal {
        VirtualResource::principal(href, &resource.caller.account.display_name)
    } else {
        VirtualResource::collection(href, "principals")
    };
    let target = target.with_principal(&mount.principal, &mount.principals);
    writer.open(&wanted.name);
    resource.dav.write_virtual(&target, &PropertyRequest::Prop(wanted.nested.clone()), false, writer);
    writer.close();
}
