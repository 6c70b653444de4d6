//! What a request costs the database: statements on SQLite, round trips on PostgreSQL. The numbers are fixed, so that nobody
//! adds to them unseen; `docs/performance.md` has them too.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::support::{Answer, Client, Server, Toll, on_every_engine_with};

/// What the desktop client asks of each file.
const DESKTOP: &str = "<d:propfind xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\" xmlns:nc=\"http://nextcloud.org/ns\"><d:prop>\
    <d:resourcetype/><d:getlastmodified/><d:getcontentlength/><d:getetag/><d:quota-available-bytes/><d:quota-used-bytes/>\
    <oc:size/><oc:id/><oc:fileid/><oc:downloadURL/><oc:dDC/><oc:permissions/><oc:checksums/><nc:is-encrypted/>\
    <nc:metadata-files-live-photo/><oc:share-types/><nc:lock/><nc:lock-owner-displayname/><nc:lock-owner/><nc:lock-owner-type/>\
    <nc:lock-owner-editor/><nc:lock-time/><nc:lock-timeout/></d:prop></d:propfind>";
const ETAG: &str = "<d:propfind xmlns:d=\"DAV:\"><d:prop><d:getetag/></d:prop></d:propfind>";

async fn poll(alice: &Client) -> Answer {
    alice.propfind("/", 0).body(ETAG).await.expect(207)
}

async fn list(alice: &Client, folder: &str, members: usize) {
    let listed = alice.propfind(folder, 1).body(DESKTOP).await.expect(207);
    assert_eq!(listed.text().matches("<d:response>").count(), members + 1);
}

async fn new_files(alice: &Client, folder: &str, count: usize) {
    alice.mkcol(folder).await.expect(201);
    for run in (0..count).collect::<Vec<_>>().chunks(8) {
        let puts = run.iter().map(|number| alice.put(&format!("{folder}/file{number}"), "x").into_future());
        futures_util::future::join_all(puts).await.into_iter().for_each(|put| drop(put.expect(201)));
    }
}

/// Counts what something costs.
struct Meter<'s> {
    server: &'s Server,
    toll: Option<Arc<Toll>>,
    told: Vec<String>,
}

impl Meter<'_> {
    async fn of<T>(&mut self, what: &str, done: impl Future<Output = T>) {
        let cost = self.cost_of(what, done).await;
        self.told.push(format!("{what}: {cost}"));
    }

    async fn cost_of<T>(&self, what: &str, done: impl Future<Output = T>) -> i64 {
        self.settle().await;
        if let Some(toll) = &self.toll {
            toll.take();
        }
        let before = self.server.statements.seen();
        done.await;
        self.settle().await;
        let Some(toll) = &self.toll else { return self.server.statements.seen() - before };
        let texts = toll.take();
        if std::env::var("SHOW_STATEMENTS").is_ok() {
            eprintln!("{what}:\n  {}", texts.join("\n  "));
        }
        texts.len() as i64
    }

    /// Waits until nothing more comes: some of it is not waited for by any request.
    async fn settle(&self) {
        let mut before = -1;
        while std::mem::replace(&mut before, self.server.statements.seen()) != before {
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    }
}

async fn measure(server: &Server, toll: Option<Arc<Toll>>) -> Vec<String> {
    let alice = &server.account("alice");
    poll(alice).await;
    new_files(alice, "/ten", 10).await;
    new_files(alice, "/many", 30).await;
    let (device, _) = server.device("alice").await;
    let mut meter = Meter { server, toll, told: Vec::new() };
    let meter_of = &mut meter;
    meter_of.of("the first poll of a device", poll(&device)).await;
    meter_of.of("a poll", poll(&device)).await;
    let sync = "<d:sync-collection xmlns:d=\"DAV:\"><d:sync-token/><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>";
    let first = alice.files("REPORT", "/ten").body(sync).await.expect(207).xml();
    let token = first.child(&nichoir_xml::dav::SYNC_TOKEN).expect("a token").text();
    let again = sync.replace("<d:sync-token/>", &format!("<d:sync-token>{token}</d:sync-token>"));
    let again = || async { alice.files("REPORT", "/ten").body(again.clone()).await.expect(207) };
    meter_of.of("sync-collection with nothing new", again()).await;
    meter_of.of("a listing of 10", list(alice, "/ten", 10)).await;
    meter_of.of("a listing of two pages", list(alice, "/many", 30)).await;
    meter_of.of("GET", async { alice.get("/ten/file1").await.expect(200) }).await;
    meter_of.of("GET again", async { alice.get("/ten/file1").await.expect(200) }).await;
    meter_of.of("PUT of a new file", async { alice.put("/ten/new", "x").await.expect(201) }).await;
    meter_of.of("PUT of the file again", async { alice.put("/ten/new", "y").await.expect(204) }).await;
    meter_of.of("PUT that is refused", async { alice.put("/ten/new", "x").if_match("\"0\"").await.expect(412) }).await;
    meter_of.of("MOVE", async { alice.move_to("/ten/new", "/ten/moved").await.expect(201) }).await;
    meter_of.of("DELETE", async { alice.delete("/ten/moved").await.expect(204) }).await;
    // How many of them come together is chance.
    let puts = (0..8).map(|number| alice.put(&format!("/ten/group{number}"), "x").into_future());
    let together = meter.cost_of("8 PUTs together", futures_util::future::join_all(puts)).await;
    let alone = meter.cost_of("and one", async { alice.put("/ten/alone", "x").await.expect(201) }).await;
    assert!(together < 8 * alone, "{together} for eight, {alone} for one");
    eprintln!("8 PUTs together: {together}");
    meter.told
}

#[tokio::test]
async fn a_request_costs_a_fixed_number_of_statements_and_round_trips() {
    let postgres = std::env::var("TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    let before = match &postgres {
        Some(url) => Some(Toll::before(url).await),
        None => None,
    };
    let through = |config: &mut nichoir::config::Config| {
        config.storage.page_rows = 20;
        if let Some((_, url)) = &before
            && !config.storage.postgres_url.is_empty()
        {
            config.storage.postgres_url.clone_from(url);
        }
    };
    let told = Mutex::new(Vec::new());
    on_every_engine_with(through, async |server| {
        let toll = before.as_ref().filter(|_| server.is_on_postgres()).map(|(toll, _)| Arc::clone(toll));
        let measured = measure(server, toll).await;
        told.lock().await.push(measured);
    })
    .await;
    for (told, expected) in told.into_inner().iter().zip([SQLITE, POSTGRES]) {
        assert_eq!(told, expected, "docs/performance.md has these numbers too");
    }
}

const SQLITE: &[&str] = &[
    "the first poll of a device: 12",
    "a poll: 0",
    "sync-collection with nothing new: 1",
    "a listing of 10: 11",
    "a listing of two pages: 16",
    "GET: 4",
    "GET again: 0",
    "PUT of a new file: 15",
    "PUT of the file again: 19",
    "PUT that is refused: 8",
    "MOVE: 18",
    "DELETE: 15",
];

// A change tells the other servers, in a statement of its own that nobody waits for.
const POSTGRES: &[&str] = &[
    "the first poll of a device: 12",
    "a poll: 1",
    "sync-collection with nothing new: 5",
    "a listing of 10: 11",
    "a listing of two pages: 16",
    "GET: 4",
    "GET again: 3",
    "PUT of a new file: 16",
    "PUT of the file again: 20",
    "PUT that is refused: 8",
    "MOVE: 19",
    "DELETE: 16",
];
