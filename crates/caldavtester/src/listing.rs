//! The pseudo-methods: requests that list a collection, wait for its members, search them, or delete them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::http::{Answer, Message, Server};
use crate::markup::{child_text, children, read};
use crate::message::{authorization, target};
use crate::owner::Account;

const ETAG: &[u8] = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
    <D:propfind xmlns:D=\"DAV:\"><D:prop><D:getetag/></D:prop></D:propfind>";
const ETAG_AND_TIME: &[u8] = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
    <D:propfind xmlns:D=\"DAV:\"><D:prop><D:getetag/><D:getlastmodified/></D:prop></D:propfind>";

/// Someone who asks a server.
pub(crate) struct Asker<'a> {
    pub(crate) server: &'a Server,
    /// Who sends a request to that target.
    pub(crate) account_for: &'a dyn Fn(&str) -> Account,
    pub(crate) user_agent: &'a str,
    pub(crate) wait_count: usize,
    pub(crate) wait_delay: Duration,
}

impl Asker<'_> {
    fn send(&self, method: &str, target: String, body: Option<&[u8]>) -> Result<Answer, String> {
        let mut headers =
            vec![authorization(&(self.account_for)(&target)), ("User-Agent".to_owned(), self.user_agent.to_owned())];
        if body.is_some() {
            headers.push(("Depth".to_owned(), "1".to_owned()));
            headers.push(("Content-Type".to_owned(), "text/xml".to_owned()));
        }
        let message = Message { method: method.to_owned(), target, headers, body: body.map(<[u8]>::to_vec) };
        self.server.exchange(&message).map_err(|error| format!("{method}: {error}"))
    }

    /// The hrefs of a listing; none if it is no multistatus.
    fn hrefs(&self, uri: &str) -> Result<Vec<String>, String> {
        let answer = self.send("PROPFIND", target(uri, true), Some(ETAG))?;
        if answer.status != 207 {
            return Ok(Vec::new());
        }
        let root = read(&answer.body)?;
        let hrefs = children(&root, "{DAV:}response").filter_map(|response| child_text(response, "{DAV:}href"));
        Ok(hrefs.map(|href| href.trim().to_owned()).collect())
    }

    /// DELETEALL: deletes every member whose href is not the collection's own, compared as it is written.
    pub(crate) fn delete_all(&self, uri: &str, must_succeed: bool) -> Result<(), String> {
        for href in self.hrefs(uri)?.into_iter().filter(|href| href != uri) {
            let answer = self.send("DELETE", href.clone(), None)?;
            if must_succeed && !answer.is_success() {
                return Err(format!("DELETEALL: DELETE {href} → {}", answer.status));
            }
        }
        Ok(())
    }

    /// WAITCOUNT: asks until the collection has so many members.
    pub(crate) fn wait_for_count(&self, uri: &str, wanted: usize) -> Result<(), String> {
        let own = uri.trim_end_matches('/');
        let mut found = Vec::new();
        for attempt in 0..self.wait_count.max(1) {
            if attempt > 0 {
                std::thread::sleep(self.wait_delay);
            }
            found = self.hrefs(uri)?;
            found.retain(|href| href.trim_end_matches('/') != own);
            if found.len() == wanted {
                return Ok(());
            }
        }
        Err(format!("WAITCOUNT: {} members in {uri}, expected {wanted}: {found:?}", found.len()))
    }

    /// FINDNEW, and GETOTHER with `other_than`: the member of `collection` that was modified last.
    pub(crate) fn newest(
        &self,
        collection: &str,
        other_than: Option<&str>,
        seen: &BTreeSet<String>,
    ) -> Result<Option<String>, String> {
        let answer = self.send("PROPFIND", target(collection, true), Some(ETAG_AND_TIME))?;
        if answer.status != 207 {
            return Ok(None);
        }
        let root = read(&answer.body)?;
        let (mut latest, mut candidates) = (i64::MIN, BTreeSet::new());
        for response in children(&root, "{DAV:}response") {
            let href = child_text(response, "{DAV:}href").unwrap_or_default().trim().to_owned();
            if href == collection || other_than == Some(href.as_str()) {
                continue;
            }
            match modified(response) {
                Modified::At(at) if at > latest => {
                    latest = at;
                    candidates = BTreeSet::from([href]);
                }
                Modified::At(at) if at < latest => {}
                Modified::At(_) | Modified::WithoutProperties => {
                    candidates.insert(href);
                }
                Modified::Unknown => {}
            }
        }
        if candidates.len() > 1 {
            candidates.retain(|href| !seen.contains(href));
        }
        Ok(if candidates.len() == 1 { candidates.pop_first() } else { None })
    }

    /// GETCONTAINS: the first member whose content has the text.
    pub(crate) fn containing(&self, uri: &str, text: &str) -> Result<Option<String>, String> {
        for href in self.hrefs(uri)?.into_iter().filter(|href| href != uri) {
            let answer = self.send("GET", href.clone(), None)?;
            if answer.is_success() && String::from_utf8_lossy(&answer.body).contains(text) {
                return Ok(Some(href));
            }
        }
        Ok(None)
    }

    /// GETCHANGED: waits until the ETag is another one.
    pub(crate) fn wait_for_change(&self, uri: &str, known: Option<&str>) -> Result<(), String> {
        for _ in 0..self.wait_count.max(1) {
            let answer = self.send("HEAD", target(uri, true), None)?;
            if !answer.is_success() {
                return Err(format!("GETCHANGED: HEAD {uri} → {}", answer.status));
            }
            if answer.header("etag").next() != known {
                return Ok(());
            }
            std::thread::sleep(self.wait_delay);
        }
        Err(format!("GETCHANGED: {uri} still has the ETag {}", known.unwrap_or("none")))
    }

    /// The time after which a request is no longer repeated.
    pub(crate) fn end_of(wait: Duration) -> Instant {
        Instant::now() + wait
    }
}

/// When a member was modified.
enum Modified {
    At(i64),
    WithoutProperties,
    Unknown,
}

fn modified(response: &nichoir_xml::Element) -> Modified {
    let is_ok = |propstat: &&nichoir_xml::Element| {
        let status = child_text(propstat, "{DAV:}status").unwrap_or_default();
        status.split_whitespace().nth(1).is_some_and(|code| code.starts_with('2'))
    };
    let mut ok = children(response, "{DAV:}propstat").filter(is_ok).peekable();
    if ok.peek().is_none() {
        return Modified::WithoutProperties;
    }
    let mut properties = ok.flat_map(|propstat| children(propstat, "{DAV:}prop"));
    let text = properties.find_map(|properties| child_text(properties, "{DAV:}getlastmodified"));
    let time = text.and_then(|text| chrono::DateTime::parse_from_rfc2822(text.trim()).ok());
    time.map_or(Modified::Unknown, |time| Modified::At(time.timestamp()))
}
