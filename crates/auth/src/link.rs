//! Passwords of public links: hashed and compared as those of accounts, a bounded number at a time, with the same limits
//! on guessing; what was proven a moment ago is remembered, keyed and in memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use nichoir_store::{Link, Ports, Space, Timestamp};

use crate::authenticate::{AuthError, Authenticator};

/// Proofs remembered at once.
const PROOFS_MAX: usize = 10_000;

/// Passwords of links that were right a moment ago.
pub(crate) struct Proofs {
    key: [u8; 32],
    until: Mutex<HashMap<[u8; 32], Timestamp>>,
}

impl std::fmt::Debug for Proofs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proofs")
    }
}

impl Proofs {
    pub(crate) fn new(ports: &Ports) -> Proofs {
        Proofs { key: ports.bytes(), until: Mutex::new(HashMap::new()) }
    }

    /// What the password is remembered by: with another hash in the link it is another proof.
    fn key_of(&self, hash: &str, password: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&(hash.len() as u64).to_le_bytes());
        hasher.update(hash.as_bytes());
        hasher.update(password.as_bytes());
        *hasher.finalize().as_bytes()
    }

    fn holds(&self, key: &[u8; 32], now: Timestamp) -> bool {
        self.until.lock().unwrap_or_else(PoisonError::into_inner).get(key).is_some_and(|until| now < *until)
    }

    fn add(&self, key: [u8; 32], now: Timestamp, until: Timestamp) {
        let mut proofs = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if proofs.len() >= PROOFS_MAX {
            proofs.retain(|_, it| now < *it);
        }
        if proofs.len() < PROOFS_MAX {
            proofs.insert(key, until);
        }
    }
}

impl Authenticator {
    /// The PHC string of a link's password; `None` when too many wait already.
    pub async fn hash_link_password(&self, space: &Space, password: &str) -> Option<String> {
        let salt = space.ports().bytes();
        self.verifier().hash(space.info().id, password.to_owned(), salt).await
    }

    /// Whether `password` is the link's; also where it has none.
    ///
    /// # Errors
    /// [`AuthError::Wrong`], [`AuthError::Throttled`], [`AuthError::Unavailable`].
    pub async fn check_link_password(
        &self,
        space: &Space,
        link: &Link,
        password: &str,
        address: IpAddr,
    ) -> Result<(), AuthError> {
        let Some(hash) = &link.password_hash else { return Ok(()) };
        let (id, now) = (space.info().id, space.ports().clock.now());
        let key = self.proofs().key_of(hash, password);
        if self.proofs().holds(&key, now) {
            return Ok(());
        }
        // No login has a slash in it.
        let login = format!("link/{}", link.token);
        if let Some(retry_after_seconds) = self.throttle().check(id, &login, address, now) {
            return Err(AuthError::Throttled { retry_after_seconds });
        }
        let verified = self.verifier().verify(id, password.to_owned(), Some(hash.to_owned())).await;
        if verified.ok_or(AuthError::Unavailable(None))? {
            self.throttle().succeed(id, &login, address);
            self.proofs().add(key, now, now.plus_seconds(self.limits().remember_seconds));
            return Ok(());
        }
        self.throttle().fail(id, &login, address, now);
        self.note_failure(space, &format!("link {}", link.id.0), "", address);
        Err(AuthError::Wrong)
    }
}
