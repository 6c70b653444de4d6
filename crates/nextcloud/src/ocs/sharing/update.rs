//! `PUT shares/{id}`: changes a share, one field or several at a time. Sheet `nextcloud-ocs`, section 5.5.

use nichoir_store::change::UpdateShare;

use super::super::envelope::Outcome;
use super::super::{Answer, Call};
use super::{fields, number, object, refused};

/// What clients may say of a share. What means nothing for one with an account or a group is taken and ignored.
const KNOWN: [&str; 11] = [
    "permissions",
    "password",
    "sendPasswordByTalk",
    "publicUpload",
    "expireDate",
    "note",
    "label",
    "hideDownload",
    "attributes",
    "sendMail",
    "token",
];

pub(super) async fn update(call: &Call<'_>, id: &str) -> Answer {
    let id = number(id)?;
    let (tree, params) = (&call.caller.tree, &call.params);
    let before = tree.share(id).await.map_err(|error| refused(error, ""))?;
    let is_mine = before.share.initiator == call.caller.account.id || before.share.owner == call.caller.account.id;
    if is_mine && !KNOWN.iter().any(|name| params.value(name).is_some()) {
        return Err(Outcome::bad_request("Wrong or no update parameter given"));
    }
    let change = UpdateShare {
        id,
        permissions: fields::permissions(params)?,
        expires: fields::expiry(params)?,
        note: params.text("note"),
        label: params.text("label"),
        attributes: fields::attributes(params)?,
    };
    tree.apply(change).await.map_err(|error| refused(error, &before.node.name))?;
    let placed = tree.share(id).await.map_err(|error| refused(error, ""))?;
    Ok(object::object(call.caller, &placed, false).into())
}
