//! `addressDataMatch`: the body is the address card of a file, as far as it matters.

use super::{Judged, Verdict};
use crate::calendar::{Component, Filters, differences, is_equal, parse, remove_filtered};

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    if !matches!(judged.answer.status, 200 | 201 | 207) {
        return Err(format!("status {}, expected 200, 201 or 207", super::shown_status(judged.answer)));
    }
    if judged.answer.body.is_empty() {
        return Err("the body is empty".to_owned());
    }
    let expected = match judged.values("data") {
        [] => String::from_utf8_lossy(&judged.file()?.1).into_owned(),
        [data, ..] => data.clone(),
    };
    let expected = judged.tables.fixed_pass(&expected);
    let expected = prepared(judged, expected.as_bytes()).map_err(|error| format!("the expected data: {error}"))?;
    let found = prepared(judged, &judged.answer.body).map_err(|error| format!("the body: {error}"))?;
    match is_equal(&expected, &found) {
        true => Ok(()),
        false => Err(format!("- expected, + found\n    {}", differences(&expected, &found).join("\n    "))),
    }
}

/// The cards, filtered, below one root.
fn prepared(judged: &Judged<'_>, bytes: &[u8]) -> Result<Component, String> {
    let mut root = Component { name: "cards".to_owned(), properties: Vec::new(), components: parse(bytes)? };
    let filters = Filters::new(judged.info.address_filters.iter().chain(judged.values("filter")));
    remove_filtered(&mut root, &filters);
    Ok(root)
}

#[cfg(test)]
mod tests {
    use crate::verify::testing::{answer, judge};

    #[test]
    fn cards_are_compared_without_what_is_filtered() {
        let card = |lines: &str| format!("BEGIN:VCARD\nVERSION:3.0\n{lines}\nEND:VCARD\n");
        let check = |found: &str, filter, expected| {
            let wanted = card("FN:A B\nN:B;A;;;\nREV:1");
            let arguments = [("data", wanted.as_str()), ("filter", filter)];
            assert_eq!(judge("addressDataMatch", &answer(200, &card(found)), &arguments).is_ok(), expected, "{found}");
        };
        check("N:B;A;;;\nFN:A B\nREV:2", "", true);
        check("N:B;A;;;\nFN:A C", "", false);
        check("N:B;A;;;\nFN:A C", "FN", true);
        check("N:B;A;;;\nFN;X-A=1;X-A=2:A B", "FN:X-A", true);
        check("N:B;A;;;\nitem1.FN:A B", "", false);
    }

    #[test]
    fn a_parameter_given_twice_is_not_one_with_two_values() {
        let card = |types: &str| format!("BEGIN:VCARD\nTEL;{types}:1\nEND:VCARD\n");
        let wanted = card("TYPE=HOME;TYPE=pref");
        let check = |types, expected| {
            let verdict = judge("addressDataMatch", &answer(200, &card(types)), &[("data", wanted.as_str())]);
            assert_eq!(verdict.is_ok(), expected, "{types}");
        };
        check("type=HOME;type=pref", true);
        check("TYPE=HOME,pref", false);
        check("TYPE=home;TYPE=pref", false);
    }
}
