//! Invitations by mail, with a mail server that keeps what it gets. RFC 6047, RFC 5321.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nichoir::config::Config;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Client, Server, on_every_engine_with};

const EVENT: &str = "/remote.php/dav/calendars/alice/personal/one.ics";

/// A mail as the server got it.
#[derive(Clone, Debug)]
struct Mail {
    from: String,
    to: String,
    data: String,
}

/// What the mail server says to a recipient.
type Verdict = Arc<Mutex<&'static str>>;

/// A mail server on this machine.
struct MailServer {
    port: u16,
    got: Arc<Mutex<Vec<Mail>>>,
    tries: Arc<Mutex<usize>>,
    verdict: Verdict,
}

impl MailServer {
    async fn start() -> MailServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = MailServer {
            port: listener.local_addr().expect("an address").port(),
            got: Arc::default(),
            tries: Arc::default(),
            verdict: Arc::new(Mutex::new("250 OK")),
        };
        let (got, tries, verdict) = (Arc::clone(&server.got), Arc::clone(&server.tries), Arc::clone(&server.verdict));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&got), Arc::clone(&tries), Arc::clone(&verdict)));
            }
        });
        server
    }

    fn say(&self, verdict: &'static str) {
        *self.verdict.lock().expect("not poisoned") = verdict;
    }

    fn got(&self) -> Vec<Mail> {
        self.got.lock().expect("not poisoned").clone()
    }

    /// Waits until `count` recipients were offered.
    async fn tried(&self, count: usize) {
        wait_until(|| *self.tries.lock().expect("not poisoned") >= count).await;
    }

    fn config(&self) -> impl Fn(&mut Config) {
        let port = self.port;
        move |config| {
            config.mail.host = "127.0.0.1".to_owned();
            config.mail.port = port;
            config.mail.security = "none".to_owned();
            config.mail.from_address = "calendar@nichoir.test".to_owned();
            // The tests share one PostgreSQL: a round would send the mail of all of them.
            if !config.storage.postgres_url.is_empty() {
                config.mail.round_seconds = 0;
            }
        }
    }
}

async fn wait_until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..200 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came to be");
}

async fn serve(stream: TcpStream, got: Arc<Mutex<Vec<Mail>>>, tries: Arc<Mutex<usize>>, verdict: Verdict) {
    let mut stream = BufReader::new(stream);
    let _ = stream.write_all(b"220 mail.test\r\n").await;
    let mut mail = Mail { from: String::new(), to: String::new(), data: String::new() };
    let mut line = String::new();
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
        let command = std::mem::take(&mut line).trim_end().to_owned();
        let answer = match command.split([' ', ':']).next().unwrap_or_default().to_uppercase().as_str() {
            "EHLO" => "250 mail.test".to_owned(),
            "MAIL" => {
                mail.from = command.clone();
                "250 OK".to_owned()
            }
            "RCPT" => {
                mail.to = command.clone();
                *tries.lock().expect("not poisoned") += 1;
                verdict.lock().expect("not poisoned").to_string()
            }
            "DATA" => {
                let _ = stream.write_all(b"354 go on\r\n").await;
                loop {
                    let mut data = String::new();
                    if stream.read_line(&mut data).await.unwrap_or(0) == 0 || data == ".\r\n" {
                        break;
                    }
                    mail.data.push_str(data.strip_prefix('.').unwrap_or(&data));
                }
                got.lock().expect("not poisoned").push(std::mem::replace(
                    &mut mail,
                    Mail { from: String::new(), to: String::new(), data: String::new() },
                ));
                "250 taken".to_owned()
            }
            "QUIT" => return drop(stream.write_all(b"221 bye\r\n").await),
            _ => "250 OK".to_owned(),
        };
        let _ = stream.write_all(format!("{answer}\r\n").as_bytes()).await;
    }
}

/// Waits until the queue of the space is empty.
async fn nothing_waits(server: &Server) {
    for _ in 0..200 {
        if server.space.next_outgoing().await.expect("the queue answers").is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("something waits");
}

async fn mailing(server: &Server, test: impl Future<Output = ()>) {
    let app = server.app.clone();
    let beside = tokio::spawn(async move { app.run_beside().await });
    tokio::task::yield_now().await;
    test.await;
    beside.abort();
    let _ = beside.await;
}

async fn invite(server: &Server, client: &Client) {
    let name = &server.space.info().name;
    let body = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VEVENT\r\nUID:one\r\nDTSTAMP:20260101T000000Z\r\n\
         DTSTART:20270301T100000Z\r\nDTEND:20270301T110000Z\r\nSUMMARY:Fête d'été\r\nLOCATION:Salle 3\r\n\
         ORGANIZER:mailto:alice@{name}.test\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@{name}.test\r\n\
         ATTENDEE;RSVP=TRUE:mailto:guest@elsewhere.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    client.request("PUT", EVENT).header("content-type", "text/calendar").body(body).await.expect(201);
}

/// Quoted-printable, where the mail has it.
fn decoded(mail: &str) -> String {
    let joined = mail.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = (*first == b'=').then(|| after.get(..2)).flatten().and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn who_has_no_account_is_invited_by_mail_once() {
    let mail_server = MailServer::start().await;
    on_every_engine_with(mail_server.config(), async |server| {
        mail_server.got.lock().unwrap().clear();
        let alice = server.account("alice");
        mailing(server, async {
            invite(server, &alice).await;
            wait_until(|| !mail_server.got().is_empty()).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        })
        .await;
        let got = mail_server.got();
        assert_eq!(got.len(), 1, "once: {got:?}");
        let Mail { from, to, data } = &got[0];
        assert!(from.contains("<calendar@nichoir.test>") && to.contains("<guest@elsewhere.example>"), "{from} {to}");
        let name = &server.space.info().name;
        let headers = data.split("\r\n\r\n").next().unwrap_or_default();
        for expected in [
            "From: ALICE <calendar@nichoir.test>",
            &format!("<alice@{name}.test>"),
            "To: guest@elsewhere.example",
            "Date: ",
            "MIME-Version: 1.0",
            "Auto-Submitted: auto-generated",
            "multipart/alternative",
            &format!(".{}@nichoir.test>", server.space.info().uuid.simple()),
        ] {
            assert!(headers.contains(expected), "{expected} in {headers}");
        }
        assert!(data.is_ascii() && data.lines().all(|line| line.len() <= 998), "RFC 5322 §2.1.1");
        let text = decoded(data);
        for expected in [
            "ALICE vous invite.",
            "ALICE invites you.",
            "Fête d'été",
            "Salle 3",
            "text/calendar; charset=utf-8; method=REQUEST; component=vevent",
            "METHOD:REQUEST",
            "mailto:guest@elsewhere.example",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
        assert!(server.space.outgoing_messages(10).await.unwrap().is_empty(), "nothing waits");
        let stored = alice.request("GET", EVENT).await.expect(200).text();
        assert!(stored.replace("\r\n ", "").contains("SCHEDULE-STATUS=1.1"), "{stored}");
    })
    .await;
}

#[tokio::test]
async fn a_mail_that_is_not_taken_now_is_sent_later() {
    let mail_server = MailServer::start().await;
    on_every_engine_with(mail_server.config(), async |server| {
        mail_server.got.lock().unwrap().clear();
        *mail_server.tries.lock().unwrap() = 0;
        mail_server.say("451 later");
        mailing(server, async {
            invite(server, &server.account("alice")).await;
            mail_server.tried(1).await;
            mail_server.say("250 OK");
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert!(mail_server.got().is_empty(), "not before its time");
            assert!(server.space.outgoing_messages(10).await.unwrap().is_empty(), "it is not due");
            server.clock.advance_seconds(61);
            // The clock of the test has no alarm: any change makes the server look at it.
            server.account("bob").put("/x.txt", "x").await.expect(201);
            wait_until(|| mail_server.got().len() == 1).await;
            nothing_waits(server).await;
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn what_waited_when_the_server_ended_is_sent_after_its_start() {
    let mail_server = MailServer::start().await;
    let is_shared = AtomicBool::new(false);
    let adjust = |config: &mut Config| {
        mail_server.config()(config);
        is_shared.store(!config.storage.postgres_url.is_empty(), Ordering::SeqCst);
    };
    on_every_engine_with(adjust, async |server| {
        if is_shared.load(Ordering::SeqCst) {
            return eprintln!("skipped on PostgreSQL: a round would send the mail of other tests");
        }
        invite(server, &server.account("alice")).await;
        mailing(server, async {
            wait_until(|| mail_server.got().len() == 1).await;
            nothing_waits(server).await;
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_mail_that_is_refused_is_given_up() {
    let mail_server = MailServer::start().await;
    on_every_engine_with(mail_server.config(), async |server| {
        *mail_server.tries.lock().unwrap() = 0;
        mail_server.say("550 nobody");
        mailing(server, async {
            invite(server, &server.account("alice")).await;
            mail_server.tried(1).await;
            nothing_waits(server).await;
        })
        .await;
        assert!(mail_server.got().is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_account_sends_so_much_in_an_hour_and_no_more() {
    let mail_server = MailServer::start().await;
    let limited = |config: &mut Config| {
        mail_server.config()(config);
        config.mail.messages_per_hour_max = 0;
    };
    on_every_engine_with(limited, async |server| {
        mailing(server, async {
            invite(server, &server.account("alice")).await;
            for _ in 0..100 {
                if server.space.outgoing_messages(10).await.unwrap().is_empty() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        assert!(mail_server.got().is_empty());
        assert!(server.space.next_outgoing().await.unwrap().is_some(), "it waits for the next hour");
    })
    .await;
}

#[tokio::test]
async fn without_a_mail_server_nobody_is_mailed_and_the_organizer_is_told() {
    on_every_engine_with(
        |_| {},
        async |server| {
            let alice = server.account("alice");
            invite(server, &alice).await;
            assert_eq!(server.space.next_outgoing().await.unwrap(), None);
            let stored = alice.request("GET", EVENT).await.expect(200).text();
            assert!(stored.replace("\r\n ", "").contains("SCHEDULE-STATUS=5.2"), "{stored}");
        },
    )
    .await;
}
