//! `propfindValues`: properties whose values match patterns, or do not.

use super::header::start_anchored;
use super::response::{responses, split_name, unquoted};
use super::{Judged, Verdict, none_of};
use crate::markup::name;

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    if judged.answer.status != 207 {
        return Err(format!("status {}, expected 207", super::shown_status(judged.answer)));
    }
    let root = judged.xml()?;
    let (ignored, only) = (judged.values("ignore"), judged.values("only"));
    let mut wrong = Vec::new();
    for response in responses(&root) {
        let href = unquoted(&response.href);
        if ignored.contains(&href) || !only.is_empty() && !only.contains(&href) {
            continue;
        }
        let properties = response.properties(true);
        for wanted in judged.values("props") {
            let (property, pattern) = split_name(wanted);
            let Some(found) = properties.iter().find(|element| name(element) == property) else {
                wrong.push(format!("{href}: missing {property}"));
                continue;
            };
            let value = value_of(found);
            let Some(expression) = pattern.get(1..) else { continue };
            if start_anchored(expression)?.is_match(&value) != pattern.starts_with('$') {
                wrong.push(format!("{href}: {property} is {value:?}, expected {pattern}"));
            }
        }
    }
    none_of(wrong)
}

/// The inside of a property as XML with its own declarations, without white space between elements.
fn value_of(element: &nichoir_xml::Element) -> String {
    if element.elements().next().is_none() {
        return super::response::text(element).to_owned();
    }
    let text: String = element.elements().map(nichoir_xml::Element::to_fragment).collect();
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive('>') {
        out.push_str(if part.trim_start().starts_with('<') { part.trim_start() } else { part });
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::verify::testing::{answer, judge};

    #[test]
    fn patterns_match_from_the_start_of_a_value() {
        let body = "<multistatus xmlns='DAV:'><response><href>/a</href><propstat><prop><getetag>\"7\"</getetag></prop>\
            <status>HTTP/1.1 200 OK</status></propstat></response></multistatus>";
        let check = |props, expected| {
            assert_eq!(judge("propfindValues", &answer(207, body), &[("props", props)]).is_ok(), expected, "{props}");
        };
        check("{DAV:}getetag$\"7", true);
        check("{DAV:}getetag$7", false);
        check("{DAV:}getetag!\"8\"", true);
        check("{DAV:}getetag!\"7\"", false);
        check("{DAV:}other$.*", false);
    }
}
