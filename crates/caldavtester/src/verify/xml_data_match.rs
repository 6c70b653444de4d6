//! `xmlDataMatch`: the body is the same document as a file, but for the inside of some elements.

use nichoir_xml::{Child, Element};

use super::{Judged, Verdict};
use crate::markup::{canonical, name, read};

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    if !matches!(judged.answer.status, 200 | 207) {
        return Err(format!("status {}, expected 200 or 207", super::shown_status(judged.answer)));
    }
    let mut found = judged.xml()?;
    let expected = judged.expected_text()?;
    let mut expected = read(expected.as_bytes()).map_err(|error| format!("the expected document: {error}"))?;
    blank(&mut found, judged.values("filter"));
    blank(&mut expected, judged.values("filter"));
    let (found, expected) = (canonical(&found), canonical(&expected));
    match found == expected {
        true => Ok(()),
        false => Err(format!("the document differs{}", first_difference(&expected, &found))),
    }
}

/// Takes everything out of the elements of these names.
fn blank(element: &mut Element, names: &[String]) {
    if names.contains(&name(element)) {
        element.content.clear();
        element.attributes.clear();
    }
    for child in &mut element.content {
        if let Child::Element(child) = child {
            blank(child, names);
        }
    }
}

/// Where two canonical texts part.
fn first_difference(expected: &str, found: &str) -> String {
    let same = expected.chars().zip(found.chars()).take_while(|(one, other)| one == other).count();
    let part = |text: &str| text.chars().skip(same.saturating_sub(40)).take(140).collect::<String>();
    format!(": found {:?}, expected {:?}", part(found), part(expected))
}

#[cfg(test)]
mod tests {
    use crate::verify::testing::{answer, judge};

    #[test]
    fn filtered_elements_are_not_compared() {
        let body = answer(200, "<D:a xmlns:D='DAV:'><D:b>1</D:b></D:a>");
        let check = |data, filter, expected| {
            assert_eq!(judge("xmlDataMatch", &body, &[("data", data), ("filter", filter)]).is_ok(), expected, "{data}");
        };
        check("<a xmlns='DAV:'><b>1</b></a>", "", true);
        check("<a xmlns='DAV:'><b>2</b></a>", "", false);
        check("<a xmlns='DAV:'><b>2</b></a>", "{DAV:}b", true);
        check("<a xmlns='DAV:'> <b>1</b></a>", "", false);
    }
}
