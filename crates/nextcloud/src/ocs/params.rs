//! The parameters of an OCS request: the query and the body as one, whichever way the client wrote them.
//!
//! Every verb may bring them as query, form, `multipart/form-data` or JSON; iOS puts them into the query even of a POST.
//! Where a name comes twice, the body goes before the query, and what comes later before what came first. Sheet
//! `nextcloud-ocs`, section 1.1.

use std::collections::BTreeMap;

use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde_json::Value;

use super::envelope::Outcome;
use crate::whole_form::{disposition, parameter};

/// Parameters by name. What came as a form is text; what came as JSON has kept its kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Params(BTreeMap<String, Value>);

impl Params {
    /// Reads query and body.
    ///
    /// # Errors
    /// 400 for a body that is not what its `Content-Type` says.
    pub(super) fn of(request: &Parts, body: &[u8]) -> Result<Params, Outcome> {
        let mut params = Params::default();
        params.add_form(request.uri.query().unwrap_or("").as_bytes());
        let content_type = request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let media_type = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        match media_type.as_str() {
            _ if body.iter().all(u8::is_ascii_whitespace) => {}
            "application/json" | "text/json" => params.add_json(body)?,
            "multipart/form-data" => params.add_multipart(content_type, body)?,
            // Some of the apps' calls name no type, or `text/plain`.
            _ => params.add_form(body),
        }
        Ok(params)
    }

    /// The parameter as text; numbers and truths as clients would write them.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The parameter as a whole number; `None` also where it is none.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.trim().parse().ok()
    }

    /// The parameter as a truth, in any of the ways in which clients write one; `None` also where it is none.
    pub(crate) fn truth(&self, name: &str) -> Option<bool> {
        match self.text(name)?.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" | "" => Some(false),
            _ => None,
        }
    }

    /// The parameter as a list of texts: `name[]=a&name[]=b`, a list of JSON, or a single one.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        match self.0.get(name) {
            Some(Value::Array(members)) => members
                .iter()
                .filter_map(|member| match member {
                    Value::String(text) => Some(text.clone()),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                })
                .collect(),
            _ => self.text(name).into_iter().collect(),
        }
    }

    /// The parameter as it came; `None` where it did not.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    fn add_form(&mut self, form: &[u8]) {
        // A list in the body replaces one in the query.
        let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(form) {
            match name.strip_suffix("[]") {
                Some(list) => lists.entry(list.to_owned()).or_default().push(Value::String(value.into_owned())),
                None => drop(self.0.insert(name.into_owned(), Value::String(value.into_owned()))),
            }
        }
        self.0.extend(lists.into_iter().map(|(name, members)| (name, Value::Array(members))));
    }

    fn add_json(&mut self, body: &[u8]) -> Result<(), Outcome> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => {
                self.0.extend(members);
                Ok(())
            }
            Ok(_) => Err(Outcome::bad_request("The body must be a JSON object.")),
            Err(_) => Err(Outcome::bad_request("The body is not JSON.")),
        }
    }

    /// RFC 7578, as far as texts go.
    fn add_multipart(&mut self, content_type: &str, body: &[u8]) -> Result<(), Outcome> {
        let malformed = || Outcome::bad_request("The form is malformed.");
        let boundary = parameter(content_type, "boundary").filter(|it| !it.is_empty()).ok_or_else(malformed)?;
        let text = std::str::from_utf8(body).map_err(|_| malformed())?;
        let text = format!("\r\n{text}");
        let mut form = form_urlencoded::Serializer::new(String::new());
        for part in text.split(&format!("\r\n--{boundary}")).skip(1) {
            let Some(part) = part.strip_prefix("\r\n") else { continue };
            let (headers, value) = part.split_once("\r\n\r\n").ok_or_else(malformed)?;
            let disposition = disposition(headers).ok_or_else(malformed)?;
            form.append_pair(&parameter(disposition, "name").ok_or_else(malformed)?, value);
        }
        self.add_form(form.finish().as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn params(query: &str, content_type: &str, body: &str) -> Result<Params, Outcome> {
        let request = http::Request::builder().uri(format!("/x?{query}")).header(CONTENT_TYPE, content_type);
        Params::of(&request.body(()).unwrap().into_parts().0, body.as_bytes())
    }

    #[test]
    fn query_and_form_are_one_and_the_form_goes_before() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        let params = params("a=1&b=2&l%5B%5D=q", form, "b=three+%C3%A9&l[]=x&l[]=y&e=").unwrap();
        assert_eq!(params.number("a"), Some(1));
        assert_eq!(params.text("b").as_deref(), Some("three é"));
        assert_eq!(params.list("l"), ["x", "y"]);
        assert_eq!(params.list("a"), ["1"]);
        assert_eq!(params.text("e").as_deref(), Some(""));
        assert_eq!(params.truth("e"), Some(false));
        assert_eq!((params.text("c"), params.value("c")), (None, None));
    }

    #[test]
    fn json_keeps_its_kinds_and_is_read_as_text_too() {
        let params =
            params("n=1", "application/json", r#"{"n":null,"t":true,"i":17,"l":["a",3],"o":{"x":1}}"#).unwrap();
        assert_eq!(params.value("n"), Some(&Value::Null));
        assert_eq!((params.truth("t"), params.number("i")), (Some(true), Some(17)));
        assert_eq!(params.list("l"), ["a", "3"]);
        assert_eq!(params.value("o"), Some(&json!({"x": 1})));
        assert_eq!(params.text("o"), None);
    }

    #[test]
    fn parts_of_a_form_are_parameters() {
        let body = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\ntwo\r\n--B\r\n\
                    content-disposition: form-data; name=\"l[]\"\r\n\r\n&\r\n--B--\r\n";
        let params = params("", "multipart/form-data; boundary=\"B\"", body).unwrap();
        assert_eq!(params.text("a").as_deref(), Some("one\r\ntwo"));
        assert_eq!(params.list("l"), ["&"]);
    }

    #[test]
    fn what_is_not_what_it_says_is_refused() {
        for (content_type, body) in [
            ("application/json", "a=1"),
            ("application/json", "[1]"),
            ("multipart/form-data", "x"),
            ("multipart/form-data; boundary=B", "--B\r\nnothing"),
        ] {
            assert_eq!(params("", content_type, body).unwrap_err().status, 400, "{content_type} {body}");
        }
    }
}
