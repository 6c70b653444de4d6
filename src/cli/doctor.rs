//! `nichoir doctor`: configuration, storage, surroundings, each with what to do about it.

use nichoir_store::Ports;
use serde_json::{Value, json};

use super::{Failure, Session, storage};
use crate::server;

/// 2026-01-01: a clock before that was never set.
const EARLIEST_SECOND: i64 = 1_767_225_600;

pub(super) async fn run(session: &Session) -> Result<(), Failure> {
    let mut findings: Vec<(&str, Result<String, String>)> = Vec::new();
    findings.push(("configuration", crate::app::check_config(&session.config).map(|()| "ok".to_owned())));
    findings.push(("clock", clock()));
    findings.push(("files", files(session)));
    findings.push(("tls", tls(session)));
    findings.push(("proxy", Ok(proxy(session))));
    findings.push(("storage", check_storage(session).await));

    let has_failed = findings.iter().any(|(_, found)| found.is_err());
    let text: String = findings
        .iter()
        .map(|(what, found)| match found {
            Ok(said) => format!("ok    {what}: {said}\n"),
            Err(said) => format!("FAIL  {what}: {said}\n"),
        })
        .collect();
    let values: Vec<Value> = findings
        .iter()
        .map(|(what, found)| json!({ "what": what, "ok": found.is_ok(), "said": found.as_ref().unwrap_or_else(|said| said) }))
        .collect();
    session.say(&text, &Value::Array(values));
    if has_failed { Err("something needs attention".to_owned()) } else { Ok(()) }
}

fn clock() -> Result<String, String> {
    let now = Ports::system().clock.now().seconds();
    if now < EARLIEST_SECOND {
        return Err("the machine's clock is in the past; set it (timedatectl set-ntp true)".to_owned());
    }
    Ok(format!("{now} seconds since 1970"))
}

fn files(session: &Session) -> Result<String, String> {
    nichoir_store::raise_open_files();
    let allowed = nichoir_store::open_files_max().unwrap_or(usize::MAX);
    let affordable = nichoir_store::affordable_open_spaces(session.config.storage.open_spaces_max);
    let wanted = session.config.storage.open_spaces_max;
    Ok(match affordable < wanted {
        true => {
            format!("{allowed} allowed: {affordable} spaces at once instead of {wanted}; raise LimitNOFILE for more")
        }
        false => format!("{allowed} allowed, enough for {wanted} spaces at once"),
    })
}

fn tls(session: &Session) -> Result<String, String> {
    let server = &session.config.server;
    if server.tls_certificate_file.is_empty() {
        return Ok("none here; a proxy has to speak it".to_owned());
    }
    server::tls_from_files(&server.tls_certificate_file, &server.tls_key_file)
        .map(|_| "certificate and key fit".to_owned())
}

fn proxy(session: &Session) -> String {
    match session.config.server.trusted_proxies.is_empty() {
        true => "none trusted; behind one, name it in server.trusted_proxies and have it send X-Forwarded-For, -Proto \
                 and -Host, or log-ins fail for want of https"
            .to_owned(),
        false => format!("trusted: {}", session.config.server.trusted_proxies.join(", ")),
    }
}

async fn check_storage(session: &Session) -> Result<String, String> {
    let store = session.store().await?;
    store.probe().await.map_err(|error| storage(&error))?;
    let spaces = store.spaces().await.map_err(|error| storage(&error))?;
    store.close().await;
    Ok(format!("database and blobs answer; {} spaces", spaces.len()))
}
