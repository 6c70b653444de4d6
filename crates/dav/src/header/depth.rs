//! Depth. RFC 4918 §10.2.

use http::HeaderMap;

use super::single;
use crate::error::Error;

/// How far a method reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The resource alone.
    Zero,
    /// With its members.
    One,
    /// With everything below.
    Infinity,
}

impl Depth {
    /// The header; what its absence means is the method's business.
    ///
    /// # Errors
    /// 400 for any other value.
    pub fn of(headers: &HeaderMap) -> Result<Option<Depth>, Error> {
        match single(headers, "depth")? {
            None => Ok(None),
            Some("0") => Ok(Some(Depth::Zero)),
            Some("1") => Ok(Some(Depth::One)),
            Some(text) if text.eq_ignore_ascii_case("infinity") => Ok(Some(Depth::Infinity)),
            Some(_) => Err(Error::bad_request("Depth must be 0, 1 or infinity.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::tests::headers;

    #[track_caller]
    fn check(text: &str, expected: Option<Option<Depth>>) {
        assert_eq!(Depth::of(&headers(text)).ok(), expected, "{text}");
    }

    #[test]
    fn depth_is_0_1_or_infinity() {
        check("", Some(None));
        check("Depth: 0", Some(Some(Depth::Zero)));
        check("Depth: 1", Some(Some(Depth::One)));
        check("Depth: Infinity", Some(Some(Depth::Infinity)));
        check("Depth: 2", None);
        check("Depth: 1,noroot", None);
        check("Depth: 0\nDepth: 1", None);
    }
}
