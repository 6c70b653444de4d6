//! WebDAV-Push as an extension of the DAV engine.

use std::sync::Arc;

use nichoir_dav::{Answering, Call, Extension, Property};
use nichoir_outbound::Outbound;
use nichoir_xml::{Element, Name, push};

use crate::vapid::KeyPairs;
use crate::{property, register};

/// The limits of registrations, each a setting of the same name.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Registrations of one account.
    pub registrations_max: u64,
    /// Seconds that a registration holds unless its client asks for less.
    pub registration_seconds_max: i64,
    /// Bytes of the address of a push resource.
    pub resource_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { registrations_max: 500, registration_seconds_max: 7 * 24 * 3600, resource_bytes_max: 2048 }
    }
}

/// Push: properties and registrations.
#[derive(Clone, Debug)]
pub struct Push {
    /// The limits in force.
    pub(crate) limits: Limits,
    /// Says which addresses may be registered.
    pub(crate) outbound: Outbound,
    /// Where registrations are: `/remote.php/dav/push/`.
    pub(crate) registrations: Arc<str>,
    key_pairs: KeyPairs,
}

impl Push {
    /// Push whose registrations live below the path `registrations`, which ends with a slash.
    pub fn new(limits: Limits, outbound: Outbound, registrations: &str) -> Push {
        Push { limits, outbound, registrations: registrations.into(), key_pairs: KeyPairs::default() }
    }

    pub(crate) fn key_pairs(&self) -> &KeyPairs {
        &self.key_pairs
    }
}

impl Extension for Push {
    fn features(&self) -> &'static [&'static str] {
        &["webdav-push"]
    }

    fn properties(&self) -> &'static [Property] {
        property::PROPERTIES
    }

    fn reserves_property(&self, name: &Name) -> bool {
        name.is_in(push::NAMESPACE)
    }

    fn post(&self, call: &Call<'_>, root: &Element) -> Option<Answering> {
        (root.name == push::PUSH_REGISTER).then(|| register::answer(self, call, root))
    }
}
