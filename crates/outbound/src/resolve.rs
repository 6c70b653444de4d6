//! Names to addresses, and the public ones of them only. The connection goes to an address that was looked at here, so
//! that a name which says something else the next time it is asked (DNS rebinding) gains nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::is_public;
use crate::error::Error;

/// Asks the system.
#[derive(Debug)]
struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Asks another resolver, each time anew; drops what is not public.
struct PublicOnly(Arc<dyn Resolve>);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.0.resolve(name);
        Box::pin(async move {
            let addresses = only_public(found.await?.collect())?;
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
    Arc::new(PublicOnly(Arc::new(System)))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

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

    /// Says each of its answers once, in turn.
    struct Changing(Mutex<Vec<Vec<SocketAddr>>>);

    impl Resolve for Changing {
        fn resolve(&self, _: Name) -> Resolving {
            let found = self.0.lock().unwrap().remove(0);
            Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
        }
    }

    #[tokio::test]
    async fn a_name_that_stands_for_this_machine_the_second_time_is_refused_then() {
        let answers = [&["8.8.8.8:0"][..], &["127.0.0.1:0"], &["10.0.0.1:0", "8.8.8.8:0"], &["[fd00::1]:0"]];
        let parse = |all: &&[&str]| all.iter().map(|text| text.parse().unwrap()).collect();
        let guarded = PublicOnly(Arc::new(Changing(Mutex::new(answers.iter().map(parse).collect()))));
        for expected in [Some("8.8.8.8:0"), None, Some("8.8.8.8:0"), None] {
            let found = guarded.resolve("rebinding.example".parse().unwrap()).await;
            let found = found.map(|found| found.collect::<Vec<SocketAddr>>());
            match expected {
                Some(address) => assert_eq!(found.unwrap(), [address.parse().unwrap()]),
                None => assert!(matches!(found.unwrap_err().downcast_ref(), Some(Error::NotPublic))),
            }
        }
    }

    #[test]
    fn a_name_for_private_addresses_only_is_refused() {
        check(&["192.168.1.1:0", "[fe80::1]:0"], None);
        check(&[], Some(&[]));
    }
}
