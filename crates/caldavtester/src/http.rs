//! One request over one fresh connection. RFC 9112.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// How long one answer may take before the request counts as failed.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// Bytes of an answer that are read at most.
const ANSWER_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Where the server is, and what it is called in the Host header.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) unix: Option<PathBuf>,
    pub(crate) host_header: String,
}

/// A request as it is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The values of a header, whatever its case.
    pub(crate) fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let is_it = move |known: &str| known.eq_ignore_ascii_case(name);
        self.headers.iter().filter(move |(known, _)| is_it(known)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_success(&self) -> bool {
        self.status / 100 == 2
    }
}

impl Server {
    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// The server does not answer, or what comes back is no HTTP.
    pub(crate) fn exchange(&self, message: &Message) -> io::Result<Answer> {
        let bytes = self.bytes_of(message);
        let is_head = message.method == "HEAD";
        match &self.unix {
            Some(path) => {
                let mut stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
                stream.write_all(&bytes)?;
                read_answer(BufReader::new(stream), is_head)
            }
            None => {
                let mut stream = TcpStream::connect((self.host.as_str(), self.port))?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
                stream.write_all(&bytes)?;
                read_answer(BufReader::new(stream), is_head)
            }
        }
    }

    fn bytes_of(&self, message: &Message) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", message.method, message.target);
        head.push_str(&format!("Host: {}\r\nConnection: close\r\n", self.host_header));
        for (name, value) in &message.headers {
            head.push_str(&format!("{name}: {}\r\n", value.replace(['\r', '\n'], " ")));
        }
        if let Some(body) = &message.body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        } else if matches!(message.method.as_str(), "PUT" | "POST") {
            head.push_str("Content-Length: 0\r\n");
        }
        head.push_str("\r\n");
        [head.as_bytes(), message.body.as_deref().unwrap_or_default()].concat()
    }
}

fn read_answer(mut stream: impl BufRead, is_head: bool) -> io::Result<Answer> {
    loop {
        let answer = read_head(&mut stream)?;
        if answer.status / 100 != 1 {
            return read_body(stream, answer, is_head);
        }
    }
}

fn read_head(stream: &mut impl BufRead) -> io::Result<Answer> {
    let status_line = read_line(stream)?;
    let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.filter(|_| status_line.starts_with("HTTP/")).ok_or_else(no_http)?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            return Ok(Answer { status, headers, body: Vec::new() });
        }
        let (name, value) = line.split_once(':').ok_or_else(no_http)?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
}

fn read_body(mut stream: impl BufRead, mut answer: Answer, is_head: bool) -> io::Result<Answer> {
    if is_head || matches!(answer.status, 204 | 304) {
        return Ok(answer);
    }
    let is_chunked = answer.header("transfer-encoding").any(|value| value.eq_ignore_ascii_case("chunked"));
    let length = answer.header("content-length").next().map(|value| value.parse().map_err(|_| no_http()));
    if is_chunked {
        loop {
            let line = read_line(&mut stream)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| no_http())?;
            read_exactly(&mut stream, size, &mut answer.body)?;
            if size == 0 {
                break;
            }
            read_line(&mut stream)?;
        }
    } else if let Some(length) = length.transpose()? {
        read_exactly(&mut stream, length, &mut answer.body)?;
    } else {
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer.body)?;
    }
    Ok(answer)
}

fn read_exactly(stream: &mut impl BufRead, length: u64, out: &mut Vec<u8>) -> io::Result<()> {
    if length > ANSWER_BYTES_MAX {
        return Err(no_http());
    }
    let read = stream.by_ref().take(length).read_to_end(out)?;
    if read as u64 == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    if stream.read_until(b'\n', &mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
}

fn no_http() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "that is no HTTP/1.1 answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(text: &str, is_head: bool) -> io::Result<(u16, String)> {
        let answer = read_answer(BufReader::new(text.as_bytes()), is_head)?;
        Ok((answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
    }

    #[test]
    fn bodies_are_read_whatever_their_framing() {
        let check = |text, status, body: &str| assert_eq!(answered(text, false).unwrap(), (status, body.to_owned()));
        check("HTTP/1.1 204 No Content\r\n\r\n", 204, "");
        check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more", 200, "hello");
        check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 201, "");
        check("HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, "until the end");
        check(
            "HTTP/1.1 207 M\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n",
            207,
            "abc0123456789",
        );
        assert_eq!(answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true).unwrap().0, 200);
    }

    #[test]
    fn what_is_cut_short_or_no_http_is_an_error() {
        assert!(answered("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", false).is_err());
        assert!(answered("nonsense 200\r\n\r\n", false).is_err());
    }

    #[test]
    fn a_request_says_who_it_is_for_and_how_long_it_is() {
        let server = Server { host: "h".to_owned(), port: 1, unix: None, host_header: "nest.test".to_owned() };
        let headers = vec![("Depth".to_owned(), "1".to_owned())];
        let message =
            Message { method: "REPORT".to_owned(), target: "/a".to_owned(), headers, body: Some(b"xy".to_vec()) };
        let text =
            "REPORT /a HTTP/1.1\r\nHost: nest.test\r\nConnection: close\r\nDepth: 1\r\nContent-Length: 2\r\n\r\nxy";
        assert_eq!(String::from_utf8(server.bytes_of(&message)).unwrap(), text);
    }
}
