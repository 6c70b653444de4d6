//! A proxy in front of PostgreSQL that counts how often the server asks and waits: round trips.
//!
//! Every message of the protocol's third version but the first ones is a letter, a length and so many bytes. The server waits
//! for an answer after `Q` (a simple query) and `S` (Sync, after what it sent before).

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The statements that went over all connections since it was last asked. Not among them is what is not waited for by any request
/// in the long run: the preparation of a statement on a connection, and looks whether a connection is alive.
#[derive(Debug, Default)]
pub(crate) struct Toll(Mutex<Vec<String>>);

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

    /// Takes out what was counted.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }
}

/// Hands on what both sides say.
async fn pass(client: TcpStream, server: TcpStream, toll: Arc<Toll>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answers = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut has_begun = false;
    let (mut names, mut asked) = (Vec::<(Vec<u8>, String)>::new(), None);
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
            }
            Some(b'B') => {
                let name = bytes_of(&body[bytes_of(&body).len() + 1..]);
                let text = names.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone());
                asked = Some(text.unwrap_or_default());
            }
            Some(b'S') => asked.take().into_iter().for_each(|text| toll.count(text)),
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

/// The bytes up to the first zero.
fn bytes_of(body: &[u8]) -> &[u8] {
    body.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn text_of(body: &[u8]) -> String {
    String::from_utf8_lossy(bytes_of(body)).split_whitespace().collect::<Vec<_>>().join(" ")
}
