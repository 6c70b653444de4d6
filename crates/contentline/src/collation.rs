//! Text matches: collations (RFC 4790, RFC 5051) and how a text may match (RFC 4791 §9.7.5, RFC 6352 §10.5.4).

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// How two texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collation {
    /// `i;ascii-casemap`: letter case of ASCII does not matter.
    AsciiCasemap,
    /// `i;octet`: octet by octet.
    Octet,
    /// `i;unicode-casemap`: letter case does not matter, nor how characters are composed.
    UnicodeCasemap,
}

impl Collation {
    /// The collation of that name.
    pub fn of(name: &str) -> Option<Collation> {
        match name {
            "i;ascii-casemap" => Some(Collation::AsciiCasemap),
            "i;octet" => Some(Collation::Octet),
            "i;unicode-casemap" => Some(Collation::UnicodeCasemap),
            _ => None,
        }
    }

    /// Their names.
    pub const NAMES: [&'static str; 3] = ["i;ascii-casemap", "i;octet", "i;unicode-casemap"];

    fn key(self, text: &str) -> Cow<'_, str> {
        match self {
            Collation::Octet => Cow::Borrowed(text),
            Collation::AsciiCasemap => Cow::Owned(text.to_ascii_lowercase()),
            Collation::UnicodeCasemap if text.is_ascii() => Cow::Owned(text.to_ascii_lowercase()),
            Collation::UnicodeCasemap => Cow::Owned(text.to_lowercase().nfkd().collect()),
        }
    }
}

/// Which part of a text has to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchType {
    /// Any part.
    Contains,
    /// All of it.
    Equals,
    /// Its beginning.
    StartsWith,
    /// Its end.
    EndsWith,
}

impl MatchType {
    /// The match type of that name.
    pub fn of(name: &str) -> Option<MatchType> {
        match name {
            "contains" => Some(MatchType::Contains),
            "equals" => Some(MatchType::Equals),
            "starts-with" => Some(MatchType::StartsWith),
            "ends-with" => Some(MatchType::EndsWith),
            _ => None,
        }
    }
}

/// A text to look for.
#[derive(Clone, Debug)]
pub struct TextMatch {
    wanted: String,
    collation: Collation,
    match_type: MatchType,
    is_negated: bool,
}

/// Which attribute of a `text-match` is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotUnderstood {
    /// `collation`.
    Collation,
    /// `match-type`.
    MatchType,
}

impl TextMatch {
    /// What a `text-match` element says: its text and the attributes `collation` and `match-type`; without a collation,
    /// `absent` is meant (RFC 4791 §7.5 and RFC 6352 §8.3 differ).
    ///
    /// # Errors
    /// The attribute whose value is not known here.
    pub fn of_attributes(
        wanted: &str,
        collation: Option<&str>,
        absent: Collation,
        match_type: Option<&str>,
        is_negated: bool,
    ) -> Result<TextMatch, NotUnderstood> {
        let collation = match collation {
            None | Some("default") => absent,
            Some(name) => Collation::of(name).ok_or(NotUnderstood::Collation)?,
        };
        let match_type = match match_type {
            None => MatchType::Contains,
            Some(name) => MatchType::of(name).ok_or(NotUnderstood::MatchType)?,
        };
        Ok(TextMatch::new(wanted, collation, match_type, is_negated))
    }

    /// Looks for `wanted`, or, negated, for texts without it.
    pub fn new(wanted: &str, collation: Collation, match_type: MatchType, is_negated: bool) -> TextMatch {
        TextMatch { wanted: collation.key(wanted).into_owned(), collation, match_type, is_negated }
    }

    /// Whether the negation of the match is what is asked for.
    pub fn is_negated(&self) -> bool {
        self.is_negated
    }

    /// Whether `text` matches, negation left aside.
    pub fn finds(&self, text: &str) -> bool {
        let text = self.collation.key(text);
        match self.match_type {
            MatchType::Contains => text.contains(&self.wanted),
            MatchType::Equals => *text == self.wanted,
            MatchType::StartsWith => text.starts_with(&self.wanted),
            MatchType::EndsWith => text.ends_with(&self.wanted),
        }
    }

    /// Whether one of `texts` matches, or, negated, none does.
    pub fn holds<'t>(&self, texts: impl IntoIterator<Item = Cow<'t, str>>) -> bool {
        texts.into_iter().any(|text| self.finds(&text)) != self.is_negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(collation: &str, match_type: &str, wanted: &str, text: &str, expected: bool) {
        let collation = Collation::of(collation).expect("a collation");
        let found = TextMatch::new(wanted, collation, MatchType::of(match_type).expect("a match type"), false);
        assert_eq!(found.finds(text), expected, "{wanted} in {text}");
        let negated = TextMatch { is_negated: true, ..found };
        assert_eq!(negated.holds([Cow::Borrowed(text)]), !expected);
    }

    #[test]
    fn collations_differ_in_letter_case() {
        check("i;ascii-casemap", "contains", "ONE", "someone", true);
        check("i;ascii-casemap", "contains", "É", "é", false);
        check("i;octet", "contains", "ONE", "someone", false);
        check("i;unicode-casemap", "contains", "É", "caf\u{e9}", true);
        check("i;unicode-casemap", "equals", "cafe\u{301}", "Caf\u{e9}", true);
        check("i;unicode-casemap", "starts-with", "ca", "CAFE", true);
        check("i;octet", "ends-with", "fe", "cafe", true);
        check("i;octet", "equals", "caf", "cafe", false);
        assert_eq!(Collation::of("i;basic"), None);
    }
}
