//! Small addresses that clients probe.

use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use nichoir_dav::Response;
use nichoir_dav::request::empty;

use crate::with_body;

/// `/index.php/204`: the connectivity check. Exactly 204, for anybody.
pub fn connectivity() -> Response {
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// `/.well-known/caldav` and `/.well-known/carddav` (RFC 6764 §5): to the DAV root, for every method.
pub fn well_known(public_url: &str) -> Response {
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    let place = format!("{public_url}/remote.php/dav/");
    response.headers_mut().insert(LOCATION, HeaderValue::try_from(place).unwrap_or(HeaderValue::from_static("/")));
    response
}

/// `/robots.txt`: nothing here is for search engines.
pub fn robots() -> Response {
    with_body(StatusCode::OK, "text/plain; charset=utf-8", "User-agent: *\nDisallow: /\n")
}
