//! UTF-7 (RFC 2152), in which WOPI's headers write names.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// The text; `None` for what is no UTF-7. A plus sign before a blank and the like is taken for itself: not all clients encode.
pub fn decode(text: &str) -> Option<String> {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('+') {
        decoded.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '+' && c != '/').unwrap_or(after.len());
        let (encoded, tail) = after.split_at(end);
        let is_closed = tail.starts_with('-');
        match encoded {
            "" => decoded.push('+'),
            encoded => decoded.push_str(&utf16(encoded)?),
        }
        rest = if is_closed { &tail[1..] } else { tail };
    }
    decoded.push_str(rest);
    Some(decoded)
}

fn utf16(encoded: &str) -> Option<String> {
    let bytes = BASE64.decode(encoded).ok()?;
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_utf_7() {
        for (text, expected) in [
            ("report.odt", Some("report.odt")),
            ("Hi Mom +Jjo-!", Some("Hi Mom ☺!")),
            ("+AOk-t+AOk.odt", Some("été.odt")),
            ("a+-b", Some("a+b")),
            ("1 + 2", Some("1 + 2")),
            ("+2D3eAA-", Some("😀")),
            ("+2D0-", None),
            ("+A-", None),
        ] {
            assert_eq!(decode(text).as_deref(), expected, "{text}");
        }
    }
}
