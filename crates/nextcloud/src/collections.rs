//! The Nextcloud dialect of calendars and address books, as an extension of the engine: sharing, publishing, and the
//! words for both.

use futures_util::future::BoxFuture;
use http::HeaderMap;
use nichoir_dav::virtual_resource::VirtualResource;
use nichoir_dav::{Answered, Answering, Call, Error, Extension, Property};
use nichoir_store::Area;
use nichoir_xml::{Element, Writer, cs, oc};

use crate::{calendar_trash, collection_property, error_body, headers, publishing, sharing};

/// What Nextcloud's clients expect of a calendar or address book home.
#[derive(Clone, Copy, Debug)]
pub struct NextcloudCollections {
    /// Which of the two.
    pub area: Area,
}

impl Extension for NextcloudCollections {
    fn features(&self) -> &'static [&'static str] {
        match self.area {
            Area::Calendars => &[
                "oc-resource-sharing",
                "oc-calendar-publishing",
                "nc-calendar-trashbin",
                "nc-calendar-webcal-cache",
                "calendarserver-subscribed",
            ],
            Area::Files | Area::AddressBooks => &["oc-resource-sharing"],
        }
    }

    fn methods(&self) -> &'static [&'static str] {
        &["POST"]
    }

    fn properties(&self) -> &'static [Property] {
        collection_property::PROPERTIES
    }

    fn skips_trash(&self, headers: &HeaderMap) -> bool {
        headers.get("x-nc-caldav-no-trashbin").is_some_and(|value| value == "1")
    }

    fn decorate(&self, answered: &Answered<'_>, headers: &mut HeaderMap) {
        headers::decorate_member(answered, headers);
    }

    fn render_error(&self, error: &Error, writer: &mut Writer) {
        // A condition of the RFCs says it all, to every client; without one, there are still Nextcloud's words.
        if error.condition().is_none() {
            error_body::render(error, writer);
        }
    }

    fn more_members(&self, call: &Call<'_>) -> Option<BoxFuture<'static, Result<Vec<VirtualResource>, Error>>> {
        (self.area == Area::Calendars && !call.caller.tree.is_published()).then(|| calendar_trash::more_members(call))
    }

    fn post(&self, call: &Call<'_>, root: &Element) -> Option<Answering> {
        let is_calendar = self.area == Area::Calendars;
        if root.name == oc::SHARE {
            Some(sharing::answer(call, root))
        } else if root.name == cs::PUBLISH_CALENDAR && is_calendar {
            Some(publishing::publish(call))
        } else if root.name == cs::UNPUBLISH_CALENDAR && is_calendar {
            Some(publishing::unpublish(call))
        } else {
            None
        }
    }
}
