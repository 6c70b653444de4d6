//! Names to addresses, and the public ones of them only. The connection goes to an address that was looked at here, so
//! that a name which says something else the next time it is asked (DNS rebinding) gains nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::is_public;
use crate::error::Error;

/// Asks the system; drops what is not public.
#[derive(Debug)]
pub(crate) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addresses = only_public(found)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The public addresses; none at all is an error, unless there was none before.
fn only_public(found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Error> {
    let has_any = !found.is_empty();
    let public: Vec<SocketAddr> = found.into_iter().filter(|address| is_public(address.ip())).collect();
    if has_any && public.is_empty() { Err(Error::NotPublic) } else { Ok(public) }
}

/// The resolver for a client that has the guard.
pub(crate) fn guarded() -> Arc<dyn Resolve> {
    Arc::new(PublicOnly)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: &[&str], expected: Option<&[&str]>) {
        let parse = |all: &[&str]| all.iter().map(|text| text.parse::<SocketAddr>().unwrap()).collect::<Vec<_>>();
        match (only_public(parse(found)), expected) {
            (Ok(public), Some(expected)) => assert_eq!(public, parse(expected)),
            (Err(Error::NotPublic), None) => {}
            (other, _) => panic!("{found:?}: {other:?}"),
        }
    }

    #[test]
    fn of_several_addresses_the_public_ones_remain() {
        check(&["8.8.8.8:0", "127.0.0.1:0", "[::1]:0", "[2606:4700::1]:0"], Some(&["8.8.8.8:0", "[2606:4700::1]:0"]));
        check(&["8.8.8.8:0"], Some(&["8.8.8.8:0"]));
    }

    #[test]
    fn a_name_for_private_addresses_only_is_refused() {
        check(&["192.168.1.1:0", "[fe80::1]:0"], None);
        check(&[], Some(&[]));
    }
}
