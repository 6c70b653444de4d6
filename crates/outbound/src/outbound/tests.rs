//! What is asked and what is refused, against a small server on this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Answers every connection with `answer`, as it stands; counts connections.
async fn server(answer: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut head = vec![0; 4096];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                if answer.is_empty() {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
            });
        }
    });
    (address, asked)
}

fn unguarded() -> Limits {
    Limits { allows_http: true, allows_private_addresses: true, ..Limits::default() }
}

async fn get(limits: Limits, url: &str, answer_bytes_max: usize) -> Result<Answer, Error> {
    let outbound = Outbound::new(limits);
    let url = outbound.parse_url(url)?;
    let request = Request { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new(), answer_bytes_max };
    outbound.send(request).await
}

fn check(url: &str, expected: &str) {
    let outbound = Outbound::new(Limits::default());
    let said = match outbound.parse_url(url) {
        Ok(url) => url.to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(said, expected, "{url}");
}

#[tokio::test]
async fn an_answer_comes_whole_with_status_and_headers() {
    let (address, asked) = server("HTTP/1.1 201 Created\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nhello").await;
    let answer = get(unguarded(), &format!("http://{address}/x"), 5).await.unwrap();
    assert_eq!((answer.status, &*answer.body), (StatusCode::CREATED, &b"hello"[..]));
    assert_eq!(answer.headers["retry-after"], "7");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_larger_answer_than_asked_for_is_not_read() {
    let (address, _) = server("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!").await;
    let failed = get(unguarded(), &format!("http://{address}/"), 5).await;
    assert!(matches!(failed, Err(Error::TooLarge { limit: 5 })), "{failed:?}");
    // Also where the length is not announced.
    let (address, _) = server("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello!").await;
    let failed = get(unguarded(), &format!("http://{address}/"), 5).await;
    assert!(matches!(failed, Err(Error::TooLarge { limit: 5 })), "{failed:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (elsewhere, asked) = server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let told = format!("HTTP/1.1 302 Found\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n");
    let (address, _) = server(told.leak()).await;
    let answer = get(unguarded(), &format!("http://{address}/"), 100).await.unwrap();
    assert_eq!(answer.status, StatusCode::FOUND);
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nobody asked the other server");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let (address, _) = server("").await;
    let limits = Limits { answer_seconds: 1, ..unguarded() };
    let failed = get(limits, &format!("http://{address}/"), 100).await;
    assert!(matches!(failed, Err(Error::TooSlow { seconds: 1 })), "{failed:?}");
    assert!(failed.unwrap_err().is_passing());
}

#[tokio::test]
async fn a_server_that_is_not_there_may_come_back() {
    let (address, _) = server("").await;
    let closed = SocketAddr::new(address.ip(), 1);
    let failed = get(unguarded(), &format!("http://{closed}/"), 100).await;
    assert!(matches!(failed, Err(Error::Unreachable(_))), "{failed:?}");
}

/// `localhost` is a name, so that only its addresses give it away.
#[tokio::test]
async fn a_name_is_refused_by_what_it_stands_for() {
    let (address, asked) = server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let url = format!("http://localhost:{}/", address.port());
    let limits = Limits { allows_http: true, ..Limits::default() };
    let failed = get(limits, &url, 100).await;
    assert!(matches!(failed, Err(Error::NotPublic)), "{failed:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 0, "no connection was made");
    assert_eq!(get(unguarded(), &url, 100).await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn the_url_of_a_request_is_looked_at_again() {
    let (address, asked) = server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let outbound = Outbound::new(Limits { allows_http: true, ..Limits::default() });
    let url = Url::parse(&format!("http://{address}/")).unwrap();
    let request =
        Request { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new(), answer_bytes_max: 1 };
    assert!(matches!(outbound.send(request).await, Err(Error::NotPublic)));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn urls_that_may_be_asked() {
    check("https://push.example.org/x?y", "https://push.example.org/x?y");
    check("HTTPS://8.8.8.8:8443/", "https://8.8.8.8:8443/");
    check("https://134744072/", "https://8.8.8.8/");
    check("https://[2606:4700::1111]/", "https://[2606:4700::1111]/");
}

#[tokio::test]
async fn urls_that_may_not() {
    let insecure = "only https is spoken";
    for url in ["http://push.example.org/", "ftp://example.org/", "file:///etc/passwd", "unix:/run/x", "data:,x"] {
        check(url, insecure);
    }
    let bad = "this is no URL that can be asked";
    for url in ["", "/x", "push.example.org", "https://", "https://a:b@example.org/", "https://a@example.org/"] {
        check(url, bad);
    }
}

#[tokio::test]
async fn no_spelling_of_a_private_address_passes() {
    let not_public = "the address is not a public one";
    for host in
        ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.01", "0", "0.0.0.0"]
    {
        check(&format!("https://{host}/"), not_public);
    }
    for host in ["10.0.0.1", "169.254.169.254", "0xa9fea9fe", "192.168.1.1", "172.16.0.1", "100.64.1.1", "127%2e0.0.1"]
    {
        check(&format!("https://{host}/"), not_public);
    }
    for host in ["[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"] {
        check(&format!("https://{host}/"), not_public);
    }
    for host in ["[fe80::1]", "[fd00::1]", "[::127.0.0.1]", "\u{ff11}\u{ff12}\u{ff17}.0.0.1", "127.0.0.1."] {
        check(&format!("https://{host}/"), not_public);
    }
}
