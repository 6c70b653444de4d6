//! jCal as content lines, so that both are compared in the same way. RFC 7265.

use nichoir_contentline::escape;
use serde_json::Value as Json;

use super::value::default_type;

/// The content lines that a jCal document stands for.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn lines_of_json(bytes: &[u8]) -> Result<String, String> {
    let document: Json = serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON: {error}"))?;
    let mut out = String::new();
    add_component(&document, &mut out).ok_or("it is no jCal")?;
    Ok(out)
}

fn add_component(component: &Json, out: &mut String) -> Option<()> {
    let name = component.get(0)?.as_str()?.to_ascii_uppercase();
    out.push_str(&format!("BEGIN:{name}\r\n"));
    for property in component.get(1)?.as_array()? {
        add_property(property, out)?;
    }
    for inner in component.get(2)?.as_array()? {
        add_component(inner, out)?;
    }
    out.push_str(&format!("END:{name}\r\n"));
    Some(())
}

fn add_property(property: &Json, out: &mut String) -> Option<()> {
    let parts = property.as_array()?;
    let name = parts.first()?.as_str()?.to_ascii_uppercase();
    let kind = parts.get(2)?.as_str()?;
    out.push_str(&name);
    for (parameter, value) in parts.get(1)?.as_object()? {
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        let values: Vec<String> = values.iter().map(|value| format!("\"{}\"", text_of(value))).collect();
        out.push_str(&format!(";{}={}", parameter.to_ascii_uppercase(), values.join(",")));
    }
    if kind != "unknown" && !kind.eq_ignore_ascii_case(default_type(&name)) {
        out.push_str(&format!(";VALUE={}", kind.to_ascii_uppercase()));
    }
    let values: Vec<String> = parts.get(3..)?.iter().map(|value| line_value(kind, value)).collect();
    out.push_str(&format!(":{}\r\n", values.join(",")));
    Some(())
}

fn line_value(kind: &str, value: &Json) -> String {
    match (kind, value) {
        ("recur", Json::Object(parts)) => {
            let part = |(name, value): (&String, &Json)| {
                let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                let kind = if name.eq_ignore_ascii_case("until") { "date-time" } else { "text" };
                let values: Vec<String> = values.iter().map(|value| line_value(kind, value)).collect();
                format!("{}={}", name.to_ascii_uppercase(), values.join(","))
            };
            parts.iter().map(part).collect::<Vec<_>>().join(";")
        }
        ("period", Json::Array(ends)) => ends.iter().map(|end| compact(&text_of(end))).collect::<Vec<_>>().join("/"),
        ("date" | "date-time" | "utc-offset" | "time" | "period", value) => compact(&text_of(value)),
        ("text", Json::Array(parts)) => parts.iter().map(|part| escape(&text_of(part))).collect::<Vec<_>>().join(";"),
        ("text", value) => escape(&text_of(value)),
        (_, value) => text_of(value),
    }
}

fn text_of(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A date or time without the separators of ISO 8601's extended form; the sign of an offset stays.
fn compact(text: &str) -> String {
    let is_separator = |place: usize, c: char| c == ':' || c == '-' && place > 0;
    text.char_indices().filter(|(place, c)| !is_separator(*place, *c)).map(|(_, c)| c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jcal_becomes_content_lines() {
        let text = r#"["vcalendar",[["version",{},"text","2.0"]],[["vevent",[
            ["dtstart",{"tzid":"Europe/Paris"},"date-time","2025-01-02T10:00:00"],
            ["exdate",{},"date","2025-01-03","2025-01-04"],["duration",{},"duration","PT1H"],
            ["rrule",{},"recur",{"freq":"DAILY","until":"2025-02-01T00:00:00Z"}],
            ["summary",{},"text","a, b"],["x-unknown",{},"unknown","a,b"]],[]]]]"#;
        let lines = lines_of_json(text.as_bytes()).unwrap();
        for line in [
            "DTSTART;TZID=\"Europe/Paris\":20250102T100000",
            "EXDATE;VALUE=DATE:20250103,20250104",
            "DURATION:PT1H",
            "RRULE:FREQ=DAILY;UNTIL=20250201T000000Z",
            "SUMMARY:a\\, b",
            "X-UNKNOWN:a,b",
        ] {
            assert!(lines.contains(&format!("\r\n{line}\r\n")), "{line} in {lines}");
        }
        assert!(lines_of_json(b"{}").is_err());
    }
}
