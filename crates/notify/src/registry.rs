//! Who listens: sockets by space and account. A space without sockets has no part in it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nichoir_store::{AccountId, DeviceId, FileId, Standing};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::limits::Limits;
use crate::pending::Pending;

/// Who logged in on a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) space: i64,
    pub(crate) account: AccountId,
    /// The root of the account's files.
    pub(crate) home: FileId,
    /// With which device; `None`: with the account's password.
    pub(crate) device: Option<DeviceId>,
    /// What the password was then, as a number; of no meaning for a device.
    pub(crate) password: u64,
}

impl Person {
    /// Whether whoever logged in may still be here.
    fn stands(&self, standing: &Standing) -> bool {
        match (standing.accounts.get(&self.account), self.device) {
            (None, _) => false,
            (Some(_), Some(device)) => standing.devices.contains(&device),
            (Some(hash), None) => password_number(hash.as_deref()) == self.password,
        }
    }
}

/// Tells a password from the one before it.
pub(crate) fn password_number(hash: Option<&str>) -> u64 {
    let digest = blake3::hash(hash.unwrap_or_default().as_bytes());
    digest.as_bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A client that is logged in.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) person: Person,
    pub(crate) wants_ids: AtomicBool,
    pending: Mutex<Pending>,
    woken: Notify,
}

impl Socket {
    /// Adds to what waits, and wakes the session.
    pub(crate) fn tell(&self, news: Pending, ids_max: usize) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).add(news, ids_max);
        self.woken.notify_one();
    }

    /// Takes what waits, once there is something.
    pub(crate) async fn next(&self) -> Pending {
        loop {
            let pending = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
            if !pending.is_empty() {
                return pending;
            }
            self.woken.notified().await;
        }
    }
}

/// The sockets of one space.
#[derive(Debug, Default)]
struct Listeners {
    sockets: Vec<Arc<Socket>>,
    /// When it was last looked whether they may still be here.
    checked: Option<Instant>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<HashMap<i64, Listeners>>);

impl Registry {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Listeners>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A socket more; `None` where the space or the account has as many as it may have.
    pub(crate) fn add(&self, person: Person, limits: &Limits) -> Option<Arc<Socket>> {
        let mut spaces = self.lock();
        let found = spaces.get(&person.space).map_or(&[][..], |listeners| &listeners.sockets);
        let own = found.iter().filter(|socket| socket.person.account == person.account).count();
        if found.len() >= limits.sockets_per_space_max || own >= limits.sockets_per_account_max {
            return None;
        }
        let (pending, woken) = (Mutex::default(), Notify::new());
        let space = person.space;
        let socket = Arc::new(Socket { person, wants_ids: AtomicBool::new(false), pending, woken });
        spaces.entry(space).or_default().sockets.push(Arc::clone(&socket));
        Some(socket)
    }

    /// The socket is closed.
    pub(crate) fn remove(&self, socket: &Arc<Socket>) {
        let mut spaces = self.lock();
        if let Some(listeners) = spaces.get_mut(&socket.person.space) {
            listeners.sockets.retain(|known| !Arc::ptr_eq(known, socket));
            if listeners.sockets.is_empty() {
                spaces.remove(&socket.person.space);
            }
        }
    }

    /// The spaces that somebody listens in.
    pub(crate) fn spaces(&self) -> Vec<i64> {
        self.lock().keys().copied().collect()
    }

    /// Whether somebody listens in the space, and has not been looked at since `instant`.
    pub(crate) fn is_due(&self, space: i64, instant: Instant) -> bool {
        self.lock().get(&space).is_some_and(|listeners| listeners.checked.is_none_or(|checked| checked < instant))
    }

    /// Who may be here now: closes the sockets of all others.
    pub(crate) fn check(&self, space: i64, now: Instant, standing: &Standing) {
        if let Some(listeners) = self.lock().get_mut(&space) {
            listeners.checked = Some(now);
            for socket in listeners.sockets.iter().filter(|socket| !socket.person.stands(standing)) {
                socket.tell(Pending { is_over: true, ..Pending::default() }, 0);
            }
        }
    }

    /// Tells each account of the space what `news` says for it: asked once for an account, however many its sockets.
    pub(crate) fn tell(&self, space: i64, ids_max: usize, news: impl Fn(&Person) -> Pending) {
        let spaces = self.lock();
        let Some(listeners) = spaces.get(&space) else { return };
        let mut told: HashMap<AccountId, Pending> = HashMap::new();
        for socket in &listeners.sockets {
            let pending = told.entry(socket.person.account).or_insert_with(|| news(&socket.person));
            if !pending.is_empty() {
                socket.tell(pending.clone(), ids_max);
            }
        }
    }
}

impl Socket {
    /// The client wants the numbers of files.
    pub(crate) fn want_ids(&self) {
        self.wants_ids.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(space: i64, account: i64) -> Person {
        let password = password_number(Some("hash"));
        Person { space, account: AccountId(account), home: FileId(account * 10), device: None, password }
    }

    #[test]
    fn spaces_and_accounts_have_as_many_as_they_may_and_no_more() {
        let registry = Registry::default();
        let limits = Limits { sockets_per_space_max: 3, sockets_per_account_max: 2, ..Limits::default() };
        let first = registry.add(person(1, 1), &limits).unwrap();
        registry.add(person(1, 1), &limits).unwrap();
        assert!(registry.add(person(1, 1), &limits).is_none());
        registry.add(person(1, 2), &limits).unwrap();
        assert!(registry.add(person(1, 2), &limits).is_none(), "the space is full");
        assert!(registry.add(person(2, 1), &limits).is_some(), "another space is not");
        registry.remove(&first);
        assert!(registry.add(person(1, 1), &limits).is_some());
    }

    #[test]
    fn a_space_whose_last_socket_closes_is_forgotten() {
        let registry = Registry::default();
        let socket = registry.add(person(1, 1), &Limits::default()).unwrap();
        assert_eq!(registry.spaces(), [1]);
        registry.remove(&socket);
        assert!(registry.lock().is_empty());
    }

    #[tokio::test]
    async fn who_may_not_be_here_any_more_is_told_to_go() {
        let registry = Registry::default();
        let limits = Limits::default();
        let by_password = registry.add(person(1, 1), &limits).unwrap();
        let by_device = registry.add(Person { device: Some(DeviceId(5)), ..person(1, 1) }, &limits).unwrap();
        let check = |password: &str, device: i64| {
            let accounts = [(AccountId(1), Some(password.to_owned()))].into();
            registry.check(1, Instant::now(), &Standing { accounts, devices: [DeviceId(device)].into() });
            let is_over = |socket: &Socket| {
                std::mem::take(&mut *socket.pending.lock().unwrap_or_else(PoisonError::into_inner)).is_over
            };
            (is_over(&by_password), is_over(&by_device))
        };
        assert_eq!(check("hash", 5), (false, false));
        assert_eq!(check("other", 5), (true, false), "the password was changed");
        assert_eq!(check("hash", 6), (false, true), "the device was revoked");
        registry.check(1, Instant::now(), &Standing::default());
        assert!(by_password.next().await.is_over && by_device.next().await.is_over, "the account is disabled");
    }
}
