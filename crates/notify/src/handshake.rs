//! The opening handshake of a WebSocket, the server's side of it. RFC 6455 §4.2.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderName, Method, Version};
use sha1::{Digest as _, Sha1};

/// §1.3: put behind the client's key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why there is no socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The client did not ask for one (426).
    NoUpgrade,
    /// It speaks another version (426, with the one that is spoken here).
    OtherVersion,
    /// It asked in a way that cannot be meant (400).
    Malformed,
}

/// What goes into `Sec-WebSocket-Accept`.
///
/// # Errors
/// [`Refusal`].
pub fn accept(method: &Method, version: Version, headers: &HeaderMap) -> Result<String, Refusal> {
    if *method != Method::GET || version != Version::HTTP_11 {
        return Err(Refusal::NoUpgrade);
    }
    if !names(headers, &CONNECTION, "upgrade") || !names(headers, &UPGRADE, "websocket") {
        return Err(Refusal::NoUpgrade);
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Refusal::OtherVersion);
    }
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else { return Err(Refusal::Malformed) };
    let is_key = BASE64_STANDARD.decode(key.as_bytes()).is_ok_and(|bytes| bytes.len() == 16);
    if !is_key {
        return Err(Refusal::Malformed);
    }
    let digest = Sha1::new().chain_update(key.as_bytes()).chain_update(GUID).finalize();
    Ok(BASE64_STANDARD.encode(digest))
}

/// Whether a header that is a list has that name in it.
fn names(headers: &HeaderMap, header: &HeaderName, wanted: &str) -> bool {
    let mut lists = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    lists.any(|list| list.split(',').any(|name| name.trim().eq_ignore_ascii_case(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(change: impl Fn(&mut http::Request<()>), expected: Result<&str, Refusal>) {
        let mut request = http::Request::builder()
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "WebSocket")
            .header("sec-websocket-version", "13")
            // The example of §1.3.
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .body(())
            .unwrap();
        change(&mut request);
        let found = accept(request.method(), request.version(), request.headers());
        assert_eq!(found.as_deref().map_err(|refusal| *refusal), expected);
    }

    fn set(request: &mut http::Request<()>, name: &'static str, value: &'static str) {
        request.headers_mut().insert(name, value.parse().unwrap());
    }

    #[test]
    fn the_example_of_the_rfc() {
        check(|_| (), Ok("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    #[test]
    fn what_is_no_handshake_is_refused() {
        check(|request| *request.method_mut() = Method::POST, Err(Refusal::NoUpgrade));
        check(|request| *request.version_mut() = Version::HTTP_2, Err(Refusal::NoUpgrade));
        check(|request| *request.version_mut() = Version::HTTP_10, Err(Refusal::NoUpgrade));
        check(|request| set(request, "connection", "close"), Err(Refusal::NoUpgrade));
        check(|request| set(request, "upgrade", "h2c"), Err(Refusal::NoUpgrade));
        check(|request| set(request, "sec-websocket-version", "8"), Err(Refusal::OtherVersion));
        check(|request| set(request, "sec-websocket-key", "short"), Err(Refusal::Malformed));
        check(|request| drop(request.headers_mut().remove("sec-websocket-key")), Err(Refusal::Malformed));
        let doubled = |request: &mut http::Request<()>| {
            request.headers_mut().append("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==".parse().unwrap());
        };
        check(doubled, Err(Refusal::Malformed));
    }
}
