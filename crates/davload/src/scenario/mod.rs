//! What can be measured. Each scenario has a folder or a calendar of its own, which is made before and deleted after it.

mod calendars;
mod chunked;
mod desktop;
mod files;
mod folders;
mod sync;

use crate::ask::Ask;
use crate::bench::{Bench, Trouble};
use crate::bodies;
use crate::place::Place;

/// Where a scenario works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// In a folder.
    Files,
    /// In a calendar.
    Calendars,
}

/// One thing that can be measured.
pub(crate) struct Scenario {
    /// What it is called on the command line and in results.
    pub(crate) name: &'static str,
    /// One line about it.
    pub(crate) about: &'static str,
    pub(crate) ground: Ground,
    run: fn(&mut Bench, &Place) -> Result<(), Trouble>,
}

const fn files(
    name: &'static str,
    run: fn(&mut Bench, &Place) -> Result<(), Trouble>,
    about: &'static str,
) -> Scenario {
    Scenario { name, about, ground: Ground::Files, run }
}

const fn calendars(
    name: &'static str,
    run: fn(&mut Bench, &Place) -> Result<(), Trouble>,
    about: &'static str,
) -> Scenario {
    Scenario { name, about, ground: Ground::Calendars, run }
}

/// Everything that can be measured, in the order in which it is.
pub(crate) const SCENARIOS: &[Scenario] = &[
    files("poll", files::poll, "PROPFIND Depth 0 of a folder for its etag, as idle clients do"),
    files("listing", files::listing, "PROPFIND Depth 1 of --size files with the desktop client's properties"),
    files("put-small", files::put_small, "PUT of new files of --small-bytes"),
    files("get-small", files::get_small, "GET of one file of --small-bytes"),
    files("put-large", files::put_large, "PUT of a file of --large-bytes in one stream, --repeats times"),
    files("get-large", files::get_large, "GET of a file of --large-bytes, --repeats times"),
    files("chunked", chunked::chunked, "Nextcloud's chunked upload of --large-bytes, and its final MOVE by itself"),
    files("move-folder", folders::rename, "MOVE of a folder with --size descendants"),
    files("copy-folder", folders::copy, "COPY of a folder with --size descendants"),
    files("delete-folder", folders::delete, "DELETE of a folder with --size descendants"),
    files("sync-files", sync::folder, "sync-collection of a folder: all, nothing new, after one change"),
    files("first-sync", desktop::first_sync, "--size small files up, then found and loaded again, six at a time"),
    files("mixed", desktop::mixed, "--members devices of one account poll, find what moved, load it, and change files"),
    calendars("calendar-query", calendars::query, "calendar-query by time range over --size events"),
    calendars("multiget", calendars::multiget, "calendar-multiget of 100 of --size events"),
    calendars("put-event", calendars::put, "PUT of new events"),
    calendars("sync-calendar", sync::calendar, "sync-collection of a calendar: all, nothing new, after one change"),
];

impl Scenario {
    /// Prepares, measures, cleans up.
    ///
    /// # Errors
    /// Why there is no row.
    pub(crate) fn run(&self, bench: &mut Bench, ground: &Place) -> Result<(), Trouble> {
        if let (Ground::Calendars, Some(filled)) = (self.ground, bench.settings.filled.clone()) {
            return (self.run)(bench, &ground.at(format!("{}/", ground.below(&filled))));
        }
        // Servers differ about the trailing slash of a collection; those that want it are the stricter ones.
        let own = format!("{}/", ground.below(&format!("davload-{}-{}", self.name, std::process::id())));
        let made = match self.ground {
            Ground::Files => bench.once(&Ask::new("MKCOL", &own).expect(&[201])),
            Ground::Calendars => bench.once(&Ask::new("MKCALENDAR", &own).xml(bodies::MKCALENDAR).expect(&[201])),
        };
        made.map_err(Trouble::Skipped)?;
        let told = (self.run)(bench, &ground.at(own.clone()));
        let cleaned = bench.once(&Ask::new("DELETE", &own));
        told?;
        cleaned.map(drop).map_err(Trouble::Failed)
    }
}
