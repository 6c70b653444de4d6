//! A request target has no fragment (RFC 9112 §3.2), and `DELETE /folder/#part` must not delete the folder. The HTTP
//! library cuts fragments off before any service sees them, so the connection is watched for them.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::{Method, Uri};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes of a request line that are looked at; longer ones are refused by their length.
const LINE_BYTES_MAX: usize = 16 * 1024;

/// What the last request line on a connection said. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RequestLine(Arc<Mutex<Line>>);

#[derive(Debug)]
struct Line {
    bytes: Vec<u8>,
    is_whole: bool,
    is_answered: bool,
}

impl Default for Line {
    fn default() -> Line {
        Line { bytes: Vec::new(), is_whole: false, is_answered: true }
    }
}

/// A connection whose request lines are watched.
#[derive(Debug)]
pub struct Watched<S> {
    stream: S,
    line: RequestLine,
}

impl<S> Watched<S> {
    /// The connection, and where to ask about its request lines.
    pub fn new(stream: S) -> (Watched<S>, RequestLine) {
        let line = RequestLine::default();
        (Watched { stream, line: line.clone() }, line)
    }

    /// The connection, which is not watched any more.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl RequestLine {
    /// Whether the request came with a fragment behind its target. The line has to be that of this very request, so that
    /// what a body begins with is never taken for it.
    pub fn has_fragment(&self, method: &Method, uri: &Uri) -> bool {
        let line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((before, _)) = split_at(&line.bytes, b'#') else { return false };
        let Some((line_method, target)) = split_at(before, b' ') else { return false };
        let expected = uri.path_and_query().map_or("/", |target| target.as_str());
        line_method == method.as_str().as_bytes() && target.ends_with(expected.as_bytes())
    }

    fn read(&self, bytes: &[u8]) {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if line.is_answered {
            *line = Line { is_answered: false, ..Line::default() };
        }
        if line.is_whole {
            return;
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        line.bytes.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
        line.is_whole = end.is_some() || line.bytes.len() > LINE_BYTES_MAX;
    }

    fn write(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_answered = true;
    }
}

fn split_at(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let place = bytes.iter().position(|byte| *byte == separator)?;
    Some((&bytes[..place], &bytes[place + 1..]))
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Some(bytes) = buffer.filled().get(before..).filter(|bytes| !bytes.is_empty()) {
            self.line.read(bytes);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.line.write();
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.line.write();
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &RequestLine, method: &str, target: &str, expected: bool) {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        assert_eq!(line.has_fragment(&method, &target.parse().expect("a target")), expected, "{method} {target}");
    }

    #[test]
    fn only_the_line_of_the_request_itself_counts() {
        let line = RequestLine::default();
        line.read(b"DELETE /a/b");
        line.read(b"/#frag HTTP/1.1\r\nHost: h\r\nX: #\r\n");
        check(&line, "DELETE", "/a/b/", true);
        check(&line, "GET", "/a/b/", false);
        check(&line, "DELETE", "/a/b/c", false);
        line.read(b"a body: PUT /x#y");
        check(&line, "PUT", "/x", false);
        line.write();
        line.read(b"PUT /x HTTP/1.1\r\nX-Note: #1\r\n\r\n");
        check(&line, "PUT", "/x", false);
        line.write();
        line.read(b"PUT /x HTTP/1.1\r\n");
        line.read(b"#\r\n");
        check(&line, "PUT", "/x", false);
    }
}
