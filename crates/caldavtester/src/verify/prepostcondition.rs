//! `prepostcondition`: the very conditions that an error names. RFC 4918 §16.

use super::{Judged, Verdict, differences, none_of};
use crate::markup::name;

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    judged.expect_status(&[403, 409, 507])?;
    if judged.answer.body.is_empty() {
        return Err("the body is empty".to_owned());
    }
    let root = judged.xml()?;
    if name(&root) != "{DAV:}error" {
        return Err(format!("the root is {}, expected {{DAV:}}error", name(&root)));
    }
    let found: Vec<String> = root.elements().map(name).collect();
    let mut wrong = differences(judged.values("error"), &found);
    if judged.has("ignoreextras") {
        wrong.retain(|difference| difference.starts_with("missing"));
    }
    none_of(wrong)
}

#[cfg(test)]
mod tests {
    use crate::verify::testing::{answer, judge};

    #[test]
    fn conditions_are_an_exact_set() {
        let body = "<error xmlns='DAV:'><a/><b xmlns='urn:x'/></error>";
        let check = |status, arguments: &[(&str, &str)], expected| {
            assert_eq!(judge("prepostcondition", &answer(status, body), arguments).is_ok(), expected, "{arguments:?}");
        };
        check(403, &[("error", "{DAV:}a"), ("error", "{urn:x}b")], true);
        check(403, &[("error", "{DAV:}a")], false);
        check(403, &[("error", "{DAV:}a"), ("ignoreextras", "")], true);
        check(403, &[("error", "{DAV:}c"), ("ignoreextras", "")], false);
        check(412, &[("error", "{DAV:}a"), ("error", "{urn:x}b")], false);
        check(412, &[("status", "412"), ("error", "{DAV:}a"), ("error", "{urn:x}b")], true);
    }
}
