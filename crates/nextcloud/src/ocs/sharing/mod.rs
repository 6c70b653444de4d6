//! `apps/files_sharing/api/v1`: shares of files and folders inside the space, given and received. Sheet
//! `nextcloud-ocs`, section 5.

mod create;
mod fields;
mod links;
mod list;
mod object;
mod sharees;
mod update;

use http::{Method, StatusCode};
use nichoir_store::change::{AnswerShare, EndShare};
use nichoir_store::{Error, NodePath, ShareId, Sharing};
use serde_json::json;

use super::envelope::Outcome;
use super::{Answer, Call};

/// Answers what stands behind the API's own path.
pub(super) async fn route(call: &Call<'_>, parts: &[&str]) -> Answer {
    match (&call.request.method, parts) {
        (&Method::GET, ["shares"]) => list::given_or_received(call).await,
        (&Method::POST, ["shares"]) if is_link(call) => links::create(call).await,
        (&Method::POST, ["shares"]) => create::create(call).await,
        (&Method::GET, ["shares", "inherited"]) => list::inherited(call).await,
        (&Method::GET, ["shares", "pending"]) => list::pending(call).await,
        (&Method::POST, ["shares", "pending", id]) => answer(call, id, true).await,
        (&Method::DELETE, ["shares", "pending", id]) => answer(call, id, false).await,
        (&Method::GET, ["shares", id]) => list::one(call, id).await,
        (&Method::PUT, ["shares", id]) => match links::find(call, number(id)?.0).await? {
            Some(link) => links::update(call, link).await,
            None => update::update(call, id).await,
        },
        (&Method::DELETE, ["shares", id]) => match links::find(call, number(id)?.0).await? {
            Some(link) => links::end(call, &link).await,
            None => end(call, id).await,
        },
        (&Method::GET, ["deletedshares"]) => list::declined(call).await,
        (&Method::POST, ["deletedshares", id]) => answer(call, id, true).await,
        // Shares with other servers: there are none.
        (&Method::GET, ["remote_shares"] | ["remote_shares", "pending"]) => Ok(json!([]).into()),
        (&Method::GET, ["sharees"]) => sharees::search(call).await,
        (&Method::GET, ["sharees_recommended"]) => sharees::recommended(call).await,
        _ => Err(Outcome::unknown_route()),
    }
}

/// Whether a public link is asked for.
fn is_link(call: &Call<'_>) -> bool {
    call.params.number("shareType") == Some(links::SHARE_TYPE)
}

async fn end(call: &Call<'_>, id: &str) -> Answer {
    call.caller.tree.apply(EndShare { id: number(id)? }).await.map_err(|error| refused(error, ""))?;
    Ok(json!([]).into())
}

async fn answer(call: &Call<'_>, id: &str, is_accepted: bool) -> Answer {
    let change = AnswerShare { id: number(id)?, is_accepted };
    call.caller.tree.apply(change).await.map_err(|error| refused(error, ""))?;
    Ok(json!([]).into())
}

/// The number of a share, with or without the name of where Nextcloud keeps it.
fn number(text: &str) -> Result<ShareId, Outcome> {
    let digits = text.strip_prefix("ocinternal:").unwrap_or(text);
    digits.parse().map(ShareId).map_err(|_| unknown_share())
}

fn unknown_share() -> Outcome {
    Outcome::not_found("Wrong share ID, share does not exist")
}

fn wrong_path() -> Outcome {
    Outcome::not_found("Wrong path, file/folder does not exist")
}

/// The path in the parameter; `None` without one.
fn path_of(call: &Call<'_>) -> Result<Option<NodePath>, Outcome> {
    match call.params.text("path").filter(|path| !path.is_empty()) {
        Some(path) => NodePath::parse(&path).map(Some).map_err(|_| wrong_path()),
        None => Ok(None),
    }
}

/// What the client is told of a share of `name` that the store refused, in the words that its user reads.
fn refused(error: Error, name: &str) -> Outcome {
    let Error::Sharing(why) = error else {
        return match error {
            Error::NotFound => unknown_share(),
            Error::TooLarge { .. } => Outcome::bad_request("Too many shares, or too long a note or label"),
            error => error.into(),
        };
    };
    match why {
        Sharing::NotYours => Outcome::not_found(&format!("You are not allowed to share {name}")),
        Sharing::BeyondOwn => Outcome::not_found(&format!("Cannot increase permissions of {name}")),
        Sharing::UnknownSharee | Sharing::Past => Outcome::not_found(&why.to_string()),
        Sharing::Root | Sharing::WithOneself | Sharing::WithOwner | Sharing::Already | Sharing::Incoming => {
            Outcome::new(StatusCode::FORBIDDEN, 403, why.to_string())
        }
    }
}
