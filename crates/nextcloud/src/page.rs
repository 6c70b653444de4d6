//! The few pages that people see: plain HTML that works without JavaScript, in French or English.

use http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use http::{HeaderMap, HeaderValue, StatusCode};
use nichoir_dav::Response;

use crate::with_body;

/// A language of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    French,
}

impl Language {
    /// The one of ours that the browser likes best.
    pub(crate) fn of(headers: &HeaderMap) -> Language {
        let wishes = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let mut best = (Language::English, 0.0);
        for wish in wishes.split(',') {
            let (tag, weight) =
                wish.split_once(";q=").map_or((wish, 1.0), |(tag, q)| (tag, q.trim().parse().unwrap_or(0.0)));
            let language = match tag.trim().get(..2).map(str::to_ascii_lowercase).as_deref() {
                Some("fr") => Language::French,
                Some("en") => Language::English,
                _ => continue,
            };
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }

    pub(crate) fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::French => "fr",
        }
    }

    /// The text in this language.
    pub(crate) fn say(self, english: &'static str, french: &'static str) -> &'static str {
        match self {
            Language::English => english,
            Language::French => french,
        }
    }
}

const STYLE: &str = "body{font:1.05rem/1.5 system-ui,sans-serif;background:#eef3ef;color:#1c2b22;margin:0}\
main{max-width:26rem;margin:8vh auto;padding:2rem;background:#fff;border-radius:.75rem;box-shadow:0 1px 8px #0002}\
h1{font-size:1.4rem;margin:0 0 1rem}label{display:block;margin:1rem 0 .25rem}\
input{font:inherit;width:100%;box-sizing:border-box;padding:.6rem;border:1px solid #7a8a80;border-radius:.4rem}\
button{font:inherit;margin-top:1.5rem;width:100%;padding:.7rem;border:0;border-radius:.4rem;background:#2f6f4f;color:#fff}\
:focus-visible{outline:3px solid #d98e04;outline-offset:2px}.alert{background:#fbe9e7;padding:.6rem;border-radius:.4rem}";

/// A page. `body` is HTML of ours; what came from outside must have gone through [`escape`].
pub(crate) fn page(status: StatusCode, language: Language, title: &str, body: &str) -> Response {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{STYLE}</style></head>\n\
         <body><main><h1>{title}</h1>\n{body}\n</main></body>\n</html>\n",
        language.code(),
        title = escape(title),
    );
    let mut response = with_body(status, "text/html; charset=utf-8", html);
    let headers = response.headers_mut();
    // No script at all; forms go nowhere but here, or to the app that asked (login flow v1).
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' nc:; frame-ancestors 'none'; base-uri 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Text as HTML.
pub(crate) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_best_language_of_ours() {
        for (wishes, expected) in [
            ("", Language::English),
            ("fr", Language::French),
            ("fr-CA,fr;q=0.9,en;q=0.8", Language::French),
            ("en-GB,en;q=0.9,fr;q=0.8", Language::English),
            ("de,fr;q=0.5,en;q=0.4", Language::French),
            ("de", Language::English),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, wishes.parse().unwrap());
            assert_eq!(Language::of(&headers), expected, "{wishes}");
        }
    }

    #[test]
    fn nothing_from_outside_becomes_markup() {
        assert_eq!(escape("<b a='\"&'>"), "&lt;b a=&#39;&quot;&amp;&#39;&gt;");
    }
}
