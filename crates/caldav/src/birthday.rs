//! Events for the days of the year that contacts tell of: all-day, yearly, taking no time. RFC 5545 §3.6.1.

use nichoir_contentline::{escape, fold};

/// A day that comes back every year.
#[derive(Clone, Copy, Debug)]
pub struct YearlyDay<'a> {
    /// The UID of the event: the same for the same day of the same contact.
    pub uid: &'a str,
    /// What the day is called.
    pub summary: &'a str,
    /// The year of the first time, if it is known.
    pub year: Option<i32>,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
}

/// The first year of a day whose own is not known.
const YEAR_UNKNOWN: i32 = 1970;

/// The calendar object of a day, with line ends as in RFC 5545; `None` for a day that is none.
pub fn yearly_object(day: &YearlyDay<'_>) -> Option<Vec<u8>> {
    let is_leap_day = (day.month, day.day) == (2, 29);
    let year = day.year.unwrap_or(if is_leap_day { YEAR_UNKNOWN + 2 } else { YEAR_UNKNOWN });
    let date = chrono::NaiveDate::from_ymd_opt(year, day.month, day.day)?;
    let next = date.succ_opt()?;
    // On 29 February in leap years, on the last day of the month in the others.
    let rule = if is_leap_day { "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1" } else { "FREQ=YEARLY" };
    let mut out = Vec::new();
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//nichoir//nichoir//EN".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}", escape(day.uid)),
        format!("DTSTAMP:{}T000000Z", date.format("%Y%m%d")),
        format!("DTSTART;VALUE=DATE:{}", date.format("%Y%m%d")),
        format!("DTEND;VALUE=DATE:{}", next.format("%Y%m%d")),
        format!("RRULE:{rule}"),
        format!("SUMMARY:{}", escape(day.summary)),
        "TRANSP:TRANSPARENT".to_owned(),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    lines.iter().for_each(|line| fold(line, &mut out));
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{CalendarObject, Limits};
    use crate::timezone::Zone;

    /// The first days of the event, and what it is called.
    #[track_caller]
    fn check(year: Option<i32>, month: u32, day: u32, expected: &str) {
        let day = YearlyDay { uid: "a;b", summary: "Anna, born", year, month, day };
        let shown = yearly_object(&day).map_or("none".to_owned(), |bytes| {
            let object = CalendarObject::check(&bytes, &Limits::default()).expect("an object");
            assert_eq!(object.mains().next().and_then(|main| main.value("SUMMARY")), Some("Anna\\, born"));
            let found = object.instances(i64::MIN / 4, 200_000_000, &Zone::Utc, &Limits::default());
            let starts = found.list.iter().filter_map(|it| it.start.as_ref()).take(3).map(|start| start.to_value());
            starts.collect::<Vec<_>>().join(" ")
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_day_comes_back_every_year() {
        check(Some(1969), 4, 12, "19690412 19700412 19710412");
        check(None, 4, 12, "19700412 19710412 19720412");
        check(None, 2, 29, "19720229 19730228 19740228");
        check(Some(1968), 2, 29, "19680229 19690228 19700228");
        check(Some(1969), 2, 29, "none");
        check(None, 13, 1, "none");
    }
}
