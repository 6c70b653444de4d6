//! Doors for the targets in `fuzz/` and the generated tests: they call the parsers as requests do.

mod reference;

use http::{HeaderMap, HeaderName, HeaderValue};
use nichoir_store::conditions::IfResource;

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

/// Takes `text` as an `If` header: it must mean what the grammar says, or be refused as the grammar refuses it.
pub fn if_header(text: &str) {
    let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { return };
    let headers: HeaderMap = [(HeaderName::from_static("if"), value)].into_iter().collect();
    let found = if_header::of(&headers).ok().flatten().map(|parsed| {
        let about = std::cell::RefCell::new(Vec::new());
        let lists = parsed.into_lists(|tag| {
            about.borrow_mut().push(tag.to_owned());
            IfResource::Elsewhere
        });
        let mut tags = about.into_inner().into_iter();
        let mut tag_of = |resource: &IfResource| if *resource == IfResource::Request { None } else { tags.next() };
        lists.into_iter().map(|list| (tag_of(&list.resource), list.conditions)).collect::<Vec<_>>()
    });
    let expected = reference::if_lists(text).filter(|_| text.trim().len() <= 16 * 1024);
    assert_eq!(found, expected, "{text:?}");
}

/// Takes `path` as a request's target and as a destination; what is understood must survive the way back.
pub fn paths(path: &str) {
    let _ = href::path_of_url("/remote.php/dav/files/a%40b", path);
    let found = href::path_below("", path);
    let names = found.as_ref().ok().map(|below| below.names().to_vec());
    assert_eq!(names, reference::names(path), "{path:?}");
    if let Ok(below) = found {
        let again = href::path_below("/p", &href::of("/p", &below, false));
        assert_eq!(again.ok().as_ref(), Some(&below), "a path changes on its way out and in");
    }
}
