//! Doors for the targets in `fuzz/` and the generated tests: they call the parsers as requests do.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::header::{condition, depth, destination, if_header, lock_token, overwrite, range, timeout};
use crate::href;

/// Gives `value` to the parser of every header; nothing where it cannot stand in a header at all.
pub fn headers(value: &[u8], size_bytes: u64) {
    let Ok(value) = HeaderValue::from_bytes(value) else { return };
    let names = ["if", "if-match", "range", "depth", "timeout", "lock-token", "destination", "overwrite"];
    let headers: HeaderMap = names.into_iter().map(|name| (HeaderName::from_static(name), value.clone())).collect();
    if let Ok(Some(parsed)) = if_header::of(&headers) {
        let _ = parsed.lock_tokens();
    }
    let _ = (condition::if_match(&headers), depth::Depth::of(&headers), timeout::of(&headers));
    let _ = (lock_token::of(&headers), destination::of(&headers), overwrite::of(&headers));
    if let range::Wanted::Parts(parts) = range::of(&headers, size_bytes, 32) {
        assert!(parts.iter().all(|part| part.start < part.end && part.end <= size_bytes), "a range beyond the content");
    }
}

/// Takes `path` as a request's target and as a destination; what is understood must survive the way back.
pub fn paths(path: &str) {
    let _ = href::path_of_url("/remote.php/dav/files/a%40b", path);
    if let Ok(below) = href::path_below("", path) {
        let again = href::path_below("/p", &href::of("/p", &below, false));
        assert_eq!(again.ok().as_ref(), Some(&below), "a path changes on its way out and in");
    }
}
