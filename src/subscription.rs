//! Subscribed calendars: feeds of other servers, fetched when somebody looks at one and it is due; an idle space asks
//! nobody. RFC 5545, RFC 7986 §5.7 (`REFRESH-INTERVAL`); conditional requests by RFC 9110 §13.
//!
//! What was fetched stays until something newer is: a feed that cannot be reached is shown as it last was.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use nichoir_auth::Caller;
use nichoir_caldav::{CalendarObject, refresh_seconds_of, seconds_of_duration, split_file};
use nichoir_dav::property::{INTERNAL, stored_text};
use nichoir_outbound::{Answer, Outbound, Request};
use nichoir_store::change::Generate;
use nichoir_store::{CollectionKind, DeadProperty, Error, FileId, Needs, Node, NodePath, Tree, without_turn};
use nichoir_xml::{apple, cs};

use crate::generated::{Made, write};

/// The note of when a feed is due, and what it was when it was last fetched.
const FETCHED: &str = "fetched";

/// What feeds may cost.
#[derive(Clone, Debug)]
pub(crate) struct FeedLimits {
    pub(crate) bytes_max: usize,
    pub(crate) redirects_max: usize,
    pub(crate) refresh_seconds_min: i64,
    pub(crate) refresh_seconds: i64,
    pub(crate) retry_seconds: i64,
}

/// Whoever fetches feeds.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    pub(crate) outbound: Outbound,
    pub(crate) limits: FeedLimits,
    pub(crate) calendars: nichoir_caldav::Limits,
    /// Those that are being fetched: by one request at a time.
    pub(crate) under_way: Mutex<HashSet<(i64, FileId)>>,
}

/// A fetch that is under way; it ends with this.
struct UnderWay<'f> {
    fetches: &'f Mutex<HashSet<(i64, FileId)>>,
    key: (i64, FileId),
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.fetches.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// What is remembered of a feed, a line each.
#[derive(Debug, Default, PartialEq, Eq)]
struct State {
    due_seconds: i64,
    url: String,
    etag: String,
    last_modified: String,
}

impl State {
    fn of(node: &Node) -> State {
        let Some(kept) = node.dead_property(INTERNAL, FETCHED) else { return State::default() };
        let mut lines = kept.xml.split('\n').map(str::to_owned);
        let mut next = || lines.next().unwrap_or_default();
        State { due_seconds: next().parse().unwrap_or(0), url: next(), etag: next(), last_modified: next() }
    }

    fn kept(&self) -> DeadProperty {
        let State { due_seconds, url, etag, last_modified } = self;
        let xml = format!("{due_seconds}\n{url}\n{etag}\n{last_modified}");
        DeadProperty { namespace: INTERNAL.to_owned(), local: FETCHED.to_owned(), xml }
    }
}

impl Subscriptions {
    /// Fetches the subscription that a request to `below`, a path in the caller's home, reads, if it is due.
    pub(crate) async fn refresh(&self, caller: &Caller, method: &Method, below: &str) -> Result<(), Error> {
        let Some(name) = below.split('/').find(|name| !name.is_empty()) else { return Ok(()) };
        if !["GET", "HEAD", "PROPFIND", "REPORT"].contains(&method.as_str()) {
            return Ok(());
        }
        let Ok(name) = nichoir_dav::href::decode(name) else { return Ok(()) };
        let Ok(path) = NodePath::root().join(&name) else { return Ok(()) };
        let node = match caller.tree.node(&path, Needs::NONE).await {
            Ok(node) if node.collection.as_deref() == Some(&CollectionKind::Subscription) => node,
            Ok(_) | Err(Error::NotFound) => return Ok(()),
            Err(error) => return Err(error),
        };
        let key = (caller.space.info().id, node.id);
        if !self.under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(key) {
            return Ok(());
        }
        // Dropped also when the client hangs up in between: the next one fetches then.
        let _under_way = UnderWay { fetches: &self.under_way, key };
        self.fetch_if_due(&caller.tree, &path).await
    }

    async fn fetch_if_due(&self, tree: &Tree, path: &NodePath) -> Result<(), Error> {
        let node = tree.node(path, Needs::DEAD_PROPERTIES).await?;
        let Some(url) = source_of(&node) else { return Ok(()) };
        let known = State::of(&node);
        let now = tree.space().ports().clock.now().seconds();
        if known.url == url && known.due_seconds > now {
            return Ok(());
        }
        let known = if known.url == url { known } else { State { url, ..State::default() } };
        let told = stored_text(&node, &apple::REFRESHRATE).and_then(|text| seconds_of_duration(text.trim()));
        let (state, members) = match self.fetch(&known).await {
            Ok(Some(answer)) => {
                let feed = refresh_seconds_of(&answer.body, &self.calendars);
                let seconds = told.or(feed).unwrap_or(self.limits.refresh_seconds);
                let due_seconds = now.saturating_add(seconds.max(self.limits.refresh_seconds_min));
                let text = |name: HeaderName| {
                    let value = answer.headers.get(name).and_then(|value| value.to_str().ok());
                    value.unwrap_or_default().to_owned()
                };
                let state =
                    State { due_seconds, etag: text(ETAG), last_modified: text(LAST_MODIFIED), url: known.url.clone() };
                match self.members(&answer.body) {
                    Some(members) => (state, Some(members)),
                    None => (State { due_seconds: now + self.limits.retry_seconds, ..known }, None),
                }
            }
            // As it was.
            Ok(None) => {
                let seconds = told.unwrap_or(self.limits.refresh_seconds).max(self.limits.refresh_seconds_min);
                (State { due_seconds: now.saturating_add(seconds), ..known }, None)
            }
            Err(reason) => {
                tracing::debug!(node.id = node.id.0, "a subscription is not fetched: {reason}");
                (State { due_seconds: now + self.limits.retry_seconds, ..known }, None)
            }
        };
        if let Some(members) = members {
            write(tree, &node.name, CollectionKind::Subscription, members).await?;
        }
        let (puts, removes) = (Vec::new(), Vec::new());
        tree.apply(Generate { collection: path.clone(), puts, removes, dead_property: Some(state.kept()) }).await
    }

    /// The feed; `None` if it is as it was. Redirects are followed by hand, so that each address is looked at.
    async fn fetch(&self, known: &State) -> Result<Option<Answer>, String> {
        let outbound = &self.outbound;
        let mut headers = HeaderMap::new();
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("text/calendar, */*;q=0.1"));
        for (name, value) in [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)] {
            if let Ok(value) = HeaderValue::try_from(value.as_str())
                && !value.is_empty()
            {
                headers.insert(name, value);
            }
        }
        let mut url = outbound.parse_url(&known.url).map_err(|error| error.to_string())?;
        for _ in 0..=self.limits.redirects_max {
            let request = Request {
                method: Method::GET,
                url: url.clone(),
                headers: headers.clone(),
                body: Bytes::new(),
                answer_bytes_max: self.limits.bytes_max,
            };
            let answer = without_turn(outbound.send(request)).await.map_err(|error| error.to_string())?;
            match answer.status {
                StatusCode::OK => return Ok(Some(answer)),
                StatusCode::NOT_MODIFIED => return Ok(None),
                status if status.is_redirection() => {
                    let to = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
                    let to = url.join(to.ok_or("a redirect to nowhere")?).map_err(|error| error.to_string())?;
                    url = outbound.parse_url(to.as_str()).map_err(|error| error.to_string())?;
                }
                status => return Err(format!("the answer is {status}")),
            }
        }
        Err("too many redirects".to_owned())
    }

    /// The objects of a feed; `None` if it is none at all.
    fn members(&self, feed: &[u8]) -> Option<BTreeMap<String, Made>> {
        let mut members = BTreeMap::new();
        for bytes in split_file(feed, &self.calendars).ok()? {
            // One bad event does not take the others with it.
            let Ok(object) = CalendarObject::check(&bytes, &self.calendars) else { continue };
            let mut hasher = DefaultHasher::new();
            (&object.uid, &object.component).hash(&mut hasher);
            let index = object.index(&self.calendars);
            let made = Made { bytes: bytes.to_vec(), index, media_type: "text/calendar; charset=utf-8" };
            members.insert(format!("{:016x}.ics", hasher.finish()), made);
        }
        Some(members)
    }
}

/// Where the feed is; `webcal:` is another word for https.
fn source_of(node: &Node) -> Option<String> {
    let kept = node.dead_property(&cs::SOURCE.namespace, &cs::SOURCE.local)?;
    let limits = nichoir_xml::Limits { request_xml_bytes: kept.xml.len(), ..nichoir_xml::Limits::default() };
    let element = nichoir_xml::read(kept.xml.as_bytes(), &limits).ok()?;
    let url = element.child(&nichoir_xml::dav::HREF)?.text();
    let url = url.trim();
    let rest = url.strip_prefix("webcal://").or_else(|| url.strip_prefix("webcals://"));
    Some(rest.map_or_else(|| url.to_owned(), |rest| format!("https://{rest}")))
}
