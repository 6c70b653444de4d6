//! Request headers become types before anything happens.

pub mod condition;
pub mod depth;
pub mod destination;
pub mod if_header;
pub mod lock_token;
pub mod overwrite;
pub mod prefer;
pub mod range;
pub mod timeout;

use std::fmt::Display;

use http::HeaderMap;
use http::header::AsHeaderName;

use crate::error::Error;

/// The value of a header that may stand once.
///
/// # Errors
/// 400 if it stands twice or is not text.
pub fn single(headers: &HeaderMap, name: impl AsHeaderName + Copy + Display) -> Result<Option<&str>, Error> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Error::bad_request(format!("The {name} header stands more than once.")));
    }
    let text = std::str::from_utf8(value.as_bytes());
    text.map(|text| Some(text.trim())).map_err(|_| Error::bad_request(format!("The {name} header is not UTF-8.")))
}

#[cfg(test)]
pub(crate) mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    /// Headers from `name: value` lines.
    pub(crate) fn headers(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in text.lines() {
            let (name, value) = line.split_once(':').expect("name: value");
            let name = HeaderName::from_bytes(name.trim().as_bytes()).expect("a header name");
            headers.append(name, HeaderValue::from_bytes(value.trim().as_bytes()).expect("a header value"));
        }
        headers
    }
}
