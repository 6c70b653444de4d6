//! A server for tests: answers every request with what a function makes of its number.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::session::Client;

/// The server's address; its threads end with the test's process.
pub(crate) struct Served {
    address: String,
}

impl Served {
    /// Starts it on a free port.
    pub(crate) fn answers(answer: impl Fn(u64) -> String + Send + Sync + 'static) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (answer, number) = (Arc::new(answer), Arc::new(AtomicU64::new(0)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, number) = (Arc::clone(&answer), Arc::clone(&number));
                std::thread::spawn(move || serve(stream, &|| answer(number.fetch_add(1, Ordering::SeqCst))));
            }
        });
        Served { address }
    }

    /// A client of it.
    pub(crate) fn client(&self) -> Arc<Client> {
        Arc::new(Self::plain(&self.address))
    }

    /// A client of any address.
    pub(crate) fn plain(address: &str) -> Client {
        Client {
            address: address.to_owned(),
            authorization: None,
            is_http2: false,
            has_short_connections: false,
            answer_timeout: Duration::from_secs(20),
        }
    }
}

fn serve(stream: TcpStream, answer: &dyn Fn() -> String) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut body_bytes = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                body_bytes = length.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        std::io::copy(&mut reader.by_ref().take(body_bytes), &mut std::io::sink()).unwrap();
        let answer = answer();
        if reader.get_mut().write_all(answer.as_bytes()).is_err() || answer.contains("Connection: close") {
            return;
        }
    }
}
