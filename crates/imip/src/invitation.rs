//! What an iTIP message is about, as far as people are told. RFC 5546, RFC 5545.

use nichoir_contentline::{Component, Limits, Line, parse, unescape};

/// Characters of a text from the message that go into the mail; the whole of it is in the attached object.
const TEXT_CHARACTERS_MAX: usize = 2_000;
/// Characters of a text that has one line.
const LINE_CHARACTERS_MAX: usize = 200;

/// What the message is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Invitation {
    /// The type of component: `VEVENT`, `VTODO`…
    pub(crate) component: String,
    pub(crate) summary: String,
    pub(crate) starts: Option<String>,
    pub(crate) ends: Option<String>,
    pub(crate) repeats: bool,
    pub(crate) location: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) comment: Option<String>,
    /// Whether it was sent before.
    pub(crate) is_update: bool,
    /// Of a reply: `ACCEPTED`, `DECLINED`…
    pub(crate) answer: Option<String>,
}

impl Invitation {
    /// What `body` is about; `None` if it is no iCalendar object with something in it.
    pub(crate) fn of(body: &[u8]) -> Option<Invitation> {
        let calendars = parse(body, &Limits::usual()).ok()?;
        let calendar = calendars.first()?;
        let main = calendar.components.iter().find(|component| component.name != "VTIMEZONE")?;
        let text = |name: &str| main.value(name).map(|value| bounded(&unescape(value), TEXT_CHARACTERS_MAX));
        let line = |name: &str| main.value(name).map(|value| one_line(&unescape(value)));
        Some(Invitation {
            component: main.name.clone(),
            summary: line("SUMMARY").unwrap_or_default(),
            starts: main.line("DTSTART").map(instant),
            ends: main.line("DTEND").or_else(|| main.line("DUE")).map(instant),
            repeats: ["RRULE", "RDATE"].iter().any(|name| main.line(name).is_some()),
            location: line("LOCATION").filter(|text| !text.is_empty()),
            description: text("DESCRIPTION").filter(|text| !text.trim().is_empty()),
            comment: text("COMMENT").filter(|text| !text.trim().is_empty()),
            is_update: main.value("SEQUENCE").and_then(|value| value.trim().parse::<i64>().ok()).unwrap_or(0) > 0,
            answer: answer(main),
        })
    }
}

/// What the first attendee says: a reply has one (RFC 5546 §3.2.3).
fn answer(main: &Component<'_>) -> Option<String> {
    main.line("ATTENDEE")?.parameter("PARTSTAT").map(|answer| answer.to_ascii_uppercase())
}

/// `2026-01-31 10:00 (Europe/Paris)`, or the value as it stands where it is none.
fn instant(line: &Line<'_>) -> String {
    let value = line.value().trim();
    let zone = line.parameter("TZID").map(|zone| format!(" ({})", one_line(&zone))).unwrap_or_default();
    let zone = if value.ends_with('Z') { " UTC".to_owned() } else { zone };
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (date, time) = value.split_once('T').unwrap_or((value, ""));
    if date.len() != 8 || !is_digits(date) {
        return one_line(value);
    }
    let date = format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]);
    match time.get(..4).filter(|time| is_digits(time)) {
        Some(time) => format!("{date} {}:{}{zone}", &time[..2], &time[2..]),
        None => date,
    }
}

/// The text in one line.
pub(crate) fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|it| !it.is_empty()).collect();
    bounded(&words.join(" "), LINE_CHARACTERS_MAX)
}

fn bounded(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &str) -> Invitation {
        let body = format!(
            "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n"
        );
        Invitation::of(body.as_bytes()).unwrap()
    }

    fn check(line: &str, expected: &str) {
        assert_eq!(of(line).starts.as_deref(), Some(expected), "{line}");
    }

    #[test]
    fn instants_for_people() {
        check("DTSTART:20260131T100000Z", "2026-01-31 10:00 UTC");
        check("DTSTART;TZID=Europe/Paris:20260131T100000", "2026-01-31 10:00 (Europe/Paris)");
        check("DTSTART:20260131T100000", "2026-01-31 10:00");
        check("DTSTART;VALUE=DATE:20260131", "2026-01-31");
        check("DTSTART:soon", "soon");
        check("DTSTART:20260131T1é", "2026-01-31");
    }

    #[test]
    fn what_a_message_is_about() {
        let found = of(
            "SUMMARY:Fête\\, grande\\nsuite\nLOCATION:Salle\nSEQUENCE:2\nRRULE:FREQ=DAILY\nATTENDEE;PARTSTAT=accepted:mailto:a@b",
        );
        assert_eq!((found.component.as_str(), found.summary.as_str()), ("VEVENT", "Fête, grande suite"));
        assert_eq!((found.location.as_deref(), found.answer.as_deref()), (Some("Salle"), Some("ACCEPTED")));
        assert!(found.is_update && found.repeats);
        assert_eq!(Invitation::of(b"no calendar"), None);
        assert_eq!(Invitation::of(b"BEGIN:VCALENDAR\nEND:VCALENDAR\n"), None);
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(of(&format!("SUMMARY:{}", "é".repeat(300))).summary.chars().count(), 201);
    }
}
