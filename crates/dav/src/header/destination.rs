//! Destination. RFC 4918 §10.3: an absolute URL or a path; whose host it names is not looked at.

use http::HeaderMap;

use super::single;
use crate::error::Error;

/// The header as it came.
///
/// # Errors
/// 400 if it stands twice or is not text.
pub fn of(headers: &HeaderMap) -> Result<Option<String>, Error> {
    Ok(single(headers, "destination")?.map(str::to_owned))
}
