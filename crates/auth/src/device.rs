//! App passwords: long random tokens, kept as a keyed hash and found by index, so that a syncing client never costs a
//! password hash.

use nichoir_store::Space;

/// Characters of an app password.
pub const APP_PASSWORD_LENGTH: usize = 72;

/// A new app password, to be shown once.
pub fn new_app_password(space: &Space) -> String {
    space.ports().alphanumeric(APP_PASSWORD_LENGTH)
}

/// What the store finds an app password by. People may type one with the dashes it is displayed with.
pub fn device_hash(space: &Space, app_password: &str) -> [u8; 32] {
    *blake3::keyed_hash(&space.key("app-password"), app_password.as_bytes()).as_bytes()
}
