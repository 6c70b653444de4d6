//! `jsonPointerMatch`: what must, or must not, be in a JSON answer.

use super::{Judged, Verdict, none_of};
use crate::json_pointer::matches;

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    judged.expect_status(&[200])?;
    let kind = judged.answer.header("content-type").next().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind != "application/json" && !kind.ends_with("+json") {
        return Err(format!("the content type is {kind:?}"));
    }
    let document =
        serde_json::from_slice(&judged.answer.body).map_err(|error| format!("the body is no JSON: {error}"))?;
    let mut wrong = Vec::new();
    for pointer in judged.values("exists").iter().filter(|pointer| !matches(&document, pointer)) {
        wrong.push(format!("nothing at {pointer}"));
    }
    for pointer in judged.values("notexists").iter().filter(|pointer| matches(&document, pointer)) {
        wrong.push(format!("there is something at {pointer}"));
    }
    none_of(wrong)
}

#[cfg(test)]
mod tests {
    use crate::http::Answer;
    use crate::verify::testing::judge;

    #[test]
    fn the_type_counts_and_pointers_must_lead_somewhere() {
        let answer = |kind: &str| {
            let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
            Answer { status: 200, headers, body: b"{\"a\": 1}".to_vec() }
        };
        let check = |kind: &str, pointer, expected| {
            assert_eq!(
                judge("jsonPointerMatch", &answer(kind), &[("exists", pointer)]).is_ok(),
                expected,
                "{kind} {pointer}"
            );
        };
        check("application/json; charset=utf-8", "/a", true);
        check("application/calendar+json", "/a", true);
        check("text/plain", "/a", false);
        check("application/json", "/b", false);
        assert!(judge("jsonPointerMatch", &answer("application/json"), &[("notexists", "/a")]).is_err());
    }
}
