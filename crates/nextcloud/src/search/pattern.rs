//! The patterns of `DAV:like` (RFC 5323 §5.15): `%` is any text, `_` one character, `\` takes the next one at its word. As
//! in Nextcloud, case does not matter.

/// A pattern, taken apart once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// What stands between the `%`; `None` in it is a `_`. Never empty.
    runs: Vec<Vec<Option<char>>>,
}

impl Pattern {
    pub(super) fn of(text: &str) -> Pattern {
        let mut runs = vec![Vec::new()];
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let meant = match character {
                '%' => {
                    runs.push(Vec::new());
                    continue;
                }
                '_' => None,
                '\\' => Some(characters.next().unwrap_or('\\')),
                other => Some(other),
            };
            if let Some(run) = runs.last_mut() {
                match meant {
                    // A character may be several in lower case.
                    Some(character) => run.extend(character.to_lowercase().map(Some)),
                    None => run.push(None),
                }
            }
        }
        Pattern { runs }
    }

    /// Whether the whole of `text` is like this.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
        let Some(((first, rest), mut left)) = self.runs.split_first().zip(Some(text.as_slice())) else { return false };
        let Some((last, middle)) = rest.split_last() else {
            return first.len() == left.len() && fits(first, left);
        };
        if left.len() < first.len() || !fits(first, left) {
            return false;
        }
        left = &left[first.len()..];
        for run in middle {
            // The first place is as good as any: what follows may be anywhere behind it.
            match (0..=left.len().saturating_sub(run.len()))
                .find(|place| left.len() >= place + run.len() && fits(run, &left[*place..]))
            {
                Some(place) => left = &left[place + run.len()..],
                None => return false,
            }
        }
        left.len() >= last.len() && fits(last, &left[left.len() - last.len()..])
    }
}

/// Whether `text`, which is long enough, begins with `run`.
fn fits(run: &[Option<char>], text: &[char]) -> bool {
    run.iter().zip(text).all(|(wanted, found)| wanted.is_none_or(|wanted| wanted == *found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(Pattern::of(pattern).matches(text), expected, "{pattern} {text}");
    }

    #[test]
    fn wildcards_case_and_escapes() {
        check("image/%", "image/png", true);
        check("image/%", "video/png", false);
        check("%read%", "README.md", true);
        check("%read%", "red.md", false);
        check("%É%", "été.txt", true);
        check("a_c", "abc", true);
        check("a_c", "ac", false);
        check("%.t_t", "a.txt", true);
        check("100\\%", "100%", true);
        check("100\\%", "100 000", false);
        check("a\\_b%", "a_b.txt", true);
        check("a\\_b%", "axb.txt", false);
        check("\\", "\\", true);
        check("%", "", true);
        check("", "", true);
        check("", "a", false);
        check("%%", "x", true);
        check("%ab%ab%", "abab", true);
        check("%ab%ab%", "aba", false);
        check("a%a", "a", false);
        check("%İ%", "İstanbul", true);
    }
}
