//! sync-collection: the first one, one with nothing new, one after a change. RFC 6578.

use std::sync::Mutex;

use super::calendars::{fill, put_event};
use super::files::fill as fill_folder;
use crate::ask::{Answer, Ask};
use crate::bench::{Bench, Trouble};
use crate::bodies;
use crate::load::{Limits, Worker};
use crate::payload::Payload;
use crate::place::Place;
use crate::scan;

pub(super) fn folder(bench: &mut Bench, folder: &Place) -> Result<(), Trouble> {
    let size = bench.settings.size;
    fill_folder(bench, folder, size)?;
    let path = folder.below("changed.txt");
    measure(bench, "sync-files", folder, size, |number| {
        Ask::new("PUT", &path).body(Payload::noise(number, 1000)).expect(&[200, 201, 204])
    })
}

pub(super) fn calendar(bench: &mut Bench, calendar: &Place) -> Result<(), Trouble> {
    let size = fill(bench, calendar)?;
    let path = calendar.below("davload-changed.ics");
    // Every tenth repeats; this one does not, and its UID is nobody else's.
    let told = measure(bench, "sync-calendar", calendar, size, |number| {
        put_event(path.clone(), bodies::event(900_000_001, &format!("changed {number} times")))
    });
    // A calendar that was filled by someone else stays as it was.
    bench.once(&Ask::new("DELETE", &path).expect(&[200, 204, 404]))?;
    told
}

fn measure(
    bench: &mut Bench,
    scenario: &str,
    collection: &Place,
    size: u64,
    change: impl Fn(u64) -> Ask + Sync,
) -> Result<(), Trouble> {
    let report =
        |token: &str| Ask::new("REPORT", &collection.path).depth(1).xml(bodies::sync_collection(token)).expect(&[207]);
    let first = bench.once(&report("").keep()).map_err(Trouble::Skipped)?;
    let mut token = token_of(&first)?;

    let initial = report("").expect_responses(size);
    bench.measure(scenario, size, &limits(bench), async |worker: &mut Worker, _| {
        worker.ask("REPORT of all", &initial).await;
    })?;

    let nothing = report(&token).expect_responses(0);
    bench.measure(scenario, size, &limits(bench), async |worker: &mut Worker, _| {
        worker.ask("REPORT, nothing new", &nothing).await;
    })?;

    // The changed member is there before, so that each change is of the same kind.
    bench.once(&change(u64::MAX))?;
    token = token_of(&bench.once(&report(&token).keep())?)?;
    let token = Mutex::new(token);
    bench.measure(scenario, size, &limits(bench), async |worker: &mut Worker, number| {
        worker.beside(&change(number)).await;
        let since = token.lock().map(|token| token.clone()).unwrap_or_default();
        let answer = worker.ask("REPORT after one change", &report(&since).expect_responses(1).keep()).await;
        if let (Some(Ok(new)), Ok(mut token)) = (answer.map(|answer| token_of(&answer)), token.lock()) {
            *token = new;
        }
    })
}

/// One connection: the token that one gets is the one that it asks with next.
fn limits(bench: &Bench) -> Limits {
    bench.limits(1)
}

fn token_of(answer: &Answer) -> Result<String, String> {
    let tokens = scan::texts(&answer.text(), "sync-token");
    tokens.last().cloned().ok_or_else(|| "an answer without a sync token".to_owned())
}
