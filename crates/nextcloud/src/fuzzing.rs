//! Doors for the targets in `fuzz/`: they call the parsers as requests do.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use nichoir_dav::BoxError;

use crate::multipart::Multipart;

/// Takes `body` apart, arriving `step` bytes at a time: how many parts, and how many bytes were in them, before it ended
/// or went wrong.
pub async fn multipart(body: &[u8], step: usize) -> (usize, usize) {
    let runs: Vec<Result<Bytes, BoxError>> =
        body.chunks(step.max(1)).map(|run| Ok(Bytes::copy_from_slice(run))).collect();
    let mut parts = Multipart::new(stream::iter(runs), "b", 200);
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
