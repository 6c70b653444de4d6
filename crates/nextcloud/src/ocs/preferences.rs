//! `apps/provisioning_api/api/v1/config/users/…`: settings that the apps' own pages write, as far as they mean something
//! here: the language and how dates are written.

use nichoir_store::AccountUpdate;
use serde_json::json;

use super::account_edit::code_of;
use super::envelope::Outcome;
use super::{Answer, Call};

/// Sets (`POST`, parameter `configValue`) or forgets (`DELETE`) one setting of the caller.
pub(super) async fn set(call: &Call<'_>, app: &str, key: &str, is_set: bool) -> Answer {
    let value = if is_set { call.params.text("configValue").unwrap_or_default() } else { String::new() };
    let update = match (app, key) {
        ("core", "lang") => AccountUpdate { language: Some(code_of(&value)?), ..AccountUpdate::default() },
        ("core", "locale") => AccountUpdate { locale: Some(code_of(&value)?), ..AccountUpdate::default() },
        _ => return Err(Outcome::bad_request("There is no such setting.")),
    };
    call.visit.space.update_account(call.caller.account.id, update).await?;
    Ok(json!([]).into())
}
