//! What others see of an object of class CONFIDENTIAL (RFC 5545 §3.8.1.3): when it is, and nothing else.

use http::HeaderValue;
use http::header::{CONTENT_TYPE, ETAG};
use nichoir_contentline::fold;
use nichoir_dav::request::full;
use nichoir_dav::{Answering, Call, Error, Response};
use nichoir_store::Node;

use crate::object::{CalendarObject, Limits};

/// The properties of a component that say when it is, and what keeps clients able to hold it.
const KEPT: [&str; 15] = [
    "UID",
    "DTSTAMP",
    "DTSTART",
    "DTEND",
    "DUE",
    "DURATION",
    "RRULE",
    "RDATE",
    "EXDATE",
    "RECURRENCE-ID",
    "SEQUENCE",
    "TRANSP",
    "CLASS",
    "CREATED",
    "LAST-MODIFIED",
];

/// GET of such an object.
pub(crate) fn get(call: &Call<'_>, member: &Node, limits: &Limits) -> Answering {
    let (tree, member, limits) = (call.caller.tree.clone(), member.clone(), limits.clone());
    Box::pin(async move {
        let bytes = tree.whole(&member).await?;
        let object = CalendarObject::read(&bytes, &limits)
            .map_err(|error| Error::internal("The object cannot be read.").caused_by(error))?;
        let mut response = Response::new(full(reduce(&object)));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8"));
        if let Ok(etag) = HeaderValue::try_from(member.etag.quoted()) {
            headers.insert(ETAG, etag);
        }
        Ok(response)
    })
}

/// The object with nothing but its times.
pub(crate) fn reduce(object: &CalendarObject<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(object.bytes.len());
    fold("BEGIN:VCALENDAR", &mut out);
    for line in
        object.calendar.lines.iter().filter(|line| ["VERSION", "PRODID", "CALSCALE"].iter().any(|it| line.is(it)))
    {
        fold(line.text(), &mut out);
    }
    for component in &object.calendar.components {
        if component.name == "VTIMEZONE" {
            out.extend_from_slice(&object.bytes[component.range.clone()]);
        } else if component.name == object.component {
            fold(&format!("BEGIN:{}", component.name), &mut out);
            for line in component.lines.iter().filter(|line| KEPT.iter().any(|kept| line.is(kept))) {
                fold(line.text(), &mut out);
            }
            fold("SUMMARY:Busy", &mut out);
            fold(&format!("END:{}", component.name), &mut out);
        }
    }
    fold("END:VCALENDAR", &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn times_and_zones_stay_and_everything_else_goes() {
        let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nX-WR-CALNAME:Mine\r\nBEGIN:VTIMEZONE\r\nTZID:Z\r\n\
             END:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Z:20270101T090000\r\nRRULE:FREQ=DAILY\r\n\
             SUMMARY:Secret\r\nATTENDEE:mailto:a@b\r\nX-NOTE:Secret\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n\
             END:VEVENT\r\nEND:VCALENDAR\r\n";
        let object = CalendarObject::read(text.as_bytes(), &Limits::default()).expect("a good object");
        let expected = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTIMEZONE\r\nTZID:Z\r\n\
             END:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Z:20270101T090000\r\nRRULE:FREQ=DAILY\r\n\
             SUMMARY:Busy\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(String::from_utf8(reduce(&object)).expect("UTF-8"), expected);
    }
}
