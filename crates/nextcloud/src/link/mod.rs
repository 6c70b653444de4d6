//! Public links as others meet them: `/public.php/…` for programs ([`files`]) and `/s/TOKEN` for people ([`page`]). What a
//! link allows is the store's business; here is who has proven its password. Sheets `nextcloud-files-dav` §13, `nextcloud-ocs`
//! §5.

mod dialect;
pub mod files;
mod form_data;
mod hand_in;
mod html;
mod nickname;
pub mod page;
mod picture;
mod property;
mod show;

pub(crate) use form_data::form_parts;

use std::sync::Arc;

use http::HeaderMap;
use http::header::COOKIE;
use nichoir_auth::{AuthError, Caller, Credentials, is_link_ticket};
use nichoir_store::{Link, OpenLink};

use crate::Visit;
pub use dialect::NextcloudLinks;
pub use html::style;
pub(crate) use picture::picture;

/// What is said about links, each a setting of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSettings {
    /// Whether members make links, and links that there are work.
    pub is_offered: bool,
    /// Whether links may let people write.
    pub takes_uploads: bool,
    /// Whether clients suggest a password.
    pub suggests_password: bool,
    /// Whether every link has a password.
    pub demands_password: bool,
    /// Days after which a link ends if its maker does not say; 0: never.
    pub expiry_days: u32,
    /// Whether no link lasts longer than that.
    pub demands_expiry: bool,
    /// Seconds for which a browser need not be told the password again.
    pub ticket_seconds: i64,
    /// Members of a folder on one page.
    pub page_members_max: usize,
    /// Bytes of a text that a page shows.
    pub shown_text_bytes_max: u64,
    /// Bytes of a picture that a page shows as it is.
    pub shown_picture_bytes_max: u64,
    /// Files in one form.
    pub form_files_max: usize,
}

impl Default for LinkSettings {
    fn default() -> LinkSettings {
        LinkSettings {
            is_offered: true,
            takes_uploads: true,
            suggests_password: false,
            demands_password: false,
            expiry_days: 0,
            demands_expiry: false,
            ticket_seconds: 24 * 3600,
            page_members_max: 1_000,
            shown_text_bytes_max: 256 * 1024,
            shown_picture_bytes_max: 20 * 1024 * 1024,
            form_files_max: 1_000,
        }
    }
}

/// Whether whoever sent these headers has shown the link's password: by Basic, whatever the login, or, where `takes_ticket`,
/// by what a page gave to the browser.
async fn check_password(
    visit: &Visit<'_>,
    link: &Link,
    headers: &HeaderMap,
    takes_ticket: bool,
) -> Result<(), AuthError> {
    if link.password_hash.is_none() {
        return Ok(());
    }
    if takes_ticket && has_ticket(visit, link, headers) {
        return Ok(());
    }
    match Credentials::of(headers) {
        Some(Credentials::Basic { password, .. }) => {
            visit.auth.check_link_password(visit.space, link, &password, visit.address).await
        }
        _ => Err(AuthError::Missing),
    }
}

/// The name under which a browser keeps the ticket of a link. With the prefix, no other host, such as that of another space, can set
/// it (RFC 6265bis §4.1.3.2); browsers take it by https only.
fn ticket_name(visit: &Visit<'_>, link: &Link) -> String {
    let prefix = if visit.public_url.starts_with("https://") { "__Host-" } else { "" };
    format!("{prefix}nichoir_link_{}", link.id.0)
}

fn has_ticket(visit: &Visit<'_>, link: &Link, headers: &HeaderMap) -> bool {
    let name = ticket_name(visit, link);
    let now = visit.space.ports().clock.now();
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut tickets = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    tickets.any(|(key, ticket)| key == name && is_link_ticket(visit.space, link, ticket, now))
}

/// Whoever came by the link, as who asks.
fn caller_of(visit: &Visit<'_>, open: &OpenLink) -> Caller {
    Caller {
        account: Arc::new(open.tree.account().clone()),
        device: None,
        tree: open.tree.clone(),
        space: visit.space.clone(),
    }
}

/// What the link's attributes say, as clients write them: `[{"scope":"permissions","key":"download","value":false}]`.
fn attribute(link: &Link, scope: &str, key: &str) -> Option<bool> {
    let attributes: serde_json::Value = serde_json::from_str(link.attributes.as_deref()?).ok()?;
    let is_meant = |it: &&serde_json::Value| it["scope"] == scope && it["key"] == key;
    let found = attributes.as_array()?.iter().find(is_meant)?;
    // Older clients call it `enabled`.
    found["value"].as_bool().or_else(|| found["enabled"].as_bool())
}

/// Whether it is to be looked at, and not taken away: because the link says so, or because that is how its maker holds it.
fn is_view_only(open: &OpenLink) -> bool {
    attribute(&open.link, "permissions", "download") == Some(false) || !open.tree.allows_download()
}

/// Whether whoever hands something in has to say who they are.
fn asks_nickname(link: &Link) -> bool {
    attribute(link, "fileRequest", "enabled") == Some(true)
}
