//! The Notes API, versions 0.2 and 1: notes are text files in the member's notes folder, categories the folders in it. Sheets
//! `nextcloud-ocs`, section 15, and `mobile-clients`, section 5.

mod attachment;
mod listing;
mod note;
mod settings;
mod title;
mod write;

use http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use nichoir_auth::Caller;
use nichoir_dav::header::condition;
use nichoir_dav::request::{empty, read_whole};
use nichoir_dav::{Body, Error, Request, Response, href};
use nichoir_store::Error as StoreError;
use serde_json::{Value, json};

use crate::ocs::Params;
use crate::{Visit, ocs, with_body};
use note::Note;
use settings::Settings;
pub(crate) use settings::folder_of as notes_folder_of;

/// What the answers and the capabilities say that we speak.
pub(crate) const VERSIONS: [&str; 3] = ["0.2", "1.3", "1.4"];

/// The limits of notes, each a setting of the same name.
#[derive(Clone, Debug)]
pub struct NotesLimits {
    /// Bytes of one note. Larger files are listed, but neither read nor changed.
    pub note_bytes_max: usize,
    /// Notes and categories of one account; where there are more, none is told.
    pub notes_max: usize,
    /// Bytes of a file that is attached to a note.
    pub attachment_bytes_max: usize,
}

impl Default for NotesLimits {
    fn default() -> NotesLimits {
        NotesLimits { note_bytes_max: 1024 * 1024, notes_max: 50_000, attachment_bytes_max: 8 * 1024 * 1024 }
    }
}

/// A refusal: its status, and what the apps read of it.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    body: Value,
    retry_after_seconds: Option<u32>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        if error.status().is_server_error() {
            tracing::warn!(cause = %error, "a request to the notes failed");
        }
        let body = json!({ "errorType": error.message() });
        Refusal { status: error.status(), body, retry_after_seconds: error.retry_after_seconds() }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        Error::from(error).into()
    }
}

type Answer = Result<Response, Refusal>;

/// A request by somebody who is known.
#[derive(Debug)]
struct Call<'a> {
    caller: &'a Caller,
    limits: &'a NotesLimits,
    request: &'a Parts,
    settings: Settings,
    /// Titles come from the content, as in version 0.2.
    is_old: bool,
}

/// Answers `path`, which is what stands behind `/apps/notes/api`.
pub async fn handle(visit: Visit<'_>, limits: &NotesLimits, path: &str, request: Request) -> Response {
    let (request, body) = request.into_parts();
    let mut response = match visit.caller(&request.headers).await {
        Ok(caller) => match route(&caller, limits, path, &request, body).await {
            Ok(response) => response,
            Err(refusal) => refused(refusal),
        },
        Err(error) => {
            let mut response = refused(crate::auth_error(error).into());
            if response.status() == StatusCode::UNAUTHORIZED {
                let challenge = HeaderValue::from_static("Basic realm=\"nichoir\", charset=\"UTF-8\"");
                response.headers_mut().insert(http::header::WWW_AUTHENTICATE, challenge);
            }
            response
        }
    };
    response.headers_mut().insert("x-notes-api-versions", HeaderValue::from_static("0.2, 1.3, 1.4"));
    response
}

fn refused(refusal: Refusal) -> Response {
    let mut response = json_answer(refusal.status, &refusal.body);
    if let Some(seconds) = refusal.retry_after_seconds {
        response.headers_mut().insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    with_body(status, "application/json; charset=utf-8", body.to_string())
}

/// Whether `v1`, `v1.3` and the like is a version of ours; `Some(true)`: the old one.
fn is_old(version: &str) -> Option<bool> {
    match version.strip_prefix('v')? {
        "0.2" => Some(true),
        "1" | "1.0" | "1.1" | "1.2" | "1.3" | "1.4" => Some(false),
        _ => None,
    }
}

async fn route(caller: &Caller, limits: &NotesLimits, path: &str, request: &Parts, body: Body) -> Answer {
    let parts: Result<Vec<String>, _> = path.split('/').filter(|part| !part.is_empty()).map(href::decode).collect();
    let parts = parts?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let unknown = || Refusal::from(Error::bad_request("There is no such call."));
    let [version, parts @ ..] = &parts[..] else { return Err(unknown()) };
    let is_old = is_old(version).ok_or_else(unknown)?;
    let settings = Settings::load(caller).await?;
    let call = Call { caller, limits, request, settings, is_old };
    // An attachment is read as it arrives; all else is a form.
    match (&request.method, parts) {
        (&Method::GET, ["attachment", id]) => return attachment::get(&call, number(id)?).await,
        (&Method::POST, ["attachment", id]) => return attachment::post(&call, number(id)?, body).await,
        _ => {}
    }
    // JSON writes a character of a note in up to six; a form in up to nine.
    let body = read_whole(body, limits.note_bytes_max.saturating_mul(6).saturating_add(65_536)).await?;
    let params = ocs::parameters(request, &body)?;
    match (&request.method, parts) {
        (&Method::GET, ["notes"]) => listing::list(&call, &params).await,
        (&Method::POST, ["notes"]) => write::create(&call, &params).await,
        (&Method::GET, ["notes", id]) => get(&call, number(id)?, &params).await,
        (&Method::PUT, ["notes", id]) => write::update(&call, number(id)?, &params).await,
        (&Method::DELETE, ["notes", id]) => write::delete(&call, number(id)?).await,
        (&Method::GET, ["settings"]) => Ok(json_answer(StatusCode::OK, &call.settings.shown())),
        (&Method::PUT, ["settings"]) => {
            let settings = call.settings.with(&params);
            settings.save(caller).await?;
            Ok(json_answer(StatusCode::OK, &settings.shown()))
        }
        _ => Err(unknown()),
    }
}

fn number(text: &str) -> Result<i64, Refusal> {
    text.parse().map_err(|_| Refusal::from(Error::bad_request("The id of a note is a number.")))
}

/// One note, unless the client has it already.
async fn get(call: &Call<'_>, id: i64, params: &Params) -> Answer {
    let mut note = Note::find(call, id).await?;
    if condition::names(&call.request.headers, &IF_NONE_MATCH, &note.etag()) {
        let mut response = Response::new(empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(tagged(response, &note.etag()));
    }
    note.load(call).await?;
    Ok(tagged(json_answer(StatusCode::OK, &note.shown(&excluded(params), call.limits)), &note.etag()))
}

/// A note as it is now, with its tag.
async fn told(call: &Call<'_>, id: i64) -> Answer {
    let mut note = Note::find(call, id).await?;
    note.load(call).await?;
    Ok(tagged(json_answer(StatusCode::OK, &note.shown(&[], call.limits)), &note.etag()))
}

/// What the client does not want to be told.
fn excluded(params: &Params) -> Vec<String> {
    let text = params.text("exclude").unwrap_or_default();
    text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

fn tagged(mut response: Response, etag: &str) -> Response {
    if let Ok(value) = HeaderValue::try_from(format!("\"{etag}\"")) {
        response.headers_mut().insert(ETAG, value);
    }
    response
}

/// Whether the client guards its write with another state than this.
fn is_outdated(request: &Parts, etag: &str) -> bool {
    request.headers.contains_key(IF_MATCH) && !condition::names(&request.headers, &IF_MATCH, etag)
}
