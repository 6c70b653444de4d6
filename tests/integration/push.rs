//! WebDAV-Push from the registration to the message, with a push service that decrypts what it gets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aes_gcm::aead::{Aead as _, KeyInit as _};
use aes_gcm::{Aes128Gcm, Key, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use nichoir::config::Config;
use nichoir_xml::Element;
use p256::{PublicKey, SecretKey};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Answer, Client, Server, on_every_engine_with};

const CALENDAR: &str = "/remote.php/dav/calendars/alice/personal/";
const AUTH_SECRET: [u8; 16] = [5; 16];

/// A message that the push service got.
#[derive(Clone, Debug)]
struct Got {
    path: String,
    head: String,
    text: String,
}

/// A push service on this machine. What is sent to `/dead…` is answered 410, to `/busy…` once 503, else 201.
struct PushService {
    address: String,
    got: Arc<Mutex<Vec<Got>>>,
    secret: SecretKey,
}

impl PushService {
    async fn start() -> PushService {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let secret = SecretKey::from_slice(&[3; 32]).expect("a key");
        let got = Arc::new(Mutex::new(Vec::new()));
        let service = PushService { address, got: Arc::clone(&got), secret: secret.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&got), secret.clone()));
            }
        });
        service
    }

    /// The body of a registration for `path` of this service.
    fn push_register(&self, path: &str, more: &str) -> String {
        let key = URL_SAFE_NO_PAD.encode(self.secret.public_key().to_sec1_bytes());
        format!(
            r#"<?xml version="1.0" encoding="utf-8"?>
            <push-register xmlns="https://bitfire.at/webdav-push" xmlns:D="DAV:">
              <subscription><web-push-subscription>
                <push-resource>http://{}{path}</push-resource>
                <subscription-public-key type="p256dh">{key}</subscription-public-key>
                <auth-secret>{}</auth-secret>
              </web-push-subscription></subscription>{more}
            </push-register>"#,
            self.address,
            URL_SAFE_NO_PAD.encode(AUTH_SECRET)
        )
    }

    /// Waits until `path` got `count` messages.
    async fn awaited(&self, path: &str, count: usize) -> Vec<Got> {
        for _ in 0..200 {
            let found = self.got_at(path);
            if found.len() >= count {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path} got {:?}", self.got_at(path));
    }

    fn got_at(&self, path: &str) -> Vec<Got> {
        self.got.lock().expect("not poisoned").iter().filter(|got| got.path == path).cloned().collect()
    }
}

async fn serve(mut stream: TcpStream, got: Arc<Mutex<Vec<Got>>>, secret: SecretKey) {
    let mut bytes = Vec::new();
    loop {
        let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let Some(head_end) = head_end else {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..head_end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
        let end = head_end + 4 + length.unwrap_or(0);
        while bytes.len() < end {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let text = decrypt(&bytes[head_end + 4..end], &secret);
        bytes.drain(..end);
        let is_first = {
            let mut got = got.lock().expect("not poisoned");
            let is_first = !got.iter().any(|known| known.path == path);
            got.push(Got { path: path.clone(), head, text });
            is_first
        };
        let status = match path.as_str() {
            path if path.starts_with("/dead") => "410 Gone",
            path if path.starts_with("/busy") && is_first => "503 Busy\r\nRetry-After: 1",
            _ => "201 Created",
        };
        let _ = stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await;
    }
}

/// What the user agent does: RFC 8291 §3, written down once more and not shared with the server.
fn decrypt(body: &[u8], secret: &SecretKey) -> String {
    let (salt, sender, sealed) = (&body[..16], &body[21..86], &body[86..]);
    let sender_key = PublicKey::from_sec1_bytes(sender).expect("a point");
    let shared = secret.diffie_hellman(&sender_key);
    let mut info = b"WebPush: info\0".to_vec();
    info.extend_from_slice(&secret.public_key().to_sec1_bytes());
    info.extend_from_slice(sender);
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(Some(&AUTH_SECRET), shared.raw_secret_bytes()).expand(&info, &mut key).expect("32 bytes");
    let content = Hkdf::<Sha256>::new(Some(salt), &key);
    let (mut content_key, mut nonce) = ([0; 16], [0; 12]);
    content.expand(b"Content-Encoding: aes128gcm\0", &mut content_key).expect("16 bytes");
    content.expand(b"Content-Encoding: nonce\0", &mut nonce).expect("12 bytes");
    let cipher = Aes128Gcm::new(&Key::<Aes128Gcm>::from(content_key));
    let record = cipher.decrypt(&Nonce::from(nonce), sealed).expect("a message for this key");
    String::from_utf8(record).expect("text").trim_end_matches('\u{2}').to_owned()
}

/// A server whose guard lets it speak to this machine.
fn unguarded(config: &mut Config) {
    config.outbound.allows_http = true;
    config.outbound.allows_private_addresses = true;
    config.push.gather_milliseconds = 20;
}

/// Runs `test` with what goes on beside requests.
async fn pushing(server: &Server, test: impl Future<Output = ()>) {
    let app = server.app.clone();
    let beside = tokio::spawn(async move { app.run_beside().await });
    tokio::task::yield_now().await;
    test.await;
    beside.abort();
    let _ = beside.await;
}

async fn register(client: &Client, body: String) -> Answer {
    register_at(client, CALENDAR, body).await
}

async fn register_at(client: &Client, path: &str, body: String) -> Answer {
    client.request("POST", path).header("content-type", "application/xml; charset=utf-8").body(body).await
}

async fn put_event(client: &Client, uid: &str, quiet: Option<&str>) {
    let body = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n\
         DTSTART:20260101T100000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let call = client.request("PUT", &format!("{CALENDAR}{uid}.ics")).header("content-type", "text/calendar");
    let call = match quiet {
        Some(place) => call.header("push-dont-notify", &format!("\"{place}\"")),
        None => call,
    };
    call.body(body).await.expect(201);
}

/// The text of an element of the calendar's PROPFIND.
async fn property(client: &Client, prefix: &str, name: &str) -> String {
    property_at(client, CALENDAR, prefix, name).await
}

async fn property_at(client: &Client, path: &str, prefix: &str, name: &str) -> String {
    let body = format!(
        r#"<D:propfind xmlns:D="DAV:" xmlns:push="https://bitfire.at/webdav-push"><D:prop><{prefix}:{name}/></D:prop></D:propfind>"#
    );
    let answer = client.request("PROPFIND", path).header("depth", "0").body(body).await.expect(207);
    let found = inner(&answer.xml(), name).map(|element| element.text()).unwrap_or_default();
    assert!(!found.is_empty(), "no {name} in {}", answer.text());
    found
}

/// The first element of that local name inside.
fn inner(element: &Element, name: &str) -> Option<Element> {
    let own = || (element.name.local == name).then(|| element.clone());
    element.elements().find_map(|element| inner(element, name)).or_else(own)
}

#[tokio::test]
async fn a_change_by_the_phone_is_told_to_the_tablet_and_not_to_the_phone() {
    on_every_engine_with(unguarded, async |server| {
        let service = PushService::start().await;
        let (phone, _) = server.device("alice").await;
        let (tablet, _) = server.device("alice").await;
        let phone_place = register(&phone, service.push_register("/phone", "")).await.expect(201);
        register(&tablet, service.push_register("/tablet", "")).await.expect(201);
        pushing(server, async {
            put_event(&phone, "one", Some(phone_place.header("location"))).await;
            let got = service.awaited("/tablet", 1).await.remove(0);

            let (topic, token) = (property(&phone, "push", "topic").await, property(&phone, "D", "sync-token").await);
            assert!(got.text.contains(&format!("topic>{topic}</")), "{topic} in {}", got.text);
            assert!(got.text.contains(&format!("sync-token>{token}</")), "{token} in {}", got.text);
            for expected in ["ttl: 86400", "content-encoding: aes128gcm", "authorization: vapid t=", "topic: "] {
                assert!(got.head.contains(expected), "{expected} in {}", got.head);
            }
            // A change without the header is told to both.
            put_event(&phone, "two", None).await;
            service.awaited("/phone", 1).await;
            service.awaited("/tablet", 2).await;
            assert_eq!(service.got_at("/phone").len(), 1, "the first change was not told to the phone");
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn many_changes_are_told_once() {
    let gathering = |config: &mut Config| {
        unguarded(config);
        config.push.gather_milliseconds = 1_000;
    };
    on_every_engine_with(gathering, async |server| {
        let service = PushService::start().await;
        let alice = server.account("alice");
        register(&alice, service.push_register("/phone", "")).await.expect(201);
        pushing(server, async {
            for number in 0..5 {
                put_event(&alice, &format!("e{number}"), None).await;
            }
            service.awaited("/phone", 1).await;
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            let got = service.got_at("/phone");
            assert!(got.len() <= 2, "{} messages for 5 changes", got.len());
            let token = property(&alice, "D", "sync-token").await;
            assert!(got.last().is_some_and(|got| got.text.contains(&token)), "the last one tells of the last change");
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_dead_push_resource_is_forgotten_and_a_busy_one_is_tried_again() {
    on_every_engine_with(unguarded, async |server| {
        let service = PushService::start().await;
        let alice = server.account("alice");
        for path in ["/dead", "/busy"] {
            register(&alice, service.push_register(path, "")).await.expect(201);
        }
        pushing(server, async {
            put_event(&alice, "one", None).await;
            service.awaited("/dead", 1).await;
            service.awaited("/busy", 2).await;
            for _ in 0..100 {
                if server.space.push_registrations().await.unwrap().len() == 1 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let left = server.space.push_registrations().await.unwrap();
            assert_eq!(left.len(), 1);
            assert!(left[0].asked.resource.ends_with("/busy"));
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_device_that_was_revoked_is_told_nothing() {
    on_every_engine_with(unguarded, async |server| {
        let service = PushService::start().await;
        let (phone, _) = server.device("alice").await;
        register(&phone, service.push_register("/phone", "")).await.expect(201);
        let alice = server.account("alice");
        register(&alice, service.push_register("/web", "")).await.expect(201);
        let account = server.space.account_by_login("alice").await.unwrap().id;
        let device = server.space.devices(account).await.unwrap().remove(0);
        server.space.revoke_device(account, device.id).await.unwrap();
        pushing(server, async {
            put_event(&alice, "one", None).await;
            service.awaited("/web", 1).await;
            assert!(service.got_at("/phone").is_empty());
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn who_shares_a_calendar_is_told_until_it_is_shared_no_more() {
    on_every_engine_with(unguarded, async |server| {
        let service = PushService::start().await;
        let (alice, bob) = (server.account("alice"), server.account("bob"));
        let shared = "/remote.php/dav/calendars/bob/personal_shared_by_alice/";
        let share = async |step: &str| {
            let body = format!(
                r#"<o:share xmlns:o="http://owncloud.org/ns" xmlns:d="DAV:"><o:{step}><d:href>principal:principals/users/bob</d:href></o:{step}></o:share>"#
            );
            alice.request("POST", CALENDAR).header("content-type", "application/xml").body(body).await.expect(200);
        };
        share("set").await;
        register_at(&bob, shared, service.push_register("/bob", "")).await.expect(201);
        pushing(server, async {
            put_event(&alice, "one", None).await;
            let got = service.awaited("/bob", 1).await.remove(0);
            let topic = property_at(&bob, shared, "push", "topic").await;
            let token = property_at(&bob, shared, "D", "sync-token").await;
            assert_eq!(topic, property(&alice, "push", "topic").await, "one collection has one topic");
            assert!(got.text.contains(&topic) && got.text.contains(&token), "{topic}, {token} in {}", got.text);

            share("remove").await;
            put_event(&alice, "two", None).await;
            for _ in 0..100 {
                if server.space.push_registrations().await.unwrap().is_empty() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert!(server.space.push_registrations().await.unwrap().is_empty());
            assert_eq!(service.got_at("/bob").len(), 1, "nothing is told of what bob may not see");
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn properties_are_told_to_who_asked_for_them() {
    on_every_engine_with(unguarded, async |server| {
        let service = PushService::start().await;
        let alice = server.account("alice");
        let trigger = "<trigger><property-update><D:depth>0</D:depth></property-update></trigger>";
        register(&alice, service.push_register("/properties", trigger)).await.expect(201);
        register(&alice, service.push_register("/content", "")).await.expect(201);
        pushing(server, async {
            let body = r#"<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:displayname>Club</D:displayname></D:prop></D:set></D:propertyupdate>"#;
            alice.request("PROPPATCH", CALENDAR).body(body).await.expect(207);
            let got = service.awaited("/properties", 1).await.remove(0);
            assert!(got.text.contains("property-update") && !got.text.contains("content-update"), "{}", got.text);
            assert!(service.got_at("/content").is_empty());
            put_event(&alice, "one", None).await;
            service.awaited("/content", 1).await;
            assert_eq!(service.got_at("/properties").len(), 1);
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_registration_is_made_renewed_and_ended() {
    on_every_engine_with(unguarded, async |server| {
        let service = PushService::start().await;
        let alice = server.account("alice");
        let first = register(&alice, service.push_register("/phone", "")).await.expect(201);
        let place = first.header("location").to_owned();
        let path = place.strip_prefix(&format!("http://{}", server.host())).expect("a whole address").to_owned();
        assert!(first.header("expires").ends_with(" GMT"));

        // The clock stands at 15 January 2027; the client asks for less than the week that there is.
        let expires = "<expires>Mon, 18 Jan 2027 08:00:00 GMT</expires>";
        let again = register(&alice, service.push_register("/phone", expires)).await.expect(204);
        assert_eq!((again.header("location"), again.header("expires")), (&*place, "Mon, 18 Jan 2027 08:00:00 GMT"));
        assert_eq!(server.space.push_registrations().await.unwrap().len(), 1);

        server.account("bob").request("DELETE", &path).await.expect(404);
        alice.request("GET", &path).await.expect(405);
        assert_eq!(server.space.push_registrations().await.unwrap().len(), 1);
        alice.request("DELETE", &path).await.expect(204);
        alice.request("DELETE", &path).await.expect(404);
        assert!(server.space.push_registrations().await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_named() {
    on_every_engine_with(unguarded, async |server| {
        let service = PushService::start().await;
        let alice = server.account("alice");
        let good = service.push_register("/phone", "");
        let refused = async |body: String, condition: &str| {
            let answer = register(&alice, body).await.expect(403);
            assert!(answer.text().contains(condition), "{condition} in {}", answer.text());
        };
        refused(good.replace("http://", "ftp://"), "invalid-subscription").await;
        refused(good.replace("p256dh", "rsa"), "invalid-subscription").await;
        refused(good.replace("<auth-secret>", "<auth-secret>AAAA"), "invalid-subscription").await;
        refused(good.replace("subscription>", "elsewhere>"), "invalid-subscription").await;
        refused(
            good.replace("<auth-secret>", "<content-encoding>aesgcm</content-encoding><auth-secret>"),
            "invalid-subscription",
        )
        .await;
        refused(service.push_register("/phone", "<trigger><moon-phase/></trigger>"), "no-supported-trigger").await;
        assert!(server.space.push_registrations().await.unwrap().is_empty());

        let elsewhere = alice.request("POST", "/remote.php/dav/calendars/alice/missing/");
        elsewhere.header("content-type", "text/xml").body(good).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn an_account_has_a_limited_number_of_registrations() {
    let limited = |config: &mut Config| {
        unguarded(config);
        config.push.registrations_max = 2;
    };
    on_every_engine_with(limited, async |server| {
        let service = PushService::start().await;
        let alice = server.account("alice");
        for path in ["/1", "/2"] {
            register(&alice, service.push_register(path, "")).await.expect(201);
        }
        let answer = register(&alice, service.push_register("/3", "")).await.expect(403);
        assert!(answer.text().contains("push-not-available"), "{}", answer.text());
        register(&alice, service.push_register("/2", "")).await.expect(204);
        assert_eq!(server.space.push_registrations().await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn with_the_guard_on_nobody_registers_an_address_of_this_machine() {
    on_every_engine_with(
        |_| {},
        async |server| {
            let service = PushService::start().await;
            let alice = server.account("alice");
            for scheme in ["http://", "https://"] {
                let body = service.push_register("/phone", "").replace("http://", scheme);
                let answer = register(&alice, body).await.expect(403);
                assert!(answer.text().contains("invalid-subscription"), "{}", answer.text());
            }
            assert!(server.space.push_registrations().await.unwrap().is_empty());
        },
    )
    .await;
}

#[tokio::test]
async fn collections_that_are_pushed_say_how_and_files_do_not() {
    on_every_engine_with(unguarded, async |server| {
        let alice = server.account("alice");
        let body = r#"<D:propfind xmlns:D="DAV:" xmlns:P="https://bitfire.at/webdav-push"><D:prop><P:transports/><P:topic/><P:supported-triggers/></D:prop></D:propfind>"#;
        for path in [
            CALENDAR,
            "/remote.php/dav/calendars/alice/",
            "/remote.php/dav/calendars/alice/inbox/",
            "/remote.php/dav/addressbooks/users/alice/contacts/",
        ] {
            let answer = alice.request("PROPFIND", path).header("depth", "0").body(body).await.expect(207);
            let text = answer.text();
            for expected in ["p256ecdsa", "web-push", "topic>", "content-update>", "property-update>"] {
                assert!(text.contains(expected), "{expected} in {text}");
            }
            assert!(!text.contains("404"), "{path}: {text}");
        }
        let answer = alice.propfind("/", 0).body(body).await.expect(207);
        assert!(!answer.text().contains("p256ecdsa"), "{}", answer.text());
        let answer = alice.request("OPTIONS", CALENDAR).await.expect(200);
        assert!(answer.header("dav").contains("webdav-push"));
    })
    .await;
}
