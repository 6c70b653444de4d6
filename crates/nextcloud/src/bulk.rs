//! Bulk upload: `POST /remote.php/dav/bulk`, many small files in one multipart body.
//!
//! Behind a setting and off by default: a client in wide use sends no empty file once it is advertised
//! (desktop client before 3.16.3). Each file is a PUT of its own; one that cannot be written does not stop the others.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt as _;
use nichoir_auth::Caller;
use nichoir_dav::header::{condition, single};
use nichoir_dav::{Dav, Error, Request, Response};
use nichoir_store::change::PutFile;
use nichoir_store::checksum::Checksum;
use nichoir_store::conditions::Conditions;
use nichoir_store::{Error as StoreError, Node, NodePath, StageOptions};
use serde_json::{Map, Value, json};

use crate::headers::{Told, instant};
use crate::multipart::{Malformed, Multipart, boundary_of};
use crate::names;
use crate::property::oc_id;
use crate::share_property::letters;

/// The limits of bulk upload, each a setting of the same name.
#[derive(Clone, Debug)]
pub struct BulkLimits {
    /// Files in one request. Clients send at most 100.
    pub bulk_files_max: usize,
    /// Bytes of the headers of one file.
    pub bulk_header_bytes_max: usize,
}

impl Default for BulkLimits {
    fn default() -> BulkLimits {
        BulkLimits { bulk_files_max: 1000, bulk_header_bytes_max: 16 * 1024 }
    }
}

/// Answers a request to the bulk upload's URL.
pub async fn handle(dav: &Dav, caller: &Caller, limits: &BulkLimits, request: Request) -> Response {
    match answer(caller, limits, request).await {
        Ok(response) => response,
        Err(error) => dav.refuse(error),
    }
}

async fn answer(caller: &Caller, limits: &BulkLimits, request: Request) -> Result<Response, Error> {
    let (head, body) = request.into_parts();
    if head.method != Method::POST {
        return Err(Error::method_not_allowed("Bulk upload is a POST.", "POST"));
    }
    let boundary = boundary_of(&head.headers)
        .ok_or_else(|| Error::bad_request("Error while parsing boundary in Content-Type header."))?;
    let mut parts = Multipart::new(body.into_data_stream(), &boundary, limits.bulk_header_bytes_max);
    let mut outcomes = Map::new();
    let outcome = write_all(caller, limits, &mut parts, &mut outcomes).await;
    if let Err(Malformed(what)) = &outcome {
        tracing::debug!("a bulk upload stopped: {what}");
    }
    // What was written stays written and is told, even if the rest could not be read.
    let status = if outcome.is_ok() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let body = if outcomes.is_empty() { json!([]) } else { Value::Object(outcomes) };
    Ok(crate::with_body(status, "application/json; charset=utf-8", body.to_string()))
}

async fn write_all<S, E>(
    caller: &Caller,
    limits: &BulkLimits,
    parts: &mut Multipart<S>,
    outcomes: &mut Map<String, Value>,
) -> Result<(), Malformed>
where
    S: futures_util::Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: Into<nichoir_dav::BoxError>,
{
    let mut count = 0;
    while let Some(headers) = parts.next_part().await? {
        count += 1;
        if count > limits.bulk_files_max {
            return Err(Malformed("There are too many files in the request."));
        }
        let path = single(&headers, "x-file-path").ok().flatten().ok_or(Malformed("A part has no X-File-Path."))?;
        let outcome = match File::of(path, &headers) {
            Ok(file) => write(caller, file, parts).await?,
            Err(error) => Err(error),
        };
        outcomes.insert(path.to_owned(), shown(caller, outcome));
    }
    Ok(())
}

/// What the headers of a part say.
struct File {
    path: NodePath,
    told: Told,
    expected: Option<Checksum>,
    conditions: Conditions,
}

impl File {
    fn of(path: &str, headers: &HeaderMap) -> Result<File, Error> {
        let path = NodePath::parse(path)?;
        names::check(path.name().ok_or_else(|| Error::method_not_allowed("This is the root.", "POST"))?)?;
        let mut told = Told::of(headers)?;
        if told.modified.is_none() {
            told.modified = instant(headers, "x-file-mtime")?;
        }
        let expected = match single(headers, "x-file-md5")? {
            Some(hex) => Checksum::parse(&format!("MD5:{hex}")),
            None => told.expected.take(),
        };
        if expected.is_none() {
            return Err(Error::bad_request("The file has neither X-File-MD5 nor a known OC-Checksum."));
        }
        // The reference ignores it; a client that guards an edit must not overwrite somebody else's.
        let conditions = Conditions { if_match: condition::if_match(headers)?, ..Conditions::default() };
        Ok(File { path, told, expected, conditions })
    }
}

/// Writes one file. The outer error is the end of the whole request: what follows cannot be trusted.
async fn write<S, E>(caller: &Caller, file: File, parts: &mut Multipart<S>) -> Result<Result<Node, Error>, Malformed>
where
    S: futures_util::Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: Into<nichoir_dav::BoxError>,
{
    let options =
        StageOptions { announced_bytes: Some(parts.rest_bytes()), expected: file.expected, ..StageOptions::default() };
    let content = match caller.tree.stage(parts.content(), options).await {
        Ok(content) => content,
        Err(StoreError::BodyInterrupted) => return Err(Malformed("A part is shorter than it announced.")),
        Err(StoreError::ChecksumMismatch { .. }) => {
            return Err(Malformed("A file has another checksum than announced."));
        }
        Err(error) => return Ok(Err(error.into())),
    };
    let change = PutFile {
        path: file.path,
        content,
        modified: file.told.modified,
        created: file.told.created,
        checksums: file.told.checksums,
        makes_parents: false,
        media_type: None,
        member: None,
        conditions: file.conditions,
    };
    Ok(caller.tree.apply(change).await.map(|written| written.node).map_err(Error::from))
}

/// What a client reads of one file.
fn shown(caller: &Caller, outcome: Result<Node, Error>) -> Value {
    match outcome {
        Ok(node) => json!({
            "error": false,
            "etag": node.etag.to_string(),
            "fileid": oc_id(&node, &caller.space.info().instance_id),
            "permissions": letters(&node),
        }),
        Err(error) => json!({ "error": true, "message": error.message() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[(&'static str, &str)], path: &str, expected: Result<&str, &str>) {
        let headers = lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let found = File::of(path, &headers).map(|file| {
            let seconds = file.told.modified.map(nichoir_store::Timestamp::seconds);
            format!("{} {} {seconds:?}", file.path, file.expected.unwrap())
        });
        let found = found.as_deref().map_err(Error::message);
        assert_eq!(found, expected);
    }

    #[test]
    fn both_generations_of_part_headers_are_read() {
        check(&[("x-file-md5", "AB"), ("x-file-mtime", "1700000000")], "/a b", Ok("/a b MD5:ab Some(1700000000)"));
        check(&[("oc-checksum", "sha1:ab"), ("x-oc-mtime", "1700000001.5")], "/a", Ok("/a SHA1:ab Some(1700000001)"));
        check(&[("x-file-md5", "ab"), ("x-file-mtime", "0")], "/a", Ok("/a MD5:ab None"));
        let neither = Err("The file has neither X-File-MD5 nor a known OC-Checksum.");
        check(&[], "/a", neither);
        check(&[("oc-checksum", "CRC:ab")], "/a", neither);
        check(&[("x-file-md5", "ab")], "/", Err("This is the root."));
        assert!(File::of("/../a", &HeaderMap::new()).is_err());
        assert!(File::of("/.htaccess", &HeaderMap::new()).is_err());
    }
}
