//! `apps/password_policy`: passwords that will do, made and looked at. Sheet `nextcloud-ocs`, section 8.6.

use nichoir_auth::{PasswordPolicy, generate_password};
use serde_json::{Value, json};

use super::{Answer, Call};
use crate::Visit;

/// A password that will do.
pub(super) fn generate(call: &Call<'_>) -> Answer {
    let policy = call.visit.auth.limits().password_policy();
    let mut password = generate_password(call.visit.space.ports());
    while password.chars().count() < policy.chars_min {
        password = format!("{password}-{}", generate_password(call.visit.space.ports()));
    }
    Ok(json!({ "password": password }).into())
}

/// Whether a password will do, and if not, why.
pub(super) fn validate(call: &Call<'_>) -> Answer {
    let policy = call.visit.auth.limits().password_policy();
    let password = call.params.text("password").unwrap_or_default();
    Ok(match policy.check(&password, &call.caller.account.login) {
        Ok(()) => json!({ "passed": true }),
        Err(weakness) => json!({ "passed": false, "reason": weakness.to_string() }),
    }
    .into())
}

/// What clients need to know to make passwords of their own.
pub(super) fn capability(visit: &Visit<'_>) -> Value {
    let PasswordPolicy { chars_min, refuses_common } = visit.auth.limits().password_policy();
    let base = format!("{}/ocs/v2.php/apps/password_policy/api/v1", visit.public_url);
    let rules = json!({
        "minLength": chars_min,
        "enforceNonCommonPassword": refuses_common,
        "enforceNumericCharacters": false,
        "enforceSpecialCharacters": false,
        "enforceUpperLowerCase": false,
    });
    let mut capability = rules.clone();
    capability["policies"] = json!({ "account": rules.clone(), "sharing": rules });
    capability["api"] = json!({ "generate": format!("{base}/generate"), "validate": format!("{base}/validate") });
    capability
}
