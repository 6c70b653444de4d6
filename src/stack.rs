//! What every request passes on its way in and out, in order, on one screen: a number, a log span, a clock, a net for panics,
//! and the headers that every answer carries.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use nichoir_dav::request::full;
use nichoir_dav::{Request, Response};
use tracing::{Instrument as _, debug, error, info_span};

use crate::app::App;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ones are replaced.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// A request's number and method, read before the request goes in.
#[derive(Debug)]
pub(crate) struct Begun {
    id: String,
    method: Method,
}

impl Begun {
    pub(crate) fn of(app: &App, request: &Request) -> Begun {
        Begun { id: request_id(app, request.headers()), method: request.method().clone() }
    }
}

/// Runs `inner`, the making of the answer, inside all layers.
pub(crate) async fn layered(app: &App, begun: Begun, inner: impl Future<Output = Response> + Send) -> Response {
    let Begun { id, method } = begun;
    let span = info_span!("request", request.id = %id, http.method = %method);
    let began = app.ports().clock.now();
    app.metrics().begin();
    let answered = AssertUnwindSafe(inner).catch_unwind().instrument(span.clone()).await;
    let mut response = answered.unwrap_or_else(|_| {
        span.in_scope(|| error!("a request panicked"));
        let mut response = Response::new(full("Internal error.\n"));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    });
    let took = app.ports().clock.now().0.saturating_sub(began.0);
    let took = Duration::from_micros(u64::try_from(took).unwrap_or(0));
    app.metrics().end(response.status(), took);
    span.in_scope(|| debug!(http.status = response.status().as_u16(), took_us = took.as_micros() as u64, "answered"));
    add_headers(response.headers_mut(), &id);
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
    given.filter(is_plain).map_or_else(|| app.ports().lower_alphanumeric(20), str::to_owned)
}

/// What members store must never run on the space's own origin; what is here is nobody else's to frame or index.
fn add_headers(headers: &mut HeaderMap, id: &str) {
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static("default-src 'none';"));
    for (name, value) in [
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "SAMEORIGIN"),
        (HeaderName::from_static("x-permitted-cross-domain-policies"), "none"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
