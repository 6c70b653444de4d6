//! Calendar user addresses (RFC 6638 §2.4.1): the same person under several spellings.

/// A calendar user address in the one form that is compared: `mailto:` in lower case, a URL without host and final slash.
pub(crate) fn normal(address: &str) -> String {
    let address = address.trim();
    let scheme_end = address.find(':').map_or(0, |place| place + 1);
    let (scheme, rest) = address.split_at(scheme_end);
    match scheme.to_ascii_lowercase().as_str() {
        "mailto:" => format!("mailto:{}", rest.trim().to_lowercase()),
        "http:" | "https:" => {
            let path = rest.trim_start_matches('/').find('/').map(|place| &rest.trim_start_matches('/')[place..]);
            path.unwrap_or("/").trim_end_matches('/').to_owned()
        }
        "urn:" => address.to_ascii_lowercase(),
        _ if address.starts_with('/') => address.trim_end_matches('/').to_owned(),
        _ if scheme.is_empty() && address.contains('@') => format!("mailto:{}", address.to_lowercase()),
        _ => address.to_owned(),
    }
}

/// The addresses of one account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses(Vec<String>);

impl Addresses {
    /// These, in any spelling.
    pub(crate) fn of<I: IntoIterator<Item = S>, S: AsRef<str>>(addresses: I) -> Addresses {
        Addresses(addresses.into_iter().map(|address| normal(address.as_ref())).collect())
    }

    /// Whether `address`, in the form that is compared, is one of them.
    pub(crate) fn has(&self, address: &str) -> bool {
        self.0.iter().any(|own| own == address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_one_address() {
        let check = |address, expected: &str| assert_eq!(normal(address), expected);
        check("MAILTO:Alice@Example.ORG", "mailto:alice@example.org");
        check(" mailto: bob@example.org", "mailto:bob@example.org");
        check("https://a.example:8443/dav/principals/users/alice/", "/dav/principals/users/alice");
        check("/dav/principals/users/alice/", "/dav/principals/users/alice");
        check("urn:UUID:ABC", "urn:uuid:abc");
        check("someone@example.org", "mailto:someone@example.org");
        check("https://a.example", "");
        check("invalid:nomail", "invalid:nomail");
    }
}
