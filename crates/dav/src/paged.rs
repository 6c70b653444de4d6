//! Multistatus answers that are made page by page: whole if they are small, streamed if they are not.
//!
//! A page is read from the store, written out, and forgotten; nothing is held while the client reads.

use bytes::Bytes;
use http::StatusCode;

use crate::answer;
use crate::error::Error;
use crate::multistatus::Multistatus;
use crate::request::{Response, streamed};

/// A multistatus under way.
pub(crate) trait Paged: Send + Sized + 'static {
    /// What was written so far.
    fn body(&mut self) -> &mut Multistatus;

    /// Reads and writes the next page; `false` when there is none.
    fn advance(&mut self) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Writes what ends the answer and closes it.
    fn finish(self) -> Bytes;

    /// Whether the answer may still turn into a refusal, and so must not be begun.
    fn may_be_refused(&self) -> bool {
        false
    }
}

/// The 207. A large answer goes out from the first page on; a small one has its length.
pub(crate) async fn respond<P: Paged>(mut paged: P, whole_answer_bytes: usize) -> Result<Response, Error> {
    while paged.may_be_refused() || paged.body().waiting_bytes() < whole_answer_bytes {
        if !paged.advance().await? {
            return Ok(answer::xml(StatusCode::MULTI_STATUS, paged.finish()));
        }
    }
    let pages = futures_util::stream::try_unfold(Some(paged), move |paged| async move {
        let Some(mut paged) = paged else { return Ok::<_, Error>(None) };
        while paged.body().waiting_bytes() < whole_answer_bytes.max(1) {
            if !paged.advance().await.inspect_err(|error| tracing::error!("a listing broke off: {error}"))? {
                return Ok(Some((paged.finish(), None)));
            }
        }
        Ok(Some((paged.body().take(), Some(paged))))
    });
    Ok(answer::xml_streamed(StatusCode::MULTI_STATUS, streamed(pages)))
}
