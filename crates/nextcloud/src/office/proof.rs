//! Proof that a request comes from the office server: its signature over token, address and time. Sheet `nextcloud-ocs`,
//! section 14.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use nichoir_store::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use super::header;

/// How old a signature may be.
const AGE_SECONDS_MAX: i64 = 20 * 60;
/// Ticks of a tenth of a microsecond from the year 1 to 1970.
const TICKS_TO_1970: i128 = 621_355_968_000_000_000;
const TICKS_PER_MICROSECOND: i128 = 10;

/// A public key: modulus and exponent.
#[derive(Clone, Debug)]
struct Key {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl Key {
    fn of((modulus, exponent): (String, String)) -> Option<Key> {
        let number = |text: String| {
            let bytes = STANDARD.decode(text.trim()).ok()?;
            let start = bytes.iter().position(|byte| *byte != 0)?;
            Some(bytes[start..].to_vec())
        };
        Some(Key { modulus: number(modulus)?, exponent: number(exponent)? })
    }

    fn verifies(&self, signed: &[u8], proof: &str) -> bool {
        let Ok(signature) = STANDARD.decode(proof.trim()) else { return false };
        let key = RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, &signature).is_ok()
    }
}

/// The present key and the one before.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    current: Key,
    old: Option<Key>,
}

impl Keys {
    /// Of modulus and exponent of both, in Base64; `None` where there is no present key.
    pub(super) fn of([current, old]: [(String, String); 2]) -> Option<Keys> {
        Some(Keys { current: Key::of(current)?, old: Key::of(old) })
    }

    /// Whether the headers prove that the request with this token to this address was made by whoever has the keys, and
    /// lately.
    pub(super) fn prove(&self, headers: &HeaderMap, token: &str, url: &str, now: Timestamp) -> bool {
        let Some(ticks) = header(headers, "x-wopi-timestamp").and_then(|text| text.parse::<i64>().ok()) else {
            return false;
        };
        let age = i128::from(now.0) - (i128::from(ticks) - TICKS_TO_1970) / TICKS_PER_MICROSECOND;
        if age.abs() > i128::from(AGE_SECONDS_MAX) * 1_000_000 {
            return false;
        }
        let signed = signed_bytes(token, url, ticks);
        let proof = header(headers, "x-wopi-proof").unwrap_or("");
        let old_proof = header(headers, "x-wopi-proofold").unwrap_or("");
        // While keys are changed, either side may know only one of two.
        self.current.verifies(&signed, proof)
            || self.current.verifies(&signed, old_proof)
            || self.old.as_ref().is_some_and(|old| old.verifies(&signed, proof))
    }
}

fn signed_bytes(token: &str, url: &str, ticks: i64) -> Vec<u8> {
    let mut signed = Vec::new();
    let ticks = ticks.to_be_bytes();
    for part in [token.as_bytes(), url.to_uppercase().as_bytes(), ticks.as_slice()] {
        signed.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        signed.extend_from_slice(part);
    }
    signed
}
