//! Whole requests about address books, one file per subject, on every engine at hand.

mod books;
mod cards;
mod downloads;
mod multiget;
mod query;
#[path = "../../../dav/tests/requests/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the engine, which use the rest of it")]
mod support;

use std::sync::Arc;

use nichoir_carddav::{Carddav, Limits};
use nichoir_store::Area;

use crate::support::{Answer, Server, on_every_engine};

/// Cards are small here, so that limits can be met.
pub(crate) const CARD_BYTES_MAX: usize = 4_000;

/// Runs `test` with address books, on every engine at hand.
pub(crate) async fn with_books<F: AsyncFn(&Server)>(test: F) {
    let limits = Limits {
        object_bytes_max: CARD_BYTES_MAX,
        multiget_hrefs_max: 5,
        filter_conditions_max: 5,
        ..Limits::default()
    };
    on_every_engine(Area::AddressBooks, Arc::new(Carddav { limits }), test).await;
}

/// A card of that UID and name, with more lines.
pub(crate) fn card(uid: &str, name: &str, more: &str) -> String {
    let more: String = more.lines().map(|line| format!("{line}\r\n")).collect();
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\n{more}END:VCARD\r\n")
}

pub(crate) async fn put(server: &Server, path: &str, card: impl Into<String>) -> Answer {
    server.send("PUT", path, "Content-Type: text/vcard; charset=utf-8", card.into()).await
}

/// Depth 0 or 1, these properties.
pub(crate) async fn properties(server: &Server, path: &str, depth: &str, names: &str) -> Answer {
    let body = format!(
        "<d:propfind xmlns:d='DAV:' xmlns:card='urn:ietf:params:xml:ns:carddav' \
         xmlns:cs='http://calendarserver.org/ns/'><d:prop>{names}</d:prop></d:propfind>"
    );
    server.propfind(path, depth, &body).await.expect(207)
}

/// A report on an address book; `data` stands in the `CARDDAV:address-data`, whole.
pub(crate) async fn report(server: &Server, name: &str, path: &str, data: &str, inside: &str) -> Answer {
    let body = format!(
        "<card:{name} xmlns:d='DAV:' xmlns:card='urn:ietf:params:xml:ns:carddav'>\
         <d:prop><d:getetag/>{data}</d:prop>{inside}</card:{name}>"
    );
    server.send("REPORT", path, "Depth: 1", body).await
}

pub(crate) const DATA: &str = "<card:address-data/>";

/// The last segments of the hrefs of an answer, in its order.
pub(crate) fn names(answer: &Answer) -> Vec<String> {
    let name = |href: &String| href.rsplit('/').next().unwrap_or_default().to_owned();
    answer.all("d:href").iter().map(name).collect()
}

/// The data in an answer, as an XML parser reads it.
pub(crate) fn data(answer: &Answer) -> Vec<String> {
    let limits = nichoir_xml::Limits { request_xml_bytes: answer.body.len(), ..nichoir_xml::Limits::default() };
    let root = nichoir_xml::read(&answer.body, &limits).expect("well-formed");
    let mut found = Vec::new();
    collect(&root, &mut found);
    found
}

fn collect(element: &nichoir_xml::Element, found: &mut Vec<String>) {
    if element.name == nichoir_xml::carddav::ADDRESS_DATA {
        let text = element.content.iter().filter_map(|child| match child {
            nichoir_xml::Child::Text(text) => Some(text.as_str()),
            nichoir_xml::Child::Element(_) => None,
        });
        found.push(text.collect());
    }
    element.elements().for_each(|inside| collect(inside, found));
}
