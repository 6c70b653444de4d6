//! The days of the year that a card tells of: birthday, anniversary, day of death. RFC 2426 §3.1.5, RFC 6350 §6.2.5,
//! §6.2.6 and §4.3.1, RFC 6474 §2.3; and what Apple's and other clients write in 3.0.

use nichoir_contentline::{Component, Line};

/// What a day is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The day of birth.
    Birth,
    /// The day of a wedding or the like.
    Anniversary,
    /// The day of death.
    Death,
}

/// A day that comes back every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birthday {
    /// What it is about.
    pub occasion: Occasion,
    /// The year of the first time, if told.
    pub year: Option<i32>,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
}

/// Apple's clients write this year where they know none.
const YEAR_OF_APPLE: i32 = 1604;

/// The days of a card, one for each occasion: the first that can be understood.
pub fn birthdays(card: &Component<'_>) -> Vec<Birthday> {
    let mut found: Vec<Birthday> = Vec::new();
    for line in &card.lines {
        let Some(occasion) = occasion_of(line, card) else { continue };
        let is_known = found.iter().any(|birthday| birthday.occasion == occasion);
        if let Some((year, month, day)) = date_of(line).filter(|_| !is_known) {
            found.push(Birthday { occasion, year, month, day });
        }
    }
    found
}

fn occasion_of(line: &Line<'_>, card: &Component<'_>) -> Option<Occasion> {
    let is_one_of = |names: &[&str]| names.iter().any(|name| line.is(name));
    if line.is("BDAY") {
        Some(Occasion::Birth)
    } else if is_one_of(&["ANNIVERSARY", "X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY"]) {
        Some(Occasion::Anniversary)
    } else if is_one_of(&["DEATHDATE", "X-DEATHDATE"]) {
        Some(Occasion::Death)
    } else if line.is("X-ABDATE") && label_of(line, card).is_some_and(|label| label.contains("Anniversary")) {
        Some(Occasion::Anniversary)
    } else {
        None
    }
}

/// Apple's `item1.X-ABLabel:_$!<Anniversary>!$_`, which says what another line of its group is about.
fn label_of<'c>(line: &Line<'_>, card: &'c Component<'_>) -> Option<&'c str> {
    let group = line.group()?;
    let is_of_group = |label: &&Line<'_>| label.group().is_some_and(|own| own.eq_ignore_ascii_case(group));
    card.lines.iter().filter(|label| label.is("X-ABLabel")).find(is_of_group).map(Line::value)
}

/// Year, month and day: `1985-04-12`, `19850412`, `--0412`, `--04-12`, each with or without a time behind it.
fn date_of(line: &Line<'_>) -> Option<(Option<i32>, u32, u32)> {
    if line.parameter("VALUE").is_some_and(|kind| kind.eq_ignore_ascii_case("text")) {
        return None;
    }
    let date = line.value().trim().split(['T', 't', ' ']).next().unwrap_or_default();
    let (year, rest) = match date.strip_prefix("--") {
        Some(rest) => (None, rest),
        None => {
            let (year, rest) = date.split_at_checked(4)?;
            (Some(number(year)?), rest.strip_prefix('-').unwrap_or(rest))
        }
    };
    let (month, rest) = rest.split_at_checked(2)?;
    let day = rest.strip_prefix('-').unwrap_or(rest);
    let (month, day) = (number(month)?, number(day).filter(|_| day.len() == 2)?);
    let omitted = line.parameter("X-APPLE-OMIT-YEAR").and_then(|year| number(year.trim()));
    let year = year.filter(|year| Some(*year) != omitted && *year != YEAR_OF_APPLE);
    (day >= 1 && day <= days_of(year, month)).then_some((year, month, day))
}

fn number<N: std::str::FromStr>(digits: &str) -> Option<N> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// Days of a month; 29 February may be, where the year is not known.
fn days_of(year: Option<i32>, month: u32) -> u32 {
    let is_leap = year.is_none_or(|year| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &str, expected: &str) {
        let text = format!("BEGIN:VCARD\r\n{lines}\r\nEND:VCARD\r\n");
        let cards = nichoir_contentline::parse(text.as_bytes(), &nichoir_contentline::Limits::default());
        let found: Vec<String> = birthdays(&cards.expect("a card")[0])
            .iter()
            .map(|it| {
                let year = it.year.map_or("-".to_owned(), |year| year.to_string());
                format!("{:?} {year} {} {}", it.occasion, it.month, it.day)
            })
            .collect();
        assert_eq!(found.join("; "), expected, "{lines}");
    }

    #[test]
    fn dates_of_all_spellings() {
        check("BDAY:1985-04-12", "Birth 1985 4 12");
        check("BDAY:19850412", "Birth 1985 4 12");
        check("BDAY;VALUE=date:1985-04-12", "Birth 1985 4 12");
        check("BDAY:1985-04-12T23:20:50Z", "Birth 1985 4 12");
        check("BDAY:19850412T000000", "Birth 1985 4 12");
        check("BDAY:--0412", "Birth - 4 12");
        check("BDAY:--04-12", "Birth - 4 12");
        check("BDAY:1904-02-29", "Birth 1904 2 29");
        check("BDAY:--0229", "Birth - 2 29");
    }

    #[test]
    fn a_year_that_nobody_knows_is_none() {
        check("BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12", "Birth - 4 12");
        check("BDAY;X-APPLE-OMIT-YEAR=1900:1900-04-12", "Birth - 4 12");
        check("BDAY;X-APPLE-OMIT-YEAR=1604:1985-04-12", "Birth 1985 4 12");
        check("BDAY:1604-04-12", "Birth - 4 12");
    }

    #[test]
    fn every_occasion_once() {
        check("ANNIVERSARY:20090808\r\nX-ANNIVERSARY:2010-01-01", "Anniversary 2009 8 8");
        check("X-ANNIVERSARY:2009-08-08\r\nDEATHDATE:19960415", "Anniversary 2009 8 8; Death 1996 4 15");
        check("ANNIVERSARY:soon\r\nX-EVOLUTION-ANNIVERSARY:2009-08-08", "Anniversary 2009 8 8");
        check("item1.X-ABDATE:2009-08-08\r\nitem1.X-ABLabel:_$!<Anniversary>!$_", "Anniversary 2009 8 8");
        check("item1.X-ABDATE:2009-08-08\r\nitem2.X-ABLabel:_$!<Anniversary>!$_", "");
        check("X-ABDATE:2009-08-08", "");
    }

    #[test]
    fn what_is_no_day_of_the_year_is_left_out() {
        for value in
            ["", "1985", "1985-04", "---12", "1985-13-01", "1985-00-10", "1985-04-31", "1985-02-29", "1985-4-1"]
        {
            check(&format!("BDAY:{value}"), "");
        }
        check("BDAY;VALUE=text:circa 1800", "");
        check("BDAY;VALUE=text:1985-04-12", "");
        check("BDAY:\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}", "");
        check("NOTE:1985-04-12", "");
    }

    proptest::proptest! {
        #[test]
        fn any_value_is_a_day_or_none(value in "[-0-9T:é]{0,12}") {
            let text = format!("BEGIN:VCARD\nBDAY:{value}\nEND:VCARD");
            if let Ok(cards) = nichoir_contentline::parse(text.as_bytes(), &nichoir_contentline::Limits::default()) {
                for birthday in birthdays(&cards[0]) {
                    proptest::prop_assert!(birthday.day >= 1 && birthday.day <= days_of(birthday.year, birthday.month));
                }
            }
        }
    }
}
