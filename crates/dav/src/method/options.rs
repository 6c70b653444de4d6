//! OPTIONS: what works here. RFC 4918 §10.1, RFC 9110 §9.3.7. Needs no look-up: what works does not depend on the
//! resource.

use http::header::{ACCEPT_RANGES, ALLOW};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::Dav;
use crate::answer;
use crate::request::Response;

// Windows and old Office open a share for writing only when they see it.
const MS_AUTHOR_VIA: HeaderName = HeaderName::from_static("ms-author-via");

const DASL: HeaderName = HeaderName::from_static("dasl");

impl Dav {
    /// The answer to OPTIONS.
    pub fn options(&self) -> Response {
        let mut response = answer::bare(StatusCode::OK);
        let headers = response.headers_mut();
        headers.insert(answer::DAV, self.0.dav_header.clone());
        headers.insert(ALLOW, self.0.allow.clone());
        if self.extensions().any(|extension| extension.methods().contains(&"SEARCH")) {
            // RFC 5323 §3.2: which grammars SEARCH takes.
            headers.insert(DASL, HeaderValue::from_static("<DAV:basicsearch>"));
        }
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(MS_AUTHOR_VIA, HeaderValue::from_static("DAV"));
        response
    }
}
