//! One field of an account, edited: by herself, or by whoever manages the space. Sheet `nextcloud-ocs`, section 3.3.

use nichoir_auth::AuthError;
use nichoir_store::{Account, AccountUpdate, Error as StoreError};
use serde_json::json;

use super::envelope::Outcome;
use super::user::is_admin;
use super::users::failed;
use super::{Answer, Call};

/// The longest name to show, in characters.
const DISPLAY_NAME_CHARS_MAX: usize = 64;
/// The longest mail address, in bytes (RFC 5321 §4.5.3.1.3).
const EMAIL_BYTES_MAX: usize = 254;

/// What is to be edited.
pub(super) struct Edit<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

/// Carries it out.
pub(super) async fn apply(call: &Call<'_>, account: &Account, edit: Edit<'_>) -> Answer {
    let mut update = AccountUpdate::default();
    match edit.key {
        "quota" if !is_admin(&call.caller.account) => return Err(failed(113, "")),
        "password" => {
            // Who found a member's phone has an app password, and is not to have the account.
            if call.caller.device.is_some() {
                return Err(Outcome::forbidden("Password confirmation is required"));
            }
            update.password_hash = Some(Some(hash(call, edit.value, &account.login).await?));
        }
        key => read(key, edit.value, &mut update)?,
    }
    match call.visit.space.update_account(account.id, update).await {
        Ok(_) => Ok(json!([]).into()),
        Err(StoreError::Exists) => Err(failed(101, "The mail address is in use")),
        Err(error) => Err(error.into()),
    }
}

/// Reads a field other than the password into `update`.
pub(super) fn read(key: &str, value: &str, update: &mut AccountUpdate) -> Result<(), Outcome> {
    match key {
        "displayname" | "display" => update.display_name = Some(display_name_of(value)?),
        "email" => update.email = Some(email_of(value)?),
        "language" => update.language = Some(code_of(value)?),
        "locale" => update.locale = Some(code_of(value)?),
        "quota" => update.quota_bytes = Some(quota_of(value)?),
        _ => return Err(failed(113, "")),
    }
    Ok(())
}

/// The hash of a new password, if it is good enough.
pub(super) async fn hash(call: &Call<'_>, password: &str, login: &str) -> Result<String, Outcome> {
    let policy = call.visit.auth.limits().password_policy();
    policy.check(password, login).map_err(|weakness| failed(107, &weakness.to_string()))?;
    let hashed = call.visit.auth.hash(call.visit.space, password.to_owned()).await;
    hashed.map_err(|error: AuthError| crate::auth_error(error).into())
}

fn display_name_of(value: &str) -> Result<String, Outcome> {
    let name = value.trim();
    match name.is_empty() || name.chars().count() > DISPLAY_NAME_CHARS_MAX || name.chars().any(char::is_control) {
        true => Err(failed(101, "Invalid displayname")),
        false => Ok(name.to_owned()),
    }
}

/// A mail address; empty for none.
pub(super) fn email_of(value: &str) -> Result<Option<String>, Outcome> {
    let email = value.trim();
    if email.is_empty() {
        return Ok(None);
    }
    let is_plain = |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_control() || c.is_whitespace());
    let is_address = email.rsplit_once('@').is_some_and(|(local, domain)| is_plain(local) && is_plain(domain));
    match is_address && email.len() <= EMAIL_BYTES_MAX {
        true => Ok(Some(email.to_owned())),
        false => Err(failed(101, "Invalid email")),
    }
}

/// A language or locale, such as `fr` or `pt_BR`; empty for none.
pub(super) fn code_of(value: &str) -> Result<Option<String>, Outcome> {
    if value.is_empty() {
        return Ok(None);
    }
    let mut parts = value.split(['_', '-', '@']);
    let is_language = parts.next().is_some_and(|part| (2..=3).contains(&part.len()));
    let is_code = |part: &str| (2..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
    match is_language && value.len() <= 24 && value.split(['_', '-', '@']).all(is_code) {
        true => Ok(Some(value.to_owned())),
        false => Err(failed(101, "Invalid language")),
    }
}

/// `5 GB`, `10737418240`; `none` and `default` are as much as there is. Units are powers of 1024, as in Nextcloud.
fn quota_of(value: &str) -> Result<Option<u64>, Outcome> {
    let invalid = || failed(101, &format!("Invalid quota value: {value}"));
    let text = value.trim().to_ascii_lowercase().replace(',', ".");
    if ["none", "default", "-3", "-2", ""].contains(&text.as_str()) {
        return Ok(None);
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor: f64 = match unit.trim() {
        "" | "b" => 1.0,
        "k" | "kb" => 1024.0,
        "m" | "mb" => 1024.0 * 1024.0,
        "g" | "gb" => 1024.0 * 1024.0 * 1024.0,
        "t" | "tb" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(invalid()),
    };
    let bytes = number.parse::<f64>().map_err(|_| invalid())? * factor;
    match bytes.is_finite() && bytes < 9.0e18 {
        true => Ok(Some(bytes as u64)),
        false => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Option<u64>>) {
        assert_eq!(quota_of(text).ok(), expected, "{text}");
    }

    #[test]
    fn quotas_are_read_as_nextcloud_reads_them() {
        check("5 GB", Some(Some(5 * 1024 * 1024 * 1024)));
        check("1.5 mb", Some(Some(1_572_864)));
        check("10737418240", Some(Some(10_737_418_240)));
        check("0", Some(Some(0)));
        check("none", Some(None));
        check("default", Some(None));
        check("-3", Some(None));
        check("-1", None);
        check("5 XB", None);
        check("lots", None);
        check("1e30", None);
        check("99999999999 TB", None);
        check(".", None);
    }

    #[test]
    fn addresses_and_languages_are_looked_at() {
        assert_eq!(email_of(" a@b.org ").unwrap().as_deref(), Some("a@b.org"));
        assert_eq!(email_of("").unwrap(), None);
        for bad in ["a", "@b", "a@", "a b@c", "a@b\r\nBcc: x@y"] {
            assert!(email_of(bad).is_err(), "{bad}");
        }
        for good in ["fr", "pt_BR", "de-DE", "zh_Hant_TW", "sr@latin", ""] {
            assert!(code_of(good).is_ok(), "{good}");
        }
        for bad in ["f", "french", "../x", "fr_", "fr FR", "<b>"] {
            assert!(code_of(bad).is_err(), "{bad}");
        }
    }
}
