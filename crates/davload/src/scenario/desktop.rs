//! A model of the desktop client: it polls, finds what moved level by level, and loads it.

use std::collections::HashMap;
use std::time::Duration;

use super::files::fill;
use crate::ask::Ask;
use crate::bench::{Bench, Trouble};
use crate::bodies::{DESKTOP, POLL};
use crate::load::{Limits, Worker};
use crate::payload::Payload;
use crate::place::Place;
use crate::scan;

/// Requests that the client has under way at once.
const PARALLEL: usize = 6;
/// Files in each folder of a first sync.
const FOLDER_FILES: u64 = 100;
/// A device changes files at one poll in so many.
const POLLS_PER_CHANGE: u64 = 10;
/// Bytes of each file of `mixed`.
const FILE_BYTES: u64 = 2000;

pub(super) fn first_sync(bench: &mut Bench, ground: &Place) -> Result<(), Trouble> {
    let size = bench.settings.size;
    let folders = size.div_ceil(FOLDER_FILES);
    let folder = |number: u64| ground.at(format!("{}/", ground.below(&format!("folder {number}"))));
    let file = |number: u64| folder(number / FOLDER_FILES).below(&format!("file {}.txt", number % FOLDER_FILES));
    let bytes = bench.settings.small_bytes;
    bench.each(folders, 1, |number| Ask::new("MKCOL", folder(number).path).expect(&[201]))?;

    bench.measure("first-sync", size, &Limits::of_requests(size, PARALLEL), async |worker: &mut Worker, number| {
        let ask = Ask::new("PUT", file(number)).header("x-oc-mtime", "1700000000");
        worker.ask("upload", &ask.body(Payload::noise(number, bytes)).expect(&[201])).await;
    })?;
    bench.measure(
        "first-sync",
        size,
        &Limits::of_requests(folders + 1, PARALLEL),
        async |worker: &mut Worker, number| {
            let (path, members) = match number.checked_sub(1) {
                None => (ground.path.clone(), folders),
                Some(number) => (folder(number).path, FOLDER_FILES.min(size - number * FOLDER_FILES)),
            };
            worker
                .ask("discover", &Ask::new("PROPFIND", path).depth(1).xml(DESKTOP).expect_responses(members + 1))
                .await;
        },
    )?;
    bench.measure("first-sync", size, &Limits::of_requests(size, PARALLEL), async |worker: &mut Worker, number| {
        worker.ask("download", &Ask::new("GET", file(number)).expect_bytes(bytes)).await;
    })
}

pub(super) fn mixed(bench: &mut Bench, ground: &Place) -> Result<(), Trouble> {
    let members = bench.settings.members;
    for number in 0..members {
        bench.once(&Ask::new("MKCOL", folder_of(ground, number as u64).path).expect(&[201]))?;
    }
    // Something that is there from the beginning and never moves.
    let still = ground.at(format!("{}/", ground.below("still")));
    bench.once(&Ask::new("MKCOL", &still.path).expect(&[201]))?;
    fill(bench, &still, FOLDER_FILES)?;
    let (think_ms, burst) = (bench.settings.think_ms, bench.settings.burst);
    let limits = Limits { connections: members, requests: members as u64, rate: None, ..bench.limits(members) };
    bench.measure("mixed", members as u64, &limits, async |worker: &mut Worker, number| {
        let mut device = Device { ground, number, known: HashMap::new(), polls: 0 };
        while !worker.is_over() {
            tokio::time::sleep(device.think_time(think_ms)).await;
            device.poll(worker).await;
            if device.polls % POLLS_PER_CHANGE == number % POLLS_PER_CHANGE {
                device.change(worker, burst).await;
            }
        }
    })
}

fn folder_of(ground: &Place, number: u64) -> Place {
    ground.at(format!("{}/", ground.below(&format!("of {number}"))))
}

/// One device of the account, and what it has.
struct Device<'a> {
    ground: &'a Place,
    number: u64,
    /// Path → etag.
    known: HashMap<String, String>,
    polls: u64,
}

impl Device<'_> {
    /// Between half and one and a half of the average, differently for each device and poll.
    fn think_time(&self, think_ms: u64) -> Duration {
        let mixed = (self.number * 7919 + self.polls + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        Duration::from_millis(think_ms / 2 + mixed % (think_ms + 1))
    }

    async fn poll(&mut self, worker: &mut Worker) {
        self.polls += 1;
        let path = self.ground.path.clone();
        let ask = Ask::new("PROPFIND", &path).depth(0).xml(POLL).expect_responses(1).keep();
        let Some(answer) = worker.ask("poll", &ask).await else { return };
        let etag = scan::texts(&answer.text(), "getetag").concat();
        if self.known.get(&path) != Some(&etag) {
            self.discover(worker, path.clone()).await;
            self.known.insert(path, etag);
        }
    }

    /// Lists a folder whose etag moved, and whatever moved below it.
    async fn discover(&mut self, worker: &mut Worker, path: String) {
        // What a device does once must not hide what it does all day.
        let is_first = self.known.is_empty();
        let (discover, download) =
            if is_first { ("first discover", "first download") } else { ("discover", "download") };
        let mut waiting = vec![path];
        while let Some(path) = waiting.pop() {
            let ask = Ask::new("PROPFIND", &path).depth(1).xml(DESKTOP).expect(&[207]).keep();
            let Some(answer) = worker.ask(discover, &ask).await else { continue };
            for member in members_of(&answer.text(), &path) {
                if self.known.get(&member.path) == Some(&member.etag) {
                    continue;
                }
                if member.is_folder {
                    waiting.push(member.path.clone());
                } else {
                    worker.ask(download, &Ask::new("GET", &member.path).expect(&[200])).await;
                }
                self.known.insert(member.path, member.etag);
            }
        }
    }

    async fn change(&mut self, worker: &mut Worker, burst: u64) {
        for number in 0..burst {
            let path = folder_of(self.ground, self.number).below(&format!("{number}.txt"));
            let body = Payload::noise(self.polls * 1000 + number, FILE_BYTES);
            let ask = Ask::new("PUT", &path).body(body).expect(&[200, 201, 204]);
            if let Some(answer) = worker.ask("upload", &ask).await {
                self.known.insert(path, answer.header("etag").to_owned());
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Member {
    path: String,
    etag: String,
    is_folder: bool,
}

/// The members that a listing tells of, without the folder itself. RFC 4918 §9.1.
fn members_of(xml: &str, folder: &str) -> Vec<Member> {
    let member = |response: &str| {
        let href = scan::texts(response, "href").into_iter().next()?;
        // An href is a path or a whole URL. RFC 4918 §8.3.
        let path = href.find("://").and_then(|at| href[at + 3..].find('/').map(|slash| &href[at + 3 + slash..]));
        let path = path.unwrap_or(&href).to_owned();
        let etag = scan::texts(response, "getetag").concat();
        let is_folder = path.ends_with('/') || response.contains("collection/>");
        (path.trim_end_matches('/') != folder.trim_end_matches('/')).then_some(Member { path, etag, is_folder })
    };
    scan::responses(xml).into_iter().filter_map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_read_as_the_client_reads_it() {
        let xml = "<d:multistatus xmlns:d=\"DAV:\"><d:response><d:href>/f/</d:href></d:response>\
            <d:response><d:href>http://h:1/f/a%20b/</d:href><d:getetag>\"1\"</d:getetag></d:response>\
            <d:response><d:href>/f/c.txt</d:href><d:getetag>\"2\"</d:getetag></d:response></d:multistatus>";
        let expected = [("/f/a%20b/", "\"1\"", true), ("/f/c.txt", "\"2\"", false)];
        let expected =
            expected.map(|(path, etag, is_folder)| Member { path: path.into(), etag: etag.into(), is_folder });
        assert_eq!(members_of(xml, "/f/"), expected);
    }

    #[test]
    fn devices_do_not_think_in_step() {
        let ground: Place = "http://h:1/".parse().unwrap();
        let time = |number, polls| {
            Device { ground: &ground, number, known: HashMap::new(), polls }.think_time(1000).as_millis()
        };
        let times: Vec<u128> = (0..100).map(|number| time(number, 1)).collect();
        assert!(times.iter().all(|time| (500..=1500).contains(time)));
        let distinct: std::collections::BTreeSet<_> = times.iter().collect();
        assert!(distinct.len() > 80, "{} of 100 differ", distinct.len());
        assert_ne!(time(1, 1), time(1, 2));
    }
}
