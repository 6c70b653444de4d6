//! Client push as this server offers it: the way from a request to a socket, and to a token for one.

use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use nichoir_auth::Caller;
use nichoir_dav::request::{empty, full};
use nichoir_dav::{Error, Request, Response};
use nichoir_notify::{NotifyPush, Refusal, accept};
use nichoir_store::Space;
use tracing::debug;

use crate::gate::Arrival;
use crate::server;

/// Answers the handshake, and goes on with the connection on its own.
pub(crate) fn socket(push: &NotifyPush, space: &Space, arrival: &Arrival, mut request: Request) -> Response {
    let accept = match accept(request.method(), request.version(), request.headers()) {
        Ok(accept) => accept,
        Err(refusal) => return refused(refusal),
    };
    let Some(place) = push.place() else { return bare(StatusCode::SERVICE_UNAVAILABLE, &[]) };
    let upgrade = hyper::upgrade::on(&mut request);
    let (push, space, address) = (push.clone(), space.clone(), arrival.address);
    tokio::spawn(async move {
        match server::upgraded(upgrade).await {
            Ok((stream, early)) => push.serve(space, address, stream, early, place).await,
            Err(error) => debug!(%error, "a connection ended before it became a socket"),
        }
    });
    let mut response = bare(StatusCode::SWITCHING_PROTOCOLS, &[(CONNECTION, "upgrade"), (UPGRADE, "websocket")]);
    if let Ok(accept) = HeaderValue::try_from(accept) {
        response.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

/// A token for the caller's scripts, which know no password.
pub(crate) async fn pre_auth(push: &NotifyPush, caller: &Caller, method: &Method) -> Result<Response, Error> {
    if *method != Method::GET && *method != Method::POST {
        return Err(Error::method_not_allowed("A token is asked for with GET or POST.", "GET, POST"));
    }
    let token = push.pre_auth(caller).await?;
    let mut response = Response::new(full(token));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn refused(refusal: Refusal) -> Response {
    match refusal {
        Refusal::Malformed => bare(StatusCode::BAD_REQUEST, &[]),
        Refusal::NoUpgrade | Refusal::OtherVersion => {
            let told = [(UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, "13")];
            bare(StatusCode::UPGRADE_REQUIRED, &told)
        }
    }
}

fn bare(status: StatusCode, headers: &[(HeaderName, &'static str)]) -> Response {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
