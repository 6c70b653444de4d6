//! A document as the office server reads and writes it: CheckFileInfo, GetFile, PutFile, and what goes by `X-WOPI-Override`.

use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt as _;
use nichoir_auth::Caller;
use nichoir_dav::{Body, Dav, Error, Request, Response};
use nichoir_store::change::PutFile;
use nichoir_store::conditions::{Conditions, EtagSet};
use nichoir_store::{Error as StoreError, Needs, Node, NodePath, Permissions, StageOptions, Timestamp};
use serde_json::json;

use super::lock::{self, conflict, held};
use super::{Office, header, may_write, relative, told};
use crate::ticket::{Invalid, Purpose, Ticket};
use crate::{Visit, direct};

/// Seconds that keys are believed although a signature does not fit them.
const KEYS_SECONDS: i64 = 60;

/// A document that somebody has opened.
#[derive(Debug)]
pub(super) struct Open<'a> {
    pub(super) visit: Visit<'a>,
    pub(super) caller: &'a Caller,
    pub(super) path: NodePath,
    pub(super) node: Node,
    is_writable: bool,
}

/// Answers a call about the file `id`; `rest` is what stands behind it.
pub(super) async fn answer(
    visit: Visit<'_>,
    office: &Office,
    dav: &Dav,
    (id, rest): (&str, &[&str]),
    request: Request,
) -> Response {
    let answer = async {
        let (parts, body) = request.into_parts();
        let (ticket, caller) = admitted(visit, office, id, &parts).await?;
        // The office server shows what it is given; what it may let out of it stands in CheckFileInfo.
        let caller = Caller { tree: caller.tree.to_look_at(), ..caller };
        let (path, node) = ticket.file(&caller, Needs::LOCKS).await?;
        let is_writable = ticket.is_writable && may_write(&node);
        let open = Open { visit, caller: &caller, path, node, is_writable };
        match (&parts.method, rest) {
            (&Method::GET, []) => Ok(info(&open).await),
            (&Method::GET, ["contents"]) => {
                Ok(direct::content(dav, &ticket, &caller, Request::from_parts(parts, body)).await)
            }
            (&Method::POST, ["contents"]) => put(&open, &parts, body).await,
            (&Method::POST, []) => overridden(&open, office, &parts, body).await,
            _ => Err(Error::not_found()),
        }
    };
    match answer.await {
        Ok(response) => response,
        Err(error) => {
            if error.status().is_server_error() {
                tracing::warn!(cause = %error, "a request of the office server failed");
            }
            told(error.status(), &json!({ "message": error.message() }))
        }
    }
}

/// The ticket, if the office server may use it for this file.
async fn admitted(visit: Visit<'_>, office: &Office, id: &str, parts: &Parts) -> Result<(Ticket, Caller), Error> {
    let allowed = &office.config.allowed_addresses;
    if !allowed.is_empty() && !allowed.contains(&visit.address.to_canonical()) {
        return Err(Error::forbidden("This is for the office server alone."));
    }
    let query = parts.uri.query().unwrap_or("");
    let token = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "access_token");
    let token = token.map(|(_, token)| token.into_owned()).unwrap_or_default();
    let (ticket, caller) = match Ticket::open(visit.space, Purpose::Office, &token).await {
        Ok(found) => found,
        Err(Invalid::Unknown) => return Err(Error::forbidden("The access token is not known.")),
        Err(Invalid::Expired) => return Err(Error::new(StatusCode::UNAUTHORIZED, "The access token is over.")),
        Err(Invalid::Store(error)) => return Err(error.into()),
    };
    let meant = format!("{}_{}", ticket.node, visit.space.info().instance_id);
    if id != meant {
        return Err(Error::forbidden("The access token is for another file."));
    }
    if office.config.verifies_proof {
        check_proof(visit, office, parts, &token).await?;
    }
    Ok((ticket, caller))
}

/// The request is the office server's own, where that says how to tell.
async fn check_proof(visit: Visit<'_>, office: &Office, parts: &Parts, token: &str) -> Result<(), Error> {
    let now = visit.space.ports().clock.now();
    let place = parts.uri.path_and_query().map_or("", |place| place.as_str());
    let url = format!("{}{place}", visit.public_url);
    let discovery = office.discovery(now).await?;
    let Some(keys) = &discovery.keys else { return Ok(()) };
    if keys.prove(&parts.headers, token, &url, now) {
        return Ok(());
    }
    // It may have new keys since.
    let discovery = office.discovery_within(now, KEYS_SECONDS).await?;
    match &discovery.keys {
        Some(keys) if keys.prove(&parts.headers, token, &url, now) => Ok(()),
        _ => Err(Error::new(StatusCode::INTERNAL_SERVER_ERROR, "The request is not signed by the office server.")),
    }
}

/// The instant as the office server compares it.
fn modified_text(instant: Timestamp) -> String {
    let instant = chrono::DateTime::from_timestamp_micros(instant.0).unwrap_or_default();
    instant.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// CheckFileInfo.
async fn info(open: &Open<'_>) -> Response {
    let Open { visit, caller, node, is_writable, .. } = open;
    let parent = match open.path.parent() {
        Some(parent) => caller.tree.node(&parent, Needs::NONE).await.ok(),
        None => None,
    };
    // What is to be looked at only is not taken away through the editor either.
    let stays = !node.allows_download();
    let may_create = !stays && parent.is_some_and(|parent| parent.permissions().includes(Permissions::CREATE));
    let owner = node.access.as_ref().map_or(&caller.account.login, |access| &access.owner_login);
    told(
        StatusCode::OK,
        &json!({
            "BaseFileName": node.name,
            "Size": node.size_bytes,
            "Version": node.etag.to_string(),
            "UserId": caller.account.login,
            "OwnerId": owner,
            "UserFriendlyName": caller.account.display_name,
            "UserCanWrite": is_writable,
            "ReadOnly": !is_writable,
            "UserCanNotWriteRelative": stays || !(*is_writable && may_create),
            "PostMessageOrigin": visit.public_url,
            "LastModifiedTime": modified_text(node.modified),
            "SupportsUpdate": true,
            "SupportsRename": true,
            "UserCanRename": is_writable,
            "SupportsLocks": true,
            "SupportsGetLock": true,
            "SupportsExtendedLockLength": true,
            "EnableShare": false,
            "EnableInsertRemoteImage": false,
            "EnableOwnerTermination": false,
            "DisablePrint": stays,
            "DisableExport": stays,
            "DisableCopy": stays,
            "HidePrintOption": stays,
            "HideExportOption": stays,
            "IsAnonymousUser": false,
            "IsAdminUser": false,
            "HasContentRange": true,
            "UserExtraInfo": { "avatar": format!("{}/index.php/avatar/{}/64", visit.public_url, caller.account.login) },
        }),
    )
}

/// PutFile: the document as it is in the editor now, unless somebody else has changed it.
async fn put(open: &Open<'_>, parts: &Parts, body: Body) -> Result<Response, Error> {
    if !open.is_writable {
        return Err(Error::forbidden("The document was opened for reading."));
    }
    let headers = &parts.headers;
    let holder = held(&open.node);
    match (holder, header(headers, "x-wopi-lock")) {
        (Some((current, _)), Some(named)) if current != named => return Ok(conflict(Some(current), "another lock")),
        // A lock that is over; an empty file may be filled without one.
        (None, Some(_)) if open.node.size_bytes > 0 => return Ok(conflict(None, "no lock")),
        _ => {}
    }
    let stamps = ["x-cool-wopi-timestamp", "x-lool-wopi-timestamp"];
    let stamp = stamps.into_iter().find_map(|name| header(headers, name)).filter(|stamp| !stamp.is_empty());
    if stamp.is_some_and(|stamp| stamp != modified_text(open.node.modified)) {
        return Ok(changed_elsewhere());
    }
    let announced_bytes = header(headers, "content-length").and_then(|text| text.parse().ok());
    let options = StageOptions { announced_bytes, replaces_bytes: open.node.size_bytes, ..StageOptions::default() };
    let content = open.caller.tree.stage(body.into_data_stream(), options).await?;
    let change = PutFile {
        path: open.path.clone(),
        content,
        modified: None,
        created: None,
        checksums: None,
        makes_parents: false,
        media_type: open.node.media_type.clone(),
        member: None,
        conditions: Conditions {
            if_match: stamp.map(|_| EtagSet::Of(vec![open.node.etag.to_string()])),
            lock_tokens: holder.map(|(_, token)| token.to_owned()).into_iter().collect(),
            ..Conditions::default()
        },
    };
    match open.caller.tree.apply(change).await {
        Ok(written) => {
            let told_time = json!({ "LastModifiedTime": modified_text(written.node.modified) });
            let mut response = told(StatusCode::OK, &told_time);
            if let Ok(version) = HeaderValue::try_from(written.node.etag.to_string()) {
                response.headers_mut().insert("x-wopi-itemversion", version);
            }
            Ok(response)
        }
        Err(StoreError::ConditionFailed(_)) => Ok(changed_elsewhere()),
        Err(StoreError::Locked { .. }) => Ok(conflict(None, "somebody else's lock")),
        Err(error) => Err(error.into()),
    }
}

/// What makes the office server ask which of two states is to be kept.
fn changed_elsewhere() -> Response {
    told(StatusCode::CONFLICT, &json!({ "COOLStatusCode": 1010, "LOOLStatusCode": 1010 }))
}

async fn overridden(open: &Open<'_>, office: &Office, parts: &Parts, body: Body) -> Result<Response, Error> {
    let headers = &parts.headers;
    let Open { caller, path, node, is_writable, .. } = open;
    let editor = &office.config.product_name;
    match header(headers, "x-wopi-override").unwrap_or("") {
        "GET_LOCK" => Ok(lock::get(node)),
        _ if !is_writable => Err(Error::forbidden("The document was opened for reading.")),
        "LOCK" => lock::lock(caller, path, node, headers, editor).await,
        "UNLOCK" => lock::unlock(caller, path, headers, editor).await,
        "REFRESH_LOCK" => lock::refresh(caller, path, node, headers, editor).await,
        "PUT_RELATIVE" => relative::put(open, office, headers, body).await,
        "RENAME_FILE" => relative::rename(open, headers).await,
        _ => Err(Error::not_implemented()),
    }
}
