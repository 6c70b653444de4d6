//! Mentions in what a member writes: `@login`, or `@"login"` where a login would not end by itself. Pure.

/// Characters that may stand in a mention without quotation marks beside letters and digits.
const BARE: &str = "_.@-'";
/// Characters that end a sentence rather than belong to a login.
const TRAILING: [char; 3] = ['.', '-', '\''];

/// A mention: who, and where in the text it stands with its `@`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention<'t> {
    /// What stands behind the `@`, without quotation marks. Whether there is such a login is for others to know.
    pub login: &'t str,
    /// The bytes of the text that it takes.
    pub place: std::ops::Range<usize>,
}

/// The mentions in `text` from left to right: each begins a word.
pub fn mentions(text: &str) -> Vec<Mention<'_>> {
    let mut found: Vec<Mention<'_>> = Vec::new();
    for (start, _) in text.match_indices('@') {
        let begins = text[..start].chars().next_back().is_none_or(|before| !before.is_alphanumeric());
        let is_inside = found.last().is_some_and(|last| start < last.place.end);
        if !begins || is_inside {
            continue;
        }
        let behind = &text[start + 1..];
        let (login, length) = match behind.strip_prefix('"') {
            Some(quoted) => match quoted.split_once('"') {
                Some((login, _)) => (login, login.len() + 2),
                None => continue,
            },
            None => {
                let end = behind.find(|c: char| !c.is_alphanumeric() && !BARE.contains(c)).unwrap_or(behind.len());
                let login = behind[..end].trim_end_matches(TRAILING);
                (login, login.len())
            }
        };
        if !login.is_empty() {
            found.push(Mention { login, place: start..start + 1 + length });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::mentions;

    fn check(text: &str, expected: &[&str]) {
        let found = mentions(text);
        assert_eq!(found.iter().map(|it| it.login).collect::<Vec<_>>(), expected, "{text}");
        for mention in found {
            let written = &text[mention.place];
            assert!(
                written == format!("@{}", mention.login) || written == format!("@\"{}\"", mention.login),
                "{written}"
            );
        }
    }

    #[test]
    fn mentions_begin_a_word() {
        check("hi @bob, and @\"anna maria\": see a@b.org @. @", &["bob", "anna maria"]);
        check("@anna@asso.org.", &["anna@asso.org"]);
        check("@\"open", &[]);
        check("(@bob) «@zoé»", &["bob", "zoé"]);
        check("@\"a@b.org\" @bob", &["a@b.org", "bob"]);
        check("@@bob", &["@bob"]);
        check("", &[]);
    }
}
