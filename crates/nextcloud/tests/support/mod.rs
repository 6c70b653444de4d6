//! Whole requests through the dialect, without a socket: two spaces with the same logins, of which the tests use one and
//! the other must not move.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt as _;
use nichoir_auth::Caller;
use nichoir_dav::header::depth::Depth;
use nichoir_dav::request::full;
use nichoir_dav::{Body, Dav, Limits, Mount, Request, Response};
use nichoir_nextcloud::Nextcloud;
use nichoir_nextcloud::bulk::{self, BulkLimits};
use nichoir_nextcloud::upload::{self, UploadMount};
use nichoir_store::{
    BlobConfig, DatabaseConfig, ManualClock, NewAccount, NewSpace, Ports, Role, SeededRandom, Space, Store,
    StoreConfig, Timestamp,
};

const FILES: &str = "/remote.php/dav/files/alice";
const UPLOADS: &str = "/remote.php/dav/uploads/alice";
pub(crate) const DESKTOP: &str = "User-Agent: Mozilla/5.0 (Linux) mirall/3.7.3git (Nextcloud)\n";
pub(crate) const QUOTA_BYTES: u64 = 1_000_000;

/// The dialect over a store in a temporary directory.
pub(crate) struct Server {
    pub(crate) dav: Dav,
    pub(crate) alice: Caller,
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
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_750_000_000)));
        let config = StoreConfig {
            database: DatabaseConfig::Sqlite { directory: directory.path().to_owned() },
            blobs: BlobConfig::Memory,
            base_domain: None,
            default_space: None,
            limits: nichoir_store::Limits { page_rows: 3, ..nichoir_store::Limits::default() },
        };
        let store = Store::open(config, Ports { clock, random: Arc::new(SeededRandom::new(7)) }).await.unwrap();
        let alice = make_space(&store, "one").await;
        let other = make_space(&store, "two").await.space;
        let other_sequence = other.change_sequence().await.unwrap();
        let limits = Limits { absent_depth: Depth::One, ..Limits::default() };
        let dav = Dav::new(vec![Arc::new(Nextcloud::default())], Vec::new(), limits);
        Server { dav, alice, other, other_sequence, _directory: directory }
    }

    /// A request about a file; `headers` are lines of `Name: value`.
    pub(crate) async fn files(&self, method: &str, path: &str, headers: &str, body: impl Into<Bytes>) -> Answer {
        let mount = Mount {
            prefix: FILES.into(),
            principal: "/remote.php/dav/principals/users/alice/".into(),
            principals: "/remote.php/dav/principals/users/".into(),
            site: "https://test".into(),
            shows_subscriptions: false,
        };
        let request = request(method, &format!("{FILES}{path}"), headers, body.into());
        Answer::read(self.dav.handle(&self.alice, &mount, request).await).await
    }

    /// A request about an upload.
    pub(crate) async fn uploads(&self, method: &str, path: &str, headers: &str, body: impl Into<Bytes>) -> Answer {
        let mount = UploadMount { prefix: UPLOADS.to_owned(), files: vec![FILES.to_owned()] };
        let request = request(method, &format!("{UPLOADS}{path}"), headers, body.into());
        Answer::read(upload::handle(&self.dav, &self.alice, &mount, request).await).await
    }

    pub(crate) async fn bulk(&self, body: String) -> Answer {
        self.bulk_within(&BulkLimits::default(), body).await
    }

    pub(crate) async fn bulk_within(&self, limits: &BulkLimits, body: String) -> Answer {
        let headers = "Content-Type: multipart/related; boundary=b";
        let request = request("POST", "/remote.php/dav/bulk", headers, body.into());
        Answer::read(bulk::handle(&self.dav, &self.alice, limits, request).await).await
    }

    pub(crate) async fn put(&self, path: &str, body: &'static str) -> Answer {
        self.files("PUT", path, "", body).await
    }

    /// The content of a file.
    pub(crate) async fn get(&self, path: &str) -> String {
        self.files("GET", path, "", "").await.expect(200).text()
    }

    /// Depth 0, these properties.
    pub(crate) async fn properties(&self, path: &str, names: &str) -> String {
        let body = format!(
            "<d:propfind xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\" xmlns:nc=\"http://nextcloud.org/ns\" \
             xmlns:ocs=\"http://open-collaboration-services.org/ns\"><d:prop>{names}</d:prop></d:propfind>"
        );
        self.files("PROPFIND", path, "Depth: 0", body).await.expect(207).text()
    }

    /// Ends every test.
    pub(crate) async fn assert_other_space_untouched(&self) {
        assert_eq!(self.other.change_sequence().await.unwrap(), self.other_sequence, "the other space has moved");
    }
}

async fn make_space(store: &Store, name: &str) -> Caller {
    let new = NewSpace { name: name.to_owned(), hosts: Vec::new(), quota_bytes: QUOTA_BYTES, max_accounts: 5 };
    let space = store.create_space(new).await.unwrap();
    let alice = NewAccount {
        login: "alice".to_owned(),
        display_name: "Alice".to_owned(),
        email: None,
        role: Role::Member,
        password_hash: None,
    };
    let account = space.create_account(alice).await.unwrap();
    Caller::new(&space, account, None)
}

fn request(method: &str, path: &str, headers: &str, body: Bytes) -> Request {
    let mut request = Request::new(Body::default());
    *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
    *request.uri_mut() = path.parse().unwrap();
    for line in headers.lines() {
        let (name, value) = line.split_once(':').unwrap();
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().append(name, HeaderValue::from_bytes(value.trim().as_bytes()).unwrap());
    }
    if !body.is_empty() || method == "PUT" {
        request.headers_mut().insert("content-length", body.len().into());
        *request.body_mut() = full(body);
    }
    request
}

impl Answer {
    async fn read(response: Response) -> Answer {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the body is whole").to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).to_str().unwrap()
    }

    #[track_caller]
    pub(crate) fn has(&self, what: &str) -> &Answer {
        assert!(self.text().contains(what), "no {what} in {}", self.text());
        self
    }
}
