//! Where the load goes: the parts of `http://HOST:PORT/PATH`, and paths below it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a path segment keeps as it is. RFC 3986 §3.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A server's address and a path on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// HOST:PORT, as it is connected to and named in `Host`.
    pub(crate) address: String,
    /// The path, percent-encoded, beginning with a slash.
    pub(crate) path: String,
}

impl std::str::FromStr for Place {
    type Err = String;

    fn from_str(url: &str) -> Result<Place, String> {
        let rest = url.strip_prefix("http://").ok_or_else(|| format!("{url}: the URL must begin with http://"))?;
        let (address, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let has_port = address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let address = if has_port { address.to_owned() } else { format!("{address}:80") };
        Ok(Place { address, path: if path.is_empty() { "/" } else { path }.to_owned() })
    }
}

impl Place {
    /// The path of the member `name`, whose slashes separate segments.
    pub(crate) fn below(&self, name: &str) -> String {
        let segments: Vec<String> =
            name.split('/').map(|segment| utf8_percent_encode(segment, SEGMENT).to_string()).collect();
        format!("{}/{}", self.path.trim_end_matches('/'), segments.join("/"))
    }

    /// The same server at another path.
    pub(crate) fn at(&self, path: String) -> Place {
        Place { address: self.address.clone(), path }
    }

    /// The whole URL of a path on this server, as `Destination` wants it.
    pub(crate) fn url_of(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let check = |url: &str, address: &str, path: &str| {
            assert_eq!(url.parse(), Ok(Place { address: address.to_owned(), path: path.to_owned() }));
        };
        check("http://127.0.0.1:8080/dav/", "127.0.0.1:8080", "/dav/");
        check("http://example.org", "example.org:80", "/");
        check("http://[::1]:81/x", "[::1]:81", "/x");
        assert!("https://example.org/".parse::<Place>().is_err());
    }

    #[test]
    fn members_are_encoded_by_segment() {
        let place: Place = "http://h:1/files/a%20b".parse().unwrap();
        assert_eq!(place.below("file number 7.txt"), "/files/a%20b/file%20number%207.txt");
        assert_eq!(place.below("é/x"), "/files/a%20b/%C3%A9/x");
        assert_eq!(place.url_of(&place.below("x")), "http://h:1/files/a%20b/x");
    }
}
