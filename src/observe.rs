//! Logs, metrics, and the admin listener's answers.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use nichoir_dav::Response;
use nichoir_dav::request::full;
use nichoir_store::{ScrubFigures, Store, Timestamp};
use tracing::warn;

use crate::config::Log;

/// Upper bounds of the duration histogram, in seconds.
const BUCKETS: [f64; 9] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0, f64::INFINITY];

/// Sends log lines to standard error.
pub fn start_logging(log: &Log) {
    let filter = tracing_subscriber::EnvFilter::try_new(&log.filter).unwrap_or_else(|_| "info".into());
    let is_terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_terminal);
    // It would be told on standard error that standard error takes nothing, which panics: a log on a full disk is lost instead.
    let builder = builder.log_internal_errors(false);
    // A second start in one process, as in tests, keeps the first.
    let _ = match log.format.as_str() {
        "json" => builder.json().try_init(),
        _ => builder.try_init(),
    };
}

/// Counters of the whole server.
#[derive(Debug, Default)]
pub struct Metrics {
    by_status: [AtomicU64; 5],
    buckets: [AtomicU64; BUCKETS.len()],
    microseconds: AtomicU64,
    under_way: AtomicU64,
    connections: AtomicU64,
}

impl Metrics {
    /// A request has begun; it is under way until what is returned goes, also when its client leaves before the answer.
    pub(crate) fn begin(self: &Arc<Self>) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }

    /// A request was answered.
    pub(crate) fn end(&self, status: StatusCode, took: Duration) {
        if let Some(counter) = self.by_status.get(usize::from(status.as_u16() / 100).wrapping_sub(1)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let bucket = BUCKETS.iter().position(|bound| took.as_secs_f64() <= *bound).unwrap_or(BUCKETS.len() - 1);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.microseconds.fetch_add(u64::try_from(took.as_micros()).unwrap_or(0), Ordering::Relaxed);
    }

    /// A connection was opened (1) or closed (-1).
    pub(crate) fn connection(&self, change: i64) {
        self.connections.fetch_add(change.cast_unsigned(), Ordering::Relaxed);
    }

    /// The Prometheus text format, version 0.0.4.
    async fn render(&self, store: &Store, push_sockets: usize) -> String {
        let mut text = String::new();
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // Writing into a String cannot fail.
        let _ = writeln!(text, "# TYPE nichoir_requests_total counter");
        for (place, counter) in self.by_status.iter().enumerate() {
            let _ = writeln!(text, "nichoir_requests_total{{status=\"{}xx\"}} {}", place + 1, load(counter));
        }
        let _ = writeln!(text, "# TYPE nichoir_request_seconds histogram");
        let mut sum = 0;
        for (bound, counter) in BUCKETS.iter().zip(&self.buckets) {
            sum += load(counter);
            let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
            let _ = writeln!(text, "nichoir_request_seconds_bucket{{le=\"{bound}\"}} {sum}");
        }
        let seconds = Duration::from_micros(load(&self.microseconds)).as_secs_f64();
        let _ = writeln!(text, "nichoir_request_seconds_sum {seconds}\nnichoir_request_seconds_count {sum}");
        for (name, value) in [
            ("nichoir_requests_under_way", load(&self.under_way)),
            ("nichoir_connections", load(&self.connections)),
            ("nichoir_open_spaces", store.open_spaces() as u64),
            ("nichoir_read_only_spaces", store.read_only_spaces() as u64),
            ("nichoir_push_sockets", push_sockets as u64),
        ] {
            let _ = writeln!(text, "# TYPE {name} gauge\n{name} {value}");
        }
        match store.scrub_figures().await {
            Ok(figures) => render_scrub(&mut text, &figures, store.now()),
            Err(error) => warn!(%error, "the metrics are without what is known of damages"),
        }
        text
    }
}

fn render_scrub(text: &mut String, figures: &ScrubFigures, now: Timestamp) {
    // Spaces that have none are not named: there may be thousands.
    let _ = writeln!(text, "# TYPE nichoir_space_problems gauge");
    for (space, problems) in &figures.problems {
        let _ = writeln!(text, "nichoir_space_problems{{space=\"{space}\"}} {problems}");
    }
    let damaged = figures.problems.len();
    let _ = writeln!(text, "# TYPE nichoir_damaged_spaces gauge\nnichoir_damaged_spaces {damaged}");
    let oldest = figures.scrubbed.map_or(0, |scrubbed| now.seconds().saturating_sub(scrubbed.seconds()).max(0));
    let _ = writeln!(text, "# TYPE nichoir_scrub_oldest_seconds gauge\nnichoir_scrub_oldest_seconds {oldest}");
    let read = figures.read_bytes;
    let _ = writeln!(text, "# TYPE nichoir_scrubbed_bytes_total counter\nnichoir_scrubbed_bytes_total {read}");
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Metrics>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Answers the admin listener.
pub async fn admin(store: &Store, metrics: &Arc<Metrics>, push_sockets: usize, path: &str) -> Response {
    let (status, body) = match path {
        "/healthz" => (StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => match store.probe().await {
            Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
            Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
        },
        "/metrics" => (StatusCode::OK, metrics.render(store, push_sockets).await),
        _ => (StatusCode::NOT_FOUND, "not found\n".to_owned()),
    };
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    let media_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, media_type);
    response
}
