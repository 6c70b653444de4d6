//! Timeout. RFC 4918 §10.7: a list of wishes, of which the first one that makes sense counts.

use http::HeaderMap;

use super::single;
use crate::error::Error;

/// The wish in seconds; `Infinite` is as long as the store allows.
///
/// # Errors
/// 400 for a header without any wish in it.
pub fn of(headers: &HeaderMap) -> Result<Option<u64>, Error> {
    let Some(text) = single(headers, "timeout")? else { return Ok(None) };
    let mut wishes = text.split(',').map(str::trim).filter_map(|wish| {
        if wish.eq_ignore_ascii_case("infinite") {
            return Some(u64::MAX);
        }
        let seconds = wish.get(..7).filter(|unit| unit.eq_ignore_ascii_case("second-")).and(wish.get(7..))?;
        let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
        // More digits than a number holds is as good as infinite.
        is_number.then(|| seconds.parse().unwrap_or(u64::MAX))
    });
    wishes.next().map(Some).ok_or_else(|| Error::bad_request("Timeout must be Second-N or Infinite."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::tests::headers;

    #[test]
    fn the_first_sensible_wish_counts() {
        for (text, expected) in [
            ("", Some(None)),
            ("Timeout: Second-3600", Some(Some(3600))),
            ("Timeout: Infinite, Second-4100000000", Some(Some(u64::MAX))),
            ("Timeout: Extend, Second-5", Some(Some(5))),
            ("Timeout: Second-99999999999999999999999", Some(Some(u64::MAX))),
            ("Timeout: Second-", None),
            ("Timeout: Second-1x", None),
            ("Timeout: é", None),
        ] {
            assert_eq!(of(&headers(text)).ok(), expected, "{text}");
        }
    }
}
