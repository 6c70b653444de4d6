//! Other people of the space, as every member may see them: to mention one, and who it is whom one sees.

use nichoir_store::{Account, Error as StoreError};
use serde_json::{Value, json};

use super::envelope::Outcome;
use super::{Answer, Call};

/// Suggestions in one answer.
const SUGGESTIONS_MAX: usize = 50;

/// `GET core/autocomplete/get`: accounts and groups with the search in their names.
pub(super) async fn suggest(call: &Call<'_>) -> Answer {
    let search = call.params.text("search").unwrap_or_default().trim().to_lowercase();
    let limit = call.params.number("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(10);
    let kinds = call.params.list("shareTypes");
    let wants = |kind: &str| kinds.is_empty() || kinds.iter().any(|it| it == kind);
    let has = |text: &str| text.to_lowercase().contains(&search);
    let mut found: Vec<Value> = Vec::new();
    if wants("0") {
        let accounts = call.visit.space.accounts().await?;
        let is_found = |it: &&Account| {
            let names = has(&it.login) || has(&it.display_name) || it.email.as_deref().is_some_and(has);
            it.is_enabled && it.id != call.caller.account.id && names
        };
        found.extend(accounts.iter().filter(is_found).map(suggestion_of));
    }
    if wants("1") {
        let groups = call.visit.space.groups().await?;
        let groups = groups.iter().filter(|group| has(&group.name) || has(&group.display_name));
        found.extend(groups.map(|group| suggestion(&group.name, &group.display_name, "group", "")));
    }
    found.truncate(limit.min(SUGGESTIONS_MAX));
    Ok(Value::Array(found).into())
}

fn suggestion_of(account: &Account) -> Value {
    suggestion(&account.login, &account.display_name, "user", account.email.as_deref().unwrap_or(&account.login))
}

fn suggestion(id: &str, label: &str, kind: &str, unique: &str) -> Value {
    json!({
        "id": id,
        "label": label,
        "icon": format!("icon-{kind}"),
        "source": format!("{kind}s"),
        "status": "",
        "subline": "",
        "shareWithDisplayNameUnique": unique,
    })
}

/// `GET hovercard/v1/{id}`.
pub(super) async fn hovercard(call: &Call<'_>, login: &str) -> Answer {
    let account = match call.visit.space.account_by_login(login).await {
        Ok(account) if account.is_enabled && account.login.eq_ignore_ascii_case(login) => account,
        Ok(_) | Err(StoreError::NotFound) => return Err(Outcome::not_found("User does not exist")),
        Err(error) => return Err(error.into()),
    };
    Ok(json!({ "userId": account.login, "displayName": account.display_name, "actions": [] }).into())
}
