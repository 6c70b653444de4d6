//! Text values: escapes and lists (RFC 5545 §3.3.11, RFC 6350 §3.4), and folding on the way out.

use std::borrow::Cow;

use crate::line::Line;

/// Octets of a line before it is folded (RFC 5545 §3.1).
const LINE_BYTES: usize = 75;

/// The text that an escaped value stands for.
pub fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(escaped) => out.push(escaped),
                None => out.push('\\'),
            },
            plain => out.push(plain),
        }
    }
    Cow::Owned(out)
}

/// `text` as a value.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => {}
            '\\' | ';' | ',' => out.extend(['\\', character]),
            plain => out.push(plain),
        }
    }
    out
}

/// The parts of a list, still escaped.
pub fn split_list(value: &str) -> Vec<&str> {
    split(value, b',')
}

/// The components of a structured value such as `N`, still escaped.
pub fn split_structured(value: &str) -> Vec<&str> {
    split(value, b';')
}

fn split(value: &str, separator: u8) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut is_escaped) = (0, false);
    for (place, byte) in value.bytes().enumerate() {
        if is_escaped {
            is_escaped = false;
        } else if byte == b'\\' {
            is_escaped = true;
        } else if byte == separator {
            parts.push(&value[start..place]);
            start = place + 1;
        }
    }
    parts.push(&value[start..]);
    parts
}

/// What text is looked for in: each value of a property whose name is among `lists`, else the value as a whole.
pub fn texts<'l>(line: &'l Line<'_>, lists: &[&str]) -> Vec<Cow<'l, str>> {
    match lists.iter().any(|name| line.is(name)) {
        true => split_list(line.value()).into_iter().map(unescape).collect(),
        false => vec![unescape(line.value())],
    }
}

/// A document as text. Folds may cut a character (RFC 5545 §3.1), which no text can hold: these are taken out, and
/// nothing else changes.
pub fn as_text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut joined: Vec<u8> = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        // A byte that goes on with a character, behind a fold.
        if byte & 0xc0 == 0x80
            && let [before @ .., b'\n', b' ' | b'\t'] = &joined[..]
        {
            let length = before.strip_suffix(b"\r").unwrap_or(before).len();
            joined.truncate(length);
        }
        joined.push(byte);
    }
    Cow::Owned(String::from_utf8_lossy(&joined).into_owned())
}

/// Appends a line, folded between characters, with its line end.
pub fn fold(line: &str, out: &mut Vec<u8>) {
    let mut room = LINE_BYTES;
    for character in line.chars() {
        let length = character.len_utf8();
        if length > room {
            out.extend_from_slice(b"\r\n ");
            room = LINE_BYTES - 1;
        }
        room -= length;
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_out_and_comes_back() {
        assert_eq!(unescape(r"a\, b\; c\\n\nd\"), "a, b; c\\n\nd\\");
        assert_eq!(unescape(&escape("a,b;c\\\nd")), "a,b;c\\\nd");
        assert_eq!(split_list(r"a\,b,c,"), [r"a\,b", "c", ""]);
    }

    #[test]
    fn folds_that_cut_a_character_are_taken_out_of_a_text() {
        assert_eq!(as_text(b"N:\xc3\r\n \xa9\r\n b\n\xe2\x82\n\t\xac"), "N:\u{e9}\r\n b\n\u{20ac}");
        assert_eq!(as_text("N:\u{e9}\r\n b".as_bytes()), "N:\u{e9}\r\n b");
        assert_eq!(as_text(b"N:\xff"), "N:\u{fffd}");
    }

    #[test]
    fn long_lines_are_folded_between_characters() {
        let mut out = Vec::new();
        fold(&"é".repeat(60), &mut out);
        let text = String::from_utf8(out).expect("whole characters");
        assert!(text.split("\r\n").all(|line| line.len() <= 75));
        assert_eq!(text.replace("\r\n ", ""), format!("{}\r\n", "é".repeat(60)));
    }
}
