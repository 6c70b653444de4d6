//! `nichoir serve`.

use std::time::Duration;

use clap::Args;
use nichoir_store::{Error as StoreError, Ports, Store};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{info, warn};

use super::{Failure, Session, storage};
use crate::app::App;
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
    let mut listeners = Listener::from_systemd()?;
    if listeners.is_empty() {
        for address in &settings.listen {
            listeners.push(Listener::bind(address, &settings.unix_socket_mode).await?);
        }
    }
    let addresses: Vec<String> = listeners.iter().map(Listener::address).collect();
    let (stop, stopped) = watch::channel(false);
    if !settings.admin_listen.is_empty() {
        let listener = Listener::bind(&settings.admin_listen, &settings.unix_socket_mode).await?;
        info!("admin listener on {}", listener.address());
        tokio::spawn(server::serve_admin(app.clone(), listener, stopped.clone()));
    }
    spawn_upkeep(app.clone(), session.config.maintenance.interval_seconds);
    stop_on_signals(stop)?;
    info!("listening on {}", addresses.join(", "));
    ready(&addresses);
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    store.hear_others();
    let beside = app.clone();
    let beside = tokio::spawn(async move { beside.run_beside().await });
    server::serve(app, settings, listeners, tls, stopped).await;
    beside.abort();
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    store.close().await;
    info!("stopped");
    Ok(())
}

/// Expiry and collection, now and then.
fn spawn_upkeep(app: App, interval_seconds: u64) {
    if interval_seconds == 0 {
        return;
    }
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(interval_seconds)).await;
            app.forget_previews().await;
            if let Err(error) = app.store().maintain().await {
                warn!(%error, "the upkeep of the spaces failed; it is tried again the next time");
            }
        }
    });
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
