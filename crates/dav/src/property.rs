//! Live properties: a row each. RFC 4918 §4.2 and §15; dead ones need no row.
//!
//! A row's function is pure: what it looks at was loaded for the whole page, by the `needs` of the rows asked for.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use nichoir_auth::Caller;
use nichoir_store::change::{DeadPropertyPatch, PatchProperties};
use nichoir_store::{DeadProperty, Etag, Needs, Node, Quota, Timestamp};
use nichoir_xml::{Element, Name, Tag, Writer, dav};

use crate::Dav;
use crate::error::Error;
use crate::target::Mount;

/// The resource whose properties are read.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// The engine, for what it supports.
    pub dav: &'a Dav,
    /// Who asks.
    pub caller: &'a Caller,
    /// The mount that the request came through.
    pub mount: &'a Mount,
    /// The node, with what the rows' needs asked for.
    pub node: &'a Node,
    /// The pool, loaded with [`Needs::QUOTA`].
    pub quota: Option<Quota>,
    /// How far back the change log reaches, loaded when `DAV:sync-token` is asked for.
    pub log_floor: Option<i64>,
    /// What a report made of the member's content.
    pub rendered: Option<&'a str>,
}

/// A property's value, written without being copied where possible.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// An empty element.
    Empty,
    /// Text.
    Text(Cow<'a, str>),
    /// A number.
    Number(u64),
    /// A number that may be negative.
    Signed(i64),
    /// An entity tag with its quotes.
    Etag(Etag),
    /// A date as in HTTP: `Mon, 02 Jun 2025 08:15:30 GMT`.
    HttpDate(Timestamp),
    /// A date as in RFC 3339: `2025-06-02T08:15:30Z`.
    InternetDate(Timestamp),
    /// `true` or `false`.
    Truth(bool),
    /// A `DAV:href`, already encoded.
    Href(Cow<'a, str>),
    /// Text that this function appends.
    Appended(fn(&Resource<'_>, &mut String)),
    /// The whole element, as a self-contained fragment.
    Fragment(Cow<'a, str>),
    /// Elements that this function writes.
    Elements(fn(&Resource<'_>, &mut Writer)),
}

impl<'a> Value<'a> {
    /// Text, borrowed or owned.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Value<'a> {
        Value::Text(text.into())
    }

    /// Writes the element of `tag` with this value; `text` is room to format in.
    pub(crate) fn write(self, tag: &Tag, resource: &Resource<'_>, writer: &mut Writer, text: &mut String) {
        text.clear();
        match self {
            Value::Empty => return writer.text_in(tag, ""),
            Value::Text(value) => return writer.text_in(tag, &value),
            Value::Truth(value) => return writer.plain_in(tag, if value { "true" } else { "false" }),
            Value::Number(number) => return writer.plain_in(tag, itoa::Buffer::new().format(number)),
            Value::Signed(number) => return writer.plain_in(tag, itoa::Buffer::new().format(number)),
            Value::Href(href) => {
                writer.open(tag.name());
                writer.text_element(&dav::HREF, &href);
                return writer.close();
            }
            Value::Fragment(fragment) => return writer.fragment(&fragment),
            Value::Elements(write) => {
                writer.open(tag.name());
                write(resource, writer);
                return writer.close();
            }
            Value::Etag(etag) => {
                text.push('"');
                etag.append_to(text);
                text.push('"');
            }
            Value::HttpDate(instant) => append_http_date(text, instant),
            Value::InternetDate(instant) => append_internet_date(text, instant),
            Value::Appended(append) => {
                append(resource, text);
                return writer.text_in(tag, text);
            }
        }
        writer.plain_in(tag, text);
    }
}

/// Dead properties of this namespace are the server's own notes: never told, never set by a client.
pub const INTERNAL: &str = "urn:nichoir:internal";

/// The last second of the year 9999: what both date forms can say.
const LAST_SECOND: i64 = 253_402_300_799;

/// An instant as `Last-Modified` and `DAV:getlastmodified` have it; before 1970 becomes 1970.
pub fn http_date(instant: Timestamp) -> httpdate::HttpDate {
    let seconds = instant.seconds().clamp(0, LAST_SECOND).unsigned_abs();
    httpdate::HttpDate::from(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// How long that is.
pub(crate) const HTTP_DATE_BYTES: usize = 29;

/// Appends `Mon, 02 Jun 2025 08:15:30 GMT`.
pub(crate) fn append_http_date(text: &mut String, instant: Timestamp) {
    // Writing into a String cannot fail.
    let _ = write!(text, "{}", http_date(instant));
}

/// Appends `2025-06-02T08:15:30Z`.
fn append_internet_date(text: &mut String, instant: Timestamp) {
    let date = chrono::DateTime::from_timestamp(instant.seconds().clamp(0, LAST_SECOND), 0).unwrap_or_default();
    let _ = write!(text, "{}", date.format("%Y-%m-%dT%H:%M:%SZ"));
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Value::Number(number)
    }
}

/// Reads a live property; `None` where the resource does not have it (404 in the propstat).
pub type Read = for<'a> fn(&Resource<'a>) -> Option<Value<'a>>;
/// Turns a PROPPATCH step into a field of the change: the element to set, or `None` to remove.
pub type Write = fn(Option<&Element>, &mut PatchProperties) -> Result<(), Error>;

/// A row of a property table.
#[derive(Clone, Debug)]
pub struct Property {
    pub(crate) name: Name,
    pub(crate) is_in_allprop: bool,
    pub(crate) needs: Needs,
    pub(crate) read: Read,
    pub(crate) write: Option<Write>,
}

impl Property {
    /// A live property that nothing can be read of yet; protected until [`Property::write`] says otherwise.
    pub const fn live(name: Name) -> Property {
        Property { name, is_in_allprop: false, needs: Needs::NONE, read: absent, write: None }
    }

    /// Listed by `allprop`.
    #[must_use]
    pub const fn in_allprop(mut self) -> Property {
        self.is_in_allprop = true;
        self
    }

    /// What has to be loaded with the node.
    #[must_use]
    pub const fn needs(mut self, needs: Needs) -> Property {
        self.needs = needs;
        self
    }

    /// How it is read.
    #[must_use]
    pub const fn read(mut self, read: Read) -> Property {
        self.read = read;
        self
    }

    /// How it is written.
    #[must_use]
    pub const fn write(mut self, write: Write) -> Property {
        self.write = Some(write);
        self
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }
}

fn absent<'a>(_: &Resource<'a>) -> Option<Value<'a>> {
    None
}

/// What a client stored under `name`, for live properties whose value is the client's; needs
/// [`Needs::DEAD_PROPERTIES`].
pub fn stored<'a>(it: &Resource<'a>, name: &Name) -> Option<Value<'a>> {
    it.node.dead_property(&name.namespace, &name.local).map(|property| Value::Fragment((&*property.xml).into()))
}

/// The text of what a client stored under `name`; needs [`Needs::DEAD_PROPERTIES`].
pub fn stored_text(node: &Node, name: &Name) -> Option<String> {
    node.dead_property(&name.namespace, &name.local).and_then(text_of)
}

fn text_of(property: &DeadProperty) -> Option<String> {
    let limits = nichoir_xml::Limits { request_xml_bytes: property.xml.len(), ..nichoir_xml::Limits::default() };
    nichoir_xml::read(property.xml.as_bytes(), &limits).ok().map(|element| element.text())
}

/// The name of a collection: as the caller called it; else as its owner calls it, or `otherwise`, with the owner's name
/// behind it if that is somebody else, so that two collections of one name can be told apart. Needs
/// [`Needs::DEAD_PROPERTIES`].
pub fn display_name<'a>(it: &Resource<'a>, otherwise: impl FnOnce() -> Cow<'a, str>) -> Value<'a> {
    let is_own = |property: &DeadProperty| property.local == "displayname" && property.namespace == dav::NAMESPACE;
    let shared = it.node.access.as_ref().filter(|_| it.node.collection.is_some());
    let is_own_choice = it.node.mount.as_ref().is_some_and(|mount| mount.own_properties.iter().any(is_own));
    match shared.filter(|_| !is_own_choice) {
        None => stored(it, &dav::DISPLAYNAME).unwrap_or_else(|| Value::Text(otherwise())),
        Some(access) => {
            let name = stored_text(it.node, &dav::DISPLAYNAME).unwrap_or_else(|| otherwise().into_owned());
            Value::text(format!("{name} ({})", access.owner_display_name))
        }
    }
}

/// Keeps the element, or forgets what was kept, as a dead property of that name.
pub fn keep(name: &Name, element: Option<&Element>, patch: &mut PatchProperties) {
    let (namespace, local) = (name.namespace.to_string(), name.local.to_string());
    patch.dead.push(match element {
        Some(element) => DeadPropertyPatch::Set(DeadProperty { namespace, local, xml: element.to_fragment() }),
        None => DeadPropertyPatch::Remove { namespace, local },
    });
}
