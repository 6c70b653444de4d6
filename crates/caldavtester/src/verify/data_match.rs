//! `dataMatch`: the body is that of a file.

use super::{Judged, Verdict};
use crate::markup::{canonical, read};

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    if !matches!(judged.answer.status, 200 | 207) {
        return Err(format!("status {}, expected 200 or 207", super::shown_status(judged.answer)));
    }
    if judged.answer.body.is_empty() {
        return Err("the body is empty".to_owned());
    }
    let (path, expected) = judged.file()?;
    let expected = judged.tables.fixed_pass(&String::from_utf8_lossy(&expected));
    let body = String::from_utf8_lossy(&judged.answer.body);
    let is_equal = body == expected
        || body == expected.replace('\n', "\r\n")
        || path.ends_with(".ics") && unfolded(&body) == unfolded(&expected)
        || path.ends_with(".xml") && is_same_document(&body, &expected);
    if is_equal { Ok(()) } else { Err(format!("the body differs from {path}{}", first_difference(&expected, &body))) }
}

fn unfolded(text: &str) -> String {
    text.replace("\r\n", "\n").replace("\n ", "")
}

fn is_same_document(one: &str, other: &str) -> bool {
    matches!((read(one.as_bytes()), read(other.as_bytes())), (Ok(one), Ok(other)) if canonical(&one) == canonical(&other))
}

/// The first lines that differ.
pub(super) fn first_difference(expected: &str, found: &str) -> String {
    let (mut expected, mut found) = (expected.lines(), found.lines());
    loop {
        match (expected.next(), found.next()) {
            (None, None) => return String::new(),
            (one, other) if one == other => {}
            (one, other) => {
                return format!(": found {:?}, expected {:?}", other.unwrap_or("the end"), one.unwrap_or("the end"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_and_prefixes_do_not_count() {
        assert_eq!(unfolded("SUMMARY:lo\r\n ng\r\n"), unfolded("SUMMARY:long\n"));
        assert!(is_same_document("<a xmlns='DAV:'/>", "<D:a xmlns:D='DAV:'></D:a>"));
        assert!(!is_same_document("<a xmlns='DAV:'/>", "<a xmlns='DAV:'>x</a>"));
    }
}
