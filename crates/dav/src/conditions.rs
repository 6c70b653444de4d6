//! What a request demands before anything may change: its conditional headers, as the store evaluates them.
//! RFC 9110 §13, RFC 4918 §10.4.

use nichoir_store::conditions::{Conditions, IfResource, IfState};

use crate::error::Error;
use crate::header::{condition, if_header};
use crate::href;
use crate::target::Call;

/// The conditions of a request, and the lock tokens that it submits.
///
/// # Errors
/// 400 for a header that makes no sense.
pub fn of(call: &Call<'_>) -> Result<Conditions, Error> {
    let headers = &call.parts.headers;
    let mut conditions = Conditions {
        if_match: condition::if_match(headers)?,
        if_none_match: condition::if_none_match(headers)?,
        if_unmodified_since: condition::if_unmodified_since(headers),
        ..Conditions::default()
    };
    if let Some(parsed) = if_header::of(headers)? {
        let is_lenient = call.dav.extensions().any(|extension| extension.is_lenient_about_if(headers));
        conditions.lock_tokens = parsed.lock_tokens();
        conditions.if_lists = parsed.into_lists(|tag| match is_lenient {
            true => IfResource::Lenient,
            false => resource_of(call, tag),
        });
        for list in &mut conditions.if_lists {
            // However a client spells the tag, the entity tag that it guards its write with is compared.
            let guards_content = list.conditions.iter().any(|condition| !matches!(condition.state, IfState::Token(_)));
            if list.resource == IfResource::Lenient && guards_content {
                list.resource = IfResource::Request;
            }
        }
    }
    Ok(conditions)
}

/// What the tag of an `If` list names: a path below the same mount, or nothing that we know the state of.
fn resource_of(call: &Call<'_>, tag: &str) -> IfResource {
    match href::path_of_url(&call.mount.prefix, tag) {
        Ok(Some(path)) => IfResource::Path(path),
        Ok(None) | Err(_) => IfResource::Elsewhere,
    }
}

/// Refuses early what the change would refuse anyway, before a body is read.
pub(crate) async fn check(call: &Call<'_>, conditions: &Conditions) -> Result<(), Error> {
    if *conditions != Conditions::default() {
        call.caller.tree.check_conditions(call.path, conditions).await?;
    }
    Ok(())
}
