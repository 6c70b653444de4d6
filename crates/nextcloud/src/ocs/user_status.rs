//! User status: here, away, a few words. Sheet `nextcloud-ocs` section 8.1. What lapses is seen as lapsed when somebody
//! looks; nothing is written for it.

use std::collections::HashMap;

use http::{Method, StatusCode};
use nichoir_store::{AccountId, Timestamp, UserStatus};
use serde_json::{Value, json};

use super::emoji::is_one_emoji;
use super::language::Language;
use super::{Answer, Call, Outcome, Reply};

/// What a person may be.
const STATUSES: [&str; 6] = ["online", "away", "dnd", "busy", "invisible", "offline"];
/// Characters of a message.
const MESSAGE_CHARS_MAX: usize = 80;
/// Seconds after which a reported status has lapsed.
const LAPSE_SECONDS: i64 = 900;
/// Seconds within which the same report is not written again.
const REPORT_SECONDS: i64 = 300;
/// Statuses in one answer.
const COUNT_MAX: i64 = 200;

struct Predefined {
    id: &'static str,
    icon: &'static str,
    english: &'static str,
    french: &'static str,
    /// Kind and value of the time after which it lapses.
    clear: Option<(&'static str, Clear)>,
}

enum Clear {
    Seconds(u32),
    End(&'static str),
}

const PREDEFINED: [Predefined; 6] = [
    Predefined {
        id: "meeting",
        icon: "📅",
        english: "In a meeting",
        french: "En réunion",
        clear: Some(("period", Clear::Seconds(3600))),
    },
    Predefined {
        id: "commuting",
        icon: "🚌",
        english: "Commuting",
        french: "En trajet",
        clear: Some(("period", Clear::Seconds(1800))),
    },
    Predefined {
        id: "be-right-back",
        icon: "⏳",
        english: "Be right back",
        french: "De retour bientôt",
        clear: Some(("period", Clear::Seconds(900))),
    },
    Predefined {
        id: "remote-work",
        icon: "🏡",
        english: "Working remotely",
        french: "En télétravail",
        clear: Some(("end-of", Clear::End("day"))),
    },
    Predefined {
        id: "sick-leave",
        icon: "🤒",
        english: "Out sick",
        french: "En congé maladie",
        clear: Some(("end-of", Clear::End("day"))),
    },
    Predefined { id: "vacationing", icon: "🌴", english: "On holiday", french: "En vacances", clear: None },
];

pub(super) async fn route(call: &Call<'_>, parts: &[&str]) -> Answer {
    match (&call.request.method, parts) {
        (&Method::GET, ["user_status"]) => {
            let own = own(call).await?.ok_or_else(|| Outcome::not_found("No status for the current user"))?;
            Ok(private(call, &own).into())
        }
        (&Method::PUT, ["user_status", "status"]) => set_status(call).await,
        (&Method::PUT, ["user_status", "message", "predefined"]) => set_predefined(call).await,
        (&Method::PUT, ["user_status", "message", "custom"]) => set_custom(call).await,
        (&Method::DELETE, ["user_status", "message"]) => clear_message(call).await,
        (&Method::PUT, ["heartbeat"]) => heartbeat(call).await,
        (&Method::GET, ["predefined_statuses"]) => Ok(predefined(Language::of(call)).into()),
        (&Method::GET, ["statuses"]) => others(call).await,
        (&Method::GET, ["statuses", login]) => of_login(call, login).await,
        _ => Err(Outcome::unknown_route()),
    }
}

/// What the caller is now, for a header.
pub(super) async fn current(call: &Call<'_>) -> Result<String, Outcome> {
    Ok(own(call).await?.map_or_else(|| "offline".to_owned(), |status| status.status))
}

fn now(call: &Call<'_>) -> Timestamp {
    call.caller.space.ports().clock.now()
}

/// What is left of a status now.
fn lapsed(mut status: UserStatus, now: Timestamp) -> UserStatus {
    let is_reported = !status.is_user_defined && ["online", "away"].contains(&status.status.as_str());
    if is_reported && now >= status.set.plus_seconds(LAPSE_SECONDS) {
        "offline".clone_into(&mut status.status);
    }
    if status.clear.is_some_and(|clear| now >= clear) {
        (status.message_id, status.message, status.icon, status.clear) = (None, None, None, None);
    }
    status
}

async fn own(call: &Call<'_>) -> Result<Option<UserStatus>, Outcome> {
    let found = call.caller.space.user_status(call.caller.account.id).await?;
    Ok(found.map(|status| lapsed(status, now(call))))
}

/// The caller's own, or one to begin with.
async fn own_or_new(call: &Call<'_>) -> Result<UserStatus, Outcome> {
    Ok(own(call).await?.unwrap_or_else(|| UserStatus {
        account: call.caller.account.id,
        status: "offline".to_owned(),
        is_user_defined: false,
        message_id: None,
        message: None,
        icon: None,
        clear: None,
        set: now(call),
    }))
}

async fn keep(call: &Call<'_>, status: UserStatus) -> Answer {
    let shown = private(call, &status);
    call.caller.space.set_user_status(status).await?;
    Ok(shown.into())
}

async fn set_status(call: &Call<'_>) -> Answer {
    let wanted = call.params.text("statusType").unwrap_or_default();
    if !STATUSES.contains(&wanted.as_str()) {
        return Err(Outcome::bad_request("Status type is not one of the known ones."));
    }
    let old = own_or_new(call).await?;
    keep(call, UserStatus { status: wanted, is_user_defined: true, set: now(call), ..old }).await
}

/// `clearAt`, in seconds, or nothing.
fn clear_at(call: &Call<'_>) -> Result<Option<Timestamp>, Outcome> {
    let text = call.params.text("clearAt").filter(|text| !text.is_empty());
    let Some(text) = text else { return Ok(None) };
    let wrong = || Outcome::bad_request("The time after which a message lapses must be one to come.");
    let seconds: i64 = text.trim().parse().map_err(|_| wrong())?;
    let is_sane = seconds > now(call).seconds() && seconds < 1 << 40;
    if is_sane { Ok(Some(Timestamp::from_seconds(seconds))) } else { Err(wrong()) }
}

async fn set_predefined(call: &Call<'_>) -> Answer {
    let id = call.params.text("messageId").unwrap_or_default();
    if !PREDEFINED.iter().any(|known| known.id == id) {
        return Err(Outcome::bad_request("There is no such message."));
    }
    let clear = clear_at(call)?;
    let old = own_or_new(call).await?;
    keep(call, UserStatus { message_id: Some(id), message: None, icon: None, clear, ..old }).await
}

async fn set_custom(call: &Call<'_>) -> Answer {
    let given = |name: &str| call.params.text(name).filter(|text| !text.is_empty());
    let (icon, message) = (given("statusIcon"), given("message"));
    if icon.as_deref().is_some_and(|icon| !is_one_emoji(icon)) {
        return Err(Outcome::bad_request("The icon must be one emoji."));
    }
    if message.as_ref().is_some_and(|message| message.chars().count() > MESSAGE_CHARS_MAX) {
        return Err(Outcome::bad_request("The message is too long."));
    }
    let clear = if icon.is_some() || message.is_some() { clear_at(call)? } else { None };
    let old = own_or_new(call).await?;
    keep(call, UserStatus { message_id: None, message, icon, clear, ..old }).await
}

async fn clear_message(call: &Call<'_>) -> Answer {
    if let Some(old) = own(call).await? {
        let cleared = UserStatus { message_id: None, message: None, icon: None, clear: None, ..old };
        call.caller.space.set_user_status(cleared).await?;
    }
    Ok(json!([]).into())
}

/// What a client reports of itself every few minutes; what the person has set goes before it.
async fn heartbeat(call: &Call<'_>) -> Answer {
    let wanted = call.params.text("status").unwrap_or_default();
    if wanted != "online" && wanted != "away" {
        return Err(Outcome::bad_request("Status type is not one of the known ones."));
    }
    let old = own_or_new(call).await?;
    if old.is_user_defined {
        return Ok(Reply::bare(StatusCode::NO_CONTENT));
    }
    // One write in a while is enough to show that somebody is here.
    if old.status == wanted && now(call) < old.set.plus_seconds(REPORT_SECONDS) {
        return Ok(private(call, &old).into());
    }
    keep(call, UserStatus { status: wanted, set: now(call), ..old }).await
}

fn predefined(language: Language) -> Value {
    let shown = PREDEFINED.iter().map(|known| {
        let clear = known.clear.as_ref().map(|(kind, clear)| match clear {
            Clear::Seconds(seconds) => json!({ "type": kind, "time": seconds }),
            Clear::End(of) => json!({ "type": kind, "time": of }),
        });
        json!({ "id": known.id, "icon": known.icon, "message": language.pick(known.english, known.french), "clearAt": clear })
    });
    Value::Array(shown.collect())
}

async fn others(call: &Call<'_>) -> Answer {
    let number = |name: &str, otherwise: i64| call.params.number(name).filter(|it| *it >= 0).unwrap_or(otherwise);
    let (limit, offset) = (number("limit", COUNT_MAX).min(COUNT_MAX), number("offset", 0));
    let logins: HashMap<AccountId, String> =
        call.caller.space.accounts().await?.into_iter().map(|account| (account.id, account.login)).collect();
    let statuses = call.caller.space.user_statuses().await?;
    let place = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let page = statuses.into_iter().skip(place(offset)).take(place(limit));
    let shown = page.filter_map(|status| Some(public(call, logins.get(&status.account)?, status)));
    Ok(Value::Array(shown.collect()).into())
}

async fn of_login(call: &Call<'_>, login: &str) -> Answer {
    let none = || Outcome::not_found("No status for the requested userId");
    let account = match call.caller.space.account_by_login(login).await {
        Ok(account) if account.is_enabled => account,
        Ok(_) | Err(nichoir_store::Error::NotFound) => return Err(none()),
        Err(error) => return Err(error.into()),
    };
    let status = call.caller.space.user_status(account.id).await?.ok_or_else(none)?;
    Ok(public(call, &account.login, status).into())
}

/// As oneself sees it.
fn private(call: &Call<'_>, status: &UserStatus) -> Value {
    json!({
        "userId": call.caller.account.login,
        "message": status.message,
        "messageId": status.message_id,
        "messageIsPredefined": status.message_id.is_some(),
        "icon": status.icon,
        "clearAt": status.clear.map(|clear| clear.seconds()),
        "status": status.status,
        "statusIsUserDefined": status.is_user_defined,
    })
}

/// As others see it: who is invisible is offline, and predefined messages are spelt out.
fn public(call: &Call<'_>, login: &str, status: UserStatus) -> Value {
    let status = lapsed(status, now(call));
    let known = PREDEFINED.iter().find(|known| Some(known.id) == status.message_id.as_deref());
    let language = Language::of(call);
    let message = known.map(|known| language.pick(known.english, known.french).to_owned()).or(status.message);
    let shown = if status.status == "invisible" { "offline" } else { &status.status };
    json!({
        "userId": login,
        "message": message,
        "icon": known.map(|known| known.icon.to_owned()).or(status.icon),
        "clearAt": status.clear.map(|clear| clear.seconds()),
        "status": shown,
    })
}

/// As capabilities say it.
pub(super) fn capability() -> Value {
    json!({ "enabled": true, "restore": false, "supports_emoji": true, "supports_busy": true })
}
