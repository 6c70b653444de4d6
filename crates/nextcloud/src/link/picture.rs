//! Previews behind a link: for pages, and for programs that show what is there.

use http::request::Parts;
use nichoir_dav::{Error, Response};
use nichoir_store::{Needs, NodePath, OpenLink};

use super::check_password;
use crate::image::must_read;
use crate::preview::{self, Asked};
use crate::{Visit, auth_error};

/// `/apps/files_sharing/publicpreview/TOKEN?file=`.
pub(crate) async fn picture(visit: &Visit<'_>, below: &str, request: &Parts) -> Result<Response, Error> {
    must_read(&request.method)?;
    if !visit.links.is_offered {
        return Err(Error::not_found());
    }
    let open = visit.space.open_link(below.trim_matches('/')).await?;
    check_password(visit, &open.link, &request.headers, true).await.map_err(auth_error)?;
    shown(visit, &open, request).await
}

/// `/s/TOKEN/preview`: of a link to one file that has no password.
pub(super) async fn of_file(visit: &Visit<'_>, open: &OpenLink, request: &Parts) -> Result<Response, Error> {
    if open.link.password_hash.is_some() {
        return Err(Error::forbidden("There is a password."));
    }
    if open.tree.node(&NodePath::root(), Needs::NONE).await?.is_folder() {
        return Err(Error::bad_request("A folder has no preview."));
    }
    shown(visit, open, request).await
}

async fn shown(visit: &Visit<'_>, open: &OpenLink, request: &Parts) -> Result<Response, Error> {
    // What is counted is not shown in passing.
    if open.link.download_limit.is_some() {
        return Err(Error::not_found());
    }
    let asked = Asked::of(request.uri.query().unwrap_or_default());
    preview::of_link(visit.previews, &open.tree, &asked, &request.headers).await
}
