//! Sequences of requests as clients send them, as tables: a request, and what the client would read in its answer.
//!
//! `{etag}` and `{token}` stand for the last `ETag` and the last `DAV:sync-token` that were seen. Answers are compared without
//! their namespace declarations: prefixes are always the same.

use super::{Answer, Client};

const NAMESPACES: &str = "xmlns:d='DAV:' xmlns:cal='urn:ietf:params:xml:ns:caldav' xmlns:card='urn:ietf:params:xml:ns:carddav' \
    xmlns:cs='http://calendarserver.org/ns/' xmlns:ical='http://apple.com/ns/ical/' xmlns:oc='http://owncloud.org/ns' \
    xmlns:p='https://bitfire.at/webdav-push' xmlns:org='http://org.tasks/ns/'";

/// A request, and what is expected of its answer.
#[derive(Debug)]
pub(crate) struct Step {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
    status: u16,
    has: Vec<String>,
    lacks: Vec<String>,
    header: Option<(&'static str, &'static str)>,
}

/// A request without a body that is answered with `status`.
pub(crate) fn step(method: &'static str, path: &str, status: u16) -> Step {
    let path = path.to_owned();
    Step {
        method,
        path,
        headers: Vec::new(),
        body: String::new(),
        status,
        has: Vec::new(),
        lacks: Vec::new(),
        header: None,
    }
}

/// A PROPFIND for these properties.
pub(crate) fn propfind(path: &str, depth: &str, properties: &str) -> Step {
    step("PROPFIND", path, 207)
        .with("depth", depth)
        .xml("d:propfind", &format!("<d:prop>{}</d:prop>", elements(properties)))
}

/// A REPORT: its root element, the properties that it asks for, and what follows them.
pub(crate) fn report(path: &str, root: &str, properties: &str, rest: &str) -> Step {
    step("REPORT", path, 207).xml(root, &format!("<d:prop>{}</d:prop>{rest}", elements(properties)))
}

/// A sync-collection, whose token comes first.
pub(crate) fn sync(path: &str, token: &str, properties: &str) -> Step {
    let inner = format!(
        "<d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level><d:prop>{}</d:prop>",
        elements(properties)
    );
    step("REPORT", path, 207).xml("d:sync-collection", &inner)
}

/// A PUT of a calendar or an address object.
pub(crate) fn put(path: &str, body: &str, status: u16) -> Step {
    let media_type =
        if body.starts_with("BEGIN:VCARD") { "text/vcard; charset=utf-8" } else { "text/calendar; charset=utf-8" };
    Step { body: body.to_owned(), ..step("PUT", path, status) }.with("content-type", media_type)
}

/// The comp-filters around `inner` for one type of component.
pub(crate) fn comp_filter(component: &str, inner: &str) -> String {
    format!(
        "<cal:filter><cal:comp-filter name='VCALENDAR'><cal:comp-filter name='{component}'>{inner}</cal:comp-filter>\
         </cal:comp-filter></cal:filter>"
    )
}

fn elements(names: &str) -> String {
    names.split_whitespace().map(|name| format!("<{name}/>")).collect()
}

impl Step {
    /// With a header.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Step {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// With an XML body.
    pub(crate) fn xml(mut self, root: &str, inner: &str) -> Step {
        self.body = format!("<?xml version='1.0' encoding='UTF-8'?><{root} {NAMESPACES}>{inner}</{root}>");
        self.with("content-type", "application/xml; charset=utf-8")
    }

    /// The client looks for this in the body.
    pub(crate) fn has(mut self, text: &str) -> Step {
        self.has.push(text.to_owned());
        self
    }

    /// The client would stumble over this.
    pub(crate) fn lacks(mut self, text: &str) -> Step {
        self.lacks.push(text.to_owned());
        self
    }

    /// The client looks for this in a header.
    pub(crate) fn tells(mut self, name: &'static str, part: &'static str) -> Step {
        self.header = Some((name, part));
        self
    }

    /// With another status than usual.
    pub(crate) fn answered(mut self, status: u16) -> Step {
        self.status = status;
        self
    }
}

/// Plays the steps, one after the other.
pub(crate) async fn play(client: &Client, steps: impl IntoIterator<Item = Step>) {
    let (mut etag, mut token) = (String::new(), String::new());
    for step in steps {
        let filled = |text: &str| text.replace("{etag}", &etag).replace("{token}", &token);
        let mut call = client.request(step.method, &step.path);
        for (name, value) in &step.headers {
            call = call.header(name, &filled(value));
        }
        if !step.body.is_empty() {
            call = call.body(filled(&step.body));
        }
        let answer = call.await;
        step.check(&answer);
        if !answer.etag().is_empty() {
            etag = answer.etag().to_owned();
        }
        if let Some(found) = between(&answer.text(), "<d:sync-token>", "</d:sync-token>") {
            token = found.to_owned();
        }
    }
}

impl Step {
    #[track_caller]
    fn check(&self, answer: &Answer) {
        let name = format!("{} {}", self.method, self.path);
        let text = without_declarations(&answer.text());
        assert_eq!(answer.status.as_u16(), self.status, "{name}: {text}");
        for part in &self.has {
            assert!(text.contains(part.as_str()), "{name}: {part} is not in {text}");
        }
        for part in &self.lacks {
            assert!(!text.contains(part.as_str()), "{name}: {part} is in {text}");
        }
        if let Some((header, part)) = self.header {
            assert!(answer.header(header).contains(part), "{name}: {header} is {:?}", answer.header(header));
        }
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    Some(text.rsplit_once(before)?.1.split_once(after)?.0)
}

fn without_declarations(text: &str) -> String {
    let mut parts = text.split(" xmlns:");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.splitn(3, '"').nth(2).unwrap_or_default());
    }
    plain
}
