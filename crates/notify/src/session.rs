//! One client's socket: it logs in, may ask for file numbers, and is told what waits for it, not more often than the
//! limits say.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use nichoir_store::{Ports, Space};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use crate::Parts;
use crate::log_in::{self, Failure};
use crate::pending::{Files, Pending};
use crate::registry::Socket;
use crate::watch;

/// Bytes that are read at once: a client sends little.
const READ_BYTES: usize = 512;
/// Seconds that a client has to answer a close.
const CLOSE_SECONDS: u64 = 2;

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The client went, or does not answer.
    Gone,
    /// The server stops: come again.
    Stop,
    /// Not now.
    Later,
    /// Whoever logged in may not be here.
    Refused,
}

struct Line<S> {
    socket: WebSocketStream<S>,
    write: Duration,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Line<S> {
    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.write, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    /// The next message; pings are answered by the library while it waits.
    async fn receive(&mut self) -> Result<Message, End> {
        match self.socket.next().await {
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(End::Gone),
            Some(Ok(message)) => Ok(message),
        }
    }

    /// The next text, within the log-in's time.
    async fn text(&mut self) -> Result<String, End> {
        loop {
            if let Message::Text(text) = self.receive().await? {
                return Ok(text.to_string());
            }
        }
    }

    async fn close(mut self, end: End) {
        let code = match end {
            End::Gone => None,
            End::Stop => Some(CloseCode::Away),
            End::Later => Some(CloseCode::Again),
            End::Refused => Some(CloseCode::Policy),
        };
        let frame = code.map(|code| CloseFrame { code, reason: "".into() });
        let closing = async {
            let _ = self.socket.close(frame).await;
            while let Some(Ok(_)) = self.socket.next().await {}
        };
        let _ = timeout(Duration::from_secs(CLOSE_SECONDS), closing).await;
    }
}

/// Talks to one client until it goes or has to.
pub(crate) async fn serve<S>(
    parts: &Parts,
    space: Space,
    address: IpAddr,
    stream: S,
    early: Vec<u8>,
    logging_in: OwnedSemaphorePermit,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let limits = &parts.limits;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(limits.message_bytes_max + limits.file_ids_max * 24)
        .max_message_size(Some(limits.message_bytes_max))
        .max_frame_size(Some(limits.message_bytes_max));
    let socket = WebSocketStream::from_partially_read(stream, early, Role::Server, Some(config)).await;
    let mut line = Line { socket, write: Duration::from_secs(limits.write_seconds) };
    let mut over = parts.is_over.subscribe();
    let ports = space.ports().clone();
    // In a box, which goes: what a log-in needs is ten times what an open socket needs, and would be kept for as long.
    let log_in = Box::pin(logged_in(parts, &space, address, &mut line));
    let logged_in = tokio::select! {
        logged_in = log_in => logged_in,
        _ = over.wait_for(|is_over| *is_over) => Err(End::Stop),
    };
    drop(logging_in);
    // From here on the space may close.
    drop(space);
    let end = match logged_in {
        Err(end) => end,
        Ok(socket) => {
            let end = tokio::select! {
                Err(end) = talk(parts, &ports, &socket, &mut line) => end,
                _ = over.wait_for(|is_over| *is_over) => End::Stop,
            };
            parts.registry.remove(&socket);
            end
        }
    };
    line.close(end).await;
}

async fn logged_in<S>(parts: &Parts, space: &Space, address: IpAddr, line: &mut Line<S>) -> Result<Arc<Socket>, End>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let credentials = async { Ok((line.text().await?, line.text().await?)) };
    let (login, secret) = match timeout(Duration::from_secs(parts.limits.login_seconds), credentials).await {
        Ok(credentials) => credentials?,
        Err(_) => {
            line.send(Message::text("Authentication timeout")).await?;
            return Err(End::Refused);
        }
    };
    let epoch = space.account_epoch();
    let person = match log_in::person(parts, space, address, &login, &secret).await {
        Ok(person) => person,
        Err(Failure::Later) => return Err(End::Later),
        Err(Failure::Wrong) => {
            line.send(Message::text("err: Invalid credentials")).await?;
            return Err(End::Refused);
        }
    };
    // Listening begins before the client is told so: it asks for everything once it is.
    let socket = parts.registry.add(person, &parts.limits).ok_or(End::Later)?;
    // Somebody who was disabled after the password was looked up, and before the socket could be found.
    if space.account_epoch() != epoch {
        watch::check(parts, space.info().id, Duration::ZERO).await;
    }
    match line.send(Message::text("authenticated")).await {
        Ok(()) => Ok(socket),
        Err(end) => {
            parts.registry.remove(&socket);
            Err(end)
        }
    }
}

/// What waits, and until when it has to.
#[derive(Debug, Default)]
struct Due {
    pending: Pending,
    files: Option<Instant>,
    activity: Option<Instant>,
    notification: Option<Instant>,
    /// When the socket has rested enough for the next message of a kind.
    files_after: Option<Instant>,
    activity_after: Option<Instant>,
    notification_after: Option<Instant>,
}

impl Due {
    fn add(&mut self, news: Pending, ids_max: usize, soonest: Instant) {
        self.pending.add(news, ids_max);
        let due = |is_waiting: bool, due: &mut Option<Instant>, after: Option<Instant>| {
            if is_waiting && due.is_none() {
                *due = Some(after.map_or(soonest, |after| after.max(soonest)));
            }
        };
        due(self.pending.files != Files::Still, &mut self.files, self.files_after);
        due(self.pending.has_activity, &mut self.activity, self.activity_after);
        due(self.pending.has_notification, &mut self.notification, self.notification_after);
    }

    fn next(&self) -> Option<Instant> {
        [self.files, self.activity, self.notification].into_iter().flatten().min()
    }
}

/// Tells what waits, answers pings, and asks whether the client is still there.
async fn talk<S>(parts: &Parts, ports: &Ports, socket: &Socket, line: &mut Line<S>) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let limits = &parts.limits;
    let silence = Duration::from_secs(limits.ping_seconds.max(1));
    let mut due = Due::default();
    let mut is_asked = false;
    let mut ask_at = Instant::now() + silence;
    loop {
        let wake_at = due.next().map_or(ask_at, |next| next.min(ask_at));
        tokio::select! {
            message = line.receive() => {
                (is_asked, ask_at) = (false, Instant::now() + silence);
                if matches!(message?, Message::Text(text) if text.as_str() == "listen notify_file_id") {
                    socket.want_ids();
                }
            }
            news = socket.next() => {
                if news.is_over {
                    return Err(End::Refused);
                }
                due.add(news, limits.file_ids_max, Instant::now() + jitter(ports, limits.jitter_milliseconds_max));
            }
            () = sleep_until(wake_at) => {
                tell(parts, socket, line, &mut due).await?;
                let now = Instant::now();
                if now >= ask_at {
                    if std::mem::replace(&mut is_asked, true) {
                        return Err(End::Gone);
                    }
                    line.send(Message::Ping(Vec::new().into())).await?;
                    ask_at = now + silence;
                }
            }
        }
    }
}

/// Sends what is due.
async fn tell<S>(parts: &Parts, socket: &Socket, line: &mut Line<S>, due: &mut Due) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let now = Instant::now();
    let is_due = |instant: Option<Instant>| instant.is_some_and(|instant| instant <= now);
    if is_due(due.files) {
        let files = std::mem::take(&mut due.pending.files);
        if let Some(text) = files.message(socket.wants_ids.load(Ordering::Relaxed)) {
            line.send(Message::text(text)).await?;
        }
        (due.files, due.files_after) = (None, Some(now + parts.rate.sent()));
    }
    if is_due(due.activity) {
        due.pending.has_activity = false;
        line.send(Message::text("notify_activity")).await?;
        parts.rate.sent();
        (due.activity, due.activity_after) = (None, Some(now + Duration::from_secs(parts.limits.activity_seconds)));
    }
    if is_due(due.notification) {
        due.pending.has_notification = false;
        line.send(Message::text("notify_notification")).await?;
        parts.rate.sent();
        let rest = Duration::from_secs(parts.limits.notification_seconds);
        (due.notification, due.notification_after) = (None, Some(now + rest));
    }
    Ok(())
}

/// A little while, different for each.
fn jitter(ports: &Ports, milliseconds_max: u64) -> Duration {
    let number = u64::from_le_bytes(ports.bytes());
    Duration::from_millis(number % milliseconds_max.saturating_add(1).max(1))
}
