//! What an `Authorization` header brings.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// Credentials as sent, not yet proven.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// RFC 7617.
    Basic {
        /// Login or mail address.
        login: String,
        /// Account password or app password.
        password: String,
    },
    /// RFC 6750: an app password.
    Bearer(String),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Credentials::Basic { .. } => f.write_str("Basic(…)"),
            Credentials::Bearer(_) => f.write_str("Bearer(…)"),
        }
    }
}

impl Credentials {
    /// The header's credentials; `None` if there is no header, or none of a scheme that is known.
    pub fn of(headers: &HeaderMap) -> Option<Credentials> {
        let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, rest) = text.split_once(' ')?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Credentials::Bearer(rest.to_owned()));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(BASE64_STANDARD.decode(rest).ok()?).ok()?;
        let (login, password) = decoded.split_once(':')?;
        Some(Credentials::Basic { login: login.to_owned(), password: password.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, expected: Option<Credentials>) {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, header.parse().unwrap());
        assert!(Credentials::of(&headers) == expected, "{header}");
    }

    #[test]
    fn basic_and_bearer_are_known() {
        let basic = |login: &str, password: &str| {
            Some(Credentials::Basic { login: login.to_owned(), password: password.to_owned() })
        };
        check("Basic YWxpY2U6czpl", basic("alice", "s:e"));
        check("basic YWxpY2U6w6k=", basic("alice", "é"));
        check("Bearer abc", Some(Credentials::Bearer("abc".to_owned())));
        check("Basic !!!", None);
        check("Digest x", None);
        check("Basic", None);
    }
}
