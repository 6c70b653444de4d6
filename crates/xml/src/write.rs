//! From names and text to bytes, with the prefixes that clients expect: `d`, `s`, `oc`, `nc` declared on the root, any
//! other namespace in place. Appends only; what was taken is forgotten, so a listing of any length needs one page.

use std::ops::Range;

use bytes::Bytes;

use crate::element::{Child, Element};
use crate::name::{Name, PREFIXES, ROOT_NAMESPACES};
use crate::tag::Tag;

/// Writes elements one after the other.
#[derive(Debug, Default)]
pub struct Writer {
    buffer: Vec<u8>,
    /// The start tags not closed yet, as text in `tags`.
    open: Vec<Range<usize>>,
    tags: Vec<u8>,
    /// Whether the last start tag still lacks its `>`.
    is_tag_open: bool,
    /// Namespaces declared by the root.
    declared: Vec<&'static str>,
    /// Namespaces without a prefix of their own, numbered by first appearance: `x1`, `x2`, …
    numbered: Vec<String>,
}

impl Writer {
    /// Nothing written yet.
    pub fn new() -> Writer {
        Writer::default()
    }

    /// The XML declaration.
    pub fn declaration(&mut self) {
        self.buffer.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    }

    /// Starts the root element, which declares the namespaces of every answer.
    pub fn open_root(&mut self, name: &Name) {
        self.open_root_with(name, &[]);
    }

    /// The same, declaring further namespaces that have a fixed prefix.
    pub fn open_root_with(&mut self, name: &Name, namespaces: &[&'static str]) {
        // Once each: an attribute that stands twice makes the document malformed.
        let further = namespaces.iter().filter(|namespace| !ROOT_NAMESPACES.contains(namespace));
        self.declared = ROOT_NAMESPACES.iter().chain(further).copied().collect();
        self.open_declaring(name, true);
    }

    /// Starts an element.
    pub fn open(&mut self, name: &Name) {
        self.open_declaring(name, false);
    }

    fn open_declaring(&mut self, name: &Name, is_root: bool) {
        self.finish_tag();
        let start = self.tags.len();
        let declaration = self.push_name(name);
        self.open.push(start..self.tags.len());
        self.buffer.push(b'<');
        self.buffer.extend_from_slice(&self.tags[start..]);
        self.is_tag_open = true;
        if is_root {
            for namespace in self.declared.clone() {
                if let Some((_, prefix)) = PREFIXES.iter().find(|(known, _)| *known == namespace) {
                    self.declare(prefix, namespace);
                }
            }
        }
        match declaration {
            Declaration::None => {}
            Declaration::Fixed(prefix) => self.declare(prefix, &name.namespace),
            Declaration::Numbered(number) => self.declare(&format!("x{number}"), &name.namespace),
        }
    }

    /// Appends the qualified name to `tags`; says what has to be declared for it.
    fn push_name(&mut self, name: &Name) -> Declaration {
        let namespace: &str = &name.namespace;
        let mut declaration = Declaration::None;
        if !namespace.is_empty() {
            let fixed = PREFIXES.iter().find(|(known, _)| *known == namespace);
            match fixed {
                Some((_, prefix)) => {
                    self.tags.extend_from_slice(prefix.as_bytes());
                    if !self.declared.iter().any(|known| known.eq(&namespace)) {
                        declaration = Declaration::Fixed(prefix);
                    }
                }
                None => {
                    let number = self.number_of(namespace);
                    self.tags.extend_from_slice(format!("x{number}").as_bytes());
                    declaration = Declaration::Numbered(number);
                }
            }
            self.tags.push(b':');
        }
        self.tags.extend_from_slice(name.local.as_bytes());
        declaration
    }

    fn number_of(&mut self, namespace: &str) -> usize {
        match self.numbered.iter().position(|known| known == namespace) {
            Some(place) => place + 1,
            None => {
                self.numbered.push(namespace.to_owned());
                self.numbered.len()
            }
        }
    }

    fn declare(&mut self, prefix: &str, namespace: &str) {
        self.buffer.extend_from_slice(b" xmlns:");
        self.buffer.extend_from_slice(prefix.as_bytes());
        self.put_value(namespace);
    }

    /// Starts an element with attributes; those in a namespace must be in one with a fixed prefix that the root declares.
    pub fn open_with(&mut self, name: &Name, attributes: &[(&Name, &str)]) {
        self.open(name);
        for (name, value) in attributes {
            self.buffer.push(b' ');
            if let Some((_, prefix)) = PREFIXES.iter().find(|(known, _)| *known == name.namespace) {
                self.buffer.extend_from_slice(prefix.as_bytes());
                self.buffer.push(b':');
            }
            self.buffer.extend_from_slice(name.local.as_bytes());
            self.put_value(value);
        }
    }

    fn put_value(&mut self, value: &str) {
        self.buffer.extend_from_slice(b"=\"");
        escape(&mut self.buffer, value, true);
        self.buffer.push(b'"');
    }

    /// Text inside the element started last.
    pub fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.finish_tag();
            escape(&mut self.buffer, text, false);
        }
    }

    /// Ends the element started last.
    pub fn close(&mut self) {
        let Some(tag) = self.open.pop() else { return };
        if std::mem::take(&mut self.is_tag_open) {
            self.buffer.extend_from_slice(b"/>");
        } else {
            self.buffer.extend_from_slice(b"</");
            self.buffer.extend_from_slice(&self.tags[tag.clone()]);
            self.buffer.push(b'>');
        }
        self.tags.truncate(tag.start);
    }

    /// An element with nothing inside.
    pub fn empty(&mut self, name: &Name) {
        self.open(name);
        self.close();
    }

    /// An element with text inside.
    pub fn text_element(&mut self, name: &Name, text: &str) {
        self.open(name);
        self.text(text);
        self.close();
    }

    /// Starts an element by its tag; [`Writer::end`] with the same tag ends it.
    pub fn start(&mut self, tag: &Tag) {
        match tag.markup().filter(|_| self.has_root()) {
            Some(markup) => {
                self.finish_tag();
                self.buffer.extend_from_slice(markup.start.as_bytes());
            }
            None => self.open(tag.name()),
        }
    }

    /// Ends the element that [`Writer::start`] started.
    pub fn end(&mut self, tag: &Tag) {
        match tag.markup().filter(|_| self.has_root()) {
            Some(markup) => self.buffer.extend_from_slice(markup.end.as_bytes()),
            None => self.close(),
        }
    }

    /// An element with text inside, by its tag.
    pub fn text_in(&mut self, tag: &Tag, text: &str) {
        match tag.markup().filter(|_| self.has_root()) {
            Some(markup) if text.is_empty() => self.again(markup.empty.as_bytes()),
            Some(markup) => {
                self.finish_tag();
                self.buffer.extend_from_slice(markup.start.as_bytes());
                escape(&mut self.buffer, text, false);
                self.buffer.extend_from_slice(markup.end.as_bytes());
            }
            None => self.text_element(tag.name(), text),
        }
    }

    /// The same of text that has no markup in it, such as digits: it is not looked at.
    pub fn plain_in(&mut self, tag: &Tag, text: &str) {
        match tag.markup().filter(|_| self.has_root() && !text.is_empty()) {
            Some(markup) => {
                self.finish_tag();
                self.buffer.reserve(markup.start.len() + text.len() + markup.end.len());
                self.buffer.extend_from_slice(markup.start.as_bytes());
                self.buffer.extend_from_slice(text.as_bytes());
                self.buffer.extend_from_slice(markup.end.as_bytes());
            }
            None => self.text_in(tag, text),
        }
    }

    /// Makes room for so many bytes more.
    pub fn reserve(&mut self, bytes: usize) {
        if self.buffer.is_empty() && self.buffer.capacity() < bytes {
            // Growing would copy what nobody has written yet.
            self.buffer = Vec::with_capacity(bytes);
        }
        self.buffer.reserve(bytes);
    }

    /// Whether what [`Tag`] leaves undeclared is declared by a root.
    fn has_root(&self) -> bool {
        !self.declared.is_empty()
    }

    /// Bytes that this writer wrote before, at a place where the same is declared.
    pub fn again(&mut self, written: &[u8]) {
        self.finish_tag();
        self.buffer.extend_from_slice(written);
    }

    /// What waits to be taken, from the byte `start` on.
    pub fn written_from(&self, start: usize) -> &[u8] {
        self.buffer.get(start..).unwrap_or_default()
    }

    /// A fragment that [`Element::to_fragment`] made.
    pub fn fragment(&mut self, xml: &str) {
        self.finish_tag();
        self.buffer.extend_from_slice(xml.as_bytes());
    }

    /// An element with all that is inside, as it came.
    pub fn element(&mut self, element: &Element) {
        self.finish_tag();
        self.self_contained(element);
    }

    fn finish_tag(&mut self) {
        if std::mem::take(&mut self.is_tag_open) {
            self.buffer.push(b'>');
        }
    }

    /// What was written since the last time.
    pub fn take(&mut self) -> Bytes {
        self.finish_tag();
        // While the root is open, another page of about the same size follows.
        let room = if self.open.is_empty() { 0 } else { self.buffer.len() };
        Bytes::from(std::mem::replace(&mut self.buffer, Vec::with_capacity(room)))
    }

    /// How many bytes wait to be taken.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing waits to be taken.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Writes an element that declares all it needs, in the prefixes it came with where they are free.
    pub(crate) fn self_contained(&mut self, element: &Element) {
        let mut scope = Vec::new();
        write_element(&mut self.buffer, element, &mut scope, true);
    }
}

enum Declaration {
    None,
    Fixed(&'static str),
    Numbered(usize),
}

/// A prefix (empty for the default) and the namespace it is bound to, innermost last.
type Scope<'e> = Vec<(String, &'e str)>;

const XML: &str = "http://www.w3.org/XML/1998/namespace";

fn write_element<'e>(buffer: &mut Vec<u8>, element: &'e Element, scope: &mut Scope<'e>, is_top: bool) {
    let outer = scope.len();
    let mut declarations = Vec::new();
    let mut used = Vec::new();
    let mut bindings = Bindings { scope, declarations: &mut declarations, used: &mut used };
    let name = bindings.qualified(&element.name, element.prefix.as_deref(), true, is_top);
    let attributes: Vec<(String, &str)> = element
        .attributes
        .iter()
        .map(|it| (bindings.qualified(&it.name, it.prefix.as_deref(), false, false), it.value.as_str()))
        .collect();
    buffer.push(b'<');
    buffer.extend_from_slice(name.as_bytes());
    for (prefix, namespace) in &declarations {
        let attribute = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
        put_attribute(buffer, &attribute, namespace);
    }
    // The language in scope is part of a property's value, wherever it was declared.
    let says_language = attributes.iter().any(|(name, _)| name == "xml:lang");
    if let Some(language) = element.language().filter(|_| is_top && !says_language) {
        put_attribute(buffer, "xml:lang", language);
    }
    for (name, value) in &attributes {
        put_attribute(buffer, name, value);
    }
    if element.content.is_empty() {
        buffer.extend_from_slice(b"/>");
    } else {
        buffer.push(b'>');
        for child in &element.content {
            match child {
                Child::Element(inside) => write_element(buffer, inside, scope, false),
                Child::Text(text) => escape(buffer, text, false),
            }
        }
        buffer.extend_from_slice(b"</");
        buffer.extend_from_slice(name.as_bytes());
        buffer.push(b'>');
    }
    scope.truncate(outer);
}

/// The prefixes of one element: those in scope, those it declares, those it uses.
struct Bindings<'b, 'e> {
    scope: &'b mut Scope<'e>,
    declarations: &'b mut Scope<'e>,
    used: &'b mut Vec<String>,
}

impl<'e> Bindings<'_, 'e> {
    /// The name with a prefix that is bound to its namespace here; adds the binding if there is none yet.
    fn qualified(&mut self, name: &'e Name, wanted: Option<&str>, is_element: bool, is_top: bool) -> String {
        let namespace: &'e str = &name.namespace;
        if namespace == XML {
            return format!("xml:{}", name.local);
        }
        if namespace.is_empty() {
            // Wherever the fragment is put, a default namespace may be in scope: say that there is none.
            if is_element && (is_top || self.bound("").is_some_and(|namespace| !namespace.is_empty())) {
                self.declare(String::new(), "");
            }
            return name.local.to_string();
        }
        let wanted = wanted.unwrap_or("");
        let mut prefix = if wanted.is_empty() && !is_element { "a".to_owned() } else { wanted.to_owned() };
        let mut number = 0;
        while self.bound(&prefix) != Some(namespace) {
            // A prefix that this very element uses for something else cannot be bound anew on it.
            if !self.used.contains(&prefix) {
                self.declare(prefix.clone(), namespace);
                break;
            }
            number += 1;
            prefix = format!("a{number}");
        }
        let qualified = if prefix.is_empty() { name.local.to_string() } else { format!("{prefix}:{}", name.local) };
        self.used.push(prefix);
        qualified
    }

    fn bound(&self, prefix: &str) -> Option<&'e str> {
        self.scope.iter().rev().find(|(known, _)| known == prefix).map(|(_, namespace)| *namespace)
    }

    fn declare(&mut self, prefix: String, namespace: &'e str) {
        self.declarations.push((prefix.clone(), namespace));
        self.scope.push((prefix, namespace));
    }
}

fn put_attribute(buffer: &mut Vec<u8>, name: &str, value: &str) {
    buffer.push(b' ');
    buffer.extend_from_slice(name.as_bytes());
    buffer.extend_from_slice(b"=\"");
    escape(buffer, value, true);
    buffer.push(b'"');
}

/// Whether text cannot simply be copied at this byte: markup, control characters, and the first byte of U+FFFE and U+FFFF.
const fn needs_care(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'&') | (byte == b'<') | (byte == b'>') | (byte == b'"') | (byte == 0xef)
}

/// The same for each byte, to find the first one of a text.
const NEEDS_CARE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = needs_care(byte as u8);
        byte += 1;
    }
    table
};

/// Text that reads back the same; what XML cannot hold becomes U+FFFD.
fn escape(buffer: &mut Vec<u8>, text: &str, is_attribute: bool) {
    let bytes = text.as_bytes();
    // All bytes are looked at, and so many at once: most texts have none of these.
    if !bytes.iter().fold(false, |found, byte| found | needs_care(*byte)) {
        return buffer.extend_from_slice(bytes);
    }
    let mut done = 0;
    let mut place = 0;
    while let Some(step) = bytes[place..].iter().position(|byte| NEEDS_CARE[usize::from(*byte)]) {
        place += step;
        let (replacement, length): (&[u8], usize) = match bytes[place] {
            b'&' => (b"&amp;", 1),
            b'<' => (b"&lt;", 1),
            b'>' => (b"&gt;", 1),
            b'"' if is_attribute => (b"&quot;", 1),
            b'\r' => (b"&#13;", 1),
            b'\n' if is_attribute => (b"&#10;", 1),
            b'\t' if is_attribute => (b"&#9;", 1),
            b'"' | b'\t' | b'\n' => (b"", 0),
            0xef if matches!(bytes.get(place + 1..place + 3), Some([0xbf, 0xbe | 0xbf])) => ("\u{fffd}".as_bytes(), 3),
            0xef => (b"", 0),
            _ => ("\u{fffd}".as_bytes(), 1),
        };
        if length > 0 {
            buffer.extend_from_slice(&bytes[done..place]);
            buffer.extend_from_slice(replacement);
            done = place + length;
        }
        place += length.max(1);
    }
    buffer.extend_from_slice(&bytes[done..]);
}
