//! The first two messages of a client: a login and a password, or nothing and a token that its scripts were given.

use std::net::IpAddr;

use nichoir_auth::AuthError;
use nichoir_store::{Error, Space};
use tracing::debug;

use crate::Parts;
use crate::registry::{Person, password_number};

/// Why nobody is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The credentials are wrong.
    Wrong,
    /// They cannot be checked now, or may not be.
    Later,
}

/// Who it is.
pub(crate) async fn person(
    parts: &Parts,
    space: &Space,
    address: IpAddr,
    login: &str,
    secret: &str,
) -> Result<Person, Failure> {
    let id = space.info().id;
    if login.is_empty() {
        return match space.take_pre_auth(token_hash(space, secret)).await {
            Ok((account, device)) => Ok(Person {
                space: id,
                account: account.id,
                home: account.home,
                device,
                password: password_number(account.password_hash.as_deref()),
            }),
            Err(Error::NotFound) => Err(Failure::Wrong),
            Err(error) => {
                debug!(space.id = id, %error, "a token could not be looked up");
                Err(Failure::Later)
            }
        };
    }
    let caller = parts.auth.log_in(space, login, secret, address).await.map_err(|error| match error {
        AuthError::Missing | AuthError::Wrong | AuthError::Wiped | AuthError::Disabled => Failure::Wrong,
        AuthError::Throttled { .. } | AuthError::Unavailable(_) => Failure::Later,
    })?;
    Ok(Person {
        space: id,
        account: caller.account.id,
        home: caller.account.home,
        device: caller.device.map(|device| device.id),
        password: password_number(caller.account.password_hash.as_deref()),
    })
}

/// What a token is stored as.
pub(crate) fn token_hash(space: &Space, token: &str) -> [u8; 32] {
    *blake3::keyed_hash(&space.key("notify push pre-auth"), token.as_bytes()).as_bytes()
}
