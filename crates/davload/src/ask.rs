//! One request, and what a plausible answer to it looks like.

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method};

use crate::payload::Payload;

/// A request, ready to be sent any number of times.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Payload,
    pub(crate) expected: Expected,
    /// Whether the answer's body is wanted; otherwise it is counted and dropped.
    pub(crate) keeps_body: bool,
}

/// What the answer must be like; everything else is counted and told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    /// Any of these; none means any 2xx.
    pub(crate) statuses: Vec<u16>,
    /// How many `response` elements the body must have.
    pub(crate) responses: Option<u64>,
    /// How many bytes the body must have.
    pub(crate) body_bytes: Option<u64>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Bytes of the body.
    pub(crate) body_bytes: u64,
    /// `response` elements in it, if they were to be counted.
    pub(crate) responses: Option<u64>,
    /// The body, if it was wanted.
    pub(crate) body: Vec<u8>,
}

impl Ask {
    /// A request without headers and body of its own.
    pub(crate) fn new(method: &str, path: impl Into<String>) -> Ask {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET);
        let (headers, body, expected) = (Vec::new(), Payload::empty(), Expected::default());
        Ask { method, path: path.into(), headers, body, expected, keeps_body: false }
    }

    /// With this header; what cannot be one is left out.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: &str) -> Ask {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            self.headers.push((name, value));
        }
        self
    }

    /// With this header, `None` leaves the request as it is.
    #[must_use]
    pub(crate) fn depth(self, depth: u8) -> Ask {
        self.header("depth", if depth == 0 { "0" } else { "1" })
    }

    /// With this body.
    #[must_use]
    pub(crate) fn body(mut self, body: Payload) -> Ask {
        self.body = body;
        self
    }

    /// With an XML body.
    #[must_use]
    pub(crate) fn xml(self, body: impl Into<Bytes>) -> Ask {
        self.header("content-type", "application/xml; charset=utf-8").body(Payload::of(body))
    }

    /// Whose answer must have one of these statuses.
    #[must_use]
    pub(crate) fn expect(mut self, statuses: &[u16]) -> Ask {
        self.expected.statuses = statuses.to_vec();
        self
    }

    /// Whose answer must be a multistatus with so many responses.
    #[must_use]
    pub(crate) fn expect_responses(mut self, count: u64) -> Ask {
        self.expected.responses = Some(count);
        self.expect(&[207])
    }

    /// Whose answer must have a body of so many bytes.
    #[must_use]
    pub(crate) fn expect_bytes(mut self, count: u64) -> Ask {
        self.expected.body_bytes = Some(count);
        self.expect(&[200])
    }

    /// Whose answer's body is wanted.
    #[must_use]
    pub(crate) fn keep(mut self) -> Ask {
        self.keeps_body = true;
        self
    }
}

impl Expected {
    /// What is wrong with the answer, in words that are alike for alike answers.
    pub(crate) fn fault_of(&self, answer: &Answer) -> Option<String> {
        let status = answer.status;
        let is_expected = match self.statuses.as_slice() {
            [] => (200..300).contains(&status),
            statuses => statuses.contains(&status),
        };
        if !is_expected {
            return Some(format!("status {status}, expected {}", named(&self.statuses)));
        }
        match (self.responses, answer.responses) {
            (Some(expected), Some(seen)) if expected != seen => {
                return Some(format!("{seen} responses, expected {expected}"));
            }
            _ => {}
        }
        match self.body_bytes {
            Some(expected) if expected != answer.body_bytes => {
                Some(format!("{} bytes, expected {expected}", answer.body_bytes))
            }
            _ => None,
        }
    }
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

fn named(statuses: &[u16]) -> String {
    match statuses {
        [] => "2xx".to_owned(),
        statuses => statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body_bytes: u64, responses: u64) -> Answer {
        Answer { status, headers: HeaderMap::new(), body_bytes, responses: Some(responses), body: Vec::new() }
    }

    #[test]
    fn what_was_not_expected_is_told() {
        let check = |ask: Ask, answer: Answer, fault: Option<&str>| {
            assert_eq!(ask.expected.fault_of(&answer).as_deref(), fault);
        };
        let ask = || Ask::new("PROPFIND", "/");
        check(ask(), answer(204, 0, 0), None);
        check(ask(), answer(404, 0, 0), Some("status 404, expected 2xx"));
        check(ask().expect(&[201, 204]), answer(200, 0, 0), Some("status 200, expected 201 or 204"));
        check(ask().expect_responses(2), answer(207, 9, 2), None);
        check(ask().expect_responses(2), answer(207, 9, 1), Some("1 responses, expected 2"));
        check(ask().expect_bytes(2), answer(200, 1, 0), Some("1 bytes, expected 2"));
        check(ask().expect_bytes(2), answer(200, 2, 0), None);
    }
}
