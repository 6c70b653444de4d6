//! Sealing what a login flow waits to hand out, so that its row alone, in a backup or a leaked database, opens nothing.

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use nichoir_store::Space;

/// What a token is found by in the store.
pub fn token_hash(space: &Space, token: &str) -> [u8; 32] {
    *blake3::keyed_hash(&space.key("login-flow"), token.as_bytes()).as_bytes()
}

// The key belongs to one token, which seals one thing once: the nonce need not vary.
fn cipher(token: &str) -> (ChaCha20Poly1305, Nonce) {
    let key = blake3::derive_key("nichoir 2026 login flow seal", token.as_bytes());
    (ChaCha20Poly1305::new(&Key::from(key)), Nonce::default())
}

/// `secret`, sealed with `token`.
pub fn seal(token: &str, secret: &str) -> Vec<u8> {
    let (cipher, nonce) = cipher(token);
    cipher.encrypt(&nonce, secret.as_bytes()).expect("a short secret can always be sealed")
}

/// What was sealed with `token`; `None` for another token or altered bytes.
pub fn open_sealed(token: &str, sealed: &[u8]) -> Option<String> {
    let (cipher, nonce) = cipher(token);
    String::from_utf8(cipher.decrypt(&nonce, sealed).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_token_opens_a_seal() {
        let sealed = seal("token", "secret");
        assert!(!String::from_utf8_lossy(&sealed).contains("secret"));
        assert_eq!(open_sealed("token", &sealed).as_deref(), Some("secret"));
        assert_eq!(open_sealed("other", &sealed), None);
        let mut altered = sealed;
        altered[0] ^= 1;
        assert_eq!(open_sealed("token", &altered), None);
    }
}
