//! Subscribed calendars: fetched from another server when somebody looks and it is time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use nichoir_xml::dav;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{Server, document, event, on_every_engine, on_every_engine_with};

const SUBSCRIPTION: &str = "/remote.php/dav/calendars/alice/feed/";

/// A server that answers every request with the feed, under `/feed` at once and under `/moved` by way of a redirect.
struct Feed {
    address: String,
    text: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Feed {
    async fn start(text: &str) -> Feed {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let text = Arc::new(Mutex::new(text.to_owned()));
        let asked = Arc::new(AtomicUsize::new(0));
        let (shared, count) = (Arc::clone(&text), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = vec![0; 4096];
                let length = stream.read(&mut buffer).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
                count.fetch_add(1, Ordering::SeqCst);
                let text = shared.lock().expect("nobody panicked").clone();
                let etag = format!("\"{}\"", text.len());
                let answer = if request.starts_with("GET /moved") {
                    "HTTP/1.1 302 Found\r\nlocation: /feed\r\ncontent-length: 0\r\n\r\n".to_owned()
                } else if request.contains(&format!("if-none-match: {etag}")) {
                    "HTTP/1.1 304 Not Modified\r\ncontent-length: 0\r\n\r\n".to_owned()
                } else {
                    format!(
                        "HTTP/1.1 200 OK\r\netag: {etag}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
                        text.len()
                    )
                };
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Feed { address, text, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn subscribe(server: &Server, url: &str) {
    let set = format!(
        "<d:set><d:prop><d:resourcetype><d:collection/><cs:subscribed/></d:resourcetype><d:displayname>Feed</d:displayname>\
         <cs:source><d:href>{url}</d:href></cs:source></d:prop></d:set>"
    );
    server.account("alice").xml("MKCOL", SUBSCRIPTION, 0, document("d:mkcol", &set)).await.expect(201);
}

#[tokio::test]
async fn a_feed_is_fetched_when_it_is_looked_at_and_due_and_shown_as_it_is() {
    let lenient = |config: &mut nichoir::config::Config| {
        config.outbound.allows_http = true;
        config.outbound.allows_private_addresses = true;
    };
    on_every_engine_with(lenient, async |server: &Server| {
        let alice = server.account("alice");
        let feed = Feed::start(&event("1", "First", "")).await;
        subscribe(server, &format!("http://{}/moved", feed.address)).await;
        assert_eq!(feed.asked(), 0, "nobody has looked");

        let listed = alice.properties(SUBSCRIPTION, 1, &["d:resourcetype", "cs:source"]).await;
        assert_eq!(listed.hrefs().len(), 2, "{}", listed.text());
        assert_eq!(listed.elements(SUBSCRIPTION, &dav::RESOURCETYPE), ["collection", "subscribed"]);
        assert_eq!(feed.asked(), 2, "once more for the redirect");
        let member = listed.hrefs()[1].clone();
        assert!(alice.request("GET", &member).await.expect(200).text().contains("SUMMARY:First"));
        alice.put_event(&member, event("1", "Mine", "")).await.expect(403);
        alice.put_event(&format!("{SUBSCRIPTION}new.ics"), event("2", "Mine", "")).await.expect(403);
        assert_eq!(feed.asked(), 2, "it is not due");

        let cached =
            alice.with("x-nc-caldav-webcal-caching", "On").properties(SUBSCRIPTION, 0, &["d:resourcetype"]).await;
        assert_eq!(cached.elements(SUBSCRIPTION, &dav::RESOURCETYPE), ["collection", "calendar"]);

        // The same again is not written again; something else is.
        let before = alice.properties(SUBSCRIPTION, 0, &["cs:getctag"]).await.text();
        server.clock.advance_seconds(86_401);
        assert_eq!(alice.properties(SUBSCRIPTION, 0, &["cs:getctag"]).await.text(), before);
        assert_eq!(feed.asked(), 4);
        *feed.text.lock().expect("nobody panicked") = event("2", "Second one", "");
        server.clock.advance_seconds(86_401);
        let listed = alice.properties(SUBSCRIPTION, 1, &["d:getetag"]).await;
        assert_eq!(listed.hrefs().len(), 2);
        let now = alice.request("GET", &format!("{SUBSCRIPTION}?export")).await.expect(200).text();
        assert!(now.contains("SUMMARY:Second one") && !now.contains("SUMMARY:First"), "{now}");

        // What is no feed, or cannot be reached, leaves what there was.
        *feed.text.lock().expect("nobody panicked") = "<html>".to_owned();
        server.clock.advance_seconds(86_401);
        assert!(alice.request("GET", SUBSCRIPTION).await.expect(200).text().contains("SUMMARY:Second one"));
    })
    .await;
}

#[tokio::test]
async fn private_addresses_are_not_fetched_however_they_are_spelt() {
    on_every_engine(async |server: &Server| {
        let alice = server.account("alice");
        let feed = Feed::start(&event("1", "Internal", "")).await;
        let port = feed.address.rsplit(':').next().expect("a port").to_owned();
        for host in [
            "127.0.0.1",
            "2130706433",
            "0177.0.0.1",
            "0x7f.1",
            "0.0.0.0",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "localhost",
            "10.0.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "[fd00::1]",
            "[fe80::1]",
            "224.0.0.1",
        ] {
            subscribe(server, &format!("https://{host}:{port}/feed")).await;
            let listed = alice.properties(SUBSCRIPTION, 1, &["d:getetag"]).await;
            assert_eq!(listed.hrefs(), [SUBSCRIPTION], "{host}");
            alice.request("DELETE", SUBSCRIPTION).await.expect(204);
        }
        assert_eq!(feed.asked(), 0);
    })
    .await;
}
