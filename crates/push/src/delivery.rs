//! One try to tell one registration: may it still be told, what, and what the push service says. RFC 8030 §5.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use nichoir_dav::sync_token;
use nichoir_outbound::{Answer, Outbound, Request};
use nichoir_store::{Error, Needs, Node, PushRegistration, Space, Timestamp};
use p256::{PublicKey, SecretKey};
use tracing::debug;

use crate::encryption::{Recipient, encrypt};
use crate::message::Message;
use crate::names::{replacement_topic, topic_of};
use crate::sender::{SendLimits, Untold};
use crate::vapid::KeyPair;

/// Bytes of a push service's answer: nothing in it is looked at.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The push service has it.
    Sent,
    /// There is nobody to tell (any more).
    Gone,
    /// Later, after so many seconds if the push service said so.
    Later(Option<u64>),
}

/// What a try needs.
#[derive(Debug)]
pub(crate) struct Delivery<'a> {
    pub(crate) space: &'a Space,
    pub(crate) outbound: &'a Outbound,
    pub(crate) limits: &'a SendLimits,
    pub(crate) key_pair: &'a KeyPair,
}

impl Delivery<'_> {
    /// Tells the registration of that name, with what is true now.
    pub(crate) async fn attempt(&self, name: &str, untold: Untold) -> Result<Outcome, Error> {
        let all = self.space.push_registrations().await?;
        let Some(registration) = all.into_iter().find(|registration| registration.name == name) else {
            return Ok(Outcome::Gone);
        };
        let Some((node, log_floor)) = self.visible(&registration).await? else {
            self.space.drop_push_registration(name, None).await?;
            return Ok(Outcome::Gone);
        };
        let topic = topic_of(self.space, &node);
        let message = Message {
            content: untold.has_content.then(|| sync_token(&node, log_floor)),
            has_properties: untold.has_properties,
            topic,
        };
        let Some(request) = self.request(&registration, &message) else {
            // It was checked when it was registered; whatever became of it, no message can reach anybody.
            self.space.drop_push_registration(name, None).await?;
            return Ok(Outcome::Gone);
        };
        let outcome = outcome_of(self.outbound.send(request).await, self.space.ports().clock.now());
        if outcome == Outcome::Gone {
            self.space.drop_push_registration(name, None).await?;
        }
        Ok(outcome)
    }

    /// The collection, if the account of the registration still sees it.
    async fn visible(&self, registration: &PushRegistration) -> Result<Option<(Node, i64)>, Error> {
        let asked = &registration.asked;
        let looked_up = async {
            let account = self.space.account(asked.account).await?;
            let tree = self.space.tree_as(&account).in_area(asked.area).await?;
            let (_, node) = tree.node_by_id(asked.node, Needs::NONE).await?;
            Ok((node, tree.log_floor().await?))
        };
        match looked_up.await {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound | Error::Forbidden(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn request(&self, registration: &PushRegistration, message: &Message) -> Option<Request> {
        let asked = &registration.asked;
        let ports = self.space.ports();
        let url = self.outbound.parse_url(&asked.resource).ok()?;
        let to = Recipient {
            public_key: PublicKey::from_sec1_bytes(&asked.public_key).ok()?,
            auth_secret: asked.auth_secret.clone().try_into().ok()?,
        };
        // All but one in 2³² strings of 32 bytes are keys.
        let sender = std::iter::repeat_with(|| SecretKey::from_slice(&ports.bytes::<32>())).find_map(Result::ok)?;
        let body = encrypt(&message.to_xml(), &to, &sender, ports.bytes())?;

        let contact = self.contact();
        let authorization = self.key_pair.authorization(&url, contact.as_deref(), ports.clock.now());
        let topic = replacement_topic(&message.topic, message.content.is_some(), message.has_properties);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::try_from(authorization).ok()?);
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("aes128gcm"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=\"utf-8\""));
        headers.insert(HeaderName::from_static("ttl"), HeaderValue::from(self.limits.ttl_seconds));
        headers.insert(HeaderName::from_static("topic"), HeaderValue::try_from(topic).ok()?);
        headers.insert(HeaderName::from_static("urgency"), HeaderValue::from_static("normal"));
        let answer_bytes_max = ANSWER_BYTES_MAX;
        Some(Request { method: Method::POST, url, headers, body: Bytes::from(body), answer_bytes_max })
    }

    /// Some push services take no message without one.
    fn contact(&self) -> Option<String> {
        let own = || self.space.info().hosts.first().map(|host| format!("https://{host}"));
        self.limits.contact.clone().or_else(own)
    }
}

fn outcome_of(answered: Result<Answer, nichoir_outbound::Error>, now: Timestamp) -> Outcome {
    let answer = match answered {
        Ok(answer) => answer,
        // An answer that is too long is an answer; the message was taken or not, and nobody can tell.
        Err(nichoir_outbound::Error::TooLarge { .. }) => return Outcome::Sent,
        Err(error) if error.is_passing() => return Outcome::Later(None),
        Err(error) => {
            debug!(%error, "a push resource cannot be spoken to");
            return Outcome::Gone;
        }
    };
    match answer.status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Outcome::Gone,
        status if status.is_success() => Outcome::Sent,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Outcome::Later(retry_after(&answer, now)),
        status if status.is_server_error() => Outcome::Later(retry_after(&answer, now)),
        // A message that is refused today is refused tomorrow; the registration may still be good.
        status => {
            debug!(%status, "a push service refused a message");
            Outcome::Sent
        }
    }
}

/// Seconds, or an instant (RFC 9110 §10.2.3).
fn retry_after(answer: &Answer, now: Timestamp) -> Option<u64> {
    let told = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = told.parse() {
        return Some(seconds);
    }
    let since = httpdate::parse_http_date(told).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(since.as_secs().saturating_sub(now.seconds().unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, retry_after: Option<&str>, expected: Outcome) {
        let mut headers = HeaderMap::new();
        if let Some(told) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_str(told).unwrap());
        }
        let answer = Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::new() };
        assert_eq!(outcome_of(Ok(answer), Timestamp::from_seconds(1_727_854_080)), expected, "{status}");
    }

    #[test]
    fn what_a_push_service_says() {
        check(201, None, Outcome::Sent);
        check(202, None, Outcome::Sent);
        check(404, None, Outcome::Gone);
        check(410, None, Outcome::Gone);
        check(429, Some("120"), Outcome::Later(Some(120)));
        check(503, Some("Wed, 02 Oct 2024 07:29:00 GMT"), Outcome::Later(Some(60)));
        check(503, Some("Wed, 02 Oct 2024 07:00:00 GMT"), Outcome::Later(Some(0)));
        check(500, Some("soon"), Outcome::Later(None));
        check(500, None, Outcome::Later(None));
        check(400, None, Outcome::Sent);
        check(307, None, Outcome::Sent);
    }

    #[test]
    fn what_cannot_be_reached_is_tried_again_and_what_may_not_be_asked_is_not() {
        let now = Timestamp::default();
        assert_eq!(outcome_of(Err(nichoir_outbound::Error::TooSlow { seconds: 1 }), now), Outcome::Later(None));
        assert_eq!(outcome_of(Err(nichoir_outbound::Error::NotPublic), now), Outcome::Gone);
        assert_eq!(outcome_of(Err(nichoir_outbound::Error::TooLarge { limit: 1 }), now), Outcome::Sent);
    }
}
