//! Log-ins that were proven before, so that a busy client costs neither SQL nor argon2 for every request. In memory,
//! keyed, bounded, and forgotten at once when an account or device of the space changes.

use std::sync::{Arc, Mutex, PoisonError};

use nichoir_store::{Account, Device, Ports, Recent, Space, Timestamp};

pub(crate) type Key = [u8; 32];

#[derive(Clone)]
struct Proven {
    account: Arc<Account>,
    device: Option<Device>,
    account_epoch: u64,
    until: Timestamp,
}

/// See the module.
pub(crate) struct Remembered {
    key: Key,
    seconds: i64,
    proven: Mutex<Recent<Key, Proven>>,
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Remembered")
    }
}

impl Remembered {
    /// Remembers at most `max` log-ins, each for `seconds`.
    pub(crate) fn new(seconds: i64, max: usize, ports: &Ports) -> Remembered {
        Remembered { key: ports.bytes(), seconds, proven: Mutex::new(Recent::new(max.max(1))) }
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

    pub(crate) fn find(&self, space: &Space, key: &Key) -> Option<(Arc<Account>, Option<Device>)> {
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        let found = proven.find(key)?;
        let is_good = found.account_epoch == space.account_epoch() && space.ports().clock.now() < found.until;
        is_good.then(|| (Arc::clone(&found.account), found.device.clone()))
    }

    /// `account_epoch` is the one that held before the account was read.
    pub(crate) fn add(
        &self,
        space: &Space,
        key: Key,
        account_epoch: u64,
        account: &Arc<Account>,
        device: Option<&Device>,
    ) {
        let until = space.ports().clock.now().plus_seconds(self.seconds);
        let proven = Proven { account: Arc::clone(account), device: device.cloned(), account_epoch, until };
        self.proven.lock().unwrap_or_else(PoisonError::into_inner).add(key, proven, 1);
    }
}
