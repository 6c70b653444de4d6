//! The trash bin of files: `/remote.php/dav/trashbin/LOGIN/` with `trash/`, which is listed and read as a tree by an engine of
//! its own, and `restore/`, the destination of a MOVE that brings something back to where it was.

use http::request::Parts;
use http::{HeaderMap, StatusCode};
use nichoir_auth::Caller;
use nichoir_dav::header::{if_header, overwrite};
use nichoir_dav::virtual_resource::VirtualResource;
use nichoir_dav::{
    Answered, Body, Dav, Error, Extension, Mount, Property, Request, Resource, Response, Value, answer, href,
};
use nichoir_preview::Kinds;
use nichoir_store::change::{DropTrashed, EmptyTrash, Undelete};
use nichoir_store::conditions::Conditions;
use nichoir_store::{NodePath, Trashed};
use nichoir_xml::{Writer, dav, nc, oc};

use crate::{Nextcloud, error_body, headers, preview};

/// What the bin is made of.
const TRASH: &str = "trash";
const RESTORE: &str = "restore";

/// What a DELETE of the bin itself, and of what is in it, may be sent to.
const ALLOW: &str = "OPTIONS, GET, HEAD, PROPFIND, MOVE, DELETE";

/// The dialect of Nextcloud's clients on what is in the trash.
#[derive(Clone, Copy, Debug, Default)]
pub struct NextcloudTrash {
    /// Of which files there are previews.
    pub previews: Kinds,
}

impl Extension for NextcloudTrash {
    fn properties(&self) -> &'static [Property] {
        PROPERTIES
    }

    fn served_media_type(&self, media_type: &str) -> Option<&'static str> {
        Nextcloud::default().served_media_type(media_type)
    }

    fn decorate(&self, answered: &Answered<'_>, headers: &mut HeaderMap) {
        headers::decorate(answered, headers);
    }

    fn render_error(&self, error: &Error, writer: &mut Writer) {
        error_body::render(error, writer);
    }
}

/// The table. Numbers stand without the instance id here: the Android app reads `oc:id` as a number.
static PROPERTIES: &[Property] = &[
    Property::live(dav::DISPLAYNAME)
        .in_allprop()
        .read(|it| Some(Value::text(trashed(it).map_or(TRASH, |it| it.name.as_str())))),
    Property::live(oc::ID).read(|it| trashed(it).map(|_| Value::Signed(it.node.id.0))),
    Property::live(oc::FILEID).read(|it| trashed(it).map(|_| Value::Signed(it.node.id.0))),
    Property::live(oc::SIZE).read(|it| trashed(it).map(|_| it.node.size_bytes.into())),
    Property::live(oc::PERMISSIONS).read(|it| trashed(it).map(|_| Value::text("GD"))),
    Property::live(nc::HAS_PREVIEW).read(|it| trashed(it).map(|_| Value::Truth(has_preview(it)))),
    Property::live(nc::MOUNT_TYPE).read(|it| trashed(it).map(|_| Value::Empty)),
    Property::live(nc::TRASHBIN_FILENAME).read(|it| trashed(it).map(|it| Value::text(&*it.name))),
    Property::live(nc::TRASHBIN_ORIGINAL_LOCATION).read(|it| trashed(it).map(|it| Value::text(&*it.location))),
    Property::live(nc::TRASHBIN_TITLE).read(|it| trashed(it).map(|it| Value::text(&*it.location))),
    Property::live(nc::TRASHBIN_DELETION_TIME).read(|it| trashed(it).map(|it| Value::Signed(it.deleted.seconds()))),
    Property::live(nc::TRASHBIN_DELETED_BY_ID)
        .read(|it| trashed(it)?.deleted_by.as_ref().map(|by| Value::text(&*by.login))),
    Property::live(nc::TRASHBIN_DELETED_BY_DISPLAY_NAME)
        .read(|it| trashed(it)?.deleted_by.as_ref().map(|by| Value::text(&*by.display_name))),
];

fn has_preview(it: &Resource<'_>) -> bool {
    it.dav.extension::<NextcloudTrash>().is_some_and(|bin| preview::has_preview(bin.previews, it.node))
}

fn trashed<'a>(it: &Resource<'a>) -> Option<&'a Trashed> {
    it.node.trashed.as_ref()
}

/// Answers a request to the bin mounted at `mount`.
pub async fn handle(dav: &Dav, caller: &Caller, mount: &Mount, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answered = bin(dav, caller, mount, &parts, body).await;
    answered.unwrap_or_else(|error| dav.refuse(error))
}

async fn bin(dav: &Dav, caller: &Caller, mount: &Mount, parts: &Parts, body: Body) -> Result<Response, Error> {
    let names = href::path_below(&mount.prefix, parts.uri.path())?;
    let Some((first, below)) = names.names().split_first() else {
        let members = [collection(mount, ""), collection(mount, RESTORE), collection(mount, TRASH)];
        return fixed(dav, caller, mount, &members, (parts, body)).await;
    };
    if first != TRASH {
        let is_restore = first == RESTORE && below.is_empty();
        let resources = if is_restore { vec![collection(mount, RESTORE)] } else { return Err(Error::not_found()) };
        return fixed(dav, caller, mount, &resources, (parts, body)).await;
    }
    let path = NodePath::of(below)?;
    match parts.method.as_str() {
        "OPTIONS" => Ok(dav.options()),
        "GET" | "HEAD" | "PROPFIND" => {
            let caller = Caller { tree: caller.tree.bin()?, ..caller.clone() };
            let mount = Mount { prefix: trash_prefix(&mount.prefix, parts.uri.path()).into(), ..mount.clone() };
            Ok(dav.handle(&caller, &mount, Request::from_parts(parts.clone(), body)).await)
        }
        "MOVE" => restore(caller, path, &parts.headers).await,
        "DELETE" if path.is_root() => empty(caller).await,
        "DELETE" => {
            caller.tree.apply(DropTrashed { path }).await?;
            Ok(answer::bare(StatusCode::NO_CONTENT))
        }
        "MKCOL" => Err(Error::forbidden("Not allowed to create folders in the trashbin")),
        "PUT" | "COPY" | "PROPPATCH" | "LOCK" | "UNLOCK" => {
            Err(Error::forbidden("What is in the trash bin can be restored or deleted."))
        }
        "POST" => Err(Error::method_not_allowed("This is the trash bin.", ALLOW)),
        _ => Err(Error::not_implemented()),
    }
}

fn collection(mount: &Mount, name: &str) -> VirtualResource {
    let slash = if name.is_empty() { "" } else { "/" };
    let href = format!("{}/{name}{slash}", mount.prefix);
    let name = if name.is_empty() { "trashbin" } else { name };
    VirtualResource::collection(href, name).with_principal(&mount.principal, &mount.principals)
}

async fn fixed(
    dav: &Dav,
    caller: &Caller,
    mount: &Mount,
    resources: &[VirtualResource],
    (parts, body): (&Parts, Body),
) -> Result<Response, Error> {
    let request = Request::from_parts(parts.clone(), body);
    Ok(dav.answer_virtual(caller, mount, resources, request).await)
}

/// The prefix of the bin's tree, as the request spelt it.
fn trash_prefix(prefix: &str, path: &str) -> String {
    let below = path.strip_prefix(prefix).unwrap_or_default();
    let slashes = below.len() - below.trim_start_matches('/').len();
    let end = below[slashes..].find('/').map_or(below.len(), |length| slashes + length);
    format!("{prefix}{}", &below[..end])
}

/// Where a MOVE out of the bin goes.
#[derive(Debug, PartialEq, Eq)]
enum Destination {
    /// To where it was. The last name is the file's name from one app and the trash's from another: neither counts.
    Former,
    /// To a place among the files.
    Files(NodePath),
    Elsewhere,
}

async fn restore(caller: &Caller, path: NodePath, headers: &HeaderMap) -> Result<Response, Error> {
    let told = headers.get("destination").ok_or_else(|| Error::bad_request("The Destination header is missing."))?;
    let told = String::from_utf8_lossy(told.as_bytes());
    let destination = match destination_of(&told, &caller.account.login)? {
        Destination::Former => None,
        Destination::Files(to) => Some((to, overwrite::of(headers)?)),
        Destination::Elsewhere => {
            return Err(Error::forbidden("What is in the trash bin can only be restored to one's own files."));
        }
    };
    if let Some(name) = destination.as_ref().and_then(|(to, _)| to.name()) {
        crate::names::check(name)?;
    }
    let lock_tokens = if_header::of(headers)?.map(|parsed| parsed.lock_tokens()).unwrap_or_default();
    let conditions = Conditions { lock_tokens, ..Conditions::default() };
    let written = caller.tree.apply(Undelete { path, destination, conditions }).await.map_err(|error| match error {
        nichoir_store::Error::Exists => Error::precondition_failed("Overwrite"),
        error => error.into(),
    })?;
    Ok(answer::bare(if written.is_new { StatusCode::CREATED } else { StatusCode::NO_CONTENT }))
}

/// Only what decides is decoded: apps put file names behind it that they have not escaped.
fn destination_of(url: &str, login: &str) -> Result<Destination, Error> {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let mut next = || segments.next().map(href::decode).transpose();
    let mut head = next()?;
    if head.as_deref() == Some("index.php") {
        head = next()?;
    }
    if head.as_deref() != Some("remote.php") {
        return Ok(Destination::Elsewhere);
    }
    let kind = match next()?.as_deref() {
        Some("webdav") => None,
        Some("dav") => match (next()?, next()?) {
            (Some(kind), Some(owner)) if owner.eq_ignore_ascii_case(login) => Some(kind),
            _ => return Ok(Destination::Elsewhere),
        },
        _ => return Ok(Destination::Elsewhere),
    };
    match kind.as_deref() {
        Some("trashbin") if next()?.as_deref() == Some(RESTORE) => Ok(Destination::Former),
        None | Some("files") => {
            let rest = segments.collect::<Vec<_>>().join("/");
            Ok(href::path_of_url("", &rest)?.map_or(Destination::Elsewhere, Destination::Files))
        }
        _ => Ok(Destination::Elsewhere),
    }
}

/// All that was in the bin when the request came; step by step, so that others can write in between.
async fn empty(caller: &Caller) -> Result<Response, Error> {
    let until = caller.space.ports().clock.now();
    while caller.tree.apply(EmptyTrash { until }).await? {}
    // Exactly 204: the Android app takes nothing else for success.
    Ok(answer::bare(StatusCode::NO_CONTENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: &str) {
        let found = match destination_of(url, "alice") {
            Ok(Destination::Former) => "former".to_owned(),
            Ok(Destination::Files(path)) => path.to_string(),
            Ok(Destination::Elsewhere) => "elsewhere".to_owned(),
            Err(_) => "error".to_owned(),
        };
        assert_eq!(found, expected, "{url}");
    }

    #[test]
    fn destinations_of_all_spellings() {
        check("https://cloud.example/remote.php/dav/trashbin/alice/restore/Copy.md", "former");
        check("https://other.example:8443/index.php/remote.php/dav/trashbin/Alice/restore/x.d1795337516", "former");
        check("/remote.php/dav/trashbin/al%69ce/restore/100% é #1?.txt", "former");
        check("/remote.php/dav//trashbin/alice/restore", "former");
        check("/remote.php/dav/trashbin/alice/restore/a/b/c", "former");
        check("/remote.php/dav/trashbin/alice/trash/x", "elsewhere");
        check("/remote.php/dav/trashbin/bob/restore/x", "elsewhere");
        check("/remote.php/dav/files/alice/a%20b/c", "/a b/c");
        check("/remote.php/webdav/c", "/c");
        check("/remote.php/dav/files/alice/../bob/c", "error");
        check("/remote.php/dav/files/bob/c", "elsewhere");
        check("/remote.php/dav/versions/alice/restore/x", "elsewhere");
        check("https://cloud.example", "elsewhere");
        check("", "elsewhere");
        check("/%zz", "error");
    }

    #[test]
    fn the_prefix_of_the_tree_keeps_its_spelling() {
        assert_eq!(
            trash_prefix("/dav/trashbin/al%69ce", "/dav/trashbin/al%69ce//tr%61sh/a/b"),
            "/dav/trashbin/al%69ce//tr%61sh"
        );
        assert_eq!(trash_prefix("/t/a", "/t/a/trash"), "/t/a/trash");
    }
}
