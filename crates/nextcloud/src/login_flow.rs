//! Login flow v2 and v1: a client opens a page, a member logs in there, the client gets an app password of its own.
//!
//! Version 2: `POST /login/v2` begins; `GET|POST /login/v2/flow/TOKEN` is the page; `POST /login/v2/poll` fetches the app
//! password, once. Version 1: `GET|POST /login/flow`, which ends in a redirect to the client's own `nc:` scheme. No cookie is
//! needed: the page's token is known only to whoever was sent there, and password and consent arrive in one form.

use http::header::LOCATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use nichoir_auth::{AuthError, Caller, device_hash, new_app_password, open_sealed, seal, token_hash};
use nichoir_dav::request::{empty, read_whole};
use nichoir_dav::{Request, Response};
use nichoir_store::{Error as StoreError, LoginFlow, LoginGrant};
use serde_json::json;

use crate::ocs::client_name;
use crate::page::{Language, escape, page};
use crate::{Visit, with_body};

/// How long a flow may take, from its beginning to the last poll.
const LIFETIME_SECONDS: i64 = 20 * 60;
/// Characters of a token.
const TOKEN_LENGTH: usize = 128;
/// Bytes of a form.
const FORM_BYTES_MAX: usize = 8 * 1024;

/// Answers `path`, which is what stands behind `/login`.
pub async fn handle(visit: Visit<'_>, path: &str, request: Request) -> Response {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let method = request.method().clone();
    match (method, &parts[..]) {
        (Method::POST, ["v2"]) => {
            let (parts, _) = request.into_parts();
            begin(&visit, &parts.headers).await
        }
        (Method::POST, ["v2", "poll"]) => poll(&visit, request).await,
        (Method::GET, ["v2", "flow", token]) => {
            let (parts, _) = request.into_parts();
            show(&visit, token, &parts).await
        }
        (Method::POST, ["v2", "flow", token]) => grant(&visit, token, request).await,
        (Method::GET, ["flow"]) => show_v1(&visit, &request.into_parts().0),
        (Method::POST, ["flow"]) => grant_v1(&visit, request).await,
        _ => not_here(request.headers()),
    }
}

/// The remote-wipe questions, `/core/wipe/check` and `/core/wipe/success`: a client that was told 401 asks whether to erase what
/// it holds. For any token that is not marked the answer is 404.
pub async fn wipe(visit: Visit<'_>, is_check: bool, request: Request) -> Response {
    let token = match read_whole(request.into_body(), FORM_BYTES_MAX).await {
        Ok(body) => field(&body, "token"),
        Err(error) => return with_body(error.status(), "application/json; charset=utf-8", "[]"),
    };
    let found = match token {
        Some(token) => visit.space.device_by_hash(&device_hash(visit.space, &token)).await,
        None => Err(StoreError::NotFound),
    };
    match found {
        Ok((device, _)) if device.is_wiped && is_check => json_answer(StatusCode::OK, &json!({ "wipe": true })),
        Ok((device, account)) if device.is_wiped => {
            let (id, device_id) = (account.id, device.id);
            let wiped = Caller::new(visit.space, account, Some(device)).acting_from(visit.address);
            match wiped.space.revoke_device(id, device_id).await {
                Ok(()) | Err(StoreError::NotFound) => json_answer(StatusCode::OK, &json!([])),
                Err(_) => unavailable(),
            }
        }
        Ok(_) | Err(StoreError::NotFound) => json_answer(StatusCode::NOT_FOUND, &json!([])),
        Err(_) => unavailable(),
    }
}

async fn begin(visit: &Visit<'_>, headers: &HeaderMap) -> Response {
    let ports = visit.space.ports();
    let (poll, shown) = (ports.alphanumeric(TOKEN_LENGTH), ports.alphanumeric(TOKEN_LENGTH));
    let flow = LoginFlow {
        poll_hash: token_hash(visit.space, &poll),
        page_hash: token_hash(visit.space, &shown),
        client_name: client_name(headers),
        created: ports.clock.now(),
        grant: None,
    };
    match visit.space.begin_login_flow(flow, LIFETIME_SECONDS).await {
        Ok(()) => {
            let base = visit.public_url;
            let poll = json!({ "token": poll, "endpoint": format!("{base}/login/v2/poll") });
            json_answer(StatusCode::OK, &json!({ "poll": poll, "login": format!("{base}/login/v2/flow/{shown}") }))
        }
        Err(_) => unavailable(),
    }
}

async fn poll(visit: &Visit<'_>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let token = read_whole(body, FORM_BYTES_MAX).await.ok().and_then(|body| field(&body, "token"));
    // iOS has it in the query, and an empty body.
    let in_query = || parts.uri.query().and_then(|query| field(query.as_bytes(), "token"));
    let token = token.or_else(in_query).unwrap_or_default();
    let taken = visit.space.take_login_flow(&token_hash(visit.space, &token)).await;
    let granted = match taken {
        Ok(Some(flow)) if is_alive(visit, &flow) => flow.grant,
        Ok(_) | Err(StoreError::NotFound) => None,
        Err(_) => return unavailable(),
    };
    // Pending, unknown, expired and taken look the same, without a body: one client gives up at `[]`.
    let Some(grant) = granted else { return nothing_yet() };
    let seal_key = seal_key(visit, &token_hash(visit.space, &token));
    let account = visit.space.account(grant.account).await;
    match (open_sealed(&seal_key, &grant.sealed_password), account) {
        (Some(password), Ok(account)) => {
            let answer = json!({ "server": visit.public_url, "loginName": account.login, "appPassword": password });
            json_answer(StatusCode::OK, &answer)
        }
        _ => nothing_yet(),
    }
}

/// What the app password is sealed with while it waits. The page knows the flow's row and not the poll token, so the key is
/// made of the space's secret, which is kept apart from the rows, and of the flow.
fn seal_key(visit: &Visit<'_>, poll_hash: &[u8; 32]) -> String {
    let key = visit.space.key("login-flow-seal");
    key.iter().chain(poll_hash).map(|byte| format!("{byte:02x}")).collect()
}

fn is_alive(visit: &Visit<'_>, flow: &LoginFlow) -> bool {
    visit.space.ports().clock.now() < flow.created.plus_seconds(LIFETIME_SECONDS)
}

/// The flow behind a page's token, if it still waits.
async fn waiting_flow(visit: &Visit<'_>, token: &str) -> Result<Option<LoginFlow>, StoreError> {
    match visit.space.login_flow_by_page(&token_hash(visit.space, token)).await {
        Ok(flow) => Ok(Some(flow).filter(|flow| flow.grant.is_none() && is_alive(visit, flow))),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn show(visit: &Visit<'_>, token: &str, request: &Parts) -> Response {
    let language = Language::of(&request.headers);
    match waiting_flow(visit, token).await {
        Ok(Some(flow)) => {
            let login = request.uri.query().and_then(|query| field(query.as_bytes(), "user")).unwrap_or_default();
            form(StatusCode::OK, visit, language, &flow.client_name, &login, None)
        }
        Ok(None) => expired(language),
        Err(_) => unavailable(),
    }
}

async fn grant(visit: &Visit<'_>, token: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let language = Language::of(&parts.headers);
    let flow = match waiting_flow(visit, token).await {
        Ok(Some(flow)) => flow,
        Ok(None) => return expired(language),
        Err(_) => return unavailable(),
    };
    let (login, caller) = match log_in(visit, &parts.headers, body).await {
        Ok(found) => found,
        Err(refused) => return refused,
    };
    let caller = match caller {
        Ok(caller) => caller.acting_from(visit.address),
        Err(error) => return form_again(visit, language, &flow.client_name, &login, &error),
    };
    let password = new_app_password(visit.space);
    let sealed_password = seal(&seal_key(visit, &flow.poll_hash), &password);
    let granted = LoginGrant { account: caller.account.id, sealed_password };
    let hash = device_hash(visit.space, &password);
    match caller.space.grant_login_flow(&flow.page_hash, hash, granted).await {
        Ok(()) => page(
            StatusCode::OK,
            language,
            language.say("Device connected", "Appareil connecté"),
            language.say(
                "<p>You can close this window and go back to your app.</p>",
                "<p>Vous pouvez fermer cette fenêtre et revenir à votre application.</p>",
            ),
        ),
        Err(StoreError::NotFound) => expired(language),
        Err(StoreError::TooLarge { .. }) => too_many_devices(language),
        Err(_) => unavailable(),
    }
}

fn show_v1(visit: &Visit<'_>, request: &Parts) -> Response {
    let language = Language::of(&request.headers);
    // The header keeps the page from being opened by a link that somebody else made.
    if !request.headers.contains_key("ocs-apirequest") {
        return page(
            StatusCode::FORBIDDEN,
            language,
            language.say("Access forbidden", "Accès interdit"),
            language.say(
                "<p>Please open this page from your app.</p>",
                "<p>Veuillez ouvrir cette page depuis votre application.</p>",
            ),
        );
    }
    form(StatusCode::OK, visit, language, &client_name(&request.headers), "", None)
}

async fn grant_v1(visit: &Visit<'_>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let language = Language::of(&parts.headers);
    let client = client_name(&parts.headers);
    if !comes_from_here(visit, &parts.headers) {
        return expired(language);
    }
    let (login, caller) = match log_in(visit, &parts.headers, body).await {
        Ok(found) => found,
        Err(refused) => return refused,
    };
    let caller = match caller {
        Ok(caller) => caller.acting_from(visit.address),
        Err(error) => return form_again(visit, language, &client, &login, &error),
    };
    let password = new_app_password(visit.space);
    match caller.space.create_device(caller.account.id, &client, device_hash(visit.space, &password)).await {
        Ok(_) => {}
        Err(StoreError::TooLarge { .. }) => return too_many_devices(language),
        Err(_) => return unavailable(),
    }
    let place = format!(
        "nc://login/server:{}&user:{}&password:{password}",
        visit.public_url,
        form_encoded(&caller.account.login)
    );
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    match HeaderValue::try_from(place) {
        Ok(place) => {
            response.headers_mut().insert(LOCATION, place);
            response
        }
        Err(_) => unavailable(),
    }
}

/// A form that another site made the browser send has that site's origin.
fn comes_from_here(visit: &Visit<'_>, headers: &HeaderMap) -> bool {
    match headers.get("origin").and_then(|value| value.to_str().ok()) {
        Some(origin) => origin == "null" || origin == visit.public_url,
        None => true,
    }
}

/// Reads the form and checks its password. `Err`: the form itself is not usable.
async fn log_in(
    visit: &Visit<'_>,
    headers: &HeaderMap,
    body: nichoir_dav::Body,
) -> Result<(String, Result<Caller, AuthError>), Response> {
    if !comes_from_here(visit, headers) {
        return Err(expired(Language::of(headers)));
    }
    let body = read_whole(body, FORM_BYTES_MAX).await.map_err(|error| {
        with_body(error.status(), "text/plain; charset=utf-8", "The form is too large or broke off.")
    })?;
    let login = field(&body, "user").unwrap_or_default().trim().to_owned();
    let password = field(&body, "password").unwrap_or_default();
    let caller = match login.is_empty() {
        true => Err(AuthError::Wrong),
        false => visit.auth.log_in(visit.space, &login, &password, visit.address).await,
    };
    Ok((login, caller))
}

fn form_again(visit: &Visit<'_>, language: Language, client: &str, login: &str, error: &AuthError) -> Response {
    let (status, said) = match error {
        AuthError::Throttled { .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            language
                .say("Too many attempts. Please try again later.", "Trop de tentatives. Veuillez réessayer plus tard."),
        ),
        AuthError::Unavailable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            language.say("Please try again in a moment.", "Veuillez réessayer dans un instant."),
        ),
        AuthError::Disabled => {
            (StatusCode::FORBIDDEN, language.say("This account is disabled.", "Ce compte est désactivé."))
        }
        AuthError::Missing | AuthError::Wrong | AuthError::Wiped => {
            (StatusCode::FORBIDDEN, language.say("Wrong login or password.", "Identifiant ou mot de passe incorrect."))
        }
    };
    let mut response = form(status, visit, language, client, login, Some(said));
    if let AuthError::Throttled { retry_after_seconds } = error {
        response.headers_mut().insert(http::header::RETRY_AFTER, HeaderValue::from(*retry_after_seconds));
    }
    response
}

/// The login form, which is the consent too: it says who asks, and its button grants.
fn form(
    status: StatusCode,
    visit: &Visit<'_>,
    language: Language,
    client: &str,
    login: &str,
    alert: Option<&str>,
) -> Response {
    let alert = alert.map_or(String::new(), |alert| format!("<p class=\"alert\" role=\"alert\">{alert}</p>"));
    let body = format!(
        "{alert}<p>{asks}</p>\n<form method=\"post\">\
         <label for=\"user\">{login_label}</label>\
         <input id=\"user\" name=\"user\" value=\"{login}\" autocomplete=\"username\" autocapitalize=\"none\" required>\
         <label for=\"password\">{password_label}</label>\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
         <button>{grant}</button></form>",
        asks = match language {
            Language::English => format!(
                "<strong>{}</strong> asks for access to your account in the space <strong>{}</strong>.",
                escape(client),
                escape(&visit.space.info().name)
            ),
            Language::French => format!(
                "<strong>{}</strong> demande l’accès à votre compte dans l’espace <strong>{}</strong>.",
                escape(client),
                escape(&visit.space.info().name)
            ),
        },
        login_label = language.say("Login or e-mail address", "Identifiant ou adresse e-mail"),
        password_label = language.say("Password", "Mot de passe"),
        grant = language.say("Log in and grant access", "Se connecter et autoriser l’accès"),
        login = escape(login),
    );
    page(status, language, language.say("Connect a device", "Connecter un appareil"), &body)
}

fn expired(language: Language) -> Response {
    page(
        StatusCode::FORBIDDEN,
        language,
        language.say("Access forbidden", "Accès interdit"),
        language.say(
            "<p>This link is unknown or has expired. Please start again from your app.</p>",
            "<p>Ce lien est inconnu ou a expiré. Veuillez recommencer depuis votre application.</p>",
        ),
    )
}

fn too_many_devices(language: Language) -> Response {
    page(
        StatusCode::FORBIDDEN,
        language,
        language.say("Too many devices", "Trop d’appareils"),
        language.say(
            "<p>Your account has as many devices as it may have. Please have one removed.</p>",
            "<p>Votre compte a atteint son nombre maximal d’appareils. Veuillez en faire retirer un.</p>",
        ),
    )
}

fn not_here(headers: &HeaderMap) -> Response {
    let language = Language::of(headers);
    page(StatusCode::NOT_FOUND, language, language.say("Not found", "Introuvable"), "")
}

/// The front door for a browser: there is nothing to see but which space this is.
pub fn landing(visit: Visit<'_>, headers: &HeaderMap) -> Response {
    let language = Language::of(headers);
    let body = language.say(
        "<p>This is a storage space. Connect to it with the Nextcloud apps, or with any WebDAV client.</p>",
        "<p>Ceci est un espace de stockage. Connectez-vous avec les applications Nextcloud ou tout client WebDAV.</p>",
    );
    page(StatusCode::OK, language, &visit.space.info().name, body)
}

fn nothing_yet() -> Response {
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn unavailable() -> Response {
    let mut response = json_answer(StatusCode::SERVICE_UNAVAILABLE, &json!([]));
    response.headers_mut().insert(http::header::RETRY_AFTER, HeaderValue::from_static("30"));
    response
}

fn json_answer(status: StatusCode, body: &serde_json::Value) -> Response {
    with_body(status, "application/json; charset=utf-8", body.to_string())
}

/// A field of an `application/x-www-form-urlencoded` body or query.
fn field(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn form_encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_fields_are_decoded() {
        let form = b"user=anna+b%40x.org&password=%C3%A9%26%3D%2B&empty=";
        assert_eq!(field(form, "user").as_deref(), Some("anna b@x.org"));
        assert_eq!(field(form, "password").as_deref(), Some("é&=+"));
        assert_eq!(field(form, "empty").as_deref(), Some(""));
        assert_eq!(field(form, "missing"), None);
        assert_eq!(form_encoded("a b@c"), "a+b%40c");
    }
}
