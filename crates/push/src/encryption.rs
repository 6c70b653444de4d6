//! Encryption of a push message for one subscription: aes128gcm in a single record. RFC 8291, RFC 8188.

use aes_gcm::aead::{Aead as _, KeyInit as _};
use aes_gcm::{Aes128Gcm, Key, Nonce};
use hkdf::Hkdf;
use p256::{PublicKey, SecretKey};
use sha2::Sha256;

/// The size of a record: what push services take in one message (RFC 8291 §4).
const RECORD_BYTES: usize = 4096;
/// The delimiter after the content of the last record, and the tag.
const OVERHEAD_BYTES: usize = 1 + 16;
/// Salt, record size, length of the key, key.
const HEADER_BYTES: usize = 16 + 4 + 1 + 65;

/// Bytes of the longest message.
pub(crate) const MESSAGE_BYTES_MAX: usize = RECORD_BYTES - HEADER_BYTES - OVERHEAD_BYTES;

/// Whom a message is for.
#[derive(Clone, Debug)]
pub(crate) struct Recipient {
    /// The key of the user agent.
    pub(crate) public_key: PublicKey,
    /// The secret that it shares with this server.
    pub(crate) auth_secret: [u8; 16],
}

/// The body for the push service. `sender` and `salt` are fresh for each message.
///
/// `None`: the message is too long for one record.
pub(crate) fn encrypt(message: &[u8], to: &Recipient, sender: &SecretKey, salt: [u8; 16]) -> Option<Vec<u8>> {
    if message.len() > MESSAGE_BYTES_MAX {
        return None;
    }
    let shared = sender.diffie_hellman(&to.public_key);

    // RFC 8291 §3.3: what both sides know besides the shared secret goes in.
    let mut info = b"WebPush: info\0".to_vec();
    info.extend_from_slice(&uncompressed(&to.public_key));
    info.extend_from_slice(&uncompressed(&sender.public_key()));
    let key: [u8; 32] = derive(&to.auth_secret, shared.raw_secret_bytes(), &info)?;

    // RFC 8188 §2.2, §2.3.
    let content_key: [u8; 16] = derive(&salt, &key, b"Content-Encoding: aes128gcm\0")?;
    let nonce: [u8; 12] = derive(&salt, &key, b"Content-Encoding: nonce\0")?;
    let mut record = message.to_vec();
    record.push(2);
    let cipher = Aes128Gcm::new(&Key::<Aes128Gcm>::from(content_key));
    let sealed = cipher.encrypt(&Nonce::from(nonce), record.as_slice()).ok()?;

    let mut body = salt.to_vec();
    body.extend_from_slice(&(RECORD_BYTES as u32).to_be_bytes());
    body.push(65);
    body.extend_from_slice(&uncompressed(&sender.public_key()));
    body.extend_from_slice(&sealed);
    Some(body)
}

/// HKDF with SHA-256; `None` only for lengths that do not occur.
fn derive<const N: usize>(salt: &[u8], secret: &[u8], info: &[u8]) -> Option<[u8; N]> {
    let mut derived = [0; N];
    Hkdf::<Sha256>::new(Some(salt), secret).expand(info, &mut derived).ok()?;
    Some(derived)
}

/// The key as a point of 65 bytes.
pub(crate) fn uncompressed(key: &PublicKey) -> Vec<u8> {
    key.to_sec1_bytes().to_vec()
}

#[cfg(test)]
pub(crate) mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    pub(crate) fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// The example of RFC 8291 §5, with the keys of its appendix A.
    #[test]
    fn the_example_of_the_rfc() {
        let to = Recipient {
            public_key: PublicKey::from_sec1_bytes(&bytes(
                "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            ))
            .unwrap(),
            auth_secret: bytes("BTBZMqHH6r4Tts7J_aSIgg").try_into().unwrap(),
        };
        let sender = SecretKey::from_slice(&bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).unwrap();
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let body = encrypt(b"When I grow up, I want to be a watermelon", &to, &sender, salt).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(body), expected);
    }

    #[test]
    fn one_record_is_the_limit() {
        let sender = SecretKey::from_slice(&[7; 32]).unwrap();
        let to = Recipient { public_key: sender.public_key(), auth_secret: [1; 16] };
        let longest = encrypt(&vec![b'x'; MESSAGE_BYTES_MAX], &to, &sender, [2; 16]).unwrap();
        assert_eq!(longest.len(), RECORD_BYTES);
        assert!(encrypt(&vec![b'x'; MESSAGE_BYTES_MAX + 1], &to, &sender, [2; 16]).is_none());
    }
}
