//! Office documents: this server as a WOPI host for Collabora Online or OnlyOffice, and the addresses by which apps open a
//! document in it. Off until an office server is configured. Sheet `nextcloud-ocs`, section 14.

mod discovery;
mod file;
mod lock;
mod page;
mod proof;
mod relative;
pub(crate) mod utf7;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, Method, StatusCode};
use nichoir_auth::Caller;
use nichoir_dav::{Dav, Error, Request, Response, href, media_type};
use nichoir_outbound::{Outbound, Url};
use nichoir_store::{FileId, Needs, Node, Permissions, Timestamp, without_turn};
use serde_json::{Value, json};

use crate::ticket::{Purpose, Ticket};
use crate::{Visit, with_body};
use discovery::Discovery;

/// Seconds before an office server that did not answer is asked again.
const RETRY_SECONDS: i64 = 30;

/// How the office server is reached and what it may, each a setting of the same name.
#[derive(Clone, Debug)]
pub struct OfficeConfig {
    /// Where the office server is.
    pub url: Url,
    /// What it is called, in menus and where a file is locked.
    pub product_name: String,
    /// Addresses that it may ask from; empty: any.
    pub allowed_addresses: Vec<IpAddr>,
    /// Whether its requests must be signed, where it tells the keys.
    pub verifies_proof: bool,
    /// Seconds that an open document may be worked on.
    pub token_seconds: i64,
    /// Seconds in which an app must have opened the page.
    pub page_seconds: i64,
    /// Seconds after which the office server is asked again what it can do.
    pub discovery_seconds: i64,
    /// Bytes of its answer to that.
    pub discovery_bytes_max: usize,
}

/// The office server.
#[derive(Debug)]
pub struct Office {
    config: OfficeConfig,
    outbound: Outbound,
    known: Mutex<Known>,
}

/// What was last heard of it.
#[derive(Clone, Debug, Default)]
struct Known {
    discovery: Option<(Timestamp, Arc<Discovery>)>,
    failed: Option<Timestamp>,
}

impl Office {
    /// An office server that is asked through `outbound`, which may reach private addresses: the operator chose it.
    pub fn new(config: OfficeConfig, outbound: Outbound) -> Office {
        Office { config, outbound, known: Mutex::default() }
    }

    /// What the office server can do, asked now and then.
    async fn discovery(&self, now: Timestamp) -> Result<Arc<Discovery>, Error> {
        self.discovery_within(now, self.config.discovery_seconds).await
    }

    async fn discovery_within(&self, now: Timestamp, seconds: i64) -> Result<Arc<Discovery>, Error> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let unavailable = || Error::unavailable("The office server does not answer.", 30);
        if let Some((fetched, discovery)) = &known.discovery
            && fetched.plus_seconds(seconds) > now
        {
            return Ok(Arc::clone(discovery));
        }
        let old = known.discovery.map(|(_, discovery)| discovery);
        if known.failed.is_some_and(|failed| failed.plus_seconds(RETRY_SECONDS) > now) {
            return old.ok_or_else(unavailable);
        }
        let fetched = without_turn(discovery::fetch(&self.outbound, &self.config)).await;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match fetched {
            Ok(discovery) => {
                let discovery = Arc::new(discovery);
                *known = Known { discovery: Some((now, Arc::clone(&discovery))), failed: None };
                Ok(discovery)
            }
            Err(error) => {
                tracing::warn!(cause = %error, "the office server does not say what it can do");
                known.failed = Some(now);
                // What it could do before it can most likely still do.
                old.ok_or_else(unavailable)
            }
        }
    }

    /// What clients are told of it; `None` while it does not answer.
    pub(crate) async fn capability(&self, now: Timestamp, public_url: &str) -> Option<Value> {
        let discovery = self.discovery(now).await.ok()?;
        Some(json!({
            "version": "8.5.0",
            "mimetypes": discovery.media_types(),
            "mimetypesNoDefaultOpen": [],
            "mimetypesSecureView": [],
            "collabora": {},
            "direct_editing": true,
            "templates": false,
            "productName": self.config.product_name,
            "config": { "wopi_url": self.config.url.as_str(), "public_wopi_url": discovery.origin(&self.config.url) },
            "editonline_endpoint": format!("{public_url}/index.php/apps/richdocuments/"),
        }))
    }

    /// The address of a page that opens the file in the office server, once and soon.
    pub(crate) async fn page_url(&self, caller: &Caller, public_url: &str, id: i64) -> Result<String, Error> {
        let (_, node) = caller.tree.node_by_id(FileId(id), Needs::NONE).await?;
        let now = caller.space.ports().clock.now();
        if node.is_folder() || self.discovery(now).await?.action(&node.name, media_type(&node), true).is_none() {
            return Err(Error::bad_request("The office server does not open this."));
        }
        let token =
            Ticket::new(caller, node.id, may_write(&node), self.config.page_seconds).seal(caller, Purpose::OfficePage);
        Ok(format!("{public_url}/index.php/apps/richdocuments/direct/{token}"))
    }
}

fn may_write(node: &Node) -> bool {
    node.permissions().includes(Permissions::UPDATE)
}

/// Answers `path`, which is what stands behind `/apps/richdocuments`.
pub async fn handle(visit: Visit<'_>, office: &Office, dav: &Dav, path: &str, request: Request) -> Response {
    let parts: Result<Vec<String>, _> = path.split('/').filter(|part| !part.is_empty()).map(href::decode).collect();
    let Ok(parts) = parts else { return dav.refuse(Error::not_found()) };
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (request.method(), &parts[..]) {
        (&Method::GET, ["direct", token]) => page::answer(visit, office, token, request.headers()).await,
        (_, ["wopi", "files", id, rest @ ..]) => file::answer(visit, office, dav, (*id, rest), request).await,
        _ => dav.refuse(Error::not_found()),
    }
}

/// The value of a header, if it is text.
fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

fn bare(status: StatusCode) -> Response {
    with_body(status, "application/json; charset=utf-8", "{}")
}

fn told(status: StatusCode, body: &Value) -> Response {
    with_body(status, "application/json; charset=utf-8", body.to_string())
}
