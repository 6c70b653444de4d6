//! From bytes to an [`Element`], within limits: no document type, no unbounded depth, number or size.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::attributes::Attribute as RawAttribute;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{QName, ResolveResult};
use quick_xml::reader::NsReader;

use crate::element::{Attribute, Child, Element};
use crate::error::Error;
use crate::name::Name;

/// What a request body may at most be; each is a setting of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a document.
    pub request_xml_bytes: usize,
    /// Elements inside each other.
    pub request_xml_depth: usize,
    /// Elements in a document.
    pub request_xml_elements: usize,
    /// Attributes (with namespace declarations) of one element.
    pub request_xml_attributes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            request_xml_bytes: 1024 * 1024,
            request_xml_depth: 64,
            request_xml_elements: 20_000,
            request_xml_attributes: 64,
        }
    }
}

/// The namespace of the `xml` prefix.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Reads a document.
///
/// # Errors
/// [`Error`]; time and memory are bounded by `limits` whatever the bytes.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Element, Error> {
    if bytes.len() > limits.request_xml_bytes {
        return Err(Error::TooLarge("request_xml_bytes"));
    }
    let text = decode(bytes)?;
    if !text.chars().all(is_xml_char) {
        return Err(malformed("it has a character that XML does not allow"));
    }
    let mut reader = NsReader::from_str(&text);
    let config = reader.config_mut();
    config.check_end_names = true;
    config.expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    loop {
        match reader.read_event().map_err(|error| malformed(error.to_string()))? {
            Event::Start(start) => {
                elements += 1;
                if root.is_some() {
                    return Err(malformed("there is more than one root element"));
                }
                if elements > limits.request_xml_elements {
                    return Err(Error::TooLarge("request_xml_elements"));
                }
                if open.len() >= limits.request_xml_depth {
                    return Err(Error::TooLarge("request_xml_depth"));
                }
                let language = open.last().and_then(|above| above.language.clone());
                open.push(begin(&reader, &start, language, limits)?);
            }
            Event::End(_) => {
                let done = open.pop().ok_or_else(|| malformed("an end tag has no start tag"))?;
                match open.last_mut() {
                    Some(above) => above.content.push(Child::Element(done)),
                    None => root = Some(done),
                }
            }
            Event::Text(run) => {
                let run = run.xml_content(XmlVersion::Implicit1_0);
                if run.contains("]]>") {
                    return Err(malformed("]]> stands in text"));
                }
                add_text(&mut open, &run)?;
            }
            Event::CData(run) => {
                let run = run.xml_content(XmlVersion::Implicit1_0);
                if open.is_empty() {
                    return Err(malformed("text stands outside of the root element"));
                }
                add_text(&mut open, &run)?;
            }
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref().map_err(|error| malformed(error.to_string()))? {
                    Some(character) if is_xml_char(character) => character,
                    Some(_) => return Err(malformed("a reference to a character that XML does not allow")),
                    None => predefined(&reference)?,
                };
                if open.is_empty() {
                    return Err(malformed("text stands outside of the root element"));
                }
                add_text(&mut open, resolved.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => return Err(Error::Doctype),
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
        }
    }
    match (open.is_empty(), root) {
        (true, Some(root)) => Ok(root),
        (true, None) => Err(malformed("there is no root element")),
        (false, _) => Err(malformed("an element is not closed")),
    }
}

fn begin(
    reader: &NsReader<&[u8]>,
    start: &BytesStart<'_>,
    mut language: Option<String>,
    limits: &Limits,
) -> Result<Element, Error> {
    let (name, prefix) = expanded(reader.resolver().resolve_element(start.name()), start.name())?;
    let mut attributes: Vec<Attribute> = Vec::new();
    for (number, attribute) in start.attributes().enumerate() {
        let attribute = attribute.map_err(|error| malformed(error.to_string()))?;
        if number >= limits.request_xml_attributes {
            return Err(Error::TooLarge("request_xml_attributes"));
        }
        let value = value_of(&attribute)?;
        if attribute.key.as_namespace_binding().is_some() {
            check_binding(&attribute, &value)?;
            continue;
        }
        let (name, prefix) = expanded(reader.resolver().resolve_attribute(attribute.key), attribute.key)?;
        if name.namespace == XML && name.local == "lang" {
            language = (!value.is_empty()).then(|| value.clone());
        }
        if attributes.iter().any(|other| other.name == name) {
            return Err(malformed("an attribute is given twice"));
        }
        attributes.push(Attribute { name, prefix, value });
    }
    Ok(Element { name, prefix, attributes, language, content: Vec::new() })
}

/// Namespaces in XML 1.0 §2.2, §3: a prefix cannot be unbound, and the reserved ones cannot be bound.
fn check_binding(attribute: &RawAttribute<'_>, value: &str) -> Result<(), Error> {
    let key = attribute.key.as_ref();
    match key.strip_prefix("xmlns:") {
        Some(_) if value.is_empty() => Err(malformed("a prefix is bound to no namespace")),
        Some("xmlns") => Err(malformed("the prefix xmlns cannot be bound")),
        Some(prefix) if (prefix == "xml") != (value == XML) => Err(malformed("the prefix xml is bound wrongly")),
        _ => Ok(()),
    }
}

fn value_of(attribute: &RawAttribute<'_>) -> Result<String, Error> {
    if attribute.value.contains('<') {
        return Err(malformed("< stands in an attribute"));
    }
    let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| malformed(error.to_string()))?;
    if value.chars().all(is_xml_char) { Ok(value.into_owned()) } else { Err(malformed("a character is not allowed")) }
}

fn expanded(
    resolved: (ResolveResult<'_>, quick_xml::name::LocalName<'_>),
    name: QName<'_>,
) -> Result<(Name, Option<String>), Error> {
    let namespace = match resolved.0 {
        // The resolver keeps the declaration as it was written, references and all.
        ResolveResult::Bound(namespace) => {
            let namespace = quick_xml::escape::unescape(namespace.as_ref());
            namespace.map_err(|error| malformed(error.to_string()))?.into_owned()
        }
        ResolveResult::Unbound => String::new(),
        ResolveResult::Unknown(prefix) => {
            return Err(malformed(format!("the prefix {} is not declared", prefix)));
        }
    };
    let local = resolved.1.as_ref().to_owned();
    if local.contains(':') || !is_ncname(&local) {
        return Err(malformed(format!("{local:?} is not a name")));
    }
    let prefix = name.prefix().map(|prefix| prefix.as_ref().to_owned());
    Ok((Name::owned(namespace, local), prefix))
}

/// XML 1.0 §2.3 without the colon.
fn is_ncname(name: &str) -> bool {
    let is_start = |c: char| {
        matches!(c, 'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
            | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
            | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
            | '\u{10000}'..='\u{EFFFF}')
    };
    let is_rest = |c: char| {
        is_start(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
    };
    let mut chars = name.chars();
    chars.next().is_some_and(is_start) && chars.all(is_rest)
}

fn add_text(open: &mut [Element], run: &str) -> Result<(), Error> {
    let Some(element) = open.last_mut() else {
        let is_space = run.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
        return if is_space { Ok(()) } else { Err(malformed("text stands outside of the root element")) };
    };
    match element.content.last_mut() {
        Some(Child::Text(text)) => text.push_str(run),
        _ if run.is_empty() => {}
        _ => element.content.push(Child::Text(run.to_owned())),
    }
    Ok(())
}

/// XML 1.0 §4.6: there are five entities; no other can have been declared.
fn predefined(name: &str) -> Result<char, Error> {
    match name {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(malformed(format!("the entity {name:?} is not declared"))),
    }
}

/// XML 1.0 §2.2.
pub(crate) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The document's characters: UTF-8, or UTF-16 with its byte order mark. XML 1.0 §4.3.3: every processor reads both.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Error> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            return std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| malformed("it is not UTF-8"));
        }
    };
    let pairs = bytes[2..].chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(malformed("it is not UTF-16"));
    }
    let units = pairs.map(|pair| unit([pair[0], pair[1]]));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.map(Cow::Owned).map_err(|_| malformed("it is not UTF-16"))
}

fn malformed(what: impl Into<String>) -> Error {
    Error::Malformed(what.into())
}
