//! Answers that are made while they are sent: each piece in a turn of its space, none while the client reads.

use futures_util::stream;
use http_body::Body as _;
use http_body_util::{BodyExt as _, StreamBody};
use nichoir_dav::Response;
use nichoir_store::Space;

/// The answer; what is still to be made of it is made in turns.
pub(crate) fn in_turns(space: &Space, response: Response) -> Response {
    response.map(|body| {
        if body.size_hint().exact().is_some() {
            return body;
        }
        let pieces = stream::unfold((space.clone(), body), |(space, mut body)| async {
            let piece = space.in_further_turn(body.frame()).await?;
            Some((piece, (space, body)))
        });
        StreamBody::new(pieces).boxed_unsync()
    })
}
