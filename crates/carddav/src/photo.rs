//! The picture in a card, for browsers: GET with `?photo`. RFC 2426 §3.1.4, RFC 6350 §6.2.4.
//!
//! Only pictures of a few kinds, known by their first bytes, go out: whatever else somebody stored as a photo would be
//! a page of this host.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS};
use nichoir_contentline::Line;
use nichoir_dav::request::full;
use nichoir_dav::{Answering, Call, Error, Response};
use nichoir_store::Node;

use crate::object::{AddressObject, Limits};

pub(crate) fn answer(call: &Call<'_>, member: &Node, limits: Limits) -> Answering {
    let (tree, member) = (call.caller.tree.clone(), member.clone());
    Box::pin(async move {
        let bytes = tree.whole(&member).await?;
        let object = AddressObject::read(&bytes, &limits).map_err(|_| Error::not_found())?;
        let (media_type, picture) = picture_of(&object).ok_or_else(Error::not_found)?;
        let length = picture.len();
        let mut response = Response::new(full(picture));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(etag) = HeaderValue::try_from(member.etag.quoted()) {
            headers.insert(ETAG, etag);
        }
        Ok(response)
    })
}

/// The first picture that is in the card itself and of a known kind.
fn picture_of(object: &AddressObject<'_>) -> Option<(&'static str, Vec<u8>)> {
    object.card.all("PHOTO").find_map(|line| {
        let picture = bytes_of(line)?;
        Some((media_type_of(&picture)?, picture))
    })
}

/// `data:image/png;base64,…` in 4.0, the bare characters in 3.0; `None` for the address of a picture elsewhere.
fn bytes_of(line: &Line<'_>) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let value = line.value().trim();
    // Some writers escape the comma of the URL, as if it were text.
    let encoded = match value.split_at_checked(5) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("data:") => {
            rest.split_once(";base64")?.1.trim_start_matches(['\\', ','])
        }
        _ => value,
    };
    let encoded: String = encoded.chars().filter(|c| !c.is_whitespace()).collect();
    LENIENT.decode(encoded).ok()
}

/// The kind of picture, by its first bytes.
fn media_type_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &str, expected: &str) {
        let text = format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\n{lines}\r\nEND:VCARD\r\n");
        let object = AddressObject::read(text.as_bytes(), &Limits::default()).expect("a card");
        let found = picture_of(&object).map(|(media_type, bytes)| format!("{media_type} {}", bytes.len()));
        assert_eq!(found.as_deref().unwrap_or("none"), expected, "{lines}");
    }

    #[test]
    fn pictures_are_found_in_every_spelling() {
        check("PHOTO;ENCODING=b;TYPE=JPEG:/9j/4A==", "image/jpeg 4");
        check("PHOTO;BASE64:\r\n  /9j/\r\n  4A", "image/jpeg 4");
        check("item1.PHOTO:data:image/png;base64,iVBORw0KGgo=", "image/png 8");
        check("PHOTO:DATA:image/gif;base64\\,R0lGODlh", "image/gif 6");
        check("PHOTO:data:image/webp;base64,UklGRgAAAABXRUJQ", "image/webp 12");
    }

    #[test]
    fn what_is_no_picture_does_not_go_out() {
        check("NOTE:x", "none");
        check("PHOTO;VALUE=uri:https://example.org/me.jpg", "none");
        check("PHOTO:data:image/svg+xml;base64,PHN2Zz4=", "none");
        check("PHOTO:data:image/png;base64,PHNjcmlwdD4=", "none");
        check("PHOTO:data:image/png,x", "none");
        check("PHOTO:", "none");
        check("PHOTO;VALUE=uri:https://example.org/me.jpg\r\nPHOTO;ENCODING=b:/9j/4A==", "image/jpeg 4");
    }
}
