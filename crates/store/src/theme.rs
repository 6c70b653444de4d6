//! What a space looks like: the title, the slogan and the colour that its clients show, and which logo.

use crate::error::Error;

/// The longest title, in characters.
const TITLE_CHARS_MAX: usize = 64;
/// The longest slogan, in characters.
const SLOGAN_CHARS_MAX: usize = 200;

/// What a space looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// What clients call it; empty: its name.
    pub title: String,
    /// A line below the title; may be empty.
    pub slogan: String,
    /// Red, green and blue; `None`: the server's own colour.
    pub colour: Option<[u8; 3]>,
    /// The digest of its logo ([`crate::Picture`]); `None`: it has none.
    pub logo: Option<String>,
}

/// What to change of it; `None` leaves as is.
#[derive(Clone, Debug, Default)]
pub struct ThemeUpdate {
    /// The title; empty: none.
    pub title: Option<String>,
    /// The slogan.
    pub slogan: Option<String>,
    /// `#rrggbb`; empty: the server's own colour.
    pub colour: Option<String>,
    /// The digest of the logo; `Some(None)`: none any more.
    pub logo: Option<Option<String>>,
}

impl ThemeUpdate {
    /// Whether all of it can be shown.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let is_line = |text: &str, max| text.chars().count() <= max && !text.chars().any(char::is_control);
        if let Some(title) = &self.title {
            if !is_line(title, TITLE_CHARS_MAX) {
                return Err(Error::BadName(format!("a title is one line of at most {TITLE_CHARS_MAX} characters")));
            }
            // The iOS app takes such a server for ownCloud, and refuses it.
            if title.to_lowercase().contains("owncloud") {
                return Err(Error::BadName("with \"owncloud\" in its title, the iOS app would refuse it".to_owned()));
            }
        }
        if self.slogan.as_ref().is_some_and(|slogan| !is_line(slogan, SLOGAN_CHARS_MAX)) {
            return Err(Error::BadName(format!("a slogan is one line of at most {SLOGAN_CHARS_MAX} characters")));
        }
        match self.colour.as_deref() {
            None | Some("") => Ok(()),
            Some(colour) if colour_of(colour).is_some() => Ok(()),
            Some(colour) => Err(Error::BadName(format!("{colour:?} is not a colour: #rrggbb"))),
        }
    }
}

/// `#rrggbb`.
pub(crate) fn colour_of(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let part = |place: usize| u8::from_str_radix(&digits[place..place + 2], 16).ok();
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| Some([part(0)?, part(2)?, part(4)?])).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_six_digits_behind_a_hash() {
        assert_eq!(colour_of("#2F6f4f"), Some([0x2f, 0x6f, 0x4f]));
        for bad in ["", "#", "2f6f4f", "#2f6f4", "#2f6f4f0", "#+f6f4f", "#ééé", "red"] {
            assert_eq!(colour_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn titles_and_slogans_are_one_short_line() {
        let title = |text: &str| ThemeUpdate { title: Some(text.to_owned()), ..ThemeUpdate::default() }.check();
        assert!(title("").is_ok() && title(&"é".repeat(64)).is_ok());
        assert!(title(&"é".repeat(65)).is_err() && title("a\nb").is_err() && title("My OwnCloud").is_err());
        let slogan = |text: &str| ThemeUpdate { slogan: Some(text.to_owned()), ..ThemeUpdate::default() }.check();
        assert!(slogan(&"x".repeat(200)).is_ok() && slogan(&"x".repeat(201)).is_err());
    }
}
