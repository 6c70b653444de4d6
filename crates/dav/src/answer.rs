//! Answers: the headers that several methods send, XML bodies, refusals. RFC 4918 §8.6, §10.1, RFC 9110 §15.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, ETAG, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use nichoir_store::{Etag, Node};
use nichoir_xml::{Writer, dav};

use crate::Dav;
use crate::error::Error;
use crate::extension::{Answered, Extension};
use crate::href;
use crate::request::{Response, empty, full};
use crate::target::{Call, Mount};

/// The methods that work here, on any resource.
pub(crate) const METHODS: &str =
    "OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK, REPORT";

/// Exactly these letters: the desktop client compares them.
const XML: HeaderValue = HeaderValue::from_static("application/xml; charset=utf-8");
pub(crate) const DAV: HeaderName = HeaderName::from_static("dav");

/// The `DAV` header: compliance classes, then what the extensions add.
pub(crate) fn dav_header(extensions: &[Arc<dyn Extension>], siblings: &[Arc<dyn Extension>]) -> HeaderValue {
    let mut text = "1, 2, 3, access-control, extended-mkcol".to_owned();
    let mut told: Vec<&str> = Vec::new();
    for feature in extensions.iter().chain(siblings).flat_map(|extension| extension.features()) {
        if !told.contains(feature) {
            told.push(feature);
            text.push_str(", ");
            text.push_str(feature);
        }
    }
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("1, 2, 3"))
}

/// The `Allow` header: our methods, then those of the extensions.
pub(crate) fn allow_header(extensions: &[Arc<dyn Extension>]) -> HeaderValue {
    let mut text = METHODS.to_owned();
    let mut told: Vec<&str> = Vec::new();
    for method in extensions.iter().flat_map(|extension| extension.methods()) {
        if !told.contains(method) {
            told.push(method);
            text.push_str(", ");
            text.push_str(method);
        }
    }
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(METHODS))
}

/// An answer without a body.
pub fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    if status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    response
}

/// An answer with an XML body at hand.
pub fn xml(status: StatusCode, body: Bytes) -> Response {
    let length = body.len();
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, XML);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// An answer whose XML body is made while it is sent.
pub fn xml_streamed(status: StatusCode, body: crate::request::Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, XML);
    response
}

/// An entity tag as a header value.
pub(crate) fn etag_value(etag: Etag) -> HeaderValue {
    HeaderValue::try_from(etag.quoted()).expect("a quoted hexadecimal number is a header value")
}

/// What a PUT, MKCOL, COPY or MOVE answers when it worked: 201 or 204, `ETag` of a file, the dialects' headers.
pub(crate) fn written(call: &Call<'_>, is_new: bool, answered: &Answered<'_>) -> Response {
    let mut response = bare(if is_new { StatusCode::CREATED } else { StatusCode::NO_CONTENT });
    if !answered.node.is_folder() {
        response.headers_mut().insert(ETAG, etag_value(answered.node.etag));
    }
    decorate(call, answered, response.headers_mut());
    response
}

/// Lets the dialects add their headers.
pub(crate) fn decorate(call: &Call<'_>, answered: &Answered<'_>, headers: &mut HeaderMap) {
    for extension in call.dav.extensions() {
        extension.decorate(answered, headers);
    }
}

impl<'a> Answered<'a> {
    /// Of a call about `node`, with nothing else to tell.
    pub fn of(call: &Call<'a>, node: &'a Node) -> Answered<'a> {
        Answered {
            method: &call.parts.method,
            request_headers: &call.parts.headers,
            caller: call.caller,
            node,
            put: None,
            digests: &[],
        }
    }
}

impl Dav {
    /// The answer itself, or the refusal as the client gets it; logs what went wrong here, once.
    pub(crate) fn finish(&self, method: &Method, answer: Result<Response, Error>, mount: Option<&Mount>) -> Response {
        let mut response = match answer {
            Ok(response) => response,
            Err(error) => {
                log(&error);
                self.render(&error, mount)
            }
        };
        if method == Method::HEAD {
            *response.body_mut() = empty();
        }
        response
    }

    fn render(&self, error: &Error, mount: Option<&Mount>) -> Response {
        let status = error.status();
        if status == StatusCode::NOT_MODIFIED {
            return bare(status);
        }
        let mut writer = Writer::new();
        writer.declaration();
        writer.open_root(&dav::ERROR);
        self.write_error(error, mount, &mut writer);
        writer.close();
        let mut response = xml(status, writer.take());
        let headers = response.headers_mut();
        if let Some(seconds) = error.retry_after_seconds() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = error.allow() {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }

    /// The children of a `DAV:error` element: the condition of the RFC, then the dialects' own.
    pub(crate) fn write_error(&self, error: &Error, mount: Option<&Mount>, writer: &mut Writer) {
        if let Some(condition) = error.condition() {
            let own_name = self.extensions().find_map(|extension| extension.name_condition(error.hint()));
            writer.open(own_name.as_ref().unwrap_or(&condition.name));
            for root in &condition.roots {
                let mut text = mount.map_or(String::new(), |mount| mount.prefix.to_string());
                href::append_path(&mut text, root);
                writer.text_element(&dav::HREF, &text);
            }
            writer.close();
        }
        for extension in self.extensions() {
            extension.render_error(error, writer);
        }
    }
}

fn log(error: &Error) {
    let status = error.status().as_u16();
    let cause = error.causes().map(tracing::field::display);
    if error.status().is_server_error() && error.status() != StatusCode::NOT_IMPLEMENTED {
        // A full pool is its members' business; a full disk, which has a cause, is not.
        if status == 507 && cause.is_none() {
            tracing::debug!(http.status = status, "refused: {}", error.message());
        } else {
            tracing::error!(http.status = status, cause, "failed: {}", error.message());
        }
    } else {
        tracing::debug!(http.status = status, cause, "refused: {}", error.message());
    }
}
