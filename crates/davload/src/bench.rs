//! What scenarios work with: the server's places, the settings of the run, and the rows measured so far.

use std::sync::Arc;

use crate::ask::{Answer, Ask};
use crate::load::{Limits, Worker, run};
use crate::place::Place;
use crate::processes::Processes;
use crate::row::{Cost, Row, rows_of};
use crate::session::{Client, Session};

/// How much and how long; one set for all scenarios.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// How long each measured run lasts.
    #[arg(long, default_value_t = 3.0)]
    pub(crate) seconds: f64,
    /// End each measured run after so many requests, if that is earlier.
    #[arg(long, default_value_t = u64::MAX)]
    pub(crate) requests: u64,
    /// Connections at once; several numbers make several rows of the small requests.
    #[arg(long, value_delimiter = ',', default_value = "8")]
    pub(crate) connections: Vec<usize>,
    /// Threads of this program.
    #[arg(long, default_value_t = 1)]
    pub(crate) threads: usize,
    /// Requests a second, whether answers come or not (open loop); otherwise each connection waits for its answer.
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// Children of a listing, descendants of a folder, events of a calendar, files of a first sync.
    #[arg(long, default_value_t = 1000)]
    pub(crate) size: u64,
    /// Bytes of a small file.
    #[arg(long, default_value_t = 4096)]
    pub(crate) small_bytes: u64,
    /// Bytes of a large file.
    #[arg(long, default_value_t = 1_000_000_000)]
    pub(crate) large_bytes: u64,
    /// Bytes of a chunk.
    #[arg(long, default_value_t = 10_000_000)]
    pub(crate) chunk_bytes: u64,
    /// How often what takes long is done: large files, chunked uploads, and what is done to folders.
    #[arg(long, default_value_t = 5)]
    pub(crate) repeats: u64,
    /// A calendar that already has its events; it is neither made nor deleted.
    #[arg(long)]
    pub(crate) filled: Option<String>,
    /// Devices of `mixed`.
    #[arg(long, default_value_t = 20)]
    pub(crate) members: usize,
    /// What a device waits between two polls, on average.
    #[arg(long, default_value_t = 1000)]
    pub(crate) think_ms: u64,
    /// Files that a device changes at once.
    #[arg(long, default_value_t = 10)]
    pub(crate) burst: u64,
}

/// Why a scenario has no row.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The server does not have what it measures.
    Skipped(String),
    /// It should have worked.
    Failed(String),
}

impl From<String> for Trouble {
    fn from(told: String) -> Trouble {
        Trouble::Failed(told)
    }
}

/// A server under measurement.
pub(crate) struct Bench {
    pub(crate) server: String,
    pub(crate) client: Arc<Client>,
    pub(crate) settings: Settings,
    pub(crate) processes: Processes,
    /// Where chunked uploads go, if there is such a place.
    pub(crate) uploads: Option<Place>,
    pub(crate) rows: Vec<Row>,
}

impl Bench {
    /// Sends one request that is part of preparing, whose answer must be as expected.
    pub(crate) fn once(&self, ask: &Ask) -> Result<Answer, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        runtime.block_on(Session::new(Arc::clone(&self.client)).require(ask))
    }

    /// Prepares: sends what `ask` makes of each number below `count` over some connections; all must go well.
    pub(crate) fn each(&self, count: u64, connections: usize, ask: impl Fn(u64) -> Ask + Sync) -> Result<(), Trouble> {
        let work = async |worker: &mut Worker, number: u64| {
            worker.ask("prepare", &ask(number)).await;
        };
        let seen = run(&self.client, &Limits::of_requests(count, connections), work)?;
        match seen.faults().next() {
            Some((fault, times)) => Err(Trouble::Failed(format!("preparing: {fault}, {times} times"))),
            None => Ok(()),
        }
    }

    /// The limits of a measured run over so many connections.
    pub(crate) fn limits(&self, connections: usize) -> Limits {
        let Settings { threads, seconds, requests, rate, .. } = self.settings;
        Limits { connections, threads, seconds, requests, rate }
    }

    /// The limits of work that is done a few times, one after the other.
    pub(crate) fn few(&self) -> Limits {
        Limits::of_requests(self.settings.repeats.min(self.settings.requests), 1)
    }

    /// The first of the numbers of connections.
    pub(crate) fn connections(&self) -> usize {
        self.settings.connections.first().copied().unwrap_or(1)
    }

    /// Runs, and adds a row for each kind of work.
    pub(crate) fn measure(
        &mut self,
        scenario: &str,
        size: u64,
        limits: &Limits,
        work: impl AsyncFn(&mut Worker, u64) + Sync,
    ) -> Result<(), Trouble> {
        self.processes.forget_peak();
        let peak_before = self.processes.peak_bytes();
        let own = Processes::own();
        let (server_before, client_before) = (self.processes.cpu_seconds(), own.cpu_seconds());
        let seen = run(&self.client, limits, work)?;
        let peak = self.processes.peak_bytes();
        let watched = !self.processes.is_empty();
        let cost = Cost {
            client_cpu_seconds: own.cpu_seconds() - client_before,
            server_cpu_seconds: watched.then(|| self.processes.cpu_seconds() - server_before),
            memory_bytes: watched.then(|| self.processes.memory_bytes()),
            peak_bytes: watched.then_some(peak),
            peak_growth_bytes: watched.then(|| peak.saturating_sub(peak_before)),
        };
        if seen.total() == 0 {
            let fault = seen.faults().next().map_or("nothing was done", |(fault, _)| fault).to_owned();
            return Err(Trouble::Failed(fault));
        }
        for row in rows_of(&seen, &cost) {
            let (server, scenario) = (self.server.clone(), scenario.to_owned());
            let Limits { connections, rate, .. } = *limits;
            self.rows.push(Row { server, scenario, size: Some(size), connections, rate, ..row });
        }
        Ok(())
    }
}
