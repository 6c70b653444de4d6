//! Public links for programs: `/public.php/dav/files/TOKEN/…`, `/public.php/dav/uploads/TOKEN/…` and the older
//! `/public.php/webdav/…`, whose login is the token. The engine and the store do the work; here is who gets in, and what is
//! peculiar to handing in.

use http::header::{CONTENT_LENGTH, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use nichoir_auth::{AuthError, Credentials};
use nichoir_dav::header::destination;
use nichoir_dav::{Dav, Error, Mount, Request, Response, href};
use nichoir_store::{Error as StoreError, Link, OpenLink};

use super::{caller_of, check_password, is_view_only, nickname};
use crate::upload::{self, UploadMount};
use crate::{Visit, auth_error, view_only, zip};

/// Which place of a link a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkPlace {
    /// The token in the path; `None`: it is the login.
    pub token: Option<String>,
    /// The path up to there, percent-encoded as requested, without a trailing slash.
    pub prefix: String,
    /// Whether uploads are meant rather than files.
    pub is_upload: bool,
}

/// Answers a request to a place of a link.
pub async fn handle(dav: &Dav, visit: &Visit<'_>, place: &LinkPlace, request: Request) -> Response {
    let headers = request.headers().clone();
    let is_read = *request.method() == Method::GET || *request.method() == Method::HEAD;
    let open = match open(visit, place, &headers, is_read).await {
        Ok(open) => open,
        Err(refusal) => return refuse(dav, &headers, refusal),
    };
    match answer(dav, visit, place, &open, request).await {
        Ok(response) => response,
        Err(error) => dav.refuse(error),
    }
}

enum Refusal {
    Credentials(AuthError),
    Store(StoreError),
}

/// The link, for whoever has shown what it asks for.
async fn open(visit: &Visit<'_>, place: &LinkPlace, headers: &HeaderMap, is_read: bool) -> Result<OpenLink, Refusal> {
    let token = match &place.token {
        Some(token) => token.clone(),
        None => match Credentials::of(headers) {
            Some(Credentials::Basic { login, .. }) => login,
            _ => return Err(Refusal::Credentials(AuthError::Missing)),
        },
    };
    if !visit.links.is_offered {
        return Err(Refusal::Store(StoreError::NotFound));
    }
    let open = match visit.space.open_link(&token).await {
        Ok(open) => open,
        // A login that is none.
        Err(StoreError::NotFound) if place.token.is_none() => return Err(Refusal::Credentials(AuthError::Wrong)),
        Err(error) => return Err(Refusal::Store(error)),
    };
    // Another site's page can make a browser read, at most; what is read it does not get to see.
    check_password(visit, &open.link, headers, is_read).await.map_err(Refusal::Credentials)?;
    Ok(open)
}

fn refuse(dav: &Dav, headers: &HeaderMap, refusal: Refusal) -> Response {
    let error = match refusal {
        Refusal::Credentials(error) => auth_error(error),
        Refusal::Store(error) => error.into(),
    };
    let mut response = dav.refuse(error);
    if response.status() == StatusCode::UNAUTHORIZED {
        // A page's script asks itself; the browser must not.
        let is_script = headers.get("x-requested-with").is_some_and(|value| value == "XMLHttpRequest");
        let challenge = match is_script {
            true => "DummyBasic realm=\"nichoir\", charset=\"UTF-8\"",
            false => "Basic realm=\"nichoir\", charset=\"UTF-8\"",
        };
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

async fn answer(
    dav: &Dav,
    visit: &Visit<'_>,
    place: &LinkPlace,
    open: &OpenLink,
    request: Request,
) -> Result<Response, Error> {
    let link = &open.link;
    let caller = caller_of(visit, open);
    let only_adds = open.tree.only_adds();
    if place.is_upload {
        let mount = upload_mount(place);
        let request = upload_request(link, &mount, only_adds, request)?;
        let response = upload::handle(dav, &caller, &mount, request).await;
        return Ok(if only_adds { without_id(response) } else { response });
    }
    let mount = Mount {
        prefix: place.prefix.as_str().into(),
        principal: "".into(),
        principals: "/remote.php/dav/principals/users/".into(),
        site: visit.public_url.into(),
        shows_subscriptions: false,
    };
    if only_adds {
        let request = handed_in(link, &place.prefix, request)?;
        return Ok(without_id(dav.handle(&caller, &mount, request).await));
    }
    if is_view_only(open) && takes_away(&request) {
        return Err(view_only::refusal());
    }
    if link.download_limit.is_none() || *request.method() != Method::GET {
        return Ok(dav.handle(&caller, &mount, request).await);
    }
    visit.space.count_download(link.id).await?;
    let response = dav.handle(&caller, &mount, request).await;
    if !carries_content(&response) {
        visit.space.uncount_download(link.id).await?;
    }
    Ok(response)
}

/// Whether anything is downloaded by this answer.
fn carries_content(response: &Response) -> bool {
    response.status().is_success() && response.headers().get(CONTENT_LENGTH).is_none_or(|length| length != "0")
}

/// Copies and archives.
fn takes_away(request: &Request) -> bool {
    match request.method().as_str() {
        "COPY" | "MOVE" => true,
        "GET" => zip::is_wanted(request.uri().query().unwrap_or(""), request.headers()),
        _ => false,
    }
}

/// A request of somebody who hands in: its path below the folder with their name.
fn handed_in(link: &Link, prefix: &str, request: Request) -> Result<Request, Error> {
    let (mut parts, body) = request.into_parts();
    let nickname = nickname::of_headers(&parts.headers)?;
    match parts.method.as_str() {
        "OPTIONS" => return Ok(Request::from_parts(parts, body)),
        "PUT" => {}
        "MKCOL" if nickname.is_some() => {}
        _ => {
            return Err(Error::method_not_allowed("Only PUT is allowed on files drop", "OPTIONS, PUT"));
        }
    }
    let path = href::path_below(prefix, parts.uri.path())?;
    let path = nickname::place(link, nickname.as_deref(), &path)?;
    move_to(&mut parts, &href::of(prefix, &path, false))?;
    parts.headers.insert("x-nc-webdav-auto-mkcol", HeaderValue::from_static("1"));
    Ok(Request::from_parts(parts, body))
}

fn move_to(parts: &mut Parts, path: &str) -> Result<(), Error> {
    parts.uri = Uri::try_from(path).map_err(|_| Error::bad_request("The path cannot be written as a URL."))?;
    Ok(())
}

/// Who hands in is told nothing of what is there, not even numbers.
fn without_id(mut response: Response) -> Response {
    response.headers_mut().remove("oc-fileid");
    response
}

fn upload_mount(place: &LinkPlace) -> UploadMount {
    let files = place.prefix.replacen("/uploads/", "/files/", 1);
    UploadMount { prefix: place.prefix.clone(), files: vec![files, "/public.php/webdav".to_owned()] }
}

/// Uploads of a link: nobody lists those of others, and what is handed in goes where the nickname says.
fn upload_request(link: &Link, mount: &UploadMount, only_adds: bool, request: Request) -> Result<Request, Error> {
    let (mut parts, body) = request.into_parts();
    let is_root = href::path_below(&mount.prefix, parts.uri.path())?.is_root();
    if parts.method.as_str() == "PROPFIND" && is_root {
        return Err(Error::forbidden("Uploads are found by their names."));
    }
    if only_adds && parts.method.as_str() == "MOVE" {
        let nickname = nickname::of_headers(&parts.headers)?;
        let to = destination::of(&parts.headers)?.ok_or_else(|| Error::bad_request("The Destination is missing."))?;
        let path = mount.files.iter().find_map(|prefix| href::path_of_url(prefix, &to).transpose());
        let path = path.transpose()?.ok_or_else(|| Error::forbidden("The destination lies elsewhere."))?;
        let place = nickname::place(link, nickname.as_deref(), &path)?;
        let to = HeaderValue::try_from(href::of(&mount.files[0], &place, false));
        parts.headers.insert("destination", to.map_err(|_| Error::bad_request("The Destination is malformed."))?);
    }
    Ok(Request::from_parts(parts, body))
}
