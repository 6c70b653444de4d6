//! A whole calendar as one iCalendar object: GET of it, as `webcal:` subscriptions do, and with `?export` for browsers.
//! RFC 5545 §3.4, RFC 7986 §5 for the name and how often to ask again.
//!
//! Each time zone stands in it once, before the first object that speaks of it. However large the calendar is, a page of
//! it is held at a time.

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS};
use nichoir_contentline::fold;
use nichoir_dav::property::stored_text;
use nichoir_dav::request::{empty, streamed};
use nichoir_dav::{Answering, Call, Error, Response};
use nichoir_store::{FileId, MemberFilter, Needs, Node, NodePath, Tree};
use nichoir_xml::{apple, dav};

use crate::confidential::reduce;
use crate::object::{CalendarObject, Limits};

/// An export under way.
struct Export {
    tree: Tree,
    path: NodePath,
    calendar: Node,
    limits: Limits,
    /// Names of the time zones that were written.
    zones: HashSet<String>,
    step: Step,
}

enum Step {
    Begin,
    Members(Option<FileId>),
    End,
}

pub(crate) fn answer(call: &Call<'_>, calendar: &Node, limits: &Limits) -> Answering {
    let is_head = call.parts.method == http::Method::HEAD;
    let is_download = call.parts.uri.query().is_some_and(|query| query.split('&').any(|it| it == "export"));
    let (tree, path) = (call.caller.tree.clone(), call.path.clone());
    let (etag, id, limits) = (calendar.etag, calendar.id, limits.clone());
    Box::pin(async move {
        // Once more, for the name and the colour that clients gave it.
        let calendar = tree.node(&path, Needs::DEAD_PROPERTIES).await?;
        if calendar.id != id {
            return Err(Error::not_found());
        }
        let disposition = disposition(&calendar.name);
        let pages = whole(tree, path, calendar, limits);
        let mut response = Response::new(if is_head { empty() } else { streamed(pages) });
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(value) = HeaderValue::try_from(etag.quoted()) {
            headers.insert(ETAG, value);
        }
        if is_download {
            headers.insert(CONTENT_DISPOSITION, disposition);
        }
        Ok(response)
    })
}

/// A calendar as one iCalendar object, a page at a time; `calendar` was read with its dead properties.
pub fn whole(
    tree: Tree,
    path: NodePath,
    calendar: Node,
    limits: Limits,
) -> impl futures_util::Stream<Item = Result<Bytes, Error>> + Send {
    let export = Export { tree, path, calendar, limits, zones: HashSet::new(), step: Step::Begin };
    stream::try_unfold(export, |mut export| async {
        let text = export.next().await?;
        Ok((!text.is_empty()).then(|| (Bytes::from(text), export)))
    })
}

impl Export {
    /// The next run of the text; empty at the end.
    async fn next(&mut self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        while out.is_empty() {
            match self.step {
                Step::Begin => {
                    self.begin(&mut out);
                    self.step = Step::Members(None);
                }
                Step::Members(after) => {
                    let all = MemberFilter::default();
                    let page = self.tree.members(&self.path, &self.calendar, &all, after, Needs::BODY).await?;
                    page.nodes.iter().for_each(|member| self.member(member, &mut out));
                    self.step = match page.next {
                        Some(next) => Step::Members(Some(next)),
                        None => {
                            fold("END:VCALENDAR", &mut out);
                            Step::End
                        }
                    };
                }
                Step::End => break,
            }
        }
        Ok(out)
    }

    fn begin(&self, out: &mut Vec<u8>) {
        let name = stored_text(&self.calendar, &dav::DISPLAYNAME).unwrap_or_else(|| self.calendar.name.clone());
        let name = escape(&name);
        for line in [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "CALSCALE:GREGORIAN",
            "PRODID:-//nichoir//nichoir//EN",
            &format!("NAME:{name}"),
            &format!("X-WR-CALNAME:{name}"),
            "REFRESH-INTERVAL;VALUE=DURATION:PT4H",
            "X-PUBLISHED-TTL:PT4H",
        ] {
            fold(line, out);
        }
        if let Some(colour) = stored_text(&self.calendar, &apple::CALENDAR_COLOR) {
            fold(&format!("X-APPLE-CALENDAR-COLOR:{}", escape(&colour)), out);
        }
    }

    /// What cannot be read is left out rather than breaking all the rest.
    fn member(&mut self, member: &Node, out: &mut Vec<u8>) {
        let Some(body) = &member.body else { return };
        let Ok(object) = CalendarObject::read(body, &self.limits) else { return };
        let reduced = member.is_confidential.then(|| reduce(&object));
        let reduced = reduced.as_deref().map(|bytes| CalendarObject::read(bytes, &self.limits));
        let object = match reduced {
            None => object,
            Some(Ok(object)) => object,
            Some(Err(_)) => return,
        };
        for component in &object.calendar.components {
            let is_known_zone = component.name == "VTIMEZONE"
                && !self.zones.insert(component.value("TZID").unwrap_or_default().trim().to_owned());
            if !is_known_zone {
                out.extend_from_slice(&object.bytes[component.range.clone()]);
                if !out.ends_with(b"\n") {
                    out.extend_from_slice(b"\r\n");
                }
            }
        }
    }
}

/// A text value (RFC 5545 §3.3.11).
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// A file name that every system takes.
fn disposition(name: &str) -> HeaderValue {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    HeaderValue::try_from(format!("attachment; filename=\"{plain}.ics\""))
        .unwrap_or(HeaderValue::from_static("attachment"))
}
