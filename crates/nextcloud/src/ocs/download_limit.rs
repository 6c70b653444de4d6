//! `apps/files_downloadlimit/api/v1/{token}/limit`: how often what a public link leads to may be downloaded. Sheets
//! `nextcloud-ocs` §5, `mobile-clients` §3.13 and §4.9.

use http::Method;
use nichoir_store::Link;
use nichoir_store::change::{LinkUpdate, UpdateLink};
use serde_json::json;

use super::envelope::Outcome;
use super::{Answer, Call};

/// Answers what stands behind the API's own path.
pub(super) async fn route(call: &Call<'_>, parts: &[&str]) -> Answer {
    match (&call.request.method, parts) {
        (&Method::GET, [token, "limit"]) => Ok(told(&find(call, token).await?).into()),
        (&Method::PUT, [token, "limit"]) => {
            let link = find(call, token).await?;
            let limit = call.params.number("limit").and_then(|limit| u64::try_from(limit).ok()).filter(|it| *it > 0);
            let limit = limit.ok_or_else(|| Outcome::bad_request("Limit must be greater or equal than 1"))?;
            set(call, &link, Some(limit)).await
        }
        (&Method::DELETE, [token, "limit"]) => set(call, &find(call, token).await?, None).await,
        _ => Err(Outcome::unknown_route()),
    }
}

/// The caller's own link of that token.
async fn find(call: &Call<'_>, token: &str) -> Result<Link, Outcome> {
    let links = call.caller.tree.links().await?;
    links.into_iter().find(|link| link.token == token).ok_or_else(|| Outcome::not_found("Share not found"))
}

async fn set(call: &Call<'_>, link: &Link, limit: Option<u64>) -> Answer {
    let update = LinkUpdate { download_limit: Some(limit), ..LinkUpdate::default() };
    call.caller.tree.apply(UpdateLink { id: link.id, update }).await?;
    Ok(json!([]).into())
}

fn told(link: &Link) -> serde_json::Value {
    match link.download_limit {
        Some(limit) => json!({ "limit": limit, "count": link.download_count }),
        None => json!({ "limit": null, "count": null }),
    }
}
