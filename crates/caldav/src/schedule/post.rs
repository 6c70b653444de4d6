//! POST to the outbox: when are these people free? RFC 6638 §5. Nothing else is posted there: objects are scheduled by
//! being stored.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use nichoir_contentline::as_text;
use nichoir_dav::request::read_whole;
use nichoir_dav::{Answering, Body, Call, Error, Response, answer};
use nichoir_store::{Account, Area, CollectionKind, NodePath, Space};
use nichoir_xml::{Writer, caldav, dav};

use super::address::normal;
use super::document::Document;
use super::part::Part;
use super::property::Property;
use super::recipient::{account_of, addresses_of};
use super::{availability, default_calendar};
use crate::calendar_zone;
use crate::free_busy::FreeBusy;
use crate::object::Limits;
use crate::report::free_busy_query::add_calendar;
use crate::time::{Duration, TimeRange};
use crate::timezone::Zone;

/// The names of the outbox and the inbox in every home.
const OUTBOX: &str = "outbox";
const INBOX: &str = "inbox";

/// Whether a POST is one to the outbox, or to the inbox, which takes none.
pub(crate) fn is_meant(call: &Call<'_>) -> bool {
    let is_it = |name: &String| name == OUTBOX || name == INBOX;
    call.caller.tree.area() == Area::Calendars && matches!(call.path.names(), [name] if is_it(name))
}

/// Answers it.
pub(crate) fn answer(limits: &Limits, call: &Call<'_>, body: Body) -> Answering {
    let (dav, caller, mount) = (call.dav.clone(), call.caller.clone(), call.mount.clone());
    let (path, parts, limits) = (call.path.clone(), call.parts.clone(), limits.clone());
    Box::pin(async move {
        let call = Call { dav: &dav, caller: &caller, mount: &mount, path: &path, parts: &parts };
        let bytes = read_whole(body, limits.object_bytes_max).await?;
        if path.name() != Some(OUTBOX) {
            return Err(Error::forbidden("Scheduling messages are posted to the outbox.")
                .with_condition(caldav::SUPPORTED_COLLECTION));
        }
        check_media_type(&parts.headers)?;
        let question = Question::of(&bytes, &call, &limits)?;
        answer_all(&call, &question, &limits).await
    })
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Error> {
    let told = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let told = told.split(';').next().unwrap_or_default().trim();
    match told.eq_ignore_ascii_case("text/calendar") {
        true => Ok(()),
        false => {
            Err(Error::forbidden("The outbox takes text/calendar.").with_condition(caldav::SUPPORTED_CALENDAR_DATA))
        }
    }
}

fn not_a_message(reason: &'static str) -> Error {
    Error::forbidden(reason).with_condition(caldav::VALID_SCHEDULING_MESSAGE)
}

/// A free-busy request.
struct Question {
    range: TimeRange,
    organizer: Property,
    attendees: Vec<Property>,
    uid: String,
}

impl Question {
    fn of(bytes: &Bytes, call: &Call<'_>, limits: &Limits) -> Result<Question, Error> {
        let found = nichoir_contentline::parse(bytes, &limits.content).ok();
        if !matches!(found.as_deref(), Some([calendar]) if calendar.name == "VCALENDAR") {
            return Err(Error::forbidden("This is no iCalendar object.").with_condition(caldav::VALID_CALENDAR_DATA));
        }
        let document =
            Document::read(bytes, limits).ok_or_else(|| not_a_message("This is not one scheduling message."))?;
        let method = document.calendar.value("METHOD").unwrap_or_default().trim().to_ascii_uppercase();
        let mut mains = document.mains().filter(|_| document.component == "VFREEBUSY" && method == "REQUEST");
        let (Some(main), None) = (mains.next(), mains.next()) else {
            return Err(not_a_message("Only a REQUEST with one VFREEBUSY can be posted here."));
        };
        let organizer = main.line("ORGANIZER").ok_or_else(|| not_a_message("The request has no organizer."))?;
        if !addresses_of(&call.caller.account, call.mount).has(&organizer.address()) {
            return Err(
                Error::forbidden("The organizer of the request is not you.").with_condition(caldav::VALID_ORGANIZER)
            );
        }
        let attendees: Vec<Property> = main.all("ATTENDEE").cloned().collect();
        if attendees.is_empty() {
            return Err(not_a_message("The request asks for nobody."));
        }
        let range = range_of(&document, main, limits)?;
        Ok(Question { range, organizer: organizer.clone(), attendees, uid: document.uid.clone() })
    }
}

/// RFC 5546 §3.3.2: DTSTART and DTEND in UTC.
fn range_of(document: &Document, main: &Part, limits: &Limits) -> Result<TimeRange, Error> {
    let utc = |name: &str| {
        let moment = main.line(name).and_then(|line| document.moment(line))?;
        (moment.zone == Zone::Utc).then_some(moment)
    };
    let start = utc("DTSTART").ok_or_else(|| not_a_message("DTSTART is not in UTC."))?;
    let duration = main.value("DURATION").and_then(Duration::parse);
    let end = match (utc("DTEND"), duration) {
        (Some(end), _) => end.instant(&Zone::Utc),
        (None, Some(duration)) => duration.after(&start, &Zone::Utc),
        (None, None) => return Err(not_a_message("DTEND is not in UTC.")),
    };
    let start = start.instant(&Zone::Utc);
    match start < end && end - start <= limits.expand_seconds_max {
        true => Ok(TimeRange { start, end }),
        false => Err(not_a_message("The time asked for is empty or too long.")),
    }
}

async fn answer_all(call: &Call<'_>, question: &Question, limits: &Limits) -> Result<Response, Error> {
    let mut writer = Writer::new();
    writer.declaration();
    writer.open_root(&caldav::SCHEDULE_RESPONSE);
    for (place, attendee) in question.attendees.iter().enumerate() {
        let space = &call.caller.space;
        let (request_status, busy) = match place < limits.free_busy_recipients_max {
            false => ("5.1;Service unavailable", None),
            true => match account_of(space, call.mount, &normal(attendee.value())).await? {
                None => ("3.7;Invalid calendar user", None),
                Some(account) => {
                    let found = busy_time(space, &account, question.range, limits).await?;
                    ("2.0;Success", Some(found))
                }
            },
        };
        writer.open(&caldav::RESPONSE);
        writer.open(&caldav::RECIPIENT);
        writer.text_element(&dav::HREF, attendee.value());
        writer.close();
        writer.text_element(&caldav::REQUEST_STATUS, request_status);
        if let Some(busy) = busy {
            let extra =
                [format!("UID:{}", question.uid), question.organizer.text().to_owned(), attendee.text().to_owned()];
            let now_seconds = space.ports().clock.now().seconds();
            let calendar = busy.to_calendar(now_seconds, Some("REPLY"), &extra);
            writer.text_element(&caldav::CALENDAR_DATA, &as_text(&calendar));
        }
        writer.close();
    }
    writer.close();
    Ok(answer::xml(StatusCode::OK, writer.take()))
}

/// When the account is busy: its calendars that count (RFC 6638 §9.1), and its availability.
async fn busy_time(space: &Space, account: &Account, range: TimeRange, limits: &Limits) -> Result<FreeBusy, Error> {
    let tree = space.tree_as(account).in_area(Area::Calendars).await?;
    let collections = default_calendar::collections(&tree).await?;
    let mut found = FreeBusy::within(range);
    for calendar in collections.iter().filter(|node| node.mount.is_none()) {
        let is_transparent = calendar
            .dead_property(&caldav::SCHEDULE_CALENDAR_TRANSP.namespace, &caldav::SCHEDULE_CALENDAR_TRANSP.local)
            .is_some_and(|property| property.xml.contains("transparent"));
        if !is_transparent {
            add_calendar(&tree, &NodePath::root().child(&calendar.name), calendar, &mut found, limits).await?;
        }
    }
    let default = default_calendar::choose(&collections, "VEVENT").and_then(calendar_zone::of_collection);
    let inbox = collections.iter().find(|node| node.collection.as_deref() == Some(&CollectionKind::Inbox));
    if let Some(inbox) = inbox {
        availability::add(inbox, &default.unwrap_or(Zone::Utc), &mut found, limits);
    }
    Ok(found)
}
