//! The bodies of requests: property lists as clients send them, reports, and events.

use chrono::{DateTime, Duration, Utc};

/// The desktop client's question whether anything moved.
pub(crate) const POLL: &str =
    r#"<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:getetag/></d:prop></d:propfind>"#;

/// The desktop client's listing.
pub(crate) const DESKTOP: &str = concat!(
    r#"<?xml version="1.0"?><d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop>"#,
    "<d:resourcetype/><d:getlastmodified/><d:getcontentlength/><d:getetag/><oc:size/><oc:id/><oc:fileid/>",
    "<oc:downloadURL/><oc:dDC/><oc:permissions/><oc:checksums/><oc:share-types/></d:prop></d:propfind>"
);

/// MKCALENDAR. RFC 4791 §5.3.1.
pub(crate) const MKCALENDAR: &str = concat!(
    r#"<?xml version="1.0"?><c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop>"#,
    "<d:displayname>davload</d:displayname></d:prop></d:set></c:mkcalendar>"
);

/// The week that `calendar_query` asks for.
const WEEK: (&str, &str) = ("20270310T000000Z", "20270317T000000Z");
/// The first event begins here: 2027-01-01.
const FIRST_EVENT_SECONDS: i64 = 1_798_761_600;
/// Hours that have an event; servers refuse years that calendars do not have.
const HOURS: u64 = 100_000;

/// sync-collection since a token; none begins anew. RFC 6578 §3.2.
pub(crate) fn sync_collection(token: &str) -> String {
    let token = token.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<?xml version=\"1.0\"?><d:sync-collection xmlns:d=\"DAV:\"><d:sync-token>{token}</d:sync-token>\
         <d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>"
    )
}

/// The events of a week. RFC 4791 §7.8.
pub(crate) fn calendar_query() -> String {
    format!(
        "<?xml version=\"1.0\"?><c:calendar-query xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><d:prop>\
         <d:getetag/></d:prop><c:filter><c:comp-filter name=\"VCALENDAR\"><c:comp-filter name=\"VEVENT\">\
         <c:time-range start=\"{}\" end=\"{}\"/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>",
        WEEK.0, WEEK.1
    )
}

/// These members with their data. RFC 4791 §7.9.
pub(crate) fn multiget(hrefs: &[&str]) -> String {
    let hrefs: String = hrefs.iter().map(|href| format!("<d:href>{}</d:href>", href.replace('&', "&amp;"))).collect();
    format!(
        "<?xml version=\"1.0\"?><c:calendar-multiget xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\">\
         <d:prop><d:getetag/><c:calendar-data/></d:prop>{hrefs}</c:calendar-multiget>"
    )
}

/// An event: one an hour from 2027 on, and every tenth repeats for ten weeks. After `HOURS`, they begin again under other UIDs.
pub(crate) fn event(number: u64, title: &str) -> String {
    let rule = if repeats(number) { "RRULE:FREQ=WEEKLY;COUNT=10\r\n" } else { "" };
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//nichoir//bench//EN\r\nBEGIN:VEVENT\r\nUID:event-{number}\r\n\
         DTSTAMP:20270101T000000Z\r\nDTSTART:{}\r\nDURATION:PT1H\r\nSUMMARY:{title}\r\n{rule}END:VEVENT\r\nEND:VCALENDAR\r\n",
        start_of(number).format("%Y%m%dT%H%M%SZ")
    )
}

/// How many of the first `count` events `calendar_query` must find.
pub(crate) fn count_in_week(count: u64) -> u64 {
    let instant = |text: &str| {
        let naive = chrono::NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ");
        naive.map(|naive| naive.and_utc()).unwrap_or_default()
    };
    let (from, to) = (instant(WEEK.0), instant(WEEK.1));
    let overlaps = |start: DateTime<Utc>| start < to && start + Duration::hours(1) > from;
    let is_found = |number: &u64| {
        let times = if repeats(*number) { 10 } else { 1 };
        (0..times).any(|week| overlaps(start_of(*number) + Duration::weeks(week)))
    };
    (0..count).filter(is_found).count() as u64
}

fn repeats(number: u64) -> bool {
    number.is_multiple_of(10)
}

fn start_of(number: u64) -> DateTime<Utc> {
    let seconds = FIRST_EVENT_SECONDS + (number % HOURS) as i64 * 3600;
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_an_hour_apart() {
        assert!(event(0, "x").contains("DTSTART:20270101T000000Z\r\n"));
        assert!(event(25, "x").contains("DTSTART:20270102T010000Z\r\n"));
        assert!(event(900_000_025, "x").contains("DTSTART:20270102T010000Z\r\n"));
        assert!(event(20, "x").contains("RRULE") && !event(21, "x").contains("RRULE"));
    }

    #[test]
    fn the_answer_of_the_query_is_known() {
        // 10 March is the 69th day: 68 * 24 = 1632 is its first event; a week has 168, of which no more repeat from before
        // than one in ten of the nine weeks before.
        assert_eq!(count_in_week(1632) + 168, count_in_week(1800));
        assert_eq!(count_in_week(2000), count_in_week(100_000));
        assert_eq!(count_in_week(0), 0);
        // Series that began less than nine weeks before the week still go on in it.
        assert_eq!(count_in_week(1632), (5 * 24..1632).filter(|number| number % 10 == 0).count() as u64);
    }

    #[test]
    fn what_a_server_told_is_quoted() {
        assert!(sync_collection("a&b").contains(">a&amp;b<"));
        assert!(multiget(&["/a&b"]).contains("<d:href>/a&amp;b</d:href>"));
    }
}
