//! Avatars: `/avatar/LOGIN/SIZE[/dark]`, and as DAV `/remote.php/dav/avatars/LOGIN/SIZE.png`. Sheets `nextcloud-ocs` §8.3 and
//! `nextcloud-files-dav` §15. Who has set none gets initials.
//!
//! Without a log-in everybody has the initials of the name that was asked for, whether there is such an account or not: who
//! is a member here is nobody else's business.

use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use nichoir_auth::{AuthError, Caller};
use nichoir_dav::header::condition;
use nichoir_dav::{Body, Error, Response, href};
use nichoir_preview::{Colour, Drawing, Failure, Key, Made, Previews, initials_of};
use nichoir_store::{Account, AccountId, Sitter, Space, without_turn};

use crate::image::{known, must_read, not_modified};
use crate::preview::{BY_NUMBER, refused};
use crate::{Visit, auth_error, avatar_upload, with_body};

/// The two sizes that the pages and apps get, whatever they ask for.
const SMALL: u32 = 64;
const LARGE: u32 = 512;
/// The largest that DAV gives out.
const DAV_SIDE_MAX: u32 = 1024;

/// Whose picture it is.
#[derive(Clone, Debug)]
struct Portrait {
    /// What stands in it: letters, and the name that says on which ground.
    name: String,
    ground: String,
    /// Whose own picture stands in their place, and the digest of it.
    own: Option<(AccountId, String)>,
}

impl Portrait {
    async fn of_account(space: &Space, account: &Account) -> Result<Portrait, Error> {
        let digest = space.picture_digest(Sitter::Account(account.id)).await?;
        let own = digest.map(|digest| (account.id, digest));
        Ok(Portrait { name: account.display_name.clone(), ground: account.login.clone(), own })
    }

    fn of_name(name: &str) -> Portrait {
        Portrait { name: name.to_owned(), ground: name.to_owned(), own: None }
    }

    fn initials(&self, side: u32, is_dark: bool) -> Drawing {
        let ground = Colour::of_name(&self.ground);
        let ground = if is_dark { ground.darkened() } else { ground };
        Drawing::Initials { letters: initials_of(&self.name), ground, side }
    }
}

/// `/avatar/…`.
pub(crate) async fn handle(visit: &Visit<'_>, below: &str, request: &Parts, body: Body) -> Result<Response, Error> {
    let parts: Result<Vec<String>, Error> = below.split('/').filter(|it| !it.is_empty()).map(href::decode).collect();
    let parts = parts?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let caller = known(visit, request).await?;
    if parts.is_empty() && !matches!(request.method, Method::GET | Method::HEAD) {
        let caller = caller.ok_or_else(|| auth_error(AuthError::Missing))?;
        return match request.method {
            Method::POST => avatar_upload::set(visit, &caller, request, body).await,
            Method::DELETE => avatar_upload::remove(&caller).await,
            _ => Err(Error::method_not_allowed("A picture is set or taken away.", "POST, DELETE")),
        };
    }
    must_read(&request.method)?;
    let (portrait, size, is_dark) = match parts[..] {
        ["guest", name, size] if size != "dark" => (Portrait::of_name(name), size, false),
        ["guest", name, size, "dark"] => (Portrait::of_name(name), size, true),
        [login, size] => (portrait_of(visit.space, caller.as_ref(), login).await?, size, false),
        [login, size, "dark"] => (portrait_of(visit.space, caller.as_ref(), login).await?, size, true),
        _ => return Err(Error::not_found()),
    };
    let size: u32 = size.parse().map_err(|_| Error::not_found())?;
    let side = if size <= SMALL { SMALL } else { LARGE };
    let name = format!("inline; filename=\"avatar{}.{side}.png\"", if is_dark { "-dark" } else { "" });
    let mut response = picture(visit.space, visit.previews, &portrait, side, is_dark, &request.headers).await?;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(BY_NUMBER));
    headers.insert("x-nc-iscustomavatar", HeaderValue::from_static(if portrait.own.is_some() { "1" } else { "0" }));
    headers.extend(HeaderValue::try_from(name).ok().map(|name| (CONTENT_DISPOSITION, name)));
    Ok(response)
}

/// `/remote.php/dav/avatars/LOGIN/FILE`, for who has logged in.
///
/// # Errors
/// 404 for who or what there is not, 405 for other methods and other kinds of file.
pub async fn of_dav(
    previews: &Previews,
    caller: &Caller,
    login: &str,
    file: &str,
    request: &Parts,
) -> Result<Response, Error> {
    must_read(&request.method)?;
    let (size, extension) = file.rsplit_once('.').ok_or_else(Error::not_found)?;
    if !["png", "jpeg"].contains(&extension) {
        return Err(Error::method_not_allowed("Avatars are PNG.", "GET, HEAD"));
    }
    let side = size.parse().ok().filter(|side| (1..=DAV_SIDE_MAX).contains(side)).ok_or_else(Error::not_found)?;
    let portrait = portrait_of(&caller.space, Some(caller), login).await?;
    let mut response = picture(&caller.space, previews, &portrait, side, false, &request.headers).await?;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Some(etag) = headers.get(ETAG).cloned() {
        headers.insert("oc-etag", etag);
    }
    Ok(response)
}

/// Whose picture stands under that login, for `caller`.
async fn portrait_of(space: &Space, caller: Option<&Caller>, login: &str) -> Result<Portrait, Error> {
    let Some(_) = caller else { return Ok(Portrait::of_name(login)) };
    let account = space.account_by_login(login).await?;
    // Found by a mail address, or not a member any more: nobody of that login.
    match account.is_enabled && account.login.eq_ignore_ascii_case(login) {
        true => Portrait::of_account(space, &account).await,
        false => Err(Error::not_found()),
    }
}

async fn picture(
    space: &Space,
    previews: &Previews,
    portrait: &Portrait,
    side: u32,
    is_dark: bool,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let initials = portrait.initials(side, is_dark);
    // By what is drawn, not by whom it shows: there are few of them, whatever names strangers ask for.
    let what = match &portrait.own {
        Some((_, digest)) => format!("{digest} {side}"),
        None => format!("{initials:?}"),
    };
    let key = Key::of(&[b"avatar", what.as_bytes()]);
    let etag = format!("\"{}\"", key.hex());
    let mut response = match condition::names(headers, &IF_NONE_MATCH, &etag) {
        true => not_modified(),
        false => {
            let (owner, space_name) = (space, space.info().uuid.to_string());
            let prepare = drawing(owner, portrait, initials, side);
            let made = without_turn(previews.make(&space_name, key, prepare)).await.map_err(refused)?;
            shown(&made)
        }
    };
    response.headers_mut().extend(HeaderValue::try_from(etag).ok().map(|etag| (ETAG, etag)));
    Ok(response)
}

/// The picture that was set, or initials if it has gone meanwhile.
async fn drawing(space: &Space, portrait: &Portrait, initials: Drawing, side: u32) -> Result<Drawing, Failure> {
    let Some((account, _)) = portrait.own else { return Ok(initials) };
    let own = space.picture(Sitter::Account(account)).await.map_err(|error| Failure::Unavailable(error.into()))?;
    Ok(own.map_or(initials, |own| Drawing::Square { source: own.bytes, side }))
}

fn shown(made: &Made) -> Response {
    with_body(StatusCode::OK, made.media_type.name(), made.bytes.clone())
}
