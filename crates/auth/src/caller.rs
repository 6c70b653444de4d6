//! The caller: an account, through which device, and the tree opened as it.

use nichoir_store::{Account, Device, Space, Tree};

/// Who asks, proven. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account.
    pub account: Account,
    /// The device whose app password was sent; `None` for the account's own password.
    pub device: Option<Device>,
    /// The account's tree.
    pub tree: Tree,
    /// The space.
    pub space: Space,
}

impl Caller {
    /// The caller that `account` is in `space`.
    pub fn new(space: &Space, account: Account, device: Option<Device>) -> Caller {
        Caller { tree: space.tree_as(&account), space: space.clone(), account, device }
    }
}
