//! `apps/dav/api/v1/direct`: an address under which a player reads a file without logging in.

use nichoir_store::{FileId, Needs};
use serde_json::json;

use super::envelope::Outcome;
use super::{Answer, Call};
use crate::ticket::{Purpose, Ticket};
use crate::view_only::check_download;

/// Seconds that a link is good for unless the client asks for less or more.
const SECONDS: i64 = 8 * 3600;
const SECONDS_MAX: i64 = 24 * 3600;

pub(super) async fn make(call: &Call<'_>) -> Answer {
    let id = call.params.number("fileId").ok_or_else(|| Outcome::bad_request("fileId is missing."))?;
    let seconds = match call.params.text("expirationTime") {
        None => SECONDS,
        Some(text) => text.trim().parse().unwrap_or(0),
    };
    if !(1..=SECONDS_MAX).contains(&seconds) {
        return Err(Outcome::bad_request("A link is good for a second to a day."));
    }
    let (_, node) = call.caller.tree.node_by_id(FileId(id), Needs::NONE).await?;
    if node.is_folder() {
        return Err(Outcome::bad_request("Direct links are for files."));
    }
    check_download(&node)?;
    let token = Ticket::new(call.caller, node.id, false, seconds).seal(call.caller, Purpose::Direct);
    Ok(json!({ "url": format!("{}/remote.php/direct/{token}", call.visit.public_url) }).into())
}
