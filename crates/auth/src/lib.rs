//! Who is calling: account passwords (argon2id), app passwords (keyed hashes found by index), limits on guessing.
//! RFC 7617 (Basic), RFC 6750 §2.1 (Bearer). Storage is `store`'s; HTTP answers are the caller's.

mod authenticate;
mod caller;
mod credentials;
mod device;
mod failures;
mod link;
mod password;
mod policy;
mod remembered;
mod seal;
mod throttle;
mod ticket;

pub use authenticate::{AuthError, AuthLimits, Authenticator};
pub use caller::Caller;
pub use credentials::Credentials;
pub use device::{APP_PASSWORD_LENGTH, device_hash, new_app_password};
pub use password::{PasswordCost, generate_password, hash_password};
pub use policy::{PasswordPolicy, Weakness};
pub use seal::{open_sealed, seal, token_hash};
pub use ticket::{is_link_ticket, link_ticket};
