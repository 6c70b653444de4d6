//! CardDAV as an extension of the DAV engine: what address books add to it. RFC 6352.

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use nichoir_dav::virtual_resource::VirtualValue;
use nichoir_dav::{Answering, Body, Call, CheckedMember, Error, Extension, Hint, Property, Report, principal};
use nichoir_store::{Account, CollectionKind, Node};
use nichoir_xml::{Element, Name, carddav, dav};

use crate::object::{AddressObject, Limits, unsupported};
use crate::{export, import, photo, property, report};

/// Address books: properties, reports, checks of what is stored, whole books and pictures for browsers.
#[derive(Clone, Debug, Default)]
pub struct Carddav {
    /// The limits in force.
    pub limits: Limits,
}

impl Extension for Carddav {
    fn features(&self) -> &'static [&'static str] {
        &["addressbook"]
    }

    fn methods(&self) -> &'static [&'static str] {
        &["POST"]
    }

    fn properties(&self) -> &'static [Property] {
        property::PROPERTIES
    }

    fn reports(&self) -> &'static [Report] {
        report::REPORTS
    }

    fn name_condition(&self, hint: Hint) -> Option<Name> {
        match hint {
            Hint::UidTaken => Some(carddav::NO_UID_CONFLICT),
            Hint::WrongComponent => Some(carddav::SUPPORTED_ADDRESS_DATA),
            Hint::WrongPlace => Some(carddav::ADDRESSBOOK_COLLECTION_LOCATION_OK),
            Hint::TooLargeMember => Some(carddav::MAX_RESOURCE_SIZE),
            _ => None,
        }
    }

    fn collection_kind(&self, types: &[&Name], _: &[&Element]) -> Result<Option<CollectionKind>, Error> {
        match types {
            [only] if **only == carddav::ADDRESSBOOK => Ok(Some(CollectionKind::AddressBook)),
            _ if types.contains(&&carddav::ADDRESSBOOK) => {
                let error = Error::forbidden("An address book is nothing else besides.");
                Err(error.with_condition(dav::VALID_RESOURCETYPE))
            }
            _ => Ok(None),
        }
    }

    fn member_bytes_max(&self) -> Option<usize> {
        Some(self.limits.object_bytes_max)
    }

    fn check_member(&self, headers: &HeaderMap, bytes: &Bytes) -> Result<CheckedMember, Error> {
        check_media_type(headers, bytes)?;
        let index = AddressObject::check(bytes, &self.limits)?.index();
        // Nextcloud's library looks no further than the semicolon, and so a version would be of no use.
        Ok(CheckedMember { index, media_type: "text/vcard; charset=utf-8".to_owned() })
    }

    fn principal_properties(&self, account: &Account, root: &str) -> Vec<(Name, VirtualValue)> {
        let home = principal::href_of(&format!("{root}/addressbooks/users/"), &account.login);
        vec![(carddav::ADDRESSBOOK_HOME_SET, VirtualValue::Hrefs(vec![home]))]
    }

    fn get_collection(&self, call: &Call<'_>, folder: &Node) -> Option<Answering> {
        let is_book = |kind| matches!(kind, &CollectionKind::AddressBook | &CollectionKind::MemberDirectory);
        (folder.collection.as_deref().is_some_and(is_book) && asks_for(call, "export"))
            .then(|| export::answer(call, folder))
    }

    fn method(&self, call: &Call<'_>, body: Body) -> Result<Answering, Body> {
        let is_sent = ["POST", "PUT"].contains(&call.parts.method.as_str());
        match is_sent && nichoir_dav::import::is_asked_for(call.parts) {
            true => Ok(import::answer(call, body, &self.limits)),
            false => Err(body),
        }
    }

    fn get_member(&self, call: &Call<'_>, member: &Node) -> Option<Answering> {
        asks_for(call, "photo").then(|| photo::answer(call, member, self.limits.clone()))
    }
}

/// Whether the query of the URL has that word: `?export`, `?photo&size=32`.
fn asks_for(call: &Call<'_>, word: &str) -> bool {
    let query = call.parts.uri.query().unwrap_or_default();
    query.split('&').any(|part| part.split('=').next() == Some(word))
}

/// RFC 6352 §6.3.2.1: a vCard in UTF-8, said so or not said at all.
fn check_media_type(headers: &HeaderMap, bytes: &[u8]) -> Result<(), Error> {
    let Some(told) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let mut parts = told.to_str().unwrap_or_default().split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    // The older names of vCard, and what tools say that do not know better.
    let known = [
        "",
        "text/vcard",
        "text/x-vcard",
        "text/directory",
        "text/plain",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
    ];
    if !known.iter().any(|known| known.eq_ignore_ascii_case(media_type)) {
        return Err(unsupported("An address book holds text/vcard."));
    }
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    let is_utf8 = charset.is_none_or(|charset| {
        ["utf-8", "utf8", "us-ascii"].iter().any(|known| known.eq_ignore_ascii_case(charset)) || bytes.is_ascii()
    });
    if is_utf8 { Ok(()) } else { Err(unsupported("A vCard is written in UTF-8.")) }
}
