//! `xmlElementMatch`: paths that must, or must not, lead somewhere.

use super::{Judged, Verdict, none_of};
use crate::element_path::find;
use crate::markup::name;

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    if !matches!(judged.answer.status, 200 | 207) {
        return Err(format!("status {}, expected 200 or 207", super::shown_status(judged.answer)));
    }
    let document = judged.xml()?;
    let mut root = &document;
    if let [parent] = judged.values("parent") {
        let nodes = find(&document, parent)?;
        root = match nodes.as_slice() {
            [node] => node.last().copied().unwrap_or(root),
            _ => return Err(format!("{} nodes at the parent {parent}", nodes.len())),
        };
    }
    let mut wrong = Vec::new();
    for path in judged.values("exists") {
        wrong.extend(find(root, path).err());
    }
    for path in judged.values("notexists").iter().filter(|path| find(root, path).is_ok()) {
        wrong.push(format!("there is something at {path}"));
    }
    if !wrong.is_empty() && judged.has("parent") {
        wrong.push(format!("below {}", name(root)));
    }
    none_of(wrong)
}

#[cfg(test)]
mod tests {
    use crate::verify::testing::{answer, judge};

    #[test]
    fn paths_lead_somewhere_or_not() {
        let body = answer(207, "<m xmlns='DAV:'><r><h>/a</h><x/></r><r><h>/b</h></r></m>");
        let check = |arguments: &[(&str, &str)], expected| {
            assert_eq!(judge("xmlElementMatch", &body, arguments).is_ok(), expected, "{arguments:?}");
        };
        check(&[("exists", "/{DAV:}m/{DAV:}r/{DAV:}x")], true);
        check(&[("notexists", "/{DAV:}m/{DAV:}r/{DAV:}x")], false);
        check(&[("notexists", "/{DAV:}m/{DAV:}r/{DAV:}x[||]")], true);
        check(&[("parent", "/{DAV:}m/{DAV:}r[^{DAV:}h=/b]"), ("exists", "{DAV:}r/{DAV:}x")], false);
        check(&[("parent", "/{DAV:}m/{DAV:}r[^{DAV:}h=/a]"), ("exists", "{DAV:}r/{DAV:}x")], true);
        check(&[("parent", "/{DAV:}m/{DAV:}r"), ("exists", "{DAV:}r/{DAV:}x")], false);
    }
}
