//! `POST shares`: gives a share. Sheet `nextcloud-ocs`, section 5.3.

use nichoir_store::change::CreateShare;
use nichoir_store::{Error, Needs, Sharee};

use super::super::envelope::Outcome;
use super::super::{Answer, Call};
use super::{fields, object, path_of, refused, wrong_path};

pub(super) async fn create(call: &Call<'_>) -> Answer {
    let params = &call.params;
    let path = path_of(call)?.ok_or_else(|| Outcome::not_found("Please specify a file or folder path"))?;
    call.caller.tree.node(&path, Needs::NONE).await.map_err(|error| match error {
        Error::NotFound | Error::BadName(_) => wrong_path(),
        error => error.into(),
    })?;
    let name = path.name().unwrap_or_default().to_owned();
    let sharee = sharee(call).await?;
    let change = CreateShare {
        path,
        sharee,
        permissions: fields::permissions(params)?,
        expires: fields::expiry(params)?.flatten(),
        note: params.text("note").unwrap_or_default(),
        label: String::new(),
        attributes: fields::attributes(params)?.flatten(),
        awaits_answer: false,
    };
    let (id, is_new) = call.caller.tree.apply(change).await.map_err(|error| refused(error, &name))?;
    let placed = call.caller.tree.share(id).await?;
    Ok(object::object(call.caller, &placed, is_new).into())
}

/// With whom.
async fn sharee(call: &Call<'_>) -> Result<Sharee, Outcome> {
    let space = &call.caller.space;
    let with = call.params.text("shareWith").unwrap_or_default();
    match call.params.number("shareType") {
        Some(0) => match space.account_by_login(&with).await {
            Ok(account) if account.is_enabled && account.login.eq_ignore_ascii_case(&with) => {
                Ok(Sharee::Account(account.id))
            }
            Ok(_) | Err(Error::NotFound) => Err(Outcome::not_found("Please specify a valid account to share with")),
            Err(error) => Err(error.into()),
        },
        Some(1) => match space.group_by_name(&with).await {
            Ok(group) => Ok(group.sharee()),
            Err(Error::NotFound) => Err(Outcome::not_found("Please specify a valid group")),
            Err(error) => Err(error.into()),
        },
        Some(4) => Err(Outcome::forbidden("Sharing by mail is not possible here")),
        Some(6 | 9) => Err(Outcome::forbidden("Sharing with other servers is not possible here")),
        _ => Err(Outcome::bad_request("Unknown share type")),
    }
}
