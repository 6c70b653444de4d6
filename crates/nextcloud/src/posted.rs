//! What is posted to tags and comments: a JSON object. Sheet `nextcloud-files-dav`, section 12.

use http::header::{CONTENT_LOCATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use nichoir_dav::request::read_whole;
use nichoir_dav::{Body, Error, Response, answer};
use nichoir_store::FileId;
use serde_json::{Map, Value};

/// Far more than a comment of a thousand characters, however it is escaped.
const POSTED_BYTES_MAX: usize = 64 * 1024;

/// The object in the body.
///
/// # Errors
/// 415 for another type of content, 400 for no object, 413 for too much.
pub(crate) async fn object(parts: &Parts, body: Body) -> Result<Map<String, Value>, Error> {
    let told = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let told = told.split(';').next().unwrap_or_default().trim();
    if !told.eq_ignore_ascii_case("application/json") {
        return Err(Error::unsupported_media_type("The body must be JSON."));
    }
    let bytes = read_whole(body, POSTED_BYTES_MAX).await?;
    // iOS puts a message into JSON as it stands: with quotes or line breaks in it, it is none.
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Error::bad_request("Invalid input values")),
    }
}

/// A truth, as JSON or as text.
pub(crate) fn truth(object: &Map<String, Value>, name: &str, absent: bool) -> bool {
    match object.get(name) {
        Some(Value::Bool(truth)) => *truth,
        Some(Value::String(text)) => ["true", "1"].contains(&text.as_str()),
        Some(Value::Number(number)) => number.as_i64() == Some(1),
        _ => absent,
    }
}

/// 201, with the place of what was made.
pub(crate) fn created(place: &str) -> Response {
    let mut response = answer::bare(StatusCode::CREATED);
    if let Ok(value) = HeaderValue::try_from(place) {
        response.headers_mut().insert(CONTENT_LOCATION, value);
    }
    response
}

/// The number in a path.
///
/// # Errors
/// 404 for what is none.
pub(crate) fn number(text: &str) -> Result<i64, Error> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(Error::not_found)
}

/// The same, of a file.
///
/// # Errors
/// 404 for what is none.
pub(crate) fn file_id(text: &str) -> Result<FileId, Error> {
    number(text).map(FileId)
}
