//! Variables: `$name:` from the server description or grabbed from answers, dates counted from today, random UIDs.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate};

/// Replacement stops after so many rounds even if something still changes.
const ROUNDS_MAX: usize = 50;
/// `$uid1:` to `$uid20:` exist.
const UIDS: usize = 20;

/// The two tables of a run.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    today: NaiveDate,
    fixed: BTreeMap<String, String>,
    run: BTreeMap<String, String>,
}

impl Tables {
    /// The tables before a script, with the variables of the server description.
    pub(crate) fn new(today: NaiveDate, fixed: BTreeMap<String, String>) -> Tables {
        Tables { today, fixed, run: BTreeMap::new() }
    }

    /// Sets a variable, written with its sigils, from what an answer said.
    pub(crate) fn grab(&mut self, variable: &str, value: &str) {
        let (variable, value) = if let Some(inner) = call(variable, "basename") {
            (inner, value.trim_end_matches('/').rsplit('/').next().unwrap_or_default())
        } else if let Some(inner) = call(variable, "urlpath") {
            (inner, url_path(value))
        } else {
            (variable, value)
        };
        self.run.insert(variable.to_owned(), value.to_owned());
    }

    /// Makes `$uid1:` to `$uid20:` new.
    pub(crate) fn renew_uids(&mut self) {
        for number in 1..=UIDS {
            self.run.insert(format!("$uid{number}:"), uuid::Uuid::new_v4().to_string());
        }
    }

    /// The static pass: the server description, dates, random UIDs.
    pub(crate) fn fixed_pass(&self, text: &str) -> String {
        if !text.contains('$') {
            return text.to_owned();
        }
        replace(&self.with_dates(text), |key| self.fixed.get(key).map(String::as_str))
    }

    /// The run pass: what was grabbed, and the UIDs.
    pub(crate) fn run_pass(&self, text: &str) -> String {
        replace(text, |key| self.run.get(key).map(String::as_str))
    }

    /// One pass after the other.
    pub(crate) fn both_passes(&self, text: &str) -> String {
        self.run_pass(&self.fixed_pass(text))
    }

    fn with_dates(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let random = text.contains("$uidrandom:").then(|| uuid::Uuid::new_v4().to_string());
        while let Some(place) = rest.find('$') {
            out.push_str(&rest[..place]);
            rest = &rest[place..];
            if let (Some(after), Some(random)) = (rest.strip_prefix("$uidrandom:"), &random) {
                out.push_str(random);
                rest = after;
            } else if let Some((date, after)) = self.date(rest) {
                out.push_str(&date);
                rest = after;
            } else {
                out.push('$');
                rest = &rest[1..];
            }
        }
        out + rest
    }

    /// The date that `text` begins with (`$now.1:`, `$now.month.-2:`), and what follows.
    fn date<'t>(&self, text: &'t str) -> Option<(String, &'t str)> {
        let form = text.strip_prefix("$now.")?;
        let (form, rest) = form.split_once(':')?;
        let (unit, number) = form.split_once('.').unwrap_or(("", form));
        let number: i32 = number.parse().ok()?;
        let date = match unit {
            "" => self.day(i64::from(number))?.format("%Y%m%d").to_string(),
            "week" => self.day(7 * i64::from(number))?.format("%Y%m%d").to_string(),
            "month" => {
                let months = self.today.year() * 12 + self.today.month0() as i32 + number;
                format!("{:04}{:02}", months.div_euclid(12), months.rem_euclid(12) + 1)
            }
            "year" => format!("{:04}", self.today.year() + number),
            _ => return None,
        };
        Some((date, rest))
    }

    fn day(&self, number: i64) -> Option<NaiveDate> {
        let days = Days::new(number.unsigned_abs());
        if number < 0 { self.today.checked_sub_days(days) } else { self.today.checked_add_days(days) }
    }

    /// Today, as `YYYYMMDD`.
    pub(crate) fn today(&self) -> String {
        self.today.format("%Y%m%d").to_string()
    }
}

/// The inside of `name(inside)`.
fn call<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

fn url_path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("/", |slash| &rest[slash..]));
    rest.split(['?', '#']).next().unwrap_or_default()
}

/// Replaces variables until nothing changes; unknown ones stay.
pub(crate) fn replace<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut text = text.to_owned();
    for _ in 0..ROUNDS_MAX {
        if !text.contains('$') {
            break;
        }
        let replaced = replace_once(&text, &value);
        if replaced == text {
            break;
        }
        text = replaced;
    }
    text
}

fn replace_once<'v>(text: &str, value: &impl Fn(&str) -> Option<&'v str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('$') {
        out.push_str(&rest[..place]);
        rest = &rest[place..];
        let key = variable(rest);
        match key.and_then(value) {
            Some(found) => {
                out.push_str(found);
                rest = &rest[key.map_or(1, str::len)..];
            }
            None => {
                out.push('$');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

/// The variable that `text` begins with, sigils included.
fn variable(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    if !bytes.get(1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
        return None;
    }
    let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let end = 1 + bytes[1..].iter().position(|byte| !is_inside(byte))?;
    (bytes[end] == b':').then(|| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> Tables {
        let fixed = [("$root:", "/dav/"), ("$home1:", "$root:u1"), ("$a-b_c:", "x")];
        let fixed = fixed.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let mut tables = Tables::new(NaiveDate::from_ymd_opt(2025, 1, 31).unwrap(), fixed.into());
        tables.grab("$etag:", "\"7\"");
        tables
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(tables().both_passes(text), expected);
    }

    #[test]
    fn variables_are_replaced_until_nothing_changes() {
        check("$home1:/c$a-b_c:", "/dav/u1/cx");
        check("Etag$$etag:", "Etag$\"7\"");
        check("$unknown: and $5: and $", "$unknown: and $5: and $");
    }

    #[test]
    fn dates_count_from_today() {
        check("$now.0: $now.1: $now.-31: $now.week.1:", "20250131 20250201 20241231 20250207");
        check("$now.month.-1:15 $now.month.12: $now.year.-1: $now.x.1:", "20241215 202601 2024 $now.x.1:");
    }

    #[test]
    fn a_random_uid_is_the_same_throughout_a_text() {
        let text = tables().fixed_pass("$uidrandom:/$uidrandom:");
        let (one, other) = text.split_once('/').unwrap();
        assert_eq!((one, one.len()), (other, 36));
        assert_ne!(text, tables().fixed_pass("$uidrandom:/$uidrandom:"));
    }

    #[test]
    fn grabbed_values_can_be_cut_to_their_name_or_path() {
        let mut tables = tables();
        tables.grab("basename($b:)", "/dav/u1/calendar/");
        tables.grab("urlpath($p:)", "https://host:1/a/b?c");
        assert_eq!(tables.run_pass("$b: $p:"), "calendar /a/b");
    }

    #[test]
    fn a_variable_that_names_itself_ends() {
        assert!(replace("$a:", |_| Some("$a:$a:").filter(|_| false)).contains("$a:"));
        let fixed = BTreeMap::from([("$a:".to_owned(), "$a:".to_owned())]);
        assert_eq!(Tables::new(NaiveDate::MIN, fixed).fixed_pass("$a:"), "$a:");
    }
}
