//! Whole requests through the engine, without a socket: two spaces with the same login, of which the tests use one
//! and the other must not move. The protocols' crates use this file too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt as _;
use nichoir_auth::Caller;
use nichoir_dav::header::depth::Depth;
use nichoir_dav::request::full;
use nichoir_dav::{Body, Dav, Extension, Limits, Mount, Request};
use nichoir_store::{
    Area, BlobConfig, DatabaseConfig, ManualClock, NewAccount, NewSpace, Ports, Role, SeededRandom, Space, Store,
    StoreConfig, Timestamp,
};

/// Where the tree of the tests stands.
pub(crate) const PREFIX: &str = "/dav/files/alice";

/// Where each of alice's trees stands.
fn prefix_of(area: Area) -> &'static str {
    match area {
        Area::Files => PREFIX,
        Area::Calendars => "/dav/calendars/alice",
        Area::AddressBooks => "/dav/addressbooks/users/alice",
    }
}

/// Which engine a test runs on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum On {
    Sqlite,
    Postgres,
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Runs `test` on every engine at hand.
pub(crate) async fn on_every_engine<F: AsyncFn(&Server)>(area: Area, extension: Arc<dyn Extension>, test: F) {
    for on in [On::Sqlite, On::Postgres] {
        match Server::start_on(on, area, vec![Arc::clone(&extension)], Limits::default()).await {
            Some(server) => {
                test(&server).await;
                server.assert_other_space_untouched().await;
            }
            None => eprintln!("skipped on {on:?}: TEST_POSTGRES is not set"),
        }
    }
}

/// An engine over a store in a temporary directory.
pub(crate) struct Server {
    pub(crate) dav: Dav,
    pub(crate) alice: Caller,
    pub(crate) mount: Mount,
    pub(crate) clock: Arc<ManualClock>,
    other: Space,
    other_sequence: i64,
    _directory: tempfile::TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Server {
    pub(crate) async fn start() -> Server {
        Server::start_with(Vec::new(), Limits { absent_depth: Depth::Infinity, ..Limits::default() }).await
    }

    pub(crate) async fn start_with(extensions: Vec<Arc<dyn Extension>>, limits: Limits) -> Server {
        Server::start_in(Area::Files, extensions, limits).await
    }

    /// Over another of alice's trees; pages of members are small.
    pub(crate) async fn start_in(area: Area, extensions: Vec<Arc<dyn Extension>>, limits: Limits) -> Server {
        let started = Server::start_on(On::Sqlite, area, extensions, limits).await;
        started.expect("SQLite is always there")
    }

    async fn start_on(on: On, area: Area, extensions: Vec<Arc<dyn Extension>>, limits: Limits) -> Option<Server> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_750_000_000)));
        // PostgreSQL keeps the spaces of other tests: seeds and names are the test's own.
        let number = u64::from(std::process::id()) << 20 | NUMBER.fetch_add(1, Ordering::SeqCst);
        let seed = if on == On::Sqlite { 7 } else { number };
        let ports = Ports { clock: clock.clone(), random: Arc::new(SeededRandom::new(seed)) };
        let database = match on {
            On::Sqlite => DatabaseConfig::Sqlite { directory: directory.path().to_owned() },
            On::Postgres => {
                let url = std::env::var("TEST_POSTGRES").ok().filter(|url| !url.is_empty())?;
                DatabaseConfig::Postgres { url, connections_max: 6 }
            }
        };
        let config = StoreConfig {
            database,
            blobs: BlobConfig::Memory,
            base_domain: None,
            default_space: None,
            limits: nichoir_store::Limits {
                page_members: 3,
                page_member_bytes: 5_000,
                ..nichoir_store::Limits::default()
            },
        };
        let store = Store::open(config, ports).await.expect("a fresh store opens");
        let (space, account) = make_space(&store, &format!("one-{number}")).await;
        let (other, _) = make_space(&store, &format!("two-{number}")).await;
        let other_sequence = other.change_sequence().await.expect("the other space answers");
        let mut alice = Caller::new(&space, account, None);
        alice.tree = alice.tree.in_area(area).await.expect("a home");
        let mount = Mount {
            prefix: prefix_of(area).into(),
            principal: "/dav/principals/users/alice/".into(),
            principals: "/dav/principals/users/".into(),
            site: "https://test".into(),
            shows_subscriptions: false,
        };
        let dav = Dav::new(extensions, Vec::new(), limits);
        Some(Server { dav, alice, mount, clock, other, other_sequence, _directory: directory })
    }

    /// Sends a request for `path` below the mount; `headers` are lines of `Name: value`.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &str, body: impl Into<bytes::Bytes>) -> Answer {
        let body = body.into();
        let mut request = Request::new(Body::default());
        *request.method_mut() = Method::from_bytes(method.as_bytes()).expect("a method");
        *request.uri_mut() = format!("{}{path}", self.mount.prefix).parse().expect("a path");
        for line in headers.lines() {
            let (name, value) = line.split_once(':').expect("a header line");
            let name = http::HeaderName::from_bytes(name.trim().as_bytes()).expect("a header name");
            request.headers_mut().append(name, value.trim().parse().expect("a header value"));
        }
        if !body.is_empty() {
            request.headers_mut().insert("content-length", body.len().into());
            *request.body_mut() = full(body);
        }
        Answer::read(self.dav.handle(&self.alice, &self.mount, request).await).await
    }

    pub(crate) async fn put(&self, path: &str, body: &'static str) -> Answer {
        self.send("PUT", path, "", body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", "").await
    }

    pub(crate) async fn mkcol(&self, path: &str) -> Answer {
        self.send("MKCOL", path, "", "").await
    }

    pub(crate) async fn propfind(&self, path: &str, depth: &str, body: &str) -> Answer {
        self.send("PROPFIND", path, &format!("Depth: {depth}"), body.to_owned()).await
    }

    /// The hrefs of a Depth 1 listing, sorted.
    pub(crate) async fn listed(&self, path: &str) -> Vec<String> {
        let body = r#"<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>"#;
        let mut hrefs = self.propfind(path, "1", body).await.expect(207).all("d:href");
        hrefs.sort();
        hrefs
    }

    /// The other space with its alice is as it was.
    pub(crate) async fn assert_other_space_untouched(&self) {
        let sequence = self.other.change_sequence().await.expect("the other space answers");
        assert_eq!(sequence, self.other_sequence, "the other space has moved");
    }
}

async fn make_space(store: &Store, name: &str) -> (Space, nichoir_store::Account) {
    let new = NewSpace { name: name.to_owned(), hosts: Vec::new(), quota_bytes: 10_000_000, max_accounts: 5 };
    let space = store.create_space(new).await.expect("a space is made");
    let alice = NewAccount {
        login: "alice".to_owned(),
        display_name: "Alice".to_owned(),
        email: None,
        role: Role::Member,
        password_hash: None,
    };
    let account = space.create_account(alice).await.expect("an account is made");
    (space, account)
}

impl Answer {
    pub(crate) async fn read(response: nichoir_dav::Response) -> Answer {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the body is whole").to_bytes().to_vec();
        if let Some(length) = parts.headers.get("content-length")
            && !body.is_empty()
        {
            assert_eq!(length.to_str().ok(), Some(body.len().to_string().as_str()), "Content-Length tells the truth");
        }
        if parts.headers.get("content-type").is_some_and(|value| value == "application/xml; charset=utf-8")
            && !body.is_empty()
        {
            let limits = nichoir_xml::Limits { request_xml_bytes: body.len(), ..nichoir_xml::Limits::default() };
            let limits = nichoir_xml::Limits { request_xml_elements: usize::MAX, ..limits };
            nichoir_xml::read(&body, &limits).expect("an XML answer is well-formed");
        }
        Answer { status: parts.status, headers: parts.headers, body }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} header")).to_str().expect("a text header")
    }

    /// The contents of every element written with that prefixed name.
    pub(crate) fn all(&self, element: &str) -> Vec<String> {
        let text = self.text();
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let pieces = text.split(&open).skip(1);
        pieces.map(|piece| piece.split(&close).next().unwrap_or_default().to_owned()).collect()
    }

    #[track_caller]
    pub(crate) fn assert_contains(&self, expected: &str) {
        assert!(self.text().contains(expected), "{expected} is not in {}", self.text());
    }

    #[track_caller]
    pub(crate) fn assert_lacks(&self, unwanted: &str) {
        assert!(!self.text().contains(unwanted), "{unwanted} is in {}", self.text());
    }
}
