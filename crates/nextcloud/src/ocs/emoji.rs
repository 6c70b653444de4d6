//! Whether a text is one emoji, as far as that can be told without the tables of Unicode: one picture, with what may be
//! joined to it. Unicode Technical Standard 51.

/// Code points of one emoji: a family of four with colours of skin has eleven.
const CODE_POINTS_MAX: usize = 16;

const JOINER: char = '\u{200d}';
const VARIATION: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';

/// See the module.
pub(super) fn is_one_emoji(text: &str) -> bool {
    let points: Vec<char> = text.chars().collect();
    if points.is_empty() || points.len() > CODE_POINTS_MAX {
        return false;
    }
    if let [digit, rest @ ..] = &points[..]
        && (digit.is_ascii_digit() || "#*".contains(*digit))
    {
        return rest == [VARIATION, KEYCAP] || rest == [KEYCAP];
    }
    let flags = points.iter().filter(|point| is_flag_letter(**point)).count();
    if flags > 0 {
        return flags == 2 && points.len() == 2;
    }
    let mut pictures = 0;
    let mut is_joined = false;
    for point in points {
        match point {
            JOINER if pictures > 0 => is_joined = true,
            VARIATION | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' if pictures > 0 => {}
            _ if is_picture(point) => {
                pictures += i32::from(!is_joined);
                is_joined = false;
            }
            _ => return false,
        }
    }
    pictures == 1 && !is_joined
}

fn is_flag_letter(point: char) -> bool {
    ('\u{1f1e6}'..='\u{1f1ff}').contains(&point)
}

fn is_picture(point: char) -> bool {
    matches!(point, '©' | '®' | '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}')
        && !point.is_alphanumeric()
        && !matches!(point, '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}' | '\u{3000}'..='\u{3020}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_picture_whatever_it_is_joined_from() {
        for text in ["🏖", "🏝️", "👩‍👩‍👧‍👦", "👍🏽", "🇫🇷", "1️⃣", "#⃣", "☎️", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]
        {
            assert!(is_one_emoji(text), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["", "a", "1", "é", "🏖🏖", "🏖a", "a🏖", "🇫", "🇫🇷🇫", "\u{200d}", "👍\u{200d}", "漢", " ", "\u{1f3fd}x"]
        {
            assert!(!is_one_emoji(text), "{text:?}");
        }
        assert!(!is_one_emoji(&"👩\u{200d}".repeat(20)));
    }
}
