//! A member's own picture, set and taken away: `POST` and `DELETE /avatar/`. Sheet `nextcloud-ocs` §8.3. What is kept is a square
//! PNG made of what was sent, without anything else that was in the file.

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use nichoir_auth::Caller;
use nichoir_dav::request::read_whole;
use nichoir_dav::{Body, Error, Response};
use nichoir_preview::{Drawing, Failure};
use nichoir_store::{Sitter, without_turn};
use serde_json::json;

use crate::whole_form::{parameter, parts};
use crate::{Visit, with_body};

/// Width and height of what is kept.
const SIDE: u32 = 512;

/// Takes the picture that a form brings as its file.
pub(crate) async fn set(visit: &Visit<'_>, caller: &Caller, request: &Parts, body: Body) -> Result<Response, Error> {
    let sent = read_whole(body, visit.avatar_bytes_max).await?;
    let content_type = request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let source = match boundary_of(content_type) {
        Some(boundary) => file_of(&sent, &boundary).ok_or_else(|| Error::bad_request("The form has no file."))?,
        None => sent,
    };
    let space = caller.space.info().uuid.to_string();
    let drawn = without_turn(visit.previews.draw(&space, Drawing::Square { source, side: SIDE })).await;
    let made = drawn.map_err(|failure| match failure {
        Failure::Unsupported | Failure::Broken(_) => Error::bad_request("The file is not a picture."),
        Failure::TooLarge => Error::bad_request("The picture is too large."),
        failure => crate::preview::refused(failure),
    })?;
    caller.space.set_picture(Sitter::Account(caller.account.id), Some(made.bytes)).await?;
    Ok(done())
}

/// Takes the picture away; one that was not there is gone already.
pub(crate) async fn remove(caller: &Caller) -> Result<Response, Error> {
    caller.space.set_picture(Sitter::Account(caller.account.id), None).await?;
    Ok(done())
}

fn done() -> Response {
    with_body(StatusCode::OK, "application/json; charset=utf-8", json!({ "status": "success" }).to_string())
}

/// The boundary of `multipart/form-data` (RFC 7578).
fn boundary_of(content_type: &str) -> Option<String> {
    let media_type = content_type.split(';').next().unwrap_or_default();
    let is_form = media_type.trim().eq_ignore_ascii_case("multipart/form-data");
    parameter(content_type, "boundary").filter(|boundary| is_form && !boundary.is_empty())
}

/// The first file among the parts of a form, whatever it is called: `files[]`, `files`, `image`.
fn file_of(form: &Bytes, boundary: &str) -> Option<Bytes> {
    let is_file = |headers: &str| headers.contains("filename=") || headers.contains("filename*=");
    parts(form, boundary).find(|part| is_file(&part.headers.to_ascii_lowercase())).map(|part| part.content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_found_among_the_parts() {
        let form =
            b"--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nno\r\n--B\r\ncontent-disposition: form-data; \
                     name=\"files[]\"; filename=\"a.png\"\r\n\r\n\x89PNG\r\n\0--\r\n--B--\r\n";
        assert_eq!(file_of(&Bytes::from_static(form), "B").unwrap(), &b"\x89PNG\r\n\0--"[..]);
        for bad in [
            &b""[..],
            b"--B--",
            b"--B\r\n\r\nx",
            b"--B\r\nname=x\r\n\r\nx\r\n--B--",
            b"--C\r\nfilename=\r\n\r\nx\r\n--C--",
        ] {
            assert_eq!(file_of(&Bytes::copy_from_slice(bad), "B"), None);
        }
    }

    #[test]
    fn boundaries_are_read_of_forms_only() {
        assert_eq!(boundary_of("multipart/form-data; charset=x; boundary=\"b\"").as_deref(), Some("b"));
        assert_eq!(boundary_of("Multipart/Form-Data;boundary=b").as_deref(), Some("b"));
        assert_eq!(boundary_of("image/png"), None);
        assert_eq!(boundary_of("multipart/form-data; boundary="), None);
    }
}
