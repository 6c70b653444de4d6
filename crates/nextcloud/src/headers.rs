//! Nextcloud's request and response headers on files.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use nichoir_dav::{Answered, Error, PutOptions, header::single, href};
use nichoir_store::Timestamp;
use nichoir_store::checksum::{Algorithm, Checksum};

use crate::property::{EARLIEST_SECOND, oc_id};

/// The longest `OC-Checksum` that is kept.
const CHECKSUM_BYTES_MAX: usize = 255;

const OC_ETAG: HeaderName = HeaderName::from_static("oc-etag");
const OC_FILEID: HeaderName = HeaderName::from_static("oc-fileid");
const OC_CHECKSUM: HeaderName = HeaderName::from_static("oc-checksum");
const X_OC_MTIME: HeaderName = HeaderName::from_static("x-oc-mtime");
const X_OC_CTIME: HeaderName = HeaderName::from_static("x-oc-ctime");
const ACCEPTED: HeaderValue = HeaderValue::from_static("accepted");

/// Reads what a PUT says beyond RFC 9110.
pub(crate) fn prepare_put(headers: &HeaderMap, put: &mut PutOptions) -> Result<(), Error> {
    let told = Told::of(headers)?;
    put.modified = told.modified;
    put.created = told.created;
    put.checksums = told.checksums;
    put.expected = told.expected;
    put.total_bytes = told.total_bytes;
    put.makes_parents = single(headers, "x-nc-webdav-auto-mkcol")? == Some("1");
    put.algorithms = wanted_digests(headers)?;
    Ok(())
}

/// What a client tells of the file that it sends: on a PUT, and on the MOVE that ends a chunked upload.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) modified: Option<Timestamp>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) checksums: Option<String>,
    pub(crate) expected: Option<Checksum>,
    pub(crate) total_bytes: Option<u64>,
}

impl Told {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Told, Error> {
        let checksums = single(headers, "oc-checksum")?.filter(|text| is_checksum(text)).map(str::to_owned);
        Ok(Told {
            modified: instant(headers, "x-oc-mtime")?,
            created: instant(headers, "x-oc-ctime")?,
            expected: checksums.as_deref().and_then(Checksum::parse),
            checksums,
            total_bytes: total_bytes(headers)?,
        })
    }
}

/// The size that the finished file will have; of several announcements the largest counts.
pub(crate) fn total_bytes(headers: &HeaderMap) -> Result<Option<u64>, Error> {
    let mut total = None;
    for name in ["oc-total-length", "x-expected-entity-length"] {
        if let Some(text) = single(headers, name)? {
            let bytes = text.parse::<u64>();
            let bytes = bytes.map_err(|_| Error::bad_request(format!("{name} must be a number of bytes.")))?;
            total = total.max(Some(bytes));
        }
    }
    Ok(total)
}

/// Whole seconds; the File Provider of macOS sends decimals, which are cut off. Times that only broken clients send are as
/// good as none.
pub(crate) fn instant(headers: &HeaderMap, name: &str) -> Result<Option<Timestamp>, Error> {
    let Some(text) = single(headers, name)? else { return Ok(None) };
    let seconds =
        text.parse::<i64>().ok().or_else(|| text.parse::<f64>().ok().filter(|it| it.is_finite()).map(|it| it as i64));
    let seconds = seconds.ok_or_else(|| Error::bad_request(format!("{name} must be in seconds since 1970.")))?;
    Ok((seconds > EARLIEST_SECOND).then(|| Timestamp::from_seconds(seconds)))
}

/// `TYPE:value`, of whatever type.
fn is_checksum(text: &str) -> bool {
    let has_parts = text.split_once(':').is_some_and(|(kind, value)| !kind.is_empty() && !value.is_empty());
    has_parts && text.len() <= CHECKSUM_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// `X-Hash: md5 | sha1 | sha256 | all`.
fn wanted_digests(headers: &HeaderMap) -> Result<Vec<Algorithm>, Error> {
    Ok(match single(headers, "x-hash")?.map(str::to_ascii_lowercase).as_deref() {
        Some("md5") => vec![Algorithm::Md5],
        Some("sha1") => vec![Algorithm::Sha1],
        Some("sha256") => vec![Algorithm::Sha256],
        Some("all") => vec![Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256],
        _ => Vec::new(),
    })
}

/// Adds what clients read from an answer.
pub(crate) fn decorate(answered: &Answered<'_>, headers: &mut HeaderMap) {
    let node = answered.node;
    let is_read = *answered.method == Method::GET || *answered.method == Method::HEAD;
    if !node.is_folder() {
        insert(headers, OC_ETAG, node.etag.quoted());
    }
    if !is_read {
        insert(headers, OC_FILEID, oc_id(node, &answered.caller.space.info().instance_id));
    } else if !node.is_folder() {
        if let Some(checksums) = &node.checksums {
            insert(headers, OC_CHECKSUM, checksums.clone());
        }
        // In the trash it has another name than it had, and will have again.
        let name = node.trashed.as_ref().map_or(&node.name, |trashed| &trashed.name);
        insert(headers, http::header::CONTENT_DISPOSITION, attachment(name));
    }
    if let Some(put) = answered.put {
        accept_times(put.modified, put.created, headers);
    }
    for digest in answered.digests {
        if let Ok(name) = HeaderName::try_from(format!("x-hash-{}", digest.algorithm.name().to_ascii_lowercase())) {
            insert(headers, name, digest.hex.clone());
        }
    }
}

/// The same for members of calendars and address books, which have no checksums and are shown rather than saved.
pub(crate) fn decorate_member(answered: &Answered<'_>, headers: &mut HeaderMap) {
    let is_read = *answered.method == Method::GET || *answered.method == Method::HEAD;
    // Where the answer keeps the tag back, what is stored is not what was sent.
    if !answered.node.is_folder() && (is_read || headers.contains_key(http::header::ETAG)) {
        insert(headers, OC_ETAG, answered.node.etag.quoted());
    }
}

/// Tells that the times were kept: without it the desktop client takes the upload for failed.
pub(crate) fn accept_times(modified: Option<Timestamp>, created: Option<Timestamp>, headers: &mut HeaderMap) {
    if modified.is_some() {
        headers.insert(X_OC_MTIME, ACCEPTED);
    }
    if created.is_some() {
        headers.insert(X_OC_CTIME, ACCEPTED);
    }
}

/// `Content-Disposition` (RFC 6266) for a file of that name: the exact name for those who read it, a safe one for the rest.
pub(crate) fn attachment(name: &str) -> String {
    let mut text = String::with_capacity(48 + 2 * name.len());
    text.push_str("attachment; filename*=UTF-8''");
    let start = text.len();
    href::append_name(&mut text, name);
    // RFC 8187 §3.2.1 allows less than a path does.
    if text[start..].contains(['(', ')', '@', ':']) {
        let exact = text.split_off(start);
        text.push_str(&exact.replace('(', "%28").replace(')', "%29").replace('@', "%40").replace(':', "%3a"));
    }
    text.push_str("; filename=\"");
    let is_plain = |c: &char| c.is_ascii_graphic() && *c != '"' && *c != '\\' || *c == ' ';
    text.extend(name.chars().map(|c| if is_plain(&c) { c } else { '_' }));
    text.push('"');
    text
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(value)) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[track_caller]
    fn check_time(text: &str, expected: Result<Option<i64>, ()>) {
        let found = Told::of(&headers(&[("x-oc-mtime", text)])).map(|told| told.modified.map(Timestamp::seconds));
        assert_eq!(found.map_err(|_| ()), expected, "{text}");
    }

    #[test]
    fn times_are_cut_repaired_or_refused() {
        check_time("1748852130", Ok(Some(1_748_852_130)));
        check_time("1748852130.25", Ok(Some(1_748_852_130)));
        check_time("4102444800", Ok(Some(4_102_444_800)));
        check_time("0", Ok(None));
        check_time("-5", Ok(None));
        check_time("86400", Ok(None));
        check_time("86401", Ok(Some(86_401)));
        check_time("yesterday", Err(()));
        check_time("NaN", Err(()));
    }

    #[test]
    fn checksums_are_kept_as_sent_and_checked_if_known() {
        let told = Told::of(&headers(&[("oc-checksum", "SHA1:ABCDEF")])).unwrap();
        assert_eq!(told.checksums.as_deref(), Some("SHA1:ABCDEF"));
        assert_eq!(told.expected.map(|expected| expected.to_string()).as_deref(), Some("SHA1:abcdef"));
        let told = Told::of(&headers(&[("oc-checksum", "FOO:bar")])).unwrap();
        assert!(told.checksums.is_some() && told.expected.is_none());
        assert!(Told::of(&headers(&[("oc-checksum", "nonsense")])).unwrap().checksums.is_none());
    }

    #[test]
    fn the_largest_announcement_counts() {
        let announced = headers(&[("oc-total-length", "5"), ("x-expected-entity-length", "7")]);
        assert_eq!(total_bytes(&announced).unwrap(), Some(7));
        assert!(total_bytes(&headers(&[("oc-total-length", "-1")])).is_err());
    }

    #[test]
    fn dispositions_cannot_be_broken_out_of() {
        assert_eq!(attachment("a.txt"), "attachment; filename*=UTF-8''a.txt; filename=\"a.txt\"");
        assert_eq!(attachment("a (1).txt"), "attachment; filename*=UTF-8''a%20%281%29.txt; filename=\"a (1).txt\"");
        assert_eq!(attachment("é\"\\;.txt"), "attachment; filename*=UTF-8''%c3%a9%22%5c%3b.txt; filename=\"___;.txt\"");
    }
}
