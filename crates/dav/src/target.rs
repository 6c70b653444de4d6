//! What a URL names: a mount of a tree, and the path below it.

use std::sync::Arc;

use http::request::Parts;
use nichoir_auth::Caller;
use nichoir_store::NodePath;

use crate::Dav;

/// Where a tree stands in the URL space, as the request spelt it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Mount {
    /// The path of its root, percent-encoded as requested and without a trailing slash: `/remote.php/dav/files/alice`.
    pub prefix: Arc<str>,
    /// The caller's principal: `/remote.php/dav/principals/users/alice/`.
    pub principal: Arc<str>,
    /// The collection of the principals: `/remote.php/dav/principals/users/`.
    pub principals: Arc<str>,
    /// The address that clients know the space by, without a trailing slash, for links that others follow.
    pub site: Arc<str>,
    /// Whether calendars that are fetched from elsewhere are calendars here, for clients that do not fetch themselves.
    pub shows_subscriptions: bool,
}

/// A request on its way through a method: who asks, for what, with which headers. The body travels beside it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The engine.
    pub dav: &'a Dav,
    /// Who asks.
    pub caller: &'a Caller,
    /// The mount that the request came through.
    pub mount: &'a Mount,
    /// What it is about.
    pub path: &'a NodePath,
    /// Method, URI, headers.
    pub parts: &'a Parts,
}
