//! XML as the scripts see it: names written `{namespace}local`, the text before the first child, canonical text for
//! comparisons.

use nichoir_xml::{Child, Element, Limits};

/// What a script, an answer or an expected body may at most be.
const LIMITS: Limits = Limits {
    request_xml_bytes: 64 * 1024 * 1024,
    request_xml_depth: 500,
    request_xml_elements: 1_000_000,
    request_xml_attributes: 500,
};

/// Reads a document; a document type, which the scripts name, is passed over.
pub(crate) fn read(bytes: &[u8]) -> Result<Element, String> {
    let without = without_doctype(bytes);
    nichoir_xml::read(without.as_deref().unwrap_or(bytes), &LIMITS).map_err(|error| error.to_string())
}

fn without_doctype(bytes: &[u8]) -> Option<Vec<u8>> {
    let start = bytes.windows(9).position(|window| window == b"<!DOCTYPE")?;
    let length = bytes[start..].iter().position(|byte| *byte == b'>')?;
    Some([&bytes[..start], &bytes[start + length + 1..]].concat())
}

/// The name as `{namespace}local`, or `local` in no namespace.
pub(crate) fn name(element: &Element) -> String {
    match element.name.namespace.as_ref() {
        "" => element.name.local.to_string(),
        namespace => format!("{{{namespace}}}{}", element.name.local),
    }
}

/// The text before the first child element, if any.
pub(crate) fn leading_text(element: &Element) -> Option<&str> {
    match element.content.first() {
        Some(Child::Text(text)) => Some(text),
        _ => None,
    }
}

/// The first child of that name.
pub(crate) fn child<'e>(element: &'e Element, wanted: &str) -> Option<&'e Element> {
    element.elements().find(|child| name(child) == wanted)
}

/// The text of the first child of that name.
pub(crate) fn child_text<'e>(element: &'e Element, wanted: &str) -> Option<&'e str> {
    child(element, wanted).map(|child| leading_text(child).unwrap_or_default())
}

/// The children of that name.
pub(crate) fn children<'e>(element: &'e Element, wanted: &'e str) -> impl Iterator<Item = &'e Element> {
    element.elements().filter(move |child| name(child) == wanted)
}

/// The attribute of that name (`{namespace}local` or `local`).
pub(crate) fn attribute<'e>(element: &'e Element, wanted: &str) -> Option<&'e str> {
    let is_wanted = |attribute: &&nichoir_xml::Attribute| match attribute.name.namespace.as_ref() {
        "" => attribute.name.local == wanted,
        namespace => format!("{{{namespace}}}{}", attribute.name.local) == wanted,
    };
    element.attributes.iter().find(is_wanted).map(|attribute| attribute.value.as_str())
}

/// The element as text that does not depend on prefixes or on the order of attributes; white space counts.
pub(crate) fn canonical(element: &Element) -> String {
    let mut out = String::new();
    add_canonical(element, &mut out);
    out
}

fn add_canonical(element: &Element, out: &mut String) {
    let mut attributes: Vec<String> = element
        .attributes
        .iter()
        .map(|attribute| format!(" {{{}}}{}={:?}", attribute.name.namespace, attribute.name.local, attribute.value))
        .collect();
    attributes.sort();
    out.push_str(&format!("<{}{}>", name(element), attributes.concat()));
    for child in &element.content {
        match child {
            Child::Element(child) => add_canonical(child, out),
            Child::Text(text) => out.push_str(&text.replace('&', "&amp;").replace('<', "&lt;")),
        }
    }
    out.push_str("</>");
}

/// What is in an element: its text, or its children one by one, white space around them cut off.
pub(crate) fn inner(element: &Element) -> String {
    if element.elements().next().is_none() {
        return leading_text(element).unwrap_or_default().to_owned();
    }
    let mut out = String::new();
    let mut is_after_child = false;
    for child in &element.content {
        match child {
            Child::Element(child) => {
                out.push_str(&canonical(child));
                is_after_child = true;
            }
            Child::Text(text) if is_after_child => out.push_str(text.trim()),
            Child::Text(_) => {}
        }
    }
    out
}

/// The inner XML of one or more elements written as text, in the form of [`inner`].
pub(crate) fn inner_of_text(text: &str) -> Result<String, String> {
    read(format!("<value>{text}</value>").as_bytes()).map(|root| inner(&root))
}

/// Splits `{ns}a/{ns}b` at the slashes outside of braces.
pub(crate) fn path_steps(path: &str) -> Vec<&str> {
    let mut steps = Vec::new();
    let (mut start, mut is_inside) = (0, false);
    for (place, byte) in path.bytes().enumerate() {
        match byte {
            b'{' => is_inside = true,
            b'}' => is_inside = false,
            b'/' if !is_inside => {
                steps.push(&path[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    steps.push(&path[start..]);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_and_attribute_order_do_not_matter_but_white_space_does() {
        let canonical = |text: &str| canonical(&read(text.as_bytes()).unwrap());
        assert_eq!(
            canonical("<D:a xmlns:D='DAV:' y='1' x='2'><D:b/></D:a>"),
            canonical("<a xmlns='DAV:' x='2' y='1'><b/></a>")
        );
        assert_ne!(canonical("<a><b/> </a>"), canonical("<a><b/></a>"));
        assert_ne!(canonical("<a xmlns='DAV:'/>"), canonical("<a/>"));
    }

    #[test]
    fn the_value_of_a_property_is_its_text_or_its_children() {
        let value = |text: &str| inner(&read(text.as_bytes()).unwrap());
        assert_eq!(value("<p> text </p>"), " text ");
        assert_eq!(value("<p>\n <a xmlns='DAV:'/>\n <b/>\n</p>"), "<{DAV:}a></><b></>");
        assert_eq!(inner_of_text("<D:a xmlns:D='DAV:'/><b/>").unwrap(), "<{DAV:}a></><b></>");
    }

    #[test]
    fn document_types_are_passed_over() {
        let text = b"<?xml version='1.0'?>\n<!DOCTYPE caldavtest SYSTEM \"caldavtest.dtd\">\n<caldavtest/>";
        assert_eq!(name(&read(text).unwrap()), "caldavtest");
    }

    #[test]
    fn slashes_in_namespaces_do_not_split_paths() {
        assert_eq!(path_steps("{http://a/b/}c/{DAV:}d"), ["{http://a/b/}c", "{DAV:}d"]);
    }
}
