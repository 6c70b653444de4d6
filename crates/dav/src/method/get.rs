//! GET and HEAD. RFC 9110 §9.3.1, §13 (conditions), §14 (ranges).

use std::ops::Range;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use nichoir_store::conditions::{Conditions, EtagSet};
use nichoir_store::{Area, Content, Needs, Node};

use crate::answer;
use crate::conditions;
use crate::error::Error;
use crate::extension::Answered;
use crate::header::condition::{self, IfRange};
use crate::header::range::{self, Wanted};
use crate::live;
use crate::property::{HTTP_DATE_BYTES, append_http_date};
use crate::request::{Body, Response, empty, full, streamed};
use crate::target::Call;

/// Room for the headers of an answer, those that every answer gets later among them: growing would move them.
const HEADERS_USUAL: usize = 24;

pub(crate) async fn get(call: Call<'_>) -> Result<Response, Error> {
    let conditions = conditions::of(&call)?;
    let needs = if call.caller.tree.area() == Area::Calendars { Needs::SCHEDULE_TAG } else { Needs::NONE };
    let node = call.caller.tree.node(call.path, needs).await?;
    if !conditions.if_lists.is_empty() {
        let lists = Conditions { if_lists: conditions.if_lists.clone(), ..Conditions::default() };
        // On the heap, as all that is rare.
        Box::pin(call.caller.tree.check_conditions(call.path, &lists)).await?;
    }
    if !is_wanted(&call.parts.headers, &conditions, &node)? {
        let mut response = answer::bare(StatusCode::NOT_MODIFIED);
        validators(&node, response.headers_mut());
        return Ok(response);
    }
    if node.is_folder() { get_folder(&call, &node).await } else { get_file(&call, &node).await }
}

/// GET and HEAD of a file as it is, or was: `file` says what is answered, where `call` says only who asks and with which
/// headers.
///
/// # Errors
/// 304 and 412 by the conditions of the request, 416; whatever reading answers.
pub async fn get_state(call: Call<'_>, file: &Node) -> Result<Response, Error> {
    if is_wanted(&call.parts.headers, &conditions::of(&call)?, file)? {
        return get_file(&call, file).await;
    }
    let mut response = answer::bare(StatusCode::NOT_MODIFIED);
    validators(file, response.headers_mut());
    Ok(response)
}

/// RFC 9110 §13.2.2, in its order. `false`: the client has it already.
fn is_wanted(headers: &HeaderMap, conditions: &Conditions, node: &Node) -> Result<bool, Error> {
    let is_among = |set: &EtagSet| match set {
        EtagSet::Any => true,
        EtagSet::Of(tags) => tags.contains(&node.etag.to_string()),
    };
    match (&conditions.if_match, conditions.if_unmodified_since) {
        (Some(set), _) if !is_among(set) => return Err(Error::precondition_failed("If-Match")),
        (None, Some(instant)) if node.modified.seconds() > instant.seconds() => {
            return Err(Error::precondition_failed("If-Unmodified-Since"));
        }
        _ => {}
    }
    if let Some(set) = &conditions.if_none_match {
        return Ok(!is_among(set));
    }
    let since = condition::if_modified_since(headers);
    Ok(since.is_none_or(|instant| node.modified.seconds() > instant.seconds()))
}

fn validators(node: &Node, headers: &mut HeaderMap) {
    headers.insert(ETAG, answer::etag_value(node.etag));
    let mut date = String::with_capacity(HTTP_DATE_BYTES);
    append_http_date(&mut date, node.modified);
    if let Ok(date) = HeaderValue::try_from(date) {
        headers.insert(LAST_MODIFIED, date);
    }
}

async fn get_folder(call: &Call<'_>, node: &Node) -> Result<Response, Error> {
    if let Some(answering) = call.dav.extensions().find_map(|extension| extension.get_collection(call, node)) {
        return answering.await;
    }
    let mut response = answer::bare(StatusCode::OK);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    validators(node, response.headers_mut());
    Ok(response)
}

async fn get_file(call: &Call<'_>, node: &Node) -> Result<Response, Error> {
    if let Some(answering) = call.dav.extensions().find_map(|extension| extension.get_member(call, node)) {
        return answering.await;
    }
    let content = call.caller.tree.open(node).await?;
    let size_bytes = content.size_bytes();
    let media_type = served_media_type(call, node);
    let mut response = match wanted(call, node, size_bytes) {
        Wanted::Whole => {
            let mut response = Response::new(bytes_of(call, &content, 0..size_bytes));
            response.headers_mut().reserve(HEADERS_USUAL);
            response.headers_mut().insert(CONTENT_TYPE, media_type);
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(size_bytes));
            response
        }
        Wanted::Parts(parts) => match parts.as_slice() {
            [part] => one_part(call, &content, part.clone(), media_type),
            parts => several_parts(call, content, parts, &media_type),
        },
        Wanted::Nothing => {
            let mut response = call.dav.finish(&call.parts.method, Err(Error::range_not_satisfiable()), None);
            response.headers_mut().insert(CONTENT_RANGE, range_value(format!("bytes */{size_bytes}")));
            return Ok(response);
        }
    };
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    validators(node, headers);
    answer::decorate(call, &Answered::of(call, node), headers);
    Ok(response)
}

/// What of the content: RFC 9110 §14.2 gives ranges to GET alone, §13.1.5 only while the client's part is current.
fn wanted(call: &Call<'_>, node: &Node, size_bytes: u64) -> Wanted {
    let headers = &call.parts.headers;
    let is_current = match condition::if_range(headers) {
        None => true,
        Some(IfRange::Etag(tag)) => tag == node.etag.to_string(),
        Some(IfRange::Date(date)) => date.seconds() == node.modified.seconds(),
        Some(IfRange::Never) => false,
    };
    if call.parts.method != Method::GET || !is_current {
        return Wanted::Whole;
    }
    range::of(headers, size_bytes, call.dav.limits().ranges_max)
}

fn one_part(call: &Call<'_>, content: &Content, part: Range<u64>, media_type: HeaderValue) -> Response {
    let mut response = Response::new(bytes_of(call, content, part.clone()));
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    headers.insert(CONTENT_RANGE, range_value(range_text(&part, content.size_bytes())));
    response
}

/// `multipart/byteranges` (RFC 9110 §14.6).
fn several_parts(call: &Call<'_>, content: Content, parts: &[Range<u64>], media_type: &HeaderValue) -> Response {
    // Drawn anew for each answer, so that no content can hold it on purpose.
    let boundary = call.caller.space.ports().alphanumeric(32);
    let media_type = media_type.to_str().unwrap_or("application/octet-stream");
    let size_bytes = content.size_bytes();
    let head_of = |part: &Range<u64>| {
        let range = range_text(part, size_bytes);
        format!("\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: {range}\r\n\r\n")
    };
    let pieces: Vec<(String, Range<u64>)> = parts.iter().map(|part| (head_of(part), part.clone())).collect();
    let tail = format!("\r\n--{boundary}--\r\n");
    let length = pieces.iter().map(|(head, part)| head.len() as u64 + part.end - part.start).sum::<u64>();
    let length = length + tail.len() as u64;
    let runs = futures_util::stream::iter(pieces).flat_map(move |(head, part)| {
        let head = futures_util::stream::iter([Ok(Bytes::from(head))]);
        head.chain(content.stream(part))
    });
    let runs = runs.chain(futures_util::stream::iter([Ok(Bytes::from(tail))]));
    let mut response = Response::new(streamed(runs));
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, range_value(format!("multipart/byteranges; boundary={boundary}")));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// The bytes themselves; for HEAD none, and nothing is read.
fn bytes_of(call: &Call<'_>, content: &Content, part: Range<u64>) -> Body {
    if part.is_empty() || call.parts.method == Method::HEAD {
        return empty();
    }
    match content.in_memory() {
        Some(bytes) if part == (0..bytes.len() as u64) => full(bytes),
        _ => streamed(content.stream(part)),
    }
}

fn range_text(part: &Range<u64>, size_bytes: u64) -> String {
    format!("bytes {}-{}/{size_bytes}", part.start, part.end - 1)
}

fn range_value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("digits and letters are a header value")
}

/// The media type to serve: what the dialects make of dangerous ones, text with its charset.
fn served_media_type(call: &Call<'_>, node: &Node) -> HeaderValue {
    let media_type = live::media_type(node);
    let other = call.dav.extensions().find_map(|extension| extension.served_media_type(media_type));
    let media_type = other.unwrap_or(media_type);
    let text = if media_type.starts_with("text/") && !media_type.contains(';') {
        format!("{media_type};charset=UTF-8")
    } else {
        media_type.to_owned()
    };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}
