//! `multistatusItems`: which resources a multistatus speaks of, and whether well.

use std::collections::{BTreeMap, BTreeSet};

use super::response::{Response, responses, unquoted};
use super::{Judged, Verdict, differences, none_of};

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    if judged.answer.status != 207 {
        return Err(format!("status {}, expected 207", super::shown_status(judged.answer)));
    }
    let root = judged.xml()?;
    let responses = responses(&root);
    let hrefs = |is_wanted: fn(&Response<'_>) -> bool| -> BTreeSet<String> {
        responses.iter().filter(|it| is_wanted(it)).map(|it| without_slash(&unquoted(&it.href))).collect()
    };
    let ok = hrefs(is_ok);
    let bad = hrefs(|it| !is_ok(it));
    if let Some(wanted) = sum(judged, "count") {
        return check_number("ok responses", ok.len() as i64, wanted? + 1, &ok);
    }
    if let Some(wanted) = sum(judged, "totalcount") {
        return check_number("ok responses", ok.len() as i64, wanted?, &ok);
    }
    if let Some(wanted) = sum(judged, "responsecount") {
        return check_number("responses", (ok.len() + bad.len()) as i64, wanted?, &ok);
    }
    if ["okhrefs", "badhrefs", "nohrefs"].iter().any(|name| judged.has(name)) {
        return check_hrefs(judged, &ok, &bad);
    }
    check_codes(judged, &responses)
}

fn is_ok(response: &Response<'_>) -> bool {
    response.status.map_or(response.has_propstat, |status| status / 100 == 2)
}

fn without_slash(href: &str) -> String {
    href.strip_suffix('/').unwrap_or(href).to_owned()
}

fn check_number(what: &str, found: i64, wanted: i64, hrefs: &BTreeSet<String>) -> Verdict {
    match found == wanted {
        true => Ok(()),
        false => Err(format!("{found} {what}, expected {wanted}; ok: {:?}", hrefs.iter().take(8).collect::<Vec<_>>())),
    }
}

fn check_hrefs(judged: &Judged<'_>, ok: &BTreeSet<String>, bad: &BTreeSet<String>) -> Verdict {
    let ignores_missing = judged.has("ignoremissing");
    let mut wrong = Vec::new();
    for (what, found, name) in [("ok", ok, "okhrefs"), ("bad", bad, "badhrefs")] {
        let expected = expected_hrefs(judged, name);
        let found: BTreeSet<String> = match ignores_missing {
            true => found.intersection(&expected).cloned().collect(),
            false => found.clone(),
        };
        wrong.extend(differences(&expected, &found).into_iter().map(|difference| format!("{what}: {difference}")));
    }
    let unwanted = expected_hrefs(judged, "nohrefs");
    wrong.extend(unwanted.intersection(ok).map(|href| format!("ok: unexpected {href}")));
    none_of(wrong)
}

/// The hrefs that an argument lists, with their prefix.
fn expected_hrefs(judged: &Judged<'_>, name: &str) -> BTreeSet<String> {
    let prefix = match judged.values("prefix") {
        [] => judged.uri,
        [prefix, ..] if prefix == "-" => "",
        [prefix, ..] => prefix,
    };
    let mut hrefs = BTreeSet::new();
    for value in judged.values(name) {
        match value.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
            None => {
                hrefs.insert(without_slash(&format!("{prefix}{value}")));
            }
            Some(list) => {
                let members = list.split(',').map(str::trim).filter(|member| !member.is_empty());
                hrefs.extend(members.map(|member| match member {
                    "-" => without_slash(prefix),
                    member => without_slash(&format!("{prefix}{member}")),
                }));
            }
        }
    }
    hrefs
}

/// The hrefs by status; all of them must be listed.
fn check_codes(judged: &Judged<'_>, responses: &[Response<'_>]) -> Verdict {
    let mut found: BTreeMap<u16, BTreeSet<String>> = BTreeMap::new();
    for response in responses {
        found.entry(response.status.unwrap_or(0)).or_default().insert(without_slash(&unquoted(&response.href)));
    }
    let codes = judged.arguments.iter().filter_map(|(name, values)| Some((name.parse().ok()?, values)));
    let expected: BTreeMap<u16, BTreeSet<String>> =
        codes.map(|(code, values)| (code, values.iter().map(|value| without_slash(value)).collect())).collect();
    let none = BTreeSet::new();
    let all: BTreeSet<u16> = expected.keys().chain(found.keys()).copied().collect();
    none_of(
        all.into_iter()
            .flat_map(|code| {
                let wrong = differences(expected.get(&code).unwrap_or(&none), found.get(&code).unwrap_or(&none));
                wrong.into_iter().map(move |difference| format!("{code}: {difference}"))
            })
            .collect(),
    )
}

/// The sum of an argument's values, each an arithmetic expression such as `2+1`.
fn sum(judged: &Judged<'_>, name: &str) -> Option<Result<i64, String>> {
    let values = judged.arguments.get(name).filter(|values| !values.is_empty())?;
    Some(values.iter().map(|value| evaluate(value)).sum())
}

fn evaluate(expression: &str) -> Result<i64, String> {
    let text: String = expression.chars().filter(|c| !c.is_whitespace()).collect();
    let mut total = 0;
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let sign = if rest.starts_with('-') { -1 } else { 1 };
        rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        let end = rest.find(['+', '-']).unwrap_or(rest.len());
        let number: i64 = rest[..end].parse().map_err(|_| format!("{expression} is no number"))?;
        total += sign * number;
        rest = &rest[end..];
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::testing::{answer, judge};

    const BODY: &str = "<multistatus xmlns='DAV:'>\
        <response><href>/cal/</href><propstat><prop/><status>HTTP/1.1 404 Not Found</status></propstat></response>\
        <response><href>/cal/a%20b.ics</href><propstat><prop/><status>HTTP/1.1 200 OK</status></propstat></response>\
        <response><href>/cal/gone.ics</href><status>HTTP/1.1 404 Not Found</status></response></multistatus>";

    #[track_caller]
    fn check(arguments: &[(&str, &str)], expected: bool) {
        let verdict = judge("multistatusItems", &answer(207, BODY), arguments);
        assert_eq!(verdict.is_ok(), expected, "{arguments:?} {verdict:?}");
    }

    #[test]
    fn responses_are_counted() {
        check(&[("count", "1")], true);
        check(&[("count", "2-1")], true);
        check(&[("count", "2")], false);
        check(&[("totalcount", "1"), ("totalcount", "1")], true);
        check(&[("responsecount", "3")], true);
    }

    #[test]
    fn hrefs_are_relative_and_told_apart() {
        check(&[("okhrefs", ""), ("okhrefs", "a b.ics"), ("badhrefs", "gone.ics")], true);
        check(&[("okhrefs", "[-,a b.ics,]"), ("badhrefs", "[gone.ics]")], true);
        check(&[("okhrefs", "[-,a b.ics]")], false);
        check(&[("okhrefs", "[a b.ics]"), ("badhrefs", "gone.ics")], false);
        check(&[("okhrefs", "a b.ics"), ("ignoremissing", "")], true);
        check(&[("okhrefs", "other.ics"), ("ignoremissing", "")], false);
        check(&[("prefix", "-"), ("okhrefs", "[/cal,/cal/a b.ics]"), ("badhrefs", "/cal/gone.ics/")], true);
        check(&[("nohrefs", "a b.ics"), ("ignoremissing", "")], false);
        check(&[("nohrefs", "c.ics"), ("ignoremissing", "")], true);
    }

    #[test]
    fn statuses_list_their_hrefs_in_full() {
        check(&[("404", "/cal/gone.ics"), ("0", "/cal/"), ("0", "/cal/a b.ics")], true);
        check(&[("404", "/cal/gone.ics")], false);
        check(&[], false);
        assert!(judge("multistatusItems", &answer(207, "<multistatus xmlns='DAV:'/>"), &[]).is_ok());
        assert!(judge("multistatusItems", &answer(200, BODY), &[("count", "1")]).is_err());
    }

    #[test]
    fn expressions_are_added_up() {
        assert_eq!(evaluate("2+1"), Ok(3));
        assert_eq!(evaluate("-1 + 4 - 2"), Ok(1));
        assert!(evaluate("two").is_err());
    }
}
