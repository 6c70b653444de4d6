//! The language that a member reads, and instants as the API writes them.

use http::header::ACCEPT_LANGUAGE;
use nichoir_store::Timestamp;

use super::Call;

/// What messages to members are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    French,
}

impl Language {
    /// The account's own, else what the client asks for first.
    pub(super) fn of(call: &Call<'_>) -> Language {
        let asked = call.request.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language = call.caller.account.language.as_deref().or(asked).unwrap_or("en");
        match language.trim_start().get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("fr") => Language::French,
            _ => Language::English,
        }
    }

    pub(super) fn pick<'t>(self, english: &'t str, french: &'t str) -> &'t str {
        match self {
            Language::English => english,
            Language::French => french,
        }
    }
}

/// ISO 8601 with an offset and without fractions: iOS reads nothing else.
pub(super) fn iso(instant: Timestamp) -> String {
    let date = chrono::DateTime::from_timestamp(instant.seconds(), 0).unwrap_or_default();
    date.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
