//! The responses of a multistatus. RFC 4918 §14.24.

use std::collections::BTreeMap;

use nichoir_xml::Element;

use crate::markup::{child, child_text, children, inner, leading_text, name};

/// One `DAV:response`.
pub(super) struct Response<'e> {
    /// Its href, as it was written.
    pub(super) href: String,
    /// The status of the whole response, if it has one.
    pub(super) status: Option<u16>,
    pub(super) has_propstat: bool,
    element: &'e Element,
}

/// The responses in a multistatus.
pub(super) fn responses(root: &Element) -> Vec<Response<'_>> {
    let one = |element| {
        let href = child_text(element, "{DAV:}href").unwrap_or_default().trim().to_owned();
        let status = child_text(element, "{DAV:}status").and_then(status_code);
        Response { href, status, has_propstat: child(element, "{DAV:}propstat").is_some(), element }
    };
    children(root, "{DAV:}response").map(one).collect()
}

impl<'e> Response<'e> {
    /// The properties with 2xx, or the others.
    pub(super) fn properties(&self, are_ok: bool) -> Vec<&'e Element> {
        let is_wanted = |propstat: &&Element| {
            let status = child_text(propstat, "{DAV:}status").and_then(status_code);
            (status.unwrap_or(0) / 100 == 2) == are_ok
        };
        let kept = children(self.element, "{DAV:}propstat").filter(is_wanted);
        kept.filter_map(|propstat| child(propstat, "{DAV:}prop")).flat_map(Element::elements).collect()
    }

    /// Names and values of the properties with 2xx, or of the others.
    pub(super) fn values(&self, are_ok: bool) -> BTreeMap<String, String> {
        self.properties(are_ok).into_iter().map(|property| (name(property), inner(property))).collect()
    }
}

/// The code in `HTTP/1.1 200 OK`.
pub(super) fn status_code(line: &str) -> Option<u16> {
    line.split_whitespace().nth(1)?.parse().ok()
}

/// An href without its per cent escapes.
pub(super) fn unquoted(href: &str) -> String {
    let mut out = Vec::with_capacity(href.len());
    let mut rest = href.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &after[2..];
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The name in `{ns}local$value` or `{ns}local!value`, and the rest.
pub(super) fn split_name(text: &str) -> (&str, &str) {
    let local = if text.trim_start().starts_with('{') { text.find('}').map_or(0, |brace| brace + 1) } else { 0 };
    text.split_at(text[local..].find(['$', '!']).map_or(text.len(), |end| local + end))
}

/// The text of an element, white space at its ends cut off.
pub(super) fn text(element: &Element) -> &str {
    leading_text(element).unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_and_what_is_none_stays() {
        assert_eq!(unquoted("/a%20b/%C3%A9/100%/%zz"), "/a b/é/100%/%zz");
        assert_eq!(status_code("HTTP/1.1 424 Failed Dependency"), Some(424));
        assert_eq!(status_code("nonsense"), None);
    }
}
