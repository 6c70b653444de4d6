//! expand-property: properties of a resource, and properties of the principals that its href properties lead to, in one
//! answer. RFC 3253 §3.8.

use http::StatusCode;
use nichoir_auth::Caller;
use nichoir_store::Needs;
use nichoir_xml::{Element, Name, Tag, Writer, dav};

use super::ReportCall;
use crate::Dav;
use crate::answer;
use crate::error::Error;
use crate::href;
use crate::multistatus::{Multistatus, status_line, write_missing};
use crate::property::{self, Resource};
use crate::request::Response;
use crate::target::Mount;
use crate::virtual_resource::VirtualResource;

/// Resources inside resources.
const NESTING_MAX: usize = 4;
/// Resources in one answer.
const RESOURCES_MAX: usize = 1_000;

/// A `DAV:property` element: a name, and what is wanted of the resources that it leads to.
#[derive(Debug)]
struct Wanted {
    name: Name,
    nested: Vec<Wanted>,
}

impl Wanted {
    fn all_of(element: &Element, depth: usize) -> Result<Vec<Wanted>, Error> {
        if depth > NESTING_MAX {
            return Err(Error::bad_request("The properties are nested too deeply."));
        }
        let of =
            |element: &Element| Ok(Wanted { name: name_of(element)?, nested: Wanted::all_of(element, depth + 1)? });
        element.children(&dav::PROPERTY).map(of).collect()
    }
}

/// The attributes `name` and `namespace`, of which the latter is `DAV:` by default.
fn name_of(element: &Element) -> Result<Name, Error> {
    let attribute = |local: &'static str| element.attribute(&Name::new("", local));
    let local = attribute("name").filter(|local| !local.is_empty());
    let local = local.ok_or_else(|| Error::bad_request("A DAV:property element has no name."))?;
    Ok(Name::owned(attribute("namespace").unwrap_or(dav::NAMESPACE), local))
}

/// What the report looks at: where hrefs may lead to, and how much may still be told.
struct Expansion {
    principals: Vec<VirtualResource>,
    limits: nichoir_xml::Limits,
    room: usize,
}

pub(super) async fn answer(call: ReportCall) -> Result<Response, Error> {
    let wanted = Wanted::all_of(&call.root, 0)?;
    let rows = wanted.iter().filter_map(|it| call.dav.0.properties.get(&it.name));
    let needs = rows.fold(Needs::DEAD_PROPERTIES, |needs, row| needs | row.needs);
    let tree = &call.caller.tree;
    let log_floor = Some(tree.log_floor().await?);
    let node = tree.node(&call.path, needs).await?;
    let quota = if needs.includes(Needs::QUOTA) { Some(tree.quota().await?) } else { None };
    let resource = call.resource(&node, quota, log_floor);
    let own = href::of(&call.mount.prefix, &call.path, node.is_folder());
    let mut expansion = Expansion::new(&call.dav, &call.caller, &call.mount).await?;
    expansion.answer(&own, &wanted, &|name| of_node(name, &resource))
}

/// The same of a principal or a fixed collection.
pub(crate) async fn of_virtual(
    dav: &Dav,
    caller: &Caller,
    mount: &Mount,
    resource: &VirtualResource,
    root: &Element,
) -> Result<Response, Error> {
    let wanted = Wanted::all_of(root, 0)?;
    let mut expansion = Expansion::new(dav, caller, mount).await?;
    expansion.answer(resource.href(), &wanted, &|name| resource.fragment(name))
}

/// The property as XML that stands for itself.
fn of_node(name: &Name, resource: &Resource<'_>) -> Option<String> {
    let found = resource.dav.0.properties.get(name).and_then(|row| (row.read)(resource));
    let value = found.or_else(|| property::stored(resource, name))?;
    let (mut writer, mut text) = (Writer::new(), String::new());
    value.write(&Tag::new(name.clone()), resource, &mut writer, &mut text);
    Some(String::from_utf8_lossy(&writer.take()).into_owned())
}

impl Expansion {
    async fn new(dav: &Dav, caller: &Caller, mount: &Mount) -> Result<Expansion, Error> {
        let principals = dav.principals(caller, mount).await?;
        Ok(Expansion { principals, limits: dav.limits().xml, room: RESOURCES_MAX })
    }

    fn answer(
        &mut self,
        own: &str,
        wanted: &[Wanted],
        value_of: &dyn Fn(&Name) -> Option<String>,
    ) -> Result<Response, Error> {
        let mut body = Multistatus::new();
        self.write_response(own, wanted, value_of, body.writer());
        Ok(answer::xml(StatusCode::MULTI_STATUS, body.finish()))
    }

    fn write_response(
        &mut self,
        href: &str,
        wanted: &[Wanted],
        value_of: &dyn Fn(&Name) -> Option<String>,
        writer: &mut Writer,
    ) {
        writer.open(&dav::RESPONSE);
        writer.text_element(&dav::HREF, href);
        writer.open(&dav::PROPSTAT);
        writer.open(&dav::PROP);
        let mut missing: Vec<&Name> = Vec::new();
        for it in wanted {
            match value_of(&it.name) {
                None => missing.push(&it.name),
                Some(fragment) if it.nested.is_empty() => writer.fragment(&fragment),
                Some(fragment) => self.write_expanded(it, &fragment, writer),
            }
        }
        writer.close();
        writer.text_element(&dav::STATUS, status_line(StatusCode::OK));
        writer.close();
        write_missing(missing, writer);
        writer.close();
    }

    /// The property with a `DAV:response` in place of each of its hrefs.
    fn write_expanded(&mut self, wanted: &Wanted, fragment: &str, writer: &mut Writer) {
        let Ok(element) = nichoir_xml::read(fragment.as_bytes(), &self.limits) else {
            return writer.fragment(fragment);
        };
        writer.open(&wanted.name);
        for child in element.elements() {
            if child.name != dav::HREF {
                writer.element(child);
                continue;
            }
            let href = child.text();
            let Some(room) = self.room.checked_sub(1) else { continue };
            self.room = room;
            let is_it =
                |principal: &&VirtualResource| principal.href().trim_end_matches('/') == href.trim_end_matches('/');
            match self.principals.iter().find(is_it).cloned() {
                Some(principal) => {
                    self.write_response(&href, &wanted.nested, &|name| principal.fragment(name), writer);
                }
                None => {
                    writer.open(&dav::RESPONSE);
                    writer.text_element(&dav::HREF, &href);
                    writer.text_element(&dav::STATUS, status_line(StatusCode::NOT_FOUND));
                    writer.close();
                }
            }
        }
        writer.close();
    }
}
