//! The reports of address books: addressbook-query (RFC 6352 §8.6) and addressbook-multiget (§8.7).

use nichoir_contentline::as_text;
use nichoir_dav::{Error, MemberReport, Report, ReportCall, Response, Verdict};
use nichoir_store::{MemberFilter, Node};
use nichoir_xml::{Element, carddav};

use crate::address_data::AddressData;
use crate::extension::Carddav;
use crate::filter::Filter;
use crate::object::{AddressObject, Limits};

/// The table.
pub(crate) static REPORTS: &[Report] = &[
    Report { name: carddav::ADDRESSBOOK_QUERY, answer: |call| Box::pin(query(call)) },
    Report { name: carddav::ADDRESSBOOK_MULTIGET, answer: |call| Box::pin(multiget(call)) },
];

async fn query(call: ReportCall) -> Result<Response, Error> {
    let limits = limits_of(&call);
    // Nextcloud's web client leaves the filter out, or empty, and means everything.
    let filter = call.root.child(&carddav::FILTER).map(|element| Filter::of(element, &limits)).transpose()?;
    let filter = filter.unwrap_or_default();
    let data = data_of(&call)?;
    let limit = limit_of(&call.root)?;
    let judge = move |member: &Node| {
        if filter.is_empty() {
            return tell(member, &data, &limits);
        }
        let Some(object) = member.body.as_deref().and_then(|body| AddressObject::read(body, &limits).ok()) else {
            tracing::warn!(node.id = member.id.0, "a stored card cannot be read");
            return Verdict::Skip;
        };
        if filter.matches(&object.card) { Verdict::Tell(rendered(&object, &data)) } else { Verdict::Skip }
    };
    MemberReport::new(call, judge).await?.query(MemberFilter::default(), limit).await
}

async fn multiget(call: ReportCall) -> Result<Response, Error> {
    let limits = limits_of(&call);
    let data = data_of(&call)?;
    let hrefs_max = limits.multiget_hrefs_max;
    let judge = move |member: &Node| tell(member, &data, &limits);
    MemberReport::new(call, judge).await?.multiget(hrefs_max).await
}

/// A card in the form that was asked for; never 200 without it, upon which DAVx⁵ gives the whole book up.
fn tell(member: &Node, data: &AddressData, limits: &Limits) -> Verdict {
    if data.is_whole() {
        return Verdict::Tell(None);
    }
    match AddressObject::read(member.body.as_deref().unwrap_or_default(), limits) {
        Ok(object) => Verdict::Tell(rendered(&object, data)),
        Err(error) => Verdict::Fail(Error::internal("The card cannot be read.").caused_by(error)),
    }
}

fn rendered(object: &AddressObject<'_>, data: &AddressData) -> Option<String> {
    (!data.is_whole()).then(|| as_text(&data.render(object)).into_owned())
}

/// What is wanted of each card: the `CARDDAV:address-data` among the properties that are asked for.
fn data_of(call: &ReportCall) -> Result<AddressData, Error> {
    call.property(&carddav::ADDRESS_DATA).map_or_else(|| Ok(AddressData::default()), AddressData::of)
}

/// `CARDDAV:limit` (RFC 6352 §8.6.1).
fn limit_of(root: &Element) -> Result<Option<usize>, Error> {
    let Some(told) = root.child(&carddav::LIMIT).and_then(|limit| limit.child(&carddav::NRESULTS)) else {
        return Ok(None);
    };
    let limit = told.text().parse().ok().filter(|limit| *limit > 0);
    limit.map(Some).ok_or_else(|| Error::bad_request("CARDDAV:nresults is not a positive number."))
}

fn limits_of(call: &ReportCall) -> Limits {
    call.dav.extension::<Carddav>().map(|own| own.limits.clone()).unwrap_or_default()
}
