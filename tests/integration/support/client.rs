//! A client: one login at one host, and the verbs it sends.

use std::net::IpAddr;
use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use nichoir::Peer;
use nichoir::app::App;
use nichoir_dav::request::{empty, full};
use nichoir_dav::{Body, Request, Response};

use super::Answer;

/// A client of the application. Its paths are those of the login's files; [`Client::request`] takes any.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    app: App,
    peer: Peer,
    headers: Vec<(String, String)>,
    files: String,
}

impl Client {
    /// A client without credentials that asks for `host`.
    pub(crate) fn anonymous(app: &App, host: &str) -> Client {
        let peer = Peer { address: Some(IpAddr::from([192, 0, 2, 7])), has_tls: false };
        let headers = vec![("host".to_owned(), host.to_owned())];
        Client { app: app.clone(), peer, headers, files: String::new() }
    }

    /// This client with Basic credentials; its paths are those of the login's files from now on.
    pub(crate) fn as_login(&self, login: &str, password: &str) -> Client {
        let mut client =
            self.with("authorization", &format!("Basic {}", STANDARD.encode(format!("{login}:{password}"))));
        client.files = format!("/remote.php/dav/files/{login}");
        client
    }

    /// This client with a header on every request, in place of one of the same name.
    pub(crate) fn with(&self, name: &str, value: &str) -> Client {
        let mut client = self.clone();
        client.headers.retain(|(known, _)| known != name);
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// This client at another address; `None` is a unix socket.
    pub(crate) fn at(&self, address: Option<&str>) -> Client {
        let mut client = self.clone();
        client.peer.address = address.map(|text| text.parse().expect("an address"));
        client
    }

    /// A request to any path.
    pub(crate) fn request(&self, method: &str, path: &str) -> Call {
        let mut request = Request::new(empty());
        *request.method_mut() = Method::from_bytes(method.as_bytes()).expect("a method");
        *request.uri_mut() = path.parse().expect("a path");
        let call = Call { app: self.app.clone(), peer: self.peer, request };
        self.headers.iter().fold(call, |call, (name, value)| call.header(name, value))
    }

    /// A request to a path of the files.
    pub(crate) fn files(&self, method: &str, path: &str) -> Call {
        self.request(method, &format!("{}{path}", self.files))
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.files("GET", path)
    }

    pub(crate) fn put(&self, path: &str, body: impl Into<Bytes>) -> Call {
        self.files("PUT", path).body(body)
    }

    pub(crate) fn delete(&self, path: &str) -> Call {
        self.files("DELETE", path)
    }

    pub(crate) fn mkcol(&self, path: &str) -> Call {
        self.files("MKCOL", path)
    }

    pub(crate) fn move_to(&self, path: &str, destination: &str) -> Call {
        self.files("MOVE", path).header("destination", &format!("{}{destination}", self.files))
    }

    pub(crate) fn propfind(&self, path: &str, depth: u8) -> Call {
        self.files("PROPFIND", path).header("depth", &depth.to_string())
    }
}

/// A request on its way: await it.
#[derive(Debug)]
pub(crate) struct Call {
    app: App,
    peer: Peer,
    request: Request,
}

impl Call {
    /// With a header, in place of one of the same name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Call {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        self.request.headers_mut().insert(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header value"));
        self
    }

    pub(crate) fn if_match(self, etag: &str) -> Call {
        self.header("if-match", etag)
    }

    /// With a body of known length.
    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Call {
        let body = body.into();
        self.request.headers_mut().insert("content-length", body.len().into());
        *self.request.body_mut() = full(body);
        self
    }

    /// With any body, such as one that breaks off.
    pub(crate) fn streaming(mut self, body: Body) -> Call {
        *self.request.body_mut() = body;
        self
    }
}

impl Call {
    /// The answer as soon as it begins, its body still to come.
    pub(crate) async fn begun(self) -> Response {
        self.app.handle(self.peer, self.request).await
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Answer::read(self.app.handle(self.peer, self.request).await).await })
    }
}
