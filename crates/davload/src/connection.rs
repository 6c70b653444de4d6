//! One kept HTTP/1.1 connection that sends prepared requests and reads answers away. RFC 9112.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// How long one answer may take before the run is given up.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// A connection to the server under load.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    line: Vec<u8>,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// Bytes of the body.
    pub(crate) body_bytes: u64,
}

/// How the end of a body is found. RFC 9112 §6.3.
enum Framing {
    Length(u64),
    Chunked,
}

impl Connection {
    /// Connects to `HOST:PORT`.
    ///
    /// # Errors
    /// The server does not answer.
    pub(crate) fn open(address: &str) -> io::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Connection { stream: BufReader::with_capacity(256 * 1024, stream), line: Vec::new() })
    }

    /// Sends one request, head and body in as few writes as their sizes allow, and reads its answer.
    ///
    /// # Errors
    /// The connection broke, or what came back is no HTTP.
    pub(crate) fn exchange(&mut self, head: &str, body: &[u8]) -> io::Result<Answer> {
        let stream = self.stream.get_mut();
        if body.len() <= 64 * 1024 {
            stream.write_all(&[head.as_bytes(), body].concat())?;
        } else {
            stream.write_all(head.as_bytes())?;
            stream.write_all(body)?;
        }
        self.read_answer()
    }

    fn read_answer(&mut self) -> io::Result<Answer> {
        let status_line = self.read_line()?;
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(no_http)?;
        let mut framing = Framing::Length(0);
        loop {
            let line = self.read_line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(length) = line.strip_prefix("content-length:") {
                framing = Framing::Length(length.trim().parse().map_err(|_| no_http())?);
            } else if line.starts_with("transfer-encoding:") {
                framing = Framing::Chunked;
            }
        }
        let body_bytes = match framing {
            Framing::Length(length) => self.discard(length)?,
            Framing::Chunked => self.discard_chunks()?,
        };
        Ok(Answer { status, body_bytes })
    }

    fn discard_chunks(&mut self) -> io::Result<u64> {
        let mut total = 0;
        loop {
            let length = u64::from_str_radix(self.read_line()?.trim(), 16).map_err(|_| no_http())?;
            total += self.discard(length)?;
            self.read_line()?;
            if length == 0 {
                return Ok(total);
            }
        }
    }

    fn discard(&mut self, length: u64) -> io::Result<u64> {
        let read = io::copy(&mut self.stream.by_ref().take(length), &mut io::sink())?;
        if read == length { Ok(read) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn read_line(&mut self) -> io::Result<String> {
        self.line.clear();
        if self.stream.read_until(b'\n', &mut self.line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(String::from_utf8_lossy(&self.line).trim_end().to_owned())
    }
}

fn no_http() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "that is no HTTP/1.1 answer")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn answered(text: &'static str) -> io::Result<Answer> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 100];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
        });
        let answer = Connection::open(&address).unwrap().exchange("GET / HTTP/1.1\r\n\r\n", b"");
        server.join().unwrap();
        answer
    }

    #[test]
    fn bodies_are_counted_whatever_their_framing() {
        let check = |text, status, body_bytes| assert_eq!(answered(text).unwrap(), Answer { status, body_bytes });
        check("HTTP/1.1 204 No Content\r\n\r\n", 204, 0);
        check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, 5);
        check(
            "HTTP/1.1 207 Multi-Status\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n",
            207,
            13,
        );
    }

    #[test]
    fn a_short_body_is_an_error() {
        assert!(answered("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello").is_err());
        assert!(answered("nonsense\r\n\r\n").is_err());
    }
}
