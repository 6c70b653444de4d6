//! Bodies of requests: bytes at hand, or noise of any length made on the way, so that a large upload needs no memory here.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Noise is sent in slices of one block of this many bytes.
const BLOCK_BYTES: usize = 1 << 20;
/// How much is handed to the connection at a time.
const FRAME_BYTES: usize = 256 * 1024;

static NOISE: LazyLock<Bytes> = LazyLock::new(|| {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    while block.len() < BLOCK_BYTES {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        block.extend_from_slice(&state.to_le_bytes());
    }
    block.into()
});

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    bytes: Bytes,
    noise_left: u64,
}

impl Payload {
    /// These bytes.
    pub(crate) fn of(bytes: impl Into<Bytes>) -> Payload {
        Payload { bytes: bytes.into(), noise_left: 0 }
    }

    /// No body.
    pub(crate) fn empty() -> Payload {
        Payload::of(Bytes::new())
    }

    /// So many bytes that do not compress; they begin with `number`, so that no two bodies are alike.
    pub(crate) fn noise(number: u64, bytes: u64) -> Payload {
        let mut first = number.to_le_bytes().to_vec();
        first.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
        Payload { noise_left: bytes - first.len() as u64, bytes: first.into() }
    }

    /// How long the body is.
    pub(crate) fn len(&self) -> u64 {
        self.bytes.len() as u64 + self.noise_left
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.noise_left == 0 {
            let bytes = std::mem::take(&mut self.bytes);
            return Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))));
        }
        if !self.bytes.is_empty() {
            // A small body goes out in one piece, head and noise together.
            let taken = self.noise_left.min(FRAME_BYTES as u64 - self.bytes.len() as u64) as usize;
            let whole = [self.bytes.as_ref(), &NOISE[..taken]].concat();
            self.bytes = Bytes::new();
            self.noise_left -= taken as u64;
            return Poll::Ready(Some(Ok(Frame::data(whole.into()))));
        }
        let start = (self.noise_left as usize) % (BLOCK_BYTES - FRAME_BYTES);
        let taken = self.noise_left.min(FRAME_BYTES as u64) as usize;
        self.noise_left -= taken as u64;
        Poll::Ready(Some(Ok(Frame::data(NOISE.slice(start..start + taken)))))
    }

    fn is_end_stream(&self) -> bool {
        self.len() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    #[tokio::test]
    async fn noise_is_as_long_as_it_says_and_differs_by_number() {
        for bytes in [0, 1, 8, 9, 4096, 300_000, 5_000_001] {
            let one = Payload::noise(1, bytes);
            assert_eq!(one.len(), bytes);
            let one = one.collect().await.unwrap().to_bytes();
            assert_eq!(one.len() as u64, bytes);
            let two = Payload::noise(2, bytes).collect().await.unwrap().to_bytes();
            assert_eq!(one == two, bytes == 0, "{bytes}");
        }
    }

    #[tokio::test]
    async fn bytes_come_out_as_they_went_in() {
        let out = Payload::of("hello").collect().await.unwrap().to_bytes();
        assert_eq!(out.as_ref(), b"hello");
        assert!(Payload::empty().is_end_stream());
    }
}
