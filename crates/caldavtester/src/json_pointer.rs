//! JSON pointers (RFC 6901), in which `.` is every member and `-` the last one.

use serde_json::Value;

/// What a pointer leads to.
pub(crate) fn select<'v>(document: &'v Value, pointer: &str) -> Vec<&'v Value> {
    let mut found = vec![document];
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        found = found.into_iter().flat_map(|value| step(value, &segment)).collect();
    }
    found
}

/// Whether a pointer leads to something; `pointer~$text` asks for that text, `pointer~~` for null.
pub(crate) fn matches(document: &Value, pointer: &str) -> bool {
    if let Some((pointer, text)) = pointer.split_once("~$") {
        return select(document, pointer).iter().any(|value| shown(value) == text);
    }
    match pointer.strip_suffix("~~") {
        Some(pointer) => select(document, pointer).iter().any(|value| value.is_null()),
        None => !select(document, pointer).is_empty(),
    }
}

/// The value as text.
pub(crate) fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn step<'v>(value: &'v Value, segment: &str) -> Vec<&'v Value> {
    match (value, segment) {
        (Value::Array(list), ".") => list.iter().collect(),
        (Value::Object(members), ".") => members.values().collect(),
        (Value::Array(list), "-") => list.last().into_iter().collect(),
        (Value::Array(list), place) => {
            place.parse().ok().and_then(|place: usize| list.get(place)).into_iter().collect()
        }
        (Value::Object(members), name) => members.get(name).into_iter().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_lead_to_members_and_their_values() {
        let document =
            serde_json::json!({"version": 1, "zones": [{"tzid": "A/B"}, {"tzid": "C"}], "none": null, "a/b": 2});
        let check = |pointer, expected| assert_eq!(matches(&document, pointer), expected, "{pointer}");
        check("/version", true);
        check("/version~$1", true);
        check("/version~$2", false);
        check("/zones/./tzid~$A/B", true);
        check("/zones/-/tzid~$A/B", false);
        check("/zones/-/tzid~$C", true);
        check("/zones/1/tzid~$C", true);
        check("/zones/2", false);
        check("/none~~", true);
        check("/version~~", false);
        check("/a~1b", true);
        check("/missing", false);
    }
}
