//! `propfindItems`: the very properties, with their values, of every response.

use std::collections::BTreeMap;

use super::response::{Response, responses, split_name, unquoted};
use super::{Judged, Verdict, none_of};
use crate::markup::{inner_of_text, name};

/// A property that a script lists.
struct Wanted {
    name: String,
    value: WantedValue,
}

enum WantedValue {
    Any,
    Equal(String),
    /// Any other value; the property need not be there.
    Not(String),
}

impl Wanted {
    fn parse(text: &str) -> Result<Wanted, String> {
        let (name, rest) = split_name(text);
        let name = name.trim().to_owned();
        let value = match rest.split_at_checked(1) {
            Some(("$", "")) | None => WantedValue::Any,
            Some(("$", value)) => WantedValue::Equal(as_value(value)?),
            Some((_, value)) => WantedValue::Not(as_value(value)?),
        };
        Ok(Wanted { name, value })
    }
}

/// A value as the response's are written.
fn as_value(text: &str) -> Result<String, String> {
    if text.starts_with('<') { inner_of_text(text) } else { Ok(text.to_owned()) }
}

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    judged.expect_status(&[207])?;
    let root = judged.xml()?;
    let wanted_root = judged.values("root-element").first().map_or("{DAV:}multistatus", String::as_str);
    if name(&root) != wanted_root {
        return Err(format!("the root is {}, expected {wanted_root}", name(&root)));
    }
    let (ignored, only) = (judged.values("ignore"), judged.values("only"));
    let considered: Vec<Response<'_>> = responses(&root)
        .into_iter()
        .filter(|it| {
            let href = unquoted(&it.href);
            !ignored.contains(&href) && (only.is_empty() || only.contains(&href))
        })
        .collect();
    if let [count, ..] = judged.values("count") {
        let found = considered.len().to_string();
        return if found == *count { Ok(()) } else { Err(format!("{found} responses, expected {count}")) };
    }
    let list = |name: &str| judged.values(name).iter().map(|text| Wanted::parse(text)).collect::<Result<Vec<_>, _>>();
    let (ok, bad) = (list("okprops")?, list("badprops")?);
    let wrong_of = |it: &Response<'_>| {
        let mut wrong = compare(&ok, &it.values(true), "");
        wrong.extend(compare(&bad, &it.values(false), "bad "));
        (!wrong.is_empty()).then(|| format!("{}: {}", it.href, wrong.join(", ")))
    };
    none_of(considered.iter().filter_map(wrong_of).take(4).collect())
}

fn compare(wanted: &[Wanted], found: &BTreeMap<String, String>, kind: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for one in wanted {
        match (&one.value, found.get(&one.name)) {
            (WantedValue::Not(_), None) => {}
            (_, None) => wrong.push(format!("missing {kind}{}", one.name)),
            (WantedValue::Equal(value), Some(found)) if found != value => {
                wrong.push(format!("{kind}{} is {found:?}, expected {value:?}", one.name));
            }
            (WantedValue::Not(value), Some(found)) if found == value => {
                wrong.push(format!("{kind}{} is {found:?}", one.name));
            }
            _ => {}
        }
    }
    let is_unlisted = |name: &&String| !wanted.iter().any(|one| one.name == **name);
    wrong.extend(found.keys().filter(is_unlisted).map(|name| format!("unexpected {kind}{name}")));
    wrong
}

#[cfg(test)]
mod tests {
    use crate::verify::testing::{answer, judge};

    const BODY: &str = "<D:multistatus xmlns:D='DAV:'><D:response><D:href>/cal/a%20b</D:href>\
        <D:propstat><D:prop><D:displayname>Home</D:displayname><D:owner><D:href>/p/</D:href></D:owner></D:prop>\
        <D:status>HTTP/1.1 200 OK</D:status></D:propstat>\
        <D:propstat><D:prop><D:getetag/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>\
        </D:response></D:multistatus>";

    #[track_caller]
    fn check(arguments: &[(&str, &str)], expected: bool) {
        let verdict = judge("propfindItems", &answer(207, BODY), arguments);
        assert_eq!(verdict.is_ok(), expected, "{arguments:?} {verdict:?}");
    }

    const OWNER: (&str, &str) = ("okprops", "{DAV:}owner");
    const BAD: (&str, &str) = ("badprops", "{DAV:}getetag");

    #[test]
    fn every_property_is_listed_and_every_listed_one_is_there() {
        check(&[("okprops", "{DAV:}displayname"), OWNER, BAD], true);
        check(&[("okprops", "{DAV:}displayname"), OWNER], false);
        check(&[("okprops", "{DAV:}displayname"), BAD], false);
        check(&[("okprops", "{DAV:}displayname"), OWNER, ("okprops", "{DAV:}x"), BAD], false);
        check(&[], false);
        check(&[("ignore", "/cal/a b")], true);
        check(&[("only", "/cal/other")], true);
    }

    #[test]
    fn values_are_compared() {
        check(&[("okprops", "{DAV:}displayname$Home"), OWNER, BAD], true);
        check(&[("okprops", "{DAV:}displayname$Other"), OWNER, BAD], false);
        check(&[("okprops", "{DAV:}displayname$"), OWNER, BAD], true);
        check(&[("okprops", "{DAV:}displayname!Home"), OWNER, BAD], false);
        check(&[("okprops", "{DAV:}displayname!"), OWNER, BAD], true);
        check(&[("okprops", "{DAV:}displayname"), ("okprops", "{DAV:}owner$<href xmlns='DAV:'>/p/</href>"), BAD], true);
        check(
            &[("okprops", "{DAV:}displayname"), ("okprops", "{DAV:}owner$<href xmlns='DAV:'>/q/</href>"), BAD],
            false,
        );
    }

    #[test]
    fn a_count_is_all_that_is_checked() {
        check(&[("count", "1")], true);
        check(&[("count", "2")], false);
    }

    #[test]
    fn the_root_is_what_was_asked_for() {
        check(&[("root-element", "{DAV:}mkcol-response"), ("count", "1")], false);
    }
}
