//! The Open Collaboration Services API, as far as it exists here: `/ocs/v1.php/…` and `/ocs/v2.php/…`.

mod account_edit;
mod activity;
mod app_password;
mod capabilities;
mod direct;
mod download_limit;
mod emoji;
mod envelope;
mod files_lock;
mod groups;
mod language;
mod notifications;
mod params;
mod password_policy;
mod people;
mod preferences;
mod rich_message;
mod richdocuments;
mod search;
mod sharing;
mod team_folders;
mod user;
mod user_status;
mod users;

use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use nichoir_auth::{AuthError, Caller};
use nichoir_dav::request::read_whole;
use nichoir_dav::{Request, Response, href};
use serde_json::json;

use crate::Visit;
pub(crate) use app_password::client_name;
pub use envelope::Version;
use envelope::{Envelope, Outcome, Reply};
pub(crate) use params::Params;

/// What a route answers: data, or a refusal with its status and words.
type Answer = Result<Reply, Outcome>;

/// A request by somebody who is known, with its parameters.
#[derive(Debug)]
struct Call<'a> {
    visit: &'a Visit<'a>,
    caller: &'a Caller,
    request: &'a Parts,
    params: Params,
}

/// Answers `path`, which is what stands behind `/ocs/v1.php` or `/ocs/v2.php`.
pub async fn handle(visit: Visit<'_>, version: Version, path: &str, request: Request) -> Response {
    let (request, body) = request.into_parts();
    let envelope = Envelope::of(version, &request);
    let parts: Result<Vec<String>, _> = path.split('/').filter(|part| !part.is_empty()).map(href::decode).collect();
    let Ok(parts) = parts else { return envelope.refused(&Outcome::unknown_route()) };
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let caller = visit.caller(&request.headers).await;
    if let (["cloud", "capabilities"], &Method::GET) = (&parts[..], &request.method) {
        let caller = match caller {
            Ok(caller) => Some(caller),
            // Anybody may ask, but wrong credentials are said to be wrong.
            Err(AuthError::Missing) => None,
            Err(error) => return refuse(&envelope, error),
        };
        return match capabilities::reply(&visit, caller.as_ref()).await {
            Ok(reply) => envelope.reply(reply, &request),
            Err(outcome) => envelope.refused(&outcome),
        };
    }
    let caller = match caller {
        Ok(caller) => caller,
        Err(AuthError::Missing) if !is_known(&parts) => return envelope.refused(&Outcome::unknown_route()),
        Err(error) => return refuse(&envelope, error),
    };
    let caller = caller.acting_from(visit.address);
    let visit = Visit { space: &caller.space, ..visit };
    let answer = async {
        let body = read_whole(body, visit.parameter_bytes_max).await.map_err(Outcome::from)?;
        let params = Params::of(&request, &body)?;
        Box::pin(route(&Call { visit: &visit, caller: &caller, request: &request, params }, &parts)).await
    };
    let answer = match answer.await {
        Ok(reply) => envelope.reply(reply, &request),
        Err(outcome) => envelope.refused(&outcome),
    };
    named(answer, &caller)
}

/// The parameters of a request outside of OCS, which come in the same ways.
///
/// # Errors
/// 400 for a body that is not what its `Content-Type` says.
pub(crate) fn parameters(request: &Parts, body: &[u8]) -> Result<Params, nichoir_dav::Error> {
    Params::of(request, body).map_err(|_| nichoir_dav::Error::bad_request("The body is not what its type says."))
}

/// Whether there are routes below the first names of the path: who has not logged in is told so, of what there is.
fn is_known(parts: &[&str]) -> bool {
    matches!(
        parts,
        ["cloud", "user" | "users" | "groups", ..]
            | ["core", "getapppassword" | "apppassword" | "navigation" | "autocomplete", ..]
            | [
                "apps",
                "files_downloadlimit"
                    | "files_lock"
                    | "files_sharing"
                    | "groupfolders"
                    | "notifications"
                    | "activity"
                    | "user_status"
                    | "provisioning_api"
                    | "password_policy",
                ..
            ]
            | ["hovercard", ..]
            | ["search", "providers", ..]
            | ["apps", "dav", "api", "v1", "direct"]
            | ["apps", "richdocuments", ..]
    )
}

/// The routes; a method that a known path does not take is as unknown as a path.
async fn route(call: &Call<'_>, parts: &[&str]) -> Answer {
    match (&call.request.method, parts) {
        (&Method::GET, ["cloud", "user"]) => user::object(call.caller).await,
        (&Method::GET, ["cloud", "user", "fields"] | ["cloud", "user", "fields", _]) => user::editable_fields(),
        (_, ["cloud", "users", rest @ ..]) => route_users(call, rest).await,
        (_, ["cloud", "groups", rest @ ..]) => route_groups(call, rest).await,
        (&Method::GET, ["core", "getapppassword"]) => app_password::make(call).await,
        (&Method::POST, ["core", "apppassword", "rotate"]) => app_password::rotate(call).await,
        (&Method::PUT, ["core", "apppassword", "confirm"]) => app_password::confirm(call).await,
        (&Method::GET, ["core", "autocomplete", "get"]) => people::suggest(call).await,
        (&Method::GET, ["hovercard", "v1", login]) => people::hovercard(call, login).await,
        (&Method::GET, ["apps", "password_policy", "api", "v1", "generate"]) => password_policy::generate(call),
        (&Method::POST, ["apps", "password_policy", "api", "v1", "validate"]) => password_policy::validate(call),
        (
            method @ (&Method::POST | &Method::DELETE),
            ["apps", "provisioning_api", "api", "v1", "config", "users", app, key],
        ) => preferences::set(call, app, key, *method == Method::POST).await,
        (&Method::DELETE, ["core", "apppassword"]) => app_password::revoke(call.caller).await,
        (&Method::GET, ["core", "navigation", "apps" | "settings"]) => Ok(navigation()),
        (&Method::POST, ["apps", "richdocuments", "api", "v1", "document"]) => richdocuments::open(call).await,
        (&Method::POST, ["apps", "dav", "api", "v1", "direct"]) => direct::make(call).await,
        (&Method::PUT | &Method::DELETE, ["apps", "files_lock", "lock", id]) => files_lock::answer(call, id).await,
        (_, ["apps", "notifications", "api", "v2", rest @ ..]) => notifications::route(call, rest).await,
        (_, ["apps", "activity", "api", "v2", rest @ ..]) => activity::route(call, rest).await,
        (_, ["apps", "user_status", "api", "v1", rest @ ..]) => user_status::route(call, rest).await,
        (&Method::GET, ["apps", "groupfolders", "folders"]) => team_folders::list(call).await,
        (_, ["apps", "files_downloadlimit", "api", "v1", below @ ..]) => download_limit::route(call, below).await,
        (_, ["apps", "files_sharing", "api", "v1", below @ ..]) => sharing::route(call, below).await,
        (&Method::GET, ["search", "providers"]) => Ok(search::providers().into()),
        (&Method::GET, ["search", "providers", provider, "search"]) => search::search(call, provider).await,
        _ => Err(Outcome::unknown_route()),
    }
}

/// The pages that clients show as shortcuts: none, as long as there are none. Tagged, because the desktop client asks often.
fn navigation() -> Reply {
    Reply::from(json!([])).with_header("etag", "\"empty\"")
}

/// The routes below `cloud/users`.
async fn route_users(call: &Call<'_>, parts: &[&str]) -> Answer {
    match (&call.request.method, parts) {
        (&Method::GET, []) => users::list(call).await,
        (&Method::POST, []) => users::create(call).await,
        (&Method::GET, ["details" | "recent"]) => users::details(call, |_| true).await,
        (&Method::GET, ["disabled"]) => users::details(call, |account| !account.is_enabled).await,
        (&Method::GET, [login]) => users::get(call, login).await,
        (&Method::PUT, [login]) => users::edit(call, login).await,
        (&Method::DELETE, [login]) => users::delete(call, login).await,
        (&Method::PUT, [login, "enable"]) => users::set_enabled(call, login, true).await,
        (&Method::PUT, [login, "disable"]) => users::set_enabled(call, login, false).await,
        (&Method::POST, [login, "wipe"]) => users::wipe(call, login).await,
        (&Method::GET, [login, "groups"]) => users::groups_of(call, login).await,
        (&Method::POST, [login, "groups"]) => users::set_membership(call, login, true).await,
        (&Method::DELETE, [login, "groups"]) => users::set_membership(call, login, false).await,
        (&Method::GET, [login, "subadmins"]) => users::subadmins(call, login).await,
        _ => Err(Outcome::unknown_route()),
    }
}

/// The routes below `cloud/groups`.
async fn route_groups(call: &Call<'_>, parts: &[&str]) -> Answer {
    match (&call.request.method, parts) {
        (&Method::GET, []) => groups::list(call, false).await,
        (&Method::GET, ["details"]) => groups::list(call, true).await,
        (&Method::POST, []) => groups::create(call).await,
        (&Method::GET, [name] | [name, "users"]) => groups::members(call, name).await,
        (&Method::GET, [name, "users", "details"]) => users::details_of_group(call, name).await,
        (&Method::GET, [name, "subadmins"]) => groups::subadmins(call, name).await,
        (&Method::PUT, [name]) => groups::edit(call, name).await,
        (&Method::DELETE, [name]) => groups::delete(call, name).await,
        _ => Err(Outcome::unknown_route()),
    }
}

/// Tells who the answer is for.
fn named(mut response: Response, caller: &Caller) -> Response {
    if let Ok(login) = HeaderValue::try_from(&caller.account.login) {
        response.headers_mut().insert("x-user-id", login);
    }
    response
}

fn refuse(envelope: &Envelope, error: AuthError) -> Response {
    let had_credentials = !matches!(error, AuthError::Missing);
    let retry_after = match error {
        AuthError::Throttled { retry_after_seconds } => Some(retry_after_seconds),
        AuthError::Unavailable(_) => Some(30),
        _ => None,
    };
    let error = crate::auth_error(error);
    let outcome = match error.status() {
        StatusCode::UNAUTHORIZED => Outcome::new(StatusCode::UNAUTHORIZED, 997, "Unauthorised"),
        status => Outcome::new(status, i64::from(status.as_u16()), error.message()),
    };
    let mut response = envelope.refused(&outcome);
    // The statuses that steer a client's account are the same in both versions.
    *response.status_mut() = outcome.status;
    let headers = response.headers_mut();
    if outcome.status == StatusCode::UNAUTHORIZED && had_credentials {
        let challenge = HeaderValue::from_static("Basic realm=\"Authorisation Required\", charset=\"UTF-8\"");
        headers.insert(http::header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = retry_after {
        headers.insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
