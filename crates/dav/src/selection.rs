//! Which properties a PROPFIND or REPORT asks for, resolved once a request, and how they are written for each
//! resource. RFC 4918 §9.1, §14.20; RFC 8144 for `return=minimal`.

use std::sync::LazyLock;

use nichoir_store::{DeadProperty, Needs};
use nichoir_xml::{Element, Name, Tag, Writer, dav};

use crate::Dav;
use crate::error::Error;
use crate::multistatus::write_missing;
use crate::property::{INTERNAL, Property, Resource};

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PropertyRequest {
    /// `DAV:allprop`: what the tables list and every dead property, and these besides.
    AllProp {
        /// `DAV:include`.
        include: Vec<Name>,
    },
    /// `DAV:propname`: the names of what is there.
    PropName,
    /// `DAV:prop`: these.
    Prop(Vec<Name>),
}

impl PropertyRequest {
    /// The request of a PROPFIND body; no body means allprop.
    ///
    /// # Errors
    /// 400 for another root element or none of the three forms.
    pub fn of_propfind(root: Option<&Element>) -> Result<PropertyRequest, Error> {
        let Some(root) = root else { return Ok(PropertyRequest::AllProp { include: Vec::new() }) };
        if root.name != dav::PROPFIND {
            return Err(Error::bad_request("The body of a PROPFIND is a DAV:propfind element."));
        }
        PropertyRequest::child_of(root)?
            .ok_or_else(|| Error::bad_request("DAV:propfind holds neither prop nor propname nor allprop."))
    }

    /// The request that stands among the children of a REPORT's root element, if any.
    ///
    /// # Errors
    /// 400 for two of them.
    pub fn child_of(root: &Element) -> Result<Option<PropertyRequest>, Error> {
        let mut found = None;
        for element in root.elements() {
            let request = if element.name == dav::PROP {
                PropertyRequest::Prop(names_in(element))
            } else if element.name == dav::PROPNAME {
                PropertyRequest::PropName
            } else if element.name == dav::ALLPROP {
                let include = root.child(&dav::INCLUDE).map(names_in).unwrap_or_default();
                PropertyRequest::AllProp { include }
            } else {
                continue;
            };
            if found.replace(request).is_some() {
                return Err(Error::bad_request("Only one of prop, propname and allprop may be asked for."));
            }
        }
        Ok(found)
    }
}

/// The names of the elements in a `DAV:prop` or `DAV:include`, each once.
fn names_in(element: &Element) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for property in element.elements() {
        if !names.contains(&property.name) {
            names.push(property.name.clone());
        }
    }
    names
}

/// The rows behind a [`PropertyRequest`], looked up once and used for every resource of the answer.
#[derive(Clone, Debug)]
pub struct Selection {
    rows: Vec<Row>,
    has_all_dead: bool,
    has_names_only: bool,
    is_minimal: bool,
    needs: Needs,
    needs_log_floor: bool,
}

#[derive(Clone, Debug)]
struct Row {
    source: Source,
    tag: Tag,
    /// Asked for by name: told as 404 where it is absent.
    is_named: bool,
}

#[derive(Clone, Debug)]
enum Source {
    Live(&'static Property),
    /// By the name in the row's tag.
    Dead,
}

/// Room that writing one resource after the other uses again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    missing: Vec<usize>,
    text: String,
    /// What the last 404 propstat names, and how it was written: most resources of a listing lack the same properties.
    last_missing: (Vec<Name>, Vec<u8>),
}

static PROPSTAT: LazyLock<Tag> = LazyLock::new(|| Tag::new(dav::PROPSTAT));
static PROP: LazyLock<Tag> = LazyLock::new(|| Tag::new(dav::PROP));
static STATUS: LazyLock<Tag> = LazyLock::new(|| Tag::new(dav::STATUS));

impl Selection {
    /// Looks the names up. `is_minimal`: leave the 404 propstat out.
    pub fn new(dav: &Dav, request: &PropertyRequest, is_minimal: bool) -> Selection {
        let mut selection = Selection {
            rows: Vec::new(),
            has_all_dead: false,
            has_names_only: false,
            is_minimal,
            needs: Needs::NONE,
            needs_log_floor: false,
        };
        match request {
            PropertyRequest::Prop(names) => selection.add_named(dav, names),
            PropertyRequest::PropName => {
                selection.has_names_only = true;
                selection.add_all(&dav.0.live);
            }
            PropertyRequest::AllProp { include } => {
                selection.add_all(&dav.0.allprop);
                selection.add_named(dav, include);
            }
        }
        selection
    }

    /// What has to be loaded with each node.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// Whether `DAV:sync-token` is among what was asked for.
    pub fn needs_log_floor(&self) -> bool {
        self.needs_log_floor
    }

    fn add_all(&mut self, rows: &[&'static Property]) {
        self.has_all_dead = true;
        self.needs = self.needs | Needs::DEAD_PROPERTIES;
        for row in rows {
            self.add(Source::Live(row), row.name.clone(), false);
        }
    }

    fn add_named(&mut self, dav: &Dav, names: &[Name]) {
        for name in names {
            match dav.0.properties.get(name) {
                Some(row) => self.add(Source::Live(row), name.clone(), true),
                None => self.add(Source::Dead, name.clone(), true),
            }
        }
    }

    fn add(&mut self, source: Source, name: Name, is_named: bool) {
        match &source {
            Source::Live(row) => {
                if self.rows.iter().any(|other| matches!(&other.source, Source::Live(it) if it.name == row.name)) {
                    return;
                }
                self.needs = self.needs | row.needs;
                self.needs_log_floor |= row.name == dav::SYNC_TOKEN && (is_named || self.has_names_only);
            }
            Source::Dead => self.needs = self.needs | Needs::DEAD_PROPERTIES,
        }
        self.rows.push(Row { source, tag: Tag::new(name), is_named });
    }

    /// Writes the propstat elements of one resource: 200 first, then 404.
    pub(crate) fn write(&self, resource: &Resource<'_>, writer: &mut Writer, scratch: &mut Scratch) {
        scratch.missing.clear();
        let mut is_open = false;
        for (index, row) in self.rows.iter().enumerate() {
            let is_found = match &row.source {
                Source::Live(property) => {
                    self.write_live(property, &row.tag, resource, writer, &mut scratch.text, &mut is_open)
                }
                Source::Dead if row.tag.name().is_in(INTERNAL) => false,
                Source::Dead => self.write_dead_named(row.tag.name(), resource, writer, &mut is_open),
            };
            if !is_found && row.is_named {
                scratch.missing.push(index);
            }
        }
        if self.has_all_dead {
            for dead in &resource.node.dead_properties {
                if !self.names_dead(dead) && !is_live(resource.dav, dead) && dead.namespace != INTERNAL {
                    self.write_dead(dead, writer, &mut is_open);
                }
            }
        }
        if is_open {
            close_propstat(writer, "HTTP/1.1 200 OK");
        } else if scratch.missing.is_empty() || self.is_minimal {
            writer.start(&PROPSTAT);
            writer.text_in(&PROP, "");
            writer.text_in(&STATUS, "HTTP/1.1 200 OK");
            writer.end(&PROPSTAT);
        }
        if scratch.missing.is_empty() || self.is_minimal {
            return;
        }
        let missing = || scratch.missing.iter().map(|&index| self.rows[index].tag.name());
        let (last_missing, last_written) = &mut scratch.last_missing;
        if last_missing.iter().eq(missing()) {
            return writer.again(last_written);
        }
        let start = writer.len();
        write_missing(missing(), writer);
        *last_missing = missing().cloned().collect();
        *last_written = writer.written_from(start).to_vec();
    }

    fn write_live(
        &self,
        property: &Property,
        tag: &Tag,
        resource: &Resource<'_>,
        writer: &mut Writer,
        text: &mut String,
        is_open: &mut bool,
    ) -> bool {
        let Some(value) = (property.read)(resource) else { return false };
        open_propstat(writer, is_open);
        if self.has_names_only {
            writer.empty(tag.name());
        } else {
            value.write(tag, resource, writer, text);
        }
        true
    }

    fn write_dead_named(&self, name: &Name, resource: &Resource<'_>, writer: &mut Writer, is_open: &mut bool) -> bool {
        let found = resource.node.dead_property(&name.namespace, &name.local);
        if let Some(dead) = found {
            self.write_dead(dead, writer, is_open);
        }
        found.is_some()
    }

    fn write_dead(&self, dead: &DeadProperty, writer: &mut Writer, is_open: &mut bool) {
        open_propstat(writer, is_open);
        if self.has_names_only {
            let name = Name { namespace: dead.namespace.clone().into(), local: dead.local.clone().into() };
            writer.empty(&name);
        } else {
            writer.fragment(&dead.xml);
        }
    }

    fn names_dead(&self, dead: &DeadProperty) -> bool {
        self.rows.iter().any(|row| matches!(row.source, Source::Dead) && is_named(dead, row.tag.name()))
    }
}

/// Whether what is kept under that name is the value of a live property, which its row tells, or keeps to itself.
fn is_live(dav: &Dav, dead: &DeadProperty) -> bool {
    dav.0.live.iter().any(|row| is_named(dead, &row.name))
}

fn is_named(dead: &DeadProperty, name: &Name) -> bool {
    dead.local == name.local && dead.namespace == name.namespace
}

fn open_propstat(writer: &mut Writer, is_open: &mut bool) {
    if !*is_open {
        writer.start(&PROPSTAT);
        writer.start(&PROP);
        *is_open = true;
    }
}

fn close_propstat(writer: &mut Writer, status: &str) {
    writer.end(&PROP);
    writer.text_in(&STATUS, status);
    writer.end(&PROPSTAT);
}
