//! Prefer: return=minimal (RFC 7240 §4.2, RFC 8144) and its elder, Brief: t.

use http::HeaderMap;

/// Whether the client wants to be spared what it can infer.
pub fn is_minimal(headers: &HeaderMap) -> bool {
    says(headers, "prefer", "return=minimal") || says(headers, "brief", "t")
}

/// Whether the client wants to see what it has written (RFC 8144 §3).
pub fn wants_representation(headers: &HeaderMap) -> bool {
    says(headers, "prefer", "return=representation")
}

/// Whether the client does not want to hear of the resource that it asked, only of its members (RFC 8144 §4).
pub fn leaves_root_out(headers: &HeaderMap) -> bool {
    says(headers, "prefer", "depth-noroot")
}

fn says(headers: &HeaderMap, name: &str, wanted: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split([',', ';'])).any(|part| {
        part.chars().filter(|c| !c.is_whitespace() && *c != '"').collect::<String>().eq_ignore_ascii_case(wanted)
    })
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
