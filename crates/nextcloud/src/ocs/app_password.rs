//! App passwords by API: a client that was given the account's password trades it for one of its own, and gives it back.

use http::header::USER_AGENT;
use nichoir_auth::{AuthError, Caller, device_hash, new_app_password};
use serde_json::json;

use super::envelope::Outcome;
use super::{Answer, Call};

/// The longest name of a device, in characters.
const NAME_CHARS_MAX: usize = 120;

/// The client's name for the list of devices.
pub(crate) fn client_name(headers: &http::HeaderMap) -> String {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let name: String = agent.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
    if name.trim().is_empty() { "unknown".to_owned() } else { name }
}

pub(super) async fn make(call: &Call<'_>) -> Answer {
    let Call { visit, caller, request, .. } = call;
    if caller.device.is_some() {
        return Err(Outcome::forbidden("You cannot request a new app password with an app password"));
    }
    let password = new_app_password(visit.space);
    let hash = device_hash(visit.space, &password);
    visit.space.create_device(caller.account.id, &client_name(&request.headers), hash).await?;
    Ok(json!({ "apppassword": password }).into())
}

/// Another app password for the same device; the one that was used is unknown from now on.
pub(super) async fn rotate(call: &Call<'_>) -> Answer {
    let Some(device) = &call.caller.device else {
        return Err(Outcome::forbidden("no app password in use"));
    };
    let password = new_app_password(call.visit.space);
    let hash = device_hash(call.visit.space, &password);
    call.visit.space.rotate_device(call.caller.account.id, device.id, hash).await?;
    Ok(json!({ "apppassword": password }).into())
}

/// Whether the password that came as a parameter is the account's own.
pub(super) async fn confirm(call: &Call<'_>) -> Answer {
    let Call { visit, caller, .. } = call;
    let password = call.params.text("password").unwrap_or_default();
    match visit.auth.log_in(visit.space, &caller.account.login, &password, visit.address).await {
        Ok(known) if known.device.is_none() => {
            Ok(json!({ "lastLogin": visit.space.ports().clock.now().seconds() }).into())
        }
        Err(error @ (AuthError::Throttled { .. } | AuthError::Unavailable(_))) => Err(crate::auth_error(error).into()),
        _ => Err(Outcome::forbidden("")),
    }
}

pub(super) async fn revoke(caller: &Caller) -> Answer {
    let Some(device) = &caller.device else {
        return Err(Outcome::forbidden("no app password in use"));
    };
    match caller.space.revoke_device(caller.account.id, device.id).await {
        Ok(()) => Ok(json!([]).into()),
        Err(nichoir_store::Error::NotFound) => Err(Outcome::not_found("no such app password")),
        Err(error) => Err(error.into()),
    }
}
