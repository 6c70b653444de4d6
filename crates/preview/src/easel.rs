//! The threads that draw: a few of their own, begun when there is something to draw.
//!
//! Not those that tokio keeps for what blocks: there are many, and the allocator keeps for each what its last picture took.
//! Three megapixels, drawn now here, now there, left 195 MB behind where they need 22.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::oneshot;

use crate::failure::Failure;

type Job = Box<dyn FnOnce() + Send>;

/// The way to the threads, which end with it.
#[derive(Debug)]
pub(crate) struct Easel {
    parallel: usize,
    jobs: OnceLock<Option<Sender<Job>>>,
}

impl Easel {
    pub(crate) fn new(parallel: usize) -> Easel {
        Easel { parallel: parallel.max(1), jobs: OnceLock::new() }
    }

    /// What `work` makes, on one of the threads.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] if there are no threads to be had.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move || drop(tell.send(work())));
        let jobs = self.jobs.get_or_init(|| begin(self.parallel));
        let is_sent = jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if !is_sent {
            return Err(Failure::Unavailable("no thread draws previews".into()));
        }
        told.await.map_err(|error| Failure::Unavailable(error.into()))
    }
}

/// Begins the threads; `None` if not even one can be.
fn begin(parallel: usize) -> Option<Sender<Job>> {
    let (jobs, waiting) = channel::<Job>();
    let waiting = Arc::new(Mutex::new(waiting));
    let begun = (0..parallel).filter(|_| {
        let waiting = Arc::clone(&waiting);
        std::thread::Builder::new().name("preview".to_owned()).spawn(move || work(&waiting)).is_ok()
    });
    (begun.count() > 0).then_some(jobs)
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        job();
    }
}
