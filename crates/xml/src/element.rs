//! The tree that a request body becomes, and its way back to text.

use crate::name::Name;
use crate::write::Writer;

/// An element with what is inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its expanded name.
    pub name: Name,
    /// The prefix it was written with: a hint that keeps qualified names in values readable (RFC 4918 §4.3).
    pub prefix: Option<String>,
    /// Its attributes, without namespace declarations.
    pub attributes: Vec<Attribute>,
    /// The language in scope (`xml:lang` on it or above).
    pub language: Option<String>,
    /// Elements and text, in order.
    pub content: Vec<Child>,
}

/// An attribute with its expanded name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its expanded name; an attribute without prefix is in no namespace.
    pub name: Name,
    /// The prefix it was written with.
    pub prefix: Option<String>,
    /// Its value, normalised.
    pub value: String,
}

/// What is inside an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Child {
    /// An element.
    Element(Element),
    /// Text, references resolved.
    Text(String),
}

impl Element {
    /// An empty element of that name.
    pub fn new(name: Name) -> Element {
        Element { name, prefix: None, attributes: Vec::new(), language: None, content: Vec::new() }
    }

    /// The elements directly inside.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.content.iter().filter_map(|child| match child {
            Child::Element(element) => Some(element),
            Child::Text(_) => None,
        })
    }

    /// The elements of that name directly inside.
    pub fn children<'e>(&'e self, name: &'e Name) -> impl Iterator<Item = &'e Element> {
        self.elements().filter(move |element| element.name == *name)
    }

    /// The first element of that name directly inside.
    pub fn child(&self, name: &Name) -> Option<&Element> {
        self.elements().find(|element| element.name == *name)
    }

    /// The text directly inside, white space at its ends cut off.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for child in &self.content {
            if let Child::Text(run) = child {
                text.push_str(run);
            }
        }
        text.trim().to_owned()
    }

    /// The value of the attribute of that name.
    pub fn attribute(&self, name: &Name) -> Option<&str> {
        self.attributes.iter().find(|attribute| attribute.name == *name).map(|attribute| attribute.value.as_str())
    }

    /// The language in scope.
    pub fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }

    /// The element as XML that stands for itself: it declares every namespace it uses and says its language, so that it
    /// means the same wherever it is put.
    pub fn to_fragment(&self) -> String {
        let mut writer = Writer::new();
        writer.self_contained(self);
        String::from_utf8_lossy(&writer.take()).into_owned()
    }
}
