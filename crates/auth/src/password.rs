//! Account passwords: argon2id (RFC 9106), a bounded number at a time, off the request threads.

use std::sync::Arc;

use argon2::password_hash::phc::{PasswordHash, Salt};
use argon2::password_hash::{CustomizedPasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use nichoir_store::Ports;
use tokio::sync::Semaphore;

/// What a password hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for PasswordCost {
    /// OWASP's second choice: 19 MiB, two passes, one lane.
    fn default() -> PasswordCost {
        PasswordCost { memory_kib: 19 * 1024, passes: 2 }
    }
}

impl PasswordCost {
    fn argon2(self) -> Argon2<'static> {
        let params = Params::new(self.memory_kib.max(8), self.passes.max(1), 1, None).unwrap_or_default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
    }
}

/// The PHC string of a password. Takes tens of milliseconds: not for request threads.
pub fn hash_password(password: &str, cost: PasswordCost, ports: &Ports) -> String {
    hash_with(password, cost, ports.bytes())
}

fn hash_with(password: &str, cost: PasswordCost, salt: [u8; 16]) -> String {
    let salt = Salt::new(&salt).expect("sixteen bytes are a salt");
    let argon2 = cost.argon2();
    let params = argon2.params().clone();
    let hash = argon2.hash_password_customized(password.as_bytes(), &salt, Some("argon2id"), None, params);
    hash.expect("argon2 fails only for parameters that were clamped").to_string()
}

/// A password that people can read out: four groups of four letters and digits without look-alikes, 80 bits.
pub fn generate_password(ports: &Ports) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes: [u8; 16] = ports.bytes();
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// Compares passwords with hashes, a few at a time.
#[derive(Debug)]
pub(crate) struct Verifier {
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    cost: PasswordCost,
    /// Compared with when there is no account, so that the answer takes as long.
    dummy: String,
}

impl Verifier {
    pub(crate) fn new(parallel: usize, waiting: usize, cost: PasswordCost, ports: &Ports) -> Verifier {
        Verifier {
            turns: Arc::new(Semaphore::new(parallel.max(1))),
            waiting: Arc::new(Semaphore::new(waiting.max(1))),
            cost,
            dummy: hash_password("", cost, ports),
        }
    }

    /// The PHC string of `password`; `None` when too many wait already.
    pub(crate) async fn hash(&self, password: String, salt: [u8; 16]) -> Option<String> {
        let _place = Arc::clone(&self.waiting).try_acquire_owned().ok()?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        let cost = self.cost;
        let hashed = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            hash_with(&password, cost, salt)
        });
        hashed.await.ok()
    }

    /// Whether `password` has `hash`; `None` when too many wait already. Without a hash it is never right, but takes as
    /// long.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Option<bool> {
        let _place = Arc::clone(&self.waiting).try_acquire_owned().ok()?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.clone());
        let compared = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let parsed = PasswordHash::new(&hash).ok()?;
            Some(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
        });
        Some(compared.await.ok().flatten().unwrap_or(false) && exists)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: PasswordCost = PasswordCost { memory_kib: 8, passes: 1 };

    #[tokio::test]
    async fn a_password_has_its_hash_and_no_other() {
        let ports = Ports::system();
        let verifier = Verifier::new(1, 4, CHEAP, &ports);
        let hash = hash_password("correct horse", CHEAP, &ports);
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert_ne!(hash, hash_password("correct horse", CHEAP, &ports), "salted");
        assert_eq!(verifier.verify("correct horse".to_owned(), Some(hash.clone())).await, Some(true));
        assert_eq!(verifier.verify("wrong".to_owned(), Some(hash)).await, Some(false));
        assert_eq!(verifier.verify(String::new(), None).await, Some(false), "the dummy's password opens nothing");
    }

    #[tokio::test]
    async fn more_than_may_wait_are_turned_away() {
        let verifier = Arc::new(Verifier::new(1, 2, CHEAP, &Ports::system()));
        let places: Vec<_> = (0..2).map(|_| Arc::clone(&verifier.waiting).try_acquire_owned().unwrap()).collect();
        assert_eq!(verifier.verify("x".to_owned(), None).await, None);
        drop(places);
        assert_eq!(verifier.verify("x".to_owned(), None).await, Some(false));
    }

    #[test]
    fn generated_passwords_can_be_read_out() {
        let password = generate_password(&Ports::system());
        assert_eq!(password.len(), 19);
        assert!(password.split('-').all(|group| group.len() == 4));
    }
}
