//! free-busy-query: when a calendar is busy. RFC 4791 §7.10.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use nichoir_dav::header::depth::Depth;
use nichoir_dav::report::ReportCall;
use nichoir_dav::request::full;
use nichoir_dav::{Error, Response};
use nichoir_store::{CollectionKind, MemberFilter, Needs, Node, NodePath, Tree};
use nichoir_xml::{caldav, dav};

use super::limits_of;
use crate::calendar_zone;
use crate::filter::time_range;
use crate::free_busy::FreeBusy;
use crate::object::{CalendarObject, Limits};
use crate::time::TimeRange;
use crate::timezone::Zone;

pub(super) async fn answer(call: ReportCall) -> Result<Response, Error> {
    let limits = limits_of(&call);
    let range = range_of(&call, &limits)?;
    let tree = &call.caller.tree;
    let node = tree.node(&call.path, Needs::DEAD_PROPERTIES).await?;
    let mut found = FreeBusy::within(range);
    // Messages take no time, and the outbox holds nothing.
    let is_for_messages = matches!(node.collection.as_deref(), Some(CollectionKind::Inbox | CollectionKind::Outbox));
    if !node.is_folder() || is_for_messages {
        return Err(Error::unknown_report());
    }
    if node.collection.is_some() {
        add_calendar(tree, &call.path, &node, &mut found, &limits).await?;
    } else if call.depth != Depth::Zero {
        let mut after = None;
        loop {
            let page = tree.children(&call.path, &node, after, Needs::DEAD_PROPERTIES).await?;
            for calendar in page.nodes.iter().filter(|node| node.is_folder()) {
                add_calendar(tree, &call.path.child(&calendar.name), calendar, &mut found, &limits).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    let now_seconds = call.caller.space.ports().clock.now().seconds();
    let body = found.to_calendar(now_seconds, None, &[]);
    let length = body.len();
    let mut response = Response::new(full(body));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8"));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    Ok(response)
}

/// The `CALDAV:time-range`, which has both ends and is not too long.
fn range_of(call: &ReportCall, limits: &Limits) -> Result<TimeRange, Error> {
    let told = call.root.child(&caldav::TIME_RANGE);
    let range = time_range(told.ok_or_else(|| Error::bad_request("A free-busy-query has a time-range."))?)?;
    if range.end.saturating_sub(range.start) > limits.expand_seconds_max {
        return Err(Error::forbidden("The time-range is open or too long.")
            .with_condition(dav::NUMBER_OF_MATCHES_WITHIN_LIMITS));
    }
    Ok(range)
}

/// What one calendar adds; other collections add nothing.
pub(crate) async fn add_calendar(
    tree: &Tree,
    path: &NodePath,
    calendar: &Node,
    found: &mut FreeBusy,
    limits: &Limits,
) -> Result<(), Error> {
    if !matches!(calendar.collection.as_deref(), Some(CollectionKind::Calendar(_))) {
        return Ok(());
    }
    let zone = calendar_zone::of_collection(calendar).unwrap_or(Zone::Utc);
    let TimeRange { start, end } = found.range();
    let filter = MemberFilter { start_seconds: start, end_seconds: end, ..MemberFilter::default() };
    let mut after = None;
    loop {
        let page = tree.members(path, calendar, &filter, after, Needs::BODY).await?;
        for member in &page.nodes {
            match member.body.as_deref().map(|body| CalendarObject::read(body, limits)) {
                Some(Ok(object)) => found.add(&object, &zone, limits),
                Some(Err(error)) => {
                    tracing::warn!(node.id = member.id.0, cause = %error, "a stored calendar object cannot be read");
                }
                None => {}
            }
            // Each may take the computation of a hundred thousand recurrences.
            tokio::task::yield_now().await;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}
