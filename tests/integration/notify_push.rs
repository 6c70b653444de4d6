//! The socket on which clients are told of changes, as the desktop client uses it: what it sends, in its order, and what
//! it must then be told. Sheet `desktop-client` section 15.

use std::cell::Cell;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use nichoir_store::AccountUpdate;
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::support::*;

const PASSWORD: &str = "correct-horse-battery";

struct Socket(WebSocketStream<DuplexStream>);

impl Socket {
    async fn open(server: &Server) -> Socket {
        let push = server.app.notify_push().expect("it is offered").clone();
        let place = push.place().expect("a place");
        let (ours, theirs) = tokio::io::duplex(4096);
        let space = server.space.clone();
        let address = IpAddr::from([192, 0, 2, 7]);
        tokio::spawn(async move { push.serve(space, address, theirs, Vec::new(), place).await });
        Socket(WebSocketStream::from_raw_socket(ours, Role::Client, None).await)
    }

    async fn as_login(server: &Server, login: &str, password: &str) -> Socket {
        let mut socket = Socket::open(server).await;
        socket.say(login).await;
        socket.say(password).await;
        assert_eq!(socket.hear().await, "authenticated");
        socket
    }

    async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.expect("it is open");
    }

    /// The next text, or `closed CODE`.
    async fn hear(&mut self) -> String {
        let heard = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => return text.to_string(),
                    Some(Ok(Message::Close(frame))) => {
                        return format!("closed {}", frame.map_or(0, |frame| u16::from(frame.code)));
                    }
                    Some(Ok(_)) => {}
                    _ => return "gone".to_owned(),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), heard).await.expect("something within ten seconds")
    }

    async fn hears_nothing(&mut self) {
        let heard = tokio::time::timeout(Duration::from_millis(300), self.0.next()).await;
        assert!(heard.is_err(), "{heard:?}");
    }
}

/// The server with sockets that tell at once, and what tells them.
async fn with_sockets<F: AsyncFn(&Server)>(test: F) {
    let is_shared = Cell::new(false);
    let adjust = |config: &mut nichoir::config::Config| {
        is_shared.set(!config.storage.postgres_url.is_empty());
        let push = &mut config.notify_push;
        (push.gather_milliseconds, push.jitter_milliseconds_max) = (5, 0);
        (push.file_seconds_min, push.file_seconds_max, push.activity_seconds, push.notification_seconds) = (0, 0, 0, 0);
        push.sockets_per_account_max = 3;
        push.login_seconds = 1;
    };
    on_every_engine_with(adjust, async |server| {
        // The servers of other tests come and go on the same PostgreSQL, upon which everybody is told to look again.
        if is_shared.get() {
            return;
        }
        let app = server.app.clone();
        let beside = tokio::spawn(async move { app.run_beside().await });
        test(server).await;
        beside.abort();
    })
    .await;
}

#[tokio::test]
async fn the_desktop_client_finds_the_socket_and_is_told_of_what_it_sees() {
    with_sockets(async |server| {
        let alice = server.account("alice");
        let found = alice.request("GET", "/ocs/v1.php/cloud/capabilities?format=json").await.expect(200).json();
        let push = &found["ocs"]["data"]["capabilities"]["notify_push"];
        assert_eq!(push["type"], serde_json::json!(["files", "activities", "notifications"]));
        assert_eq!(push["endpoints"]["websocket"], format!("ws://{}/push/ws", server.host()));
        let (device, password) = server.device("alice").await;
        let mut socket = Socket::as_login(server, "alice", &password).await;
        let mut bob = Socket::as_login(server, "bob", PASSWORD).await;

        device.put("/new.txt", "one").await.expect(201);
        assert_eq!(socket.hear().await, "notify_file");
        assert_eq!(socket.hear().await, "notify_activity");
        device.mkcol("/folder").await.expect(201);
        assert_eq!(socket.hear().await, "notify_file");
        assert_eq!(socket.hear().await, "notify_activity");
        bob.hears_nothing().await;
    })
    .await;
}

#[tokio::test]
async fn file_numbers_are_told_to_who_asks_for_them_and_only_of_what_clients_know() {
    with_sockets(async |server| {
        let alice = server.account("alice");
        alice.mkcol("/a").await.expect(201);
        let number = |answer: &Answer| -> i64 {
            answer.header("oc-fileid").chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
        };
        let file = number(&alice.put("/a/x.txt", "one").await.expect(201));
        // What was made before is told before.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut socket = Socket::as_login(server, "alice", PASSWORD).await;
        socket.say("listen notify_file_id").await;
        socket.say("listen something_else").await;
        tokio::time::sleep(Duration::from_millis(100)).await;

        alice.put("/a/x.txt", "two").await.expect(204);
        let told = socket.hear().await;
        let ids: Vec<i64> = serde_json::from_str(told.strip_prefix("notify_file_id ").expect(&told)).unwrap();
        assert!(ids.contains(&file) && ids.len() == 3, "the file, its folder and the root: {told}");
        assert_eq!(socket.hear().await, "notify_activity");
        alice.put("/a/new.txt", "one").await.expect(201);
        assert_eq!(socket.hear().await, "notify_file", "no client knows the number of a new file");
    })
    .await;
}

#[tokio::test]
async fn wrong_credentials_are_refused_in_the_words_that_clients_know() {
    with_sockets(async |server| {
        for (login, password) in [("alice", "wrong"), ("nobody", PASSWORD), ("", "no-token"), ("", "")] {
            let mut socket = Socket::open(server).await;
            socket.say(login).await;
            socket.say(password).await;
            assert_eq!(socket.hear().await, "err: Invalid credentials", "{login}");
            assert_eq!(socket.hear().await, "closed 1008");
        }
        let mut silent = Socket::open(server).await;
        silent.say("alice").await;
        assert_eq!(silent.hear().await, "Authentication timeout");
        assert_eq!(silent.hear().await, "closed 1008");
        // An app password of another account.
        let (_, password) = server.device("bob").await;
        let mut socket = Socket::open(server).await;
        socket.say("alice").await;
        socket.say(&password).await;
        assert_eq!(socket.hear().await, "err: Invalid credentials");
    })
    .await;
}

#[tokio::test]
async fn guesses_are_throttled_as_those_of_other_log_ins() {
    with_sockets(async |server| {
        let mut last = String::new();
        for _ in 0..11 {
            let mut socket = Socket::open(server).await;
            socket.say("alice").await;
            socket.say("guess").await;
            last = socket.hear().await;
        }
        assert_eq!(last, "closed 1013", "not a word about the password any more");
        server.account("alice").request("GET", "/ocs/v1.php/cloud/user").await.expect(429);
    })
    .await;
}

#[tokio::test]
async fn a_token_opens_one_socket() {
    with_sockets(async |server| {
        let path = "/index.php/apps/notify_push/pre_auth";
        server.anonymous().request("GET", path).await.expect(401);
        server.account("alice").request("PUT", path).await.expect(405);
        let token = server.account("alice").request("POST", path).await.expect(200).text();
        assert_eq!(token.len(), 32);
        let mut socket = Socket::as_login(server, "", &token).await;
        let mut again = Socket::open(server).await;
        again.say("").await;
        again.say(&token).await;
        assert_eq!(again.hear().await, "err: Invalid credentials");
        server.account("alice").put("/x.txt", "x").await.expect(201);
        assert_eq!(socket.hear().await, "notify_file");
    })
    .await;
}

#[tokio::test]
async fn a_token_or_password_of_another_space_opens_no_socket() {
    with_sockets(async |server| {
        let there = server.twin("their-own-password").await;
        let path = "/index.php/apps/notify_push/pre_auth";
        let token = server.account("alice").request("POST", path).await.expect(200).text();
        let (_, app_password) = server.device("alice").await;
        for (login, secret) in [("", &*token), ("alice", PASSWORD), ("alice", &*app_password), ("", &*app_password)] {
            let mut socket = Socket::open(&there).await;
            socket.say(login).await;
            socket.say(secret).await;
            assert_eq!(socket.hear().await, "err: Invalid credentials");
        }
        let mut own = Socket::as_login(&there, "alice", "their-own-password").await;
        // It was not used up.
        let mut socket = Socket::as_login(server, "", &token).await;
        server.account("alice").put("/x.txt", "x").await.expect(201);
        assert_eq!(socket.hear().await, "notify_file");
        own.hears_nothing().await;
    })
    .await;
}

#[tokio::test]
async fn who_may_not_be_here_any_more_is_closed_at_once() {
    with_sockets(async |server| {
        let account = server.space.account_by_login("alice").await.unwrap();
        let (_, password) = server.device("alice").await;
        let device = server.space.devices(account.id).await.unwrap().remove(0);
        let mut by_device = Socket::as_login(server, "alice", &password).await;
        let mut by_password = Socket::as_login(server, "alice", PASSWORD).await;
        server.space.revoke_device(account.id, device.id).await.unwrap();
        assert_eq!(by_device.hear().await, "closed 1008");
        by_password.hears_nothing().await;

        let update = AccountUpdate { password_hash: Some(None), ..AccountUpdate::default() };
        server.space.update_account(account.id, update).await.unwrap();
        assert_eq!(by_password.hear().await, "closed 1008", "the password is not hers any more");

        let mut bob = Socket::as_login(server, "bob", PASSWORD).await;
        let account = server.space.account_by_login("bob").await.unwrap();
        let update = AccountUpdate { is_enabled: Some(false), ..AccountUpdate::default() };
        server.space.update_account(account.id, update).await.unwrap();
        assert_eq!(bob.hear().await, "closed 1008");
    })
    .await;
}

#[tokio::test]
async fn an_account_has_as_many_sockets_as_it_may_and_the_end_closes_them() {
    with_sockets(async |server| {
        let mut open = Vec::new();
        for _ in 0..3 {
            open.push(Socket::as_login(server, "alice", PASSWORD).await);
        }
        let mut more = Socket::open(server).await;
        more.say("alice").await;
        more.say(PASSWORD).await;
        assert_eq!(more.hear().await, "closed 1013");
        Socket::as_login(server, "bob", PASSWORD).await;

        let app = server.app.clone();
        let closing = tokio::spawn(async move { app.close_sockets(Duration::from_secs(10)).await });
        for socket in &mut open {
            assert_eq!(socket.hear().await, "closed 1001");
            socket.0.close(None).await.ok();
        }
        closing.await.unwrap();
        assert!(server.app.notify_push().unwrap().place().is_none(), "there are no more");
    })
    .await;
}

#[tokio::test]
async fn strangers_have_few_sockets_and_take_none_from_members() {
    let adjust = |config: &mut nichoir::config::Config| config.notify_push.logging_in_max = 2;
    on_every_engine_with(adjust, async |server| {
        let push = server.app.notify_push().unwrap();
        let mut member = Socket::as_login(server, "alice", PASSWORD).await;
        let strangers = [Socket::open(server).await, Socket::open(server).await];
        assert!(push.place().is_none());
        assert_eq!(push.open(), 3);
        member.hears_nothing().await;
        drop(strangers);
    })
    .await;
}

#[tokio::test]
async fn what_is_too_large_or_no_text_harms_nobody() {
    with_sockets(async |server| {
        let mut socket = Socket::open(server).await;
        let sent = socket.0.send(Message::text("x".repeat(100_000))).await;
        assert!(sent.is_err() || socket.hear().await.starts_with("closed") || socket.hear().await == "gone");
        let mut socket = Socket::open(server).await;
        socket.0.send(Message::Binary(vec![0; 10].into())).await.unwrap();
        socket.say("alice").await;
        socket.say(PASSWORD).await;
        assert_eq!(socket.hear().await, "authenticated");
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_no_handshake_is_told_what_is_meant() {
    with_sockets(async |server| {
        let answer = server.anonymous().request("GET", "/push/ws").await.expect(426);
        assert_eq!(answer.header("upgrade"), "websocket");
        let call = server.anonymous().request("GET", "/push/ws");
        let call = call.header("connection", "Upgrade").header("upgrade", "websocket");
        let call = call.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let answer = call.await.expect(101);
        assert_eq!(answer.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    })
    .await;
    let off = |config: &mut nichoir::config::Config| config.notify_push.is_offered = false;
    on_every_engine_with(off, async |server| {
        server.anonymous().request("GET", "/push/ws").await.expect(404);
        let alice = server.account("alice");
        let found = alice.request("GET", "/ocs/v1.php/cloud/capabilities?format=json").await.json();
        assert!(found["ocs"]["data"]["capabilities"]["notify_push"].is_null());
    })
    .await;
}
