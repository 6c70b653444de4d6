//! `freeBusy`: the busy periods of a VFREEBUSY, by their type.

use std::collections::{BTreeMap, BTreeSet};

use super::{Judged, Verdict, none_of};
use crate::calendar::{Component, Value, parse, period};

/// An argument and the FBTYPE that it lists.
const TYPES: [(&str, &str); 3] =
    [("busy", "BUSY"), ("tentative", "BUSY-TENTATIVE"), ("unavailable", "BUSY-UNAVAILABLE")];

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    if judged.answer.status != 200 {
        return Err(format!("status {}, expected 200", super::shown_status(judged.answer)));
    }
    let calendars = parse(&judged.answer.body).map_err(|error| format!("the body: {error}"))?;
    let mut times = calendars.iter().flat_map(|calendar| calendar.inner("VFREEBUSY"));
    match (times.next(), times.next()) {
        (Some(time), None) => compare(judged, time),
        (None, _) => Err("no VFREEBUSY".to_owned()),
        _ => Err("more than one VFREEBUSY".to_owned()),
    }
}

/// Compares the periods of a VFREEBUSY with those of the arguments.
pub(super) fn compare(judged: &Judged<'_>, time: &Component) -> Verdict {
    let mut found: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
    for property in time.properties.iter().filter(|property| property.is("FREEBUSY")) {
        let kind = property.parameter("FBTYPE").unwrap_or("BUSY").to_ascii_uppercase();
        let Value::Periods(periods) = &property.value else {
            return Err(format!("FREEBUSY:{} is no list of periods", property.text));
        };
        found.entry(kind).or_default().extend(periods);
    }
    let mut wrong = Vec::new();
    for (argument, kind) in TYPES {
        let texts =
            judged.values(argument).iter().flat_map(|value| value.split(',')).filter(|text| !text.trim().is_empty());
        let expected: Vec<(i64, i64)> = texts
            .map(|text| period(text, None).ok_or_else(|| format!("{text} is no period")))
            .collect::<Result<_, _>>()?;
        let found = found.remove(kind).unwrap_or_default();
        if expected.len() != found.len() || set(&expected) != set(&found) {
            wrong.push(format!("{argument} is [{}], expected [{}]", shown(&found), shown(&expected)));
        }
    }
    wrong.extend(found.keys().map(|kind| format!("unexpected FBTYPE {kind}")));
    none_of(wrong)
}

fn set(periods: &[(i64, i64)]) -> BTreeSet<(i64, i64)> {
    periods.iter().copied().collect()
}

fn shown(periods: &[(i64, i64)]) -> String {
    let time = |seconds: i64| {
        let time = chrono::DateTime::from_timestamp(seconds, 0);
        time.map_or_else(|| seconds.to_string(), |time| time.format("%Y%m%dT%H%M%SZ").to_string())
    };
    let periods: Vec<String> = periods.iter().map(|(start, end)| format!("{}/{}", time(*start), time(*end))).collect();
    periods.join(", ")
}

#[cfg(test)]
mod tests {
    use crate::verify::testing::{answer, judge};

    #[test]
    fn periods_are_compared_by_type_and_number() {
        let body = |lines: &str| format!("BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\n{lines}\nEND:VFREEBUSY\nEND:VCALENDAR\n");
        let check = |lines: &str, arguments: &[(&str, &str)], expected| {
            let verdict = judge("freeBusy", &answer(200, &body(lines)), arguments);
            assert_eq!(verdict.is_ok(), expected, "{lines} {verdict:?}");
        };
        let hour = ("busy", "20250101T100000Z/20250101T110000Z");
        check("FREEBUSY:20250101T100000Z/PT1H", &[hour], true);
        check("FREEBUSY;FBTYPE=BUSY-TENTATIVE:20250101T100000Z/PT1H", &[hour], false);
        check("FREEBUSY;FBTYPE=BUSY-TENTATIVE:20250101T100000Z/PT1H", &[("tentative", hour.1)], true);
        check("FREEBUSY:20250101T100000Z/PT1H,20250101T100000Z/PT1H", &[hour], false);
        check("FREEBUSY;FBTYPE=FREE:20250101T100000Z/PT1H", &[], false);
        check("DTSTAMP:20250101T100000Z", &[], true);
        assert!(judge("freeBusy", &answer(200, "BEGIN:VCALENDAR\nEND:VCALENDAR\n"), &[]).is_err());
    }
}
