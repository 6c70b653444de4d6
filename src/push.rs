//! Push as this server offers it: where registrations are, and what of a request concerns them.

use std::sync::Arc;

use http::header::LOCATION;
use http::{HeaderMap, HeaderValue};
use nichoir_auth::Caller;
use nichoir_dav::{Extension, Response};
use nichoir_outbound::Outbound;
use nichoir_push::{Push, quiet_of};

use crate::config::Config;

/// Above a registration in a path.
const REGISTRATIONS: &str = "/remote.php/dav/push/";

/// The extension, where push is offered.
pub(crate) fn extension(config: &Config, outbound: &Outbound) -> Option<Arc<dyn Extension>> {
    let push = || Arc::new(Push::new(config.push_limits(), outbound.clone(), REGISTRATIONS));
    config.push.is_offered.then(|| push() as Arc<dyn Extension>)
}

/// The caller, whose changes are not told to whom the request names.
pub(crate) fn quietly(caller: Caller, headers: &HeaderMap) -> Caller {
    match quiet_of(headers, caller.account.id) {
        Some(quiet) => Caller { tree: caller.tree.quietly(quiet), ..caller },
        None => caller,
    }
}

/// The address of a registration is told whole: clients keep it beside those of other servers.
pub(crate) fn with_whole_location(mut response: Response, public_url: &str) -> Response {
    let told = response.headers().get(LOCATION).and_then(|place| place.to_str().ok());
    let whole = told.filter(|place| place.starts_with(REGISTRATIONS)).map(|place| format!("{public_url}{place}"));
    if let Some(whole) = whole.and_then(|whole| HeaderValue::try_from(whole).ok()) {
        response.headers_mut().insert(LOCATION, whole);
    }
    response
}
