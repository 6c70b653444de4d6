//! `multipart/form-data` that is at hand as a whole (RFC 7578): small forms of API clients. What browsers hand in to public links
//! is read as it arrives, by `link/form_data.rs`.

use bytes::Bytes;

/// A part of a form.
#[derive(Debug)]
pub(crate) struct Part {
    /// Its headers, without the empty line.
    pub(crate) headers: String,
    /// Its content.
    pub(crate) content: Bytes,
}

impl Part {
    /// Its `Content-Disposition`.
    pub(crate) fn disposition(&self) -> Option<&str> {
        disposition(&self.headers)
    }
}

/// The parts of a form, up to the first that is malformed.
pub(crate) fn parts(form: &Bytes, boundary: &str) -> impl Iterator<Item = Part> {
    let first = format!("--{boundary}");
    let delimiter = format!("\r\n{first}");
    let mut at = position(form, first.as_bytes(), 0).map(|place| place + first.len());
    std::iter::from_fn(move || {
        let head = position(form, b"\r\n", at?).filter(|head| Some(*head) == at)? + 2;
        let end_of_head = position(form, b"\r\n\r\n", head)?;
        let end = position(form, delimiter.as_bytes(), end_of_head + 2)?;
        at = Some(end + delimiter.len());
        let headers = String::from_utf8_lossy(&form[head..end_of_head]).into_owned();
        Some(Part { headers, content: form.slice((end_of_head + 4).min(end)..end) })
    })
}

/// The `Content-Disposition` among the headers of a part.
pub(crate) fn disposition(headers: &str) -> Option<&str> {
    headers.split("\r\n").find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))
}

/// The parameter of that name in a header like `form-data; name="x"`.
pub(crate) fn parameter(header: &str, wanted: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn position(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(wanted.len()).position(|window| window == wanted).map(|place| place + from)
}
