//! If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, If-Range. RFC 9110 §13.1.

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, HeaderName};
use nichoir_store::Timestamp;
use nichoir_store::conditions::EtagSet;

use super::single;
use crate::error::Error;

/// Tags in one header at most; more is abuse.
const TAGS_MAX: usize = 100;

/// `If-Match`: strong comparison, so weak tags match nothing and are left out.
///
/// # Errors
/// 400 if malformed.
pub fn if_match(headers: &HeaderMap) -> Result<Option<EtagSet>, Error> {
    tags(headers, &IF_MATCH, false)
}

/// `If-None-Match`: weak comparison, so a weak tag counts as its strong twin.
///
/// # Errors
/// 400 if malformed.
pub fn if_none_match(headers: &HeaderMap) -> Result<Option<EtagSet>, Error> {
    tags(headers, &IF_NONE_MATCH, true)
}

/// Whether the header names the state with this tag: weak tags are as good as strong ones, and quotes may be missing on
/// either side. A header that cannot be read names nothing.
pub fn names(headers: &HeaderMap, header: &HeaderName, etag: &str) -> bool {
    match tags(headers, header, true) {
        Ok(Some(EtagSet::Any)) => true,
        Ok(Some(EtagSet::Of(tags))) => tags.iter().any(|tag| tag == etag.trim_matches('"')),
        Ok(None) | Err(_) => false,
    }
}

fn tags(headers: &HeaderMap, name: &HeaderName, takes_weak: bool) -> Result<Option<EtagSet>, Error> {
    if !headers.contains_key(name) {
        return Ok(None);
    }
    let malformed = || Error::bad_request(format!("{name} must be * or a list of entity tags."));
    let mut tags = Vec::new();
    for value in headers.get_all(name) {
        let mut rest = std::str::from_utf8(value.as_bytes()).map_err(|_| malformed())?.trim();
        if rest == "*" {
            return Ok(Some(EtagSet::Any));
        }
        while !rest.is_empty() {
            let (is_weak, tag, after) = tag(rest).ok_or_else(malformed)?;
            if takes_weak || !is_weak {
                tags.push(tag.to_owned());
            }
            if tags.len() > TAGS_MAX {
                return Err(malformed());
            }
            rest = after.trim_start();
            rest = match rest.strip_prefix(',') {
                Some(after) => after.trim_start_matches([',', ' ', '\t']),
                None if rest.is_empty() => rest,
                None => return Err(malformed()),
            };
        }
    }
    Ok(Some(EtagSet::Of(tags)))
}

/// The entity tag at the start of `text`: whether it is weak, its opaque part, and what follows. A tag without quotes,
/// as some clients send it, is taken for a strong one.
pub(super) fn tag(text: &str) -> Option<(bool, &str, &str)> {
    let (is_weak, text) = match text.strip_prefix("W/") {
        Some(text) => (true, text),
        None => (false, text),
    };
    if let Some(inside) = text.strip_prefix('"') {
        let (tag, after) = inside.split_once('"')?;
        return Some((is_weak, tag, after));
    }
    let end = text.find([',', ' ', '\t', ']', '"']).unwrap_or(text.len());
    let (tag, after) = text.split_at(end);
    (!is_weak && !tag.is_empty()).then_some((false, tag, after))
}

/// `If-Modified-Since`; a date that cannot be read is as good as absent (RFC 9110 §13.1.3).
pub fn if_modified_since(headers: &HeaderMap) -> Option<Timestamp> {
    date(headers, &IF_MODIFIED_SINCE)
}

/// `If-Unmodified-Since`; a date that cannot be read is as good as absent (RFC 9110 §13.1.4).
pub fn if_unmodified_since(headers: &HeaderMap) -> Option<Timestamp> {
    date(headers, &IF_UNMODIFIED_SINCE)
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    parsed_date(single(headers, name).ok()??)
}

fn parsed_date(text: &str) -> Option<Timestamp> {
    let instant = httpdate::parse_http_date(text).ok()?;
    let since = instant.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_seconds(i64::try_from(since.as_secs()).ok()?))
}

/// `If-Range`: the state of which the client holds a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfRange {
    /// A strong tag.
    Etag(String),
    /// A date, compared exactly.
    Date(Timestamp),
    /// Something that holds for no state: a weak tag, or a date that cannot be read.
    Never,
}

/// `If-Range`.
pub fn if_range(headers: &HeaderMap) -> Option<IfRange> {
    let text = single(headers, &IF_RANGE).ok()??;
    Some(match (tag(text), parsed_date(text)) {
        (_, Some(date)) => IfRange::Date(date),
        (Some((false, tag, "")), None) => IfRange::Etag(tag.to_owned()),
        _ => IfRange::Never,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::tests::headers;

    #[track_caller]
    fn check(value: &str, expected: &str) {
        let found = |set: Result<Option<EtagSet>, Error>| match set {
            Ok(Some(EtagSet::Any)) => "*".to_owned(),
            Ok(Some(EtagSet::Of(tags))) => tags.join(" "),
            Ok(None) => "-".to_owned(),
            Err(_) => "error".to_owned(),
        };
        let text = format!("If-Match: {value}\nIf-None-Match: {value}");
        let headers = headers(&text);
        assert_eq!(format!("{} | {}", found(if_match(&headers)), found(if_none_match(&headers))), expected, "{value}");
    }

    #[test]
    fn tags_are_lists_of_strong_and_weak() {
        check("*", "* | *");
        check("\"a\"", "a | a");
        check("\"a\", W/\"b\" ,\"c\"", "a c | a b c");
        check("a", "a | a");
        check("\"a", "error | error");
        check("\"a\" \"b\"", "error | error");
        check("\"a,b\"", "a,b | a,b");
    }

    #[test]
    fn dates_that_make_no_sense_are_absent() {
        let stamp = |text: &str| if_modified_since(&headers(text)).map(Timestamp::seconds);
        assert_eq!(stamp("If-Modified-Since: Mon, 02 Jun 2025 08:15:30 GMT"), Some(1_748_852_130));
        assert_eq!(stamp("If-Modified-Since: yesterday"), None);
    }

    #[test]
    fn if_range_is_a_strong_tag_or_a_date() {
        let check = |text: &str, expected| assert_eq!(if_range(&headers(&format!("If-Range: {text}"))), Some(expected));
        check("\"a\"", IfRange::Etag("a".to_owned()));
        check("W/\"a\"", IfRange::Never);
        check("Mon, 02 Jun 2025 08:15:30 GMT", IfRange::Date(Timestamp::from_seconds(1_748_852_130)));
    }

    #[test]
    fn a_state_is_known_with_and_without_quotes() {
        for known in ["\"ab\"", "ab", "W/\"ab\"", "\"x\", \"ab\"", "*"] {
            let headers = headers(&format!("if-none-match: {known}"));
            assert!(names(&headers, &http::header::IF_NONE_MATCH, "\"ab\""), "{known}");
            assert!(names(&headers, &http::header::IF_NONE_MATCH, "ab"), "{known}");
        }
        for other in ["\"abc\"", "\"ab", "", "W/ab"] {
            let headers = headers(&format!("if-none-match: {other}"));
            assert!(!names(&headers, &http::header::IF_NONE_MATCH, "\"ab\""), "{other}");
        }
        assert!(!names(&HeaderMap::new(), &http::header::IF_NONE_MATCH, "ab"));
    }
}
