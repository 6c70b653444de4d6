//! Listeners and connections: TCP, unix sockets, sockets from systemd; HTTP/1.1 and HTTP/2; TLS from files; an end that finishes
//! what is under way.

use std::convert::Infallible;
use std::fs::Permissions;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Version;
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use nichoir_dav::request::empty;
use nichoir_dav::request_target::Watched;
use nichoir_dav::{Request, Response};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixSocket, UnixStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, info, warn};

use crate::app::App;
use crate::config::Server as Settings;
use crate::gate::Peer;
use crate::http2::{self, Streams};
use crate::observe;
use crate::pace::{Pace, Paced, Progress, impatient};
use crate::seat::{Seat, Seats};

/// When so much of all places is left, strangers make way.
const SPARE_PART: usize = 64;
/// After a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that waits for connections.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A unix socket.
    Unix(UnixListener),
}

impl Listener {
    /// Listens on `127.0.0.1:8080`, `[::]:80` or `unix:/path`.
    ///
    /// # Errors
    /// What could not be listened on, and why.
    pub async fn bind(address: &str, settings: &Settings) -> Result<Listener, String> {
        let Settings { unix_socket_mode, backlog, .. } = settings;
        let failed = |error: std::io::Error| format!("cannot listen on {address}: {error}");
        match address.strip_prefix("unix:") {
            Some(path) => {
                let mode = u32::from_str_radix(unix_socket_mode, 8)
                    .map_err(|_| format!("server.unix_socket_mode: {unix_socket_mode} is no octal number"))?;
                // A socket file that a former run left would be in the way; one that somebody listens on stays.
                if UnixStream::connect(path).await.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused) {
                    let _ = std::fs::remove_file(path);
                }
                let socket = UnixSocket::new_stream().map_err(failed)?;
                socket.bind(path).map_err(failed)?;
                let listener = socket.listen(*backlog).map_err(failed)?;
                std::fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed)?;
                Ok(Listener::Unix(listener))
            }
            None => {
                let mut last = ErrorKind::AddrNotAvailable.into();
                for found in tokio::net::lookup_host(address).await.map_err(failed)? {
                    match listen_on(found, *backlog) {
                        Ok(listener) => return Ok(Listener::Tcp(listener)),
                        Err(error) => last = error,
                    }
                }
                Err(failed(last))
            }
        }
    }

    /// The sockets that systemd passed (`LISTEN_FDS`).
    ///
    /// # Errors
    /// What cannot be used of them.
    pub fn from_systemd() -> Result<Vec<Listener>, String> {
        let mut passed = listenfd::ListenFd::from_env();
        let mut listeners = Vec::new();
        for place in 0..passed.len() {
            if let Ok(Some(listener)) = passed.take_tcp_listener(place) {
                listener.set_nonblocking(true).map_err(|error| error.to_string())?;
                listeners.push(TcpListener::from_std(listener).map(Listener::Tcp).map_err(|error| error.to_string())?);
            } else if let Ok(Some(listener)) = passed.take_unix_listener(place) {
                listener.set_nonblocking(true).map_err(|error| error.to_string())?;
                listeners
                    .push(UnixListener::from_std(listener).map(Listener::Unix).map_err(|error| error.to_string())?);
            }
        }
        Ok(listeners)
    }

    /// The address, for people.
    pub fn address(&self) -> String {
        match self {
            Listener::Tcp(listener) => {
                listener.local_addr().map_or_else(|_| "?".to_owned(), |address| address.to_string())
            }
            Listener::Unix(listener) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                path.map_or_else(|| "unix:?".to_owned(), |path| format!("unix:{}", path.display()))
            }
        }
    }
}

/// As `TcpListener::bind`, which lets only 128 connections wait.
fn listen_on(address: SocketAddr, backlog: u32) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that was just stopped is not in the way of the next.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}

/// What TLS needs, read from files.
///
/// # Errors
/// What is wrong with the files.
pub fn tls_from_files(certificates: &str, key: &str) -> Result<TlsAcceptor, String> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect)
        .map_err(|error| format!("cannot use {certificates}: {error}"))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| format!("cannot use {key}: {error}"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key);
    let mut config = config.map_err(|error| format!("certificate and key do not fit: {error}"))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// How connections are served.
#[derive(Clone)]
struct Serving {
    app: App,
    settings: Arc<Settings>,
    tls: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
    seats: Seats,
    pace: Pace,
    stop: watch::Receiver<bool>,
    /// Dropped with the last connection.
    _alive: mpsc::Sender<Infallible>,
}

/// Serves until `stop` says so, then finishes what is under way, for at most the drain time.
pub async fn serve(
    app: App,
    settings: &Settings,
    listeners: Vec<Listener>,
    tls: Option<TlsAcceptor>,
    stop: watch::Receiver<bool>,
) {
    let closing = app.clone();
    let settings = Arc::new(settings.within(nichoir_store::open_files_max()));
    let (alive, mut over) = mpsc::channel(1);
    let serving = Serving {
        tls,
        places: Arc::new(Semaphore::new(settings.connections_max)),
        seats: Seats::new(settings.space_connections_max, settings.space_requests_max),
        pace: Pace::from(&*settings),
        app,
        stop,
        settings: Arc::clone(&settings),
        _alive: alive,
    };
    let accepting: Vec<_> =
        listeners.into_iter().map(|listener| tokio::spawn(accept(serving.clone(), listener))).collect();
    drop(serving);
    for accepting in accepting {
        let _ = accepting.await;
    }
    info!("no longer listening; finishing what is under way");
    let longest = Duration::from_secs(settings.drain_seconds);
    let drain = async { tokio::join!(over.recv(), closing.close_sockets(longest)) };
    if tokio::time::timeout(longest, drain).await.is_err() {
        warn!("requests were cut off after {} seconds", settings.drain_seconds);
    }
}

fn builder(settings: &Settings, streams: Streams) -> auto::Builder<Streams> {
    let mut builder = auto::Builder::new(streams);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(settings.header_seconds))
        .max_headers(settings.headers_max)
        .max_buf_size(settings.header_bytes.max(8192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(30))
        .max_concurrent_streams(settings.http2_streams_max)
        .max_header_list_size(u32::try_from(settings.header_bytes).unwrap_or(u32::MAX));
    builder
}

async fn accept(serving: Serving, listener: Listener) {
    let mut stop = serving.stop.clone();
    let mut has_failed = false;
    loop {
        let next = async {
            let accepted = accept_one(&listener).await?;
            // A little early, so that the next need not wait until the one before has gone.
            if serving.places.available_permits() <= serving.settings.connections_max / SPARE_PART {
                serving.seats.make_room();
            }
            let place = Arc::clone(&serving.places).acquire_owned().await.expect("the semaphore is never closed");
            Ok::<_, std::io::Error>((place, accepted))
        };
        let next = tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => return,
            next = next => next,
        };
        let (place, (stream, peer)) = match next {
            Ok(next) => next,
            Err(error) => {
                // Out of files, most likely: the next try comes when some are closed. Told once, not ten times a second.
                if !std::mem::replace(&mut has_failed, true) {
                    warn!(%error, "a connection could not be accepted");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        has_failed = false;
        let serving = serving.clone();
        tokio::spawn(async move {
            let _place = place;
            serving.app.metrics().connection(1);
            let seat = serving.seats.seat();
            tokio::select! {
                () = serving.connection(stream, peer, seat.clone()) => {}
                () = seat.sent_away() => {}
            }
            serving.app.metrics().connection(-1);
        });
    }
}

/// What an upgraded connection is, without what only HTTP needs, and what came on it before it was upgraded.
///
/// # Errors
/// The connection ended before.
pub(crate) async fn upgraded(upgrade: OnUpgrade) -> Result<(Box<dyn Duplex>, Vec<u8>), hyper::Error> {
    type Whole = TokioIo<Watched<Paced<Box<dyn Duplex>>>>;
    let upgraded = upgrade.await?;
    Ok(match auto::upgrade::downcast::<Whole>(upgraded) {
        // Copied: the buffer itself has kilobytes of room, for as long as the socket is open.
        Ok(parts) => (parts.io.into_inner().into_inner().into_inner(), parts.read_buf.to_vec()),
        Err(upgraded) => (Box::new(TokioIo::new(upgraded)), Vec::new()),
    })
}

/// A stream in both directions.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

async fn accept_one(listener: &Listener) -> std::io::Result<(Box<dyn Duplex>, Peer)> {
    match listener {
        Listener::Tcp(listener) => {
            let (stream, address) = listener.accept().await?;
            // It fails for a client that is gone already, which shows soon enough.
            let _ = stream.set_nodelay(true);
            Ok((Box::new(stream), Peer { address: Some(address.ip()), has_tls: false }))
        }
        Listener::Unix(listener) => {
            let (stream, _) = listener.accept().await?;
            Ok((Box::new(stream), Peer { address: None, has_tls: false }))
        }
    }
}

impl Serving {
    async fn connection(&self, stream: Box<dyn Duplex>, peer: Peer, seat: Seat) {
        let (stream, peer): (Box<dyn Duplex>, Peer) = match &self.tls {
            None => (stream, peer),
            Some(tls) => match tokio::time::timeout(self.pace.opening, tls.accept(stream)).await {
                Ok(Ok(stream)) => (Box::new(stream), Peer { has_tls: true, ..peer }),
                Ok(Err(error)) => return debug!(%error, "no TLS with this client"),
                Err(_) => return,
            },
        };
        let (app, pace, streams) = (self.app.clone(), self.pace, Streams::new(self.pace));
        let builder = builder(&self.settings, streams.clone());
        let stream = Paced::new(stream, &pace, streams.clone());
        let unread = stream.unread();
        let (stream, line) = Watched::new(stream);
        let connection = streams.clone();
        let service = service_fn(move |request: http::Request<Incoming>| {
            let (app, line, unread, seat) = (app.clone(), line.clone(), unread.clone(), seat.clone());
            let streams = connection.clone();
            streams.note(request.version());
            async move {
                if line.has_fragment(request.method(), request.uri()) {
                    return Ok::<_, Infallible>(misdirected());
                }
                let (progress, version) = (Progress::begin(pace.answer), request.version());
                let mut response =
                    app.handle(peer, received(request, pace, progress.clone(), seat, streams.clone())).await;
                if version > Version::HTTP_11 {
                    return Ok(http2::in_pieces(response, streams));
                }
                unread.end_after(&progress, &mut response);
                Ok(response)
            }
        });
        let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
        let mut stop = self.stop.clone();
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = async { drop(stop.wait_for(|stopped| *stopped).await) } => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            () = streams.quiet() => {
                connection.as_mut().graceful_shutdown();
                // What is left of an answer may still be read, for as long as any piece.
                tokio::time::timeout(pace.write_idle, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            debug!(%error, "a connection ended early");
        }
    }
}

/// 400: a request target has no fragment, and what stands before it is not what was meant.
fn misdirected() -> Response {
    let mut response = Response::new(empty());
    *response.status_mut() = http::StatusCode::BAD_REQUEST;
    response
}

/// The request with a body that ends when its client falls silent.
fn received(
    mut request: http::Request<Incoming>,
    pace: Pace,
    progress: Progress,
    seat: Seat,
    streams: Streams,
) -> Request {
    request.extensions_mut().insert(progress.clone());
    request.extensions_mut().insert(seat);
    request.map(|body| {
        if body.is_end_stream() {
            progress.complete();
            return empty();
        }
        impatient(body, pace, progress, streams)
    })
}

/// Serves the admin listener until `stop` says so.
pub async fn serve_admin(app: App, listener: Listener, mut stop: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => return,
            accepted = accept_one(&listener) => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let app = app.clone();
        tokio::spawn(async move {
            let service = service_fn(|request: http::Request<Incoming>| {
                let app = app.clone();
                async move {
                    Ok::<_, Infallible>(
                        observe::admin(app.store(), app.metrics(), app.push_sockets(), request.uri().path()).await,
                    )
                }
            });
            let mut builder = hyper::server::conn::http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10));
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
