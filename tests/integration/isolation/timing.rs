//! How long an answer takes does not tell whether there is what was asked for.

use std::time::Duration;

use nichoir::config::Config;
use nichoir_store::Ports;

use super::twins::forged;
use crate::support::{Answer, Server, on_every_engine_with};

/// Pairs of requests, one after the other.
const PAIRS: usize = 40;
/// Tries before what is seen is believed: the machine may be busy.
const TRIES: usize = 4;

async fn took(request: impl Future<Output = Answer>, status: u16) -> i64 {
    let clock = Ports::system().clock;
    let began = clock.now();
    request.await.expect(status);
    clock.now().0 - began.0
}

/// The medians of both, in microseconds; they are asked in turn, so that both meet the same machine.
async fn medians(one: impl AsyncFn() -> i64, other: impl AsyncFn() -> i64) -> [i64; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..PAIRS {
        times[0].push(one().await);
        times[1].push(other().await);
    }
    times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    })
}

/// Neither takes half as long again as the other, nor a third of a millisecond more where both are short.
async fn assert_alike(what: &str, one: impl AsyncFn() -> i64, other: impl AsyncFn() -> i64) {
    let mut seen = Vec::new();
    for _ in 0..TRIES {
        let pair = medians(&one, &other).await;
        if pair[0].abs_diff(pair[1]) <= (pair[0].min(pair[1]) / 2).max(300).unsigned_abs() {
            return;
        }
        seen.push(pair);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}: {seen:?} microseconds");
}

#[tokio::test]
async fn how_long_an_answer_takes_does_not_tell_what_there_is() {
    let configured = |config: &mut Config| {
        // Heavy enough to be seen where it is left out.
        config.auth.argon2_memory_kib = 2048;
        config.auth.failures_per_login_and_address = usize::MAX;
        config.auth.failures_per_address = usize::MAX;
        config.auth.failures_per_login = usize::MAX;
    };
    on_every_engine_with(configured, async |server: &Server| {
        let there = server.twin("their-own-password").await;
        let alice = server.account("alice");
        alice.put("/a.txt", "x").await.expect(201);
        let shares = "/apps/files_sharing/api/v1/shares";
        let made = alice.ocs("POST", shares, "path=/a.txt&shareType=3").await.expect(200).json();
        let token = made["ocs"]["data"]["token"].as_str().expect("a token").to_owned();
        let (_, app_password) = server.device("alice").await;

        let as_login = async |login: &str, password: &str| {
            let client = there.anonymous().as_login(login, password);
            took(async { client.propfind("/", 0).await }, 401).await
        };
        let nothing_said = async || took(async { there.anonymous().request("PROPFIND", "/").await }, 401).await;
        // What is looked for would be seen: a password is hashed.
        let pair = medians(async || as_login("nobody", "wrong").await, nothing_said).await;
        assert!(pair[0] > 2 * pair[1] + 300, "{pair:?}");

        // Nor does the number of statements, which a database far away makes a time.
        let mut counts = Vec::new();
        for login in ["alice", "nobody", "alice@example.test", "nobody@example.test"] {
            let before = server.statements.seen();
            as_login(login, "wrong").await;
            counts.push(server.statements.seen() - before);
        }
        assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");

        let known = async || as_login("alice", "wrong").await;
        assert_alike("logins", known, async || as_login("nobody", "wrong").await).await;
        assert_alike("mail addresses", known, async || as_login("nobody@example.test", "wrong").await).await;
        let (foreign, never) = (app_password.as_str(), forged(&app_password));
        assert_alike(
            "app passwords",
            async || as_login("alice", foreign).await,
            async || as_login("alice", &never).await,
        )
        .await;
        let link = async |token: &str| {
            let path = format!("/s/{token}");
            took(async { there.anonymous().request("GET", &path).await }, 404).await
        };
        let never = forged(&token);
        assert_alike("links", async || link(&token).await, async || link(&never).await).await;
    })
    .await;
}
