//! Chunked upload, versions 1 and 2: `/remote.php/dav/uploads/LOGIN/UPLOAD/CHUNK`, ended by a MOVE of `.file`.
//!
//! Both versions are the same here: version 2 only repeats the `Destination` on every request, which nothing depends on and
//! which desktop clients send unescaped, so it is not read before the MOVE.

use http::header::{CONTENT_LENGTH, ETAG};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use nichoir_auth::Caller;
use nichoir_dav::header::{condition, depth::Depth, destination, if_header, overwrite};
use nichoir_dav::multistatus::{status_line, write_missing};
use nichoir_dav::request::{empty, read_whole};
use nichoir_dav::{Body, Dav, Error, PropertyRequest, Request, Response, href};
use nichoir_store::change::{AbortUpload, Assemble, BeginUpload, DropChunk, PutChunk};
use nichoir_store::conditions::{Conditions, IfResource, IfState};
use nichoir_store::{Error as StoreError, NodePath, StageOptions, Upload};
use nichoir_xml::{Name, Writer, dav};

use crate::dialect::is_desktop_client;
use crate::headers::{Told, accept_times, total_bytes};
use crate::names;
use crate::property::oc_id;

/// The member that stands for the assembled file.
const WHOLE: &str = ".file";

/// Where uploads and files of the caller stand in the URL space.
#[derive(Clone, Debug)]
pub struct UploadMount {
    /// `/remote.php/dav/uploads/LOGIN`, as requested.
    pub prefix: String,
    /// The prefixes under which the caller's files may be named as a destination.
    pub files: Vec<String>,
}

/// Answers a request below the mount.
pub async fn handle(dav: &Dav, caller: &Caller, mount: &UploadMount, request: Request) -> Response {
    match answer(dav, caller, mount, request).await {
        Ok(response) => response,
        Err(error) => dav.refuse(error),
    }
}

async fn answer(dav: &Dav, caller: &Caller, mount: &UploadMount, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let names = href::path_of_url(&mount.prefix, parts.uri.path())?.ok_or_else(Error::not_found)?;
    let headers = &parts.headers;
    match (parts.method.as_str(), names.names()) {
        ("OPTIONS", _) => Ok(options()),
        ("MKCOL", [upload]) => begin(caller, upload, headers).await,
        ("MKCOL", [_, _, ..]) => Err(Error::forbidden("An upload has no folders.")),
        ("PUT", [upload, chunk]) => put_chunk(caller, upload, chunk, headers, body).await,
        ("PUT", [] | [_]) => Err(Error::forbidden("A chunk belongs into an upload.")),
        ("PROPFIND", path) if path.len() <= 2 => list(dav, caller, mount, path, headers, body).await,
        ("MOVE", [upload, whole]) if whole == WHOLE => assemble(caller, mount, upload, headers).await,
        ("DELETE", [upload]) => {
            caller.tree.apply(AbortUpload { upload: upload.clone() }).await?;
            Ok(bare(StatusCode::NO_CONTENT))
        }
        ("DELETE", [upload, chunk]) => {
            caller.tree.apply(DropChunk { upload: upload.clone(), chunk: chunk.clone() }).await?;
            Ok(bare(StatusCode::NO_CONTENT))
        }
        ("PUT" | "PROPFIND" | "DELETE" | "MOVE", _) => Err(Error::not_found()),
        _ => Err(Error::method_not_allowed(
            "An upload takes MKCOL, PUT, PROPFIND, DELETE and a MOVE of .file.",
            "OPTIONS, MKCOL, PUT, PROPFIND, DELETE, MOVE",
        )),
    }
}

fn options() -> Response {
    let mut response = bare(StatusCode::OK);
    response.headers_mut().insert("dav", HeaderValue::from_static("1, 3"));
    let allow = HeaderValue::from_static("OPTIONS, MKCOL, PUT, PROPFIND, DELETE, MOVE");
    response.headers_mut().insert(http::header::ALLOW, allow);
    response
}

async fn begin(caller: &Caller, upload: &str, headers: &HeaderMap) -> Result<Response, Error> {
    let change = BeginUpload { upload: upload.to_owned(), total_bytes: total_bytes(headers)? };
    caller.tree.apply(change).await.map_err(|error| match error {
        StoreError::Exists => Error::method_not_allowed("The upload exists already.", "PUT, PROPFIND, DELETE, MOVE"),
        error => error.into(),
    })?;
    Ok(bare(StatusCode::CREATED))
}

async fn put_chunk(
    caller: &Caller,
    upload: &str,
    chunk: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    if chunk == WHOLE {
        return Err(Error::forbidden("The name .file stands for the assembled upload."));
    }
    let total_bytes = total_bytes(headers)?;
    // Refused before a byte of the body is read: an upload that is not there, a total that cannot fit.
    let arrived: u64 = caller.tree.upload(upload).await?.chunks.iter().map(|chunk| chunk.size_bytes).sum();
    if let Some(total) = total_bytes {
        let available = caller.tree.quota().await?.available_bytes;
        if total.saturating_sub(arrived) > available {
            return Err(Error::over_quota(available));
        }
    }
    let announced_bytes = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let options = StageOptions { announced_bytes, ..StageOptions::default() };
    let content = caller.tree.stage(body.into_data_stream(), options).await?;
    let change = PutChunk { upload: upload.to_owned(), chunk: chunk.to_owned(), content, total_bytes };
    let written = caller.tree.apply(change).await?;
    let mut response = bare(if written.is_new { StatusCode::CREATED } else { StatusCode::NO_CONTENT });
    insert(response.headers_mut(), ETAG, &written.etag.quoted());
    Ok(response)
}

async fn assemble(caller: &Caller, mount: &UploadMount, upload: &str, headers: &HeaderMap) -> Result<Response, Error> {
    let destination = destination_of(mount, headers)?;
    if let Some(name) = destination.name() {
        names::check(name)?;
    }
    let told = Told::of(headers)?;
    let change = Assemble {
        upload: upload.to_owned(),
        conditions: conditions_of(mount, &destination, headers)?,
        destination,
        total_bytes: told.total_bytes,
        overwrites: overwrite::of(headers)?,
        modified: told.modified,
        created: told.created,
        checksums: told.checksums,
        expected: told.expected,
    };
    let written = caller.tree.apply(change).await.map_err(|error| match error {
        StoreError::IsACollection => Error::bad_request("The destination is a folder."),
        StoreError::Exists => Error::precondition_failed("Overwrite"),
        error => error.into(),
    })?;
    let mut response = bare(if written.is_new { StatusCode::CREATED } else { StatusCode::NO_CONTENT });
    let answered = response.headers_mut();
    insert(answered, ETAG, &written.node.etag.quoted());
    insert(answered, HeaderName::from_static("oc-etag"), &written.node.etag.quoted());
    insert(answered, HeaderName::from_static("oc-fileid"), &oc_id(&written.node, &caller.space.info().instance_id));
    accept_times(told.modified, told.created, answered);
    Ok(response)
}

fn destination_of(mount: &UploadMount, headers: &HeaderMap) -> Result<NodePath, Error> {
    let destination =
        destination::of(headers)?.ok_or_else(|| Error::bad_request("The Destination header is missing."))?;
    for prefix in &mount.files {
        if let Some(path) = href::path_of_url(prefix, &destination)? {
            return Ok(path);
        }
    }
    Err(Error::forbidden("The destination lies outside of your files."))
}

/// What the MOVE demands, all of it about the destination: that is the state a client means to guard, and the desktop
/// client says so by naming it in the `If` header.
fn conditions_of(mount: &UploadMount, destination: &NodePath, headers: &HeaderMap) -> Result<Conditions, Error> {
    let mut conditions = Conditions {
        if_match: condition::if_match(headers)?,
        if_none_match: condition::if_none_match(headers)?,
        if_unmodified_since: condition::if_unmodified_since(headers),
        ..Conditions::default()
    };
    if let Some(parsed) = if_header::of(headers)? {
        conditions.lock_tokens = parsed.lock_tokens();
        conditions.if_lists = parsed.into_lists(|tag| {
            let named = mount.files.iter().find_map(|prefix| href::path_of_url(prefix, tag).ok().flatten());
            match named {
                Some(path) if path == *destination => IfResource::Path(path),
                _ if is_desktop_client(headers) => IfResource::Lenient,
                Some(path) => IfResource::Path(path),
                None => IfResource::Elsewhere,
            }
        });
        for list in &mut conditions.if_lists {
            let guards_content = list.conditions.iter().any(|condition| !matches!(condition.state, IfState::Token(_)));
            // However the client spells the tag, an entity tag is compared with the destination's: it is all that stands
            // between two members' edits.
            if list.resource == IfResource::Lenient && guards_content {
                list.resource = IfResource::Path(destination.clone());
            }
        }
    }
    Ok(conditions)
}

/// PROPFIND: the uploads of the caller, or the complete chunks of one, with `.file` for the sum of them.
async fn list(
    dav: &Dav,
    caller: &Caller,
    mount: &UploadMount,
    path: &[String],
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    let body = read_whole(body, dav.limits().xml.request_xml_bytes).await?;
    let root = if body.is_empty() { None } else { Some(nichoir_xml::read(&body, &dav.limits().xml)?) };
    let request = PropertyRequest::of_propfind(root.as_ref())?;
    let with_members = Depth::of(headers)?.unwrap_or(Depth::One) != Depth::Zero;
    let mut listing = Listing::begin(&request);
    match path {
        [] => {
            listing.collection(&mount.prefix, &[]);
            if with_members {
                for upload in caller.tree.uploads().await? {
                    listing.collection(&mount.prefix, &[&upload]);
                }
            }
        }
        [name] => {
            let upload = caller.tree.upload(name).await?;
            listing.collection(&mount.prefix, &[name]);
            if with_members {
                listing.members(&mount.prefix, &upload);
            }
        }
        [name, whole] if whole == WHOLE => listing.whole(&mount.prefix, &caller.tree.upload(name).await?),
        [name, member] => {
            let upload = caller.tree.upload(name).await?;
            let only =
                Upload { chunks: upload.chunks.iter().filter(|it| it.name == *member).cloned().collect(), ..upload };
            if only.chunks.is_empty() {
                return Err(Error::not_found());
            }
            listing.chunks(&mount.prefix, &only);
        }
        _ => return Err(Error::not_found()),
    }
    Ok(crate::xml_response(StatusCode::MULTI_STATUS, listing.finish()))
}

/// A multistatus about resources that are no nodes: four live properties, read by whoever resumes an upload.
struct Listing {
    writer: Writer,
    /// `None`: all of them.
    names: Option<Vec<Name>>,
}

type Values<'v> = [(&'v Name, Option<String>)];

impl Listing {
    fn begin(request: &PropertyRequest) -> Listing {
        let names = match request {
            PropertyRequest::Prop(names) => Some(names.clone()),
            PropertyRequest::AllProp { .. } | PropertyRequest::PropName => None,
        };
        let mut writer = Writer::new();
        writer.declaration();
        writer.open_root(&dav::MULTISTATUS);
        Listing { writer, names }
    }

    fn collection(&mut self, prefix: &str, names: &[&str]) {
        self.response(&href_of(prefix, names, true), true, &[(&dav::RESOURCETYPE, None)]);
    }

    fn members(&mut self, prefix: &str, upload: &Upload) {
        self.chunks(prefix, upload);
        self.whole(prefix, upload);
    }

    fn whole(&mut self, prefix: &str, upload: &Upload) {
        let sum: u64 = upload.chunks.iter().map(|chunk| chunk.size_bytes).sum();
        let values = [(&dav::RESOURCETYPE, None), (&dav::GETCONTENTLENGTH, Some(sum.to_string()))];
        self.response(&href_of(prefix, &[&upload.name, WHOLE], false), false, &values);
    }

    fn chunks(&mut self, prefix: &str, upload: &Upload) {
        for chunk in &upload.chunks {
            let values = [
                (&dav::RESOURCETYPE, None),
                (&dav::GETCONTENTLENGTH, Some(chunk.size_bytes.to_string())),
                (&dav::GETETAG, Some(chunk.etag.quoted())),
                (&dav::GETLASTMODIFIED, Some(nichoir_dav::property::http_date(chunk.modified).to_string())),
            ];
            self.response(&href_of(prefix, &[&upload.name, &chunk.name], false), false, &values);
        }
    }

    fn response(&mut self, href: &str, is_collection: bool, values: &Values<'_>) {
        let asked: Vec<Name> = match &self.names {
            Some(names) => names.clone(),
            None => values.iter().map(|(name, _)| (*name).clone()).collect(),
        };
        let (found, missing): (Vec<&Name>, Vec<&Name>) =
            asked.iter().partition(|name| values.iter().any(|(known, _)| known == name));
        let writer = &mut self.writer;
        writer.open(&dav::RESPONSE);
        writer.text_element(&dav::HREF, href);
        writer.open(&dav::PROPSTAT);
        writer.open(&dav::PROP);
        for name in found {
            writer.open(name);
            if *name == dav::RESOURCETYPE && is_collection {
                writer.empty(&dav::COLLECTION);
            }
            if let Some((_, Some(value))) = values.iter().find(|(known, _)| *known == name) {
                writer.text(value);
            }
            writer.close();
        }
        writer.close();
        writer.text_element(&dav::STATUS, status_line(StatusCode::OK));
        writer.close();
        write_missing(missing, writer);
        writer.close();
    }

    fn finish(mut self) -> bytes::Bytes {
        self.writer.close();
        self.writer.take()
    }
}

fn href_of(prefix: &str, names: &[&str], is_collection: bool) -> String {
    let mut href = prefix.to_owned();
    for name in names {
        href.push('/');
        href::append_name(&mut href, name);
    }
    if is_collection {
        href.push('/');
    }
    href
}

fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    if status != StatusCode::NO_CONTENT {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    response
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
