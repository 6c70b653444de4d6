//! Clients that keep a connection without using it: bodies that drip, answers that nobody reads, requests that never begin.
//! Each has a limit in seconds, after which the connection is cut.

use std::future::Future as _;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::stream;
use http::HeaderValue;
use http::header::CONNECTION;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body as _, Incoming};
use nichoir_dav::{Body, BoxError, Response};
use nichoir_store::without_turn;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, timeout_at};

use crate::config::Server;
use crate::http2::Streams;

/// An HTTP/2 preface has this many bytes, and no HTTP/1.1 request has fewer: until they are there, nothing has begun and no
/// timer of the HTTP library runs.
const OPENING_BYTES: usize = 24;
/// Seconds before a body's average counts: a short pause at its beginning is nobody's fault.
const GRACE: Duration = Duration::from_secs(60);
/// What is thrown away is read in pieces of this.
const DISCARD_BYTES: usize = 8 * 1024;

/// How long a client may take for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// For a connection's first bytes.
    pub(crate) opening: Duration,
    /// Between two pieces of a body.
    pub(crate) body_idle: Duration,
    /// Bytes a second of a body on average, after its first minute.
    pub(crate) body_bytes_per_second: u64,
    /// To take a piece of an answer.
    pub(crate) write_idle: Duration,
    /// Bytes of a connection beside requests and bodies.
    pub(crate) overhead_bytes: u64,
    /// Between two requests of HTTP/2.
    pub(crate) http2_idle: Duration,
    /// For us, from the last byte of a request to its answer.
    pub(crate) answer: Duration,
}

impl From<&Server> for Pace {
    fn from(settings: &Server) -> Pace {
        Pace {
            opening: Duration::from_secs(settings.header_seconds),
            body_idle: Duration::from_secs(settings.body_idle_seconds),
            body_bytes_per_second: settings.body_bytes_per_second_min,
            write_idle: Duration::from_secs(settings.write_idle_seconds),
            overhead_bytes: settings.http2_overhead_bytes_max,
            http2_idle: Duration::from_secs(settings.http2_idle_seconds),
            answer: Duration::from_secs(settings.answer_seconds),
        }
    }
}

/// Whether a request of the connection was answered before its body had come. Cheap to clone.
///
/// Then what is still on its way has to be taken before the connection is gone: else the kernel resets it, and the client,
/// still sending, learns of that instead of our answer. RFC 9112 §9.6.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unread(Arc<AtomicBool>);

impl Unread {
    /// If the body behind `progress` has not come: tells the client that this is the connection's last answer.
    pub(crate) fn end_after(&self, progress: &Progress, response: &mut Response) {
        if !progress.is_whole.load(Ordering::Relaxed) {
            self.0.store(true, Ordering::Relaxed);
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// A connection that ends when its client does nothing.
#[derive(Debug)]
pub(crate) struct Paced<S> {
    stream: S,
    write_idle: Duration,
    streams: Streams,
    unread: Unread,
    /// Once the last byte is written, while the client may still be sending.
    leaving: Option<Pin<Box<Sleep>>>,
    /// While the first bytes are missing.
    opening: Option<(Pin<Box<Sleep>>, usize)>,
    /// While the client takes nothing.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<S> Paced<S> {
    pub(crate) fn new(stream: S, pace: &Pace, streams: Streams) -> Paced<S> {
        Paced {
            stream,
            streams,
            write_idle: pace.write_idle,
            unread: Unread::default(),
            leaving: None,
            opening: Some((Box::pin(sleep(pace.opening)), OPENING_BYTES)),
            stuck: None,
        }
    }

    /// What tells this connection that a body was left unread.
    pub(crate) fn unread(&self) -> Unread {
        self.unread.clone()
    }

    /// The connection, with no more limits.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    /// What a write came to, unless it has been waiting for too long.
    fn in_time<T>(&mut self, cx: &mut Context<'_>, written: Poll<Result<T>>) -> Poll<Result<T>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let write_idle = self.write_idle;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(write_idle)));
        stuck.as_mut().poll(cx).map(|()| Err(too_slow("the client does not read")))
    }
}

impl<S: AsyncRead + Unpin> Paced<S> {
    /// Takes what still comes and throws it away, until the client ends too; for at most as long as it may take to read.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let write_idle = self.write_idle;
        let timer = self.leaving.get_or_insert_with(|| Box::pin(sleep(write_idle)));
        let mut scratch = [0; DISCARD_BYTES];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            let read = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
            // Asked each time: a client that never pauses leaves too.
            if timer.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            match ready!(read) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

fn too_slow(what: &'static str) -> Error {
    Error::new(ErrorKind::TimedOut, what)
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if matches!(read, Poll::Ready(Ok(()))) && !self.streams.hear(buffer.filled().len() - before) {
            return Poll::Ready(Err(Error::new(
                ErrorKind::InvalidData,
                "the client sends frames and asks for nothing",
            )));
        }
        let Some((timer, missing)) = &mut self.opening else { return read };
        match read {
            Poll::Ready(Ok(())) => {
                *missing = missing.saturating_sub(buffer.filled().len() - before);
                if *missing == 0 {
                    self.opening = None;
                }
                read
            }
            Poll::Pending => timer.as_mut().poll(cx).map(|()| Err(too_slow("the client says nothing"))),
            failed => failed,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.in_time(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.in_time(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.in_time(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.leaving.is_none() {
            let closed = Pin::new(&mut self.stream).poll_shutdown(cx);
            ready!(self.in_time(cx, closed))?;
            if !self.unread.0.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_discard(cx).map(Ok)
    }
}

/// When a request's body last moved: what the limit on the making of the answer counts from. An extension of the request.
/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    began: Instant,
    moved_ms: Arc<AtomicU64>,
    answer_limit: Duration,
    is_whole: Arc<AtomicBool>,
}

impl Progress {
    pub(crate) fn begin(answer_limit: Duration) -> Progress {
        Progress { began: Instant::now(), moved_ms: Arc::default(), answer_limit, is_whole: Arc::default() }
    }

    /// The body has come to its end.
    pub(crate) fn complete(&self) {
        self.is_whole.store(true, Ordering::Relaxed);
    }

    fn move_on(&self) {
        let elapsed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved_ms.store(elapsed, Ordering::Relaxed);
    }

    /// Returns once nothing has moved for as long as an answer may take.
    pub(crate) async fn stalled(&self) {
        loop {
            let moved = Duration::from_millis(self.moved_ms.load(Ordering::Relaxed));
            let until = self.began + moved + self.answer_limit;
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}

/// The body, which fails when its client falls silent or drips. Whoever waits for it does not compute meanwhile.
pub(crate) fn impatient(body: Incoming, pace: Pace, progress: Progress, streams: Streams) -> Body {
    let frames = stream::unfold(Some((body, 0_u64)), move |state| {
        let (progress, streams) = (progress.clone(), streams.clone());
        async move {
            let (mut body, mut received) = state?;
            let fair =
                Duration::from_secs(received.checked_div(pace.body_bytes_per_second).unwrap_or(u64::from(u32::MAX)));
            let deadline = (Instant::now() + pace.body_idle).min(progress.began + GRACE + fair);
            let frame: std::result::Result<_, BoxError> = match without_turn(timeout_at(deadline, body.frame())).await {
                Ok(None) => {
                    progress.complete();
                    return None;
                }
                Ok(Some(frame)) => frame.map_err(Into::into),
                Err(_) => Err("the client fell silent".into()),
            };
            progress.move_on();
            if body.is_end_stream() {
                progress.complete();
            }
            if let Some(bytes) = frame.as_ref().ok().and_then(|frame| frame.data_ref()) {
                received = received.saturating_add(bytes.len() as u64);
                streams.carry(bytes.len());
            }
            let rest = frame.is_ok().then_some((body, received));
            Some((frame, rest))
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use nichoir_dav::request::empty;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn pace() -> Pace {
        Pace { opening: Duration::from_secs(20), write_idle: Duration::from_secs(30), ..Pace::from(&Server::default()) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_nothing_at_first_is_cut_off_and_one_that_began_is_not() {
        let (mut client, server) = duplex(1024);
        let mut server = Paced::new(server, &pace(), Streams::new(pace()));
        let mut buffer = [0; 64];
        client.write_all(b"PRI * HTTP/2.0").await.unwrap();
        assert_eq!(server.read(&mut buffer).await.unwrap(), 14);
        let began = Instant::now();
        assert_eq!(server.read(&mut buffer).await.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 20);

        let (mut client, server) = duplex(1024);
        let mut server = Paced::new(server, &pace(), Streams::new(pace()));
        client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n").await.unwrap();
        assert_eq!(server.read(&mut buffer).await.unwrap(), 25);
        let waiting = tokio::time::timeout(Duration::from_secs(3600), server.read(&mut buffer));
        assert!(waiting.await.is_err(), "what comes later is the HTTP library's to limit");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_nothing_is_cut_off_and_one_that_reads_slowly_is_not() {
        let (mut client, server) = duplex(8);
        let mut server = Paced::new(server, &pace(), Streams::new(pace()));
        let reading = tokio::spawn(async move {
            for _ in 0..4 {
                tokio::time::sleep(Duration::from_secs(29)).await;
                client.read_exact(&mut [0; 8]).await.unwrap();
            }
            client
        });
        server.write_all(&[0; 40]).await.unwrap();
        let _client = reading.await.unwrap();
        let began = Instant::now();
        assert_eq!(server.write_all(&[0; 8]).await.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_after_an_early_answer_is_taken_until_the_client_ends_or_its_time_is_over() {
        for ends in [true, false] {
            let (mut client, server) = duplex(16);
            let mut server = Paced::new(server, &pace(), Streams::new(pace()));
            let (unread, mut response) = (server.unread(), Response::new(empty()));
            unread.end_after(&Progress::begin(Duration::from_secs(60)), &mut response);
            assert_eq!(response.headers()[CONNECTION], "close");
            let sending = tokio::spawn(async move {
                client.write_all(&[0; 4000]).await.unwrap();
                (!ends).then_some(client)
            });
            let began = Instant::now();
            server.shutdown().await.unwrap();
            assert_eq!(began.elapsed().as_secs(), if ends { 0 } else { 30 });
            drop(sending.await.unwrap());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_whose_bodies_were_read_is_closed_at_once_and_stays_open_before() {
        let (_client, server) = duplex(16);
        let mut server = Paced::new(server, &pace(), Streams::new(pace()));
        let (unread, progress) = (server.unread(), Progress::begin(Duration::from_secs(60)));
        let mut response = Response::new(empty());
        progress.complete();
        unread.end_after(&progress, &mut response);
        assert!(response.headers().is_empty());
        let began = Instant::now();
        server.shutdown().await.unwrap();
        assert_eq!(began.elapsed().as_secs(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_its_time_from_the_last_byte_of_the_request() {
        let progress = Progress::begin(Duration::from_secs(60));
        let moving = progress.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(50)).await;
            moving.move_on();
        });
        progress.stalled().await;
        assert_eq!(progress.began.elapsed().as_secs(), 110);
    }
}
