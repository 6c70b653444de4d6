//! From URL paths to node paths and back. Percent-decoded once, names normalised by [`NodePath`]; encoded the way Nextcloud's
//! clients cut and compare (`A-Za-z0-9_-.~()/:@` stay, lower-case hexadecimal).

use nichoir_store::NodePath;

use crate::error::Error;

/// The path below a mount's prefix. The prefix is compared as the request spelt it.
///
/// # Errors
/// 400 for a malformed escape, text that is not UTF-8 or a name that cannot be; 404 for a path outside of the mount.
pub fn path_below(prefix: &str, path: &str) -> Result<NodePath, Error> {
    let below = path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    decoded(below.ok_or_else(Error::not_found)?)
}

/// The path that an absolute URL or a path names below the prefix; `None` if it lies elsewhere. Whose host it names is not
/// looked at: behind a proxy it is often the wrong one.
///
/// # Errors
/// 400 as [`path_below`].
pub fn path_of_url(prefix: &str, url: &str) -> Result<Option<NodePath>, Error> {
    let path = path_part(url);
    // Both sides may be escaped differently: compare what they mean, name by name.
    let mut names = path.split('/').filter(|name| !name.is_empty());
    for expected in prefix.split('/').filter(|name| !name.is_empty()) {
        match names.next() {
            Some(name) if decode(name)? == decode(expected)? => {}
            _ => return Ok(None),
        }
    }
    let names = names.map(decode).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(NodePath::of(names)?))
}

/// The path of a URL, without scheme, authority, query and fragment.
fn path_part(url: &str) -> &str {
    let path = match url.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) => {
            rest.find('/').map_or("/", |slash| &rest[slash..])
        }
        _ => url,
    };
    path.split(['?', '#']).next().unwrap_or("")
}

/// `/a%20b//c/` as a path.
fn decoded(path: &str) -> Result<NodePath, Error> {
    let names = path.split('/').filter(|name| !name.is_empty()).map(decode).collect::<Result<Vec<_>, _>>()?;
    Ok(NodePath::of(names)?)
}

/// One segment, percent-decoded once.
///
/// # Errors
/// 400 for a malformed escape, an escaped slash, or what is not UTF-8.
pub fn decode(segment: &str) -> Result<String, Error> {
    if !segment.contains('%') {
        return Ok(segment.to_owned());
    }
    let bytes = segment.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        if *byte != b'%' {
            out.push(*byte);
            place += 1;
            continue;
        }
        let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (digit(place + 1), digit(place + 2)) {
            (Some(high), Some(low)) => out.push((high * 16 + low) as u8),
            _ => return Err(Error::bad_request("The URL has a malformed percent escape.")),
        }
        place += 3;
    }
    let text = String::from_utf8(out).map_err(|_| Error::bad_request("The URL is not UTF-8."))?;
    if text.contains('/') {
        return Err(Error::bad_request("A name may not contain a slash."));
    }
    Ok(text)
}

/// The href of a node: the prefix as requested, then the path; collections end in a slash.
pub fn of(prefix: &str, path: &NodePath, is_folder: bool) -> String {
    let mut href = String::with_capacity(prefix.len() + 32);
    href.push_str(prefix);
    append_path(&mut href, path);
    if is_folder {
        href.push('/');
    }
    href
}

/// Appends `/a%20b/c`; nothing for the root.
pub fn append_path(href: &mut String, path: &NodePath) {
    for name in path.names() {
        href.push('/');
        append_name(href, name);
    }
}

/// Appends one name, escaped.
pub fn append_name(href: &mut String, name: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut rest = name;
    while let Some(place) = rest.bytes().position(|byte| !STAYS[usize::from(byte)]) {
        let (plain, escaped) = rest.split_at(place);
        href.push_str(plain);
        // A character of several bytes is escaped whole.
        let length = escaped.chars().next().map_or(1, char::len_utf8);
        for byte in escaped[..length].bytes() {
            href.push('%');
            href.push(char::from(HEX[usize::from(byte >> 4)]));
            href.push(char::from(HEX[usize::from(byte & 15)]));
        }
        rest = &escaped[length..];
    }
    href.push_str(rest);
}

/// Bytes that stand for themselves in a name.
const STAYS: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let is_sign = matches!(byte as u8, b'_' | b'-' | b'.' | b'~' | b'(' | b')' | b':' | b'@');
        table[byte] = (byte as u8).is_ascii_alphanumeric() || is_sign;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "/remote.php/dav/files/al%69ce";

    #[track_caller]
    fn check(url: &str, expected: &str) {
        let found = match path_of_url(PREFIX, url) {
            Ok(Some(path)) => path.to_string(),
            Ok(None) => "elsewhere".to_owned(),
            Err(_) => "error".to_owned(),
        };
        assert_eq!(found, expected, "{url}");
    }

    #[test]
    fn urls_of_all_spellings_name_the_same_path() {
        check("https://h.example:8443/remote.php/dav/files/alice/a%20b/c", "/a b/c");
        check("/remote.php/dav/files/alice/a%20b//c/", "/a b/c");
        check("/remote.php/dav/files/alice", "/");
        check("/remote.php/dav/files/alice/caf%C3%A9", "/café");
        check("/remote.php/dav/files/alice/cafe%CC%81", "/café");
        check("/remote.php/dav/files/alice/raw é", "/raw é");
        check("/remote.php/dav/files/bob/x", "elsewhere");
        check("/remote.php/dav/files/alice2/x", "elsewhere");
        check("/other", "elsewhere");
        check("http://h.example", "elsewhere");
        check("/remote.php/dav/files/alice/%2e%2e/x", "error");
        check("/remote.php/dav/files/alice/../bob", "error");
        check("/remote.php/dav/files/alice/a%2Fb", "error");
        check("/remote.php/dav/files/alice/a%00b", "error");
        check("/remote.php/dav/files/alice/a%zz", "error");
        check("/remote.php/dav/files/alice/a%", "error");
        check("/remote.php/dav/files/alice/%ff", "error");
        check("/remote.php/dav/files/alice/100%2525", "/100%25");
    }

    #[test]
    fn hrefs_are_escaped_as_clients_compare_them() {
        let path = NodePath::parse("a b/100%#?+&;=/é(1)~@:.txt").expect("good names");
        let href = of("/files/alice", &path, false);
        assert_eq!(href, "/files/alice/a%20b/100%25%23%3f%2b%26%3b%3d/%c3%a9(1)~@:.txt");
        assert_eq!(of("/files/alice", &NodePath::root(), true), "/files/alice/");
        assert_eq!(path_below("/files/alice", &href).ok(), Some(path));
    }

    #[test]
    fn a_path_outside_of_the_mount_is_not_found() {
        assert!(path_below("/files/alice", "/files/alicex").is_err());
        assert!(path_below("/files/alice", "/files/alice").is_ok());
    }
}
