//! The card of an account, for a book of a space's members. vCard 3.0 (RFC 2426), which every client reads.

use nichoir_contentline::{escape, fold};
use nichoir_store::Account;

/// A card with the name and the mail address of an account; its UID is the login, as with Nextcloud.
pub fn card_of_account(account: &Account) -> String {
    let shown = match account.display_name.trim() {
        "" => &account.login,
        name => name,
    };
    let mut lines = vec![
        "BEGIN:VCARD".to_owned(),
        "VERSION:3.0".to_owned(),
        format!("UID:{}", escape(&account.login)),
        format!("FN:{}", escape(shown)),
        format!("N:{}", structured(shown)),
    ];
    lines.extend(account.email.iter().map(|email| format!("EMAIL;TYPE=INTERNET:{}", escape(email))));
    lines.push("END:VCARD".to_owned());
    let mut card = Vec::new();
    lines.iter().for_each(|line| fold(line, &mut card));
    String::from_utf8_lossy(&card).into_owned()
}

/// Family name, given names: nobody told them apart, and mostly the last word is the family's.
fn structured(name: &str) -> String {
    let (given, family) = name.rsplit_once(char::is_whitespace).unwrap_or(("", name));
    format!("{};{};;;", escape(family), escape(given.trim_end()))
}

#[cfg(test)]
mod tests {
    use nichoir_store::{AccountId, FileId, Role, Timestamp};

    use super::*;
    use crate::object::{AddressObject, Limits};

    #[track_caller]
    fn check(display_name: &str, email: Option<&str>, expected: &str) {
        let account = Account {
            id: AccountId(1),
            login: "anna".to_owned(),
            display_name: display_name.to_owned(),
            email: email.map(str::to_owned),
            role: Role::Member,
            password_hash: None,
            is_enabled: true,
            language: None,
            locale: None,
            quota_bytes: None,
            departed: None,
            home: FileId(1),
            trash: FileId(2),
            created: Timestamp::from_seconds(0),
            last_seen: None,
        };
        let card = card_of_account(&account);
        let object = AddressObject::check(card.as_bytes(), &Limits::default()).expect("a card that may be stored");
        let lines: Vec<&str> = object.card.lines.iter().skip(2).map(|line| line.text()).collect();
        assert_eq!(lines.join("|"), expected);
    }

    #[test]
    fn a_card_has_names_and_the_mail_address() {
        check("Anna Maria M\u{fc}ller", None, "FN:Anna Maria M\u{fc}ller|N:M\u{fc}ller;Anna Maria;;;");
        check("Anna", Some("a@b.example"), "FN:Anna|N:Anna;;;;|EMAIL;TYPE=INTERNET:a@b.example");
        check(" ", None, "FN:anna|N:anna;;;;");
        check("Doe, J;r", None, "FN:Doe\\, J\\;r|N:J\\;r;Doe\\,;;;");
        let long = "n".repeat(200);
        check(&long, None, &format!("FN:{long}|N:{long};;;;"));
    }
}
