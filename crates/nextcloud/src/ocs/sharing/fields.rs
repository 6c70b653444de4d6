//! Fields of a share as clients write them: rights, dates, attributes.

use chrono::{DateTime, NaiveDate, NaiveTime};
use nichoir_store::{Permissions, Timestamp};
use serde_json::Value;

use super::super::envelope::Outcome;
use super::super::params::Params;

/// The longest list of attributes.
const ATTRIBUTES_MAX: usize = 32;

/// The rights asked for; `None` where nothing is said of them.
pub(super) fn permissions(params: &Params) -> Result<Option<Permissions>, Outcome> {
    match params.text("permissions").filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => {
            let bits = text.trim().parse().ok().and_then(Permissions::from_bits);
            bits.map(Some).ok_or_else(|| Outcome::not_found("Invalid permissions"))
        }
    }
}

/// The day on which a share ends: at its beginning. `Some(None)`: never; `None` where nothing is said.
pub(super) fn expiry(params: &Params) -> Result<Option<Option<Timestamp>>, Outcome> {
    let Some(text) = params.text("expireDate") else { return Ok(None) };
    match text.trim() {
        "" => Ok(Some(None)),
        text => match day(text) {
            Some(start) => Ok(Some(Some(start))),
            None => Err(Outcome::not_found("Invalid date. Format must be YYYY-MM-DD")),
        },
    }
}

/// `YYYY-MM-DD`, with or without a time of day behind it.
fn day(text: &str) -> Option<Timestamp> {
    let date = text.get(..10)?;
    let rest = &text[10..];
    if !rest.is_empty() && !rest.starts_with([' ', 'T']) {
        return None;
    }
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    Some(Timestamp::from_seconds(date.and_time(NaiveTime::MIN).and_utc().timestamp()))
}

/// The day as clients expect it.
pub(super) fn day_text(at: Timestamp) -> String {
    DateTime::from_timestamp(at.seconds(), 0).unwrap_or_default().format("%Y-%m-%d 00:00:00").to_string()
}

/// Attributes, in the one form in which they are kept. `Some(None)`: none; `None` where nothing is said.
pub(super) fn attributes(params: &Params) -> Result<Option<Option<String>>, Outcome> {
    let list = match params.value("attributes") {
        None => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(Some(None)),
        Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| invalid_attributes())?,
        Some(value) => value.clone(),
    };
    match list {
        Value::Null => Ok(Some(None)),
        Value::Array(list) if list.is_empty() => Ok(Some(None)),
        Value::Array(list) if list.len() <= ATTRIBUTES_MAX => {
            let list = list.iter().map(attribute).collect::<Option<Vec<_>>>().ok_or_else(invalid_attributes)?;
            Ok(Some(Some(format!("[{}]", list.join(",")))))
        }
        _ => Err(invalid_attributes()),
    }
}

fn attribute(attribute: &Value) -> Option<String> {
    let (scope, key) = (attribute.get("scope")?, attribute.get("key")?);
    // Android still writes the older name.
    let value = attribute.get("value").or_else(|| attribute.get("enabled"))?;
    let is_plain = scope.is_string() && key.is_string() && !value.is_object() && !value.is_array();
    is_plain.then(|| format!("{{\"scope\":{scope},\"key\":{key},\"value\":{value}}}"))
}

fn invalid_attributes() -> Outcome {
    Outcome::bad_request("Invalid share attributes provided")
}

#[cfg(test)]
mod tests {
    use super::*;
    use nichoir_store::NO_DOWNLOAD;

    fn params(query: &str) -> Params {
        let request = http::Request::builder().uri(format!("/x?{query}")).body(()).unwrap();
        Params::of(&request.into_parts().0, b"").unwrap()
    }

    #[test]
    fn days_are_read_with_and_without_a_time() {
        for (text, expected) in [
            ("2031-02-03", Some("2031-02-03 00:00:00")),
            ("2031-02-03+00:00:00", Some("2031-02-03 00:00:00")),
            ("2031-02-03T23:59:59Z", Some("2031-02-03 00:00:00")),
            ("2031-02-30", None),
            ("2031-2-3", None),
            ("tomorrow", None),
            ("%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9", None),
            ("2031-02-031", None),
        ] {
            let found = expiry(&params(&format!("expireDate={text}")));
            assert_eq!(found.ok().flatten().flatten().map(day_text).as_deref(), expected, "{text}");
        }
        assert_eq!(expiry(&params("expireDate=")), Ok(Some(None)));
        assert_eq!(expiry(&params("")), Ok(None));
    }

    #[test]
    fn attributes_come_in_any_order_and_are_kept_in_one() {
        let text = "%5B%7B%22key%22%3A%22download%22%2C%22enabled%22%3Afalse%2C%22scope%22%3A%22permissions%22%7D%5D";
        assert_eq!(attributes(&params(&format!("attributes={text}"))), Ok(Some(Some(NO_DOWNLOAD.to_owned()))));
        assert_eq!(attributes(&params("attributes=%5B%5D")), Ok(Some(None)));
        assert_eq!(attributes(&params("attributes=null")), Ok(Some(None)));
        assert_eq!(attributes(&params("a=b")), Ok(None));
        for wrong in ["x", "%7B%7D", "%5B1%5D", "%5B%7B%22scope%22%3A1%7D%5D"] {
            assert!(attributes(&params(&format!("attributes={wrong}"))).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rights_are_bits_and_nothing_else() {
        assert_eq!(permissions(&params("permissions=19")), Ok(Permissions::from_bits(19)));
        assert_eq!(permissions(&params("permissions=")), Ok(None));
        for wrong in ["32", "-1", "x", "1.5"] {
            assert!(permissions(&params(&format!("permissions={wrong}"))).is_err(), "{wrong}");
        }
    }
}
