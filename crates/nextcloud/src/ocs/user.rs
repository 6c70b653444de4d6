//! `cloud/user`: who the client is. Its `id` is what stands in DAV paths.

use nichoir_auth::Caller;
use serde_json::json;

use super::Answer;
use super::envelope::Outcome;

/// The caller's own object.
pub(super) async fn object(caller: &Caller) -> Answer {
    let account = &caller.account;
    let quota = caller.tree.quota().await?;
    let total = quota.used_bytes.saturating_add(quota.available_bytes);
    // Percent with two decimals.
    let relative = if total == 0 { 0.0 } else { (quota.used_bytes as f64 * 10_000.0 / total as f64).round() / 100.0 };
    let last_login = account.last_seen.map_or(0, |instant| instant.seconds());
    Ok(json!({
        "enabled": account.is_enabled,
        "id": account.login,
        "firstLoginTimestamp": account.created.seconds(),
        "lastLoginTimestamp": last_login,
        "lastLogin": last_login * 1000,
        "backend": "Database",
        "subadmin": [],
        "quota": {
            "free": quota.available_bytes,
            "used": quota.used_bytes,
            "total": total,
            "relative": relative,
            "quota": total,
        },
        "manager": "",
        "email": account.email,
        "additional_mail": [],
        "displayname": account.display_name,
        "display-name": account.display_name,
        "phone": "",
        "address": "",
        "website": "",
        "twitter": "",
        "fediverse": "",
        "organisation": "",
        "role": "",
        "headline": "",
        "biography": "",
        "profile_enabled": "0",
        "groups": [],
        "language": account.language.as_deref().unwrap_or("en"),
        "locale": "",
        "notify_email": null,
        "backendCapabilities": { "setDisplayName": false, "setPassword": false },
    })
    .into())
}

/// The object of that login: one's own; of others nothing is told, not even whether they exist.
pub(super) async fn of_login(caller: &Caller, login: &str) -> Answer {
    if login == caller.account.login { object(caller).await } else { Err(Outcome::unknown_route()) }
}
