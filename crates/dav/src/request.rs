//! The HTTP types that every method works with: requests, responses and their bodies.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};

use crate::error::Error;

/// Whatever goes wrong while a body is read or written.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// The body of a request or a response.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;
/// A request as it comes from the listener or a test.
pub type Request = http::Request<Body>;
/// An answer.
pub type Response = http::Response<Body>;

/// A body of bytes at hand.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body of no bytes.
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body that is made while it is sent. An error cuts the connection, so that what came before it can never be
/// taken for the whole.
pub fn streamed<S, E>(stream: S) -> Body
where
    S: futures_core::Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: Into<BoxError>,
{
    use futures_util::StreamExt as _;
    let frames = stream.map(|run| run.map(http_body::Frame::data).map_err(Into::into));
    StreamBody::new(frames).boxed_unsync()
}

/// The whole body, if it has at most `limit_bytes`.
///
/// # Errors
/// 413 beyond the limit, 400 when the client breaks off.
pub async fn read_whole(mut body: Body, limit_bytes: usize) -> Result<Bytes, Error> {
    use http_body::Body as _;
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > limit_bytes as u64 {
        return Err(Error::too_large(limit_bytes as u64));
    }
    let mut first: Option<Bytes> = None;
    let mut rest: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Error::bad_request("the request body ended early").caused_by(error))?;
        let Ok(bytes) = frame.into_data() else { continue };
        let length_before = rest.len().max(first.as_ref().map_or(0, Bytes::len));
        if length_before + bytes.len() > limit_bytes {
            return Err(Error::too_large(limit_bytes as u64));
        }
        match first.take() {
            None if rest.is_empty() => first = Some(bytes),
            None => rest.extend_from_slice(&bytes),
            Some(begin) => {
                rest.extend_from_slice(&begin);
                rest.extend_from_slice(&bytes);
            }
        }
    }
    Ok(first.unwrap_or_else(|| rest.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit_and_not_beyond() {
        let runs = |runs: &'static [&'static str]| {
            streamed(futures_util::stream::iter(
                runs.iter().map(|run| Ok::<_, BoxError>(Bytes::from_static(run.as_bytes()))),
            ))
        };
        assert_eq!(read_whole(runs(&["ab", "c", "de"]), 5).await.expect("within the limit"), "abcde");
        assert_eq!(read_whole(runs(&["ab", "c", "def"]), 5).await.expect_err("beyond it").status(), 413);
        assert_eq!(read_whole(full("abc"), 2).await.expect_err("beyond it").status(), 413);
        assert!(read_whole(empty(), 0).await.expect("nothing to read").is_empty());
    }
}
