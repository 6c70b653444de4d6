//! `apps/richdocuments/api/v1/document`: the address of a page that opens a document, for the web views of apps. Sheet
//! `nextcloud-ocs`, section 14.

use serde_json::json;

use super::envelope::Outcome;
use super::{Answer, Call};

pub(super) async fn open(call: &Call<'_>) -> Answer {
    let office = call.visit.office.ok_or_else(Outcome::unknown_route)?;
    let id = call.params.number("fileId").ok_or_else(|| Outcome::bad_request("fileId is missing."))?;
    let url = office.page_url(call.caller, call.visit.public_url, id).await?;
    Ok(json!({ "url": url }).into())
}
