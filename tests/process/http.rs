//! A blocking HTTP/1.1 client, as small as these tests allow: one connection, one request at a time.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;

use crate::binary::PASSWORD;

/// One kept connection, to one space.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

/// The head of an answer; the body is read by whoever wants it.
pub(crate) struct Head {
    /// The status code.
    pub(crate) status: u16,
    /// The announced length of the body.
    pub(crate) length: usize,
    /// Whether the connection ends with this answer.
    pub(crate) is_last: bool,
    is_chunked: bool,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr, host: &str) -> io::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream: BufReader::new(stream), host: host.to_owned() })
    }

    /// Sends the head of a request by alice.
    pub(crate) fn send_head(&mut self, method: &str, path: &str, headers: &str) -> io::Result<()> {
        let credentials = base64::engine::general_purpose::STANDARD.encode(format!("alice:{PASSWORD}"));
        let host = &self.host;
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {credentials}\r\n{headers}\r\n");
        self.send(head.as_bytes())
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    pub(crate) fn read_head(&mut self) -> io::Result<Head> {
        let mut head = Head { status: 0, length: 0, is_last: false, is_chunked: false };
        let mut line = String::new();
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let text = line.trim_end().to_ascii_lowercase();
            if let Some(status) = text.strip_prefix("http/1.1 ") {
                head.status = status.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
            } else if let Some(length) = text.strip_prefix("content-length:") {
                head.length = length.trim().parse().map_err(|_| io::ErrorKind::InvalidData)?;
            } else if text == "connection: close" {
                head.is_last = true;
            } else if text.starts_with("transfer-encoding:") {
                head.is_chunked = true;
            } else if text.is_empty() {
                return Ok(head);
            }
        }
    }

    /// Reads `length` bytes of a body.
    pub(crate) fn read_body(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(body)
    }

    /// The port that it comes from.
    pub(crate) fn port(&self) -> u16 {
        self.stream.get_ref().local_addr().map_or(0, |address| address.port())
    }

    /// One request and its answer.
    pub(crate) fn request(&mut self, method: &str, path: &str, body: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        self.request_with(method, path, "", body)
    }

    /// The same with further headers, each with its line end.
    pub(crate) fn request_with(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> io::Result<(u16, Vec<u8>)> {
        let length = if method == "PUT" || !body.is_empty() {
            format!("Content-Length: {}\r\n", body.len())
        } else {
            String::new()
        };
        self.send_head(method, path, &format!("{length}{headers}"))?;
        self.send(body)?;
        let head = self.read_head()?;
        if !head.is_chunked {
            return Ok((head.status, self.read_body(head.length)?));
        }
        let mut whole = Vec::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let length = usize::from_str_radix(line.trim(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
            whole.extend(self.read_body(length)?);
            self.read_body(2)?;
            if length == 0 {
                return Ok((head.status, whole));
            }
        }
    }
}

/// The path of one of alice's files.
pub(crate) fn path(name: &str) -> String {
    format!("/remote.php/dav/files/alice/{name}")
}

/// The hrefs that a listing of a folder shows, without the folder itself.
fn list(connection: &mut Connection, at: &str) -> Vec<String> {
    let (status, listing) = connection.request_with("PROPFIND", at, "Depth: 1\r\n", b"").expect("an answer");
    assert_eq!(status, 207, "{at}");
    let listing = String::from_utf8_lossy(&listing);
    let hrefs = listing.split("<d:href>").skip(1).filter_map(|rest| rest.split('<').next());
    hrefs.filter(|href| href.trim_end_matches('/') != at.trim_end_matches('/')).map(str::to_owned).collect()
}

/// The names of what is in a folder of alice's, sorted.
pub(crate) fn names_in(connection: &mut Connection, folder: &str) -> Vec<String> {
    let hrefs = list(connection, &path(folder));
    let mut names: Vec<String> = hrefs.iter().filter_map(|href| href.rsplit('/').next()).map(str::to_owned).collect();
    names.sort();
    names
}

/// Where the trash has what was called `name`, of which there is one.
pub(crate) fn trashed_href(connection: &mut Connection, name: &str) -> Option<String> {
    let trash = "/remote.php/dav/trashbin/alice/trash";
    let begin = format!("{trash}/{name}.d");
    list(connection, trash).into_iter().find(|href| href.starts_with(&begin))
}
