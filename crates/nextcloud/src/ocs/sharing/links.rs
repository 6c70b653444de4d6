//! Public links as shares of type 3: made, changed, taken back, listed, in the same lists and with the same fields as other
//! shares. Sheet `nextcloud-ocs`, sections 5.2, 5.3 and 5.5.

use http::StatusCode;
use nichoir_auth::Caller;
use nichoir_store::change::{DropLink, LinkUpdate, MakeLink, UpdateLink};
use nichoir_store::{Account, Error, FileId, Link, LinkId, Needs, Node, NodePath, Permissions, Timestamp};
use serde_json::{Value, json};

use super::super::envelope::Outcome;
use super::super::params::Params;
use super::super::{Answer, Call};
use super::{fields, object, path_of, refused, wrong_path};
use crate::LinkSettings;

/// What clients take for a link.
pub(super) const SHARE_TYPE: i64 = 3;
/// What stands where Nextcloud shows the hash of a password: clients look only whether there is something.
const HIDDEN: &str = "***";
/// What clients may say of a link.
const KNOWN: [&str; 9] = [
    "permissions",
    "publicUpload",
    "password",
    "expireDate",
    "note",
    "label",
    "hideDownload",
    "attributes",
    "sendPasswordByTalk",
];
const DAY_SECONDS: i64 = 86_400;

/// A link with what it leads to, as the caller sees it.
pub(super) struct Placed {
    link: Link,
    path: NodePath,
    node: Node,
}

impl Placed {
    /// What it leads to.
    pub(super) fn node(&self) -> FileId {
        self.node.id
    }
}

/// `POST shares` with `shareType=3`.
pub(super) async fn create(call: &Call<'_>) -> Answer {
    let (params, settings) = (&call.params, call.visit.links);
    if !settings.is_offered {
        return Err(Outcome::not_found("Public link sharing is disabled by the administrator"));
    }
    let path = path_of(call)?.ok_or_else(|| Outcome::not_found("Please specify a file or folder path"))?;
    let node = call.caller.tree.node(&path, Needs::NONE).await.map_err(|error| match error {
        Error::NotFound | Error::BadName(_) => wrong_path(),
        error => error.into(),
    })?;
    let permissions = wished(params, settings, node.is_folder())?.unwrap_or(Permissions::READ);
    let password = params.text("password").filter(|password| !password.is_empty());
    if settings.demands_password && password.is_none() {
        return Err(no_password());
    }
    let mut update = update_of(call, password).await?;
    if update.expires.is_none() {
        update.expires = Some(default_expiry(call));
    }
    let name = path.name().unwrap_or_default().to_owned();
    let change = MakeLink { path: path.clone(), permissions, update };
    let link = call.caller.tree.apply(change).await.map_err(|error| refused(error, &name))?;
    let mut object = object_of(call, &Placed { link, path, node }).await?;
    object["mail_send"] = json!(1);
    Ok(object.into())
}

/// `PUT shares/{id}` of a link.
pub(super) async fn update(call: &Call<'_>, link: Link) -> Answer {
    let (params, settings) = (&call.params, call.visit.links);
    if params.value("token").is_some() {
        return Err(Outcome::forbidden("Custom share link tokens have been disabled by the administrator"));
    }
    if !KNOWN.iter().any(|name| params.value(name).is_some()) {
        return Err(Outcome::bad_request("Wrong or no update parameter given"));
    }
    let placed = place(call, link).await?.ok_or_else(super::unknown_share)?;
    let told = params.text("password").filter(|password| password != HIDDEN);
    let removes_password = told.as_deref() == Some("");
    if settings.demands_password && removes_password {
        return Err(no_password());
    }
    let mut update = update_of(call, told.filter(|password| !password.is_empty())).await?;
    if removes_password {
        update.password_hash = Some(None);
    }
    update.permissions = wished(params, settings, placed.node.is_folder())?;
    let change = UpdateLink { id: placed.link.id, update };
    let link = call.caller.tree.apply(change).await.map_err(|error| refused(error, &placed.node.name))?;
    Ok(object_of(call, &Placed { link, ..placed }).await?.into())
}

/// `DELETE shares/{id}` of a link.
pub(super) async fn end(call: &Call<'_>, link: &Link) -> Answer {
    call.caller.tree.apply(DropLink { id: link.id }).await.map_err(|error| refused(error, ""))?;
    Ok(json!([]).into())
}

/// The link of that number, if it is one and the caller's business.
pub(super) async fn find(call: &Call<'_>, id: i64) -> Result<Option<Link>, Outcome> {
    match call.caller.tree.link(LinkId(id)).await {
        Ok(link) => Ok(Some(link)),
        Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The links among `links` whose node the caller sees.
pub(super) async fn placed(call: &Call<'_>, links: Vec<Link>) -> Result<Vec<Placed>, Outcome> {
    let mut placed: Vec<Placed> = Vec::with_capacity(links.len());
    for link in links {
        // Those to one node come one after the other: it is looked up once.
        match placed.last().filter(|last| last.node.id == link.node) {
            Some(last) => {
                let (path, node) = (last.path.clone(), last.node.clone());
                placed.push(Placed { link, path, node });
            }
            None => placed.extend(place(call, link).await?),
        }
    }
    Ok(placed)
}

async fn place(call: &Call<'_>, link: Link) -> Result<Option<Placed>, Outcome> {
    match call.caller.tree.node_by_id(link.node, Needs::NONE).await {
        Ok((path, node)) => Ok(Some(Placed { link, path, node })),
        Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The link as clients read it.
pub(super) async fn object_of(call: &Call<'_>, placed: &Placed) -> Result<Value, Outcome> {
    let caller: &Caller = call.caller;
    let Placed { link, path, node } = placed;
    let maker = match link.maker == caller.account.id {
        true => Account::clone(&caller.account),
        false => caller.space.account(link.maker).await?,
    };
    let (owner_login, owner_name) = match &node.access {
        Some(held) => (held.owner_login.as_str(), held.owner_display_name.as_str()),
        None => (caller.account.login.as_str(), caller.account.display_name.as_str()),
    };
    let password = link.password_hash.as_ref().map(|_| HIDDEN);
    let mut object = object::of_node(caller, path.to_string(), node);
    let fields = json!({
        "id": link.id.0.to_string(),
        "share_type": SHARE_TYPE,
        "uid_owner": maker.login,
        "displayname_owner": maker.display_name,
        "uid_file_owner": owner_login,
        "displayname_file_owner": owner_name,
        "permissions": link.permissions.bits(),
        "can_edit": true,
        "can_delete": true,
        "stime": link.created.seconds(),
        "parent": null,
        "expiration": link.expires.map(fields::day_text),
        "token": link.token,
        "note": link.note,
        "label": link.label,
        "file_target": format!("/{}", node.name),
        "share_with": password,
        "share_with_displayname": "(Shared link)",
        "password": password,
        "send_password_by_talk": false,
        "url": format!("{}/s/{}", call.visit.public_url, link.token),
        "mail_send": 0,
        "hide_download": u8::from(link.hides_download),
        "attributes": link.attributes,
    });
    if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
        object.extend(fields);
    }
    Ok(object)
}

/// What the parameters say of a link, but for what it allows.
async fn update_of(call: &Call<'_>, password: Option<String>) -> Result<LinkUpdate, Outcome> {
    let params = &call.params;
    let expires = fields::expiry(params)?;
    check_expiry(call, expires)?;
    Ok(LinkUpdate {
        permissions: None,
        password_hash: match password {
            Some(password) => Some(Some(hash_of(call, &password).await?)),
            None => None,
        },
        expires,
        label: params.text("label"),
        note: params.text("note"),
        hides_download: params.truth("hideDownload"),
        attributes: fields::attributes(params)?,
        download_limit: None,
    })
}

/// What the link is to allow; `None` where nothing is said. `publicUpload` is how older clients ask to let people write.
fn wished(params: &Params, settings: &LinkSettings, is_folder: bool) -> Result<Option<Permissions>, Outcome> {
    let lets_write = params.truth("publicUpload");
    if lets_write == Some(true) && !is_folder {
        return Err(Outcome::bad_request("Public upload is only possible for publicly shared folders"));
    }
    // The right to share further is what Nextcloud adds for other servers: it means nothing for a link.
    let told = fields::permissions(params)?.map(|told| told.without(Permissions::SHARE));
    let wished = match (told, lets_write) {
        (Some(told), _) => told,
        (None, Some(true)) => Permissions::READ_WRITE,
        (None, Some(false)) => Permissions::READ,
        (None, None) => return Ok(None),
    };
    let wished = if is_folder { wished } else { wished & Permissions::OF_FILE };
    let writes = Permissions::UPDATE | Permissions::CREATE | Permissions::DELETE;
    if !settings.takes_uploads && is_folder && !(wished & writes).is_empty() {
        return Err(Outcome::forbidden("Public upload disabled by the administrator"));
    }
    if !wished.includes(Permissions::READ) && !wished.includes(Permissions::CREATE) {
        return Err(Outcome::bad_request("Share must at least have READ or CREATE permissions"));
    }
    if !wished.includes(Permissions::READ) && !(wished & (Permissions::UPDATE | Permissions::DELETE)).is_empty() {
        return Err(Outcome::bad_request("Share must have READ permission if UPDATE or DELETE permission is set"));
    }
    Ok(Some(wished))
}

async fn hash_of(call: &Call<'_>, password: &str) -> Result<String, Outcome> {
    let policy = call.visit.auth.limits().password_policy();
    policy.check(password, "").map_err(|weakness| Outcome::bad_request(&weakness.to_string()))?;
    let hash = call.visit.auth.hash_link_password(call.visit.space, password).await;
    hash.ok_or_else(|| Outcome::new(StatusCode::SERVICE_UNAVAILABLE, 503, "Too much to do. Try again."))
}

fn no_password() -> Outcome {
    Outcome::forbidden("Passwords are enforced for link and mail shares")
}

/// The beginning of the day `days` from today.
fn day_from_now(call: &Call<'_>, days: u32) -> Timestamp {
    let today = call.visit.space.ports().clock.now().seconds().div_euclid(DAY_SECONDS);
    Timestamp::from_seconds((today + i64::from(days)) * DAY_SECONDS)
}

fn default_expiry(call: &Call<'_>) -> Option<Timestamp> {
    let days = call.visit.links.expiry_days;
    (days > 0).then(|| day_from_now(call, days))
}

fn check_expiry(call: &Call<'_>, told: Option<Option<Timestamp>>) -> Result<(), Outcome> {
    let LinkSettings { expiry_days: days, demands_expiry, .. } = *call.visit.links;
    let is_limited = demands_expiry && days > 0;
    match told {
        Some(Some(end)) if end <= call.visit.space.ports().clock.now() => {
            Err(Outcome::not_found("Expiration date is in the past"))
        }
        Some(Some(end)) if is_limited && end > day_from_now(call, days) => {
            Err(Outcome::not_found(&format!("Cannot set expiration date more than {days} days in the future")))
        }
        Some(None) if is_limited => Err(Outcome::bad_request("Expiration date is enforced")),
        _ => Ok(()),
    }
}
