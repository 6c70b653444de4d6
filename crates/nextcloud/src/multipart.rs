//! `multipart/related` as it comes in: parts one after the other, their length announced, their bytes handed on as they
//! arrive. RFC 2046 §5.1, with the `Content-Length` in each part that bulk upload demands; no preamble.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use nichoir_dav::BoxError;
use nichoir_dav::header::single;

/// RFC 2046 says 70; what Qt makes up is well below, too.
const BOUNDARY_BYTES_MAX: usize = 70;

/// Why the body cannot be read any further.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// The boundary that the `Content-Type` of the request names.
pub(crate) fn boundary_of(headers: &HeaderMap) -> Option<String> {
    let text = single(headers, CONTENT_TYPE.as_str()).ok()??;
    let (media_type, parameters) = text.split_once(';')?;
    if !media_type.trim().eq_ignore_ascii_case("multipart/related") {
        return None;
    }
    let is_boundary =
        |parameter: &&str| parameter.trim_start().get(..9).is_some_and(|name| name.eq_ignore_ascii_case("boundary="));
    let value = parameters.split(';').find(is_boundary)?.trim().get(9..)?;
    let value = value.strip_prefix('"').and_then(|inside| inside.strip_suffix('"')).unwrap_or(value);
    let is_good = (1..=BOUNDARY_BYTES_MAX).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic());
    is_good.then(|| value.to_owned())
}

/// A multipart body under way.
#[derive(Debug)]
pub(crate) struct Multipart<S> {
    body: S,
    delimiter: String,
    header_bytes_max: usize,
    arrived: BytesMut,
    has_begun: bool,
    /// Bytes of the present part that nobody has taken yet.
    rest_bytes: u64,
}

impl<S, E> Multipart<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: Into<BoxError>,
{
    /// The parts of `body`; the headers of one have at most `header_bytes_max`.
    pub(crate) fn new(body: S, boundary: &str, header_bytes_max: usize) -> Multipart<S> {
        let delimiter = format!("--{boundary}");
        Multipart { body, delimiter, header_bytes_max, arrived: BytesMut::new(), has_begun: false, rest_bytes: 0 }
    }

    /// The headers of the next part, once all of the one before has been taken or passed over; `None` after the last.
    pub(crate) async fn next_part(&mut self) -> Result<Option<HeaderMap>, Malformed> {
        while self.take().await?.is_some() {}
        if self.has_begun && !self.line().await?.is_empty() {
            return Err(Malformed("A part is longer than it announced."));
        }
        self.has_begun = true;
        let line = self.line().await?;
        match line.strip_prefix(self.delimiter.as_bytes()) {
            Some(b"") => {}
            Some(b"--") => return Ok(None),
            _ => return Err(Malformed("The boundary is missing.")),
        }
        let headers = self.headers().await?;
        let length = single(&headers, CONTENT_LENGTH.as_str()).ok().flatten();
        let length = length.ok_or(Malformed("A part must announce its Content-Length."))?;
        self.rest_bytes = length.parse().map_err(|_| Malformed("A Content-Length is not a number."))?;
        Ok(Some(headers))
    }

    /// How many bytes of the present part are still to come.
    pub(crate) fn rest_bytes(&self) -> u64 {
        self.rest_bytes
    }

    /// The bytes of the present part. Dropped early, the rest is passed over by [`Multipart::next_part`].
    pub(crate) fn content(&mut self) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + '_ {
        stream::try_unfold(self, |parts| async move {
            match parts.take().await {
                Ok(run) => Ok(run.map(|run| (run, parts))),
                Err(Malformed(what)) => Err(BoxError::from(what)),
            }
        })
    }

    async fn headers(&mut self) -> Result<HeaderMap, Malformed> {
        let mut headers = HeaderMap::new();
        let mut bytes = 0;
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok(headers);
            }
            bytes += line.len();
            if bytes > self.header_bytes_max {
                return Err(Malformed("The headers of a part are too long."));
            }
            let colon = line.iter().position(|byte| *byte == b':').ok_or(Malformed("A header has no colon."))?;
            let name = HeaderName::from_bytes(&line[..colon]).map_err(|_| Malformed("A header has no proper name."))?;
            let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
            headers.append(name, value.map_err(|_| Malformed("A header has no proper value."))?);
        }
    }

    /// The next line without its end. The last one of the body needs none.
    async fn line(&mut self) -> Result<Bytes, Malformed> {
        let mut searched = 0;
        loop {
            if let Some(place) = self.arrived[searched..].iter().position(|byte| *byte == b'\n') {
                let length = searched + place;
                if length > self.header_bytes_max {
                    return Err(Malformed("A line is too long."));
                }
                let mut line = self.arrived.split_to(length + 1);
                line.truncate(length);
                if line.last() == Some(&b'\r') {
                    line.truncate(length - 1);
                }
                return Ok(line.freeze());
            }
            searched = self.arrived.len();
            if searched > self.header_bytes_max {
                return Err(Malformed("A line is too long."));
            }
            if !self.fill().await? {
                return match searched {
                    0 => Err(Malformed("The body ends early.")),
                    _ => Ok(self.arrived.split().freeze()),
                };
            }
        }
    }

    /// The next bytes of the present part; `None` at its end.
    async fn take(&mut self) -> Result<Option<Bytes>, Malformed> {
        if self.rest_bytes == 0 {
            return Ok(None);
        }
        while self.arrived.is_empty() {
            if !self.fill().await? {
                return Err(Malformed("A part is shorter than it announced."));
            }
        }
        let rest = usize::try_from(self.rest_bytes).unwrap_or(usize::MAX);
        let run = self.arrived.split_to(self.arrived.len().min(rest)).freeze();
        self.rest_bytes -= run.len() as u64;
        Ok(Some(run))
    }

    /// Waits for more; `false` at the end of the body.
    async fn fill(&mut self) -> Result<bool, Malformed> {
        match self.body.next().await {
            Some(Ok(run)) => {
                self.arrived.extend_from_slice(&run);
                Ok(true)
            }
            Some(Err(_)) => Err(Malformed("The body broke off.")),
            None => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str =
        "--b\r\nX-File-Path: /a\r\nContent-Length: 5\r\n\r\none\r\n\r\n--b\r\ncontent-length:0\r\n\r\n\r\n--b--\r\n";

    /// The parts as text, the body arriving `step` bytes at a time.
    async fn parts_of(text: &str, step: usize) -> String {
        let runs: Vec<_> =
            text.as_bytes().chunks(step).map(|run| Ok::<_, BoxError>(Bytes::copy_from_slice(run))).collect();
        let mut parts = Multipart::new(stream::iter(runs), "b", 200);
        let mut shown = String::new();
        loop {
            match parts.next_part().await {
                Ok(None) => return shown + "end",
                Err(Malformed(what)) => return shown + what,
                Ok(Some(headers)) => {
                    let path = single(&headers, "x-file-path").unwrap().unwrap_or("-").to_owned();
                    let mut content = Vec::new();
                    let mut runs = Box::pin(parts.content());
                    while let Some(run) = runs.next().await {
                        match run {
                            Ok(run) => content.extend_from_slice(&run),
                            Err(error) => return format!("{shown}{path} breaks: {error}"),
                        }
                    }
                    shown += &format!("{path}={:?}; ", String::from_utf8(content).unwrap());
                }
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for step in [1, 2, 3, 7, 16, text.len().max(1)] {
            assert_eq!(runtime.block_on(parts_of(text, step)), expected, "{step} bytes at a time");
        }
    }

    #[test]
    fn parts_come_out_however_the_bytes_arrive() {
        check(TWO, "/a=\"one\\r\\n\"; -=\"\"; end");
        check("--b--", "end");
        check("--b\r\nContent-Length: 7\r\n\r\n--b--\r\n\r\n--b--", "-=\"--b--\\r\\n\"; end");
    }

    #[test]
    fn malformed_bodies_stop_where_they_go_wrong() {
        check("", "The body ends early.");
        check("preamble\r\n--b\r\n", "The boundary is missing.");
        check("--c\r\n", "The boundary is missing.");
        check("--b\r\nX: 1\r\n\r\n", "A part must announce its Content-Length.");
        check("--b\r\nContent-Length: -1\r\n\r\n", "A Content-Length is not a number.");
        check("--b\r\nnonsense\r\n\r\n", "A header has no colon.");
        check("--b\r\nContent-Length: 1\r\n\r\nab\r\n--b--", "-=\"a\"; A part is longer than it announced.");
        check("--b\r\nContent-Length: 9\r\n\r\nab", "- breaks: A part is shorter than it announced.");
        check("--b\r\nContent-Length: 2\r\n\r\nab\r\n", "-=\"ab\"; The body ends early.");
        // At the limit of 200 bytes, and beyond.
        let long = |length| format!("--b\r\nX:{}\r\nContent-Length: 0\r\n\r\n\r\n--b--", "x".repeat(length));
        check(&long(181), "-=\"\"; end");
        check(&long(182), "The headers of a part are too long.");
        check(&long(198), "A line is too long.");
        check(&format!("--b\r\n{}", "X: 0123456789\r\n".repeat(30)), "The headers of a part are too long.");
    }

    #[test]
    fn boundaries_are_read_quoted_or_not() {
        let check = |value: &str, expected: Option<&str>| {
            let headers = [(CONTENT_TYPE, value.parse().unwrap())].into_iter().collect();
            assert_eq!(boundary_of(&headers).as_deref(), expected, "{value}");
        };
        check("multipart/related; boundary=b", Some("b"));
        check("Multipart/Related; type=x; BOUNDARY=\"boundary_.oOo._a+/=\"", Some("boundary_.oOo._a+/="));
        check("multipart/mixed; boundary=b", None);
        check("multipart/related", None);
        check("multipart/related; boundary=", None);
        check(&format!("multipart/related; boundary={}", "b".repeat(71)), None);
    }
}
