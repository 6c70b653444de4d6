//! What an office server can do: its `hosting/discovery` document.

use http::{HeaderMap, Method};
use nichoir_dav::BoxError;
use nichoir_outbound::{Outbound, Request, Url};
use nichoir_xml::{Element, Limits, Name, read};

use super::OfficeConfig;
use super::proof::Keys;

/// Office formats by the ending of a name, for servers that name their programs rather than media types.
const MEDIA_TYPES: [(&str, &str); 10] = [
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("doc", "application/msword"),
    ("xls", "application/vnd.ms-excel"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("rtf", "application/rtf"),
];

/// Something that it can do with a kind of file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Action {
    /// The media type or the program.
    app: String,
    /// The ending of names.
    suffix: String,
    pub(super) is_edit: bool,
    /// Where the document is opened, with `WOPISrc` still to be added.
    pub(super) url: String,
}

/// All of it, and the keys that it signs with.
#[derive(Debug)]
pub(super) struct Discovery {
    actions: Vec<Action>,
    pub(super) keys: Option<Keys>,
}

/// Asks the office server.
pub(super) async fn fetch(outbound: &Outbound, config: &OfficeConfig) -> Result<Discovery, BoxError> {
    let url = format!("{}/hosting/discovery", config.url.as_str().trim_end_matches('/'));
    let request = Request {
        method: Method::GET,
        url: Url::parse(&url)?,
        headers: HeaderMap::new(),
        body: bytes::Bytes::new(),
        answer_bytes_max: config.discovery_bytes_max,
    };
    let answer = outbound.send(request).await?;
    if !answer.status.is_success() {
        return Err(format!("hosting/discovery answers {}", answer.status).into());
    }
    let limits = Limits { request_xml_bytes: config.discovery_bytes_max, ..Limits::default() };
    let discovery = Discovery::of(&read(&answer.body, &limits)?);
    if discovery.actions.is_empty() { Err("hosting/discovery has no actions".into()) } else { Ok(discovery) }
}

fn plain(name: &str) -> Name {
    Name::owned("", name)
}

fn attribute<'e>(element: &'e Element, name: &str) -> &'e str {
    element.attribute(&plain(name)).unwrap_or("")
}

impl Discovery {
    fn of(root: &Element) -> Discovery {
        let mut actions = Vec::new();
        let named = |name: &'static str| move |element: &&Element| element.name == plain(name);
        let apps = root.elements().filter(named("net-zone")).flat_map(Element::elements).filter(named("app"));
        for app in apps {
            let found = app.elements().filter(named("action"));
            actions.extend(found.filter_map(|action| action_of(attribute(app, "name"), action)));
        }
        let keys = root.child(&plain("proof-key")).and_then(|key| {
            let told = |modulus: &str, exponent: &str| {
                (attribute(key, modulus).to_owned(), attribute(key, exponent).to_owned())
            };
            Keys::of([told("modulus", "exponent"), told("oldmodulus", "oldexponent")])
        });
        Discovery { actions, keys }
    }

    /// What opens a file of that name and type: to write where that is wished and possible.
    pub(super) fn action(&self, name: &str, media_type: &str, is_edit: bool) -> Option<&Action> {
        let suffix = name.rsplit_once('.').map(|(_, suffix)| suffix.to_ascii_lowercase()).unwrap_or_default();
        let is_meant = |action: &&Action| action.app == media_type || !suffix.is_empty() && action.suffix == suffix;
        let fitting = || self.actions.iter().filter(is_meant);
        let wished = fitting().find(|action| action.is_edit == is_edit);
        // A program that only edits shows a file as well: the token says what may be done.
        wished.or_else(|| fitting().next())
    }

    /// The media types that it opens.
    pub(super) fn media_types(&self) -> Vec<String> {
        let mut types: Vec<String> = Vec::new();
        for action in &self.actions {
            let by_suffix = || MEDIA_TYPES.iter().find(|(suffix, _)| *suffix == action.suffix).map(|(_, it)| *it);
            let told = if action.app.contains('/') { Some(&*action.app) } else { by_suffix() };
            if let Some(told) = told
                && !types.iter().any(|known| known == told)
            {
                types.push(told.to_owned());
            }
        }
        types
    }

    /// Where browsers reach it.
    pub(super) fn origin(&self, configured: &Url) -> String {
        let told = self.actions.first().and_then(|action| Url::parse(&action.url).ok());
        told.as_ref().unwrap_or(configured).origin().ascii_serialization()
    }
}

fn action_of(app: &str, element: &Element) -> Option<Action> {
    let is_edit = match attribute(element, "name") {
        "edit" => true,
        "view" | "view_comment" => false,
        _ => return None,
    };
    let url = without_placeholders(attribute(element, "urlsrc"));
    let is_address = Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    is_address.then(|| Action {
        app: app.to_owned(),
        suffix: attribute(element, "ext").to_ascii_lowercase(),
        is_edit,
        url,
    })
}

/// Without what stands in angle brackets, which the protocol lets be left out.
fn without_placeholders(url: &str) -> String {
    let mut plain = String::new();
    let mut rest = url;
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Discovery {
        Discovery::of(&read(text.as_bytes(), &Limits::default()).unwrap())
    }

    #[test]
    fn collabora_names_media_types_and_onlyoffice_endings() {
        let collabora = parse(
            "<wopi-discovery><net-zone name=\"e\"><app name=\"application/vnd.oasis.opendocument.text\">\
             <action default=\"true\" ext=\"odt\" name=\"edit\" urlsrc=\"https://o.test/browser/1/cool.html?\"/></app>\
             <app name=\"image/png\"><action ext=\"png\" name=\"view\" urlsrc=\"https://o.test/browser/1/cool.html?\"/></app>\
             <app name=\"Capabilities\"><action ext=\"\" name=\"getinfo\" urlsrc=\"https://o.test/hosting/capabilities\"/></app>\
             </net-zone></wopi-discovery>",
        );
        assert_eq!(collabora.media_types(), ["application/vnd.oasis.opendocument.text", "image/png"]);
        let odt = collabora.action("a.ODT", "application/x", true).unwrap();
        assert!(odt.is_edit && odt.url == "https://o.test/browser/1/cool.html?");
        assert!(!collabora.action("a.png", "image/png", true).unwrap().is_edit);
        assert!(collabora.action("a.txt", "text/plain", true).is_none());
        assert!(collabora.action("Capabilities", "x", true).is_none());
        assert!(collabora.keys.is_none());
        assert_eq!(collabora.origin(&Url::parse("http://10.0.0.1:9980").unwrap()), "https://o.test");

        let onlyoffice = parse(
            "<wopi-discovery><net-zone name=\"external-http\"><app name=\"Word\">\
             <action name=\"view\" ext=\"docx\" urlsrc=\"https://d.test/hosting/wopi/word/view?&lt;rs=DC_LLCC&amp;&gt;&lt;ui=UI_LLCC&amp;&gt;\"/>\
             <action name=\"edit\" ext=\"docx\" urlsrc=\"https://d.test/hosting/wopi/word/edit?&lt;rs=DC_LLCC&amp;&gt;\"/>\
             <action name=\"edit\" ext=\"x\" urlsrc=\"javascript:alert(1)\"/></app></net-zone></wopi-discovery>",
        );
        assert_eq!(onlyoffice.action("a.docx", "", true).unwrap().url, "https://d.test/hosting/wopi/word/edit?");
        assert_eq!(onlyoffice.action("a.docx", "", false).unwrap().url, "https://d.test/hosting/wopi/word/view?");
        assert_eq!(onlyoffice.media_types().len(), 1);
        assert!(onlyoffice.action("a.x", "", true).is_none());
    }
}
