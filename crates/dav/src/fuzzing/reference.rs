//! What the parsers are compared with: the grammars again, as plainly as they can be put, however slow.

use nichoir_store::conditions::{IfCondition, IfState};
use percent_encoding::percent_decode_str;
use unicode_normalization::UnicodeNormalization as _;

/// A list of an `If` header with its tag.
pub(super) type List = (Option<String>, Vec<IfCondition>);

/// A sign of an `If` header.
enum Sign {
    Angle(String),
    Open,
    Close,
    Not,
    Etag(IfState),
}

/// RFC 4918 §10.4.2, sign by sign; entity tags may lack their quotes, and blanks may stand between any two signs. `None`: not one.
pub(super) fn if_lists(text: &str) -> Option<Vec<List>> {
    let signs = signs(text)?;
    let is_tagged = matches!(signs.first()?, Sign::Angle(_));
    let mut lists: Vec<List> = Vec::new();
    let mut tag: Option<String> = None;
    let mut open: Option<Vec<IfCondition>> = None;
    let (mut is_negated, mut lists_of_tag, mut conditions) = (false, 0, 0);
    for sign in signs {
        let Some(list) = &mut open else {
            match sign {
                Sign::Angle(text) if is_tagged && (tag.is_none() || lists_of_tag > 0) => {
                    (tag, lists_of_tag) = (Some(text), 0);
                }
                Sign::Open => (open, lists_of_tag) = (Some(Vec::new()), lists_of_tag + 1),
                _ => return None,
            }
            continue;
        };
        let state = match sign {
            Sign::Not if !is_negated => {
                is_negated = true;
                continue;
            }
            Sign::Close if !is_negated && !list.is_empty() => {
                lists.push((tag.clone(), open.take()?));
                continue;
            }
            Sign::Angle(token) => IfState::Token(token),
            Sign::Etag(state) => state,
            _ => return None,
        };
        list.push(IfCondition { is_negated: std::mem::take(&mut is_negated), state });
        conditions += 1;
    }
    let is_whole = open.is_none() && !lists.is_empty() && lists_of_tag > 0 && conditions <= 200;
    is_whole.then_some(lists)
}

fn signs(text: &str) -> Option<Vec<Sign>> {
    let mut signs = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Some(signs) };
        let (sign, after) = match first {
            '(' => (Sign::Open, &rest[1..]),
            ')' => (Sign::Close, &rest[1..]),
            '<' => {
                let end = rest.find('>')?;
                (Sign::Angle(rest[1..end].to_owned()), &rest[end + 1..])
            }
            '[' => {
                let (state, after) = etag(rest[1..].trim_start())?;
                (Sign::Etag(state), after.trim_start().strip_prefix(']')?)
            }
            _ => {
                let is_not = rest.len() > 3 && rest.is_char_boundary(3) && rest[..3].eq_ignore_ascii_case("not");
                let after = is_not.then(|| &rest[3..])?;
                let next = after.chars().next()?;
                (next == '<' || next == '[' || next.is_ascii_whitespace()).then_some((Sign::Not, after))?
            }
        };
        signs.push(sign);
        rest = after;
    }
}

fn etag(text: &str) -> Option<(IfState, &str)> {
    let (is_weak, text) = text.strip_prefix("W/").map_or((false, text), |text| (true, text));
    if let Some(inside) = text.strip_prefix('"') {
        let end = inside.find('"')?;
        let state = if is_weak { IfState::WeakEtag } else { IfState::Etag(inside[..end].to_owned()) };
        return Some((state, &inside[end + 1..]));
    }
    let bare: String = text.chars().take_while(|c| !matches!(c, ',' | ' ' | '\t' | ']' | '"')).collect();
    (!is_weak && !bare.is_empty()).then(|| (IfState::Etag(bare.clone()), &text[bare.len()..]))
}

/// RFC 3986 §2.1, and the names that a node may have. `None`: refused.
pub(super) fn names(path: &str) -> Option<Vec<String>> {
    if !path.is_empty() && !path.starts_with('/') {
        return None;
    }
    let names: Option<Vec<String>> = path.split('/').filter(|part| !part.is_empty()).map(name).collect();
    names.filter(|names| names.len() <= 256)
}

fn name(part: &str) -> Option<String> {
    let escapes: Vec<&[u8]> = part.as_bytes().split(|byte| *byte == b'%').skip(1).collect();
    let is_escape = |digits: &&[u8]| digits.len() >= 2 && digits[..2].iter().all(u8::is_ascii_hexdigit);
    if !escapes.iter().all(is_escape) {
        return None;
    }
    let decoded = percent_decode_str(part).decode_utf8().ok()?;
    let name: String = decoded.nfc().collect();
    let is_bad = |c: char| c == '/' || c.is_control();
    let is_good = !["", ".", ".."].contains(&name.as_str()) && name.len() <= 255 && !name.chars().any(is_bad);
    is_good.then_some(name)
}
