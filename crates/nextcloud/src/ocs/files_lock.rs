//! Locks by the number of a file: `apps/files_lock/lock/ID`. Sheets `nextcloud-files-dav`, section 14, and `nextcloud-ocs`,
//! section 19.

use http::Method;
use nichoir_store::conditions::Conditions;
use nichoir_store::{AccountId, FileId, Lock, Needs};
use serde_json::{Value, json};

use super::envelope::Outcome;
use super::{Answer, Call};
use crate::file_lock;

/// PUT locks, DELETE unlocks.
pub(super) async fn answer(call: &Call<'_>, id: &str) -> Answer {
    let id: i64 = id.parse().map_err(|_| Outcome::bad_request("The file id is not a number."))?;
    let (path, _) = call.caller.tree.node_by_id(FileId(id), Needs::NONE).await?;
    let kind = file_lock::kind_of(&call.params.text("lockType").unwrap_or_else(|| "0".to_owned()))?;
    let outcome = match call.request.method == Method::PUT {
        true => file_lock::lock(call.caller, &path, kind, Conditions::default()).await?,
        false => file_lock::unlock(call.caller, &path, kind).await?,
    };
    let now_seconds = call.caller.space.ports().clock.now().seconds();
    let lock = file_lock::shown(outcome.node());
    let data = lock.map_or(json!([]), |lock| object(lock, call.caller.account.id, now_seconds));
    let message = match &outcome {
        file_lock::Outcome::Done(_) => return Ok(data.into()),
        file_lock::Outcome::Held(_) => {
            let holder = lock.map_or("somebody else", file_lock::name_of);
            format!("File is currently locked by {holder}")
        }
        file_lock::Outcome::NotLocked(_) => "File is not locked".to_owned(),
    };
    let status = outcome.status();
    Err(Outcome::new(status, i64::from(status.as_u16()), message).with_data(data))
}

fn object(lock: &Lock, asker: AccountId, now_seconds: i64) -> Value {
    json!({
        "id": lock.root_id.0,
        "userId": lock.account_login,
        "displayName": file_lock::name_of(lock),
        "fileId": lock.root_id.0,
        "token": file_lock::token_of(lock, asker).unwrap_or_default(),
        "ttl": file_lock::seconds_of(lock),
        "eta": lock.expires.seconds().saturating_sub(now_seconds).max(0),
        "creation": lock.created.seconds(),
        "type": file_lock::number_of(&lock.kind),
    })
}
