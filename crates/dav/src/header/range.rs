//! Range. RFC 9110 §14.

use std::ops::Range;

use http::HeaderMap;
use http::header::RANGE;

use super::single;

/// What of the content is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of it: no header, a unit or form that is not understood, or too many ranges.
    Whole,
    /// These parts, none empty, in the client's order.
    Parts(Vec<Range<u64>>),
    /// Nothing that there is (416).
    Nothing,
}

/// The parts of a content of `size` bytes that the header asks for; more than `ranges_max`, or ranges that add up to more
/// than the content, are abuse and get the whole.
pub fn of(headers: &HeaderMap, size: u64, ranges_max: usize) -> Wanted {
    match single(headers, &RANGE) {
        Ok(Some(text)) => parse(text, size, ranges_max).unwrap_or(Wanted::Whole),
        Ok(None) | Err(_) => Wanted::Whole,
    }
}

/// `None`: not a byte range set, to be ignored.
fn parse(text: &str, size: u64, ranges_max: usize) -> Option<Wanted> {
    let (unit, set) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let mut parts = Vec::new();
    let mut total = 0u64;
    let specs: Vec<&str> = set.split(',').map(str::trim).filter(|spec| !spec.is_empty()).take(ranges_max + 1).collect();
    if specs.is_empty() || specs.len() > ranges_max {
        return None;
    }
    for spec in &specs {
        if let Some(part) = part(spec, size)? {
            total = total.saturating_add(part.end - part.start);
            parts.push(part);
        }
    }
    if parts.is_empty() {
        return Some(Wanted::Nothing);
    }
    (parts.len() == 1 || total <= size).then_some(Wanted::Parts(parts))
}

/// `None`: malformed. `Some(None)`: well-formed, but outside of the content.
fn part(spec: &str, size: u64) -> Option<Option<Range<u64>>> {
    let (first, last) = spec.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        let suffix = number(last)?.min(size);
        return Some((suffix > 0).then(|| size - suffix..size));
    }
    let first = number(first)?;
    let end = if last.is_empty() { size } else { number(last)?.saturating_add(1) };
    if !last.is_empty() && end <= first {
        return None;
    }
    Some((first < size).then(|| first..end.min(size)))
}

/// A number of any length: beyond what fits it is as large as can be.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::tests::headers;

    #[track_caller]
    fn check(range: &str, size: u64, expected: &str) {
        let found = match of(&headers(&format!("Range: {range}")), size, 4) {
            Wanted::Whole => "whole".to_owned(),
            Wanted::Nothing => "nothing".to_owned(),
            Wanted::Parts(parts) => {
                parts.iter().map(|part| format!("{}..{}", part.start, part.end)).collect::<Vec<_>>().join(" ")
            }
        };
        assert_eq!(found, expected, "{range} of {size}");
    }

    #[test]
    fn ranges_of_all_forms() {
        check("bytes=0-0", 10, "0..1");
        check("bytes=2-", 10, "2..10");
        check("bytes=-3", 10, "7..10");
        check("bytes=-30", 10, "0..10");
        check("bytes=5-99", 10, "5..10");
        check("BYTES = 1 - 2", 10, "1..3");
        check("bytes=0-1,5-6", 10, "0..2 5..7");
        check("bytes=10-", 10, "nothing");
        check("bytes=0-", 0, "nothing");
        check("bytes=-0", 10, "nothing");
        check("bytes=0-1,99-", 10, "0..2");
        check("bytes=3-2", 10, "whole");
        check("bytes=a-b", 10, "whole");
        check("lines=0-1", 10, "whole");
        check("bytes=", 10, "whole");
        check("bytes=0-99999999999999999999999", 10, "0..10");
        check("bytes=99999999999999999999999-", 10, "nothing");
    }

    #[test]
    fn too_many_or_overlapping_ranges_get_the_whole() {
        check("bytes=0-0,1-1,2-2,3-3", 10, "0..1 1..2 2..3 3..4");
        check("bytes=0-0,1-1,2-2,3-3,4-4", 10, "whole");
        check("bytes=0-,0-", 10, "whole");
    }
}
