//! Names as they stand in every answer, put together once: a listing of many resources writes the same tags again and again.

use crate::name::{Name, PREFIXES, ROOT_NAMESPACES};

/// The tags of one element.
#[derive(Clone, Debug)]
pub struct Tag {
    name: Name,
    markup: Option<Markup>,
}

/// The tags as text, where the root of every answer declares the namespace.
#[derive(Clone, Debug)]
pub(crate) struct Markup {
    pub(crate) start: Box<str>,
    pub(crate) end: Box<str>,
    pub(crate) empty: Box<str>,
}

impl Tag {
    /// The tags of that name.
    pub fn new(name: Name) -> Tag {
        let prefix = PREFIXES.iter().find(|(namespace, _)| *namespace == name.namespace);
        let markup = prefix.filter(|(namespace, _)| ROOT_NAMESPACES.contains(namespace)).map(|(_, prefix)| Markup {
            start: format!("<{prefix}:{}>", name.local).into(),
            end: format!("</{prefix}:{}>", name.local).into(),
            empty: format!("<{prefix}:{}/>", name.local).into(),
        });
        Tag { name, markup }
    }

    /// Their name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    pub(crate) fn markup(&self) -> Option<&Markup> {
        self.markup.as_ref()
    }
}
