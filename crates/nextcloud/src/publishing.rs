//! Publishing a calendar: `POST` of `cs:publish-calendar` and `cs:unpublish-calendar` to it. Who knows the link reads it
//! without logging in, until it is taken back.

use http::StatusCode;
use nichoir_dav::{Answering, Call};
use nichoir_store::change::{Publish, Unpublish};

use crate::sharing::done;

/// Where published calendars are.
pub const PUBLIC_CALENDARS: &str = "/remote.php/dav/public-calendars/";

/// 202, as Nextcloud answers; published already is the same link again.
pub(crate) fn publish(call: &Call<'_>) -> Answering {
    let (tree, path) = (call.caller.tree.clone(), call.path.clone());
    Box::pin(async move {
        tree.apply(Publish { path }).await?;
        Ok(done(StatusCode::ACCEPTED))
    })
}

/// The link is dead from here on: publishing again makes another one.
pub(crate) fn unpublish(call: &Call<'_>) -> Answering {
    let (tree, path) = (call.caller.tree.clone(), call.path.clone());
    Box::pin(async move {
        tree.apply(Unpublish { path }).await?;
        Ok(done(StatusCode::OK))
    })
}
