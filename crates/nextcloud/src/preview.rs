//! Previews over HTTP: `/core/preview`, `/core/preview.png`, the trash's, and the older thumbnails. Sheets `nextcloud-files-dav`
//! §15 and `mobile-clients` §3.7, §4.6.
//!
//! There is a picture or 404, never an icon in its place and never a redirect to one: the apps draw icons of their own.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, StatusCode};
use nichoir_dav::header::condition;
use nichoir_dav::property::http_date;
use nichoir_dav::{Error, Response, href, media_type};
use nichoir_preview::{Drawing, Failure, Fit, Key, Kind, Kinds, Made, Previews, Wish};
use nichoir_store::{FileId, Needs, Node, NodePath, Tree, without_turn};

use crate::image::not_modified;
use crate::with_body;

/// What clients may do with an answer whose address has the file's number: they add the entity tag to it, or look again in a
/// day.
pub(crate) const BY_NUMBER: &str = "private, max-age=86400, immutable";
/// What they may do with one whose address has a path, under which there is another file tomorrow.
const BY_PATH: &str = "private, no-cache";
/// What is asked for by who does not say.
const SIDE_ABSENT: u32 = 32;
const OTHER_SIDE_ABSENT: u32 = 128;

/// The parameters of a preview.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    values: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn of(query: &str) -> Asked {
        Asked { values: form_urlencoded::parse(query.as_bytes()).into_owned().collect() }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The number of the file. The desktop client sends its `oc:id`, which begins with the number.
    pub(crate) fn file_id(&self) -> Option<FileId> {
        let text = self.text("fileId")?;
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..digits].parse().ok().map(FileId)
    }

    /// The box that was asked for: `x`, `y`, `a` to keep the picture's shape, `mode=cover` to fill the box with it.
    ///
    /// # Errors
    /// 400 for a box without a size.
    pub(crate) fn wish(&self, side_absent: u32, side_max: u32) -> Result<Wish, Error> {
        let keeps_shape = self.text("a").is_some_and(|text| matches!(text, "1" | "true"));
        let fit = match (keeps_shape, self.text("mode")) {
            (false, _) => Fit::Crop,
            (true, Some("cover")) => Fit::Cover,
            (true, _) => Fit::Inside,
        };
        let side = |name| self.text(name).map_or(Ok(side_absent), side_of);
        Ok(Wish::rounded(side("x")?, side("y")?, fit, side_max))
    }
}

/// A side in pixels.
fn side_of(text: &str) -> Result<u32, Error> {
    let side = text.parse::<i64>().ok().filter(|side| *side > 0);
    let side = side.ok_or_else(|| Error::bad_request("A preview has a width and a height."))?;
    Ok(u32::try_from(side).unwrap_or(u32::MAX))
}

/// Whether there is a preview of this: what `nc:has-preview` says.
pub(crate) fn has_preview(kinds: Kinds, node: &Node) -> bool {
    kind_of(kinds, node).is_some()
}

fn kind_of(kinds: Kinds, node: &Node) -> Option<Kind> {
    if node.is_folder() { None } else { kinds.of(media_type(node), node.size_bytes) }
}

/// `/core/preview?fileId=` and `/core/preview.png?file=`.
pub(crate) async fn by_query(
    previews: &Previews,
    tree: &Tree,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let wish = asked.wish(SIDE_ABSENT, previews.limits().side_pixels_max)?;
    let node = match (asked.text("fileId"), asked.text("file")) {
        (Some(_), _) => tree.node_by_id(asked.file_id().ok_or_else(Error::not_found)?, Needs::NONE).await?.1,
        (None, Some(path)) => tree.node(&path_of(path)?, Needs::NONE).await?,
        (None, None) => return Err(Error::bad_request("Which file?")),
    };
    answer(previews, tree, &node, wish, headers, BY_NUMBER).await
}

/// `/apps/files_trashbin/preview?fileId=`.
pub(crate) async fn of_trash(
    previews: &Previews,
    tree: &Tree,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let wish = asked.wish(OTHER_SIDE_ABSENT, previews.limits().side_pixels_max)?;
    let id = asked.file_id().ok_or_else(|| Error::bad_request("Which file?"))?;
    let bin = tree.bin()?;
    let (_, node) = bin.node_by_id(id, Needs::NONE).await?;
    answer(previews, &bin, &node, wish, headers, BY_NUMBER).await
}

/// `/apps/files_versions/preview?file=&version=`.
pub(crate) async fn of_version(
    previews: &Previews,
    tree: &Tree,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let wish = asked.wish(OTHER_SIDE_ABSENT, previews.limits().side_pixels_max)?;
    let path = asked.text("file").ok_or_else(|| Error::bad_request("Which file?"))?;
    let second = asked.text("version").and_then(|text| text.parse().ok()).ok_or_else(Error::not_found)?;
    let node = tree.node(&path_of(path)?, Needs::NONE).await?;
    let states = tree.versions(node.id).await?;
    let version = states.version(second).ok_or_else(Error::not_found)?;
    answer(previews, tree, &states.file_at(version), wish, headers, BY_PATH).await
}

/// `/apps/files_sharing/publicpreview/TOKEN?file=` and `/s/TOKEN/preview`; `tree` was opened by the link.
pub(crate) async fn of_link(
    previews: &Previews,
    tree: &Tree,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let wish = asked.wish(OTHER_SIDE_ABSENT, previews.limits().side_pixels_max)?;
    let node = tree.node(&path_of(asked.text("file").unwrap_or_default())?, Needs::NONE).await?;
    answer(previews, tree, &node, wish, headers, BY_PATH).await
}

/// `/apps/files/api/v1/thumbnail/WIDTH/HEIGHT/PATH`; `below` begins with the slash before the width.
pub(crate) async fn thumbnail(
    previews: &Previews,
    tree: &Tree,
    below: &str,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let mut parts = below.trim_start_matches('/').splitn(3, '/');
    let (Some(width), Some(height), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Error::not_found());
    };
    let (width, height) = (side_of(width)?, side_of(height)?);
    let wish = Wish::rounded(width, height, Fit::Inside, previews.limits().side_pixels_max);
    let names: Result<Vec<String>, Error> = path.split('/').filter(|it| !it.is_empty()).map(href::decode).collect();
    let path = NodePath::of(names?).map_err(|_| Error::not_found())?;
    let node = tree.node(&path, Needs::NONE).await?;
    answer(previews, tree, &node, wish, headers, BY_PATH).await
}

fn path_of(text: &str) -> Result<NodePath, Error> {
    NodePath::parse(text).map_err(|_| Error::not_found())
}

/// The preview of a file, for whoever `tree` has shown it to: every route to previews ends here.
///
/// # Errors
/// 404 where there is none, 429 where too many others wait for theirs.
pub(crate) async fn answer(
    previews: &Previews,
    tree: &Tree,
    node: &Node,
    wish: Wish,
    headers: &HeaderMap,
    caching: &'static str,
) -> Result<Response, Error> {
    // Before anything is answered from a cache.
    tree.check_content(node)?;
    let kind = kind_of(previews.kinds(), node).ok_or_else(Error::not_found)?;
    let key = key_of(tree, node, kind, wish).ok_or_else(Error::not_found)?;
    let etag = format!("\"{}\"", key.hex());
    let mut response = match condition::names(headers, &IF_NONE_MATCH, &etag) {
        true => not_modified(),
        false => shown(&made(previews, tree, node, kind, key, wish).await?, wish),
    };
    let known = response.headers_mut();
    known.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    known.extend(HeaderValue::try_from(etag).ok().map(|etag| (ETAG, etag)));
    let modified = HeaderValue::try_from(http_date(node.modified).to_string());
    known.extend(modified.ok().map(|modified| (LAST_MODIFIED, modified)));
    Ok(response)
}

/// Content never changes, so its number is as good as its bytes; a space that came from a backup counts anew.
fn key_of(tree: &Tree, node: &Node, kind: Kind, wish: Wish) -> Option<Key> {
    let info = tree.space().info();
    let what = format!("{kind:?} {} {wish:?} {}", node.content?, media_type(node));
    Some(Key::of(&[info.uuid.as_bytes(), info.data_fingerprint.as_bytes(), what.as_bytes()]))
}

async fn made(previews: &Previews, tree: &Tree, node: &Node, kind: Kind, key: Key, wish: Wish) -> Result<Made, Error> {
    let space = tree.space().info().uuid.to_string();
    let prepare = async {
        let source = head_of(tree, node, previews.source_bytes(kind)).await.map_err(storage)?;
        Ok(match (kind, previews.tool(kind)) {
            (Kind::Text, _) => {
                let is_markdown = media_type(node).contains("markdown");
                Drawing::Text { source, wish, is_markdown }
            }
            (_, Some(tool)) => Drawing::Picture { source: tool.run(&source).await?, wish },
            (_, None) => Drawing::Picture { source, wish },
        })
    };
    without_turn(previews.make(&space, key, prepare)).await.map_err(refused)
}

/// The file, as far as it is needed.
async fn head_of(tree: &Tree, node: &Node, bytes_max: u64) -> Result<Bytes, nichoir_store::Error> {
    let mut source = BytesMut::new();
    let content = tree.open(node).await?;
    let mut stream = content.stream(0..content.size_bytes().min(bytes_max));
    while let Some(run) = stream.next().await {
        source.extend_from_slice(&run?);
    }
    Ok(source.freeze())
}

fn storage(error: nichoir_store::Error) -> Failure {
    Failure::Unavailable(error.into())
}

/// Never 503 for what is one answer too slow: the iOS app then takes the whole server for gone.
pub(crate) fn refused(failure: Failure) -> Error {
    match failure {
        Failure::Busy => Error::new(StatusCode::TOO_MANY_REQUESTS, "Too many previews are being made.").retry_after(5),
        Failure::Unavailable(cause) => Error::internal("The preview cannot be made at the moment.").caused_by(cause),
        Failure::Unsupported | Failure::TooLarge | Failure::Broken(_) => Error::not_found(),
    }
}

fn shown(made: &Made, wish: Wish) -> Response {
    let mut response = with_body(StatusCode::OK, made.media_type.name(), made.bytes.clone());
    let fit = if wish.fit == Fit::Crop { "-crop" } else { "" };
    let name = format!("inline; filename=\"{}-{}{fit}.{}\"", wish.width, wish.height, made.media_type.extension());
    response.headers_mut().extend(HeaderValue::try_from(name).ok().map(|name| (CONTENT_DISPOSITION, name)));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, expected: &str) {
        let shown = match Asked::of(query).wish(SIDE_ABSENT, 4096) {
            Ok(wish) => format!("{}x{} {:?}", wish.width, wish.height, wish.fit),
            Err(error) => error.status().as_u16().to_string(),
        };
        assert_eq!(shown, expected, "{query}");
    }

    #[test]
    fn boxes_as_the_apps_ask_for_them() {
        check("fileId=1&x=1024&y=1024&a=1&mode=cover&forceIcon=0&mimeFallback=0&etag=abc", "1024x1024 Cover");
        check("fileId=1&x=240&y=240&a=1&mode=cover&forceIcon=0", "256x256 Cover");
        check("fileId=00000042ocx1y2z3&x=96&y=96&a=true", "128x128 Inside");
        check("fileId=1&x=64&y=64&a=0&mode=cover&forceIcon=0", "64x64 Crop");
        check("fileId=1", "64x64 Crop");
        check("fileId=1&x=0&y=64", "400");
        check("fileId=1&x=64&y=-1", "400");
        check("fileId=1&x=many&y=64", "400");
        check("fileId=1&x=99999999999&y=99999999999", "4096x4096 Crop");
    }

    #[test]
    fn a_file_is_named_by_its_number_or_by_its_oc_id() {
        for (query, expected) in [
            ("fileId=42", Some(42)),
            ("fileId=00000042ocx1y2z3", Some(42)),
            ("fileId=ocx", None),
            ("fileId=", None),
            ("fileId=99999999999999999999", None),
            ("x=1", None),
        ] {
            assert_eq!(Asked::of(query).file_id().map(|id| id.0), expected, "{query}");
        }
    }
}
