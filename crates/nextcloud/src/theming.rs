//! What a space looks like, for pages and apps: `/apps/theming/…`, `/favicon.ico`. Sheet `nextcloud-ocs` §8.4. Anybody may ask:
//! the log-in page shows it.

use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use nichoir_dav::header::condition;
use nichoir_dav::{Error, Response};
use nichoir_preview::{Colour, Drawing, Key, MediaType, initials_of};
use nichoir_store::{Picture, Sitter, Space, without_turn};
use serde_json::json;

use crate::image::{must_read, not_modified};
use crate::preview::refused;
use crate::{Visit, with_body};

/// The colour of a space that has none of its own.
const COLOUR: Colour = Colour([0x2f, 0x6f, 0x4f]);
/// Sides of the two icons.
const ICON: u32 = 512;
const FAVICON: u32 = 64;
/// Above this luminance, a colour cannot be seen on white.
const BRIGHT: f64 = 0.45;

/// What clients call the space.
pub(crate) fn title(space: &Space) -> &str {
    let info = space.info();
    if info.theme.title.is_empty() { &info.name } else { &info.theme.title }
}

/// Its colour.
pub(crate) fn colour(space: &Space) -> Colour {
    space.info().theme.colour.map_or(COLOUR, Colour)
}

/// Its colour as lines and letters on white: dark enough to be seen.
pub(crate) fn element_colour(space: &Space) -> Colour {
    let mut element = colour(space);
    while element.luminance() > BRIGHT {
        element = element.darkened();
    }
    element
}

/// `#rrggbb`.
pub(crate) fn hex(colour: Colour) -> String {
    let [red, green, blue] = colour.0;
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Where the logo is: the space's own, or the icon that is drawn for it. The address changes with it.
pub(crate) fn logo_url(visit: &Visit<'_>) -> String {
    let theme = &visit.space.info().theme;
    match &theme.logo {
        Some(digest) => format!("{}/index.php/apps/theming/image/logo?v={}", visit.public_url, &digest[..8]),
        None => format!("{}/index.php/apps/theming/icon?v={}", visit.public_url, &hex(colour(visit.space))[1..]),
    }
}

/// `/apps/theming/…`; `below` is what stands behind it.
pub(crate) async fn handle(visit: &Visit<'_>, below: &str, request: &Parts) -> Result<Response, Error> {
    must_read(&request.method)?;
    let parts: Vec<&str> = below.split('/').filter(|part| !part.is_empty()).collect();
    match parts[..] {
        ["image", "logo" | "logoheader"] => logo(visit, request).await,
        ["icon"] | ["icon", _] => icon(visit, ICON, request).await,
        ["favicon"] | ["favicon", _] => icon(visit, FAVICON, request).await,
        ["manifest"] | ["manifest", _] => Ok(manifest(visit)),
        ["theme", "default.css" | "light.css" | "dark.css"] => Ok(style(visit)),
        // No picture of that kind is set, for none can be.
        _ => Err(Error::not_found()),
    }
}

/// The logo as it was set.
async fn logo(visit: &Visit<'_>, request: &Parts) -> Result<Response, Error> {
    let Picture { digest, bytes } = visit.space.picture(Sitter::Space).await?.ok_or_else(Error::not_found)?;
    let media_type = MediaType::of(&bytes).ok_or_else(Error::not_found)?;
    Ok(cached(&digest, request, || with_body(StatusCode::OK, media_type.name(), bytes)))
}

/// The logo as a square, or the initial of the space on its colour.
async fn icon(visit: &Visit<'_>, side: u32, request: &Parts) -> Result<Response, Error> {
    let space = visit.space;
    let (letters, ground) = (initials_of(title(space)), colour(space));
    let logo = match &space.info().theme.logo {
        Some(_) => space.picture(Sitter::Space).await?,
        None => None,
    };
    let what = match &logo {
        Some(logo) => logo.digest.clone(),
        None => format!("{letters} {}", hex(ground)),
    };
    let key = Key::of(&[b"icon", what.as_bytes(), &side.to_le_bytes()]);
    let drawing = match logo {
        Some(logo) => Drawing::Square { source: logo.bytes, side },
        None => Drawing::Initials { letters, ground, side },
    };
    let kept_under = space.info().uuid.to_string();
    let made = without_turn(visit.previews.make(&kept_under, key, async { Ok(drawing) })).await.map_err(refused)?;
    Ok(cached(&key.hex(), request, || with_body(StatusCode::OK, made.media_type.name(), made.bytes)))
}

/// Shown again for an hour, then asked for again by its tag.
fn cached(tag: &str, request: &Parts, answer: impl FnOnce() -> Response) -> Response {
    let etag = format!("\"{tag}\"");
    let is_known = condition::names(&request.headers, &IF_NONE_MATCH, &etag);
    let mut response = if is_known { not_modified() } else { answer() };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    headers.extend(HeaderValue::try_from(etag).ok().map(|etag| (ETAG, etag)));
    response
}

/// The web app manifest (W3C): what a browser puts on a home screen.
fn manifest(visit: &Visit<'_>) -> Response {
    let ground = hex(colour(visit.space));
    let icon = |name: &str, side: u32| {
        let source = format!("{}/index.php/apps/theming/{name}", visit.public_url);
        json!({ "src": source, "type": "image/png", "sizes": format!("{side}x{side}") })
    };
    let manifest = json!({
        "name": title(visit.space),
        "short_name": title(visit.space),
        "description": visit.space.info().theme.slogan,
        "start_url": format!("{}/", visit.public_url),
        "theme_color": ground,
        "background_color": ground,
        "icons": [icon("icon", ICON), icon("favicon", FAVICON)],
        "display": "standalone",
    });
    with_body(StatusCode::OK, "application/json; charset=utf-8", manifest.to_string())
}

fn style(visit: &Visit<'_>) -> Response {
    let (ground, element) = (colour(visit.space), element_colour(visit.space));
    let style = format!(
        ":root{{--color-primary:{};--color-primary-text:{};--color-primary-element:{};--color-primary-element-text:{}}}\n",
        hex(ground),
        hex(ground.ink()),
        hex(element),
        hex(element.ink()),
    );
    with_body(StatusCode::OK, "text/css; charset=utf-8", style)
}
