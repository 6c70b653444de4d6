//! `dataString`: what the body says, as text.

use super::{Judged, Verdict, none_of};

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    let mut body = String::from_utf8_lossy(&judged.answer.body).into_owned();
    if judged.has("empty") {
        return if body.is_empty() { Ok(()) } else { Err("the body is not empty".to_owned()) };
    }
    if body.is_empty() {
        return Err("the body is empty".to_owned());
    }
    if judged.has("unwrap") {
        body = body.replace("\r\n ", "");
    }
    let spellings = |text: &String| {
        let text = judged.tables.fixed_pass(text);
        [text.replace('\n', "\r\n"), text]
    };
    let any = |text: &String, holds: &dyn Fn(&str) -> bool| spellings(text).iter().any(|text| holds(text));
    let mut wrong = Vec::new();
    for text in judged.values("equals").iter().filter(|text| !any(text, &|text| body == text)) {
        wrong.push(format!("the body is not {text:?}"));
    }
    for text in judged.values("contains").iter().filter(|text| !any(text, &|text| body.contains(text))) {
        wrong.push(format!("the body lacks {text:?}"));
    }
    for text in judged.values("notcontains").iter().filter(|text| any(text, &|text| body.contains(text))) {
        wrong.push(format!("the body has {text:?}"));
    }
    none_of(wrong)
}

#[cfg(test)]
mod tests {
    use crate::verify::testing::{answer, judge};

    #[track_caller]
    fn check(body: &str, arguments: &[(&str, &str)], expected: bool) {
        assert_eq!(judge("dataString", &answer(200, body), arguments).is_ok(), expected, "{arguments:?}");
    }

    #[test]
    fn texts_are_found_whatever_the_line_ends() {
        let body = "BEGIN:A\r\nSUMMARY:lo\r\n ng\r\nEND:A\r\n";
        check("", &[("empty", "")], true);
        check(body, &[("empty", "")], false);
        check("", &[("contains", "a")], false);
        check(body, &[("contains", "BEGIN:A\nSUMMARY")], true);
        check(body, &[("contains", "SUMMARY:long")], false);
        check(body, &[("contains", "SUMMARY:long"), ("unwrap", "")], true);
        check(body, &[("notcontains", "END:A\n")], false);
        check(body, &[("notcontains", "END:B")], true);
        check(body, &[("equals", "BEGIN:A")], false);
        check(body, &[("equals", "BEGIN:A\nSUMMARY:lo\n ng\nEND:A\n")], true);
    }
}
