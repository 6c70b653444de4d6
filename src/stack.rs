//! What every request passes on its way in and out, in order, on one screen: a number, a log span, a clock, a net for panics,
//! and the headers that every answer carries.

use std::hash::{BuildHasher as _, RandomState};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use nichoir_dav::request::full;
use nichoir_dav::{Request, Response};
use tracing::{Instrument as _, debug, error, info_span};

use crate::app::App;
use crate::pace::Progress;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ones are replaced.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// Numbers for requests that bring none: keyed hashes of a count, which tell nobody how many there were.
#[derive(Debug, Default)]
pub(crate) struct RequestIds {
    key: RandomState,
    count: AtomicU64,
}

impl RequestIds {
    fn next(&self) -> String {
        format!("{:016x}", self.key.hash_one(self.count.fetch_add(1, Ordering::Relaxed)))
    }
}

/// A request's number, method and progress, read before the request goes in.
#[derive(Debug)]
pub(crate) struct Begun {
    id: String,
    method: Method,
    progress: Option<Progress>,
}

impl Begun {
    pub(crate) fn of(app: &App, request: &Request) -> Begun {
        let progress = request.extensions().get::<Progress>().cloned();
        Begun { id: request_id(app, request.headers()), method: request.method().clone(), progress }
    }
}

/// Runs `inner`, the making of the answer, inside all layers.
pub(crate) async fn layered(app: &App, begun: Begun, inner: impl Future<Output = Response> + Send) -> Response {
    let Begun { id, method, progress } = begun;
    let span = info_span!("request", request.id = %id, http.method = %method);
    let began = app.ports().clock.now();
    let _under_way = app.metrics().begin();
    let answered = AssertUnwindSafe(in_time(progress, inner)).catch_unwind().instrument(span.clone()).await;
    let mut response = match answered {
        Ok(Some(response)) => response,
        Ok(None) => {
            span.in_scope(|| error!("a request took too long"));
            plain(StatusCode::SERVICE_UNAVAILABLE, "This takes too long. Try again later.\n")
        }
        Err(_) => {
            span.in_scope(|| error!("a request panicked"));
            plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal error.\n")
        }
    };
    let took = app.ports().clock.now().0.saturating_sub(began.0);
    let took = Duration::from_micros(u64::try_from(took).unwrap_or(0));
    app.metrics().end(response.status(), took);
    span.in_scope(|| debug!(http.status = response.status().as_u16(), took_us = took.as_micros() as u64, "answered"));
    add_headers(response.headers_mut(), &id);
    response
}

/// What `inner` answers, if it does so within the limit from the last byte of the request.
async fn in_time(progress: Option<Progress>, inner: impl Future<Output = Response> + Send) -> Option<Response> {
    match progress {
        None => Some(inner.await),
        Some(progress) => tokio::select! {
            response = inner => Some(response),
            () = progress.stalled() => None,
        },
    }
}

/// A text for people, told by nobody to the log.
pub(crate) fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(full(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("30"));
    }
    response
}

/// The client's own number for the request, if it is one, or a new one.
fn request_id(app: &App, headers: &HeaderMap) -> String {
    let given = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
    let is_plain = |text: &&str| {
        !text.is_empty()
            && text.len() <= REQUEST_ID_BYTES_MAX
            && text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it))
    };
    given.filter(is_plain).map_or_else(|| app.request_ids().next(), str::to_owned)
}

/// What members store must never run on the space's own origin; what is here is nobody else's to frame or index.
fn add_headers(headers: &mut HeaderMap, id: &str) {
    const ALWAYS: [(HeaderName, HeaderValue); 5] = [
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
        (HeaderName::from_static("x-permitted-cross-domain-policies"), HeaderValue::from_static("none")),
        (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow")),
    ];
    headers.reserve(ALWAYS.len() + 2);
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static("default-src 'none';"));
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
}
