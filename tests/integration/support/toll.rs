//! A proxy in front of PostgreSQL that counts how often the server asks and waits: round trips.
//!
//! Every message of the protocol's third version but the first ones is a letter, a length and so many bytes. The server waits
//! for an answer after `Q` (a simple query) and `S` (Sync, after what it sent before).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What went over all connections since the start.
#[derive(Debug, Default)]
pub(crate) struct Toll {
    /// Statements that were carried out.
    statements: AtomicU64,
    /// Looks whether the connection is alive.
    pings: AtomicU64,
    /// What each statement said, for whoever wants to see where the numbers come from.
    texts: Mutex<Vec<String>>,
}

/// Round trips of one kind and another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoundTrips {
    pub(crate) statements: u64,
    pub(crate) pings: u64,
}

impl Toll {
    /// A proxy in front of the database at `url`; returns its own URL.
    pub(crate) async fn before(url: &str) -> (Arc<Toll>, String) {
        let rest = url.split_once('@').expect("a user in TEST_POSTGRES").1;
        let address = rest.split_once('/').expect("a database in TEST_POSTGRES").0.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("an address").to_string();
        let toll = Arc::new(Toll::default());
        let counting = Arc::clone(&toll);
        let changed = url.replace(&address, &own);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&address).await.expect("PostgreSQL listens");
                tokio::spawn(pass(client, server, Arc::clone(&counting)));
            }
        });
        (toll, changed)
    }

    /// Takes out what was counted, once nothing more comes: some of it is not waited for by any request.
    pub(crate) async fn take(&self) -> (RoundTrips, Vec<String>) {
        let mut before = u64::MAX;
        loop {
            tokio::time::sleep(Duration::from_millis(30)).await;
            let now = self.statements.load(Ordering::SeqCst) + self.pings.load(Ordering::SeqCst);
            if std::mem::replace(&mut before, now) == now {
                break;
            }
        }
        let texts = std::mem::take(&mut *self.texts.lock().unwrap_or_else(PoisonError::into_inner));
        let trips = RoundTrips {
            statements: self.statements.swap(0, Ordering::SeqCst),
            pings: self.pings.swap(0, Ordering::SeqCst),
        };
        (trips, texts)
    }
}

/// Hands on what both sides say.
async fn pass(client: TcpStream, server: TcpStream, toll: Arc<Toll>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answers = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut has_begun = false;
    let (mut names, mut asked) = (Vec::<(Vec<u8>, String)>::new(), Asked::Nothing);
    loop {
        let mut head = Vec::new();
        if has_begun {
            head.push(from_client.read_u8().await.unwrap_or_default());
        }
        let Ok(length) = from_client.read_u32().await else { break };
        let mut body = vec![0; length as usize - 4];
        if from_client.read_exact(&mut body).await.is_err() {
            break;
        }
        match head.first() {
            // The version 3; before it may come a question whether TLS is spoken.
            None => has_begun = body.starts_with(&[0, 3]),
            Some(b'Q') => toll.count(text_of(&body)),
            Some(b'P') => {
                let (name, text) = (bytes_of(&body), text_of(&body[bytes_of(&body).len() + 1..]));
                names.retain(|(known, _)| known != name);
                names.push((name.to_vec(), text));
                asked = Asked::Preparation;
            }
            Some(b'B') => {
                let name = bytes_of(&body[bytes_of(&body).len() + 1..]);
                let text = names.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone());
                asked = Asked::Statement(text.unwrap_or_default());
            }
            Some(b'S') => match std::mem::replace(&mut asked, Asked::Nothing) {
                Asked::Statement(text) => toll.count(text),
                // Once for each connection and statement.
                Asked::Preparation => {}
                Asked::Nothing => drop(toll.pings.fetch_add(1, Ordering::SeqCst)),
            },
            Some(_) => {}
        }
        head.extend(length.to_be_bytes());
        head.extend(body);
        if to_server.write_all(&head).await.is_err() {
            break;
        }
    }
    answers.abort();
}

/// What stands before the next Sync.
enum Asked {
    Nothing,
    Preparation,
    Statement(String),
}

impl Toll {
    fn count(&self, text: String) {
        self.statements.fetch_add(1, Ordering::SeqCst);
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }
}

/// The bytes up to the first zero.
fn bytes_of(body: &[u8]) -> &[u8] {
    body.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn text_of(body: &[u8]) -> String {
    String::from_utf8_lossy(bytes_of(body)).split_whitespace().collect::<Vec<_>>().join(" ")
}
