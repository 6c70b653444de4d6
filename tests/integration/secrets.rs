//! What is logged, and what is said to who is refused, when storage fails in the middle of any request: no secret. The secrets of
//! settings and of the wire are looked for in the real binary, by `tests/process/secrets.rs`.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::isolation::tokens;
use crate::isolation::twins::{OUR_PASSWORD, OURS, Twins, on_twins};
use crate::matrix::{call, rows};

/// All that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Log;

    fn make_writer(&'w self) -> Log {
        self.clone()
    }
}

/// Names of what is given, each a secret.
const GIVEN: &[&str] = &[
    "token",
    "alices",
    "direct",
    "page",
    "wopi",
    "lock",
    "shut",
    "ticket",
    "published",
    "push",
    "flow_poll",
    "flow_page",
    "device",
    "wiped",
    "device_direct",
    "device_page",
    "device_wopi",
];

#[tokio::test]
async fn whatever_statement_fails_no_secret_is_logged_or_said() {
    let log = Log::default();
    let builder = tracing_subscriber::fmt().with_env_filter(EnvFilter::new("nichoir=trace")).with_ansi(false);
    let _logging = tracing::subscriber::set_default(builder.with_writer(log.clone()).finish());
    on_twins(async |twins: &Twins| {
        let owner = twins.here.account("alice");
        let mut secrets: Vec<String> = GIVEN.iter().map(|name| twins.ours.get(name)).collect();
        secrets.push(STANDARD.encode(format!("alice:{OUR_PASSWORD}")));
        secrets.extend([OUR_PASSWORD, OURS, "Tres-secret-7", "a-long-word-7", "$argon2"].map(str::to_owned));
        let all = rows().into_iter().chain(tokens::rows().into_iter().map(|(_, row)| row));
        let mut wrong = Vec::new();
        let mut failed = 0;
        for row in all {
            for number in [1, 2, 3, 5, 8] {
                twins.here.statements.arm(number);
                let (head, body) = call(&owner, &twins.ours, row).begun().await.into_parts();
                // A listing breaks off where a page of it fails.
                let body = body.collect().await.map(|body| body.to_bytes());
                twins.here.statements.arm(0);
                failed += usize::from(head.status.is_server_error() || body.is_err());
                if head.status.is_success() || head.status.is_redirection() {
                    continue;
                }
                // A page may repeat the address that it was asked for by.
                let asked = twins.ours.put_into(row.path);
                let said =
                    format!("{:?} {:?}", head.headers, body.map(|body| String::from_utf8_lossy(&body).into_owned()));
                let told =
                    secrets.iter().find(|secret| said.contains(secret.as_str()) && !asked.contains(secret.as_str()));
                wrong.extend(told.map(|secret| format!("{} {}: {secret} in {said}", row.method, row.path)));
            }
        }
        assert!(failed > 300, "{failed} requests failed");
        let logged = String::from_utf8_lossy(&log.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
        assert!(logged.matches("injected fault").count() > 200, "causes are logged");
        for line in logged.lines() {
            let told = secrets.iter().find(|secret| line.contains(secret.as_str()));
            wrong.extend(told.map(|secret| format!("{secret} in {line}")));
        }
        // Nor names of files, which are nobody's business either.
        wrong.extend(logged.lines().find(|line| line.contains("xylograph")).map(str::to_owned));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}
