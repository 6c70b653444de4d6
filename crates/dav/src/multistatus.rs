//! The multistatus body. RFC 4918 §13.
//!
//! Written page by page and handed out as bytes; nothing is kept of what was sent. When something fails midway the
//! body ends with an error, so that the connection is cut: closed tags after half a listing would tell a client
//! that the other half was deleted.

use std::sync::LazyLock;

use bytes::Bytes;
use http::StatusCode;
use nichoir_xml::{Name, Tag, Writer, dav};

use crate::Dav;
use crate::error::Error;
use crate::property::Resource;
use crate::selection::{Scratch, Selection};
use crate::target::Mount;

static RESPONSE: LazyLock<Tag> = LazyLock::new(|| Tag::new(dav::RESPONSE));
static HREF: LazyLock<Tag> = LazyLock::new(|| Tag::new(dav::HREF));

/// A multistatus body in the making.
#[derive(Debug)]
pub struct Multistatus {
    writer: Writer,
    scratch: Scratch,
}

impl Default for Multistatus {
    fn default() -> Multistatus {
        Multistatus::new()
    }
}

impl Multistatus {
    /// An open `DAV:multistatus` element.
    pub fn new() -> Multistatus {
        Multistatus::with_root(&dav::MULTISTATUS)
    }

    /// The same below another root, such as `DAV:mkcol-response`.
    pub(crate) fn with_root(name: &Name) -> Multistatus {
        let mut writer = Writer::new();
        writer.declaration();
        writer.open_root(name);
        Multistatus { writer, scratch: Scratch::default() }
    }

    /// The properties of a resource.
    pub fn resource(&mut self, href: &str, resource: &Resource<'_>, selection: &Selection) {
        self.writer.start(&RESPONSE);
        self.writer.text_in(&HREF, href);
        selection.write(resource, &mut self.writer, &mut self.scratch);
        self.writer.end(&RESPONSE);
    }

    /// The status of a resource, without properties: 404 for one that is gone.
    pub fn status(&mut self, href: &str, status: StatusCode) {
        self.writer.open(&dav::RESPONSE);
        self.writer.text_element(&dav::HREF, href);
        self.writer.text_element(&dav::STATUS, status_line(status));
        self.writer.close();
    }

    /// A resource for which something failed, with the condition element.
    pub fn failure(&mut self, dav: &Dav, mount: &Mount, href: &str, error: &Error) {
        self.writer.open(&dav::RESPONSE);
        self.writer.text_element(&dav::HREF, href);
        self.writer.text_element(&dav::STATUS, status_line(error.status()));
        self.writer.open(&dav::ERROR);
        dav.write_error(error, Some(mount), &mut self.writer);
        self.writer.close();
        self.writer.close();
    }

    /// Anything else below the root.
    pub fn writer(&mut self) -> &mut Writer {
        &mut self.writer
    }

    /// How many bytes wait.
    pub fn waiting_bytes(&self) -> usize {
        self.writer.len()
    }

    /// What was written since the last time.
    pub fn take(&mut self) -> Bytes {
        self.writer.take()
    }

    /// Closes the root and hands out the rest.
    pub fn finish(mut self) -> Bytes {
        self.writer.close();
        self.writer.take()
    }
}

/// The propstat of the properties that are not there; nothing where there are none.
pub fn write_missing<'n>(names: impl IntoIterator<Item = &'n Name>, writer: &mut Writer) {
    let mut names = names.into_iter().peekable();
    if names.peek().is_none() {
        return;
    }
    writer.open(&dav::PROPSTAT);
    writer.open(&dav::PROP);
    names.for_each(|name| writer.empty(name));
    writer.close();
    writer.text_element(&dav::STATUS, status_line(StatusCode::NOT_FOUND));
    writer.close();
}

/// The status line of a propstat or response element. Always `HTTP/1.1`, whatever the connection speaks: clients
/// compare the text.
pub fn status_line(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200 => "HTTP/1.1 200 OK",
        201 => "HTTP/1.1 201 Created",
        204 => "HTTP/1.1 204 No Content",
        400 => "HTTP/1.1 400 Bad Request",
        401 => "HTTP/1.1 401 Unauthorized",
        403 => "HTTP/1.1 403 Forbidden",
        404 => "HTTP/1.1 404 Not Found",
        405 => "HTTP/1.1 405 Method Not Allowed",
        409 => "HTTP/1.1 409 Conflict",
        412 => "HTTP/1.1 412 Precondition Failed",
        413 => "HTTP/1.1 413 Content Too Large",
        415 => "HTTP/1.1 415 Unsupported Media Type",
        423 => "HTTP/1.1 423 Locked",
        424 => "HTTP/1.1 424 Failed Dependency",
        501 => "HTTP/1.1 501 Not Implemented",
        503 => "HTTP/1.1 503 Service Unavailable",
        507 => "HTTP/1.1 507 Insufficient Storage",
        _ => "HTTP/1.1 500 Internal Server Error",
    }
}
