//! The Nextcloud dialect and its URL spaces: what Nextcloud's own clients expect beyond the RFCs.
//!
//! [`Nextcloud`] extends the DAV engine on files; [`upload`] serves chunked uploads, [`bulk`] many small
//! files at once, [`trashbin`] what was deleted, [`versions`] what files held before; [`ocs`], [`login_flow`], [`status`] and
//! [`legacy`] are the plain-HTTP side. Each takes a [`Visit`]: the space, who knows log-ins, where the client is, and the
//! address that clients know the space by. Which path goes where is `src/route.rs`'s business.

pub mod avatar;
mod avatar_upload;
pub mod bulk;
pub mod calendar_trash;
mod collection_property;
mod collections;
pub mod comments;
mod dialect;
pub mod direct;
mod error_body;
mod file_lock;
mod filter_files;
#[doc(hidden)]
pub mod fuzzing;
mod headers;
pub mod image;
pub mod internal_link;
pub mod legacy;
pub mod link;
pub mod login_flow;
mod multipart;
mod names;
pub mod notes;
pub mod ocs;
pub mod office;
mod page;
mod posted;
mod preview;
mod property;
pub mod publishing;
pub mod search;
mod share_property;
pub mod sharing;
pub mod status;
pub mod tags;
mod theming;
mod ticket;
pub mod trashbin;
pub mod upload;
pub mod versions;
mod view_only;
mod virtual_patch;
mod whole_form;
mod zip;

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use nichoir_auth::{AuthError, Authenticator, Caller};
use nichoir_dav::request::full;
use nichoir_dav::{Error, Hint, Response};
use nichoir_preview::Previews;
use nichoir_store::Space;

pub use collections::NextcloudCollections;
pub use dialect::Nextcloud;
pub use link::{LinkSettings, NextcloudLinks};
pub use property::grammars;
pub use trashbin::NextcloudTrash;

/// A request to the plain-HTTP side, with what was found out about it before.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// The space that the host names.
    pub space: &'a Space,
    /// Who knows log-ins.
    pub auth: &'a Authenticator,
    /// Where the client is.
    pub address: IpAddr,
    /// The address that clients know the space by, without a trailing slash: `https://monasso.example.org`.
    pub public_url: &'a str,
    /// Whether bulk upload is served, and so advertised.
    pub has_bulk_upload: bool,
    /// Whether clients are told of changes on a socket, and so led there.
    pub has_push: bool,
    /// Where previews are made.
    pub previews: &'a Previews,
    /// Bytes of a picture that a member sends as avatar.
    pub avatar_bytes_max: usize,
    /// What is said about public links.
    pub links: &'a LinkSettings,
    /// Bytes of the parameters of one OCS request.
    pub parameter_bytes_max: usize,
    /// The office server, where there is one.
    pub office: Option<&'a office::Office>,
}

impl Visit<'_> {
    /// Who sent these headers.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn caller(&self, headers: &http::HeaderMap) -> Result<Caller, AuthError> {
        self.auth.authenticate(self.space, headers, self.address).await
    }
}

/// What a DAV client is told when there is no caller. 401 only for credentials that are really wrong: upon it clients sign out
/// and forget their password.
pub fn auth_error(error: AuthError) -> Error {
    match error {
        AuthError::Missing => Error::new(StatusCode::UNAUTHORIZED, "No public access to this resource."),
        AuthError::Wrong | AuthError::Wiped => Error::new(StatusCode::UNAUTHORIZED, "Wrong login or password."),
        AuthError::Disabled => Error::forbidden("This account is disabled."),
        AuthError::Throttled { retry_after_seconds } => {
            let seconds = u32::try_from(retry_after_seconds).unwrap_or(u32::MAX);
            Error::new(StatusCode::TOO_MANY_REQUESTS, "Too many failed log-ins. Try again later.").retry_after(seconds)
        }
        AuthError::Unavailable(cause) => {
            let error = Error::unavailable("Log-ins cannot be checked at the moment.", 30);
            match cause {
                Some(cause) => error.caused_by(cause),
                None => error,
            }
        }
    }
}

/// What clients are told of a space that is suspended: "maintenance", which they show as such and wait out.
pub fn suspended() -> Error {
    Error::unavailable("This space is suspended for the moment.", 120)
        .hinting(Hint::Named("OCA\\DAV\\Exception\\ServerMaintenanceMode"))
}

/// An answer with an XML body at hand.
pub(crate) fn xml_response(status: StatusCode, body: Bytes) -> Response {
    with_body(status, "application/xml; charset=utf-8", body)
}

/// An answer with a body at hand.
pub(crate) fn with_body(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response {
    let body = body.into();
    let length = body.len();
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}
