//! Everything below the plain pages that answers with a picture: previews, avatars, the looks of the space. One way in, so that
//! log-ins, methods and refusals are the same for all.

use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use nichoir_auth::AuthError;
use nichoir_dav::request::empty;
use nichoir_dav::{Error, Request, Response};
use serde_json::{Value, json};

use crate::preview::{self, Asked};
use crate::{Visit, auth_error, avatar, link, theming, with_body};

/// Which picture a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    /// `/core/preview` and `/core/preview.png`.
    Preview,
    /// `/apps/files_trashbin/preview`.
    Trash,
    /// `/apps/files_versions/preview`.
    Version,
    /// `/apps/files/api/v1/thumbnail/…`.
    Thumbnail,
    /// `/apps/files_sharing/publicpreview/TOKEN`.
    Link,
    /// `/avatar/…`.
    Avatar,
    /// `/apps/theming/…`.
    Theming,
}

/// Answers a request for a picture; `below` is what stands behind the part of the path that says which.
pub async fn handle(visit: Visit<'_>, image: Image, below: &str, request: Request) -> Response {
    let (request, body) = request.into_parts();
    let answer = match image {
        Image::Avatar => avatar::handle(&visit, below, &request, body).await,
        Image::Theming => theming::handle(&visit, below, &request).await,
        Image::Link => link::picture(&visit, below, &request).await,
        _ => shown(&visit, image, below, &request).await,
    };
    answer.unwrap_or_else(|error| refusal(&error))
}

/// The pictures of files: for who has logged in.
async fn shown(visit: &Visit<'_>, image: Image, below: &str, request: &Parts) -> Result<Response, Error> {
    must_read(&request.method)?;
    let caller = visit.caller(&request.headers).await.map_err(auth_error)?;
    let asked = Asked::of(request.uri.query().unwrap_or_default());
    let (previews, headers) = (visit.previews, &request.headers);
    // Who says that a picture is all that is wanted is shown one of what is for looking at only.
    let only_shows = headers.get("x-nc-preview").is_some_and(|value| value == "true");
    let tree = if only_shows { caller.tree.to_look_at() } else { caller.tree };
    match image {
        Image::Trash => preview::of_trash(previews, &tree, &asked, headers).await,
        Image::Version => preview::of_version(previews, &tree, &asked, headers).await,
        Image::Thumbnail => preview::thumbnail(previews, &tree, below, headers).await,
        _ => preview::by_query(previews, &tree, &asked, headers).await,
    }
}

/// Whether the method only reads.
///
/// # Errors
/// 405.
pub(crate) fn must_read(method: &Method) -> Result<(), Error> {
    match *method == Method::GET || *method == Method::HEAD {
        true => Ok(()),
        false => Err(Error::method_not_allowed("Pictures are only read.", "GET, HEAD")),
    }
}

/// 304 without a body.
pub(crate) fn not_modified() -> Response {
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

/// What says why there is no picture: JSON, empty for what there is not.
pub(crate) fn refusal(error: &Error) -> Response {
    let status = error.status();
    let body: Value = match status {
        StatusCode::NOT_FOUND => json!([]),
        _ => json!({ "message": error.message() }),
    };
    let mut response = with_body(status, "application/json; charset=utf-8", body.to_string());
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"nichoir\", charset=\"UTF-8\""));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    if let Some(seconds) = error.retry_after_seconds() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Who asks, where nobody has to be known: `None` without credentials; wrong ones are refused.
pub(crate) async fn known(visit: &Visit<'_>, request: &Parts) -> Result<Option<nichoir_auth::Caller>, Error> {
    match visit.caller(&request.headers).await {
        Ok(caller) => Ok(Some(caller)),
        Err(AuthError::Missing) => Ok(None),
        Err(error) => Err(auth_error(error)),
    }
}
