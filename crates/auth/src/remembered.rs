//! Log-ins that were proven a moment ago, so that a busy client costs neither SQL nor argon2 for every request. In memory,
//! keyed, bounded, and forgotten at once when an account or device of the space changes here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use nichoir_store::{Account, Device, Ports, Space, Timestamp};

/// Log-ins remembered at once.
const REMEMBERED_MAX: usize = 20_000;

struct Proven {
    account: Account,
    device: Option<Device>,
    account_epoch: u64,
    until: Timestamp,
}

/// See the module.
pub(crate) struct Remembered {
    key: [u8; 32],
    seconds: i64,
    proven: Mutex<HashMap<[u8; 32], Proven>>,
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Remembered")
    }
}

impl Remembered {
    pub(crate) fn new(seconds: i64, ports: &Ports) -> Remembered {
        Remembered { key: ports.bytes(), seconds, proven: Mutex::new(HashMap::new()) }
    }

    /// What these credentials are remembered by.
    pub(crate) fn key_of(&self, space: &Space, login: &str, password: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&space.info().id.to_le_bytes());
        hasher.update(&(login.len() as u64).to_le_bytes());
        hasher.update(login.as_bytes());
        hasher.update(password.as_bytes());
        *hasher.finalize().as_bytes()
    }

    pub(crate) fn find(&self, space: &Space, key: &[u8; 32]) -> Option<(Account, Option<Device>)> {
        let proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        let found = proven.get(key)?;
        let is_good = found.account_epoch == space.account_epoch() && space.ports().clock.now() < found.until;
        is_good.then(|| (found.account.clone(), found.device.clone()))
    }

    /// `account_epoch` is the one that held before the account was read.
    pub(crate) fn add(
        &self,
        space: &Space,
        key: [u8; 32],
        account_epoch: u64,
        account: &Account,
        device: Option<&Device>,
    ) {
        let now = space.ports().clock.now();
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        if proven.len() >= REMEMBERED_MAX {
            proven.retain(|_, it| now < it.until);
        }
        if proven.len() < REMEMBERED_MAX {
            let until = now.plus_seconds(self.seconds);
            let (account, device) = (account.clone(), device.cloned());
            proven.insert(key, Proven { account, device, account_epoch, until });
        }
    }
}
