//! Failed sign-ins on their way to the trail of their space: gathered for a minute and then written together, so that whoever
//! guesses costs a commit a minute at most. In memory, bounded: from very many addresses, they are counted together.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nichoir_store::{FailedSignIn, Space};
use tracing::warn;

/// How long they are gathered.
const GATHER: Duration = Duration::from_secs(60);
/// Different ones of a space that are gathered; further ones are counted together.
const ALIKE_MAX: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<HashMap<i64, Gathered>>);

#[derive(Debug)]
struct Gathered {
    space: Space,
    times: HashMap<FailedSignIn, u64>,
}

impl Failures {
    /// Counts one, and sees to it that it is written.
    pub(crate) fn add(self: &Arc<Self>, space: &Space, subject: &str, detail: &'static str, address: IpAddr) {
        let id = space.info().id;
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !waiting.contains_key(&id);
        let gathered = waiting.entry(id).or_insert_with(|| Gathered { space: space.clone(), times: HashMap::new() });
        let one = FailedSignIn { subject: subject.to_owned(), detail, address: Some(address.to_canonical()) };
        let is_known = gathered.times.contains_key(&one) || gathered.times.len() < ALIKE_MAX;
        let many = || FailedSignIn { subject: String::new(), detail: "from many addresses", address: None };
        *gathered.times.entry(if is_known { one } else { many() }).or_default() += 1;
        if is_first {
            let failures = Arc::clone(self);
            tokio::spawn(async move {
                tokio::time::sleep(GATHER).await;
                failures.write(id).await;
            });
        }
    }

    /// Writes those of one space.
    async fn write(&self, id: i64) {
        let gathered = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let Some(Gathered { space, times }) = gathered else { return };
        let mut times: Vec<(FailedSignIn, u64)> = times.into_iter().collect();
        times.sort_by(|one, other| (&one.0.subject, one.0.address).cmp(&(&other.0.subject, other.0.address)));
        if let Err(error) = space.note_failed_sign_ins(times).await {
            warn!(space.id = id, %error, "failed sign-ins are missing from the trail");
        }
    }

    /// Writes all that wait.
    pub(crate) async fn write_all(&self) {
        let waiting: Vec<i64> = self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
        for id in waiting {
            self.write(id).await;
        }
    }
}
