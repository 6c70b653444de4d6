//! `aclItems`: privileges that the caller has, or has not, on every resource of the answer.

use std::collections::BTreeSet;

use nichoir_xml::Element;

use super::response::responses;
use super::{Judged, Verdict, none_of};
use crate::markup::{children, name};

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    if judged.answer.status != 207 {
        return Err(format!("status {}, expected 207", super::shown_status(judged.answer)));
    }
    let root = judged.xml()?;
    let mut wrong = Vec::new();
    for response in responses(&root) {
        let properties = response.properties(true);
        let sets = properties.iter().filter(|property| name(property) == "{DAV:}current-user-privilege-set");
        let privileges: BTreeSet<String> =
            sets.flat_map(|set| children(set, "{DAV:}privilege")).flat_map(Element::elements).map(name).collect();
        let missing = judged.values("granted").iter().filter(|it| !privileges.contains(*it));
        wrong.extend(missing.map(|it| format!("{}: {it} is not granted", response.href)));
        let extra = judged.values("denied").iter().filter(|it| privileges.contains(*it));
        wrong.extend(extra.map(|it| format!("{}: {it} is granted", response.href)));
    }
    none_of(wrong)
}

#[cfg(test)]
mod tests {
    use crate::verify::testing::{answer, judge};

    #[test]
    fn privileges_are_granted_or_denied() {
        let body = "<multistatus xmlns='DAV:'><response><href>/a</href><propstat><prop><current-user-privilege-set>\
            <privilege><read/></privilege></current-user-privilege-set></prop><status>HTTP/1.1 200 OK</status></propstat>\
            </response></multistatus>";
        let check = |arguments: &[(&str, &str)], expected| {
            assert_eq!(judge("aclItems", &answer(207, body), arguments).is_ok(), expected, "{arguments:?}");
        };
        check(&[("granted", "{DAV:}read"), ("denied", "{DAV:}write")], true);
        check(&[("granted", "{DAV:}write")], false);
        check(&[("denied", "{DAV:}read")], false);
    }
}
