//! Objects of accounts, as `cloud/user` and `cloud/users/…` show them. The `id` is what stands in DAV paths. Fields of a
//! profile are there because clients look for them, and empty: accounts have no profile here.

use nichoir_auth::Caller;
use nichoir_store::{Account, Quota, Role};
use serde_json::{Value, json};

use super::{Answer, groups};

/// What members edit of their own account, by the names of `cloud/users`.
const EDITABLE: [&str; 2] = ["displayname", "email"];

/// The caller's own object.
pub(super) async fn object(caller: &Caller) -> Answer {
    let groups = groups::names_of(&caller.space, &caller.account).await?;
    Ok(render(&caller.account, &groups, &caller.tree.quota().await?).into())
}

/// The fields that the caller may edit.
pub(super) fn editable_fields() -> Answer {
    Ok(json!(EDITABLE).into())
}

/// The object of any account.
pub(super) fn render(account: &Account, groups: &[String], quota: &Quota) -> Value {
    let total = quota.used_bytes.saturating_add(quota.available_bytes);
    // Percent with two decimals.
    let relative = if total == 0 { 0.0 } else { (quota.used_bytes as f64 * 10_000.0 / total as f64).round() / 100.0 };
    let last_login = account.last_seen.map_or(0, |instant| instant.seconds());
    json!({
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
            "quota": account.quota_bytes.unwrap_or(total),
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
        "bluesky": "",
        "fediverse": "",
        "organisation": "",
        "role": "",
        "headline": "",
        "biography": "",
        "profile_enabled": "0",
        "pronouns": "",
        "groups": groups,
        "language": account.language.as_deref().unwrap_or("en"),
        "locale": account.locale.as_deref().unwrap_or(""),
        "timezone": "",
        "notify_email": null,
        "backendCapabilities": { "setDisplayName": true, "setPassword": true },
    })
}

pub(super) fn is_admin(account: &Account) -> bool {
    account.role == Role::Admin
}
