//! Calendars: time-range queries, multiget, new events. RFC 4791.

use crate::ask::Ask;
use crate::bench::{Bench, Trouble};
use crate::bodies;
use crate::load::Worker;
use crate::payload::Payload;
use crate::place::Place;
use crate::scan;

/// Connections that prepare.
const PREPARERS: usize = 4;
/// Members of a multiget.
const WANTED: usize = 100;

pub(super) fn query(bench: &mut Bench, calendar: &Place) -> Result<(), Trouble> {
    let size = fill(bench, calendar)?;
    let expected = bodies::count_in_week(size);
    let ask = Ask::new("REPORT", &calendar.path).depth(1).xml(bodies::calendar_query()).expect_responses(expected);
    bench.measure("calendar-query", size, &bench.limits(1), async |worker: &mut Worker, _| {
        worker.ask("REPORT", &ask).await;
    })
}

pub(super) fn multiget(bench: &mut Bench, calendar: &Place) -> Result<(), Trouble> {
    let size = fill(bench, calendar)?;
    let listed = bench.once(&Ask::new("PROPFIND", &calendar.path).depth(1).xml(bodies::POLL).expect(&[207]).keep())?;
    let hrefs = scan::texts(&listed.text(), "href");
    let events: Vec<&str> = hrefs.iter().map(String::as_str).filter(|href| href.ends_with(".ics")).collect();
    if events.len() as u64 != size {
        return Err(Trouble::Failed(format!("the calendar lists {} events instead of {size}", events.len())));
    }
    let wanted: Vec<&str> = events.iter().step_by((events.len() / WANTED).max(1)).take(WANTED).copied().collect();
    let ask = Ask::new("REPORT", &calendar.path).depth(1).xml(bodies::multiget(&wanted));
    let ask = ask.expect_responses(wanted.len() as u64);
    let seen = bench.once(&ask.clone().keep())?.text().matches("BEGIN:VEVENT").count();
    if seen != wanted.len() {
        return Err(Trouble::Failed(format!("{seen} events in the answer instead of {}", wanted.len())));
    }
    bench.measure("multiget", size, &bench.limits(1), async |worker: &mut Worker, _| {
        worker.ask("REPORT", &ask).await;
    })
}

pub(super) fn put(bench: &mut Bench, calendar: &Place) -> Result<(), Trouble> {
    if bench.settings.filled.is_some() {
        return Err(Trouble::Skipped("a calendar that is filled already gets no new events".to_owned()));
    }
    for connections in bench.settings.connections.clone() {
        let name = move |number: u64| format!("{connections}-{number}.ics");
        bench.measure("put-event", 1, &bench.limits(connections), async |worker: &mut Worker, number| {
            // Numbers far apart, because a calendar has each UID once.
            let text = bodies::event(number + connections as u64 * 1_000_000, "new");
            worker.ask("PUT", &put_event(calendar.below(&name(number)), text)).await;
        })?;
    }
    Ok(())
}

/// Puts the events into the calendar, unless they are there; returns how many it has.
pub(super) fn fill(bench: &Bench, calendar: &Place) -> Result<u64, Trouble> {
    let size = bench.settings.size;
    if bench.settings.filled.is_none() {
        bench.each(size, PREPARERS, |number| {
            put_event(calendar.below(&format!("{number}.ics")), bodies::event(number, &format!("Event {number}")))
        })?;
    }
    Ok(size)
}

/// PUT of an event.
pub(super) fn put_event(path: String, text: String) -> Ask {
    let ask = Ask::new("PUT", path).header("content-type", "text/calendar; charset=utf-8");
    ask.body(Payload::of(text)).expect(&[200, 201, 204])
}
