//! One kept connection that sends requests and reads their answers. RFC 9112; with `--http2`, RFC 9113 with prior knowledge.

use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderValue, USER_AGENT};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::ask::{Answer, Ask};
use crate::payload::Payload;
use crate::scan::ResponseCounter;

const AGENT: HeaderValue = HeaderValue::from_static("davload");

/// How to reach the server, and as whom.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) address: String,
    /// What `Authorization` says, unless a request says it itself.
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) is_http2: bool,
    /// A new connection for each request.
    pub(crate) has_short_connections: bool,
    /// How long one answer may take.
    pub(crate) answer_timeout: Duration,
}

/// One connection of a client, opened when it is needed.
#[derive(Debug)]
pub(crate) struct Session {
    client: Arc<Client>,
    sender: Option<Sender>,
    /// Connections opened so far.
    pub(crate) connections: u64,
    /// Requests sent so far.
    pub(crate) requests: u64,
}

#[derive(Debug)]
enum Sender {
    One(http1::SendRequest<Payload>),
    Two(http2::SendRequest<Payload>),
}

impl Session {
    /// A session that has not connected yet.
    pub(crate) fn new(client: Arc<Client>) -> Session {
        Session { client, sender: None, connections: 0, requests: 0 }
    }

    /// Sends a request and reads its whole answer. A kept connection that the server closed meanwhile is opened anew, once.
    ///
    /// # Errors
    /// What went wrong, in words that are alike for alike faults.
    pub(crate) async fn send(&mut self, ask: &Ask) -> Result<Answer, String> {
        let timeout = self.client.answer_timeout;
        match tokio::time::timeout(timeout, self.send_in_time(ask)).await {
            Ok(told) => told,
            Err(_) => {
                self.sender = None;
                Err(format!("no answer within {} s", timeout.as_secs()))
            }
        }
    }

    /// Sends a request and requires the answer that it expects.
    ///
    /// # Errors
    /// The request, and what is wrong with its answer.
    pub(crate) async fn require(&mut self, ask: &Ask) -> Result<Answer, String> {
        let told = self.send(ask).await;
        let told = told.and_then(|answer| match ask.expected.fault_of(&answer) {
            Some(fault) => Err(fault),
            None => Ok(answer),
        });
        told.map_err(|fault| format!("{} {}: {fault}", ask.method, ask.path))
    }

    async fn send_in_time(&mut self, ask: &Ask) -> Result<Answer, String> {
        self.requests += 1;
        let was_kept = self.sender.is_some();
        match self.exchange(ask).await {
            Err(Broken { is_early: true, .. }) if was_kept => {
                self.sender = None;
                self.exchange(ask).await.map_err(|broken| broken.told)
            }
            told => told.map_err(|broken| broken.told),
        }
    }

    async fn exchange(&mut self, ask: &Ask) -> Result<Answer, Broken> {
        if self.client.has_short_connections {
            self.sender = None;
        }
        let mut sender = match self.sender.take() {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let request = self.request(ask)?;
        let sent = match &mut sender {
            Sender::One(sender) => {
                sender.ready().await.map_err(Broken::early)?;
                sender.send_request(request).await
            }
            Sender::Two(sender) => {
                sender.ready().await.map_err(Broken::early)?;
                sender.send_request(request).await
            }
        };
        let answer = read(ask, sent.map_err(Broken::early)?).await?;
        self.sender = Some(sender);
        Ok(answer)
    }

    fn request(&self, ask: &Ask) -> Result<http::Request<Payload>, Broken> {
        let client = &self.client;
        let uri = if client.is_http2 { format!("http://{}{}", client.address, ask.path) } else { ask.path.clone() };
        let mut request = http::Request::builder().method(ask.method.clone()).uri(uri);
        if let Some(headers) = request.headers_mut() {
            headers.insert(USER_AGENT, AGENT);
            if !client.is_http2 {
                headers.extend(HeaderValue::from_str(&client.address).ok().map(|host| (HOST, host)));
            }
            headers.extend(client.authorization.clone().map(|value| (AUTHORIZATION, value)));
            // Some servers refuse a PUT without a length; hyper leaves it out where there is no body.
            if ask.body.len() == 0 && ask.method == http::Method::PUT {
                headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            for (name, value) in &ask.headers {
                headers.insert(name.clone(), value.clone());
            }
        }
        request.body(ask.body.clone()).map_err(|error| Broken { told: error.to_string(), is_early: false })
    }

    async fn connect(&mut self) -> Result<Sender, Broken> {
        self.connections += 1;
        let stream = TcpStream::connect(&self.client.address).await.map_err(Broken::early)?;
        stream.set_nodelay(true).map_err(Broken::early)?;
        let stream = TokioIo::new(stream);
        if self.client.is_http2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.map_err(Broken::early)?;
            tokio::spawn(connection);
            return Ok(Sender::Two(sender));
        }
        let (sender, connection) = http1::handshake(stream).await.map_err(Broken::early)?;
        tokio::spawn(connection);
        Ok(Sender::One(sender))
    }
}

/// Why an exchange came to nothing; early means before anything of an answer was seen.
struct Broken {
    told: String,
    is_early: bool,
}

impl Broken {
    fn early(error: impl std::fmt::Display) -> Broken {
        Broken { told: error.to_string(), is_early: true }
    }
}

async fn read(ask: &Ask, response: http::Response<Incoming>) -> Result<Answer, Broken> {
    let (head, mut body) = response.into_parts();
    let mut counter = ask.expected.responses.is_some().then(ResponseCounter::default);
    let (mut body_bytes, mut kept) = (0, Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Broken { told: format!("the body broke off: {error}"), is_early: false })?;
        let Some(data) = frame.data_ref() else { continue };
        body_bytes += data.len() as u64;
        if let Some(counter) = &mut counter {
            counter.feed(data);
        }
        if ask.keeps_body {
            kept.extend_from_slice(data);
        }
    }
    let responses = counter.map(|counter| counter.count());
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body_bytes, responses, body: kept })
}
