//! The Nextcloud dialect of DAV behind a public link: the words of the files' dialect, and of its properties those that are
//! for everybody to see.

use http::HeaderMap;
use nichoir_dav::{Answered, Answering, Call, Error, Extension, Property, PutOptions};
use nichoir_store::Node;
use nichoir_xml::{Name, Writer, nc, oc};

use super::property;
use crate::dialect::{is_desktop_client, safe_media_type};
use crate::{error_body, headers, names, zip};

/// The dialect on a tree that was opened by a link.
#[derive(Clone, Copy, Debug, Default)]
pub struct NextcloudLinks;

impl Extension for NextcloudLinks {
    fn properties(&self) -> &'static [Property] {
        property::PROPERTIES
    }

    fn reserves_property(&self, name: &Name) -> bool {
        name.is_in(oc::NAMESPACE) || name.is_in(nc::NAMESPACE)
    }

    fn check_name(&self, name: &str) -> Result<(), Error> {
        names::check(name)
    }

    fn prepare_put(&self, headers: &HeaderMap, put: &mut PutOptions) -> Result<(), Error> {
        headers::prepare_put(headers, put)
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

    fn get_collection(&self, call: &Call<'_>, folder: &Node) -> Option<Answering> {
        zip::get_collection(call, folder)
    }
}
