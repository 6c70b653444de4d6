//! Client push: a socket on which Nextcloud's clients are told that something changed, so that they need not ask.
//! Sheets `nextcloud-ocs` section 10 and `desktop-client` section 15.
//!
//! [`NotifyPush::serve`] talks to one client; [`NotifyPush::run`] listens to the store and tells those whom a change
//! concerns. What waits for a client is a few bits, however much happens; how often they are sent is bounded for each
//! client, and more so the more there is to send.

mod handshake;
mod limits;
mod log_in;
mod pending;
mod rate;
mod registry;
mod session;
mod watch;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use nichoir_auth::{Authenticator, Caller};
use nichoir_store::{Error, Space, Store};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch as signal};

pub use handshake::{Refusal, accept};
pub use limits::Limits;

use rate::Rate;
use registry::Registry;

/// Characters of a token that stands for a log-in once.
const PRE_AUTH_CHARACTERS: usize = 32;

/// More than a machine has files for.
const SOCKETS_MAX: usize = 10_000_000;

/// All sockets of the server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct NotifyPush(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: Store,
    auth: Authenticator,
    limits: Limits,
    registry: Registry,
    rate: Rate,
    places: Arc<Semaphore>,
    logging_in: Arc<Semaphore>,
    is_over: signal::Sender<bool>,
}

/// The right to one of the server's sockets.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
    /// Given back when somebody has logged in.
    logging_in: OwnedSemaphorePermit,
}

impl NotifyPush {
    /// No sockets yet.
    pub fn new(store: Store, auth: Authenticator, mut limits: Limits) -> NotifyPush {
        limits.sockets_max = limits.sockets_max.min(SOCKETS_MAX);
        NotifyPush(Arc::new(Parts {
            store,
            auth,
            registry: Registry::default(),
            rate: Rate::new(&limits),
            places: Arc::new(Semaphore::new(limits.sockets_max)),
            logging_in: Arc::new(Semaphore::new(limits.logging_in_max.min(SOCKETS_MAX))),
            is_over: signal::channel(false).0,
            limits,
        }))
    }

    /// A place for one socket more; `None` where there are as many as there may be, or the server stops.
    pub fn place(&self) -> Option<Place> {
        let is_over = *self.0.is_over.borrow();
        let permit = |of: &Arc<Semaphore>| Arc::clone(of).try_acquire_owned().ok();
        let (place, logging_in) = (permit(&self.0.places)?, permit(&self.0.logging_in)?);
        (!is_over).then_some(Place { _permit: place, logging_in })
    }

    /// Sockets that are open now.
    pub fn open(&self) -> usize {
        self.0.limits.sockets_max - self.0.places.available_permits()
    }

    /// Talks to one client, after the handshake, until it goes or has to. `early` is what it sent before the handshake
    /// was answered.
    pub async fn serve<S>(&self, space: Space, address: IpAddr, stream: S, early: Vec<u8>, place: Place)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let Place { _permit, logging_in } = place;
        session::serve(&self.0, space, address, stream, early, logging_in).await;
    }

    /// A token that the caller's scripts log in with, once, within the time for a log-in.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::ReadOnly`].
    pub async fn pre_auth(&self, caller: &Caller) -> Result<String, Error> {
        let token = caller.space.ports().alphanumeric(PRE_AUTH_CHARACTERS);
        let device = caller.device.as_ref().map(|device| device.id);
        let lifetime = i64::try_from(self.0.limits.login_seconds).unwrap_or(i64::MAX);
        let hash = log_in::token_hash(&caller.space, &token);
        caller.space.add_pre_auth(hash, caller.account.id, device, lifetime).await?;
        Ok(token)
    }

    /// Tells clients what moves, for as long as it is polled.
    pub async fn run(&self) {
        watch::run(&self.0).await;
    }

    /// Closes all sockets, and waits until they are, or for `longest`.
    pub async fn stop(&self, longest: Duration) {
        self.0.is_over.send_replace(true);
        let all = u32::try_from(self.0.limits.sockets_max).unwrap_or(u32::MAX);
        // Whoever does not take part in the end is cut off with the process.
        let _ = tokio::time::timeout(longest, self.0.places.acquire_many(all)).await;
    }
}
