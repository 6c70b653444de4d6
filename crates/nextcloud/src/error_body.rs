//! What Nextcloud adds to an error body: the name of a PHP class, which clients compare, and a message, which they show.

use http::StatusCode;
use nichoir_dav::{Error, Hint};
use nichoir_xml::{Name, Writer, sabre};

/// The quirk of the reference: these two stand in the namespace `o:`.
const RETRY: Name = Name::new("o:", "retry");
const REASON: Name = Name::new("o:", "reason");

/// Writes `s:exception` and `s:message`, and what goes with some of them.
pub(crate) fn render(error: &Error, writer: &mut Writer) {
    writer.text_element(&sabre::EXCEPTION, exception(error));
    writer.text_element(&sabre::MESSAGE, error.message());
    match error.hint() {
        Hint::Header(header) => writer.text_element(&sabre::HEADER, header),
        Hint::BadName => {
            writer.text_element(&RETRY, "false");
            writer.text_element(&REASON, error.message());
        }
        _ => {}
    }
}

/// The class that clients know for the case.
fn exception(error: &Error) -> &'static str {
    match (error.status(), error.hint()) {
        (_, Hint::Named(class)) => class,
        (_, Hint::BadName) => "OCA\\DAV\\Connector\\Sabre\\Exception\\InvalidPath",
        (_, Hint::UnknownReport) => "Sabre\\DAV\\Exception\\ReportNotSupported",
        (StatusCode::LOCKED, _) => "OCA\\DAV\\Connector\\Sabre\\Exception\\FileLocked",
        (StatusCode::BAD_REQUEST, _) => "Sabre\\DAV\\Exception\\BadRequest",
        (StatusCode::UNAUTHORIZED, _) => "Sabre\\DAV\\Exception\\NotAuthenticated",
        (StatusCode::FORBIDDEN, _) => "Sabre\\DAV\\Exception\\Forbidden",
        (StatusCode::NOT_FOUND, _) => "Sabre\\DAV\\Exception\\NotFound",
        (StatusCode::METHOD_NOT_ALLOWED, _) => "Sabre\\DAV\\Exception\\MethodNotAllowed",
        (StatusCode::CONFLICT, _) => "Sabre\\DAV\\Exception\\Conflict",
        (StatusCode::PRECONDITION_FAILED, _) => "Sabre\\DAV\\Exception\\PreconditionFailed",
        (StatusCode::PAYLOAD_TOO_LARGE, _) => "OCA\\DAV\\Connector\\Sabre\\Exception\\EntityTooLarge",
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, _) => "Sabre\\DAV\\Exception\\UnsupportedMediaType",
        (StatusCode::RANGE_NOT_SATISFIABLE, _) => "Sabre\\DAV\\Exception\\RequestedRangeNotSatisfiable",
        (StatusCode::TOO_MANY_REQUESTS, _) => "OCA\\DAV\\Connector\\Sabre\\Exception\\TooManyRequests",
        (StatusCode::NOT_IMPLEMENTED, _) => "Sabre\\DAV\\Exception\\NotImplemented",
        // Not `Sabre\DAV\Exception\ServiceUnavailable`: upon that name the desktop client gives up the whole sync.
        (StatusCode::SERVICE_UNAVAILABLE, _) => "OCP\\Files\\StorageNotAvailableException",
        (StatusCode::INSUFFICIENT_STORAGE, _) => "Sabre\\DAV\\Exception\\InsufficientStorage",
        _ => "Sabre\\DAV\\Exception",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: &Error, expected: &str) {
        let mut writer = Writer::new();
        render(error, &mut writer);
        assert_eq!(String::from_utf8(writer.take().to_vec()).unwrap(), expected);
    }

    #[test]
    fn clients_find_their_class_names() {
        const S: &str = "xmlns:s=\"http://sabredav.org/ns\"";
        check(
            &Error::forbidden("No."),
            &format!("<s:exception {S}>Sabre\\DAV\\Exception\\Forbidden</s:exception><s:message {S}>No.</s:message>"),
        );
        let mut writer = Writer::new();
        render(&Error::bad_name("No \\."), &mut writer);
        let text = String::from_utf8(writer.take().to_vec()).unwrap();
        assert!(text.contains("\\InvalidPath</s:exception>") && text.contains(">false</x1:retry>"), "{text}");
        let mut writer = Writer::new();
        render(&Error::precondition_failed("If-Match"), &mut writer);
        assert!(String::from_utf8(writer.take().to_vec()).unwrap().contains(">If-Match</s:header>"));
    }
}
