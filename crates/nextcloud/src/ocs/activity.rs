//! The stream of activities: what the caller and others did to the files she sees. Sheet `nextcloud-ocs` section 7.

use http::{Method, StatusCode};
use nichoir_dav::{href, media_type};
use nichoir_store::{Account, Activity, ActivityFilter, ActivityKind, FileId, SeenFile};
use serde_json::{Value, json};

use super::language::{Language, iso};
use super::notifications::{people, rich_person};
use super::rich_message::Logins;
use super::{Answer, Call, Outcome, Reply};
use crate::preview::has_preview;

/// Activities in one answer, unless fewer are asked for.
const COUNT: u32 = 50;
/// Activities in one answer at most.
const COUNT_MAX: i64 = 200;
/// Pixels of the sides of the picture beside an activity.
const PREVIEW_SIDE: u32 = 256;

pub(super) async fn route(call: &Call<'_>, parts: &[&str]) -> Answer {
    match (&call.request.method, parts) {
        (&Method::GET, ["activity", "filters"]) => Ok(filters(Language::of(call)).into()),
        (&Method::GET, ["activity"]) => list(call, "all").await,
        (&Method::GET, ["activity", filter]) => list(call, filter).await,
        _ => Err(Outcome::unknown_route()),
    }
}

/// The filters that there are, in the order of menus.
fn filters(language: Language) -> Value {
    let filter = |id: &str, english: &str, french: &str, priority: u32| json!({ "id": id, "name": language.pick(english, french), "icon": "", "priority": priority });
    json!([
        filter("all", "All activities", "Toutes les activités", 0),
        filter("self", "By you", "Par vous", 1),
        filter("by", "By others", "Par d’autres", 2),
        filter("files", "File changes", "Modifications de fichiers", 30),
        filter("files_sharing", "File shares", "Partages de fichiers", 31),
        filter("comments", "Comments", "Commentaires", 40),
    ])
}

fn filter_of(call: &Call<'_>, name: &str) -> Option<ActivityFilter> {
    Some(match name {
        "all" => ActivityFilter::All,
        "self" => ActivityFilter::Own,
        "by" => ActivityFilter::OfOthers,
        "files" => ActivityFilter::Files,
        "files_sharing" => ActivityFilter::Shares,
        "comments" => ActivityFilter::Comments,
        "filter" if call.params.text("object_type").as_deref() == Some("files") => {
            ActivityFilter::Of(FileId(call.params.number("object_id")?))
        }
        _ => return None,
    })
}

async fn list(call: &Call<'_>, name: &str) -> Answer {
    let filter = filter_of(call, name).ok_or_else(|| Outcome::not_found("There is no such filter."))?;
    let since = call.params.number("since").filter(|since| *since > 0);
    let limit = call.params.number("limit").filter(|limit| *limit > 0).unwrap_or(i64::from(COUNT));
    let count = u32::try_from(limit.min(COUNT_MAX)).unwrap_or(COUNT);
    let found = call.caller.tree.activities(filter, since, count).await?;
    let (Some(first), Some(last)) = (found.first(), found.last()) else {
        // No body: what clients take for the end of the stream.
        return Ok(Reply::bare(StatusCode::NOT_MODIFIED));
    };
    let (first, last) = (first.id, last.id);
    let people = people(call).await?;
    let language = Language::of(call);
    let logins = Logins::of(&people);
    let files = match call.params.truth("previews") {
        Some(true) => {
            let nodes: Vec<FileId> = found.iter().map(|activity| activity.node).collect();
            Some(call.caller.tree.seen_files(&nodes).await?)
        }
        _ => None,
    };
    let object = |activity: &Activity| {
        let mut object = object(call, language, activity, (people.get(&activity.actor), &logins));
        if let Some(files) = &files {
            let shown = files.get(&activity.node).and_then(|file| preview(call, file));
            object["previews"] = shown.into_iter().collect();
        }
        object
    };
    let data = Value::Array(found.iter().map(object).collect());
    let etag = format!("\"{first:024x}{:08x}\"", crc32fast::hash(data.to_string().as_bytes()));
    let reply = Reply::from(data).with_header("etag", &etag).with_header("x-activity-first-known", &first.to_string());
    let reply = reply.with_header("x-activity-last-given", &last.to_string());
    Ok(match found.len() as u64 == u64::from(count) {
        true => reply.with_header("link", &next(call, name, last, count)),
        false => reply,
    })
}

/// The picture that goes with an activity; `None` where there is none: apps draw icons of their own.
fn preview(call: &Call<'_>, file: &SeenFile) -> Option<Value> {
    let SeenFile { node, is_trashed } = file;
    if !has_preview(call.visit.previews.kinds(), node) {
        return None;
    }
    let base = call.visit.public_url;
    let (view, place, link) = match is_trashed {
        true => ("trashbin", "apps/files_trashbin/preview", format!("{base}/apps/files/?view=trashbin")),
        false => ("files", "core/preview", format!("{base}/f/{}", node.id)),
    };
    Some(json!({
        "link": link,
        "source": format!("{base}/index.php/{place}?fileId={}&x={PREVIEW_SIDE}&y={PREVIEW_SIDE}&a=1", node.id),
        "mimeType": media_type(node),
        "isMimeTypeIcon": false,
        "fileId": node.id.0,
        "view": view,
        "filename": node.name,
    }))
}

/// Where the stream goes on.
fn next(call: &Call<'_>, filter: &str, last: i64, count: u32) -> String {
    let mut address = format!("{}/ocs/v2.php/apps/activity/api/v2/activity", call.visit.public_url);
    if filter != "all" {
        address.push_str(&format!("/{filter}"));
    }
    address.push_str(&format!("?since={last}&limit={count}&sort=desc"));
    if let (Some(object), true) = (call.params.number("object_id"), filter == "filter") {
        address.push_str(&format!("&object_type=files&object_id={object}"));
    }
    if call.params.text("format").as_deref() == Some("json") {
        address.push_str("&format=json");
    }
    format!("<{address}>; rel=\"next\"")
}

/// App and type, as clients know them.
fn kind_of(kind: ActivityKind) -> (&'static str, &'static str) {
    match kind {
        ActivityKind::Created => ("files", "file_created"),
        ActivityKind::Changed | ActivityKind::Moved => ("files", "file_changed"),
        ActivityKind::Deleted => ("files", "file_deleted"),
        ActivityKind::Restored => ("files", "file_restored"),
        ActivityKind::Shared => ("files_sharing", "shared"),
        ActivityKind::Commented => ("comments", "comments"),
    }
}

/// The sentence with its places, for oneself and for somebody else.
fn template(language: Language, kind: ActivityKind, is_own: bool) -> &'static str {
    let (own, other, own_french, other_french) = match kind {
        ActivityKind::Created => ("You created", "{user} created", "Vous avez créé", "{user} a créé"),
        ActivityKind::Changed => ("You changed", "{user} changed", "Vous avez modifié", "{user} a modifié"),
        ActivityKind::Moved => ("You moved", "{user} moved", "Vous avez déplacé", "{user} a déplacé"),
        ActivityKind::Deleted => ("You deleted", "{user} deleted", "Vous avez supprimé", "{user} a supprimé"),
        ActivityKind::Restored => ("You restored", "{user} restored", "Vous avez restauré", "{user} a restauré"),
        ActivityKind::Shared => ("You shared", "{user} shared", "Vous avez partagé", "{user} a partagé"),
        ActivityKind::Commented => {
            ("You commented on", "{user} commented on", "Vous avez commenté", "{user} a commenté")
        }
    };
    if is_own { language.pick(own, own_french) } else { language.pick(other, other_french) }
}

fn object(
    call: &Call<'_>,
    language: Language,
    activity: &Activity,
    (actor, logins): (Option<&Account>, &Logins<'_>),
) -> Value {
    let is_own = activity.actor == call.caller.account.id;
    let is_comment = activity.kind == ActivityKind::Commented;
    let (app, kind) = kind_of(activity.kind);
    let path = activity.path.to_string();
    let id = activity.node.0;
    let name = actor.map_or(language.pick("Somebody", "Quelqu’un"), |actor| &actor.display_name);
    let file = |path: &str| {
        json!({
            "type": "file",
            "id": id.to_string(),
            "name": path.rsplit('/').next().unwrap_or_default(),
            "path": path.trim_start_matches('/'),
            "link": format!("{}/f/{id}", call.visit.public_url),
        })
    };
    let mut template = template(language, activity.kind, is_own).to_owned();
    let mut parameters = json!({});
    // Where it was before is the actor's own business.
    if activity.kind == ActivityKind::Moved && is_own {
        template.push_str(language.pick(" {oldfile} to {newfile}", " {oldfile} vers {newfile}"));
        parameters["oldfile"] = file(&activity.detail);
        parameters["newfile"] = file(&path);
    } else {
        template.push_str(" {file}");
        parameters["file"] = file(&path);
    }
    if activity.others > 0 {
        template.push_str(&language.pick(" and N more", " et N autres").replace('N', &activity.others.to_string()));
    }
    let mut subject = template.clone();
    for (place, value) in parameters.as_object().into_iter().flatten() {
        subject = subject.replace(&format!("{{{place}}}"), value["path"].as_str().unwrap_or_default());
    }
    let subject = subject.replace("{user}", name);
    if !is_own {
        parameters["user"] = match actor {
            Some(actor) => rich_person(actor),
            None => json!({ "type": "highlight", "id": "", "name": name }),
        };
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let message = logins.rich(if is_comment { &activity.detail } else { "" });
    json!({
        "activity_id": activity.id,
        "app": app,
        "type": kind,
        "user": actor.map_or("", |actor| &actor.login),
        "affecteduser": call.caller.account.login,
        "subject": subject,
        "subject_rich": [template, parameters],
        "message": message.plain,
        "message_rich": [message.template, message.parameters],
        "object_type": "files",
        "object_id": id,
        "object_name": path,
        "objects": { id.to_string(): path },
        "link": folder_link(call.visit.public_url, folder),
        "icon": "",
        "datetime": iso(activity.happened),
    })
}

/// Where the folder at that path is shown.
fn folder_link(public_url: &str, folder: &str) -> String {
    let mut link = format!("{public_url}/apps/files/?dir=/");
    for name in folder.split('/').filter(|name| !name.is_empty()) {
        if !link.ends_with('/') {
            link.push('/');
        }
        href::append_name(&mut link, name);
    }
    link
}

/// As capabilities say it.
pub(super) fn capability() -> Value {
    json!({ "apiv2": ["filters", "filters-api", "previews", "rich-strings"] })
}
