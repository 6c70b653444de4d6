//! Who sends: a key pair of the space, told to clients before they subscribe, and a token signed with it in each message,
//! so that nobody else can use the subscription. RFC 8292.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nichoir_outbound::Url;
use nichoir_store::{Space, Timestamp};
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::json;

use crate::encryption::uncompressed;

/// Seconds that a token is good for: 24 hours at most, and clocks differ (RFC 8292 §2).
const TOKEN_SECONDS: i64 = 12 * 3600;
/// Key pairs kept in memory; making one anew costs a multiplication on the curve.
const KEPT_MAX: usize = 1_000;

/// The key pair of a space.
#[derive(Debug)]
pub(crate) struct KeyPair {
    secret: SecretKey,
    /// The public key as properties and headers have it.
    pub(crate) public_text: String,
}

impl KeyPair {
    fn new(secret: SecretKey) -> KeyPair {
        let public_text = URL_SAFE_NO_PAD.encode(uncompressed(&secret.public_key()));
        KeyPair { secret, public_text }
    }

    /// Made of the space's secret, so that it is the same after each start and in each server, and takes no room.
    fn of(space: &Space) -> KeyPair {
        // All but one in 2³² strings of 32 bytes are keys.
        let candidates = (0_u32..).map(|count| space.key(&format!("webdav-push vapid {count}")));
        let mut secrets = candidates.filter_map(|bytes| SecretKey::from_slice(&bytes).ok());
        KeyPair::new(secrets.next().expect("one of 2³² strings is a key"))
    }

    /// The `Authorization` header of a message to `resource`.
    pub(crate) fn authorization(&self, resource: &Url, contact: Option<&str>, now: Timestamp) -> String {
        let audience = resource.origin().ascii_serialization();
        let expires = now.plus_seconds(TOKEN_SECONDS).seconds();
        let claims = match contact {
            Some(contact) => json!({ "aud": audience, "exp": expires, "sub": contact }),
            None => json!({ "aud": audience, "exp": expires }),
        };
        let header = json!({ "typ": "JWT", "alg": "ES256" });
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature: Signature = SigningKey::from(&self.secret).sign(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.to_bytes());
        format!("vapid t={signed}.{signature}, k={}", self.public_text)
    }
}

/// The key pairs of the spaces that were asked for lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyPairs(Arc<Mutex<HashMap<i64, Arc<KeyPair>>>>);

impl KeyPairs {
    pub(crate) fn of(&self, space: &Space) -> Arc<KeyPair> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        Arc::clone(kept.entry(space.info().id).or_insert_with(|| Arc::new(KeyPair::of(space))))
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::Verifier as _;

    use super::*;
    use crate::encryption::tests::bytes;

    /// What a push service makes of the header: the claims, if the signature is right.
    fn claims(header: &str) -> Option<serde_json::Value> {
        let (token, key) = header.strip_prefix("vapid t=")?.split_once(", k=")?;
        let (signed, signature) = token.rsplit_once('.')?;
        let key = VerifyingKey::from_sec1_bytes(&bytes(key)).ok()?;
        key.verify(signed.as_bytes(), &Signature::from_slice(&bytes(signature)).ok()?).ok()?;
        serde_json::from_slice(&bytes(signed.split_once('.')?.1)).ok()
    }

    /// The example of RFC 8292 §2.4 passes the same check that our tokens pass below.
    #[test]
    fn the_example_of_the_rfc() {
        let header = "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
        let claims = claims(header).unwrap();
        assert_eq!(claims["aud"], "https://push.example.net");
    }

    #[test]
    fn a_token_says_to_whom_until_when_and_from_whom() {
        let pair = KeyPair::new(SecretKey::from_slice(&[9; 32]).unwrap());
        let resource = Url::parse("https://push.example.net:8443/v1/secret?x").unwrap();
        let header = pair.authorization(&resource, Some("mailto:admin@example.org"), Timestamp::from_seconds(1_000));
        let claims = claims(&header).unwrap();
        assert_eq!(claims["aud"], "https://push.example.net:8443", "the origin alone");
        assert_eq!(claims["exp"], 1_000 + 12 * 3600);
        assert_eq!(claims["sub"], "mailto:admin@example.org");
        assert!(header.ends_with(&format!(", k={}", pair.public_text)));
        assert_eq!(bytes(&pair.public_text).len(), 65);
    }

    #[test]
    fn a_token_signed_by_another_does_not_pass() {
        let resource = Url::parse("https://push.example.net/").unwrap();
        let [one, other] = [9, 10].map(|byte| KeyPair::new(SecretKey::from_slice(&[byte; 32]).unwrap()));
        let header = one.authorization(&resource, None, Timestamp::default());
        assert!(claims(&header).is_some());
        assert!(claims(&header.replace(&one.public_text, &other.public_text)).is_none());
    }
}
