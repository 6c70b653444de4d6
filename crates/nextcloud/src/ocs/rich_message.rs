//! What a member wrote as a rich text: whom it mentions stands in it by name. Sheet `nextcloud-ocs` sections 6 and 7.

use std::collections::HashMap;

use nichoir_store::{Account, AccountId, mentions};
use serde_json::{Map, Value, json};

use super::notifications::rich_person;

/// A message in its three forms.
pub(super) struct RichMessage {
    /// As it is read without knowing of rich texts.
    pub(super) plain: String,
    /// With places for those who are mentioned.
    pub(super) template: String,
    /// Who stands in the places; an empty list where there are none.
    pub(super) parameters: Value,
}

/// The accounts of a space by login, to find who is mentioned.
#[derive(Default)]
pub(super) struct Logins<'a>(HashMap<String, &'a Account>);

impl<'a> Logins<'a> {
    pub(super) fn of(people: &'a HashMap<AccountId, Account>) -> Logins<'a> {
        Logins(people.values().map(|account| (account.login.to_lowercase(), account)).collect())
    }

    /// The message with those whom it mentions; a mention of nobody stays as it was written.
    pub(super) fn rich(&self, message: &str) -> RichMessage {
        let (mut plain, mut template) = (String::new(), String::new());
        let mut parameters = Map::new();
        let mut named: Vec<AccountId> = Vec::new();
        let mut done = 0;
        for mention in mentions(message) {
            let Some(account) = self.0.get(&mention.login.to_lowercase()) else { continue };
            let between = &message[done..mention.place.start];
            done = mention.place.end;
            let number = named.iter().position(|known| *known == account.id).unwrap_or_else(|| {
                named.push(account.id);
                named.len() - 1
            });
            let place = format!("mention-user{}", number + 1);
            plain.push_str(&format!("{between}@{}", account.display_name));
            template.push_str(&format!("{between}{{{place}}}"));
            parameters.insert(place, rich_person(account));
        }
        plain.push_str(&message[done..]);
        template.push_str(&message[done..]);
        let parameters = if parameters.is_empty() { json!([]) } else { Value::Object(parameters) };
        RichMessage { plain, template, parameters }
    }
}
