//! `header`: headers that must be there once, match, not match, or be absent.

use regex::Regex;

use super::{Judged, Verdict, none_of};

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    none_of(judged.values("header").iter().filter_map(|wanted| check_one(judged, wanted).err()).collect())
}

fn check_one(judged: &Judged<'_>, wanted: &str) -> Verdict {
    let (is_repeatable, rest) = wanted.strip_prefix('*').map_or((false, wanted), |rest| (true, rest));
    if let Some(name) = rest.strip_prefix('!') {
        return match judged.answer.header(name).next() {
            None => Ok(()),
            Some(value) => Err(format!("{name}: {value} is there, expected none")),
        };
    }
    let end = rest.find(['$', '!']).unwrap_or(rest.len());
    let (name, pattern) = rest.split_at(end);
    let values: Vec<&str> = judged.answer.header(name).collect();
    match values.len() {
        0 => return Err(format!("no header {name}")),
        1 => {}
        _ if is_repeatable => {}
        number => return Err(format!("{number} headers {name}")),
    }
    let Some(expression) = pattern.get(1..) else { return Ok(()) };
    let is_wanted = pattern.starts_with('$');
    let expression = start_anchored(&expression.replace(' ', ""))?;
    match values.iter().any(|value| expression.is_match(&value.replace(' ', "")) == is_wanted) {
        true => Ok(()),
        false => Err(format!("{name}: {}, expected {pattern}", values.join(" | "))),
    }
}

/// A regular expression that must match from the start.
pub(super) fn start_anchored(expression: &str) -> Result<Regex, String> {
    Regex::new(&format!("^(?:{expression})")).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::http::Answer;
    use crate::verify::testing::judge;

    #[track_caller]
    fn check(wanted: &str, expected: bool) {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers =
            vec![header("DAV", "1, access-control"), header("dav", "calendar-access"), header("ETag", "\"7\"")];
        let answer = Answer { status: 200, headers, body: Vec::new() };
        assert_eq!(judge("header", &answer, &[("header", wanted)]).is_ok(), expected, "{wanted}");
    }

    #[test]
    fn presence_absence_and_patterns() {
        check("etag", true);
        check("!etag", false);
        check("!Location", true);
        check("Location", false);
        check("DAV", false);
        check("*DAV", true);
        check("ETag$\"7\"", true);
        check("ETag$7", false);
        check("ETag!\"8\"", true);
        check("ETag!\"7\"", false);
        check("*DAV$.*calendar-access.*", true);
        check("*DAV$1, access", true);
        check("*DAV$.*nothing.*", false);
    }
}
