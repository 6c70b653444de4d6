//! Notifications: listed, dismissed, and the registration for push by a proxy, of which there is none. Sheet
//! `nextcloud-ocs` section 6.

use std::collections::HashMap;

use http::Method;
use nichoir_store::{Account, AccountId, Notification, NotificationKind};
use serde_json::{Value, json};

use super::language::{Language, iso};
use super::rich_message::Logins;
use super::user_status;
use super::{Answer, Call, Outcome, Reply};

/// Numbers in one question which of them exist.
const ASKED_MAX: usize = 200;

pub(super) async fn route(call: &Call<'_>, parts: &[&str]) -> Answer {
    match (&call.request.method, parts) {
        (&Method::GET, ["notifications"]) => list(call).await,
        (&Method::GET, ["notifications", id]) => one(call, id).await,
        (&Method::DELETE, ["notifications", id]) => dismiss(call, id).await,
        (&Method::DELETE, ["notifications"]) => {
            call.caller.space.dismiss_all(call.caller.account.id).await?;
            Ok(json!([]).into())
        }
        (&Method::POST, ["notifications", "exists"]) => exists(call).await,
        // Said in the way that the apps understand: no push, and no invitation to log in again for it.
        (&Method::POST, ["push"]) => {
            Err(Outcome::not_found("There is no push proxy.").with_data(json!({ "message": "" })))
        }
        // Nothing was registered.
        (&Method::DELETE, ["push"]) => Ok(json!([]).into()),
        _ => Err(Outcome::unknown_route()),
    }
}

async fn list(call: &Call<'_>) -> Answer {
    let caller = call.caller;
    let found = caller.space.notifications(caller.account.id).await?;
    let language = Language::of(call);
    let people = if found.is_empty() { HashMap::new() } else { people(call).await? };
    let shown: Vec<Value> = found.iter().map(|told| object(call, language, told, &people)).collect();
    let ids: Vec<String> = found.iter().map(|told| told.id.to_string()).collect();
    let crc = crc32fast::hash(format!("{language:?} {}", ids.join(" ")).as_bytes());
    let newest = found.first().map_or(0, |told| told.id);
    let status = user_status::current(call).await?;
    // 200 also where there are none: upon 204 clients stop asking.
    let reply = Reply::from(json!(shown)).with_header("etag", &format!("\"{newest:024x}{crc:08x}\""));
    Ok(reply.with_header("x-nextcloud-user-status", &status))
}

async fn one(call: &Call<'_>, id: &str) -> Answer {
    let found = call.caller.space.notifications(call.caller.account.id).await?;
    let told = found.iter().find(|told| told.id.to_string() == id);
    let told = told.ok_or_else(|| Outcome::not_found("").with_data(Value::Null))?;
    Ok(object(call, Language::of(call), told, &people(call).await?).into())
}

async fn dismiss(call: &Call<'_>, id: &str) -> Answer {
    let gone = || Outcome::not_found("").with_data(Value::Null);
    let id = id.parse().map_err(|_| gone())?;
    match call.caller.space.dismiss(call.caller.account.id, id).await? {
        true => Ok(json!([]).into()),
        false => Err(gone()),
    }
}

async fn exists(call: &Call<'_>) -> Answer {
    let asked = call.params.list("ids");
    if asked.len() > ASKED_MAX {
        return Err(Outcome::bad_request("Too many ids."));
    }
    let found = call.caller.space.notifications(call.caller.account.id).await?;
    let known: Vec<i64> = found.iter().map(|told| told.id).filter(|id| asked.contains(&id.to_string())).collect();
    Ok(json!(known).into())
}

/// The accounts of the space by number, to name them.
pub(super) async fn people(call: &Call<'_>) -> Result<HashMap<AccountId, Account>, Outcome> {
    let accounts = call.caller.space.accounts().await?;
    Ok(accounts.into_iter().map(|account| (account.id, account)).collect())
}

/// A person as a parameter of a rich text.
pub(super) fn rich_person(account: &Account) -> Value {
    json!({ "type": "user", "id": account.login, "name": account.display_name })
}

fn object(call: &Call<'_>, language: Language, it: &Notification, people: &HashMap<AccountId, Account>) -> Value {
    // Only comments have people in them.
    let logins = if it.told.kind == NotificationKind::Mentioned { Logins::of(people) } else { Logins::default() };
    let message = logins.rich(&it.told.message);
    let told = &it.told;
    let actor = told.actor.and_then(|actor| people.get(&actor));
    let (app, object_type) = match told.kind {
        NotificationKind::Shared => ("files_sharing", "share"),
        NotificationKind::Mentioned => ("comments", "comment"),
        NotificationKind::Announced => ("admin_notifications", "admin_notifications"),
    };
    let link = told.node.map(|node| format!("{}/f/{}", call.visit.public_url, node.0)).unwrap_or_default();
    let (template, has_parameters) = match told.kind {
        NotificationKind::Shared => {
            (language.pick("{user} shared {file} with you", "{user} a partagé {file} avec vous"), true)
        }
        NotificationKind::Mentioned => {
            let english = "{user} mentioned you in a comment on {file}";
            (language.pick(english, "{user} vous a mentionné dans un commentaire sur {file}"), true)
        }
        NotificationKind::Announced => (told.name.as_str(), false),
    };
    let name = actor.map_or(language.pick("Somebody", "Quelqu’un"), |actor| &actor.display_name);
    let mut parameters = json!({});
    let mut subject = template.to_owned();
    if has_parameters {
        subject = subject.replace("{file}", &told.name).replace("{user}", name);
        let id = told.node.map_or(String::new(), |node| node.0.to_string());
        parameters["file"] = json!({ "type": "file", "id": id, "name": told.name, "path": told.name, "link": link });
        parameters["user"] = match actor {
            Some(actor) => rich_person(actor),
            None => json!({ "type": "highlight", "id": "", "name": name }),
        };
    }
    let parameters = if has_parameters { parameters } else { json!([]) };
    json!({
        "notification_id": it.id,
        "app": app,
        "user": call.caller.account.login,
        "datetime": iso(it.created),
        "object_type": object_type,
        "object_id": told.object.to_string(),
        "subject": subject,
        "message": message.plain,
        "link": link,
        "subjectRich": template,
        "subjectRichParameters": parameters,
        "messageRich": message.template,
        "messageRichParameters": message.parameters,
        "icon": "",
        "shouldNotify": true,
        "actions": [],
    })
}

/// As capabilities say it.
pub(super) fn capability() -> Value {
    json!({ "ocs-endpoints": ["list", "get", "delete", "delete-all", "rich-strings", "user-status", "exists"] })
}
