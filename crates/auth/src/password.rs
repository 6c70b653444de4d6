//! Account passwords: argon2id (RFC 9106), a bounded number at a time, off the request threads.

use argon2::password_hash::phc::{PasswordHash, Salt};
use argon2::password_hash::{CustomizedPasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use nichoir_fair::{Place, Places};
use nichoir_store::{Ports, without_turn};

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

/// Compares passwords with hashes, a few at a time; spaces, known by their numbers, take turns.
#[derive(Debug)]
pub(crate) struct Verifier {
    places: Places<i64>,
    cost: PasswordCost,
    /// Compared with when there is no account, so that the answer takes as long.
    dummy: String,
}

impl Verifier {
    pub(crate) fn new(parallel: usize, waiting: usize, cost: PasswordCost, ports: &Ports) -> Verifier {
        Verifier { places: Places::new(parallel, waiting), cost, dummy: hash_password("", cost, ports) }
    }

    /// The PHC string of `password`; `None` when too many wait already.
    pub(crate) async fn hash(&self, space: i64, password: String, salt: [u8; 16]) -> Option<String> {
        let cost = self.cost;
        self.in_place(space, move || hash_with(&password, cost, salt)).await
    }

    /// Whether `password` has `hash`; `None` when too many wait already. Without a hash it is never right, but takes as
    /// long.
    pub(crate) async fn verify(&self, space: i64, password: String, hash: Option<String>) -> Option<bool> {
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.clone());
        let compare = move || {
            let parsed = PasswordHash::new(&hash).ok()?;
            Some(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
        };
        Some(self.in_place(space, compare).await?.unwrap_or(false) && exists)
    }

    /// What `work` comes to, when it is the space's turn.
    async fn in_place<T: Send + 'static>(&self, space: i64, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        without_turn(async {
            let place: Place<i64> = self.places.enter(space).await.ok()?;
            let worked = tokio::task::spawn_blocking(move || {
                let _place = place;
                work()
            });
            worked.await.ok()
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const CHEAP: PasswordCost = PasswordCost { memory_kib: 8, passes: 1 };

    #[tokio::test]
    async fn a_password_has_its_hash_and_no_other() {
        let ports = Ports::system();
        let verifier = Verifier::new(1, 4, CHEAP, &ports);
        let hash = hash_password("correct horse", CHEAP, &ports);
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert_ne!(hash, hash_password("correct horse", CHEAP, &ports), "salted");
        assert_eq!(verifier.verify(1, "correct horse".to_owned(), Some(hash.clone())).await, Some(true));
        assert_eq!(verifier.verify(1, "wrong".to_owned(), Some(hash)).await, Some(false));
        assert_eq!(verifier.verify(1, String::new(), None).await, Some(false), "the dummy's password opens nothing");
    }

    #[tokio::test]
    async fn more_of_a_space_than_may_wait_are_turned_away_and_its_neighbours_are_not() {
        let verifier = Arc::new(Verifier::new(1, 2, CHEAP, &Ports::system()));
        let place = verifier.places.enter(1).await.unwrap();
        let guess = |space: i64| {
            let verifier = Arc::clone(&verifier);
            tokio::spawn(async move { verifier.verify(space, "x".to_owned(), None).await })
        };
        let guesses = [guess(1), guess(1), guess(2)];
        while (verifier.places.waiting(&1), verifier.places.waiting(&2)) != (2, 1) {
            tokio::task::yield_now().await;
        }
        assert_eq!(verifier.verify(1, "x".to_owned(), None).await, None);
        drop(place);
        for guess in guesses {
            assert_eq!(guess.await.unwrap(), Some(false));
        }
    }

    #[test]
    fn generated_passwords_can_be_read_out() {
        let password = generate_password(&Ports::system());
        assert_eq!(password.len(), 19);
        assert!(password.split('-').all(|group| group.len() == 4));
    }
}
