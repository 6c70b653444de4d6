//! The Nextcloud dialect of DAV on files, as an extension of the engine.

use std::sync::LazyLock;

use http::HeaderMap;
use http::header::USER_AGENT;
use nichoir_dav::{Answered, Answering, Call, Error, Extension, Property, PutOptions, Report};
use nichoir_preview::Kinds;
use nichoir_store::Node;
use nichoir_xml::{Name, Writer, dav, nc, oc};

use crate::{error_body, file_lock, filter_files, headers, names, property, share_property, zip};

/// The rows of every table of files.
static ALL_PROPERTIES: LazyLock<Vec<Property>> =
    LazyLock::new(|| [property::PROPERTIES, share_property::PROPERTIES].concat());

/// Properties, headers, name rules, error words, archives: what turns DAV into Nextcloud's DAV.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nextcloud {
    /// Of which files there are previews.
    pub previews: Kinds,
}

impl Extension for Nextcloud {
    /// Answered by [`crate::search`], whatever it is sent to.
    fn methods(&self) -> &'static [&'static str] {
        &["SEARCH"]
    }

    fn properties(&self) -> &'static [Property] {
        &ALL_PROPERTIES
    }

    fn reports(&self) -> &'static [Report] {
        filter_files::REPORTS
    }

    fn reserves_property(&self, name: &Name) -> bool {
        name.is_in(oc::NAMESPACE) || name.is_in(nc::NAMESPACE)
    }

    /// RFC 4331 §3 would rather not; `webdav` (npm) learns the quota by no other request, and nothing is cheaper here.
    fn lists_in_allprop(&self, name: &Name) -> Option<bool> {
        [dav::QUOTA_AVAILABLE_BYTES, dav::QUOTA_USED_BYTES].contains(name).then_some(true)
    }

    fn check_name(&self, name: &str) -> Result<(), Error> {
        names::check(name)
    }

    fn prepare_put(&self, headers: &HeaderMap, put: &mut PutOptions) -> Result<(), Error> {
        headers::prepare_put(headers, put)
    }

    fn skips_trash(&self, headers: &HeaderMap) -> bool {
        headers.get("x-nc-skip-trashbin").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
    }

    fn is_lenient_about_if(&self, headers: &HeaderMap) -> bool {
        is_desktop_client(headers)
    }

    fn served_media_type(&self, media_type: &str) -> Option<&'static str> {
        safe_media_type(media_type)
    }

    fn decorate(&self, answered: &Answered<'_>, headers: &mut HeaderMap) {
        headers::decorate(answered, headers);
    }

    fn render_error(&self, error: &Error, writer: &mut Writer) {
        error_body::render(error, writer);
    }

    fn lock(&self, call: &Call<'_>) -> Option<Answering> {
        file_lock::answer(call)
    }

    fn get_collection(&self, call: &Call<'_>, folder: &Node) -> Option<Answering> {
        zip::get_collection(call, folder)
    }
}

/// What is served instead of what a browser would run on the space's own origin.
pub(crate) fn safe_media_type(media_type: &str) -> Option<&'static str> {
    let is_active = ["text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"]
        .contains(&media_type)
        || media_type.contains("javascript");
    is_active.then_some("text/plain; charset=utf-8")
}

/// Whether the request comes from the Nextcloud desktop client or one built on its sync engine.
pub(crate) fn is_desktop_client(headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    agent.is_some_and(|agent| agent.contains("mirall/"))
}
