//! Lock-Token. RFC 4918 §10.5: a state token as a coded URL.

use http::HeaderMap;

use super::single;
use crate::error::Error;

/// The token, without its angle brackets.
///
/// # Errors
/// 400 if it is not a coded URL.
pub fn of(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let Some(text) = single(headers, "lock-token")? else { return Ok(None) };
    let token = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    match token {
        Some(token) if !token.is_empty() && !token.contains(['<', '>']) => Ok(Some(token.to_owned())),
        _ => Err(Error::bad_request("Lock-Token must be a URL in angle brackets.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::tests::headers;

    #[test]
    fn a_lock_token_is_a_coded_url() {
        assert_eq!(of(&headers("Lock-Token: <urn:a>")).ok(), Some(Some("urn:a".to_owned())));
        assert_eq!(of(&headers("")).ok(), Some(None));
        for bad in ["urn:a", "<>", "<a><b>", "<a"] {
            assert!(of(&headers(&format!("Lock-Token: {bad}"))).is_err(), "{bad}");
        }
    }
}
