//! SEARCH (RFC 5323), sent to the DAV root by both apps: gallery, favourites, recents, names, a file by its number. The
//! query is `query.rs`, what it means `predicate.rs`; the store walks the tree (`Tree::search`).

mod literal;
mod pattern;
mod predicate;
mod query;

use std::sync::Arc;

use http::StatusCode;
use nichoir_auth::Caller;
use nichoir_dav::multistatus::Multistatus;
use nichoir_dav::request::streamed;
use nichoir_dav::{Dav, Error, Mount, Request, Resource, Response, Selection, header::prefer, href, read_xml};
use nichoir_store::{Found, Needs, NodePath, Quota};
use nichoir_xml::dav;

pub(crate) use literal::seconds;
use query::Query;

/// How much one search may tell.
#[derive(Clone, Debug)]
pub struct SearchLimits {
    /// Files and folders that one search tells of.
    pub search_results_max: usize,
}

/// How many nodes are read at once for an answer.
const PAGE: usize = 500;

/// An answer under way.
struct Answer {
    dav: Dav,
    caller: Caller,
    mount: Mount,
    selection: Selection,
    quota: Option<Quota>,
    found: Arc<Found>,
    next: usize,
    /// Where the search was sent to, if it found more than it may tell.
    cut_at: Option<String>,
    body: Multistatus,
}

/// Whether a SEARCH with this body is understood: for the fuzzer.
pub fn is_understood(body: &[u8]) -> bool {
    let read = nichoir_xml::read(body, &nichoir_xml::Limits::default());
    read.is_ok_and(|root| Query::of(&root, "/remote.php/dav", "alice", PAGE).is_ok())
}

/// Answers SEARCH, wherever below the DAV root it is sent to; `mount` is for the principal alone, the scope says what is
/// searched.
///
/// # Errors
/// 400 for a query that makes no sense, 404 for a scope that the caller does not see, 413 for a tree that is too large to
/// be searched as a whole.
pub async fn handle(
    dav: &Dav,
    caller: &Caller,
    mount: &Mount,
    limits: &SearchLimits,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let root = read_xml(dav, body).await?.ok_or_else(|| Error::bad_request("A SEARCH has a body."))?;
    let path = parts.uri.path();
    let dav_root = path.find("/dav").map_or("/remote.php/dav", |place| &path[..place + "/dav".len()]);
    let query = Query::of(&root, dav_root, &caller.account.login, limits.search_results_max)?;
    let selection = Selection::new(dav, &query.properties, prefer::is_minimal(&parts.headers));
    let found = caller.tree.search(&query.search, query.sieve).await.map_err(too_large)?;
    let has_quota = selection.needs().includes(Needs::QUOTA);
    let answer = Answer {
        dav: dav.clone(),
        caller: caller.clone(),
        mount: Mount { prefix: query.prefix.into(), ..mount.clone() },
        quota: if has_quota { Some(caller.tree.quota().await?) } else { None },
        selection,
        next: 0,
        cut_at: (found.has_more && !query.has_limit).then(|| path.to_owned()),
        found: Arc::new(found),
        body: Multistatus::new(),
    };
    answer.into_response().await
}

/// Half a result would pass for a whole one: apps take what is missing for deleted.
fn too_large(error: nichoir_store::Error) -> Error {
    let error = Error::from(error);
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Error::new(StatusCode::INSUFFICIENT_STORAGE, "There are too many files for one search. Search in a folder.")
                .with_condition(dav::NUMBER_OF_MATCHES_WITHIN_LIMITS)
        }
        _ => error,
    }
}

impl Answer {
    async fn into_response(mut self) -> Result<Response, Error> {
        self.write_page().await?;
        if self.next >= self.found.len() {
            return Ok(crate::xml_response(StatusCode::MULTI_STATUS, self.finish()));
        }
        // What breaks off midway is cut, and never closed: see `dav/multistatus.rs`.
        let pages = futures_util::stream::try_unfold(Some(self), |answer| async move {
            let Some(mut answer) = answer else { return Ok::<_, Error>(None) };
            if answer.next >= answer.found.len() {
                return Ok(Some((answer.finish(), None)));
            }
            let written = answer.body.take();
            answer.write_page().await.inspect_err(|error| tracing::error!("a search broke off: {error}"))?;
            Ok(Some((written, Some(answer))))
        });
        let mut response = crate::xml_response(StatusCode::MULTI_STATUS, bytes::Bytes::new());
        response.headers_mut().remove(http::header::CONTENT_LENGTH);
        *response.body_mut() = streamed(pages);
        Ok(response)
    }

    async fn write_page(&mut self) -> Result<(), Error> {
        let end = self.found.len().min(self.next + PAGE);
        let nodes = self.caller.tree.nodes_found(&self.found, self.next..end, self.selection.needs()).await?;
        for (path, node) in &nodes {
            let resource = Resource {
                dav: &self.dav,
                caller: &self.caller,
                mount: &self.mount,
                node,
                quota: self.quota,
                log_floor: None,
                rendered: None,
            };
            self.body.resource(&self.href_of(path, node.is_folder()), &resource, &self.selection);
        }
        self.next = end;
        Ok(())
    }

    fn href_of(&self, path: &NodePath, is_folder: bool) -> String {
        href::of(&self.mount.prefix, path, is_folder)
    }

    /// RFC 5323 §5.17: told of what was asked, that it is not all.
    fn finish(mut self) -> bytes::Bytes {
        if let Some(asked) = &self.cut_at {
            self.body.status(asked, StatusCode::INSUFFICIENT_STORAGE);
        }
        self.body.finish()
    }
}
