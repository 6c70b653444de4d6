//! Requests that another site's page made a browser send. A browser that was once told a password for the space adds it to
//! them by itself, and a form needs nobody's leave (Fetch §3.2.2, "simple" requests; Fetch Metadata §2.3).

use http::header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method};

use crate::route::Route;

/// Types of body that a form can have.
const FORM_TYPES: &[&str] = &["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

/// Whether the request comes from a page of another site and could do something on the strength of what the browser remembers.
pub(crate) fn is_forged(request: &Parts, route: &Route, public_url: &str) -> bool {
    let headers = &request.headers;
    let is_effective = match route {
        // Some of these do something by GET.
        Route::Ocs(..) => true,
        _ => request.method == Method::POST && has_form_type(headers),
    };
    // A page that may set this header was asked for by OPTIONS, and refused.
    let is_marked = headers.contains_key("ocs-apirequest");
    is_effective && !is_marked && headers.contains_key(AUTHORIZATION) && comes_from_elsewhere(headers, public_url)
}

fn has_form_type(headers: &HeaderMap) -> bool {
    let Some(media_type) = headers.get(CONTENT_TYPE) else { return true };
    let media_type = media_type.to_str().unwrap_or("").split(';').next().unwrap_or("").trim();
    FORM_TYPES.iter().any(|form| media_type.eq_ignore_ascii_case(form))
}

/// What a browser says of where a request comes from; programs say nothing.
fn comes_from_elsewhere(headers: &HeaderMap, public_url: &str) -> bool {
    match (headers.get("sec-fetch-site"), headers.get(ORIGIN)) {
        (Some(site), _) => site != "same-origin" && site != "none",
        (None, Some(origin)) => origin != public_url,
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn check(method: &str, path: &str, headers: &[(&str, &str)], expected: bool) {
        let mut request = Request::builder().method(method).uri(path).header("authorization", "Basic YTpi");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let forged = is_forged(&parts, &Route::of(path), "https://asso.example.org");
        assert_eq!(forged, expected, "{method} {path} {headers:?}");
    }

    #[test]
    fn what_another_site_can_make_a_browser_send_is_forged() {
        let shares = "/ocs/v2.php/apps/files_sharing/api/v1/shares";
        let cross = ("sec-fetch-site", "cross-site");
        let evil = ("origin", "https://evil.example");
        check("POST", shares, &[cross], true);
        check("POST", shares, &[("sec-fetch-site", "same-site"), evil], true);
        check("POST", shares, &[evil], true);
        check("POST", shares, &[("origin", "null")], true);
        check("GET", "/ocs/v2.php/core/getapppassword", &[cross], true);
        check("POST", "/index.php/apps/notes/api/v1/notes", &[cross, ("content-type", "text/plain; charset=x")], true);
        check("POST", "/index.php/apps/notes/api/v1/notes", &[cross], true);
    }

    #[test]
    fn programs_and_the_spaces_own_pages_are_not() {
        let shares = "/ocs/v2.php/apps/files_sharing/api/v1/shares";
        let cross = ("sec-fetch-site", "cross-site");
        check("POST", shares, &[], false);
        check("POST", shares, &[cross, ("ocs-apirequest", "true")], false);
        check("POST", shares, &[("sec-fetch-site", "same-origin"), ("origin", "null")], false);
        check("GET", "/ocs/v1.php/cloud/user", &[("sec-fetch-site", "none")], false);
        check("POST", shares, &[("origin", "https://asso.example.org")], false);
        // A browser asks before it sends these.
        check("PUT", "/remote.php/dav/files/a/b", &[cross], false);
        check("POST", "/index.php/apps/notes/api/v1/notes", &[cross, ("content-type", "application/json")], false);
    }
}
