//! With whom one can share: the accounts and groups of the space, and nobody else. Sheet `nextcloud-ocs`, section 5.10.

use nichoir_store::{Account, Group, Sharee};
use serde_json::{Value, json};

use super::super::envelope::{Outcome, Reply};
use super::super::{Answer, Call};

/// Candidates on one page, where the client does not say, and at most.
const PER_PAGE: i64 = 25;
const PER_PAGE_MAX: i64 = 200;
/// Candidates that are recommended.
const RECOMMENDED_MAX: usize = 5;

/// Those that match, and those of them that match exactly.
#[derive(Default)]
struct Found {
    exact: Vec<Value>,
    others: Vec<Value>,
}

pub(super) async fn search(call: &Call<'_>) -> Answer {
    let params = &call.params;
    if params.text("itemType").is_none_or(|kind| kind.is_empty()) {
        return Err(Outcome::bad_request("Missing itemType"));
    }
    let (page, per_page) = (params.number("page").unwrap_or(1), params.number("perPage").unwrap_or(PER_PAGE));
    if page <= 0 {
        return Err(Outcome::bad_request("Invalid page"));
    }
    if per_page <= 0 {
        return Err(Outcome::bad_request("Invalid perPage argument"));
    }
    let per_page = usize::try_from(per_page.min(PER_PAGE_MAX)).unwrap_or(1);
    let skip = usize::try_from(page - 1).unwrap_or(usize::MAX).saturating_mul(per_page);
    let wanted = params.text("search").unwrap_or_default().trim().to_lowercase();
    let kinds = params.list("shareType");
    let is_asked = |kind: &str| kinds.is_empty() || kinds.iter().any(|asked| asked == kind);
    let mut users = if is_asked("0") { accounts(call, &wanted).await? } else { Found::default() };
    let mut groups = if is_asked("1") { groups(call, &wanted).await? } else { Found::default() };
    let has_more = [&users, &groups].iter().any(|found| found.others.len() > skip.saturating_add(per_page));
    for found in [&mut users, &mut groups] {
        found.others = found.others.drain(..).skip(skip).take(per_page).collect();
    }
    let data = json!({
        "exact": {
            "users": users.exact, "groups": groups.exact, "remotes": [], "remote_groups": [], "emails": [],
            "circles": [], "rooms": [],
        },
        "users": users.others, "groups": groups.others, "remotes": [], "remote_groups": [], "emails": [], "lookup": [],
        "circles": [], "rooms": [], "lookupEnabled": false,
    });
    let reply = Reply::from(data);
    Ok(if has_more { reply.with_header("link", &next_page(call, page + 1)) } else { reply })
}

/// Whom one has shared with most often.
pub(super) async fn recommended(call: &Call<'_>) -> Answer {
    let kinds = call.params.list("shareType");
    let is_asked = |kind: &str| kinds.is_empty() || kinds.iter().any(|asked| asked == kind);
    let (space, tree) = (&call.caller.space, &call.caller.tree);
    let (accounts, all_groups) = (space.accounts().await?, space.groups().await?);
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    for (sharee, count) in tree.sharees(RECOMMENDED_MAX).await? {
        let group = |found: &&Group| found.sharee() == sharee;
        match sharee {
            Sharee::Account(id) if is_asked("0") => {
                if let Some(account) = accounts.iter().find(|account| account.id == id && account.is_enabled) {
                    let value = json!({"shareType": 0, "shareWith": account.login});
                    users.push(json!({"count": count, "label": account.display_name, "value": value}));
                }
            }
            Sharee::Group(_) | Sharee::Everyone if is_asked("1") => {
                if let Some(group) = all_groups.iter().find(group) {
                    let value = json!({"shareType": 1, "shareWith": group.name});
                    groups.push(json!({"count": count, "label": group.display_name, "value": value}));
                }
            }
            _ => {}
        }
    }
    Ok(json!({
        "exact": {"users": users, "groups": groups, "remotes": [], "remote_groups": [], "emails": []},
        "users": [], "groups": [], "remotes": [], "remote_groups": [], "emails": [],
    })
    .into())
}

async fn accounts(call: &Call<'_>, wanted: &str) -> Result<Found, Outcome> {
    let mut all = call.caller.space.accounts().await?;
    all.retain(|account| account.is_enabled && account.id != call.caller.account.id);
    all.sort_by_cached_key(|account| account.display_name.to_lowercase());
    let mut found = Found::default();
    for account in &all {
        let email = account.email.as_deref().unwrap_or_default();
        found.add(wanted, &[&account.login, &account.display_name, email], || candidate(account));
    }
    Ok(found)
}

async fn groups(call: &Call<'_>, wanted: &str) -> Result<Found, Outcome> {
    let mut found = Found::default();
    for group in call.caller.space.groups().await? {
        found.add(
            wanted,
            &[&group.name, &group.display_name],
            || json!({"label": group.display_name, "value": {"shareType": 1, "shareWith": group.name}}),
        );
    }
    Ok(found)
}

fn candidate(account: &Account) -> Value {
    json!({
        "label": account.display_name,
        "subline": "",
        "icon": "icon-user",
        "value": {"shareType": 0, "shareWith": account.login},
        "shareWithDisplayNameUnique": account.email.as_deref().unwrap_or(&account.login),
        "status": [],
    })
}

impl Found {
    /// Adds who is called what is wanted, in whole or in part.
    fn add(&mut self, wanted: &str, names: &[&str], candidate: impl FnOnce() -> Value) {
        let mut names = names.iter().map(|name| name.to_lowercase()).filter(|name| !name.is_empty());
        if !wanted.is_empty() && names.clone().any(|name| name == wanted) {
            self.exact.push(candidate());
        } else if names.any(|name| name.contains(wanted)) {
            self.others.push(candidate());
        }
    }
}

/// RFC 8288, as Nextcloud's web application reads it.
fn next_page(call: &Call<'_>, page: i64) -> String {
    let uri = &call.request.uri;
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or("").as_bytes()) {
        if name != "page" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("page", &page.to_string());
    format!("<{}{}?{}>; rel=\"next\"", call.visit.public_url, uri.path(), query.finish())
}
