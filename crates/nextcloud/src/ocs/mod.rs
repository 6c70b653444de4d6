//! The Open Collaboration Services API, as far as it exists here: `/ocs/v1.php/…` and `/ocs/v2.php/…`.

mod app_password;
mod capabilities;
mod envelope;
mod user;

use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use nichoir_auth::{AuthError, Caller};
use nichoir_dav::Response;
use serde_json::{Value, json};

use crate::Visit;
pub(crate) use app_password::client_name;
pub use envelope::Version;
use envelope::{Envelope, Outcome};

/// What a route answers: data, or a refusal with its status and words.
type Answer = Result<Value, Outcome>;

/// Answers `path`, which is what stands behind `/ocs/v1.php` or `/ocs/v2.php`.
pub async fn handle(visit: Visit<'_>, version: Version, path: &str, request: &Parts) -> Response {
    let envelope = Envelope::of(version, request);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let caller = visit.caller(&request.headers).await;
    if let (["cloud", "capabilities"], &Method::GET) = (&parts[..], &request.method) {
        return match caller {
            // Anybody may ask, but wrong credentials are said to be wrong.
            Ok(_) => capabilities::answer(&envelope, &visit, true, request),
            Err(AuthError::Missing) => capabilities::answer(&envelope, &visit, false, request),
            Err(error) => refuse(&envelope, error),
        };
    }
    let caller = match caller {
        Ok(caller) => caller,
        Err(error) if is_known(&parts) => return refuse(&envelope, error),
        Err(AuthError::Missing) => return envelope.refused(&Outcome::unknown_route()),
        Err(error) => return refuse(&envelope, error),
    };
    let answer = match route(&visit, &caller, &parts, request).await {
        Ok(data) => envelope.data(&data),
        Err(outcome) => envelope.refused(&outcome),
    };
    named(answer, &caller)
}

/// The routes; a method that a known path does not take is as unknown as a path.
fn is_known(parts: &[&str]) -> bool {
    matches!(
        parts,
        ["cloud", "user"]
            | ["cloud", "users", _]
            | ["core", "getapppassword" | "apppassword"]
            | ["core", "navigation", "apps"]
    )
}

async fn route(visit: &Visit<'_>, caller: &Caller, parts: &[&str], request: &Parts) -> Answer {
    match (&request.method, parts) {
        (&Method::GET, ["cloud", "user"]) => user::object(caller).await,
        (&Method::GET, ["cloud", "users", login]) => user::of_login(caller, login).await,
        (&Method::GET, ["core", "getapppassword"]) => app_password::make(visit, caller, request).await,
        (&Method::DELETE, ["core", "apppassword"]) => app_password::revoke(caller).await,
        (&Method::GET, ["core", "navigation", "apps"]) => Ok(json!([])),
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
