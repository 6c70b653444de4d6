//! Log-ins that were proven before, so that a busy client costs neither SQL nor argon2 for every request. In memory,
//! keyed, bounded, and forgotten at once when an account or device of the space changes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use nichoir_store::{Account, Device, Ports, Space, Timestamp};

pub(crate) type Key = [u8; 32];

#[derive(Clone)]
struct Proven {
    account: Account,
    device: Option<Device>,
    account_epoch: u64,
    until: Timestamp,
}

/// See the module.
pub(crate) struct Remembered {
    key: Key,
    seconds: i64,
    /// Half of what is remembered at once.
    half: usize,
    proven: Mutex<Halves>,
}

/// Log-ins used lately, and those used before them. When the first half is full it becomes the second, and what was in that is
/// forgotten: so whoever has not been here for longest goes, without anybody looking for him.
#[derive(Default)]
struct Halves {
    recent: HashMap<Key, Proven>,
    older: HashMap<Key, Proven>,
}

impl Halves {
    fn add(&mut self, half: usize, key: Key, proven: Proven) {
        if self.recent.len() >= half {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key, proven);
    }

    fn find(&mut self, half: usize, key: &Key) -> Option<&Proven> {
        if let Some(proven) = self.older.remove(key) {
            self.add(half, *key, proven);
        }
        self.recent.get(key)
    }
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Remembered")
    }
}

impl Remembered {
    /// Remembers at most `max` log-ins, each for `seconds`.
    pub(crate) fn new(seconds: i64, max: usize, ports: &Ports) -> Remembered {
        Remembered { key: ports.bytes(), seconds, half: max.div_ceil(2).max(1), proven: Mutex::default() }
    }

    /// What these credentials are remembered by.
    pub(crate) fn key_of(&self, space: &Space, login: &str, password: &str) -> Key {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&space.info().id.to_le_bytes());
        hasher.update(&(login.len() as u64).to_le_bytes());
        hasher.update(login.as_bytes());
        hasher.update(password.as_bytes());
        *hasher.finalize().as_bytes()
    }

    pub(crate) fn find(&self, space: &Space, key: &Key) -> Option<(Account, Option<Device>)> {
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        let found = proven.find(self.half, key)?;
        let is_good = found.account_epoch == space.account_epoch() && space.ports().clock.now() < found.until;
        is_good.then(|| (found.account.clone(), found.device.clone()))
    }

    /// `account_epoch` is the one that held before the account was read.
    pub(crate) fn add(&self, space: &Space, key: Key, account_epoch: u64, account: &Account, device: Option<&Device>) {
        let until = space.ports().clock.now().plus_seconds(self.seconds);
        let proven = Proven { account: account.clone(), device: device.cloned(), account_epoch, until };
        self.proven.lock().unwrap_or_else(PoisonError::into_inner).add(self.half, key, proven);
    }
}
