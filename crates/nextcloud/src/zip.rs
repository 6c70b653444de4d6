//! Folders as archives: `GET …/folder?accept=zip` or with `Accept: application/zip`, streamed. Stored, not compressed (what
//! people keep is mostly compressed already); sizes after each file and ZIP64 throughout (PKWARE APPNOTE 4.3.9, 4.5.3), so
//! that nothing has to be known before it is read.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use nichoir_dav::request::{BoxError, streamed};
use nichoir_dav::{Answering, Call, Error, Response};
use nichoir_store::{FileId, Needs, Node, NodePath, Timestamp, Tree};

use crate::headers::attachment;
use crate::view_only::check_download;

/// The archive that the request asks for, if it asks for one.
pub(crate) fn get_collection(call: &Call<'_>, folder: &Node) -> Option<Answering> {
    let query = call.parts.uri.query().unwrap_or("");
    if !is_wanted(query, &call.parts.headers) {
        return None;
    }
    let (tree, path, folder) = (call.caller.tree.clone(), call.path.clone(), folder.clone());
    let selection = selected(query);
    Some(Box::pin(async move { answer(tree, path, folder, selection?).await }))
}

/// Whether an archive is asked for.
pub(crate) fn is_wanted(query: &str, headers: &HeaderMap) -> bool {
    let accepts =
        headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|it| it.contains("application/zip"));
    accepts || parameter(query, "accept").is_some_and(|value| value == "zip" || value == "application/zip")
}

/// The names in `files=["a","b"]` or `files=a`; empty: everything.
fn selected(query: &str) -> Result<Vec<String>, Error> {
    let Some(value) = parameter(query, "files") else { return Ok(Vec::new()) };
    if !value.starts_with('[') {
        return Ok(vec![value]);
    }
    serde_json::from_str(&value).map_err(|_| Error::bad_request("files must be a JSON list of names."))
}

fn parameter(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

async fn answer(tree: Tree, path: NodePath, folder: Node, selection: Vec<String>) -> Result<Response, Error> {
    // The root of a home has no name; that of a link has.
    let name = path.name().unwrap_or(if folder.name.is_empty() { "download" } else { &folder.name }).to_owned();
    check_download(&folder)?;
    let mut tops = Vec::new();
    if selection.is_empty() {
        let prefix = if path.is_root() && folder.name.is_empty() { String::new() } else { format!("{name}/") };
        tops.push(Waiting::Node(prefix, path, folder));
    } else {
        let mut paths: Vec<NodePath> = Vec::new();
        for name in selection {
            let at = path.join(&name)?;
            if !paths.contains(&at) {
                // Looked up before anything is sent: what is not there is a 404, not half an archive.
                let node = tree.node(&at, Needs::NONE).await?;
                check_download(&node)?;
                tops.push(Waiting::Node(node.name.clone(), at.clone(), node));
                paths.push(at);
            }
        }
    }
    tops.reverse();
    let mut response = Response::new(streamed(archive(tree, tops)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    if let Ok(value) = HeaderValue::try_from(attachment(&format!("{name}.zip"))) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// What is still to be written.
enum Waiting {
    /// A file or folder, under this name in the archive.
    Node(String, NodePath, Node),
    /// The members of a folder from here on, below this prefix.
    Members(String, NodePath, Node, Option<FileId>),
}

/// The archive, piece by piece. What comes next stands last; of each open folder only one page of members waits.
fn archive(tree: Tree, mut waiting: Vec<Waiting>) -> impl futures_util::Stream<Item = Result<Bytes, BoxError>> + Send {
    async_stream::try_stream! {
        let mut archive = Archive::default();
        while let Some(next) = waiting.pop() {
            match next {
                // What others share for looking at only, somewhere below.
                Waiting::Node(_, _, node) if !node.allows_download() => {}
                Waiting::Node(name, path, node) if node.is_folder() => {
                    let prefix = if name.is_empty() || name.ends_with('/') { name } else { format!("{name}/") };
                    if !prefix.is_empty() {
                        yield archive.folder(&prefix, node.modified);
                    }
                    waiting.push(Waiting::Members(prefix, path, node, None));
                }
                Waiting::Node(name, _, node) => {
                    yield archive.begin_file(&name, node.modified);
                    let mut content = tree.open(&node).await?.stream(0..node.size_bytes);
                    while let Some(run) = content.next().await {
                        let run = run?;
                        archive.add(&run);
                        yield run;
                    }
                    yield archive.end_file();
                }
                Waiting::Members(prefix, path, folder, after) => {
                    let page = tree.children(&path, &folder, after, Needs::NONE).await?;
                    let members = page.nodes.into_iter().rev();
                    let members: Vec<_> = members
                        .map(|node| Waiting::Node(format!("{prefix}{}", node.name), path.child(&node.name), node))
                        .collect();
                    if page.next.is_some() {
                        waiting.push(Waiting::Members(prefix, path, folder, page.next));
                    }
                    waiting.extend(members);
                }
            }
        }
        yield archive.finish();
    }
}

/// The bookkeeping of an archive: what was written where.
#[derive(Debug, Default)]
struct Archive {
    offset: u64,
    members: Vec<Member>,
    checksum: crc32fast::Hasher,
}

#[derive(Debug)]
struct Member {
    name: String,
    is_folder: bool,
    dos_time: u32,
    crc: u32,
    size: u64,
    offset: u64,
}

/// 4.5: ZIP64 needs version 4.5. Made on Unix, where names are UTF-8.
const VERSION: u16 = 45;
const MADE_BY: u16 = 3 << 8 | VERSION;
/// Sizes follow the data (bit 3); the name is UTF-8 (bit 11).
const FLAGS: u16 = 1 << 3 | 1 << 11;
const IN_ZIP64: u32 = u32::MAX;

impl Archive {
    fn folder(&mut self, name: &str, modified: Timestamp) -> Bytes {
        let mut bytes = self.local_header(name, true, modified);
        bytes.extend_from_slice(&self.descriptor());
        self.offset += bytes.len() as u64;
        bytes.into()
    }

    fn begin_file(&mut self, name: &str, modified: Timestamp) -> Bytes {
        let bytes = self.local_header(name, false, modified);
        self.offset += bytes.len() as u64;
        bytes.into()
    }

    fn add(&mut self, run: &[u8]) {
        self.checksum.update(run);
        self.offset += run.len() as u64;
        if let Some(member) = self.members.last_mut() {
            member.size += run.len() as u64;
        }
    }

    fn end_file(&mut self) -> Bytes {
        let crc = std::mem::take(&mut self.checksum).finalize();
        if let Some(member) = self.members.last_mut() {
            member.crc = crc;
        }
        let bytes = self.descriptor();
        self.offset += bytes.len() as u64;
        bytes.into()
    }

    fn local_header(&mut self, name: &str, is_folder: bool, modified: Timestamp) -> Vec<u8> {
        let dos_time = dos_time(modified);
        self.members.push(Member { name: name.to_owned(), is_folder, dos_time, crc: 0, size: 0, offset: self.offset });
        let mut bytes = Vec::with_capacity(50 + name.len());
        put32(&mut bytes, 0x0403_4b50);
        put16(&mut bytes, VERSION);
        put16(&mut bytes, FLAGS);
        put16(&mut bytes, 0);
        put32(&mut bytes, dos_time);
        put32(&mut bytes, 0);
        put32(&mut bytes, IN_ZIP64);
        put32(&mut bytes, IN_ZIP64);
        put16(&mut bytes, u16::try_from(name.len()).unwrap_or(u16::MAX));
        put16(&mut bytes, 20);
        bytes.extend_from_slice(name.as_bytes());
        // The extra field says that the sizes after the data have eight bytes each.
        put16(&mut bytes, 1);
        put16(&mut bytes, 16);
        put64(&mut bytes, 0);
        put64(&mut bytes, 0);
        bytes
    }

    fn descriptor(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24);
        let (crc, size) = self.members.last().map_or((0, 0), |member| (member.crc, member.size));
        put32(&mut bytes, 0x0807_4b50);
        put32(&mut bytes, crc);
        put64(&mut bytes, size);
        put64(&mut bytes, size);
        bytes
    }

    /// The central directory and the ends of it.
    fn finish(&mut self) -> Bytes {
        let mut bytes = Vec::new();
        for member in &self.members {
            member.put_central(&mut bytes);
        }
        let (count, size, start) = (self.members.len() as u64, bytes.len() as u64, self.offset);
        put32(&mut bytes, 0x0606_4b50);
        put64(&mut bytes, 44);
        put16(&mut bytes, MADE_BY);
        put16(&mut bytes, VERSION);
        put32(&mut bytes, 0);
        put32(&mut bytes, 0);
        put64(&mut bytes, count);
        put64(&mut bytes, count);
        put64(&mut bytes, size);
        put64(&mut bytes, start);
        put32(&mut bytes, 0x0706_4b50);
        put32(&mut bytes, 0);
        put64(&mut bytes, start + size);
        put32(&mut bytes, 1);
        put32(&mut bytes, 0x0605_4b50);
        put32(&mut bytes, 0);
        put16(&mut bytes, u16::MAX);
        put16(&mut bytes, u16::MAX);
        put32(&mut bytes, IN_ZIP64);
        put32(&mut bytes, IN_ZIP64);
        put16(&mut bytes, 0);
        bytes.into()
    }
}

impl Member {
    fn put_central(&self, bytes: &mut Vec<u8>) {
        put32(bytes, 0x0201_4b50);
        put16(bytes, MADE_BY);
        put16(bytes, VERSION);
        put16(bytes, FLAGS);
        put16(bytes, 0);
        put32(bytes, self.dos_time);
        put32(bytes, self.crc);
        put32(bytes, IN_ZIP64);
        put32(bytes, IN_ZIP64);
        put16(bytes, u16::try_from(self.name.len()).unwrap_or(u16::MAX));
        put16(bytes, 28);
        put16(bytes, 0);
        put16(bytes, 0);
        put16(bytes, 0);
        // Unix mode in the upper half, the DOS folder bit in the lower.
        put32(bytes, if self.is_folder { 0o040_755 << 16 | 0x10 } else { 0o100_644 << 16 });
        put32(bytes, IN_ZIP64);
        bytes.extend_from_slice(self.name.as_bytes());
        put16(bytes, 1);
        put16(bytes, 24);
        put64(bytes, self.size);
        put64(bytes, self.size);
        put64(bytes, self.offset);
    }
}

/// Date and time as MS-DOS had them: from 1980 on, to two seconds.
fn dos_time(instant: Timestamp) -> u32 {
    use chrono::{Datelike as _, Timelike as _};
    let date = chrono::DateTime::from_timestamp(instant.seconds(), 0).unwrap_or_default();
    let year = date.year().clamp(1980, 2107).unsigned_abs() - 1980;
    let day = year << 9 | date.month() << 5 | date.day();
    let time = date.hour() << 11 | date.minute() << 5 | (date.second() / 2);
    day << 16 | time
}

fn put16(bytes: &mut Vec<u8>, value: u16) {
    bytes.extend_from_slice(&value.to_le_bytes());
}

fn put32(bytes: &mut Vec<u8>, value: u32) {
    bytes.extend_from_slice(&value.to_le_bytes());
}

fn put64(bytes: &mut Vec<u8>, value: u64) {
    bytes.extend_from_slice(&value.to_le_bytes());
}
