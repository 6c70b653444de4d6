//! `multipart/form-data` as browsers send it (RFC 7578), part by part, the bytes of a file handed on as they arrive. What is
//! held at once is one run of the body and a delimiter's length.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use nichoir_dav::BoxError;
use nichoir_dav::header::single;

/// RFC 2046 §5.1.1.
const BOUNDARY_BYTES_MAX: usize = 70;
/// Bytes of the headers of one part, and of what is no file.
const SMALL_BYTES_MAX: usize = 8 * 1024;

/// Why the body cannot be read any further.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

/// The boundary that the `Content-Type` of the request names.
pub(super) fn boundary_of(headers: &HeaderMap) -> Option<String> {
    let text = single(headers, CONTENT_TYPE.as_str()).ok()??;
    let (media_type, parameters) = text.split_once(';')?;
    if !media_type.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = parameters.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    let is_good = (1..=BOUNDARY_BYTES_MAX).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic());
    is_good.then(|| value.to_owned())
}

/// How many parts a form has and how many bytes are in them, before it ends or goes wrong: for the fuzzer.
pub(crate) async fn form_parts<S, E>(body: S, boundary: &str) -> (usize, usize)
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: Into<BoxError>,
{
    let mut form = FormData::new(body, boundary);
    let (mut count, mut bytes) = (0, 0);
    while let Ok(Some(_)) = form.next_part().await {
        count += 1;
        while let Ok(Some(run)) = form.take().await {
            bytes += run.len();
        }
    }
    (count, bytes)
}

/// What a part is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The name of the field.
    pub(super) name: String,
    /// The name of the file; `None`: the field is a text.
    pub(super) file_name: Option<String>,
}

/// A form under way.
pub(super) struct FormData<S> {
    body: S,
    /// `\r\n--boundary`.
    delimiter: Vec<u8>,
    arrived: BytesMut,
    is_in_part: bool,
}

impl<S, E> FormData<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: Into<BoxError>,
{
    pub(super) fn new(body: S, boundary: &str) -> FormData<S> {
        // The first delimiter has no line before it: as if it had.
        let arrived = BytesMut::from(&b"\r\n"[..]);
        FormData { body, delimiter: format!("\r\n--{boundary}").into_bytes(), arrived, is_in_part: true }
    }

    /// The next part, once all of the one before has been taken or passed over; `None` after the last.
    pub(super) async fn next_part(&mut self) -> Result<Option<Part>, Malformed> {
        while self.take().await?.is_some() {}
        // What stands behind the delimiter on its line: nothing, or two dashes after the last part.
        while self.arrived.len() < 2 {
            self.fill().await?;
        }
        if self.arrived.starts_with(b"--") {
            return Ok(None);
        }
        let head = self.head().await?;
        self.is_in_part = true;
        let disposition = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
        });
        let disposition = disposition.ok_or(Malformed("A part has no name."))?;
        let name = parameter(disposition, "name").ok_or(Malformed("A part has no name."))?;
        Ok(Some(Part { name, file_name: parameter(disposition, "filename") }))
    }

    /// The present part as a text.
    pub(super) async fn text(&mut self) -> Result<String, Malformed> {
        let mut text = Vec::new();
        while let Some(run) = self.take().await? {
            text.extend_from_slice(&run);
            if text.len() > SMALL_BYTES_MAX {
                return Err(Malformed("A field is too long."));
            }
        }
        String::from_utf8(text).map_err(|_| Malformed("A field is not UTF-8."))
    }

    /// The bytes of the present part. Dropped early, the rest is passed over by [`FormData::next_part`].
    pub(super) fn content(&mut self) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + '_ {
        stream::try_unfold(self, |form| async move {
            match form.take().await {
                Ok(run) => Ok(run.map(|run| (run, form))),
                Err(Malformed(what)) => Err(BoxError::from(what)),
            }
        })
    }

    /// The headers of a part, to the empty line.
    async fn head(&mut self) -> Result<String, Malformed> {
        loop {
            // The delimiter's own line ends first: the headers may be none.
            if let Some(end) = find(&self.arrived, b"\r\n\r\n") {
                let head = self.arrived.split_to(end + 4);
                return String::from_utf8(head.to_vec()).map_err(|_| Malformed("A header is not UTF-8."));
            }
            if self.arrived.len() > SMALL_BYTES_MAX {
                return Err(Malformed("The headers of a part are too long."));
            }
            self.fill().await?;
        }
    }

    /// The next bytes of the present part; `None` at its end, with the delimiter taken.
    async fn take(&mut self) -> Result<Option<Bytes>, Malformed> {
        while self.is_in_part {
            if let Some(end) = find(&self.arrived, &self.delimiter) {
                let run = self.arrived.split_to(end);
                if !run.is_empty() {
                    return Ok(Some(run.freeze()));
                }
                drop(self.arrived.split_to(self.delimiter.len()));
                self.is_in_part = false;
                break;
            }
            // The end of what is here may be the beginning of a delimiter.
            let safe = self.arrived.len().saturating_sub(self.delimiter.len() - 1);
            if safe > 0 {
                return Ok(Some(self.arrived.split_to(safe).freeze()));
            }
            self.fill().await?;
        }
        Ok(None)
    }

    async fn fill(&mut self) -> Result<(), Malformed> {
        match self.body.next().await {
            Some(Ok(run)) => {
                self.arrived.extend_from_slice(&run);
                Ok(())
            }
            Some(Err(_)) => Err(Malformed("The body broke off.")),
            None => Err(Malformed("The body ends early.")),
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    loop {
        let place = from + text.get(from..)?.iter().position(|byte| *byte == first)?;
        match text[place..].starts_with(wanted) {
            true => return Some(place),
            false => from = place + 1,
        }
    }
}

/// A quoted parameter; browsers escape only quotes and line ends in it (WHATWG HTML, multipart/form-data encoding).
fn parameter(disposition: &str, wanted: &str) -> Option<String> {
    let mut rest = disposition;
    loop {
        let (before, value) = rest.split_once("=\"")?;
        let (value, after) = value.split_once('"')?;
        let name = before.rsplit([';', ' ']).next().unwrap_or("").trim();
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"));
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shown(text: &str, step: usize) -> String {
        let runs: Vec<_> =
            text.as_bytes().chunks(step).map(|run| Ok::<_, BoxError>(Bytes::copy_from_slice(run))).collect();
        let mut form = FormData::new(stream::iter(runs), "b");
        let mut shown = String::new();
        loop {
            match form.next_part().await {
                Ok(None) => return shown + "end",
                Err(Malformed(what)) => return shown + what,
                Ok(Some(part)) => {
                    let content: Result<Vec<Bytes>, _> = form.content().collect::<Vec<_>>().await.into_iter().collect();
                    let Ok(content) = content else { return shown + "broken" };
                    let text = String::from_utf8(content.concat()).unwrap();
                    shown += &format!(
                        "{}{}={text:?}; ",
                        part.name,
                        part.file_name.map_or(String::new(), |it| format!("<{it}>"))
                    );
                }
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for step in [1, 2, 3, 7, 16, text.len().max(1)] {
            assert_eq!(runtime.block_on(shown(text, step)), expected, "{step} bytes at a time");
        }
    }

    const NAMED: &str = "--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n";

    #[test]
    fn parts_come_out_however_the_bytes_arrive() {
        check(&format!("{NAMED}Zoé\r\n--b--\r\n"), "n=\"Zoé\"; end");
        check(
            "--b\r\ncontent-disposition: form-data; name=\"f\"; filename=\"a %22.txt\"\r\nContent-Type: text/plain\r\n\r\n\
             one\r\n--\r\n-b\r\n\r\n--b\r\nContent-Disposition: form-data; filename=\"\"; name=\"g\"\r\n\r\n\r\n--b--",
            "f<a \".txt>=\"one\\r\\n--\\r\\n-b\\r\\n\"; g<>=\"\"; end",
        );
        check("--b--", "end");
        check(&format!("a preamble is passed over\r\n{NAMED}x\r\n--b--"), "n=\"x\"; end");
    }

    #[test]
    fn malformed_forms_stop_where_they_go_wrong() {
        check("", "The body ends early.");
        check("--b\r\nX: 1\r\n\r\n", "A part has no name.");
        check(NAMED, "broken");
        check(&format!("{NAMED}x\r\n--b\r\n"), "n=\"x\"; The body ends early.");
        check(&format!("--b\r\n{}", "x".repeat(9000)), "The headers of a part are too long.");
    }
}
