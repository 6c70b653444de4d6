//! From a script's request to the message that is sent: URI, headers, body.

use std::path::Path;

use base64::Engine as _;
use uuid::Uuid;

use crate::http::Message;
use crate::owner::Account;
use crate::script::{Data, Request};
use crate::substitution::{Tables, replace};

/// The URI of a request as the script means it, variables replaced; `$` alone is what the last search found.
pub(crate) fn uri(text: &str, repetition: usize, found: &str, tables: &Tables) -> String {
    if text == "$" {
        return found.to_owned();
    }
    let text = tables.run_pass(text);
    let (path, query) = text.split_at(text.find('?').unwrap_or(text.len()));
    let path = match path.contains("**") {
        true => path.replace("**", &Uuid::new_v4().to_string()),
        false => path.replace("##", &repetition.to_string()),
    };
    path + query
}

/// The request target: the path per cent encoded, what follows as it is; the root for a search that found nothing.
pub(crate) fn target(uri: &str, is_quoted: bool) -> String {
    if uri.is_empty() {
        return "/".to_owned();
    }
    if !is_quoted {
        return uri.to_owned();
    }
    let start = uri.find("://").map_or(0, |scheme| {
        let rest = scheme + 3;
        uri[rest..].find('/').map_or(uri.len(), |slash| rest + slash)
    });
    let end = uri[start..].find(['?', '#']).map_or(uri.len(), |end| start + end);
    let segment = uri[start..end].rfind('/').map_or(start, |slash| start + slash);
    let end = uri[segment..end].find(';').map_or(end, |semicolon| segment + semicolon);
    let mut out = uri[..start].to_owned();
    for byte in uri[start..end].bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'/' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out + &uri[end..]
}

/// The message of a request to `uri`, which `account` sends.
pub(crate) fn message(
    request: &Request,
    account: &Account,
    uri: &str,
    body: Option<Vec<u8>>,
    label: &str,
    tables: &Tables,
) -> Message {
    let mut headers: Vec<(String, String)> =
        request.headers.iter().map(|(name, value)| (name.clone(), tables.run_pass(value))).collect();
    if let Some(data) = request.data.as_ref().filter(|data| !data.content_type.is_empty()) {
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        headers.push(("Content-Type".to_owned(), data.content_type.clone()));
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent")) {
        headers.push(("User-Agent".to_owned(), label.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()));
    }
    if request.authenticates {
        headers.push(authorization(account));
    }
    Message { method: request.method.clone(), target: target(uri, request.quotes_uri), headers, body }
}

/// The header of Basic authentication. RFC 7617.
pub(crate) fn authorization((login, password): &Account) -> (String, String) {
    let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{login}:{password}"));
    ("Authorization".to_owned(), format!("Basic {credentials}"))
}

/// The body of a request, from `file`.
///
/// # Errors
/// The file cannot be read; in words.
pub(crate) fn body(data: &Data, file: &Path, repetition: usize, tables: &Tables) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        // What is no text has no variables.
        Err(error) => return Ok(error.into_bytes()),
    };
    let text = tables.fixed_pass(&text).replace("$request_count:", &repetition.to_string());
    let text = tables.run_pass(&text);
    let pairs: Vec<(String, String)> =
        data.substitutes.iter().map(|(name, value)| (name.clone(), tables.run_pass(value))).collect();
    let text = replace(&text, |key| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str()));
    Ok(if data.is_generated { generated(&text, repetition, &tables.today()) } else { text }.into_bytes())
}

/// A calendar as a new one of today: another UID, a numbered summary, today's dates.
fn generated(text: &str, repetition: usize, today: &str) -> String {
    let uid = Uuid::new_v4().to_string();
    let line = |line: &str| {
        let (content, end) = line.split_at(line.trim_end_matches(['\r', '\n']).len());
        let content = if content.starts_with("UID:") {
            format!("UID:{uid}")
        } else if content.starts_with("SUMMARY:") {
            format!("{content} #{repetition}")
        } else if content.starts_with("DTSTART;") || content.starts_with("DTEND;") {
            with_date(content, today)
        } else {
            content.to_owned()
        };
        content + end
    };
    text.split_inclusive('\n').map(line).collect()
}

/// The line with other date digits after its colon.
fn with_date(line: &str, date: &str) -> String {
    match line.find(':').map(|colon| line.split_at(colon + 1)) {
        Some((head, value)) if value.len() >= 8 => format!("{head}{date}{}", &value[8..]),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> Tables {
        let mut tables = Tables::new(chrono::NaiveDate::from_ymd_opt(2025, 3, 1).unwrap(), [].into());
        tables.grab("$home:", "/h");
        tables
    }

    #[test]
    fn uris_have_counters_and_random_names() {
        let check = |text, expected: &str| assert_eq!(uri(text, 3, "/found.ics", &tables()), expected);
        check("$home:/##.ics", "/h/3.ics");
        check("$", "/found.ics");
        check("/a?x=##", "/a?x=##");
        let random = uri("/**/##.ics", 3, "", &tables());
        assert_eq!((random.len(), random.ends_with("/##.ics")), (44, true));
    }

    #[test]
    fn paths_are_quoted_and_the_rest_is_not() {
        let check = |uri, expected: &str| assert_eq!(target(uri, true), expected);
        check("", "/");
        check("/a b/é.ics", "/a%20b/%C3%A9.ics");
        check("/a%20b", "/a%2520b");
        check("/a~(b)", "/a%7E%28b%29");
        check("/a/;add-member", "/a/;add-member");
        check("/a;b/c d;e f?g h", "/a%3Bb/c%20d;e f?g h");
        check("http://h:1/a b", "http://h:1/a%20b");
        assert_eq!(target("/a%20b", false), "/a%20b");
    }

    #[test]
    fn bodies_are_filled_in() {
        let file = std::env::temp_dir().join(format!("caldavtester-{}", Uuid::new_v4()));
        std::fs::write(&file, "$home: $request_count: $x: $now.0:").unwrap();
        let data = Data { substitutes: vec![("$x:".to_owned(), "y".to_owned())], ..Data::default() };
        assert_eq!(body(&data, &file, 2, &tables()).unwrap(), b"/h 2 y 20250301");
        std::fs::remove_file(&file).unwrap();
        assert!(body(&data, &file, 2, &tables()).is_err());
    }

    #[test]
    fn generated_calendars_are_of_today() {
        let text = "UID:1\r\nSUMMARY:a\r\nDTSTART;TZID=X:20010101T100000\r\nDTEND:20010101T110000Z\r\n";
        let text = generated(text, 4, "20250301");
        assert!(text.ends_with("\r\nSUMMARY:a #4\r\nDTSTART;TZID=X:20250301T100000\r\nDTEND:20010101T110000Z\r\n"));
        assert!(!text.starts_with("UID:1\r\n"));
    }
}
