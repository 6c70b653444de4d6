//! Calendar object resources: what may be stored (RFC 4791 §4.1, §5.3.2.1) and what the index has to know.
//!
//! What mainstream clients write is taken as it is; refused is only what would break other clients or the index. The bytes
//! are never rewritten.

use nichoir_contentline::{Component, parse};
use nichoir_dav::Error;
use nichoir_store::{MemberIndex, Visibility};
use nichoir_xml::caldav;

use crate::time::{DAY, Moment};
use crate::timezone::{Zone, Zones};

/// The limits of calendar objects, each a setting.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one object.
    pub object_bytes_max: usize,
    /// Content lines and components of one object.
    pub content: nichoir_contentline::Limits,
    /// Overridden instances of one object.
    pub overrides_max: usize,
    /// Attendees of one component.
    pub attendees_max: usize,
    /// RDATE and EXDATE values of one object.
    pub dates_max: usize,
    /// Steps of all rules of one object in one walk.
    pub recurrence_steps_max: usize,
    /// Instances of one object in one walk.
    pub instances_max: usize,
    /// Seconds that a rule within a day (SECONDLY to HOURLY) is walked through.
    pub subday_window_seconds_max: i64,
    /// Bytes of a file that is imported.
    pub import_bytes_max: usize,
    /// Objects in a file that is imported.
    pub import_objects_max: usize,
    /// Members that one multiget may ask for.
    pub multiget_hrefs_max: usize,
    /// Conditions in one filter.
    pub filter_conditions_max: usize,
    /// Seconds that `expand` and free-busy may reach over.
    pub expand_seconds_max: i64,
    /// Scheduling messages that one write may send.
    pub scheduling_recipients_max: usize,
    /// Times that a write is planned anew because others wrote to the same object meanwhile.
    pub scheduling_retries_max: usize,
    /// Attendees that one free-busy request may ask for.
    pub free_busy_recipients_max: usize,
    /// Whether messages for people outside of the space are queued for sending by mail.
    pub sends_mail: bool,
    /// Nothing may begin earlier, in seconds.
    pub date_min_seconds: i64,
    /// Nothing may begin later, in seconds.
    pub date_max_seconds: i64,
}

/// The limits unless something else is configured.
pub(crate) static DEFAULT_LIMITS: Limits = Limits::usual();

impl Default for Limits {
    fn default() -> Limits {
        Limits::usual()
    }
}

impl Limits {
    const fn usual() -> Limits {
        Limits {
            object_bytes_max: 10 * 1024 * 1024,
            content: nichoir_contentline::Limits::usual(),
            overrides_max: 2_000,
            attendees_max: 500,
            dates_max: 10_000,
            recurrence_steps_max: 100_000,
            instances_max: 3_500,
            subday_window_seconds_max: 31 * DAY,
            import_bytes_max: 32 * 1024 * 1024,
            import_objects_max: 5_000,
            multiget_hrefs_max: 5_000,
            filter_conditions_max: 64,
            expand_seconds_max: 20 * 366 * DAY,
            scheduling_recipients_max: 1_000,
            scheduling_retries_max: 20,
            free_busy_recipients_max: 100,
            sends_mail: false,
            date_min_seconds: -2_208_988_800, // 1900-01-01
            date_max_seconds: 32_503_680_000, // 3000-01-01
        }
    }
}

/// The components that a calendar object resource may be made of.
const TYPES: [&str; 5] = ["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"];

/// A calendar object, read.
#[derive(Debug)]
pub struct CalendarObject<'a> {
    /// The bytes that it was read from.
    pub bytes: &'a [u8],
    /// The VCALENDAR.
    pub calendar: Component<'a>,
    /// The type of its main components, such as `VEVENT`.
    pub component: String,
    /// The UID that all of them share.
    pub uid: String,
    pub(crate) zones: Zones,
}

impl<'a> CalendarObject<'a> {
    /// Reads what a client wants to store.
    ///
    /// # Errors
    /// 403 with the precondition of RFC 4791 §5.3.2.1 that does not hold.
    pub fn check(bytes: &'a [u8], limits: &Limits) -> Result<CalendarObject<'a>, Error> {
        if bytes.len() > limits.object_bytes_max {
            return Err(Error::too_large_member(limits.object_bytes_max as u64));
        }
        let object = CalendarObject::read(bytes, limits)?;
        for main in object.mains() {
            if main.all("ATTENDEE").count() > limits.attendees_max {
                return Err(Error::forbidden(format!("More than {} attendees.", limits.attendees_max))
                    .with_condition(caldav::MAX_ATTENDEES_PER_INSTANCE));
            }
            check_dates(main, limits)?;
        }
        if object.mains().count() > limits.overrides_max + 1 {
            return Err(Error::forbidden(format!("More than {} overridden instances.", limits.overrides_max))
                .with_condition(caldav::MAX_INSTANCES));
        }
        let dates: usize = object
            .mains()
            .flat_map(|main| main.all("RDATE").chain(main.all("EXDATE")))
            .map(|line| line.value().split(',').count())
            .sum();
        if dates > limits.dates_max {
            return Err(Error::forbidden(format!("More than {} dates.", limits.dates_max))
                .with_condition(caldav::MAX_INSTANCES));
        }
        Ok(object)
    }

    /// Reads what is stored.
    ///
    /// # Errors
    /// As [`CalendarObject::check`], for what cannot be understood at all.
    pub fn read(bytes: &'a [u8], limits: &Limits) -> Result<CalendarObject<'a>, Error> {
        let mut found = parse(bytes, &limits.content).map_err(|broken| invalid(&broken.to_string()))?;
        if found.len() != 1 {
            return Err(invalid("not exactly one VCALENDAR"));
        }
        let calendar = found.remove(0);
        if calendar.name != "VCALENDAR" {
            return Err(invalid("not a VCALENDAR"));
        }
        if let Some(version) = calendar.value("VERSION").filter(|version| version.trim() != "2.0") {
            return Err(Error::forbidden(format!("iCalendar {version} is not supported."))
                .with_condition(caldav::SUPPORTED_CALENDAR_DATA));
        }
        let mut component: Option<&str> = None;
        let mut uid: Option<String> = None;
        let mut masters = 0;
        for main in calendar.components.iter().filter(|it| TYPES.contains(&it.name.as_str())) {
            if component.is_some_and(|known| known != main.name) {
                return Err(not_a_resource("it has components of two types"));
            }
            component = Some(&main.name);
            let own = main.value("UID").map(str::trim).filter(|uid| !uid.is_empty());
            let own = own.ok_or_else(|| not_a_resource("a component has no UID"))?;
            if uid.get_or_insert_with(|| own.to_owned()) != own {
                return Err(not_a_resource("it has two UIDs"));
            }
            masters += usize::from(main.line("RECURRENCE-ID").is_none());
        }
        let (Some(component), Some(uid)) = (component, uid) else {
            return Err(not_a_resource("it holds no event, to-do, journal entry, free-busy time or availability"));
        };
        if masters > 1 {
            return Err(not_a_resource("two components have no RECURRENCE-ID"));
        }
        let (component, zones) = (component.to_owned(), Zones::of(&calendar));
        Ok(CalendarObject { bytes, component, uid, zones, calendar })
    }

    /// The components that it is about, overrides among them.
    pub fn mains(&self) -> impl Iterator<Item = &Component<'a>> {
        self.calendar.components.iter().filter(|it| it.name == self.component)
    }

    /// What the store has to know: bounds that hold wherever floating times are read.
    pub fn index(&self, limits: &Limits) -> MemberIndex {
        let (first_seconds, last_seconds) = self.bounds(limits);
        MemberIndex {
            uid: self.uid.clone(),
            component: self.component.clone(),
            first_seconds,
            last_seconds,
            visibility: self.visibility(),
        }
    }

    /// What others may see of it (RFC 5545 §3.8.1.3): the most reserved of its components decides, and a class that
    /// nobody knows is private.
    fn visibility(&self) -> Visibility {
        let of = |class: &str| match class.trim() {
            class if class.eq_ignore_ascii_case("PUBLIC") => Visibility::Public,
            class if class.eq_ignore_ascii_case("CONFIDENTIAL") => Visibility::Confidential,
            _ => Visibility::Private,
        };
        let classes = self.mains().filter_map(|main| main.value("CLASS")).map(of);
        classes.max().unwrap_or_default()
    }

    fn bounds(&self, limits: &Limits) -> (i64, i64) {
        const OPEN: (i64, i64) = (i64::MIN, i64::MAX);
        let is_dated = |main: &Component<'_>| match self.component.as_str() {
            // RFC 4791 §9.9: DUE, COMPLETED and CREATED count only without a DTSTART.
            "VTODO" | "VEVENT" | "VJOURNAL" => main.line("DTSTART").is_some(),
            _ => false,
        };
        if !self.mains().all(is_dated) {
            return OPEN;
        }
        let mut first = i64::MAX;
        for main in self.mains() {
            let dates = main.all("DTSTART").chain(main.all("RDATE")).chain(main.all("RECURRENCE-ID"));
            let dates = dates.chain(main.all("DUE")).chain(main.all("DTEND"));
            for line in dates {
                let tzid = line.parameter("TZID");
                for value in line.value().split(',') {
                    let start = value.split('/').next().unwrap_or(value);
                    match Moment::parse(start, || tzid.clone(), &self.zones) {
                        Some(moment) => first = first.min(moment.instant(&Zone::Utc)),
                        None => return OPEN,
                    }
                }
            }
        }
        let last = self.last_end(&Zone::Utc, limits);
        // Floating times and dates are read in the asker's zone, anywhere from UTC-12 to UTC+14.
        (first.saturating_sub(2 * DAY), last.map_or(i64::MAX, |last| last.max(first).saturating_add(2 * DAY)))
    }
}

/// DTSTART, DTEND and DUE are dates or times, and lie within what is served (RFC 4791 §5.2.6, §5.2.7).
fn check_dates(main: &Component<'_>, limits: &Limits) -> Result<(), Error> {
    for name in ["DTSTART", "DTEND", "DUE"] {
        let Some(value) = main.value(name) else { continue };
        let Some((civil, _, _)) = crate::time::civil(value.trim()) else {
            return if name == "DTSTART" { Err(invalid("DTSTART is no date or time")) } else { Ok(()) };
        };
        // A day on either side for the zones.
        if civil < limits.date_min_seconds - DAY {
            return Err(Error::forbidden("A date lies too far in the past.").with_condition(caldav::MIN_DATE_TIME));
        }
        if civil > limits.date_max_seconds + DAY {
            return Err(Error::forbidden("A date lies too far in the future.").with_condition(caldav::MAX_DATE_TIME));
        }
    }
    Ok(())
}

fn invalid(reason: &str) -> Error {
    Error::forbidden(format!("This is no iCalendar object: {reason}.")).with_condition(caldav::VALID_CALENDAR_DATA)
}

fn not_a_resource(reason: &str) -> Error {
    Error::forbidden(format!("This cannot be one calendar object resource: {reason}."))
        .with_condition(caldav::VALID_CALENDAR_OBJECT_RESOURCE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recurrence::tests::calendar;

    /// The type and the UID of what may be stored, else the precondition.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let limits =
            Limits { object_bytes_max: 2_000, overrides_max: 2, attendees_max: 2, dates_max: 2, ..Limits::default() };
        let found = match CalendarObject::check(text.as_bytes(), &limits) {
            Ok(object) => format!("{} {}", object.component, object.uid),
            Err(error) => {
                assert_eq!(error.status(), 403);
                error.condition().map_or(String::new(), |condition| condition.name.local.to_string())
            }
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_mainstream_clients_write_is_taken() {
        check(&calendar("VEVENT", &["DTSTART:20250110T100000Z"]), "VEVENT a");
        check(&calendar("VTODO", &["SUMMARY:x"]), "VTODO a");
        check(&calendar("VEVENT", &["DTSTART:20250110T100000Z", "RECURRENCE-ID:20250111T100000Z"]), "VEVENT a");
        check(&calendar("VEVENT", &["RECURRENCE-ID:20250111T100000Z"]), "VEVENT a");
        check(&calendar("VEVENT", &["DTSTART;TZID=Nowhere:20250110T100000\nRRULE:nonsense"]), "VEVENT a");
        check(&calendar("VEVENT", &["DTSTART:20250110T100000Z"]).replace('\n', "\r\n"), "VEVENT a");
        check(&format!("\u{feff}\n{}", calendar("VEVENT", &["X:1"]).replace("VEVENT", "vevent")), "VEVENT a");
        // No METHOD may be stored, says the RFC; Outlook and Apple import files that have one.
        check(&calendar("VEVENT", &["X:1"]).replace("VERSION:2.0", "METHOD:PUBLISH"), "VEVENT a");
    }

    #[test]
    fn what_breaks_other_clients_is_refused_by_name() {
        check("", "valid-calendar-data");
        check("BEGIN:VCARD\nEND:VCARD", "valid-calendar-data");
        check(&calendar("VEVENT", &["X:1"]).replace("END:VEVENT", ""), "valid-calendar-data");
        check(&calendar("VEVENT", &["DTSTART:tomorrow"]), "valid-calendar-data");
        check(&calendar("VEVENT", &["SUMMARY:\u{1}"]), "valid-calendar-data");
        check(&calendar("VEVENT", &["X:1"]).repeat(2), "valid-calendar-data");
        check(&calendar("VEVENT", &["X:1"]).replace("2.0", "1.0"), "supported-calendar-data");
        check(&calendar("VEVENT", &["X:1", "Y:1"]), "valid-calendar-object-resource");
        check(&calendar("VEVENT", &["X:1"]).replace("UID:a", "Y:1"), "valid-calendar-object-resource");
        check(
            &calendar("VEVENT", &["X:1", "RECURRENCE-ID:20250111T100000Z\nUID:b"]).replacen("UID:a\nR", "R", 1),
            "valid-calendar-object-resource",
        );
        check(&calendar("VTIMEZONE", &["TZID:x"]), "valid-calendar-object-resource");
        let two = calendar("VEVENT", &["X:1"]).replace("END:VCALENDAR", "BEGIN:VTODO\nUID:a\nEND:VTODO\nEND:VCALENDAR");
        check(&two, "valid-calendar-object-resource");
    }

    #[test]
    fn limits_hold_on_both_sides() {
        let padded = |bytes: usize| {
            let text = calendar("VEVENT", &["X:"]);
            text.replace("X:", &format!("X:{}", "x".repeat(bytes - text.len())))
        };
        check(&padded(2_000), "VEVENT a");
        check(&padded(2_001), "max-resource-size");
        let overrides = |count: usize| vec!["RECURRENCE-ID:20250111T100000Z"; count];
        check(&calendar("VEVENT", &overrides(3)), "VEVENT a");
        check(&calendar("VEVENT", &overrides(4)), "max-instances");
        check(&calendar("VEVENT", &["ATTENDEE:a\nATTENDEE:b"]), "VEVENT a");
        check(&calendar("VEVENT", &["ATTENDEE:a\nATTENDEE:b\nATTENDEE:c"]), "max-attendees-per-instance");
        check(&calendar("VEVENT", &["RDATE:20250101,20250102"]), "VEVENT a");
        check(&calendar("VEVENT", &["RDATE:20250101,20250102\nEXDATE:20250103"]), "max-instances");
        check(&calendar("VEVENT", &["DTSTART:19000101"]), "VEVENT a");
        check(&calendar("VEVENT", &["DTSTART:18991230"]), "min-date-time");
        check(&calendar("VEVENT", &["DTSTART:20250101\nDTEND:30000101"]), "VEVENT a");
        check(&calendar("VEVENT", &["DTSTART:20250101\nDTEND:30000103"]), "max-date-time");
    }
}
