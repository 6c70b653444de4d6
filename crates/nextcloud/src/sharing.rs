//! Sharing a calendar or address book: `POST` of `oc:share` to it. Accepted at once, there are no invitations.
//!
//! A sharee is named by its principal: an account, or the one group that there is, which is the whole space.

use http::StatusCode;
use http::header::HeaderValue;
use nichoir_dav::request::empty;
use nichoir_dav::{Answering, Call, Error, Response, href};
use nichoir_store::change::{Grant, ShareNode};
use nichoir_store::{Permissions, Share, Sharee, Space};
use nichoir_xml::{Element, dav, oc};

/// The name of the group that every account of the space is in.
pub(crate) const EVERYONE: &str = "everyone";

/// Sets and removes, all or nothing.
pub(crate) fn answer(call: &Call<'_>, root: &Element) -> Answering {
    let (tree, space, path) = (call.caller.tree.clone(), call.caller.space.clone(), call.path.clone());
    let steps: Vec<(String, Option<bool>)> = root.elements().filter_map(step).collect();
    Box::pin(async move {
        let mut grants = Vec::new();
        for (href, is_writable) in steps {
            match (sharee(&space, &href).await?, is_writable) {
                (Some(sharee), is_writable) => {
                    grants.push(Grant { sharee, permissions: is_writable.map(Permissions::of_collection) });
                }
                // Whoever is not there sees nothing already.
                (None, None) => {}
                (None, Some(_)) => return Err(Error::not_found()),
            }
        }
        tree.apply(ShareNode { path, grants }).await?;
        Ok(done(StatusCode::OK))
    })
}

/// An answer without a body that says that it went well, as the web apps look for.
pub(crate) fn done(status: StatusCode) -> Response {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response.headers_mut().insert("x-sabre-status", HeaderValue::from_static("everything-went-well"));
    response
}

/// The sharee's href, and whether it may write; `None` where the share ends.
fn step(element: &Element) -> Option<(String, Option<bool>)> {
    let href = element.child(&dav::HREF)?.text();
    if element.name == oc::SET {
        Some((href, Some(element.child(&oc::READ_WRITE).is_some())))
    } else if element.name == oc::REMOVE {
        Some((href, None))
    } else {
        None
    }
}

/// Whom an href means, if there is such an account or group.
async fn sharee(space: &Space, text: &str) -> Result<Option<Sharee>, Error> {
    let Some(who) = Who::of(text.trim()) else { return Ok(None) };
    let login = match who {
        Who::Everyone => return Ok(Some(Sharee::Everyone)),
        Who::Group(name) => {
            return match space.group_by_name(&name).await {
                Ok(group) => Ok(Some(group.sharee())),
                Err(nichoir_store::Error::NotFound) => Ok(None),
                Err(error) => Err(error.into()),
            };
        }
        Who::Login(login) => login,
    };
    match space.account_by_login(&login).await {
        Ok(account) => Ok(Some(Sharee::Account(account.id))),
        Err(nichoir_store::Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Who {
    Login(String),
    Group(String),
    Everyone,
}

impl Who {
    /// `principal:principals/users/LOGIN`, the path of a principal, or an address.
    fn of(text: &str) -> Option<Who> {
        if let Some(address) = text.strip_prefix("mailto:") {
            return Some(Who::Login(address.to_owned()));
        }
        let path = text.strip_prefix("principal:").unwrap_or(text);
        let (_, path) = path.split_once("principals/")?;
        let (kind, name) = path.trim_end_matches('/').split_once('/')?;
        let name = href::decode(name).ok().filter(|name| !name.contains('/'))?;
        match (kind, name.as_str()) {
            ("users", _) => Some(Who::Login(name)),
            ("groups", EVERYONE) => Some(Who::Everyone),
            ("groups", _) if !name.is_empty() => Some(Who::Group(name)),
            _ => None,
        }
    }
}

/// The principal that the web apps know the sharee by.
pub(crate) fn principal_of(share: &Share) -> String {
    match share.sharee {
        Sharee::Everyone => format!("principal:principals/groups/{EVERYONE}"),
        Sharee::Group(_) => {
            let mut href = "principal:principals/groups/".to_owned();
            href::append_name(&mut href, &share.login);
            href
        }
        Sharee::Account(_) | Sharee::Link => {
            let mut href = "principal:principals/users/".to_owned();
            href::append_name(&mut href, &share.login);
            href
        }
    }
}

/// What to call the sharee.
pub(crate) fn name_of(share: &Share) -> &str {
    match share.sharee {
        Sharee::Everyone => "Everyone",
        Sharee::Account(_) | Sharee::Group(_) | Sharee::Link => &share.display_name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let found = Who::of(text).map(|who| match who {
            Who::Login(login) => login,
            Who::Group(name) => format!("+{name}"),
            Who::Everyone => "*".to_owned(),
        });
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn sharees_are_named_by_principal_or_address() {
        check("principal:principals/users/bob", Some("bob"));
        check("principal:principals/users/bob%40x.org/", Some("bob@x.org"));
        check("/remote.php/dav/principals/users/bob/", Some("bob"));
        check("mailto:bob@x.org", Some("bob@x.org"));
        check("principal:principals/groups/everyone", Some("*"));
        check("principal:principals/groups/the%20team", Some("+the team"));
        check("principal:principals/users/a%2Fb", None);
        check("principal:principals/users/", None);
        check("bob", None);
    }
}
