//! App passwords by API: a client that was given the account's password trades it for one of its own, and gives it back.

use http::header::USER_AGENT;
use nichoir_auth::{Caller, device_hash, new_app_password};
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
