//! `nichoir serve`.

use std::time::Duration;

use clap::Args;
use nichoir_store::{Error as StoreError, Ports, Store};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{info, warn};

use super::{Failure, Session, storage};
use crate::app::App;
use crate::config::Maintenance;
use crate::observe;
use crate::server::{self, Listener};

/// Serve until told to stop.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Address to listen on, instead of the configured ones.
    #[arg(long)]
    listen: Option<String>,
}

impl Serve {
    pub(super) async fn run(self, mut session: Session) -> Result<(), Failure> {
        if let Some(listen) = self.listen {
            session.config.server.listen = vec![listen];
        }
        observe::start_logging(&session.config.log);
        nichoir_store::raise_open_files();
        let store = session.store().await?;
        until_stopped(session, store, |_| {}).await
    }
}

/// Serves the store; `ready` is told the addresses once they are listened on.
pub(super) async fn until_stopped(
    session: Session,
    store: Store,
    ready: impl FnOnce(&[String]),
) -> Result<(), Failure> {
    let settings = &session.config.server;
    let _alone = store.serve_alone().map_err(|error| match error {
        StoreError::Exists => "another server serves this data; stop it first, or name another --data-dir".to_owned(),
        error => storage(&error),
    })?;
    let app =
        App::new(&session.config, store.clone(), Ports::system()).map_err(|wrong| format!("configuration: {wrong}"))?;
    let tls = match settings.tls_certificate_file.is_empty() {
        true => None,
        false => Some(server::tls_from_files(&settings.tls_certificate_file, &settings.tls_key_file)?),
    };
    // Before anybody can see that it listens, and tell it to stop.
    let (stop, stopped) = watch::channel(false);
    stop_on_signals(stop)?;
    let mut listeners = Listener::from_systemd()?;
    if listeners.is_empty() {
        for address in &settings.listen {
            listeners.push(Listener::bind(address, settings).await?);
        }
    }
    let addresses: Vec<String> = listeners.iter().map(Listener::address).collect();
    if !settings.admin_listen.is_empty() {
        let listener = Listener::bind(&settings.admin_listen, settings).await?;
        info!("admin listener on {}", listener.address());
        tokio::spawn(server::serve_admin(app.clone(), listener, stopped.clone()));
    }
    spawn_upkeep(&app, &session.config.maintenance);
    info!("listening on {}", addresses.join(", "));
    ready(&addresses);
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    store.hear_others();
    let beside = app.clone();
    let beside = tokio::spawn(async move { beside.run_beside().await });
    server::serve(app.clone(), settings, listeners, tls, stopped).await;
    beside.abort();
    app.write_what_waits().await;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    store.close().await;
    info!("stopped");
    Ok(())
}

/// Expiry and collection, a few spaces at a time.
fn spawn_upkeep(app: &App, settings: &Maintenance) {
    let interval = Duration::from_secs(settings.interval_seconds);
    let Some((pause, spaces)) = pace(settings.spaces_per_minute).filter(|_| !interval.is_zero()) else { return };
    let previews = app.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(interval).await;
            previews.forget_previews().await;
        }
    });
    // Each at its own pace: to read a large file takes long.
    let (checking, scrubbing, store) = (app.store().clone(), app.store().clone(), app.store().clone());
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            told("check", checking.check_due_spaces(spaces).await);
        }
    });
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            told("scrub", scrubbing.scrub_due_spaces(spaces).await);
        }
    });
    tokio::spawn(async move {
        let mut has_begun = false;
        loop {
            tokio::time::sleep(pause).await;
            let done = match has_begun {
                true => store.upkeep(spaces).await.map(drop),
                false => store.begin_upkeep().await,
            };
            has_begun |= done.is_ok();
            told("upkeep", done);
        }
    });
}

fn told<T>(work: &str, done: Result<T, StoreError>) {
    if let Err(error) = done {
        warn!(%error, "the {work} of the spaces failed; it is tried again");
    }
}

/// How long to wait, and how many spaces to look at then; `None` for no spaces at all.
fn pace(spaces_per_minute: u32) -> Option<(Duration, usize)> {
    let minute = Duration::from_secs(60);
    match spaces_per_minute {
        0 => None,
        1..=60 => Some((minute / spaces_per_minute, 1)),
        more => Some((Duration::from_secs(1), usize::try_from(more.div_ceil(60)).unwrap_or(usize::MAX))),
    }
}

fn stop_on_signals(stop: watch::Sender<bool>) -> Result<(), Failure> {
    let listen = |kind| signal(kind).map_err(|error| format!("cannot wait for signals: {error}"));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let _ = stop.send(true);
        // Whoever asks twice does not want to wait.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(1);
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_are_looked_at_one_by_one_as_long_as_that_is_fast_enough() {
        let check = |per_minute, seconds, spaces| {
            assert_eq!(pace(per_minute), Some((Duration::from_secs(seconds), spaces)), "{per_minute}");
        };
        assert_eq!(pace(0), None);
        check(1, 60, 1);
        check(20, 3, 1);
        check(60, 1, 1);
        check(61, 1, 2);
        check(6_000, 1, 100);
    }
}
