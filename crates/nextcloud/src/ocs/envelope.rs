//! The OCS envelope: the same answer as JSON or XML, with version 1's and version 2's idea of a status.

use http::header::{ACCEPT, ETAG, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use nichoir_dav::Response;
use nichoir_dav::header::condition;
use nichoir_dav::request::empty;
use nichoir_xml::{Name, Writer};
use serde_json::{Value, json};

use crate::with_body;

/// Which of the two entrances was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `/ocs/v1.php`: HTTP 200 whatever happened, 100 for success.
    V1,
    /// `/ocs/v2.php`: the HTTP status tells.
    V2,
}

/// How the client wants its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope {
    version: Version,
    is_json: bool,
}

/// What a route answers.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    status: StatusCode,
    data: Value,
    headers: HeaderMap,
}

impl From<Value> for Reply {
    fn from(data: Value) -> Reply {
        Reply { status: StatusCode::OK, data, headers: HeaderMap::new() }
    }
}

#[allow(dead_code, reason = "for the routes that answer otherwise than 200")]
impl Reply {
    /// No body at all: 204 or 304.
    pub(super) fn bare(status: StatusCode) -> Reply {
        Reply::from(json!([])).with_status(status)
    }

    pub(super) fn with_status(mut self, status: StatusCode) -> Reply {
        self.status = status;
        self
    }

    /// With a header; one whose value cannot stand in a header is left out.
    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Reply {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

/// What happened instead of what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) status: StatusCode,
    code: i64,
    message: String,
    data: Value,
}

impl Outcome {
    pub(super) fn new(status: StatusCode, code: i64, message: impl Into<String>) -> Outcome {
        Outcome { status, code, message: message.into(), data: json!([]) }
    }

    /// With something that the client reads beside the message.
    pub(super) fn with_data(mut self, data: Value) -> Outcome {
        self.data = data;
        self
    }

    pub(super) fn unknown_route() -> Outcome {
        let message = "Invalid query, please check the syntax. API specifications are here: \
                       http://www.freedesktop.org/wiki/Specifications/open-collaboration-services.\n";
        Outcome::new(StatusCode::NOT_FOUND, 998, message)
    }

    pub(super) fn bad_request(message: &str) -> Outcome {
        Outcome::new(StatusCode::BAD_REQUEST, 400, message)
    }

    pub(super) fn not_found(message: &str) -> Outcome {
        Outcome::new(StatusCode::NOT_FOUND, 404, message)
    }

    pub(super) fn forbidden(message: &str) -> Outcome {
        Outcome::new(StatusCode::FORBIDDEN, 403, message)
    }
}

impl From<nichoir_store::Error> for Outcome {
    fn from(error: nichoir_store::Error) -> Outcome {
        nichoir_dav::Error::from(error).into()
    }
}

impl From<nichoir_dav::Error> for Outcome {
    fn from(error: nichoir_dav::Error) -> Outcome {
        Outcome::new(error.status(), i64::from(error.status().as_u16()), error.message())
    }
}

impl Envelope {
    /// `format` in the query goes before `Accept`; XML is what is left.
    pub(super) fn of(version: Version, request: &Parts) -> Envelope {
        let query = request.uri.query().unwrap_or("");
        let format = query.split('&').find_map(|pair| pair.strip_prefix("format="));
        let accept = request.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        let accepted = accept.split(',').map(|kind| kind.split(';').next().unwrap_or("").trim());
        let first = accepted.filter(|kind| kind.starts_with("application/")).find(|kind| *kind != "application/");
        let is_json = match format {
            Some(format) => format == "json",
            None => first == Some("application/json"),
        };
        Envelope { version, is_json }
    }

    /// Success.
    pub(super) fn data(&self, data: &Value) -> Response {
        let code = if self.version == Version::V1 { 100 } else { 200 };
        self.render(StatusCode::OK, "ok", code, "OK", data)
    }

    /// What a route answers. 204 and 304 have no body; 304 it is where the client has the `ETag` of the answer already.
    pub(super) fn reply(&self, reply: Reply, request: &Parts) -> Response {
        let etag = reply.headers.get(ETAG).and_then(|etag| etag.to_str().ok());
        let is_known = etag.is_some_and(|etag| condition::names(&request.headers, &IF_NONE_MATCH, etag));
        let status = if is_known { StatusCode::NOT_MODIFIED } else { reply.status };
        let mut response = match status {
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => {
                let mut response = Response::new(empty());
                *response.status_mut() = status;
                response
            }
            StatusCode::OK => self.data(&reply.data),
            status if self.version == Version::V1 => {
                let code = i64::from(status.as_u16());
                self.render(StatusCode::OK, "ok", code, "OK", &reply.data)
            }
            status => self.render(status, "ok", i64::from(status.as_u16()), "OK", &reply.data),
        };
        response.headers_mut().extend(reply.headers);
        response
    }

    /// Failure.
    pub(super) fn refused(&self, outcome: &Outcome) -> Response {
        let status = if self.version == Version::V1 { StatusCode::OK } else { outcome.status };
        self.render(status, "failure", outcome.code, &outcome.message, &outcome.data)
    }

    fn render(&self, http_status: StatusCode, status: &str, code: i64, message: &str, data: &Value) -> Response {
        if self.is_json {
            let mut meta = json!({"status": status, "statuscode": code, "message": message});
            if self.version == Version::V1 {
                meta["totalitems"] = json!("");
                meta["itemsperpage"] = json!("");
            }
            // Compact: clients search the text for "statuscode":200.
            let body = json!({"ocs": {"meta": meta, "data": data}}).to_string();
            return with_body(http_status, "application/json; charset=utf-8", body);
        }
        let mut writer = Writer::new();
        writer.open(&plain("ocs"));
        writer.open(&plain("meta"));
        writer.text_element(&plain("status"), status);
        writer.text_element(&plain("statuscode"), &code.to_string());
        writer.text_element(&plain("message"), message);
        if self.version == Version::V1 {
            writer.empty(&plain("totalitems"));
            writer.empty(&plain("itemsperpage"));
        }
        writer.close();
        write_value(&mut writer, "data", data);
        writer.close();
        let body = [b"<?xml version=\"1.0\"?>\n".as_slice(), &writer.take()].concat();
        with_body(http_status, "application/xml; charset=utf-8", body)
    }
}

fn plain(name: &str) -> Name {
    Name::owned("", name)
}

/// Lists become `element`s, true becomes 1, false and null become nothing.
fn write_value(writer: &mut Writer, name: &str, value: &Value) {
    writer.open(&plain(name));
    match value {
        Value::Null | Value::Bool(false) => {}
        Value::Bool(true) => writer.text("1"),
        Value::Number(number) => writer.text(&number.to_string()),
        Value::String(text) => writer.text(text),
        Value::Array(members) => members.iter().for_each(|member| write_value(writer, "element", member)),
        Value::Object(members) => members.iter().for_each(|(name, member)| write_value(writer, name, member)),
    }
    writer.close();
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    async fn body(response: Response) -> String {
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn envelope(version: Version, uri: &str, accept: &str) -> Envelope {
        let request = http::Request::builder().uri(uri).header(ACCEPT, accept).body(empty()).unwrap();
        Envelope::of(version, &request.into_parts().0)
    }

    #[tokio::test]
    async fn both_versions_in_both_formats() {
        let data = json!({"a": [true, false, null, 1, "x&y"]});
        let v1 = envelope(Version::V1, "/?format=json", "*/*");
        assert_eq!(
            body(v1.data(&data)).await,
            "{\"ocs\":{\"data\":{\"a\":[true,false,null,1,\"x&y\"]},\"meta\":{\"itemsperpage\":\"\",\"message\":\"OK\",\
             \"status\":\"ok\",\"statuscode\":100,\"totalitems\":\"\"}}}"
        );
        let v2 = envelope(Version::V2, "/", "text/html, application/xml;q=0.9, application/json");
        assert_eq!(
            body(v2.data(&data)).await,
            "<?xml version=\"1.0\"?>\n<ocs><meta><status>ok</status><statuscode>200</statuscode><message>OK</message></meta>\
             <data><a><element>1</element><element/><element/><element>1</element><element>x&amp;y</element></a></data></ocs>"
        );
        let v2 = envelope(Version::V2, "/", "application/json");
        assert!(body(v2.data(&data)).await.starts_with('{'));
    }

    #[tokio::test]
    async fn unknown_routes_are_200_in_version_1_and_404_in_version_2() {
        for (version, status) in [(Version::V1, 200), (Version::V2, 404)] {
            let response = envelope(version, "/?format=json", "").refused(&Outcome::unknown_route());
            assert_eq!(response.status(), status);
            assert!(body(response).await.contains("\"statuscode\":998"));
        }
    }
}
