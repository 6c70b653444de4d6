//! From credentials to a caller. App passwords first: they are cheap to check, and a member's devices go on working while
//! somebody guesses at her password.

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;
use nichoir_store::{Account, Device, Error as StoreError, Ports, Space};
use tracing::debug;

use crate::caller::Caller;
use crate::credentials::Credentials;
use crate::device::device_hash;
use crate::failures::Failures;
use crate::link::Proofs;
use crate::password::{PasswordCost, Verifier};
use crate::policy::PasswordPolicy;
use crate::remembered::{Found, Key, Remembered};
use crate::throttle::{Throttle, ThrottleLimits};

/// The limits of log-ins, each a setting of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthLimits {
    /// Memory of one password hash, in KiB.
    pub argon2_memory_kib: u32,
    /// Passes of one password hash.
    pub argon2_passes: u32,
    /// Password hashes computed at once.
    pub argon2_parallel: usize,
    /// Log-ins of one space that may wait for one; more are answered 503. Spaces take turns.
    pub argon2_waiting_max: usize,
    /// Seconds that a proven log-in is remembered, unless an account or device of its space changes before.
    pub remember_seconds: i64,
    /// Log-ins remembered at once, of some 600 bytes each.
    pub remembered_max: usize,
    /// The window in which failures count, in seconds.
    pub throttle_window_seconds: i64,
    /// Failures of one login from one address block.
    pub failures_per_login_and_address: usize,
    /// Failures from one address block.
    pub failures_per_address: usize,
    /// Failures of one login from anywhere.
    pub failures_per_login: usize,
    /// Characters of a new password at least.
    pub password_chars_min: usize,
    /// Whether new passwords that are common are refused.
    pub refuses_common_passwords: bool,
}

impl Default for AuthLimits {
    fn default() -> AuthLimits {
        let PasswordCost { memory_kib, passes } = PasswordCost::default();
        AuthLimits {
            argon2_memory_kib: memory_kib,
            argon2_passes: passes,
            argon2_parallel: 2,
            argon2_waiting_max: 64,
            remember_seconds: 3600,
            remembered_max: 200_000,
            throttle_window_seconds: 1800,
            failures_per_login_and_address: 10,
            failures_per_address: 50,
            failures_per_login: 200,
            password_chars_min: 10,
            refuses_common_passwords: true,
        }
    }
}

impl AuthLimits {
    /// What a password hash costs.
    pub fn password_cost(&self) -> PasswordCost {
        PasswordCost { memory_kib: self.argon2_memory_kib, passes: self.argon2_passes }
    }

    /// What a new password must be.
    pub fn password_policy(&self) -> PasswordPolicy {
        PasswordPolicy { chars_min: self.password_chars_min, refuses_common: self.refuses_common_passwords }
    }
}

/// Why there is no caller.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No credentials came (401).
    #[error("no credentials")]
    Missing,
    /// They are unknown, revoked or wrong (401: clients forget them).
    #[error("wrong credentials")]
    Wrong,
    /// The device is to be wiped (401, upon which the client asks and learns why).
    #[error("the device is to be wiped")]
    Wiped,
    /// The account is disabled (403: clients keep what they have).
    #[error("the account is disabled")]
    Disabled,
    /// Too many failures (429).
    #[error("too many failed log-ins")]
    Throttled {
        /// When to try again.
        retry_after_seconds: u64,
    },
    /// They could not be checked (503).
    #[error("credentials cannot be checked now")]
    Unavailable(#[source] Option<StoreError>),
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> AuthError {
        AuthError::Unavailable(Some(error))
    }
}

/// Checks credentials. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Authenticator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: AuthLimits,
    verifier: Verifier,
    remembered: Remembered,
    throttle: Throttle,
    proofs: Proofs,
    failures: Arc<Failures>,
}

impl Authenticator {
    /// An authenticator that remembers nothing yet.
    pub fn new(limits: AuthLimits, ports: &Ports) -> Authenticator {
        let throttle = ThrottleLimits {
            window_seconds: limits.throttle_window_seconds,
            failures_per_login_and_address: limits.failures_per_login_and_address,
            failures_per_address: limits.failures_per_address,
            failures_per_login: limits.failures_per_login,
        };
        Authenticator(Arc::new(Inner {
            verifier: Verifier::new(limits.argon2_parallel, limits.argon2_waiting_max, limits.password_cost(), ports),
            remembered: Remembered::new(limits.remember_seconds, limits.remembered_max, ports),
            throttle: Throttle::new(throttle),
            proofs: Proofs::new(ports),
            failures: Arc::default(),
            limits,
        }))
    }

    /// The limits in force.
    pub fn limits(&self) -> &AuthLimits {
        &self.0.limits
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    /// Writes down at once which sign-ins have failed lately, as is done once a minute: before the store is closed.
    pub async fn write_failures(&self) {
        self.0.failures.write_all().await;
    }

    /// A failure, for the trail of the space.
    pub(crate) fn note_failure(&self, space: &Space, subject: &str, detail: &'static str, address: IpAddr) {
        self.0.failures.add(space, subject, detail, address);
    }

    pub(crate) fn proofs(&self) -> &Proofs {
        &self.0.proofs
    }

    /// The hash of a new password; off the request threads, and in turn with the log-ins.
    ///
    /// # Errors
    /// [`AuthError::Unavailable`] when too many wait already.
    pub async fn hash(&self, space: &Space, password: String) -> Result<String, AuthError> {
        let hash = self.0.verifier.hash(space.info().id, password, space.ports().bytes()).await;
        hash.ok_or(AuthError::Unavailable(None))
    }

    /// Who sent these headers.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn authenticate(&self, space: &Space, headers: &HeaderMap, address: IpAddr) -> Result<Caller, AuthError> {
        match Credentials::of(headers).ok_or(AuthError::Missing)? {
            Credentials::Basic { login, password } => self.log_in(space, &login, &password, address).await,
            Credentials::Bearer(token) => self.log_in(space, "", &token, address).await,
        }
    }

    /// Who has this login and password (or app password). An empty login stands for a bearer token.
    ///
    /// # Errors
    /// [`AuthError`], never [`AuthError::Missing`].
    pub async fn log_in(
        &self,
        space: &Space,
        login: &str,
        password: &str,
        address: IpAddr,
    ) -> Result<Caller, AuthError> {
        let inner = &*self.0;
        let key = inner.remembered.key_of(space, login, password);
        if let Some(Found { account, device, is_new_address }) = inner.remembered.find(space, &key, address) {
            if is_new_address {
                note_sign_in(space, &account, device.as_ref(), address);
            }
            return Ok(Caller::new(space, account, device));
        }
        // On the heap, as all that is rare: every request has room for this call.
        Box::pin(self.log_in_anew(space, login, password, address, key)).await
    }

    async fn log_in_anew(
        &self,
        space: &Space,
        login: &str,
        password: &str,
        address: IpAddr,
        key: Key,
    ) -> Result<Caller, AuthError> {
        let inner = &*self.0;
        let account_epoch = space.account_epoch();
        let (account, device) = match by_app_password(space, login, password).await? {
            Some((account, device)) => (account, Some(device)),
            None => (self.by_password(space, login, password, address).await?, None),
        };
        if !account.is_enabled {
            self.note_failure(space, &account.login, "the account is disabled", address);
            return Err(AuthError::Disabled);
        }
        if device.as_ref().is_some_and(|device| device.is_wiped) {
            self.note_failure(space, &account.login, "the device is to be wiped", address);
            return Err(AuthError::Wiped);
        }
        let account = Arc::new(account);
        note_sign_in(space, &account, device.as_ref(), address);
        inner.remembered.add((space, address), key, account_epoch, &account, device.as_ref());
        Ok(Caller::new(space, account, device))
    }

    async fn by_password(
        &self,
        space: &Space,
        login: &str,
        password: &str,
        address: IpAddr,
    ) -> Result<Account, AuthError> {
        let Inner { verifier, throttle, .. } = &*self.0;
        let (id, now) = (space.info().id, space.ports().clock.now());
        if let Some(retry_after_seconds) = throttle.check(id, login, address, now) {
            return Err(AuthError::Throttled { retry_after_seconds });
        }
        let account = match space.account_by_login(login).await {
            Ok(account) => Some(account),
            Err(StoreError::NotFound) => None,
            Err(error) => return Err(error.into()),
        };
        let hash = account.as_ref().and_then(|account| account.password_hash.clone());
        // What is no login may be a password in the wrong field.
        let subject = account.as_ref().map(|account| account.login.clone()).unwrap_or_default();
        let is_right = verifier.verify(id, password.to_owned(), hash).await.ok_or(AuthError::Unavailable(None))?;
        match account.filter(|_| is_right) {
            Some(account) => {
                throttle.succeed(id, login, address);
                Ok(account)
            }
            None => {
                throttle.fail(id, login, address, now);
                self.note_failure(space, &subject, "", address);
                Err(AuthError::Wrong)
            }
        }
    }
}

/// The device with that app password, if the login is its account's.
async fn by_app_password(space: &Space, login: &str, password: &str) -> Result<Option<(Account, Device)>, AuthError> {
    match space.device_by_hash(&device_hash(space, password)).await {
        Ok((device, account)) => {
            let is_its_own = login.is_empty()
                || account.login.eq_ignore_ascii_case(login)
                || account.email.as_ref().is_some_and(|email| email.to_lowercase() == login.to_lowercase());
            Ok(is_its_own.then_some((account, device)))
        }
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Off the request's path: it is worth no wait.
fn note_sign_in(space: &Space, account: &Arc<Account>, device: Option<&Device>, address: IpAddr) {
    let (space, account, device) = (space.clone(), Arc::clone(account), device.cloned());
    tokio::spawn(async move {
        if let Err(error) = space.note_sign_in(&account, device.as_ref(), address).await {
            debug!(%error, "a sign-in was not noted");
        }
    });
}
