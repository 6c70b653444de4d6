//! Requests to calendars and address books that several tests make.

use nichoir_xml::{Element, Name, dav};

use super::{Answer, Client};

const NAMESPACES: &str = "xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" \
     xmlns:card=\"urn:ietf:params:xml:ns:carddav\" xmlns:cs=\"http://calendarserver.org/ns/\" \
     xmlns:oc=\"http://owncloud.org/ns\" xmlns:nc=\"http://nextcloud.com/ns\" xmlns:n=\"http://nextcloud.org/ns\" xmlns:a=\"http://apple.com/ns/ical/\"";

/// An XML document whose root element is `root`, with the usual prefixes; `inner` stands in it.
pub(crate) fn document(root: &str, inner: &str) -> String {
    format!("<?xml version=\"1.0\"?><{root} {NAMESPACES}>{inner}</{root}>")
}

/// An event on a day of 2027.
pub(crate) fn event(uid: &str, summary: &str, extra: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//test//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\n\
         DTSTAMP:20270101T000000Z\r\nDTSTART:20270110T090000Z\r\nDTEND:20270110T100000Z\r\nSUMMARY:{summary}\r\n\
         {extra}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

impl Client {
    /// A request with an XML body.
    pub(crate) async fn xml(&self, method: &str, path: &str, depth: u8, body: String) -> Answer {
        let call = self.request(method, path).header("depth", &depth.to_string());
        call.header("content-type", "application/xml; charset=utf-8").body(body).await
    }

    /// The named properties, such as `d:displayname`, of a resource.
    pub(crate) async fn properties(&self, path: &str, depth: u8, names: &[&str]) -> Answer {
        let names: String = names.iter().map(|name| format!("<{name}/>")).collect();
        let body = document("d:propfind", &format!("<d:prop>{names}</d:prop>"));
        self.xml("PROPFIND", path, depth, body).await.expect(207)
    }

    /// Stores an iCalendar object.
    pub(crate) async fn put_event(&self, path: &str, body: String) -> Answer {
        self.request("PUT", path).header("content-type", "text/calendar; charset=utf-8").body(body).await
    }
}

impl Answer {
    /// The hrefs that a multistatus tells of, in its order.
    #[track_caller]
    pub(crate) fn hrefs(&self) -> Vec<String> {
        self.xml().children(&dav::RESPONSE).filter_map(|it| it.child(&dav::HREF)).map(Element::text).collect()
    }

    /// A property of the resource at `href`, if it has it.
    #[track_caller]
    pub(crate) fn property(&self, href: &str, name: &Name) -> Option<Element> {
        let root = self.xml();
        let is_meant = |it: &&Element| it.child(&dav::HREF).is_some_and(|it| it.text() == href);
        let response = root.elements().filter(|it| it.name == dav::RESPONSE).find(is_meant);
        let response = response.unwrap_or_else(|| panic!("{href} is not in {}", self.text()));
        let is_found = |it: &&Element| it.child(&dav::STATUS).is_some_and(|it| it.text() == "HTTP/1.1 200 OK");
        let props = response.elements().filter(is_found).filter_map(|it| it.child(&dav::PROP));
        props.flat_map(Element::elements).find(|it| it.name == *name).cloned()
    }

    /// The local names of the elements in a property, at any depth; empty where there is none.
    #[track_caller]
    pub(crate) fn elements(&self, href: &str, name: &Name) -> Vec<String> {
        fn collect(element: &Element, into: &mut Vec<String>) {
            for inner in element.elements() {
                into.push(inner.name.local.to_string());
                collect(inner, into);
            }
        }
        let mut found = Vec::new();
        if let Some(element) = self.property(href, name) {
            collect(&element, &mut found);
        }
        found
    }
}
