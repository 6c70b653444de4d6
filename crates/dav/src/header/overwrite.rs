//! Overwrite. RFC 4918 §10.6.

use http::HeaderMap;

use super::single;
use crate::error::Error;

/// Whether what is at the destination may be replaced; absent means it may.
///
/// # Errors
/// 400 for anything but `T` and `F`. The File Provider of macOS sends `true`.
pub fn of(headers: &HeaderMap) -> Result<bool, Error> {
    match single(headers, "overwrite")? {
        None => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("t") || text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("f") || text.eq_ignore_ascii_case("false") => Ok(false),
        Some(_) => Err(Error::bad_request("Overwrite must be T or F.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::tests::headers;

    #[test]
    fn overwrite_is_t_or_f() {
        for (text, expected) in [
            ("", Some(true)),
            ("Overwrite: T", Some(true)),
            ("Overwrite: F", Some(false)),
            ("Overwrite: f", Some(false)),
            ("Overwrite: true", Some(true)),
            ("Overwrite: maybe", None),
        ] {
            assert_eq!(of(&headers(text)).ok(), expected, "{text}");
        }
    }
}
