//! principal-property-search and principal-search-property-set: find people by what they are called. RFC 3744 §9.4,
//! §9.5. Beyond it, as clients expect: `test="anyof"` on the report, `match-type` on a match.

use http::StatusCode;
use nichoir_auth::Caller;
use nichoir_xml::{Element, Name, caldav, dav, sabre};

use crate::Dav;
use crate::answer;
use crate::error::Error;
use crate::multistatus::Multistatus;
use crate::request::Response;
use crate::selection::PropertyRequest;
use crate::target::Mount;
use crate::virtual_resource::VirtualResource;

/// What can be searched, and what it is called.
const SEARCHABLE: [(Name, &str); 4] = [
    (dav::DISPLAYNAME, "Display name"),
    (sabre::EMAIL_ADDRESS, "Mail address"),
    (caldav::CALENDAR_USER_ADDRESS_SET, "Calendar user address"),
    (caldav::CALENDAR_USER_TYPE, "Calendar user type"),
];

/// Principals in one answer; more are cut and said to be (507).
const RESULTS_MAX: usize = 100;

/// A search, understood.
#[derive(Debug)]
struct Search {
    terms: Vec<Term>,
    is_anyof: bool,
    properties: PropertyRequest,
}

/// One `DAV:property-search`: all of its properties that are there are looked at, and one has to match.
#[derive(Debug)]
struct Term {
    names: Vec<Name>,
    wanted: String,
    kind: Match,
}

#[derive(Clone, Copy, Debug)]
enum Match {
    Contains,
    Equals,
    StartsWith,
    EndsWith,
}

impl Search {
    fn of(root: &Element) -> Result<Search, Error> {
        let is_anyof = root.attribute(&Name::new("", "test")).is_some_and(|test| test.eq_ignore_ascii_case("anyof"));
        let terms = root.children(&dav::PROPERTY_SEARCH).map(Term::of).collect::<Result<Vec<_>, _>>()?;
        let mut properties = PropertyRequest::child_of(root)?.unwrap_or(PropertyRequest::Prop(Vec::new()));
        if let PropertyRequest::Prop(names) = &mut properties {
            names.extend(names_beside_prop(root));
        }
        Ok(Search { terms, is_anyof, properties })
    }

    /// No condition at all, which python-caldav sends to list everybody, finds everybody.
    fn finds(&self, principal: &VirtualResource) -> bool {
        match self.is_anyof && !self.terms.is_empty() {
            true => self.terms.iter().any(|term| term.finds(principal)),
            false => self.terms.iter().all(|term| term.finds(principal)),
        }
    }
}

/// python-caldav (seen in 3.6.0) writes an empty `DAV:prop` and the properties that it wants beside it.
fn names_beside_prop(root: &Element) -> impl Iterator<Item = Name> {
    const KNOWN: [Name; 5] =
        [dav::PROPERTY_SEARCH, dav::PROP, dav::LIMIT, dav::APPLY_TO_PRINCIPAL_COLLECTION_SET, dav::ALLPROP];
    root.elements().map(|element| &element.name).filter(|name| !KNOWN.contains(name)).cloned()
}

impl Term {
    fn of(element: &Element) -> Result<Term, Error> {
        let names: Vec<Name> =
            element.child(&dav::PROP).into_iter().flat_map(Element::elements).map(|it| it.name.clone()).collect();
        let told = element.child(&dav::MATCH).filter(|_| !names.is_empty());
        let told = told.ok_or_else(|| Error::bad_request("A property-search holds a prop and a match."))?;
        let kind = match told.attribute(&Name::new("", "match-type")) {
            Some("equals") => Match::Equals,
            Some("starts-with") => Match::StartsWith,
            Some("ends-with") => Match::EndsWith,
            _ => Match::Contains,
        };
        Ok(Term { names, wanted: told.text().to_lowercase(), kind })
    }

    fn finds(&self, principal: &VirtualResource) -> bool {
        let texts = self.names.iter().filter_map(|name| principal.value(name)).flat_map(|value| value.texts());
        texts.into_iter().any(|text| {
            let text = text.to_lowercase();
            match self.kind {
                Match::Contains => text.contains(&self.wanted),
                Match::Equals => text == self.wanted,
                Match::StartsWith => text.starts_with(&self.wanted),
                Match::EndsWith => text.ends_with(&self.wanted),
            }
        })
    }
}

/// The principals of the space that match. `own` is the href that was asked.
pub(crate) async fn search(
    dav: &Dav,
    caller: &Caller,
    mount: &Mount,
    own: &str,
    root: &Element,
) -> Result<Response, Error> {
    let search = Search::of(root)?;
    let principals = dav.principals(caller, mount).await?;
    let mut body = Multistatus::new();
    let mut found = principals.iter().filter(|principal| search.finds(principal));
    for principal in found.by_ref().take(RESULTS_MAX) {
        dav.write_virtual(principal, &search.properties, false, body.writer());
    }
    if found.next().is_some() {
        body.failure(dav, mount, own, &super::sync_collection::too_many());
    }
    Ok(answer::xml(StatusCode::MULTI_STATUS, body.finish()))
}

/// What can be searched for.
pub(crate) fn search_property_set() -> Response {
    let mut body = Multistatus::with_root(&dav::PRINCIPAL_SEARCH_PROPERTY_SET);
    let writer = body.writer();
    for (name, description) in &SEARCHABLE {
        writer.open(&dav::PRINCIPAL_SEARCH_PROPERTY);
        writer.open(&dav::PROP);
        writer.empty(name);
        writer.close();
        writer.open_with(&dav::DESCRIPTION, &[(&Name::new("http://www.w3.org/XML/1998/namespace", "lang"), "en")]);
        writer.text(description);
        writer.close();
        writer.close();
    }
    answer::xml(StatusCode::OK, body.finish())
}
