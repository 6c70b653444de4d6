//! Listeners and connections: TCP, unix sockets, sockets from systemd; HTTP/1.1 and HTTP/2; TLS from files; an end that finishes
//! what is under way.

use std::convert::Infallible;
use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use http::Version;
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use nichoir_dav::request::empty;
use nichoir_dav::request_target::Watched;
use nichoir_dav::{Request, Response};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, info, warn};

use crate::app::App;
use crate::config::Server as Settings;
use crate::gate::Peer;
use crate::observe;
use crate::pace::{Pace, Paced, Progress, impatient};
use crate::seat::{Seat, Seats};

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
    pub async fn bind(address: &str, unix_socket_mode: &str) -> Result<Listener, String> {
        let failed = |error: std::io::Error| format!("cannot listen on {address}: {error}");
        match address.strip_prefix("unix:") {
            Some(path) => {
                let mode = u32::from_str_radix(unix_socket_mode, 8)
                    .map_err(|_| format!("server.unix_socket_mode: {unix_socket_mode} is no octal number"))?;
                // A socket file that a former run left would be in the way; one that somebody listens on stays.
                if UnixStream::connect(path).await.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused) {
                    let _ = std::fs::remove_file(path);
                }
                let listener = UnixListener::bind(path).map_err(failed)?;
                std::fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed)?;
                Ok(Listener::Unix(listener))
            }
            None => TcpListener::bind(address).await.map(Listener::Tcp).map_err(failed),
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
    builder: auto::Builder<TokioExecutor>,
    tls: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
    seats: Seats,
    pace: Pace,
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
    let serving = Serving {
        builder: builder(settings),
        tls,
        places: Arc::new(Semaphore::new(settings.connections_max)),
        seats: Seats::new(settings.space_connections_max),
        pace: Pace::from(settings),
        app,
    };
    let graceful = Arc::new(GracefulShutdown::new());
    let accepting: Vec<_> = listeners
        .into_iter()
        .map(|listener| tokio::spawn(accept(serving.clone(), listener, Arc::clone(&graceful), stop.clone())))
        .collect();
    for accepting in accepting {
        let _ = accepting.await;
    }
    info!("no longer listening; finishing what is under way");
    let Some(graceful) = Arc::into_inner(graceful) else { return };
    let longest = Duration::from_secs(settings.drain_seconds);
    let drain = async { tokio::join!(graceful.shutdown(), closing.close_sockets(longest)) };
    if tokio::time::timeout(longest, drain).await.is_err() {
        warn!("requests were cut off after {} seconds", settings.drain_seconds);
    }
}

fn builder(settings: &Settings) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
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

async fn accept(
    serving: Serving,
    listener: Listener,
    graceful: Arc<GracefulShutdown>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let next = async {
            let place = Arc::clone(&serving.places).acquire_owned().await.expect("the semaphore is never closed");
            (place, accept_one(&listener).await)
        };
        let (place, accepted) = tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => return,
            next = next => next,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of files, most likely: the next try comes when some are closed.
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (serving, watcher) = (serving.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _place = place;
            serving.app.metrics().connection(1);
            serving.connection(stream, peer, watcher).await;
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
    async fn connection(&self, stream: Box<dyn Duplex>, peer: Peer, watcher: hyper_util::server::graceful::Watcher) {
        let (stream, peer): (Box<dyn Duplex>, Peer) = match &self.tls {
            None => (stream, peer),
            Some(tls) => match tokio::time::timeout(self.pace.opening, tls.accept(stream)).await {
                Ok(Ok(stream)) => (Box::new(stream), Peer { has_tls: true, ..peer }),
                Ok(Err(error)) => return debug!(%error, "no TLS with this client"),
                Err(_) => return,
            },
        };
        let (app, pace, seat) = (self.app.clone(), self.pace, self.seats.seat());
        let stream = Paced::new(stream, &pace);
        let unread = stream.unread();
        let (stream, line) = Watched::new(stream);
        let service = service_fn(move |request: http::Request<Incoming>| {
            let (app, line, unread, seat) = (app.clone(), line.clone(), unread.clone(), seat.clone());
            async move {
                if line.has_fragment(request.method(), request.uri()) {
                    return Ok::<_, Infallible>(misdirected());
                }
                let (progress, version) = (Progress::begin(pace.answer), request.version());
                let mut response = app.handle(peer, received(request, pace, progress.clone(), seat)).await;
                if version <= Version::HTTP_11 {
                    unread.end_after(&progress, &mut response);
                }
                Ok(response)
            }
        });
        let connection = self.builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
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
fn received(mut request: http::Request<Incoming>, pace: Pace, progress: Progress, seat: Seat) -> Request {
    request.extensions_mut().insert(progress.clone());
    request.extensions_mut().insert(seat);
    request.map(|body| {
        if body.is_end_stream() {
            progress.complete();
            return empty();
        }
        impatient(body, pace, progress)
    })
}

/// Serves the admin listener until `stop` says so.
pub async fn serve_admin(app: App, listener: Listener, mut stop: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => return,
            accepted = accept_one(&listener) => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
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
