//! Checksums that clients announce and servers echo: `SHA1:hex`, `MD5:hex`, `Adler32:hex`, `SHA256:hex`, `SHA3-256:hex`.

use std::fmt;

use sha1::Digest;

/// A digest that clients use in `OC-Checksum` and `X-File-MD5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RFC 3174.
    Sha1,
    /// RFC 1321.
    Md5,
    /// RFC 6234.
    Sha256,
    /// FIPS 202.
    Sha3_256,
    /// RFC 1950 §8.2.
    Adler32,
}

impl Algorithm {
    /// Its name as clients spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Sha1 => "SHA1",
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA256",
            Algorithm::Sha3_256 => "SHA3-256",
            Algorithm::Adler32 => "Adler32",
        }
    }

    /// The algorithm of that name, whatever its case.
    pub fn named(name: &str) -> Option<Algorithm> {
        [Algorithm::Sha1, Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha3_256, Algorithm::Adler32]
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }
}

/// A digest of some content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// How it was computed.
    pub algorithm: Algorithm,
    /// Its value in lower-case hexadecimal.
    pub hex: String,
}

impl Checksum {
    /// The checksum spelt `ALGORITHM:hex`; `None` for an unknown algorithm or a malformed value.
    pub fn parse(text: &str) -> Option<Checksum> {
        let (name, hex) = text.trim().split_once(':')?;
        let algorithm = Algorithm::named(name)?;
        let is_hex = !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| Checksum { algorithm, hex: hex.to_ascii_lowercase() })
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex)
    }
}

/// Computes one digest over bytes that arrive in pieces.
pub struct Hasher(State);

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

enum State {
    Sha1(sha1::Sha1),
    Md5(md5::Md5),
    Sha256(sha2::Sha256),
    Sha3_256(sha3::Sha3_256),
    Adler32(simd_adler32::Adler32),
}

impl Hasher {
    /// Nothing hashed yet.
    pub fn new(algorithm: Algorithm) -> Hasher {
        Hasher(match algorithm {
            Algorithm::Sha1 => State::Sha1(sha1::Sha1::new()),
            Algorithm::Md5 => State::Md5(md5::Md5::new()),
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            Algorithm::Sha3_256 => State::Sha3_256(sha3::Sha3_256::new()),
            Algorithm::Adler32 => State::Adler32(simd_adler32::Adler32::new()),
        })
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha1(state) => state.update(bytes),
            State::Md5(state) => state.update(bytes),
            State::Sha256(state) => state.update(bytes),
            State::Sha3_256(state) => state.update(bytes),
            State::Adler32(state) => state.write(bytes),
        }
    }

    /// The digest of all of it.
    pub fn finish(self) -> Checksum {
        let (algorithm, hex) = match self.0 {
            State::Sha1(state) => (Algorithm::Sha1, hex(&state.finalize())),
            State::Md5(state) => (Algorithm::Md5, hex(&state.finalize())),
            State::Sha256(state) => (Algorithm::Sha256, hex(&state.finalize())),
            State::Sha3_256(state) => (Algorithm::Sha3_256, hex(&state.finalize())),
            State::Adler32(state) => (Algorithm::Adler32, format!("{:08x}", state.finish())),
        };
        Checksum { algorithm, hex }
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests_of_abc() {
        for expected in [
            "SHA1:a9993e364706816aba3e25717850c26c9cd0d89d",
            "MD5:900150983cd24fb0d6963f7d28e17f72",
            "SHA256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "SHA3-256:3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
            "Adler32:024d0127",
        ] {
            let announced = Checksum::parse(expected).expect("well-formed");
            let mut hasher = Hasher::new(announced.algorithm);
            hasher.update(b"a");
            hasher.update(b"bc");
            assert_eq!(hasher.finish().to_string(), expected);
        }
    }

    #[test]
    fn unknown_or_malformed_checksums_are_none() {
        for text in ["", "SHA1", "SHA1:", "SHA1:xyz", "CRC32:00", ":ab"] {
            assert_eq!(Checksum::parse(text), None, "{text}");
        }
        assert_eq!(Checksum::parse("sha1:ABCD").map(|c| c.to_string()), Some("SHA1:abcd".to_owned()));
    }
}
