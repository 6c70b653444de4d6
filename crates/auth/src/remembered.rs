//! Log-ins that were proven before, so that a busy client costs neither SQL nor argon2 for every request. In memory,
//! keyed, bounded, and forgotten at once when an account or device of the space changes.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use nichoir_store::{Account, Device, Ports, Recent, Space, Timestamp};

pub(crate) type Key = [u8; 32];

/// Addresses that are remembered of a log-in: of a client that changes between some, none is news.
const ADDRESSES_MAX: usize = 4;

/// A log-in that was proven before.
pub(crate) struct Found {
    pub(crate) account: Arc<Account>,
    pub(crate) device: Option<Device>,
    /// Whether it was not used from this address lately.
    pub(crate) is_new_address: bool,
}

#[derive(Clone)]
struct Proven {
    account: Arc<Account>,
    device: Option<Device>,
    account_epoch: u64,
    until: Timestamp,
    /// From where it was used lately, newest first.
    addresses: [Option<IpAddr>; ADDRESSES_MAX],
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

    pub(crate) fn find(&self, space: &Space, key: &Key, address: IpAddr) -> Option<Found> {
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        let found = proven.find(key)?;
        let is_good = found.account_epoch == space.account_epoch() && space.ports().clock.now() < found.until;
        if !is_good {
            return None;
        }
        let is_new_address = !found.addresses.contains(&Some(address));
        let answer = Found { account: Arc::clone(&found.account), device: found.device.clone(), is_new_address };
        if is_new_address {
            let mut moved = found.clone();
            moved.addresses.rotate_right(1);
            moved.addresses[0] = Some(address);
            proven.add(*key, moved, 1);
        }
        Some(answer)
    }

    /// `account_epoch` is the one that held before the account was read.
    pub(crate) fn add(
        &self,
        (space, address): (&Space, IpAddr),
        key: Key,
        account_epoch: u64,
        account: &Arc<Account>,
        device: Option<&Device>,
    ) {
        let until = space.ports().clock.now().plus_seconds(self.seconds);
        let mut addresses = [None; ADDRESSES_MAX];
        addresses[0] = Some(address);
        let proven = Proven { account: Arc::clone(account), device: device.cloned(), account_epoch, until, addresses };
        self.proven.lock().unwrap_or_else(PoisonError::into_inner).add(key, proven, 1);
    }
}
