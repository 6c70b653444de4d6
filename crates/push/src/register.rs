//! Registrations: POST of `push-register` to a collection, DELETE of the address that it was answered with, and the
//! header `Push-Dont-Notify`.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::header::{EXPIRES, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use nichoir_auth::Caller;
use nichoir_dav::property::http_date;
use nichoir_dav::request::empty;
use nichoir_dav::{Answering, Call, Error, Response};
use nichoir_store::{AccountId, NewPushRegistration, Quiet, Timestamp};
use nichoir_xml::{Element, Name, push};
use p256::PublicKey;

use crate::encryption::uncompressed;
use crate::extension::Push;
use crate::property::is_pushed;

/// Names in one `Push-Dont-Notify`; further ones are told of what their owner knows, which does no harm.
const QUIET_NAMES_MAX: usize = 64;

/// base64url, padded or not.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a client asks for.
#[derive(Debug)]
struct PushRegister {
    resource: String,
    public_key: PublicKey,
    auth_secret: [u8; 16],
    has_content: bool,
    has_properties: bool,
    expires: Option<Timestamp>,
}

pub(crate) fn answer(push: &Push, call: &Call<'_>, root: &Element) -> Answering {
    let (push, asked) = (push.clone(), PushRegister::of(push, root));
    let (caller, path) = (call.caller.clone(), call.path.clone());
    Box::pin(async move {
        let node = caller.tree.node(&path, nichoir_store::Needs::NONE).await?;
        if !is_pushed(&node) {
            return Err(not_available("Nothing is pushed for this collection."));
        }
        let asked = asked?;
        let new = NewPushRegistration {
            account: caller.account.id,
            device: caller.device.as_ref().map(|device| device.id),
            area: caller.tree.area(),
            node: node.id,
            resource: asked.resource,
            public_key: uncompressed(&asked.public_key),
            auth_secret: asked.auth_secret.to_vec(),
            has_content: asked.has_content,
            has_properties: asked.has_properties,
            expires: expiry(asked.expires, caller.space.ports().clock.now(), push.limits.registration_seconds_max),
        };
        let expires = new.expires;
        match caller.tree.register_push(new, push.limits.registrations_max).await {
            Ok((name, is_new)) => Ok(registered(&push, &name, is_new, expires)),
            Err(nichoir_store::Error::TooLarge { limit }) => {
                Err(not_available(format!("An account has {limit} push registrations at most.")))
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// 201 or 204, the address of the registration, and how long it holds. DAVx⁵ wants both headers.
fn registered(push: &Push, name: &str, is_new: bool, expires: Timestamp) -> Response {
    let mut response = Response::new(empty());
    *response.status_mut() = if is_new { StatusCode::CREATED } else { StatusCode::NO_CONTENT };
    if let Ok(place) = HeaderValue::try_from(format!("{}{name}", push.registrations)) {
        response.headers_mut().insert(LOCATION, place);
    }
    if let Ok(date) = HeaderValue::try_from(http_date(expires).to_string()) {
        response.headers_mut().insert(EXPIRES, date);
    }
    response
}

/// What the client asks for, within the limit. An instant that has passed is a clock that is wrong.
fn expiry(asked: Option<Timestamp>, now: Timestamp, seconds_max: i64) -> Timestamp {
    let latest = now.plus_seconds(seconds_max);
    asked.filter(|asked| *asked > now).map_or(latest, |asked| asked.min(latest))
}

impl PushRegister {
    fn of(push: &Push, root: &Element) -> Result<PushRegister, Error> {
        let subscription = root.child(&push::SUBSCRIPTION).and_then(|it| it.child(&push::WEB_PUSH_SUBSCRIPTION));
        let subscription = subscription.ok_or_else(|| invalid("There is no web-push-subscription."))?;
        if subscription.child(&push::CONTENT_ENCODING).is_some_and(|it| it.text() != "aes128gcm") {
            return Err(invalid("Messages are encrypted as aes128gcm."));
        }
        let (has_content, has_properties) = triggers(root)?;
        Ok(PushRegister {
            resource: resource(push, subscription)?,
            public_key: public_key(subscription)?,
            auth_secret: auth_secret(subscription)?,
            has_content,
            has_properties,
            expires: root.child(&push::EXPIRES).and_then(|it| instant(&it.text())),
        })
    }
}

fn resource(push: &Push, subscription: &Element) -> Result<String, Error> {
    let told = subscription.child(&push::PUSH_RESOURCE).map(Element::text).unwrap_or_default();
    if told.len() > push.limits.resource_bytes_max {
        return Err(invalid("The address of the push resource is too long."));
    }
    let url = push.outbound.parse_url(&told).map_err(|error| invalid(format!("The push resource: {error}.")))?;
    Ok(url.into())
}

fn public_key(subscription: &Element) -> Result<PublicKey, Error> {
    let told = subscription.child(&push::SUBSCRIPTION_PUBLIC_KEY);
    let told = told.filter(|it| it.attribute(&Name::new("", "type")).is_none_or(|kind| kind == "p256dh"));
    let point = told.and_then(|it| BASE64URL.decode(it.text()).ok()).filter(|point| point.len() == 65);
    let key = point.and_then(|point| PublicKey::from_sec1_bytes(&point).ok());
    key.ok_or_else(|| invalid("There is no subscription-public-key of type p256dh."))
}

fn auth_secret(subscription: &Element) -> Result<[u8; 16], Error> {
    let told = subscription.child(&push::AUTH_SECRET).and_then(|it| BASE64URL.decode(it.text()).ok());
    let secret = told.and_then(|secret| secret.try_into().ok());
    secret.ok_or_else(|| invalid("There is no auth-secret of 16 bytes."))
}

/// What shall be told: of members, of properties. Depths beyond those offered are lowered to them.
fn triggers(root: &Element) -> Result<(bool, bool), Error> {
    // DAVx⁵ sends none and means what it syncs: the members.
    let Some(trigger) = root.child(&push::TRIGGER) else { return Ok((true, false)) };
    let asked = [push::CONTENT_UPDATE, push::PROPERTY_UPDATE].map(|name| trigger.child(&name).is_some());
    match asked {
        [false, false] => {
            Err(Error::forbidden("None of the triggers is known.").with_condition(push::NO_SUPPORTED_TRIGGER))
        }
        [has_content, has_properties] => Ok((has_content, has_properties)),
    }
}

fn instant(text: &str) -> Option<Timestamp> {
    let since = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok().map(Timestamp::from_seconds)
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::forbidden(message).with_condition(push::INVALID_SUBSCRIPTION)
}

fn not_available(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::forbidden(message).with_condition(push::PUSH_NOT_AVAILABLE)
}

/// Answers a request to the registration `name`: its owner may end it.
///
/// # Errors
/// 404 for one that is unknown, over, or another account's; 405 for all but DELETE.
pub async fn unregister(caller: &Caller, name: &str, method: &Method) -> Result<Response, Error> {
    if *method != Method::DELETE {
        return Err(Error::method_not_allowed("A push registration can be deleted, and nothing else.", "DELETE"));
    }
    if !caller.space.drop_push_registration(name, Some(caller.account.id)).await? {
        return Err(Error::not_found());
    }
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// Which registrations a request does not want told of what it changes: the account's own, by their addresses, or `*`.
pub fn quiet_of(headers: &HeaderMap, account: AccountId) -> Option<Quiet> {
    let mut names = Vec::new();
    let values = headers.get_all("push-dont-notify").into_iter().filter_map(|value| value.to_str().ok());
    for place in values.flat_map(|value| value.split(',')).map(str::trim).filter(|place| !place.is_empty()) {
        if place == "*" {
            return Some(Quiet { account, registrations: None });
        }
        let name = place.trim_matches('"').rsplit('/').next().unwrap_or_default();
        if names.len() < QUIET_NAMES_MAX {
            names.push(name.to_owned());
        }
    }
    (!names.is_empty()).then_some(Quiet { account, registrations: Some(names) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expected: Option<&[&str]>) {
        let mut headers = HeaderMap::new();
        headers.insert("push-dont-notify", HeaderValue::from_str(header).unwrap());
        let names = quiet_of(&headers, AccountId(1)).map(|quiet| quiet.registrations.unwrap_or(vec!["*".to_owned()]));
        assert_eq!(names, expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect()), "{header}");
    }

    #[test]
    fn whom_a_request_does_not_want_told() {
        check("\"https://a.example.org/remote.php/dav/push/abc\"", Some(&["abc"]));
        check("\"https://a.example.org/x/abc\", \"https://a.example.org/x/def\"", Some(&["abc", "def"]));
        check("*", Some(&["*"]));
        check("", None);
        check(" , ", None);
        assert!(quiet_of(&HeaderMap::new(), AccountId(1)).is_none());
    }

    #[test]
    fn a_registration_holds_as_long_as_asked_within_the_limit() {
        let now = Timestamp::from_seconds(1_000);
        let check = |asked: Option<i64>, expected: i64| {
            assert_eq!(expiry(asked.map(Timestamp::from_seconds), now, 100).seconds(), expected, "{asked:?}");
        };
        check(None, 1_100);
        check(Some(1_050), 1_050);
        check(Some(1_100), 1_100);
        check(Some(1_101), 1_100);
        check(Some(1_000), 1_100);
        check(Some(1), 1_100);
    }

    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(instant("Wed, 02 Oct 2024 07:28:00 GMT"), Some(Timestamp::from_seconds(1_727_854_080)));
        assert_eq!(instant("2024-10-02T07:28:00Z"), None);
    }
}
