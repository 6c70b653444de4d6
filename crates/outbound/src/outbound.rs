//! The client: one request, one bounded answer, no redirects. RFC 9110.

use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};
use reqwest::redirect::Policy;
use url::{Host, Url};

use crate::address::is_public;
use crate::error::Error;
use crate::resolve;

/// The limits and the guard, each a setting of the same name.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Seconds until a connection must stand.
    pub connect_seconds: u64,
    /// Seconds until the whole answer must be there.
    pub answer_seconds: u64,
    /// Whether http is spoken, not only https.
    pub allows_http: bool,
    /// Whether addresses of private and special networks may be asked.
    pub allows_private_addresses: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { connect_seconds: 10, answer_seconds: 30, allows_http: false, allows_private_addresses: false }
    }
}

/// A request to be made.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; empty: none.
    pub body: Bytes,
    /// Bytes of the answer's body at most.
    pub answer_bytes_max: usize,
}

/// What was answered, whatever the status: also redirects, which nobody follows here.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// The client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Or why there is none.
    client: Result<reqwest::Client, Arc<reqwest::Error>>,
    limits: Arc<Limits>,
}

impl Outbound {
    /// A client within these limits. Where TLS cannot be set up, as without the system's certificates, nobody can be
    /// reached.
    pub fn new(limits: Limits) -> Outbound {
        // Fails only when a provider is installed already, which is then the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .referer(false)
            // A proxy would resolve names itself, behind the guard's back.
            .no_proxy()
            .user_agent("nichoir")
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(Duration::from_secs(30))
            .connect_timeout(Duration::from_secs(limits.connect_seconds))
            .timeout(Duration::from_secs(limits.answer_seconds));
        let builder = match limits.allows_private_addresses {
            true => builder,
            false => builder.dns_resolver(resolve::guarded()),
        };
        Outbound { client: builder.build().map_err(Arc::new), limits: Arc::new(limits) }
    }

    /// The URL in `text`, if it may be asked as far as that shows without asking: https, a host, no password, no
    /// address that is not public. What a name stands for shows when it is asked.
    ///
    /// # Errors
    /// [`Error::BadUrl`], [`Error::Insecure`], [`Error::NotPublic`].
    pub fn parse_url(&self, text: &str) -> Result<Url, Error> {
        let url = Url::parse(text).map_err(|_| Error::BadUrl)?;
        self.check_url(&url)?;
        Ok(url)
    }

    /// Makes the request.
    ///
    /// # Errors
    /// As [`Outbound::parse_url`]; [`Error::TooLarge`], [`Error::TooSlow`], [`Error::Unreachable`].
    pub async fn send(&self, request: Request) -> Result<Answer, Error> {
        let Request { method, url, headers, body, answer_bytes_max } = request;
        self.check_url(&url)?;
        let client = self.client.as_ref().map_err(|error| Error::Unreachable(Box::new(Arc::clone(error))))?;
        let asked = client.request(method, url).headers(headers);
        let asked = if body.is_empty() { asked } else { asked.body(body) };
        let mut answer = asked.send().await.map_err(|error| self.failed(error))?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        let body = self.read(answer, answer_bytes_max).await?;
        Ok(Answer { status, headers, body })
    }

    /// Reads the body, and no further than the limit.
    async fn read(&self, mut answer: reqwest::Response, limit: usize) -> Result<Bytes, Error> {
        if answer.content_length().is_some_and(|length| length > limit as u64) {
            return Err(Error::TooLarge { limit });
        }
        let mut body = BytesMut::new();
        while let Some(part) = answer.chunk().await.map_err(|error| self.failed(error))? {
            if body.len() + part.len() > limit {
                return Err(Error::TooLarge { limit });
            }
            body.extend_from_slice(&part);
        }
        Ok(body.freeze())
    }

    /// Names are looked at by the resolver; an address in the URL never gets there. The URL parser has brought
    /// addresses in decimal, octal and hexadecimal into their usual form.
    fn check_url(&self, url: &Url) -> Result<(), Error> {
        match url.scheme() {
            "https" => {}
            "http" if self.limits.allows_http => {}
            _ => return Err(Error::Insecure),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::BadUrl);
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(Error::BadUrl),
        };
        if self.limits.allows_private_addresses || is_public(address) { Ok(()) } else { Err(Error::NotPublic) }
    }

    /// What the client reports, with what the resolver said dug out of it. The URL is left out: it is a secret.
    fn failed(&self, error: reqwest::Error) -> Error {
        if error.is_timeout() {
            return Error::TooSlow { seconds: self.limits.answer_seconds };
        }
        let mut cause = error.source();
        while let Some(source) = cause {
            if matches!(source.downcast_ref::<Error>(), Some(Error::NotPublic)) {
                return Error::NotPublic;
            }
            cause = source.source();
        }
        Error::Unreachable(Box::new(error.without_url()))
    }
}

#[cfg(test)]
mod tests;
