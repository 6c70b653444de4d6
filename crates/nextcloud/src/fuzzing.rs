//! Doors for the targets in `fuzz/`: they call the parsers as requests do.

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use nichoir_dav::BoxError;

use crate::link::form_parts;
use crate::multipart::Multipart;
pub use crate::office::utf7::decode as utf7;
pub use crate::search::is_understood as search;

/// Takes `body` apart, arriving `step` bytes at a time: how many parts, and how many bytes were in them, before it ended
/// or went wrong.
pub async fn multipart(body: &[u8], step: usize) -> (usize, usize) {
    let mut parts = Multipart::new(arriving(body, step), "b", 200);
    let (mut count, mut bytes) = (0, 0);
    while let Ok(Some(_)) = parts.next_part().await {
        count += 1;
        let mut content = Box::pin(parts.content());
        while let Some(run) = content.next().await {
            match run {
                Ok(run) => bytes += run.len(),
                Err(_) => return (count, bytes),
            }
        }
    }
    (count, bytes)
}

/// The same for a form.
pub async fn form(body: &[u8], step: usize) -> (usize, usize) {
    form_parts(arriving(body, step), "b").await
}

fn arriving(body: &[u8], step: usize) -> impl Stream<Item = Result<Bytes, BoxError>> + Unpin + Send + use<> {
    let runs: Vec<_> = body.chunks(step.max(1)).map(|run| Ok(Bytes::copy_from_slice(run))).collect();
    stream::iter(runs)
}
