//! The caller: an account, through which device, and the tree opened as it.

use std::net::IpAddr;
use std::sync::Arc;

use nichoir_store::{Account, Actor, Device, Space, Tree};

/// Who asks, proven. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account.
    pub account: Arc<Account>,
    /// The device whose app password was sent; `None` for the account's own password.
    pub device: Option<Device>,
    /// The account's tree.
    pub tree: Tree,
    /// The space.
    pub space: Space,
}

impl Caller {
    /// The same, acting from this address, for the trail of the space.
    #[must_use]
    pub fn acting_from(self, address: IpAddr) -> Caller {
        let device = self.device.as_ref().map(|device| device.name.clone()).unwrap_or_default();
        let actor = Actor { name: self.account.login.clone(), device, address: Some(address) };
        Caller::new(&self.space.by(actor), self.account, self.device)
    }

    /// The caller that `account` is in `space`.
    pub fn new(space: &Space, account: impl Into<Arc<Account>>, device: Option<Device>) -> Caller {
        let account = account.into();
        Caller { tree: space.tree_of(Arc::clone(&account)), space: space.clone(), account, device }
    }
}
