//! What the pages of a link are made of: one frame, one style sheet, no script, nothing from elsewhere. Whatever came from
//! outside goes through [`escape`] or, in an address, through [`query_escape`].

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, VARY};
use http::{HeaderValue, StatusCode};
use nichoir_dav::Response;
use nichoir_dav::request::{empty, full};
use nichoir_store::Timestamp;

pub(super) use crate::page::{Language, escape};
use crate::with_body;

/// Where the style sheet is.
pub(super) const STYLE_PATH: &str = "/core/css/link.css";

const STYLE: &str = include_str!("link.css");

/// The style sheet, which never changes within a release.
pub fn style() -> Response {
    let mut response = with_body(StatusCode::OK, "text/css; charset=utf-8", STYLE);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}

/// A page. `body` is HTML of ours.
pub(super) fn page(status: StatusCode, language: Language, title: &str, body: &str) -> Response {
    let title = escape(title);
    let code = language.code();
    let skip = language.say("Skip to content", "Aller au contenu");
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex, nofollow\">\n<link rel=\"stylesheet\" href=\"{STYLE_PATH}\">\n\
         </head>\n<body>\n<a class=\"skip\" href=\"#content\">{skip}</a>\n<main id=\"content\">\n<h1>{title}</h1>\n\
         {body}\n</main>\n</body>\n</html>\n"
    );
    let mut response = Response::new(full(html.into_bytes()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                  base-uri 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(VARY, HeaderValue::from_static("Accept-Language, Cookie"));
    guarded(response)
}

/// 303 to an address of ours.
pub(super) fn see_other(address: &str) -> Response {
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(address) = HeaderValue::try_from(address) {
        response.headers_mut().insert(LOCATION, address);
    }
    guarded(response)
}

/// What goes with every answer of a link: the token in its address is a credential.
pub(super) fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    response
}

/// Text as the value of a parameter in an address.
pub(super) fn query_escape(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// `1.2 MB`, `1,2 Mo`.
pub(super) fn size_text(language: Language, bytes: u64) -> String {
    let units = match language {
        Language::English => ["bytes", "KB", "MB", "GB", "TB"],
        Language::French => ["octets", "Ko", "Mo", "Go", "To"],
    };
    if bytes < 1_000 {
        return format!("{bytes}\u{a0}{}", units[0]);
    }
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 999.95 && unit + 1 < units.len() {
        amount /= 1_000.0;
        unit += 1;
    }
    let number = format!("{amount:.1}");
    let number = if language == Language::French { number.replace('.', ",") } else { number };
    format!("{number}\u{a0}{}", units[unit])
}

/// A `time` element.
pub(super) fn time_element(language: Language, instant: Timestamp) -> String {
    let instant = chrono::DateTime::from_timestamp(instant.seconds(), 0).unwrap_or_default();
    let shown = instant.format(language.say("%Y-%m-%d %H:%M UTC", "%d/%m/%Y %H:%M UTC"));
    format!("<time datetime=\"{}\">{shown}</time>", instant.format("%Y-%m-%dT%H:%M:%SZ"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_in_the_language() {
        for (bytes, english, french) in [
            (0, "0\u{a0}bytes", "0\u{a0}octets"),
            (999, "999\u{a0}bytes", "999\u{a0}octets"),
            (1_000, "1.0\u{a0}KB", "1,0\u{a0}Ko"),
            (999_949, "999.9\u{a0}KB", "999,9\u{a0}Ko"),
            (999_999, "1.0\u{a0}MB", "1,0\u{a0}Mo"),
            (1_250_000_000, "1.2\u{a0}GB", "1,2\u{a0}Go"),
        ] {
            assert_eq!(size_text(Language::English, bytes), english);
            assert_eq!(size_text(Language::French, bytes), french);
        }
    }
}
