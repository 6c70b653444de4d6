//! Rows: calendars and address books, which are Alice's alone here; those that are shared are tested in `sharing`.

use super::row::{Row, row};
use super::verdict::Asks::Owns;

const CALENDAR: &str = "/remote.php/dav/calendars/{me}/{word}/";
const EVENT: &str = "/remote.php/dav/calendars/{me}/{word}/{word}.ics";
const BOOK: &str = "/remote.php/dav/addressbooks/users/{me}/{word}/";

pub(super) const ROWS: &[Row] = &[
    row("DavRoute::Area", "PROPFIND", CALENDAR, Owns, 207).with("depth: 1"),
    row("DavRoute::Area", "GET", EVENT, Owns, 200),
    row("DavRoute::Area", "REPORT", CALENDAR, Owns, 207)
        .with("depth: 1")
        .sending("<c:calendar-query xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:prop><c:calendar-data/></d:prop><c:filter><c:comp-filter name='VCALENDAR'/></c:filter></c:calendar-query>"),
    row("DavRoute::Area", "DELETE", EVENT, Owns, 204),
    row("DavRoute::Area", "DELETE", CALENDAR, Owns, 204),
    row("DavRoute::Area", "PROPFIND", BOOK, Owns, 207).with("depth: 1"),
    row("DavRoute::Area", "DELETE", BOOK, Owns, 204),
];
