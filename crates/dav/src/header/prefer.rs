//! Prefer: return=minimal (RFC 7240 §4.2, RFC 8144) and its elder, Brief: t.

use http::HeaderMap;

/// Whether the client wants to be spared what it can infer.
pub fn is_minimal(headers: &HeaderMap) -> bool {
    let says = |name: &str, wanted: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split([',', ';'])).any(|part| {
            part.chars().filter(|c| !c.is_whitespace() && *c != '"').collect::<String>().eq_ignore_ascii_case(wanted)
        })
    };
    says("prefer", "return=minimal") || says("brief", "t")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::tests::headers;

    #[test]
    fn minimal_in_either_spelling() {
        assert!(is_minimal(&headers("Prefer: return=minimal")));
        assert!(is_minimal(&headers("Prefer: respond-async, return = \"minimal\"")));
        assert!(is_minimal(&headers("Brief: t")));
        assert!(!is_minimal(&headers("Prefer: return=representation")));
        assert!(!is_minimal(&headers("Brief: f")));
    }
}
