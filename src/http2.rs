//! What HTTP/2 leaves open: an answer for which the client makes no room, a connection on which nothing is asked. The HTTP library
//! has no limit for either as long as the client answers its pings.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Version;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::rt::Executor;
use nichoir_dav::{Body, BoxError, Response};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::pace::Pace;
use crate::seat::Asked;

/// What a request may come with beside its body: also one that was refused, of whose body this much comes before the client knows.
const REQUEST_BYTES: u64 = 2 * 1024 * 1024;
/// A client has the time that it may leave a piece of an answer unread for each so many bytes.
const PIECE_BYTES: usize = 64 * 1024;

tokio::task_local! {
    /// The answer that a stream's task sends.
    static ANSWER: Answer;
}

/// How far the answer of one stream is. Cheap to clone.
#[derive(Clone, Debug, Default)]
struct Answer(Arc<Mutex<Standing>>);

#[derive(Debug, Default)]
struct Standing {
    /// Since when a piece waits for the client to make room.
    waits_since: Option<Instant>,
    /// The request's place among those of its space.
    asked: Option<Asked>,
}

impl Answer {
    fn change(&self, change: impl FnOnce(&mut Standing)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Returns once a piece has waited for so long.
    async fn left_unread(&self, longest: Duration) {
        loop {
            let since = self.0.lock().unwrap_or_else(PoisonError::into_inner).waits_since;
            let now = Instant::now();
            let until = since.unwrap_or(now) + longest;
            if until <= now {
                return;
            }
            sleep_until(until).await;
        }
    }
}

/// Whether this task answers a request of HTTP/2.
pub(crate) fn is_stream() -> bool {
    ANSWER.try_with(|_| ()).is_ok()
}

/// Keeps the place of the request that this task answers until the answer has gone out.
pub(crate) fn keep(asked: Asked) {
    let _ = ANSWER.try_with(|answer| answer.change(|standing| standing.asked = Some(asked)));
}

/// What a connection does, in either version.
#[derive(Clone, Copy, Debug, Default)]
struct Activity {
    /// Of its first request.
    version: Option<Version>,
    /// Streams with a request that is not answered to the end.
    streams: usize,
}

/// One connection: runs its streams, and knows when there are none. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    activity: Arc<watch::Sender<Activity>>,
    /// How many bytes may come.
    credit: Arc<AtomicU64>,
    heard: Arc<AtomicU64>,
    pace: Pace,
}

impl Streams {
    pub(crate) fn new(pace: Pace) -> Streams {
        let credit = Arc::new(AtomicU64::new(pace.overhead_bytes));
        Streams { activity: Arc::new(watch::Sender::default()), credit, heard: Arc::default(), pace }
    }

    /// So many bytes have come; false if they are too many for what is asked and answered on the connection.
    pub(crate) fn hear(&self, bytes: usize) -> bool {
        let heard = self.heard.fetch_add(bytes as u64, Ordering::Relaxed);
        heard <= self.credit.load(Ordering::Relaxed)
            || self.activity.borrow().version.is_some_and(|it| it != Version::HTTP_2)
    }

    /// So many bytes of a body have come or gone: frames around them, and the room that is made for them, take less.
    pub(crate) fn carry(&self, bytes: usize) {
        self.credit.fetch_add(2 * bytes as u64, Ordering::Relaxed);
    }

    /// A request has come.
    pub(crate) fn note(&self, version: Version) {
        self.credit.fetch_add(REQUEST_BYTES, Ordering::Relaxed);
        self.activity.send_if_modified(|activity| activity.version.replace(version).is_none());
    }

    fn begin(&self) -> UnderWay {
        self.activity.send_modify(|activity| activity.streams += 1);
        UnderWay(self.clone())
    }

    /// Returns once the connection has asked for nothing for too long: at first, or, in HTTP/2, after its last answer. HTTP/1.1 has
    /// a timer for that.
    pub(crate) async fn quiet(&self) {
        let mut changes = self.activity.subscribe();
        let opening = Instant::now() + self.pace.opening;
        loop {
            let Activity { version, streams } = *changes.borrow_and_update();
            let until = match version {
                None => opening,
                Some(Version::HTTP_2) if streams == 0 => Instant::now() + self.pace.http2_idle,
                Some(_) => {
                    let _ = changes.changed().await;
                    continue;
                }
            };
            if timeout_at(until, changes.changed()).await.is_err() {
                return;
            }
        }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let streams = self.clone();
        tokio::spawn(async move {
            let _under_way = streams.begin();
            let answer = Answer::default();
            tokio::select! {
                _ = ANSWER.scope(answer.clone(), stream) => {}
                // The stream is reset by being dropped.
                () = answer.left_unread(streams.pace.write_idle) => {}
            }
        });
    }
}

/// A stream with a request that is not answered to the end.
struct UnderWay(Streams);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.activity.send_modify(|activity| activity.streams -= 1);
    }
}

/// The answer, in pieces of which it is known whether the client has made room for them.
pub(crate) fn in_pieces(response: Response, streams: Streams) -> Response {
    response.map(|body| match body.is_end_stream() {
        true => body,
        false => Pieces { body, rest: Bytes::new(), streams }.boxed_unsync(),
    })
}

struct Pieces {
    body: Body,
    rest: Bytes,
    streams: Streams,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        // Asked for more: there was room for the piece before.
        wait(None);
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(bytes))) => self.rest = bytes,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        // The library takes a piece as soon as there is room for one byte of it, and keeps the others itself: a last byte alone
        // shows that there was room for all.
        let length = self.rest.len().saturating_sub(1).clamp(self.rest.len().min(1), PIECE_BYTES);
        self.streams.carry(length);
        wait(Some(Instant::now()));
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        if let Some(exact) = hint.exact() {
            hint.set_exact(exact + self.rest.len() as u64);
        }
        hint
    }
}

fn wait(since: Option<Instant>) {
    let _ = ANSWER.try_with(|answer| answer.change(|standing| standing.waits_since = since));
}

#[cfg(test)]
mod tests {
    use nichoir_dav::request::full;

    use super::*;
    use crate::config::Server;

    fn streams() -> Streams {
        Streams::new(Pace { overhead_bytes: 1_000, ..Pace::from(&Server::default()) })
    }

    #[test]
    fn what_comes_is_paid_for_by_requests_and_bodies() {
        let streams = streams();
        assert!(streams.hear(1_000) && streams.hear(1));
        assert!(!streams.hear(1), "frames only");
        streams.note(Version::HTTP_2);
        assert!(streams.hear(2_000_000) && streams.hear(200_000));
        assert!(!streams.hear(1));
        streams.carry(200_000);
        assert!(streams.hear(1));
        let old = self::streams();
        old.note(Version::HTTP_11);
        assert!(old.hear(10_000_000) && old.hear(1), "it has other limits");
    }

    #[tokio::test]
    async fn pieces_add_up_and_each_part_ends_with_a_byte_alone() {
        for length in [0, 1, 2, 3, PIECE_BYTES, PIECE_BYTES + 1, PIECE_BYTES + 2, 3 * PIECE_BYTES] {
            let whole: Vec<u8> = (0..length).map(|place| place as u8).collect();
            let mut body = in_pieces(Response::new(full(whole.clone())), streams()).into_body();
            assert_eq!(body.size_hint().exact(), Some(length as u64));
            let mut pieces: Vec<Bytes> = Vec::new();
            while let Some(frame) = body.frame().await {
                pieces.push(frame.unwrap().into_data().unwrap());
            }
            assert_eq!(pieces.concat(), whole);
            assert!(pieces.iter().all(|piece| (1..=PIECE_BYTES).contains(&piece.len())), "{length}");
            assert!(pieces.last().is_none_or(|last| last.len() == 1), "{length}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_left_unread_when_a_piece_has_waited_for_long_enough() {
        let answer = Answer::default();
        let waiting = answer.clone();
        let began = Instant::now();
        tokio::spawn(async move {
            for _ in 0..4 {
                tokio::time::sleep(Duration::from_secs(29)).await;
                waiting.change(|standing| standing.waits_since = Some(Instant::now()));
            }
        });
        answer.left_unread(Duration::from_secs(30)).await;
        assert_eq!(began.elapsed().as_secs(), 4 * 29 + 30);
    }
}
