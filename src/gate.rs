//! The gate: which space a request is for, whom it comes from, and what address clients know the space by. Below it, no host
//! name and no `Host` header.

use std::net::{IpAddr, Ipv4Addr};

use http::header::HOST;
use http::{HeaderMap, HeaderValue};
use nichoir_dav::{Error, Request};

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The address at its other end; for a unix socket, none.
    pub address: Option<IpAddr>,
    /// Whether it speaks TLS with us.
    pub has_tls: bool,
}

/// What the gate found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The host that was asked for, without its port, lower-case.
    pub(crate) host: String,
    /// `https://host[:port]`.
    pub(crate) public_url: String,
    /// The client's own address.
    pub(crate) address: IpAddr,
}

/// A network whose word is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// `10.0.0.0/8`, or one address.
    pub(crate) fn parse(text: &str) -> Result<Network, String> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| format!("{text} is not an address or network"))?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or(format!("{text} is not a network"))?,
        };
        Ok(Network { address, bits })
    }

    fn holds(&self, address: IpAddr) -> bool {
        let shared = |left: u128, right: u128, width: u8| {
            let cut = u32::from(width - self.bits);
            cut >= u32::from(width) || left.checked_shr(cut) == right.checked_shr(cut)
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(left), IpAddr::V4(right)) => shared(left.to_bits().into(), right.to_bits().into(), 32),
            (IpAddr::V6(left), IpAddr::V6(right)) => shared(left.to_bits(), right.to_bits(), 128),
            _ => false,
        }
    }
}

/// Reads a request's origin. `X-Forwarded-*` counts only when it comes from a unix socket or a trusted network.
///
/// # Errors
/// 400 for a host that cannot be one: it stands in links and pages.
pub(crate) fn arrival(peer: Peer, trusted: &[Network], request: &Request) -> Result<Arrival, Error> {
    let headers = request.headers();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.holds(address));
    let is_proxied = peer.address.is_none_or(is_trusted);
    let forwarded = |name: &str| if is_proxied { last_of(headers, name) } else { None };

    let own = match request.uri().authority() {
        Some(authority) => authority.as_str(),
        None => headers.get(HOST).map_or(Ok(""), HeaderValue::to_str).map_err(|_| no_host())?,
    };
    let authority = forwarded("x-forwarded-host").unwrap_or(own).to_ascii_lowercase();
    if !authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte)) {
        return Err(no_host());
    }
    let is_https = match forwarded("x-forwarded-proto") {
        Some(scheme) => scheme.eq_ignore_ascii_case("https"),
        None => peer.has_tls,
    };
    let scheme = if is_https { "https" } else { "http" };
    let address = if is_proxied { client_of(headers, is_trusted) } else { None };
    Ok(Arrival {
        host: without_port(&authority).trim_end_matches('.').to_owned(),
        public_url: format!("{scheme}://{authority}"),
        address: address.or(peer.address).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)).to_canonical(),
    })
}

fn no_host() -> Error {
    Error::bad_request("The Host header names no host.")
}

/// The last entry of a header: what the nearest proxy wrote.
fn last_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim).filter(|text| !text.is_empty())
}

/// The nearest address in `X-Forwarded-For` that is not one of the trusted proxies themselves.
fn client_of(headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let values: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let mut nearest_first = values.iter().rev().flat_map(|value| value.rsplit(','));
    let mut last = None;
    for text in nearest_first.by_ref() {
        let address: IpAddr = text.trim().parse().ok()?;
        last = Some(address);
        if !is_trusted(address) {
            break;
        }
    }
    last
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, headers: &[(&str, &str)], expected: (&str, &str, &str)) {
        let trusted = [Network::parse("10.0.0.0/8").unwrap(), Network::parse("::1").unwrap()];
        let mut request = http::Request::builder().uri("/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(nichoir_dav::request::empty()).unwrap();
        let found = arrival(Peer { address: peer.parse().ok(), has_tls: false }, &trusted, &request).unwrap();
        let address = found.address.to_string();
        assert_eq!((found.host.as_str(), found.public_url.as_str(), address.as_str()), expected);
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let forwarded = [
            ("host", "inner:8080"),
            ("x-forwarded-host", "asso.example.org"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-for", "203.0.113.9"),
        ];
        check("192.0.2.1", &forwarded, ("inner", "http://inner:8080", "192.0.2.1"));
        check("10.1.2.3", &forwarded, ("asso.example.org", "https://asso.example.org", "203.0.113.9"));
        check("::1", &forwarded, ("asso.example.org", "https://asso.example.org", "203.0.113.9"));
        check("unix", &forwarded, ("asso.example.org", "https://asso.example.org", "203.0.113.9"));
    }

    #[test]
    fn what_a_client_adds_in_front_of_the_proxy_is_not_believed() {
        let forged = [("host", "h"), ("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.9.9.9")];
        check("10.1.2.3", &forged, ("h", "http://h", "203.0.113.9"));
        check("10.1.2.3", &[("host", "h"), ("x-forwarded-for", "nonsense")], ("h", "http://h", "10.1.2.3"));
    }

    #[test]
    fn hosts_lose_their_port_and_case() {
        check(
            "192.0.2.1",
            &[("host", "ASSO.Example.org:8443")],
            ("asso.example.org", "http://asso.example.org:8443", "192.0.2.1"),
        );
        check("192.0.2.1", &[("host", "[::1]:80")], ("[::1]", "http://[::1]:80", "192.0.2.1"));
        check(
            "192.0.2.1",
            &[("host", "asso.example.org.")],
            ("asso.example.org", "http://asso.example.org.", "192.0.2.1"),
        );
        check("192.0.2.1", &[], ("", "http://", "192.0.2.1"));
    }
}
