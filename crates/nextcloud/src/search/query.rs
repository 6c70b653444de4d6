//! `DAV:searchrequest` with `DAV:basicsearch` (RFC 5323 §5), as Nextcloud's apps send it: what is told, where is looked, what
//! for, in which order, how much.

use std::cmp::Ordering;

use http::StatusCode;
use nichoir_dav::{Error, PropertyRequest, href};
use nichoir_store::{Candidate, NodePath, Reach, Search, Sieve};
use nichoir_xml::{Element, Name, dav, nc};

use super::predicate::{Field, Predicate};

/// The name that Nextcloud's server took from the library it uses; `nc:firstresult` means the same.
const FIRSTRESULT: Name = Name::new("https://github.com/icewind1991/SearchDAV/ns", "firstresult");
/// Scopes of one search.
const SCOPES_MAX: usize = 16;

/// A search request.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) properties: PropertyRequest,
    /// What the first scope's path begins with, as the client spelt it: so begin the hrefs of the answer.
    pub(super) prefix: String,
    pub(super) search: Search,
    pub(super) sieve: BasicSieve,
    /// Whether the client said how many it wants.
    pub(super) has_limit: bool,
}

/// What a `DAV:basicsearch` lets through, and in which order.
#[derive(Debug)]
pub(super) struct BasicSieve {
    predicate: Predicate,
    /// What to order by, and whether the largest comes first.
    orders: Vec<(Field, bool)>,
}

impl Sieve for BasicSieve {
    fn lets_through(&self, candidate: &Candidate) -> bool {
        self.predicate.holds(candidate) == Some(true)
    }

    fn compare(&self, one: &Candidate, other: &Candidate) -> Ordering {
        let compared = self.orders.iter().map(|(field, is_descending)| match is_descending {
            true => field.compare(other, one),
            false => field.compare(one, other),
        });
        compared.fold(Ordering::Equal, Ordering::then)
    }
}

impl Query {
    /// `root` is the path of the DAV root as requested, without a trailing slash; at most `results_max` are told of.
    pub(super) fn of(request: &Element, root: &str, login: &str, results_max: usize) -> Result<Query, Error> {
        let unknown = || {
            Error::new(StatusCode::UNPROCESSABLE_ENTITY, "Only DAV:basicsearch is understood.")
                .with_condition(dav::SEARCH_GRAMMAR_SUPPORTED)
        };
        if request.name != dav::SEARCHREQUEST {
            return Err(Error::bad_request("The body of a SEARCH is a DAV:searchrequest element."));
        }
        let basic = request.child(&dav::BASICSEARCH).ok_or_else(unknown)?;
        let missing = |name: &str| Error::bad_request(format!("Missing {{DAV:}}{name}"));
        let select = basic.child(&dav::SELECT).ok_or_else(|| missing("select"))?;
        let properties = match PropertyRequest::child_of(select)? {
            Some(PropertyRequest::Prop(names)) if names.is_empty() => None,
            told => told,
        };
        let from = basic.child(&dav::FROM).ok_or_else(|| missing("from"))?;
        let (prefix, scopes) = scopes_of(from, root, login)?;
        let predicate = match basic.child(&dav::WHERE) {
            Some(condition) => Predicate::of(condition, login)?,
            None => Predicate::All(Vec::new()),
        };
        let mut orders = basic.child(&dav::ORDERBY).map(orders_of).unwrap_or_default();
        if orders.is_empty() {
            // In no order that was asked for: if some are cut off, then the oldest.
            orders.push((Field::Modified, true));
        }
        let (wanted, offset) = limits_of(basic)?;
        let mut search = Search {
            scopes,
            is_newest_first: orders.first() == Some(&(Field::Modified, true)),
            knows_favourites: predicate.knows_favourites()
                || orders.iter().any(|(field, _)| *field == Field::Favourite),
            offset,
            limit: wanted.unwrap_or(usize::MAX).min(results_max),
            ..Search::below(NodePath::root())
        };
        predicate.narrow(&mut search);
        let has_limit = wanted.is_some_and(|wanted| wanted <= results_max);
        let properties = properties.unwrap_or(PropertyRequest::AllProp { include: Vec::new() });
        Ok(Query { properties, prefix, search, sieve: BasicSieve { predicate, orders }, has_limit })
    }
}

/// Where to look: `/files/LOGIN/…` relative to the DAV root as the apps say it, or a whole path or URL.
fn scopes_of(from: &Element, root: &str, login: &str) -> Result<(String, Vec<(NodePath, Reach)>), Error> {
    let mut prefix = None;
    let mut scopes = Vec::new();
    for scope in from.children(&dav::SCOPE) {
        let place = scope.child(&dav::HREF).map(Element::text);
        let place = place.ok_or_else(|| Error::bad_request("Missing {DAV:}href"))?;
        let (own, path) = place_of(&place, root, login)?;
        prefix.get_or_insert(own);
        scopes.push((path, reach_of(scope)?));
    }
    match prefix {
        _ if scopes.len() > SCOPES_MAX => Err(Error::bad_request(format!("A search has at most {SCOPES_MAX} scopes."))),
        Some(prefix) => Ok((prefix, scopes)),
        None => Err(Error::bad_request("Missing {DAV:}scope")),
    }
}

/// The path up to the login as it stands in hrefs, and the path below it. Another account's files and none are the same.
fn place_of(place: &str, root: &str, login: &str) -> Result<(String, NodePath), Error> {
    let path = match place.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => place,
    };
    let path = path.strip_prefix("/index.php").unwrap_or(path);
    for legacy in ["/remote.php/webdav", "/remote.php/files"] {
        if let Some(below) = path.strip_prefix(legacy).filter(|below| below.is_empty() || below.starts_with('/')) {
            return Ok((legacy.to_owned(), href::path_below("", below)?));
        }
    }
    let path = path.strip_prefix("/remote.php/dav").unwrap_or(path);
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let (files, owner) = (segments.next(), segments.next());
    if files.is_none_or(|files| files == "files") && owner.is_none() {
        // Everything that there is to search is the caller's own files.
        let mut prefix = format!("{root}/files/");
        href::append_name(&mut prefix, login);
        return Ok((prefix, NodePath::root()));
    }
    let owner = owner.filter(|_| files == Some("files")).ok_or_else(Error::not_found)?;
    if !href::decode(owner)?.eq_ignore_ascii_case(login) {
        return Err(Error::not_found());
    }
    let names = segments.map(href::decode).collect::<Result<Vec<_>, _>>()?;
    Ok((format!("{root}/files/{owner}"), NodePath::of(names)?))
}

fn reach_of(scope: &Element) -> Result<Reach, Error> {
    match scope.child(&dav::DEPTH).map(Element::text).as_deref() {
        Some("0") => Ok(Reach::Itself),
        Some("1") => Ok(Reach::Members),
        None | Some("") => Ok(Reach::All),
        Some(depth) if depth.eq_ignore_ascii_case("infinity") => Ok(Reach::All),
        Some(_) => Err(Error::bad_request("The depth of a scope must be 0, 1 or infinity.")),
    }
}

/// What to order by; properties that nothing can be ordered by are passed over.
fn orders_of(orderby: &Element) -> Vec<(Field, bool)> {
    let order = |order: &Element| {
        let property = order.child(&dav::PROP)?.elements().next()?;
        Some((Field::of(&property.name)?, order.child(&dav::DESCENDING).is_some()))
    };
    orderby.children(&dav::ORDER).filter_map(order).filter(|(field, _)| *field != Field::Owner).take(8).collect()
}

/// How many are wanted, after how many.
fn limits_of(basic: &Element) -> Result<(Option<usize>, usize), Error> {
    let Some(limit) = basic.child(&dav::LIMIT) else { return Ok((None, 0)) };
    let number = |name: &Name| {
        let text = limit.child(name).map(Element::text).filter(|text| !text.is_empty());
        let bad = |_| Error::bad_request("A limit of the search is no number.");
        text.map(|text| text.parse::<u32>().map(|number| number as usize).map_err(bad)).transpose()
    };
    let first = match number(&FIRSTRESULT)? {
        Some(first) => Some(first),
        None => number(&nc::FIRSTRESULT)?,
    };
    Ok((number(&dav::NRESULTS)?, first.unwrap_or(0)))
}
